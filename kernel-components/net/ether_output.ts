/*
 * Ethernet output: from a protocol address to a frame.
 */
import { EAFNOSUPPORT, EHOSTDOWN, EHOSTUNREACH, ENETUNREACH, ENOBUFS, EWOULDBLOCK } from "../../hypercall/api/errno.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { M_BCAST, M_COPYALL, M_CSUM_DATA, M_MCAST } from "../kern/mbuf.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import { m_copym } from "../kern/mbuf_copy.ts";
import { m_prepend } from "../kern/mbuf_ops.ts";
import {
  ETHER_BROADCAST_HI,
  ETHER_BROADCAST_LO,
  ETHER_HDR_LEN,
  ETHER_IP_MULTICAST_HI,
  ETHER_IS_BROADCAST,
  ETHER_IS_MULTICAST,
  ETHER_MAP_IP_MULTICAST,
  ETHERTYPE_IP,
  ether_addr_hi,
  ether_addr_lo,
} from "../wire/ether.ts";
import { AF_INET, AF_UNSPEC } from "../wire/sockaddr.ts";
import { if_output_down, if_transmit_lock } from "./if_attach.ts";
import type { Ifnet } from "./if.ts";
import { IFD_OERRORS, IFF_LOOPBACK, IFF_RUNNING, IFF_SIMPLEX, IFF_UP } from "./if_flags.ts";
import { if_offload_missing, if_sw_offload } from "./if_tso_software.ts";
import { looutput } from "./loop.ts";
import { NETS_NOBUF, NETS_OAF, NETS_OREJECT } from "./net.ts";
import { RTF_BLACKHOLE, RTF_GATEWAY, RTF_HOST, RTF_REJECT, type Rtentry } from "./rtentry.ts";

/** Address family for if_output: as AF_UNSPEC, and the source address in net.bpf_hdr is kept. */
export const pseudo_AF_HDRCMPLT = 31;
/** Flags an interface must have to send. */
const IFF_READY: number = IFF_UP | IFF_RUNNING;

/**
 * A packet's route refuses it: drops and counts m. 0 for a blackhole, else EHOSTUNREACH, ENETUNREACH or EHOSTDOWN.
 * Precondition: the route has RTF_REJECT or RTF_BLACKHOLE.
 */
export function rt_reject(ifp: Ifnet, m: Mbuf, rt: Rtentry): number {
  ifp.if_net.netstat[NETS_OREJECT]++;
  if (ifp.if_capture !== null) ifp.if_capture.drop(m, "route_reject");
  m_freem(m);
  if ((rt.rt_flags & RTF_BLACKHOLE) !== 0) return 0;
  if ((ifp.if_flags & IFF_LOOPBACK) === 0) return (rt.rt_flags & RTF_GATEWAY) !== 0 ? EHOSTUNREACH : EHOSTDOWN;
  return (rt.rt_flags & RTF_HOST) !== 0 ? EHOSTUNREACH : ENETUNREACH;
}

/** if_output of Ethernet interfaces. A packet that waits for its neighbour's address counts as sent (0). // hot */
export function ether_output(ifp: Ifnet, m: Mbuf, af: number, dst: number, rt: Rtentry | null): number {
  if ((ifp.if_flags & IFF_READY) !== IFF_READY) return if_output_down(ifp, m);
  if (rt !== null && (rt.rt_flags & (RTF_REJECT | RTF_BLACKHOLE)) !== 0) return rt_reject(ifp, m, rt);
  const net = ifp.if_net;
  if (af !== AF_INET || net.if_af_inet === null) return ether_output_other(ifp, m, af, dst, rt);
  if ((m.m_flags & (M_BCAST | M_MCAST)) !== 0) return ether_output_group(ifp, m, dst);
  const dest = net.lldest;
  const error = net.if_af_inet.resolve(ifp, m, dst, rt, dest);
  if (error !== 0) return error === EWOULDBLOCK ? 0 : error;
  return ether_output_to(ifp, m, dest.mac_hi, dest.mac_lo, ETHERTYPE_IP);
}

