/*
 * The flow cache: the forwarding of plain packets without options, filters, redirects or fragmentation, in one function. An entry remembers that a destination is not
 * ours and which route leads to it; it is good for one generation of the routing table and of our addresses, and everything that is not a plain case is left to
 * ip_input's ordinary way.
 */
import { M_BCAST, M_CSUM_DATA, M_MCAST } from "../kern/mbuf.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { ether_output, ether_output_to } from "../net/ether_output.ts";
import type { Ifnet } from "../net/if.ts";
import { IFF_LOOPBACK, IFF_RUNNING, IFF_UP } from "../net/if_flags.ts";
import type { Rtentry } from "../net/rtentry.ts";
import { RTF_BLACKHOLE, RTF_GATEWAY, RTF_REJECT, RTF_UP } from "../net/rtentry.ts";
import { ETHERTYPE_IP } from "../wire/ether.ts";
import { AF_INET } from "../wire/sockaddr.ts";
import { arp_slot } from "./arp_table.ts";
import type { Inet } from "./inet.ts";
import { in_canforward } from "./in.ts";
import { IPFLOW_MASK } from "./ip_flow_var.ts";
import { IPS_FASTFORWARD, IPS_FORWARD } from "./ip_stat.ts";

/** Slot of a destination. */
// hot
function ipflow_slot(dst: number): number {
  return (dst ^ (dst >>> 8) ^ (dst >>> 16)) & IPFLOW_MASK;
}

/**
 * Forwards m if it is a plain case of a known flow; true if it took (and consumed) it. w2 is the third word of the header (time to live, protocol, checksum).
 *
 * Preconditions: m has a valid header of 20 bytes, contiguous.
 */
// hot
export function ip_flow_forward(inet: Inet, ifp: Ifnet, m: Mbuf, w2: number, src: number, dst: number): boolean {
  const flow = inet.ipflow;
  const slot = ipflow_slot(dst);
  const rt = flow.ipf_rt[slot];
  if (rt === null || flow.ipf_dst[slot] !== dst) return false;
  if (flow.rt_gen !== inet.net.rt_generation || flow.in_gen !== inet.in_gen) {
    ip_flow_flush(inet);
    return false;
  }
  const oifp = rt.rt_ifp;
  const rmx = rt.rt_rmx;
  if (
    oifp === ifp ||
    m.m_pkthdr_len > (rmx.rmx_mtu !== 0 ? rmx.rmx_mtu : oifp.if_mtu) ||
    w2 >>> 24 <= 1 ||
    (m.m_flags & (M_BCAST | M_MCAST)) !== 0 ||
    ((m.m_csum_flags & M_CSUM_DATA) !== 0 && oifp.if_hdrlen === 0) ||
    (oifp.if_flags & IFF_UP) === 0 ||
    inet.net.inet_pfil_hook !== null ||
    !in_canforward(src)
  ) {
    return false;
  }
  // What input verified is not what output asks for; only an unfinished checksum stays unfinished.
  m.m_csum_flags &= M_CSUM_DATA;
  // One word holds time to live and checksum: RFC 1624 §3 (Eqn. 3) for a decrement of the upper byte of ttl:protocol.
  let sum = (w2 & 0xffff) + 0x100;
  sum = (sum & 0xffff) + (sum >>> 16);
  inet.dv.setInt32(m.m_off + 8, ((w2 - 0x1000000) & 0xffff0000) | sum);
  const stat = inet.ipstat;
  stat[IPS_FORWARD]++;
  stat[IPS_FASTFORWARD]++;
  rmx.rmx_pksent++;
  const nexthop = flow.ipf_nexthop[slot];
  const le = inet.arp.cache[arp_slot(nexthop, oifp.if_index)];
  if (
    le !== null &&
    le.ln_addr === nexthop &&
    le.ln_ifp === oifp &&
    inet.k.now_ns < le.ln_refresh_ns &&
    (oifp.if_flags & IFF_RUNNING) !== 0 &&
    oifp.if_output === ether_output
  ) {
    // What ether_output would do, without its way through the tables: the neighbour is known and the route was looked at when the flow was made.
    ether_output_to(oifp, m, le.ln_hi, le.ln_lo, ETHERTYPE_IP);
  } else oifp.if_output(oifp, m, AF_INET, nexthop, rt);
  return true;
}

/** Remembers that packets to dst are forwarded by rt. Called by ip_forward after it has done so once. */
export function ip_flow_create(inet: Inet, dst: number, rt: Rtentry): void {
  if (inet.ip_maxflows === 0) return;
  if ((rt.rt_flags & RTF_UP) === 0 || (rt.rt_flags & (RTF_REJECT | RTF_BLACKHOLE)) !== 0) return;
  if ((rt.rt_ifp.if_flags & IFF_LOOPBACK) !== 0) return;
  const flow = inet.ipflow;
  if (flow.rt_gen !== inet.net.rt_generation || flow.in_gen !== inet.in_gen) ip_flow_flush(inet);
  const slot = ipflow_slot(dst);
  flow.ipf_dst[slot] = dst;
  flow.ipf_nexthop[slot] = (rt.rt_flags & RTF_GATEWAY) !== 0 ? rt.rt_gw4 : dst;
  flow.ipf_rt[slot] = rt;
}

/** Forgets every flow. */
export function ip_flow_flush(inet: Inet): void {
  inet.ipflow.ipf_rt.fill(null);
  inet.ipflow.rt_gen = inet.net.rt_generation;
  inet.ipflow.in_gen = inet.in_gen;
}
