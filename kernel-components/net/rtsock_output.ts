/*
 * What a program may ask of the routing table: RTM_ADD, RTM_DELETE, RTM_GET, RTM_CHANGE, RTM_LOCK on routes, the first four on neighbours too.
 */
import { EACCES, EAFNOSUPPORT, EINVAL, EOPNOTSUPP, EPROTONOSUPPORT, ESRCH } from "../../hypercall/api/errno.ts";
import { is_super, type Lwp } from "../kern/proc.ts";
import { SO_USELOOPBACK } from "../socket/socket_abi.ts";
import { AF_LINK, sa_family, sdl_alen } from "../wire/sockaddr.ts";
import { AF_MAX, type Net } from "./net.ts";
import type { RawCb } from "./raw_cb.ts";
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
export function route_output(net: Net, rcb: RawCb, msg: Uint8Array, l: Lwp): number {
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
