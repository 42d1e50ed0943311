/*
 * The neighbour cache as routing messages see it (arp(8)): RTM_ADD, RTM_CHANGE, RTM_DELETE and RTM_GET with RTF_LLDATA, the dump, and what changes of routes do to it.
 */
import { EEXIST, EINVAL, ENETUNREACH, ENOBUFS, ENOENT, EOPNOTSUPP } from "../../hypercall/api/errno.ts";
import type { Ifnet } from "../net/if.ts";
import { if_byindex } from "../net/if_attach.ts";
import type { LltableVisit } from "../net/net.ts";
import {
  RTF_ANNOUNCE,
  RTF_CONNECTED,
  RTF_HOST,
  RTF_LLDATA,
  RTF_STATIC,
  RTF_UP,
  RTM_ADD,
  RTM_CHANGE,
  RTM_DELETE,
  RTM_GET,
} from "../net/rtentry.ts";
import type { RtInfo, Rtentry } from "../net/rtentry.ts";
import { ether_addr, ether_addr_hi, ether_addr_lo, ETHER_IS_MULTICAST } from "../wire/ether.ts";
import { IN_MULTICAST } from "../wire/in.ts";
import {
  AF_LINK,
  mk_sockaddr_dl,
  mk_sockaddr_in,
  sa_family,
  sdl_alen,
  sdl_index,
  sdl_lladdr,
  sin_addr,
} from "../wire/sockaddr.ts";
import { arp_capable } from "./arp_output.ts";
import { arp_learned, arp_set_expire } from "./arp_resolve.ts";
import {
  arp_create,
  arp_free,
  arp_lookup,
  arp_make_static,
  arp_netpurge,
  LL_INCOMPLETE,
  LL_REACHABLE,
  LL_STALE,
  LLE_PROXY,
  LLE_PUB,
  LLE_STATIC,
} from "./arp_table.ts";
import type { Llentry } from "./arp_table.ts";
import { in_get_ia, in_ifwithnet } from "./in_ifaddr.ts";
import type { InIfaddr } from "./in_var.ts";
import type { Inet } from "./inet.ts";

/** sin_other of struct sockaddr_inarp, 16 bits in host order. */
const SIN_OTHER_OFF = 14;
/** sin_other: publish only. */
const SIN_PROXY = 1;

/** A routing message with RTF_LLDATA (IfAf.lla_rt_output). */
export function arp_lla_rt_output(inet: Inet, cmd: number, info: RtInfo): number {
  const dst = info.rti_dst;
  if (dst === null || dst.length < 8) return EINVAL;
  const addr = sin_addr(dst);
  if (addr === 0 || IN_MULTICAST(addr)) return EINVAL;
  const ifp = lla_ifp(inet, info, addr);
  switch (cmd) {
    case RTM_ADD:
    case RTM_CHANGE:
      return ifp === null ? ENETUNREACH : lla_add(inet, cmd, info, addr, ifp, dst);
    case RTM_DELETE: {
      const le = lla_find(inet, addr, ifp);
      if (le === null) return ENOENT;
      arp_free(inet, le);
      return 0;
    }
    case RTM_GET: {
      const le = lla_find(inet, addr, ifp);
      if (le === null) return ENOENT;
      info.rti_dst = lla_dst(le);
      info.rti_gateway = lla_sdl(le);
      info.rti_flags = lla_flags(le) | RTF_UP | RTF_HOST | RTF_LLDATA;
      info.rti_expire = lla_expire(inet, le);
      info.rti_ifp = le.ln_ifp;
      return 0;
    }
    default:
      return EOPNOTSUPP;
  }
}

/** The interface a request means: the one it names, else the one whose network holds the address. */
function lla_ifp(inet: Inet, info: RtInfo, addr: number): Ifnet | null {
  if (info.rti_ifp !== null) return info.rti_ifp;
  const gw = info.rti_gateway;
  if (gw !== null && sa_family(gw) === AF_LINK && sdl_index(gw) !== 0) return if_byindex(inet.net, sdl_index(gw));
  return in_ifwithnet(inet, addr)?.ifa_ifp ?? null;
}

/** The entry on that interface, else on any. */
function lla_find(inet: Inet, addr: number, ifp: Ifnet | null): Llentry | null {
  if (ifp !== null) {
    const le = arp_lookup(inet, addr, ifp);
    if (le !== null) return le;
  }
  for (const tab of inet.arp.tables.values()) {
    const le = tab.get(addr);
    if (le !== undefined) return le;
  }
  return null;
}

