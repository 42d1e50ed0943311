/**
 * soreceive: from the receive buffer into the caller's buffers. Three ways: one datagram with its address (the hot one), a plain
 * stream, and the general way for everything else. Source: NetBSD socket(9).
 */
import { ENOTCONN, EWOULDBLOCK } from "../../hypercall/api/errno.ts";
import type { Lwp } from "../kern/proc.ts";
import { M_BCAST, M_EOR, M_MCAST, MT_CONTROL, MT_OOBDATA, MT_SONAME } from "../kern/mbuf.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { m_free } from "../kern/mbuf_alloc.ts";
import type { Uio } from "../kern/uio.ts";
import { uiomove } from "../kern/uio.ts";
import { EWAIT } from "../kern/wakeup.ts";
import { POLLIN } from "../kern/select.ts";
import { PR_ADDR, PR_ATOMIC, PR_CONNREQUIRED, PR_RIGHTS, PR_WANTRCVD } from "./protosw.ts";
import {
  MSG_BCAST,
  MSG_DONTWAIT,
  MSG_EOR,
  MSG_MCAST,
  MSG_NBIO,
  MSG_OOB,
  MSG_PEEK,
  MSG_TRUNC,
  MSG_WAITALL,
} from "./socket_abi.ts";
import { sbfree } from "./sockbuf_append.ts";
import { sbdroprecord, sbsethead } from "./sockbuf_drop.ts";
import type { Sockbuf } from "./sockbuf.ts";
import { SS_CANTRCVMORE, SS_ISCONNECTED, SS_ISCONNECTING, SS_NBIO, SS_RCVATMARK } from "./socketvar.ts";
import type { RecvOut, SockaddrOut, Socket } from "./socketvar.ts";
import { rcv_control, soreceive_oob } from "./soreceive_control.ts";
import { sopr } from "./uipc_socket.ts";
import { sblock, sblocked, sbunlock, sbwait } from "./uipc_socket2.ts";

/** Flags that the hot paths do not handle. */
const RCV_SLOW = MSG_OOB | MSG_PEEK | MSG_WAITALL;
/** soreceive_wait: there is data. */
const RCV_GO = 0;
/** soreceive_wait: end of file or nothing asked. */
const RCV_DONE = -1;

/**
 * Receives into `uio`. 0 with nothing moved is end of file (or an empty datagram). EWAIT: see select.ts; the caller repeats the call
 * with the same uio and out. EWOULDBLOCK, ENOTCONN, so_error, EINVAL (no out-of-band data). hot
 */
export function soreceive(so: Socket, uio: Uio, out: RecvOut, l: Lwp): number {
  if (out.nam !== null) out.nam.len = 0;
  out.error = 0;
  const prflags = so.so_proto.pr_flags;
  if ((out.flags & RCV_SLOW) === 0) {
    if ((prflags & (PR_ATOMIC | PR_ADDR)) === (PR_ATOMIC | PR_ADDR)) return soreceive_dgram(so, uio, out, l);
    if ((prflags & (PR_ATOMIC | PR_ADDR | PR_RIGHTS)) === 0 && so.so_oobmark === 0)
      return soreceive_stream(so, uio, out, l);
  }
  if ((out.flags & MSG_OOB) !== 0) return soreceive_oob(so, uio, out.flags);
  return soreceive_generic(so, uio, out, l);
}

