/**
 * A received UDP superframe (the host's UDP_SEGMENT) cut into the datagrams it stands for: a socket must see each of them. Payload is shared
 * with the superframe; only headers are copied.
 */
import type { Kernel } from "../../kernel-components/kern/kernel.ts";
import { M_CSUM_DATA, M_CSUM_OK, MHLEN, MT_HEADER, type Mbuf } from "../../kernel-components/kern/mbuf.ts";
import { m_freem, m_gethdr } from "../../kernel-components/kern/mbuf_alloc.ts";
import { m_copym } from "../../kernel-components/kern/mbuf_copy.ts";
import { m_pullup } from "../../kernel-components/kern/mbuf_ops.ts";
import type { Ifnet } from "../../kernel-components/net/if.ts";
import { IFD_IERRORS, IFD_IQDROPS } from "../../kernel-components/net/if_flags.ts";
import { cksum, cksum_pseudo4, cksum_pseudo6, cksum_reduce } from "../../kernel-components/wire/cksum.ts";
import { ETHER_HDR_LEN, ETHERTYPE_IP, ETHERTYPE_IPV6 } from "../../kernel-components/wire/ether.ts";
import { IPPROTO_UDP } from "../../kernel-components/wire/in.ts";
import { ip_dst, ip_hlen, ip_id, ip_set_id, ip_set_len, ip_set_sum, ip_src } from "../../kernel-components/wire/ipv4.ts";
import { uh_set_sum, uh_set_ulen } from "../../kernel-components/wire/udp.ts";

const ETHER_ALIGN = 2;
const ETHER_TYPE = 12;
const UDP_HDRLEN = 8;
const UH_SUM = 6;
const IP6_HDRLEN = 40;
const IP6_PLEN = 4;
const IP6_SRC = 8;
const IP6_DST = 24;

/** Gives each datagram of the superframe to ifp.if_input. Consumes m. */
export function virt_uso_input(k: Kernel, ifp: Ifnet, m0: Mbuf): void {
  const hlen = m0.m_hdr_len;
  const size = m0.m_gso_size;
  const total = m0.m_pkthdr_len;
  const start = m0.m_csum_start;
  const m = hlen <= MHLEN - ETHER_ALIGN ? m_pullup(m0, hlen) : null;
  if (m === null || !uso_sane(k, m, hlen)) {
    ifp.if_data[IFD_IERRORS]++;
    m_freem(hlen <= MHLEN - ETHER_ALIGN ? m : m0);
    return;
  }
  for (let off = hlen, i = 0; off < total; off += size, i++) {
    const n = total - off < size ? total - off : size;
    const d = uso_datagram(k, m, hlen, off, n);
    if (d === null) {
      ifp.if_data[IFD_IQDROPS]++;
      break;
    }
    uso_headers(k.dv, d.m_off, hlen, n, i);
    d.m_csum_flags = M_CSUM_DATA | M_CSUM_OK;
    d.m_csum_start = start;
    d.m_csum_offset = UH_SUM;
    d.m_rcvif = ifp;
    ifp.if_input(ifp, d);
  }
  m_freem(m);
}

/** Whether the headers are those of UDP over IPv4 or IPv6 without extension headers. Preconditions: hlen bytes are contiguous. */
function uso_sane(k: Kernel, m: Mbuf, hlen: number): boolean {
  if (hlen < ETHER_HDR_LEN + UDP_HDRLEN) return false;
  const type = k.dv.getUint16(m.m_off + ETHER_TYPE);
  if (type === ETHERTYPE_IP) return hlen === ETHER_HDR_LEN + ip_hlen(k.dv, m.m_off + ETHER_HDR_LEN) + UDP_HDRLEN;
  return type === ETHERTYPE_IPV6 && hlen === ETHER_HDR_LEN + IP6_HDRLEN + UDP_HDRLEN;
}

/** A packet of a copy of the headers and `n` shared bytes of payload from `off`. */
function uso_datagram(k: Kernel, m: Mbuf, hlen: number, off: number, n: number): Mbuf | null {
  const d = m_gethdr(k.mb, MT_HEADER);
  if (d === null) return null;
  d.m_next = m_copym(m, off, n);
  if (d.m_next === null) {
    m_freem(d);
    return null;
  }
  d.m_off += ETHER_ALIGN;
  k.u8.copyWithin(d.m_off, m.m_off, m.m_off + hlen);
  d.m_len = hlen;
  d.m_pkthdr_len = hlen + n;
  return d;
}

/** Lengths, identification and sums of datagram `i` with `n` bytes of payload. */
function uso_headers(dv: DataView, off: number, hlen: number, n: number, i: number): void {
  const ip = off + ETHER_HDR_LEN;
  const udp = off + hlen - UDP_HDRLEN;
  const ulen = UDP_HDRLEN + n;
  uh_set_ulen(dv, udp, ulen);
  if (dv.getUint16(off + ETHER_TYPE) === ETHERTYPE_IPV6) {
    dv.setUint16(ip + IP6_PLEN, ulen);
    uh_set_sum(dv, udp, cksum_reduce(cksum_pseudo6(dv, ip + IP6_SRC, ip + IP6_DST, IPPROTO_UDP, ulen)));
    return;
  }
  const iphlen = udp - ip;
  ip_set_len(dv, ip, iphlen + ulen);
  ip_set_id(dv, ip, (ip_id(dv, ip) + i) & 0xffff);
  ip_set_sum(dv, ip, 0);
  ip_set_sum(dv, ip, cksum(dv, ip, iphlen));
  uh_set_sum(dv, udp, cksum_reduce(cksum_pseudo4(ip_src(dv, ip), ip_dst(dv, ip), IPPROTO_UDP, ulen)));
}
