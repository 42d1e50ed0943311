/**
 * State changes of sockets that protocols report, the accept queues, and wake-ups. Source: NetBSD uipc_socket2(9).
 */
import { ENOBUFS } from "../../hypercall/api/errno.ts";
import { POLLIN, POLLOUT, POLLPRI, POLLRDBAND, POLLRDNORM, selnotify } from "../kern/select.ts";
import type { Lwp } from "../kern/proc.ts";
import { lwp_wait } from "../kern/select.ts";
import { selrecord } from "../kern/select.ts";
import { SB_ASYNC, SB_UPCALL } from "./sockbuf.ts";
import type { Sockbuf } from "./sockbuf.ts";
import { SO_ACCEPTCONN, SO_RERROR } from "./socket_abi.ts";
import { sofree } from "./sofree.ts";
import { soqinsque, soqremque } from "./soqueue.ts";
import {
  SOS_CREATED,
  SOS_QFULL,
  SS_CANTRCVMORE,
  SS_CANTSENDMORE,
  SS_ISCONNECTED,
  SS_ISCONNECTING,
  SS_ISDISCONNECTED,
  SS_ISDISCONNECTING,
  SS_NOFDREF,
  Socket,
} from "./socketvar.ts";
import { soreserve } from "./sockbuf_reserve.ts";

/** Connections that may wait for a listener with backlog n: a bit more than asked, as BSD always gave. */
export function soqmax(qlimit: number): number {
  return Math.floor((3 * qlimit) / 2);
}

/** The protocol began to connect. */
export function soisconnecting(so: Socket): void {
  so.so_state &= ~(SS_ISCONNECTED | SS_ISDISCONNECTING);
  so.so_state |= SS_ISCONNECTING;
}

/** The protocol is connected. A connection on its listener's q0 moves to q, where accept(2) finds it. */
export function soisconnected(so: Socket): void {
  const head = so.so_head;
  so.so_state &= ~(SS_ISCONNECTING | SS_ISDISCONNECTING);
  so.so_state |= SS_ISCONNECTED;
  if (head !== null && so.so_onq === head.so_q0) {
    soqremque(so);
    soqinsque(head, so, 1);
    sorwakeup(head);
    return;
  }
  sorwakeup(so);
  sowwakeup(so);
}

/** The protocol began to disconnect: no data either way any more. */
export function soisdisconnecting(so: Socket): void {
  so.so_state &= ~SS_ISCONNECTING;
  so.so_state |= SS_ISDISCONNECTING | SS_CANTRCVMORE | SS_CANTSENDMORE;
  sowwakeup(so);
  sorwakeup(so);
}

/** The protocol is disconnected. */
export function soisdisconnected(so: Socket): void {
  so.so_state &= ~(SS_ISCONNECTING | SS_ISCONNECTED | SS_ISDISCONNECTING);
  so.so_state |= SS_CANTRCVMORE | SS_CANTSENDMORE | SS_ISDISCONNECTED;
  sowwakeup(so);
  sorwakeup(so);
}

/** Sends give EPIPE from now on. */
export function socantsendmore(so: Socket): void {
  so.so_state |= SS_CANTSENDMORE;
  sowwakeup(so);
}

/** Receives give end of file after what is buffered. */
export function socantrcvmore(so: Socket): void {
  so.so_state |= SS_CANTRCVMORE;
  sorwakeup(so);
}

/** Out-of-band data arrived: SIGURG and POLLPRI. */
export function sohasoutofband(so: Socket): void {
  const layer = so.so_layer;
  if (so.so_pgid !== 0 && layer.ownsignal !== null) layer.ownsignal(so.so_pgid, POLLPRI | POLLRDBAND, so);
  selnotify(so.so_rcv.sb_sel, POLLPRI | POLLRDBAND);
}

/**
 * A connection arrives at a listener: makes its socket, queued on q (connstatus SS_ISCONNECTED) or q0 (0), attached to the
 * protocol. Null if the queue is full or memory is short; the protocol then refuses the connection.
 */
