/*
 * struct ifnet and struct ifaddr: an interface and its addresses.
 *
 * A driver makes an Ifnet, fills if_* fields and function fields, and calls if_attach (or ether_ifattach). On the packet path:
 *
 *   out   protocol -> ifp.if_output (ether_output, looutput, a driver's own) -> if_transmit_lock, which taps -> ifp.if_transmit (driver, or the queue + if_start)
 *   in    driver   -> ifp.if_input(ifp, m) (ether_input, raw_input), which taps -> the protocol registered for the ethertype
 *
 * bpf and capture are tapped here, by if_transmit_lock and the input functions: a driver never taps. Every function that takes an mbuf owns it, error or not.
 */
import { EAFNOSUPPORT, ENOTTY } from "../../hypercall/api/errno.ts";
import type { Callout } from "../kern/callout.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import type { BpfIf } from "./bpf_if.ts";
import type { IfMedia } from "./if_media.ts";
import { IFD_COUNT, IFT_OTHER, LINK_STATE_UNKNOWN } from "./if_flags.ts";
import { Ifqueue } from "./ifqueue.ts";
import type { Net } from "./net.ts";
import type { PfilHead } from "./pfil.ts";
import type { Rtentry } from "./rtentry.ts";

/** Sees every packet of an interface (the pcapng capture driver). The tap borrows the mbuf: it must not keep, change or free it. */
export interface CaptureTap {
  /** A packet came in; m begins at the link header (none on a raw interface). */
  in(m: Mbuf): void;
  /** A packet goes out. */
  out(m: Mbuf): void;
  /** A packet is dropped by the interface layer, for the named reason (a counter's name). */
  drop(m: Mbuf, reason: string): void;
}

/** One group membership of an interface (struct ether_multi): the hardware address and how many asked for it. */
export class IfMultiaddr {
  /** First 16 bits. */
  readonly enm_hi: number;
  /** Last 32 bits. */
  readonly enm_lo: number;
  /** Users. */
  enm_refcount = 1;
  constructor(hi: number, lo: number) {
    this.enm_hi = hi;
    this.enm_lo = lo;
  }
}

/** An interface. */
export class Ifnet {
  /** The state of the layer, with the kernel behind it. */
  readonly if_net: Net;
  /** Name with unit: "virt0". */
  readonly if_xname: string;
  /** Driver name: "virt". */
  readonly if_dname: string;
  /** Unit number. */
  readonly if_dunit: number;
  /** Number in the kernel, from 1; 0 while not attached. */
  if_index = 0;
  /** IFF_ flags. */
  if_flags = 0;
  /** Driver-private flags. */
  if_extflags = 0;
  /** IFT_ type. */
  if_type: number = IFT_OTHER;
  /** Largest payload of one frame. */
  if_mtu = 0;
  /** Bytes of a hardware address. */
  if_addrlen = 0;
  /** Bytes of a link header. */
  if_hdrlen = 0;
  /** Routing metric. */
  if_metric = 0;
  /** Bits per second; 0 unknown. */
  if_baudrate = 0;
  /** LINK_STATE_. */
  if_link_state: number = LINK_STATE_UNKNOWN;
  /** IFCAP_ that the device has. */
  if_capabilities = 0;
  /** IFCAP_ switched on. */
  if_capenable = 0;
  /** M_CSUM_ flags that the device fills in, from if_capenable. */
  if_csum_flags_tx = 0;
  /** M_CSUM_ flags that the device verifies, from if_capenable. */
  if_csum_flags_rx = 0;
  /** Hardware address. */
  if_lladdr: Uint8Array = new Uint8Array(0);
  /** First 16 bits of the hardware address. */
  if_mac_hi = 0;
  /** Last 32 bits of the hardware address. */
  if_mac_lo = 0;
  /** Link-layer broadcast address. */
  if_broadcastaddr: Uint8Array = new Uint8Array(0);
  /** The interface's own MTU limits for SIOCSIFMTU. */
  if_mtu_min = 68;
  /** See if_mtu_min. */
  if_mtu_max = 65535;
  /** Addresses, the AF_LINK one first. */
  readonly if_addrlist: Ifaddr[] = [];
  /** The AF_LINK address. */
  if_dl: Ifaddr | null = null;
  /** Send queue. */
  readonly if_snd: Ifqueue = new Ifqueue();
  /** Counters by IFD_ index. */
  readonly if_data: Float64Array = new Float64Array(IFD_COUNT);
  /** When the state last changed, wall clock: seconds and nanoseconds. */
  if_lastchange_sec = 0;
  /** See if_lastchange_sec. */
  if_lastchange_nsec = 0;
  /** How many ask for promiscuous mode (bpf, bridge). */
  if_pcount = 0;
  /** Groups joined at the link layer. */
  readonly if_multiaddrs: IfMultiaddr[] = [];
  /** Data of protocols, by address family. */
  readonly if_afdata: unknown[] = [];
  /** The first bpf attachment (its data link type), or null without listeners: one check on the packet path. */
  if_bpf: BpfIf | null = null;
  /** Every bpf attachment of this interface, with or without listeners. */
  readonly if_bpflist: BpfIf[] = [];
  /** Packet filter hooks of this interface, or null if there are none. */
  if_pfil: PfilHead | null = null;
  /** Capture, or null. */
  if_capture: CaptureTap | null = null;
  /** Media, or null for an interface without. */
  if_media: IfMedia | null = null;
  /** A bridge or aggregate that takes this interface's input before the protocols: true = taken (consumed). */
  if_steal: ((ifp: Ifnet, m: Mbuf) => boolean) | null = null;
  /** Softc of the driver. */
  if_softc: unknown = null;
  /** Attached and not being detached. */
  if_attached = false;
  /** The watchdog of a driver, if any. */
  if_watchdog: Callout | null = null;

