/*
 * IPv4 Address Conflict Detection (RFC 5227): probes before an address is used, announcements after, and defence while it is.
 */
import { callout_reset, callout_stop } from "../kern/callout.ts";
import { printf } from "../kern/console.ts";
import type { Ifnet } from "../net/if.ts";
import { IFF_UP, LINK_STATE_DOWN } from "../net/if_flags.ts";
import { RTM_NEWADDR } from "../net/rtentry.ts";
import { rt_addrmsg } from "../net/rtsock_notify.ts";
import { ether_addr } from "../wire/ether.ts";
import { ether_ntoa } from "../wire/ether_text.ts";
import { inet_ntoa } from "../wire/inet_addr.ts";
import { arp_capable, arprequest } from "./arp_output.ts";
import { arp_rtrequest } from "./arp_rt.ts";
import { in_ia_state } from "./in_ifinit.ts";
import { IN_IFF_DUPLICATED, IN_IFF_TENTATIVE, IN_IFF_TRYTENTATIVE } from "./in_var.ts";
import type { InIfaddr } from "./in_var.ts";
import type { Inet } from "./inet.ts";

/** Times of RFC 5227 §1.1 in ns. PROBE_NUM is net.inet.ip.dad_count. */
const PROBE_WAIT_NS = 1e9;
const PROBE_MIN_NS = 1e9;
const PROBE_MAX_NS = 2e9;
const ANNOUNCE_WAIT_NS = 2e9;
const ANNOUNCE_NUM = 2;
const ANNOUNCE_INTERVAL_NS = 2e9;
const MAX_CONFLICTS = 10;
const RATE_LIMIT_INTERVAL_NS = 60e9;
const DEFEND_INTERVAL_NS = 10e9;

/** An address was given to an interface, or its link is up: probe for it if net.inet.ip.dad_count asks for that, else announce it. */
export function arp_ifinit(inet: Inet, ifp: Ifnet, ia: InIfaddr): void {
  if (!arp_capable(ifp)) return;
  ia.ifa_rtrequest = (req, rt) => arp_rtrequest(inet, req, rt);
  if ((ifp.if_flags & IFF_UP) === 0 || ifp.if_link_state === LINK_STATE_DOWN) {
    in_ia_state(inet, ia, IN_IFF_TRYTENTATIVE, 0);
    return;
  }
  if (inet.ip_dad_count <= 0) {
    in_ia_state(inet, ia, 0, IN_IFF_TENTATIVE | IN_IFF_TRYTENTATIVE | IN_IFF_DUPLICATED);
    arprequest(inet, ifp, ia.ia_addr4, ia.ia_addr4);
    return;
  }
  arp_dad_start(inet, ia);
}

/** Begins to probe: after a random wait, so that hosts that start together do not probe together (RFC 5227 §2.1.1). */
function arp_dad_start(inet: Inet, ia: InIfaddr): void {
  in_ia_state(inet, ia, IN_IFF_TENTATIVE, IN_IFF_TRYTENTATIVE | IN_IFF_DUPLICATED);
  ia.dad_count = inet.ip_dad_count;
  ia.dad_announcing = false;
  const wait = ia.dad_conflicts >= MAX_CONFLICTS ? RATE_LIMIT_INTERVAL_NS : random_ns(inet, 0, PROBE_WAIT_NS);
  callout_reset(ia.dad_timer_ch, wait, (i: InIfaddr) => arp_dad_timer(inet, i), ia);
}

/** Stops: the link is down or the address goes. */
export function arp_dad_stop(ia: InIfaddr): void {
  callout_stop(ia.dad_timer_ch);
  ia.dad_count = 0;
}

function random_ns(inet: Inet, min: number, max: number): number {
  return min + (inet.k.random32() / 2 ** 32) * (max - min);
}

function arp_dad_timer(inet: Inet, ia: InIfaddr): void {
  const again = (i: InIfaddr): void => arp_dad_timer(inet, i);
  if (ia.dad_announcing) {
    if (ia.dad_count === ANNOUNCE_NUM) arp_dad_done(inet, ia);
    ia.dad_count--;
    arprequest(inet, ia.ifa_ifp, ia.ia_addr4, ia.ia_addr4);
    if (ia.dad_count > 0) callout_reset(ia.dad_timer_ch, ANNOUNCE_INTERVAL_NS, again, ia);
    return;
  }
  ia.dad_count--;
  arprequest(inet, ia.ifa_ifp, 0, ia.ia_addr4);
  if (ia.dad_count > 0) {
    callout_reset(ia.dad_timer_ch, random_ns(inet, PROBE_MIN_NS, PROBE_MAX_NS), again, ia);
    return;
  }
  ia.dad_announcing = true;
  ia.dad_count = ANNOUNCE_NUM;
  callout_reset(ia.dad_timer_ch, ANNOUNCE_WAIT_NS, again, ia);
}

/** Nobody objected: the address is ours. */
function arp_dad_done(inet: Inet, ia: InIfaddr): void {
  in_ia_state(inet, ia, 0, IN_IFF_TENTATIVE);
  rt_addrmsg(RTM_NEWADDR, ia);
}

/**
 * Another host with the hardware address hi, lo uses or probes for ia. While probing, the address is given up (RFC 5227 §2.1.1); once in use it is defended, at most
 * every DEFEND_INTERVAL, and kept (RFC 5227 §2.4 (c)): a forged packet must not take it from us.
 */
export function arp_dad_conflict(inet: Inet, ia: InIfaddr, hi: number, lo: number): void {
  const ifp = ia.ifa_ifp;
  const who = ether_ntoa(ether_addr(hi, lo));
  if ((ia.ia_flags & IN_IFF_TENTATIVE) !== 0) {
    ia.dad_conflicts++;
    arp_dad_stop(ia);
    in_ia_state(inet, ia, IN_IFF_DUPLICATED, IN_IFF_TENTATIVE);
    printf(inet.k, `${ifp.if_xname}: DAD duplicate address ${inet_ntoa(ia.ia_addr4)} from ${who}\n`);
    rt_addrmsg(RTM_NEWADDR, ia);
    return;
  }
  if ((ia.ia_flags & IN_IFF_DUPLICATED) !== 0) return;
  const now = inet.k.now_ns;
  if (now - ia.dad_defended_ns < DEFEND_INTERVAL_NS) return;
  ia.dad_defended_ns = now;
  printf(inet.k, `${ifp.if_xname}: duplicate IP address ${inet_ntoa(ia.ia_addr4)} sent from link address ${who}\n`);
  arprequest(inet, ifp, ia.ia_addr4, ia.ia_addr4);
}
