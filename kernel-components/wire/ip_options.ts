/*
 * IPv4 options (RFC 791 §3.1, RFC 781, RFC 2113). An option is handled by the offset of its first byte; only the iterator has seen that its bytes exist, so
 * the accessors below want offsets that came from it.
 */
import { IP_HDRLEN, ip_hlen } from "./ipv4.ts";

/** End of the list. */
export const IPOPT_EOL = 0;
/** No operation. */
export const IPOPT_NOP = 1;
/** Record route. */
export const IPOPT_RR = 7;
/** Timestamp. */
export const IPOPT_TS = 68;
/** Security (RFC 1108). */
export const IPOPT_SECURITY = 130;
/** Loose source and record route. */
export const IPOPT_LSRR = 131;
/** Stream identifier (obsolete). */
export const IPOPT_SATID = 136;
/** Strict source and record route. */
export const IPOPT_SSRR = 137;
/** Router alert (RFC 2113). */
export const IPOPT_RA = 148;

/** Offset of the type in an option. */
export const IPOPT_OPTVAL = 0;
/** Offset of the length. */
export const IPOPT_OLEN = 1;
/** Offset of the pointer, which counts from 1. */
export const IPOPT_OFFSET = 2;
/** Smallest pointer of a route option: its fourth byte. */
export const IPOPT_MINOFF = 4;
/** Smallest pointer of a timestamp option. */
export const IPOPT_TS_MINOFF = 5;
/** Bytes that options may take. */
export const MAX_IPOPTLEN = 40;

/** ipt_flg: times only. */
export const IPOPT_TS_TSONLY = 0;
/** ipt_flg: addresses and times. */
export const IPOPT_TS_TSANDADDR = 1;
/** ipt_flg: times for the addresses that are given. */
export const IPOPT_TS_PRESPEC = 3;

/** Is the option copied into every fragment? */
export function IPOPT_COPIED(type: number): boolean {
  return (type & 0x80) !== 0;
}
/** Class of an option: 0 control, 2 debugging and measurement. */
export function IPOPT_CLASS(type: number): number {
  return type & 0x60;
}
/** Number of an option without its flag and class. */
export function IPOPT_NUMBER(type: number): number {
  return type & 0x1f;
}

/**
 * Walks the options of a header. Make one, keep it, and start() it for each packet:
 *
 *     it.start(dv, ip);
 *     while (it.next()) if (it.opt_type === IPOPT_RR) ...
 *     if (it.bad) icmp_error(... ICMP_PARAMPROB, pointer it.opt_off + IPOPT_OLEN - ip);
 *
 * IPOPT_EOL ends the walk; IPOPT_NOP is reported as an option of length 1.
 */
export class IpOptIter {
  /** Type of the option at hand. */
  opt_type = 0;
  /** Offset of its first byte in the view. */
  opt_off = 0;
  /** Its length in bytes, type and length included. */
  opt_len = 0;
  /** The walk ended because the option at opt_off has no length byte, or one below 2 or beyond the header. */
  bad = false;
  private dv: DataView | null = null;
  private pos = 0;
  private end = 0;

  /** Begins at the first option of the header at `ip`. Preconditions: ip_hlen bytes lie there. */
  start(dv: DataView, ip: number): void {
    this.start_range(dv, ip + IP_HDRLEN, ip_hlen(dv, ip) - IP_HDRLEN);
  }
  /** Begins at `off` with `len` bytes of options that have no header in front of them. */
  start_range(dv: DataView, off: number, len: number): void {
    this.dv = dv;
    this.pos = off;
    this.end = off + len;
    this.bad = false;
  }
  /** Steps to the next option; false at the end or at a malformed one. */
  // hot
  next(): boolean {
    const dv = this.dv;
    if (dv === null || this.bad || this.pos >= this.end) return false;
    const type = dv.getUint8(this.pos);
    if (type === IPOPT_EOL) return false;
    this.opt_type = type;
    this.opt_off = this.pos;
    if (type === IPOPT_NOP) {
      this.opt_len = 1;
    } else {
      this.opt_len = this.end - this.pos < 2 ? 0 : dv.getUint8(this.pos + IPOPT_OLEN);
      if (this.opt_len < 2 || this.opt_len > this.end - this.pos) {
        this.bad = true;
        return false;
      }
    }
    this.pos += this.opt_len;
    return true;
  }
}

