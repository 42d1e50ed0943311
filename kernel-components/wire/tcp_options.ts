/*
 * TCP options (RFC 9293 §3.2, RFC 7323, RFC 2018). Reading fills an object that is kept, so that a stack may use it for each segment.
 */
import { WIRE_EOPT, WIRE_OK } from "./wire_error.ts";

/** End of the list. */
export const TCPOPT_EOL = 0;
/** No operation. */
export const TCPOPT_NOP = 1;
/** Maximum segment size. */
export const TCPOPT_MAXSEG = 2;
/** Window scale. */
export const TCPOPT_WINDOW = 3;
/** SACK permitted. */
export const TCPOPT_SACK_PERMITTED = 4;
/** SACK. */
export const TCPOPT_SACK = 5;
/** Timestamps. */
export const TCPOPT_TIMESTAMP = 8;
/** MD5 signature (RFC 2385). */
export const TCPOPT_SIGNATURE = 19;

/** Length of TCPOPT_MAXSEG. */
export const TCPOLEN_MAXSEG = 4;
/** Length of TCPOPT_WINDOW. */
export const TCPOLEN_WINDOW = 3;
/** Length of TCPOPT_SACK_PERMITTED. */
export const TCPOLEN_SACK_PERMITTED = 2;
/** Length of TCPOPT_TIMESTAMP. */
export const TCPOLEN_TIMESTAMP = 10;
/** Most blocks in a SACK option. */
export const TCP_SACK_MAX = 4;

/** The options of a segment. */
export class TcpOptions {
  /** Maximum segment size, or -1. */
  mss = -1;
  /** Window scale as sent (it may exceed 14), or -1. */
  wscale = -1;
  /** SACK permitted? */
  sack_permitted = false;
  /** Are there timestamps? */
  has_ts = false;
  /** Timestamp value, int32. */
  ts_val = 0;
  /** Timestamp echo reply, int32. */
  ts_ecr = 0;
  /** SACK blocks. */
  nsack = 0;
  /** Left and right edges of the blocks. */
  readonly sack: Int32Array = new Int32Array(2 * TCP_SACK_MAX);

  /** Forgets everything. */
  clear(): void {
    this.mss = -1;
    this.wscale = -1;
    this.sack_permitted = false;
    this.has_ts = false;
    this.ts_val = 0;
    this.ts_ecr = 0;
    this.nsack = 0;
  }
}

/**
 * Reads `len` bytes of options at `off`. Unknown options are passed over, known ones of another length than theirs are ignored; the last of equals counts. WIRE_EOPT
 * if an option has a length of 0 or 1 or reaches beyond the header; what came before it is filled in.
 */
// hot
export function tcp_options_parse(dv: DataView, off: number, len: number, out: TcpOptions): number {
  out.clear();
  const end = off + len;
  while (off < end) {
    const kind = dv.getUint8(off);
    if (kind === TCPOPT_EOL) break;
    if (kind === TCPOPT_NOP) {
      off++;
      continue;
    }
    const olen = end - off < 2 ? 0 : dv.getUint8(off + 1);
    if (olen < 2 || olen > end - off) return WIRE_EOPT;
    take(dv, off, kind, olen, out);
    off += olen;
  }
  return WIRE_OK;
}

// hot
function take(dv: DataView, off: number, kind: number, olen: number, out: TcpOptions): void {
  if (kind === TCPOPT_MAXSEG && olen === TCPOLEN_MAXSEG) {
    out.mss = dv.getUint16(off + 2);
  } else if (kind === TCPOPT_WINDOW && olen === TCPOLEN_WINDOW) {
    out.wscale = dv.getUint8(off + 2);
  } else if (kind === TCPOPT_SACK_PERMITTED && olen === TCPOLEN_SACK_PERMITTED) {
    out.sack_permitted = true;
  } else if (kind === TCPOPT_TIMESTAMP && olen === TCPOLEN_TIMESTAMP) {
    out.has_ts = true;
    out.ts_val = dv.getInt32(off + 2);
    out.ts_ecr = dv.getInt32(off + 6);
  } else if (kind === TCPOPT_SACK && olen % 8 === 2 && olen > 2 && olen <= 2 + 8 * TCP_SACK_MAX) {
    out.nsack = (olen - 2) >> 3;
    for (let i = 0; i < 2 * out.nsack; i++) out.sack[i] = dv.getInt32(off + 2 + 4 * i);
  }
}

/** The bytes of options, each aligned with TCPOPT_NOP as is the custom, padded to a multiple of four; null if they take more than 40. */
export function tcp_options_emit(o: TcpOptions): Uint8Array | null {
  const b: number[] = [];
  const put32 = (v: number): void => {
    b.push((v >>> 24) & 255, (v >>> 16) & 255, (v >>> 8) & 255, v & 255);
  };
  if (o.mss >= 0) b.push(TCPOPT_MAXSEG, TCPOLEN_MAXSEG, (o.mss >>> 8) & 255, o.mss & 255);
  if (o.wscale >= 0) b.push(TCPOPT_NOP, TCPOPT_WINDOW, TCPOLEN_WINDOW, o.wscale & 255);
  if (o.sack_permitted && !o.has_ts) b.push(TCPOPT_NOP, TCPOPT_NOP);
  if (o.sack_permitted) b.push(TCPOPT_SACK_PERMITTED, TCPOLEN_SACK_PERMITTED);
  if (o.has_ts) {
    if (!o.sack_permitted) b.push(TCPOPT_NOP, TCPOPT_NOP);
    b.push(TCPOPT_TIMESTAMP, TCPOLEN_TIMESTAMP);
    put32(o.ts_val);
    put32(o.ts_ecr);
  }
  if (o.nsack > 0) {
    b.push(TCPOPT_NOP, TCPOPT_NOP, TCPOPT_SACK, 2 + 8 * o.nsack);
    for (let i = 0; i < 2 * o.nsack; i++) put32(o.sack[i]);
  }
  return b.length > 40 ? null : Uint8Array.from(b);
}
