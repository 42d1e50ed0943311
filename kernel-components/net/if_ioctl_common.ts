/*
 * The interface ioctls that take more than a line: flags, MTU, capabilities, counters, media.
 */
import { EFAULT, EINVAL, ENOTTY } from "../../hypercall/api/errno.ts";
import { M_CSUM_IPv4, M_CSUM_TCPv4, M_CSUM_TCPv6, M_CSUM_UDPv4, M_CSUM_UDPv6 } from "../kern/mbuf.ts";
import type { Ifnet } from "./if.ts";
import {
  abi_buffer,
  abi_get_u64,
  abi_put_u64,
  ifr_int,
  SIOCSIFCAP,
  SIOCSIFFLAGS,
  SIOCSIFMTU,
  SIZEOF_IFMEDIAREQ,
  ifreq_flags,
} from "./if_abi.ts";
import {
  IFCAP_CSUM_IPv4_Rx,
  IFCAP_CSUM_IPv4_Tx,
  IFCAP_CSUM_TCPv4_Rx,
  IFCAP_CSUM_TCPv4_Tx,
  IFCAP_CSUM_TCPv6_Rx,
  IFCAP_CSUM_TCPv6_Tx,
  IFCAP_CSUM_UDPv4_Rx,
  IFCAP_CSUM_UDPv4_Tx,
  IFCAP_CSUM_UDPv6_Rx,
  IFCAP_CSUM_UDPv6_Tx,
  IFCAP_MASK,
  IFF_CANTCHANGE,
  IFF_UP,
} from "./if_flags.ts";
import { if_down, if_lastchange, if_up } from "./if_link.ts";
import type { IfMedia } from "./if_media.ts";
import { AF_MAX } from "./net.ts";
import { if_set_mtu } from "./ether_attach.ts";
import { if_data_put } from "./rtsock_abi.ts";
import { rt_ifmsg } from "./rtsock_notify.ts";

/** Sets the flags that may be set. A driver that refuses to come up leaves the interface as it was; the protocols hear of IFF_UP after the driver. */
export function if_setflags(ifp: Ifnet, flags: number): number {
  const old = ifp.if_flags;
  const want = (old & IFF_CANTCHANGE) | (flags & 0xffff & ~IFF_CANTCHANGE);
  if ((old & IFF_UP) !== 0 && (want & IFF_UP) === 0) if_down(ifp);
  ifp.if_flags = want;
  const error = ifp.if_ioctl(ifp, SIOCSIFFLAGS, ifreq_flags(ifp.if_xname, want));
  if (error !== 0 && error !== ENOTTY) {
    if ((old & IFF_UP) === 0) ifp.if_flags = old;
    return error;
  }
  if ((old & IFF_UP) === 0 && (want & IFF_UP) !== 0) if_up(ifp);
  else if (old !== want) rt_ifmsg(ifp);
  return 0;
}

/** Sets the MTU through the driver; families and routing sockets hear of it. */
export function if_setmtu(ifp: Ifnet, data: Uint8Array): number {
  const old = ifp.if_mtu;
  let error = ifp.if_ioctl(ifp, SIOCSIFMTU, data);
  if (error === ENOTTY) error = if_set_mtu(ifp, ifr_int(data));
  if (error !== 0 || ifp.if_mtu === old) return error;
  if_lastchange(ifp);
  for (let af = 0; af < AF_MAX; af++) ifp.if_net.if_af[af]?.if_mtu?.(ifp);
  rt_ifmsg(ifp);
  return 0;
}

/** struct ifcapreq. */
export function if_getcap(ifp: Ifnet, dv: DataView): number {
  abi_put_u64(dv, 16, ifp.if_capabilities);
  abi_put_u64(dv, 24, ifp.if_capenable);
  return 0;
}

/** Switches capabilities. EINVAL: one that the device has not. The driver may refuse. */
export function if_setcap(ifp: Ifnet, dv: DataView, data: Uint8Array): number {
  const want = abi_get_u64(dv, 24);
  if (want < 0 || want > IFCAP_MASK || (want & ~ifp.if_capabilities) !== 0) return EINVAL;
  const old = ifp.if_capenable;
  ifp.if_capenable = want;
  if_csum_update(ifp);
  const error = ifp.if_ioctl(ifp, SIOCSIFCAP, data);
  if (error === 0 || error === ENOTTY) return 0;
  ifp.if_capenable = old;
  if_csum_update(ifp);
  return error;
}

/** Derives if_csum_flags_tx and if_csum_flags_rx from if_capenable: a driver calls it after it has set that. */
export function if_csum_update(ifp: Ifnet): void {
  const en = ifp.if_capenable;
  let tx = 0;
  let rx = 0;
  if ((en & IFCAP_CSUM_IPv4_Tx) !== 0) tx |= M_CSUM_IPv4;
  if ((en & IFCAP_CSUM_TCPv4_Tx) !== 0) tx |= M_CSUM_TCPv4;
  if ((en & IFCAP_CSUM_UDPv4_Tx) !== 0) tx |= M_CSUM_UDPv4;
  if ((en & IFCAP_CSUM_TCPv6_Tx) !== 0) tx |= M_CSUM_TCPv6;
  if ((en & IFCAP_CSUM_UDPv6_Tx) !== 0) tx |= M_CSUM_UDPv6;
  if ((en & IFCAP_CSUM_IPv4_Rx) !== 0) rx |= M_CSUM_IPv4;
  if ((en & IFCAP_CSUM_TCPv4_Rx) !== 0) rx |= M_CSUM_TCPv4;
  if ((en & IFCAP_CSUM_UDPv4_Rx) !== 0) rx |= M_CSUM_UDPv4;
  if ((en & IFCAP_CSUM_TCPv6_Rx) !== 0) rx |= M_CSUM_TCPv6;
  if ((en & IFCAP_CSUM_UDPv6_Rx) !== 0) rx |= M_CSUM_UDPv6;
  ifp.if_csum_flags_tx = tx;
  ifp.if_csum_flags_rx = rx;
}

/** struct ifdatareq; zero: SIOCZIFDATA. */
export function if_getdata(ifp: Ifnet, dv: DataView, zero: boolean): number {
  if_data_put(ifp, dv, 16);
  if (!zero) return 0;
  ifp.if_data.fill(0);
  if_lastchange(ifp);
  return 0;
}

/** struct ifmediareq: what is chosen and active, and the list if there is room for it. */
export function if_getmedia(ifp: Ifnet, ifm: IfMedia, data: Uint8Array, dv: DataView): number {
  const count = dv.getInt32(32, true);
  ifm.ifm_stat(ifp, ifm);
  dv.setInt32(16, ifm.ifm_cur, true);
  dv.setInt32(20, ifm.ifm_mask, true);
  dv.setInt32(24, ifm.ifm_status, true);
  dv.setInt32(28, ifm.ifm_active, true);
  dv.setInt32(32, ifm.ifm_list.length, true);
  if (count < 0) return EINVAL;
  if (count === 0 || abi_get_u64(dv, 40) === 0) return 0;
  const n = Math.min(count, ifm.ifm_list.length);
  const at = abi_buffer(data, dv, 40, SIZEOF_IFMEDIAREQ, n * 4);
  if (at < 0) return EFAULT;
  for (let j = 0; j < n; j++) dv.setInt32(at + j * 4, ifm.ifm_list[j], true);
  return 0;
}
