/*
 * Option numbers of the Internet protocol family's sockets and predicates that only the stack uses (RFC 1122, RFC 1812): the part of <netinet/in.h> that wire/in.ts
 * does not hold. An address is an int32.
 */
import { IN_CLASSA, IN_CLASSA_NET, IN_CLASSB, IN_CLASSB_NET, IN_CLASSC, IN_CLASSC_NET } from "../wire/in.ts";

/** Options of the IP header, set and read. */
export const IP_OPTIONS = 1;
/** The application writes the IP header (raw sockets). */
export const IP_HDRINCL = 2;
/** Type of service. */
export const IP_TOS = 3;
/** Time to live of unicast packets. */
export const IP_TTL = 4;
/** Give the received options as control data. */
export const IP_RECVOPTS = 5;
/** Give the options, reversed for an answer. */
export const IP_RECVRETOPTS = 6;
/** Give the destination address as control data; as control data of a send: the source address to use. */
export const IP_RECVDSTADDR = 7;
/** The same number under the name that senders use. */
export const IP_SENDSRCADDR: number = IP_RECVDSTADDR;
/** Old name of IP_OPTIONS in control data. */
export const IP_RETOPTS = 8;
/** Interface for outgoing multicasts. */
export const IP_MULTICAST_IF = 9;
/** Time to live of multicasts. */
export const IP_MULTICAST_TTL = 10;
/** Do local members hear our multicasts? */
export const IP_MULTICAST_LOOP = 11;
/** Join a group. */
export const IP_ADD_MEMBERSHIP = 12;
/** Leave a group. */
export const IP_DROP_MEMBERSHIP = 13;
/** Port selection algorithm (RFC 6056). */
export const IP_PORTALGO = 18;
/** Range that an ephemeral port comes from. */
export const IP_PORTRANGE = 19;
/** Give the receiving interface as control data. */
export const IP_RECVIF = 20;
/** MTU of the last packet that was too big. */
export const IP_ERRORMTU = 21;
/** Give the received time to live as control data. */
export const IP_RECVTTL = 23;
/** Refuse packets whose time to live is less. */
export const IP_MINTTL = 24;
/** Interface and source address to send from. */
export const IP_PKTINFO = 25;
/** Give interface and destination as control data. */
export const IP_RECVPKTINFO = 26;
/** Allow binding to an address that is not ours. */
export const IP_BINDANY = 27;

/** IP_PORTRANGE: the dynamic range. */
export const IP_PORTRANGE_DEFAULT = 0;
/** IP_PORTRANGE: the same in NetBSD. */
export const IP_PORTRANGE_HIGH = 1;
/** IP_PORTRANGE: privileged ports. */
export const IP_PORTRANGE_LOW = 2;

/** Time to live of multicasts unless set. */
export const IP_DEFAULT_MULTICAST_TTL = 1;
/** Local members hear our multicasts unless switched off. */
export const IP_DEFAULT_MULTICAST_LOOP = 1;
/** Groups that one socket may be a member of. */
export const IP_MAX_MEMBERSHIPS = 20;

/** The netmask that the address's class implies; for class D and E the mask of a host. */
export function in_classmask(a: number): number {
  if (IN_CLASSA(a)) return IN_CLASSA_NET;
  if (IN_CLASSB(a)) return IN_CLASSB_NET;
  if (IN_CLASSC(a)) return IN_CLASSC_NET;
  return -1;
}
/** May a packet to (or from) this address be forwarded? Not class E, multicast, 0/8, 127/8 or link-local (RFC 1812 §5.3.7, RFC 3927 §2.7). */
// hot
export function in_canforward(a: number): boolean {
  const top = a >>> 24;
  return top !== 0 && top !== 127 && top < 224 && a >>> 16 !== 0xa9fe;
}
/** Is the mask a run of ones and then zeros? */
export function in_mask_contiguous(mask: number): boolean {
  const inv = ~mask;
  return ((inv + 1) & inv) === 0;
}
