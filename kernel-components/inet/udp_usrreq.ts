/*
 * UDP output and user requests (RFC 768, udp(4)), once for every address family.
 */
import { EINVAL, EISCONN, EMSGSIZE, ENOBUFS, ENOPROTOOPT, ENOTCONN, EOPNOTSUPP } from "../../hypercall/api/errno.ts";
import type { IfnetRef, Mbuf } from "../kern/mbuf.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import { m_prepend, m_pullup } from "../kern/mbuf_ops.ts";
import type { Lwp } from "../kern/proc.ts";
import type { Ifnet } from "../net/if.ts";
import { PRC_MSGSIZE, PrUsrreqs } from "../socket/protosw.ts";
import { soreserve } from "../socket/sockbuf_reserve.ts";
import { SS_ISCONNECTED } from "../socket/socketvar.ts";
import type { Socket, SockaddrOut, Sockopt } from "../socket/socketvar.ts";
import { socantsendmore, soisconnected, soisdisconnected, sorwakeup, sowwakeup } from "../socket/uipc_socket2.ts";
import { cksum_reduce } from "../wire/cksum.ts";
import { IPPROTO_UDP } from "../wire/in.ts";
import { uh_set_dport, uh_set_sport, uh_set_sum, uh_set_ulen, UDP_HDRLEN } from "../wire/udp.ts";
import { inetctlerrmap } from "./icmp_var.ts";
import type { IcmpCtl } from "./icmp_var.ts";
import { INP_CONNECTED } from "./in_pcb.ts";
import type { Inpcb } from "./in_pcb.ts";
import { in_pcblookup_connect } from "./in_pcb_ops.ts";
import type { InetAf } from "./inet_af.ts";
import type { Inet } from "./inet.ts";
import { ip_moptions_purgeif } from "./ip_moptions.ts";
import { ip_pmtu_update } from "./ip_pmtu.ts";
import { UDPS_OPACKETS } from "./udp_stat.ts";

/** The control block of a socket whose protocol is one of ours. */
export function sotoinpcb(so: Socket): Inpcb | null {
  return so.so_pcb as Inpcb | null;
}

/** Sends m along the flow of inp. Returns an errno. Consumes m and control. */
// hot
export function udp_output(
  inet: Inet,
  inp: Inpcb,
  m0: Mbuf,
  nam: Uint8Array | null,
  control: Mbuf | null,
  l: Lwp | null,
): number {
  const af = inp.inp_af;
  const len = m0.m_pkthdr_len + UDP_HDRLEN;
  if (len > af.maxpayload) return udp_output_fail(m0, control, EMSGSIZE);
  const error = af.flow_setup(inp, nam, control, l);
  if (error !== 0) return udp_output_fail(m0, control, error);
  if (control !== null) m_freem(control);
  const hlen = af.hdrlen;
  const p = m_prepend(m0, hlen + UDP_HDRLEN);
  if (p === null) return ENOBUFS;
  const m = p.m_len < hlen + UDP_HDRLEN ? m_pullup(p, hlen + UDP_HDRLEN) : p;
  if (m === null) return ENOBUFS;
  const dv = inet.dv;
  const uh = m.m_off + hlen;
  uh_set_sport(dv, uh, af.flow.lport);
  uh_set_dport(dv, uh, af.flow.fport);
  uh_set_ulen(dv, uh, len);
  if (inet.udpcksum !== 0) {
    // The field holds the sum of the pseudo-header until the interface, or ip_output for it, completes it.
    uh_set_sum(dv, uh, cksum_reduce(af.phdr_out(IPPROTO_UDP, len)));
    m.m_csum_flags = af.csum_udp;
  } else {
    uh_set_sum(dv, uh, 0);
    m.m_csum_flags = 0;
  }
  m.m_rcvif = null;
  inet.udpstat[UDPS_OPACKETS]++;
  return af.flow_output(inp, m, IPPROTO_UDP);
}

function udp_output_fail(m: Mbuf, control: Mbuf | null, error: number): number {
  m_freem(m);
  if (control !== null) m_freem(control);
  return error;
}

/** Tells a socket of an error that the network reported. */
export function udp_notify(inp: Inpcb, error: number): void {
  const so = inp.inp_socket;
  so.so_error = error;
  sorwakeup(so);
  sowwakeup(so);
}

/**
 * An ICMP error about a datagram of ours. Believed only if it quotes the addresses and ports of a socket that is connected so: what an unconnected socket sent
 * cannot be told from what somebody made up (RFC 5927 §4.1 in spirit; RFC 1122 §4.1.3.3).
 */
