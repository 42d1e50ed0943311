/*
 * ARP packets that this host sends (RFC 826, RFC 5227).
 */
import { MT_DATA } from "../kern/mbuf.ts";
import { m_gethdr } from "../kern/mbuf_alloc.ts";
import type { Ifnet } from "../net/if.ts";
import { if_output_down } from "../net/if_attach.ts";
import { IFF_LOOPBACK, IFF_NOARP, IFF_POINTOPOINT } from "../net/if_flags.ts";
import { ether_output_to } from "../net/ether_output.ts";
import { M_BCAST } from "../kern/mbuf.ts";
import {
  ar_set_sha,
  ar_set_spa,
  ar_set_tha,
  ar_set_tpa,
  ARP_ETHER_LEN,
  arp_set_ether,
  ARPOP_REPLY,
  ARPOP_REQUEST,
} from "../wire/arp.ts";
import { ETHER_BROADCAST_HI, ETHER_BROADCAST_LO, ETHERTYPE_ARP } from "../wire/ether.ts";
import { ARPS_ALLOCFAIL, ARPS_SENDREQUEST, ARPS_SNDREPLY, ARPS_SNDTOTAL } from "./arp_stat.ts";
import type { Inet } from "./inet.ts";

/** Room for a link header. */
const MAX_LINKHDR = 32;

/** Does this interface speak ARP? */
export function arp_capable(ifp: Ifnet): boolean {
  return ifp.if_addrlen === 6 && (ifp.if_flags & (IFF_NOARP | IFF_LOOPBACK | IFF_POINTOPOINT)) === 0;
}

/** Sends a packet to the hardware address hi, lo. */
function arp_send(
  inet: Inet,
  ifp: Ifnet,
  op: number,
  sha_hi: number,
  sha_lo: number,
  spa: number,
  tha_hi: number,
  tha_lo: number,
  tpa: number,
  hi: number,
  lo: number,
): void {
  const m = m_gethdr(inet.k.mb, MT_DATA);
  if (m === null) return void inet.arpstat[ARPS_ALLOCFAIL]++;
  const dv = inet.dv;
  m.m_off += MAX_LINKHDR;
  m.m_len = ARP_ETHER_LEN;
  m.m_pkthdr_len = ARP_ETHER_LEN;
  arp_set_ether(dv, m.m_off, op);
  ar_set_sha(dv, m.m_off, sha_hi, sha_lo);
  ar_set_spa(dv, m.m_off, spa);
  ar_set_tha(dv, m.m_off, tha_hi, tha_lo);
  ar_set_tpa(dv, m.m_off, tpa);
  if (hi === ETHER_BROADCAST_HI && lo === ETHER_BROADCAST_LO) m.m_flags |= M_BCAST;
  inet.arpstat[ARPS_SNDTOTAL]++;
  inet.arpstat[op === ARPOP_REPLY ? ARPS_SNDREPLY : ARPS_SENDREQUEST]++;
  if (if_output_down(ifp, m) === 0) ether_output_to(ifp, m, hi, lo, ETHERTYPE_ARP);
}

/** Asks everybody who has tpa; spa 0 is a probe (RFC 5227 §1.1), spa equal to tpa an announcement. */
export function arprequest(inet: Inet, ifp: Ifnet, spa: number, tpa: number): void {
  arp_send(
    inet,
    ifp,
    ARPOP_REQUEST,
    ifp.if_mac_hi,
    ifp.if_mac_lo,
    spa,
    0,
    0,
    tpa,
    ETHER_BROADCAST_HI,
    ETHER_BROADCAST_LO,
  );
}

/** Asks the neighbour that is believed to have tpa, so that nobody else is bothered (RFC 1122 §2.3.2.1 (2)). */
export function arprequest_unicast(inet: Inet, ifp: Ifnet, spa: number, tpa: number, hi: number, lo: number): void {
  arp_send(inet, ifp, ARPOP_REQUEST, ifp.if_mac_hi, ifp.if_mac_lo, spa, 0, 0, tpa, hi, lo);
}

/** Answers that spa is at (sha_hi, sha_lo). */
export function arpreply(
  inet: Inet,
  ifp: Ifnet,
  sha_hi: number,
  sha_lo: number,
  spa: number,
  tha_hi: number,
  tha_lo: number,
  tpa: number,
): void {
  arp_send(inet, ifp, ARPOP_REPLY, sha_hi, sha_lo, spa, tha_hi, tha_lo, tpa, tha_hi, tha_lo);
}
