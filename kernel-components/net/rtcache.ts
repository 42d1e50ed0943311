/*
 * The direct-mapped cache of rtlookup4: destination -> route, valid while the generation of the table is the one of the entry.
 */
import type { Rtentry } from "./rtentry.ts";

/** Entries; a power of two. */
export const RTCACHE_SIZE = 1024;
/** Bits of the hash that are dropped: 32 - log2(RTCACHE_SIZE). */
export const RTCACHE_SHIFT = 22;

/** The cache. A route of null says that there is none. */
export class RtCache {
  /** Destination of each entry. */
  readonly rc_dst: Int32Array = new Int32Array(RTCACHE_SIZE);
  /** Generation of each entry; 0 never matches. */
  readonly rc_gen: Int32Array = new Int32Array(RTCACHE_SIZE);
  /** Route of each entry. */
  readonly rc_rt: (Rtentry | null)[] = new Array<Rtentry | null>(RTCACHE_SIZE).fill(null);
}
