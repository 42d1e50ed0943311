/*
 * Control data of IPv4 sockets: what came with a packet (IP_RECV*), and what one send asks for (IP_PKTINFO, IP_SENDSRCADDR).
 */
import { EADDRNOTAVAIL, EINVAL } from "../../hypercall/api/errno.ts";
import { Timespec } from "../../hypercall/api/clock.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { if_byindex } from "../net/if_attach.ts";
import {
  cmsg_len,
  cmsg_level,
  cmsg_next,
  cmsg_type,
  cmsg_valid,
  CMSG_HDRLEN,
  sballoccontrol,
  sbcreatecontrol,
} from "../socket/cmsg.ts";
import { SCM_TIMESTAMP, SO_TIMESTAMP, SOL_SOCKET } from "../socket/socket_abi.ts";
import { IN_MULTICAST, INADDR_ANY, IPPROTO_IP } from "../wire/in.ts";
import { ip_dst, ip_hlen, ip_ttl, IP_HDRLEN } from "../wire/ipv4.ts";
import { mk_sockaddr_dl } from "../wire/sockaddr.ts";
import { IP_PKTINFO, IP_RECVDSTADDR, IP_RECVIF, IP_RECVOPTS, IP_RECVRETOPTS, IP_RECVTTL } from "./in.ts";
import { in_get_ia, in_get_ia_on_iface } from "./in_ifaddr.ts";
import {
  INP_BINDANY,
  INP_CONTROLOPTS,
  INP_RECVDSTADDR,
  INP_RECVIF,
  INP_RECVOPTS,
  INP_RECVPKTINFO,
  INP_RECVRETOPTS,
  INP_RECVTTL,
} from "./in_pcb.ts";
import type { Inpcb } from "./in_pcb.ts";
import type { Inet } from "./inet.ts";
import { m_get_rcvif } from "./ip_drop.ts";
import { ip_srcroute } from "./ip_srcroute.ts";
import { IpMoptions } from "./ip_var.ts";
import type { IpPktopts } from "./ip_var.ts";

/** sizeof(struct in_pktinfo): address, interface index. */
const IN_PKTINFO_LEN = 8;
/** sizeof(struct timeval) as SCM_TIMESTAMP carries it. */
const TIMEVAL_LEN = 16;

/** A list of control mbufs being made. */
class ControlList {
  head: Mbuf | null = null;
  tail: Mbuf | null = null;
  add(m: Mbuf | null): void {
    if (m === null) return;
    if (this.tail === null) this.head = m;
    else this.tail.m_next = m;
    this.tail = m;
  }
}

/** Does the socket want control data at all? */
// hot
export function ip_wants_control(inp: Inpcb): boolean {
  return (inp.inp_flags & INP_CONTROLOPTS) !== 0 || (inp.inp_socket.so_options & SO_TIMESTAMP) !== 0;
}

/** The control data that the socket asked for about the packet m. What there is no memory for is lost, as the packet might have been. */
export function ip_savecontrol(inet: Inet, inp: Inpcb, m: Mbuf): Mbuf | null {
  const list = new ControlList();
  const mb = inet.k.mb;
  const dv = inet.dv;
  const ip = m.m_off;
  const ifp = m_get_rcvif(m);
  if ((inp.inp_socket.so_options & SO_TIMESTAMP) !== 0) list.add(timestamp(inet));
  if ((inp.inp_flags & INP_RECVDSTADDR) !== 0) list.add(word_control(inet, ip_dst(dv, ip), IP_RECVDSTADDR));
  if ((inp.inp_flags & INP_RECVPKTINFO) !== 0)
    list.add(pktinfo(inet, ip_dst(dv, ip), ifp === null ? 0 : ifp.if_index, IP_PKTINFO));
  if ((inp.inp_flags & INP_RECVTTL) !== 0)
    list.add(sbcreatecontrol(mb, Uint8Array.of(ip_ttl(dv, ip)), 1, IP_RECVTTL, IPPROTO_IP));
  if ((inp.inp_flags & INP_RECVIF) !== 0 && ifp !== null) {
    const sdl = mk_sockaddr_dl(ifp.if_index, 0, ifp.if_xname);
    list.add(sbcreatecontrol(mb, sdl, sdl.length, IP_RECVIF, IPPROTO_IP));
  }
  if ((inp.inp_flags & INP_RECVOPTS) !== 0 && ip_hlen(dv, ip) > IP_HDRLEN) {
    const opts = inet.u8.slice(ip + IP_HDRLEN, ip + ip_hlen(dv, ip));
    list.add(sbcreatecontrol(mb, opts, opts.length, IP_RECVOPTS, IPPROTO_IP));
  }
  if ((inp.inp_flags & INP_RECVRETOPTS) !== 0) list.add(retopts(inet));
  return list.head;
}