/** One datagram with its address. hot */
function soreceive_dgram(so: Socket, uio: Uio, out: RecvOut, l: Lwp): number {
  const sb = so.so_rcv;
  const name = sb.sb_mb;
  if (name === null) {
    const error = soreceive_wait(so, uio, out.flags, l);
    return error === RCV_DONE ? 0 : error;
  }
  let m = name.m_next;
  if (m !== null && m.m_type === MT_CONTROL) return soreceive_generic(so, uio, out, l);
  const next = name.m_nextpkt;
  name.m_nextpkt = null;
  sb.sb_mb = next;
  if (next === null) {
    sb.sb_mbtail = null;
    sb.sb_lastrecord = null;
  }
  if (out.nam !== null) so_copyname(name, out.nam);
  sbfree(sb, name);
  m_free(name);
  out.flags &= ~MSG_EOR;
  if (m !== null && (m.m_flags & (M_BCAST | M_MCAST)) !== 0) out.flags |= so_linkflags(m);
  const slab = so.so_layer.k.mb;
  while (m !== null) {
    if (m.m_len > uio.uio_resid) out.flags |= MSG_TRUNC;
    if (m.m_len > 0) uiomove(slab, m.m_off, m.m_len, uio);
    sbfree(sb, m);
    m = m_free(m);
  }
  if ((so.so_proto.pr_flags & PR_WANTRCVD) !== 0 && so.so_pcb !== null) sopr(so).pr_rcvd(so, out.flags, l);
  return 0;
}

/** Bytes of a stream without records, control messages or out-of-band mark. hot */
function soreceive_stream(so: Socket, uio: Uio, out: RecvOut, l: Lwp): number {
  const sb = so.so_rcv;
  const error = soreceive_wait(so, uio, out.flags, l);
  if (error !== RCV_GO) return error === RCV_DONE ? 0 : error;
  const slab = so.so_layer.k.mb;
  const before = uio.uio_resid;
  so.so_state &= ~SS_RCVATMARK;
  out.flags &= ~MSG_EOR;
  let m = sb.sb_mb;
  const next = (m as Mbuf).m_nextpkt;
  while (m !== null && uio.uio_resid > 0) {
    const resid = uio.uio_resid;
    if (resid < m.m_len) {
      uiomove(slab, m.m_off, resid, uio);
      m.m_off += resid;
      m.m_len -= resid;
      sb.sb_cc -= resid;
      break;
    }
    if (m.m_len > 0) uiomove(slab, m.m_off, m.m_len, uio);
    sbfree(sb, m);
    const eor: number = m.m_flags & M_EOR;
    m = m_free(m);
    if (eor !== 0) {
      out.flags |= MSG_EOR;
      break;
    }
  }
  sbsethead(sb, m, next);
  sbunlock(sb, l, POLLIN);
  if (before !== uio.uio_resid && (so.so_proto.pr_flags & PR_WANTRCVD) !== 0 && so.so_pcb !== null) {
    sopr(so).pr_rcvd(so, out.flags, l);
  }
  return 0;
}

/** Copies an address out. hot */
export function so_copyname(m: Mbuf, nam: SockaddrOut): void {
  const u8 = m.m_pool.u8;
  const len = m.m_len;
  const sa = nam.sa;
  for (let i = 0, off = m.m_off; i < len; i++) sa[i] = u8[off + i];
  nam.len = len;
}

function so_linkflags(m: Mbuf): number {
  return ((m.m_flags & M_BCAST) !== 0 ? MSG_BCAST : 0) | ((m.m_flags & M_MCAST) !== 0 ? MSG_MCAST : 0);
}

/** Has this call moved bytes already, in an earlier try? */
function rcv_progress(uio: Uio): boolean {
  return uio.uio_resid !== uio.uio_total;
}

/** Is there something to receive? RCV_GO, RCV_DONE, an errno, or EWAIT. hot */
function soreceive_wait(so: Socket, uio: Uio, flags: number, l: Lwp): number {
  const sb = so.so_rcv;
  const m = sb.sb_mb;
  if (sb.sb_lock !== null && sblocked(sb, l)) return soreceive_block(so, sb, flags, l);
  if (m !== null && !rcv_wantmore(so, sb, m, uio, flags)) return RCV_GO;
  if (so.so_error !== 0 || so.so_rerror !== 0) {
    if (m !== null) return RCV_GO;
    if (rcv_progress(uio)) return RCV_DONE;
    const error = so.so_error !== 0 ? so.so_error : so.so_rerror;
    if ((flags & MSG_PEEK) === 0) {
      if (so.so_error !== 0) so.so_error = 0;
      else so.so_rerror = 0;
    }
    return error;
  }
  if ((so.so_state & SS_CANTRCVMORE) !== 0) return m !== null ? RCV_GO : RCV_DONE;
  for (let n = m; n !== null; n = n.m_next) if (n.m_type === MT_OOBDATA || (n.m_flags & M_EOR) !== 0) return RCV_GO;
  const connreq = (so.so_proto.pr_flags & PR_CONNREQUIRED) !== 0;
  if (connreq && (so.so_state & (SS_ISCONNECTED | SS_ISCONNECTING)) === 0) return ENOTCONN;
  if (uio.uio_resid === 0) return RCV_DONE;
  return soreceive_block(so, sb, flags, l);
}

