/*
 * The IPv4 header (RFC 791 §3.1). ip_parse checks what RFC 1122 §3.2.1 has every host check, except the checksum: see ip_cksum20 and cksum in cksum.ts.
 */
import { cksum } from "./cksum.ts";
import {
  WIRE_EHLEN,
  WIRE_ELEN,
  WIRE_ENOSPACE,
  WIRE_ERANGE,
  WIRE_ETRUNC,
  WIRE_EVERSION,
  WIRE_OK,
} from "./wire_error.ts";

/** Version. */
export const IPVERSION = 4;
/** Bytes in a header without options. */
export const IP_HDRLEN = 20;
/** Bytes in the longest header. */
export const IP_MAXHDRLEN = 60;
/** Bytes in the longest packet. */
export const IP_MAXPACKET = 65535;
/** Reserved flag of ip_off ("evil bit"). */
export const IP_RF = 0x8000;
/** Don't fragment. */
export const IP_DF = 0x4000;
/** More fragments. */
export const IP_MF = 0x2000;
/** Fragment offset, in units of eight bytes. */
export const IP_OFFMASK = 0x1fff;
/** Longest life of a packet. */
export const MAXTTL = 255;
/** Life of a packet that says nothing else. */
export const IPDEFTTL = 64;
/** What each hop takes from it. */
export const IPTTLDEC = 1;
/** Half-seconds that a fragment waits for the others. */
export const IPFRAGTTL = 60;
/** Default maximum segment size: every host accepts packets of this size (RFC 1122 §3.3.2). */
export const IP_MSS = 576;
/** Smallest MTU that every link must carry, and one byte more makes two fragments (RFC 791 §3.2). */
export const IP_MINFRAGSIZE = 69;

/** ip_tos: minimise delay. */
export const IPTOS_LOWDELAY = 0x10;
/** ip_tos: maximise throughput. */
export const IPTOS_THROUGHPUT = 0x08;
/** ip_tos: maximise reliability. */
export const IPTOS_RELIABILITY = 0x04;
/** ip_tos: internetwork control precedence. */
export const IPTOS_PREC_INTERNETCONTROL = 0xc0;
/** ip_tos: bits of the differentiated services field (RFC 2474 §3). */
export const IPTOS_DSCP_MASK = 0xfc;
/** ip_tos: bits of ECN (RFC 3168 §5). */
export const IPTOS_ECN_MASK = 0x03;
/** ECN: not capable. */
export const IPTOS_ECN_NOTECT = 0x00;
/** ECN: capable, codepoint 1. */
export const IPTOS_ECN_ECT1 = 0x01;
/** ECN: capable, codepoint 0. */
export const IPTOS_ECN_ECT0 = 0x02;
/** ECN: congestion experienced. */
export const IPTOS_ECN_CE = 0x03;

/** Version. */
export function ip_v(dv: DataView, off: number): number {
  return dv.getUint8(off) >>> 4;
}
/** Header length as it stands, in units of four bytes. */
export function ip_hl(dv: DataView, off: number): number {
  return dv.getUint8(off) & 15;
}
/** Header length in bytes. */
export function ip_hlen(dv: DataView, off: number): number {
  return (dv.getUint8(off) & 15) << 2;
}
/** Version and header length in one byte; 0x45 is a header without options. */
export function ip_vhl(dv: DataView, off: number): number {
  return dv.getUint8(off);
}
/** Type of service. */
export function ip_tos(dv: DataView, off: number): number {
  return dv.getUint8(off + 1);
}
/** Total length. */
export function ip_len(dv: DataView, off: number): number {
  return dv.getUint16(off + 2);
}
/** Identification. */
export function ip_id(dv: DataView, off: number): number {
  return dv.getUint16(off + 4);
}
/** Flags and fragment offset as they stand: IP_RF, IP_DF, IP_MF, IP_OFFMASK. */
export function ip_off(dv: DataView, off: number): number {
  return dv.getUint16(off + 6);
}
/** Time to live. */
export function ip_ttl(dv: DataView, off: number): number {
  return dv.getUint8(off + 8);
}
/** Protocol. */
export function ip_p(dv: DataView, off: number): number {
  return dv.getUint8(off + 9);
}
/** Header checksum. */
export function ip_sum(dv: DataView, off: number): number {
  return dv.getUint16(off + 10);
}
/** Source address. */
export function ip_src(dv: DataView, off: number): number {
  return dv.getInt32(off + 12);
}
/** Destination address. */
export function ip_dst(dv: DataView, off: number): number {
  return dv.getInt32(off + 16);
}

