/*
 * From an IPv4 address to a hardware address: the neighbour cache's states on the sending side (RFC 826, RFC 1122 §2.3.2).
 *
 *     (none) --use--> INCOMPLETE --answer--> REACHABLE --keep s--> STALE --prune s--> (none)
 *                     |  ^ use                   ^ use near the end asks again
 *                     +--maxtries, 1 s each--> DOWN --down s--> (none)
 */
import { EHOSTDOWN, EHOSTUNREACH, ENOBUFS, EWOULDBLOCK } from "../../hypercall/api/errno.ts";
import { callout_reset, callout_stop } from "../kern/callout.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import type { Ifnet, LlDest } from "../net/if.ts";
import { IFF_NOARP } from "../net/if_flags.ts";
import { if_output_down } from "../net/if_attach.ts";
import { ether_output_to } from "../net/ether_output.ts";
import { RTF_GATEWAY, RTM_ADD, RTM_CHANGE, RTM_MISS } from "../net/rtentry.ts";
import type { Rtentry } from "../net/rtentry.ts";
import { rt_clonedmsg } from "../net/rtsock_notify.ts";
import { ether_addr, ETHERTYPE_IP } from "../wire/ether.ts";
import { ICMP_UNREACH, ICMP_UNREACH_HOST } from "../wire/icmp.ts";
import { ip_src } from "../wire/ipv4.ts";
import { mk_sockaddr_in } from "../wire/sockaddr.ts";
import { arprequest, arprequest_unicast } from "./arp_output.ts";
import { ARPS_ALLOCFAIL, ARPS_DFRDROPPED, ARPS_DFRSENT, ARPS_DFRTOTAL } from "./arp_stat.ts";
import {
  arp_create,
  arp_drop_held,
  arp_free,
  arp_lookup,
  arp_slot,
  arp_take_held,
  arp_touch,
  arp_uncache,
  LL_DOWN,
  LL_INCOMPLETE,
  LL_REACHABLE,
  LL_STALE,
  LLE_PROXY,
  LLE_STATIC,
} from "./arp_table.ts";
import type { Llentry } from "./arp_table.ts";
import { icmp_error } from "./icmp_error.ts";
import { in_get_ia_on_iface, in_ia_facing } from "./in_ifaddr.ts";
import { IN_IFF_NOTREADY } from "./in_var.ts";
import type { Inet } from "./inet.ts";
import { drop_verdict, m_get_rcvif } from "./ip_drop.ts";

/** Time between requests for one address: "at most one per second per destination" (RFC 1122 §2.3.2.1). */
const ARP_RETRANS_NS = 1e9;

/**
 * Finds the hardware address of dst on ifp: 0 and out, with m still the caller's; else m was consumed: EWOULDBLOCK if it waits for an answer.
 */
// hot
export function arpresolve(inet: Inet, ifp: Ifnet, m: Mbuf, dst: number, rt: Rtentry | null, out: LlDest): number {
  const le = inet.arp.cache[arp_slot(dst, ifp.if_index)];
  if (le !== null && le.ln_addr === dst && le.ln_ifp === ifp && inet.k.now_ns < le.ln_refresh_ns) {
    out.mac_hi = le.ln_hi;
    out.mac_lo = le.ln_lo;
    return 0;
  }
  return arpresolve_slow(inet, ifp, m, dst, rt, out);
}

function arpresolve_slow(inet: Inet, ifp: Ifnet, m: Mbuf, dst: number, rt: Rtentry | null, out: LlDest): number {
  if ((ifp.if_flags & IFF_NOARP) !== 0) return arp_unreachable(inet, m, rt);
  let le = arp_lookup(inet, dst, ifp);
  if (le === null) {
    le = arp_create(inet, dst, ifp);
    if (le === null) {
      inet.arpstat[ARPS_ALLOCFAIL]++;
      drop_verdict(m, "arp: allocfail");
      m_freem(m);
      return ENOBUFS;
    }
    return arp_ask(inet, le, m);
  }
  arp_touch(inet, le);
  if ((le.ln_flags & LLE_PROXY) !== 0) return arp_unreachable(inet, m, rt);
  if (le.ln_state === LL_REACHABLE) {
    out.mac_hi = le.ln_hi;
    out.mac_lo = le.ln_lo;
    if (inet.k.now_ns >= le.ln_refresh_ns) arp_refresh(inet, le, arp_source(inet, m, le));
    inet.arp.cache[arp_slot(dst, ifp.if_index)] = le;
    return 0;
  }
  if (le.ln_state === LL_DOWN) return arp_unreachable(inet, m, rt);
  if (le.ln_state === LL_STALE) return arp_ask(inet, le, m);
  arp_hold(inet, le, m);
  return EWOULDBLOCK;
}

