/*
 * Offload in software, at an egress whose device lacks it: completing checksums, and cutting superframes into segments (TSO, USO).
 *
 * Out, m_csum_flags asks for checksums: M_CSUM_IPv4 the header's; M_CSUM_TCPv4/UDPv4/TCPv6/UDPv6 the transport's, from nothing (what the field holds does
 * not matter); M_CSUM_DATA the sum from m_csum_start on, into a field that holds the pseudo header's sum (virtio). m_gso_type and m_gso_size ask for
 * segments of at most m_gso_size bytes of payload. M_CSUM_OK asks for nothing. A forwarder clears the "verified" flags of input before it sends.
 */
import { EINVAL, ENOBUFS } from "../../hypercall/api/errno.ts";
import { in_cksum } from "../kern/in_cksum.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { M_CSUM_DATA, M_CSUM_IPv4, M_CSUM_TCPv4, M_CSUM_TCPv6, M_CSUM_UDPv4, M_CSUM_UDPv6 } from "../kern/mbuf.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import { m_makewritable } from "../kern/mbuf_copy.ts";
import { m_pullup } from "../kern/mbuf_ops.ts";
import { ip_cksum20 } from "../wire/cksum.ts";
import { if_transmit_lock } from "./if_attach.ts";
import type { Ifnet } from "./if.ts";
import { IFCAP_TSOv4, IFCAP_TSOv6, IFCAP_USOv4, IFD_OERRORS } from "./if_flags.ts";
import { GSO_TCPV4, GSO_TCPV6, GSO_TYPE_MASK, GSO_UDP_L4, gso_segment } from "./gso_segment.ts";
import { NETS_BADGSO, NETS_NOBUF, NETS_SWCSUM, NETS_SWGSO } from "./net.ts";

/** Flags that ask for a checksum. */
const M_CSUM_WANTED: number = M_CSUM_IPv4 | M_CSUM_TCPv4 | M_CSUM_UDPv4 | M_CSUM_TCPv6 | M_CSUM_UDPv6 | M_CSUM_DATA;
/** Flags that a device with any transport checksum offload can do itself when they come as start and offset. */
const M_CSUM_L4: number = M_CSUM_TCPv4 | M_CSUM_UDPv4 | M_CSUM_TCPv6 | M_CSUM_UDPv6;

/** Must something be done in software before this packet can leave by this interface? // hot */
export function if_offload_missing(ifp: Ifnet, m: Mbuf): boolean {
  if (m.m_gso_size !== 0 && !if_can_gso(ifp, m.m_gso_type)) return true;
  const wanted = m.m_csum_flags & M_CSUM_WANTED;
  if (wanted === 0) return false;
  let can = ifp.if_csum_flags_tx;
  if ((can & M_CSUM_L4) !== 0) can |= M_CSUM_DATA;
  return (wanted & ~can) !== 0;
}

/** Has the device the segmentation that a superframe needs? */
function if_can_gso(ifp: Ifnet, type: number): boolean {
  switch (type & GSO_TYPE_MASK) {
    case GSO_TCPV4:
      return (ifp.if_capenable & IFCAP_TSOv4) !== 0;
    case GSO_TCPV6:
      return (ifp.if_capenable & IFCAP_TSOv6) !== 0;
    case GSO_UDP_L4:
      return (ifp.if_capenable & IFCAP_USOv4) !== 0;
    default:
      return false;
  }
}

/** Does what if_offload_missing found, and sends (if_transmit_lock). l2len: bytes of link header. Consumes m. */
export function if_sw_offload(ifp: Ifnet, m: Mbuf, l2len: number): number {
  const net = ifp.if_net;
  if (m.m_gso_size !== 0 && !if_can_gso(ifp, m.m_gso_type)) {
    net.netstat[NETS_SWGSO]++;
    const seg = gso_segment(net.k, m, l2len);
    if (seg.error !== 0) {
      net.netstat[seg.error === EINVAL ? NETS_BADGSO : NETS_NOBUF]++;
      ifp.if_data[IFD_OERRORS]++;
      return seg.error;
    }
    let error = 0;
    for (let s = seg.head; s !== null; ) {
      const next: Mbuf | null = s.m_nextpkt;
      s.m_nextpkt = null;
      const e = if_transmit_lock(ifp, s);
      if (e !== 0) error = e;
      s = next;
    }
    return error;
  }
  net.netstat[NETS_SWCSUM]++;
  const done = m_csum_complete(ifp, m, l2len);
  return done === null ? ENOBUFS : if_transmit_lock(ifp, done);
}

