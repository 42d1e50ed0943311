/*
 * The ICMP header (RFC 792, RFC 950, RFC 1191 §4, RFC 1256). The second word means something else for each type; its names below are those of struct icmp.
 */
import { cksum } from "./cksum.ts";
import { WIRE_ENOSPACE, WIRE_ERANGE, WIRE_ETRUNC, WIRE_OK } from "./wire_error.ts";

/** Bytes in every header. */
export const ICMP_MINLEN = 8;
/** Bytes in a timestamp message. */
export const ICMP_TSLEN = 20;
/** Bytes in an address mask message. */
export const ICMP_MASKLEN = 12;
/** Bytes in an error, up to the end of the 8 bytes of data behind a quoted header of 20 bytes. */
export const ICMP_ADVLENMIN = 36;

/** Echo reply. */
export const ICMP_ECHOREPLY = 0;
/** Destination unreachable; the codes are ICMP_UNREACH_*. */
export const ICMP_UNREACH = 3;
/** Bad network. */
export const ICMP_UNREACH_NET = 0;
/** Bad host. */
export const ICMP_UNREACH_HOST = 1;
/** Bad protocol. */
export const ICMP_UNREACH_PROTOCOL = 2;
/** Bad port. */
export const ICMP_UNREACH_PORT = 3;
/** IP_DF caused a drop; icmp_nextmtu says which size would have passed (RFC 1191 §4). */
export const ICMP_UNREACH_NEEDFRAG = 4;
/** Source route failed. */
export const ICMP_UNREACH_SRCFAIL = 5;
/** Unknown network. */
export const ICMP_UNREACH_NET_UNKNOWN = 6;
/** Unknown host. */
export const ICMP_UNREACH_HOST_UNKNOWN = 7;
/** Source host isolated. */
export const ICMP_UNREACH_ISOLATED = 8;
/** Network prohibited. */
export const ICMP_UNREACH_NET_PROHIB = 9;
/** Host prohibited. */
export const ICMP_UNREACH_HOST_PROHIB = 10;
/** Bad type of service for the network. */
export const ICMP_UNREACH_TOSNET = 11;
/** Bad type of service for the host. */
export const ICMP_UNREACH_TOSHOST = 12;
/** Prohibited by filtering (RFC 1812 §5.2.7.1). */
export const ICMP_UNREACH_ADMIN_PROHIBIT = 13;
/** Host precedence violation. */
export const ICMP_UNREACH_HOST_PREC = 14;
/** Precedence cutoff. */
export const ICMP_UNREACH_PREC_CUTOFF = 15;
/** Source quench (obsolete, RFC 6633). */
export const ICMP_SOURCEQUENCH = 4;
/** Redirect to icmp_gwaddr; the codes are ICMP_REDIRECT_*. */
export const ICMP_REDIRECT = 5;
/** For the network. */
export const ICMP_REDIRECT_NET = 0;
/** For the host. */
export const ICMP_REDIRECT_HOST = 1;
/** For type of service and network. */
export const ICMP_REDIRECT_TOSNET = 2;
/** For type of service and host. */
export const ICMP_REDIRECT_TOSHOST = 3;
/** Alternate host address. */
export const ICMP_ALTHOSTADDR = 6;
/** Echo request. */
export const ICMP_ECHO = 8;
/** Router advertisement. */
export const ICMP_ROUTERADVERT = 9;
/** Router solicitation. */
export const ICMP_ROUTERSOLICIT = 10;
/** Time exceeded. */
export const ICMP_TIMXCEED = 11;
/** In transit: ip_ttl reached zero. */
export const ICMP_TIMXCEED_INTRANS = 0;
/** In reassembly. */
export const ICMP_TIMXCEED_REASS = 1;
/** Parameter problem; icmp_pptr points at the byte. */
export const ICMP_PARAMPROB = 12;
/** The byte at icmp_pptr is wrong. */
export const ICMP_PARAMPROB_ERRATPTR = 0;
/** A required option is missing (RFC 1108). */
export const ICMP_PARAMPROB_OPTABSENT = 1;
/** Bad length. */
export const ICMP_PARAMPROB_LENGTH = 2;
/** Timestamp request. */
export const ICMP_TSTAMP = 13;
/** Timestamp reply. */
export const ICMP_TSTAMPREPLY = 14;
/** Information request. */
export const ICMP_IREQ = 15;
/** Information reply. */
export const ICMP_IREQREPLY = 16;
/** Address mask request. */
export const ICMP_MASKREQ = 17;
/** Address mask reply. */
export const ICMP_MASKREPLY = 18;
/** Traceroute (RFC 1393). */
export const ICMP_TRACEROUTE = 30;
/** Conversion failure (RFC 1475). */
export const ICMP_DATACONVERR = 31;
/** Mobile host redirect. */
export const ICMP_MOBILE_REDIRECT = 32;
/** IPv6 where-are-you. */
export const ICMP_IPV6_WHEREAREYOU = 33;
/** IPv6 I-am-here. */
export const ICMP_IPV6_IAMHERE = 34;
/** Mobile registration request. */
export const ICMP_MOBILE_REGREQUEST = 35;
/** Mobile registration reply. */
export const ICMP_MOBILE_REGREPLY = 36;
/** SKIP. */
export const ICMP_SKIP = 39;
/** Photuris. */
export const ICMP_PHOTURIS = 40;
/** Largest known type. */
export const ICMP_MAXTYPE = 40;

