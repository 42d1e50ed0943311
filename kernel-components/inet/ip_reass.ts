/*
 * Reassembly (RFC 791 §3.2, RFC 815) with bounds on everything: datagrams, fragments of all, fragments of one, time. Fragments that overlap condemn the whole
 * datagram, as RFC 5722 does for IPv6; when a bound is reached the oldest datagram goes, so that a flood of lone fragments never ends the service.
 */
import { callout_reset, callout_stop } from "../kern/callout.ts";
import { M_CSUM_IPv4 } from "../kern/mbuf.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { m_adj, m_cat } from "../kern/mbuf_ops.ts";
import type { Ifnet } from "../net/if.ts";
import { ICMP_TIMXCEED, ICMP_TIMXCEED_REASS } from "../wire/icmp.ts";
import {
  ip_dst,
  ip_hlen,
  ip_id,
  ip_len,
  ip_off,
  ip_p,
  ip_set_len,
  ip_set_off,
  ip_set_tos,
  ip_src,
  ip_tos,
  IP_MAXPACKET,
  IP_MF,
  IP_OFFMASK,
  IPTOS_ECN_CE,
  IPTOS_ECN_MASK,
} from "../wire/ipv4.ts";
import { halfsiphash3 } from "./halfsiphash.ts";
import { icmp_error } from "./icmp_error.ts";
import type { Inet } from "./inet.ts";
import { drop_verdict, ip_drop } from "./ip_drop.ts";
import { IP_FRAGTTL_S, IpFragEnt, IpFragQueue, IPREASS_HASH_SIZE } from "./ip_reass_var.ts";
import type { IpReass } from "./ip_reass_var.ts";
import {
  IPS_BADFRAGS,
  IPS_FRAGDROPPED,
  IPS_FRAGMENTS,
  IPS_FRAGTIMEOUT,
  IPS_OVERLAPFRAGS,
  IPS_REASSEMBLED,
  IPS_TOOLONG,
  ipstat_names,
} from "./ip_stat.ts";

/**
 * Takes a fragment for this host. Gives the whole datagram if this completed it, else null. Consumes m.
 *
 * Preconditions: the header is valid, contiguous and writable.
 */
export function ip_reass_packet(inet: Inet, m: Mbuf): Mbuf | null {
  const dv = inet.dv;
  const o = m.m_off;
  inet.ipstat[IPS_FRAGMENTS]++;
  const hlen = ip_hlen(dv, o);
  const len = ip_len(dv, o) - hlen;
  const off = (ip_off(dv, o) & IP_OFFMASK) << 3;
  const mff = (ip_off(dv, o) & IP_MF) !== 0;
  // "a fragment ... the data must be a multiple of 8 octets" (RFC 791 §3.2), and one without data says nothing.
  if (len === 0 || (mff && (len & 7) !== 0)) return reass_drop(inet, m, IPS_BADFRAGS);
  if (off + len + hlen > IP_MAXPACKET) return reass_drop(inet, m, IPS_TOOLONG);
  const rs = inet.reass;
  const q = reass_find(inet, rs, ip_src(dv, o), ip_dst(dv, o), ip_id(dv, o), ip_p(dv, o));
  if (q.ipfq_poisoned) return reass_drop(inet, m, IPS_OVERLAPFRAGS);
  if (q.ipfq_nfrags >= rs.maxfragsperpacket || rs.maxfrags === 0) return reass_drop(inet, m, IPS_FRAGDROPPED);
  return reass_insert(inet, rs, q, m, off, len, mff);
}

function reass_drop(inet: Inet, m: Mbuf, reason: number): null {
  ip_drop(inet, m, reason);
  return null;
}

/** The queue of a datagram, made if it is new. */
function reass_find(inet: Inet, rs: IpReass, src: number, dst: number, id: number, p: number): IpFragQueue {
  const slot = halfsiphash3(rs.key, src, dst, (id << 8) | p) & (IPREASS_HASH_SIZE - 1);
  for (let q = rs.hash[slot]; q !== null; q = q.ipfq_hash_next) {
    if (q.ipfq_id === id && q.ipfq_src === src && q.ipfq_dst === dst && q.ipfq_p === p) return q;
  }
  while (rs.nqueues >= rs.maxfragpackets && rs.oldest !== null) reass_free(inet, rs, rs.oldest, IPS_FRAGDROPPED);
  const q = new IpFragQueue();
  q.ipfq_src = src;
  q.ipfq_dst = dst;
  q.ipfq_id = id;
  q.ipfq_p = p;
  q.ipfq_slot = slot;
  q.ipfq_hash_next = rs.hash[slot];
  rs.hash[slot] = q;
  q.ipfq_expire_ns = inet.k.now_ns + IP_FRAGTTL_S * 1e9;
  q.ipfq_older = rs.newest;
  if (rs.newest === null) rs.oldest = q;
  else rs.newest.ipfq_newer = q;
  rs.newest = q;
  rs.nqueues++;
  if (rs.nqueues === 1) callout_reset(rs.ch, IP_FRAGTTL_S * 1e9, reass_slowtimo, inet);
  return q;
}

