/*
 * The neighbour cache of ARP (lltable): entries by interface and address, a direct-mapped cache in front of them for the packet path, and a bound: when it is reached, the
 * entry that was used longest ago goes, so that a scan of addresses or a flood of requests costs only itself.
 */
import { Callout, callout_destroy, callout_stop } from "../kern/callout.ts";
import type { Kernel } from "../kern/kernel.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import type { Ifnet } from "../net/if.ts";
import { RTM_DELETE } from "../net/rtentry.ts";
import { rt_clonedmsg } from "../net/rtsock_notify.ts";
import { ether_addr } from "../wire/ether.ts";
import { mk_sockaddr_in } from "../wire/sockaddr.ts";
import { ARPS_DFRDROPPED } from "./arp_stat.ts";
import type { InIfaddr } from "./in_var.ts";
import type { Inet } from "./inet.ts";
import { PpsLimit } from "./ppsratecheck.ts";
import { drop_verdict } from "./ip_drop.ts";

/** ln_state: asked, no answer yet. */
export const LL_INCOMPLETE = 0;
/** ln_state: the hardware address is known. */
export const LL_REACHABLE = 1;
/** ln_state: known once, its time is over: it is asked for again before it is used. */
export const LL_STALE = 2;
/** ln_state: did not answer; packets are refused until net.inet.arp.down seconds have passed. */
export const LL_DOWN = 3;

/** ln_flags: never expires and is not overwritten (arp -s). */
export const LLE_STATIC = 0x1;
/** ln_flags: we answer requests for it (arp -s ... pub). */
export const LLE_PUB = 0x2;
/** ln_flags: only answered for, never used for sending (SIN_PROXY). */
export const LLE_PROXY = 0x4;

/** Slots of the direct-mapped cache; a power of two. */
const ARP_CACHE_SIZE = 1024;

/** A neighbour. */
export class Llentry {
  /** Its address. */
  readonly ln_addr: number;
  /** The interface that leads to it. */
  readonly ln_ifp: Ifnet;
  /** LL_*. */
  ln_state: number = LL_INCOMPLETE;
  /** LLE_*. */
  ln_flags = 0;
  /** First 16 bits of its hardware address. */
  ln_hi = 0;
  /** Last 32 bits. */
  ln_lo = 0;
  /** Until then it is good, in ns. */
  ln_expire_ns = 0.5;
  /** From then on a use of it asks for it again in good time, in ns. */
  ln_refresh_ns = 0.5;
  /** Requests sent since the last answer. */
  ln_asked = 0;
  /** First packet that waits for it; others follow by m_nextpkt. */
  ln_hold: Mbuf | null = null;
  /** How many wait. */
  ln_numheld = 0;
  /** Used less recently. */
  ln_older: Llentry | null = null;
  /** Used more recently. */
  ln_newer: Llentry | null = null;
  /** Timer of requests and of expiry. */
  readonly ln_timer_ch: Callout;

  constructor(k: Kernel, addr: number, ifp: Ifnet) {
    this.ln_addr = addr;
    this.ln_ifp = ifp;
    this.ln_timer_ch = new Callout(k);
  }
}

/** The cache of one kernel, and the values of net.inet.arp.*. */
export class ArpTable {
  /** keep: seconds that an answer is good for. */
  arpt_keep = 1200;
  /** prune: seconds after that until the entry is deleted. */
  arpt_prune = 300;
  /** down: seconds that a neighbour which does not answer is not asked again. */
  arpt_down = 20;
  /** refresh: a use within so many seconds of the end asks again. */
  arpt_refresh = 300;
  /** maxtries: requests before giving up. */
  arp_maxtries = 5;
  /** maxhold: packets that wait for one neighbour. */
  arp_maxhold = 16;
  /** maxheld: packets that wait for all neighbours together. */
  arp_maxheld = 1024;
  /** maxentries: neighbours. */
  arp_maxentries = 4096;
  /** log_movements: tell of hardware addresses that change. */
  log_movements = 1;
  /** log_permanent_modify: tell of attempts to change static entries. */
  log_permanent_modify = 1;
  /** log_wrong_iface: tell of claims on the wrong interface. */
  log_wrong_iface = 1;
  /** log_unknown_network: tell of packets for none of our networks. */
  log_unknown_network = 0;
  /** The budget of lines about neighbours. */
  readonly log_pps: PpsLimit = new PpsLimit();
  /** Neighbours by interface, then address. */
  readonly tables: Map<Ifnet, Map<number, Llentry>> = new Map();
  /** The direct-mapped cache. */
  readonly cache: (Llentry | null)[] = new Array<Llentry | null>(ARP_CACHE_SIZE).fill(null);
  /** Dynamic entry used longest ago. */
  lru_oldest: Llentry | null = null;
  /** Dynamic entry used last. */
  lru_newest: Llentry | null = null;
  /** Entries. */
  nentries = 0;
  /** Entries for which packets wait, longest first. */
  readonly holding: Set<Llentry> = new Set();
  /** Packets that wait. */
  nheld = 0;
}

/** Lines about neighbours a second: who floods us with lies must not fill the console too. */
const ARP_LOG_PPS = 10;

/** May one more line about a neighbour be printed now? */
export function arp_log_ok(inet: Inet): boolean {
  return inet.arp.log_pps.check(inet.k.now_ns, ARP_LOG_PPS);
}

/** Slot of an address in the direct-mapped cache. */
// hot
export function arp_slot(addr: number, if_index: number): number {
  return (Math.imul(addr + if_index, 0x9e3779b1) >>> 22) & (ARP_CACHE_SIZE - 1);
}

