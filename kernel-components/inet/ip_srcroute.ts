/*
 * The source route of a packet that has reached its end here, reversed for an answer (RFC 1122 §3.2.1.8 (c)).
 */
import type { Mbuf } from "../kern/mbuf.ts";
import { IPOPT_MINOFF, IPOPT_NOP, ipopt_olen, MAX_IPOPTLEN } from "../wire/ip_options.ts";
import { ip_src } from "../wire/ipv4.ts";
import type { Inet } from "./inet.ts";
import { IpOptions } from "./ip_var.ts";

/** Remembers the route of the option at slab offset `o` of m, reversed, until the next packet. */
export function ip_srcroute_save(inet: Inet, m: Mbuf, o: number): void {
  const dv = inet.dv;
  const nhops = (ipopt_olen(dv, o) - (IPOPT_MINOFF - 1)) >> 2;
  // NOP, type, length, pointer, then the hops but the last recorded, which is where the answer goes first, then the sender.
  if (nhops < 1 || 4 + 4 * nhops > MAX_IPOPTLEN) return;
  const rt = new IpOptions();
  const first = o + IPOPT_MINOFF - 1;
  rt.ipopt_dst = dv.getInt32(first + 4 * (nhops - 1));
  rt.ipopt_list[0] = IPOPT_NOP;
  rt.ipopt_list[1] = dv.getUint8(o);
  rt.ipopt_list[2] = 3 + 4 * nhops;
  rt.ipopt_list[3] = IPOPT_MINOFF;
  let at = 4;
  for (let i = nhops - 2; i >= 0; i--, at += 4) put32(rt.ipopt_list, at, dv.getInt32(first + 4 * i));
  put32(rt.ipopt_list, at, ip_src(dv, m.m_off));
  rt.ipopt_len = at + 4;
  inet.ip_srcrt = rt;
  inet.ip_nhops = nhops;
}

/** The reversed route of the packet being delivered, or null if it had none. */
export function ip_srcroute(inet: Inet): IpOptions | null {
  return inet.ip_nhops > 0 ? inet.ip_srcrt : null;
}

function put32(a: Uint8Array, at: number, v: number): void {
  a[at] = v >>> 24;
  a[at + 1] = v >>> 16;
  a[at + 2] = v >>> 8;
  a[at + 3] = v;
}
