/*
 * ICMP input (RFC 792, RFC 1122 §3.2.2): queries are answered, errors go to the protocol whose packet they quote, redirects to the routing table, and everything but
 * the queries to raw sockets too.
 */
import { in_cksum } from "../kern/in_cksum.ts";
import { M_BCAST, M_CSUM_OK, M_MCAST } from "../kern/mbuf.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import { m_makewritable } from "../kern/mbuf_copy.ts";
import { m_pullup } from "../kern/mbuf_ops.ts";
import { M_UNWRITABLE } from "../kern/mbuf_space.ts";
import {
  PRC_HOSTDEAD,
  PRC_MSGSIZE,
  PRC_PARAMPROB,
  PRC_TIMXCEED_INTRANS,
  PRC_UNREACH_HOST,
  PRC_UNREACH_NET,
  PRC_UNREACH_PORT,
  PRC_UNREACH_PROTOCOL,
  PRC_UNREACH_SRCFAIL,
} from "../socket/protosw.ts";
import { cksum_fixup16 } from "../wire/cksum.ts";
import {
  icmp_cksum,
  icmp_code,
  icmp_nextmtu,
  icmp_set_cksum,
  icmp_set_mask,
  icmp_set_rtime,
  icmp_set_ttime,
  icmp_set_type,
  icmp_type,
  ICMP_ADVLENMIN,
  ICMP_ECHO,
  ICMP_ECHOREPLY,
  ICMP_MASKLEN,
  ICMP_MASKREPLY,
  ICMP_MASKREQ,
  ICMP_MINLEN,
  ICMP_PARAMPROB,
  ICMP_REDIRECT,
  ICMP_TIMXCEED,
  ICMP_TSLEN,
  ICMP_TSTAMP,
  ICMP_TSTAMPREPLY,
  ICMP_UNREACH,
} from "../wire/icmp.ts";
import { IN_MULTICAST, INADDR_ANY } from "../wire/in.ts";
import { ip_dst, ip_hlen, ip_len, ip_p, ip_set_src, ip_src, IP_HDRLEN } from "../wire/ipv4.ts";
import { mk_sockaddr_in } from "../wire/sockaddr.ts";
import {
  ICPS_BADCODE,
  ICPS_BADLEN,
  ICPS_BMCASTECHO,
  ICPS_BMCASTTSTAMP,
  ICPS_CHECKSUM,
  ICPS_HISTLEN,
  ICPS_INHIST,
  ICPS_NOMASK,
  ICPS_NOMEM,
  ICPS_TOOSHORT,
} from "./icmp_stat.ts";
import { icmp_redirect_input } from "./icmp_redirect.ts";
import { icmp_reflect } from "./icmp_reflect.ts";
import { in_broadcast, in_ia_facing } from "./in_ifaddr.ts";
import type { Inet } from "./inet.ts";
import { drop_verdict, m_get_rcvif } from "./ip_drop.ts";
import { iptime } from "./ip_options.ts";
import { rip_input } from "./raw_ip.ts";

/** PRC_* of each code of ICMP_UNREACH. */
const unreach_prc: readonly number[] = [
  PRC_UNREACH_NET,
  PRC_UNREACH_HOST,
  PRC_UNREACH_PROTOCOL,
  PRC_UNREACH_PORT,
  PRC_MSGSIZE,
  PRC_UNREACH_SRCFAIL,
  PRC_UNREACH_NET,
  PRC_UNREACH_HOST,
  PRC_HOSTDEAD,
  PRC_UNREACH_NET,
  PRC_UNREACH_HOST,
  PRC_UNREACH_NET,
  PRC_UNREACH_HOST,
  PRC_UNREACH_HOST,
  PRC_UNREACH_HOST,
  PRC_UNREACH_HOST,
];

function icmp_drop(inet: Inet, m: Mbuf, stat: number, reason: string): void {
  inet.icmpstat[stat]++;
  drop_verdict(m, reason);
  m_freem(m);
}

