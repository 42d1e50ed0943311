/*
 * Questions about our addresses: is it ours, which is the interface's, is it a broadcast address, are we a member.
 */
import type { Ifnet } from "../net/if.ts";
import { IFF_BROADCAST, IFF_POINTOPOINT, IFF_UP } from "../net/if_flags.ts";
import { INADDR_BROADCAST } from "../wire/in.ts";
import type { Inet } from "./inet.ts";
import { IN_IFF_NOTREADY, in_ifdata } from "./in_var.ts";
import type { InIfaddr, InMulti } from "./in_var.ts";

/** Our address of this value that may be used: on an interface that is up, not tentative and not duplicated. Null if there is none. */
// hot
export function in_usable_ia(inet: Inet, addr: number): InIfaddr | null {
  let ia = inet.in_ifaddrhash.get(addr);
  while (ia !== undefined) {
    if ((ia.ia_flags & IN_IFF_NOTREADY) === 0 && (ia.ifa_ifp.if_flags & IFF_UP) !== 0) return ia;
    if (ia.ia_hash_next === null) return null;
    ia = ia.ia_hash_next;
  }
  return null;
}

/** Our address of this value in whatever state (in_get_ia). */
export function in_get_ia(inet: Inet, addr: number): InIfaddr | null {
  return inet.in_ifaddrhash.get(addr) ?? null;
}

/** Our address of this value on one interface, or null. */
export function in_get_ia_on_iface(addr: number, ifp: Ifnet): InIfaddr | null {
  const d = in_ifdata(ifp);
  if (d !== null) for (const ia of d.ii_addrs) if (ia.ia_addr4 === addr) return ia;
  return null;
}

/** The preferred usable address of an interface; if none is usable, the preferred; null if it has none. */
export function in_ia_of_ifp(ifp: Ifnet): InIfaddr | null {
  const d = in_ifdata(ifp);
  if (d === null || d.ii_addrs.length === 0) return null;
  for (const ia of d.ii_addrs) if ((ia.ia_flags & IN_IFF_NOTREADY) === 0) return ia;
  return d.ii_addrs[0];
}

/** The address of an interface whose network holds `dst`, else its preferred one, else null. */
export function in_ia_facing(ifp: Ifnet, dst: number): InIfaddr | null {
  const d = in_ifdata(ifp);
  if (d === null) return null;
  for (const ia of d.ii_addrs)
    if ((dst & ia.ia_subnetmask) === ia.ia_subnet && (ia.ia_flags & IN_IFF_NOTREADY) === 0) return ia;
  return in_ia_of_ifp(ifp);
}

/** An address of ours on whose link `dst` is: other end of a point-to-point link, or on the same network; the longest prefix wins. */
export function in_ifwithnet(inet: Inet, dst: number): InIfaddr | null {
  let best: InIfaddr | null = null;
  for (const ia of inet.in_ifaddrhead) {
    if ((ia.ifa_ifp.if_flags & IFF_UP) === 0) continue;
    if ((ia.ifa_ifp.if_flags & IFF_POINTOPOINT) !== 0) {
      if (ia.ia_dstaddr4 === dst) return ia;
    } else if (
      (dst & ia.ia_subnetmask) === ia.ia_subnet &&
      (best === null || ia.ia_subnetmask >>> 0 > best.ia_subnetmask >>> 0)
    )
      best = ia;
  }
  return best;
}

/** Is `dst` a broadcast address of this interface: the limited one, a network's own, or the old form of it with zeros in the host part? */
// hot
export function in_broadcast(dst: number, ifp: Ifnet): boolean {
  if (dst === INADDR_BROADCAST) return true;
  if ((ifp.if_flags & IFF_BROADCAST) === 0) return false;
  const d = in_ifdata(ifp);
  if (d === null) return false;
  const addrs = d.ii_addrs;
  for (let i = 0; i < addrs.length; i++) {
    const ia = addrs[i];
    // A network of two addresses (RFC 3021) or one has no broadcast address.
    if (ia.ia_subnetmask >>> 0 >= 0xfffffffe) continue;
    if (dst === ia.ia_broadaddr || dst === ia.ia_subnet) return true;
  }
  return false;
}

/** Our membership of a group on an interface, or null. */
export function in_lookup_multi(_inet: Inet, group: number, ifp: Ifnet): InMulti | null {
  return in_ifdata(ifp)?.ii_multi.get(group) ?? null;
}
