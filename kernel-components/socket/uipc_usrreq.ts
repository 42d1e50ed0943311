/**
 * PF_LOCAL user requests: stream, datagram, sequenced packet. Data goes straight into the peer's receive buffer; the sender's send
 * buffer is empty but its counters mirror the peer's, so that a sender is held back by what was not read. Source: NetBSD unix(4).
 */
import { EINVAL, EISCONN, ENOBUFS, ENOPROTOOPT, ENOTCONN, EPIPE } from "../../hypercall/api/errno.ts";
import type { Lwp } from "../kern/proc.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import { CMSG_HDRLEN, sballoccontrol } from "./cmsg.ts";
import { PRCO_SETOPT, PrUsrreqs } from "./protosw.ts";
import type { SockStat } from "./protosw.ts";
import {
  AF_LOCAL,
  LOCAL_CONNWAIT,
  LOCAL_CREDS,
  LOCAL_PEEREID,
  SCM_CREDS,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOL_LOCAL,
  SOL_SOCKET,
} from "./socket_abi.ts";
import { sbappend, sbappendaddr, sbappendcontrol, sbappendrecord } from "./sockbuf_append.ts";
import { soreserve } from "./sockbuf_reserve.ts";
import { sockopt_getint, sockopt_set, sockopt_setint } from "./sockopt.ts";
import { SS_CANTRCVMORE, SS_CANTSENDMORE } from "./socketvar.ts";
import type { SockaddrOut, Socket, Sockopt } from "./socketvar.ts";
import { socantrcvmore, socantsendmore, soisdisconnected, soroverflow, sorwakeup, sowwakeup } from "./uipc_socket2.ts";
import {
  unp_accepted,
  unp_bind,
  unp_connect,
  unp_connect2,
  unp_disconnect1,
  unp_drop,
  unp_putaddr,
  unp_setid,
} from "./unp_connect.ts";
import { unp_dispose, unp_gc, unp_internalize } from "./unp_rights.ts";
import { UNP_CONNWAIT, UNP_EIDSBIND, UNP_EIDSVALID, UNP_WANTCRED, Unpcb, sotounpcb } from "./unpcb.ts";
import type { UnixDomain } from "./unpcb.ts";

/** Bytes of `struct sockcred` without groups. */
const SOCKCRED_LEN = 24;
/** The address of a socket without a name. */
const SUN_NONAME: Uint8Array = new Uint8Array([2, AF_LOCAL]);

function unp_attach(unix: UnixDomain, so: Socket): number {
  const dgram = so.so_type === SOCK_DGRAM;
  const snd = dgram ? unix.dg_sendspace : unix.st_sendspace;
  const rcv = dgram ? unix.dg_recvspace : unix.st_recvspace;
  if (so.so_rcv.sb_hiwat === 0) {
    const error = soreserve(so, snd, rcv);
    if (error !== 0) return error;
  }
  const unp = new Unpcb(so, unix);
  so.so_pcb = unp;
  unix.unpcbs.add(unp);
  return 0;
}

function unp_detach(so: Socket): void {
  const unp = sotounpcb(so);
  const unix = unp.unp_unix;
  if (unp.unp_name !== null && unix.names.get(unp.unp_name) === unp) unix.names.delete(unp.unp_name);
  unp_disconnect1(unp);
  for (const ref of [...unp.unp_refs]) unp_drop(ref);
  soisdisconnected(so);
  so.so_pcb = null;
  unix.unpcbs.delete(unp);
  if (unix.unp_rights > 0) unp_gc(unix);
}

function unp_accept(so: Socket, nam: SockaddrOut): number {
  const unp = sotounpcb(so);
  unp_accepted(unp);
  unp_putaddr(unp.unp_conn === null ? null : unp.unp_conn.unp_addr, nam);
  return 0;
}

function unp_listen(so: Socket, l: Lwp): number {
  const unp = sotounpcb(so);
  if (unp.unp_addr === null) return EINVAL;
  unp_setid(unp.unp_connid, l);
  unp.unp_flags |= UNP_EIDSBIND;
  return 0;
}

function unp_pair(so: Socket, so2: Socket): number {
  for (const s of [so, so2]) {
    const unp = sotounpcb(s);
    unp.unp_connid.unp_pid = s.so_cpid;
    unp.unp_connid.unp_euid = s.so_cred?.cr_uid ?? 0;
    unp.unp_connid.unp_egid = s.so_cred?.cr_gid ?? 0;
    unp.unp_flags |= UNP_EIDSVALID;
  }
  return unp_connect2(so, so2, false);
}

