// Copies: sharing (m_copym), deep (m_dup), in and out of a packet, and making a packet writable or contiguous.
import { ENOBUFS } from "../../hypercall/api/errno.ts";
import { M_COPYALL, M_EXT, M_PKTHDR, MBS_COPIES, MCLBYTES, MHLEN, MJUMBYTES, MT_DATA } from "./mbuf.ts";
import type { Mbuf, MbufPools } from "./mbuf.ts";
import { m_clget, m_ext_release, m_ext_share, m_freem, m_get, m_jclget } from "./mbuf_alloc.ts";
import { M_TRAILINGSPACE, M_UNWRITABLE, m_length, slab_copy } from "./mbuf_space.ts";
import { m_getm, MAX_LINKHDR } from "./mbuf_ops.ts";
import { m_copy_pkthdr, m_move_pkthdr } from "./mbuf_pkthdr.ts";

/** Bytes below which a loop beats making a view. */
const VIEW_LOOP = 48;

/**
 * A copy of `len` bytes (or M_COPYALL) from `off` that shares external storage, so neither may be written (M_UNWRITABLE). From offset 0
 * the packet header is copied too. Null: no memory. Bytes beyond the end are a panic.
 */
export function m_copym(m: Mbuf, off: number, len: number): Mbuf | null {
  const mb: MbufPools = m.m_pool;
  let at: Mbuf | null = m;
  let skip = off;
  while (at !== null && skip > 0 && skip >= at.m_len) {
    skip -= at.m_len;
    at = at.m_next;
  }
  let head: Mbuf | null = null;
  let tail: Mbuf | null = null;
  let left = len;
  while (left > 0) {
    if (at === null) {
      if (len === M_COPYALL) break;
      mb.mb_panic(`m_copym: ${left} bytes beyond the end`);
    }
    const n = m_get(mb, at.m_type);
    if (n === null) {
      m_freem(head);
      return null;
    }
    const c = at.m_len - skip < left ? at.m_len - skip : left;
    if ((at.m_flags & M_EXT) !== 0) {
      m_ext_share(n, at);
      n.m_off = at.m_off + skip;
    } else {
      n.m_off = n.m_dat + (at.m_off + skip - at.m_dat);
      slab_copy(mb.u8, n.m_off, at.m_off + skip, c);
    }
    n.m_len = c;
    if (tail === null) head = n;
    else tail.m_next = n;
    tail = n;
    left -= c;
    skip = 0;
    at = at.m_next;
  }
  if (head !== null && off === 0 && (m.m_flags & M_PKTHDR) !== 0) {
    m_copy_pkthdr(head, m);
    head.m_pkthdr_len = len === M_COPYALL ? m.m_pkthdr_len : len;
  }
  return head;
}

/** As m_copym, with storage of its own in as few mbufs as possible. */
export function m_dup(m: Mbuf, off: number, len: number): Mbuf | null {
  const total = len === M_COPYALL ? m_length(m) - off : len;
  const pkthdr = off === 0 && (m.m_flags & M_PKTHDR) !== 0;
  const lead = pkthdr ? MAX_LINKHDR : 0;
  const head = m_getm(m.m_pool, total + lead, m.m_type, pkthdr);
  if (head === null) return null;
  m.m_pool.mbstat[MBS_COPIES]++;
  if (pkthdr) {
    m_copy_pkthdr(head, m);
    head.m_pkthdr_len = total;
  }
  head.m_off += lead;
  fill_from(head, m, off, total);
  return head;
}

/**
 * The packet in one mbuf, or in as few as hold it. Null: no memory, or not a packet; the packet is as it was and still the caller's.
 * Otherwise the result is the packet.
 */
export function m_defrag(m: Mbuf): Mbuf | null {
  if ((m.m_flags & M_PKTHDR) === 0) return null;
  if (m.m_next === null) return m;
  const total = m_length(m);
  const head = m_getm(m.m_pool, total + MAX_LINKHDR, m.m_type, true);
  if (head === null) return null;
  m.m_pool.mbstat[MBS_COPIES]++;
  head.m_off += MAX_LINKHDR;
  fill_from(head, m, 0, total);
  m_move_pkthdr(head, m);
  head.m_nextpkt = m.m_nextpkt;
  m_freem(m);
  return head;
}

