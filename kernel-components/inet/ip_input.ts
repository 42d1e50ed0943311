/*
 * IPv4 input: every check that RFC 1122 §3.2.1 and RFC 1812 §5.2.2 ask for, then the flow cache, options, and the decision local or forward.
 */
import { M_BCAST, M_CSUM_IPv4, M_CSUM_IPv4_BAD, M_CSUM_OK, M_LOOP, M_MCAST } from "../kern/mbuf.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { m_adj, m_pullup } from "../kern/mbuf_ops.ts";
import type { Ifnet } from "../net/if.ts";
import { IFF_LOOPBACK } from "../net/if_flags.ts";
import { PFIL_IN, pfil_run_hooks } from "../net/pfil.ts";
import { cksum } from "../wire/cksum.ts";
import { INADDR_ANY, INADDR_BROADCAST, IN_MULTICAST } from "../wire/in.ts";
import { ip_dst, ip_off, IP_HDRLEN, IP_MF, IP_OFFMASK } from "../wire/ipv4.ts";
import type { Inet } from "./inet.ts";
import { in_ours_cached, in_ours_enter } from "./in_addr_cache.ts";
import { in_broadcast, in_lookup_multi, in_usable_ia } from "./in_ifaddr.ts";
import { ip_deliver } from "./ip_deliver.ts";
import { ip_drop } from "./ip_drop.ts";
import { ip_dooptions } from "./ip_options.ts";
import { ip_flow_forward } from "./ip_flow.ts";
import { ip_forward } from "./ip_forward.ts";
import {
  IPS_BADADDR,
  IPS_BADHLEN,
  IPS_BADLEN,
  IPS_BADSUM,
  IPS_BADVERS,
  IPS_CANTFORWARD,
  IPS_LLBCAST,
  IPS_NOIF,
  IPS_NOTMEMBER,
  IPS_PFILDROP_IN,
  IPS_RCVMEMDROP,
  IPS_TOOSHORT,
  IPS_TOOSMALL,
  IPS_TOTAL,
} from "./ip_stat.ts";

/** First byte of a header of version 4 without options. */
const IP_VHL_BORING = 0x45;

/**
 * A packet from a link layer, the link header stripped. Consumes m.
 *
 * Preconditions: m.m_rcvif is ifp; M_BCAST or M_MCAST is set if it came by link-layer broadcast or multicast.
 */
// hot
export function ip_input(inet: Inet, ifp: Ifnet, m: Mbuf): void {
  inet.ipstat[IPS_TOTAL]++;
  const dv = inet.dv;
  const off = m.m_off;
  // The common header, 20 bytes in one piece, is read as five words and checked in registers.
  if (m.m_len < IP_HDRLEN || dv.getUint8(off) !== IP_VHL_BORING) return ip_input_options(inet, ifp, m);
  const w0 = dv.getInt32(off);
  const w1 = dv.getInt32(off + 4);
  const w2 = dv.getInt32(off + 8);
  const src = dv.getInt32(off + 12);
  const dst = dv.getInt32(off + 16);
  const csum_flags = m.m_csum_flags;
  if ((csum_flags & (M_CSUM_IPv4 | M_CSUM_OK)) === 0) {
    let s = (w0 >>> 16) + (w0 & 0xffff) + (w1 >>> 16) + (w1 & 0xffff) + (w2 >>> 16) + (w2 & 0xffff);
    s = s + (src >>> 16) + (src & 0xffff) + (dst >>> 16) + (dst & 0xffff);
    s = (s & 0xffff) + (s >>> 16);
    if (s !== 0xffff) return ip_drop(inet, m, IPS_BADSUM);
  } else if ((csum_flags & M_CSUM_IPv4_BAD) !== 0) return ip_drop(inet, m, IPS_BADSUM);
  const len = w0 & 0xffff;
  if (len !== m.m_pkthdr_len && !ip_input_trim(inet, m, len, IP_HDRLEN)) return;
  if (inet.ip_forwarding !== 0 && ip_flow_forward(inet, ifp, m, w2, src, dst)) return;
  if (
    in_ours_cached(inet, src, dst, ifp.if_index) &&
    inet.net.inet_pfil_hook === null &&
    (m.m_flags & (M_BCAST | M_MCAST)) === 0
  ) {
    inet.ip_nhops = 0;
    return ip_deliver(inet, m, IP_HDRLEN, (w1 & (IP_MF | IP_OFFMASK)) !== 0);
  }
  ip_input_slow(inet, ifp, m, IP_HDRLEN);
}

/** Takes off what lies behind the packet: link padding, which would be echoed otherwise (Etherleak). False: the length is impossible, and m was dropped. */
// hot
function ip_input_trim(inet: Inet, m: Mbuf, len: number, hlen: number): boolean {
  if (len < hlen || m.m_pkthdr_len < len) {
    ip_drop(inet, m, len < hlen ? IPS_BADLEN : IPS_TOOSHORT);
    return false;
  }
  if (m.m_len === m.m_pkthdr_len) {
    m.m_len = len;
    m.m_pkthdr_len = len;
  } else m_adj(m, len - m.m_pkthdr_len);
  return true;
}

