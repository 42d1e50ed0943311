/*
 * A route (struct rtentry), its metrics, and the arguments of rtrequest (struct rt_addrinfo).
 *
 * NetBSD: RTF_CONNECTED and the old RTF_CLONING are one bit (0x100); since NetBSD 8 it only marks the route of an interface's subnet and neighbours live in
 * lltables of their own. So it is here. A route that makes a host route for each destination has RTF_CLONING, a bit NetBSD does not use.
 */
import type { Ifaddr, Ifnet } from "./if.ts";
import type { RadixNode } from "./radix.ts";
import type { RtTimer } from "./rt_timer.ts";

/** Usable. */
export const RTF_UP = 0x1;
/** The destination is behind a gateway. */
export const RTF_GATEWAY = 0x2;
/** A host, not a net. */
export const RTF_HOST = 0x4;
/** Answers with EHOSTUNREACH. */
export const RTF_REJECT = 0x8;
/** Made by a redirect or by path MTU discovery. */
export const RTF_DYNAMIC = 0x10;
/** Changed by a redirect. */
export const RTF_MODIFIED = 0x20;
/** In messages: done. */
export const RTF_DONE = 0x40;
/** In messages: a mask is present. */
export const RTF_MASK = 0x80;
/** The route of an interface's own subnet. */
export const RTF_CONNECTED = 0x100;
/** An external daemon resolves. */
export const RTF_XRESOLVE = 0x200;
/** In messages and dumps: a neighbour. */
export const RTF_LLDATA = 0x400;
/** The old name of RTF_LLDATA. */
export const RTF_LLINFO = 0x400;
/** Added by hand. */
export const RTF_STATIC = 0x800;
/** Drops silently. */
export const RTF_BLACKHOLE = 0x1000;
/** Made by cloning; goes with its parent. */
export const RTF_CLONED = 0x2000;
/** Protocol-specific. */
export const RTF_PROTO2 = 0x4000;
/** Protocol-specific. */
export const RTF_PROTO1 = 0x8000;
/** Has a source route address. */
export const RTF_SRC = 0x10000;
/** Announce: proxy ARP. */
export const RTF_ANNOUNCE = 0x20000;
/** One of our own addresses. */
export const RTF_LOCAL = 0x40000;
/** A broadcast address of a subnet. */
export const RTF_BROADCAST = 0x80000;
/** In messages: being changed. */
export const RTF_UPDATING = 0x100000;
/** In requests: keep the interface address. */
export const RTF_DONTCHANGEIFA = 0x200000;
/** Makes a host route for each destination (see above). */
export const RTF_CLONING = 0x1000000;
/** Flags that RTM_CHANGE leaves as they are. */
export const PRESERVED_RTF: number =
  RTF_UP |
  RTF_GATEWAY |
  RTF_HOST |
  RTF_DONE |
  RTF_MASK |
  RTF_DYNAMIC |
  RTF_MODIFIED |
  RTF_CLONED |
  RTF_CONNECTED |
  RTF_LOCAL |
  RTF_BROADCAST;

/** Add a route. */
export const RTM_ADD = 0x1;
/** Delete a route. */
export const RTM_DELETE = 0x2;
/** Change a route. */
export const RTM_CHANGE = 0x3;
/** Report a route. */
export const RTM_GET = 0x4;
/** Kernel suspects a route. */
export const RTM_LOSING = 0x5;
/** Told to use a different route. */
export const RTM_REDIRECT = 0x6;
/** A lookup failed. */
export const RTM_MISS = 0x7;
/** Lock metrics. */
export const RTM_LOCK = 0x8;
/** An interface came or went. */
export const RTM_IFANNOUNCE = 0x10;
/** Set a gateway. */
export const RTM_SETGATE = 0x12;
/** A neighbour's link-layer address changed. */
export const RTM_LLINFO_UPD = 0x13;
/** Interface status changed. */
export const RTM_IFINFO = 0x14;
/** An address was added. */
export const RTM_NEWADDR = 0x16;
/** An address was deleted. */
export const RTM_DELADDR = 0x17;
/** An address was changed. */
export const RTM_CHGADDR = 0x18;

