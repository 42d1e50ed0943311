// Taking mbufs and clusters from the pools and giving them back (m_get, m_free and friends).
import {
  M_EXT,
  M_PKTHDR,
  M_RDONLY,
  Mbuf,
  MBS_CL_FAIL,
  MBS_CL_GETS,
  MBS_CL_PUTS,
  MBS_DRAIN,
  MBS_EXT_GETS,
  MBS_EXT_PUTS,
  MBS_GETS,
  MBS_JCL_FAIL,
  MBS_JCL_GETS,
  MBS_JCL_PUTS,
  MBS_MBUF_FAIL,
  MBS_PUTS,
  MCLBYTES,
  MJUMBYTES,
  MT_FREE,
} from "./mbuf.ts";
import type { MbufPools, Mowner } from "./mbuf.ts";
import { EXT_CLUSTER, EXT_JUMBO } from "./mbuf_memory.ts";

/** An mbuf of MLEN bytes, empty; null when the pool is exhausted. hot */
export function m_get(mb: MbufPools, type: number): Mbuf | null {
  let m = mb.m_free_list;
  if (m !== null) {
    mb.m_free_list = m.m_next;
    m.m_next = null;
  } else {
    m = m_carve(mb);
    if (m === null) return null;
  }
  m.m_type = type;
  m.m_flags = 0;
  m.m_off = m.m_dat;
  m.m_len = 0;
  mb.mbstat[MBS_GETS + type]++;
  m.m_owner.mo_claims++;
  return m;
}

/** As m_get, with a packet header: the first mbuf of a packet. hot */
export function m_gethdr(mb: MbufPools, type: number): Mbuf | null {
  const m = m_get(mb, type);
  if (m === null) return null;
  m_pkthdr_init(m);
  return m;
}

/** An mbuf with a 2 KB cluster, with packet header if `pkthdr`; null when either pool is exhausted. hot */
export function m_getcl(mb: MbufPools, type: number, pkthdr: boolean): Mbuf | null {
  const m = mb.m_pkt_list;
  if (m === null) return getcl_slow(mb, type, pkthdr);
  mb.m_pkt_list = m.m_next;
  m.m_next = null;
  m.m_type = type;
  m.m_flags = M_EXT;
  m.m_off = m.m_ext_off;
  m.m_len = 0;
  const stat = mb.mbstat;
  stat[MBS_GETS + type]++;
  stat[MBS_CL_GETS]++;
  m.m_owner.mo_claims++;
  if (pkthdr) m_pkthdr_init(m);
  return m;
}

function getcl_slow(mb: MbufPools, type: number, pkthdr: boolean): Mbuf | null {
  const m = pkthdr ? m_gethdr(mb, type) : m_get(mb, type);
  if (m === null) return null;
  if (m_clget(m)) return m;
  m_free(m);
  return null;
}

/** As m_getcl with a jumbo cluster of MJUMBYTES. hot */
export function m_getjcl(mb: MbufPools, type: number, pkthdr: boolean): Mbuf | null {
  const m = pkthdr ? m_gethdr(mb, type) : m_get(mb, type);
  if (m === null) return null;
  if (m_jclget(m)) return m;
  m_free(m);
  return null;
}

/** Give an mbuf a packet header with every field cleared. hot */
export function m_pkthdr_init(m: Mbuf): void {
  m.m_flags |= M_PKTHDR;
  m.m_pkthdr_len = 0;
  m.m_rcvif = null;
  m.m_csum_flags = 0;
  m.m_csum_start = 0;
  m.m_csum_offset = 0;
  m.m_gso_type = 0;
  m.m_gso_size = 0;
  m.m_hdr_len = 0;
  m.m_vlan = 0;
  m.m_flowid = 0;
  m.m_tags = null;
  m.m_pktid = 0;
  m.m_ts_ns = 0;
}

