// Packets from bytes and back, for devices whose frames are not in the slab, control paths and tests.
import { M_PKTHDR, MT_DATA } from "./mbuf.ts";
import type { IfnetRef, Mbuf, MbufPools } from "./mbuf.ts";
import { m_copyback, m_copydata } from "./mbuf_copy.ts";
import { m_freem } from "./mbuf_alloc.ts";
import { m_getm } from "./mbuf_ops.ts";
import { M_BUFADDR, M_BUFSIZE, m_length } from "./mbuf_space.ts";

/** A packet with the bytes of `src`, received on `ifp`, with `headroom` bytes in front. Null: no memory. */
export function m_devget(mb: MbufPools, src: Uint8Array, headroom: number, ifp: IfnetRef | null): Mbuf | null {
  const m = m_getm(mb, src.length + headroom, MT_DATA, true);
  if (m === null) return null;
  m.m_off += headroom;
  m.m_rcvif = ifp;
  if (m_copyback(m, 0, src.length, src, 0) === 0) return m;
  m_freem(m);
  return null;
}

/** All bytes of a chain. */
export function m_tobytes(m: Mbuf): Uint8Array {
  const out = new Uint8Array(m_length(m));
  m_copydata(m, 0, out.length, out, 0);
  return out;
}

/** Null if the chain is sound, otherwise what is wrong with it: lengths, bounds, headers. For tests and for hunting. */
export function m_verify(m: Mbuf): string | null {
  if ((m.m_flags & M_PKTHDR) !== 0 && m.m_pkthdr_len !== m_length(m)) {
    return `packet header says ${m.m_pkthdr_len} bytes, chain has ${m_length(m)}`;
  }
  for (let n: Mbuf | null = m; n !== null; n = n.m_next) {
    if (n.m_type === 0) return "mbuf is free";
    if (n !== m && (n.m_flags & M_PKTHDR) !== 0) return "packet header inside a packet";
    const why = bounds(n);
    if (why !== null) return why;
  }
  return null;
}

function bounds(n: Mbuf): string | null {
  const start = M_BUFADDR(n);
  const size = M_BUFSIZE(n);
  if (n.m_len < 0 || n.m_off < start || n.m_off + n.m_len > start + size) {
    return `data ${n.m_off - start}+${n.m_len} outside a buffer of ${size}`;
  }
  return null;
}
