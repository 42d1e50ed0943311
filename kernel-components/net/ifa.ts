/*
 * Finding addresses of interfaces: by address, by peer, by net, by interface.
 */
import {
  AF_INET,
  AF_INET6,
  AF_LINK,
  sa_family,
  sa_len,
  sdl_index,
  sdl_name,
  sockaddr_equal,
} from "../wire/sockaddr.ts";
import type { Ifaddr, Ifnet } from "./if.ts";
import { IFF_POINTOPOINT, IFF_UP } from "./if_flags.ts";
import type { Net } from "./net.ts";
import { RTF_GATEWAY, type Rtentry } from "./rtentry.ts";

/** Where the address begins and ends in a sockaddr of a family: [start, end), or null for families without. */
function addr_start(af: number): number {
  return af === AF_INET ? 4 : af === AF_INET6 ? 8 : -1;
}

/** Are two addresses of one family equal, ports and the like aside? */
export function sa_same_addr(a: Uint8Array, b: Uint8Array): boolean {
  const af = sa_family(a);
  if (af !== sa_family(b)) return false;
  const start = addr_start(af);
  if (start < 0) return sockaddr_equal(a, b);
  const end = af === AF_INET ? 8 : 24;
  for (let n = start; n < end; n++) if (a[n] !== b[n]) return false;
  return true;
}

/** Is an address inside the net of an interface address? Bytes that a short mask leaves out are zero. */
export function sa_in_net(sa: Uint8Array, ifa: Ifaddr): boolean {
  const mask = ifa.ifa_netmask;
  const af = sa_family(sa);
  const start = addr_start(af);
  if (mask === null || start < 0 || af !== sa_family(ifa.ifa_addr)) return false;
  const end = Math.min(af === AF_INET ? 8 : 24, sa_len(mask), mask.length);
  for (let n = start; n < end; n++) if (((sa[n] ^ ifa.ifa_addr[n]) & mask[n]) !== 0) return false;
  return true;
}

/** The address equal to this one (or whose broadcast address is), or null. A sockaddr_dl means its interface. */
export function ifa_ifwithaddr(net: Net, sa: Uint8Array): Ifaddr | null {
  if (sa_family(sa) === AF_LINK) return if_withsdl(net, sa)?.if_dl ?? null;
  for (const ifp of net.ifnet_list) {
    for (const ifa of ifp.if_addrlist) {
      if (sa_same_addr(ifa.ifa_addr, sa)) return ifa;
      if (ifa.ifa_dstaddr !== null && (ifp.if_flags & IFF_POINTOPOINT) === 0 && sa_same_addr(ifa.ifa_dstaddr, sa))
        return ifa;
    }
  }
  return null;
}

/** The interface that a sockaddr_dl names, by index or else by name. */
export function if_withsdl(net: Net, sa: Uint8Array): Ifnet | null {
  if (sa_family(sa) !== AF_LINK || sa.length < 8) return null;
  const index = sdl_index(sa);
  if (index !== 0) return net.ifindex2ifnet[index] ?? null;
  const name = sdl_name(sa);
  for (const ifp of net.ifnet_list) if (ifp.if_xname === name) return ifp;
  return null;
}

/** The address of a point-to-point interface with this peer, or null. */
export function ifa_ifwithdstaddr(net: Net, sa: Uint8Array): Ifaddr | null {
  for (const ifp of net.ifnet_list) {
    if ((ifp.if_flags & IFF_POINTOPOINT) === 0) continue;
    for (const ifa of ifp.if_addrlist) if (ifa.ifa_dstaddr !== null && sa_same_addr(ifa.ifa_dstaddr, sa)) return ifa;
  }
  return null;
}

/** The address whose net holds this one: the longest mask, then an interface that is up. A sockaddr_dl means its interface. */
export function ifa_ifwithnet(net: Net, sa: Uint8Array): Ifaddr | null {
  if (sa_family(sa) === AF_LINK) return ifa_ifwithaddr(net, sa);
  let best: Ifaddr | null = null;
  let best_score = -1;
  for (const ifp of net.ifnet_list) {
    for (const ifa of ifp.if_addrlist) {
      if (!sa_in_net(sa, ifa)) continue;
      const score = mask_bits(ifa.ifa_netmask) * 2 + ((ifp.if_flags & IFF_UP) !== 0 ? 1 : 0);
      if (score > best_score) {
        best = ifa;
        best_score = score;
      }
    }
  }
  return best;
}

/** The address of an interface best suited to speak to this one: equal, peer, same net, or any of the family. */
export function ifaof_ifpforaddr(sa: Uint8Array, ifp: Ifnet): Ifaddr | null {
  const af = sa_family(sa);
  let maybe: Ifaddr | null = null;
  let net_match: Ifaddr | null = null;
  for (const ifa of ifp.if_addrlist) {
    if (sa_family(ifa.ifa_addr) !== af) continue;
    maybe ??= ifa;
    if (sa_same_addr(ifa.ifa_addr, sa) || (ifa.ifa_dstaddr !== null && sa_same_addr(ifa.ifa_dstaddr, sa))) return ifa;
    if (net_match === null && sa_in_net(sa, ifa)) net_match = ifa;
  }
  return net_match ?? maybe;
}

/**
 * The address to use for a route: the peer or address itself for a direct route; for a gateway the address whose net it is in, else the one that the
 * route to the gateway (`lookup`) uses.
 */
export function ifa_ifwithroute(
  net: Net,
  gatewayed: boolean,
  dst: Uint8Array,
  gateway: Uint8Array,
  lookup: (sa: Uint8Array) => Rtentry | null,
): Ifaddr | null {
  let ifa = gatewayed ? ifa_ifwithdstaddr(net, gateway) : (ifa_ifwithdstaddr(net, dst) ?? ifa_ifwithaddr(net, gateway));
  ifa ??= ifa_ifwithnet(net, gateway);
  if (ifa === null) {
    // A gateway behind a gateway is none.
    const rt = lookup(gateway);
    if (rt !== null && (rt.rt_flags & RTF_GATEWAY) === 0) ifa = rt.rt_ifa;
  }
  if (ifa === null || sa_family(ifa.ifa_addr) === sa_family(dst)) return ifa;
  return ifaof_ifpforaddr(dst, ifa.ifa_ifp) ?? ifa;
}

function mask_bits(mask: Uint8Array | null): number {
  if (mask === null) return 0;
  let n = 0;
  for (let j = 4; j < mask.length; j++) for (let b = mask[j]; b !== 0; b &= b - 1) n++;
  return n;
}
