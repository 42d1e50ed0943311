/*
 * IPv4 forwarding (RFC 1812 §5.2): the ordinary way, with redirects and errors. What is plain is remembered in the flow cache, which serves the packets that follow.
 */
import { M_BCAST, M_CSUM_DATA, M_MCAST } from "../kern/mbuf.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import { m_dup } from "../kern/mbuf_copy.ts";
import type { Ifnet } from "../net/if.ts";
import { IFF_UP } from "../net/if_flags.ts";
import { rtlookup4 } from "../net/route.ts";
import { RTF_BLACKHOLE, RTF_DYNAMIC, RTF_GATEWAY, RTF_HOST, RTF_MODIFIED, RTF_REJECT } from "../net/rtentry.ts";
import type { Rtentry } from "../net/rtentry.ts";
import {
  ICMP_REDIRECT,
  ICMP_REDIRECT_HOST,
  ICMP_TIMXCEED,
  ICMP_TIMXCEED_INTRANS,
  ICMP_UNREACH,
  ICMP_UNREACH_HOST,
  ICMP_UNREACH_NEEDFRAG,
  ICMP_UNREACH_NET,
  ICMP_UNREACH_SRCFAIL,
} from "../wire/icmp.ts";
import { ip_decrement_ttl, ip_dst, ip_hlen, ip_off, ip_src, ip_ttl, IP_DF, IPTTLDEC } from "../wire/ipv4.ts";
import { icmp_error } from "./icmp_error.ts";
import { in_canforward } from "./in.ts";
import { in_broadcast, in_ia_of_ifp } from "./in_ifaddr.ts";
import type { Inet } from "./inet.ts";
import { drop_verdict, ip_drop } from "./ip_drop.ts";
import { ip_flow_create } from "./ip_flow.ts";
import { ip_output } from "./ip_output.ts";
import {
  IPS_CANTFORWARD,
  IPS_CANTFRAG,
  IPS_DIRBCAST,
  IPS_FORWARD,
  IPS_REDIRECTSENT,
  IPS_RTREJECT,
  IPS_TTLEXPIRED,
  ipstat_names,
} from "./ip_stat.ts";
import { IP_ALLOWBROADCAST, IP_FORWARDING } from "./ip_var.ts";

/** Bytes of a packet that a redirect needs to quote it. */
const REDIRECT_QUOTE = 68;

/**
 * Forwards m, received on ifp. Consumes m. srcrt: the next hop comes from a source route, so no redirect is sent.
 *
 * Preconditions: the header is valid and contiguous, its checksum right.
 */
export function ip_forward(inet: Inet, ifp: Ifnet, m: Mbuf, srcrt: boolean): void {
  const dv = inet.dv;
  const dst = ip_dst(dv, m.m_off);
  if ((m.m_flags & (M_BCAST | M_MCAST)) !== 0 || !in_canforward(dst) || !in_canforward(ip_src(dv, m.m_off))) {
    return ip_drop(inet, m, IPS_CANTFORWARD);
  }
  if (ip_ttl(dv, m.m_off) <= IPTTLDEC) {
    return ip_forward_error(inet, m, IPS_TTLEXPIRED, ICMP_TIMXCEED, ICMP_TIMXCEED_INTRANS, 0);
  }
  const rt = rtlookup4(inet.net, dst);
  if (rt === null)
    return ip_forward_error(inet, m, IPS_CANTFORWARD, ICMP_UNREACH, srcrt ? ICMP_UNREACH_SRCFAIL : ICMP_UNREACH_NET, 0);
  if ((rt.rt_flags & RTF_BLACKHOLE) !== 0) return ip_drop(inet, m, IPS_RTREJECT);
  if ((rt.rt_flags & RTF_REJECT) !== 0) {
    return ip_forward_error(
      inet,
      m,
      IPS_RTREJECT,
      ICMP_UNREACH,
      (rt.rt_flags & RTF_HOST) !== 0 ? ICMP_UNREACH_HOST : ICMP_UNREACH_NET,
      0,
    );
  }
  const oifp = rt.rt_ifp;
  if ((oifp.if_flags & IFF_UP) === 0)
    return ip_forward_error(inet, m, IPS_CANTFORWARD, ICMP_UNREACH, ICMP_UNREACH_HOST, 0);
  const bcast = (rt.rt_flags & RTF_GATEWAY) === 0 && in_broadcast(dst, oifp);
  if (bcast && inet.ip_directedbcast === 0) return ip_drop(inet, m, IPS_DIRBCAST);
  const mtu = rt.rt_rmx.rmx_mtu !== 0 ? rt.rt_rmx.rmx_mtu : oifp.if_mtu;
  const fits = m.m_pkthdr_len <= mtu || (m.m_gso_type !== 0 && m.m_gso_size + m.m_hdr_len <= mtu);
  if (!fits && (ip_off(dv, m.m_off) & IP_DF) !== 0) {
    return ip_forward_error(inet, m, IPS_CANTFRAG, ICMP_UNREACH, ICMP_UNREACH_NEEDFRAG, mtu);
  }
  if (oifp === ifp && !srcrt && inet.ip_sendredirects !== 0) ip_forward_redirect(inet, m, ifp, rt, dst);
  const plain = fits && !bcast && !srcrt && oifp !== ifp && ip_hlen(dv, m.m_off) === 20;
  m.m_csum_flags &= M_CSUM_DATA;
  ip_decrement_ttl(dv, m.m_off);
  inet.ipstat[IPS_FORWARD]++;
  if (plain) ip_flow_create(inet, dst, rt);
  ip_output(inet, m, null, rt, IP_FORWARDING | IP_ALLOWBROADCAST, null, null);
}

/** Drops m for `reason` and tells its sender. Consumes m. */
function ip_forward_error(inet: Inet, m: Mbuf, reason: number, type: number, code: number, mtu: number): void {
  inet.ipstat[reason]++;
  drop_verdict(m, ipstat_names[reason]);
  icmp_error(inet, m, type, code, 0, mtu);
}

/**
 * Tells the sender of a better first hop, if it is on the same network as that hop (RFC 1812 §5.2.7.2). Not for routes that redirects made themselves. The packet
 * goes on; what the redirect quotes is a copy.
 */
function ip_forward_redirect(inet: Inet, m: Mbuf, ifp: Ifnet, rt: Rtentry, dst: number): void {
  if ((rt.rt_flags & (RTF_DYNAMIC | RTF_MODIFIED)) !== 0) return;
  const ia = in_ia_of_ifp(ifp);
  if (ia === null || (ip_src(inet.dv, m.m_off) & ia.ia_subnetmask) !== ia.ia_subnet) return;
  const gw = (rt.rt_flags & RTF_GATEWAY) !== 0 ? rt.rt_gw4 : dst;
  if ((gw & ia.ia_subnetmask) !== ia.ia_subnet) return;
  const quote = m_dup(
    m,
    0,
    Math.min(m.m_pkthdr_len, Math.max(REDIRECT_QUOTE, ip_hlen(inet.dv, m.m_off) + inet.icmpreturndatabytes)),
  );
  if (quote === null) return;
  if (quote.m_len < ip_hlen(inet.dv, m.m_off)) return m_freem(quote);
  inet.ipstat[IPS_REDIRECTSENT]++;
  icmp_error(inet, quote, ICMP_REDIRECT, ICMP_REDIRECT_HOST, gw, 0);
}