export function udp_ctlinput(inet: Inet, cmd: number, q: IcmpCtl): void {
  const inp = in_pcblookup_connect(inet, inet.udbtable, q.dst, q.dport, q.src, q.sport);
  if (inp === null) return;
  if (cmd === PRC_MSGSIZE) {
    ip_pmtu_update(inet, q.dst, q.nextmtu, q.len);
    inp.inp_errormtu = q.nextmtu;
  }
  const error = inetctlerrmap[cmd] ?? 0;
  if (error !== 0) udp_notify(inp, error);
}

/** The user requests of UDP over one address family. */
export function udp_usrreqs(inet: Inet, af: InetAf): PrUsrreqs {
  return new PrUsrreqs({
    pr_attach: (so) => udp_attach(inet, af, so),
    pr_detach: (so) => {
      const inp = sotoinpcb(so);
      if (inp !== null) inp.inp_af.pcbdetach(inp);
    },
    pr_bind: (so, nam, l) => {
      const inp = sotoinpcb(so);
      return inp === null ? EINVAL : inp.inp_af.pcbbind(inp, nam, l);
    },
    pr_listen: () => EOPNOTSUPP,
    pr_connect: (so, nam, l) => udp_connect(so, nam, l),
    pr_disconnect: (so) => udp_disconnect(so),
    pr_shutdown: (so) => {
      socantsendmore(so);
      return 0;
    },
    pr_abort: (so) => {
      soisdisconnected(so);
      const inp = sotoinpcb(so);
      if (inp !== null) inp.inp_af.pcbdetach(inp);
      return 0;
    },
    pr_ioctl: (_so, cmd, data, ifp) => inet.control(cmd, data, ifp as Ifnet | null),
    pr_peeraddr: (so, nam) => inp_peeraddr(so, nam),
    pr_sockaddr: (so, nam) => inp_sockaddr(so, nam),
    pr_send: (so, m, nam, control, l) => {
      const inp = sotoinpcb(so);
      return inp === null ? udp_output_fail(m, control, EINVAL) : udp_output(inet, inp, m, nam, control, l);
    },
    pr_purgeif: (so, ifp) => inp_purgeif(so, ifp),
  });
}

function udp_attach(inet: Inet, af: InetAf, so: Socket): number {
  if (so.so_pcb !== null) return EISCONN;
  const error =
    so.so_snd.sb_hiwat === 0 || so.so_rcv.sb_hiwat === 0 ? soreserve(so, inet.udp_sendspace, inet.udp_recvspace) : 0;
  if (error !== 0) return error;
  af.pcballoc(so, inet.udbtable);
  return 0;
}

function udp_connect(so: Socket, nam: Uint8Array, l: Lwp): number {
  const inp = sotoinpcb(so);
  if (inp === null) return EINVAL;
  if (inp.inp_state === INP_CONNECTED) inp.inp_af.pcbdisconnect(inp);
  const error = inp.inp_af.pcbconnect(inp, nam, l);
  if (error === 0) soisconnected(so);
  else so.so_state &= ~SS_ISCONNECTED;
  return error;
}

function udp_disconnect(so: Socket): number {
  const inp = sotoinpcb(so);
  if (inp === null) return EINVAL;
  if (inp.inp_state !== INP_CONNECTED) return ENOTCONN;
  inp.inp_af.pcbdisconnect(inp);
  so.so_state &= ~SS_ISCONNECTED;
  return 0;
}

/** getsockname(2) of any Internet socket. */
export function inp_sockaddr(so: Socket, nam: SockaddrOut): number {
  const inp = sotoinpcb(so);
  if (inp === null) return EINVAL;
  inp.inp_af.setsockaddr(inp, nam);
  return 0;
}

/** getpeername(2) of any Internet socket. */
export function inp_peeraddr(so: Socket, nam: SockaddrOut): number {
  const inp = sotoinpcb(so);
  if (inp === null) return EINVAL;
  if (inp.inp_state !== INP_CONNECTED) return ENOTCONN;
  inp.inp_af.setpeeraddr(inp, nam);
  return 0;
}

/** An interface goes away. */
export function inp_purgeif(so: Socket, ifp: IfnetRef): number {
  const inp = sotoinpcb(so);
  if (inp !== null && inp.inp_moptions !== null) ip_moptions_purgeif(inp.inp_moptions, ifp as Ifnet);
  return 0;
}

/** Options of UDP sockets: those of the address family. NetBSD's own UDP level has UDP_ENCAP only, which needs IPsec: ENOPROTOOPT. */
export function udp_ctloutput(af: InetAf, op: number, so: Socket, sopt: Sockopt): number {
  return sopt.sopt_level === IPPROTO_UDP ? ENOPROTOOPT : af.ctloutput(op, so, sopt);
}
