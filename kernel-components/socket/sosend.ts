/**
 * sosend: from the caller's buffers (or a ready chain) into the protocol. Datagrams go whole, with room for headers in front and in
 * one piece where a cluster or a 64 KB cluster can hold them; a stream goes in chains of up to 64 KB. Source: NetBSD socket(9).
 */
import { EDESTADDRREQ, EINVAL, EMSGSIZE, ENOBUFS, ENOTCONN, EPIPE, EWOULDBLOCK } from "../../hypercall/api/errno.ts";
import type { Lwp } from "../kern/proc.ts";
import { M_EOR, MCLBYTES, MHLEN, MJUMBYTES, MSIZE, MT_DATA } from "../kern/mbuf.ts";
import type { Mbuf, MbufPools } from "../kern/mbuf.ts";
import { m_freem, m_getcl, m_gethdr, m_getjcl, m_get } from "../kern/mbuf_alloc.ts";
import type { Uio } from "../kern/uio.ts";
import { uiomove } from "../kern/uio.ts";
import { EWAIT } from "../kern/wakeup.ts";
import { POLLOUT } from "../kern/select.ts";
import { PR_ATOMIC, PR_CONNREQUIRED } from "./protosw.ts";
import { MSG_DONTROUTE, MSG_DONTWAIT, MSG_EOR, MSG_NBIO, MSG_OOB, SO_DONTROUTE } from "./socket_abi.ts";
import { sbspace } from "./sockbuf.ts";
import type { Sockbuf } from "./sockbuf.ts";
import { SOS_NOBUFS, SS_CANTSENDMORE, SS_ISCONNECTED, SS_MORETOCOME, SS_NBIO } from "./socketvar.ts";
import type { Socket } from "./socketvar.ts";
import { sopr } from "./uipc_socket.ts";
import { sblock, sblocked, sbunlock, sbwait } from "./uipc_socket2.ts";

/** Room left in front of a datagram: link, network and transport headers of the largest kind, rounded. */
export const SO_MAXHDR = 128;
/** Extra room that out-of-band data may use. */
const SO_OOBSPACE = 1024;
/** Most bytes of a stream that go to the protocol in one chain. */
export const SO_CHUNK = 65536;
/**
 * From this many bytes on, a 64 KB cluster is better than a chain of small ones: at least half of it is used, which is what sb_mbmax
 * reckons with, so that one big cluster cannot fill a buffer that is nearly empty.
 */
const SO_JUMBOMIN: number = MJUMBYTES / 2;

/**
 * Sends what `uio` (or the packet `top`, when uio is null) holds, with an address or null. control is always consumed, top unless the
 * result is EWAIT (see select.ts): then the caller repeats the call when l is woken, with the same uio or top, and with a new
 * control if nothing was sent yet. EPIPE, ENOTCONN, EDESTADDRREQ, EMSGSIZE, EWOULDBLOCK, ENOBUFS, so_error, or the protocol's. hot
 */
export function sosend(
  so: Socket,
  nam: Uint8Array | null,
  uio: Uio | null,
  top: Mbuf | null,
  control: Mbuf | null,
  flags: number,
  l: Lwp,
): number {
  const atomic = (so.so_proto.pr_flags & PR_ATOMIC) !== 0 || top !== null;
  const resid = uio !== null ? uio.uio_resid : (top as Mbuf).m_pkthdr_len;
  const error = sosend_check(so, nam, resid, control, flags, atomic, l);
  if (error !== 0) {
    if (error !== EWAIT) m_freem(top);
    m_freem(control);
    return error;
  }
  if (!atomic) return sosend_stream(so, nam, uio as Uio, control, flags, l);
  let m = top;
  if (m === null) {
    m = sosend_packet(so.so_layer.k.mb, uio as Uio, resid);
    if (m === null) {
      so.so_layer.sostat[SOS_NOBUFS]++;
      m_freem(control);
      return ENOBUFS;
    }
  }
  if ((flags & (MSG_EOR | MSG_OOB | MSG_DONTROUTE)) !== 0) return sosend_special(so, nam, m, control, flags, l);
  return sopr(so).pr_send(so, m, nam, control, l);
}