function unp_disconnect(so: Socket): number {
  unp_disconnect1(sotounpcb(so));
  return 0;
}

function unp_shutdown(so: Socket): number {
  socantsendmore(so);
  const peer = sotounpcb(so).unp_conn;
  if (peer !== null && so.so_type !== SOCK_DGRAM) socantrcvmore(peer.unp_socket);
  return 0;
}

function unp_abort(so: Socket): number {
  unp_drop(sotounpcb(so));
  unp_detach(so);
  return 0;
}

/** Frees what a failed send held. */
function unp_sendfail(unix: UnixDomain, m: Mbuf, control: Mbuf | null, error: number, internalized: boolean): number {
  m_freem(m);
  if (control !== null && internalized) unp_dispose(unix, control);
  m_freem(control);
  return error;
}

/** send(2): m and control are consumed. */
function unp_send(so: Socket, m: Mbuf, nam: Uint8Array | null, control: Mbuf | null, l: Lwp): number {
  const unp = sotounpcb(so);
  const unix = unp.unp_unix;
  if (control !== null) {
    const error = unp_internalize(unix, control, l);
    if (error !== 0) return unp_sendfail(unix, m, control, error, false);
  }
  return so.so_type === SOCK_DGRAM ? unp_send_dgram(unp, m, nam, control, l) : unp_send_stream(unp, m, nam, control, l);
}

function unp_send_dgram(unp: Unpcb, m: Mbuf, nam: Uint8Array | null, control: Mbuf | null, l: Lwp): number {
  const unix = unp.unp_unix;
  if (nam !== null) {
    if (unp.unp_conn !== null) return unp_sendfail(unix, m, control, EISCONN, true);
    const error = unp_connect(unp.unp_socket, nam, l);
    if (error !== 0) return unp_sendfail(unix, m, control, error, true);
  }
  const unp2 = unp.unp_conn;
  if (unp2 === null) return unp_sendfail(unix, m, control, ENOTCONN, true);
  const so2 = unp2.unp_socket;
  const all = (unp2.unp_flags & UNP_WANTCRED) !== 0 ? unp_addsockcred(unix, control, l) : control;
  let error = 0;
  if (sbappendaddr(so2.so_rcv, unp.unp_addr ?? SUN_NONAME, m, all)) sorwakeup(so2);
  else {
    soroverflow(so2);
    error = unp_sendfail(unix, m, all, ENOBUFS, true);
  }
  if (nam !== null) unp_disconnect1(unp);
  return error;
}

function unp_send_stream(unp: Unpcb, m: Mbuf, nam: Uint8Array | null, control: Mbuf | null, l: Lwp): number {
  const so = unp.unp_socket;
  const unix = unp.unp_unix;
  if (nam !== null) return unp_sendfail(unix, m, control, EISCONN, true);
  if ((so.so_state & SS_CANTSENDMORE) !== 0) return unp_sendfail(unix, m, control, EPIPE, true);
  const unp2 = unp.unp_conn;
  if (unp2 === null) return unp_sendfail(unix, m, control, ENOTCONN, true);
  const so2 = unp2.unp_socket;
  const rcv = so2.so_rcv;
  // NetBSD: there the data goes into a buffer that nobody will read.
  if ((so2.so_state & SS_CANTRCVMORE) !== 0) return unp_sendfail(unix, m, control, EPIPE, true);
  let all = control;
  if ((unp2.unp_flags & UNP_WANTCRED) !== 0) {
    unp2.unp_flags &= ~UNP_WANTCRED;
    all = unp_addsockcred(unix, control, l);
  }
  if (all !== null) {
    if (!sbappendcontrol(rcv, m, all)) return unp_sendfail(unix, m, all, ENOBUFS, true);
  } else if (so.so_type === SOCK_SEQPACKET) {
    sbappendrecord(rcv, m);
  } else {
    sbappend(rcv, m);
  }
  so.so_snd.sb_cc = rcv.sb_cc;
  so.so_snd.sb_mbcnt = rcv.sb_mbcnt;
  sorwakeup(so2);
  return 0;
}

