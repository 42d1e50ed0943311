// Waiting for files (selrecord(9)): who waits for what, and the wake-up.
import type { Kernel } from "./kernel.ts";
import type { Lwp } from "./proc.ts";
import { EWAIT } from "./wakeup.ts";
import { EWOULDBLOCK } from "../../hypercall/api/errno.ts";

/** There is data to read. */
export const POLLIN = 0x0001;
/** There is urgent data. */
export const POLLPRI = 0x0002;
/** Writing does not block. */
export const POLLOUT = 0x0004;
/** An error is pending. Reported whether asked for or not. */
export const POLLERR = 0x0008;
/** The peer hung up. Reported whether asked for or not. */
export const POLLHUP = 0x0010;
/** The descriptor is not open. Reported whether asked for or not. */
export const POLLNVAL = 0x0020;
/** There is normal data to read. */
export const POLLRDNORM = 0x0040;
/** As POLLOUT. */
export const POLLWRNORM: number = POLLOUT;
/** There is out-of-band data to read. */
export const POLLRDBAND = 0x0080;
/** Out-of-band data may be written. */
export const POLLWRBAND = 0x0100;

/** The lwps that wait for one thing, such as data in a socket buffer. */
export class Selinfo {
  /** The lwps. */
  readonly sel_lwps: Lwp[] = [];
  /** Called at each selnotify besides the lwps, for watchers that stay (kqueue's knotes, rumpsys's pollers). */
  sel_watch: ((events: number) => void) | null = null;
}

/** Note that `l` waits for `sip`. Recording twice counts once. hot */
export function selrecord(l: Lwp, sip: Selinfo): void {
  const lwps = sip.sel_lwps;
  for (let i = 0; i < lwps.length; i++) if (lwps[i] === l) return;
  lwps.push(l);
  l.l_sels.push(sip);
}

/** Something happened: wake all who wait, who came first first, when the kernel is left. They are no longer recorded. hot */
export function selnotify(sip: Selinfo, events: number): void {
  const lwps = sip.sel_lwps;
  for (let i = 0; i < lwps.length; i++) {
    const l = lwps[i];
    forget(l, sip);
    l.l_proc.p_kernel.wakeup(l);
  }
  lwps.length = 0;
  if (sip.sel_watch !== null) sip.sel_watch(events);
}

/** Remove `l` from everything it has recorded itself with. hot */
export function sel_cancel(l: Lwp): void {
  const sels = l.l_sels;
  while (sels.length > 0) {
    const sip = sels.pop() as Selinfo;
    const i = sip.sel_lwps.indexOf(l);
    if (i !== -1) sip.sel_lwps.splice(i, 1);
  }
}

/** The thing goes away: nobody can wait for it any more; those who do are woken. */
export function seldestroy(sip: Selinfo): void {
  selnotify(sip, 0);
  sip.sel_watch = null;
}

/**
 * What a function returns when it must wait, after selrecord: EWAIT with l_timo_ns set, or EWOULDBLOCK when `timo_ns` (0: for ever)
 * have passed since the system call began.
 */
export function lwp_wait(k: Kernel, l: Lwp, timo_ns: number): number {
  if (l.l_timedout) return EWOULDBLOCK;
  if (timo_ns <= 0) {
    l.l_timo_ns = 0;
    return EWAIT;
  }
  const now = k.now_ns;
  if (l.l_deadline_ns === 0) l.l_deadline_ns = now + timo_ns;
  const left = l.l_deadline_ns - now;
  if (left <= 0) return EWOULDBLOCK;
  l.l_timo_ns = left;
  return EWAIT;
}

/** A system call has ended with something other than EWAIT: forget its waiting. Its caller calls this. hot */
export function lwp_wait_done(l: Lwp): void {
  if (l.l_sels.length > 0) sel_cancel(l);
  l.l_timedout = false;
  l.l_timo_ns = 0;
  l.l_deadline_ns = 0;
  l.l_wakeup = null;
  l.l_syscall = null;
}

function forget(l: Lwp, sip: Selinfo): void {
  const sels = l.l_sels;
  const i = sels.indexOf(sip);
  if (i === -1) return;
  const last = sels.pop() as Selinfo;
  if (i < sels.length) sels[i] = last;
}