/** Fill an empty chain with room from bytes of another. */
function fill_from(head: Mbuf, m: Mbuf, off: number, len: number): void {
  let left = len;
  let at = off;
  for (let n: Mbuf | null = head; n !== null && left > 0; n = n.m_next) {
    const room = M_TRAILINGSPACE(n);
    const c = room < left ? room : left;
    m_copydata_slab(m, at, c, n.m_off);
    n.m_len = c;
    at += c;
    left -= c;
  }
}

/** Copy `len` bytes from `off` into `dst`. Bytes beyond the end are a panic. hot */
export function m_copydata(m: Mbuf, off: number, len: number, dst: Uint8Array, dstoff: number): void {
  const u8 = m.m_pool.u8;
  let skip = off;
  let left = len;
  let to = dstoff;
  for (let n: Mbuf | null = m; left > 0; n = n.m_next) {
    if (n === null) {
      m.m_pool.mb_panic(`m_copydata: ${left} bytes beyond the end`);
    }
    if (skip >= n.m_len) {
      skip -= n.m_len;
      continue;
    }
    const c = n.m_len - skip < left ? n.m_len - skip : left;
    const from = n.m_off + skip;
    if (c < VIEW_LOOP) for (let i = 0; i < c; i++) dst[to + i] = u8[from + i];
    else dst.set(u8.subarray(from, from + c), to);
    to += c;
    left -= c;
    skip = 0;
  }
}

/** Copy `len` bytes from `off` to slab offset `dst`. Bytes beyond the end are a panic. hot */
export function m_copydata_slab(m: Mbuf, off: number, len: number, dst: number): void {
  const u8 = m.m_pool.u8;
  let skip = off;
  let left = len;
  let to = dst;
  for (let n: Mbuf | null = m; left > 0; n = n.m_next) {
    if (n === null) {
      m.m_pool.mb_panic(`m_copydata: ${left} bytes beyond the end`);
    }
    if (skip >= n.m_len) {
      skip -= n.m_len;
      continue;
    }
    const c = n.m_len - skip < left ? n.m_len - skip : left;
    slab_copy(u8, to, n.m_off + skip, c);
    to += c;
    left -= c;
    skip = 0;
  }
}

/**
 * Copy `len` bytes of `src` from `srcoff` into the packet at `off`; the packet grows as needed, with zeroes between its end and `off`.
 * Storage that is shared is replaced. 0, or ENOBUFS with the packet's bytes as they were.
 */
export function m_copyback(m: Mbuf, off: number, len: number, src: Uint8Array, srcoff: number): number {
  const error = make_room(m, off, len);
  if (error !== 0) return error;
  let skip = off;
  let left = len;
  let from = srcoff;
  const u8 = m.m_pool.u8;
  for (let n: Mbuf | null = m; n !== null && left > 0; n = n.m_next) {
    if (skip >= n.m_len) {
      skip -= n.m_len;
      continue;
    }
    const c = n.m_len - skip < left ? n.m_len - skip : left;
    const to = n.m_off + skip;
    if (c < VIEW_LOOP) for (let i = 0; i < c; i++) u8[to + i] = src[from + i];
    else u8.set(src.subarray(from, from + c), to);
    from += c;
    left -= c;
    skip = 0;
  }
  return 0;
}

/** As m_copyback from slab offset `src`, which must not be in the packet. */
export function m_copyback_slab(m: Mbuf, off: number, len: number, src: number): number {
  const error = make_room(m, off, len);
  if (error !== 0) return error;
  let skip = off;
  let left = len;
  let from = src;
  for (let n: Mbuf | null = m; n !== null && left > 0; n = n.m_next) {
    if (skip >= n.m_len) {
      skip -= n.m_len;
      continue;
    }
    const c = n.m_len - skip < left ? n.m_len - skip : left;
    slab_copy(m.m_pool.u8, n.m_off + skip, from, c);
    from += c;
    left -= c;
    skip = 0;
  }
  return 0;
}

