/**
 * Readiness of a socket. As NetBSD's, a socket never reports POLLHUP or POLLERR: end of file and a pending error make it readable
 * (and writable), and POLLRDHUP, if asked for, says that the peer finished. Source: NetBSD poll(2), BUGS.
 */
import type { Lwp } from "../kern/proc.ts";
import { POLLIN, POLLOUT, POLLPRI, POLLRDBAND, POLLRDNORM, POLLWRBAND, selrecord } from "../kern/select.ts";
import { PR_CONNREQUIRED } from "./protosw.ts";
import { sbspace } from "./sockbuf.ts";
import { SS_CANTRCVMORE, SS_CANTSENDMORE, SS_ISCONNECTED, SS_RCVATMARK } from "./socketvar.ts";
import type { Socket } from "./socketvar.ts";

/** The peer will send nothing more. Only reported if asked for. */
export const POLLRDHUP = 0x4000;

/** Would a receive (or accept) not block? */
export function soreadable(so: Socket): boolean {
  return (
    so.so_rcv.sb_cc >= so.so_rcv.sb_lowat ||
    (so.so_state & SS_CANTRCVMORE) !== 0 ||
    so.so_qlen > 0 ||
    so.so_error !== 0 ||
    so.so_rerror !== 0
  );
}

/** Would a send not block? */
export function sowritable(so: Socket): boolean {
  if ((so.so_state & SS_CANTSENDMORE) !== 0 || so.so_error !== 0) return true;
  if (sbspace(so.so_snd) < so.so_snd.sb_lowat) return false;
  return (so.so_state & SS_ISCONNECTED) !== 0 || (so.so_proto.pr_flags & PR_CONNREQUIRED) === 0;
}

/** Those of `events` that hold. */
function sodopoll(so: Socket, events: number): number {
  let revents = 0;
  if ((events & (POLLIN | POLLRDNORM)) !== 0 && soreadable(so)) revents |= events & (POLLIN | POLLRDNORM);
  if ((events & (POLLOUT | POLLWRBAND)) !== 0 && sowritable(so)) revents |= events & (POLLOUT | POLLWRBAND);
  if ((events & (POLLPRI | POLLRDBAND)) !== 0 && (so.so_oobmark !== 0 || (so.so_state & SS_RCVATMARK) !== 0)) {
    revents |= events & (POLLPRI | POLLRDBAND);
  }
  if ((events & POLLRDHUP) !== 0 && (so.so_state & SS_CANTRCVMORE) !== 0) revents |= POLLRDHUP;
  return revents;
}

/** Those of `events` that hold; if none does, l is recorded to be woken. */
export function sopoll(so: Socket, events: number, l: Lwp): number {
  const revents = sodopoll(so, events);
  if (revents !== 0) return revents;
  if ((events & (POLLIN | POLLPRI | POLLRDNORM | POLLRDBAND | POLLRDHUP)) !== 0) selrecord(l, so.so_rcv.sb_sel);
  if ((events & (POLLOUT | POLLWRBAND)) !== 0) selrecord(l, so.so_snd.sb_sel);
  return 0;
}
