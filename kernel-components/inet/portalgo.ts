/*
 * Choosing local ports (RFC 6056): the algorithms by NetBSD's names and numbers. Every one but bsd makes the next port unpredictable to others.
 */
import type { Kernel } from "../kern/kernel.ts";
import { halfsiphash3 } from "./halfsiphash.ts";
import type { SipKey } from "./halfsiphash.ts";

/** Downwards from the last one given out; kept for comparison. */
export const PORTALGO_BSD = 0;
/** RFC 6056 §3.3.1 with a linear search from a random start. */
export const PORTALGO_RANDOM_START = 1;
/** RFC 6056 §3.3.2: a new random port at each try. */
export const PORTALGO_RANDOM_PICK = 2;
/** RFC 6056 §3.3.3: a keyed hash of the addresses, and a counter. */
export const PORTALGO_HASH = 3;
/** RFC 6056 §3.3.4: the same with one counter for each of many hashes. */
export const PORTALGO_DOUBLEHASH = 4;
/** RFC 6056 §3.3.5: random increments. */
export const PORTALGO_RANDINC = 5;

/** Names by number (net.inet.ip.anonportalgo.available). */
export const portalgo_names: readonly string[] = [
  "bsd",
  "random_start",
  "random_pick",
  "hash",
  "doublehash",
  "randinc",
];

/** Counters of doublehash (RFC 6056 §3.3.4 suggests 10 at least). */
const DOUBLEHASH_SLOTS = 64;
/** Largest increment of randinc (RFC 6056 §3.3.5: N = 500). */
const RANDINC_N = 500;

/** What the algorithms remember. */
export class PortAlgo {
  /** The one used unless a socket says otherwise. */
  selected: number = PORTALGO_RANDOM_START;
  /** Last port of bsd and randinc. */
  last = 0;
  /** Counter of hash. */
  next = 0;
  /** Counters of doublehash. */
  readonly table: Uint16Array = new Uint16Array(DOUBLEHASH_SLOTS);
}

/**
 * A port in [min, max] that `ok` accepts, or 0 if there is none. The tuple is what the port will be used with as far as it is known.
 */
export function portalgo_pick(
  k: Kernel,
  st: PortAlgo,
  key: SipKey,
  algo: number,
  min: number,
  max: number,
  laddr: number,
  faddr: number,
  fport: number,
  ok: (port: number) => boolean,
): number {
  const n = max - min + 1;
  if (n <= 0) return 0;
  switch (algo) {
    case PORTALGO_RANDOM_PICK:
      for (let i = 0; i < n; i++) {
        const port = min + k.random_uniform(n);
        if (ok(port)) return port;
      }
      return scan(min, n, k.random_uniform(n), 1, ok);
    case PORTALGO_HASH: {
      const offset = halfsiphash3(key, laddr, faddr, fport) >>> 0;
      const port = scan(min, n, (offset + st.next) % n, 1, ok);
      st.next = (st.next + 1) & 0xffff;
      return port;
    }
    case PORTALGO_DOUBLEHASH: {
      const h = halfsiphash3(key, laddr, faddr, fport) >>> 0;
      const slot = (halfsiphash3(key, faddr, laddr, ~fport) >>> 0) % DOUBLEHASH_SLOTS;
      const port = scan(min, n, (h + st.table[slot]) % n, 1, ok);
      st.table[slot]++;
      return port;
    }
    case PORTALGO_RANDINC: {
      const port = scan(min, n, (st.last + 1 + k.random_uniform(RANDINC_N)) % n, 1, ok);
      if (port !== 0) st.last = port - min;
      return port;
    }
    case PORTALGO_BSD: {
      const port = scan(min, n, (st.last + n - 1) % n, n - 1, ok);
      if (port !== 0) st.last = port - min;
      return port;
    }
    default:
      return scan(min, n, k.random_uniform(n), 1, ok);
  }
}

/** Tries the n ports of a range from `start` on in steps of `step`, round and round. */
function scan(min: number, n: number, start: number, step: number, ok: (port: number) => boolean): number {
  for (let i = 0, at = start; i < n; i++, at = (at + step) % n) if (ok(min + at)) return min + at;
  return 0;
}