/** SCM_TIMESTAMP: the wall clock now, struct timeval. */
function timestamp(inet: Inet): Mbuf | null {
  const c = sballoccontrol(inet.k.mb, TIMEVAL_LEN, SCM_TIMESTAMP, SOL_SOCKET);
  if (c === null) return null;
  const ts = new Timespec();
  inet.k.wall(ts);
  const at = c.m_off + CMSG_HDRLEN;
  inet.dv.setUint32(at, ts.sec >>> 0, true);
  inet.dv.setUint32(at + 4, Math.floor(ts.sec / 2 ** 32), true);
  inet.dv.setInt32(at + 8, Math.floor(ts.nsec / 1000), true);
  return c;
}

function word_control(inet: Inet, v: number, type: number): Mbuf | null {
  const c = sballoccontrol(inet.k.mb, 4, type, IPPROTO_IP);
  if (c !== null) inet.dv.setInt32(c.m_off + CMSG_HDRLEN, v);
  return c;
}

function pktinfo(inet: Inet, addr: number, index: number, type: number): Mbuf | null {
  const c = sballoccontrol(inet.k.mb, IN_PKTINFO_LEN, type, IPPROTO_IP);
  if (c === null) return null;
  inet.dv.setInt32(c.m_off + CMSG_HDRLEN, addr);
  inet.dv.setUint32(c.m_off + CMSG_HDRLEN + 4, index, true);
  return c;
}

/** IP_RECVRETOPTS: the source route reversed, in the form of IP_OPTIONS: first hop, then the options. */
function retopts(inet: Inet): Mbuf | null {
  const rt = ip_srcroute(inet);
  if (rt === null) return null;
  const out = new Uint8Array(4 + rt.ipopt_len);
  for (let i = 0; i < 4; i++) out[i] = rt.ipopt_dst >>> (24 - 8 * i);
  out.set(rt.ipopt_list.subarray(0, rt.ipopt_len), 4);
  return sbcreatecontrol(inet.k.mb, out, out.length, IP_RECVRETOPTS, IPPROTO_IP);
}

/** Reads the control data of a send into pkt. EINVAL: malformed or unknown, EADDRNOTAVAIL: not our address, or no such interface. Does not consume it. */
export function ip_setpktopts(inet: Inet, inp: Inpcb, control: Mbuf, pkt: IpPktopts): number {
  pkt.ippo_laddr = 0;
  pkt.ippo_ifp = null;
  if (control.m_next !== null) return EINVAL;
  if (control.m_len === 0) return 0;
  const mb = inet.k.mb;
  if (!cmsg_valid(control, control.m_off)) return EINVAL;
  let at = control.m_off;
  while (at > 0) {
    if (cmsg_level(mb, at) === IPPROTO_IP) {
      const error = pktopt(inet, pkt, cmsg_type(mb, at), at + CMSG_HDRLEN, cmsg_len(mb, at) - CMSG_HDRLEN);
      if (error !== 0) return error;
    }
    at = cmsg_next(control, at);
  }
  if (at < 0) return EINVAL;
  if (pkt.ippo_laddr === INADDR_ANY || (inp.inp_flags & INP_BINDANY) !== 0) return 0;
  const ok = pkt.ippo_ifp === null ? in_get_ia(inet, pkt.ippo_laddr) : in_get_ia_on_iface(pkt.ippo_laddr, pkt.ippo_ifp);
  return ok === null || IN_MULTICAST(pkt.ippo_laddr) ? EADDRNOTAVAIL : 0;
}

function pktopt(inet: Inet, pkt: IpPktopts, type: number, at: number, len: number): number {
  if (type === IP_PKTINFO) {
    if (len !== IN_PKTINFO_LEN) return EINVAL;
    pkt.ippo_laddr = inet.dv.getInt32(at);
    const index = inet.dv.getUint32(at + 4, true);
    pkt.ippo_ifp = index === 0 ? null : if_byindex(inet.net, index);
    return index !== 0 && pkt.ippo_ifp === null ? EADDRNOTAVAIL : 0;
  }
  if (type === IP_RECVDSTADDR) {
    if (len !== 4) return EINVAL;
    pkt.ippo_laddr = inet.dv.getInt32(at);
    return 0;
  }
  return EINVAL;
}

/** The multicast state for a send through the interface that control data named: a copy of the socket's with that interface. */
export function ip_pktopts_imo(imo: IpMoptions | null, pkt: IpPktopts): IpMoptions {
  const out = new IpMoptions();
  if (imo !== null) {
    out.imo_multicast_ttl = imo.imo_multicast_ttl;
    out.imo_multicast_loop = imo.imo_multicast_loop;
  }
  out.imo_multicast_ifp = pkt.ippo_ifp;
  return out;
}
