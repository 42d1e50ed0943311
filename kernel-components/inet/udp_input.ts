/*
 * UDP input (RFC 768, RFC 1122 §4.1.3), once for every address family.
 */
import { in_cksum } from "../kern/in_cksum.ts";
import { M_CSUM_DATA, M_CSUM_OK, M_CSUM_TCP_UDP_BAD, M_COPYALL } from "../kern/mbuf.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import { m_copym } from "../kern/mbuf_copy.ts";
import { m_adj, m_pullup, m_split } from "../kern/mbuf_ops.ts";
import { soroverflow, sorwakeup } from "../socket/uipc_socket2.ts";
import { IPPROTO_UDP } from "../wire/in.ts";
import { UDP_HDRLEN } from "../wire/udp.ts";
import type { InetAf } from "./inet_af.ts";
import type { Inpcb } from "./in_pcb.ts";
import type { Inet } from "./inet.ts";
import { drop_verdict } from "./ip_drop.ts";
import { IPS_MINTTL } from "./ip_stat.ts";
import {
  UDPS_BADLEN,
  UDPS_BADPORT,
  UDPS_BADSUM,
  UDPS_FULLSOCK,
  UDPS_HDROPS,
  UDPS_IPACKETS,
  UDPS_NOPORT,
  UDPS_NOPORTBCAST,
  UDPS_NOSUM,
  udpstat_names,
} from "./udp_stat.ts";

function udp_drop(inet: Inet, m: Mbuf, stat: number): void {
  inet.udpstat[stat]++;
  drop_verdict(m, `udp: ${udpstat_names[stat]}`);
  m_freem(m);
}

/** A datagram for this host, from its IP header of hlen bytes on. Consumes m. Preconditions: the IP header is valid and contiguous. */
// hot
export function udp_input(inet: Inet, af: InetAf, m0: Mbuf, hlen: number): void {
  const dv = inet.dv;
  inet.udpstat[UDPS_IPACKETS]++;
  let m = m0;
  const plen = af.payload_len(m, hlen);
  if (plen < UDP_HDRLEN) return udp_drop(inet, m, UDPS_HDROPS);
  if (m.m_len < hlen + UDP_HDRLEN) {
    const p = m_pullup(m, hlen + UDP_HDRLEN);
    if (p === null) return void inet.udpstat[UDPS_HDROPS]++;
    m = p;
  }
  const uh = m.m_off + hlen;
  const ulen = dv.getUint16(uh + 4);
  if (ulen !== plen) {
    // Trust the smaller of two lengths that agree: one beyond the packet is a lie (RFC 768, Ripple20).
    if (ulen > plen || ulen < UDP_HDRLEN) return udp_drop(inet, m, UDPS_BADLEN);
    m_adj(m, ulen - plen);
  }
  if (dv.getUint16(uh + 6) === 0) {
    if (!udp_nosum_ok(af)) return udp_drop(inet, m, UDPS_NOSUM);
    inet.udpstat[UDPS_NOSUM]++;
  } else if (!udp_cksum_ok(inet, af, m, hlen, ulen)) return udp_drop(inet, m, UDPS_BADSUM);
  const sport = dv.getUint16(uh);
  const dport = dv.getUint16(uh + 2);
  if (dport === 0 || !af.source_ok(m)) return udp_drop(inet, m, UDPS_BADPORT);
  if (af.dst_multi(m)) return udp_input_multi(inet, af, m, hlen, sport, dport);
  const inp = af.pcblookup(inet.udbtable, m, sport, dport);
  if (inp === null) {
    inet.udpstat[UDPS_NOPORT]++;
    drop_verdict(m, "udp: noport");
    return af.unreach_port(m);
  }
  if (m.m_gso_size !== 0 && ulen - UDP_HDRLEN > m.m_gso_size) return udp_append_gso(inet, af, inp, m, hlen, sport);
  udp_append(inet, af, inp, m, hlen, sport);
}

