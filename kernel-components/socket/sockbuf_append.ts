/**
 * Putting data into a socket buffer: to the stream, as a record, with an address, with control messages. All of these take the
 * mbufs they are given; those that return a boolean take them only when they return true. Source: NetBSD uipc_socket2(9).
 */
import type { Mbuf } from "../kern/mbuf.ts";
import { M_EOR, M_EXT, MLEN, MSIZE, MT_CONTROL, MT_OOBDATA, MT_SONAME } from "../kern/mbuf.ts";
import { m_ext_release, m_free, m_get } from "../kern/mbuf_alloc.ts";
import { M_TRAILINGSPACE, M_UNWRITABLE } from "../kern/mbuf_space.ts";
import { AF_INET } from "./socket_abi.ts";
import type { Sockbuf } from "./sockbuf.ts";
import { sbspace } from "./sockbuf.ts";
import { SOS_NOBUFS, SOS_RCVFULL } from "./socketvar.ts";

/** sizeof(struct sockaddr_in). */
const SOCKADDR_IN_LEN = 16;
/** Data up to this size is copied behind the last mbuf rather than chained: a copy costs less than an mbuf. */
const SB_COPYMAX = 512;

/** Accounts for an mbuf that goes into sb. hot */
export function sballoc(sb: Sockbuf, m: Mbuf): void {
  sb.sb_cc += m.m_len;
  sb.sb_mbcnt += (m.m_flags & M_EXT) !== 0 ? MSIZE + m.m_ext_size : MSIZE;
}

/** Accounts for an mbuf that leaves sb. hot */
export function sbfree(sb: Sockbuf, m: Mbuf): void {
  sb.sb_cc -= m.m_len;
  sb.sb_mbcnt -= (m.m_flags & M_EXT) !== 0 ? MSIZE + m.m_ext_size : MSIZE;
}

/** Links a whole record behind the others. `tail` is its last mbuf. hot */
function sblinkrecord(sb: Sockbuf, m0: Mbuf, tail: Mbuf): void {
  if (sb.sb_lastrecord !== null) sb.sb_lastrecord.m_nextpkt = m0;
  else sb.sb_mb = m0;
  sb.sb_lastrecord = m0;
  sb.sb_mbtail = tail;
}

/** Appends to the last record (or starts one). m is taken. */
export function sbappend(sb: Sockbuf, m: Mbuf | null): void {
  if (m === null) return;
  const last = sb.sb_lastrecord;
  if (last === null || (sb.sb_mbtail as Mbuf).m_flags & M_EOR) {
    sbappendrecord(sb, m);
    return;
  }
  sbcompress(sb, m, sb.sb_mbtail);
}

/** Appends to a stream that has no records, addresses or control messages. m is taken. hot */
export function sbappendstream(sb: Sockbuf, m: Mbuf): void {
  sbcompress(sb, m, sb.sb_mbtail);
  sb.sb_lastrecord = sb.sb_mb;
}

/** Appends m0 as a new record. m0 is taken. */
export function sbappendrecord(sb: Sockbuf, m0: Mbuf | null): void {
  if (m0 === null) return;
  const rest = m0.m_next;
  m0.m_next = null;
  sballoc(sb, m0);
  sblinkrecord(sb, m0, m0);
  if ((m0.m_flags & M_EOR) !== 0 && rest !== null) {
    m0.m_flags &= ~M_EOR;
    rest.m_flags |= M_EOR;
  }
  if (rest !== null) sbcompress(sb, rest, m0);
}

/** Puts m0 before the first record that is not out-of-band data. m0 is taken. */
export function sbinsertoob(sb: Sockbuf, m0: Mbuf): void {
  let prev: Mbuf | null = null;
  let rec = sb.sb_mb;
  while (rec !== null && record_is_oob(rec)) {
    prev = rec;
    rec = rec.m_nextpkt;
  }
  let tail = m0;
  for (let m: Mbuf | null = m0; m !== null; m = m.m_next) {
    sballoc(sb, m);
    tail = m;
  }
  m0.m_nextpkt = rec;
  if (prev === null) sb.sb_mb = m0;
  else prev.m_nextpkt = m0;
  if (rec === null) {
    sb.sb_lastrecord = m0;
    sb.sb_mbtail = tail;
  }
}

function record_is_oob(rec: Mbuf): boolean {
  for (let m: Mbuf | null = rec; m !== null; m = m.m_next) {
    if (m.m_type === MT_OOBDATA) return true;
    if (m.m_type !== MT_CONTROL) return false;
  }
  return false;
}

/**
 * Appends a record of an address, control messages and data: m0 is the packet (or null), `sa` a sockaddr whose first byte is its
 * length. False if there is no room or no mbuf: nothing was taken, and the drop is counted.
 */
export function sbappendaddr(sb: Sockbuf, sa: Uint8Array, m0: Mbuf | null, control: Mbuf | null): boolean {
  const salen = sa[0];
  if (!sbhasroom(sb, salen, m0, control)) return false;
  const name = sbname(sb, salen);
  if (name === null) return false;
  const u8 = name.m_pool.u8;
  for (let i = 0, off = name.m_off; i < salen; i++) u8[off + i] = sa[i];
  sblinkaddr(sb, name, m0, control);
  return true;
}

/**
 * The same with an IPv4 address (int32) and port (host order), without a sockaddr in between. hot
 */
