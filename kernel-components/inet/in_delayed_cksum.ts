/*
 * Checksums that were left to the interface, computed here when the packet must be whole before it gets there: when it is cut into fragments, or copied to ourselves.
 */
import { M_CSUM_DATA, M_CSUM_TCPv4, M_CSUM_UDPv4 } from "../kern/mbuf.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { in_cksum } from "../kern/in_cksum.ts";
import { m_copyback_slab, m_copydata_slab } from "../kern/mbuf_copy.ts";
import { M_UNWRITABLE } from "../kern/mbuf_space.ts";
import { IPPROTO_UDP } from "../wire/in.ts";
import { ip_p } from "../wire/ipv4.ts";
import type { Inet } from "./inet.ts";

/** Offset of the checksum in a UDP header. */
const UH_SUM_OFFSET = 6;
/** Offset of the checksum in a TCP header. */
const TH_SUM_OFFSET = 16;

/**
 * Completes the transport checksum of m, whose field holds the sum of the pseudo-header, if that was left to the interface. Does not consume m.
 *
 * Preconditions: the IP header of hlen bytes is contiguous.
 */
export function in_delayed_cksum(inet: Inet, m: Mbuf, hlen: number): void {
  if ((m.m_csum_flags & (M_CSUM_UDPv4 | M_CSUM_TCPv4 | M_CSUM_DATA)) === 0) return;
  const udp = ip_p(inet.dv, m.m_off) === IPPROTO_UDP;
  let start = hlen;
  let field = hlen + (udp ? UH_SUM_OFFSET : TH_SUM_OFFSET);
  if ((m.m_csum_flags & M_CSUM_DATA) !== 0) {
    start = m.m_csum_start;
    field = start + m.m_csum_offset;
  }
  m.m_csum_flags &= ~(M_CSUM_UDPv4 | M_CSUM_TCPv4 | M_CSUM_DATA);
  // Where the sum belongs is the word of whoever sent it: never into the header, whose lengths have been believed already.
  if (start < hlen || field + 2 > m.m_pkthdr_len) return;
  let sum = in_cksum(inet.k, m, start, m.m_pkthdr_len - start, 0);
  if (udp && sum === 0) sum = 0xffff;
  if (field + 2 <= m.m_len && !M_UNWRITABLE(m)) {
    inet.dv.setUint16(m.m_off + field, sum);
    return;
  }
  inet.dv.setUint16(inet.scratch, sum);
  m_copyback_slab(m, field, 2, inet.scratch);
}

/** Copies `len` bytes at `off` of m to the kernel's scratch area and returns its slab offset, or the place in m if they are contiguous. */
export function m_view(inet: Inet, m: Mbuf, off: number, len: number): number {
  if (off + len <= m.m_len) return m.m_off + off;
  m_copydata_slab(m, off, len, inet.scratch);
  return inet.scratch;
}