/** May the checksum be absent? Over IPv4 (RFC 768); not over IPv6 (RFC 8200 §8.1). */
function udp_nosum_ok(af: InetAf): boolean {
  return af.hdrlen === 20;
}

/** Is the checksum right, or vouched for by the interface? */
// hot
function udp_cksum_ok(inet: Inet, af: InetAf, m: Mbuf, hlen: number, ulen: number): boolean {
  const f = m.m_csum_flags;
  if ((f & (M_CSUM_OK | M_CSUM_DATA)) !== 0) return true;
  if ((f & af.csum_udp) !== 0) return (f & M_CSUM_TCP_UDP_BAD) === 0;
  return in_cksum(inet.k, m, hlen, ulen, af.phdr_in(m, IPPROTO_UDP, ulen)) === 0;
}

/** Broadcasts and multicasts go to every socket that they match (RFC 1122 §4.1.3.3): copies share the data. */
function udp_input_multi(inet: Inet, af: InetAf, m: Mbuf, hlen: number, sport: number, dport: number): void {
  let last: Inpcb | null = null;
  for (let inp = inet.udbtable.port_first(dport); inp !== null; inp = inp.inp_port_next) {
    if (inp.inp_af !== af || !af.pcbmatch_multi(inp, m, sport)) continue;
    if (last !== null) {
      const copy = m_copym(m, 0, M_COPYALL);
      if (copy !== null) udp_append(inet, af, last, copy, hlen, sport);
      else inet.udpstat[UDPS_FULLSOCK]++;
    }
    last = inp;
  }
  if (last === null) return udp_drop(inet, m, UDPS_NOPORTBCAST);
  udp_append(inet, af, last, m, hlen, sport);
}

/** Gives the data of m to a socket, with its sender's address and what control data was asked for. Consumes m. */
// hot
function udp_append(inet: Inet, af: InetAf, inp: Inpcb, m: Mbuf, hlen: number, sport: number): void {
  if (!af.minttl_ok(inp, m)) {
    inet.ipstat[IPS_MINTTL]++;
    drop_verdict(m, "ip: minttl");
    return m_freem(m);
  }
  const ip = m.m_off;
  const control = af.savecontrol(inp, m);
  // The IP header stays where it is in the first mbuf, in front of the data, for sbappend to read.
  m_adj(m, hlen + UDP_HDRLEN);
  if (!af.sbappend(inp, ip, sport, m, control)) {
    m_freem(control);
    soroverflow(inp.inp_socket);
    return udp_drop(inet, m, UDPS_FULLSOCK);
  }
  sorwakeup(inp.inp_socket);
}

/** A superframe that a device made of several datagrams (UDP GRO): each becomes a record of its own. Consumes m. */
function udp_append_gso(inet: Inet, af: InetAf, inp: Inpcb, m: Mbuf, hlen: number, sport: number): void {
  const ip = m.m_off;
  const size = m.m_gso_size;
  const control0 = af.savecontrol(inp, m);
  m.m_gso_size = 0;
  m.m_gso_type = 0;
  inet.u8.copyWithin(inet.scratch, ip, ip + hlen);
  m_adj(m, hlen + UDP_HDRLEN);
  let rest: Mbuf | null = m;
  let control = control0;
  while (rest !== null) {
    const one: Mbuf = rest;
    const more = one.m_pkthdr_len > size;
    rest = more ? m_split(one, size) : null;
    if (more && rest === null) {
      // No memory: what cannot be taken apart must not arrive as one datagram.
      udp_drop(inet, one, UDPS_FULLSOCK);
      break;
    }
    if (rest !== null) inet.udpstat[UDPS_IPACKETS]++;
    const mine = control;
    control = rest !== null && mine !== null ? m_copym(mine, 0, M_COPYALL) : null;
    if (!af.sbappend(inp, inet.scratch, sport, one, mine)) {
      m_freem(mine);
      soroverflow(inp.inp_socket);
      udp_drop(inet, one, UDPS_FULLSOCK);
    }
  }
  m_freem(control);
  sorwakeup(inp.inp_socket);
}
