/*
 * The host side of IGMP (RFC 1112, RFC 2236, RFC 3376): reports when a group is joined, left or asked for. Sources are not filtered, so every membership is EXCLUDE {}.
 */
import { callout_reset, callout_stop } from "../kern/callout.ts";
import { MT_HEADER } from "../kern/mbuf.ts";
import { m_gethdr } from "../kern/mbuf_alloc.ts";
import type { Ifnet } from "../net/if.ts";
import { IFF_LOOPBACK, IFF_UP } from "../net/if_flags.ts";
import { cksum } from "../wire/cksum.ts";
import {
  IGMP_CHANGE_TO_EXCLUDE_MODE,
  IGMP_CHANGE_TO_INCLUDE_MODE,
  IGMP_GRPREC_HDRLEN,
  IGMP_HOST_LEAVE_MESSAGE,
  IGMP_MINLEN,
  IGMP_MODE_IS_EXCLUDE,
  igmp_set_cksum,
  igmp_set_code,
  igmp_set_group,
  igmp_set_type,
  igmp_v3_set_ngrec,
  IGMP_v1_HOST_MEMBERSHIP_REPORT,
  IGMP_v2_HOST_MEMBERSHIP_REPORT,
  IGMP_v3_HOST_MEMBERSHIP_REPORT,
} from "../wire/igmp.ts";
import {
  INADDR_ALLHOSTS_GROUP,
  INADDR_ALLRPTS_GROUP,
  INADDR_ALLRTRS_GROUP,
  INADDR_ANY,
  IPPROTO_IGMP,
} from "../wire/in.ts";
import {
  ip_set_dst,
  ip_set_len,
  ip_set_off,
  ip_set_p,
  ip_set_src,
  ip_set_tos,
  ip_set_ttl,
  IP_HDRLEN,
  IPTOS_PREC_INTERNETCONTROL,
} from "../wire/ipv4.ts";
import { IPOPT_RA } from "../wire/ip_options.ts";
import { IGPS_SND_NOMEM, IGPS_SND_REPORTS } from "./igmp_stat.ts";
import { IGMP_DELAYING_MEMBER, IGMP_IDLE_MEMBER, in_ifdata } from "./in_var.ts";
import type { InMulti } from "./in_var.ts";
import type { Inet } from "./inet.ts";
import { ip_output } from "./ip_output.ts";
import { IpMoptions, IpOptions } from "./ip_var.ts";

/** Reports of a change are sent this many times (RFC 3376 §8.1, robustness variable; RFC 2236 §3: "repeated once or twice"). */
const IGMP_ROBUSTNESS = 2;
/** Longest wait before a report of a change is repeated, in ns: RFC 2236 §8.10 (10 s), RFC 3376 §8.11 (1 s). */
const IGMP_V1V2_UNSOLICITED_NS = 10e9;
const IGMP_V3_UNSOLICITED_NS = 1e9;
/** Room before the IP header for a link header. */
const MAX_LINKHDR = 32;

/** Version that the routers of the link speak now (RFC 3376 §7.2.1). */
export function igmp_version(inet: Inet, ifp: Ifnet): number {
  const d = in_ifdata(ifp);
  if (d === null) return 3;
  const now = inet.k.now_ns;
  if (d.igmp_v1_until_ns > now) return 1;
  return d.igmp_v2_until_ns > now ? 2 : 3;
}

/** Does IGMP speak of this group? Not of 224.0.0.1 (RFC 2236 §6), nor on a loopback. */
function igmp_speaks(inm: InMulti): boolean {
  return inm.inm_addr !== INADDR_ALLHOSTS_GROUP && (inm.inm_ifp.if_flags & IFF_LOOPBACK) === 0;
}

/** The group was joined: report it now and again. */
export function igmp_joingroup(inet: Inet, inm: InMulti): void {
  if (!igmp_speaks(inm)) return;
  inm.inm_reports = IGMP_ROBUSTNESS;
  igmp_report_change(inet, inm);
}

/** The group was left: tell the routers, if they may otherwise believe in us (RFC 2236 §3, RFC 3376 §5.1). */
export function igmp_leavegroup(inet: Inet, inm: InMulti): void {
  if (!igmp_speaks(inm) || (inm.inm_ifp.if_flags & IFF_UP) === 0) return;
  const v = igmp_version(inet, inm.inm_ifp);
  if (v === 3) igmp_send_v3(inet, inm, IGMP_CHANGE_TO_INCLUDE_MODE);
  else if (v === 2 && inm.inm_last_reporter) igmp_send(inet, inm, IGMP_HOST_LEAVE_MESSAGE, INADDR_ALLRTRS_GROUP);
}

/** A query asks for the group: answer after a random part of `max_ns`, earlier if that was planned anyway. */
export function igmp_schedule_report(inet: Inet, inm: InMulti, max_ns: number): void {
  if (!igmp_speaks(inm)) return;
  if (inm.inm_state === IGMP_DELAYING_MEMBER && inm.inm_reports === 0) return;
  inm.inm_reports = 0;
  inm.inm_state = IGMP_DELAYING_MEMBER;
  callout_reset(inm.inm_timer_ch, random_ns(inet, max_ns), (m: InMulti) => igmp_timer(inet, m), inm);
}

