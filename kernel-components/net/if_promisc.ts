/*
 * Promiscuous mode and group memberships of an interface: both counted, the device told of the first and the last.
 */
import { EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL, ENOTTY } from "../../hypercall/api/errno.ts";
import { ETHER_IS_MULTICAST, ether_addr_hi, ether_addr_lo } from "../wire/ether.ts";
import { AF_INET, AF_INET6, AF_LINK, AF_UNSPEC, sa_family, sdl_alen, sdl_lladdr, sin_addr } from "../wire/sockaddr.ts";
import { ETHER_IP_MULTICAST_HI, ETHER_IPV6_MULTICAST_HI, ETHER_MAP_IP_MULTICAST } from "../wire/ether.ts";
import { IN_MULTICAST } from "../wire/in.ts";
import { ifreq_addr, ifreq_flags, SIOCADDMULTI, SIOCDELMULTI, SIOCSIFFLAGS } from "./if_abi.ts";
import { type Ifnet, IfMultiaddr } from "./if.ts";
import { IFF_ALLMULTI, IFF_MULTICAST, IFF_PROMISC, IFF_UP } from "./if_flags.ts";

/** Most groups that one interface filters; with more it is set to take all multicast. */
export const IF_MAXMULTI = 4096;

/** Counts a user of promiscuous mode in or out. Returns the device's errno; then nothing has changed. */
export function ifpromisc(ifp: Ifnet, on: boolean): number {
  const old_flags = ifp.if_flags;
  const old_count = ifp.if_pcount;
  if (on) {
    if (ifp.if_pcount++ > 0) return 0;
    ifp.if_flags |= IFF_PROMISC;
  } else {
    if (ifp.if_pcount === 0) return EINVAL;
    if (--ifp.if_pcount > 0) return 0;
    ifp.if_flags &= ~IFF_PROMISC;
  }
  if ((ifp.if_flags & IFF_UP) === 0) return 0;
  const error = ifp.if_ioctl(ifp, SIOCSIFFLAGS, ifreq_flags(ifp.if_xname, ifp.if_flags));
  if (error === 0 || error === ENOTTY) return 0;
  ifp.if_flags = old_flags;
  ifp.if_pcount = old_count;
  return error;
}

/** The group of a hardware address, or null. */
export function if_lookup_multi(ifp: Ifnet, hi: number, lo: number): IfMultiaddr | null {
  const list = ifp.if_multiaddrs;
  for (let n = 0; n < list.length; n++) if (list[n].enm_lo === lo && list[n].enm_hi === hi) return list[n];
  return null;
}

/** Joins a hardware group. The device is told of the first user (SIOCADDMULTI with an AF_LINK address); its errno undoes the join. */
export function if_addmulti(ifp: Ifnet, hi: number, lo: number): number {
  if (!ETHER_IS_MULTICAST(hi)) return EINVAL;
  const old = if_lookup_multi(ifp, hi, lo);
  if (old !== null) {
    old.enm_refcount++;
    return 0;
  }
  ifp.if_multiaddrs.push(new IfMultiaddr(hi, lo));
  const error = ifp.if_ioctl(ifp, SIOCADDMULTI, multi_request(ifp, hi, lo));
  if (error !== 0 && error !== ENOTTY) {
    ifp.if_multiaddrs.pop();
    return error;
  }
  if (ifp.if_multiaddrs.length > IF_MAXMULTI) ifp.if_flags |= IFF_ALLMULTI;
  return 0;
}

/** Leaves a hardware group. EADDRNOTAVAIL: was not joined. */
export function if_delmulti(ifp: Ifnet, hi: number, lo: number): number {
  const enm = if_lookup_multi(ifp, hi, lo);
  if (enm === null) return EADDRNOTAVAIL;
  if (--enm.enm_refcount > 0) return 0;
  ifp.if_multiaddrs.splice(ifp.if_multiaddrs.indexOf(enm), 1);
  if (ifp.if_multiaddrs.length <= IF_MAXMULTI) ifp.if_flags &= ~IFF_ALLMULTI;
  ifp.if_ioctl(ifp, SIOCDELMULTI, multi_request(ifp, hi, lo));
  return 0;
}

/** SIOCADDMULTI and SIOCDELMULTI from outside: the group as AF_LINK, AF_UNSPEC (six bytes), AF_INET or AF_INET6 address. */
export function if_multi_ioctl(ifp: Ifnet, add: boolean, sa: Uint8Array): number {
  if ((ifp.if_flags & IFF_MULTICAST) === 0) return EINVAL;
  let hi = 0;
  let lo = 0;
  switch (sa_family(sa)) {
    case AF_UNSPEC:
      hi = ether_addr_hi(sa, 2);
      lo = ether_addr_lo(sa, 2);
      break;
    case AF_LINK: {
      if (sdl_alen(sa) !== 6) return EINVAL;
      const ll = sdl_lladdr(sa);
      if (ll.length !== 6) return EINVAL;
      hi = ether_addr_hi(ll);
      lo = ether_addr_lo(ll);
      break;
    }
    case AF_INET:
      if (!IN_MULTICAST(sin_addr(sa))) return EINVAL;
      hi = ETHER_IP_MULTICAST_HI;
      lo = ETHER_MAP_IP_MULTICAST(sin_addr(sa));
      break;
    case AF_INET6:
      if (sa[8] !== 0xff) return EINVAL;
      hi = ETHER_IPV6_MULTICAST_HI;
      lo = (sa[20] << 24) | (sa[21] << 16) | (sa[22] << 8) | sa[23];
      break;
    default:
      return EAFNOSUPPORT;
  }
  if (!ETHER_IS_MULTICAST(hi)) return EINVAL;
  return add ? if_addmulti(ifp, hi, lo) : if_delmulti(ifp, hi, lo);
}

/** struct ifreq with the group as AF_UNSPEC bytes, for the driver. */
function multi_request(ifp: Ifnet, hi: number, lo: number): Uint8Array {
  const sa = new Uint8Array(16);
  sa[0] = 16;
  sa[2] = hi >>> 8;
  sa[3] = hi;
  for (let n = 0; n < 4; n++) sa[4 + n] = lo >>> (24 - 8 * n);
  return ifreq_addr(ifp.if_xname, sa);
}
