/*
 * Giving an interface an IPv4 address and taking it away: hash, order, routes, the all-hosts group, duplicate address detection.
 */
import { EEXIST, ENOTTY } from "../../hypercall/api/errno.ts";
import { callout_destroy, callout_stop } from "../kern/callout.ts";
import { ifa_insert, ifa_remove } from "../net/if_attach.ts";
import type { Ifnet } from "../net/if.ts";
import { IFA_ROUTE } from "../net/if.ts";
import { ifreq_addr, SIOCINITIFADDR } from "../net/if_abi.ts";
import {
  IFF_BROADCAST,
  IFF_LOOPBACK,
  IFF_MULTICAST,
  IFF_POINTOPOINT,
  IFF_UP,
  LINK_STATE_DOWN,
} from "../net/if_flags.ts";
import { if_up } from "../net/if_link.ts";
import { rt_ifa_addlocal, rt_ifa_remlocal, rt_purge_ifa, rtinit } from "../net/rtrequest.ts";
import { RTF_CONNECTED, RTF_HOST, RTF_UP, RTM_ADD, RTM_DELETE } from "../net/rtentry.ts";
import { INADDR_ALLHOSTS_GROUP } from "../wire/in.ts";
import { AF_INET, mk_sockaddr_in } from "../wire/sockaddr.ts";
import { arp_ia_purge } from "./arp_table.ts";
import { in_addmulti, in_delmulti, InMultiOut } from "./in_multi.ts";
import { IN_IFF_DETACHED, in_ifdata, InIfaddr, InIfdata } from "./in_var.ts";
import type { Inet } from "./inet.ts";
import { ip_flow_flush } from "./ip_flow.ts";

/** IPv4's data of an interface, made if it is not there. */
export function in_domifattach(ifp: Ifnet): InIfdata {
  const old = in_ifdata(ifp);
  if (old !== null) return old;
  const d = new InIfdata();
  for (let af = ifp.if_afdata.length; af < AF_INET; af++) ifp.if_afdata[af] = null;
  ifp.if_afdata[AF_INET] = d;
  return d;
}

/** Something about our addresses changed: forget what was concluded from them. */
export function in_gen_bump(inet: Inet): void {
  inet.in_gen = (inet.in_gen + 1) | 0;
  ip_flow_flush(inet);
}

/** A new address object, in no list yet. */
export function in_ifaddr_alloc(inet: Inet, ifp: Ifnet): InIfaddr {
  return new InIfaddr(inet.k, ifp);
}

/** Is the prefix of this address reached by a host route (no network behind it)? */
function in_is_host(ia: InIfaddr): boolean {
  return (ia.ifa_ifp.if_flags & (IFF_LOOPBACK | IFF_POINTOPOINT)) !== 0 || ia.ia_subnetmask === -1;
}

/**
 * Sets the address, mask and destination of ia, which is new (in no list) or was scrubbed before, and makes everything that follows from them. Brings the interface up
 * if it was down. Returns the errno of the driver or the routing table; then ia is as before it was given.
 */
export function in_ifinit(inet: Inet, ifp: Ifnet, ia: InIfaddr, addr: number, mask: number, dst: number): number {
  const d = in_domifattach(ifp);
  ia.ia_addr4 = addr;
  ia.ia_subnetmask = mask;
  ia.ia_subnet = addr & mask;
  ia.ifa_addr = mk_sockaddr_in(addr);
  ia.ifa_netmask = in_sockmask(mask);
  if ((ifp.if_flags & IFF_BROADCAST) !== 0) ia.ia_broadaddr = dst !== 0 ? dst : ia.ia_subnet | ~mask;
  else if ((ifp.if_flags & IFF_LOOPBACK) !== 0) ia.ia_dstaddr4 = addr;
  else ia.ia_dstaddr4 = dst;
  ia.ifa_dstaddr = in_dstaddr(ia);
  d.ii_addrs.push(ia);
  inet.in_ifaddrhead.push(ia);
  ifa_insert(ifp, ia);
  in_hash_insert(inet, ia);
  in_gen_bump(inet);
  const was_up = (ifp.if_flags & IFF_UP) !== 0;
  const error = ifp.if_ioctl(ifp, SIOCINITIFADDR, ifreq_addr(ifp.if_xname, ia.ifa_addr));
  if (error !== 0 && error !== ENOTTY) {
    in_unlist(inet, ia);
    return error;
  }
  if (!was_up && (ifp.if_flags & IFF_UP) !== 0) if_up(ifp);
  const rt_error = in_addprefix(inet, ia);
  if (rt_error !== 0) {
    in_unlist(inet, ia);
    return rt_error;
  }
  if (ifp.if_link_state === LINK_STATE_DOWN) ia.ia_flags |= IN_IFF_DETACHED;
  rt_ifa_addlocal(ia);
  in_join_allhosts(inet, ifp, ia);
  if (inet.arp_ifinit !== null && (ia.ia_flags & IN_IFF_DETACHED) === 0) inet.arp_ifinit(ifp, ia);
  return 0;
}

/** The sockaddr of a mask. */
export function in_sockmask(mask: number): Uint8Array {
  return mk_sockaddr_in(mask);
}

/** The other end or the broadcast address as a sockaddr, null if there is neither. */
function in_dstaddr(ia: InIfaddr): Uint8Array | null {
  const f = ia.ifa_ifp.if_flags;
  if ((f & IFF_BROADCAST) !== 0) return mk_sockaddr_in(ia.ia_broadaddr);
  return ia.ia_dstaddr4 !== 0 ? mk_sockaddr_in(ia.ia_dstaddr4) : null;
}

