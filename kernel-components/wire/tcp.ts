/*
 * The TCP header (RFC 9293 §3.1). Options are in tcp_options.ts.
 */
import { cksum_fold, cksum_partial, cksum_pseudo4 } from "./cksum.ts";
import { IPPROTO_TCP } from "./in.ts";
import { WIRE_EHLEN, WIRE_ENOSPACE, WIRE_ERANGE, WIRE_ETRUNC, WIRE_OK } from "./wire_error.ts";

/** Bytes in a header without options. */
export const TCP_HDRLEN = 20;
/** Bytes that options may take. */
export const TCP_MAXOLEN = 40;

/** No more data from the sender. */
export const TH_FIN = 0x01;
/** Synchronise sequence numbers. */
export const TH_SYN = 0x02;
/** Reset the connection. */
export const TH_RST = 0x04;
/** Push. */
export const TH_PUSH = 0x08;
/** th_ack counts. */
export const TH_ACK = 0x10;
/** th_urp counts. */
export const TH_URG = 0x20;
/** ECN echo (RFC 3168 §6.1). */
export const TH_ECE = 0x40;
/** Congestion window reduced. */
export const TH_CWR = 0x80;

/** Source port. */
export function th_sport(dv: DataView, off: number): number {
  return dv.getUint16(off);
}
/** Destination port. */
export function th_dport(dv: DataView, off: number): number {
  return dv.getUint16(off + 2);
}
/** Sequence number, int32. */
export function th_seq(dv: DataView, off: number): number {
  return dv.getInt32(off + 4);
}
/** Acknowledgement number, int32. */
export function th_ack(dv: DataView, off: number): number {
  return dv.getInt32(off + 8);
}
/** Header length as it stands, in units of four bytes. */
export function th_off(dv: DataView, off: number): number {
  return dv.getUint8(off + 12) >>> 4;
}
/** Header length in bytes. */
export function th_hlen(dv: DataView, off: number): number {
  return (dv.getUint8(off + 12) >>> 4) << 2;
}
/** Flags TH_*. */
export function th_flags(dv: DataView, off: number): number {
  return dv.getUint8(off + 13);
}
/** Window, not scaled. */
export function th_win(dv: DataView, off: number): number {
  return dv.getUint16(off + 14);
}
/** Checksum. */
export function th_sum(dv: DataView, off: number): number {
  return dv.getUint16(off + 16);
}
/** Urgent pointer. */
export function th_urp(dv: DataView, off: number): number {
  return dv.getUint16(off + 18);
}
/** Stores the source port. */
export function th_set_sport(dv: DataView, off: number, v: number): void {
  dv.setUint16(off, v);
}
/** Stores the destination port. */
export function th_set_dport(dv: DataView, off: number, v: number): void {
  dv.setUint16(off + 2, v);
}
/** Stores the sequence number. */
export function th_set_seq(dv: DataView, off: number, v: number): void {
  dv.setInt32(off + 4, v);
}
/** Stores the acknowledgement number. */
export function th_set_ack(dv: DataView, off: number, v: number): void {
  dv.setInt32(off + 8, v);
}
/** Stores the header length, in bytes and a multiple of four, and clears the reserved bits. */
export function th_set_hlen(dv: DataView, off: number, hlen: number): void {
  dv.setUint8(off + 12, (hlen >>> 2) << 4);
}
/** Stores the flags. */
export function th_set_flags(dv: DataView, off: number, v: number): void {
  dv.setUint8(off + 13, v);
}
/** Stores the window. */
export function th_set_win(dv: DataView, off: number, v: number): void {
  dv.setUint16(off + 14, v);
}
/** Stores the checksum. */
export function th_set_sum(dv: DataView, off: number, v: number): void {
  dv.setUint16(off + 16, v);
}
/** Stores the urgent pointer. */
export function th_set_urp(dv: DataView, off: number, v: number): void {
  dv.setUint16(off + 18, v);
}

/** A header as an object, for tests, traces and tools. */
export class TcpHeader {
  /** Source port. */
  th_sport = 0;
  /** Destination port. */
  th_dport = 0;
  /** Sequence number, int32. */
  th_seq = 0;
  /** Acknowledgement number, int32. */
  th_ack = 0;
  /** Flags TH_*. */
  th_flags = 0;
  /** Window. */
  th_win = 0;
  /** Checksum. */
  th_sum = 0;
  /** Urgent pointer. */
  th_urp = 0;
  /** Bytes of the options with their padding, 0 to 40. */
  th_opts: Uint8Array = new Uint8Array(0);
}

/** Reads a header from `len` bytes at `off`. WIRE_EHLEN if th_off is below 5 or beyond `len`. Neither checksum nor options are verified. */
export function tcp_parse(dv: DataView, off: number, len: number, out: TcpHeader): number {
  if (len < TCP_HDRLEN) return WIRE_ETRUNC;
  const hlen = th_hlen(dv, off);
  if (hlen < TCP_HDRLEN || hlen > len) return WIRE_EHLEN;
  out.th_sport = th_sport(dv, off);
  out.th_dport = th_dport(dv, off);
  out.th_seq = th_seq(dv, off);
  out.th_ack = th_ack(dv, off);
  out.th_flags = th_flags(dv, off);
  out.th_win = th_win(dv, off);
  out.th_sum = th_sum(dv, off);
  out.th_urp = th_urp(dv, off);
  out.th_opts = new Uint8Array(dv.buffer, dv.byteOffset + off + TCP_HDRLEN, hlen - TCP_HDRLEN).slice();
  return WIRE_OK;
}

/** Writes a header at `off` with the checksum as given and options padded with zeros; its length, or a WIRE_* error. */
export function tcp_emit(dv: DataView, off: number, h: TcpHeader): number {
  const hlen = TCP_HDRLEN + ((h.th_opts.length + 3) & ~3);
  if (hlen > TCP_HDRLEN + TCP_MAXOLEN) return WIRE_ERANGE;
  if (dv.byteLength - off < hlen) return WIRE_ENOSPACE;
  for (const v of [h.th_sport, h.th_dport, h.th_win, h.th_sum, h.th_urp]) if (v < 0 || v > 0xffff) return WIRE_ERANGE;
  th_set_sport(dv, off, h.th_sport);
  th_set_dport(dv, off, h.th_dport);
  th_set_seq(dv, off, h.th_seq);
  th_set_ack(dv, off, h.th_ack);
  th_set_hlen(dv, off, hlen);
  th_set_flags(dv, off, h.th_flags);
  th_set_win(dv, off, h.th_win);
  th_set_sum(dv, off, h.th_sum);
  th_set_urp(dv, off, h.th_urp);
  for (let i = TCP_HDRLEN; i < hlen; i++) dv.setUint8(off + i, h.th_opts[i - TCP_HDRLEN] ?? 0);
  return hlen;
}

/** The folded checksum of a segment of `len` bytes over IPv4 at `off`: 0 if it carries the right one; with 0 in th_sum, what is to be stored. */
export function tcp_cksum4(dv: DataView, off: number, len: number, src: number, dst: number): number {
  return cksum_fold(cksum_partial(dv, off, len, cksum_pseudo4(src, dst, IPPROTO_TCP, len)));
}
