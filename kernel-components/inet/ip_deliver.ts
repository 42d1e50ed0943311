/*
 * Local delivery: reassembly, then the protocol's input routine from the protocol switch. Protocols without a routine go to raw sockets.
 */
import type { Mbuf } from "../kern/mbuf.ts";
import { ip_hlen, ip_p } from "../wire/ipv4.ts";
import type { Inet } from "./inet.ts";
import { ip_reass_packet } from "./ip_reass.ts";
import { IPS_DELIVERED } from "./ip_stat.ts";

/** Gives a packet for this host to its protocol. Consumes m. Preconditions: the header of hlen bytes is valid and contiguous. */
// hot
export function ip_deliver(inet: Inet, m0: Mbuf, hlen0: number, fragment: boolean): void {
  let m = m0;
  let hlen = hlen0;
  if (fragment) {
    const p = ip_reass_packet(inet, m);
    if (p === null) return;
    m = p;
    hlen = ip_hlen(inet.dv, m.m_off);
  }
  const proto = ip_p(inet.dv, m.m_off);
  inet.ipstat[IPS_DELIVERED]++;
  inet.ip_protox[proto](m, hlen, proto);
}
