/*
 * IGMP messages: version 1 (RFC 1112 appendix I), version 2 (RFC 2236 §2) and version 3 (RFC 3376 §4).
 */
import { cksum } from "./cksum.ts";
import { WIRE_ELEN, WIRE_ENOSPACE, WIRE_ERANGE, WIRE_ETRUNC, WIRE_ETYPE, WIRE_OK } from "./wire_error.ts";

/** Bytes in a message of version 1 or 2, and the least of any. */
export const IGMP_MINLEN = 8;
/** Bytes in a version 3 query without sources. */
export const IGMP_V3_QUERY_MINLEN = 12;
/** Bytes in a version 3 group record without sources. */
export const IGMP_GRPREC_HDRLEN = 8;

/** Membership query, all versions. */
export const IGMP_HOST_MEMBERSHIP_QUERY = 0x11;
/** Version 1 membership report. */
export const IGMP_v1_HOST_MEMBERSHIP_REPORT = 0x12;
/** DVMRP. */
export const IGMP_DVMRP = 0x13;
/** PIM version 1. */
export const IGMP_PIM = 0x14;
/** Version 2 membership report. */
export const IGMP_v2_HOST_MEMBERSHIP_REPORT = 0x16;
/** Version 2 leave group. */
export const IGMP_HOST_LEAVE_MESSAGE = 0x17;
/** Multicast traceroute response. */
export const IGMP_MTRACE_REPLY = 0x1e;
/** Multicast traceroute. */
export const IGMP_MTRACE_QUERY = 0x1f;
/** Version 3 membership report. */
export const IGMP_v3_HOST_MEMBERSHIP_REPORT = 0x22;

/** Group record types (RFC 3376 §4.2.12). */
export const IGMP_MODE_IS_INCLUDE = 1;
/** The filter mode is EXCLUDE. */
export const IGMP_MODE_IS_EXCLUDE = 2;
/** The filter mode became INCLUDE. */
export const IGMP_CHANGE_TO_INCLUDE_MODE = 3;
/** The filter mode became EXCLUDE. */
export const IGMP_CHANGE_TO_EXCLUDE_MODE = 4;
/** Sources were added. */
export const IGMP_ALLOW_NEW_SOURCES = 5;
/** Sources were removed. */
export const IGMP_BLOCK_OLD_SOURCES = 6;

/** Fraction of a second in which igmp_code counts. */
export const IGMP_TIMER_SCALE = 10;

/** Type. */
export function igmp_type(dv: DataView, off: number): number {
  return dv.getUint8(off);
}
/** Maximum response time in tenths of a second (queries of version 2), a floating code (version 3), or zero (version 1). */
export function igmp_code(dv: DataView, off: number): number {
  return dv.getUint8(off + 1);
}
/** Checksum over the whole message. */
export function igmp_cksum(dv: DataView, off: number): number {
  return dv.getUint16(off + 2);
}
/** Group, or 0 in a general query. */
export function igmp_group(dv: DataView, off: number): number {
  return dv.getInt32(off + 4);
}
/** Stores the type. */
export function igmp_set_type(dv: DataView, off: number, v: number): void {
  dv.setUint8(off, v);
}
/** Stores the code. */
export function igmp_set_code(dv: DataView, off: number, v: number): void {
  dv.setUint8(off + 1, v);
}
/** Stores the checksum. */
export function igmp_set_cksum(dv: DataView, off: number, v: number): void {
  dv.setUint16(off + 2, v);
}
/** Stores the group. */
export function igmp_set_group(dv: DataView, off: number, v: number): void {
  dv.setInt32(off + 4, v);
}
/** Version 3 query: suppress router-side processing. */
export function igmp_v3_s(dv: DataView, off: number): number {
  return (dv.getUint8(off + 8) >>> 3) & 1;
}
/** Version 3 query: the querier's robustness variable. */
export function igmp_v3_qrv(dv: DataView, off: number): number {
  return dv.getUint8(off + 8) & 7;
}
/** Version 3 query: the querier's query interval code. */
export function igmp_v3_qqic(dv: DataView, off: number): number {
  return dv.getUint8(off + 9);
}
/** Version 3 query: number of sources. */
export function igmp_v3_nsrc(dv: DataView, off: number): number {
  return dv.getUint16(off + 10);
}
/** Version 3 report: number of group records. */
export function igmp_v3_ngrec(dv: DataView, off: number): number {
  return dv.getUint16(off + 6);
}
/** Stores the number of group records. */
export function igmp_v3_set_ngrec(dv: DataView, off: number, v: number): void {
  dv.setUint16(off + 6, v);
}

/** The number that a code of version 3 (maximum response, query interval) stands for (RFC 3376 §4.1.1). */
export function igmp_decode_exp(code: number): number {
  return code < 128 ? code : ((code & 15) | 16) << (((code >>> 4) & 7) + 3);
}

/** One group record of a version 3 report. */
export interface IgmpGrec {
  /** IGMP_MODE_IS_INCLUDE ... IGMP_BLOCK_OLD_SOURCES. */
  readonly type: number;
  /** Group. */
  readonly group: number;
  /** Sources. */
  readonly sources: readonly number[];
}

/** A message as an object, for tests, traces and tools. */
export class IgmpHeader {
  /** Type. */
  igmp_type: number = IGMP_HOST_MEMBERSHIP_QUERY;
  /** Code. */
  igmp_code = 0;
  /** Checksum as read; igmp_emit computes it. */
  igmp_cksum = 0;
  /** Group; 0 in a version 3 report. */
  igmp_group = 0;
  /** Is it a query in the form of version 3? A report of version 3 has a type of its own. */
  v3_query = false;
  /** Version 3 query: suppress flag. */
  s = 0;
  /** Version 3 query: robustness. */
  qrv = 0;
  /** Version 3 query: interval code. */
  qqic = 0;
  /** Version 3 query: sources. */
  sources: number[] = [];
  /** Version 3 report: records. */
  records: IgmpGrec[] = [];
}

