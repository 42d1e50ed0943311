/*
 * ARP packets received (RFC 826, RFC 5227 §2.4): what they teach, what they claim, and what they ask.
 */
import { printf } from "../kern/console.ts";
import { M_BCAST, M_MCAST } from "../kern/mbuf.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import { m_pullup } from "../kern/mbuf_ops.ts";
import type { Ifnet } from "../net/if.ts";
import {
  ar_hln,
  ar_hrd,
  ar_op,
  ar_pln,
  ar_pro,
  ar_sha_hi,
  ar_sha_lo,
  ar_spa,
  ar_tpa,
  ARP_ETHER_LEN,
  ARP_HDRLEN,
  ARPHRD_ETHER,
  ARPHRD_IEEE802,
  ARPOP_REPLY,
  ARPOP_REQUEST,
} from "../wire/arp.ts";
import { ether_addr, ETHER_ADDR_LEN, ETHER_IS_MULTICAST, ETHERTYPE_IP } from "../wire/ether.ts";
import { ether_ntoa } from "../wire/ether_text.ts";
import { IN_EXPERIMENTAL, IN_LOOPBACK, IN_MULTICAST } from "../wire/in.ts";
import { inet_ntoa } from "../wire/inet_addr.ts";
import { arp_dad_conflict } from "./arp_dad.ts";
import { arp_capable, arpreply } from "./arp_output.ts";
import { arp_learned } from "./arp_resolve.ts";
import {
  ARPS_ALLOCFAIL,
  ARPS_RCVBADADDR,
  ARPS_RCVBADLEN,
  ARPS_RCVBADOP,
  ARPS_RCVBADPROTO,
  ARPS_RCVBCASTSHA,
  ARPS_RCVIGNORED,
  ARPS_RCVLOCALSHA,
  ARPS_RCVLOCALSPA,
  ARPS_RCVMCAST,
  ARPS_RCVNOIF,
  ARPS_RCVNOINT,
  ARPS_RCVOVER,
  ARPS_RCVOVERINT,
  ARPS_RCVOVERPERM,
  ARPS_RCVREPLY,
  ARPS_RCVREQUEST,
  ARPS_RCVTOTAL,
  ARPS_RCVZEROSPA,
  ARPS_RCVZEROTPA,
  arpstat_names,
} from "./arp_stat.ts";
import {
  arp_create,
  arp_log_ok,
  arp_lookup,
  LL_INCOMPLETE,
  LL_REACHABLE,
  LLE_PROXY,
  LLE_PUB,
  LLE_STATIC,
} from "./arp_table.ts";
import { in_broadcast, in_get_ia_on_iface, in_ifwithnet } from "./in_ifaddr.ts";
import { IN_IFF_NOTREADY, IN_IFF_TENTATIVE, in_ifdata } from "./in_var.ts";
import type { Inet } from "./inet.ts";
import { drop_verdict } from "./ip_drop.ts";

function arp_drop(inet: Inet, m: Mbuf, stat: number): void {
  inet.arpstat[stat]++;
  drop_verdict(m, `arp: ${arpstat_names[stat]}`);
  m_freem(m);
}

