/*
 * The IPv4 half of inet_af.ts.
 */
import { EADDRNOTAVAIL, EDESTADDRREQ, EISCONN } from "../../hypercall/api/errno.ts";
import { M_CSUM_TCPv4, M_CSUM_UDPv4, M_BCAST, M_MCAST } from "../kern/mbuf.ts";
import { in_ia_facing } from "./in_ifaddr.ts";
import { IN_IFF_NOTREADY } from "./in_var.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import type { Lwp } from "../kern/proc.ts";
import { sbappendaddr_in } from "../socket/sockbuf_append.ts";
import { SO_BROADCAST, SO_DONTROUTE } from "../socket/socket_abi.ts";
import type { Socket, SockaddrOut, Sockopt } from "../socket/socketvar.ts";
import { cksum_pseudo4 } from "../wire/cksum.ts";
import { ICMP_UNREACH, ICMP_UNREACH_PORT } from "../wire/icmp.ts";
import { IN_EXPERIMENTAL, IN_MULTICAST, INADDR_ANY, INADDR_BROADCAST } from "../wire/in.ts";
import {
  ip_dst,
  ip_len,
  ip_set_dst,
  ip_set_len,
  ip_set_off,
  ip_set_p,
  ip_set_src,
  ip_set_tos,
  ip_set_ttl,
  ip_src,
  ip_ttl,
  IP_HDRLEN,
  IP_MAXPACKET,
} from "../wire/ipv4.ts";
import { AF_INET, sin_addr, sin_init, sin_port, SOCKADDR_IN_LEN } from "../wire/sockaddr.ts";
import { icmp_error } from "./icmp_error.ts";
import { in_broadcast } from "./in_ifaddr.ts";
import { INP_BINDANY, INP_CONNECTED, Inpcb } from "./in_pcb.ts";
import {
  in_pcbbind,
  in_pcbconnect,
  in_pcbdisconnect,
  in_pcblookup_bind,
  in_pcblookup_connect,
  in_pcbsetport,
  in_pcbunhash,
  in_selectsrc,
  in_sockaddr_check,
  InSrc,
} from "./in_pcb_ops.ts";
import type { InpcbTable } from "./in_pcb_table.ts";
import { InetFlow } from "./inet_af.ts";
import type { InetAf } from "./inet_af.ts";
import type { Inet } from "./inet.ts";
import { ip_ctloutput } from "./ip_ctloutput.ts";
import { m_get_rcvif } from "./ip_drop.ts";
import { ip_freemoptions } from "./ip_moptions.ts";
import { ip_output } from "./ip_output.ts";
import { ip_pktopts_imo, ip_savecontrol, ip_setpktopts, ip_wants_control } from "./ip_savecontrol.ts";
import { UDPS_PCBHASHMISS } from "./udp_stat.ts";
import { IP_ALLOWBROADCAST, IP_RETURNMTU, IP_ROUTETOIF, IpPktopts } from "./ip_var.ts";

/** IPv4 as transport protocols see it. */
export class InetAf4 implements InetAf {
  readonly af: number = AF_INET;
  readonly hdrlen: number = IP_HDRLEN;
  readonly maxpayload: number = IP_MAXPACKET - IP_HDRLEN;
  readonly csum_udp: number = M_CSUM_UDPv4;
  readonly csum_tcp: number = M_CSUM_TCPv4;
  readonly flow: InetFlow = new InetFlow();
  private readonly inet: Inet;
  private readonly src: InSrc = new InSrc();
  private readonly pkt: IpPktopts = new IpPktopts();

  constructor(inet: Inet) {
    this.inet = inet;
  }

  pcballoc(so: Socket, table: InpcbTable): Inpcb {
    const inp = new Inpcb(this, so, table);
    table.insert(inp);
    so.so_pcb = inp;
    return inp;
  }

  pcbdetach(inp: Inpcb): void {
    in_pcbunhash(inp);
    ip_freemoptions(this.inet, inp.inp_moptions);
    inp.inp_moptions = null;
    inp.inp_options = null;
    inp.inp_socket.so_pcb = null;
  }

