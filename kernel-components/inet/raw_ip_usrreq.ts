/*
 * Raw IPv4 sockets: output and user requests.
 */
import {
  EACCES,
  EADDRNOTAVAIL,
  EINVAL,
  EISCONN,
  EMSGSIZE,
  ENOBUFS,
  ENOPROTOOPT,
  ENOTCONN,
  EOPNOTSUPP,
  EPROTONOSUPPORT,
} from "../../hypercall/api/errno.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import { m_makewritable } from "../kern/mbuf_copy.ts";
import { m_prepend, m_pullup } from "../kern/mbuf_ops.ts";
import { M_UNWRITABLE } from "../kern/mbuf_space.ts";
import type { Ifnet } from "../net/if.ts";
import { is_super } from "../kern/proc.ts";
import { PRCO_GETOPT, PrUsrreqs } from "../socket/protosw.ts";
import { soreserve } from "../socket/sockbuf_reserve.ts";
import { sockopt_getint, sockopt_setint } from "../socket/sockopt.ts";
import { SO_BROADCAST, SO_DONTROUTE } from "../socket/socket_abi.ts";
import { SS_ISCONNECTED } from "../socket/socketvar.ts";
import type { Socket, Sockopt } from "../socket/socketvar.ts";
import { socantsendmore, soisconnected, soisdisconnected, sorwakeup, sowwakeup } from "../socket/uipc_socket2.ts";
import { INADDR_ANY, IPPROTO_IP, IPPROTO_MAX } from "../wire/in.ts";
import {
  ip_dst,
  ip_hlen,
  ip_id,
  ip_set_dst,
  ip_set_id,
  ip_set_len,
  ip_set_off,
  ip_set_p,
  ip_set_src,
  ip_set_tos,
  ip_set_ttl,
  ip_src,
  ip_len,
  IP_HDRLEN,
  IP_MAXPACKET,
} from "../wire/ipv4.ts";
import { sin_addr } from "../wire/sockaddr.ts";
import { IP_HDRINCL } from "./in.ts";
import { inetctlerrmap } from "./icmp_var.ts";
import type { IcmpCtl } from "./icmp_var.ts";
import { INP_CONNECTED, INP_HDRINCL } from "./in_pcb.ts";
import type { Inpcb } from "./in_pcb.ts";
import { in_pcbbind_addr, in_selectsrc, in_sockaddr_check, InSrc } from "./in_pcb_ops.ts";
import type { InetAf } from "./inet_af.ts";
import type { Inet } from "./inet.ts";
import { ip_newid } from "./ip_id.ts";
import { ip_output } from "./ip_output.ts";
import { ip_pktopts_imo, ip_setpktopts } from "./ip_savecontrol.ts";
import { IPS_RAWOUT } from "./ip_stat.ts";
import { IP_ALLOWBROADCAST, IP_RAWOUTPUT, IP_RETURNMTU, IP_ROUTETOIF, IpPktopts } from "./ip_var.ts";
import { inp_peeraddr, inp_purgeif, inp_sockaddr, sotoinpcb } from "./udp_usrreq.ts";

/** Sends m to dst; with IP_HDRINCL m begins with the header that the program wrote. Consumes m and control. */
function rip_output(inet: Inet, inp: Inpcb, m0: Mbuf, dst: number, control: Mbuf | null): number {
  const pkt = new IpPktopts();
  if (control !== null) {
    const error = ip_setpktopts(inet, inp, control, pkt);
    m_freem(control);
    if (error !== 0) {
      m_freem(m0);
      return error;
    }
  }
  const so = inp.inp_socket;
  let flags = IP_RETURNMTU;
  if ((so.so_options & SO_BROADCAST) !== 0) flags |= IP_ALLOWBROADCAST;
  if ((so.so_options & SO_DONTROUTE) !== 0) flags |= IP_ROUTETOIF;
  const imo = pkt.ippo_ifp !== null ? ip_pktopts_imo(inp.inp_moptions, pkt) : inp.inp_moptions;
  if ((inp.inp_flags & INP_HDRINCL) !== 0) return rip_output_hdrincl(inet, inp, m0, flags);
  if (m0.m_pkthdr_len + IP_HDRLEN > IP_MAXPACKET) {
    m_freem(m0);
    return EMSGSIZE;
  }
  const p = m_prepend(m0, IP_HDRLEN);
  const m = p === null ? null : p.m_len < IP_HDRLEN ? m_pullup(p, IP_HDRLEN) : p;
  if (m === null) return ENOBUFS;
  const dv = inet.dv;
  const o = m.m_off;
  ip_set_tos(dv, o, inp.inp_tos);
  ip_set_len(dv, o, m.m_pkthdr_len);
  ip_set_off(dv, o, 0);
  ip_set_ttl(dv, o, inp.inp_ttl >= 0 ? inp.inp_ttl : 255);
  ip_set_p(dv, o, inp.inp_proto);
  ip_set_src(dv, o, pkt.ippo_laddr !== INADDR_ANY ? pkt.ippo_laddr : inp.inp_laddr);
  ip_set_dst(dv, o, dst);
  m.m_rcvif = null;
  return ip_output(inet, m, inp.inp_options, null, flags, imo, inp);
}

