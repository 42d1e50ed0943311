/*
 * Routing sockets (PF_ROUTE): a program reads what happens to the routing tables and writes messages that change them.
 */
import {
  EACCES,
  EAFNOSUPPORT,
  EINVAL,
  EISCONN,
  ENOBUFS,
  ENOTCONN,
  EOPNOTSUPP,
  EPROTONOSUPPORT,
  ESRCH,
} from "../../hypercall/api/errno.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import { m_tobytes } from "../kern/mbuf_bytes.ts";
import { is_super, type Lwp } from "../kern/proc.ts";
import { Domain } from "../socket/domain.ts";
import { PR_ADDR, PR_ATOMIC, PRCO_GETOPT, Protosw, PrUsrreqs } from "../socket/protosw.ts";
import { soreserve } from "../socket/sockbuf_reserve.ts";
import { SO_USELOOPBACK, SOCK_RAW } from "../socket/socket_abi.ts";
import { sockopt_getint, sockopt_set, sockopt_setint } from "../socket/sockopt.ts";
import type { Socket, SockaddrOut, Sockopt } from "../socket/socketvar.ts";
import { socantsendmore, soisconnected } from "../socket/uipc_socket2.ts";
import { AF_LINK, AF_ROUTE, sa_family, sdl_alen } from "../wire/sockaddr.ts";
import { AF_MAX, type Net } from "./net.ts";
import { RawCb } from "./raw_cb.ts";
import { rn_key, rn_maskkey, rn_masklen } from "./radix.ts";
import { rt_lookup_exact, rt_match, rt_table } from "./route.ts";
import {
  RTF_DONE,
  RTF_HOST,
  RTF_LLDATA,
  RTM_ADD,
  RTM_CHANGE,
  RTM_DELETE,
  RTM_GET,
  RTM_LOCK,
  RtInfo,
  RtMetrics,
  RtOut,
  type Rtentry,
} from "./rtentry.ts";
import { rt_change, rt_set_expire, rtrequest } from "./rtrequest.ts";
import { sa_same_addr } from "./ifa.ts";
import {
  rt_metrics_get,
  rt_xaddrs,
  RTA_IFA,
  RTA_IFP,
  RTM_ADDRS_OFF,
  RTM_ERRNO_OFF,
  RTM_FLAGS_OFF,
  RTM_INITS_OFF,
  RTM_PID_OFF,
  RTM_RMX_OFF,
  RTM_SEQ_OFF,
  RTM_TYPE_OFF,
  RTM_VERSION,
  RTV_EXPIRE,
  RTV_MTU,
  rt_msg_build,
  rt_metrics_put,
  SIZEOF_RT_MSGHDR,
} from "./rtsock_abi.ts";
import { rt_boottime, rt_broadcast, rt_route_msg } from "./rtsock_notify.ts";
import { abi_get_u64 } from "./if_abi.ts";

/** Option (level AF_ROUTE): an int with a bit for each message type that is wanted. */
export const RO_MSGFILTER = 1;
/** Option: sockaddrs for which RTM_MISS is wanted. */
export const RO_MISSFILTER = 2;
/** Most bytes of RO_MISSFILTER. */
export const RO_FILTSA_MAX: number = 30 * 28;
/** Bytes of a routing socket's send buffer: the longest message is shorter. */
export const ROUTESNDQ = 8192;
/** Bytes of a routing socket's receive buffer. */
export const ROUTERCVQ = 65536;

/** One message that is being answered. */
class RtmRequest {
  readonly msg: Uint8Array;
  readonly dv: DataView;
  readonly info: RtInfo = new RtInfo();
  /** What the sockets are told: the message itself, or the answer to RTM_GET. */
  reply: Uint8Array;
  constructor(msg: Uint8Array) {
    this.msg = msg;
    this.dv = new DataView(msg.buffer, msg.byteOffset, msg.byteLength);
    this.reply = msg;
  }
}

/**
 * Answers one message. Returns an errno, which the answer carries too. A message too broken to be read
 * gives the errno only: no socket ever reads a message whose addresses do not parse.
 */