  pcbbind(inp: Inpcb, nam: Uint8Array | null, l: Lwp | null): number {
    return in_pcbbind(this.inet, inp, nam, l);
  }

  pcbconnect(inp: Inpcb, nam: Uint8Array, l: Lwp | null): number {
    return in_pcbconnect(this.inet, inp, nam, l);
  }

  pcbdisconnect(inp: Inpcb): void {
    in_pcbdisconnect(inp);
  }

  setsockaddr(inp: Inpcb, out: SockaddrOut): void {
    sin_init(out.sa, inp.inp_laddr, inp.inp_lport);
    out.len = SOCKADDR_IN_LEN;
  }

  setpeeraddr(inp: Inpcb, out: SockaddrOut): void {
    sin_init(out.sa, inp.inp_faddr, inp.inp_fport);
    out.len = SOCKADDR_IN_LEN;
  }

  ctloutput(op: number, so: Socket, sopt: Sockopt): number {
    return ip_ctloutput(this.inet, op, so, sopt);
  }

  payload_len(m: Mbuf, hlen: number): number {
    return ip_len(this.inet.dv, m.m_off) - hlen;
  }

  // hot
  phdr_in(m: Mbuf, proto: number, len: number): number {
    const dv = this.inet.dv;
    return cksum_pseudo4(dv.getInt32(m.m_off + 12), dv.getInt32(m.m_off + 16), proto, len);
  }

  source_ok(m: Mbuf): boolean {
    const src = ip_src(this.inet.dv, m.m_off);
    return !IN_MULTICAST(src) && !IN_EXPERIMENTAL(src);
  }

  // hot
  dst_multi(m: Mbuf): boolean {
    const dst = ip_dst(this.inet.dv, m.m_off);
    if (IN_MULTICAST(dst) || dst === INADDR_BROADCAST) return true;
    if ((m.m_flags & (M_BCAST | M_MCAST)) === 0) return false;
    const ifp = m_get_rcvif(m);
    return ifp !== null && in_broadcast(dst, ifp);
  }

  // hot
  pcblookup(table: InpcbTable, m: Mbuf, sport: number, dport: number): Inpcb | null {
    const dv = this.inet.dv;
    const laddr = dv.getInt32(m.m_off + 16);
    const inp = in_pcblookup_connect(this.inet, table, dv.getInt32(m.m_off + 12), sport, laddr, dport);
    if (inp !== null) return inp;
    if (table === this.inet.udbtable) this.inet.udpstat[UDPS_PCBHASHMISS]++;
    return in_pcblookup_bind(table, laddr, dport);
  }

  pcbmatch_multi(inp: Inpcb, m: Mbuf, sport: number): boolean {
    const dv = this.inet.dv;
    if (inp.inp_laddr !== INADDR_ANY && inp.inp_laddr !== ip_dst(dv, m.m_off)) return false;
    return inp.inp_faddr === INADDR_ANY || (inp.inp_faddr === ip_src(dv, m.m_off) && inp.inp_fport === sport);
  }

  // hot
  minttl_ok(inp: Inpcb, m: Mbuf): boolean {
    return inp.inp_ip_minttl === 0 || ip_ttl(this.inet.dv, m.m_off) >= inp.inp_ip_minttl;
  }

  // hot
  savecontrol(inp: Inpcb, m: Mbuf): Mbuf | null {
    return ip_wants_control(inp) ? ip_savecontrol(this.inet, inp, m) : null;
  }

  // hot
  sbappend(inp: Inpcb, ip: number, sport: number, m: Mbuf, control: Mbuf | null): boolean {
    return sbappendaddr_in(inp.inp_socket.so_rcv, this.inet.dv.getInt32(ip + 12), sport, m, control);
  }

  unreach_port(m: Mbuf): void {
    icmp_error(this.inet, m, ICMP_UNREACH, ICMP_UNREACH_PORT, 0, 0);
  }