/** arp -s: an entry by hand. */
function lla_add(inet: Inet, cmd: number, info: RtInfo, addr: number, ifp: Ifnet, dst: Uint8Array): number {
  const gw = info.rti_gateway;
  if (gw === null || sa_family(gw) !== AF_LINK || sdl_alen(gw) !== 6) return EINVAL;
  const mac = sdl_lladdr(gw);
  if (mac.length !== 6 || ETHER_IS_MULTICAST(ether_addr_hi(mac)) || !arp_capable(ifp)) return EINVAL;
  const ours = in_get_ia(inet, addr);
  if (ours !== null && (info.rti_flags & RTF_ANNOUNCE) === 0) return EINVAL;
  const old = arp_lookup(inet, addr, ifp);
  if (old !== null && cmd === RTM_ADD && (old.ln_flags & LLE_STATIC) !== 0) return EEXIST;
  if (old === null && cmd === RTM_CHANGE) return ENOENT;
  const le = old ?? arp_create(inet, addr, ifp);
  if (le === null) return ENOBUFS;
  const other = dst.length >= 16 ? dst[SIN_OTHER_OFF] | (dst[SIN_OTHER_OFF + 1] << 8) : 0;
  le.ln_flags &= ~(LLE_PUB | LLE_PROXY);
  if ((info.rti_flags & RTF_ANNOUNCE) !== 0) le.ln_flags |= LLE_PUB;
  if ((other & SIN_PROXY) !== 0) le.ln_flags |= LLE_PUB | LLE_PROXY;
  if (info.rti_expire === 0) arp_make_static(inet, le);
  arp_learned(inet, le, ether_addr_hi(mac), ether_addr_lo(mac));
  if (info.rti_expire !== 0) arp_set_expire(inet, le, inet.k.boot_ns + info.rti_expire * 1e9);
  return 0;
}

function lla_dst(le: Llentry): Uint8Array {
  const sa = mk_sockaddr_in(le.ln_addr);
  if ((le.ln_flags & LLE_PROXY) !== 0) sa[SIN_OTHER_OFF] = SIN_PROXY;
  return sa;
}

function lla_sdl(le: Llentry): Uint8Array {
  const known = le.ln_state === LL_REACHABLE || le.ln_state === LL_STALE;
  return mk_sockaddr_dl(le.ln_ifp.if_index, le.ln_ifp.if_type, "", known ? ether_addr(le.ln_hi, le.ln_lo) : null);
}

function lla_flags(le: Llentry): number {
  return ((le.ln_flags & LLE_STATIC) !== 0 ? RTF_STATIC : 0) | ((le.ln_flags & LLE_PUB) !== 0 ? RTF_ANNOUNCE : 0);
}

/** Uptime second at which the entry's time is over, 0 for never. */
function lla_expire(inet: Inet, le: Llentry): number {
  if ((le.ln_flags & LLE_STATIC) !== 0) return 0;
  if (le.ln_state === LL_INCOMPLETE) return Math.max(1, inet.k.time_uptime());
  return Math.max(1, Math.ceil((le.ln_expire_ns - inet.k.boot_ns) / 1e9));
}

/** Every neighbour, for arp -a (IfAf.lltable_dump). */
export function arp_lltable_dump(inet: Inet, visit: LltableVisit): void {
  for (const [ifp, tab] of inet.arp.tables) {
    const all = [...tab.values()].sort((a, b) => (a.ln_addr >>> 0) - (b.ln_addr >>> 0));
    for (const le of all) visit(ifp, lla_dst(le), lla_sdl(le), lla_flags(le), lla_expire(inet, le));
  }
}

/** A route through one of our addresses was deleted or changed: neighbours that were found by it are not believed any more (Ifaddr.ifa_rtrequest). */
export function arp_rtrequest(inet: Inet, req: number, rt: Rtentry): void {
  if (req !== RTM_DELETE && req !== RTM_CHANGE) return;
  if ((rt.rt_flags & RTF_CONNECTED) === 0 && req === RTM_DELETE) return;
  const ia = rt.rt_ifa as InIfaddr;
  const mask = rt.rt_mask === null ? -1 : sin_addr(rt.rt_mask);
  arp_netpurge(inet, ia.ifa_ifp, rt.rt_dst4, mask, false);
}