/** Less there than a blocking call should wait for: the low water mark, or all of it with MSG_WAITALL. hot */
function rcv_wantmore(so: Socket, sb: Sockbuf, m: Mbuf, uio: Uio, flags: number): boolean {
  if ((flags & MSG_DONTWAIT) !== 0 || (so.so_proto.pr_flags & PR_ATOMIC) !== 0 || m.m_nextpkt !== null) return false;
  if (sb.sb_cc >= uio.uio_resid) return false;
  if (sb.sb_cc < sb.sb_lowat) return true;
  return (flags & MSG_WAITALL) !== 0 && uio.uio_resid <= sb.sb_hiwat;
}

function soreceive_block(so: Socket, sb: Sockbuf, flags: number, l: Lwp): number {
  if ((so.so_state & SS_NBIO) !== 0 || (flags & (MSG_DONTWAIT | MSG_NBIO)) !== 0) return EWOULDBLOCK;
  return sbwait(sb, l);
}

/** Everything: records, addresses, control messages, MSG_PEEK, MSG_WAITALL, the out-of-band mark. */
function soreceive_generic(so: Socket, uio: Uio, out: RecvOut, l: Lwp): number {
  const sb = so.so_rcv;
  const peek = (out.flags & MSG_PEEK) !== 0;
  out.flags &= ~MSG_EOR;
  for (;;) {
    const error = soreceive_wait(so, uio, out.flags, l);
    if (error !== RCV_GO) return error === RCV_DONE ? 0 : error;
    const before = uio.uio_resid;
    let m = sb.sb_mb;
    const next = (m as Mbuf).m_nextpkt;
    const named = (m as Mbuf).m_type === MT_SONAME;
    if (named) m = rcv_name(sb, m as Mbuf, next, out);
    if (m !== null && m.m_type === MT_CONTROL) m = rcv_control(so, m, next, out, l);
    if (out.error !== 0) return out.error;
    if (peek) {
      rcv_peek(so, m, uio, out);
      return 0;
    }
    if (m !== null) m = rcv_take(so, m, next, uio, out);
    const record = named || (so.so_proto.pr_flags & PR_ATOMIC) !== 0;
    const result = rcv_end(so, uio, out, record || next !== null, l);
    if (result !== 0) return result;
    if (record || uio.uio_resid !== before || before === 0 || out.control !== null || (out.flags & MSG_EOR) !== 0)
      return 0;
    if ((so.so_state & (SS_CANTRCVMORE | SS_RCVATMARK)) !== 0) return 0;
  }
}

/** Takes (or peeks at) the address in front of a record; returns what follows it in the record. */
function rcv_name(sb: Sockbuf, m: Mbuf, next: Mbuf | null, out: RecvOut): Mbuf | null {
  if (out.nam !== null) so_copyname(m, out.nam);
  if ((out.flags & MSG_PEEK) !== 0) return m.m_next;
  m.m_nextpkt = null;
  sbfree(sb, m);
  const rest = m_free(m);
  sbsethead(sb, rest, next);
  return rest;
}