/** A packet of ethertype ARP, link header stripped. Consumes m. */
export function arpintr(inet: Inet, ifp: Ifnet, m0: Mbuf): void {
  inet.arpstat[ARPS_RCVTOTAL]++;
  if ((m0.m_flags & (M_BCAST | M_MCAST)) !== 0) inet.arpstat[ARPS_RCVMCAST]++;
  const dv = inet.dv;
  if (m0.m_pkthdr_len < ARP_HDRLEN) return arp_drop(inet, m0, ARPS_RCVBADLEN);
  const m = m0.m_len < ARP_ETHER_LEN ? m_pullup(m0, Math.min(m0.m_pkthdr_len, ARP_ETHER_LEN)) : m0;
  if (m === null) return void inet.arpstat[ARPS_ALLOCFAIL]++;
  const a = m.m_off;
  const hrd = ar_hrd(dv, a);
  if ((hrd !== ARPHRD_ETHER && hrd !== ARPHRD_IEEE802) || ar_pro(dv, a) !== ETHERTYPE_IP)
    return arp_drop(inet, m, ARPS_RCVBADPROTO);
  if (ar_hln(dv, a) !== ETHER_ADDR_LEN || ar_pln(dv, a) !== 4 || m.m_pkthdr_len < ARP_ETHER_LEN)
    return arp_drop(inet, m, ARPS_RCVBADLEN);
  const d = in_ifdata(ifp);
  if (!arp_capable(ifp) || d === null || d.ii_addrs.length === 0) return arp_drop(inet, m, ARPS_RCVNOIF);
  const op = ar_op(dv, a);
  if (op === ARPOP_REQUEST) inet.arpstat[ARPS_RCVREQUEST]++;
  else if (op === ARPOP_REPLY) inet.arpstat[ARPS_RCVREPLY]++;
  else return arp_drop(inet, m, ARPS_RCVBADOP);
  const bad = in_arp_refused(inet, ifp, a);
  if (bad >= 0) return arp_drop(inet, m, bad);
  in_arpinput(inet, ifp, op, ar_sha_hi(dv, a), ar_sha_lo(dv, a), ar_spa(dv, a), ar_tpa(dv, a));
  m_freem(m);
}

/** Why the addresses of the packet at slab offset `a` cannot be meant: an ARPS_* counter, or -1. */
function in_arp_refused(inet: Inet, ifp: Ifnet, a: number): number {
  const dv = inet.dv;
  const hi = ar_sha_hi(dv, a);
  const lo = ar_sha_lo(dv, a);
  if (hi === ifp.if_mac_hi && lo === ifp.if_mac_lo) return ARPS_RCVLOCALSHA;
  if (ETHER_IS_MULTICAST(hi) || (hi === 0 && lo === 0)) return ARPS_RCVBCASTSHA;
  const spa = ar_spa(dv, a);
  const tpa = ar_tpa(dv, a);
  if (tpa === 0) return ARPS_RCVZEROTPA;
  if (not_host(tpa) || not_host(spa) || in_broadcast(spa, ifp)) return ARPS_RCVBADADDR;
  return -1;
}

function not_host(addr: number): boolean {
  return IN_MULTICAST(addr) || IN_EXPERIMENTAL(addr) || IN_LOOPBACK(addr);
}

function in_arpinput(inet: Inet, ifp: Ifnet, op: number, hi: number, lo: number, spa: number, tpa: number): void {
  const ours = in_get_ia_on_iface(tpa, ifp);
  const claimed = spa === 0 ? null : in_get_ia_on_iface(spa, ifp);
  if (spa === 0) {
    inet.arpstat[ARPS_RCVZEROSPA]++;
    // RFC 5227 §2.1.1: a probe of another host for the address we are probing for is a conflict too.
    if (ours !== null && (ours.ia_flags & IN_IFF_TENTATIVE) !== 0) return arp_dad_conflict(inet, ours, hi, lo);
  } else if (claimed !== null) {
    inet.arpstat[ARPS_RCVLOCALSPA]++;
    arp_dad_conflict(inet, claimed, hi, lo);
  } else in_arp_learn(inet, ifp, op, hi, lo, spa, ours !== null && (ours.ia_flags & IN_IFF_NOTREADY) === 0);
  if (op !== ARPOP_REQUEST) return;
  if (ours !== null) {
    if ((ours.ia_flags & IN_IFF_NOTREADY) === 0) arpreply(inet, ifp, ifp.if_mac_hi, ifp.if_mac_lo, tpa, hi, lo, spa);
    return;
  }
  in_arp_proxy(inet, ifp, hi, lo, spa, tpa);
}

