/*
 * The state of the network layer of one kernel: interfaces, protocol tables, the routing tables and their cache, routing sockets, bpf and pfil.
 *
 * Protocols above reach the layer through register_ethertype and register_if_af; nothing here imports them.
 */
import type { Kernel } from "../kern/kernel.ts";
import { SoftcKey } from "../kern/kernel.ts";
import type { Lwp } from "../kern/proc.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import type { Bpf } from "./bpf_desc.ts";
import type { BpfIf } from "./bpf_if.ts";
import type { Ifaddr, Ifnet, LlDest } from "./if.ts";
import type { IfClone } from "./if_clone.ts";
import type { PfilHead } from "./pfil.ts";
import type { PktQueue } from "./pktqueue.ts";
import type { RadixHead } from "./radix.ts";
import type { RawCb } from "./raw_cb.ts";
import type { RtCache } from "./rtcache.ts";
import type { RtInfo, Rtentry } from "./rtentry.ts";
import type { RtTimers } from "./rt_timer.ts";

/** net.bpf.maxbufsize at boot. */
const BPF_MAXBUFSIZE: number = 1024 * 1024;
/** One more than the largest address family. */
export const AF_MAX = 38;

/** Called with one neighbour of a family's table: its address (sockaddr), link-layer address (sockaddr_dl), RTF_ flags, expiry (uptime s, 0 none). */
export type LltableVisit = (ifp: Ifnet, dst: Uint8Array, sdl: Uint8Array, flags: number, expire: number) => void;

/** What an address family gives this layer. Upward calls go through it. */
export interface IfAf {
  /** AF_ number. */
  readonly if_af: number;
  /** Its Ethernet type. */
  readonly if_ethertype: number;
  /**
   * Finds the hardware address for a destination on a broadcast link. 0: out is filled, the caller still owns m. Anything else: m was consumed;
   * EWOULDBLOCK says it waits in the neighbour table (the caller reports success). Broadcast and multicast destinations are the resolver's work too.
   */
  resolve(ifp: Ifnet, m: Mbuf, dst: number, rt: Rtentry | null, out: LlDest): number;
  /** An address ioctl (SIOCxIFADDR family) without a socket to carry it. ENOTTY if not known. */
  control?(cmd: number, data: Uint8Array, ifp: Ifnet | null, l: Lwp | null): number;
  /** An interface was attached. */
  ifattach?(ifp: Ifnet): void;
  /** An interface goes: delete its addresses and neighbours. */
  ifdetach?(ifp: Ifnet): void;
  /** IFF_UP was set. */
  if_up?(ifp: Ifnet): void;
  /** IFF_UP was cleared. */
  if_down?(ifp: Ifnet): void;
  /** if_link_state changed. */
  link_state?(ifp: Ifnet, state: number): void;
  /** The hardware address changed. */
  lladdr_change?(ifp: Ifnet): void;
  /** if_mtu changed. */
  if_mtu?(ifp: Ifnet): void;
  /** Flags of an address beyond ifa_flags (tentative, duplicated...) for ifam_addrflags. */
  ifa_addrflags?(ifa: Ifaddr): number;
  /** Every neighbour: NET_RT_FLAGS with RTF_LLDATA (arp -a). */
  lltable_dump?(visit: LltableVisit): void;
  /** A routing message with RTF_LLDATA: RTM_ADD, RTM_DELETE, RTM_CHANGE, RTM_GET on the neighbour table. On RTM_GET fills info.rti_gateway, rti_flags and rti_expire. */
  lla_rt_output?(cmd: number, info: RtInfo): number;
}

/** Index in netstat: 802.1Q frames, unsupported until there is a vlan. */
export const NETS_VLAN = 0;
/** Index in netstat: frames shorter than a link header. */
export const NETS_RUNT = 1;
/** Index in netstat: unicast frames to another station, taken in because of promiscuous mode only. */
export const NETS_NOTFORUS = 2;
/** Index in netstat: multicast frames to a group that was not joined. */
export const NETS_MCASTFILTER = 3;
/** Index in netstat: frames with our own source address. */
export const NETS_OWNSOURCE = 4;
/** Index in netstat: ethertypes nobody registered. */
export const NETS_NOPROTO = 5;
/** Index in netstat: frames longer than the interface's limit. */
export const NETS_GIANT = 6;
/** Index in netstat: received while the interface was not up. */
export const NETS_IFDOWN = 7;
/** Index in netstat: no mbuf for a header, a copy or a segment. */
export const NETS_NOBUF = 8;
/** Index in netstat: output on an interface that is not up and running. */
export const NETS_ODOWN = 9;
/** Index in netstat: a reject or blackhole route at output. */
export const NETS_OREJECT = 10;
/** Index in netstat: dropped by a packet filter hook of an interface. */
export const NETS_PFIL = 11;
/** Index in netstat: loopback queue full. */
export const NETS_LOQDROP = 12;
/** Index in netstat: output in an address family that the interface does not carry. */
export const NETS_OAF = 13;
/** Index in netstat: a packet that cannot be segmented (bad offload metadata). */
export const NETS_BADGSO = 14;
/** Index in netstat: superframes cut in software. */
export const NETS_SWGSO = 15;
/** Index in netstat: checksums completed in software. */
export const NETS_SWCSUM = 16;
/** Index in netstat: routing lookups by address. */
export const NETS_RTLOOKUP = 17;
/** Index in netstat: of them, missed the cache. */
export const NETS_RTMISS = 18;
/** Index in netstat: 802.3 length frames (LLC). */
export const NETS_LLC = 19;
/** Counters. */
export const NETS_COUNT = 20;
/** Names of the counters in netstat, by NETS_ index. */
export const NETS_NAMES: readonly string[] = [
  "vlan_unsupported",
  "runt",
  "not_for_us",
  "mcast_filtered",
  "own_source",
  "noproto",
  "giant",
  "if_down_in",
  "nobuf",
  "if_down_out",
  "route_reject",
  "pfil",
  "loop_queue_full",
  "af_unsupported",
  "bad_gso",
  "sw_segmented",
  "sw_checksummed",
  "route_lookups",
  "route_cache_misses",
  "llc",
];