/** The receiver read: the sender has room again. */
function unp_rcvd(so: Socket): number {
  const peer = sotounpcb(so).unp_conn;
  if (peer === null || so.so_type === SOCK_DGRAM) return 0;
  const so2 = peer.unp_socket;
  so2.so_snd.sb_cc = so.so_rcv.sb_cc;
  so2.so_snd.sb_mbcnt = so.so_rcv.sb_mbcnt;
  sowwakeup(so2);
  return 0;
}

/** Puts the sender's credentials (`struct sockcred`) in front of its control messages; without memory they are left out. */
function unp_addsockcred(unix: UnixDomain, control: Mbuf | null, l: Lwp): Mbuf | null {
  const cred = l.l_proc.p_cred;
  const groups = cred.cr_groups;
  const m = sballoccontrol(unix.layer.k.mb, SOCKCRED_LEN + 4 * groups.length, SCM_CREDS, SOL_SOCKET);
  if (m === null) return control;
  const dv = m.m_pool.dv;
  const at = m.m_off + CMSG_HDRLEN;
  dv.setInt32(at, l.l_proc.p_pid, true);
  dv.setUint32(at + 4, cred.cr_uid, true);
  dv.setUint32(at + 8, cred.cr_uid, true);
  dv.setUint32(at + 12, cred.cr_gid, true);
  dv.setUint32(at + 16, cred.cr_gid, true);
  dv.setInt32(at + 20, groups.length, true);
  for (let i = 0; i < groups.length; i++) dv.setUint32(at + SOCKCRED_LEN + 4 * i, groups[i], true);
  m.m_next = control;
  return m;
}

function unp_peeraddr(so: Socket, nam: SockaddrOut): number {
  const peer = sotounpcb(so).unp_conn;
  if (peer === null) return ENOTCONN;
  unp_putaddr(peer.unp_addr, nam);
  return 0;
}

function unp_sockaddr(so: Socket, nam: SockaddrOut): number {
  unp_putaddr(sotounpcb(so).unp_addr, nam);
  return 0;
}

function unp_stat(so: Socket, st: SockStat): number {
  st.st_blksize = so.so_snd.sb_hiwat;
  const peer = sotounpcb(so).unp_conn;
  if (peer !== null && so.so_type !== SOCK_DGRAM) st.st_blksize += peer.unp_socket.so_rcv.sb_cc;
  return 0;
}

/** Options of level SOL_LOCAL. */
export function uipc_ctloutput(op: number, so: Socket, sopt: Sockopt): number {
  if (sopt.sopt_level !== SOL_LOCAL) return ENOPROTOOPT;
  const unp = sotounpcb(so);
  const flag = sopt.sopt_name === LOCAL_CREDS ? UNP_WANTCRED : sopt.sopt_name === LOCAL_CONNWAIT ? UNP_CONNWAIT : 0;
  if (op === PRCO_SETOPT) {
    if (flag === 0) return ENOPROTOOPT;
    if (sopt.sopt_size !== 4) return EINVAL;
    if (sockopt_getint(sopt) !== 0) unp.unp_flags |= flag;
    else unp.unp_flags &= ~flag;
    return 0;
  }
  if (flag !== 0) return sockopt_setint(sopt, (unp.unp_flags & flag) !== 0 ? 1 : 0);
  if (sopt.sopt_name !== LOCAL_PEEREID) return ENOPROTOOPT;
  if ((unp.unp_flags & UNP_EIDSVALID) === 0) return ENOTCONN;
  const id = new Uint32Array([unp.unp_connid.unp_pid, unp.unp_connid.unp_euid, unp.unp_connid.unp_egid]);
  return sockopt_set(sopt, new Uint8Array(id.buffer));
}

/** The user requests of PF_LOCAL in one kernel. */
export function unp_usrreqs(unix: UnixDomain): PrUsrreqs {
  return new PrUsrreqs({
    pr_attach: (so) => unp_attach(unix, so),
    pr_detach: unp_detach,
    pr_accept: unp_accept,
    pr_bind: unp_bind,
    pr_listen: unp_listen,
    pr_connect: unp_connect,
    pr_connect2: unp_pair,
    pr_disconnect: unp_disconnect,
    pr_shutdown: unp_shutdown,
    pr_abort: unp_abort,
    pr_stat: unp_stat,
    pr_peeraddr: unp_peeraddr,
    pr_sockaddr: unp_sockaddr,
    pr_rcvd: unp_rcvd,
    pr_send: unp_send,
  });
}
