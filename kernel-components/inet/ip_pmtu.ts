/*
 * Path MTU discovery (RFC 1191): what an ICMP_UNREACH_NEEDFRAG that was caused by a packet of ours does to the route. The protocols decide whether it was (ports,
 * sequence numbers); only then do they call here.
 */
import type { Net } from "../net/net.ts";
import { rtlookup4 } from "../net/route.ts";
import { rt_expired, rtrequest } from "../net/rtrequest.ts";
import { RtInfo, RTF_DYNAMIC, RTF_GATEWAY, RTF_HOST, RTF_LOCAL, RTF_UP, RTM_ADD } from "../net/rtentry.ts";
import type { Rtentry } from "../net/rtentry.ts";
import { rt_timer_add } from "../net/rt_timer.ts";
import { RTV_MTU } from "../net/rtsock_abi.ts";
import { mk_sockaddr_in } from "../wire/sockaddr.ts";
import { ICPS_BADPMTU, ICPS_PMTUCHG } from "./icmp_stat.ts";
import type { Inet } from "./inet.ts";

/** Common MTUs, for routers that do not say theirs (RFC 1191 §7.1). */
const mtu_table: readonly number[] = [
  65535, 65280, 32000, 17914, 9180, 8166, 4352, 2002, 1492, 1280, 1006, 508, 296, 68,
];

/**
 * A router says that a packet of `len` bytes to dst was too big for a link of `nextmtu` (0: it does not say). True if the route's MTU became smaller. Values below
 * net.inet.ip.minmtu are taken as that, so that nobody can make us send dust.
 */
export function ip_pmtu_update(inet: Inet, dst: number, nextmtu: number, len: number): boolean {
  if (inet.ip_mtudisc === 0) return false;
  let mtu = nextmtu !== 0 ? nextmtu : mtu_below(len);
  if (mtu < inet.ip_minmtu) {
    inet.icmpstat[ICPS_BADPMTU]++;
    mtu = inet.ip_minmtu;
  }
  const rt = pmtu_route(inet, dst);
  if (rt === null) return false;
  const now = rt.rt_rmx.rmx_mtu !== 0 ? rt.rt_rmx.rmx_mtu : rt.rt_ifp.if_mtu;
  if (mtu >= now || (rt.rt_rmx.rmx_locks & RTV_MTU) !== 0) return false;
  rt.rt_rmx.rmx_mtu = mtu;
  inet.icmpstat[ICPS_PMTUCHG]++;
  return true;
}

/** The MTU of a route that somebody else made was learned long ago. */
function pmtu_forget(_net: Net, rt: Rtentry): void {
  if ((rt.rt_rmx.rmx_locks & RTV_MTU) === 0) rt.rt_rmx.rmx_mtu = 0;
}

function mtu_below(len: number): number {
  for (const mtu of mtu_table) if (mtu < len) return mtu;
  return mtu_table[mtu_table.length - 1];
}

/** The host route to dst that may carry an MTU of its own, made if there is none. Null for our own addresses, or if it cannot be made. */
function pmtu_route(inet: Inet, dst: number): Rtentry | null {
  const rt = rtlookup4(inet.net, dst);
  if (rt === null || (rt.rt_flags & RTF_LOCAL) !== 0) return null;
  if ((rt.rt_flags & RTF_HOST) !== 0) {
    // RFC 1191 §6.3: what was learned is forgotten after a while; a route with a timer of its own ends by itself.
    if (rt.rt_timer === null) rt_timer_add(inet.net, rt, pmtu_forget, inet.mtudisc_q);
    return rt;
  }
  const info = new RtInfo();
  info.rti_dst = mk_sockaddr_in(dst);
  info.rti_gateway = rt.rt_gateway;
  info.rti_ifa = rt.rt_ifa;
  info.rti_ifp = rt.rt_ifp;
  info.rti_flags = RTF_UP | RTF_HOST | RTF_DYNAMIC | (rt.rt_flags & RTF_GATEWAY);
  if (rtrequest(inet.net, RTM_ADD, info, null) !== 0) return null;
  const made = rtlookup4(inet.net, dst);
  if (made === null || (made.rt_flags & RTF_HOST) === 0) return null;
  made.rt_rmx.rmx_mtu = rt.rt_rmx.rmx_mtu;
  rt_timer_add(inet.net, made, rt_expired, inet.mtudisc_q);
  return made;
}
