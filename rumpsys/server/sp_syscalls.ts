/**
 * The system calls that a remote client can make: for each number its name, the form of its arguments (sp_args.ts) and what runs it.
 * A call that returns EWAIT is run again with the same arguments; what it has moved by then is kept in the call.
 */
import { EINVAL, ENAMETOOLONG, EOPNOTSUPP, EPERM } from "../../hypercall/api/errno.ts";
import type { Lwp } from "../../kernel-components/kern/proc.ts";
import { is_super, Stat } from "../../kernel-components/kern/proc.ts";
import { sys_close, sys_dup, sys_dup2, sys_dup3, sys_fcntl } from "../../kernel-components/kern/sys_descrip.ts";
import {
  sys_fstat,
  sys_getegid,
  sys_geteuid,
  sys_getpid,
  sys_ioctl,
  sys_open,
  sys_read,
  sys_write,
} from "../../kernel-components/kern/sys_generic.ts";
import { Pollfd, sys_poll } from "../../kernel-components/kern/sys_poll.ts";
import { SysctlLen } from "../../kernel-components/kern/sysctl_bytes.ts";
import { RetVal, UIO_READ, UIO_WRITE, Uio } from "../../kernel-components/kern/uio.ts";
import { EWAIT } from "../../kernel-components/kern/wakeup.ts";
import { SockaddrOut, Sockopt } from "../../kernel-components/socket/socketvar.ts";
import {
  Msghdr,
  sys_recvfrom,
  sys_recvmsg,
  sys_sendmsg,
  sys_sendto,
} from "../../kernel-components/socket/uipc_syscalls_msg.ts";
import {
  sys_accept,
  sys_bind,
  sys_connect,
  sys_getpeername,
  sys_getsockname,
  sys_getsockopt,
  sys_linger,
  sys_listen,
  sys_setsockopt,
  sys_shutdown,
  sys_socket,
  sys_socketpair,
} from "../../kernel-components/socket/uipc_syscalls.ts";
import type { SpArg } from "../sp/sp_args.ts";
import * as n from "../sp/sp_sysnum.ts";

/** struct pollfd: fd i32, events i16, revents i16. */
export const POLLFD_LEN = 8;
/** What fstat gives: mode, size, blksize, uid, gid, as u32 each. */
export const SP_STAT_LEN = 20;
/** Longest path of open. */
const PATH_MAX = 1024;

/** One call that is being carried out, as the functions below see it. */
export class SpCallState {
  /** Results. */
  readonly rv: RetVal = new RetVal();
  /** Progress of a call that moves data. */
  uio: Uio | null = null;
  /** Files of a poll. */
  fds: Pollfd[] | null = null;
  /** Message of sendmsg and recvmsg. */
  msg: Msghdr | null = null;
  /** The call asks for the end of the kernel; done when its answer has been given. */
  halt = false;
}

/** How a system call is served. */
export interface SpSyscall {
  /** Its name. */
  readonly name: string;
  /** Its arguments, a letter each (sp_args_decode). */
  readonly spec: string;
  /** Runs it: 0, an errno or EWAIT. */
  readonly run: (l: Lwp, a: readonly SpArg[], st: SpCallState) => number;
  /** Whether the first argument is a descriptor that a waiting call depends on. */
  readonly waits?: boolean;
}

function arg(a: readonly SpArg[], i: number): SpArg {
  return a[i] as SpArg;
}
function int(a: readonly SpArg[], i: number): number {
  return arg(a, i).int;
}
function bytes(a: readonly SpArg[], i: number): Uint8Array | null {
  const it = arg(a, i);
  return it.null ? null : it.buf;
}
function uio_of(st: SpCallState, rw: number, it: SpArg): Uio {
  st.uio ??= new Uio(rw, [it.buf]);
  return st.uio;
}
/** Puts an address into an argument; a short one gets the start, as in NetBSD. */
function put_name(to: SpArg, nam: SockaddrOut): void {
  if (to.null) return;
  to.len = Math.min(nam.len, to.buf.length);
  to.buf.set(nam.sa.subarray(0, to.len));
}

function run_read(l: Lwp, a: readonly SpArg[], st: SpCallState): number {
  const error = sys_read(l, int(a, 0), uio_of(st, UIO_READ, arg(a, 1)), st.rv);
  arg(a, 1).len = error === 0 ? st.rv.val : 0;
  return error;
}

function run_recvfrom(l: Lwp, a: readonly SpArg[], st: SpCallState): number {
  const nam = new SockaddrOut();
  const error = sys_recvfrom(l, int(a, 0), uio_of(st, UIO_READ, arg(a, 1)), int(a, 2), nam, st.rv);
  if (error !== 0) return error;
  arg(a, 1).len = st.rv.val;
  put_name(arg(a, 3), nam);
  return 0;
}