  // hot
  flow_setup(inp: Inpcb, nam: Uint8Array | null, control: Mbuf | null, l: Lwp | null): number {
    const f = this.flow;
    f.imo = inp.inp_moptions;
    const pkt = this.pkt;
    pkt.ippo_laddr = 0;
    pkt.ippo_ifp = null;
    if (control !== null) {
      const error = ip_setpktopts(this.inet, inp, control, pkt);
      if (error !== 0) return error;
      if (pkt.ippo_ifp !== null) f.imo = ip_pktopts_imo(f.imo, pkt);
    }
    if (nam === null) {
      if (inp.inp_state !== INP_CONNECTED) return EDESTADDRREQ;
      f.faddr4 = inp.inp_faddr;
      f.fport = inp.inp_fport;
    } else {
      if (inp.inp_state === INP_CONNECTED) return EISCONN;
      const bad = in_sockaddr_check(nam);
      if (bad !== 0) return bad;
      f.faddr4 = sin_addr(nam);
      f.fport = sin_port(nam);
      if (f.fport === 0) return EADDRNOTAVAIL;
      if (f.faddr4 === INADDR_ANY && this.inet.in_ifaddrhead.length > 0) f.faddr4 = this.inet.in_ifaddrhead[0].ia_addr4;
    }
    if (inp.inp_lport === 0) {
      const error = in_pcbsetport(this.inet, inp, inp.inp_laddr, l, f.faddr4, f.fport);
      if (error !== 0) return error;
    }
    f.lport = inp.inp_lport;
    f.laddr4 = inp.inp_laddr;
    return this.flow_source(inp, pkt, f);
  }

  /** The source: what control data names (an address, or an interface's), else the socket's address, else the one that faces the destination. */
  // hot
  private flow_source(inp: Inpcb, pkt: IpPktopts, f: InetFlow): number {
    if (pkt.ippo_laddr !== INADDR_ANY) {
      f.laddr4 = pkt.ippo_laddr;
      return 0;
    }
    // A socket bound to a group or a broadcast address does not send from it (RFC 1122 §3.2.1.3 (e)).
    const bound = inp.inp_laddr;
    if (
      bound !== INADDR_ANY &&
      !IN_MULTICAST(bound) &&
      (this.inet.in_ifaddrhash.has(bound) || (inp.inp_flags & INP_BINDANY) !== 0)
    )
      return 0;
    if (pkt.ippo_ifp !== null && !IN_MULTICAST(f.faddr4)) {
      const ia = in_ia_facing(pkt.ippo_ifp, f.faddr4);
      if (ia === null || (ia.ia_flags & IN_IFF_NOTREADY) !== 0) return EADDRNOTAVAIL;
      f.laddr4 = ia.ia_addr4;
      return 0;
    }
    const error = in_selectsrc(this.inet, f.faddr4, inp.inp_socket, f.imo, this.src);
    if (error !== 0) return error;
    f.laddr4 = this.src.addr;
    return 0;
  }

  // hot
  phdr_out(proto: number, len: number): number {
    return cksum_pseudo4(this.flow.laddr4, this.flow.faddr4, proto, len);
  }

  // hot
  flow_output(inp: Inpcb, m: Mbuf, proto: number): number {
    const inet = this.inet;
    const dv = inet.dv;
    const o = m.m_off;
    const f = this.flow;
    ip_set_tos(dv, o, inp.inp_tos);
    ip_set_len(dv, o, m.m_pkthdr_len);
    ip_set_off(dv, o, 0);
    ip_set_ttl(dv, o, inp.inp_ttl >= 0 ? inp.inp_ttl : inet.ip_defttl);
    ip_set_p(dv, o, proto);
    ip_set_src(dv, o, f.laddr4);
    ip_set_dst(dv, o, f.faddr4);
    const so = inp.inp_socket;
    let flags = IP_RETURNMTU;
    if ((so.so_options & SO_BROADCAST) !== 0) flags |= IP_ALLOWBROADCAST;
    if ((so.so_options & SO_DONTROUTE) !== 0) flags |= IP_ROUTETOIF;
    return ip_output(inet, m, inp.inp_options, null, flags, f.imo, inp);
  }
}
