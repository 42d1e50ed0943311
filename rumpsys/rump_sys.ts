/**
 * rump_sys_*: the plain face of the system calls, sockets. Arguments are as in C; the result is -1 and errno (see rump_errno) on failure.
 * Nothing waits: what would have to gives EAGAIN (connect: EINPROGRESS). Nothing is allocated but pooled mbufs, and no exception is
 * thrown. Calls run in the current process of `rk` (lwproc). Sockaddrs are bytes beginning with sa_len and sa_family; an array's length
 * is the address length. Buffers belong to the caller and are free again when the call returns. Source: NetBSD man pages of section 2.
 */
import { EAGAIN, EINPROGRESS } from "../hypercall/api/errno.ts";
import { UIO_READ, UIO_WRITE } from "../kernel-components/kern/uio.ts";
import { EWAIT } from "../kernel-components/kern/wakeup.ts";
import type { SockaddrOut } from "../kernel-components/socket/socketvar.ts";
import { Sockopt } from "../kernel-components/socket/socketvar.ts";
import {
  sys_accept,
  sys_bind,
  sys_connect,
  sys_getpeername,
  sys_getsockname,
  sys_getsockopt,
  sys_listen,
  sys_setsockopt,
  sys_shutdown,
  sys_socket,
  sys_socketpair,
} from "../kernel-components/socket/uipc_syscalls.ts";
import type { Msghdr } from "../kernel-components/socket/uipc_syscalls_msg.ts";
import { sys_recvfrom, sys_recvmsg, sys_sendmsg, sys_sendto } from "../kernel-components/socket/uipc_syscalls_msg.ts";
import { sys_read, sys_readv, sys_write, sys_writev } from "../kernel-components/kern/sys_generic.ts";
import type { RumpKernel } from "./rump_kernel.ts";
import type { SysContext, SysFrame } from "./sys_frame.ts";

/** errno of the last rump_sys_* call of this process that failed; NetBSD's numbers. */
export function rump_errno(rk: RumpKernel): number {
  return rk.host.errno.rumpuser_geterrno();
}

/** Ends a call: result or -1. `busy` is what a call that would wait gets. hot */
export function rump_ret(rk: RumpKernel, cx: SysContext, f: SysFrame, error: number, busy: number): number {
  const val = f.rv.val;
  const code = error === EWAIT ? busy : error;
  cx.put(f);
  cx.k.leave();
  if (code === 0) return val;
  rk.host.errno.rumpuser_seterrno(code);
  return -1;
}

/** Ends a call that moves bytes: a stream call that moved some before it would have waited succeeds. hot */
export function rump_ret_io(rk: RumpKernel, cx: SysContext, f: SysFrame, error0: number): number {
  let error = error0;
  if (error === EWAIT && f.uio.uio_resid !== f.uio.uio_total) {
    f.rv.val = f.uio.uio_total - f.uio.uio_resid;
    error = 0;
  }
  return rump_ret(rk, cx, f, error, EAGAIN);
}

/** socket(2): a descriptor. */
export function rump_sys_socket(rk: RumpKernel, domain: number, type: number, protocol: number): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  return rump_ret(rk, cx, f, sys_socket(f.l, domain, type, protocol, f.rv), EAGAIN);
}

/** socketpair(2): 0; the descriptors are put into sv[0] and sv[1]. */
export function rump_sys_socketpair(
  rk: RumpKernel,
  domain: number,
  type: number,
  protocol: number,
  sv: number[] | Int32Array,
): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  const error = sys_socketpair(f.l, domain, type, protocol, f.rv);
  if (error === 0) {
    sv[0] = f.rv.val;
    sv[1] = f.rv.val1;
    f.rv.val = 0;
  }
  return rump_ret(rk, cx, f, error, EAGAIN);
}

/** bind(2): 0. */
export function rump_sys_bind(rk: RumpKernel, fd: number, sa: Uint8Array): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  return rump_ret(rk, cx, f, sys_bind(f.l, fd, sa), EAGAIN);
}

/** connect(2): 0. EINPROGRESS: poll for POLLOUT, then SO_ERROR. */
export function rump_sys_connect(rk: RumpKernel, fd: number, sa: Uint8Array): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  return rump_ret(rk, cx, f, sys_connect(f.l, fd, sa), EINPROGRESS);
}

/** listen(2): 0. */
export function rump_sys_listen(rk: RumpKernel, fd: number, backlog: number): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  return rump_ret(rk, cx, f, sys_listen(f.l, fd, backlog), EAGAIN);
}

/** accept(2): a descriptor; `out` (or null) gets the peer's address. EAGAIN. */
export function rump_sys_accept(rk: RumpKernel, fd: number, out: SockaddrOut | null): number {
  return rump_sys_paccept(rk, fd, out, 0);
}

/** paccept(2) without signal mask: accept with SOCK_NONBLOCK, SOCK_CLOEXEC, SOCK_NOSIGPIPE. */
export function rump_sys_paccept(rk: RumpKernel, fd: number, out: SockaddrOut | null, flags: number): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  return rump_ret(rk, cx, f, sys_accept(f.l, fd, out ?? f.nam, flags, f.rv), EAGAIN);
}

/** shutdown(2): 0. */
export function rump_sys_shutdown(rk: RumpKernel, fd: number, how: number): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  return rump_ret(rk, cx, f, sys_shutdown(f.l, fd, how), EAGAIN);
}