export function sbappendaddr_in(
  sb: Sockbuf,
  addr: number,
  port: number,
  m0: Mbuf | null,
  control: Mbuf | null,
): boolean {
  if (!sbhasroom(sb, SOCKADDR_IN_LEN, m0, control)) return false;
  const name = sbname(sb, SOCKADDR_IN_LEN);
  if (name === null) return false;
  const dv = name.m_pool.dv;
  const off = name.m_off;
  dv.setInt32(off, (SOCKADDR_IN_LEN << 24) | (AF_INET << 16) | port);
  dv.setInt32(off + 4, addr);
  dv.setInt32(off + 8, 0);
  dv.setInt32(off + 12, 0);
  sblinkaddr(sb, name, m0, control);
  return true;
}

/** The same with an address that lies in the slab at `saoff`, `salen` bytes long. hot */
export function sbappendaddr_slab(
  sb: Sockbuf,
  saoff: number,
  salen: number,
  m0: Mbuf | null,
  control: Mbuf | null,
): boolean {
  if (!sbhasroom(sb, salen, m0, control)) return false;
  const name = sbname(sb, salen);
  if (name === null) return false;
  name.m_pool.u8.copyWithin(name.m_off, saoff, saoff + salen);
  sblinkaddr(sb, name, m0, control);
  return true;
}

/** Room for a name, control messages and a packet? Counts the drop. Control messages must leave room as well as data. hot */
function sbhasroom(sb: Sockbuf, salen: number, m0: Mbuf | null, control: Mbuf | null): boolean {
  let space = salen;
  if (m0 !== null) space += m0.m_pkthdr_len;
  for (let c = control; c !== null; c = c.m_next) space += c.m_len;
  if (space > sbspace(sb)) {
    sb.sb_overflowed++;
    sb.sb_so.so_layer.sostat[SOS_RCVFULL]++;
    return false;
  }
  return true;
}

/** hot */
function sbname(sb: Sockbuf, len: number): Mbuf | null {
  const layer = sb.sb_so.so_layer;
  const m = m_get(layer.k.mb, MT_SONAME);
  if (m === null) {
    sb.sb_overflowed++;
    layer.sostat[SOS_NOBUFS]++;
    return null;
  }
  m.m_len = len;
  return m;
}

/** hot */
function sblinkaddr(sb: Sockbuf, name: Mbuf, m0: Mbuf | null, control: Mbuf | null): void {
  let tail = name;
  sballoc(sb, name);
  for (let c = control; c !== null; c = c.m_next) {
    sballoc(sb, c);
    tail.m_next = c;
    tail = c;
  }
  if (m0 !== null && (m0.m_flags & M_EXT) !== 0 && sb.sb_mbcnt > sb.sb_mbmax >> 2) sbcompact(m0);
  for (let m = m0; m !== null; m = m.m_next) {
    sballoc(sb, m);
    tail.m_next = m;
    tail = m;
  }
  sblinkrecord(sb, name, tail);
}

/**
 * A small packet in a cluster moves into its own mbuf, so that datagrams that queue up do not pin eight times their size. Done only when
 * a quarter of the buffer's memory is used: a receiver that keeps up pays nothing.
 */
function sbcompact(m: Mbuf): void {
  const len = m.m_len;
  if (len > MLEN || m.m_next !== null) return;
  m.m_pool.u8.copyWithin(m.m_dat, m.m_off, m.m_off + len);
  m_ext_release(m);
  m.m_len = len;
}

/** Appends a record of control messages and data. False if there is no room: nothing was taken. */
export function sbappendcontrol(sb: Sockbuf, m0: Mbuf | null, control: Mbuf): boolean {
  let space = 0;
  let last = control;
  for (let c: Mbuf | null = control; c !== null; c = c.m_next) {
    space += c.m_len;
    last = c;
  }
  for (let m = m0; m !== null; m = m.m_next) space += m.m_len;
  if (space > sbspace(sb)) {
    sb.sb_overflowed++;
    sb.sb_so.so_layer.sostat[SOS_RCVFULL]++;
    return false;
  }
  last.m_next = m0;
  let tail = control;
  for (let m: Mbuf | null = control; m !== null; m = m.m_next) {
    sballoc(sb, m);
    tail = m;
  }
  sblinkrecord(sb, control, tail);
  return true;
}

/**
 * Chains m behind n (the last mbuf, or null when sb is empty), copying small pieces together where n has writable room, so that a
 * stream of tiny writes does not become a chain of tiny mbufs. m is taken. hot
 */
export function sbcompress(sb: Sockbuf, m0: Mbuf, n0: Mbuf | null): void {
  let n = n0;
  let m: Mbuf | null = m0;
  let eor = 0;
  while (m !== null) {
    eor |= m.m_flags & M_EOR;
    if (m.m_len === 0 && (eor === 0 || m.m_next !== null || (n !== null && n.m_type === m.m_type))) {
      m = m_free(m);
      continue;
    }
    if (n !== null && sbcanmerge(n, m)) {
      const end = n.m_off + n.m_len;
      n.m_pool.u8.copyWithin(end, m.m_off, m.m_off + m.m_len);
      n.m_len += m.m_len;
      sb.sb_cc += m.m_len;
      m = m_free(m);
      continue;
    }
    const next: Mbuf | null = m.m_next;
    if (n !== null) n.m_next = m;
    else sb.sb_mb = m;
    sb.sb_mbtail = m;
    if (sb.sb_lastrecord === null) sb.sb_lastrecord = m;
    sballoc(sb, m);
    n = m;
    m.m_flags &= ~M_EOR;
    m.m_next = null;
    m = next;
  }
  if (eor !== 0 && n !== null) n.m_flags |= eor;
}

/** hot */
function sbcanmerge(n: Mbuf, m: Mbuf): boolean {
  return (
    m.m_len <= SB_COPYMAX &&
    n.m_type === m.m_type &&
    (n.m_flags & M_EOR) === 0 &&
    m.m_len <= M_TRAILINGSPACE(n) &&
    !M_UNWRITABLE(n)
  );
}