/** Give an mbuf without data a 2 KB cluster. False: exhausted. hot */
export function m_clget(m: Mbuf): boolean {
  const mb = m.m_pool;
  const mem = mb.mem;
  const stack = mem.cl_free;
  let id: number;
  if (stack.n > 0) {
    id = stack.v[--stack.n];
  } else {
    id = m_clcarve(mb);
    if (id === -1) return false;
  }
  mb.mbstat[MBS_CL_GETS]++;
  m_ext_set(m, id, mem.ext_offs[id], MCLBYTES);
  return true;
}

/** Give an mbuf without data a jumbo cluster. False: exhausted. hot */
export function m_jclget(m: Mbuf): boolean {
  const mb = m.m_pool;
  const mem = mb.mem;
  const stack = mem.jcl_free;
  let id: number;
  if (stack.n > 0) {
    id = stack.v[--stack.n];
  } else {
    id = m_jclcarve(mb);
    if (id === -1) return false;
  }
  mb.mbstat[MBS_JCL_GETS]++;
  m_ext_set(m, id, mem.ext_offs[id], MJUMBYTES);
  return true;
}

/**
 * Let an mbuf without data refer to storage that the pools do not own. `free(arg)` is called once, when the last mbuf that shares it is
 * freed. The storage is read only if `rdonly`.
 */
export function m_ext_attach(
  m: Mbuf,
  off: number,
  size: number,
  free: (arg: number) => void,
  arg: number,
  rdonly = false,
): void {
  const mb = m.m_pool;
  mb.mbstat[MBS_EXT_GETS]++;
  m_ext_set(m, mb.mem.user_carve(off), off, size);
  m.m_ext_free = free;
  m.m_ext_arg = arg;
  if (rdonly) m.m_flags |= M_RDONLY;
}

/** Let `n`, without data, share the external storage of `m`; offsets and lengths are the caller's. hot */
export function m_ext_share(n: Mbuf, m: Mbuf): void {
  n.m_flags |= M_EXT | (m.m_flags & M_RDONLY);
  n.m_ext_off = m.m_ext_off;
  n.m_ext_size = m.m_ext_size;
  n.m_ext_ref = m.m_ext_ref;
  n.m_ext_free = m.m_ext_free;
  n.m_ext_arg = m.m_ext_arg;
  m.m_pool.mem.ext_refs[m.m_ext_ref]++;
}

/** How many mbufs share the external storage of `m`. */
export function m_ext_refcnt(m: Mbuf): number {
  return (m.m_flags & M_EXT) === 0 ? 1 : m.m_pool.mem.ext_refs[m.m_ext_ref];
}

/** Free one mbuf; the result is the next one of its packet. Freeing one twice is a panic. hot */
export function m_free(m: Mbuf): Mbuf | null {
  const mb = m.m_pool;
  const type = m.m_type;
  if (type === MT_FREE) mb.mb_panic("m_free: mbuf freed twice");
  const next = m.m_next;
  const flags = m.m_flags;
  if ((flags & M_PKTHDR) !== 0) {
    m.m_tags = null;
    m.m_rcvif = null;
  }
  mb.mbstat[MBS_PUTS + type]++;
  const mo = m.m_owner;
  mo.mo_releases++;
  if (mo !== mb.mo_default) m.m_owner = mb.mo_default;
  m.m_type = MT_FREE;
  m.m_nextpkt = null;
  if ((flags & M_EXT) !== 0) {
    if (m.m_ext_size === MCLBYTES && m.m_ext_free === null && mb.mem.ext_refs[m.m_ext_ref] === 1) {
      mb.mbstat[MBS_CL_PUTS]++;
      m.m_next = mb.m_pkt_list;
      mb.m_pkt_list = m;
      return next;
    }
    m_ext_release(m);
  }
  m.m_next = mb.m_free_list;
  mb.m_free_list = m;
  return next;
}

/** Free a packet: the chain of m_next. m_nextpkt is not followed. hot */
export function m_freem(m: Mbuf | null): void {
  let n = m;
  while (n !== null) n = m_free(n);
}