/** A message for this host. Consumes m. Preconditions: the IP header of hlen bytes is valid and contiguous. */
export function icmp_input(inet: Inet, m0: Mbuf, hlen: number, proto: number): void {
  const dv = inet.dv;
  const icmplen = ip_len(dv, m0.m_off) - hlen;
  if (icmplen < ICMP_MINLEN) return icmp_drop(inet, m0, ICPS_TOOSHORT, "icmp: tooshort");
  const want = hlen + Math.min(icmplen, ICMP_ADVLENMIN);
  const m = m0.m_len < want ? m_pullup(m0, want) : m0;
  if (m === null) return void inet.icmpstat[ICPS_NOMEM]++;
  if ((m.m_csum_flags & M_CSUM_OK) === 0 && in_cksum(inet.k, m, hlen, icmplen, 0) !== 0)
    return icmp_drop(inet, m, ICPS_CHECKSUM, "icmp: checksum");
  const type = icmp_type(dv, m.m_off + hlen);
  if (type < ICPS_HISTLEN) inet.icmpstat[ICPS_INHIST + type]++;
  switch (type) {
    case ICMP_ECHO:
      return icmp_echo(inet, m, hlen);
    case ICMP_TSTAMP:
      return icmp_tstamp(inet, m, hlen, icmplen);
    case ICMP_MASKREQ:
      return icmp_maskreq(inet, m, hlen, icmplen);
    case ICMP_UNREACH:
    case ICMP_TIMXCEED:
    case ICMP_PARAMPROB:
      if (!icmp_deliver(inet, m, hlen, icmplen, type)) return;
      break;
    case ICMP_REDIRECT:
      if (!icmp_redirect_input(inet, m, hlen, icmplen)) return;
      break;
    default:
      // Source quench (RFC 6633: "MUST silently discard"), unknown types (RFC 1122 §3.2.2) and all answers: raw sockets only.
      break;
  }
  rip_input(inet, m, hlen, proto);
}

/** Makes the message writable; null if there is no memory (m is freed and counted then). */
function icmp_writable(inet: Inet, m: Mbuf, len: number): Mbuf | null {
  if (!M_UNWRITABLE(m)) return m;
  const w = m_makewritable(m, 0, len);
  if (w === null) icmp_drop(inet, m, ICPS_NOMEM, "icmp: nomem");
  return w;
}

/** Is it for others too? By its address, whichever way the link brought it: a unicast frame may carry a broadcast. */
// hot
function icmp_to_many(inet: Inet, m: Mbuf): boolean {
  if ((m.m_flags & (M_BCAST | M_MCAST)) !== 0) return true;
  const dst = ip_dst(inet.dv, m.m_off);
  const ifp = m_get_rcvif(m);
  return IN_MULTICAST(dst) || (ifp !== null && in_broadcast(dst, ifp));
}

/** Echo (RFC 1122 §3.2.2.6): the type changes, and the checksum by as much. */
// hot
function icmp_echo(inet: Inet, m0: Mbuf, hlen: number): void {
  if (inet.icmp_bmcastecho === 0 && icmp_to_many(inet, m0))
    return icmp_drop(inet, m0, ICPS_BMCASTECHO, "icmp: bmcastecho");
  const m = icmp_writable(inet, m0, hlen + ICMP_MINLEN);
  if (m === null) return;
  const ic = m.m_off + hlen;
  const old = inet.dv.getUint16(ic);
  icmp_set_type(inet.dv, ic, ICMP_ECHOREPLY);
  icmp_set_cksum(inet.dv, ic, cksum_fixup16(icmp_cksum(inet.dv, ic), old, inet.dv.getUint16(ic)));
  icmp_reflect(inet, m, ICMP_ECHOREPLY);
}

/** Timestamp (RFC 1122 §3.2.2.8). */
function icmp_tstamp(inet: Inet, m0: Mbuf, hlen: number, icmplen: number): void {
  if (inet.icmp_bmcastecho === 0 && icmp_to_many(inet, m0))
    return icmp_drop(inet, m0, ICPS_BMCASTTSTAMP, "icmp: bmcasttstamp");
  if (icmplen < ICMP_TSLEN) return icmp_drop(inet, m0, ICPS_BADLEN, "icmp: badlen");
  const m = icmp_writable(inet, m0, hlen + ICMP_TSLEN);
  if (m === null) return;
  const ic = m.m_off + hlen;
  const now = iptime(inet);
  icmp_set_type(inet.dv, ic, ICMP_TSTAMPREPLY);
  icmp_set_rtime(inet.dv, ic, now);
  icmp_set_ttime(inet.dv, ic, now);
  icmp_recksum(inet, m, hlen, icmplen);
  icmp_reflect(inet, m, ICMP_TSTAMPREPLY);
}