/** The program wrote the header. What is left 0 is filled in (identification, source); the length must be that of the packet. */
function rip_output_hdrincl(inet: Inet, inp: Inpcb, m0: Mbuf, flags: number): number {
  const dv = inet.dv;
  if (m0.m_pkthdr_len < IP_HDRLEN || m0.m_pkthdr_len > IP_MAXPACKET) {
    const error = m0.m_pkthdr_len > IP_MAXPACKET ? EMSGSIZE : EINVAL;
    m_freem(m0);
    return error;
  }
  const p = m_pullup(m0, IP_HDRLEN);
  if (p === null) return ENOBUFS;
  const hlen = ip_hlen(dv, p.m_off);
  if (
    hlen < IP_HDRLEN ||
    hlen > p.m_pkthdr_len ||
    dv.getUint8(p.m_off) >>> 4 !== 4 ||
    ip_len(dv, p.m_off) !== p.m_pkthdr_len
  ) {
    m_freem(p);
    return EINVAL;
  }
  const m = hlen > p.m_len ? m_pullup(p, hlen) : p;
  if (m === null) return ENOBUFS;
  if (M_UNWRITABLE(m) && m_makewritable(m, 0, hlen) === null) {
    m_freem(m);
    return ENOBUFS;
  }
  if (ip_id(dv, m.m_off) === 0) ip_set_id(dv, m.m_off, ip_newid(inet.k, inet.ipid));
  if (ip_src(dv, m.m_off) === INADDR_ANY) {
    const src = new InSrc();
    if (inp.inp_laddr !== INADDR_ANY) ip_set_src(dv, m.m_off, inp.inp_laddr);
    else if (in_selectsrc(inet, ip_dst(dv, m.m_off), inp.inp_socket, inp.inp_moptions, src) === 0)
      ip_set_src(dv, m.m_off, src.addr);
  }
  m.m_rcvif = null;
  inet.ipstat[IPS_RAWOUT]++;
  return ip_output(inet, m, null, null, flags | IP_RAWOUTPUT, inp.inp_moptions, inp);
}

/** An ICMP error about a packet of ours: told to sockets that are connected to its destination. */
export function rip_ctlinput(inet: Inet, cmd: number, q: IcmpCtl): void {
  const error = inetctlerrmap[cmd] ?? 0;
  if (error === 0) return;
  for (const inp of inet.rawcbtable.inpt_all) {
    if (inp.inp_state !== INP_CONNECTED || inp.inp_faddr !== q.dst || (inp.inp_proto !== 0 && inp.inp_proto !== q.p))
      continue;
    if (inp.inp_laddr !== INADDR_ANY && inp.inp_laddr !== q.src) continue;
    inp.inp_socket.so_error = error;
    sorwakeup(inp.inp_socket);
    sowwakeup(inp.inp_socket);
  }
}

