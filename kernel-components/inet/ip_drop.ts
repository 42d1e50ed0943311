/*
 * The one way in which IPv4 drops a packet: count the reason, show it to the capture, free it.
 */
import type { Mbuf } from "../kern/mbuf.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import type { Inet } from "./inet.ts";
import type { Ifnet } from "../net/if.ts";
import { ipstat_names } from "./ip_stat.ts";

/** The interface that a packet was received on, null for what this host made. Only interfaces of net are ever stored there. */
// hot
export function m_get_rcvif(m: Mbuf): Ifnet | null {
  return m.m_rcvif as Ifnet | null;
}

/** Shows a dropped packet to the capture of the interface it came in by, if there is one. Does not free it. */
export function drop_verdict(m: Mbuf, reason: string): void {
  const ifp = m_get_rcvif(m);
  if (ifp !== null && ifp.if_capture !== null) ifp.if_capture.drop(m, reason);
}

/** Drops m for the reason IPS_*. Consumes m. */
export function ip_drop(inet: Inet, m: Mbuf, reason: number): void {
  inet.ipstat[reason]++;
  drop_verdict(m, ipstat_names[reason]);
  m_freem(m);
}