/** The entry of a neighbour, or null. */
export function arp_lookup(inet: Inet, addr: number, ifp: Ifnet): Llentry | null {
  return inet.arp.tables.get(ifp)?.get(addr) ?? null;
}

/** A new entry; room is made if the table is full. Null: it is full of static entries. */
export function arp_create(inet: Inet, addr: number, ifp: Ifnet): Llentry | null {
  const t = inet.arp;
  while (t.nentries >= t.arp_maxentries) {
    if (t.lru_oldest === null) return null;
    arp_free(inet, t.lru_oldest);
  }
  const le = new Llentry(inet.k, addr, ifp);
  let tab = t.tables.get(ifp);
  if (tab === undefined) {
    tab = new Map();
    t.tables.set(ifp, tab);
  }
  tab.set(addr, le);
  t.nentries++;
  lru_insert(t, le);
  return le;
}

/** Deletes an entry; packets that wait for it are dropped. */
export function arp_free(inet: Inet, le: Llentry): void {
  const t = inet.arp;
  const tab = t.tables.get(le.ln_ifp);
  if (tab === undefined || tab.get(le.ln_addr) !== le) return;
  tab.delete(le.ln_addr);
  if (tab.size === 0) t.tables.delete(le.ln_ifp);
  t.nentries--;
  arp_uncache(inet, le);
  if ((le.ln_flags & LLE_STATIC) === 0) lru_remove(t, le);
  callout_stop(le.ln_timer_ch);
  callout_destroy(le.ln_timer_ch);
  arp_drop_held(inet, le);
  if (le.ln_hi === 0 && le.ln_lo === 0) return;
  rt_clonedmsg(inet.net, RTM_DELETE, null, mk_sockaddr_in(le.ln_addr), ether_addr(le.ln_hi, le.ln_lo), le.ln_ifp);
}

/** The entry must be looked up again before it is used. */
export function arp_uncache(inet: Inet, le: Llentry): void {
  const slot = arp_slot(le.ln_addr, le.ln_ifp.if_index);
  if (inet.arp.cache[slot] === le) inet.arp.cache[slot] = null;
}

/** Takes an entry out of the order of use: it is static now. */
export function arp_make_static(inet: Inet, le: Llentry): void {
  if ((le.ln_flags & LLE_STATIC) === 0) lru_remove(inet.arp, le);
  le.ln_flags |= LLE_STATIC;
}

/** Notes a use. */
export function arp_touch(inet: Inet, le: Llentry): void {
  if ((le.ln_flags & LLE_STATIC) !== 0 || inet.arp.lru_newest === le) return;
  lru_remove(inet.arp, le);
  lru_insert(inet.arp, le);
}

/** Drops the packets that wait for an entry. */
export function arp_drop_held(inet: Inet, le: Llentry): void {
  for (let m = arp_take_held(inet, le); m !== null; ) {
    const next: Mbuf | null = m.m_nextpkt;
    m.m_nextpkt = null;
    inet.arpstat[ARPS_DFRDROPPED]++;
    drop_verdict(m, "arp: dfrdropped");
    m_freem(m);
    m = next;
  }
}

/** Takes the packets that wait for an entry; they are the caller's, linked by m_nextpkt. */
export function arp_take_held(inet: Inet, le: Llentry): Mbuf | null {
  const m = le.ln_hold;
  if (m === null) return null;
  inet.arp.nheld -= le.ln_numheld;
  inet.arp.holding.delete(le);
  le.ln_hold = null;
  le.ln_numheld = 0;
  return m;
}

/** Memory is short: packets that wait for neighbours are dropped. The questions go on. */
export function arp_drain(inet: Inet): void {
  for (const le of inet.arp.holding) arp_drop_held(inet, le);
}

/** Deletes the entries of an interface; static ones only if `all`. */
export function arp_ifpurge(inet: Inet, ifp: Ifnet, all: boolean): void {
  const tab = inet.arp.tables.get(ifp);
  if (tab === undefined) return;
  for (const le of [...tab.values()]) if (all || (le.ln_flags & LLE_STATIC) === 0) arp_free(inet, le);
}

/** Deletes the dynamic entries of a network of an interface: its address or its route is gone or different. */
export function arp_netpurge(inet: Inet, ifp: Ifnet, subnet: number, mask: number, all: boolean): void {
  const tab = inet.arp.tables.get(ifp);
  if (tab === undefined) return;
  for (const le of [...tab.values()]) {
    if ((le.ln_addr & mask) === subnet && (all || (le.ln_flags & LLE_STATIC) === 0)) arp_free(inet, le);
  }
}

/** An address goes away: so do the neighbours that only it reaches. */
export function arp_ia_purge(inet: Inet, ia: InIfaddr): void {
  for (const other of inet.in_ifaddrhead) {
    if (
      other !== ia &&
      other.ifa_ifp === ia.ifa_ifp &&
      other.ia_subnet === ia.ia_subnet &&
      other.ia_subnetmask === ia.ia_subnetmask
    )
      return;
  }
  arp_netpurge(inet, ia.ifa_ifp, ia.ia_subnet, ia.ia_subnetmask, true);
}

function lru_insert(t: ArpTable, le: Llentry): void {
  le.ln_older = t.lru_newest;
  le.ln_newer = null;
  if (t.lru_newest === null) t.lru_oldest = le;
  else t.lru_newest.ln_newer = le;
  t.lru_newest = le;
}

function lru_remove(t: ArpTable, le: Llentry): void {
  if (le.ln_older === null) t.lru_oldest = le.ln_newer;
  else le.ln_older.ln_newer = le.ln_newer;
  if (le.ln_newer === null) t.lru_newest = le.ln_older;
  else le.ln_newer.ln_older = le.ln_older;
  le.ln_older = null;
  le.ln_newer = null;
}