/**
 * Reads a message of `len` bytes at `off`. A query of at least 12 bytes is version 3 (RFC 3376 §7.1). WIRE_ETRUNC below 8 bytes or when sources or records
 * reach beyond `len`, WIRE_ELEN for a query of 9 to 11 bytes, WIRE_ETYPE for an unknown record type. The checksum is not verified.
 */
export function igmp_parse(dv: DataView, off: number, len: number, out: IgmpHeader): number {
  if (len < IGMP_MINLEN) return WIRE_ETRUNC;
  const type = igmp_type(dv, off);
  const query = type === IGMP_HOST_MEMBERSHIP_QUERY;
  if (query && len > IGMP_MINLEN && len < IGMP_V3_QUERY_MINLEN) return WIRE_ELEN;
  out.igmp_type = type;
  out.igmp_code = igmp_code(dv, off);
  out.igmp_cksum = igmp_cksum(dv, off);
  out.igmp_group = type === IGMP_v3_HOST_MEMBERSHIP_REPORT ? 0 : igmp_group(dv, off);
  out.v3_query = query && len >= IGMP_V3_QUERY_MINLEN;
  out.s = out.v3_query ? igmp_v3_s(dv, off) : 0;
  out.qrv = out.v3_query ? igmp_v3_qrv(dv, off) : 0;
  out.qqic = out.v3_query ? igmp_v3_qqic(dv, off) : 0;
  out.sources = [];
  out.records = [];
  if (out.v3_query) {
    const n = igmp_v3_nsrc(dv, off);
    if (IGMP_V3_QUERY_MINLEN + 4 * n > len) return WIRE_ETRUNC;
    out.sources = words(dv, off + IGMP_V3_QUERY_MINLEN, n);
  }
  return type === IGMP_v3_HOST_MEMBERSHIP_REPORT ? parse_records(dv, off, len, out.records) : WIRE_OK;
}

function parse_records(dv: DataView, off: number, len: number, out: IgmpGrec[]): number {
  let at = off + IGMP_MINLEN;
  const end = off + len;
  for (let n = igmp_v3_ngrec(dv, off); n > 0; n--) {
    if (end - at < IGMP_GRPREC_HDRLEN) return WIRE_ETRUNC;
    const type = dv.getUint8(at);
    const nsrc = dv.getUint16(at + 2);
    const size = IGMP_GRPREC_HDRLEN + 4 * nsrc + 4 * dv.getUint8(at + 1);
    if (end - at < size) return WIRE_ETRUNC;
    if (type < IGMP_MODE_IS_INCLUDE || type > IGMP_BLOCK_OLD_SOURCES) return WIRE_ETYPE;
    out.push({ type, group: dv.getInt32(at + 4), sources: words(dv, at + IGMP_GRPREC_HDRLEN, nsrc) });
    at += size;
  }
  return WIRE_OK;
}

function words(dv: DataView, off: number, n: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < n; i++) out.push(dv.getInt32(off + 4 * i));
  return out;
}

/** Bytes that igmp_emit will write. */
export function igmp_length(h: IgmpHeader): number {
  if (h.v3_query) return IGMP_V3_QUERY_MINLEN + 4 * h.sources.length;
  return h.records.reduce((n, r) => n + IGMP_GRPREC_HDRLEN + 4 * r.sources.length, IGMP_MINLEN);
}

/** Writes a message with its checksum at `off`; its length, or a WIRE_* error (WIRE_ERANGE: records in another message than a version 3 report). */
export function igmp_emit(dv: DataView, off: number, h: IgmpHeader): number {
  const report = h.igmp_type === IGMP_v3_HOST_MEMBERSHIP_REPORT;
  if (h.v3_query !== (h.v3_query && h.igmp_type === IGMP_HOST_MEMBERSHIP_QUERY)) return WIRE_ERANGE;
  if ((!report && h.records.length > 0) || (!h.v3_query && h.sources.length > 0)) return WIRE_ERANGE;
  const len = igmp_length(h);
  if (dv.byteLength - off < len) return WIRE_ENOSPACE;
  igmp_set_type(dv, off, h.igmp_type);
  igmp_set_code(dv, off, h.igmp_code);
  igmp_set_cksum(dv, off, 0);
  igmp_set_group(dv, off, h.igmp_group);
  if (h.v3_query) {
    dv.setUint8(off + 8, ((h.s & 1) << 3) | (h.qrv & 7));
    dv.setUint8(off + 9, h.qqic);
    dv.setUint16(off + 10, h.sources.length);
    h.sources.forEach((s, i) => dv.setInt32(off + IGMP_V3_QUERY_MINLEN + 4 * i, s));
  }
  if (report) {
    dv.setInt32(off + 4, h.records.length & 0xffff);
    let at = off + IGMP_MINLEN;
    for (const r of h.records) {
      dv.setInt32(at, (r.type << 24) | (r.sources.length & 0xffff));
      dv.setInt32(at + 4, r.group);
      r.sources.forEach((s, i) => dv.setInt32(at + IGMP_GRPREC_HDRLEN + 4 * i, s));
      at += IGMP_GRPREC_HDRLEN + 4 * r.sources.length;
    }
  }
  igmp_set_cksum(dv, off, cksum(dv, off, len));
  return len;
}
