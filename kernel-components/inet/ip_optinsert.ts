/*
 * Putting options into the header of a packet (RFC 791 §3.1).
 */
import type { Mbuf } from "../kern/mbuf.ts";
import { m_prepend, m_pullup } from "../kern/mbuf_ops.ts";
import { ip_len, ip_set_dst, ip_set_len, IP_HDRLEN, IP_MAXPACKET } from "../wire/ipv4.ts";
import type { Inet } from "./inet.ts";
import type { IpOptions } from "./ip_var.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";

/**
 * Puts `opt` behind the fixed header of m and adjusts ip_len; of a source route the first hop becomes the destination. Gives the packet, or null if there was no
 * memory or no room (m is freed then).
 */
export function ip_insertoptions(inet: Inet, m0: Mbuf, opt: IpOptions): Mbuf | null {
  const n = opt.ipopt_len;
  const len = ip_len(inet.dv, m0.m_off);
  if (len + n > IP_MAXPACKET) {
    m_freem(m0);
    return null;
  }
  const grown = m_prepend(m0, n);
  if (grown === null) return null;
  const m = m_pullup(grown, IP_HDRLEN + n);
  if (m === null) return null;
  inet.u8.copyWithin(m.m_off, m.m_off + n, m.m_off + n + IP_HDRLEN);
  for (let i = 0; i < n; i++) inet.u8[m.m_off + IP_HDRLEN + i] = opt.ipopt_list[i];
  if (opt.ipopt_dst !== 0) ip_set_dst(inet.dv, m.m_off, opt.ipopt_dst);
  ip_set_len(inet.dv, m.m_off, len + n);
  // Checksum and segmentation metadata count from the packet's first byte.
  m.m_csum_start += m.m_csum_start !== 0 ? n : 0;
  m.m_hdr_len += m.m_hdr_len !== 0 ? n : 0;
  return m;
}

/** Takes the options out of the header of m (whose bytes are contiguous) in place; ip_len and the header length follow. Does not consume m. */
export function ip_stripoptions(inet: Inet, m: Mbuf): void {
  const off = m.m_off;
  const n = ((inet.dv.getUint8(off) & 15) << 2) - IP_HDRLEN;
  if (n <= 0) return;
  inet.u8.copyWithin(off + n, off, off + IP_HDRLEN);
  m.m_off += n;
  m.m_len -= n;
  m.m_pkthdr_len -= n;
  inet.dv.setUint8(m.m_off, 0x45);
  ip_set_len(inet.dv, m.m_off, ip_len(inet.dv, m.m_off) - n);
}
