/*
 * The UDP header (RFC 768).
 */
import { cksum_fold, cksum_partial, cksum_pseudo4 } from "./cksum.ts";
import { IPPROTO_UDP } from "./in.ts";
import { WIRE_ELEN, WIRE_ENOSPACE, WIRE_ERANGE, WIRE_ETRUNC, WIRE_OK } from "./wire_error.ts";

/** Bytes in the header. */
export const UDP_HDRLEN = 8;

/** Source port. */
export function uh_sport(dv: DataView, off: number): number {
  return dv.getUint16(off);
}
/** Destination port. */
export function uh_dport(dv: DataView, off: number): number {
  return dv.getUint16(off + 2);
}
/** Length of header and data. */
export function uh_ulen(dv: DataView, off: number): number {
  return dv.getUint16(off + 4);
}
/** Checksum; 0 means that the sender computed none. */
export function uh_sum(dv: DataView, off: number): number {
  return dv.getUint16(off + 6);
}
/** Stores the source port. */
export function uh_set_sport(dv: DataView, off: number, v: number): void {
  dv.setUint16(off, v);
}
/** Stores the destination port. */
export function uh_set_dport(dv: DataView, off: number, v: number): void {
  dv.setUint16(off + 2, v);
}
/** Stores the length. */
export function uh_set_ulen(dv: DataView, off: number, v: number): void {
  dv.setUint16(off + 4, v);
}
/** Stores the checksum. */
export function uh_set_sum(dv: DataView, off: number, v: number): void {
  dv.setUint16(off + 6, v);
}
/** The form in which a computed checksum is sent: zero is sent as all ones, as zero means none (RFC 768). */
export function udp_cksum_wire(sum: number): number {
  return sum === 0 ? 0xffff : sum;
}

/** A header as an object, for tests, traces and tools. */
export class UdpHeader {
  /** Source port. */
  uh_sport = 0;
  /** Destination port. */
  uh_dport = 0;
  /** Length of header and data. */
  uh_ulen: number = UDP_HDRLEN;
  /** Checksum. */
  uh_sum = 0;
}

/** Reads a header from `len` bytes at `off`. WIRE_ELEN if uh_ulen is below the header's size or beyond `len`. The checksum is not verified. */
export function udp_parse(dv: DataView, off: number, len: number, out: UdpHeader): number {
  if (len < UDP_HDRLEN) return WIRE_ETRUNC;
  const ulen = uh_ulen(dv, off);
  if (ulen < UDP_HDRLEN || ulen > len) return WIRE_ELEN;
  out.uh_sport = uh_sport(dv, off);
  out.uh_dport = uh_dport(dv, off);
  out.uh_ulen = ulen;
  out.uh_sum = uh_sum(dv, off);
  return WIRE_OK;
}

/** Writes a header at `off` with the checksum as given; UDP_HDRLEN, or a WIRE_* error. */
export function udp_emit(dv: DataView, off: number, h: UdpHeader): number {
  if (dv.byteLength - off < UDP_HDRLEN) return WIRE_ENOSPACE;
  for (const v of [h.uh_sport, h.uh_dport, h.uh_ulen, h.uh_sum]) if (v < 0 || v > 0xffff) return WIRE_ERANGE;
  uh_set_sport(dv, off, h.uh_sport);
  uh_set_dport(dv, off, h.uh_dport);
  uh_set_ulen(dv, off, h.uh_ulen);
  uh_set_sum(dv, off, h.uh_sum);
  return UDP_HDRLEN;
}

/**
 * The folded checksum of a datagram over IPv4 that lies in one piece at `off` with its uh_ulen. 0 if the datagram carries the right checksum; with 0 stored in
 * uh_sum, what is to be stored there after udp_cksum_wire.
 *
 * Preconditions: uh_ulen bytes lie at `off`.
 */
export function udp_cksum4(dv: DataView, off: number, src: number, dst: number): number {
  const ulen = uh_ulen(dv, off);
  return cksum_fold(cksum_partial(dv, off, ulen, cksum_pseudo4(src, dst, IPPROTO_UDP, ulen)));
}