/** Puts a fragment in its place. */
function reass_insert(
  inet: Inet,
  rs: IpReass,
  q: IpFragQueue,
  m: Mbuf,
  off: number,
  len: number,
  mff: boolean,
): Mbuf | null {
  let prev: IpFragEnt | null = null;
  let next = q.ipfq_fragq;
  while (next !== null && next.ipfe_off < off) {
    prev = next;
    next = next.ipfe_next;
  }
  if (next !== null && next.ipfe_off === off && next.ipfe_len === len && next.ipfe_mff === mff)
    return reass_drop(inet, m, IPS_FRAGDROPPED);
  const end = off + len;
  const overlaps = (prev !== null && prev.ipfe_off + prev.ipfe_len > off) || (next !== null && next.ipfe_off < end);
  const beyond = q.ipfq_end >= 0 && (end > q.ipfq_end || (!mff && end !== q.ipfq_end));
  const short = !mff && q.ipfq_end < 0 && next !== null;
  if (overlaps || beyond || short) {
    reass_poison(inet, rs, q);
    return reass_drop(inet, m, IPS_OVERLAPFRAGS);
  }
  while (rs.nfrags >= rs.maxfrags && rs.oldest !== null && rs.oldest !== q)
    reass_free(inet, rs, rs.oldest, IPS_FRAGDROPPED);
  if (rs.nfrags >= rs.maxfrags) return reass_drop(inet, m, IPS_FRAGDROPPED);
  const ent = ent_get(rs);
  ent.ipfe_m = m;
  ent.ipfe_off = off;
  ent.ipfe_len = len;
  ent.ipfe_mff = mff;
  ent.ipfe_next = next;
  if (prev === null) q.ipfq_fragq = ent;
  else prev.ipfe_next = ent;
  q.ipfq_nfrags++;
  rs.nfrags++;
  q.ipfq_have += len;
  if (!mff) q.ipfq_end = end;
  return q.ipfq_have === q.ipfq_end ? reass_done(inet, rs, q) : null;
}

/** Every byte is here: joins the fragments behind the header of the first. */
function reass_done(inet: Inet, rs: IpReass, q: IpFragQueue): Mbuf | null {
  const dv = inet.dv;
  const first = q.ipfq_fragq!;
  const m = first.ipfe_m!;
  const hlen = ip_hlen(dv, m.m_off);
  const total = hlen + q.ipfq_end;
  if (total > IP_MAXPACKET) {
    reass_free(inet, rs, q, IPS_TOOLONG);
    return null;
  }
  let ce = ip_tos(dv, m.m_off) & IPTOS_ECN_MASK;
  first.ipfe_m = null;
  for (let e = first.ipfe_next; e !== null; e = e.ipfe_next) {
    const t = e.ipfe_m!;
    e.ipfe_m = null;
    // RFC 3168 §5.3: the congestion mark of any fragment is that of the whole, if the first is capable of it.
    if (ce !== 0 && (ip_tos(dv, t.m_off) & IPTOS_ECN_MASK) === IPTOS_ECN_CE) ce = IPTOS_ECN_CE;
    m_adj(t, ip_hlen(dv, t.m_off));
    m_cat(m, t);
  }
  m.m_pkthdr_len = total;
  ip_set_len(dv, m.m_off, total);
  ip_set_off(dv, m.m_off, 0);
  ip_set_tos(dv, m.m_off, (ip_tos(dv, m.m_off) & ~IPTOS_ECN_MASK) | ce);
  m.m_csum_flags = M_CSUM_IPv4;
  m.m_gso_type = 0;
  inet.ipstat[IPS_REASSEMBLED]++;
  reass_unlink(inet, rs, q);
  return m;
}

/** Drops what is here of a datagram and refuses the rest of it. */
function reass_poison(inet: Inet, rs: IpReass, q: IpFragQueue): void {
  reass_drop_frags(inet, rs, q, IPS_OVERLAPFRAGS);
  q.ipfq_poisoned = true;
}