/** Fills in the checksums that m_csum_flags asks for and clears them. Consumes m on failure (null; counted). */
export function m_csum_complete(ifp: Ifnet, m0: Mbuf, l2len: number): Mbuf | null {
  const net = ifp.if_net;
  const flags = m0.m_csum_flags;
  const len = m0.m_pkthdr_len;
  const m = m_makewritable(m0, 0, Math.min(len, l2len + 128));
  if (m === null) {
    net.netstat[NETS_NOBUF]++;
    m_freem(m0);
    return null;
  }
  if ((flags & M_CSUM_DATA) !== 0) return csum_data(ifp, m);
  const v6 = (flags & (M_CSUM_TCPv6 | M_CSUM_UDPv6)) !== 0;
  const hm = m_pullup(m, Math.min(len, l2len + (v6 ? 40 : 20)));
  if (hm === null) {
    net.netstat[NETS_NOBUF]++;
    return null;
  }
  const dv = hm.m_pool.dv;
  const ip = hm.m_off + l2len;
  const hlen = v6 ? 40 : (dv.getUint8(ip) & 15) * 4;
  const udp = (flags & (M_CSUM_UDPv4 | M_CSUM_UDPv6)) !== 0;
  const l4 = (flags & M_CSUM_L4) !== 0;
  const field = l2len + hlen + (udp ? 6 : 16);
  if (hlen < 20 || len < l2len + hlen || (l4 && len < field + 2)) return csum_bad(ifp, hm);
  const hp = m_pullup(hm, l4 ? field + 2 : l2len + hlen);
  if (hp === null) {
    net.netstat[NETS_NOBUF]++;
    return null;
  }
  const at = hp.m_off + l2len;
  if (l4 && !transport_cksum(ifp, hp, l2len, hlen, v6, udp)) return csum_bad(ifp, hp);
  if ((flags & M_CSUM_IPv4) !== 0) {
    dv.setUint16(at + 10, 0);
    dv.setUint16(at + 10, hlen === 20 ? ip_cksum20(dv, at) : ~net.k.slab.cksum(at, hlen) & 0xffff);
  }
  hp.m_csum_flags = 0;
  return hp;
}

function csum_bad(ifp: Ifnet, m: Mbuf): null {
  ifp.if_net.netstat[NETS_BADGSO]++;
  ifp.if_data[IFD_OERRORS]++;
  m_freem(m);
  return null;
}

/** virtio's form: the field holds the pseudo header's sum. */
function csum_data(ifp: Ifnet, m0: Mbuf): Mbuf | null {
  const start = m0.m_csum_start;
  const field = start + m0.m_csum_offset;
  const len = m0.m_pkthdr_len;
  if (start < 0 || m0.m_csum_offset < 0 || field + 2 > len) return csum_bad(ifp, m0);
  const m = m_pullup(m0, field + 2);
  if (m === null) {
    ifp.if_net.netstat[NETS_NOBUF]++;
    return null;
  }
  const sum = in_cksum(ifp.if_net.k, m, start, len - start, 0);
  m.m_pool.dv.setUint16(m.m_off + field, sum === 0 ? 0xffff : sum);
  m.m_csum_flags = 0;
  return m;
}

/** TCP's or UDP's checksum from nothing. The header and the field lie in the first mbuf. False: the lengths in the headers are not those of the packet. */
function transport_cksum(ifp: Ifnet, m: Mbuf, l2len: number, hlen: number, v6: boolean, udp: boolean): boolean {
  const dv = m.m_pool.dv;
  const ip = m.m_off + l2len;
  const off = l2len + hlen;
  const len = (v6 ? dv.getUint16(ip + 4) + 40 : dv.getUint16(ip + 2)) - hlen;
  if (len < 8 || off + len > m.m_pkthdr_len) return false;
  const at = m.m_off + off + (udp ? 6 : 16);
  let pseudo = len + (udp ? 17 : 6);
  for (let n = v6 ? 8 : 12; n < (v6 ? 40 : 20); n += 2) pseudo += dv.getUint16(ip + n);
  dv.setUint16(at, 0);
  const sum = in_cksum(ifp.if_net.k, m, off, len, pseudo);
  dv.setUint16(at, sum === 0 && udp ? 0xffff : sum);
  return true;
}
