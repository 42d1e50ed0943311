/*
 * Identifications: random, never a counter that others could watch (RFC 6864, RFC 7739, "idle scan"), and none repeated among the last IPID_HISTORY, so that fragments
 * of different datagrams do not meet in a reassembly queue.
 */
import type { Kernel } from "../kern/kernel.ts";

/** Identifications that are not given out again at once; a power of two. */
const IPID_HISTORY = 8192;

/** Which identifications were given out last. */
export class IpIdState {
  /** One bit for each identification. */
  readonly bits: Uint8Array = new Uint8Array(65536 / 8);
  /** The last ones, as a ring; 0 = empty. */
  readonly ring: Uint16Array = new Uint16Array(IPID_HISTORY);
  /** Next place in the ring. */
  next = 0;
}

/** A fresh identification, 1..65535. */
// hot
export function ip_newid(k: Kernel, st: IpIdState): number {
  const bits = st.bits;
  const old = st.ring[st.next];
  bits[old >> 3] &= ~(1 << (old & 7));
  let id = k.random32() & 0xffff;
  while (id === 0 || (bits[id >> 3] & (1 << (id & 7))) !== 0) id = k.random32() & 0xffff;
  bits[id >> 3] |= 1 << (id & 7);
  st.ring[st.next] = id;
  st.next = (st.next + 1) & (IPID_HISTORY - 1);
  return id;
}
