/*
 * The numbers of <net/if.h> and <net/if_types.h>: interface flags, types, link states, capabilities and the indexes of an interface's counters.
 */

/** Longest interface name with its NUL. */
export const IFNAMSIZ = 16;

/** Administratively up. */
export const IFF_UP = 0x0001;
/** Broadcast address valid. */
export const IFF_BROADCAST = 0x0002;
/** Debugging on. */
export const IFF_DEBUG = 0x0004;
/** Loopback net. */
export const IFF_LOOPBACK = 0x0008;
/** Point-to-point link. */
export const IFF_POINTOPOINT = 0x0010;
/** Explicitly unnumbered. */
export const IFF_UNNUMBERED = 0x0020;
/** Resources allocated: if_init has run. */
export const IFF_RUNNING = 0x0040;
/** No address resolution protocol. */
export const IFF_NOARP = 0x0080;
/** Receives all frames. */
export const IFF_PROMISC = 0x0100;
/** Receives all multicast frames. */
export const IFF_ALLMULTI = 0x0200;
/** Transmission in progress. */
export const IFF_OACTIVE = 0x0400;
/** Does not hear its own transmissions. */
export const IFF_SIMPLEX = 0x0800;
/** Per-link-layer flag 0. */
export const IFF_LINK0 = 0x1000;
/** Per-link-layer flag 1. */
export const IFF_LINK1 = 0x2000;
/** Per-link-layer flag 2. */
export const IFF_LINK2 = 0x4000;
/** Supports multicast. */
export const IFF_MULTICAST = 0x8000;
/** Flags that SIOCSIFFLAGS leaves as they are. NetBSD: lets IFF_LOOPBACK be cleared, after which lo0 is no loopback. */
export const IFF_CANTCHANGE: number =
  IFF_LOOPBACK |
  IFF_BROADCAST |
  IFF_POINTOPOINT |
  IFF_RUNNING |
  IFF_OACTIVE |
  IFF_SIMPLEX |
  IFF_MULTICAST |
  IFF_ALLMULTI |
  IFF_PROMISC;

/** Interface type: none of the others. */
export const IFT_OTHER = 0x01;
/** Interface type: Ethernet. */
export const IFT_ETHER = 0x06;
/** Interface type: point-to-point. */
export const IFT_PPP = 0x17;
/** Interface type: loopback. */
export const IFT_LOOP = 0x18;
/** Interface type: proprietary virtual. */
export const IFT_PROPVIRTUAL = 0x35;
/** Interface type: tunnel. */
export const IFT_TUNNEL = 0x83;
/** Interface type: 802.1Q. */
export const IFT_L2VLAN = 0x87;
/** Interface type: bridge. */
export const IFT_BRIDGE = 0xd1;

/** Link state not known (or not applicable). */
export const LINK_STATE_UNKNOWN = 0;
/** Link down. */
export const LINK_STATE_DOWN = 1;
/** Link up. */
export const LINK_STATE_UP = 2;

/** TCP/IPv4 segmentation offload. */
export const IFCAP_TSOv4 = 0x80;
/** IPv4 header checksum verified by the device. */
export const IFCAP_CSUM_IPv4_Rx = 0x100;
/** IPv4 header checksum filled in by the device. */
export const IFCAP_CSUM_IPv4_Tx = 0x200;
/** TCP/IPv4 checksum verified by the device. */
export const IFCAP_CSUM_TCPv4_Rx = 0x400;
/** TCP/IPv4 checksum filled in by the device. */
export const IFCAP_CSUM_TCPv4_Tx = 0x800;
/** UDP/IPv4 checksum verified by the device. */
export const IFCAP_CSUM_UDPv4_Rx = 0x1000;
/** UDP/IPv4 checksum filled in by the device. */
export const IFCAP_CSUM_UDPv4_Tx = 0x2000;
/** TCP/IPv6 checksum verified by the device. */
export const IFCAP_CSUM_TCPv6_Rx = 0x4000;
/** TCP/IPv6 checksum filled in by the device. */
export const IFCAP_CSUM_TCPv6_Tx = 0x8000;
/** UDP/IPv6 checksum verified by the device. */
export const IFCAP_CSUM_UDPv6_Rx = 0x10000;
/** UDP/IPv6 checksum filled in by the device. */
export const IFCAP_CSUM_UDPv6_Tx = 0x20000;
/** TCP/IPv6 segmentation offload. */
export const IFCAP_TSOv6 = 0x40000;
/** Large receive offload. */
export const IFCAP_LRO = 0x80000;
/** UDP/IPv4 segmentation offload. NetBSD: has no such bit; a tap of Linux does it, so it gets the next free one. */
export const IFCAP_USOv4 = 0x100000;
/** Every capability that SIOCSIFCAP may switch. */
export const IFCAP_MASK = 0x1fff80;

/** Index in if_data: packets received. */
export const IFD_IPACKETS = 0;
/** Index in if_data: packets handed to the driver. */
export const IFD_OPACKETS = 1;
/** Index in if_data: bytes received. */
export const IFD_IBYTES = 2;
/** Index in if_data: bytes sent. */
export const IFD_OBYTES = 3;
/** Index in if_data: input errors (runts, bad frames). */
export const IFD_IERRORS = 4;
/** Index in if_data: output errors. */
export const IFD_OERRORS = 5;
/** Index in if_data: dropped on input, after the driver. */
export const IFD_IQDROPS = 6;
/** Index in if_data: dropped because the send queue was full. */
export const IFD_OQDROPS = 7;
/** Index in if_data: multicast (and broadcast) frames received. */
export const IFD_IMCASTS = 8;
/** Index in if_data: multicast (and broadcast) frames sent. */
export const IFD_OMCASTS = 9;
/** Index in if_data: received for a protocol nobody registered. */
export const IFD_NOPROTO = 10;
/** Index in if_data: collisions. */
export const IFD_COLLISIONS = 11;
/** Counters in an if_data block. */
export const IFD_COUNT = 12;
/** Names of the counters, by IFD_ index. */
export const IFD_NAMES: readonly string[] = [
  "ipackets",
  "opackets",
  "ibytes",
  "obytes",
  "ierrors",
  "oerrors",
  "iqdrops",
  "oqdrops",
  "imcasts",
  "omcasts",
  "noproto",
  "collisions",
];