/** sendto(2): bytes sent of the first `len` bytes of buf. `to` null on a connected socket. hot */
export function rump_sys_sendto(
  rk: RumpKernel,
  fd: number,
  buf: Uint8Array,
  len: number,
  flags: number,
  to: Uint8Array | null,
): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  f.buffer(UIO_WRITE, buf, len < buf.length ? len : buf.length);
  return rump_ret_io(rk, cx, f, sys_sendto(f.l, fd, f.uio, flags, to, f.rv));
}

/** send(2): bytes sent. hot */
export function rump_sys_send(rk: RumpKernel, fd: number, buf: Uint8Array, len: number, flags: number): number {
  return rump_sys_sendto(rk, fd, buf, len, flags, null);
}

/** recvfrom(2): bytes received, at most `len`; `from` (or null) gets the address. EAGAIN. hot */
export function rump_sys_recvfrom(
  rk: RumpKernel,
  fd: number,
  buf: Uint8Array,
  len: number,
  flags: number,
  from: SockaddrOut | null,
): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  f.buffer(UIO_READ, buf, len < buf.length ? len : buf.length);
  return rump_ret_io(rk, cx, f, sys_recvfrom(f.l, fd, f.uio, flags, from, f.rv));
}

/** recv(2): bytes received. EAGAIN. hot */
export function rump_sys_recv(rk: RumpKernel, fd: number, buf: Uint8Array, len: number, flags: number): number {
  return rump_sys_recvfrom(rk, fd, buf, len, flags, null);
}

/** sendmsg(2): bytes sent of all buffers. */
export function rump_sys_sendmsg(
  rk: RumpKernel,
  fd: number,
  iov: readonly Uint8Array[],
  msg: Msghdr,
  flags: number,
): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  f.uio.reset(UIO_WRITE, iov);
  return rump_ret_io(rk, cx, f, sys_sendmsg(f.l, fd, f.uio, msg, flags, f.rv));
}

/** recvmsg(2): bytes received; msg says from whom, control messages, flags. EAGAIN. */
export function rump_sys_recvmsg(
  rk: RumpKernel,
  fd: number,
  iov: readonly Uint8Array[],
  msg: Msghdr,
  flags: number,
): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  f.uio.reset(UIO_READ, iov);
  return rump_ret_io(rk, cx, f, sys_recvmsg(f.l, fd, f.uio, msg, flags, f.rv));
}

/** read(2): bytes read, 0 at the end. EAGAIN. hot */
export function rump_sys_read(rk: RumpKernel, fd: number, buf: Uint8Array, len: number): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  f.buffer(UIO_READ, buf, len < buf.length ? len : buf.length);
  return rump_ret_io(rk, cx, f, sys_read(f.l, fd, f.uio, f.rv));
}

/** write(2): bytes written. EAGAIN. hot */
export function rump_sys_write(rk: RumpKernel, fd: number, buf: Uint8Array, len: number): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  f.buffer(UIO_WRITE, buf, len < buf.length ? len : buf.length);
  return rump_ret_io(rk, cx, f, sys_write(f.l, fd, f.uio, f.rv));
}

/** readv(2): bytes read into the buffers. EAGAIN. */
export function rump_sys_readv(rk: RumpKernel, fd: number, iov: readonly Uint8Array[]): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  f.uio.reset(UIO_READ, iov);
  return rump_ret_io(rk, cx, f, sys_readv(f.l, fd, f.uio, f.rv));
}

/** writev(2): bytes written of the buffers. EAGAIN. */
export function rump_sys_writev(rk: RumpKernel, fd: number, iov: readonly Uint8Array[]): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  f.uio.reset(UIO_WRITE, iov);
  return rump_ret_io(rk, cx, f, sys_writev(f.l, fd, f.uio, f.rv));
}

/** getsockname(2): 0; the address is put into `out`. */
export function rump_sys_getsockname(rk: RumpKernel, fd: number, out: SockaddrOut): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  return rump_ret(rk, cx, f, sys_getsockname(f.l, fd, out), EAGAIN);
}

/** getpeername(2): 0; the address is put into `out`. */
export function rump_sys_getpeername(rk: RumpKernel, fd: number, out: SockaddrOut): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  return rump_ret(rk, cx, f, sys_getpeername(f.l, fd, out), EAGAIN);
}

/** setsockopt(2): 0. `value` is the structure, an int has 4 bytes. */
export function rump_sys_setsockopt(
  rk: RumpKernel,
  fd: number,
  level: number,
  name: number,
  value: Uint8Array,
): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  const sopt = new Sockopt(value, value.length);
  sopt.sopt_level = level;
  sopt.sopt_name = name;
  return rump_ret(rk, cx, f, sys_setsockopt(f.l, fd, sopt), EAGAIN);
}

/** getsockopt(2): the length of the value, which is put into `value`. (C returns 0 and the length through a pointer.) */
export function rump_sys_getsockopt(
  rk: RumpKernel,
  fd: number,
  level: number,
  name: number,
  value: Uint8Array,
): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  const sopt = new Sockopt(value, value.length);
  sopt.sopt_level = level;
  sopt.sopt_name = name;
  const error = sys_getsockopt(f.l, fd, sopt);
  f.rv.val = sopt.sopt_size;
  return rump_ret(rk, cx, f, error, EAGAIN);
}