/** Another member reported the group: we need not (RFC 2236 §3). */
export function igmp_suppress(inm: InMulti): void {
  callout_stop(inm.inm_timer_ch);
  inm.inm_state = IGMP_IDLE_MEMBER;
  inm.inm_reports = 0;
  inm.inm_last_reporter = false;
}

function random_ns(inet: Inet, max_ns: number): number {
  return (inet.k.random32() / 2 ** 32) * max_ns;
}

function igmp_timer(inet: Inet, inm: InMulti): void {
  inm.inm_state = IGMP_IDLE_MEMBER;
  if (inm.inm_reports > 0) return igmp_report_change(inet, inm);
  igmp_send_report(inet, inm, IGMP_MODE_IS_EXCLUDE);
}

function igmp_report_change(inet: Inet, inm: InMulti): void {
  inm.inm_reports--;
  if ((inm.inm_ifp.if_flags & IFF_UP) !== 0) igmp_send_report(inet, inm, IGMP_CHANGE_TO_EXCLUDE_MODE);
  if (inm.inm_reports <= 0) return;
  inm.inm_state = IGMP_DELAYING_MEMBER;
  const max_ns = igmp_version(inet, inm.inm_ifp) === 3 ? IGMP_V3_UNSOLICITED_NS : IGMP_V1V2_UNSOLICITED_NS;
  callout_reset(inm.inm_timer_ch, random_ns(inet, max_ns), (m: InMulti) => igmp_timer(inet, m), inm);
}

function igmp_send_report(inet: Inet, inm: InMulti, v3_type: number): void {
  inm.inm_last_reporter = true;
  const v = igmp_version(inet, inm.inm_ifp);
  if (v === 3) igmp_send_v3(inet, inm, v3_type);
  else igmp_send(inet, inm, v === 1 ? IGMP_v1_HOST_MEMBERSHIP_REPORT : IGMP_v2_HOST_MEMBERSHIP_REPORT, inm.inm_addr);
}

/** A message of version 1 or 2. */
function igmp_send(inet: Inet, inm: InMulti, type: number, dst: number): void {
  igmp_emit_packet(inet, inm, dst, IGMP_MINLEN, type, inm.inm_addr, 0);
}

/** A report of version 3 with one record. */
function igmp_send_v3(inet: Inet, inm: InMulti, record: number): void {
  igmp_emit_packet(
    inet,
    inm,
    INADDR_ALLRPTS_GROUP,
    IGMP_MINLEN + IGMP_GRPREC_HDRLEN,
    IGMP_v3_HOST_MEMBERSHIP_REPORT,
    0,
    record,
  );
}

function igmp_emit_packet(
  inet: Inet,
  inm: InMulti,
  dst: number,
  len: number,
  type: number,
  group: number,
  record: number,
): void {
  const dv = inet.dv;
  const m = m_gethdr(inet.k.mb, MT_HEADER);
  if (m === null) return void inet.igmpstat[IGPS_SND_NOMEM]++;
  m.m_off += MAX_LINKHDR;
  m.m_len = IP_HDRLEN + len;
  m.m_pkthdr_len = m.m_len;
  const ip = m.m_off;
  const ig = ip + IP_HDRLEN;
  igmp_set_type(dv, ig, type);
  igmp_set_code(dv, ig, 0);
  igmp_set_cksum(dv, ig, 0);
  igmp_set_group(dv, ig, group);
  if (record !== 0) {
    igmp_v3_set_ngrec(dv, ig, 1);
    dv.setUint32(ig + IGMP_MINLEN, record * 0x1000000);
    dv.setInt32(ig + IGMP_MINLEN + 4, inm.inm_addr);
  }
  igmp_set_cksum(dv, ig, cksum(dv, ig, len));
  ip_set_tos(dv, ip, IPTOS_PREC_INTERNETCONTROL);
  ip_set_len(dv, ip, m.m_len);
  ip_set_off(dv, ip, 0);
  ip_set_ttl(dv, ip, 1);
  ip_set_p(dv, ip, IPPROTO_IGMP);
  ip_set_src(dv, ip, INADDR_ANY);
  ip_set_dst(dv, ip, dst);
  const imo = new IpMoptions();
  imo.imo_multicast_ifp = inm.inm_ifp;
  imo.imo_multicast_loop = false;
  inet.igmpstat[IGPS_SND_REPORTS]++;
  ip_output(inet, m, router_alert(), null, 0, imo, null);
}

/** The router alert that every IGMP message of version 2 and 3 carries (RFC 2236 §2, RFC 3376 §4). */
function router_alert(): IpOptions {
  const opt = new IpOptions();
  opt.ipopt_list[0] = IPOPT_RA;
  opt.ipopt_list[1] = 4;
  opt.ipopt_len = 4;
  return opt;
}
