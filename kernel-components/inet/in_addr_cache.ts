/*
 * What was found out about addresses, remembered for the packets that follow: which source faces a destination, and that a pair of addresses is an ordinary packet for
 * this host. An entry is good for one generation of our addresses (in_gen) and of the routes (rt_generation).
 */
import type { Inet } from "./inet.ts";

/** Entries of each cache; a power of two. */
const IN_CACHE_SIZE = 256;
const IN_CACHE_MASK: number = IN_CACHE_SIZE - 1;

/** The caches of one kernel. */
export class InAddrCache {
  /** Destination of each source entry. */
  readonly src_dst: Int32Array = new Int32Array(IN_CACHE_SIZE);
  /** Source to use for it, 0 for an empty entry. */
  readonly src_addr: Int32Array = new Int32Array(IN_CACHE_SIZE);
  /** Source of each delivery entry. */
  readonly our_src: Int32Array = new Int32Array(IN_CACHE_SIZE);
  /** Destination, one of our addresses; 0 for an empty entry. */
  readonly our_dst: Int32Array = new Int32Array(IN_CACHE_SIZE);
  /** Interface by index. */
  readonly our_if: Int32Array = new Int32Array(IN_CACHE_SIZE);
  /** Generation of addresses that every entry belongs to. */
  in_gen = -1;
  /** Generation of routes that every entry belongs to. */
  rt_gen = -1;
}

// hot
function slot_of(a: number): number {
  return (Math.imul(a, 0x9e3779b1) >>> 20) & IN_CACHE_MASK;
}

/** Forgets everything if something has changed. True if nothing had. */
// hot
function fresh(inet: Inet, c: InAddrCache): boolean {
  if (c.in_gen === inet.in_gen && c.rt_gen === inet.net.rt_generation) return true;
  c.in_gen = inet.in_gen;
  c.rt_gen = inet.net.rt_generation;
  c.src_addr.fill(0);
  c.our_dst.fill(0);
  return false;
}

/** The source found before for packets to dst, or 0. */
// hot
export function in_srccache(inet: Inet, dst: number): number {
  const c = inet.addr_cache;
  if (!fresh(inet, c)) return 0;
  const slot = slot_of(dst);
  return c.src_dst[slot] === dst ? c.src_addr[slot] : 0;
}

/** Remembers it. */
export function in_srccache_enter(inet: Inet, dst: number, src: number): void {
  const c = inet.addr_cache;
  fresh(inet, c);
  const slot = slot_of(dst);
  c.src_dst[slot] = dst;
  c.src_addr[slot] = src;
}

/** Has a packet from src to dst on this interface been found to be an ordinary one for us? */
// hot
export function in_ours_cached(inet: Inet, src: number, dst: number, if_index: number): boolean {
  const c = inet.addr_cache;
  const slot = slot_of(src ^ dst);
  return c.our_dst[slot] === dst && c.our_src[slot] === src && c.our_if[slot] === if_index && fresh(inet, c);
}

/** Remembers it. */
export function in_ours_enter(inet: Inet, src: number, dst: number, if_index: number): void {
  const c = inet.addr_cache;
  fresh(inet, c);
  const slot = slot_of(src ^ dst);
  c.our_src[slot] = src;
  c.our_dst[slot] = dst;
  c.our_if[slot] = if_index;
}
