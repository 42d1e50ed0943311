/*
 * Looking up routes.
 *
 * rtlookup4 and rt_gwroute lend a route: it is good until control returns to whoever could change the table, which on the packet path nobody does. Keep
 * net.rt_generation beside a remembered route and look again when it differs. rtalloc1 gives a reference that rt_unref takes back.
 */
import { AF_INET, AF_INET6, sa_family, sin_addr } from "../wire/sockaddr.ts";
import { AF_MAX, type Net, NETS_RTLOOKUP, NETS_RTMISS } from "./net.ts";
import { RadixHead, rn_key, rn_lookup, rn_masklen, rn_match, rn_match4, rn_walktree } from "./radix.ts";
import { RTCACHE_SHIFT } from "./rtcache.ts";
import { RTF_CLONING, RTF_GATEWAY, RTM_MISS, RtInfo, type Rtentry } from "./rtentry.ts";
import { rt_clone } from "./rtrequest.ts";
import { rt_missmsg } from "./rtsock_notify.ts";

/** Makes a family's table: `off` is where the address starts in its sockaddr, `len` its bytes. Does nothing if it is there. */
export function rt_inithead(net: Net, af: number, off: number, len: number): void {
  net.rt_tables[af] ??= new RadixHead<Rtentry>(off, len);
}

/** The table of a family, or null. */
export function rt_table(net: Net, af: number): RadixHead<Rtentry> | null {
  return af < AF_MAX ? (net.rt_tables[af] ?? null) : null;
}

/** The route for an IPv4 address, lent, or null. A route with RTF_CLONING makes a host route. // hot */
export function rtlookup4(net: Net, dst: number): Rtentry | null {
  const c = net.rt_cache;
  const idx = Math.imul(dst, 0x9e3779b1) >>> RTCACHE_SHIFT;
  if (c.rc_dst[idx] === dst && c.rc_gen[idx] === net.rt_generation) return c.rc_rt[idx];
  return rtlookup4_miss(net, dst, idx);
}

function rtlookup4_miss(net: Net, dst: number, idx: number): Rtentry | null {
  net.netstat[NETS_RTMISS]++;
  const head = net.rt_tables[AF_INET];
  if (head === null) return null;
  let rt = rn_match4(head, dst);
  if (rt !== null && (rt.rt_flags & RTF_CLONING) !== 0) rt = rt_clone(net, rt, sockaddr_of_in(dst)) ?? rt;
  const c = net.rt_cache;
  c.rc_dst[idx] = dst;
  c.rc_gen[idx] = net.rt_generation;
  c.rc_rt[idx] = rt;
  return rt;
}

/** Somebody wants to send to an IPv4 address that no route leads to: routing sockets are told. */
export function rt_miss4(net: Net, dst: number): void {
  if (net.route_cb_count === 0) return;
  const info = new RtInfo();
  info.rti_dst = sockaddr_of_in(dst);
  rt_missmsg(net, RTM_MISS, info, 0, 0);
}

function sockaddr_of_in(dst: number): Uint8Array {
  const sa = new Uint8Array(16);
  sa[0] = 16;
  sa[1] = AF_INET;
  for (let n = 0; n < 4; n++) sa[4 + n] = dst >>> (24 - 8 * n);
  return sa;
}

/** The route for an address of any family, referenced, or null. `report`: tell routing sockets of a miss. */
export function rtalloc1(net: Net, dst: Uint8Array, report: number): Rtentry | null {
  net.netstat[NETS_RTLOOKUP]++;
  const rt = rt_match(net, dst);
  if (rt === null) {
    if (report !== 0) {
      const info = new RtInfo();
      info.rti_dst = dst;
      rt_missmsg(net, RTM_MISS, info, 0, 0);
    }
    return null;
  }
  rt.rt_refcnt++;
  return rt;
}

/** rtalloc1 without reference and report. */
export function rt_match(net: Net, dst: Uint8Array): Rtentry | null {
  const af = sa_family(dst);
  if (af === AF_INET) return rtlookup4(net, sin_addr(dst));
  const head = rt_table(net, af);
  if (head === null) return null;
  const rt = rn_match(head, rn_key(head, dst), head.rnh_len * 8);
  if (rt !== null && (rt.rt_flags & RTF_CLONING) !== 0) return rt_clone(net, rt, dst) ?? rt;
  return rt;
}

/** The route for exactly this destination and mask (null: a host), lent, or null. */
export function rt_lookup_exact(net: Net, dst: Uint8Array, mask: Uint8Array | null): Rtentry | null {
  const head = rt_table(net, sa_family(dst));
  if (head === null) return null;
  const plen = mask === null ? head.rnh_len * 8 : rn_masklen(head, mask);
  return plen < 0 ? null : rn_lookup(head, rn_key(head, dst), plen);
}

/** Takes a reference. */
export function rt_ref(rt: Rtentry): void {
  rt.rt_refcnt++;
}

/** Gives a reference back. */
export function rt_unref(rt: Rtentry): void {
  rt.rt_refcnt--;
}

/** The route to a route's gateway, lent; the route itself if it has none; null if the gateway cannot be reached without another gateway. */
export function rt_gwroute(net: Net, rt: Rtentry): Rtentry | null {
  if ((rt.rt_flags & RTF_GATEWAY) === 0) return rt;
  if (rt.rt_gwgen === net.rt_generation) return rt.rt_gwroute;
  const gw = rt_match(net, rt.rt_gateway);
  rt.rt_gwroute = gw === null || gw === rt || (gw.rt_flags & RTF_GATEWAY) !== 0 ? null : gw;
  rt.rt_gwgen = net.rt_generation;
  return rt.rt_gwroute;
}

/** Calls fn for every route of a family (0: of all) in order of address; stops at the first non-zero answer and returns it. */
export function rt_walktree(net: Net, af: number, fn: (rt: Rtentry) => number): number {
  for (let n = 0; n < AF_MAX; n++) {
    const head = net.rt_tables[n];
    if (head === null || (af !== 0 && af !== n)) continue;
    const error = rn_walktree(head, fn);
    if (error !== 0) return error;
  }
  return 0;
}

/** Routes in all tables: what a test counts. */
export function rt_count(net: Net): number {
  let n = 0;
  for (const head of net.rt_tables) if (head !== null) n += head.rnh_count;
  return n;
}

/** Every holder of a route must look again. */
export function rt_generation_bump(net: Net): void {
  net.rt_generation = (net.rt_generation + 1) | 0;
  if (net.rt_generation === 0) net.rt_generation = 1;
}

/** Makes the tables of the two internet families. */
export function rt_init(net: Net): void {
  rt_inithead(net, AF_INET, 4, 4);
  rt_inithead(net, AF_INET6, 8, 16);
}