/** Give up the external storage of `m`, which has its inline area again and no data. hot */
export function m_ext_release(m: Mbuf): void {
  const mb = m.m_pool;
  const mem = mb.mem;
  const id = m.m_ext_ref;
  const left = --mem.ext_refs[id];
  if (left <= 0) {
    if (left < 0) mb.mb_panic("m_free: cluster freed twice");
    const kind = mem.ext_kind[id];
    if (kind === EXT_CLUSTER) {
      mb.mbstat[MBS_CL_PUTS]++;
      mem.cl_free.push(id);
    } else if (kind === EXT_JUMBO) {
      mb.mbstat[MBS_JCL_PUTS]++;
      mem.jcl_free.push(id);
    } else {
      mb.mbstat[MBS_EXT_PUTS]++;
      mem.user_free.push(id);
      const free = m.m_ext_free;
      if (free !== null) free(m.m_ext_arg);
    }
  }
  m.m_flags &= ~(M_EXT | M_RDONLY);
  m.m_ext_ref = -1;
  m.m_ext_free = null;
  m.m_off = m.m_dat;
  m.m_len = 0;
}

/** Charge the mbuf to `mo` instead of whoever has it now (MCLAIM). hot */
export function m_claim(m: Mbuf, mo: Mowner): void {
  if (m.m_owner === mo) return;
  m.m_owner.mo_releases++;
  mo.mo_claims++;
  m.m_owner = mo;
}

/** m_claim for every mbuf of a packet. */
export function m_claimm(m: Mbuf | null, mo: Mowner): void {
  for (let n = m; n !== null; n = n.m_next) m_claim(n, mo);
}

function m_ext_set(m: Mbuf, id: number, off: number, size: number): void {
  m.m_flags |= M_EXT;
  m.m_off = off;
  m.m_ext_off = off;
  m.m_ext_size = size;
  m.m_ext_ref = id;
  m.m_pool.mem.ext_refs[id] = 1;
}

function m_carve(mb: MbufPools): Mbuf | null {
  let dat = mb.m_pkt_list === null ? mb.mem.mbuf_carve() : 0;
  if (dat === 0) {
    if (mb.m_pkt_list === null) m_reclaim(mb);
    if (mb.m_free_list === null) pkt_strip(mb);
    const m = mb.m_free_list;
    if (m !== null) {
      mb.m_free_list = m.m_next;
      m.m_next = null;
      return m;
    }
    dat = mb.mem.mbuf_carve();
  }
  if (dat === 0) {
    mb.mbstat[MBS_MBUF_FAIL]++;
    return null;
  }
  return new Mbuf(mb, dat, mb.mo_default);
}

function m_clcarve(mb: MbufPools): number {
  const mem = mb.mem;
  let id = mb.m_pkt_list === null ? mem.cl_carve() : -1;
  if (id !== -1) return id;
  if (mb.m_pkt_list === null) m_reclaim(mb);
  if (mem.cl_free.n === 0) pkt_strip(mb);
  id = mem.cl_free.n > 0 ? mem.cl_free.v[--mem.cl_free.n] : mem.cl_carve();
  if (id === -1) mb.mbstat[MBS_CL_FAIL]++;
  return id;
}

function m_jclcarve(mb: MbufPools): number {
  const mem = mb.mem;
  let id = mem.jcl_carve();
  if (id !== -1) return id;
  m_reclaim(mb);
  id = mem.jcl_free.n > 0 ? mem.jcl_free.v[--mem.jcl_free.n] : mem.jcl_carve();
  if (id === -1) mb.mbstat[MBS_JCL_FAIL]++;
  return id;
}

/** Part one free mbuf that has a cluster from it, so that both can be had alone. */
function pkt_strip(mb: MbufPools): void {
  const m = mb.m_pkt_list;
  if (m === null) return;
  mb.m_pkt_list = m.m_next;
  mb.mem.ext_refs[m.m_ext_ref] = 0;
  mb.mem.cl_free.push(m.m_ext_ref);
  m.m_ext_ref = -1;
  m.m_next = mb.m_free_list;
  mb.m_free_list = m;
}

/** Ask the protocols to give back what they can spare. */
function m_reclaim(mb: MbufPools): void {
  if (mb.mb_drain === null) return;
  mb.mbstat[MBS_DRAIN]++;
  mb.mb_drain();
}
