/*
 * Fragmentation (RFC 791 §3.2). Fragments share the packet's clusters; only headers are made anew.
 */
import { EMSGSIZE, ENOBUFS } from "../../hypercall/api/errno.ts";
import { M_BCAST, M_CSUM_IPv4, M_MCAST, MT_HEADER } from "../kern/mbuf.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { m_freem, m_gethdr } from "../kern/mbuf_alloc.ts";
import { m_copym } from "../kern/mbuf_copy.ts";
import { m_adj, m_cat } from "../kern/mbuf_ops.ts";
import type { Ifnet } from "../net/if.ts";
import type { Rtentry } from "../net/rtentry.ts";
import { cksum } from "../wire/cksum.ts";
import { IPOPT_COPIED, IPOPT_EOL, IPOPT_NOP } from "../wire/ip_options.ts";
import { ip_off, ip_set_hlen, ip_set_len, ip_set_off, ip_set_sum, IP_HDRLEN, IP_MF, IP_OFFMASK } from "../wire/ipv4.ts";
import { AF_INET } from "../wire/sockaddr.ts";
import { in_delayed_cksum } from "./in_delayed_cksum.ts";
import type { Inet } from "./inet.ts";
import { ip_drop } from "./ip_drop.ts";
import { IPS_CANTFRAG, IPS_FRAGMENTED, IPS_ODROPPED, IPS_OFRAGMENTS } from "./ip_stat.ts";

/** Room left before the header of a fragment for a link header. */
const MAX_LINKHDR = 32;

/** Sends m, whose header of hlen bytes is valid but for the checksum, in fragments of at most mtu bytes. Returns an errno. Consumes m. */
export function ip_fragment_output(
  inet: Inet,
  m: Mbuf,
  hlen: number,
  total: number,
  mtu: number,
  ifp: Ifnet,
  nexthop: number,
  rt: Rtentry | null,
): number {
  const dv = inet.dv;
  const len = (mtu - hlen) & ~7;
  if (len < 8) {
    ip_drop(inet, m, IPS_CANTFRAG);
    return EMSGSIZE;
  }
  in_delayed_cksum(inet, m, hlen);
  // A superframe whose segments would not fit either goes as one packet in fragments: nobody may cut the first of them again.
  m.m_gso_type = 0;
  m.m_gso_size = 0;
  m.m_hdr_len = 0;
  const off0 = ip_off(dv, m.m_off);
  let head: Mbuf | null = null;
  let tail: Mbuf | null = null;
  for (let at = hlen + len; at < total; at += len) {
    const n = at + len >= total ? total - at : len;
    const mf = at + n < total ? IP_MF : off0 & IP_MF;
    const frag = ip_fragment_make(
      inet,
      m,
      hlen,
      at,
      n,
      ((off0 & IP_OFFMASK) + ((at - hlen) >> 3)) | (off0 & ~(IP_OFFMASK | IP_MF)) | mf,
    );
    if (frag === null) {
      ip_fragments_free(head);
      ip_drop(inet, m, IPS_ODROPPED);
      return ENOBUFS;
    }
    if (tail === null) head = frag;
    else tail.m_nextpkt = frag;
    tail = frag;
  }
  m_adj(m, hlen + len - total);
  ip_set_len(dv, m.m_off, hlen + len);
  ip_set_off(dv, m.m_off, off0 | IP_MF);
  ip_set_sum(dv, m.m_off, 0);
  ip_set_sum(dv, m.m_off, cksum(dv, m.m_off, hlen));
  m.m_csum_flags &= ~M_CSUM_IPv4;
  m.m_nextpkt = head;
  inet.ipstat[IPS_FRAGMENTED]++;
  return ip_fragments_send(inet, m, ifp, nexthop, rt);
}

/** One later fragment: bytes [at, at + n) of m behind a header of its own with `ipoff`. */
function ip_fragment_make(inet: Inet, m0: Mbuf, hlen: number, at: number, n: number, ipoff: number): Mbuf | null {
  const dv = inet.dv;
  const m = m_gethdr(inet.k.mb, MT_HEADER);
  if (m === null) return null;
  m.m_off += MAX_LINKHDR;
  inet.u8.copyWithin(m.m_off, m0.m_off, m0.m_off + IP_HDRLEN);
  const mhlen = IP_HDRLEN + (hlen > IP_HDRLEN ? ip_optcopy(inet, m0.m_off, hlen, m.m_off) : 0);
  m.m_len = mhlen;
  m.m_pkthdr_len = mhlen;
  m.m_flags |= m0.m_flags & (M_BCAST | M_MCAST);
  m.m_rcvif = m0.m_rcvif;
  ip_set_hlen(dv, m.m_off, mhlen);
  ip_set_len(dv, m.m_off, mhlen + n);
  ip_set_off(dv, m.m_off, ipoff);
  const data = m_copym(m0, at, n);
  if (data === null) {
    m_freem(m);
    return null;
  }
  m_cat(m, data);
  m.m_pkthdr_len = mhlen + n;
  ip_set_sum(dv, m.m_off, 0);
  ip_set_sum(dv, m.m_off, cksum(dv, m.m_off, mhlen));
  return m;
}

/** Copies the options that every fragment carries (RFC 791 §3.1, the copied flag) from one header to another; bytes written, padded to a multiple of four. */
function ip_optcopy(inet: Inet, from: number, hlen: number, to: number): number {
  const u8 = inet.u8;
  let cp = from + IP_HDRLEN;
  const end = from + hlen;
  let dp = to + IP_HDRLEN;
  while (cp < end) {
    const opt = u8[cp];
    if (opt === IPOPT_EOL) break;
    if (opt === IPOPT_NOP) {
      u8[dp++] = IPOPT_NOP;
      cp++;
      continue;
    }
    const optlen = cp + 1 < end ? u8[cp + 1] : 0;
    // A raw socket may send options that are not well formed: stop there, the rest is padding.
    if (optlen < 2 || cp + optlen > end) break;
    if (IPOPT_COPIED(opt)) {
      u8.copyWithin(dp, cp, cp + optlen);
      dp += optlen;
    }
    cp += optlen;
  }
  while (((dp - to) & 3) !== 0) u8[dp++] = IPOPT_EOL;
  return dp - to - IP_HDRLEN;
}

/** Sends a list of fragments; after the first error the rest is dropped, as a datagram with a hole is of no use. */
function ip_fragments_send(inet: Inet, m0: Mbuf, ifp: Ifnet, nexthop: number, rt: Rtentry | null): number {
  let error = 0;
  let m: Mbuf | null = m0;
  while (m !== null) {
    const next: Mbuf | null = m.m_nextpkt;
    m.m_nextpkt = null;
    if (error === 0) {
      inet.ipstat[IPS_OFRAGMENTS]++;
      error = ifp.if_output(ifp, m, AF_INET, nexthop, rt);
    } else ip_drop(inet, m, IPS_ODROPPED);
    m = next;
  }
  return error;
}

function ip_fragments_free(head: Mbuf | null): void {
  for (let m = head; m !== null; ) {
    const next: Mbuf | null = m.m_nextpkt;
    m.m_nextpkt = null;
    m_freem(m);
    m = next;
  }
}
