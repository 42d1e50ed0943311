/*
 * What routing sockets are told: each function builds one message and gives it to every socket that wants it. Nothing is built while nobody listens.
 */
import { Timespec } from "../../hypercall/api/clock.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import { m_devget } from "../kern/mbuf_bytes.ts";
import { sbappendaddr } from "../socket/sockbuf_append.ts";
import { SS_CANTRCVMORE } from "../socket/socketvar.ts";
import { soroverflow, sorwakeup } from "../socket/uipc_socket2.ts";
import { AF_ROUTE, AF_UNSPEC, mk_sockaddr_dl, sa_family } from "../wire/sockaddr.ts";
import { sa_same_addr } from "./ifa.ts";
import type { Ifaddr, Ifnet } from "./if.ts";
import { ifr_name_put } from "./if_abi.ts";
import { IFF_BROADCAST, IFF_POINTOPOINT } from "./if_flags.ts";
import type { Net } from "./net.ts";
import {
  RTF_CLONED,
  RTF_DONE,
  RTF_LLDATA,
  RTF_HOST,
  RTF_UP,
  RTM_ADD,
  RTM_DELADDR,
  RTM_DELETE,
  RTM_IFANNOUNCE,
  RTM_IFINFO,
  RTM_MISS,
  RTM_NEWADDR,
  RtInfo,
  type Rtentry,
} from "./rtentry.ts";
import {
  if_data_put,
  rt_metrics_put,
  rt_msg_build,
  RTM_ADDRS_OFF,
  RTM_ERRNO_OFF,
  RTM_FLAGS_OFF,
  RTM_INDEX_OFF,
  RTM_RMX_OFF,
  RTM_USE_OFF,
  SIZEOF_IF_ANNOUNCEMSGHDR,
  SIZEOF_IF_MSGHDR,
  SIZEOF_IFA_MSGHDR,
  SIZEOF_RT_MSGHDR,
} from "./rtsock_abi.ts";
import type { RawCb } from "./raw_cb.ts";

/** The source address of every routing message. */
const ROUTE_SRC: Uint8Array = Uint8Array.of(2, AF_ROUTE);

/** Wall clock second at which uptime was 0. */
export function rt_boottime(net: Net): number {
  const ts = new Timespec();
  net.k.wall(ts);
  return ts.sec - net.k.time_uptime();
}

/** Gives a message to every routing socket but one. `af` is the family of its destination, 0 if it has none. */
export function rt_broadcast(
  net: Net,
  msg: Uint8Array,
  af: number,
  dst: Uint8Array | null,
  except: RawCb | null,
): void {
  for (const rcb of net.rawcbs) {
    if (rcb === except || (rcb.rcb_proto !== 0 && af !== 0 && rcb.rcb_proto !== af)) continue;
    if (!rt_wanted(rcb, msg[3], dst)) continue;
    rt_deliver(net, rcb, msg);
  }
}

/** RO_MSGFILTER and RO_MISSFILTER. */
function rt_wanted(rcb: RawCb, type: number, dst: Uint8Array | null): boolean {
  if (type > 0 && type < 32 && (rcb.rcb_msgfilter & (1 << type)) === 0) return false;
  if (type !== RTM_MISS || rcb.rcb_missfilter.length === 0 || dst === null) return true;
  return rcb.rcb_missfilter.some((sa) => sa_same_addr(sa, dst));
}

/** Puts a message in one socket's buffer; a full buffer sets ENOBUFS on sockets that ask for it (SO_RERROR). */
export function rt_deliver(net: Net, rcb: RawCb, msg: Uint8Array): void {
  const so = rcb.rcb_so;
  if ((so.so_state & SS_CANTRCVMORE) !== 0) return;
  const m = m_devget(net.k.mb, msg, 0, null);
  if (m !== null && sbappendaddr(so.so_rcv, ROUTE_SRC, m, null)) {
    sorwakeup(so);
    return;
  }
  m_freem(m);
  soroverflow(so);
}

