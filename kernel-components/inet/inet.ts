/*
 * The state of IPv4 in one kernel: addresses, counters, the values of net.inet.*, the protocol switch by number, and the tables of the parts. Every part takes it as
 * its first argument; nothing is kept at module level.
 */
import { ENOTTY } from "../../hypercall/api/errno.ts";
import { SoftcKey } from "../kern/kernel.ts";
import type { Kernel } from "../kern/kernel.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import type { Ifnet } from "../net/if.ts";
import type { Net } from "../net/net.ts";
import { rt_timer_queue_create } from "../net/rt_timer.ts";
import type { RtTimerQueue } from "../net/rt_timer.ts";
import { IPDEFTTL } from "../wire/ipv4.ts";
import { ArpTable } from "./arp_table.ts";
import { arpstat_names } from "./arp_stat.ts";
import { SipKey } from "./halfsiphash.ts";
import { IcmpCtl } from "./icmp_var.ts";
import { icmpstat_names } from "./icmp_stat.ts";
import { igmpstat_names } from "./igmp_stat.ts";
import { InAddrCache } from "./in_addr_cache.ts";
import { InpcbTable } from "./in_pcb_table.ts";
import { IpOutRoute } from "./ip_var.ts";
import type { IpOptions } from "./ip_var.ts";
import { IpFlow } from "./ip_flow_var.ts";
import { IpIdState } from "./ip_id.ts";
import { ipstat_names } from "./ip_stat.ts";
import { IpReass } from "./ip_reass_var.ts";
import { PortAlgo } from "./portalgo.ts";
import { PpsLimit } from "./ppsratecheck.ts";
import type { InIfaddr } from "./in_var.ts";
import { udpstat_names } from "./udp_stat.ts";

/** Bytes of Inet.scratch. */
export const SCRATCH_LEN = 256;

/** Most routes that path MTU discovery makes, and as many that redirects make: both follow from what others say. */
export const DYNAMIC_ROUTES_MAX = 1024;

/** Input of an upper protocol; see Protosw.pr_input. */
export type PrInput = (m: Mbuf, off: number, proto: number) => void;
/** Control input of an upper protocol: a PRC_* that an ICMP message means, about the packet quoted at slab offset `ip`. */
export type PrCtlinput = (cmd: number, sa: Uint8Array | null, arg: unknown) => void;

/** The state of IPv4 in one kernel. */
export class Inet {
  /** The kernel. */
  readonly k: Kernel;
  /** The interface layer. */
  readonly net: Net;
  /** The slab as a view. */
  readonly dv: DataView;
  /** The slab's bytes. */
  readonly u8: Uint8Array;

  // ---- addresses
  /** Every address, in order of preference within an interface. */
  readonly in_ifaddrhead: InIfaddr[] = [];
  /** Address to its InIfaddr; several of one value follow by ia_hash_next. */
  readonly in_ifaddrhash: Map<number, InIfaddr> = new Map();
  /** Changes whenever an address or its usability does; what is cached about addresses is good for one value. */
  in_gen = 0;
  /** What an interface that comes up does about ARP; set by arp, null without. */
  arp_ifinit: ((ifp: Ifnet, ia: InIfaddr) => void) | null = null;

  /** Address ioctls that come by a socket of the family; set by the component. */
  control: (cmd: number, data: Uint8Array, ifp: Ifnet | null) => number = () => ENOTTY;

  // ---- protocol switch
  /** Input routine of each protocol number. */
  readonly ip_protox: PrInput[] = [];
  /** Control input of each protocol number, or null. */
  readonly ip_ctlinput: (PrCtlinput | null)[] = new Array<PrCtlinput | null>(256).fill(null);

  // ---- counters
  /** IPS_* counters. */
  readonly ipstat: Float64Array = new Float64Array(ipstat_names.length);
  /** ICPS_* counters. */
  readonly icmpstat: Float64Array = new Float64Array(icmpstat_names.length);
  /** UDPS_* counters. */
  readonly udpstat: Float64Array = new Float64Array(udpstat_names.length);
  /** ARPS_* counters. */
  readonly arpstat: Float64Array = new Float64Array(arpstat_names.length);
  /** IGPS_* counters. */
  readonly igmpstat: Float64Array = new Float64Array(igmpstat_names.length);

