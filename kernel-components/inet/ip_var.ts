/*
 * What the parts of IPv4 hand to each other: flags of ip_output, the multicast state of a socket, what control data asks of one packet.
 */
import type { Ifnet } from "../net/if.ts";
import type { Rtentry } from "../net/rtentry.ts";
import type { InMulti } from "./in_var.ts";
import { MAX_IPOPTLEN } from "../wire/ip_options.ts";
import { IP_DEFAULT_MULTICAST_TTL } from "./in.ts";

/** ip_output: most of the header is already there (the packet is being forwarded). */
export const IP_FORWARDING = 0x1;
/** ip_output: a raw packet whose header the application wrote. */
export const IP_RAWOUTPUT = 0x2;
/** ip_output: tell the socket the MTU when the packet is too big (inp_errormtu). */
export const IP_RETURNMTU = 0x4;
/** ip_output: the identification is already there. */
export const IP_NOIPNEWID = 0x8;
/** ip_output: do not consult the routing table, the destination is on a link of ours (SO_DONTROUTE). */
export const IP_ROUTETOIF = 0x10;
/** ip_output: broadcast is allowed (SO_BROADCAST). */
export const IP_ALLOWBROADCAST = 0x20;

/** Options to be put into a header. For a source route, ipopt_dst is the first hop and ipopt_list holds the rest of it. */
export class IpOptions {
  /** First hop of a source route, or 0. */
  ipopt_dst = 0;
  /** The options, padded to a multiple of four. */
  readonly ipopt_list: Uint8Array = new Uint8Array(MAX_IPOPTLEN);
  /** Bytes of ipopt_list in use. */
  ipopt_len = 0;
}

/** The multicast state of a socket (struct ip_moptions). */
export class IpMoptions {
  /** Interface for outgoing multicasts, or null: the route decides. */
  imo_multicast_ifp: Ifnet | null = null;
  /** The address that IP_MULTICAST_IF was given, 0 if an index or nothing. */
  imo_multicast_addr = 0;
  /** Time to live of outgoing multicasts. */
  imo_multicast_ttl: number = IP_DEFAULT_MULTICAST_TTL;
  /** Do local members hear us? */
  imo_multicast_loop = true;
  /** Groups that the socket is a member of. */
  readonly imo_membership: InMulti[] = [];
}

/** What the control data of one send asks for (struct ip_pktopts). */
export class IpPktopts {
  /** Source address to use, 0 if none was named. */
  ippo_laddr = 0;
  /** Interface to send through, null if none was named. */
  ippo_ifp: Ifnet | null = null;
}

/** What ip_output_route finds; one of it is enough, as output of one packet never interrupts that of another before it is used. */
export class IpOutRoute {
  /** Interface, null if there is no way. */
  ifp: Ifnet | null = null;
  /** Route, null for IP_ROUTETOIF and multicasts through a chosen interface. */
  rt: Rtentry | null = null;
  /** Address that the link layer resolves. */
  nexthop = 0;
  /** Largest packet. */
  mtu = 0;
  /** Is the destination a broadcast address of that interface? */
  isbroadcast = false;
}