/** The neighbour is known not to answer: drops m and says so, to its sender if it was being forwarded (RFC 1812 §3.3.2). */
function arp_unreachable(inet: Inet, m: Mbuf, rt: Rtentry | null): number {
  arp_drop(inet, m);
  return rt !== null && (rt.rt_flags & RTF_GATEWAY) !== 0 ? EHOSTUNREACH : EHOSTDOWN;
}

/** Drops a packet that will never be sent. */
function arp_drop(inet: Inet, m: Mbuf): void {
  inet.arpstat[ARPS_DFRDROPPED]++;
  drop_verdict(m, "arp: dfrdropped");
  if (m_get_rcvif(m) !== null) icmp_error(inet, m, ICMP_UNREACH, ICMP_UNREACH_HOST, 0, 0);
  else m_freem(m);
}

/** Begins to ask; m waits. */
function arp_ask(inet: Inet, le: Llentry, m: Mbuf): number {
  le.ln_state = LL_INCOMPLETE;
  le.ln_asked = 1;
  const src = arp_source(inet, m, le);
  arp_hold(inet, le, m);
  callout_reset(le.ln_timer_ch, ARP_RETRANS_NS, (e: Llentry) => arptimer(inet, e), le);
  arprequest(inet, le.ln_ifp, src, le.ln_addr);
  return EWOULDBLOCK;
}

/** m waits for the answer; if there are too many, the one that waits longest goes. */
function arp_hold(inet: Inet, le: Llentry, m: Mbuf): void {
  inet.arpstat[ARPS_DFRTOTAL]++;
  m.m_nextpkt = null;
  if (le.ln_hold === null) le.ln_hold = m;
  else {
    let last = le.ln_hold;
    while (last.m_nextpkt !== null) last = last.m_nextpkt;
    last.m_nextpkt = m;
  }
  const t = inet.arp;
  le.ln_numheld++;
  t.nheld++;
  t.holding.add(le);
  while (le.ln_numheld > t.arp_maxhold) {
    const first: Mbuf = le.ln_hold;
    le.ln_hold = first.m_nextpkt!;
    first.m_nextpkt = null;
    le.ln_numheld--;
    t.nheld--;
    inet.arpstat[ARPS_DFRDROPPED]++;
    drop_verdict(first, "arp: dfrdropped");
    m_freem(first);
  }
  // Who asks for every address of a network must not take all memory: what waits longest goes.
  for (const longest of t.holding) {
    if (t.nheld <= t.arp_maxheld) break;
    arp_drop_held(inet, longest);
  }
}

/** The sender's address for a request: that of the packet if it is ours on this interface, else the one that faces the neighbour; 0 if none is usable. */
function arp_source(inet: Inet, m: Mbuf | null, le: Llentry): number {
  if (m !== null && m.m_len >= 20) {
    const ia = in_get_ia_on_iface(ip_src(inet.dv, m.m_off), le.ln_ifp);
    if (ia !== null && (ia.ia_flags & IN_IFF_NOTREADY) === 0) return ia.ia_addr4;
  }
  const ia = in_ia_facing(le.ln_ifp, le.ln_addr);
  return ia === null || (ia.ia_flags & IN_IFF_NOTREADY) !== 0 ? 0 : ia.ia_addr4;
}

/** Asks a neighbour that is still good whether it is, once a second. */
function arp_refresh(inet: Inet, le: Llentry, src: number): void {
  le.ln_refresh_ns = inet.k.now_ns + ARP_RETRANS_NS;
  arprequest_unicast(inet, le.ln_ifp, src, le.ln_addr, le.ln_hi, le.ln_lo);
}

