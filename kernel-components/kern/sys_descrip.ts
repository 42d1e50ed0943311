// System calls on descriptors: close, dup, dup2, dup3, fcntl (kern_descrip).
import { EBADF, EINVAL } from "../../hypercall/api/errno.ts";
import { fd_alloc, fd_close, fd_dup2, fd_getfile } from "./descrip.ts";
import {
  F_CLOSEM,
  F_DUPFD,
  F_DUPFD_CLOEXEC,
  F_GETFD,
  F_GETFL,
  F_GETNOSIGPIPE,
  F_MAXFD,
  F_SETFD,
  F_SETFL,
  F_SETNOSIGPIPE,
  FCNTLFLAGS,
  FD_CLOEXEC,
  FFLAGS,
  FNONBLOCK,
  FNOSIGPIPE,
  O_ACCMODE,
  O_CLOEXEC,
  O_NONBLOCK,
  O_NOSIGPIPE,
  OFLAGS,
} from "./fcntl.ts";
import type { File, Lwp } from "./proc.ts";
import type { RetVal } from "./uio.ts";

/** close(2). */
export function sys_close(l: Lwp, fd: number): number {
  return fd_close(l, fd);
}

/** dup(2). rv.val: the new descriptor. */
export function sys_dup(l: Lwp, fd: number, rv: RetVal): number {
  const fp = fd_getfile(l.l_proc, fd);
  return fp === null ? EBADF : duplicate(l, fp, 0, false, rv);
}

/** dup2(2). rv.val: `to`. */
export function sys_dup2(l: Lwp, from: number, to: number, rv: RetVal): number {
  const error = fd_dup2(l, from, to, false);
  if (error === 0) rv.val = to;
  return error;
}

/** dup3(2). `flags`: O_CLOEXEC, O_NONBLOCK, O_NOSIGPIPE. NetBSD lets `from` and `to` be the same. */
export function sys_dup3(l: Lwp, from: number, to: number, flags: number, rv: RetVal): number {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK | O_NOSIGPIPE)) !== 0) return EINVAL;
  const error = fd_dup2(l, from, to, (flags & O_CLOEXEC) !== 0);
  if (error !== 0) return error;
  if (from === to) l.l_proc.p_fd.fd_exclose[to] = (flags & O_CLOEXEC) !== 0;
  const fp = fd_getfile(l.l_proc, to);
  if (fp !== null)
    fp.f_flag |= ((flags & O_NONBLOCK) !== 0 ? FNONBLOCK : 0) | ((flags & O_NOSIGPIPE) !== 0 ? FNOSIGPIPE : 0);
  rv.val = to;
  return 0;
}

/** fcntl(2). Commands that are not of the descriptor go to the file. */
export function sys_fcntl(l: Lwp, fd: number, cmd: number, arg: number, rv: RetVal): number {
  if (cmd === F_CLOSEM) return close_from(l, fd);
  if (cmd === F_MAXFD) {
    rv.val = l.l_proc.p_fd.fd_ofiles.length - 1;
    return 0;
  }
  const fp = fd_getfile(l.l_proc, fd);
  if (fp === null) return EBADF;
  const exclose = l.l_proc.p_fd.fd_exclose;
  rv.val = 0;
  switch (cmd) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
      return duplicate(l, fp, arg, cmd === F_DUPFD_CLOEXEC, rv);
    case F_GETFD:
      rv.val = exclose[fd] ? FD_CLOEXEC : 0;
      return 0;
    case F_SETFD:
      exclose[fd] = (arg & FD_CLOEXEC) !== 0;
      return 0;
    case F_GETFL:
      rv.val = OFLAGS(fp.f_flag);
      return 0;
    case F_SETFL:
      return set_file_flags(l, fp, arg);
    case F_GETNOSIGPIPE:
      rv.val = (fp.f_flag & FNOSIGPIPE) !== 0 ? 1 : 0;
      return 0;
    case F_SETNOSIGPIPE:
      fp.f_flag = arg !== 0 ? fp.f_flag | FNOSIGPIPE : fp.f_flag & ~FNOSIGPIPE;
      return 0;
    default:
      return fp.f_ops.fo_fcntl(l, fp, cmd, arg);
  }
}

function duplicate(l: Lwp, fp: File, min: number, cloexec: boolean, rv: RetVal): number {
  if (!Number.isInteger(min) || min < 0 || min >= l.l_proc.p_fd.fd_limit) return EINVAL;
  const to = fd_alloc(l.l_proc, fp, min, cloexec);
  if (to < 0) return -to;
  rv.val = to;
  return 0;
}

function set_file_flags(l: Lwp, fp: File, arg: number): number {
  const before = fp.f_flag;
  fp.f_flag = (before & ~FCNTLFLAGS) | (FFLAGS(arg & ~O_ACCMODE) & FCNTLFLAGS);
  const error = fp.f_ops.fo_fcntl(l, fp, F_SETFL, fp.f_flag);
  if (error !== 0) fp.f_flag = before;
  return error;
}

function close_from(l: Lwp, fd: number): number {
  if (fd < 0) return EBADF;
  for (let i = l.l_proc.p_fd.fd_ofiles.length - 1; i >= fd; i--) fd_close(l, i);
  return 0;
}
