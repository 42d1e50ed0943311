// Changing the shape of a packet: headers in front, bytes off either end, joining, splitting, making bytes contiguous.
import { M_EXT, M_PKTHDR, MBS_PULLUP_FAIL, MBS_PULLUPS, MCLBYTES, MHLEN, MJUMBYTES } from "./mbuf.ts";
import type { Mbuf, MbufPools } from "./mbuf.ts";
import { m_ext_share, m_free, m_freem, m_get, m_getcl, m_gethdr, m_getjcl } from "./mbuf_alloc.ts";
import { m_move_pkthdr, m_remove_pkthdr } from "./mbuf_pkthdr.ts";
import { M_TRAILINGSPACE, m_align, m_last, M_LEADINGSPACE, slab_copy } from "./mbuf_space.ts";

/** Room that a new first mbuf leaves for a link-layer header, when it can. */
export const MAX_LINKHDR = 32;

/** An mbuf whose buffer holds `len` bytes at least: inline, cluster or jumbo cluster. Null: exhausted, or len above MJUMBYTES. */
export function m_getsize(mb: MbufPools, len: number, type: number, pkthdr: boolean): Mbuf | null {
  if (len <= MHLEN) return pkthdr ? m_gethdr(mb, type) : m_get(mb, type);
  if (len <= MCLBYTES) return m_getcl(mb, type, pkthdr);
  return len <= MJUMBYTES ? m_getjcl(mb, type, pkthdr) : null;
}

/** Put `len` bytes in front of the packet, uninitialised and contiguous. Null: no memory, and the packet is freed. hot */
export function m_prepend(m: Mbuf, len: number): Mbuf | null {
  if (M_LEADINGSPACE(m) >= len) {
    m.m_off -= len;
    m.m_len += len;
    if ((m.m_flags & M_PKTHDR) !== 0) m.m_pkthdr_len += len;
    return m;
  }
  const n = m_getsize(m.m_pool, len, m.m_type, false);
  if (n === null) {
    m_freem(m);
    return null;
  }
  if ((m.m_flags & M_PKTHDR) !== 0) {
    m_move_pkthdr(n, m);
    n.m_pkthdr_len += len;
  }
  m_align(n, len);
  n.m_len = len;
  n.m_next = m;
  n.m_nextpkt = m.m_nextpkt;
  m.m_nextpkt = null;
  return n;
}

/**
 * Make the first `len` bytes contiguous in the first mbuf. Null: the packet is shorter, or no memory; it is freed then. The bytes may lie in
 * shared storage: M_UNWRITABLE says so. hot
 */
export function m_pullup(m: Mbuf, len: number): Mbuf | null {
  return m.m_len >= len ? m : pullup_slow(m, len);
}

function pullup_slow(m: Mbuf, len: number): Mbuf | null {
  const mb = m.m_pool;
  mb.mbstat[MBS_PULLUPS]++;
  if (M_TRAILINGSPACE(m) >= len - m.m_len) {
    m.m_next = gather(m, m.m_next, len - m.m_len);
    if (m.m_len >= len) return m;
    mb.mbstat[MBS_PULLUP_FAIL]++;
    m_freem(m);
    return null;
  }
  const n = m_getsize(mb, len, m.m_type, false);
  if (n === null) {
    m_freem(m);
    return null;
  }
  const room = M_TRAILINGSPACE(n) - len;
  n.m_off += room < MAX_LINKHDR ? room & ~7 : MAX_LINKHDR;
  return pulled_up(n, m, len);
}

/**
 * Copy the first `len` bytes into a new first mbuf, `dstoff` bytes behind its start, so that they may be written and headers put in front.
 * Null: the packet is shorter, or no memory; it is freed then.
 */
export function m_copyup(m: Mbuf, len: number, dstoff: number): Mbuf | null {
  m.m_pool.mbstat[MBS_PULLUPS]++;
  const n = m_getsize(m.m_pool, len + dstoff, m.m_type, false);
  if (n === null) {
    m_freem(m);
    return null;
  }
  n.m_off += dstoff;
  return pulled_up(n, m, len);
}

function pulled_up(n: Mbuf, m: Mbuf, len: number): Mbuf | null {
  n.m_nextpkt = m.m_nextpkt;
  m.m_nextpkt = null;
  if ((m.m_flags & M_PKTHDR) !== 0) m_move_pkthdr(n, m);
  n.m_next = gather(n, m, len);
  if (n.m_len >= len) return n;
  n.m_pool.mbstat[MBS_PULLUP_FAIL]++;
  m_freem(n);
  return null;
}

/** Append the first `len` bytes of `from` to the data of `n`, which has room; what is left of `from`, emptied mbufs freed. */
function gather(n: Mbuf, from: Mbuf | null, len: number): Mbuf | null {
  const u8 = n.m_pool.u8;
  let left = len;
  let m = from;
  while (left > 0 && m !== null) {
    const c = m.m_len < left ? m.m_len : left;
    slab_copy(u8, n.m_off + n.m_len, m.m_off, c);
    n.m_len += c;
    m.m_off += c;
    m.m_len -= c;
    left -= c;
    if (m.m_len === 0) m = m_free(m);
  }
  return m;
}

