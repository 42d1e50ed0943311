/*
 * The multicast options of a socket (ip(4)): IP_MULTICAST_IF, _TTL, _LOOP, IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP.
 */
import { EADDRINUSE, EADDRNOTAVAIL, EINVAL, ETOOMANYREFS } from "../../hypercall/api/errno.ts";
import type { Ifnet } from "../net/if.ts";
import { if_byindex } from "../net/if_attach.ts";
import { IFF_LOOPBACK, IFF_MULTICAST } from "../net/if_flags.ts";
import { rtlookup4 } from "../net/route.ts";
import { sockopt_set, sockopt_setint } from "../socket/sockopt.ts";
import type { Sockopt } from "../socket/socketvar.ts";
import { IN_MULTICAST, INADDR_ANY } from "../wire/in.ts";
import {
  IP_ADD_MEMBERSHIP,
  IP_DROP_MEMBERSHIP,
  IP_MAX_MEMBERSHIPS,
  IP_MULTICAST_IF,
  IP_MULTICAST_LOOP,
  IP_MULTICAST_TTL,
} from "./in.ts";
import { in_get_ia } from "./in_ifaddr.ts";
import { in_addmulti, in_delmulti, InMultiOut } from "./in_multi.ts";
import { in_ifdata } from "./in_var.ts";
import type { Inet } from "./inet.ts";
import type { IpMoptions } from "./ip_var.ts";

/** Is the option one of these? */
export function ip_is_moption(name: number): boolean {
  return (
    name === IP_MULTICAST_IF ||
    name === IP_MULTICAST_TTL ||
    name === IP_MULTICAST_LOOP ||
    name === IP_ADD_MEMBERSHIP ||
    name === IP_DROP_MEMBERSHIP
  );
}

/** An address in an option's value, network order. */
export function sopt_addr(sopt: Sockopt, off: number): number {
  const b = sopt.sopt_data;
  return (b[off] << 24) | (b[off + 1] << 16) | (b[off + 2] << 8) | b[off + 3];
}

/** Sets one of them; imo is the socket's. */
export function ip_setmoptions(inet: Inet, imo: IpMoptions, sopt: Sockopt): number {
  switch (sopt.sopt_name) {
    case IP_MULTICAST_IF:
      return set_if(inet, imo, sopt);
    case IP_MULTICAST_TTL: {
      const v = byte_or_int(sopt);
      if (v < 0 || v > 255) return EINVAL;
      imo.imo_multicast_ttl = v;
      return 0;
    }
    case IP_MULTICAST_LOOP: {
      const v = byte_or_int(sopt);
      if (v < 0 || v > 1) return EINVAL;
      imo.imo_multicast_loop = v === 1;
      return 0;
    }
    case IP_ADD_MEMBERSHIP:
      return add_membership(inet, imo, sopt);
    default:
      return drop_membership(inet, imo, sopt);
  }
}

/** A value of one byte or an int: both are in use. -1 if neither. */
function byte_or_int(sopt: Sockopt): number {
  if (sopt.sopt_size === 1) return sopt.sopt_data[0];
  if (sopt.sopt_size !== 4) return -1;
  const b = sopt.sopt_data;
  return b[0] | (b[1] << 8) | (b[2] << 16) | (b[3] << 24);
}

/** The interface that an address in a request means: of ours, or 0.0.0.x for index x. Null: none such. */
function ip_multicast_if(inet: Inet, addr: number): Ifnet | null {
  if (addr >>> 24 === 0 && addr !== INADDR_ANY) return if_byindex(inet.net, addr & 0xffffff);
  return in_get_ia(inet, addr)?.ifa_ifp ?? null;
}

function set_if(inet: Inet, imo: IpMoptions, sopt: Sockopt): number {
  if (sopt.sopt_size !== 4) return EINVAL;
  const addr = sopt_addr(sopt, 0);
  if (addr === INADDR_ANY) {
    imo.imo_multicast_ifp = null;
    imo.imo_multicast_addr = 0;
    return 0;
  }
  const ifp = ip_multicast_if(inet, addr);
  if (ifp === null || (ifp.if_flags & (IFF_MULTICAST | IFF_LOOPBACK)) === 0) return EADDRNOTAVAIL;
  imo.imo_multicast_ifp = ifp;
  imo.imo_multicast_addr = addr >>> 24 === 0 ? addr : 0;
  return 0;
}

