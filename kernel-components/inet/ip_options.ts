/*
 * Options of a received packet (RFC 791 §3.1, RFC 1122 §3.2.1.8, RFC 1812 §5.2.4.1): record route, timestamp, source routes (refused unless switched on), router alert.
 */
import { Timespec } from "../../hypercall/api/clock.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { m_makewritable } from "../kern/mbuf_copy.ts";
import { M_UNWRITABLE } from "../kern/mbuf_space.ts";
import type { Ifnet } from "../net/if.ts";
import { rtlookup4 } from "../net/route.ts";
import { RTF_GATEWAY } from "../net/rtentry.ts";
import { cksum } from "../wire/cksum.ts";
import {
  ICMP_PARAMPROB,
  ICMP_UNREACH,
  ICMP_UNREACH_HOST,
  ICMP_UNREACH_NET_PROHIB,
  ICMP_UNREACH_SRCFAIL,
} from "../wire/icmp.ts";
import { IN_MULTICAST } from "../wire/in.ts";
import {
  IpOptIter,
  IPOPT_LSRR,
  IPOPT_MINOFF,
  IPOPT_OFFSET,
  IPOPT_OLEN,
  IPOPT_RR,
  IPOPT_SSRR,
  IPOPT_TS,
  IPOPT_TS_MINOFF,
  IPOPT_TS_PRESPEC,
  IPOPT_TS_TSANDADDR,
  IPOPT_TS_TSONLY,
  ipopt_ptr,
  ipopt_record,
  ipopt_room,
  ipopt_word,
  ipt_flg,
  ipt_oflw,
  ipt_set_oflw,
} from "../wire/ip_options.ts";
import { ip_dst, ip_hlen, ip_set_dst, ip_set_sum } from "../wire/ipv4.ts";
import { icmp_error } from "./icmp_error.ts";
import { in_ia_of_ifp, in_ifwithnet, in_usable_ia } from "./in_ifaddr.ts";
import type { Inet } from "./inet.ts";
import { drop_verdict, ip_drop } from "./ip_drop.ts";
import { ip_forward } from "./ip_forward.ts";
import { ip_srcroute_save } from "./ip_srcroute.ts";
import {
  IPS_BADOPTIONS,
  IPS_BADSRCROUTE,
  IPS_CANTFORWARD,
  IPS_NOROUTE,
  IPS_RCVMEMDROP,
  IPS_SRCROUTE,
  ipstat_names,
} from "./ip_stat.ts";

/** Milliseconds of a day: timestamps count from midnight UT (RFC 791 §3.1). */
const MS_PER_DAY = 86_400_000;

/** What became of one option. */
class OptResult {
  /** Type and code of the ICMP error to send, type 0: none. */
  type = 0;
  code = 0;
  /** Offset of the bad byte in the header, for ICMP_PARAMPROB. */
  pptr = 0;
  /** IPS_* of the drop. */
  reason: number = IPS_BADOPTIONS;
  /** Were bytes of the header changed? */
  changed = false;
  /** Is the packet to be forwarded to a hop of a source route? */
  forward = false;
}

/** Milliseconds since midnight UT, as an n_time: int32. */
export function iptime(inet: Inet): number {
  const ts = new Timespec();
  inet.k.wall(ts);
  return (((ts.sec % 86_400) * 1000 + Math.floor(ts.nsec / 1e6)) % MS_PER_DAY) | 0;
}

/** Handles the options of m. True if m was consumed: dropped, answered with an error, or forwarded along its source route. */
export function ip_dooptions(inet: Inet, ifp: Ifnet, m: Mbuf): boolean {
  const r = new OptResult();
  if (M_UNWRITABLE(m) && m_makewritable(m, 0, ip_hlen(inet.dv, m.m_off)) === null) {
    ip_drop(inet, m, IPS_RCVMEMDROP);
    return true;
  }
  const it = new IpOptIter();
  it.start(inet.dv, m.m_off);
  while (r.type === 0 && it.next()) {
    if (it.opt_type === IPOPT_RR) opt_rr(inet, ifp, m, it, r);
    else if (it.opt_type === IPOPT_TS) opt_ts(inet, ifp, m, it, r);
    else if (it.opt_type === IPOPT_LSRR || it.opt_type === IPOPT_SSRR) opt_srcroute(inet, m, it, r);
  }
  if (it.bad) paramprob(r, it.opt_off + IPOPT_OLEN - m.m_off);
  if (r.changed && r.type === 0) {
    const hlen = ip_hlen(inet.dv, m.m_off);
    ip_set_sum(inet.dv, m.m_off, 0);
    ip_set_sum(inet.dv, m.m_off, cksum(inet.dv, m.m_off, hlen));
  }
  if (r.type !== 0) {
    inet.ipstat[r.reason]++;
    drop_verdict(m, ipstat_names[r.reason]);
    icmp_error(inet, m, r.type, r.code, r.type === ICMP_PARAMPROB ? r.pptr : 0, 0);
    return true;
  }
  if (!r.forward) return false;
  ip_forward(inet, ifp, m, true);
  return true;
}

function paramprob(r: OptResult, pptr: number): void {
  r.type = ICMP_PARAMPROB;
  r.code = 0;
  r.pptr = pptr;
  r.reason = IPS_BADOPTIONS;
}

function fail(r: OptResult, code: number, reason: number): void {
  r.type = ICMP_UNREACH;
  r.code = code;
  r.reason = reason;
}