function run_sendmsg(l: Lwp, a: readonly SpArg[], st: SpCallState): number {
  const msg = (st.msg ??= new Msghdr());
  msg.msg_name = bytes(a, 2);
  msg.msg_control = bytes(a, 3);
  msg.msg_controllen = msg.msg_control?.length ?? 0;
  return sys_sendmsg(l, int(a, 0), uio_of(st, UIO_WRITE, arg(a, 1)), msg, int(a, 4), st.rv);
}

function run_recvmsg(l: Lwp, a: readonly SpArg[], st: SpCallState): number {
  const msg = new Msghdr();
  const nam = new SockaddrOut();
  msg.msg_nameout = nam;
  msg.msg_control = bytes(a, 3);
  msg.msg_controllen = msg.msg_control?.length ?? 0;
  const error = sys_recvmsg(l, int(a, 0), uio_of(st, UIO_READ, arg(a, 1)), msg, int(a, 4), st.rv);
  if (error !== 0) return error;
  arg(a, 1).len = st.rv.val;
  put_name(arg(a, 2), nam);
  arg(a, 3).len = arg(a, 3).null ? 0 : msg.msg_controllen;
  st.rv.val1 = msg.msg_flags;
  return 0;
}

function run_accept(l: Lwp, a: readonly SpArg[], st: SpCallState): number {
  const nam = new SockaddrOut();
  const error = sys_accept(l, int(a, 0), nam, int(a, 2), st.rv);
  if (error === 0) put_name(arg(a, 1), nam);
  return error;
}

function run_name(call: typeof sys_getsockname): SpSyscall["run"] {
  return (l, a) => {
    const nam = new SockaddrOut();
    const error = call(l, int(a, 0), nam);
    if (error === 0) put_name(arg(a, 1), nam);
    return error;
  };
}

function run_poll(l: Lwp, a: readonly SpArg[], st: SpCallState): number {
  const it = arg(a, 0);
  if (it.buf.length % POLLFD_LEN !== 0) return EINVAL;
  const dv = new DataView(it.buf.buffer, it.buf.byteOffset, it.buf.length);
  if (st.fds === null) {
    st.fds = [];
    for (let at = 0; at < it.buf.length; at += POLLFD_LEN)
      st.fds.push(new Pollfd(dv.getInt32(at, true), dv.getInt16(at + 4, true)));
  }
  const error = sys_poll(l, st.fds, int(a, 1), st.rv);
  st.fds.forEach((f, i) => dv.setInt16(i * POLLFD_LEN + 6, f.revents, true));
  it.len = it.buf.length;
  return error;
}

function run_sockopt(l: Lwp, a: readonly SpArg[]): number {
  const value = arg(a, 3);
  const sopt = new Sockopt(value.buf, value.buf.length);
  sopt.sopt_level = int(a, 1);
  sopt.sopt_name = int(a, 2);
  if (value.tag === 3) return sys_setsockopt(l, int(a, 0), sopt);
  const error = sys_getsockopt(l, int(a, 0), sopt);
  value.len = error === 0 ? Math.min(sopt.sopt_size, value.buf.length) : 0;
  return error;
}

function run_ioctl(l: Lwp, a: readonly SpArg[], st: SpCallState): number {
  const data = arg(a, 2);
  const error = sys_ioctl(l, int(a, 0), int(a, 1), data.buf, st.rv);
  data.len = data.buf.length;
  return error;
}

function run_sysctl(l: Lwp, a: readonly SpArg[], st: SpCallState): number {
  const name = arg(a, 0).buf;
  if (name.length % 4 !== 0) return EINVAL;
  const dv = new DataView(name.buffer, name.byteOffset, name.length);
  const mib: number[] = [];
  for (let at = 0; at < name.length; at += 4) mib.push(dv.getInt32(at, true));
  const old = arg(a, 1);
  const len = new SysctlLen(old.buf.length);
  const error = l.l_proc.p_kernel.sysctl.sysctl(mib, old.null ? null : old.buf, len, bytes(a, 2), l);
  st.rv.val = len.len;
  old.len = old.null ? 0 : Math.min(len.len, old.buf.length);
  return error;
}

function run_open(l: Lwp, a: readonly SpArg[], st: SpCallState): number {
  const path = arg(a, 0).buf;
  if (path.length > PATH_MAX) return ENAMETOOLONG;
  return sys_open(l, new TextDecoder().decode(path), int(a, 1), st.rv);
}

function run_fstat(l: Lwp, a: readonly SpArg[]): number {
  const out = arg(a, 1);
  if (out.buf.length < SP_STAT_LEN) return EINVAL;
  const st = new Stat();
  const error = sys_fstat(l, int(a, 0), st);
  const dv = new DataView(out.buf.buffer, out.buf.byteOffset);
  [st.st_mode, st.st_size, st.st_blksize, st.st_uid, st.st_gid].forEach((v, i) => dv.setUint32(i * 4, v, true));
  out.len = SP_STAT_LEN;
  return error;
}

