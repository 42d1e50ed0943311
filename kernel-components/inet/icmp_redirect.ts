/*
 * Redirects received (RFC 1122 §3.2.2.2): believed only from the present first hop, for a gateway on the same link, by a host that does not forward; the route they
 * make or change lives for net.inet.icmp.redirtimeout seconds.
 */
import type { Mbuf } from "../kern/mbuf.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import { rtlookup4 } from "../net/route.ts";
import { rt_expired, rtrequest } from "../net/rtrequest.ts";
import {
  RtInfo,
  RTF_DYNAMIC,
  RTF_GATEWAY,
  RTF_HOST,
  RTF_MODIFIED,
  RTF_UP,
  RTM_ADD,
  RTM_CHANGE,
  RTM_REDIRECT,
} from "../net/rtentry.ts";
import type { Rtentry } from "../net/rtentry.ts";
import { rt_missmsg } from "../net/rtsock_notify.ts";
import { rt_timer_add } from "../net/rt_timer.ts";
import { icmp_code, icmp_gwaddr, ICMP_ADVLENMIN, ICMP_MINLEN } from "../wire/icmp.ts";
import { ip_dst, ip_hlen, ip_src, IP_HDRLEN } from "../wire/ipv4.ts";
import { mk_sockaddr_in } from "../wire/sockaddr.ts";
import { ICPS_BADCODE, ICPS_BADLEN, ICPS_BADREDIRECT, ICPS_REDIRECTS } from "./icmp_stat.ts";
import { in_get_ia, in_ifwithnet } from "./in_ifaddr.ts";
import type { Inet } from "./inet.ts";
import { drop_verdict } from "./ip_drop.ts";

/** A redirect. False if it was dropped (and m consumed), true if raw sockets may see it too. */
export function icmp_redirect_input(inet: Inet, m: Mbuf, hlen: number, icmplen: number): boolean {
  const dv = inet.dv;
  const ic = m.m_off + hlen;
  if (icmp_code(dv, ic) > 3) return refuse(inet, m, ICPS_BADCODE);
  const q = ic + ICMP_MINLEN;
  if (icmplen < ICMP_ADVLENMIN || ip_hlen(dv, q) < IP_HDRLEN || icmplen < ICMP_MINLEN + ip_hlen(dv, q))
    return refuse(inet, m, ICPS_BADLEN);
  if (inet.icmp_rediraccept === 0 || inet.ip_forwarding !== 0) return refuse(inet, m, ICPS_BADREDIRECT);
  if (!icmp_redirect(inet, ip_dst(dv, q), icmp_gwaddr(dv, ic), ip_src(dv, m.m_off)))
    return refuse(inet, m, ICPS_BADREDIRECT);
  inet.icmpstat[ICPS_REDIRECTS]++;
  return true;
}

function refuse(inet: Inet, m: Mbuf, stat: number): boolean {
  inet.icmpstat[stat]++;
  drop_verdict(m, "icmp: badredirect");
  m_freem(m);
  return false;
}

/** Follows a redirect for dst to gw, sent by src. False if it is not to be believed. */
function icmp_redirect(inet: Inet, dst: number, gw: number, src: number): boolean {
  const rt = rtlookup4(inet.net, dst);
  if (rt === null || (rt.rt_flags & RTF_GATEWAY) === 0 || rt.rt_gw4 !== src) return false;
  const ia = in_ifwithnet(inet, gw);
  if (ia === null || ia.ifa_ifp !== rt.rt_ifp || in_get_ia(inet, gw) !== null) return false;
  const info = new RtInfo();
  info.rti_dst = mk_sockaddr_in(dst);
  info.rti_gateway = mk_sockaddr_in(gw);
  info.rti_ifa = ia;
  info.rti_ifp = ia.ifa_ifp;
  const change = (rt.rt_flags & RTF_HOST) !== 0;
  info.rti_flags = change ? rt.rt_flags | RTF_MODIFIED : RTF_UP | RTF_GATEWAY | RTF_HOST | RTF_DYNAMIC;
  if (rtrequest(inet.net, change ? RTM_CHANGE : RTM_ADD, info, null) !== 0) return false;
  const made = rtlookup4(inet.net, dst);
  if (made !== null && (made.rt_flags & RTF_HOST) !== 0) redirect_done(inet, made, change);
  info.rti_ifaaddr = mk_sockaddr_in(src);
  rt_missmsg(inet.net, RTM_REDIRECT, info, info.rti_flags, 0);
  return true;
}

/** The flags of a route that a redirect made or changed, and the end of one that it made: what somebody else made is not ours to delete. */
function redirect_done(inet: Inet, rt: Rtentry, changed: boolean): void {
  if (changed) rt.rt_flags |= RTF_MODIFIED;
  if ((rt.rt_flags & RTF_DYNAMIC) === 0) return;
  rt_timer_add(inet.net, rt, rt_expired, inet.redirect_q);
}
