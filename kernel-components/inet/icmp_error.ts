/*
 * ICMP errors (RFC 792, RFC 1122 §3.2.2, RFC 1812 §4.3.2): who must never be sent one, how many a second, what is quoted, and from which address.
 */
import { M_BCAST, M_MCAST, MHLEN, MT_HEADER } from "../kern/mbuf.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { m_freem, m_getcl, m_gethdr } from "../kern/mbuf_alloc.ts";
import { m_copydata_slab } from "../kern/mbuf_copy.ts";
import type { Ifnet } from "../net/if.ts";
import { IFF_LOOPBACK } from "../net/if_flags.ts";
import { rtlookup4 } from "../net/route.ts";
import { cksum } from "../wire/cksum.ts";
import {
  ICMP_INFOTYPE,
  icmp_set_cksum,
  icmp_set_code,
  icmp_set_gwaddr,
  icmp_set_nextmtu,
  icmp_set_pptr,
  icmp_set_type,
  icmp_set_void,
  ICMP_MINLEN,
  ICMP_PARAMPROB,
  ICMP_REDIRECT,
  ICMP_UNREACH,
  ICMP_UNREACH_NEEDFRAG,
} from "../wire/icmp.ts";
import { IN_EXPERIMENTAL, IN_LOOPBACK, IN_MULTICAST, IN_ZERONET, INADDR_BROADCAST, IPPROTO_ICMP } from "../wire/in.ts";
import {
  ip_dst,
  ip_hlen,
  ip_off,
  ip_p,
  ip_set_dst,
  ip_set_len,
  ip_set_off,
  ip_set_p,
  ip_set_src,
  ip_set_tos,
  ip_set_ttl,
  ip_src,
  IP_HDRLEN,
  IP_OFFMASK,
  IPTOS_PREC_INTERNETCONTROL,
  MAXTTL,
} from "../wire/ipv4.ts";
import {
  ICPS_ERROR,
  ICPS_NOMEM,
  ICPS_NOREFLECT,
  ICPS_OLDBCAST,
  ICPS_OLDICMP,
  ICPS_OLDSHORT,
  ICPS_OUTHIST,
  ICPS_THROTTLED,
} from "./icmp_stat.ts";
import { m_view } from "./in_delayed_cksum.ts";
import { in_broadcast, in_ia_facing, in_usable_ia } from "./in_ifaddr.ts";
import type { Inet } from "./inet.ts";
import { m_get_rcvif } from "./ip_drop.ts";
import { ip_output } from "./ip_output.ts";

/** Room before the IP header of a message for a link header. */
const MAX_LINKHDR = 32;

/**
 * Tells the sender of m that it could not be delivered, if it may be told. Consumes m. dest: the better gateway of a redirect, or the offset of the bad byte of
 * ICMP_PARAMPROB; destmtu: for ICMP_UNREACH_NEEDFRAG.
 *
 * Preconditions: m begins with its IP header, contiguous, as it was received.
 */
export function icmp_error(inet: Inet, m: Mbuf, type: number, code: number, dest: number, destmtu: number): void {
  inet.icmpstat[ICPS_ERROR]++;
  const refused = icmp_error_refused(inet, m, type);
  if (refused >= 0) inet.icmpstat[refused]++;
  else icmp_error_send(inet, m, type, code, dest, destmtu);
  m_freem(m);
}

/** Why m must not be answered with an error: an ICPS_* counter, or -1 if it may. */
function icmp_error_refused(inet: Inet, m: Mbuf, type: number): number {
  const dv = inet.dv;
  const o = m.m_off;
  const hlen = ip_hlen(dv, o);
  if ((ip_off(dv, o) & IP_OFFMASK) !== 0) return ICPS_OLDBCAST;
  if (ip_p(dv, o) === IPPROTO_ICMP && type !== ICMP_REDIRECT) {
    if (m.m_pkthdr_len < hlen + ICMP_MINLEN) return ICPS_OLDSHORT;
    if (!ICMP_INFOTYPE(dv.getUint8(m_view(inet, m, hlen, 1)))) return ICPS_OLDICMP;
  }
  if ((m.m_flags & (M_BCAST | M_MCAST)) !== 0) return ICPS_OLDBCAST;
  const dst = ip_dst(dv, o);
  const src = ip_src(dv, o);
  const rcvif = m_get_rcvif(m);
  if (IN_MULTICAST(dst) || dst === INADDR_BROADCAST || IN_MULTICAST(src) || IN_EXPERIMENTAL(src) || IN_ZERONET(src))
    return ICPS_OLDBCAST;
  if (rcvif !== null && (in_broadcast(dst, rcvif) || in_broadcast(src, rcvif))) return ICPS_OLDBCAST;
  if (IN_LOOPBACK(src) && rcvif !== null && (rcvif.if_flags & IFF_LOOPBACK) === 0) return ICPS_OLDBCAST;
  if (!icmp_ratelimit(inet)) return ICPS_THROTTLED;
  return -1;
}

