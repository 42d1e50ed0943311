// Descriptor tables: allocation with limits, reference counts, dup and close (kern_descrip).
import { EBADF, EINVAL, EMFILE } from "../../hypercall/api/errno.ts";
import { NOFILE_MAX } from "./proc.ts";
import type { File, Filedesc, Lwp, Proc } from "./proc.ts";

/** The open file of descriptor `fd`, or null: EBADF. hot */
export function fd_getfile(p: Proc, fd: number): File | null {
  const files = p.p_fd.fd_ofiles;
  if (fd < 0 || fd >= files.length || fd !== Math.floor(fd)) return null;
  return files[fd];
}

/** Put `fp` at the lowest free descriptor not below `min`; the descriptor, or -EMFILE. Takes a reference. */
export function fd_alloc(p: Proc, fp: File, min: number, cloexec: boolean): number {
  const t = p.p_fd;
  let fd = Math.max(min, t.fd_freefile);
  while (fd < t.fd_ofiles.length && t.fd_ofiles[fd] !== null) fd++;
  if (fd >= t.fd_limit) return -EMFILE;
  if (min <= t.fd_freefile) t.fd_freefile = fd + 1;
  fd_set(t, fd, fp, cloexec);
  return fd;
}

/** Whether `n` more descriptors can be had. */
export function fd_room(p: Proc, n: number): boolean {
  return p.p_fd.fd_nused + n <= p.p_fd.fd_limit;
}

/** Take the descriptor out of the table without closing the file; the caller has its reference. Null: not open. */
export function fd_remove(p: Proc, fd: number): File | null {
  const fp = fd_getfile(p, fd);
  if (fp === null) return null;
  const t = p.p_fd;
  t.fd_ofiles[fd] = null;
  t.fd_exclose[fd] = false;
  t.fd_nused--;
  if (fd < t.fd_freefile) t.fd_freefile = fd;
  while (t.fd_ofiles.length > 0 && t.fd_ofiles[t.fd_ofiles.length - 1] === null) {
    t.fd_ofiles.pop();
    t.fd_exclose.pop();
  }
  return fp;
}

/** Take a reference. */
export function closef_hold(fp: File): void {
  fp.f_count++;
}

/** Give a reference up; with the last one the file is closed. */
export function closef(l: Lwp, fp: File): number {
  if (fp.f_count <= 0) l.l_proc.p_kernel.panic(`closef: ${fp.f_ops.fo_name} closed twice`);
  if (--fp.f_count > 0) return 0;
  return fp.f_ops.fo_close(l, fp);
}

/** Close descriptor `fd`. */
export function fd_close(l: Lwp, fd: number): number {
  const fp = fd_remove(l.l_proc, fd);
  return fp === null ? EBADF : closef(l, fp);
}

/** Let descriptor `to` refer to the file of `from`, closing what it referred to. */
export function fd_dup2(l: Lwp, from: number, to: number, cloexec: boolean): number {
  const p = l.l_proc;
  const fp = fd_getfile(p, from);
  if (fp === null || to < 0 || to >= p.p_fd.fd_limit || to !== Math.floor(to)) return EBADF;
  if (from === to) return 0;
  fp.f_count++;
  const old = fd_remove(p, to);
  fp.f_count--;
  fd_set(p.p_fd, to, fp, cloexec);
  if (old !== null) closef(l, old);
  return 0;
}

/** Close everything of a process that ends, running as `l`. Returns how many descriptors were open. */
export function fd_closeall(l: Lwp, p: Proc): number {
  const t = p.p_fd;
  let n = 0;
  for (let fd = t.fd_ofiles.length - 1; fd >= 0; fd--) {
    if (fd >= t.fd_ofiles.length || t.fd_ofiles[fd] === null) continue;
    const fp = fd_remove(p, fd);
    if (fp !== null) closef(l, fp);
    n++;
  }
  return n;
}

/** Close the descriptors marked close-on-exec. */
export function fd_closeexec(l: Lwp): void {
  const t = l.l_proc.p_fd;
  for (let fd = t.fd_ofiles.length - 1; fd >= 0; fd--) if (t.fd_exclose[fd]) fd_close(l, fd);
}

/** Copy the table of `from` into the empty one of `to`, as fork does. */
export function fd_copy(from: Proc, to: Proc): void {
  const t = from.p_fd;
  to.p_fd.fd_limit = t.fd_limit;
  for (let fd = 0; fd < t.fd_ofiles.length; fd++) {
    const fp = t.fd_ofiles[fd];
    if (fp !== null) fd_set(to.p_fd, fd, fp, t.fd_exclose[fd]);
  }
}

/** Set RLIMIT_NOFILE. Descriptors above it stay open. */
export function fd_setlimit(p: Proc, limit: number): number {
  if (!Number.isInteger(limit) || limit < 0 || limit > NOFILE_MAX) return EINVAL;
  p.p_fd.fd_limit = limit;
  return 0;
}

function fd_set(t: Filedesc, fd: number, fp: File, cloexec: boolean): void {
  while (t.fd_ofiles.length <= fd) {
    t.fd_ofiles.push(null);
    t.fd_exclose.push(false);
  }
  t.fd_ofiles[fd] = fp;
  t.fd_exclose[fd] = cloexec;
  t.fd_nused++;
  fp.f_count++;
}