/** May the send begin? 0, an errno, or EWAIT. hot */
function sosend_check(
  so: Socket,
  nam: Uint8Array | null,
  resid: number,
  control: Mbuf | null,
  flags: number,
  atomic: boolean,
  l: Lwp,
): number {
  const sb = so.so_snd;
  if (resid < 0) return EINVAL;
  if ((so.so_state & SS_CANTSENDMORE) !== 0) return EPIPE;
  if (so.so_error !== 0) {
    const error = so.so_error;
    so.so_error = 0;
    return error;
  }
  const clen = control === null ? 0 : control.m_len;
  if ((so.so_state & SS_ISCONNECTED) === 0) {
    if ((so.so_proto.pr_flags & PR_CONNREQUIRED) !== 0) {
      if (resid !== 0 || clen === 0) return ENOTCONN;
    } else if (nam === null) {
      return EDESTADDRREQ;
    }
  }
  if (clen > sb.sb_hiwat || (atomic && resid > sb.sb_hiwat)) return EMSGSIZE;
  let space = sbspace(sb);
  if ((flags & MSG_OOB) !== 0) space += SO_OOBSPACE;
  const short = space < resid + clen && (atomic || space < sb.sb_lowat || space < clen);
  if (!short && sb.sb_lock === null) return 0;
  if (!short && !sblocked(sb, l)) return 0;
  return sosend_full(so, sb, flags, l);
}

function sosend_full(so: Socket, sb: Sockbuf, flags: number, l: Lwp): number {
  if ((so.so_state & SS_NBIO) !== 0 || (flags & (MSG_DONTWAIT | MSG_NBIO)) !== 0) return EWOULDBLOCK;
  return sbwait(sb, l);
}

/** MSG_EOR, MSG_OOB and MSG_DONTROUTE on a record. */
function sosend_special(
  so: Socket,
  nam: Uint8Array | null,
  m: Mbuf,
  control: Mbuf | null,
  flags: number,
  l: Lwp,
): number {
  if ((flags & MSG_EOR) !== 0) m.m_flags |= M_EOR;
  if ((flags & MSG_OOB) !== 0) return sopr(so).pr_sendoob(so, m, control);
  const dontroute = (flags & MSG_DONTROUTE) !== 0 && (so.so_options & SO_DONTROUTE) === 0;
  if (dontroute) so.so_options |= SO_DONTROUTE;
  const error = sopr(so).pr_send(so, m, nam, control, l);
  if (dontroute) so.so_options &= ~SO_DONTROUTE;
  return error;
}

/** Sends the uio as a stream, as far as there is room. hot */
function sosend_stream(
  so: Socket,
  nam: Uint8Array | null,
  uio: Uio,
  control0: Mbuf | null,
  flags: number,
  l: Lwp,
): number {
  const sb = so.so_snd;
  let control = control0;
  let error = 0;
  do {
    let space = sbspace(sb);
    if ((flags & MSG_OOB) !== 0) space += SO_OOBSPACE;
    if (control !== null) space -= control.m_len;
    const resid = uio.uio_resid;
    if (resid > space && (space <= 0 || (space < sb.sb_lowat && control === null))) {
      error = sosend_full(so, sb, flags, l);
      if (error === EWAIT) {
        m_freem(control);
        sblock(sb, l);
        return EWAIT;
      }
      break;
    }
    const m = sosend_chain(so.so_layer.k.mb, uio, Math.min(resid, space, SO_CHUNK));
    if (m === null) {
      so.so_layer.sostat[SOS_NOBUFS]++;
      error = ENOBUFS;
      break;
    }
    error = sosend_chunk(so, nam, m, control, flags, uio.uio_resid > 0, l);
    control = null;
    if (error === 0 && uio.uio_resid > 0) {
      if ((so.so_state & SS_CANTSENDMORE) !== 0) error = EPIPE;
      else if (so.so_error !== 0) {
        error = so.so_error;
        so.so_error = 0;
      }
    }
  } while (error === 0 && uio.uio_resid > 0);
  m_freem(control);
  sbunlock(sb, l, POLLOUT);
  return error;
}