/** Length of the option at `o`. */
export function ipopt_olen(dv: DataView, o: number): number {
  return dv.getUint8(o + IPOPT_OLEN);
}
/** Pointer of the route or timestamp option at `o`. Preconditions: opt_len >= 3. */
export function ipopt_ptr(dv: DataView, o: number): number {
  return dv.getUint8(o + IPOPT_OFFSET);
}
/** Stores the pointer. */
export function ipopt_set_ptr(dv: DataView, o: number, v: number): void {
  dv.setUint8(o + IPOPT_OFFSET, v);
}
/** Do `n` bytes fit between the pointer and the end of the option? Preconditions: ipopt_ptr is at least its minimum. */
export function ipopt_room(dv: DataView, o: number, n: number): boolean {
  return ipopt_ptr(dv, o) - 1 + n <= ipopt_olen(dv, o);
}
/** The 32 bits at the pointer: of a source route, the next hop. Preconditions: ipopt_room for 4. */
export function ipopt_word(dv: DataView, o: number): number {
  return dv.getInt32(o + ipopt_ptr(dv, o) - 1);
}
/** Stores 32 bits at the pointer and moves it behind them. Preconditions: ipopt_room for 4. */
export function ipopt_record(dv: DataView, o: number, v: number): void {
  const ptr = ipopt_ptr(dv, o);
  dv.setInt32(o + ptr - 1, v);
  ipopt_set_ptr(dv, o, ptr + 4);
}
/** Flags of the timestamp option at `o`. Preconditions: opt_len >= 4. */
export function ipt_flg(dv: DataView, o: number): number {
  return dv.getUint8(o + 3) & 15;
}
/** Overflow counter of the timestamp option at `o`. */
export function ipt_oflw(dv: DataView, o: number): number {
  return dv.getUint8(o + 3) >>> 4;
}
/** Stores the overflow counter. */
export function ipt_set_oflw(dv: DataView, o: number, v: number): void {
  dv.setUint8(o + 3, ((v & 15) << 4) | ipt_flg(dv, o));
}
/** Value of the router alert option at `o`; 0 asks every router to look (RFC 2113 §2.1). Preconditions: opt_len is 4. */
export function ipopt_ra_value(dv: DataView, o: number): number {
  return dv.getUint16(o + 2);
}

/** One option as an object, for tests, traces and tools. */
export interface IpOption {
  /** Type. */
  readonly type: number;
  /** All its bytes: type, length, data. */
  readonly bytes: Uint8Array;
}

/** Splits the bytes of options into a list without IPOPT_NOP; null if one is malformed. */
export function ip_options_parse(bytes: Uint8Array): IpOption[] | null {
  const out: IpOption[] = [];
  const it = new IpOptIter();
  it.start_range(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.byteLength);
  while (it.next()) {
    if (it.opt_type !== IPOPT_NOP)
      out.push({ type: it.opt_type, bytes: bytes.slice(it.opt_off, it.opt_off + it.opt_len) });
  }
  return it.bad ? null : out;
}

/** Concatenates options, with IPOPT_EOL up to a multiple of four; null if they take more than MAX_IPOPTLEN. */
export function ip_options_emit(opts: readonly Uint8Array[]): Uint8Array | null {
  const len = opts.reduce((n, o) => n + o.length, 0);
  if (len > MAX_IPOPTLEN) return null;
  const out = new Uint8Array((len + 3) & ~3);
  let at = 0;
  for (const o of opts) {
    out.set(o, at);
    at += o.length;
  }
  return out;
}

/** A record route option with room for `slots` addresses (at most nine fit a header). */
export function mk_ipopt_rr(slots: number): Uint8Array {
  const o = new Uint8Array(3 + 4 * slots);
  o.set([IPOPT_RR, o.length, IPOPT_MINOFF]);
  return o;
}
/** A source route through `hops`: IPOPT_LSRR or IPOPT_SSRR. */
export function mk_ipopt_sr(type: number, hops: readonly number[]): Uint8Array {
  const o = new Uint8Array(3 + 4 * hops.length);
  o.set([type, o.length, IPOPT_MINOFF]);
  put_words(o, 3, 4, hops);
  return o;
}
/** A timestamp option with room for `slots` times; with IPOPT_TS_PRESPEC, `addrs` are the addresses to be stamped. */
export function mk_ipopt_ts(flg: number, slots: number, addrs: readonly number[] = []): Uint8Array {
  const o = new Uint8Array(4 + slots * (flg === IPOPT_TS_TSONLY ? 4 : 8));
  o.set([IPOPT_TS, o.length, IPOPT_TS_MINOFF, flg]);
  put_words(o, 4, 8, addrs);
  return o;
}
/** A router alert option. */
export function mk_ipopt_ra(value = 0): Uint8Array {
  return Uint8Array.of(IPOPT_RA, 4, value >>> 8, value);
}

/** The addresses in a route option, or the words of a timestamp option: those before its pointer if `recorded`, else all. */
export function ipopt_words(opt: IpOption, recorded: boolean): number[] {
  const b = opt.bytes;
  const from = opt.type === IPOPT_TS ? 4 : 3;
  const end = Math.min(b.length, recorded ? (b[IPOPT_OFFSET] ?? 0) - 1 : b.length);
  const out: number[] = [];
  for (let i = from; i + 4 <= end; i += 4) out.push((b[i] << 24) | (b[i + 1] << 16) | (b[i + 2] << 8) | b[i + 3]);
  return out;
}

function put_words(o: Uint8Array, from: number, step: number, words: readonly number[]): void {
  const dv = new DataView(o.buffer);
  words.forEach((w, i) => {
    if (from + step * i + 4 <= o.length) dv.setInt32(from + step * i, w);
  });
}