/** What the sender says of itself (RFC 826): updates an entry; makes one only if we were meant, as then we are about to talk. */
function in_arp_learn(inet: Inet, ifp: Ifnet, op: number, hi: number, lo: number, spa: number, for_us: boolean): void {
  const t = inet.arp;
  const ia = in_ifwithnet(inet, spa);
  const le = arp_lookup(inet, spa, ifp);
  if (le === null && !on_link(ifp, spa) && ia !== null && arp_lookup(inet, spa, ia.ifa_ifp) !== null) {
    inet.arpstat[ARPS_RCVOVERINT]++;
    if (t.log_wrong_iface !== 0 && arp_log_ok(inet)) {
      printf(
        inet.k,
        `${ether_ntoa(ether_addr(hi, lo))} attempts to overwrite entry for ${inet_ntoa(spa)} on ${ia.ifa_ifp.if_xname} by ${ifp.if_xname}\n`,
      );
    }
    return;
  }
  if (le === null && !on_link(ifp, spa)) {
    inet.arpstat[ARPS_RCVNOINT]++;
    if (t.log_unknown_network !== 0 && arp_log_ok(inet))
      printf(inet.k, `ARP packet from unknown network ${inet_ntoa(spa)} on ${ifp.if_xname}\n`);
    return;
  }
  if (le === null) {
    if (!for_us || op !== ARPOP_REQUEST) return void inet.arpstat[ARPS_RCVIGNORED]++;
    const made = arp_create(inet, spa, ifp);
    if (made === null) return void inet.arpstat[ARPS_ALLOCFAIL]++;
    return arp_learned(inet, made, hi, lo);
  }
  const same = le.ln_hi === hi && le.ln_lo === lo;
  if ((le.ln_flags & LLE_STATIC) !== 0) {
    if (same) return;
    inet.arpstat[ARPS_RCVOVERPERM]++;
    if (t.log_permanent_modify !== 0 && arp_log_ok(inet)) {
      printf(
        inet.k,
        `${ether_ntoa(ether_addr(hi, lo))} attempts to overwrite permanent entry for ${inet_ntoa(spa)} on ${ifp.if_xname}\n`,
      );
    }
    return;
  }
  if (!same && le.ln_state !== LL_INCOMPLETE && (le.ln_hi !== 0 || le.ln_lo !== 0)) {
    inet.arpstat[ARPS_RCVOVER]++;
    if (t.log_movements !== 0 && arp_log_ok(inet)) {
      const from = ether_ntoa(ether_addr(le.ln_hi, le.ln_lo));
      printf(
        inet.k,
        `ARP info overwritten for ${inet_ntoa(spa)} by ${ether_ntoa(ether_addr(hi, lo))} on ${ifp.if_xname} (was ${from})\n`,
      );
    }
  }
  arp_learned(inet, le, hi, lo);
}

/** Is the address on a network of this interface? */
function on_link(ifp: Ifnet, addr: number): boolean {
  const d = in_ifdata(ifp);
  if (d !== null) for (const ia of d.ii_addrs) if ((addr & ia.ia_subnetmask) === ia.ia_subnet) return true;
  return false;
}

/** Answers for an address that was published by hand (proxy ARP), whichever interface it was published on. */
function in_arp_proxy(inet: Inet, ifp: Ifnet, hi: number, lo: number, spa: number, tpa: number): void {
  for (const tab of inet.arp.tables.values()) {
    const le = tab.get(tpa);
    if (le === undefined || (le.ln_flags & LLE_PUB) === 0 || le.ln_state !== LL_REACHABLE) continue;
    // Published on another interface than the one that asks: it is we who forward, unless it is for answering only.
    const there = le.ln_ifp === ifp || (le.ln_flags & LLE_PROXY) !== 0;
    arpreply(inet, ifp, there ? le.ln_hi : ifp.if_mac_hi, there ? le.ln_lo : ifp.if_mac_lo, tpa, hi, lo, spa);
    return;
  }
}
