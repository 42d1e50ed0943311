/*
 * Redirects received (RFC 1122 §3.2.2.2): believed only from the present first hop, for a gateway on the same link, by a host that does not forward; the route they
 * make or change lives for net.inet.icmp.redirtimeout seconds.
 */
import type { Mbuf } from "../kern/mbuf.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import { RtOut, RTF_DYNAMIC, RTF_GATEWAY, RTF_HOST } from "../net/rtentry.ts";
import { rtredirect } from "../net/rtredirect.ts";
import { rt_expired } from "../net/rtrequest.ts";
import { rt_timer_add } from "../net/rt_timer.ts";
import { icmp_code, icmp_gwaddr, ICMP_ADVLENMIN, ICMP_MINLEN } from "../wire/icmp.ts";
import { ip_dst, ip_hlen, ip_src, IP_HDRLEN } from "../wire/ipv4.ts";
import { mk_sockaddr_in } from "../wire/sockaddr.ts";
import { ICPS_BADCODE, ICPS_BADLEN, ICPS_BADREDIRECT, ICPS_REDIRECTS } from "./icmp_stat.ts";
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
  const out = new RtOut();
  const flags = RTF_GATEWAY | RTF_HOST;
  const error = rtredirect(inet.net, mk_sockaddr_in(dst), mk_sockaddr_in(gw), flags, mk_sockaddr_in(src), out);
  if (error !== 0 || out.rt === null) return false;
  out.rt.rt_refcnt--;
  // What somebody else made is not ours to delete.
  if ((out.rt.rt_flags & RTF_DYNAMIC) !== 0) rt_timer_add(inet.net, out.rt, rt_expired, inet.redirect_q);
  return true;
}
