/*
 * Group membership of interfaces (RFC 1112 §7): counted, told to the link layer for its filter and to IGMP for the routers.
 */
import { EADDRNOTAVAIL, EINVAL } from "../../hypercall/api/errno.ts";
import { callout_destroy, callout_stop } from "../kern/callout.ts";
import type { Ifnet } from "../net/if.ts";
import { IFF_LOOPBACK, IFF_MULTICAST } from "../net/if_flags.ts";
import { if_addmulti, if_delmulti } from "../net/if_promisc.ts";
import { ETHER_IP_MULTICAST_HI, ETHER_MAP_IP_MULTICAST } from "../wire/ether.ts";
import { IN_MULTICAST } from "../wire/in.ts";
import { igmp_joingroup, igmp_leavegroup } from "./igmp.ts";
import { in_ifdata, InMulti } from "./in_var.ts";
import type { Inet } from "./inet.ts";

/** Where in_addmulti leaves the membership. */
export class InMultiOut {
  /** The membership, null on error. */
  inm: InMulti | null = null;
}

/** Joins a group on an interface, or counts one more member. EINVAL: not a group, EADDRNOTAVAIL: no IPv4 on the interface, or the device's errno. */
export function in_addmulti(inet: Inet, group: number, ifp: Ifnet, out: InMultiOut): number {
  out.inm = null;
  const d = in_ifdata(ifp);
  if (!IN_MULTICAST(group)) return EINVAL;
  if (d === null || (ifp.if_flags & (IFF_MULTICAST | IFF_LOOPBACK)) === 0) return EADDRNOTAVAIL;
  const old = d.ii_multi.get(group);
  if (old !== undefined) {
    old.inm_refcount++;
    out.inm = old;
    return 0;
  }
  const error = if_addmulti(ifp, ETHER_IP_MULTICAST_HI, ETHER_MAP_IP_MULTICAST(group));
  if (error !== 0) return error;
  const inm = new InMulti(inet.k, group, ifp);
  d.ii_multi.set(group, inm);
  igmp_joingroup(inet, inm);
  out.inm = inm;
  return 0;
}

/** Gives a membership back; the last one leaves the group. */
export function in_delmulti(inet: Inet, inm: InMulti): void {
  if (--inm.inm_refcount > 0) return;
  const d = in_ifdata(inm.inm_ifp);
  if (d !== null && d.ii_multi.get(inm.inm_addr) === inm) {
    igmp_leavegroup(inet, inm);
    d.ii_multi.delete(inm.inm_addr);
    if_delmulti(inm.inm_ifp, ETHER_IP_MULTICAST_HI, ETHER_MAP_IP_MULTICAST(inm.inm_addr));
  }
  inm_destroy(inm);
}

/** Takes every membership of an interface that goes away. Sockets that still name one find it gone (its interface has no data). */
export function in_purgemulti(ifp: Ifnet): void {
  const d = in_ifdata(ifp);
  if (d === null) return;
  for (const inm of d.ii_multi.values()) {
    if_delmulti(ifp, ETHER_IP_MULTICAST_HI, ETHER_MAP_IP_MULTICAST(inm.inm_addr));
    inm_destroy(inm);
  }
  d.ii_multi.clear();
}

function inm_destroy(inm: InMulti): void {
  if (inm.inm_timer_ch.c_id === 0) return;
  callout_stop(inm.inm_timer_ch);
  callout_destroy(inm.inm_timer_ch);
}
