/*
 * Cutting a superframe into the packets it stands for: TCP over IPv4 or IPv6, and UDP over IPv4 or IPv6 (USO).
 *
 * Each segment is a header of its own in front of the superframe's payload, which it shares. IPv4: length, identification and header checksum are renewed;
 * TCP: the sequence number moves on, FIN and PSH are left to the last segment, CWR to the first (RFC 3168 §6.1.2); UDP: the length. Transport checksums are
 * computed for every segment.
 */
import { EINVAL, ENOBUFS } from "../../hypercall/api/errno.ts";
import { in_cksum } from "../kern/in_cksum.ts";
import type { Kernel } from "../kern/kernel.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { MT_DATA } from "../kern/mbuf.ts";
import { m_freem, m_gethdr } from "../kern/mbuf_alloc.ts";
import { m_copym } from "../kern/mbuf_copy.ts";
import { MAX_LINKHDR, m_pullup } from "../kern/mbuf_ops.ts";
import { m_copy_pkthdr } from "../kern/mbuf_pkthdr.ts";

/** m_gso_type: none. */
export const GSO_NONE = 0;
/** m_gso_type: TCP over IPv4. */
export const GSO_TCPV4 = 1;
/** m_gso_type: TCP over IPv6. */
export const GSO_TCPV6 = 4;
/** m_gso_type: UDP datagrams (USO). */
export const GSO_UDP_L4 = 5;
/** m_gso_type: flag, the TCP segments carry ECN. */
export const GSO_ECN = 0x80;
/** The bits of m_gso_type without flags. */
export const GSO_TYPE_MASK = 0x7f;
/** Longest headers of a segment: link, IPv4 with options, TCP with options. */
const GSO_MAXHDR = 14 + 4 + 60 + 60;
/** Most segments of one superframe. */
export const GSO_MAXSEGS = 65536;

const TH_FIN_PSH = 0x09;
const TH_CWR = 0x80;

/** What gso_segment gives: the segments, linked by m_nextpkt, or an errno. */
export class GsoResult {
  /** First segment. */
  head: Mbuf | null = null;
  /** 0; EINVAL: the superframe's headers do not fit its type; ENOBUFS. */
  error = 0;
}

/** The headers of a superframe, measured. */
class GsoHeaders {
  /** Link header. */
  l2len = 0;
  /** Link and network header. */
  l3end = 0;
  /** All headers. */
  hlen = 0;
  v6 = false;
  udp = false;
}

/** Cuts m, whose link header has l2len bytes (0 above the link layer). Consumes m. */
export function gso_segment(k: Kernel, m0: Mbuf, l2len: number): GsoResult {
  const res = new GsoResult();
  const h = new GsoHeaders();
  const mss = m0.m_gso_size;
  const m = gso_measure(m0, l2len, h);
  if (m === null) {
    res.error = EINVAL;
    return res;
  }
  const payload = m.m_pkthdr_len - h.hlen;
  if (mss <= 0 || payload < 0 || Math.ceil(payload / mss) > GSO_MAXSEGS) {
    m_freem(m);
    res.error = EINVAL;
    return res;
  }
  let tail: Mbuf | null = null;
  let index = 0;
  for (let off = 0; off < payload || index === 0; off += mss) {
    const n = Math.min(mss, payload - off);
    const seg = gso_one(k, m, h, off, n, index, off + n >= payload);
    if (seg === null) {
      gso_free(res.head);
      m_freem(m);
      res.head = null;
      res.error = ENOBUFS;
      return res;
    }
    if (tail === null) res.head = seg;
    else tail.m_nextpkt = seg;
    tail = seg;
    index++;
  }
  m_freem(m);
  return res;
}

function gso_free(list: Mbuf | null): void {
  for (let m = list; m !== null; ) {
    const next: Mbuf | null = m.m_nextpkt;
    m.m_nextpkt = null;
    m_freem(m);
    m = next;
  }
}