function route_output(net: Net, rcb: RawCb, msg: Uint8Array, l: Lwp): number {
  const r = new RtmRequest(msg);
  if (msg.length < SIZEOF_RT_MSGHDR || r.dv.getUint16(0, true) !== msg.length) return EINVAL;
  if (msg[2] !== RTM_VERSION) return EPROTONOSUPPORT;
  if (rt_xaddrs(msg, SIZEOF_RT_MSGHDR, r.dv.getInt32(RTM_ADDRS_OFF, true), r.info) !== 0) return EINVAL;
  r.dv.setInt32(RTM_PID_OFF, l.l_proc.p_pid, true);
  const error = route_request(net, r, l);
  const dv = r.reply === msg ? r.dv : new DataView(r.reply.buffer);
  if (error !== 0) dv.setInt32(RTM_ERRNO_OFF, error, true);
  else dv.setInt32(RTM_FLAGS_OFF, dv.getInt32(RTM_FLAGS_OFF, true) | RTF_DONE, true);
  const dst = r.info.rti_dst;
  const quiet = (rcb.rcb_so.so_options & SO_USELOOPBACK) === 0;
  rt_broadcast(net, r.reply, dst === null ? 0 : sa_family(dst), dst, quiet ? rcb : null);
  return error;
}

function route_request(net: Net, r: RtmRequest, l: Lwp): number {
  const type = r.msg[RTM_TYPE_OFF];
  const info = r.info;
  info.rti_flags = r.dv.getInt32(RTM_FLAGS_OFF, true);
  if (info.rti_dst === null) return EINVAL;
  if (sa_family(info.rti_dst) >= AF_MAX || (info.rti_gateway !== null && sa_family(info.rti_gateway) >= AF_MAX))
    return EINVAL;
  if (info.rti_genmask !== null) return EOPNOTSUPP;
  if (type !== RTM_GET && !is_super(l.l_proc.p_cred)) return EACCES;
  if (rt_is_lldata(info)) return route_lldata(net, r, type, info.rti_dst);
  switch (type) {
    case RTM_ADD:
      return route_add(net, r);
    case RTM_DELETE:
      return route_delete(net, r);
    case RTM_GET:
      return route_get(net, r, info.rti_dst);
    case RTM_CHANGE:
    case RTM_LOCK:
      return route_change(net, r, type, info.rti_dst);
    default:
      return EOPNOTSUPP;
  }
}

/** Does a request speak of a neighbour rather than a route? RTF_LLDATA says so, or a host with a hardware address for gateway. */
function rt_is_lldata(info: RtInfo): boolean {
  if ((info.rti_flags & RTF_LLDATA) !== 0) return true;
  const gw = info.rti_gateway;
  return gw !== null && (info.rti_flags & RTF_HOST) !== 0 && sa_family(gw) === AF_LINK && sdl_alen(gw) > 0;
}

function route_lldata(net: Net, r: RtmRequest, type: number, dst: Uint8Array): number {
  const info = r.info;
  const af = net.if_af[sa_family(dst)] ?? null;
  if (af?.lla_rt_output === undefined) return EAFNOSUPPORT;
  if (type === RTM_ADD && info.rti_gateway === null) return EINVAL;
  const boot = rt_boottime(net);
  const expire = (r.dv.getInt32(RTM_INITS_OFF, true) & RTV_EXPIRE) !== 0 ? abi_get_u64(r.dv, RTM_RMX_OFF + 64) : 0;
  if (expire < 0) return EINVAL;
  info.rti_expire = expire === 0 ? 0 : Math.max(1, expire - boot);
  const error = af.lla_rt_output(type, info);
  if (error !== 0 || type !== RTM_GET) return error;
  info.rti_netmask = null;
  r.reply = rt_msg_build(RTM_GET, SIZEOF_RT_MSGHDR, info);
  route_reply_header(r, info.rti_flags, info.rti_ifp?.if_index ?? 0, info.rti_addrs);
  const rmx = new RtMetrics();
  rmx.rmx_expire = info.rti_expire;
  rt_metrics_put(new DataView(r.reply.buffer), RTM_RMX_OFF, rmx, boot);
  return 0;
}

/** Fills the header of an answer that is not the request itself. */
function route_reply_header(r: RtmRequest, flags: number, index: number, addrs: number): void {
  const dv = new DataView(r.reply.buffer);
  dv.setUint16(4, index, true);
  dv.setInt32(RTM_FLAGS_OFF, flags, true);
  dv.setInt32(RTM_ADDRS_OFF, addrs, true);
  dv.setInt32(RTM_PID_OFF, r.dv.getInt32(RTM_PID_OFF, true), true);
  dv.setInt32(RTM_SEQ_OFF, r.dv.getInt32(RTM_SEQ_OFF, true), true);
}

function route_add(net: Net, r: RtmRequest): number {
  if (r.info.rti_gateway === null) return EINVAL;
  const probe = rt_metrics_get(r.dv, RTM_RMX_OFF, r.dv.getInt32(RTM_INITS_OFF, true), new RtMetrics());
  if (probe !== 0) return probe;
  const out = new RtOut();
  const error = rtrequest(net, RTM_ADD, r.info, out);
  if (error !== 0 || out.rt === null) return error;
  out.rt.rt_refcnt--;
  return route_setmetrics(net, r, out.rt);
}