/** The first address of an interface joins 224.0.0.1 (RFC 1112 §7.2). */
function in_join_allhosts(inet: Inet, ifp: Ifnet, ia: InIfaddr): void {
  if ((ifp.if_flags & IFF_MULTICAST) === 0) return;
  for (const other of in_domifattach(ifp).ii_addrs) if (other.ia_allhosts !== null) return;
  const out = new InMultiOut();
  if (in_addmulti(inet, INADDR_ALLHOSTS_GROUP, ifp, out) === 0) ia.ia_allhosts = out.inm;
}

/** Takes an address away: its routes go to another address of the same prefix if there is one. The object is of no use afterwards. */
export function in_purgeaddr(inet: Inet, ia: InIfaddr): void {
  const ifp = ia.ifa_ifp;
  callout_stop(ia.dad_timer_ch);
  arp_ia_purge(inet, ia);
  in_unlist(inet, ia);
  in_scrubprefix(inet, ia);
  rt_ifa_remlocal(ia, inet.in_ifaddrhash.get(ia.ia_addr4) ?? null);
  rt_purge_ifa(inet.net, ia);
  const inm = ia.ia_allhosts;
  ia.ia_allhosts = null;
  if (inm !== null) {
    const heir = in_ifdata(ifp)?.ii_addrs[0];
    if (heir !== undefined) heir.ia_allhosts = inm;
    else in_delmulti(inet, inm);
  }
  callout_destroy(ia.dad_timer_ch);
}

/** Takes ia out of every list. */
function in_unlist(inet: Inet, ia: InIfaddr): void {
  const d = in_ifdata(ia.ifa_ifp);
  if (d !== null) list_remove(d.ii_addrs, ia);
  list_remove(inet.in_ifaddrhead, ia);
  ifa_remove(ia.ifa_ifp, ia);
  in_hash_remove(inet, ia);
  in_gen_bump(inet);
}

function list_remove(list: InIfaddr[], ia: InIfaddr): void {
  const at = list.indexOf(ia);
  if (at >= 0) list.splice(at, 1);
}

function in_hash_insert(inet: Inet, ia: InIfaddr): void {
  ia.ia_hash_next = inet.in_ifaddrhash.get(ia.ia_addr4) ?? null;
  inet.in_ifaddrhash.set(ia.ia_addr4, ia);
}

function in_hash_remove(inet: Inet, ia: InIfaddr): void {
  const first = inet.in_ifaddrhash.get(ia.ia_addr4);
  if (first === ia) {
    if (ia.ia_hash_next === null) inet.in_ifaddrhash.delete(ia.ia_addr4);
    else inet.in_ifaddrhash.set(ia.ia_addr4, ia.ia_hash_next);
  } else {
    for (let p: InIfaddr | null = first ?? null; p !== null; p = p.ia_hash_next)
      if (p.ia_hash_next === ia) p.ia_hash_next = ia.ia_hash_next;
  }
  ia.ia_hash_next = null;
}

/** Do two addresses need the same route? */
function in_same_prefix(a: InIfaddr, b: InIfaddr): boolean {
  if (in_is_host(a) || in_is_host(b))
    return in_is_host(a) && in_is_host(b) && a.ia_dstaddr4 !== 0 && a.ia_dstaddr4 === b.ia_dstaddr4;
  return a.ia_subnet === b.ia_subnet && a.ia_subnetmask === b.ia_subnetmask;
}

/** Flags of the route to ia's prefix; 0 if it needs none but the one to itself. */
function in_route_flags(ia: InIfaddr): number {
  const f = ia.ifa_ifp.if_flags;
  if ((f & IFF_LOOPBACK) !== 0) return 0;
  if ((f & IFF_POINTOPOINT) !== 0) return ia.ia_dstaddr4 !== 0 ? RTF_UP | RTF_HOST : 0;
  return ia.ia_subnetmask === -1 ? 0 : RTF_UP | RTF_CONNECTED;
}

/** Adds the route to the prefix of ia unless another address has it. */
function in_addprefix(inet: Inet, ia: InIfaddr): number {
  const flags = in_route_flags(ia);
  if (flags === 0) return 0;
  for (const other of inet.in_ifaddrhead) {
    if (other !== ia && (other.ifa_flags & IFA_ROUTE) !== 0 && in_same_prefix(other, ia)) return 0;
  }
  const error = rtinit(ia, RTM_ADD, flags);
  return error === EEXIST ? 0 : error;
}

/** Removes the route to the prefix of ia, which is in no list any more, or gives it to another address of the prefix. */
function in_scrubprefix(inet: Inet, ia: InIfaddr): void {
  if ((ia.ifa_flags & IFA_ROUTE) === 0) return;
  rtinit(ia, RTM_DELETE, in_route_flags(ia));
  ia.ifa_flags &= ~IFA_ROUTE;
  for (const heir of inet.in_ifaddrhead) {
    if (in_same_prefix(heir, ia) && in_route_flags(heir) !== 0) {
      rtinit(heir, RTM_ADD, in_route_flags(heir));
      return;
    }
  }
}

/** An address is usable at last, or no more: everybody who remembers must look again. */
export function in_ia_state(inet: Inet, ia: InIfaddr, set: number, clear: number): void {
  const old = ia.ia_flags;
  ia.ia_flags = (old | set) & ~clear;
  if (ia.ia_flags !== old) in_gen_bump(inet);
}