/** Address mask (RFC 950, RFC 1122 §3.2.2.9): only if net.inet.icmp.maskrepl says that we are authoritative. */
function icmp_maskreq(inet: Inet, m0: Mbuf, hlen: number, icmplen: number): void {
  const ifp = m_get_rcvif(m0);
  if (inet.icmpmaskrepl === 0 || ifp === null) return icmp_drop(inet, m0, ICPS_NOMASK, "icmp: nomask");
  if (icmplen < ICMP_MASKLEN) return icmp_drop(inet, m0, ICPS_BADLEN, "icmp: badlen");
  const ia = in_ia_facing(ifp, ip_src(inet.dv, m0.m_off));
  if (ia === null) return icmp_drop(inet, m0, ICPS_NOMASK, "icmp: nomask");
  const m = icmp_writable(inet, m0, hlen + ICMP_MASKLEN);
  if (m === null) return;
  const ic = m.m_off + hlen;
  icmp_set_type(inet.dv, ic, ICMP_MASKREPLY);
  icmp_set_mask(inet.dv, ic, ia.ia_subnetmask);
  if (ip_src(inet.dv, m.m_off) === INADDR_ANY) ip_set_src(inet.dv, m.m_off, ia.ia_broadaddr);
  icmp_recksum(inet, m, hlen, icmplen);
  icmp_reflect(inet, m, ICMP_MASKREPLY);
}

function icmp_recksum(inet: Inet, m: Mbuf, hlen: number, icmplen: number): void {
  const ic = m.m_off + hlen;
  icmp_set_cksum(inet.dv, ic, 0);
  icmp_set_cksum(inet.dv, ic, in_cksum(inet.k, m, hlen, icmplen, 0));
}

/** Gives an error to the protocol whose packet it quotes. False if it was dropped (and m consumed). */
function icmp_deliver(inet: Inet, m: Mbuf, hlen: number, icmplen: number, type: number): boolean {
  const dv = inet.dv;
  const ic = m.m_off + hlen;
  const code = icmp_code(dv, ic);
  const cmd = icmp_prc(type, code);
  if (cmd < 0) {
    icmp_drop(inet, m, ICPS_BADCODE, "icmp: badcode");
    return false;
  }
  const q = ic + ICMP_MINLEN;
  if (icmplen < ICMP_ADVLENMIN || ip_hlen(dv, q) < IP_HDRLEN || icmplen < ICMP_MINLEN + ip_hlen(dv, q) + 8) {
    icmp_drop(inet, m, ICPS_BADLEN, "icmp: badlen");
    return false;
  }
  const dst = ip_dst(dv, q);
  // We do not send from a group, nor to one that answers errors (RFC 1122 §3.2.2).
  if (IN_MULTICAST(dst)) {
    icmp_drop(inet, m, ICPS_BADCODE, "icmp: badcode");
    return false;
  }
  const ctl = inet.ip_ctlinput[ip_p(dv, q)];
  if (ctl !== null && ctl !== undefined) {
    const arg = inet.icmpctl;
    arg.set(inet, m, hlen + ICMP_MINLEN, type, code, icmp_nextmtu(dv, ic));
    ctl(cmd, mk_sockaddr_in(dst), arg);
  }
  return true;
}

/** The PRC_* of an error, -1 if its code is unknown. */
function icmp_prc(type: number, code: number): number {
  if (type === ICMP_UNREACH) return code < unreach_prc.length ? unreach_prc[code] : -1;
  if (type === ICMP_TIMXCEED) return code <= 1 ? PRC_TIMXCEED_INTRANS + code : -1;
  return code <= 2 ? PRC_PARAMPROB : -1;
}