/** Copies data from m on, and changes nothing but the uio. */
function rcv_peek(so: Socket, first: Mbuf | null, uio: Uio, out: RecvOut): void {
  let left = so.so_oobmark !== 0 ? so.so_oobmark : Number.MAX_SAFE_INTEGER;
  let m = first;
  while (m !== null && uio.uio_resid > 0 && left > 0) {
    const len = Math.min(m.m_len, uio.uio_resid, left);
    uiomove(so.so_layer.k.mb, m.m_off, len, uio);
    left -= len;
    if (len < m.m_len) break;
    if ((m.m_flags & M_EOR) !== 0) out.flags |= MSG_EOR;
    m = m.m_next;
    if ((out.flags & MSG_EOR) !== 0) break;
  }
  if (m_haslen(m) && (so.so_proto.pr_flags & PR_ATOMIC) !== 0) out.flags |= MSG_TRUNC;
}

function m_haslen(m: Mbuf | null): boolean {
  for (let n = m; n !== null; n = n.m_next) if (n.m_len > 0) return true;
  return false;
}

/** Takes data until the uio is full, the record or the part before the out-of-band mark ends, or nothing is left. */
function rcv_take(so: Socket, first: Mbuf, next: Mbuf | null, uio: Uio, out: RecvOut): Mbuf | null {
  const sb = so.so_rcv;
  const oob = first.m_type === MT_OOBDATA;
  if ((first.m_flags & (M_BCAST | M_MCAST)) !== 0) out.flags |= so_linkflags(first);
  let m: Mbuf | null = first;
  while (m !== null && (uio.uio_resid > 0 || m.m_len === 0) && m.m_type !== MT_CONTROL) {
    if ((m.m_type === MT_OOBDATA) !== oob) break;
    so.so_state &= ~SS_RCVATMARK;
    const n: number = so.so_oobmark !== 0 ? Math.min(uio.uio_resid, so.so_oobmark) : uio.uio_resid;
    const len: number = n < m.m_len ? n : m.m_len;
    uiomove(so.so_layer.k.mb, m.m_off, len, uio);
    m = rcv_consume(sb, m, len, next, out);
    if (so.so_oobmark !== 0) {
      so.so_oobmark -= len;
      if (so.so_oobmark === 0) {
        so.so_state |= SS_RCVATMARK;
        break;
      }
    }
    if ((out.flags & MSG_EOR) !== 0) break;
  }
  if (m !== null && (so.so_proto.pr_flags & PR_ATOMIC) !== 0) {
    if (m_haslen(m)) out.flags |= MSG_TRUNC;
    sbdroprecord(sb);
    return null;
  }
  return m;
}

/** Takes len bytes off m, the front of sb; returns what is then the front of the same record. */
function rcv_consume(sb: Sockbuf, m: Mbuf, len: number, next: Mbuf | null, out: RecvOut): Mbuf | null {
  if (len < m.m_len) {
    m.m_off += len;
    m.m_len -= len;
    sb.sb_cc -= len;
    return m;
  }
  if ((m.m_flags & M_EOR) !== 0) out.flags |= MSG_EOR;
  m.m_nextpkt = null;
  sbfree(sb, m);
  const rest = m_free(m);
  sbsethead(sb, rest, next);
  return rest;
}

/** Tells the protocol, and waits for more if MSG_WAITALL asks for it. */
function rcv_end(so: Socket, uio: Uio, out: RecvOut, record: boolean, l: Lwp): number {
  const sb = so.so_rcv;
  if ((so.so_proto.pr_flags & PR_WANTRCVD) !== 0 && so.so_pcb !== null) sopr(so).pr_rcvd(so, out.flags, l);
  const more =
    (out.flags & (MSG_WAITALL | MSG_EOR)) === MSG_WAITALL && uio.uio_resid > 0 && !record && out.control === null;
  if (more && sb.sb_mb === null && (so.so_state & (SS_CANTRCVMORE | SS_RCVATMARK)) === 0 && so.so_error === 0) {
    if (soreceive_block(so, sb, out.flags, l) === EWAIT) {
      sblock(sb, l);
      return EWAIT;
    }
  }
  sbunlock(sb, l, POLLIN);
  return 0;
}
