/**
 * System calls that send and receive: sendto, recvfrom, sendmsg, recvmsg. Results as in uipc_syscalls.ts; rv.val is the number of
 * bytes, of all tries together when a call is repeated after EWAIT. Nothing is allocated by sendto and recvfrom but pooled mbufs.
 * Source: NetBSD send(2), recv(2).
 */
import { EINVAL, EMSGSIZE, EPIPE, EWOULDBLOCK, EINTR } from "../../hypercall/api/errno.ts";
import type { Lwp } from "../kern/proc.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import type { RetVal, Uio } from "../kern/uio.ts";
import { EWAIT } from "../kern/wakeup.ts";
import { CMSG_ALIGN, MbufOut, cmsg_is_rights, cmsg_len, sockargs_control } from "./cmsg.ts";
import { MCONTROLMAX, MSG_CTRUNC, MSG_NOSIGNAL, SO_NOSIGPIPE } from "./socket_abi.ts";
import type { RecvOut, SockaddrOut, Socket } from "./socketvar.ts";
import { soreceive } from "./soreceive.ts";
import { sosend } from "./sosend.ts";
import { getsock, getsock_error, sockargs_name } from "./uipc_syscalls.ts";

/** Flags that a program may give to a send or receive. */
const MSG_USERFLAGS = 0x0fff;

/** Flags that recvmsg reports: EOR, TRUNC, CTRUNC, BCAST, MCAST. */
const MSG_OUTFLAGS = 0x0338;

/** `struct msghdr` without its iov, which is the Uio. Owned by the caller, reusable. */
export class Msghdr {
  /** Send: the address, or null. */
  msg_name: Uint8Array | null = null;
  /** Receive: where the address goes, or null. */
  msg_nameout: SockaddrOut | null = null;
  /** Control messages in NetBSD's layout (cmsg.ts), or null. */
  msg_control: Uint8Array | null = null;
  /** Send: bytes of msg_control. Receive: its room, then the bytes in it. */
  msg_controllen = 0;
  /** Receive: MSG_EOR, MSG_TRUNC, MSG_CTRUNC, MSG_BCAST, MSG_MCAST. */
  msg_flags = 0;
}

/** sendto(2) and send(2) (`to` null). hot */
export function sys_sendto(l: Lwp, fd: number, uio: Uio, flags: number, to: Uint8Array | null, rv: RetVal): number {
  const so = getsock(l, fd);
  if (so === null) return getsock_error(l, fd);
  let nam: Uint8Array | null = null;
  if (to !== null) {
    nam = sockargs_name(to);
    if (nam === null) return EINVAL;
  }
  const error = sosend(so, nam, uio, null, null, flags & MSG_USERFLAGS, l);
  rv.val = uio.uio_total - uio.uio_resid;
  return error === 0 ? 0 : send_error(so, error, rv, flags, l);
}

/** A short count is a success when only the waiting failed; EPIPE comes with SIGPIPE unless that is suppressed. */
function send_error(so: Socket, error: number, rv: RetVal, flags: number, l: Lwp): number {
  if (error === EWAIT) return EWAIT;
  if (rv.val > 0 && (error === EWOULDBLOCK || error === EINTR)) return 0;
  const quiet = (flags & MSG_NOSIGNAL) !== 0 || (so.so_options & SO_NOSIGPIPE) !== 0;
  if (error === EPIPE && !quiet) so.so_layer.sigpipe?.(l.l_proc.p_pid);
  return error;
}

/** recvfrom(2), recv(2) and read(2) with flags; `from` (may be null) gets the address. hot */
export function sys_recvfrom(
  l: Lwp,
  fd: number,
  uio: Uio,
  flags: number,
  from: SockaddrOut | null,
  rv: RetVal,
): number {
  const so = getsock(l, fd);
  if (so === null) return getsock_error(l, fd);
  const layer = so.so_layer;
  const out = layer.rcv_get();
  out.nam = from;
  out.flags = flags & MSG_USERFLAGS;
  out.want_control = false;
  out.control = null;
  const error = soreceive(so, uio, out, l);
  layer.rcv_put(out);
  rv.val = uio.uio_total - uio.uio_resid;
  if (error === EWOULDBLOCK && rv.val > 0) return 0;
  return error;
}