  /** Sends to a protocol address. Consumes m. dst: AF_INET an int32; AF_INET6 the slab offset of 16 bytes; AF_UNSPEC ignored, the link header is in net.bpf_hdr (14 bytes). Returns an errno. */
  if_output: (ifp: Ifnet, m: Mbuf, af: number, dst: number, rt: Rtentry | null) => number = if_output_none;
  /** Empties if_snd into the device. */
  if_start: (ifp: Ifnet) => void = if_start_none;
  /** Takes a finished frame: the device's, or if_transmit_queue (if_snd + if_start). Consumes m. */
  if_transmit: (ifp: Ifnet, m: Mbuf) => number = if_output_none;
  /** What the driver calls for each received frame, between k.enter and k.leave. Consumes m. */
  if_input: (ifp: Ifnet, m: Mbuf) => void = if_input_none;
  /** The driver's ioctls: SIOCSIFFLAGS, SIOCSIFMTU, SIOCADDMULTI, SIOCSIFCAP after the generic work; SIOCxLINKSTR, SIOCxDRVSPEC and unknown ones. ENOTTY if not known. */
  if_ioctl: (ifp: Ifnet, cmd: number, data: Uint8Array) => number = if_ioctl_none;
  /** Brings the device up. */
  if_init: (ifp: Ifnet) => number = if_init_none;
  /** Takes the device down. */
  if_stop: (ifp: Ifnet, disable: boolean) => void = if_stop_none;

  constructor(net: Net, dname: string, dunit: number) {
    this.if_net = net;
    this.if_dname = dname;
    this.if_dunit = dunit;
    this.if_xname = dname + String(dunit);
  }
}

/** ifa_flags: the address has a route to it. */
export const IFA_ROUTE = 0x01;
/** ifa_flags: the address is being taken away. */
export const IFA_DESTROYING = 0x02;

/** An address of an interface. Protocols extend it (InIfaddr). */
export class Ifaddr {
  /** Whose address. */
  readonly ifa_ifp: Ifnet;
  /** The address, a sockaddr. */
  ifa_addr: Uint8Array;
  /** Other end of a point-to-point link, or the broadcast address; null if neither. */
  ifa_dstaddr: Uint8Array | null = null;
  /** Mask, a sockaddr of the address's family. */
  ifa_netmask: Uint8Array | null = null;
  /** IFA_ flags and RTF_ flags for routes made from this address. */
  ifa_flags = 0;
  /** Metric. */
  ifa_metric = 0;
  /** Preference among addresses of one interface. */
  ifa_preference = 0;
  /** Users: the interface's list and routes. */
  ifa_refcnt = 0;
  /** Told when a route through this address is added, deleted, or changed. */
  ifa_rtrequest: ((req: number, rt: Rtentry) => void) | null = null;
  constructor(ifp: Ifnet, addr: Uint8Array) {
    this.ifa_ifp = ifp;
    this.ifa_addr = addr;
  }
}

/** Where a frame goes: the answer of a resolver. */
export class LlDest {
  /** First 16 bits of the hardware address. */
  mac_hi = 0;
  /** Last 32 bits. */
  mac_lo = 0;
}

/** if_output and if_transmit of an interface whose driver has not set them. */
export function if_output_none(_ifp: Ifnet, m: Mbuf): number {
  m_freem(m);
  return EAFNOSUPPORT;
}
function if_start_none(_ifp: Ifnet): void {}
function if_input_none(_ifp: Ifnet, m: Mbuf): void {
  m_freem(m);
}
/** if_ioctl of an interface whose driver has not set it. */
export function if_ioctl_none(_ifp: Ifnet, _cmd: number, _data: Uint8Array): number {
  return ENOTTY;
}
function if_init_none(_ifp: Ifnet): number {
  return 0;
}
function if_stop_none(_ifp: Ifnet, _disable: boolean): void {}
