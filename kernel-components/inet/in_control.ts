/*
 * The ioctls that set and tell IPv4 addresses (in_control), with the BSD layouts of struct ifreq and struct ifaliasreq.
 */
import { EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL, ENOTTY, ENXIO, EPERM } from "../../hypercall/api/errno.ts";
import { is_super } from "../kern/proc.ts";
import type { Lwp } from "../kern/proc.ts";
import type { Ifnet } from "../net/if.ts";
import {
  abi_view,
  IFR_IFRU,
  IFRA_ADDR,
  IFRA_DSTADDR,
  IFRA_MASK,
  OOSIOCGIFBRDADDR,
  SIOCAIFADDR,
  SIOCDIFADDR,
  SIOCGIFADDR,
  SIOCGIFAFLAG_IN,
  SIOCGIFALIAS,
  SIOCGIFBRDADDR,
  SIOCGIFDSTADDR,
  SIOCGIFNETMASK,
  SIOCSIFADDR,
  SIOCSIFBRDADDR,
  SIOCSIFDSTADDR,
  SIOCSIFNETMASK,
} from "../net/if_abi.ts";
import { IFF_BROADCAST, IFF_POINTOPOINT } from "../net/if_flags.ts";
import { IN_EXPERIMENTAL, IN_MULTICAST } from "../wire/in.ts";
import { AF_INET, sa_family, sa_len, sin_addr, sin_init } from "../wire/sockaddr.ts";
import { in_classmask, in_mask_contiguous } from "./in.ts";
import { in_get_ia_on_iface } from "./in_ifaddr.ts";
import { in_ifaddr_alloc, in_ifinit, in_purgeaddr } from "./in_ifinit.ts";
import { in_ifdata } from "./in_var.ts";
import type { InIfaddr } from "./in_var.ts";
import type { Inet } from "./inet.ts";
import { callout_destroy } from "../kern/callout.ts";

/** An address ioctl on ifp (null: none of that name). l null: the kernel itself asks. ENOTTY: not one of these. */
export function in_control(inet: Inet, cmd: number, data: Uint8Array, ifp: Ifnet | null, l: Lwp | null): number {
  switch (cmd) {
    case SIOCAIFADDR:
    case SIOCDIFADDR:
    case SIOCSIFADDR:
    case SIOCSIFDSTADDR:
    case SIOCSIFBRDADDR:
    case SIOCSIFNETMASK:
      if (ifp === null) return ENXIO;
      return l !== null && !is_super(l.l_proc.p_cred) ? EPERM : in_control_set(inet, cmd, data, ifp);
    case SIOCGIFADDR:
    case SIOCGIFDSTADDR:
    case SIOCGIFBRDADDR:
    case OOSIOCGIFBRDADDR:
    case SIOCGIFNETMASK:
    case SIOCGIFALIAS:
    case SIOCGIFAFLAG_IN:
      return ifp === null ? ENXIO : in_control_get(cmd, data, ifp);
    default:
      return ENOTTY;
  }
}

/** Is there a sockaddr_in at `off`? Length 0 is taken as one, as NetBSD does for the family alone. */
function sin_at(data: Uint8Array, off: number): boolean {
  return data.length >= off + 16 && sa_family(data, off) === AF_INET && sa_len(data, off) >= 8;
}

function host_address(addr: number): boolean {
  return !IN_MULTICAST(addr) && !IN_EXPERIMENTAL(addr);
}

function first_ia(ifp: Ifnet): InIfaddr | null {
  return in_ifdata(ifp)?.ii_addrs[0] ?? null;
}

function in_control_set(inet: Inet, cmd: number, data: Uint8Array, ifp: Ifnet): number {
  if (cmd === SIOCAIFADDR) return in_aifaddr(inet, data, ifp);
  const given = sin_at(data, IFR_IFRU);
  const addr = sin_addr(data, IFR_IFRU);
  if (cmd === SIOCDIFADDR) {
    if (sa_family(data, IFR_IFRU) !== AF_INET && sa_family(data, IFR_IFRU) !== 0) return EAFNOSUPPORT;
    const ia = given ? in_get_ia_on_iface(addr, ifp) : first_ia(ifp);
    if (ia === null) return EADDRNOTAVAIL;
    in_purgeaddr(inet, ia);
    return 0;
  }
  if (!given) return EAFNOSUPPORT;
  const ia = first_ia(ifp);
  if (cmd === SIOCSIFADDR) return in_sifaddr(inet, ifp, ia, addr);
  if (ia === null) return EADDRNOTAVAIL;
  if (cmd === SIOCSIFNETMASK) {
    if (!in_mask_contiguous(addr)) return EINVAL;
    return in_reinit(inet, ifp, ia, ia.ia_addr4, addr, (ifp.if_flags & IFF_BROADCAST) !== 0 ? 0 : ia.ia_dstaddr4);
  }
  if (cmd === SIOCSIFBRDADDR && (ifp.if_flags & IFF_BROADCAST) === 0) return EINVAL;
  if (cmd === SIOCSIFDSTADDR && (ifp.if_flags & IFF_POINTOPOINT) === 0) return EINVAL;
  return in_reinit(inet, ifp, ia, ia.ia_addr4, ia.ia_subnetmask, addr);
}

/** SIOCSIFADDR: the first address becomes this one, with the mask of its class. */
function in_sifaddr(inet: Inet, ifp: Ifnet, ia: InIfaddr | null, addr: number): number {
  if (!host_address(addr)) return EINVAL;
  return in_reinit(inet, ifp, ia, addr, in_classmask(addr), 0);
}

