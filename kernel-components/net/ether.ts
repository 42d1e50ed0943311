/*
 * Ethernet input: which frames are for this station, and whose they are.
 */
import type { Mbuf } from "../kern/mbuf.ts";
import { M_BCAST, M_CSUM_DATA, M_LOOP, M_MCAST } from "../kern/mbuf.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import { m_pullup } from "../kern/mbuf_ops.ts";
import {
  ETHER_HDR_LEN,
  ETHER_VLAN_ENCAP_LEN,
  ETHERTYPE_ARP,
  ETHERTYPE_IP,
  ETHERTYPE_IPV6,
  ETHERTYPE_MIN,
  ETHERTYPE_VLAN,
} from "../wire/ether.ts";
import { BPF_D_IN, bpf_mtap } from "./bpf_if.ts";
import type { Ifnet } from "./if.ts";
import {
  IFD_IBYTES,
  IFD_IERRORS,
  IFD_IMCASTS,
  IFD_IPACKETS,
  IFD_IQDROPS,
  IFD_NOPROTO,
  IFF_ALLMULTI,
  IFF_RUNNING,
  IFF_UP,
} from "./if_flags.ts";
import { if_lookup_multi } from "./if_promisc.ts";
import {
  NETS_GIANT,
  NETS_IFDOWN,
  NETS_LLC,
  NETS_MCASTFILTER,
  NETS_NAMES,
  NETS_NOBUF,
  NETS_NOPROTO,
  NETS_NOTFORUS,
  NETS_OWNSOURCE,
  NETS_PFIL,
  NETS_RUNT,
  NETS_VLAN,
} from "./net.ts";
import { PFIL_IN, pfil_run_hooks } from "./pfil.ts";

/** Flags an interface must have to receive. */
const IFF_READY: number = IFF_UP | IFF_RUNNING;

/** Counts a dropped frame under its one reason and an interface counter, and frees it. */
function ether_drop(ifp: Ifnet, m: Mbuf, reason: number, ifd: number): void {
  ifp.if_net.netstat[reason]++;
  ifp.if_data[ifd]++;
  if (ifp.if_capture !== null) ifp.if_capture.drop(m, NETS_NAMES[reason]);
  m_freem(m);
}

/**
 * Takes a received frame, from its destination address on. Consumes m. Called by the driver between k.enter and k.leave. M_CSUM_DATA's m_csum_start and
 * m_hdr_len count from the frame's first byte and are moved with it. // hot
 */
export function ether_input(ifp: Ifnet, m0: Mbuf): void {
  let m = m0;
  const len = m.m_pkthdr_len;
  m.m_rcvif = ifp;
  if ((ifp.if_flags & IFF_READY) !== IFF_READY) {
    ether_drop(ifp, m, NETS_IFDOWN, IFD_IQDROPS);
    return;
  }
  if (len < ETHER_HDR_LEN || (len > ifp.if_mtu + ETHER_HDR_LEN + ETHER_VLAN_ENCAP_LEN && m.m_gso_size === 0)) {
    ether_drop(ifp, m, len < ETHER_HDR_LEN ? NETS_RUNT : NETS_GIANT, IFD_IERRORS);
    return;
  }
  if (m.m_len < ETHER_HDR_LEN) {
    const mp = m_pullup(m, ETHER_HDR_LEN);
    if (mp === null) {
      ifp.if_net.netstat[NETS_NOBUF]++;
      ifp.if_data[IFD_IERRORS]++;
      return;
    }
    m = mp;
  }
  const data = ifp.if_data;
  data[IFD_IPACKETS]++;
  data[IFD_IBYTES] += len;
  if (ifp.if_bpf !== null || ifp.if_capture !== null || ifp.if_pfil !== null || ifp.if_steal !== null) {
    const kept = ether_hooks(ifp, m);
    if (kept === null) return;
    m = kept;
  }
  const dv = m.m_pool.dv;
  const off = m.m_off;
  const hi = dv.getUint16(off);
  const lo = dv.getInt32(off + 2);
  if ((lo !== ifp.if_mac_lo || hi !== ifp.if_mac_hi) && !ether_group(ifp, m, hi, lo)) return;
  if (dv.getInt32(off + 8) === ifp.if_mac_lo && dv.getUint16(off + 6) === ifp.if_mac_hi && (m.m_flags & M_LOOP) === 0) {
    ether_drop(ifp, m, NETS_OWNSOURCE, IFD_IQDROPS);
    return;
  }
  const type = dv.getUint16(off + 12);
  m.m_off = off + ETHER_HDR_LEN;
  m.m_len -= ETHER_HDR_LEN;
  m.m_pkthdr_len -= ETHER_HDR_LEN;
  if ((m.m_csum_flags & M_CSUM_DATA) !== 0) m.m_csum_start -= ETHER_HDR_LEN;
  if (m.m_hdr_len !== 0) m.m_hdr_len -= ETHER_HDR_LEN;
  const net = ifp.if_net;
  if (type === ETHERTYPE_IP && net.et_ip !== null) net.et_ip(ifp, m);
  else ether_input_other(ifp, m, type);
}

/** Taps, filters and whoever takes frames away: what is left of the frame, or null. */
function ether_hooks(ifp: Ifnet, m0: Mbuf): Mbuf | null {
  let m = m0;
  if (ifp.if_bpf !== null) bpf_mtap(ifp, m, BPF_D_IN);
  if (ifp.if_capture !== null) ifp.if_capture.in(m);
  if (ifp.if_pfil !== null) {
    const kept = pfil_run_hooks(ifp.if_pfil, m, ifp, PFIL_IN);
    if (kept === null) {
      ifp.if_net.netstat[NETS_PFIL]++;
      return null;
    }
    m = kept;
  }
  return ifp.if_steal !== null && ifp.if_steal(ifp, m) ? null : m;
}

/** A frame that is not addressed to this station alone: marks it if it is for a group that the station is in; else drops it and is false. */
function ether_group(ifp: Ifnet, m: Mbuf, hi: number, lo: number): boolean {
  if ((hi & 0x0100) === 0) {
    ether_drop(ifp, m, NETS_NOTFORUS, IFD_IQDROPS);
    return false;
  }
  ifp.if_data[IFD_IMCASTS]++;
  if (hi === 0xffff && lo === -1) {
    m.m_flags |= M_BCAST;
  } else if ((ifp.if_flags & IFF_ALLMULTI) !== 0 || if_lookup_multi(ifp, hi, lo) !== null) {
    m.m_flags |= M_MCAST;
  } else {
    ether_drop(ifp, m, NETS_MCASTFILTER, IFD_IQDROPS);
    return false;
  }
  return true;
}

/** Everything but IPv4. */
function ether_input_other(ifp: Ifnet, m: Mbuf, type: number): void {
  const net = ifp.if_net;
  let fn: ((ifp: Ifnet, m: Mbuf) => void) | null = null;
  if (type === ETHERTYPE_ARP) fn = net.et_arp;
  else if (type === ETHERTYPE_IPV6) fn = net.et_ipv6;
  else if (type !== ETHERTYPE_IP) fn = net.et_other.get(type) ?? null;
  if (fn !== null) {
    fn(ifp, m);
    return;
  }
  if (type === ETHERTYPE_VLAN) ether_drop(ifp, m, NETS_VLAN, IFD_NOPROTO);
  else ether_drop(ifp, m, type < ETHERTYPE_MIN ? NETS_LLC : NETS_NOPROTO, IFD_NOPROTO);
}
