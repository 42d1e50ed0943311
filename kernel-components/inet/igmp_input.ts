/*
 * IGMP messages received by a host (RFC 2236 §3, RFC 3376 §5.2, §7.2).
 */
import { in_cksum } from "../kern/in_cksum.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import { m_pullup } from "../kern/mbuf_ops.ts";
import type { Ifnet } from "../net/if.ts";
import { IFF_LOOPBACK } from "../net/if_flags.ts";
import {
  igmp_code,
  igmp_decode_exp,
  igmp_group,
  IGMP_HOST_MEMBERSHIP_QUERY,
  IGMP_MINLEN,
  igmp_type,
  IGMP_v1_HOST_MEMBERSHIP_REPORT,
  IGMP_v2_HOST_MEMBERSHIP_REPORT,
  IGMP_V3_QUERY_MINLEN,
} from "../wire/igmp.ts";
import { IN_MULTICAST, INADDR_ALLHOSTS_GROUP } from "../wire/in.ts";
import { ip_dst, ip_len, ip_ttl } from "../wire/ipv4.ts";
import { igmp_schedule_report, igmp_suppress, igmp_version } from "./igmp.ts";
import {
  IGPS_RCV_BADQUERIES,
  IGPS_RCV_BADREPORTS,
  IGPS_RCV_BADSUM,
  IGPS_RCV_BADTTL,
  IGPS_RCV_OURREPORTS,
  IGPS_RCV_QUERIES,
  IGPS_RCV_REPORTS,
  IGPS_RCV_TOOSHORT,
  IGPS_RCV_TOTAL,
  igmpstat_names,
} from "./igmp_stat.ts";
import { in_ifdata } from "./in_var.ts";
import type { Inet } from "./inet.ts";
import { drop_verdict, m_get_rcvif } from "./ip_drop.ts";
import { rip_input } from "./raw_ip.ts";

/** Response time when a version 1 query gives none, in ns (RFC 2236 §4). */
const IGMP_V1_MAX_RESPONSE_NS = 10e9;
/** How long the presence of an older querier is remembered, in ns (RFC 3376 §8.12: robustness x interval + response time, with their defaults). */
const IGMP_OLDER_PRESENT_NS = 260e9;

function igmp_drop(inet: Inet, m: Mbuf, stat: number): void {
  inet.igmpstat[stat]++;
  drop_verdict(m, `igmp: ${igmpstat_names[stat]}`);
  m_freem(m);
}

/** An IGMP message. Consumes m: what is valid goes on to raw sockets. */
export function igmp_input(inet: Inet, m0: Mbuf, hlen: number, proto: number): void {
  inet.igmpstat[IGPS_RCV_TOTAL]++;
  const len = ip_len(inet.dv, m0.m_off) - hlen;
  if (len < IGMP_MINLEN) return igmp_drop(inet, m0, IGPS_RCV_TOOSHORT);
  const want = hlen + Math.min(len, IGMP_V3_QUERY_MINLEN);
  const m = m0.m_len < want ? m_pullup(m0, want) : m0;
  if (m === null) return void inet.igmpstat[IGPS_RCV_TOOSHORT]++;
  if (in_cksum(inet.k, m, hlen, len, 0) !== 0) return igmp_drop(inet, m, IGPS_RCV_BADSUM);
  const ifp = m_get_rcvif(m);
  const type = igmp_type(inet.dv, m.m_off + hlen);
  let bad = -1;
  if (ifp !== null && (ifp.if_flags & IFF_LOOPBACK) === 0) {
    if (type === IGMP_HOST_MEMBERSHIP_QUERY) bad = igmp_query(inet, m, ifp, hlen, len);
    else if (type === IGMP_v1_HOST_MEMBERSHIP_REPORT || type === IGMP_v2_HOST_MEMBERSHIP_REPORT)
      bad = igmp_report(inet, m, ifp, hlen);
  }
  if (bad >= 0) return igmp_drop(inet, m, bad);
  rip_input(inet, m, hlen, proto);
}

/** A query; the counter of what is wrong with it, or -1. */
function igmp_query(inet: Inet, m: Mbuf, ifp: Ifnet, hlen: number, len: number): number {
  const dv = inet.dv;
  const ig = m.m_off + hlen;
  const d = in_ifdata(ifp);
  inet.igmpstat[IGPS_RCV_QUERIES]++;
  if (ip_ttl(dv, m.m_off) !== 1) return IGPS_RCV_BADTTL;
  const group = igmp_group(dv, ig);
  const v3 = len >= IGMP_V3_QUERY_MINLEN;
  const code = igmp_code(dv, ig);
  const v1 = !v3 && code === 0;
  if (d === null || (group !== 0 && (!IN_MULTICAST(group) || v1)) || (!v3 && len !== IGMP_MINLEN))
    return IGPS_RCV_BADQUERIES;
  if (
    ip_dst(dv, m.m_off) !== (group === 0 ? INADDR_ALLHOSTS_GROUP : group) &&
    ip_dst(dv, m.m_off) !== INADDR_ALLHOSTS_GROUP
  ) {
    return IGPS_RCV_BADQUERIES;
  }
  const now = inet.k.now_ns;
  if (v1) d.igmp_v1_until_ns = now + IGMP_OLDER_PRESENT_NS;
  else if (!v3) d.igmp_v2_until_ns = now + IGMP_OLDER_PRESENT_NS;
  const tenths = v3 ? igmp_decode_exp(code) : code;
  const max_ns = v1 ? IGMP_V1_MAX_RESPONSE_NS : Math.max(1, tenths) * 1e8;
  for (const inm of d.ii_multi.values())
    if (group === 0 || inm.inm_addr === group) igmp_schedule_report(inet, inm, max_ns);
  return -1;
}

/** A report of another member; the counter of what is wrong with it, or -1. */
function igmp_report(inet: Inet, m: Mbuf, ifp: Ifnet, hlen: number): number {
  inet.igmpstat[IGPS_RCV_REPORTS]++;
  const group = igmp_group(inet.dv, m.m_off + hlen);
  if (!IN_MULTICAST(group) || ip_dst(inet.dv, m.m_off) !== group) return IGPS_RCV_BADREPORTS;
  const inm = in_ifdata(ifp)?.ii_multi.get(group);
  if (inm === undefined) return -1;
  inet.igmpstat[IGPS_RCV_OURREPORTS]++;
  // A version 3 host reports for itself (RFC 3376 §5.2): others' reports do not silence it.
  if (igmp_version(inet, ifp) < 3) igmp_suppress(inm);
  return -1;
}
