/*
 * Checksums that are still open (left to the interface, or left open by another machine's kernel that shares memory with this one), for who shows a packet as it
 * would be on a wire: bpf and captures. The packet itself stays as it is.
 */
import { type CksumSlab, in_cksum } from "../kern/in_cksum.ts";
import {
  M_CSUM_DATA,
  M_CSUM_IPv4,
  M_CSUM_TCPv4,
  M_CSUM_TCPv6,
  M_CSUM_UDPv4,
  M_CSUM_UDPv6,
  type Mbuf,
} from "../kern/mbuf.ts";
import { IPPROTO_TCP, IPPROTO_UDP } from "../wire/in.ts";

const CSUM_UDP: number = M_CSUM_UDPv4 | M_CSUM_UDPv6;
const CSUM_V4: number = M_CSUM_TCPv4 | M_CSUM_UDPv4;
const CSUM_V6: number = M_CSUM_TCPv6 | M_CSUM_UDPv6;
/** All flags that say that something is open. */
const CSUM_OPEN: number = M_CSUM_DATA | M_CSUM_IPv4 | CSUM_V4 | CSUM_V6;
const IP_HDRLEN = 20;
const IP_SUM = 10;
const IP_ADDRS = 12;
const IP6_HDRLEN = 40;
const IP6_ADDRS = 8;
const UH_SUM = 6;
const TH_SUM = 16;

/** The open checksums of one packet: where they are, from its first byte, and what belongs there. */
export class OpenCksum {
  /** Offset of the transport checksum, or -1: it is not open. */
  field = -1;
  /** Its value. */
  sum = 0;
  /** Offset of the IPv4 header's checksum, or -1. */
  ip_field = -1;
  /** Its value. */
  ip_sum = 0;

  /** Looks at m, which begins with a link header of `link` bytes. @returns whether anything is open. Borrows m. */
  find(k: CksumSlab, m: Mbuf, link: number): boolean {
    this.field = -1;
    this.ip_field = -1;
    const flags = m.m_csum_flags & CSUM_OPEN;
    if (flags === 0) return false;
    if ((flags & M_CSUM_DATA) !== 0) this.data(k, m);
    else if ((flags & CSUM_V4) !== 0) this.transport(k, m, flags, link, hlen4(m, link), IP_ADDRS, 4);
    else if ((flags & CSUM_V6) !== 0) this.transport(k, m, flags, link, IP6_HDRLEN, IP6_ADDRS, 16);
    if ((flags & M_CSUM_IPv4) !== 0) this.ip_header(k, m, link);
    return this.field !== -1 || this.ip_field !== -1;
  }

  /** The field holds the sum of the pseudo header. What another kernel said of its place may lie outside: then it stays open. */
  private data(k: CksumSlab, m: Mbuf): void {
    const start = m.m_csum_start;
    const field = start + m.m_csum_offset;
    if (field + 2 > m.m_pkthdr_len) return;
    this.field = field;
    const sum = in_cksum(k, m, start, m.m_pkthdr_len - start, 0);
    this.sum = sum === 0 && m.m_csum_offset === UH_SUM ? 0xffff : sum;
  }

  /** The field may hold the sum of the pseudo header or nothing: it counts as nothing, and the addresses of `size` bytes are summed. */
  private transport(
    k: CksumSlab,
    m: Mbuf,
    flags: number,
    link: number,
    hlen: number,
    addrs: number,
    size: number,
  ): void {
    const udp = (flags & CSUM_UDP) !== 0;
    const start = link + hlen;
    const field = start + (udp ? UH_SUM : TH_SUM);
    const len = m.m_pkthdr_len - start;
    if (hlen < IP_HDRLEN || field + 2 > m.m_pkthdr_len) return;
    let pseudo = (udp ? IPPROTO_UDP : IPPROTO_TCP) + (len & 0xffff) + (len >>> 16);
    for (let i = 0; i < 2 * size; i += 2) pseudo += half(m, link + addrs + i);
    const sum = in_cksum(k, m, start, len, pseudo + (~half(m, field) & 0xffff));
    this.field = field;
    this.sum = udp && sum === 0 ? 0xffff : sum;
  }

  private ip_header(k: CksumSlab, m: Mbuf, link: number): void {
    const hlen = hlen4(m, link);
    if (hlen < IP_HDRLEN || link + hlen > m.m_pkthdr_len) return;
    this.ip_field = link + IP_SUM;
    this.ip_sum = in_cksum(k, m, link, hlen, ~half(m, link + IP_SUM) & 0xffff);
  }
}

function hlen4(m: Mbuf, link: number): number {
  return (byte(m, link) & 15) << 2;
}

function half(m: Mbuf, off: number): number {
  return (byte(m, off) << 8) | byte(m, off + 1);
}

/** The byte at `off` of the packet; 0 outside. */
function byte(m: Mbuf, off: number): number {
  let left = off;
  for (let n: Mbuf | null = m; n !== null; n = n.m_next) {
    if (left < n.m_len) return n.m_pool.u8[n.m_off + left];
    left -= n.m_len;
  }
  return 0;
}
