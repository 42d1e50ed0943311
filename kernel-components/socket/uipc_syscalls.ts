/**
 * System calls that make, name and connect sockets. Each returns 0, an errno, or EWAIT (see select.ts: wait, then call again with the
 * same arguments); results go into `rv`. Sockaddrs come as they are in memory; the length of the array is the address length, and
 * replaces sa_len. Source: NetBSD socket(2), bind(2), listen(2), accept(2), connect(2), shutdown(2), socketpair(2).
 */
import {
  EALREADY,
  EBADF,
  EINPROGRESS,
  EINVAL,
  EMFILE,
  ENOTCONN,
  ENOTSOCK,
  EOPNOTSUPP,
  EWOULDBLOCK,
  ECONNABORTED,
} from "../../hypercall/api/errno.ts";
import { closef, fd_alloc, fd_close, fd_getfile, fd_room } from "../kern/descrip.ts";
import { FNONBLOCK, FNOSIGPIPE, FREAD, FWRITE } from "../kern/fcntl.ts";
import { DTYPE_SOCKET, File } from "../kern/proc.ts";
import type { Lwp } from "../kern/proc.ts";
import type { RetVal } from "../kern/uio.ts";
import { EWAIT } from "../kern/wakeup.ts";
import {
  SO_ACCEPTCONN,
  SO_LINGER,
  SO_NOSIGPIPE,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_FLAGS_MASK,
  SOCK_MAXADDRLEN,
  SOCK_NONBLOCK,
  SOCK_NOSIGPIPE,
} from "./socket_abi.ts";
import {
  SOCKET_LAYER,
  SS_CANTRCVMORE,
  SS_ISCONNECTED,
  SS_ISCONNECTING,
  SS_ISDISCONNECTED,
  SS_ISDISCONNECTING,
  SS_NBIO,
  SockaddrOut,
} from "./socketvar.ts";
import type { Socket, Sockopt } from "./socketvar.ts";
import { PR_LISTEN } from "./protosw.ts";
import { sogetopt, sosetopt } from "./sockopt.ts";
import { fp_so, socketops } from "./sys_socket.ts";
import {
  SocketOut,
  soaccept,
  sobind,
  soclose,
  soconnect,
  soconnect2,
  socreate,
  sodisconnect,
  solisten,
  sopr,
  soshutdown,
} from "./uipc_socket.ts";
import { soqremque } from "./soqueue.ts";
import { sbwait } from "./uipc_socket2.ts";
import { lwp_wait, selrecord } from "../kern/select.ts";

/** The socket of a descriptor, or null; then {@link getsock_error} says why. hot */
export function getsock(l: Lwp, fd: number): Socket | null {
  const fp = fd_getfile(l.l_proc, fd);
  if (fp === null || fp.f_type !== DTYPE_SOCKET) return null;
  return fp_so(fp);
}

/** EBADF or ENOTSOCK. */
export function getsock_error(l: Lwp, fd: number): number {
  return fd_getfile(l.l_proc, fd) === null ? EBADF : ENOTSOCK;
}

/** A sockaddr with its true length in front: `sa` itself when it already says so. Null if it is too short or long. hot */
export function sockargs_name(sa: Uint8Array): Uint8Array | null {
  const len = sa.length;
  if (len < 2 || len > SOCK_MAXADDRLEN) return null;
  if (sa[0] === len) return sa;
  const copy = sa.slice();
  copy[0] = len;
  return copy;
}

/** Puts a new socket into a descriptor with SOCK_* flags; -errno if there is none. The socket is closed on failure. */
function so_install(l: Lwp, so: Socket, flags: number): number {
  const nonblock = (flags & SOCK_NONBLOCK) !== 0;
  const nosigpipe = (flags & SOCK_NOSIGPIPE) !== 0;
  if (nonblock) so.so_state |= SS_NBIO;
  if (nosigpipe) so.so_options |= SO_NOSIGPIPE;
  const fflag = FREAD | FWRITE | (nonblock ? FNONBLOCK : 0) | (nosigpipe ? FNOSIGPIPE : 0);
  const fp = new File(DTYPE_SOCKET, fflag, socketops, so, l.l_proc.p_cred);
  fp.f_count = 1;
  const fd = fd_alloc(l.l_proc, fp, 0, (flags & SOCK_CLOEXEC) !== 0);
  closef(l, fp);
  return fd;
}