/** The user requests of raw sockets. */
export function rip_usrreqs(inet: Inet, af: InetAf): PrUsrreqs {
  return new PrUsrreqs({
    pr_attach: (so, proto) => rip_attach(inet, af, so, proto),
    pr_detach: (so) => {
      const inp = sotoinpcb(so);
      if (inp !== null) af.pcbdetach(inp);
    },
    pr_bind: (so, nam) => rip_bind(inet, so, nam),
    pr_listen: () => EOPNOTSUPP,
    pr_connect: (so, nam) => rip_connect(inet, so, nam),
    pr_disconnect: (so) => {
      const inp = sotoinpcb(so);
      if (inp === null) return EINVAL;
      if (inp.inp_state !== INP_CONNECTED) return ENOTCONN;
      inp.inp_faddr = INADDR_ANY;
      inp.inp_state = 0;
      so.so_state &= ~SS_ISCONNECTED;
      return 0;
    },
    pr_shutdown: (so) => {
      socantsendmore(so);
      return 0;
    },
    pr_abort: (so) => {
      soisdisconnected(so);
      const inp = sotoinpcb(so);
      if (inp !== null) af.pcbdetach(inp);
      return 0;
    },
    pr_ioctl: (_so, cmd, data, ifp) => inet.control(cmd, data, ifp as Ifnet | null),
    pr_peeraddr: inp_peeraddr,
    pr_sockaddr: inp_sockaddr,
    pr_send: (so, m, nam, control) => rip_send(inet, so, m, nam, control),
    pr_purgeif: inp_purgeif,
  });
}

/** Raw sockets are for the superuser: who has one can say anything in anybody's name. */
function rip_attach(inet: Inet, af: InetAf, so: Socket, proto: number): number {
  if (so.so_cred !== null && !is_super(so.so_cred)) return EACCES;
  if (proto < 0 || proto >= IPPROTO_MAX) return EPROTONOSUPPORT;
  if (so.so_pcb !== null) return EISCONN;
  const error = soreserve(so, inet.rip_sendspace, inet.rip_recvspace);
  if (error !== 0) return error;
  af.pcballoc(so, inet.rawcbtable).inp_proto = proto;
  return 0;
}

function rip_bind(inet: Inet, so: Socket, nam: Uint8Array | null): number {
  const inp = sotoinpcb(so);
  if (inp === null || nam === null) return EINVAL;
  const bad = in_sockaddr_check(nam);
  if (bad !== 0) return bad;
  const error = in_pcbbind_addr(inet, inp, sin_addr(nam));
  if (error !== 0) return EADDRNOTAVAIL;
  inp.inp_laddr = sin_addr(nam);
  return 0;
}

function rip_connect(inet: Inet, so: Socket, nam: Uint8Array): number {
  const inp = sotoinpcb(so);
  if (inp === null) return EINVAL;
  const bad = in_sockaddr_check(nam);
  if (bad !== 0) return bad;
  if (inet.in_ifaddrhead.length === 0) return EADDRNOTAVAIL;
  inp.inp_faddr = sin_addr(nam);
  inp.inp_state = INP_CONNECTED;
  soisconnected(so);
  return 0;
}

function rip_send(inet: Inet, so: Socket, m: Mbuf, nam: Uint8Array | null, control: Mbuf | null): number {
  const inp = sotoinpcb(so);
  let error = inp === null ? EINVAL : 0;
  let dst = 0;
  if (error === 0 && nam === null) {
    if (inp!.inp_state !== INP_CONNECTED) error = ENOTCONN;
    dst = inp!.inp_faddr;
  } else if (error === 0) {
    error = inp!.inp_state === INP_CONNECTED ? EISCONN : in_sockaddr_check(nam!);
    dst = error === 0 ? sin_addr(nam!) : 0;
  }
  if (error === 0) return rip_output(inet, inp!, m, dst, control);
  m_freem(m);
  if (control !== null) m_freem(control);
  return error;
}

/** Options of raw sockets: IP_HDRINCL, else those of IPv4. */
export function rip_ctloutput(af: InetAf, op: number, so: Socket, sopt: Sockopt): number {
  if (sopt.sopt_level !== IPPROTO_IP || sopt.sopt_name !== IP_HDRINCL) return af.ctloutput(op, so, sopt);
  const inp = sotoinpcb(so);
  if (inp === null) return ENOPROTOOPT;
  if (op === PRCO_GETOPT) return sockopt_setint(sopt, (inp.inp_flags & INP_HDRINCL) !== 0 ? 1 : 0);
  if (sopt.sopt_size !== 4) return EINVAL;
  inp.inp_flags = sockopt_getint(sopt) !== 0 ? inp.inp_flags | INP_HDRINCL : inp.inp_flags & ~INP_HDRINCL;
  return 0;
}