/** struct rt_msghdr with what a route says, for RTM_ADD, RTM_GET, dumps... */
export function rt_route_msg(net: Net, type: number, rt: Rtentry, with_if: boolean): Uint8Array {
  const info = new RtInfo();
  info.rti_dst = rt.rt_key;
  info.rti_gateway = rt.rt_gateway;
  info.rti_netmask = rt.rt_mask;
  info.rti_tag = rt.rt_tag;
  if (with_if) {
    info.rti_ifpaddr = rt.rt_ifp.if_dl?.ifa_addr ?? null;
    info.rti_ifaaddr = rt.rt_ifa.ifa_addr;
    info.rti_brd = (rt.rt_ifp.if_flags & IFF_POINTOPOINT) !== 0 ? rt.rt_ifa.ifa_dstaddr : null;
  }
  const msg = rt_msg_build(type, SIZEOF_RT_MSGHDR, info);
  const dv = new DataView(msg.buffer);
  dv.setUint16(RTM_INDEX_OFF, rt.rt_ifp.if_index, true);
  dv.setInt32(RTM_FLAGS_OFF, rt.rt_flags, true);
  dv.setInt32(RTM_ADDRS_OFF, info.rti_addrs, true);
  dv.setInt32(RTM_USE_OFF, Math.min(rt.rt_use, 0x7fffffff), true);
  rt_metrics_put(dv, RTM_RMX_OFF, rt.rt_rmx, rt.rt_rmx.rmx_expire === 0 ? 0 : rt_boottime(net));
  return msg;
}

/** A route was added, deleted or changed by the kernel. */
export function rt_newmsg(net: Net, type: number, rt: Rtentry): void {
  if (net.route_cb_count === 0) return;
  const msg = rt_route_msg(net, type, rt, true);
  const dv = new DataView(msg.buffer);
  dv.setInt32(RTM_FLAGS_OFF, rt.rt_flags | RTF_DONE, true);
  rt_broadcast(net, msg, sa_family(rt.rt_key), rt.rt_key, null);
}

/** RTM_MISS, RTM_REDIRECT, RTM_LOSING, RTM_RESOLVE: what info says, and flags and error. */
export function rt_missmsg(net: Net, type: number, info: RtInfo, flags: number, error: number): void {
  if (net.route_cb_count === 0) return;
  const msg = rt_msg_build(type, SIZEOF_RT_MSGHDR, info);
  const dv = new DataView(msg.buffer);
  dv.setInt32(RTM_FLAGS_OFF, RTF_DONE | flags, true);
  dv.setInt32(RTM_ADDRS_OFF, info.rti_addrs, true);
  dv.setInt32(RTM_ERRNO_OFF, error, true);
  rt_broadcast(net, msg, info.rti_dst === null ? AF_UNSPEC : sa_family(info.rti_dst), info.rti_dst, null);
}

/**
 * A neighbour appeared (RTM_ADD), changed (RTM_LLINFO_UPD, RTM_CHANGE), went (RTM_DELETE) or did not answer (RTM_MISS): rt_clonedmsg. src is who asked,
 * for RTM_MISS; lladdr null if not known.
 */
export function rt_clonedmsg(
  net: Net,
  type: number,
  src: Uint8Array | null,
  dst: Uint8Array,
  lladdr: Uint8Array | null,
  ifp: Ifnet,
): void {
  if (net.route_cb_count === 0) return;
  const info = new RtInfo();
  info.rti_dst = dst;
  info.rti_gateway = mk_sockaddr_dl(ifp.if_index, ifp.if_type, "", lladdr);
  info.rti_author = src;
  const msg = rt_msg_build(type, SIZEOF_RT_MSGHDR, info);
  const dv = new DataView(msg.buffer);
  dv.setUint16(RTM_INDEX_OFF, ifp.if_index, true);
  const known = type === RTM_MISS ? 0 : RTF_HOST | RTF_LLDATA | RTF_CLONED;
  dv.setInt32(RTM_FLAGS_OFF, RTF_DONE | known | (type === RTM_ADD ? RTF_UP : 0), true);
  dv.setInt32(RTM_ADDRS_OFF, info.rti_addrs, true);
  rt_broadcast(net, msg, sa_family(dst), dst, null);
}