/** The state. */
export class Net {
  /** The kernel. */
  readonly k: Kernel;
  /** Interfaces in order of attachment. */
  readonly ifnet_list: Ifnet[] = [];
  /** Interfaces by index; [0] is null. */
  readonly ifindex2ifnet: (Ifnet | null)[] = [null];
  /** Told of each interface that is set up, before the address families are (a capture of all interfaces, also of those that come later). */
  readonly if_up_hooks: ((ifp: Ifnet) => void)[] = [];
  /** Cloners by name. */
  readonly if_cloners: IfClone[] = [];
  /** Input by ethertype: IPv4, ARP and IPv6 have a field of their own, the rest is in et_other. */
  et_ip: ((ifp: Ifnet, m: Mbuf) => void) | null = null;
  /** See et_ip. */
  et_arp: ((ifp: Ifnet, m: Mbuf) => void) | null = null;
  /** See et_ip. */
  et_ipv6: ((ifp: Ifnet, m: Mbuf) => void) | null = null;
  /** See et_ip. */
  readonly et_other: Map<number, (ifp: Ifnet, m: Mbuf) => void> = new Map();
  /** Address families by AF_ number. */
  readonly if_af: (IfAf | null)[] = new Array<IfAf | null>(AF_MAX).fill(null);
  /** The resolver of AF_INET again: one load on the packet path. */
  if_af_inet: IfAf | null = null;
  /** Routing tables by AF_ number. */
  readonly rt_tables: (RadixHead<Rtentry> | null)[] = new Array<RadixHead<Rtentry> | null>(AF_MAX).fill(null);
  /** Changes with every change of any route: whoever remembers a route remembers this and compares. int32. */
  rt_generation = 1;
  /** Cache of rtlookup4. */
  rt_cache: RtCache;
  /** Routes with an expiry. */
  rt_timers: RtTimers;
  /** Routing sockets. */
  readonly rawcbs: RawCb[] = [];
  /** How many routing sockets are open: no message is built for nobody. */
  route_cb_count = 0;
  /** Loopback packets waiting for the softint. */
  pktq: PktQueue;
  /** Loopback, the first. */
  lo0ifp: Ifnet | null = null;
  /** Filter hooks by address family. */
  readonly pfil_af: (PfilHead | null)[] = new Array<PfilHead | null>(AF_MAX).fill(null);
  /** Filter hooks of AF_INET: null while there are none. */
  inet_pfil_hook: PfilHead | null = null;
  /** bpf attachment points. */
  readonly bpf_iflist: BpfIf[] = [];
  /** net.bpf.maxbufsize: largest buffer that BIOCSBLEN gives. */
  bpf_maxbufsize: number = BPF_MAXBUFSIZE;
  /** Packets that bpf received, dropped for want of room, and captured, since boot (net.bpf.stats). */
  readonly bpf_gstats: Float64Array = new Float64Array(3);
  /** Open bpf descriptors. */
  readonly bpf_list: Bpf[] = [];
  /** Counters by NETS_ index. */
  readonly netstat: Float64Array = new Float64Array(NETS_COUNT);
  /** Link header for if_output with AF_UNSPEC: 14 bytes, written just before the call. */
  readonly bpf_hdr: Uint8Array = new Uint8Array(14);
  /** Scratch of ether_output. */
  readonly lldest: LlDest;
  constructor(k: Kernel, lldest: LlDest, cache: RtCache, timers: RtTimers, pktq: PktQueue) {
    this.k = k;
    this.lldest = lldest;
    this.rt_cache = cache;
    this.rt_timers = timers;
    this.pktq = pktq;
  }
}

/** Where a kernel keeps its Net. */
export const NET_KEY: SoftcKey<Net> = new SoftcKey<Net>("net");

/** Registers the input function of an ethertype: m begins behind the link header, M_BCAST and M_MCAST are set. fn owns m. */
export function register_ethertype(net: Net, etype: number, fn: ((ifp: Ifnet, m: Mbuf) => void) | null): void {
  if (etype === 0x0800) net.et_ip = fn;
  else if (etype === 0x0806) net.et_arp = fn;
  else if (etype === 0x86dd) net.et_ipv6 = fn;
  else if (fn === null) net.et_other.delete(etype);
  else net.et_other.set(etype, fn);
}

/** Registers an address family; interfaces that exist already are announced to it. */
export function register_if_af(net: Net, af: IfAf): void {
  net.if_af[af.if_af] = af;
  if (af.if_af === 2) net.if_af_inet = af;
  for (const ifp of net.ifnet_list) af.ifattach?.(ifp);
}