/** Is a message of this type a query or an answer, that is, not an error and not a redirect? */
export function ICMP_INFOTYPE(type: number): boolean {
  return (
    type === ICMP_ECHOREPLY ||
    type === ICMP_ECHO ||
    type === ICMP_ROUTERADVERT ||
    type === ICMP_ROUTERSOLICIT ||
    (type >= ICMP_TSTAMP && type <= ICMP_MASKREPLY)
  );
}
/** Does a message of this type quote the packet that caused it (RFC 1122 §3.2.2)? */
export function icmp_quotes(type: number): boolean {
  return (
    type === ICMP_UNREACH ||
    type === ICMP_SOURCEQUENCH ||
    type === ICMP_REDIRECT ||
    type === ICMP_TIMXCEED ||
    type === ICMP_PARAMPROB
  );
}

/** Type. */
export function icmp_type(dv: DataView, off: number): number {
  return dv.getUint8(off);
}
/** Code. */
export function icmp_code(dv: DataView, off: number): number {
  return dv.getUint8(off + 1);
}
/** Checksum over header and data. */
export function icmp_cksum(dv: DataView, off: number): number {
  return dv.getUint16(off + 2);
}
/** The second word as a whole, int32. */
export function icmp_void(dv: DataView, off: number): number {
  return dv.getInt32(off + 4);
}
/** Queries: identifier. */
export function icmp_id(dv: DataView, off: number): number {
  return dv.getUint16(off + 4);
}
/** Queries: sequence number. */
export function icmp_seq(dv: DataView, off: number): number {
  return dv.getUint16(off + 6);
}
/** ICMP_PARAMPROB: offset of the bad byte. */
export function icmp_pptr(dv: DataView, off: number): number {
  return dv.getUint8(off + 4);
}
/** ICMP_REDIRECT: the better router. */
export function icmp_gwaddr(dv: DataView, off: number): number {
  return dv.getInt32(off + 4);
}
/** ICMP_UNREACH_NEEDFRAG: MTU of the next hop; 0 from a router that does not know RFC 1191. */
export function icmp_nextmtu(dv: DataView, off: number): number {
  return dv.getUint16(off + 6);
}
/** ICMP_ROUTERADVERT: number of addresses. */
export function icmp_num_addrs(dv: DataView, off: number): number {
  return dv.getUint8(off + 4);
}
/** ICMP_ROUTERADVERT: words for each address. */
export function icmp_wpa(dv: DataView, off: number): number {
  return dv.getUint8(off + 5);
}
/** ICMP_ROUTERADVERT: seconds that the addresses are good for. */
export function icmp_lifetime(dv: DataView, off: number): number {
  return dv.getUint16(off + 6);
}
/** ICMP_TSTAMP: originate time, ms since midnight UT, int32. */
export function icmp_otime(dv: DataView, off: number): number {
  return dv.getInt32(off + 8);
}
/** ICMP_TSTAMP: receive time. */
export function icmp_rtime(dv: DataView, off: number): number {
  return dv.getInt32(off + 12);
}
/** ICMP_TSTAMP: transmit time. */
export function icmp_ttime(dv: DataView, off: number): number {
  return dv.getInt32(off + 16);
}
/** ICMP_MASKREQ: address mask. */
export function icmp_mask(dv: DataView, off: number): number {
  return dv.getInt32(off + 8);
}