/** Put `len` bytes of `src` behind the packet. 0, or ENOBUFS with the packet as it was. */
export function m_append(m: Mbuf, len: number, src: Uint8Array): number {
  return m_copyback(m, m_length(m), len, src, 0);
}

/**
 * Make `len` bytes (or M_COPYALL) from `off` writable; storage that is shared or read only is replaced by copies. The result is `m`, or null
 * when there is no memory: the packet is intact and still the caller's.
 */
export function m_makewritable(m: Mbuf, off: number, len: number): Mbuf | null {
  let skip = off;
  let left = len;
  for (let n: Mbuf | null = m; n !== null && left > 0; n = n.m_next) {
    if (skip >= n.m_len) {
      skip -= n.m_len;
      continue;
    }
    if (M_UNWRITABLE(n) && !m_unshare(n)) return null;
    left -= n.m_len - skip;
    skip = 0;
  }
  return m;
}

/** Give one mbuf storage of its own with the same data. False: no memory. */
export function m_unshare(m: Mbuf): boolean {
  const mb = m.m_pool;
  const len = m.m_len;
  if (len > MJUMBYTES) return false;
  const t = m_get(mb, MT_DATA);
  if (t === null) return false;
  const big = len > MHLEN;
  if (big && !(len > MCLBYTES ? m_jclget(t) : m_clget(t))) {
    m_freem(t);
    return false;
  }
  mb.mbstat[MBS_COPIES]++;
  const room = M_TRAILINGSPACE(t) - len;
  const lead = room < MAX_LINKHDR ? room & ~7 : MAX_LINKHDR;
  const from = m.m_off;
  if (big) {
    slab_copy(mb.u8, t.m_off + lead, from, len);
    m_ext_release(m);
    m_ext_share(m, t);
    m.m_off = t.m_off + lead;
  } else {
    slab_copy(mb.u8, m.m_dat + lead, from, len);
    m_ext_release(m);
    m.m_off = m.m_dat + lead;
  }
  m.m_len = len;
  m_freem(t);
  return true;
}

/** Let the packet reach `off + len`, and be writable from `off`. On failure nothing changes but who shares what. */
function make_room(m: Mbuf, off: number, len: number): number {
  const total = m_length(m);
  const end = off + len;
  if (off < total && m_makewritable(m, off, len) === null) return ENOBUFS;
  if (end <= total) return 0;
  let tail = m;
  for (let n = m.m_next; n !== null; n = n.m_next) if (n.m_len > 0) tail = n;
  let room = 0;
  let last = tail;
  for (let n: Mbuf | null = tail; n !== null; n = n.m_next) {
    room += M_TRAILINGSPACE(n);
    last = n;
  }
  if (end - total > room) {
    const more = m_getm(m.m_pool, end - total - room, m.m_type, false);
    if (more === null) return ENOBUFS;
    last.m_next = more;
  }
  lengthen(tail, end - total, off > total ? off - total : 0);
  if ((m.m_flags & M_PKTHDR) !== 0) m.m_pkthdr_len = end;
  return 0;
}

/** Let the data of a chain, of which only the first mbuf has any, grow by `len` bytes, the first `gap` of them zero. */
function lengthen(tail: Mbuf, len: number, gap: number): void {
  const u8 = tail.m_pool.u8;
  let need = len;
  let zero = gap;
  for (let n: Mbuf | null = tail; n !== null && need > 0; n = n.m_next) {
    const space = M_TRAILINGSPACE(n);
    const c = space < need ? space : need;
    const z = c < zero ? c : zero;
    const at = n.m_off + n.m_len;
    if (z > 0) u8.fill(0, at, at + z);
    n.m_len += c;
    zero -= z;
    need -= c;
  }
}
