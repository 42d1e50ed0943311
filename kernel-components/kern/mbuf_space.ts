// Questions about one mbuf or chain: its space, whether it may be written, its length, and where a position lies.
import { M_EXT, M_RDONLY, MSIZE } from "./mbuf.ts";
import type { Mbuf } from "./mbuf.ts";

/** Bytes below which a loop beats TypedArray.copyWithin. */
const COPY_LOOP = 24;

/** Whether the storage may not be written: shared with another mbuf, or read only. hot */
export function M_UNWRITABLE(m: Mbuf): boolean {
  return (m.m_flags & M_EXT) !== 0 && ((m.m_flags & M_RDONLY) !== 0 || m.m_pool.mem.ext_refs[m.m_ext_ref] > 1);
}

/** Slab offset of the start of the buffer. hot */
export function M_BUFADDR(m: Mbuf): number {
  return (m.m_flags & M_EXT) !== 0 ? m.m_ext_off : m.m_dat;
}

/** Bytes of the buffer. hot */
export function M_BUFSIZE(m: Mbuf): number {
  return (m.m_flags & M_EXT) !== 0 ? m.m_ext_size : MSIZE;
}

/** Bytes that may be written before the data; 0 if the storage may not be written. hot */
export function M_LEADINGSPACE(m: Mbuf): number {
  const flags = m.m_flags;
  if ((flags & M_EXT) === 0) return m.m_off - m.m_dat;
  if ((flags & M_RDONLY) !== 0 || m.m_pool.mem.ext_refs[m.m_ext_ref] > 1) return 0;
  return m.m_off - m.m_ext_off;
}

/** Bytes that may be written after the data; 0 if the storage may not be written. hot */
export function M_TRAILINGSPACE(m: Mbuf): number {
  if (M_UNWRITABLE(m)) return 0;
  return M_BUFADDR(m) + M_BUFSIZE(m) - (m.m_off + m.m_len);
}

/** Place the data of an empty mbuf so that `len` bytes end where the buffer does, on a boundary of 8. */
export function m_align(m: Mbuf, len: number): void {
  const gap = M_BUFSIZE(m) - len;
  m.m_off = M_BUFADDR(m) + (gap > 0 ? gap & ~7 : 0);
}

/** Bytes of data in the chain, counted. */
export function m_length(m: Mbuf | null): number {
  let len = 0;
  for (let n = m; n !== null; n = n.m_next) len += n.m_len;
  return len;
}

/** The last mbuf of the chain. */
export function m_last(m: Mbuf): Mbuf {
  let n = m;
  while (n.m_next !== null) n = n.m_next;
  return n;
}

/** A place in a chain, filled in by m_getptr. */
export class MbufPtr {
  /** The mbuf. */
  m: Mbuf | null = null;
  /** Offset from its first byte of data. */
  off = 0;
}

/** Find byte `loc` of the chain; the position just behind the last byte is found too. False: the chain is shorter. */
export function m_getptr(m: Mbuf, loc: number, out: MbufPtr): boolean {
  let left = loc;
  for (let n: Mbuf | null = m; n !== null && left >= 0; n = n.m_next) {
    if (left < n.m_len || (left === n.m_len && n.m_next === null)) {
      out.m = n;
      out.off = left;
      return true;
    }
    left -= n.m_len;
  }
  out.m = null;
  out.off = 0;
  return false;
}

/**
 * Call `f(slab_offset, bytes)` for each contiguous piece of `len` bytes from `off`, until it gives an errno, which is the result.
 * A chain that is too short is a panic.
 */
export function m_apply(m: Mbuf, off: number, len: number, f: (at: number, n: number) => number): number {
  let skip = off;
  let left = len;
  for (let n: Mbuf | null = m; left > 0; n = n.m_next) {
    if (n === null) return m.m_pool.mb_panic(`m_apply: ${left} bytes beyond the end`);
    if (skip >= n.m_len) {
      skip -= n.m_len;
      continue;
    }
    const c = n.m_len - skip < left ? n.m_len - skip : left;
    const error = f(n.m_off + skip, c);
    if (error !== 0) return error;
    left -= c;
    skip = 0;
  }
  return 0;
}

/** Copy within the slab; the ranges may overlap. hot */
export function slab_copy(u8: Uint8Array, dst: number, src: number, n: number): void {
  if (n >= COPY_LOOP) u8.copyWithin(dst, src, src + n);
  else if (dst <= src) for (let i = 0; i < n; i++) u8[dst + i] = u8[src + i];
  else for (let i = n - 1; i >= 0; i--) u8[dst + i] = u8[src + i];
}