/** The address that this host records when it handles m: its own destination address, else that of the interface it will leave by; 0 if there is none. */
function recorded_addr(inet: Inet, ifp: Ifnet, dst: number): number {
  const ours = in_usable_ia(inet, dst);
  if (ours !== null) return ours.ia_addr4;
  if (IN_MULTICAST(dst)) return in_ia_of_ifp(ifp)?.ia_addr4 ?? 0;
  const rt = rtlookup4(inet.net, dst);
  const ia = in_ia_of_ifp(rt === null ? ifp : rt.rt_ifp);
  return ia === null ? 0 : ia.ia_addr4;
}

/** Record route (RFC 791 §3.1): when there is no room left, the packet goes on unchanged. */
function opt_rr(inet: Inet, ifp: Ifnet, m: Mbuf, it: IpOptIter, r: OptResult): void {
  const o = it.opt_off;
  const pos = o - m.m_off;
  if (it.opt_len < IPOPT_OFFSET + 1) return paramprob(r, pos + IPOPT_OLEN);
  if (ipopt_ptr(inet.dv, o) < IPOPT_MINOFF) return paramprob(r, pos + IPOPT_OFFSET);
  if (!ipopt_room(inet.dv, o, 4)) return;
  const addr = recorded_addr(inet, ifp, ip_dst(inet.dv, m.m_off));
  if (addr === 0) return fail(r, ICMP_UNREACH_HOST, IPS_NOROUTE);
  ipopt_record(inet.dv, o, addr);
  r.changed = true;
}

/** Timestamp (RFC 791 §3.1, RFC 781): when there is no room left, the overflow counter counts us; when that is full too, the packet is in error. */
function opt_ts(inet: Inet, ifp: Ifnet, m: Mbuf, it: IpOptIter, r: OptResult): void {
  const dv = inet.dv;
  const o = it.opt_off;
  const pos = o - m.m_off;
  if (it.opt_len < 4 || it.opt_len > 40) return paramprob(r, pos + IPOPT_OLEN);
  const ptr = ipopt_ptr(dv, o);
  if (ptr < IPOPT_TS_MINOFF) return paramprob(r, pos + IPOPT_OFFSET);
  if (!ipopt_room(dv, o, 4)) {
    r.changed = true;
    if (ipt_oflw(dv, o) === 15) return paramprob(r, pos + 3);
    return ipt_set_oflw(dv, o, ipt_oflw(dv, o) + 1);
  }
  const flg = ipt_flg(dv, o);
  if (flg === IPOPT_TS_TSANDADDR || flg === IPOPT_TS_PRESPEC) {
    if (!ipopt_room(dv, o, 8)) return paramprob(r, pos + IPOPT_OFFSET);
    if (flg === IPOPT_TS_PRESPEC) {
      if (in_usable_ia(inet, ipopt_word(dv, o)) === null) return;
      dv.setUint8(o + IPOPT_OFFSET, ptr + 4);
    } else {
      const addr = recorded_addr(inet, ifp, ip_dst(dv, m.m_off));
      if (addr === 0) return fail(r, ICMP_UNREACH_HOST, IPS_NOROUTE);
      ipopt_record(dv, o, addr);
    }
  } else if (flg !== IPOPT_TS_TSONLY) return paramprob(r, pos + 3);
  ipopt_record(dv, o, iptime(inet));
  r.changed = true;
}

/** A source route. Refused unless net.inet.ip.allowsrcrt (for us) or forwsrcrt (for others) says otherwise: RFC 6274 §3.13.2.3 advises to drop. */
function opt_srcroute(inet: Inet, m: Mbuf, it: IpOptIter, r: OptResult): void {
  const dv = inet.dv;
  const o = it.opt_off;
  const pos = o - m.m_off;
  if (inet.ip_allowsrcrt === 0) return fail(r, ICMP_UNREACH_NET_PROHIB, IPS_SRCROUTE);
  if (it.opt_len < IPOPT_OFFSET + 1) return paramprob(r, pos + IPOPT_OLEN);
  if (ipopt_ptr(dv, o) < IPOPT_MINOFF) return paramprob(r, pos + IPOPT_OFFSET);
  const dst = ip_dst(dv, m.m_off);
  if (in_usable_ia(inet, dst) === null) {
    // Not a hop of the route: loose passes through as any packet, strict has failed.
    if (it.opt_type === IPOPT_SSRR) fail(r, ICMP_UNREACH_SRCFAIL, IPS_BADSRCROUTE);
    return;
  }
  if (!ipopt_room(dv, o, 4)) return ip_srcroute_save(inet, m, o);
  if (inet.ip_forwsrcrt === 0 || inet.ip_forwarding === 0) return fail(r, ICMP_UNREACH_SRCFAIL, IPS_SRCROUTE);
  const next = ipopt_word(dv, o);
  if (it.opt_type === IPOPT_SSRR && in_ifwithnet(inet, next) === null)
    return fail(r, ICMP_UNREACH_SRCFAIL, IPS_BADSRCROUTE);
  if (IN_MULTICAST(next)) return fail(r, ICMP_UNREACH_SRCFAIL, IPS_CANTFORWARD);
  const rt = rtlookup4(inet.net, next);
  if (rt === null || (it.opt_type === IPOPT_SSRR && (rt.rt_flags & RTF_GATEWAY) !== 0)) {
    return fail(r, ICMP_UNREACH_SRCFAIL, IPS_BADSRCROUTE);
  }
  ip_set_dst(dv, m.m_off, next);
  ipopt_record(dv, o, in_ia_of_ifp(rt.rt_ifp)?.ia_addr4 ?? dst);
  r.changed = true;
  r.forward = in_usable_ia(inet, next) === null;
}
