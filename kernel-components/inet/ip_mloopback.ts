/*
 * A multicast of ours comes back to our own members of the group (RFC 1112 §6.1, IP_MULTICAST_LOOP).
 */
import { M_COPYALL } from "../kern/mbuf.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { m_dup } from "../kern/mbuf_copy.ts";
import type { Ifnet } from "../net/if.ts";
import { looutput } from "../net/loop.ts";
import { ip_dst } from "../wire/ipv4.ts";
import { AF_INET } from "../wire/sockaddr.ts";
import type { Inet } from "./inet.ts";

/** Gives a copy of m to ourselves as if it had come in by ifp. Does not consume m; without memory there is no copy, as on a network that loses it. */
export function ip_mloopback(inet: Inet, ifp: Ifnet, m: Mbuf): void {
  const copy = m_dup(m, 0, M_COPYALL);
  if (copy !== null) looutput(ifp, copy, AF_INET, ip_dst(inet.dv, copy.m_off), null);
}
