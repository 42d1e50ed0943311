// The internet checksum over a chain of mbufs (RFC 1071).
import type { Mbuf } from "./mbuf.ts";

/** What the checksum needs of a kernel. */
export interface CksumSlab {
  /** The slab, which sums a contiguous piece. */
  readonly slab: { cksum(off: number, len: number): number };
}

/**
 * The checksum field's value for `len` bytes from `off` of the packet plus the partial sum `sum0` (such as of a pseudo header):
 * 16 bits, inverted, big endian. Over a packet with a right checksum it is 0. Bytes beyond the end are a panic. hot
 */
export function in_cksum(k: CksumSlab, m: Mbuf, off: number, len: number, sum0: number): number {
  return ~m_cksum(k, m, off, len, sum0) & 0xffff;
}

/** The folded sum of the same bytes, not inverted, for further adding. hot */
export function m_cksum(k: CksumSlab, m: Mbuf, off: number, len: number, sum0: number): number {
  if (off + len <= m.m_len) return fold(sum0 + k.slab.cksum(m.m_off + off, len));
  let sum = sum0;
  let skip = off;
  let left = len;
  let odd = false;
  for (let n: Mbuf | null = m; left > 0; n = n.m_next) {
    if (n === null) {
      m.m_pool.mb_panic(`in_cksum: ${left} bytes beyond the end`);
    }
    if (skip >= n.m_len) {
      skip -= n.m_len;
      continue;
    }
    const c = n.m_len - skip < left ? n.m_len - skip : left;
    const part = k.slab.cksum(n.m_off + skip, c);
    sum += odd ? ((part & 0xff) << 8) | (part >>> 8) : part;
    if ((c & 1) !== 0) odd = !odd;
    left -= c;
    skip = 0;
  }
  return fold(sum);
}

function fold(sum: number): number {
  let s = sum;
  while (s > 0xffff) s = (s & 0xffff) + Math.floor(s / 0x1_0000);
  return s;
}