  // ---- net.inet.ip
  /** forwarding. */
  ip_forwarding = 0;
  /** redirect: send redirects. */
  ip_sendredirects = 1;
  /** ttl. */
  ip_defttl: number = IPDEFTTL;
  /** forwsrcrt: forward source-routed packets. */
  ip_forwsrcrt = 0;
  /** allowsrcrt: accept source-routed packets for this host. */
  ip_allowsrcrt = 0;
  /** directed-broadcast: forward packets to the broadcast address of a network that is ours. */
  ip_directedbcast = 0;
  /** checkinterface: accept a packet only on the interface that has the address (the strong host model of RFC 1122 §3.3.4.2). */
  ip_checkinterface = 0;
  /** mtudisc: set DF and learn path MTUs (RFC 1191). */
  ip_mtudisc = 1;
  /** Least path MTU that is believed (RFC 1191 §3; NetBSD has no name for it). */
  ip_minmtu = 552;
  /** maxflows: 0 switches the flow cache off. */
  ip_maxflows = 256;
  /** dad_count: probes before an address is used (RFC 5227 PROBE_NUM); 0 = none. NetBSD: 3, so that an address can be used seconds after it was given. */
  ip_dad_count = 0;
  /** anonportmin, anonportmax, lowportmin, lowportmax. */
  anonportmin = 49152;
  /** See anonportmin. */
  anonportmax = 65535;
  /** See anonportmin. */
  lowportmin = 600;
  /** See anonportmin. */
  lowportmax = 1023;

  /** anonportalgo: how ports are chosen. */
  readonly portalgo: PortAlgo = new PortAlgo();
  /** anonportalgo.reserve: ports that are never chosen. */
  readonly anonport_reserved: Set<number> = new Set();

  // ---- net.inet.icmp
  /** maskrepl: answer address mask requests (RFC 1122 §3.2.2.9: MUST NOT by default). */
  icmpmaskrepl = 0;
  /** errppslimit: errors a second; 0 = none, negative = no limit. */
  icmperrppslim = 100;
  /** returndatabytes: bytes quoted behind the header. */
  icmpreturndatabytes = 8;
  /** rediraccept. */
  icmp_rediraccept = 1;
  /** bmcastecho: answer echo requests to broadcast and multicast addresses (RFC 1122 §3.2.2.6: MAY ignore; smurf). */
  icmp_bmcastecho = 0;
  /** The budget of errors of this second. */
  readonly icmp_pps: PpsLimit = new PpsLimit();

  // ---- net.inet.udp
  /** checksum: compute checksums of datagrams sent. */
  udpcksum = 1;
  /** sendspace. */
  udp_sendspace = 9216;
  /** recvspace. */
  udp_recvspace = 41600;
  /** rawsendspace and rawrecvspace of net.inet.raw. */
  rip_sendspace = 8192;
  /** See rip_sendspace. */
  rip_recvspace = 8192;

  // ---- parts
  /** Key of the tables by address and port. */
  readonly hash_key: SipKey;
  /** Key of port selection. */
  readonly port_key: SipKey;
  /** Reassembly. */
  readonly reass: IpReass;
  /** Slab offset of SCRATCH_LEN bytes for whoever needs them within one call. */
  readonly scratch: number;
  /** The quoted packet of the ICMP error at hand. */
  readonly icmpctl: IcmpCtl = new IcmpCtl();
  /** Scratch of ip_output. */
  readonly ip_outroute: IpOutRoute = new IpOutRoute();
  /** What was found out about addresses. */
  readonly addr_cache: InAddrCache = new InAddrCache();
  /** Flow cache. */
  readonly ipflow: IpFlow = new IpFlow();
  /** Identifications. */
  readonly ipid: IpIdState;
  /** The neighbour cache of ARP. */
  readonly arp: ArpTable;
  /** Control blocks of UDP. */
  readonly udbtable: InpcbTable = new InpcbTable();
  /** Control blocks of raw sockets. */
  readonly rawcbtable: InpcbTable = new InpcbTable();
  /** Source route of the packet being delivered: hops recorded, 0 none. Valid until the next packet. */
  ip_nhops = 0;
  /** The source route reversed, for an answer. */
  ip_srcrt: IpOptions | null = null;
  /** Expiry of routes that path MTU discovery made. */
  readonly mtudisc_q: RtTimerQueue = rt_timer_queue_create(600, DYNAMIC_ROUTES_MAX);
  /** Expiry of routes that redirects made. */
  readonly redirect_q: RtTimerQueue = rt_timer_queue_create(600, DYNAMIC_ROUTES_MAX);

  constructor(k: Kernel, net: Net) {
    this.k = k;
    this.net = net;
    this.dv = k.dv;
    this.u8 = k.u8;
    this.hash_key = new SipKey(k.random32(), k.random32());
    this.port_key = new SipKey(k.random32(), k.random32());
    this.ipid = new IpIdState();
    this.reass = new IpReass(k, new SipKey(k.random32(), k.random32()));
    this.arp = new ArpTable();
    this.scratch = k.host.memory.rumpuser_malloc(SCRATCH_LEN, 64);
  }
}

/** `k.softc(INET)` is the kernel's Inet. */
export const INET: SoftcKey<Inet> = new SoftcKey<Inet>("inet");
