// System calls on any file: read, write, ioctl, open, fstat, and the identity of the caller (sys_generic).
import { EBADF, EFAULT, EINTR, EINVAL, ENOENT, EWOULDBLOCK } from "../../hypercall/api/errno.ts";
import { fd_alloc, fd_getfile } from "./descrip.ts";
import { FileOut } from "./devsw.ts";
import { FASYNC, FNONBLOCK, FREAD, FWRITE, O_CLOEXEC } from "./fcntl.ts";
import { FIOASYNC, FIOCLEX, FIONBIO, FIONCLEX, IOC_INOUT, IOCPARM_LEN } from "./ioccom.ts";
import type { File, Lwp, Stat } from "./proc.ts";
import type { RetVal, Uio } from "./uio.ts";
import { EWAIT } from "./wakeup.ts";

/** Most buffers of readv and writev. */
export const IOV_MAX = 1024;

/** read(2). rv.val: bytes read, 0 at the end. May return EWAIT. hot */
export function sys_read(l: Lwp, fd: number, uio: Uio, rv: RetVal): number {
  const fp = fd_getfile(l.l_proc, fd);
  if (fp === null || (fp.f_flag & FREAD) === 0) return EBADF;
  return moved(fp.f_ops.fo_read(l, fp, uio, rv), uio, rv);
}

/** write(2). rv.val: bytes written. May return EWAIT with part of `uio` consumed. hot */
export function sys_write(l: Lwp, fd: number, uio: Uio, rv: RetVal): number {
  const fp = fd_getfile(l.l_proc, fd);
  if (fp === null || (fp.f_flag & FWRITE) === 0) return EBADF;
  return moved(fp.f_ops.fo_write(l, fp, uio, rv), uio, rv);
}

/** readv(2). */
export function sys_readv(l: Lwp, fd: number, uio: Uio, rv: RetVal): number {
  return uio.uio_iov.length === 0 || uio.uio_iov.length > IOV_MAX ? EINVAL : sys_read(l, fd, uio, rv);
}

/** writev(2). */
export function sys_writev(l: Lwp, fd: number, uio: Uio, rv: RetVal): number {
  return uio.uio_iov.length === 0 || uio.uio_iov.length > IOV_MAX ? EINVAL : sys_write(l, fd, uio, rv);
}

/** What was moved before an interruption counts as success. */
function moved(error: number, uio: Uio, rv: RetVal): number {
  if (error === EWAIT) return EWAIT;
  const n = uio.uio_total - uio.uio_resid;
  if (error !== 0 && !(n > 0 && (error === EWOULDBLOCK || error === EINTR))) return error;
  rv.val = n;
  return 0;
}

/** ioctl(2). `data` has at least the bytes that `cmd` says, and the answer is written to it. Behind them lie the buffers that pointers in it mean (net/if_abi.ts). */
export function sys_ioctl(l: Lwp, fd: number, cmd: number, data: Uint8Array, rv: RetVal): number {
  const fp = fd_getfile(l.l_proc, fd);
  if (fp === null || (fp.f_flag & (FREAD | FWRITE)) === 0) return EBADF;
  const com = cmd | 0;
  const len = (com & IOC_INOUT) === 0 ? 0 : IOCPARM_LEN(com);
  if (data.length < len) return EFAULT;
  rv.val = 0;
  switch (com) {
    case FIOCLEX:
    case FIONCLEX:
      l.l_proc.p_fd.fd_exclose[fd] = com === FIOCLEX;
      return 0;
    case FIONBIO:
      return set_flag(l, fp, com, data, FNONBLOCK);
    case FIOASYNC:
      return set_flag(l, fp, com, data, FASYNC);
    default:
      return fp.f_ops.fo_ioctl(l, fp, com, data);
  }
}

function set_flag(l: Lwp, fp: File, cmd: number, data: Uint8Array, flag: number): number {
  const on = (data[0] | data[1] | data[2] | data[3]) !== 0;
  const before = fp.f_flag;
  fp.f_flag = on ? before | flag : before & ~flag;
  const error = fp.f_ops.fo_ioctl(l, fp, cmd, data);
  if (error !== 0) fp.f_flag = before;
  return error;
}

/** open(2) of a device node. rv.val: the descriptor. */
export function sys_open(l: Lwp, path: string, flags: number, rv: RetVal): number {
  const p = l.l_proc;
  const open = p.p_kernel.devsw.find(path);
  if (open === null) return ENOENT;
  if ((flags & 3) === 3) return EINVAL;
  const out = new FileOut();
  const error = open(l, path, flags, out);
  if (error !== 0) return error;
  if (out.fp === null) return ENOENT;
  const fd = fd_alloc(p, out.fp, 0, (flags & O_CLOEXEC) !== 0);
  if (fd < 0) {
    out.fp.f_ops.fo_close(l, out.fp);
    return -fd;
  }
  rv.val = fd;
  return 0;
}

/** fstat(2). */
export function sys_fstat(l: Lwp, fd: number, st: Stat): number {
  const fp = fd_getfile(l.l_proc, fd);
  return fp === null ? EBADF : fp.f_ops.fo_stat(l, fp, st);
}

/** getpid(2). rv.val1: the parent's. hot */
export function sys_getpid(l: Lwp, rv: RetVal): number {
  rv.val = l.l_proc.p_pid;
  rv.val1 = l.l_proc.p_pptr?.p_pid ?? 0;
  return 0;
}

/** geteuid(2). */
export function sys_geteuid(l: Lwp, rv: RetVal): number {
  rv.val = l.l_proc.p_cred.cr_uid;
  return 0;
}

/** getegid(2). */
export function sys_getegid(l: Lwp, rv: RetVal): number {
  rv.val = l.l_proc.p_cred.cr_gid;
  return 0;
}