function route_delete(net: Net, r: RtmRequest): number {
  const out = new RtOut();
  const error = rtrequest(net, RTM_DELETE, r.info, out);
  if (error !== 0 || out.rt === null) return error;
  out.rt.rt_refcnt--;
  route_answer(net, r, RTM_DELETE, out.rt);
  return 0;
}

/** The route that packets to the destination take; with a mask, to its net. */
function route_get(net: Net, r: RtmRequest, dst: Uint8Array): number {
  const head = rt_table(net, sa_family(dst));
  if (head === null) return EAFNOSUPPORT;
  const mask = r.info.rti_netmask;
  if (mask !== null && (r.info.rti_flags & RTF_HOST) === 0) {
    const plen = rn_masklen(head, mask);
    if (plen < 0) return EINVAL;
    const key = rn_key(head, dst);
    rn_maskkey(key, plen);
    dst.set(key, head.rnh_off);
  }
  const rt = rt_match(net, dst);
  if (rt === null) return ESRCH;
  route_answer(net, r, RTM_GET, rt);
  return 0;
}

function route_answer(net: Net, r: RtmRequest, type: number, rt: Rtentry): void {
  const with_if = (r.info.rti_addrs & (RTA_IFP | RTA_IFA)) !== 0;
  r.reply = rt_route_msg(net, type, rt, with_if);
  const dv = new DataView(r.reply.buffer);
  dv.setInt32(RTM_PID_OFF, r.dv.getInt32(RTM_PID_OFF, true), true);
  dv.setInt32(RTM_SEQ_OFF, r.dv.getInt32(RTM_SEQ_OFF, true), true);
}

function route_change(net: Net, r: RtmRequest, type: number, dst: Uint8Array): number {
  const info = r.info;
  const host = (info.rti_flags & RTF_HOST) !== 0;
  let rt =
    host || info.rti_netmask !== null
      ? rt_lookup_exact(net, route_masked(net, info, dst), host ? null : info.rti_netmask)
      : rt_match(net, dst);
  if (rt !== null && !host && info.rti_netmask === null && !sa_same_addr(rt.rt_key, dst)) rt = null;
  if (rt === null) return rt_table(net, sa_family(dst)) === null ? EAFNOSUPPORT : ESRCH;
  if (type === RTM_LOCK) {
    rt.rt_rmx.rmx_locks = abi_get_u64(r.dv, RTM_RMX_OFF) & 0xff & r.dv.getInt32(RTM_INITS_OFF, true);
    return 0;
  }
  const probe = rt_metrics_get(r.dv, RTM_RMX_OFF, r.dv.getInt32(RTM_INITS_OFF, true), new RtMetrics());
  if (probe !== 0) return probe;
  const error = rt_change(net, rt, info);
  return error !== 0 ? error : route_setmetrics(net, r, rt);
}

/** The destination with the bits outside the mask cleared. */
function route_masked(net: Net, info: RtInfo, dst: Uint8Array): Uint8Array {
  const head = rt_table(net, sa_family(dst));
  if (head === null || info.rti_netmask === null) return dst;
  const plen = rn_masklen(head, info.rti_netmask);
  if (plen < 0) return dst;
  const sa = dst.slice();
  const key = rn_key(head, dst);
  rn_maskkey(key, plen);
  sa.set(key, head.rnh_off);
  return sa;
}

/** Takes the metrics that the message sets, and the locks. */
function route_setmetrics(net: Net, r: RtmRequest, rt: Rtentry): number {
  const inits = r.dv.getInt32(RTM_INITS_OFF, true);
  const error = rt_metrics_get(r.dv, RTM_RMX_OFF, inits, rt.rt_rmx);
  if (error !== 0) return error;
  if (inits !== 0)
    rt.rt_rmx.rmx_locks = (rt.rt_rmx.rmx_locks & ~inits) | (abi_get_u64(r.dv, RTM_RMX_OFF) & inits & 0xff);
  if ((inits & RTV_EXPIRE) !== 0) {
    const expire = abi_get_u64(r.dv, RTM_RMX_OFF + 64);
    if (expire < 0) return EINVAL;
    rt_set_expire(net, rt, expire === 0 ? 0 : Math.max(1, expire - rt_boottime(net)));
  }
  if ((inits & RTV_MTU) !== 0 && rt.rt_rmx.rmx_mtu > rt.rt_ifp.if_mtu) rt.rt_rmx.rmx_mtu = rt.rt_ifp.if_mtu;
  return 0;
}

