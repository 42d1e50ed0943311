/*
 * Answers to ICMP queries: the query itself, turned round (RFC 1122 §3.2.2.6, §3.2.2.8).
 */
import { M_BCAST, M_MCAST } from "../kern/mbuf.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import { IN_EXPERIMENTAL, IN_MULTICAST, IN_ZERONET } from "../wire/in.ts";
import { IpOptIter, IPOPT_RR, IPOPT_SECURITY, IPOPT_TS, MAX_IPOPTLEN } from "../wire/ip_options.ts";
import {
  ip_dst,
  ip_hlen,
  ip_len,
  ip_set_dst,
  ip_set_off,
  ip_set_src,
  ip_set_ttl,
  ip_src,
  IP_HDRLEN,
  MAXTTL,
} from "../wire/ipv4.ts";
import { icmp_source } from "./icmp_error.ts";
import { ICPS_NOREFLECT, ICPS_OUTHIST, ICPS_REFLECT } from "./icmp_stat.ts";
import type { Inet } from "./inet.ts";
import { m_get_rcvif } from "./ip_drop.ts";
import { ip_output } from "./ip_output.ts";
import { ip_stripoptions } from "./ip_optinsert.ts";
import { ip_srcroute } from "./ip_srcroute.ts";
import { IpOptions } from "./ip_var.ts";

/** Sends m, a query made into an answer, checksum included, back to its source. Consumes m. Preconditions: its IP header is contiguous and writable. */
export function icmp_reflect(inet: Inet, m: Mbuf, type: number): void {
  const dv = inet.dv;
  const o = m.m_off;
  const peer = ip_src(dv, o);
  if (IN_MULTICAST(peer) || IN_EXPERIMENTAL(peer) || IN_ZERONET(peer)) {
    inet.icmpstat[ICPS_NOREFLECT]++;
    return m_freem(m);
  }
  const src = icmp_source(inet, ip_dst(dv, o), m_get_rcvif(m), peer);
  if (src === 0) {
    inet.icmpstat[ICPS_NOREFLECT]++;
    return m_freem(m);
  }
  const opts = ip_hlen(dv, o) > IP_HDRLEN ? icmp_reflect_options(inet, m) : null;
  ip_stripoptions(inet, m);
  ip_set_src(dv, m.m_off, src);
  ip_set_dst(dv, m.m_off, peer);
  ip_set_off(dv, m.m_off, 0);
  ip_set_ttl(dv, m.m_off, MAXTTL);
  m.m_flags &= ~(M_BCAST | M_MCAST);
  m.m_rcvif = null;
  m.m_csum_flags = 0;
  m.m_pkthdr_len = ip_len(dv, m.m_off);
  inet.icmpstat[ICPS_REFLECT]++;
  inet.icmpstat[ICPS_OUTHIST + type]++;
  ip_output(inet, m, opts !== null && opts.ipopt_len > 0 ? opts : null, null, 0, null, null);
}

/** The options of the answer: the source route reversed, and what was recorded on the way here, which the way back goes on with. */
function icmp_reflect_options(inet: Inet, m: Mbuf): IpOptions {
  const out = new IpOptions();
  const route = ip_srcroute(inet);
  if (route !== null) {
    out.ipopt_dst = route.ipopt_dst;
    out.ipopt_list.set(route.ipopt_list);
    out.ipopt_len = route.ipopt_len;
  }
  const it = new IpOptIter();
  it.start(inet.dv, m.m_off);
  while (it.next()) {
    if (it.opt_type !== IPOPT_RR && it.opt_type !== IPOPT_TS && it.opt_type !== IPOPT_SECURITY) continue;
    if (out.ipopt_len + it.opt_len > MAX_IPOPTLEN) break;
    for (let i = 0; i < it.opt_len; i++) out.ipopt_list[out.ipopt_len + i] = inet.u8[it.opt_off + i];
    out.ipopt_len += it.opt_len;
  }
  while ((out.ipopt_len & 3) !== 0) out.ipopt_list[out.ipopt_len++] = 0;
  return out;
}
