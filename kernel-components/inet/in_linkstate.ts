/*
 * What the state of an interface does to its addresses: up and down by hand, and by the link (in_if_link_up, in_if_link_down).
 */
import type { Ifnet } from "../net/if.ts";
import { IFF_UP, LINK_STATE_DOWN } from "../net/if_flags.ts";
import { RTM_NEWADDR } from "../net/rtentry.ts";
import { rt_addrmsg } from "../net/rtsock_notify.ts";
import { arp_dad_stop } from "./arp_dad.ts";
import { arp_capable, arprequest } from "./arp_output.ts";
import { arp_ifpurge } from "./arp_table.ts";
import { in_gen_bump, in_ia_state } from "./in_ifinit.ts";
import {
  IN_IFF_DETACHED,
  IN_IFF_DUPLICATED,
  IN_IFF_NOTREADY,
  IN_IFF_TENTATIVE,
  IN_IFF_TRYTENTATIVE,
  in_ifdata,
} from "./in_var.ts";
import type { Inet } from "./inet.ts";

/** The link of an interface is up, or the interface was set up: addresses that waited are probed for and used again. */
export function in_if_link_up(inet: Inet, ifp: Ifnet): void {
  const d = in_ifdata(ifp);
  if (d === null || (ifp.if_flags & IFF_UP) === 0 || ifp.if_link_state === LINK_STATE_DOWN) return;
  in_gen_bump(inet);
  for (const ia of d.ii_addrs) {
    const waited = (ia.ia_flags & (IN_IFF_DETACHED | IN_IFF_TRYTENTATIVE | IN_IFF_TENTATIVE)) !== 0;
    if (!waited) continue;
    in_ia_state(inet, ia, 0, IN_IFF_DETACHED | IN_IFF_TRYTENTATIVE);
    if (inet.arp_ifinit !== null) inet.arp_ifinit(ifp, ia);
    rt_addrmsg(RTM_NEWADDR, ia);
  }
}

/** The interface has another hardware address: neighbours are told, so that they do not go on sending to the old one (RFC 5227 §3). */
export function in_lladdr_change(inet: Inet, ifp: Ifnet): void {
  const d = in_ifdata(ifp);
  if (d === null || !arp_capable(ifp) || (ifp.if_flags & IFF_UP) === 0) return;
  for (const ia of d.ii_addrs)
    if ((ia.ia_flags & IN_IFF_NOTREADY) === 0) arprequest(inet, ifp, ia.ia_addr4, ia.ia_addr4);
}

/** The link is down: addresses are kept, but marked. */
export function in_if_link_down(inet: Inet, ifp: Ifnet): void {
  const d = in_ifdata(ifp);
  if (d === null) return;
  in_gen_bump(inet);
  for (const ia of d.ii_addrs) {
    arp_dad_stop(ia);
    if ((ia.ia_flags & IN_IFF_DETACHED) !== 0) continue;
    in_ia_state(inet, ia, IN_IFF_DETACHED, IN_IFF_TENTATIVE | IN_IFF_DUPLICATED);
    rt_addrmsg(RTM_NEWADDR, ia);
  }
}

/** The interface was set down by hand: its neighbours are forgotten, and its addresses must be probed for again when it is up. */
export function in_if_down(inet: Inet, ifp: Ifnet): void {
  arp_ifpurge(inet, ifp, false);
  in_gen_bump(inet);
  const d = in_ifdata(ifp);
  if (d === null) return;
  for (const ia of d.ii_addrs) {
    arp_dad_stop(ia);
    in_ia_state(inet, ia, IN_IFF_TRYTENTATIVE, IN_IFF_TENTATIVE);
  }
}
