/*
 * What all Ethernet drivers have in common: attaching, and the ioctls that need no device.
 */
import { EINVAL, ENOTTY } from "../../hypercall/api/errno.ts";
import {
  ETHER_ADDR_LEN,
  ETHER_HDR_LEN,
  ETHER_IS_MULTICAST,
  ETHERMTU,
  ether_addr_hi,
  ether_addr_lo,
} from "../wire/ether.ts";
import { bpfattach, bpfdetach, DLT_EN10MB } from "./bpf_if.ts";
import { ether_input } from "./ether.ts";
import { ether_output } from "./ether_output.ts";
import { type Ifnet, if_ioctl_none, if_output_none } from "./if.ts";
import { ifr_int, SIOCADDMULTI, SIOCDELMULTI, SIOCINITIFADDR, SIOCSIFCAP, SIOCSIFFLAGS, SIOCSIFMTU } from "./if_abi.ts";
import { if_alloc_sadl, if_transmit_queue } from "./if_attach.ts";
import { IFF_BROADCAST, IFF_MULTICAST, IFF_RUNNING, IFF_SIMPLEX, IFF_UP, IFT_ETHER } from "./if_flags.ts";

/** Smallest MTU of an Ethernet interface: what every IPv4 link must carry (RFC 791 §3.2). */
export const ETHERMTU_MIN = 68;
/** Largest MTU of an Ethernet interface; a driver may set if_mtu_max lower. */
export const ETHERMTU_MAX = 65521;

/**
 * Makes an interface an Ethernet one, with this address: call it between if_initialize and if_register, or after if_attach. What the driver set
 * before (if_mtu, if_transmit, if_ioctl...) stays; without an if_transmit it gets the send queue and if_start. EINVAL: not a station address.
 */
export function ether_ifattach(ifp: Ifnet, mac: Uint8Array): number {
  if (mac.length !== ETHER_ADDR_LEN || ETHER_IS_MULTICAST(ether_addr_hi(mac))) return EINVAL;
  ifp.if_type = IFT_ETHER;
  ifp.if_addrlen = ETHER_ADDR_LEN;
  ifp.if_hdrlen = ETHER_HDR_LEN;
  if (ifp.if_mtu === 0) ifp.if_mtu = ETHERMTU;
  if (ifp.if_mtu_min < ETHERMTU_MIN) ifp.if_mtu_min = ETHERMTU_MIN;
  if (ifp.if_mtu_max > ETHERMTU_MAX) ifp.if_mtu_max = ETHERMTU_MAX;
  ifp.if_flags |= IFF_BROADCAST | IFF_SIMPLEX | IFF_MULTICAST;
  ifp.if_broadcastaddr = new Uint8Array(ETHER_ADDR_LEN).fill(0xff);
  ifp.if_output = ether_output;
  ifp.if_input = ether_input;
  if (ifp.if_transmit === if_output_none) ifp.if_transmit = if_transmit_queue;
  if (ifp.if_ioctl === if_ioctl_none) ifp.if_ioctl = ether_ioctl;
  if_set_lladdr(ifp, mac);
  bpfattach(ifp, DLT_EN10MB, ETHER_HDR_LEN);
  return 0;
}

/** Undoes ether_ifattach; call it before if_detach. */
export function ether_ifdetach(ifp: Ifnet): void {
  ifp.if_multiaddrs.length = 0;
  bpfdetach(ifp);
}

/** Changes the hardware address, in every form it is kept. */
export function if_set_lladdr(ifp: Ifnet, mac: Uint8Array): void {
  ifp.if_lladdr = mac.slice(0, ETHER_ADDR_LEN);
  ifp.if_mac_hi = ether_addr_hi(mac);
  ifp.if_mac_lo = ether_addr_lo(mac);
  if_alloc_sadl(ifp);
}

/** ioctls of any Ethernet interface: a driver handles its own and passes the rest here. ENOTTY: not known. */
export function ether_ioctl(ifp: Ifnet, cmd: number, data: Uint8Array): number {
  switch (cmd) {
    case SIOCINITIFADDR:
      ifp.if_flags |= IFF_UP;
      return (ifp.if_flags & IFF_RUNNING) !== 0 ? 0 : ifp.if_init(ifp);
    case SIOCSIFFLAGS:
      return if_follow_up(ifp);
    case SIOCSIFMTU:
      return if_set_mtu(ifp, ifr_int(data));
    case SIOCADDMULTI:
    case SIOCDELMULTI:
    case SIOCSIFCAP:
      return 0;
    default:
      return ENOTTY;
  }
}

/** Makes the device follow IFF_UP: if_init or if_stop. */
export function if_follow_up(ifp: Ifnet): number {
  const up = (ifp.if_flags & IFF_UP) !== 0;
  const running = (ifp.if_flags & IFF_RUNNING) !== 0;
  if (up && !running) return ifp.if_init(ifp);
  if (!up && running) ifp.if_stop(ifp, true);
  return 0;
}

/** Sets if_mtu within the interface's limits. */
export function if_set_mtu(ifp: Ifnet, mtu: number): number {
  if (mtu < ifp.if_mtu_min || mtu > ifp.if_mtu_max) return EINVAL;
  ifp.if_mtu = mtu;
  return 0;
}
