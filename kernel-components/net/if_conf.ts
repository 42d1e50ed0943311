/*
 * Listing: SIOCGIFCONF (interfaces and addresses) and SIOCIFGCLONERS.
 */
import { EFAULT, EINVAL } from "../../hypercall/api/errno.ts";
import { sa_len } from "../wire/sockaddr.ts";
import {
  abi_buffer,
  abi_get_u64,
  abi_view,
  ifr_name_put,
  IFR_IFRU,
  SIZEOF_IF_CLONEREQ,
  SIZEOF_IFCONF,
  SIZEOF_IFREQ,
} from "./if_abi.ts";
import type { Ifnet } from "./if.ts";
import { IFNAMSIZ } from "./if_flags.ts";
import type { Net } from "./net.ts";

/** One struct ifreq for each address, and one without address for an interface that has none. ifc_len says how many bytes were filled; with a null buffer, how many it takes. */
export function ifconf_ioctl(net: Net, data: Uint8Array): number {
  const dv = abi_view(data);
  const len = dv.getInt32(0, true);
  const counting = abi_get_u64(dv, 8) === 0;
  if (len < 0) return EINVAL;
  const at = counting ? 0 : abi_buffer(data, dv, 8, SIZEOF_IFCONF, len);
  if (at < 0) return EFAULT;
  const room = counting ? Number.POSITIVE_INFINITY : len;
  let used = 0;
  for (const ifp of net.ifnet_list) {
    const n = Math.max(1, ifp.if_addrlist.length);
    for (let j = 0; j < n; j++) {
      if (used + SIZEOF_IFREQ > room) break;
      if (!counting) ifconf_entry(data, at + used, ifp, j);
      used += SIZEOF_IFREQ;
    }
  }
  dv.setInt32(0, used, true);
  return 0;
}

function ifconf_entry(data: Uint8Array, at: number, ifp: Ifnet, j: number): void {
  data.fill(0, at, at + SIZEOF_IFREQ);
  ifr_name_put(data, at, ifp.if_xname);
  if (j >= ifp.if_addrlist.length) return;
  const sa = ifp.if_addrlist[j].ifa_addr;
  data.set(sa.subarray(0, Math.min(sa_len(sa), SIZEOF_IFREQ - IFR_IFRU)), at + IFR_IFRU);
}

/** The names of the cloners; ifcr_total says how many there are, whatever fits. */
export function if_clone_list(net: Net, data: Uint8Array): number {
  const dv = abi_view(data);
  const total = net.if_cloners.length;
  const count = dv.getInt32(4, true);
  dv.setInt32(0, total, true);
  if (abi_get_u64(dv, 8) === 0) return 0;
  if (count < 0) return EINVAL;
  const n = Math.min(count, total);
  const at = abi_buffer(data, dv, 8, SIZEOF_IF_CLONEREQ, n * IFNAMSIZ);
  if (at < 0) return EFAULT;
  for (let j = 0; j < n; j++) ifr_name_put(data, at + j * IFNAMSIZ, net.if_cloners[j].name);
  return 0;
}