/** struct ip_mreq: group, interface address. Without one, the interface that the route to the group leads to. */
function mreq_if(inet: Inet, group: number, addr: number): Ifnet | null {
  if (addr !== INADDR_ANY) return ip_multicast_if(inet, addr);
  const rt = rtlookup4(inet.net, group);
  if (rt !== null) return rt.rt_ifp;
  for (const ia of inet.in_ifaddrhead) {
    const f = ia.ifa_ifp.if_flags;
    if ((f & IFF_MULTICAST) !== 0 && (f & IFF_LOOPBACK) === 0) return ia.ifa_ifp;
  }
  return null;
}

function add_membership(inet: Inet, imo: IpMoptions, sopt: Sockopt): number {
  if (sopt.sopt_size !== 8) return EINVAL;
  const group = sopt_addr(sopt, 0);
  if (!IN_MULTICAST(group)) return EINVAL;
  const ifp = mreq_if(inet, group, sopt_addr(sopt, 4));
  if (ifp === null || (ifp.if_flags & (IFF_MULTICAST | IFF_LOOPBACK)) === 0) return EADDRNOTAVAIL;
  for (const inm of imo.imo_membership) if (inm.inm_ifp === ifp && inm.inm_addr === group) return EADDRINUSE;
  if (imo.imo_membership.length >= IP_MAX_MEMBERSHIPS) return ETOOMANYREFS;
  const out = new InMultiOut();
  const error = in_addmulti(inet, group, ifp, out);
  if (error === 0 && out.inm !== null) imo.imo_membership.push(out.inm);
  return error;
}

function drop_membership(inet: Inet, imo: IpMoptions, sopt: Sockopt): number {
  if (sopt.sopt_size !== 8) return EINVAL;
  const group = sopt_addr(sopt, 0);
  const addr = sopt_addr(sopt, 4);
  if (!IN_MULTICAST(group)) return EINVAL;
  const ifp = addr === INADDR_ANY ? null : ip_multicast_if(inet, addr);
  if (addr !== INADDR_ANY && ifp === null) return EADDRNOTAVAIL;
  const at = imo.imo_membership.findIndex((inm) => inm.inm_addr === group && (ifp === null || inm.inm_ifp === ifp));
  if (at < 0) return EADDRNOTAVAIL;
  const [inm] = imo.imo_membership.splice(at, 1);
  in_delmulti(inet, inm);
  return 0;
}

/** Gets one of them. */
export function ip_getmoptions(imo: IpMoptions | null, sopt: Sockopt): number {
  switch (sopt.sopt_name) {
    case IP_MULTICAST_IF: {
      const ifp = imo === null ? null : imo.imo_multicast_ifp;
      const d = ifp === null ? null : in_ifdata(ifp);
      let addr = imo === null ? 0 : imo.imo_multicast_addr;
      if (addr === 0 && d !== null && d.ii_addrs.length > 0) addr = d.ii_addrs[0].ia_addr4;
      return sockopt_set(sopt, Uint8Array.of(addr >>> 24, addr >>> 16, addr >>> 8, addr));
    }
    case IP_MULTICAST_TTL:
      return get_byte_or_int(sopt, imo === null ? 1 : imo.imo_multicast_ttl);
    case IP_MULTICAST_LOOP:
      return get_byte_or_int(sopt, imo === null || imo.imo_multicast_loop ? 1 : 0);
    default:
      return EINVAL;
  }
}

function get_byte_or_int(sopt: Sockopt, v: number): number {
  return sopt.sopt_size < 4 ? sockopt_set(sopt, Uint8Array.of(v)) : sockopt_setint(sopt, v);
}

/** Leaves every group: the socket closes. */
export function ip_freemoptions(inet: Inet, imo: IpMoptions | null): void {
  if (imo === null) return;
  for (const inm of imo.imo_membership) in_delmulti(inet, inm);
  imo.imo_membership.length = 0;
}

/** An interface goes away: the socket forgets it. Its memberships ended with the interface. */
export function ip_moptions_purgeif(imo: IpMoptions, ifp: Ifnet): void {
  if (imo.imo_multicast_ifp === ifp) imo.imo_multicast_ifp = null;
  for (let i = imo.imo_membership.length - 1; i >= 0; i--)
    if (imo.imo_membership[i].inm_ifp === ifp) imo.imo_membership.splice(i, 1);
}
