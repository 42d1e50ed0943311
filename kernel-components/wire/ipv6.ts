/*
 * The fixed IPv6 header (RFC 8200 §3), for traces and tools; addresses are reached by the offset of their sixteen bytes.
 */
import { WIRE_ELEN, WIRE_ETRUNC, WIRE_EVERSION, WIRE_OK } from "./wire_error.ts";

/** Bytes in the header. */
export const IP6_HDRLEN = 40;
/** Version. */
export const IPV6_VERSION = 6;
/** Every link carries packets of this size. */
export const IPV6_MMTU = 1280;
/** Hop limit of a packet that says nothing else. */
export const IPV6_DEFHLIM = 64;
/** Offset of the source address. */
export const IP6_SRC = 8;
/** Offset of the destination address. */
export const IP6_DST = 24;

/** Version. */
export function ip6_v(dv: DataView, off: number): number {
  return dv.getUint8(off) >>> 4;
}
/** Traffic class. */
export function ip6_class(dv: DataView, off: number): number {
  return (dv.getUint16(off) >>> 4) & 255;
}
/** Flow label. */
export function ip6_flow(dv: DataView, off: number): number {
  return dv.getInt32(off) & 0xfffff;
}
/** Length of what follows the header. */
export function ip6_plen(dv: DataView, off: number): number {
  return dv.getUint16(off + 4);
}
/** Next header. */
export function ip6_nxt(dv: DataView, off: number): number {
  return dv.getUint8(off + 6);
}
/** Hop limit. */
export function ip6_hlim(dv: DataView, off: number): number {
  return dv.getUint8(off + 7);
}
/** Stores version, traffic class and flow label. */
export function ip6_set_vcf(dv: DataView, off: number, tclass: number, flow: number): void {
  dv.setInt32(off, (IPV6_VERSION << 28) | ((tclass & 255) << 20) | (flow & 0xfffff));
}
/** Stores the payload length. */
export function ip6_set_plen(dv: DataView, off: number, v: number): void {
  dv.setUint16(off + 4, v);
}
/** Stores the next header. */
export function ip6_set_nxt(dv: DataView, off: number, v: number): void {
  dv.setUint8(off + 6, v);
}
/** Stores the hop limit. */
export function ip6_set_hlim(dv: DataView, off: number, v: number): void {
  dv.setUint8(off + 7, v);
}
/** Is there a whole packet in the `len` bytes at `off`? WIRE_OK, WIRE_ETRUNC, WIRE_EVERSION, or WIRE_ELEN if ip6_plen reaches beyond them. */
export function ip6_check(dv: DataView, off: number, len: number): number {
  if (len < IP6_HDRLEN) return WIRE_ETRUNC;
  if (ip6_v(dv, off) !== IPV6_VERSION) return WIRE_EVERSION;
  return IP6_HDRLEN + ip6_plen(dv, off) <= len ? WIRE_OK : WIRE_ELEN;
}
