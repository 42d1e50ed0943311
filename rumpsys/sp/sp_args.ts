/**
 * Arguments and results of a system call as the payload of a frame.
 *
 *   request    one after the other: tag u32, len u32, then
 *              INT  (len 8)   i64
 *              NULL (len 0)   nothing: a null pointer
 *              IN   (len n)   n bytes that the call reads, padded to 8
 *              OUT  (len n)   nothing: the call may write up to n bytes
 *              INOUT(len n)   n bytes that the call reads and writes, padded to 8
 *   response   error i32, spare u32, the two results i64, then for every OUT and INOUT of the request in order, unless the call failed:
 *              len u32, spare u32, the bytes, padded to 8
 */
import { SP_HDRSIZE, SP_MAXFRAME } from "./sp_proto.ts";

/** Tag: a number. */
export const SP_ARG_INT = 1;
/** Tag: a null pointer. */
export const SP_ARG_NULL = 2;
/** Tag: bytes in. */
export const SP_ARG_IN = 3;
/** Tag: room for bytes out. */
export const SP_ARG_OUT = 4;
/** Tag: bytes in and out. */
export const SP_ARG_INOUT = 5;

/** Bytes of a response before what is copied out. */
export const SP_RESULTLEN = 24;
/** Most arguments of a call. */
export const SP_MAXARGS = 8;
const TAGLEN = 8;
const EMPTY = new Uint8Array(0);

/** One argument. */
export class SpArg {
  /** SP_ARG_*. */
  tag: number;
  /** Its number. */
  int: number;
  /** Its bytes; empty for a number and a null pointer. */
  buf: Uint8Array;
  /** How many bytes of buf go back to the caller. */
  len = 0;

  constructor(tag: number, int: number, buf: Uint8Array) {
    this.tag = tag;
    this.int = int;
    this.buf = buf;
  }

  /** Whether it is a null pointer. */
  get null(): boolean {
    return this.tag === SP_ARG_NULL;
  }
}

/** A number. */
export function sp_int(v: number): SpArg {
  return new SpArg(SP_ARG_INT, v, EMPTY);
}
/** Bytes that the call reads, or null. */
export function sp_in(buf: Uint8Array | null): SpArg {
  return buf === null ? new SpArg(SP_ARG_NULL, 0, EMPTY) : new SpArg(SP_ARG_IN, 0, buf);
}
/** A buffer that the call fills, or null. */
export function sp_out(buf: Uint8Array | null): SpArg {
  return buf === null ? new SpArg(SP_ARG_NULL, 0, EMPTY) : new SpArg(SP_ARG_OUT, 0, buf);
}
/** A buffer that the call reads and fills. */
export function sp_inout(buf: Uint8Array): SpArg {
  return new SpArg(SP_ARG_INOUT, 0, buf);
}

/** Bytes padded to 8. */
function pad8(n: number): number {
  return (n + 7) & ~7;
}

function put_i64(dv: DataView, off: number, v: number): void {
  const hi = Math.floor(v / 2 ** 32);
  dv.setUint32(off, v - hi * 2 ** 32, true);
  dv.setInt32(off + 4, hi, true);
}

/** An i64 as a number; not exact beyond 2^53. */
function get_i64(dv: DataView, off: number): number {
  return dv.getInt32(off + 4, true) * 2 ** 32 + dv.getUint32(off, true);
}

function carries(tag: number): boolean {
  return tag === SP_ARG_IN || tag === SP_ARG_INOUT;
}
function comes_back(tag: number): boolean {
  return tag === SP_ARG_OUT || tag === SP_ARG_INOUT;
}

/** A frame with a call's arguments, its header still to be written. Null: longer than SP_MAXFRAME, or its answer would be. */
export function sp_args_encode(args: readonly SpArg[]): Uint8Array | null {
  let len = SP_HDRSIZE;
  let back = SP_HDRSIZE + SP_RESULTLEN;
  for (const a of args) {
    len += TAGLEN + (a.tag === SP_ARG_INT ? 8 : carries(a.tag) ? pad8(a.buf.length) : 0);
    if (comes_back(a.tag)) back += TAGLEN + pad8(a.buf.length);
  }
  if (len > SP_MAXFRAME || back > SP_MAXFRAME) return null;
  const out = new Uint8Array(len);
  const dv = new DataView(out.buffer);
  let at = SP_HDRSIZE;
  for (const a of args) {
    dv.setUint32(at, a.tag, true);
    dv.setUint32(at + 4, a.tag === SP_ARG_INT ? 8 : a.buf.length, true);
    at += TAGLEN;
    if (a.tag === SP_ARG_INT) {
      put_i64(dv, at, a.int);
      at += 8;
    } else if (carries(a.tag)) {
      out.set(a.buf, at);
      at += pad8(a.buf.length);
    }
  }
  return out;
}