/** The metrics of a route. */
export class RtMetrics {
  /** RTV_ bits of metrics that the kernel may not change. */
  rmx_locks = 0;
  /** MTU of the path; 0: the interface's. */
  rmx_mtu = 0;
  /** Hops. */
  rmx_hopcount = 0;
  /** Inbound delay-bandwidth product. */
  rmx_recvpipe = 0;
  /** Outbound delay-bandwidth product. */
  rmx_sendpipe = 0;
  /** Outbound gateway buffer limit. */
  rmx_ssthresh = 0;
  /** Round trip, microseconds. */
  rmx_rtt = 0;
  /** Variance of it. */
  rmx_rttvar = 0;
  /** Uptime second when it dies; 0 never. */
  rmx_expire = 0;
  /** Packets sent. */
  rmx_pksent = 0;
}

/** A route. */
export class Rtentry {
  /** Destination, a sockaddr, masked. */
  rt_key: Uint8Array;
  /** Mask, a sockaddr; null for a host. */
  rt_mask: Uint8Array | null;
  /** Bits of the mask. */
  rt_plen = 0;
  /** Gateway (RTF_GATEWAY), or the sockaddr_dl of the interface. */
  rt_gateway: Uint8Array;
  /** RTF_ flags. */
  rt_flags: number;
  /** Interface. */
  rt_ifp: Ifnet;
  /** Address of the interface that the route uses. */
  rt_ifa: Ifaddr;
  /** Metrics. */
  readonly rt_rmx: RtMetrics = new RtMetrics();
  /** Holders besides the table. */
  rt_refcnt = 0;
  /** Data of a link layer. */
  rt_llinfo: unknown = null;
  /** Route to the gateway, valid while rt_gwgen is the generation. */
  rt_gwroute: Rtentry | null = null;
  /** See rt_gwroute. */
  rt_gwgen = 0;
  /** The route it was cloned from. */
  rt_parent: Rtentry | null = null;
  /** Packets that used it. */
  rt_use = 0;
  /** AF_INET: the destination. */
  rt_dst4 = 0;
  /** AF_INET: the gateway if RTF_GATEWAY, else 0. */
  rt_gw4 = 0;
  /** Source address hint, a sockaddr or null (RTAX_TAG). */
  rt_tag: Uint8Array | null = null;
  /** Its timer, or null. */
  rt_timer: RtTimer | null = null;
  /** Its node while in the table. */
  rt_node: RadixNode<Rtentry> | null = null;
  constructor(key: Uint8Array, mask: Uint8Array | null, gateway: Uint8Array, flags: number, ifa: Ifaddr, ifp: Ifnet) {
    this.rt_key = key;
    this.rt_mask = mask;
    this.rt_gateway = gateway;
    this.rt_flags = flags;
    this.rt_ifa = ifa;
    this.rt_ifp = ifp;
  }
}

/** What a route request names. Null: absent. */
export class RtInfo {
  /** RTA_ bits present (messages). */
  rti_addrs = 0;
  /** RTF_ flags. */
  rti_flags = 0;
  /** Destination. */
  rti_dst: Uint8Array | null = null;
  /** Gateway. */
  rti_gateway: Uint8Array | null = null;
  /** Mask. */
  rti_netmask: Uint8Array | null = null;
  /** RTAX_GENMASK. */
  rti_genmask: Uint8Array | null = null;
  /** RTAX_IFP. */
  rti_ifpaddr: Uint8Array | null = null;
  /** RTAX_IFA. */
  rti_ifaaddr: Uint8Array | null = null;
  /** RTAX_AUTHOR. */
  rti_author: Uint8Array | null = null;
  /** RTAX_BRD. */
  rti_brd: Uint8Array | null = null;
  /** RTAX_TAG. */
  rti_tag: Uint8Array | null = null;
  /** The address to use, if known. */
  rti_ifa: Ifaddr | null = null;
  /** The interface to use, if known. */
  rti_ifp: Ifnet | null = null;
  /** Uptime second of expiry for RTF_LLDATA requests; 0 none. */
  rti_expire = 0;
}

/** Where rtrequest leaves a route. */
export class RtOut {
  /** The route, referenced: rt_unref it. */
  rt: Rtentry | null = null;
}