/** socket(2). rv.val is the descriptor. EAFNOSUPPORT, EPROTONOSUPPORT, EPROTOTYPE, EMFILE, ENOBUFS. */
export function sys_socket(l: Lwp, domain: number, type: number, protocol: number, rv: RetVal): number {
  if (!fd_room(l.l_proc, 1)) return EMFILE;
  const out = new SocketOut();
  const layer = l.l_proc.p_kernel.softc(SOCKET_LAYER);
  const error = socreate(layer, domain, out, type & ~SOCK_FLAGS_MASK, protocol, l);
  if (error !== 0) return error;
  const fd = so_install(l, out.so as Socket, type & SOCK_FLAGS_MASK);
  if (fd < 0) return -fd;
  rv.val = fd;
  return 0;
}

/** socketpair(2). rv.val and rv.val1 are the descriptors. EOPNOTSUPP for a protocol without pairs. */
export function sys_socketpair(l: Lwp, domain: number, type: number, protocol: number, rv: RetVal): number {
  if (!fd_room(l.l_proc, 2)) return EMFILE;
  const layer = l.l_proc.p_kernel.softc(SOCKET_LAYER);
  const kind = type & ~SOCK_FLAGS_MASK;
  const out = new SocketOut();
  let error = socreate(layer, domain, out, kind, protocol, l);
  if (error !== 0) return error;
  const so1 = out.so as Socket;
  error = socreate(layer, domain, out, kind, protocol, l);
  if (error !== 0) {
    soclose(so1);
    return error;
  }
  const so2 = out.so as Socket;
  error = soconnect2(so1, so2);
  if (error === 0 && kind === SOCK_DGRAM) error = soconnect2(so2, so1);
  if (error !== 0) {
    soclose(so1);
    soclose(so2);
    return error;
  }
  return pair_install(l, so1, so2, type & SOCK_FLAGS_MASK, rv);
}

function pair_install(l: Lwp, so1: Socket, so2: Socket, flags: number, rv: RetVal): number {
  const fd1 = so_install(l, so1, flags);
  if (fd1 < 0) {
    soclose(so2);
    return -fd1;
  }
  const fd2 = so_install(l, so2, flags);
  if (fd2 < 0) {
    fd_close(l, fd1);
    return -fd2;
  }
  rv.val = fd1;
  rv.val1 = fd2;
  return 0;
}

/** bind(2). */
export function sys_bind(l: Lwp, fd: number, sa: Uint8Array): number {
  const so = getsock(l, fd);
  if (so === null) return getsock_error(l, fd);
  const nam = sockargs_name(sa);
  return nam === null ? EINVAL : sobind(so, nam, l);
}

/** listen(2). */
export function sys_listen(l: Lwp, fd: number, backlog: number): number {
  const so = getsock(l, fd);
  return so === null ? getsock_error(l, fd) : solisten(so, backlog, l);
}

/**
 * accept(2) and paccept(2): takes a connection off the queue. rv.val is its descriptor, `out` (may be null) the peer's address;
 * `flags` are SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_NOSIGPIPE. EOPNOTSUPP: a socket that cannot listen; EINVAL: one that does not. The new descriptor blocks unless flags say otherwise.
 */
export function sys_accept(l: Lwp, fd: number, out: SockaddrOut | null, flags: number, rv: RetVal): number {
  const so = getsock(l, fd);
  if (so === null) return getsock_error(l, fd);
  if ((so.so_proto.pr_flags & PR_LISTEN) === 0) return EOPNOTSUPP;
  if ((so.so_options & SO_ACCEPTCONN) === 0) return EINVAL;
  const first = so.so_q.soq_first;
  if (first === null) {
    if ((so.so_state & SS_CANTRCVMORE) !== 0) return ECONNABORTED;
    if (so.so_error !== 0) {
      const error = so.so_error;
      so.so_error = 0;
      return error;
    }
    return (so.so_state & SS_NBIO) !== 0 ? EWOULDBLOCK : sbwait(so.so_rcv, l);
  }
  if (!fd_room(l.l_proc, 1)) return EMFILE;
  soqremque(first);
  first.so_state &= ~SS_NBIO;
  first.so_cred = l.l_proc.p_cred;
  const error = soaccept(first, out ?? new SockaddrOut());
  if (error !== 0) {
    soclose(first);
    return error;
  }
  const newfd = so_install(l, first, flags);
  if (newfd < 0) return -newfd;
  rv.val = newfd;
  return 0;
}

