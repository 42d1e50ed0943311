// poll(2): wait until one of several files is ready.
import { EINVAL, EWOULDBLOCK } from "../../hypercall/api/errno.ts";
import { fd_getfile } from "./descrip.ts";
import type { Lwp } from "./proc.ts";
import { lwp_wait, POLLERR, POLLHUP, POLLNVAL, sel_cancel } from "./select.ts";
import type { RetVal } from "./uio.ts";

/** Timeout of poll: wait for ever. */
export const INFTIM: number = -1;

/** One file of a poll. */
export class Pollfd {
  /** Descriptor; a negative one is ignored. */
  fd: number;
  /** POLL* bits asked for. */
  events: number;
  /** POLL* bits that hold. */
  revents = 0;

  constructor(fd: number, events: number) {
    this.fd = fd;
    this.events = events;
  }
}

/**
 * poll(2). rv.val: how many files have revents; 0 after `timeout_ms` (INFTIM: never, 0: at once). Returns EWAIT when none has:
 * the caller waits and calls again with the same arguments. hot
 */
export function sys_poll(l: Lwp, fds: readonly Pollfd[], timeout_ms: number, rv: RetVal): number {
  const p = l.l_proc;
  if (fds.length > p.p_fd.fd_limit + 1000) return EINVAL;
  if (timeout_ms < 0 && timeout_ms !== INFTIM) return EINVAL;
  sel_cancel(l);
  let n = 0;
  for (let i = 0; i < fds.length; i++) {
    const f = fds[i];
    f.revents = 0;
    if (f.fd < 0) continue;
    const fp = fd_getfile(p, f.fd);
    f.revents = fp === null ? POLLNVAL : fp.f_ops.fo_poll(l, fp, f.events | POLLERR | POLLHUP);
    if (f.revents !== 0) n++;
  }
  rv.val = n;
  if (n > 0 || timeout_ms === 0) {
    sel_cancel(l);
    return 0;
  }
  const error = lwp_wait(p.p_kernel, l, timeout_ms === INFTIM ? 0 : timeout_ms * 1e6);
  if (error !== EWOULDBLOCK) return error;
  sel_cancel(l);
  return 0;
}
