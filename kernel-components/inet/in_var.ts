/*
 * The IPv4 address of an interface and the multicast membership of an interface (struct in_ifaddr, struct in_multi).
 */
import { Callout } from "../kern/callout.ts";
import type { Kernel } from "../kern/kernel.ts";
import { Ifaddr } from "../net/if.ts";
import type { Ifnet } from "../net/if.ts";
import { AF_INET, mk_sockaddr_in } from "../wire/sockaddr.ts";

/** ia_flags: being probed for, not usable yet (RFC 5227 §2.1). */
export const IN_IFF_TENTATIVE = 0x01;
/** ia_flags: another host has it; not usable. */
export const IN_IFF_DUPLICATED = 0x02;
/** ia_flags: the link is down; not usable until it is up and has been probed again. */
export const IN_IFF_DETACHED = 0x04;
/** ia_flags: probe once the interface is up. */
export const IN_IFF_TRYTENTATIVE = 0x08;
/** ia_flags that make an address unusable as a source. */
export const IN_IFF_NOTREADY: number = IN_IFF_TENTATIVE | IN_IFF_DUPLICATED;

/** An IPv4 address of an interface. */
export class InIfaddr extends Ifaddr {
  /** The address. */
  ia_addr4 = 0;
  /** Destination of a point-to-point link, 0 if none. */
  ia_dstaddr4 = 0;
  /** Netmask. */
  ia_subnetmask = -1;
  /** Network number: address and mask. */
  ia_subnet = 0;
  /** Broadcast address of the network, 0 if it has none. */
  ia_broadaddr = 0;
  /** IN_IFF_*. */
  ia_flags = 0;
  /** The next address of the same value (on another interface). */
  ia_hash_next: InIfaddr | null = null;
  /** Membership of 224.0.0.1 that the first address of an interface holds. */
  ia_allhosts: InMulti | null = null;
  /** Duplicate address detection: probes or announcements still to be sent. */
  dad_count = 0;
  /** Is the next packet of DAD an announcement? */
  dad_announcing = false;
  /** Time of the last conflict that was defended, in ns; -Infinity if none. */
  dad_defended_ns: number = -Infinity;
  /** Conflicts seen while probing; after MAX_CONFLICTS the next try waits (RFC 5227 §2.1.1). */
  dad_conflicts = 0;
  /** Timer of DAD. */
  readonly dad_timer_ch: Callout;

  constructor(k: Kernel, ifp: Ifnet) {
    super(ifp, mk_sockaddr_in(0));
    this.dad_timer_ch = new Callout(k);
  }
}

/** IGMP state of a membership: no report is pending. */
export const IGMP_IDLE_MEMBER = 0;
/** A report is pending. */
export const IGMP_DELAYING_MEMBER = 1;

/** One interface's membership of one group, shared by the sockets that joined (struct in_multi). */
export class InMulti {
  /** The group. */
  readonly inm_addr: number;
  /** The interface. */
  readonly inm_ifp: Ifnet;
  /** Sockets (and addresses, for 224.0.0.1) that hold the membership. */
  inm_refcount = 1;
  /** IGMP_IDLE_MEMBER or IGMP_DELAYING_MEMBER. */
  inm_state: number = IGMP_IDLE_MEMBER;
  /** Did we send the last report (then leaving is announced, RFC 2236 §3)? */
  inm_last_reporter = false;
  /** Reports of a join still to be sent (RFC 3376 §5.1: robustness variable). */
  inm_reports = 0;
  /** Timer of the next report. */
  readonly inm_timer_ch: Callout;

  constructor(k: Kernel, addr: number, ifp: Ifnet) {
    this.inm_addr = addr;
    this.inm_ifp = ifp;
    this.inm_timer_ch = new Callout(k);
  }
}

/** What IPv4 keeps for an interface, in ifp.if_afdata[AF_INET]. */
export class InIfdata {
  /** Its addresses, the preferred first. */
  readonly ii_addrs: InIfaddr[] = [];
  /** Its memberships, by group. */
  readonly ii_multi: Map<number, InMulti> = new Map();
  /** IGMP version of the querier of the link: 1, 2 or 3 (RFC 3376 §7.2.1). */
  igmp_version = 3;
  /** When a querier of version 1 is forgotten, in ns. */
  igmp_v1_until_ns: number = -Infinity;
  /** When a querier of version 2 is forgotten, in ns. */
  igmp_v2_until_ns: number = -Infinity;
}

/** IPv4's data of an interface; null before it is attached. Only in.ts stores there. */
// hot
export function in_ifdata(ifp: Ifnet): InIfdata | null {
  const d = ifp.if_afdata[AF_INET];
  return d === undefined ? null : (d as InIfdata | null);
}
