/*
 * Interfaces come and go: if_initialize, if_attach, if_detach; finding them; sending through them.
 */
import { ENETDOWN, ENOBUFS, ENXIO } from "../../hypercall/api/errno.ts";
import type { IfnetRef, Mbuf } from "../kern/mbuf.ts";
import { M_BCAST, M_MCAST } from "../kern/mbuf.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import { SOCKET_LAYER } from "../socket/socketvar.ts";
import { mk_sockaddr_dl } from "../wire/sockaddr.ts";
import { bpf_mtap, BPF_D_OUT, bpfdetach } from "./bpf_if.ts";
import { Ifaddr, type Ifnet } from "./if.ts";
import { IFD_OBYTES, IFD_OERRORS, IFD_OMCASTS, IFD_OPACKETS, IFD_OQDROPS, IFF_RUNNING, IFF_UP } from "./if_flags.ts";
import { if_down, if_lastchange } from "./if_link.ts";
import { IF_ENQUEUE, IF_PURGE, IF_QFULL } from "./ifqueue.ts";
import { AF_MAX, type Net, NETS_ODOWN, NETS_PFIL } from "./net.ts";
import { PFIL_OUT, pfil_run_hooks } from "./pfil.ts";
import { rt_ifannouncemsg } from "./rtsock_notify.ts";
import { rt_purge_ifp } from "./rtrequest.ts";
import { if_sysctl_attach, if_sysctl_detach } from "./if_sysctl.ts";

/** rt_ifannouncemsg: arrived. */
export const IFAN_ARRIVAL = 0;
/** rt_ifannouncemsg: departed. */
export const IFAN_DEPARTURE = 1;

/** Gives a new interface its index. if_attach does the rest. */
export function if_initialize(ifp: Ifnet): number {
  const table = ifp.if_net.ifindex2ifnet;
  let index = table.indexOf(null, 1);
  if (index < 0) index = table.length;
  if (index > 0xffff) return ENXIO;
  ifp.if_index = index;
  table[index] = ifp;
  return 0;
}

/** Makes an initialized interface known to everybody. */
export function if_register(ifp: Ifnet): void {
  const net = ifp.if_net;
  net.ifnet_list.push(ifp);
  ifp.if_attached = true;
  if (ifp.if_dl === null) if_alloc_sadl(ifp);
  if_lastchange(ifp);
  if_sysctl_attach(ifp);
  for (const dom of net.k.softc(SOCKET_LAYER).domains) dom.dom_ifattach?.(ifp);
  for (let af = 0; af < AF_MAX; af++) net.if_af[af]?.ifattach?.(ifp);
  rt_ifannouncemsg(ifp, IFAN_ARRIVAL);
}

/** if_initialize and if_register. The driver has filled the interface; for Ethernet call ether_ifattach afterwards. */
export function if_attach(ifp: Ifnet): number {
  const error = if_initialize(ifp);
  if (error === 0) if_register(ifp);
  return error;
}

/** Makes or renews the AF_LINK address from if_lladdr; it is always first in if_addrlist. */
export function if_alloc_sadl(ifp: Ifnet): void {
  const sdl = mk_sockaddr_dl(ifp.if_index, ifp.if_type, ifp.if_xname, ifp.if_lladdr);
  const old = ifp.if_dl;
  if (old !== null) {
    old.ifa_addr = sdl;
    return;
  }
  const ifa = new Ifaddr(ifp, sdl);
  ifa.ifa_refcnt = 1;
  ifp.if_dl = ifa;
  ifp.if_addrlist.unshift(ifa);
}

/** Takes an interface away from everybody: down, addresses, routes, bpf, sockets. The driver frees its own things afterwards. */
export function if_detach(ifp: Ifnet): void {
  const net = ifp.if_net;
  if (!ifp.if_attached) return;
  ifp.if_attached = false;
  if_down(ifp);
  for (let af = AF_MAX - 1; af >= 0; af--) net.if_af[af]?.ifdetach?.(ifp);
  const layer = net.k.softc(SOCKET_LAYER);
  for (const dom of layer.domains) dom.dom_ifdetach?.(ifp);
  rt_purge_ifp(net, ifp);
  bpfdetach(ifp);
  IF_PURGE(ifp.if_snd);
  ifp.if_multiaddrs.length = 0;
  ifp.if_addrlist.length = 0;
  ifp.if_dl = null;
  ifp.if_pfil = null;
  ifp.if_capture = null;
  ifp.if_afdata.length = 0;
  if_sysctl_detach(ifp);
  const at = net.ifnet_list.indexOf(ifp);
  if (at >= 0) net.ifnet_list.splice(at, 1);
  net.ifindex2ifnet[ifp.if_index] = null;
  rt_ifannouncemsg(ifp, IFAN_DEPARTURE);
}