/** IPv4 to a broadcast or multicast address: the hardware address follows from it; what we do not hear ourselves is looped back. */
function ether_output_group(ifp: Ifnet, m: Mbuf, dst: number): number {
  if ((m.m_flags & M_BCAST) === 0)
    return ether_output_to(ifp, m, ETHER_IP_MULTICAST_HI, ETHER_MAP_IP_MULTICAST(dst), ETHERTYPE_IP);
  if ((ifp.if_flags & IFF_SIMPLEX) !== 0) {
    const copy = m_copym(m, 0, M_COPYALL);
    if (copy !== null) looutput(ifp, copy, AF_INET, dst, null);
    else ifp.if_net.netstat[NETS_NOBUF]++;
  }
  return ether_output_to(ifp, m, ETHER_BROADCAST_HI, ETHER_BROADCAST_LO, ETHERTYPE_IP);
}

/** Any other address family, and headers that are ready in net.bpf_hdr. */
function ether_output_other(ifp: Ifnet, m: Mbuf, af: number, dst: number, rt: Rtentry | null): number {
  const net = ifp.if_net;
  if (af === AF_UNSPEC || af === pseudo_AF_HDRCMPLT) {
    const h = net.bpf_hdr;
    return ether_send(ifp, m, ether_addr_hi(h), ether_addr_lo(h), (h[12] << 8) | h[13], af === pseudo_AF_HDRCMPLT);
  }
  const ifaf = net.if_af[af] ?? null;
  if (ifaf === null) {
    net.netstat[NETS_OAF]++;
    ifp.if_data[IFD_OERRORS]++;
    m_freem(m);
    return EAFNOSUPPORT;
  }
  const dest = net.lldest;
  const error = ifaf.resolve(ifp, m, dst, rt, dest);
  if (error !== 0) return error === EWOULDBLOCK ? 0 : error;
  return ether_output_to(ifp, m, dest.mac_hi, dest.mac_lo, ifaf.if_ethertype);
}

/**
 * Sends m, without link header, to a hardware address: what resolvers call for packets that waited, and ARP for its own. Consumes m. // hot
 */
export function ether_output_to(ifp: Ifnet, m0: Mbuf, hi: number, lo: number, etype: number): number {
  const m = m_prepend(m0, ETHER_HDR_LEN);
  if (m === null) {
    ifp.if_net.netstat[NETS_NOBUF]++;
    ifp.if_data[IFD_OERRORS]++;
    return ENOBUFS;
  }
  const dv = m.m_pool.dv;
  const off = m.m_off;
  dv.setUint16(off, hi);
  dv.setInt32(off + 2, lo);
  dv.setUint16(off + 6, ifp.if_mac_hi);
  dv.setInt32(off + 8, ifp.if_mac_lo);
  dv.setUint16(off + 12, etype);
  if ((m.m_csum_flags & M_CSUM_DATA) !== 0) m.m_csum_start += ETHER_HDR_LEN;
  if (m.m_hdr_len !== 0) m.m_hdr_len += ETHER_HDR_LEN;
  if ((m.m_gso_size !== 0 || m.m_csum_flags !== 0) && if_offload_missing(ifp, m))
    return if_sw_offload(ifp, m, ETHER_HDR_LEN);
  return if_transmit_lock(ifp, m);
}

/** A frame whose header somebody else made (bpf): M_BCAST and M_MCAST follow from the address; keep_src keeps the source of net.bpf_hdr. */
function ether_send(ifp: Ifnet, m: Mbuf, hi: number, lo: number, etype: number, keep_src: boolean): number {
  if (ETHER_IS_BROADCAST(hi, lo)) m.m_flags |= M_BCAST;
  else if (ETHER_IS_MULTICAST(hi)) m.m_flags |= M_MCAST;
  if (!keep_src) return ether_output_to(ifp, m, hi, lo, etype);
  const mp = m_prepend(m, ETHER_HDR_LEN);
  if (mp === null) {
    ifp.if_net.netstat[NETS_NOBUF]++;
    ifp.if_data[IFD_OERRORS]++;
    return ENOBUFS;
  }
  mp.m_pool.u8.set(ifp.if_net.bpf_hdr, mp.m_off);
  return if_transmit_lock(ifp, mp);
}