/** May one more error be sent this second? The budget varies a little, so that counting answers does not tell who else was answered (CVE-2020-25705). */
export function icmp_ratelimit(inet: Inet): boolean {
  const max = inet.icmperrppslim;
  return inet.icmp_pps.check(inet.k.now_ns, max > 50 ? max - inet.k.random_uniform(4) : max);
}

function icmp_error_send(inet: Inet, n: Mbuf, type: number, code: number, dest: number, destmtu: number): void {
  const dv = inet.dv;
  const ohlen = ip_hlen(dv, n.m_off);
  const quote = Math.min(n.m_pkthdr_len, ohlen + Math.max(8, inet.icmpreturndatabytes));
  const osrc = ip_src(dv, n.m_off);
  const src = icmp_source(inet, ip_dst(dv, n.m_off), m_get_rcvif(n), osrc);
  if (src === 0) return void inet.icmpstat[ICPS_NOREFLECT]++;
  const len = IP_HDRLEN + ICMP_MINLEN + quote;
  const big = MAX_LINKHDR + len > MHLEN;
  const m = big ? m_getcl(inet.k.mb, MT_HEADER, true) : m_gethdr(inet.k.mb, MT_HEADER);
  if (m === null) return void inet.icmpstat[ICPS_NOMEM]++;
  m.m_off += MAX_LINKHDR;
  m.m_len = len;
  m.m_pkthdr_len = len;
  const ic = m.m_off + IP_HDRLEN;
  icmp_set_type(dv, ic, type);
  icmp_set_code(dv, ic, code);
  icmp_set_cksum(dv, ic, 0);
  icmp_set_void(dv, ic, 0);
  if (type === ICMP_REDIRECT) icmp_set_gwaddr(dv, ic, dest);
  else if (type === ICMP_PARAMPROB) icmp_set_pptr(dv, ic, dest);
  else if (type === ICMP_UNREACH && code === ICMP_UNREACH_NEEDFRAG) icmp_set_nextmtu(dv, ic, destmtu);
  m_copydata_slab(n, 0, quote, ic + ICMP_MINLEN);
  icmp_set_cksum(dv, ic, cksum(dv, ic, ICMP_MINLEN + quote));
  ip_set_tos(dv, m.m_off, IPTOS_PREC_INTERNETCONTROL);
  ip_set_src(dv, m.m_off, src);
  ip_set_dst(dv, m.m_off, osrc);
  icmp_send(inet, m, len, type);
}

/** Sends a message whose addresses, ip_tos and checksum are set. Consumes m. */
export function icmp_send(inet: Inet, m: Mbuf, len: number, type: number): void {
  ip_set_len(inet.dv, m.m_off, len);
  ip_set_off(inet.dv, m.m_off, 0);
  ip_set_ttl(inet.dv, m.m_off, MAXTTL);
  ip_set_p(inet.dv, m.m_off, IPPROTO_ICMP);
  inet.icmpstat[ICPS_OUTHIST + type]++;
  ip_output(inet, m, null, null, 0, null, null);
}

/**
 * The address that an answer to a packet for `dst`, received on rcvif from `peer`, comes from: the one it was sent to if that is ours, else the receiving
 * interface's, else that of the way back (RFC 1122 §3.2.2, RFC 1812 §4.3.2.4). 0 if there is none.
 */
export function icmp_source(inet: Inet, dst: number, rcvif: Ifnet | null, peer: number): number {
  const ours = in_usable_ia(inet, dst);
  if (ours !== null) return ours.ia_addr4;
  if (rcvif !== null && (rcvif.if_flags & IFF_LOOPBACK) === 0) {
    const ia = in_ia_facing(rcvif, peer);
    if (ia !== null) return ia.ia_addr4;
  }
  const rt = rtlookup4(inet.net, peer);
  const ia = rt === null ? null : in_ia_facing(rt.rt_ifp, peer);
  return ia === null ? 0 : ia.ia_addr4;
}