/** SIOCAIFADDR: adds an address, or changes mask and destination of one that is there. */
function in_aifaddr(inet: Inet, data: Uint8Array, ifp: Ifnet): number {
  if (data.length < IFRA_MASK + 16) return EINVAL;
  const has_addr = sa_family(data, IFRA_ADDR) === AF_INET;
  if (!has_addr && sa_family(data, IFRA_ADDR) !== 0) return EAFNOSUPPORT;
  const addr = has_addr ? sin_addr(data, IFRA_ADDR) : 0;
  const old = has_addr ? in_get_ia_on_iface(addr, ifp) : first_ia(ifp);
  const address = has_addr ? addr : old === null ? 0 : old.ia_addr4;
  if (!has_addr && old === null) return EADDRNOTAVAIL;
  if (!host_address(address)) return EINVAL;
  let mask = old === null ? in_classmask(address) : old.ia_subnetmask;
  if (sa_len(data, IFRA_MASK) !== 0) mask = mask_at(data, IFRA_MASK);
  if (!in_mask_contiguous(mask)) return EINVAL;
  const has_dst = sin_at(data, IFRA_DSTADDR);
  if (!has_dst && sa_family(data, IFRA_DSTADDR) !== 0) return EAFNOSUPPORT;
  let dst = has_dst ? sin_addr(data, IFRA_DSTADDR) : 0;
  if (!has_dst && old !== null && mask === old.ia_subnetmask)
    dst = (ifp.if_flags & IFF_BROADCAST) !== 0 ? old.ia_broadaddr : old.ia_dstaddr4;
  return in_reinit(inet, ifp, old, address, mask, dst);
}

/** The mask in a sockaddr_in whose length may leave out trailing zeros. */
function mask_at(data: Uint8Array, off: number): number {
  const n = sa_len(data, off);
  let mask = 0;
  for (let i = 0; i < 4; i++) mask = (mask << 8) | (4 + i < n ? data[off + 4 + i] : 0);
  return mask;
}

/** Gives ifp the address addr in the place of old. If that fails, old is back as it was. */
function in_reinit(inet: Inet, ifp: Ifnet, old: InIfaddr | null, addr: number, mask: number, dst: number): number {
  if (
    old !== null &&
    old.ia_addr4 === addr &&
    old.ia_subnetmask === mask &&
    (dst === 0 || dst === old.ia_broadaddr || dst === old.ia_dstaddr4)
  )
    return 0;
  const was_addr = old?.ia_addr4 ?? 0;
  const was_mask = old?.ia_subnetmask ?? 0;
  const was_dst = old === null ? 0 : (ifp.if_flags & IFF_BROADCAST) !== 0 ? old.ia_broadaddr : old.ia_dstaddr4;
  if (old !== null) in_purgeaddr(inet, old);
  const error = in_add(inet, ifp, addr, mask, dst);
  if (error !== 0 && old !== null) in_add(inet, ifp, was_addr, was_mask, was_dst);
  return error;
}

function in_add(inet: Inet, ifp: Ifnet, addr: number, mask: number, dst: number): number {
  const ia = in_ifaddr_alloc(inet, ifp);
  const error = in_ifinit(inet, ifp, ia, addr, mask, dst);
  if (error !== 0) callout_destroy(ia.dad_timer_ch);
  return error;
}

function in_control_get(cmd: number, data: Uint8Array, ifp: Ifnet): number {
  const asked = sin_at(data, IFR_IFRU) ? in_get_ia_on_iface(sin_addr(data, IFR_IFRU), ifp) : null;
  if (cmd === SIOCGIFALIAS) return in_galias(data, ifp);
  const ia = asked ?? first_ia(ifp);
  if (ia === null) return EADDRNOTAVAIL;
  switch (cmd) {
    case SIOCGIFADDR:
      sin_init(data, ia.ia_addr4, 0, IFR_IFRU);
      return 0;
    case SIOCGIFDSTADDR:
      if ((ifp.if_flags & IFF_POINTOPOINT) === 0) return EINVAL;
      sin_init(data, ia.ia_dstaddr4, 0, IFR_IFRU);
      return 0;
    case SIOCGIFBRDADDR:
    case OOSIOCGIFBRDADDR:
      if ((ifp.if_flags & IFF_BROADCAST) === 0) return EINVAL;
      sin_init(data, ia.ia_broadaddr, 0, IFR_IFRU);
      return 0;
    case SIOCGIFNETMASK:
      sin_init(data, ia.ia_subnetmask, 0, IFR_IFRU);
      return 0;
    default:
      if (sin_at(data, IFR_IFRU) && asked === null) return EADDRNOTAVAIL;
      abi_view(data).setInt32(IFR_IFRU, ia.ia_flags, true);
      return 0;
  }
}

/** SIOCGIFALIAS: everything about one address. */
function in_galias(data: Uint8Array, ifp: Ifnet): number {
  const ia = sin_at(data, IFRA_ADDR) ? in_get_ia_on_iface(sin_addr(data, IFRA_ADDR), ifp) : first_ia(ifp);
  if (ia === null) return EADDRNOTAVAIL;
  sin_init(data, ia.ia_addr4, 0, IFRA_ADDR);
  sin_init(data, ia.ia_subnetmask, 0, IFRA_MASK);
  if ((ifp.if_flags & IFF_POINTOPOINT) !== 0) sin_init(data, ia.ia_dstaddr4, 0, IFRA_DSTADDR);
  else if ((ifp.if_flags & IFF_BROADCAST) !== 0) sin_init(data, ia.ia_broadaddr, 0, IFRA_DSTADDR);
  else data.fill(0, IFRA_DSTADDR, IFRA_DSTADDR + 16);
  return 0;
}