/** Stores version and header length; `hlen` in bytes, a multiple of four. */
export function ip_set_hlen(dv: DataView, off: number, hlen: number): void {
  dv.setUint8(off, (IPVERSION << 4) | (hlen >>> 2));
}
/** Stores the type of service. */
export function ip_set_tos(dv: DataView, off: number, v: number): void {
  dv.setUint8(off + 1, v);
}
/** Stores the total length. */
export function ip_set_len(dv: DataView, off: number, v: number): void {
  dv.setUint16(off + 2, v);
}
/** Stores the identification. */
export function ip_set_id(dv: DataView, off: number, v: number): void {
  dv.setUint16(off + 4, v);
}
/** Stores flags and fragment offset. */
export function ip_set_off(dv: DataView, off: number, v: number): void {
  dv.setUint16(off + 6, v);
}
/** Stores the time to live. */
export function ip_set_ttl(dv: DataView, off: number, v: number): void {
  dv.setUint8(off + 8, v);
}
/** Stores the protocol. */
export function ip_set_p(dv: DataView, off: number, v: number): void {
  dv.setUint8(off + 9, v);
}
/** Stores the header checksum. */
export function ip_set_sum(dv: DataView, off: number, v: number): void {
  dv.setUint16(off + 10, v);
}
/** Stores the source address. */
export function ip_set_src(dv: DataView, off: number, v: number): void {
  dv.setInt32(off + 12, v);
}
/** Stores the destination address. */
export function ip_set_dst(dv: DataView, off: number, v: number): void {
  dv.setInt32(off + 16, v);
}

/**
 * Takes IPTTLDEC from the time to live and updates the checksum for it: RFC 1624 §3 (Eqn. 3) for the word ip_ttl:ip_p, which shrinks by 0x0100.
 * The result is what a full computation gives, 0 and never 0xffff.
 *
 * Preconditions: ip_ttl >= 1.
 */
// hot
export function ip_decrement_ttl(dv: DataView, off: number): void {
  dv.setUint8(off + 8, dv.getUint8(off + 8) - IPTTLDEC);
  const s = dv.getUint16(off + 10) + (IPTTLDEC << 8);
  dv.setUint16(off + 10, s >= 0xffff ? s - 0xffff : s);
}

/** A header as an object, for tests, traces and tools. ip_hl is derived from ip_opts when written. */
export class IpHeader {
  /** Version. */
  ip_v: number = IPVERSION;
  /** Header length in units of four bytes. */
  ip_hl = 5;
  /** Type of service. */
  ip_tos = 0;
  /** Total length. */
  ip_len: number = IP_HDRLEN;
  /** Identification. */
  ip_id = 0;
  /** Flags and fragment offset. */
  ip_off = 0;
  /** Time to live. */
  ip_ttl: number = IPDEFTTL;
  /** Protocol. */
  ip_p = 0;
  /** Checksum as read; ip_emit computes it. */
  ip_sum = 0;
  /** Source. */
  ip_src = 0;
  /** Destination. */
  ip_dst = 0;
  /** The options' bytes with their padding, 0 to 40. */
  ip_opts: Uint8Array = new Uint8Array(0);
}

/**
 * Reads a header from `len` bytes at `off`. WIRE_ETRUNC, WIRE_EVERSION, WIRE_EHLEN (below 20 or beyond the packet) or WIRE_ELEN (ip_len below the header length,
 * or beyond `len`). Bytes after ip_len are link padding and are allowed (RFC 894). The checksum is not verified.
 */
export function ip_parse(dv: DataView, off: number, len: number, out: IpHeader): number {
  if (len < IP_HDRLEN) return WIRE_ETRUNC;
  if (ip_v(dv, off) !== IPVERSION) return WIRE_EVERSION;
  const hlen = ip_hlen(dv, off);
  if (hlen < IP_HDRLEN || hlen > len) return WIRE_EHLEN;
  const tlen = ip_len(dv, off);
  if (tlen < hlen || tlen > len) return WIRE_ELEN;
  out.ip_v = IPVERSION;
  out.ip_hl = hlen >>> 2;
  out.ip_tos = ip_tos(dv, off);
  out.ip_len = tlen;
  out.ip_id = ip_id(dv, off);
  out.ip_off = ip_off(dv, off);
  out.ip_ttl = ip_ttl(dv, off);
  out.ip_p = ip_p(dv, off);
  out.ip_sum = ip_sum(dv, off);
  out.ip_src = ip_src(dv, off);
  out.ip_dst = ip_dst(dv, off);
  out.ip_opts = new Uint8Array(dv.buffer, dv.byteOffset + off + IP_HDRLEN, hlen - IP_HDRLEN).slice();
  return WIRE_OK;
}

/**
 * Writes a header at `off` and returns its length in bytes, or a WIRE_* error. ip_opts is padded with zeros to a multiple of four, the version is 4, and the
 * checksum is computed; ip_len is written as given.
 */
export function ip_emit(dv: DataView, off: number, h: IpHeader): number {
  const hlen = IP_HDRLEN + ((h.ip_opts.length + 3) & ~3);
  if (hlen > IP_MAXHDRLEN || h.ip_len < hlen || h.ip_len > IP_MAXPACKET) return WIRE_ERANGE;
  if (dv.byteLength - off < hlen) return WIRE_ENOSPACE;
  ip_set_hlen(dv, off, hlen);
  ip_set_tos(dv, off, h.ip_tos);
  ip_set_len(dv, off, h.ip_len);
  ip_set_id(dv, off, h.ip_id);
  ip_set_off(dv, off, h.ip_off);
  ip_set_ttl(dv, off, h.ip_ttl);
  ip_set_p(dv, off, h.ip_p);
  ip_set_sum(dv, off, 0);
  ip_set_src(dv, off, h.ip_src);
  ip_set_dst(dv, off, h.ip_dst);
  for (let i = IP_HDRLEN; i < hlen; i++) dv.setUint8(off + i, h.ip_opts[i - IP_HDRLEN] ?? 0);
  ip_set_sum(dv, off, cksum(dv, off, hlen));
  return hlen;
}
