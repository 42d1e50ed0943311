/*
 * Raw IPv4 sockets (raw(7) of the Internet family): packets of any protocol, as they came.
 */
import { M_COPYALL } from "../kern/mbuf.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import { m_copym } from "../kern/mbuf_copy.ts";
import { sbappendaddr_in } from "../socket/sockbuf_append.ts";
import { soroverflow, sorwakeup } from "../socket/uipc_socket2.ts";
import { ICMP_UNREACH, ICMP_UNREACH_PROTOCOL } from "../wire/icmp.ts";
import { INADDR_ANY, IPPROTO_ICMP, IPPROTO_IGMP } from "../wire/in.ts";
import { ip_dst, ip_src } from "../wire/ipv4.ts";
import { icmp_error } from "./icmp_error.ts";
import type { Inpcb } from "./in_pcb.ts";
import type { Inet } from "./inet.ts";
import { drop_verdict } from "./ip_drop.ts";
import { ip_savecontrol, ip_wants_control } from "./ip_savecontrol.ts";
import { IPS_DELIVERED, IPS_MINTTL, IPS_NOPROTO, IPS_RCVMEMDROP } from "./ip_stat.ts";

/** Does the packet at slab offset `ip` belong to this socket? */
function rip_match(inet: Inet, inp: Inpcb, ip: number, proto: number): boolean {
  if (inp.inp_proto !== 0 && inp.inp_proto !== proto) return false;
  if (inp.inp_laddr !== INADDR_ANY && inp.inp_laddr !== ip_dst(inet.dv, ip)) return false;
  return inp.inp_faddr === INADDR_ANY || inp.inp_faddr === ip_src(inet.dv, ip);
}

/** Gives m, header and all, to a socket. Consumes m. */
function rip_append(inet: Inet, inp: Inpcb, m: Mbuf): void {
  if (inp.inp_ip_minttl !== 0 && inet.dv.getUint8(m.m_off + 8) < inp.inp_ip_minttl) {
    inet.ipstat[IPS_MINTTL]++;
    return m_freem(m);
  }
  const control = ip_wants_control(inp) ? ip_savecontrol(inet, inp, m) : null;
  if (!sbappendaddr_in(inp.inp_socket.so_rcv, ip_src(inet.dv, m.m_off), 0, m, control)) {
    inet.ipstat[IPS_RCVMEMDROP]++;
    m_freem(control);
    soroverflow(inp.inp_socket);
    return m_freem(m);
  }
  sorwakeup(inp.inp_socket);
}

/**
 * A packet for raw sockets: of a protocol that nobody else handles, or one that its handler passes on. Consumes m. If nobody wants it and nobody else handled it, its
 * sender hears so (RFC 1122 §3.2.2.1).
 */
export function rip_input(inet: Inet, m: Mbuf, _hlen: number, proto: number): void {
  let last: Inpcb | null = null;
  for (const inp of inet.rawcbtable.inpt_all) {
    if (!rip_match(inet, inp, m.m_off, proto)) continue;
    if (last !== null) {
      const copy = m_copym(m, 0, M_COPYALL);
      if (copy !== null) rip_append(inet, last, copy);
      else inet.ipstat[IPS_RCVMEMDROP]++;
    }
    last = inp;
  }
  if (last !== null) return rip_append(inet, last, m);
  if (proto === IPPROTO_ICMP || proto === IPPROTO_IGMP) return m_freem(m);
  inet.ipstat[IPS_NOPROTO]++;
  inet.ipstat[IPS_DELIVERED]--;
  drop_verdict(m, "ip: noproto");
  icmp_error(inet, m, ICMP_UNREACH, ICMP_UNREACH_PROTOCOL, 0, 0);
}
