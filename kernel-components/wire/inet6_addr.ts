/*
 * IPv6 addresses as text (RFC 4291 §2.2, RFC 5952). Inside, an address is sixteen bytes in network order.
 */
import { inet_ntoa, inet_pton4 } from "./inet_addr.ts";

/** Bytes in an address. */
export const IN6_ADDR_LEN = 16;
const GROUPS = 8;

/** What inet_pton6 found: `addr` is meaningful only if `ok`. */
export interface InetPton6 {
  /** Was the text an address? */
  readonly ok: boolean;
  /** Sixteen bytes; all zero if not ok. */
  readonly addr: Uint8Array;
}

/**
 * The canonical text of RFC 5952 §4: lower case, no leading zeros, the longest run of at least two zero groups (the first of equals) as "::".
 * IPv4-mapped (::ffff:0:0/96) and IPv4-compatible (::/96, unless the first of the last two groups is zero) addresses end in a dotted quad (§5).
 */
export function inet_ntop6(a: Uint8Array, off = 0): string {
  const g: number[] = [];
  for (let i = 0; i < GROUPS; i++) g.push(((a[off + 2 * i] as number) << 8) | (a[off + 2 * i + 1] as number));
  const zeros5 = g.slice(0, 5).every((v) => v === 0);
  const quad = zeros5 && (g[5] === 0xffff || (g[5] === 0 && g[6] !== 0));
  const n = quad ? 6 : GROUPS;
  let best = -1;
  let bestlen = 1;
  for (let i = 0; i < n; i++) {
    let j = i;
    while (j < n && g[j] === 0) j++;
    if (j - i > bestlen) {
      best = i;
      bestlen = j - i;
    }
    if (j > i) i = j;
  }
  const hex = (from: number, to: number): string =>
    g
      .slice(from, to)
      .map((v) => v.toString(16))
      .join(":");
  let s = best < 0 ? hex(0, n) : `${hex(0, best)}::${hex(best + bestlen, n)}`;
  if (quad) s += (s.endsWith(":") ? "" : ":") + inet_ntoa(((g[6] as number) << 16) | (g[7] as number));
  return s;
}

/** Reads an address: groups of one to four hex digits, at most one "::" (for at least one group), optionally a dotted quad at the end. No zone, no brackets. */
export function inet_pton6(text: string): InetPton6 {
  const addr = new Uint8Array(IN6_ADDR_LEN);
  const bad: InetPton6 = { ok: false, addr };
  const halves = text.split("::");
  if (halves.length > 2) return bad;
  const head = groups_of(halves[0] as string, halves.length === 1);
  const tail = halves.length === 2 ? groups_of(halves[1] as string, true) : [];
  if (head === null || tail === null) return bad;
  const total = head.length + tail.length;
  if (halves.length === 1 ? total !== GROUPS : total > GROUPS - 1) return bad;
  head.forEach((v, i) => put16(addr, i, v));
  tail.forEach((v, i) => put16(addr, GROUPS - tail.length + i, v));
  return { ok: true, addr };
}

function put16(a: Uint8Array, group: number, v: number): void {
  a[2 * group] = v >>> 8;
  a[2 * group + 1] = v;
}

/** The 16-bit groups of a text between colons, or null. `last`: the text ends the address, so it may end in a dotted quad. */
function groups_of(s: string, last: boolean): number[] | null {
  if (s === "") return [];
  const out: number[] = [];
  const parts = s.split(":");
  for (let i = 0; i < parts.length; i++) {
    const p = parts[i] as string;
    if (/^[0-9a-fA-F]{1,4}$/.test(p)) {
      out.push(parseInt(p, 16));
    } else {
      const quad = inet_pton4(p);
      if (!last || i !== parts.length - 1 || !quad.ok) return null;
      out.push(quad.addr >>> 16, quad.addr & 0xffff);
    }
  }
  return out;
}
