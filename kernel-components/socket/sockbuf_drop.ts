/**
 * Taking data out of a socket buffer: bytes of a stream, records, everything. Source: NetBSD uipc_socket2(9).
 */
import type { Mbuf } from "../kern/mbuf.ts";
import { M_EOR } from "../kern/mbuf.ts";
import { m_free, m_freem } from "../kern/mbuf_alloc.ts";
import { sbfree } from "./sockbuf_append.ts";
import type { Sockbuf } from "./sockbuf.ts";

/** Drops len bytes from the front of sb, whatever records they belong to. hot */
export function sbdrop(sb: Sockbuf, len0: number): void {
  let len = len0;
  let m = sb.sb_mb;
  let next: Mbuf | null = m === null ? null : m.m_nextpkt;
  while (len > 0) {
    if (m === null) {
      if (next === null) break;
      m = next;
      next = m.m_nextpkt;
      continue;
    }
    if (m.m_len > len) {
      m.m_len -= len;
      m.m_off += len;
      sb.sb_cc -= len;
      break;
    }
    len -= m.m_len;
    sbfree(sb, m);
    m = m_free(m);
  }
  while (m !== null && m.m_len === 0 && (m.m_flags & M_EOR) === 0) {
    sbfree(sb, m);
    m = m_free(m);
  }
  sbsethead(sb, m, next);
}

/** Makes m (rest of the first record, or null) and next (the record after it) the front of sb. hot */
export function sbsethead(sb: Sockbuf, m: Mbuf | null, next: Mbuf | null): void {
  if (m !== null) {
    sb.sb_mb = m;
    m.m_nextpkt = next;
    if (next === null) sb.sb_lastrecord = m;
    return;
  }
  sb.sb_mb = next;
  if (next === null) {
    sb.sb_mbtail = null;
    sb.sb_lastrecord = null;
  } else if (next.m_nextpkt === null) {
    sb.sb_lastrecord = next;
  }
}

/** Drops the first record. Rights in it must have been disposed of. */
export function sbdroprecord(sb: Sockbuf): void {
  let m = sb.sb_mb;
  if (m === null) return;
  const next = m.m_nextpkt;
  m.m_nextpkt = null;
  while (m !== null) {
    sbfree(sb, m);
    m = m_free(m);
  }
  sbsethead(sb, null, next);
}

/** Frees everything in sb. */
export function sbflush(sb: Sockbuf): void {
  while (sb.sb_mb !== null) sbdroprecord(sb);
}

/** Empties sb and hands its records over. */
export function sbdetach(sb: Sockbuf): Mbuf | null {
  const m = sb.sb_mb;
  sb.sb_mb = null;
  sb.sb_mbtail = null;
  sb.sb_lastrecord = null;
  sb.sb_cc = 0;
  sb.sb_mbcnt = 0;
  return m;
}

/** Frees a list of records. */
export function m_freerecords(rec: Mbuf | null): void {
  let m = rec;
  while (m !== null) {
    const next: Mbuf | null = m.m_nextpkt;
    m.m_nextpkt = null;
    m_freem(m);
    m = next;
  }
}