/** A header with options, or not in one piece, or none at all. */
function ip_input_options(inet: Inet, ifp: Ifnet, m0: Mbuf): void {
  const dv = inet.dv;
  if (m0.m_pkthdr_len < IP_HDRLEN) return ip_drop(inet, m0, IPS_TOOSMALL);
  let m = m0.m_len < IP_HDRLEN ? m_pullup(m0, IP_HDRLEN) : m0;
  if (m === null) return void inet.ipstat[IPS_RCVMEMDROP]++;
  const vhl = dv.getUint8(m.m_off);
  if (vhl >>> 4 !== 4) return ip_drop(inet, m, IPS_BADVERS);
  const hlen = (vhl & 15) << 2;
  if (hlen < IP_HDRLEN || hlen > m.m_pkthdr_len) return ip_drop(inet, m, IPS_BADHLEN);
  if (hlen > m.m_len) m = m_pullup(m, hlen);
  if (m === null) return void inet.ipstat[IPS_RCVMEMDROP]++;
  if ((m.m_csum_flags & (M_CSUM_IPv4 | M_CSUM_OK)) === 0) {
    if (cksum(dv, m.m_off, hlen) !== 0) return ip_drop(inet, m, IPS_BADSUM);
  } else if ((m.m_csum_flags & M_CSUM_IPv4_BAD) !== 0) return ip_drop(inet, m, IPS_BADSUM);
  const len = dv.getUint16(m.m_off + 2);
  if (len !== m.m_pkthdr_len && !ip_input_trim(inet, m, len, hlen)) return;
  ip_input_slow(inet, ifp, m, hlen);
}

/** Source multicast, class E or broadcast, or either on the loopback network (RFC 1122 §3.2.1.3 (e) (g), RFC 1812 §5.3.7). */
// hot
function ip_martian(src: number, dst: number): boolean {
  const top = src >>> 24;
  return top >= 224 || top === 127 || dst >>> 24 === 127;
}

/** The rest of input, for what the flow cache does not carry: filters, options, the decision local or forward. */
function ip_input_slow(inet: Inet, ifp: Ifnet, m0: Mbuf, hlen0: number): void {
  let m = m0;
  let hlen = hlen0;
  inet.ip_nhops = 0;
  if (
    ip_martian(inet.dv.getInt32(m.m_off + 12), inet.dv.getInt32(m.m_off + 16)) &&
    (ifp.if_flags & IFF_LOOPBACK) === 0
  ) {
    return ip_drop(inet, m, IPS_BADADDR);
  }
  const ph = inet.net.inet_pfil_hook;
  if (ph !== null) {
    const p = pfil_run_hooks(ph, m, ifp, PFIL_IN);
    if (p === null) return void inet.ipstat[IPS_PFILDROP_IN]++;
    m = p;
    hlen = (inet.dv.getUint8(m.m_off) & 15) << 2;
  }
  if (hlen > IP_HDRLEN && ip_dooptions(inet, ifp, m)) return;
  const dst = inet.dv.getInt32(m.m_off + 16);
  if (IN_MULTICAST(dst)) {
    if (in_lookup_multi(inet, dst, ifp) === null) return ip_drop(inet, m, IPS_NOTMEMBER);
    return ip_input_ours(inet, ifp, m, hlen, false);
  }
  const ia = in_usable_ia(inet, dst);
  if (ia !== null) {
    if (
      inet.ip_checkinterface !== 0 &&
      inet.ip_forwarding === 0 &&
      ia.ifa_ifp !== ifp &&
      (ifp.if_flags & IFF_LOOPBACK) === 0
    ) {
      return ip_drop(inet, m, IPS_BADADDR);
    }
    // RFC 1122 §3.3.6: "SHOULD silently discard a datagram that is received via a link-layer broadcast but does not specify an IP multicast or broadcast".
    if ((m.m_flags & (M_BCAST | M_MCAST)) !== 0 && (m.m_flags & M_LOOP) === 0) return ip_drop(inet, m, IPS_LLBCAST);
    return ip_input_ours(inet, ifp, m, hlen, hlen === IP_HDRLEN);
  }
  if (dst === INADDR_BROADCAST || dst === INADDR_ANY || in_broadcast(dst, ifp))
    return ip_input_ours(inet, ifp, m, hlen, false);
  if (inet.in_ifaddrhead.length === 0) return ip_drop(inet, m, IPS_NOIF);
  if ((m.m_flags & (M_BCAST | M_MCAST)) !== 0) return ip_drop(inet, m, IPS_LLBCAST);
  if (inet.ip_forwarding === 0) return ip_drop(inet, m, IPS_CANTFORWARD);
  ip_forward(inet, ifp, m, false);
}

/** For us. A source that cannot be a single other host is refused here, so that no layer above answers it (land, RFC 1122 §3.2.1.3, smurf). */
function ip_input_ours(inet: Inet, ifp: Ifnet, m: Mbuf, hlen: number, plain: boolean): void {
  const src = inet.dv.getInt32(m.m_off + 12);
  if ((ifp.if_flags & IFF_LOOPBACK) === 0 && (m.m_flags & M_LOOP) === 0) {
    if (inet.in_ifaddrhash.has(src) && in_usable_ia(inet, src) !== null) return ip_drop(inet, m, IPS_BADADDR);
  }
  if (src !== INADDR_ANY && in_broadcast(src, ifp)) return ip_drop(inet, m, IPS_BADADDR);
  if (src !== INADDR_ANY && src >>> 24 === 0) return ip_drop(inet, m, IPS_BADADDR);
  if (plain && ((m.m_flags & M_LOOP) === 0 || (ifp.if_flags & IFF_LOOPBACK) !== 0))
    in_ours_enter(inet, src, ip_dst(inet.dv, m.m_off), ifp.if_index);
  ip_deliver(inet, m, hlen, (ip_off(inet.dv, m.m_off) & (IP_MF | IP_OFFMASK)) !== 0);
}
