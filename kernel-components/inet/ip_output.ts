/*
 * IPv4 output: completes the header, finds the route and the source, obeys the rules of multicast and broadcast, and hands the packet, in fragments if it must be, to the
 * interface.
 */
import { EACCES, EADDRNOTAVAIL, EHOSTUNREACH, EMSGSIZE, ENETUNREACH, ENOBUFS } from "../../hypercall/api/errno.ts";
import { M_BCAST, M_CSUM_DATA, M_CSUM_IPv4, M_CSUM_TCPv4, M_CSUM_UDPv4, M_MCAST } from "../kern/mbuf.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import type { Ifnet } from "../net/if.ts";
import { IFF_BROADCAST, IFF_LOOPBACK, IFF_MULTICAST } from "../net/if_flags.ts";
import { PFIL_OUT, pfil_run_hooks } from "../net/pfil.ts";
import { rt_miss4, rtlookup4 } from "../net/route.ts";
import { RTF_GATEWAY } from "../net/rtentry.ts";
import type { Rtentry } from "../net/rtentry.ts";
import { cksum, ip_cksum20 } from "../wire/cksum.ts";
import { INADDR_ANY, INADDR_BROADCAST, IN_EXPERIMENTAL, IN_LOOPBACK, IN_MULTICAST } from "../wire/in.ts";
import {
  ip_dst,
  ip_hlen,
  ip_len,
  ip_off,
  ip_set_hlen,
  ip_set_id,
  ip_set_off,
  ip_set_src,
  ip_set_sum,
  ip_set_ttl,
  ip_src,
  ip_ttl,
  IP_DF,
  IP_HDRLEN,
} from "../wire/ipv4.ts";
import { AF_INET } from "../wire/sockaddr.ts";
import { IP_DEFAULT_MULTICAST_TTL } from "./in.ts";
import { in_delayed_cksum } from "./in_delayed_cksum.ts";
import { in_broadcast, in_ia_of_ifp, in_ifwithnet, in_lookup_multi } from "./in_ifaddr.ts";
import type { Inpcb } from "./in_pcb.ts";
import { IN_IFF_NOTREADY } from "./in_var.ts";
import type { InIfaddr } from "./in_var.ts";
import type { Inet } from "./inet.ts";
import { ip_drop } from "./ip_drop.ts";
import { ip_fragment_output } from "./ip_fragment.ts";
import { ip_newid } from "./ip_id.ts";
import { ip_mloopback } from "./ip_mloopback.ts";
import { ip_insertoptions } from "./ip_optinsert.ts";
import {
  IPS_BADADDR,
  IPS_BCASTDENIED,
  IPS_CANTFRAG,
  IPS_IADOWN,
  IPS_LOCALOUT,
  IPS_NOROUTE,
  IPS_ODROPPED,
  IPS_PFILDROP_OUT,
} from "./ip_stat.ts";
import { IP_ALLOWBROADCAST, IP_FORWARDING, IP_NOIPNEWID, IP_RAWOUTPUT, IP_RETURNMTU, IP_ROUTETOIF } from "./ip_var.ts";
import type { IpMoptions, IpOptions, IpOutRoute } from "./ip_var.ts";

/** m_csum_flags of a transport checksum that is not there yet. */
const CSUM_DELAYED: number = M_CSUM_UDPv4 | M_CSUM_TCPv4 | M_CSUM_DATA;

/**
 * Sends the packet m: an IP header with ip_tos, ip_len, ip_off, ip_ttl, ip_p, ip_src and ip_dst in it, and data. The rest is filled in here.
 * Returns an errno. Consumes m in every case.
 *
 * Preconditions: the 20 bytes of the header are contiguous and writable; ip_len is the packet's length.
 */
// hot
export function ip_output(
  inet: Inet,
  m0: Mbuf,
  opt: IpOptions | null,
  ro: Rtentry | null,
  flags: number,
  imo: IpMoptions | null,
  inp: Inpcb | null,
): number {
  const dv = inet.dv;
  let m = m0;
  let hlen = IP_HDRLEN;
  if (opt !== null) {
    const p = ip_insertoptions(inet, m, opt);
    if (p === null) {
      inet.ipstat[IPS_ODROPPED]++;
      return ENOBUFS;
    }
    m = p;
    hlen = IP_HDRLEN + opt.ipopt_len;
  }
  if ((flags & (IP_FORWARDING | IP_RAWOUTPUT)) === 0) {
    ip_set_hlen(dv, m.m_off, hlen);
    ip_set_off(dv, m.m_off, ip_off(dv, m.m_off) & IP_DF);
    if ((flags & IP_NOIPNEWID) === 0) ip_set_id(dv, m.m_off, ip_newid(inet.k, inet.ipid));
    inet.ipstat[IPS_LOCALOUT]++;
  } else hlen = ip_hlen(dv, m.m_off);
  const out = inet.ip_outroute;
  const dst = ip_dst(dv, m.m_off);
  if (!ip_output_route(inet, dst, ro, flags, imo, out)) {
    ip_drop(inet, m, IPS_NOROUTE);
    return (flags & IP_ROUTETOIF) !== 0 ? ENETUNREACH : EHOSTUNREACH;
  }
  const ifp = out.ifp!;
  const error = IN_MULTICAST(dst)
    ? ip_output_mcast(inet, m, ifp, flags, imo)
    : ip_output_ucast(inet, m, dst, flags, out);
  if (error >= 0) return error;
  const ph = inet.net.inet_pfil_hook;
  if (ph !== null) {
    const p = pfil_run_hooks(ph, m, ifp, PFIL_OUT);
    if (p === null) {
      inet.ipstat[IPS_PFILDROP_OUT]++;
      return 0;
    }
    m = p;
    hlen = ip_hlen(dv, m.m_off);
  }
  return ip_output_if(inet, m, hlen, flags, inp, out);
}