/** The next step of an entry's life. */
function arptimer(inet: Inet, le: Llentry): void {
  const t = inet.arp;
  switch (le.ln_state) {
    case LL_INCOMPLETE:
      if (le.ln_asked < t.arp_maxtries) {
        le.ln_asked++;
        callout_reset(le.ln_timer_ch, ARP_RETRANS_NS, (e: Llentry) => arptimer(inet, e), le);
        return arprequest(inet, le.ln_ifp, arp_source(inet, le.ln_hold, le), le.ln_addr);
      }
      return arp_give_up(inet, le);
    case LL_REACHABLE:
      le.ln_state = LL_STALE;
      arp_uncache(inet, le);
      callout_reset(le.ln_timer_ch, t.arpt_prune * 1e9, (e: Llentry) => arptimer(inet, e), le);
      return;
    default:
      return arp_free(inet, le);
  }
}

/** No answer: what waits is dropped, and the neighbour is left alone for a while. */
function arp_give_up(inet: Inet, le: Llentry): void {
  const src = arp_source(inet, le.ln_hold, le);
  rt_clonedmsg(inet.net, RTM_MISS, mk_sockaddr_in(src), mk_sockaddr_in(le.ln_addr), null, le.ln_ifp);
  let m = arp_take_held(inet, le);
  le.ln_state = LL_DOWN;
  if (inet.arp.arpt_down > 0)
    callout_reset(le.ln_timer_ch, inet.arp.arpt_down * 1e9, (e: Llentry) => arptimer(inet, e), le);
  else arp_free(inet, le);
  while (m !== null) {
    const next: Mbuf | null = m.m_nextpkt;
    m.m_nextpkt = null;
    arp_drop(inet, m);
    m = next;
  }
}

/** The hardware address of a neighbour is known: the entry is good for net.inet.arp.keep seconds, and what waited is sent. */
export function arp_learned(inet: Inet, le: Llentry, hi: number, lo: number): void {
  const known = le.ln_hi !== 0 || le.ln_lo !== 0;
  const changed = le.ln_hi !== hi || le.ln_lo !== lo;
  le.ln_hi = hi;
  le.ln_lo = lo;
  le.ln_asked = 0;
  le.ln_state = LL_REACHABLE;
  const now = inet.k.now_ns;
  if ((le.ln_flags & LLE_STATIC) !== 0) {
    le.ln_expire_ns = Infinity;
    le.ln_refresh_ns = Infinity;
    callout_stop(le.ln_timer_ch);
  } else {
    const keep_ns = inet.arp.arpt_keep * 1e9;
    le.ln_expire_ns = now + keep_ns;
    // An entry that is kept shorter than the refresh time would be asked for at every use: half its life is soon enough.
    le.ln_refresh_ns = now + Math.max(keep_ns / 2, keep_ns - inet.arp.arpt_refresh * 1e9);
    callout_reset(le.ln_timer_ch, keep_ns, (e: Llentry) => arptimer(inet, e), le);
  }
  if (!known || changed) {
    rt_clonedmsg(
      inet.net,
      known ? RTM_CHANGE : RTM_ADD,
      null,
      mk_sockaddr_in(le.ln_addr),
      ether_addr(hi, lo),
      le.ln_ifp,
    );
  }
  arp_send_held(inet, le);
}

/** An entry given by hand expires at ns, or never. */
export function arp_set_expire(inet: Inet, le: Llentry, expire_ns: number): void {
  le.ln_expire_ns = expire_ns;
  le.ln_refresh_ns = expire_ns;
  if (expire_ns !== Infinity)
    callout_reset(le.ln_timer_ch, Math.max(0, expire_ns - inet.k.now_ns), (e: Llentry) => arptimer(inet, e), le);
}

function arp_send_held(inet: Inet, le: Llentry): void {
  let m = arp_take_held(inet, le);
  while (m !== null) {
    const next: Mbuf | null = m.m_nextpkt;
    m.m_nextpkt = null;
    inet.arpstat[ARPS_DFRSENT]++;
    if (if_output_down(le.ln_ifp, m) === 0) ether_output_to(le.ln_ifp, m, le.ln_hi, le.ln_lo, ETHERTYPE_IP);
    m = next;
  }
}