/**
 * The arguments of a request. `spec` has a letter for each: i number, b bytes in, B the same or null, o room, O the same or null, x bytes in
 * and out. Null: the payload is not that. Buffers are views of the payload, but those that come back are memory of their own.
 */
export function sp_args_decode(payload: Uint8Array, spec: string): SpArg[] | null {
  const dv = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const args: SpArg[] = [];
  let at = 0;
  let back = SP_HDRSIZE + SP_RESULTLEN;
  for (const want of spec) {
    if (at + TAGLEN > payload.length) return null;
    const tag = dv.getUint32(at, true);
    const len = dv.getUint32(at + 4, true);
    at += TAGLEN;
    if (!fits(want, tag) || len > SP_MAXFRAME) return null;
    const body = tag === SP_ARG_INT ? 8 : carries(tag) ? pad8(len) : 0;
    if (at + body > payload.length || (tag === SP_ARG_INT && len !== 8) || (tag === SP_ARG_NULL && len !== 0))
      return null;
    if (comes_back(tag)) back += TAGLEN + pad8(len);
    if (back > SP_MAXFRAME) return null;
    args.push(arg_at(payload, dv, at, tag, len));
    at += body;
  }
  return at === payload.length ? args : null;
}

function fits(want: string, tag: number): boolean {
  switch (want) {
    case "i":
      return tag === SP_ARG_INT;
    case "b":
      return tag === SP_ARG_IN;
    case "B":
      return tag === SP_ARG_IN || tag === SP_ARG_NULL;
    case "o":
      return tag === SP_ARG_OUT;
    case "O":
      return tag === SP_ARG_OUT || tag === SP_ARG_NULL;
    default:
      return tag === SP_ARG_INOUT;
  }
}

function arg_at(payload: Uint8Array, dv: DataView, at: number, tag: number, len: number): SpArg {
  if (tag === SP_ARG_INT) return new SpArg(tag, get_i64(dv, at), EMPTY);
  if (tag === SP_ARG_IN) return new SpArg(tag, 0, payload.subarray(at, at + len));
  const buf = new Uint8Array(tag === SP_ARG_NULL ? 0 : len);
  if (tag === SP_ARG_INOUT) buf.set(payload.subarray(at, at + len));
  return new SpArg(tag, 0, buf);
}

/** The frame of a response, its header still to be written. */
export function sp_result_encode(error: number, val: number, val1: number, args: readonly SpArg[]): Uint8Array {
  let len = SP_HDRSIZE + SP_RESULTLEN;
  if (error === 0) for (const a of args) if (comes_back(a.tag)) len += TAGLEN + pad8(a.len);
  const out = new Uint8Array(len);
  const dv = new DataView(out.buffer);
  let at = SP_HDRSIZE;
  dv.setInt32(at, error, true);
  put_i64(dv, at + 8, val);
  put_i64(dv, at + 16, val1);
  at += SP_RESULTLEN;
  if (error !== 0) return out;
  for (const a of args) {
    if (!comes_back(a.tag)) continue;
    dv.setUint32(at, a.len, true);
    out.set(a.buf.subarray(0, a.len), at + TAGLEN);
    at += TAGLEN + pad8(a.len);
  }
  return out;
}

/** What a call gave. */
export interface SpResult {
  /** 0 or an errno. */
  readonly error: number;
  /** The result. */
  readonly val: number;
  /** The second result. */
  readonly val1: number;
}

/** Takes a response apart: what comes back is copied into the buffers of `args` and their len is set. Null: malformed. */
export function sp_result_decode(payload: Uint8Array, args: readonly SpArg[]): SpResult | null {
  if (payload.length < SP_RESULTLEN) return null;
  const dv = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const result = { error: dv.getInt32(0, true), val: get_i64(dv, 8), val1: get_i64(dv, 16) };
  if (result.error !== 0) return result;
  let at = SP_RESULTLEN;
  for (const a of args) {
    if (!comes_back(a.tag)) continue;
    if (at + TAGLEN > payload.length) return null;
    const len = dv.getUint32(at, true);
    at += TAGLEN;
    if (len > a.buf.length || at + pad8(len) > payload.length) return null;
    a.buf.set(payload.subarray(at, at + len));
    a.len = len;
    at += pad8(len);
  }
  return at === payload.length ? result : null;
}