/** connect(2). A repeated call (after EWAIT) is known by l_syscall. EINPROGRESS and EALREADY in non-blocking mode. */
export function sys_connect(l: Lwp, fd: number, sa: Uint8Array): number {
  const so = getsock(l, fd);
  if (so === null) return getsock_error(l, fd);
  const nbio = (so.so_state & SS_NBIO) !== 0;
  if (l.l_syscall !== so) {
    const nam = sockargs_name(sa);
    if (nam === null) return EINVAL;
    if (nbio && (so.so_state & SS_ISCONNECTING) !== 0) return EALREADY;
    const error = soconnect(so, nam, l);
    if (error !== 0) return error;
    if ((so.so_state & SS_ISCONNECTING) === 0) return 0;
    if (nbio) return EINPROGRESS;
  }
  if ((so.so_state & SS_ISCONNECTING) !== 0 && so.so_error === 0) {
    l.l_syscall = so;
    selrecord(l, so.so_rcv.sb_sel);
    return lwp_wait(so.so_layer.k, l, 0);
  }
  l.l_syscall = null;
  so.so_state &= ~SS_ISCONNECTING;
  const error = so.so_error;
  so.so_error = 0;
  return error;
}

/** shutdown(2). ENOTCONN if the socket is not connected. */
export function sys_shutdown(l: Lwp, fd: number, how: number): number {
  const so = getsock(l, fd);
  if (so === null) return getsock_error(l, fd);
  return soshutdown(so, how);
}

/** getsockopt(2). sopt_size is the room, then the length. */
export function sys_getsockopt(l: Lwp, fd: number, sopt: Sockopt): number {
  const so = getsock(l, fd);
  return so === null ? getsock_error(l, fd) : sogetopt(so, sopt);
}

/** setsockopt(2). */
export function sys_setsockopt(l: Lwp, fd: number, sopt: Sockopt): number {
  const so = getsock(l, fd);
  return so === null ? getsock_error(l, fd) : sosetopt(so, sopt);
}

/** getsockname(2). */
export function sys_getsockname(l: Lwp, fd: number, out: SockaddrOut): number {
  const so = getsock(l, fd);
  if (so === null) return getsock_error(l, fd);
  out.len = 0;
  return sopr(so).pr_sockaddr(so, out);
}

/** getpeername(2). ENOTCONN. */
export function sys_getpeername(l: Lwp, fd: number, out: SockaddrOut): number {
  const so = getsock(l, fd);
  if (so === null) return getsock_error(l, fd);
  if ((so.so_state & SS_ISCONNECTED) === 0) return ENOTCONN;
  out.len = 0;
  return sopr(so).pr_peeraddr(so, out);
}

/**
 * The waiting part of close(2) with SO_LINGER: if this is the last reference to a connected socket with a linger time, disconnects
 * it and waits (EWAIT) until the protocol is done or the time is over. The caller closes the descriptor afterwards, whatever the
 * result. NetBSD waits inside close(2); here close itself never blocks.
 */
export function sys_linger(l: Lwp, fd: number): number {
  const fp = fd_getfile(l.l_proc, fd);
  if (fp === null) return EBADF;
  if (fp.f_type !== DTYPE_SOCKET || fp.f_count > 1) return 0;
  const so = fp_so(fp);
  if ((so.so_options & SO_LINGER) === 0 || so.so_linger === 0 || (so.so_state & SS_NBIO) !== 0) return 0;
  if ((so.so_state & SS_ISDISCONNECTED) !== 0 || (so.so_state & SS_ISCONNECTED) === 0) return 0;
  if ((so.so_state & SS_ISDISCONNECTING) === 0) {
    const error = sodisconnect(so);
    if (error !== 0) return error;
    if ((so.so_state & SS_ISCONNECTED) === 0) return 0;
  }
  selrecord(l, so.so_rcv.sb_sel);
  const error = lwp_wait(so.so_layer.k, l, so.so_linger * 1e9);
  return error === EWAIT ? EWAIT : 0;
}
