/*
 * Link types of capture files (the LINKTYPE_ registry of pcap and pcapng; not always the number that DLT_ has on a system).
 */

/** Four bytes of address family in the order of the machine that captured, then the packet: loopback interfaces. */
export const LINKTYPE_NULL = 0;
/** Ethernet. */
export const LINKTYPE_ETHERNET = 1;
/** IPv4 or IPv6 without a link header: look at the version. */
export const LINKTYPE_RAW = 101;
/** As LINKTYPE_NULL, with the family in network order. */
export const LINKTYPE_LOOP = 108;
/** Linux cooked capture. */
export const LINKTYPE_LINUX_SLL = 113;
/** IPv4 without a link header. */
export const LINKTYPE_IPV4 = 228;
/** IPv6 without a link header. */
export const LINKTYPE_IPV6 = 229;