/** struct if_msghdr of an interface. */
export function rt_if_msg(ifp: Ifnet, with_addr: boolean): Uint8Array {
  const info = new RtInfo();
  if (with_addr) info.rti_ifpaddr = ifp.if_dl?.ifa_addr ?? null;
  const msg = rt_msg_build(RTM_IFINFO, SIZEOF_IF_MSGHDR, info);
  const dv = new DataView(msg.buffer);
  dv.setInt32(4, info.rti_addrs, true);
  dv.setInt32(8, ifp.if_flags, true);
  dv.setUint16(12, ifp.if_index, true);
  if_data_put(ifp, dv, 16);
  return msg;
}

/** RTM_IFINFO: flags, link state or MTU of an interface changed. */
export function rt_ifmsg(ifp: Ifnet): void {
  const net = ifp.if_net;
  if (net.route_cb_count === 0) return;
  rt_broadcast(net, rt_if_msg(ifp, false), AF_UNSPEC, null, null);
}

/** struct ifa_msghdr of an address. */
export function rt_ifa_msg(cmd: number, ifa: Ifaddr, with_ifp: boolean): Uint8Array {
  const ifp = ifa.ifa_ifp;
  const info = new RtInfo();
  info.rti_ifaaddr = ifa.ifa_addr;
  info.rti_netmask = ifa.ifa_netmask;
  if ((ifp.if_flags & (IFF_BROADCAST | IFF_POINTOPOINT)) !== 0) info.rti_brd = ifa.ifa_dstaddr;
  if (with_ifp) info.rti_ifpaddr = ifp.if_dl?.ifa_addr ?? null;
  const msg = rt_msg_build(cmd, SIZEOF_IFA_MSGHDR, info);
  const dv = new DataView(msg.buffer);
  dv.setUint16(RTM_INDEX_OFF, ifp.if_index, true);
  dv.setInt32(RTM_FLAGS_OFF, ifa.ifa_flags, true);
  dv.setInt32(RTM_ADDRS_OFF, info.rti_addrs, true);
  dv.setInt32(20, ifp.if_net.if_af[sa_family(ifa.ifa_addr)]?.ifa_addrflags?.(ifa) ?? 0, true);
  dv.setInt32(24, ifa.ifa_metric, true);
  return msg;
}

/** RTM_NEWADDR, RTM_DELADDR, RTM_CHGADDR. */
export function rt_addrmsg(cmd: number, ifa: Ifaddr): void {
  const net = ifa.ifa_ifp.if_net;
  if (net.route_cb_count === 0) return;
  rt_broadcast(net, rt_ifa_msg(cmd, ifa, true), sa_family(ifa.ifa_addr), ifa.ifa_addr, null);
}

/** An address and its route at once, in NetBSD's order: address first when they come, route first when they go. */
export function rt_newaddrmsg(net: Net, cmd: number, ifa: Ifaddr, rt: Rtentry | null): void {
  const adding = cmd === RTM_ADD;
  if (adding) rt_addrmsg(RTM_NEWADDR, ifa);
  if (rt !== null) rt_newmsg(net, cmd, rt);
  if (!adding && cmd === RTM_DELETE) rt_addrmsg(RTM_DELADDR, ifa);
}

/** RTM_IFANNOUNCE: an interface arrived (0) or departed (1). */
export function rt_ifannouncemsg(ifp: Ifnet, what: number): void {
  const net = ifp.if_net;
  if (net.route_cb_count === 0) return;
  const msg = rt_msg_build(RTM_IFANNOUNCE, SIZEOF_IF_ANNOUNCEMSGHDR, new RtInfo());
  const dv = new DataView(msg.buffer);
  dv.setUint16(4, ifp.if_index, true);
  ifr_name_put(msg, 6, ifp.if_xname);
  dv.setUint16(22, what, true);
  rt_broadcast(net, msg, AF_UNSPEC, null, null);
}