export function sonewconn(head: Socket, connstatus: number): Socket | null {
  const layer = head.so_layer;
  if (head.so_qlen + head.so_q0len > soqmax(head.so_qlimit)) {
    layer.sostat[SOS_QFULL]++;
    return null;
  }
  const so = new Socket(layer, head.so_proto, head.so_type);
  so.so_options = head.so_options & ~SO_ACCEPTCONN;
  so.so_linger = head.so_linger;
  so.so_state = head.so_state | SS_NOFDREF;
  so.so_pgid = head.so_pgid;
  so.so_cred = head.so_cred;
  so.so_cpid = head.so_cpid;
  if (head.so_proto.pr_usrreqs === null || soreserve(so, head.so_snd.sb_hiwat, head.so_rcv.sb_hiwat) !== 0) return null;
  so.so_snd.sb_lowat = head.so_snd.sb_lowat;
  so.so_rcv.sb_lowat = head.so_rcv.sb_lowat;
  so.so_snd.sb_timeo_ns = head.so_snd.sb_timeo_ns;
  so.so_rcv.sb_timeo_ns = head.so_rcv.sb_timeo_ns;
  layer.nsockets++;
  layer.sostat[SOS_CREATED]++;
  soqinsque(head, so, connstatus !== 0 ? 1 : 0);
  if (head.so_proto.pr_usrreqs.pr_attach(so, 0) !== 0) {
    soqremque(so);
    sofree(so);
    return null;
  }
  if (connstatus !== 0) {
    so.so_state |= connstatus;
    sorwakeup(head);
  }
  return so;
}

/** The receive side changed: wake readers, pollers, the upcall. hot */
export function sorwakeup(so: Socket): void {
  sowakeup(so, so.so_rcv, POLLIN | POLLRDNORM);
}

/** The send side changed. hot */
export function sowwakeup(so: Socket): void {
  sowakeup(so, so.so_snd, POLLOUT);
}

/** hot */
function sowakeup(so: Socket, sb: Sockbuf, events: number): void {
  const sel = sb.sb_sel;
  if (sel.sel_lwps.length > 0 || sel.sel_watch !== null) selnotify(sel, events);
  if ((sb.sb_flags & (SB_ASYNC | SB_UPCALL)) === 0) return;
  if ((sb.sb_flags & SB_ASYNC) !== 0 && so.so_pgid !== 0) so.so_layer.ownsignal?.(so.so_pgid, events, so);
  if ((sb.sb_flags & SB_UPCALL) !== 0) so.so_upcall?.(so, so.so_upcallarg, events);
}

/** What was received did not fit (sbappend has counted it): a socket with SO_RERROR gets ENOBUFS at its next receive, once. */
export function soroverflow(so: Socket): void {
  if ((so.so_options & SO_RERROR) === 0) return;
  so.so_rerror = ENOBUFS;
  sorwakeup(so);
}

/** Sets an upcall for both directions, or takes it away (null). It runs inside the kernel, where the event happens. */
export function soupcall_set(
  so: Socket,
  fn: ((so: Socket, arg: unknown, events: number) => void) | null,
  arg: unknown,
): void {
  so.so_upcall = fn;
  so.so_upcallarg = arg;
  for (const sb of [so.so_rcv, so.so_snd]) {
    if (fn === null) sb.sb_flags &= ~SB_UPCALL;
    else sb.sb_flags |= SB_UPCALL;
  }
}

/** l must wait for data or space: EWAIT, or EWOULDBLOCK when SO_RCVTIMEO/SO_SNDTIMEO passed since the call began. */
export function sbwait(sb: Sockbuf, l: Lwp): number {
  selrecord(l, sb.sb_sel);
  return lwp_wait(sb.sb_so.so_layer.k, l, sb.sb_timeo_ns);
}

/** Is another lwp in the middle of a transfer? A lock whose owner no longer repeats its call does not count. hot */
export function sblocked(sb: Sockbuf, l: Lwp): boolean {
  const owner = sb.sb_lock;
  if (owner === null || owner === l) return false;
  if (owner.l_syscall === sb) return true;
  sb.sb_lock = null;
  return false;
}

/** l waits in the middle of a transfer: nobody may cut in. */
export function sblock(sb: Sockbuf, l: Lwp): void {
  sb.sb_lock = l;
  l.l_syscall = sb;
}

/** l's transfer is over. hot */
export function sbunlock(sb: Sockbuf, l: Lwp, events: number): void {
  if (sb.sb_lock !== l) return;
  sb.sb_lock = null;
  l.l_syscall = null;
  selnotify(sb.sb_sel, events);
}