function reass_drop_frags(inet: Inet, rs: IpReass, q: IpFragQueue, reason: number): void {
  for (let e = q.ipfq_fragq; e !== null; ) {
    const next: IpFragEnt | null = e.ipfe_next;
    if (e.ipfe_m !== null) ip_drop(inet, e.ipfe_m, reason);
    ent_put(rs, e);
    rs.nfrags--;
    e = next;
  }
  q.ipfq_fragq = null;
  q.ipfq_nfrags = 0;
  q.ipfq_have = 0;
}

/** Gives up a datagram. */
function reass_free(inet: Inet, rs: IpReass, q: IpFragQueue, reason: number): void {
  reass_drop_frags(inet, rs, q, reason);
  reass_unlink(inet, rs, q);
}

/** Takes a queue, whose packets are gone, out of the tables. */
function reass_unlink(_inet: Inet, rs: IpReass, q: IpFragQueue): void {
  for (let e = q.ipfq_fragq; e !== null; ) {
    const next: IpFragEnt | null = e.ipfe_next;
    ent_put(rs, e);
    rs.nfrags--;
    e = next;
  }
  q.ipfq_fragq = null;
  if (rs.hash[q.ipfq_slot] === q) rs.hash[q.ipfq_slot] = q.ipfq_hash_next;
  else {
    for (let p = rs.hash[q.ipfq_slot]; p !== null; p = p.ipfq_hash_next) {
      if (p.ipfq_hash_next === q) p.ipfq_hash_next = q.ipfq_hash_next;
    }
  }
  if (q.ipfq_older === null) rs.oldest = q.ipfq_newer;
  else q.ipfq_older.ipfq_newer = q.ipfq_newer;
  if (q.ipfq_newer === null) rs.newest = q.ipfq_older;
  else q.ipfq_newer.ipfq_older = q.ipfq_older;
  rs.nqueues--;
  if (rs.nqueues === 0) callout_stop(rs.ch);
}

/** Gives up what has waited too long, and says so to the sender of a first fragment (RFC 1122 §3.3.2). */
function reass_slowtimo(inet: Inet): void {
  const rs = inet.reass;
  const now = inet.k.now_ns;
  while (rs.oldest !== null && rs.oldest.ipfq_expire_ns <= now) reass_expire(inet, rs, rs.oldest);
  if (rs.oldest !== null) callout_reset(rs.ch, rs.oldest.ipfq_expire_ns - now, reass_slowtimo, inet);
}

function reass_expire(inet: Inet, rs: IpReass, q: IpFragQueue): void {
  const first = q.ipfq_fragq;
  let m: Mbuf | null = null;
  if (first !== null && first.ipfe_off === 0) {
    m = first.ipfe_m;
    first.ipfe_m = null;
  }
  reass_free(inet, rs, q, IPS_FRAGTIMEOUT);
  // Last, as want of memory for the error would drain the very queues that are being walked.
  if (m === null) return;
  inet.ipstat[IPS_FRAGTIMEOUT]++;
  drop_verdict(m, ipstat_names[IPS_FRAGTIMEOUT]);
  icmp_error(inet, m, ICMP_TIMXCEED, ICMP_TIMXCEED_REASS, 0, 0);
}

/** Gives up every datagram: memory is short, or the kernel stops. */
export function ip_reass_drain(inet: Inet): void {
  while (inet.reass.oldest !== null) reass_free(inet, inet.reass, inet.reass.oldest, IPS_FRAGDROPPED);
}

/** Gives up the datagrams of which an interface that goes away has brought a fragment. */
export function ip_reass_ifdetach(inet: Inet, ifp: Ifnet): void {
  for (let q = inet.reass.oldest; q !== null; ) {
    const newer: IpFragQueue | null = q.ipfq_newer;
    for (let e = q.ipfq_fragq; e !== null; e = e.ipfe_next) {
      if (e.ipfe_m !== null && e.ipfe_m.m_rcvif === ifp) {
        reass_free(inet, inet.reass, q, IPS_FRAGDROPPED);
        break;
      }
    }
    q = newer;
  }
}

function ent_get(rs: IpReass): IpFragEnt {
  const e = rs.free_ent;
  if (e === null) return new IpFragEnt();
  rs.free_ent = e.ipfe_next;
  e.ipfe_next = null;
  return e;
}

function ent_put(rs: IpReass, e: IpFragEnt): void {
  e.ipfe_m = null;
  e.ipfe_next = rs.free_ent;
  rs.free_ent = e;
}