/** hot */
function sosend_chunk(
  so: Socket,
  nam: Uint8Array | null,
  m: Mbuf,
  control: Mbuf | null,
  flags: number,
  more: boolean,
  l: Lwp,
): number {
  if ((flags & MSG_EOR) !== 0 && !more) {
    let last = m;
    while (last.m_next !== null) last = last.m_next;
    last.m_flags |= M_EOR;
  }
  if (more) so.so_state |= SS_MORETOCOME;
  const error =
    (flags & MSG_OOB) !== 0 ? sopr(so).pr_sendoob(so, m, control) : sopr(so).pr_send(so, m, nam, control, l);
  if (more) so.so_state &= ~SS_MORETOCOME;
  return error;
}

/** A packet of `len` bytes of the uio, with SO_MAXHDR bytes free in front, in as few pieces as possible. Null without memory. hot */
function sosend_packet(mb: MbufPools, uio: Uio, len: number): Mbuf | null {
  let m: Mbuf | null;
  if (len <= MHLEN - SO_MAXHDR) {
    m = m_gethdr(mb, MT_DATA);
    if (m === null) return null;
    m.m_off += (MSIZE - len) & ~7;
  } else if (len <= MCLBYTES - SO_MAXHDR) {
    m = m_getcl(mb, MT_DATA, true);
    if (m === null) return null;
    m.m_off += SO_MAXHDR;
  } else {
    return sosend_bigpacket(mb, uio, len);
  }
  m.m_len = len;
  m.m_pkthdr_len = len;
  uiomove(mb, m.m_off, len, uio);
  return m;
}

/** A packet that needs a 64 KB cluster, or when there is none a chain of clusters. */
function sosend_bigpacket(mb: MbufPools, uio: Uio, len: number): Mbuf | null {
  if (len >= SO_JUMBOMIN && len <= MJUMBYTES - SO_MAXHDR) {
    const m = m_getjcl(mb, MT_DATA, true);
    if (m !== null) {
      m.m_off += SO_MAXHDR;
      m.m_len = len;
      m.m_pkthdr_len = len;
      uiomove(mb, m.m_off, len, uio);
      return m;
    }
  }
  const first = m_getcl(mb, MT_DATA, true);
  if (first === null) return null;
  first.m_off += SO_MAXHDR;
  return sosend_fill(mb, first, MCLBYTES - SO_MAXHDR, uio, len);
}

/** A chain of `len` bytes of the uio for a stream. Null without memory; the uio is then as before. hot */
function sosend_chain(mb: MbufPools, uio: Uio, len: number): Mbuf | null {
  if (len <= MHLEN) {
    const m = m_gethdr(mb, MT_DATA);
    if (m === null) return null;
    return sosend_fill(mb, m, MHLEN, uio, len);
  }
  if (len >= SO_JUMBOMIN) {
    const m = m_getjcl(mb, MT_DATA, true);
    if (m !== null) return sosend_fill(mb, m, MJUMBYTES, uio, len);
  }
  const m = m_getcl(mb, MT_DATA, true);
  if (m === null) return null;
  return sosend_fill(mb, m, MCLBYTES, uio, len);
}

/** Fills `first` (room bytes) and clusters behind it. All mbufs are there before the first byte moves. */
function sosend_fill(mb: MbufPools, first: Mbuf, room: number, uio: Uio, len: number): Mbuf | null {
  let left = len - room;
  let last = first;
  first.m_len = Math.min(room, len);
  first.m_pkthdr_len = len;
  while (left > 0) {
    const m = left > MSIZE ? m_getcl(mb, MT_DATA, false) : m_get(mb, MT_DATA);
    if (m === null) {
      m_freem(first);
      return null;
    }
    m.m_len = Math.min(left, left > MSIZE ? MCLBYTES : MSIZE);
    left -= m.m_len;
    last.m_next = m;
    last = m;
  }
  for (let m: Mbuf | null = first; m !== null; m = m.m_next) uiomove(mb, m.m_off, m.m_len, uio);
  return first;
}