/** Finds the way of a packet. False if there is none. */
// hot
function ip_output_route(
  inet: Inet,
  dst: number,
  ro: Rtentry | null,
  flags: number,
  imo: IpMoptions | null,
  out: IpOutRoute,
): boolean {
  out.rt = null;
  out.nexthop = dst;
  out.isbroadcast = dst === INADDR_BROADCAST;
  if ((flags & IP_ROUTETOIF) !== 0) {
    const ia = in_ifwithnet(inet, dst);
    if (ia === null) return false;
    return out_through(out, ia.ifa_ifp, dst);
  }
  if (dst >>> 28 >= 14 && imo !== null && imo.imo_multicast_ifp !== null)
    return out_through(out, imo.imo_multicast_ifp, dst);
  const rt = ro !== null ? ro : rtlookup4(inet.net, dst);
  if (rt === null) {
    if (dst !== INADDR_BROADCAST && !IN_MULTICAST(dst)) {
      rt_miss4(inet.net, dst);
      return false;
    }
    const ia = in_ia_default(inet, dst);
    return ia !== null && out_through(out, ia, dst);
  }
  rt.rt_rmx.rmx_pksent++;
  out.rt = rt;
  out.ifp = rt.rt_ifp;
  out.mtu = rt.rt_rmx.rmx_mtu !== 0 ? rt.rt_rmx.rmx_mtu : rt.rt_ifp.if_mtu;
  // A group is not resolved by way of a gateway: its hardware address follows from itself (RFC 1112 §6.4).
  if ((rt.rt_flags & RTF_GATEWAY) !== 0 && !IN_MULTICAST(dst)) out.nexthop = rt.rt_gw4;
  else if ((rt.rt_ifp.if_flags & IFF_BROADCAST) !== 0) out.isbroadcast = in_broadcast(dst, rt.rt_ifp);
  return true;
}

function out_through(out: IpOutRoute, ifp: Ifnet, dst: number): boolean {
  out.ifp = ifp;
  out.mtu = ifp.if_mtu;
  out.isbroadcast = (ifp.if_flags & IFF_BROADCAST) !== 0 && in_broadcast(dst, ifp);
  return true;
}

/** Where a broadcast or multicast goes that no route covers: the first interface that can, not the loopback. */
function in_ia_default(inet: Inet, dst: number): Ifnet | null {
  const want = IN_MULTICAST(dst) ? IFF_MULTICAST : IFF_BROADCAST;
  for (const ia of inet.in_ifaddrhead) {
    const f = ia.ifa_ifp.if_flags;
    if ((f & want) !== 0 && (f & IFF_LOOPBACK) === 0 && (ia.ia_flags & IN_IFF_NOTREADY) === 0) return ia.ifa_ifp;
  }
  return null;
}

/** Source and permission of a unicast or broadcast. -1 to go on, else the packet was dropped and this is the errno. */
// hot
function ip_output_ucast(inet: Inet, m: Mbuf, dst: number, flags: number, out: IpOutRoute): number {
  const dv = inet.dv;
  const ifp = out.ifp!;
  const src = ip_src(dv, m.m_off);
  if (src === INADDR_ANY && (flags & (IP_FORWARDING | IP_RAWOUTPUT)) === 0) {
    const ia = out.rt !== null ? in_ia_of_route(inet, out.rt, ifp) : in_ia_of_ifp(ifp);
    if (ia !== null) {
      if ((ia.ia_flags & IN_IFF_NOTREADY) !== 0) return ip_output_fail(inet, m, IPS_IADOWN, EADDRNOTAVAIL);
      ip_set_src(dv, m.m_off, ia.ia_addr4);
    }
  } else if ((flags & IP_FORWARDING) === 0) {
    const ia = inet.in_ifaddrhash.get(src);
    if (ia !== undefined && (ia.ia_flags & IN_IFF_NOTREADY) !== 0)
      return ip_output_fail(inet, m, IPS_IADOWN, EADDRNOTAVAIL);
    if (IN_MULTICAST(src) || IN_EXPERIMENTAL(src)) return ip_output_fail(inet, m, IPS_BADADDR, EADDRNOTAVAIL);
  }
  if ((ifp.if_flags & IFF_LOOPBACK) === 0 && (IN_LOOPBACK(ip_src(dv, m.m_off)) || IN_LOOPBACK(dst))) {
    // RFC 1122 §3.2.1.3 (g): "Addresses of this form MUST NOT appear outside a host."
    return ip_output_fail(inet, m, IPS_BADADDR, EADDRNOTAVAIL);
  }
  if (out.isbroadcast) {
    if ((ifp.if_flags & IFF_BROADCAST) === 0) return ip_output_fail(inet, m, IPS_BADADDR, EADDRNOTAVAIL);
    if ((flags & IP_ALLOWBROADCAST) === 0) return ip_output_fail(inet, m, IPS_BCASTDENIED, EACCES);
    if (m.m_pkthdr_len > out.mtu) return ip_output_fail(inet, m, IPS_CANTFRAG, EMSGSIZE);
    m.m_flags |= M_BCAST;
  } else m.m_flags &= ~(M_BCAST | M_MCAST);
  return -1;
}

