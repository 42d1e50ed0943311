/*
 * The ICMPv6 header (RFC 4443 §2.1, RFC 4861 §4), for traces and tools.
 */
import { WIRE_ETRUNC, WIRE_OK } from "./wire_error.ts";

/** Bytes in every header. */
export const ICMP6_HDRLEN = 8;
/** Destination unreachable. */
export const ICMP6_DST_UNREACH = 1;
/** Packet too big. */
export const ICMP6_PACKET_TOO_BIG = 2;
/** Time exceeded. */
export const ICMP6_TIME_EXCEEDED = 3;
/** Parameter problem. */
export const ICMP6_PARAM_PROB = 4;
/** Echo request. */
export const ICMP6_ECHO_REQUEST = 128;
/** Echo reply. */
export const ICMP6_ECHO_REPLY = 129;
/** Multicast listener query. */
export const MLD_LISTENER_QUERY = 130;
/** Multicast listener report. */
export const MLD_LISTENER_REPORT = 131;
/** Multicast listener done. */
export const MLD_LISTENER_DONE = 132;
/** Router solicitation. */
export const ND_ROUTER_SOLICIT = 133;
/** Router advertisement. */
export const ND_ROUTER_ADVERT = 134;
/** Neighbour solicitation. */
export const ND_NEIGHBOR_SOLICIT = 135;
/** Neighbour advertisement. */
export const ND_NEIGHBOR_ADVERT = 136;
/** Redirect. */
export const ND_REDIRECT = 137;
/** Multicast listener report, version 2 (RFC 3810). */
export const MLDV2_LISTENER_REPORT = 143;

/** Type; from 128 on it is not an error. */
export function icmp6_type(dv: DataView, off: number): number {
  return dv.getUint8(off);
}
/** Code. */
export function icmp6_code(dv: DataView, off: number): number {
  return dv.getUint8(off + 1);
}
/** Checksum. */
export function icmp6_cksum(dv: DataView, off: number): number {
  return dv.getUint16(off + 2);
}
/** Echo: identifier. */
export function icmp6_id(dv: DataView, off: number): number {
  return dv.getUint16(off + 4);
}
/** Echo: sequence number. */
export function icmp6_seq(dv: DataView, off: number): number {
  return dv.getUint16(off + 6);
}
/** Packet too big: MTU of the next hop, int32. */
export function icmp6_mtu(dv: DataView, off: number): number {
  return dv.getInt32(off + 4);
}
/** Stores the type. */
export function icmp6_set_type(dv: DataView, off: number, v: number): void {
  dv.setUint8(off, v);
}
/** Stores the code. */
export function icmp6_set_code(dv: DataView, off: number, v: number): void {
  dv.setUint8(off + 1, v);
}
/** Stores the checksum. */
export function icmp6_set_cksum(dv: DataView, off: number, v: number): void {
  dv.setUint16(off + 2, v);
}
/** Is there a header in `len` bytes? */
export function icmp6_check(len: number): number {
  return len < ICMP6_HDRLEN ? WIRE_ETRUNC : WIRE_OK;
}