/** Finds the headers and brings them into the first mbuf. Null: they are not those of m_gso_type, or too short; m is freed. */
function gso_measure(m0: Mbuf, l2len: number, h: GsoHeaders): Mbuf | null {
  const type = m0.m_gso_type & GSO_TYPE_MASK;
  const m1 = gso_need(m0, l2len + 20);
  if (m1 === null) return null;
  const version = m1.m_pool.u8[m1.m_off + l2len] >>> 4;
  h.l2len = l2len;
  h.v6 = version === 6;
  h.udp = type === GSO_UDP_L4;
  const known = h.udp || type === (h.v6 ? GSO_TCPV6 : GSO_TCPV4);
  const hlen = h.v6 ? 40 : (m1.m_pool.u8[m1.m_off + l2len] & 15) * 4;
  h.l3end = l2len + hlen;
  if (!known || (version !== 4 && version !== 6) || hlen < 20) {
    m_freem(m1);
    return null;
  }
  const m2 = gso_need(m1, h.l3end + (h.udp ? 8 : 20));
  if (m2 === null) return null;
  const u8 = m2.m_pool.u8;
  const ip = m2.m_off + l2len;
  const proto = u8[ip + (h.v6 ? 6 : 9)];
  const frag = h.v6 ? 0 : m2.m_pool.dv.getUint16(ip + 6) & 0x3fff;
  const l4 = h.udp ? 8 : (u8[m2.m_off + h.l3end + 12] >>> 4) * 4;
  h.hlen = h.l3end + l4;
  if (proto !== (h.udp ? 17 : 6) || frag !== 0 || l4 < (h.udp ? 8 : 20) || h.hlen > GSO_MAXHDR) {
    m_freem(m2);
    return null;
  }
  return gso_need(m2, h.hlen);
}

/** m with its first `len` bytes together; null (m freed) if there are not so many. */
function gso_need(m: Mbuf, len: number): Mbuf | null {
  if (m.m_pkthdr_len < len) {
    m_freem(m);
    return null;
  }
  return m.m_len >= len ? m : m_pullup(m, len);
}

/** One segment: payload bytes [off, off + n). Null: no memory. */
function gso_one(k: Kernel, m: Mbuf, h: GsoHeaders, off: number, n: number, index: number, last: boolean): Mbuf | null {
  const s = m_gethdr(m.m_pool, MT_DATA);
  if (s === null) return null;
  m_copy_pkthdr(s, m);
  s.m_off += MAX_LINKHDR;
  m.m_pool.u8.copyWithin(s.m_off, m.m_off, m.m_off + h.hlen);
  s.m_len = h.hlen;
  s.m_pkthdr_len = h.hlen + n;
  s.m_csum_flags = 0;
  s.m_gso_size = 0;
  s.m_gso_type = 0;
  s.m_hdr_len = 0;
  if (n > 0) {
    s.m_next = m_copym(m, h.hlen + off, n);
    if (s.m_next === null) {
      m_freem(s);
      return null;
    }
  }
  gso_headers(k, s, h, off, n, index, last);
  return s;
}

function gso_headers(k: Kernel, s: Mbuf, h: GsoHeaders, off: number, n: number, index: number, last: boolean): void {
  const dv = s.m_pool.dv;
  const ip = s.m_off + h.l2len;
  const l4 = s.m_off + h.l3end;
  const l4len = h.hlen - h.l3end + n;
  if (h.v6) {
    dv.setUint16(ip + 4, l4len);
  } else {
    dv.setUint16(ip + 2, h.l3end - h.l2len + l4len);
    dv.setUint16(ip + 4, (dv.getUint16(ip + 4) + index) & 0xffff);
    dv.setUint16(ip + 10, 0);
    dv.setUint16(ip + 10, ~k.slab.cksum(ip, h.l3end - h.l2len) & 0xffff);
  }
  if (h.udp) {
    dv.setUint16(l4 + 4, l4len);
  } else {
    dv.setUint32(l4 + 4, (dv.getUint32(l4 + 4) + off) >>> 0);
    let flags = dv.getUint8(l4 + 13);
    if (!last) flags &= ~TH_FIN_PSH;
    if (index > 0) flags &= ~TH_CWR;
    dv.setUint8(l4 + 13, flags);
  }
  const field = l4 + (h.udp ? 6 : 16);
  let pseudo = l4len + (h.udp ? 17 : 6);
  for (let a = h.v6 ? 8 : 12; a < (h.v6 ? 40 : 20); a += 2) pseudo += dv.getUint16(ip + a);
  dv.setUint16(field, 0);
  const sum = in_cksum(k, s, h.l3end, l4len, pseudo);
  dv.setUint16(field, sum === 0 && h.udp ? 0xffff : sum);
}
