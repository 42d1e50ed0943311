/*
 * Numbers of the Internet protocol family (netinet/in.h): protocols, and the classes of IPv4 addresses. Addresses are int32 in host order,
 * so 255.255.255.255 is -1 and 224.0.0.1 is negative: compare with ===, mask with &, never with < or >.
 */

/** Dummy for IP; IPv6 hop-by-hop options. */
export const IPPROTO_IP = 0;
/** IPv6 hop-by-hop options. */
export const IPPROTO_HOPOPTS = 0;
/** ICMP. */
export const IPPROTO_ICMP = 1;
/** IGMP. */
export const IPPROTO_IGMP = 2;
/** IPv4 in IP. */
export const IPPROTO_IPV4 = 4;
/** TCP. */
export const IPPROTO_TCP = 6;
/** UDP. */
export const IPPROTO_UDP = 17;
/** IPv6 in IP. */
export const IPPROTO_IPV6 = 41;
/** IPv6 routing header. */
export const IPPROTO_ROUTING = 43;
/** IPv6 fragment header. */
export const IPPROTO_FRAGMENT = 44;
/** RSVP. */
export const IPPROTO_RSVP = 46;
/** GRE. */
export const IPPROTO_GRE = 47;
/** ESP. */
export const IPPROTO_ESP = 50;
/** AH. */
export const IPPROTO_AH = 51;
/** ICMPv6. */
export const IPPROTO_ICMPV6 = 58;
/** IPv6: no next header. */
export const IPPROTO_NONE = 59;
/** IPv6 destination options. */
export const IPPROTO_DSTOPTS = 60;
/** Ethernet in IP. */
export const IPPROTO_ETHERIP = 97;
/** PIM. */
export const IPPROTO_PIM = 103;
/** CARP and VRRP. */
export const IPPROTO_CARP = 112;
/** SCTP. */
export const IPPROTO_SCTP = 132;
/** Raw IP packets. */
export const IPPROTO_RAW = 255;
/** One more than the largest protocol. */
export const IPPROTO_MAX = 256;

/** Ports below this need privilege. */
export const IPPORT_RESERVED = 1024;
/** First port that the system chooses for a bind to port 0. */
export const IPPORT_ANONMIN = 49152;
/** Last port that the system chooses. */
export const IPPORT_ANONMAX = 65535;
/** First reserved port that the system chooses (IP_PORTRANGE_LOW). */
export const IPPORT_RESERVEDMIN = 600;
/** Last reserved port that the system chooses. */
export const IPPORT_RESERVEDMAX = 1023;

/** 0.0.0.0 */
export const INADDR_ANY = 0;
/** 255.255.255.255 */
export const INADDR_BROADCAST = -1;
/** 255.255.255.255, as an error value. */
export const INADDR_NONE = -1;
/** 127.0.0.1 */
export const INADDR_LOOPBACK = 0x7f000001;
/** 224.0.0.0 */
export const INADDR_UNSPEC_GROUP: number = 0xe0000000 | 0;
/** 224.0.0.1, all systems. */
export const INADDR_ALLHOSTS_GROUP: number = 0xe0000001 | 0;
/** 224.0.0.2, all routers. */
export const INADDR_ALLRTRS_GROUP: number = 0xe0000002 | 0;
/** 224.0.0.22, all IGMPv3 routers (RFC 3376 §4.2.14). */
export const INADDR_ALLRPTS_GROUP: number = 0xe0000016 | 0;
/** 224.0.0.255, last group that no router forwards. */
export const INADDR_MAX_LOCAL_GROUP: number = 0xe00000ff | 0;
/** 169.254.0.0, link-local network (RFC 3927). */
export const IN_LINKLOCALNETNUM: number = 0xa9fe0000 | 0;
/** 127 */
export const IN_LOOPBACKNET = 127;

/** Class A address? */
export function IN_CLASSA(i: number): boolean {
  return i >= 0;
}
/** Network mask of a class A address. */
export const IN_CLASSA_NET: number = 0xff000000 | 0;
/** Class B address? */
export function IN_CLASSB(i: number): boolean {
  return i >>> 30 === 2;
}
/** Network mask of a class B address. */
export const IN_CLASSB_NET: number = 0xffff0000 | 0;
/** Class C address? */
export function IN_CLASSC(i: number): boolean {
  return i >>> 29 === 6;
}
/** Network mask of a class C address. */
export const IN_CLASSC_NET: number = 0xffffff00 | 0;
/** Class D (multicast, 224/4) address? */
export function IN_MULTICAST(i: number): boolean {
  return i >>> 28 === 14;
}
/** 240/4, or 255.255.255.255? */
export function IN_EXPERIMENTAL(i: number): boolean {
  return i >>> 28 === 15;
}
/** Group of the local network block 224.0.0/24, which no router forwards (RFC 5771 §4)? */
export function IN_LOCAL_GROUP(i: number): boolean {
  return i >>> 8 === 0xe00000;
}
/** 127/8? */
export function IN_LOOPBACK(i: number): boolean {
  return i >>> 24 === IN_LOOPBACKNET;
}
/** 0/8, "this network" (RFC 1122 §3.2.1.3)? */
export function IN_ZERONET(i: number): boolean {
  return i >>> 24 === 0;
}
/** 169.254/16 (RFC 3927)? */
export function IN_LINKLOCAL(i: number): boolean {
  return i >>> 16 === 0xa9fe;
}
/** 10/8, 172.16/12 or 192.168/16 (RFC 1918)? */
export function IN_PRIVATE(i: number): boolean {
  return i >>> 24 === 10 || i >>> 20 === 0xac1 || i >>> 16 === 0xc0a8;
}
/** The mask of a prefix length 0..32. */
export function in_len2mask(len: number): number {
  return len <= 0 ? 0 : -1 << (32 - len);
}
/** The prefix length of a mask, or -1 if its ones are not contiguous. */
export function in_mask2len(mask: number): number {
  const len = Math.clz32(~mask);
  return in_len2mask(len) === mask ? len : -1;
}
