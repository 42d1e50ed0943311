/*
 * Up and down, administratively (IFF_UP) and on the wire (if_link_state), and everybody who must hear of it.
 */
import { Timespec } from "../../hypercall/api/clock.ts";
import { SOCKET_LAYER } from "../socket/socketvar.ts";
import type { Ifnet } from "./if.ts";
import { IFD_OQDROPS, IFF_UP } from "./if_flags.ts";
import { IF_PURGE } from "./ifqueue.ts";
import { AF_MAX } from "./net.ts";
import { rt_ifmsg } from "./rtsock_notify.ts";

/** Sets IFF_UP and tells the families. The driver was (or will be) told by SIOCSIFFLAGS. */
export function if_up(ifp: Ifnet): void {
  const net = ifp.if_net;
  ifp.if_flags |= IFF_UP;
  if_lastchange(ifp);
  for (let n = 0; n < net.if_up_hooks.length; n++) net.if_up_hooks[n](ifp);
  for (const dom of net.k.softc(SOCKET_LAYER).domains) dom.dom_if_up?.(ifp);
  for (let af = 0; af < AF_MAX; af++) net.if_af[af]?.if_up?.(ifp);
  rt_ifmsg(ifp);
}

/** Clears IFF_UP, drops what waits in the send queue, and tells the families. */
export function if_down(ifp: Ifnet): void {
  const net = ifp.if_net;
  ifp.if_flags &= ~IFF_UP;
  if_lastchange(ifp);
  if_purge_snd(ifp);
  for (let af = 0; af < AF_MAX; af++) net.if_af[af]?.if_down?.(ifp);
  for (const dom of net.k.softc(SOCKET_LAYER).domains) dom.dom_if_down?.(ifp);
  rt_ifmsg(ifp);
}

/** The driver saw the link change: LINK_STATE_. Nothing happens if it is the same. */
export function if_link_state_change(ifp: Ifnet, state: number): void {
  if (ifp.if_link_state === state) return;
  const net = ifp.if_net;
  ifp.if_link_state = state;
  if_lastchange(ifp);
  for (let af = 0; af < AF_MAX; af++) net.if_af[af]?.link_state?.(ifp, state);
  for (const dom of net.k.softc(SOCKET_LAYER).domains) dom.dom_if_link_state_change?.(ifp, state);
  rt_ifmsg(ifp);
}

/** Drops what waits in the send queue, counted. */
export function if_purge_snd(ifp: Ifnet): void {
  const n = IF_PURGE(ifp.if_snd);
  ifp.if_snd.ifq_drops += n;
  ifp.if_data[IFD_OQDROPS] += n;
}

/** Notes the time of a change of state. */
export function if_lastchange(ifp: Ifnet): void {
  const ts = new Timespec();
  ifp.if_net.k.wall(ts);
  ifp.if_lastchange_sec = ts.sec;
  ifp.if_lastchange_nsec = ts.nsec;
}