function rcb_of(net: Net, so: Socket): RawCb | null {
  return net.rawcbs.find((rcb) => rcb.rcb_so === so) ?? null;
}

function route_attach(net: Net, so: Socket, proto: number): number {
  if (so.so_pcb !== null) return EISCONN;
  if (proto < 0 || proto >= AF_MAX) return EPROTONOSUPPORT;
  const error = soreserve(so, ROUTESNDQ, ROUTERCVQ);
  if (error !== 0) return error;
  const rcb = new RawCb(so, proto);
  so.so_pcb = rcb;
  net.rawcbs.push(rcb);
  net.route_cb_count++;
  so.so_options |= SO_USELOOPBACK;
  soisconnected(so);
  return 0;
}

function route_detach(net: Net, so: Socket): void {
  const at = net.rawcbs.findIndex((rcb) => rcb.rcb_so === so);
  if (at < 0) return;
  net.rawcbs.splice(at, 1);
  net.route_cb_count--;
  so.so_pcb = null;
}

function route_send(net: Net, so: Socket, m: Mbuf, nam: Uint8Array | null, control: Mbuf | null, l: Lwp): number {
  const rcb = rcb_of(net, so);
  const msg = m_tobytes(m);
  m_freem(m);
  m_freem(control);
  if (rcb === null) return ENOTCONN;
  if (nam !== null) return EISCONN;
  if (control !== null) return EINVAL;
  return route_output(net, rcb, msg, l);
}

/** The name of either end of a routing socket: the family alone. */
function route_name(nam: SockaddrOut): number {
  nam.sa[0] = 2;
  nam.sa[1] = AF_ROUTE;
  nam.len = 2;
  return 0;
}

function route_ctloutput(net: Net, op: number, so: Socket, sopt: Sockopt): number {
  const rcb = rcb_of(net, so);
  if (rcb === null || sopt.sopt_level !== AF_ROUTE) return EINVAL;
  if (sopt.sopt_name === RO_MSGFILTER) {
    if (op === PRCO_GETOPT) return sockopt_setint(sopt, rcb.rcb_msgfilter);
    if (sopt.sopt_size !== 4) return EINVAL;
    rcb.rcb_msgfilter = sockopt_getint(sopt);
    return 0;
  }
  if (sopt.sopt_name !== RO_MISSFILTER) return EINVAL;
  return op === PRCO_GETOPT ? get_missfilter(rcb, sopt) : set_missfilter(rcb, sopt);
}

function get_missfilter(rcb: RawCb, sopt: Sockopt): number {
  const all: number[] = [];
  for (const sa of rcb.rcb_missfilter) all.push(...sa);
  return sockopt_set(sopt, Uint8Array.from(all));
}

function set_missfilter(rcb: RawCb, sopt: Sockopt): number {
  const list: Uint8Array[] = [];
  if (sopt.sopt_size > RO_FILTSA_MAX) return ENOBUFS;
  for (let at = 0; at < sopt.sopt_size; ) {
    const len = sopt.sopt_data[at];
    if (len < 8 || at + len > sopt.sopt_size) return EINVAL;
    const sa = new Uint8Array(Math.max(len, 28));
    sa.set(sopt.sopt_data.subarray(at, at + len));
    list.push(sa.subarray(0, len));
    at += len;
  }
  rcb.rcb_missfilter = list;
  return 0;
}

/** PF_ROUTE for one kernel. */
export function routedomain(net: Net): Domain {
  const usrreqs = new PrUsrreqs({
    pr_attach: (so, proto) => route_attach(net, so, proto),
    pr_detach: (so) => route_detach(net, so),
    pr_disconnect: () => ENOTCONN,
    pr_shutdown: (so) => {
      socantsendmore(so);
      return 0;
    },
    pr_peeraddr: (_so, nam) => route_name(nam),
    pr_sockaddr: (_so, nam) => route_name(nam),
    pr_send: (so, m, nam, control, l) => route_send(net, so, m, nam, control, l),
  });
  const pr = new Protosw({
    pr_type: SOCK_RAW,
    pr_protocol: 0,
    pr_flags: PR_ATOMIC | PR_ADDR,
    pr_usrreqs: usrreqs,
    pr_ctloutput: (op, so, sopt) => route_ctloutput(net, op, so, sopt),
  });
  return new Domain({ dom_family: AF_ROUTE, dom_name: "route", dom_protosw: [pr] });
}