/** The interface of a name, or null. */
export function ifunit(net: Net, name: string): Ifnet | null {
  for (const ifp of net.ifnet_list) if (ifp.if_xname === name) return ifp;
  return null;
}

/** The interface of an index, or null. */
export function if_byindex(net: Net, index: number): Ifnet | null {
  return net.ifindex2ifnet[index] ?? null;
}

/** The interface that an mbuf's m_rcvif (or a socket layer reference) stands for, or null if it is gone (also when another has its index now). */
export function if_of_ref(net: Net, ref: IfnetRef | null): Ifnet | null {
  if (ref === null) return null;
  const ifp = net.ifindex2ifnet[ref.if_index] ?? null;
  return ifp === ref ? ifp : null;
}

/** Adds an address to an interface: protocols call it. */
export function ifa_insert(ifp: Ifnet, ifa: Ifaddr): void {
  ifp.if_addrlist.push(ifa);
  ifa.ifa_refcnt++;
}

/** Removes an address from an interface. */
export function ifa_remove(ifp: Ifnet, ifa: Ifaddr): void {
  const at = ifp.if_addrlist.indexOf(ifa);
  if (at < 0) return;
  ifp.if_addrlist.splice(at, 1);
  ifa.ifa_refcnt--;
}

/**
 * Sends a finished frame: hooks and taps of the interface, counters, then the driver. Consumes m; an errno if it was refused. Everything that leaves an
 * interface goes through here, and nothing is tapped elsewhere. // hot
 */
export function if_transmit_lock(ifp: Ifnet, m0: Mbuf): number {
  let m = m0;
  if (ifp.if_pfil !== null) {
    const kept = pfil_run_hooks(ifp.if_pfil, m, ifp, PFIL_OUT);
    if (kept === null) {
      ifp.if_net.netstat[NETS_PFIL]++;
      return 0;
    }
    m = kept;
  }
  if (ifp.if_bpf !== null) bpf_mtap(ifp, m, BPF_D_OUT);
  if (ifp.if_capture !== null) ifp.if_capture.out(m);
  const len = m.m_pkthdr_len;
  const mcast = (m.m_flags & (M_BCAST | M_MCAST)) !== 0;
  const error = ifp.if_transmit(ifp, m);
  const data = ifp.if_data;
  if (error !== 0) return error;
  data[IFD_OPACKETS]++;
  data[IFD_OBYTES] += len;
  if (mcast) data[IFD_OMCASTS]++;
  return 0;
}

/** An if_transmit for devices with a queue: if_snd, then if_start. ENOBUFS: the queue was full, the packet is dropped and counted. // hot */
export function if_transmit_queue(ifp: Ifnet, m: Mbuf): number {
  const q = ifp.if_snd;
  if (IF_QFULL(q)) {
    q.ifq_drops++;
    ifp.if_data[IFD_OQDROPS]++;
    if (ifp.if_capture !== null) ifp.if_capture.drop(m, "oqdrops");
    m_freem(m);
    return ENOBUFS;
  }
  IF_ENQUEUE(q, m);
  ifp.if_start(ifp);
  return 0;
}

/** Is the interface up and running? If not: drops m, counts it, ENETDOWN. */
export function if_output_down(ifp: Ifnet, m: Mbuf): number {
  if ((ifp.if_flags & (IFF_UP | IFF_RUNNING)) === (IFF_UP | IFF_RUNNING)) return 0;
  ifp.if_net.netstat[NETS_ODOWN]++;
  ifp.if_data[IFD_OERRORS]++;
  if (ifp.if_capture !== null) ifp.if_capture.drop(m, "if_down_out");
  m_freem(m);
  return ENETDOWN;
}
