/*
 * Hardware addresses as text: the form of ether_ntoa(3) and what ether_aton(3) accepts, made strict.
 */
import { ETHER_ADDR_LEN } from "./ether.ts";

/** Six hex pairs of two digits with colons: "02:00:00:00:00:0a". */
export function ether_ntoa(a: Uint8Array, off = 0): string {
  let s = "";
  for (let i = 0; i < ETHER_ADDR_LEN; i++) s += (i > 0 ? ":" : "") + a[off + i].toString(16).padStart(2, "0");
  return s;
}

/** What ether_aton found: `addr` is meaningful only if `ok`. */
export interface EtherAton {
  /** Was the text an address? */
  readonly ok: boolean;
  /** The six bytes; all zero if not ok. */
  readonly addr: Uint8Array;
}

/** Reads six groups of one or two hex digits, all separated by colons or all by hyphens. Anything else is not ok. */
export function ether_aton(text: string): EtherAton {
  const addr = new Uint8Array(ETHER_ADDR_LEN);
  const groups = text.split(text.includes("-") ? "-" : ":");
  if (groups.length !== ETHER_ADDR_LEN || !groups.every((g) => /^[0-9a-fA-F]{1,2}$/.test(g)))
    return { ok: false, addr };
  groups.forEach((g, i) => {
    addr[i] = parseInt(g, 16);
  });
  return { ok: true, addr };
}
