/*
 * The loopback interface, lo0 and its clones: what is sent comes in again, from a softint, so that neither recursion nor reentrancy arises.
 */
import { EAFNOSUPPORT, EINVAL, ENETDOWN, ENOBUFS, ENOTTY, EPERM } from "../../hypercall/api/errno.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { M_CSUM_OK, M_LOOP } from "../kern/mbuf.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import { AF_INET, AF_INET6 } from "../wire/sockaddr.ts";
import { BPF_D_IN, BPF_D_OUT, bpf_mtap, bpfattach, DLT_NULL } from "./bpf_if.ts";
import { if_set_mtu } from "./ether_attach.ts";
import { rt_reject } from "./ether_output.ts";
import { Ifnet } from "./if.ts";
import { ifr_int, SIOCADDMULTI, SIOCDELMULTI, SIOCINITIFADDR, SIOCSIFFLAGS, SIOCSIFMTU } from "./if_abi.ts";
import { if_attach, if_detach, if_of_ref } from "./if_attach.ts";
import {
  IFD_IBYTES,
  IFD_IPACKETS,
  IFD_IQDROPS,
  IFD_NOPROTO,
  IFD_OBYTES,
  IFD_OERRORS,
  IFD_OPACKETS,
  IFF_LOOPBACK,
  IFF_MULTICAST,
  IFF_RUNNING,
  IFF_UP,
  IFT_LOOP,
} from "./if_flags.ts";
import { if_clone_attach } from "./if_clone.ts";
import { if_up } from "./if_link.ts";
import { type Net, NETS_IFDOWN, NETS_LOQDROP, NETS_NOPROTO, NETS_OAF, NETS_ODOWN } from "./net.ts";
import { pktq_enqueue } from "./pktqueue.ts";
import { RTF_BLACKHOLE, RTF_REJECT, type Rtentry } from "./rtentry.ts";

/** MTU of a loopback interface. */
export const LOMTU = 33624;
/** Largest MTU of a loopback interface: one IPv4 packet. */
export const LOMTU_MAX = 65535;

/**
 * if_output of loopback; ether_output also sends here what a simplex interface must hear of itself, with ifp the interface it is heard on. Consumes m.
 * Checksums still to be filled in never will be: the packet is marked M_CSUM_OK. A superframe stays one; its protocol takes it apart.
 */
export function looutput(ifp: Ifnet, m: Mbuf, af: number, _dst: number, rt: Rtentry | null): number {
  const net = ifp.if_net;
  if (rt !== null && (rt.rt_flags & (RTF_REJECT | RTF_BLACKHOLE)) !== 0) return rt_reject(ifp, m, rt);
  if ((ifp.if_flags & IFF_UP) === 0) return lo_drop(ifp, m, NETS_ODOWN, IFD_OERRORS, ENETDOWN);
  if (af !== AF_INET && af !== AF_INET6) return lo_drop(ifp, m, NETS_OAF, IFD_OERRORS, EAFNOSUPPORT);
  const len = m.m_pkthdr_len;
  const own = (ifp.if_flags & IFF_LOOPBACK) !== 0;
  if (own) {
    if (ifp.if_bpf !== null) bpf_mtap(ifp, m, BPF_D_OUT);
    if (ifp.if_capture !== null) ifp.if_capture.out(m);
    ifp.if_data[IFD_OPACKETS]++;
    ifp.if_data[IFD_OBYTES] += len;
  }
  m.m_rcvif = ifp;
  m.m_flags |= M_LOOP;
  m.m_csum_flags = M_CSUM_OK;
  if (!pktq_enqueue(net.pktq, m)) return lo_drop(ifp, m, NETS_LOQDROP, IFD_IQDROPS, ENOBUFS);
  return 0;
}

function lo_drop(ifp: Ifnet, m: Mbuf, reason: number, ifd: number, error: number): number {
  ifp.if_net.netstat[reason]++;
  ifp.if_data[ifd]++;
  m_freem(m);
  return error;
}