/** The source of a packet that goes by a route: the address of the route if it is the interface's, which a route to one of our own addresses (lo0) is not. */
function in_ia_of_route(inet: Inet, rt: Rtentry, ifp: Ifnet): InIfaddr | null {
  const ia = inet.in_ifaddrhash.get(in_addr_of(rt.rt_ifa.ifa_addr));
  return ia !== undefined ? ia : in_ia_of_ifp(ifp);
}

/** Address of a sockaddr_in. */
function in_addr_of(sa: Uint8Array): number {
  return (sa[4] << 24) | (sa[5] << 16) | (sa[6] << 8) | sa[7];
}

/** Time to live, source and loopback of a multicast. -1 to go on, else the packet was consumed and this is the errno. */
function ip_output_mcast(inet: Inet, m: Mbuf, ifp: Ifnet, flags: number, imo: IpMoptions | null): number {
  const dv = inet.dv;
  m.m_flags = (m.m_flags & ~M_BCAST) | M_MCAST;
  if ((flags & IP_FORWARDING) === 0)
    ip_set_ttl(dv, m.m_off, imo !== null ? imo.imo_multicast_ttl : IP_DEFAULT_MULTICAST_TTL);
  if ((ifp.if_flags & (IFF_MULTICAST | IFF_LOOPBACK)) === 0) return ip_output_fail(inet, m, IPS_NOROUTE, ENETUNREACH);
  if (ip_src(dv, m.m_off) === INADDR_ANY) {
    const ia = in_ia_of_ifp(ifp);
    if (ia !== null) ip_set_src(dv, m.m_off, ia.ia_addr4);
  }
  const loop = imo === null || imo.imo_multicast_loop;
  if (loop && (ifp.if_flags & IFF_LOOPBACK) === 0 && in_lookup_multi(inet, ip_dst(dv, m.m_off), ifp) !== null)
    ip_mloopback(inet, ifp, m);
  if (ip_ttl(dv, m.m_off) === 0) return ip_output_fail(inet, m, IPS_ODROPPED, 0);
  return -1;
}

/** Hands the packet to the interface if it fits (or is a superframe whose segments do), else in fragments. */
// hot
function ip_output_if(inet: Inet, m: Mbuf, hlen: number, flags: number, inp: Inpcb | null, out: IpOutRoute): number {
  const dv = inet.dv;
  const ifp = out.ifp!;
  // What the device cannot do is done here, for a packet of one piece at less cost than later; superframes are cut, and summed, by Ethernet (if_sw_offload).
  const delayed = m.m_csum_flags & CSUM_DELAYED;
  if (
    delayed !== 0 &&
    (ifp.if_csum_flags_tx & CSUM_DELAYED) === 0 &&
    m.m_gso_type === 0 &&
    (ifp.if_flags & IFF_LOOPBACK) === 0
  ) {
    in_delayed_cksum(inet, m, hlen);
  }
  if (m.m_pkthdr_len <= out.mtu || (m.m_gso_type !== 0 && m.m_gso_size + m.m_hdr_len <= out.mtu)) {
    if ((ifp.if_csum_flags_tx & M_CSUM_IPv4) !== 0) {
      m.m_csum_flags |= M_CSUM_IPv4;
      ip_set_sum(dv, m.m_off, 0);
    } else {
      m.m_csum_flags &= ~M_CSUM_IPv4;
      ip_set_sum(dv, m.m_off, 0);
      ip_set_sum(dv, m.m_off, hlen === IP_HDRLEN ? ip_cksum20(dv, m.m_off) : cksum(dv, m.m_off, hlen));
    }
    return ifp.if_output(ifp, m, AF_INET, out.nexthop, out.rt);
  }
  if ((ip_off(dv, m.m_off) & IP_DF) !== 0) {
    if (inp !== null && (flags & IP_RETURNMTU) !== 0) inp.inp_errormtu = out.mtu;
    return ip_output_fail(inet, m, IPS_CANTFRAG, EMSGSIZE);
  }
  return ip_fragment_output(inet, m, hlen, ip_len(dv, m.m_off), out.mtu, ifp, out.nexthop, out.rt);
}

function ip_output_fail(inet: Inet, m: Mbuf, reason: number, error: number): number {
  ip_drop(inet, m, reason);
  return error;
}