/** Take `req` bytes off the front, or -`req` bytes off the end. Taking more than there is leaves an empty packet. hot */
export function m_adj(m: Mbuf, req: number): void {
  if (req >= 0) adj_head(m, req);
  else adj_tail(m, -req);
}

function adj_head(m: Mbuf, req: number): void {
  let left = req;
  for (let n: Mbuf | null = m; n !== null && left > 0; n = n.m_next) {
    const c = n.m_len < left ? n.m_len : left;
    n.m_off += c;
    n.m_len -= c;
    left -= c;
  }
  if ((m.m_flags & M_PKTHDR) !== 0) m.m_pkthdr_len -= req - left;
}

function adj_tail(m: Mbuf, req: number): void {
  let total = 0;
  for (let n: Mbuf | null = m; n !== null; n = n.m_next) total += n.m_len;
  let keep = total > req ? total - req : 0;
  if ((m.m_flags & M_PKTHDR) !== 0) m.m_pkthdr_len = keep;
  for (let n: Mbuf | null = m; n !== null; n = n.m_next) {
    if (n.m_len < keep) {
      keep -= n.m_len;
      continue;
    }
    n.m_len = keep;
    m_freem(n.m_next);
    n.m_next = null;
  }
}

/**
 * Put chain `n` behind chain `m`; small inline data are copied into the room at the end of `m`. A packet header of `n` is dropped,
 * and the length in the one of `m` is the caller's business, as in NetBSD.
 */
export function m_cat(m: Mbuf, n: Mbuf): void {
  if ((n.m_flags & M_PKTHDR) !== 0) m_remove_pkthdr(n);
  const last = m_last(m);
  let rest: Mbuf | null = n;
  while (rest !== null && (rest.m_flags & M_EXT) === 0 && M_TRAILINGSPACE(last) >= rest.m_len) {
    slab_copy(m.m_pool.u8, last.m_off + last.m_len, rest.m_off, rest.m_len);
    last.m_len += rest.m_len;
    rest = m_free(rest);
  }
  last.m_next = rest;
}

/**
 * Cut the chain behind `len` bytes; the result is the rest, with a packet header of its own if `m` has one. External storage is shared,
 * not copied. Null: nothing lies behind `len`, or no memory; `m` is as it was.
 */
export function m_split(m: Mbuf, len: number): Mbuf | null {
  let at: Mbuf | null = m;
  let off = len;
  while (at !== null && off > at.m_len) {
    off -= at.m_len;
    at = at.m_next;
  }
  if (at === null || (off === at.m_len && at.m_next === null)) return null;
  const remain = at.m_len - off;
  const pkthdr = (m.m_flags & M_PKTHDR) !== 0;
  let n: Mbuf;
  if (remain === 0 && !pkthdr) {
    n = at.m_next as Mbuf;
  } else {
    const fresh = pkthdr ? m_gethdr(m.m_pool, m.m_type) : m_get(m.m_pool, m.m_type);
    if (fresh === null) return null;
    if (remain > 0) split_data(fresh, at, off, remain);
    fresh.m_next = at.m_next;
    n = fresh;
  }
  at.m_len = off;
  at.m_next = null;
  if (pkthdr) {
    n.m_rcvif = m.m_rcvif;
    n.m_pkthdr_len = m.m_pkthdr_len - len;
    m.m_pkthdr_len = len;
  }
  return n;
}

function split_data(n: Mbuf, at: Mbuf, off: number, remain: number): void {
  if ((at.m_flags & M_EXT) !== 0) {
    m_ext_share(n, at);
    n.m_off = at.m_off + off;
  } else {
    m_align(n, remain);
    slab_copy(n.m_pool.u8, n.m_off, at.m_off + off, remain);
  }
  n.m_len = remain;
}

/** A chain of mbufs with room for `len` bytes and no data; `pkthdr`: its first has a header. Null: exhausted, nothing is held. */
export function m_getm(mb: MbufPools, len: number, type: number, pkthdr: boolean): Mbuf | null {
  let head: Mbuf | null = null;
  let tail: Mbuf | null = null;
  let left = len;
  do {
    const want = left > MJUMBYTES ? MJUMBYTES : left;
    let n = m_getsize(mb, want, type, pkthdr && head === null);
    if (n === null && want > MCLBYTES) n = m_getcl(mb, type, pkthdr && head === null);
    if (n === null) {
      m_freem(head);
      return null;
    }
    if (tail === null) head = n;
    else tail.m_next = n;
    tail = n;
    left -= M_TRAILINGSPACE(n);
  } while (left > 0);
  return head;
}