function run_reboot(l: Lwp, a: readonly SpArg[], st: SpCallState): number {
  if (!is_super(l.l_proc.p_cred)) return EPERM;
  if ((int(a, 0) & n.RB_HALT) === 0) return EOPNOTSUPP;
  st.halt = true;
  return 0;
}

function run_close(l: Lwp, a: readonly SpArg[]): number {
  return sys_linger(l, int(a, 0)) === EWAIT ? EWAIT : sys_close(l, int(a, 0));
}

const TABLE: readonly (readonly [number, SpSyscall])[] = [
  [n.SYS_read, { name: "read", spec: "io", waits: true, run: run_read }],
  [
    n.SYS_write,
    {
      name: "write",
      spec: "ib",
      waits: true,
      run: (l, a, st) => sys_write(l, int(a, 0), uio_of(st, UIO_WRITE, arg(a, 1)), st.rv),
    },
  ],
  [n.SYS_open, { name: "open", spec: "bi", run: run_open }],
  [n.SYS_close, { name: "close", spec: "i", run: run_close }],
  [n.SYS_getpid, { name: "getpid", spec: "", run: (l, _a, st) => sys_getpid(l, st.rv) }],
  [n.SYS_geteuid, { name: "geteuid", spec: "", run: (l, _a, st) => sys_geteuid(l, st.rv) }],
  [n.SYS_getegid, { name: "getegid", spec: "", run: (l, _a, st) => sys_getegid(l, st.rv) }],
  [n.SYS_recvmsg, { name: "recvmsg", spec: "ioOOi", waits: true, run: run_recvmsg }],
  [n.SYS_sendmsg, { name: "sendmsg", spec: "ibBBi", waits: true, run: run_sendmsg }],
  [n.SYS_recvfrom, { name: "recvfrom", spec: "ioiO", waits: true, run: run_recvfrom }],
  [
    n.SYS_sendto,
    {
      name: "sendto",
      spec: "ibiB",
      waits: true,
      run: (l, a, st) => sys_sendto(l, int(a, 0), uio_of(st, UIO_WRITE, arg(a, 1)), int(a, 2), bytes(a, 3), st.rv),
    },
  ],
  [n.SYS_getpeername, { name: "getpeername", spec: "io", run: run_name(sys_getpeername) }],
  [n.SYS_getsockname, { name: "getsockname", spec: "io", run: run_name(sys_getsockname) }],
  [n.SYS_dup, { name: "dup", spec: "i", run: (l, a, st) => sys_dup(l, int(a, 0), st.rv) }],
  [n.SYS_dup2, { name: "dup2", spec: "ii", run: (l, a, st) => sys_dup2(l, int(a, 0), int(a, 1), st.rv) }],
  [n.SYS_dup3, { name: "dup3", spec: "iii", run: (l, a, st) => sys_dup3(l, int(a, 0), int(a, 1), int(a, 2), st.rv) }],
  [
    n.SYS_fcntl,
    { name: "fcntl", spec: "iii", run: (l, a, st) => sys_fcntl(l, int(a, 0), int(a, 1), int(a, 2), st.rv) },
  ],
  [n.SYS_ioctl, { name: "ioctl", spec: "iix", run: run_ioctl }],
  [
    n.SYS_connect,
    { name: "connect", spec: "ib", waits: true, run: (l, a) => sys_connect(l, int(a, 0), arg(a, 1).buf) },
  ],
  [n.SYS_bind, { name: "bind", spec: "ib", run: (l, a) => sys_bind(l, int(a, 0), arg(a, 1).buf) }],
  [n.SYS_listen, { name: "listen", spec: "ii", run: (l, a) => sys_listen(l, int(a, 0), int(a, 1)) }],
  [n.SYS_setsockopt, { name: "setsockopt", spec: "iiib", run: run_sockopt }],
  [n.SYS_getsockopt, { name: "getsockopt", spec: "iiio", run: run_sockopt }],
  [n.SYS_shutdown, { name: "shutdown", spec: "ii", run: (l, a) => sys_shutdown(l, int(a, 0), int(a, 1)) }],
  [
    n.SYS_socket,
    { name: "socket", spec: "iii", run: (l, a, st) => sys_socket(l, int(a, 0), int(a, 1), int(a, 2), st.rv) },
  ],
  [
    n.SYS_socketpair,
    { name: "socketpair", spec: "iii", run: (l, a, st) => sys_socketpair(l, int(a, 0), int(a, 1), int(a, 2), st.rv) },
  ],
  [n.SYS_sysctl, { name: "sysctl", spec: "bOB", run: run_sysctl }],
  [n.SYS_poll, { name: "poll", spec: "xi", run: run_poll }],
  [n.SYS_fstat, { name: "fstat", spec: "io", run: run_fstat }],
  [n.SYS_paccept, { name: "accept", spec: "iOi", waits: true, run: run_accept }],
  [n.SYS_reboot, { name: "reboot", spec: "i", run: run_reboot }],
];

/** The system calls by number. */
export function sp_syscall_table(): Map<number, SpSyscall> {
  return new Map(TABLE);
}