/** The softint's half: a packet comes in on the interface it was sent to. */
export function loinput(net: Net, m: Mbuf): void {
  const ifp = if_of_ref(net, m.m_rcvif);
  if (ifp === null || !ifp.if_attached || (ifp.if_flags & IFF_UP) === 0) {
    net.netstat[NETS_IFDOWN]++;
    m_freem(m);
    return;
  }
  if ((ifp.if_flags & IFF_LOOPBACK) !== 0) {
    ifp.if_data[IFD_IPACKETS]++;
    ifp.if_data[IFD_IBYTES] += m.m_pkthdr_len;
    if (ifp.if_bpf !== null) bpf_mtap(ifp, m, BPF_D_IN);
    if (ifp.if_capture !== null) ifp.if_capture.in(m);
  }
  raw_demux(ifp, m);
}

/** Gives a packet without link header to its protocol, by the version in its first nibble. Consumes m. // hot */
export function raw_demux(ifp: Ifnet, m: Mbuf): void {
  const net = ifp.if_net;
  const v = m.m_len > 0 ? m.m_pool.u8[m.m_off] >>> 4 : 0;
  const fn = v === 4 ? net.et_ip : v === 6 ? net.et_ipv6 : null;
  if (fn !== null) {
    fn(ifp, m);
    return;
  }
  net.netstat[NETS_NOPROTO]++;
  ifp.if_data[IFD_NOPROTO]++;
  if (ifp.if_capture !== null) ifp.if_capture.drop(m, "noproto");
  m_freem(m);
}

/**
 * if_input of interfaces without link header (ptp): taps, counts, and gives the packet to its protocol. Consumes m. // hot
 */
export function raw_input(ifp: Ifnet, m: Mbuf): void {
  m.m_rcvif = ifp;
  if ((ifp.if_flags & (IFF_UP | IFF_RUNNING)) !== (IFF_UP | IFF_RUNNING)) {
    lo_drop(ifp, m, NETS_IFDOWN, IFD_IQDROPS, 0);
    return;
  }
  ifp.if_data[IFD_IPACKETS]++;
  ifp.if_data[IFD_IBYTES] += m.m_pkthdr_len;
  if (ifp.if_bpf !== null) bpf_mtap(ifp, m, BPF_D_IN);
  if (ifp.if_capture !== null) ifp.if_capture.in(m);
  raw_demux(ifp, m);
}

/** ioctls of loopback. */
function loioctl(ifp: Ifnet, cmd: number, data: Uint8Array): number {
  switch (cmd) {
    case SIOCINITIFADDR:
      ifp.if_flags |= IFF_UP | IFF_RUNNING;
      return 0;
    case SIOCSIFFLAGS:
      if ((ifp.if_flags & IFF_UP) !== 0) ifp.if_flags |= IFF_RUNNING;
      else ifp.if_flags &= ~IFF_RUNNING;
      return 0;
    case SIOCSIFMTU:
      return if_set_mtu(ifp, ifr_int(data));
    case SIOCADDMULTI:
    case SIOCDELMULTI:
      return 0;
    default:
      return ENOTTY;
  }
}

/** Makes a loopback interface. */
function lo_create(net: Net, unit: number): number {
  const ifp = new Ifnet(net, "lo", unit);
  ifp.if_type = IFT_LOOP;
  ifp.if_flags = IFF_LOOPBACK | IFF_MULTICAST;
  ifp.if_mtu = LOMTU;
  ifp.if_mtu_max = LOMTU_MAX;
  ifp.if_output = looutput;
  ifp.if_ioctl = loioctl;
  bpfattach(ifp, DLT_NULL, 4);
  const error = if_attach(ifp);
  if (error === 0 && unit === 0) net.lo0ifp = ifp;
  return error;
}

/** Destroys a loopback interface: any but lo0. */
function lo_destroy(net: Net, ifp: Ifnet): number {
  if (ifp === net.lo0ifp) return EPERM;
  if_detach(ifp);
  return 0;
}

/** Registers the cloner and makes lo0, down and without addresses. */
export function loopattach(net: Net): number {
  const error = if_clone_attach(net, {
    name: "lo",
    create: (unit) => lo_create(net, unit),
    destroy: (ifp) => lo_destroy(net, ifp),
  });
  return error !== 0 ? error : lo_create(net, 0);
}

/** Brings lo0 up: what inet does before it gives it 127.0.0.1. EINVAL without lo0. */
export function lo0_up(net: Net): number {
  const ifp = net.lo0ifp;
  if (ifp === null) return EINVAL;
  ifp.if_flags |= IFF_RUNNING;
  if ((ifp.if_flags & IFF_UP) === 0) if_up(ifp);
  return 0;
}
