/**
 * rump_sys_*: the plain face of the system calls on descriptors of any kind. Conventions as in rump_sys.ts.
 */
import { EAGAIN } from "../hypercall/api/errno.ts";
import type { Stat } from "../kernel-components/kern/proc.ts";
import { sys_close, sys_dup, sys_dup2, sys_fcntl } from "../kernel-components/kern/sys_descrip.ts";
import { sys_fstat, sys_getpid, sys_ioctl, sys_open } from "../kernel-components/kern/sys_generic.ts";
import { sys_poll } from "../kernel-components/kern/sys_poll.ts";
import type { Pollfd } from "../kernel-components/kern/sys_poll.ts";
import type { SysctlLen } from "../kernel-components/kern/sysctl_bytes.ts";
import { rump_ret } from "./rump_sys.ts";
import type { RumpKernel } from "./rump_kernel.ts";

/** open(2) of a device node: a descriptor. */
export function rump_sys_open(rk: RumpKernel, path: string, flags: number): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  return rump_ret(rk, cx, f, sys_open(f.l, path, flags, f.rv), EAGAIN);
}

/** close(2): 0. A lingering connection is finished in the background. */
export function rump_sys_close(rk: RumpKernel, fd: number): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  const error = sys_close(f.l, fd);
  if (error === 0 && cx.nwaiting > 0) cx.closed(fd);
  return rump_ret(rk, cx, f, error, EAGAIN);
}

/** dup(2): a descriptor. */
export function rump_sys_dup(rk: RumpKernel, fd: number): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  return rump_ret(rk, cx, f, sys_dup(f.l, fd, f.rv), EAGAIN);
}

/** dup2(2): `to`. */
export function rump_sys_dup2(rk: RumpKernel, from: number, to: number): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  const error = sys_dup2(f.l, from, to, f.rv);
  if (error === 0 && from !== to && cx.nwaiting > 0) cx.closed(to);
  return rump_ret(rk, cx, f, error, EAGAIN);
}

/** fcntl(2). */
export function rump_sys_fcntl(rk: RumpKernel, fd: number, cmd: number, arg: number): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  return rump_ret(rk, cx, f, sys_fcntl(f.l, fd, cmd, arg, f.rv), EAGAIN);
}

/** ioctl(2): usually 0. `data` has at least the bytes that the command says. */
export function rump_sys_ioctl(rk: RumpKernel, fd: number, cmd: number, data: Uint8Array): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  return rump_ret(rk, cx, f, sys_ioctl(f.l, fd, cmd, data, f.rv), EAGAIN);
}

/** fstat(2): 0. */
export function rump_sys_fstat(rk: RumpKernel, fd: number, st: Stat): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  return rump_ret(rk, cx, f, sys_fstat(f.l, fd, st), EAGAIN);
}

/** poll(2) without waiting: how many of the files are ready; their revents are filled in. hot */
export function rump_sys_poll(rk: RumpKernel, fds: readonly Pollfd[]): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  return rump_ret(rk, cx, f, sys_poll(f.l, fds, 0, f.rv), EAGAIN);
}

/** getpid(2). hot */
export function rump_sys_getpid(rk: RumpKernel): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  return rump_ret(rk, cx, f, sys_getpid(f.l, f.rv), EAGAIN);
}

/**
 * __sysctl(2): 0; the old value is put into `oldp` (null: not wanted), its length into oldlenp, and the new one taken from `newp`
 * (null: none).
 */
export function rump_sys___sysctl(
  rk: RumpKernel,
  mib: readonly number[],
  oldp: Uint8Array | null,
  oldlenp: SysctlLen,
  newp: Uint8Array | null,
): number {
  const cx = rk.cx;
  const f = cx.get();
  cx.k.enter();
  return rump_ret(rk, cx, f, cx.k.sysctl.sysctl(mib, oldp, oldlenp, newp, f.l), EAGAIN);
}