/** Stores the type. */
export function icmp_set_type(dv: DataView, off: number, v: number): void {
  dv.setUint8(off, v);
}
/** Stores the code. */
export function icmp_set_code(dv: DataView, off: number, v: number): void {
  dv.setUint8(off + 1, v);
}
/** Stores the checksum. */
export function icmp_set_cksum(dv: DataView, off: number, v: number): void {
  dv.setUint16(off + 2, v);
}
/** Stores the second word. */
export function icmp_set_void(dv: DataView, off: number, v: number): void {
  dv.setInt32(off + 4, v);
}
/** Stores the identifier. */
export function icmp_set_id(dv: DataView, off: number, v: number): void {
  dv.setUint16(off + 4, v);
}
/** Stores the sequence number. */
export function icmp_set_seq(dv: DataView, off: number, v: number): void {
  dv.setUint16(off + 6, v);
}
/** Stores the offset of the bad byte. */
export function icmp_set_pptr(dv: DataView, off: number, v: number): void {
  dv.setUint8(off + 4, v);
}
/** Stores the better router. */
export function icmp_set_gwaddr(dv: DataView, off: number, v: number): void {
  dv.setInt32(off + 4, v);
}
/** Stores the MTU of the next hop. */
export function icmp_set_nextmtu(dv: DataView, off: number, v: number): void {
  dv.setUint16(off + 6, v);
}
/** Stores the originate time. */
export function icmp_set_otime(dv: DataView, off: number, v: number): void {
  dv.setInt32(off + 8, v);
}
/** Stores the receive time. */
export function icmp_set_rtime(dv: DataView, off: number, v: number): void {
  dv.setInt32(off + 12, v);
}
/** Stores the transmit time. */
export function icmp_set_ttime(dv: DataView, off: number, v: number): void {
  dv.setInt32(off + 16, v);
}
/** Stores the address mask. */
export function icmp_set_mask(dv: DataView, off: number, v: number): void {
  dv.setInt32(off + 8, v);
}

/** Bytes that a message of this type must have for the accessors of its fields: ICMP_TSLEN, ICMP_MASKLEN, a quoted IPv4 header, or ICMP_MINLEN. */
export function icmp_minlen(type: number): number {
  if (type === ICMP_TSTAMP || type === ICMP_TSTAMPREPLY) return ICMP_TSLEN;
  if (type === ICMP_MASKREQ || type === ICMP_MASKREPLY) return ICMP_MASKLEN;
  return icmp_quotes(type) ? ICMP_ADVLENMIN : ICMP_MINLEN;
}

/** A message as an object, for tests, traces and tools. */
export class IcmpHeader {
  /** Type. */
  icmp_type: number = ICMP_ECHO;
  /** Code. */
  icmp_code = 0;
  /** Checksum as read; icmp_emit computes it. */
  icmp_cksum = 0;
  /** Second word: identifier and sequence, router, MTU, pointer. int32. */
  icmp_void = 0;
  /** What follows the first eight bytes. */
  icmp_data: Uint8Array = new Uint8Array(0);
}

/** Reads a message of `len` bytes at `off`. WIRE_ETRUNC below icmp_minlen of its type; unknown types pass. The checksum is not verified. */
export function icmp_parse(dv: DataView, off: number, len: number, out: IcmpHeader): number {
  if (len < ICMP_MINLEN) return WIRE_ETRUNC;
  const type = icmp_type(dv, off);
  if (len < icmp_minlen(type)) return WIRE_ETRUNC;
  out.icmp_type = type;
  out.icmp_code = icmp_code(dv, off);
  out.icmp_cksum = icmp_cksum(dv, off);
  out.icmp_void = icmp_void(dv, off);
  out.icmp_data = new Uint8Array(dv.buffer, dv.byteOffset + off + ICMP_MINLEN, len - ICMP_MINLEN).slice();
  return WIRE_OK;
}

/** Writes a message with its checksum at `off`; its length, or a WIRE_* error. */
export function icmp_emit(dv: DataView, off: number, h: IcmpHeader): number {
  const len = ICMP_MINLEN + h.icmp_data.length;
  if (h.icmp_type < 0 || h.icmp_type > 255 || h.icmp_code < 0 || h.icmp_code > 255) return WIRE_ERANGE;
  if (dv.byteLength - off < len) return WIRE_ENOSPACE;
  icmp_set_type(dv, off, h.icmp_type);
  icmp_set_code(dv, off, h.icmp_code);
  icmp_set_cksum(dv, off, 0);
  icmp_set_void(dv, off, h.icmp_void);
  new Uint8Array(dv.buffer, dv.byteOffset + off + ICMP_MINLEN, h.icmp_data.length).set(h.icmp_data);
  icmp_set_cksum(dv, off, cksum(dv, off, len));
  return len;
}
