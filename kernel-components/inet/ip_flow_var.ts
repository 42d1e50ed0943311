/*
 * The flow cache's table; ip_flow.ts uses it.
 */
import type { Rtentry } from "../net/rtentry.ts";

/** Entries of the cache, as many as NetBSD's net.inet.ip.maxflows may be; a power of two. */
export const IPFLOW_MAX = 256;
/** IPFLOW_MAX - 1. */
export const IPFLOW_MASK: number = IPFLOW_MAX - 1;

/** The cache of one kernel. */
export class IpFlow {
  /** Destination of each entry. */
  readonly ipf_dst: Int32Array = new Int32Array(IPFLOW_MAX);
  /** Address that the link layer must resolve. */
  readonly ipf_nexthop: Int32Array = new Int32Array(IPFLOW_MAX);
  /** The route; valid only in ipf_gen. */
  readonly ipf_rt: (Rtentry | null)[] = new Array<Rtentry | null>(IPFLOW_MAX).fill(null);
  /** Generation of routes that every entry belongs to. */
  rt_gen = -1;
  /** Generation of addresses that every entry belongs to. */
  in_gen = -1;
}