/** sendmsg(2). */
export function sys_sendmsg(l: Lwp, fd: number, uio: Uio, msg: Msghdr, flags: number, rv: RetVal): number {
  const so = getsock(l, fd);
  if (so === null) return getsock_error(l, fd);
  let nam: Uint8Array | null = null;
  if (msg.msg_name !== null) {
    nam = sockargs_name(msg.msg_name);
    if (nam === null) return EINVAL;
  }
  let control: Mbuf | null = null;
  if (msg.msg_control !== null && msg.msg_controllen > 0 && uio.uio_resid === uio.uio_total) {
    if (msg.msg_controllen > MCONTROLMAX) return EMSGSIZE;
    const out = new MbufOut();
    const error = sockargs_control(
      so.so_layer.k.mb,
      msg.msg_control,
      Math.min(msg.msg_controllen, msg.msg_control.length),
      out,
    );
    if (error !== 0) return error;
    control = out.m;
  }
  const error = sosend(so, nam, uio, null, control, flags & MSG_USERFLAGS, l);
  rv.val = uio.uio_total - uio.uio_resid;
  return error === 0 ? 0 : send_error(so, error, rv, flags, l);
}

/** recvmsg(2). Control messages that do not fit are dropped (descriptors in them closed) and MSG_CTRUNC is set. */
export function sys_recvmsg(l: Lwp, fd: number, uio: Uio, msg: Msghdr, flags: number, rv: RetVal): number {
  const so = getsock(l, fd);
  if (so === null) return getsock_error(l, fd);
  const layer = so.so_layer;
  const out = layer.rcv_get();
  out.nam = msg.msg_nameout;
  out.flags = flags & MSG_USERFLAGS;
  out.want_control = msg.msg_control !== null;
  out.control = null;
  const error = soreceive(so, uio, out, l);
  rv.val = uio.uio_total - uio.uio_resid;
  if (error === 0) {
    msg.msg_flags = out.flags & MSG_OUTFLAGS;
    copyout_control(so, msg, out, l);
  } else {
    free_control(so, out.control, l);
  }
  layer.rcv_put(out);
  return error === EWOULDBLOCK && rv.val > 0 ? 0 : error;
}

/** Copies control messages into the program's buffer, whole ones only; what does not fit is let go. */
function copyout_control(so: Socket, msg: Msghdr, out: RecvOut, l: Lwp): void {
  const buf = msg.msg_control;
  let at = 0;
  let m = out.control;
  const room = buf === null ? 0 : Math.min(msg.msg_controllen, buf.length);
  while (m !== null && buf !== null) {
    const len = cmsg_len(m.m_pool, m.m_off);
    if (at + len > room) break;
    const u8 = m.m_pool.u8;
    for (let i = 0; i < len; i++) buf[at + i] = u8[m.m_off + i];
    const next = Math.min(at + CMSG_ALIGN(len), room);
    buf.fill(0, at + len, next);
    at = next;
    m = m.m_next;
  }
  if (m !== null) {
    msg.msg_flags |= MSG_CTRUNC;
    for (let cut: Mbuf | null = m; cut !== null; cut = cut.m_next) close_rights(so, cut, l);
  }
  msg.msg_controllen = at;
  m_freem(out.control);
  out.control = null;
}

function free_control(so: Socket, control: Mbuf | null, l: Lwp): void {
  for (let m = control; m !== null; m = m.m_next) close_rights(so, m, l);
  m_freem(control);
}

/** The program will never learn of the descriptors in this message: close them. */
function close_rights(so: Socket, m: Mbuf, l: Lwp): void {
  if (cmsg_is_rights(m)) so.so_layer.rights_close?.(m, l);
}
