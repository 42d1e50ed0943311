/*
 * What an ICMP redirect does to the routing table (RFC 1122 §3.2.2.2).
 */
import { EHOSTUNREACH, EINVAL, ENETUNREACH } from "../../hypercall/api/errno.ts";
import { ifa_ifwithaddr, ifa_ifwithnet, sa_same_addr } from "./ifa.ts";
import type { Net } from "./net.ts";
import { rt_generation_bump, rt_match } from "./route.ts";
import {
  RTF_DYNAMIC,
  RTF_GATEWAY,
  RTF_HOST,
  RTF_MODIFIED,
  RTF_UP,
  RTM_ADD,
  RTM_REDIRECT,
  RtInfo,
  type RtOut,
  type Rtentry,
} from "./rtentry.ts";
import { rt_setgate, rtrequest } from "./rtrequest.ts";
import { rt_missmsg } from "./rtsock_notify.ts";

/**
 * Sends packets for dst to gateway from now on, if src is the gateway they are sent to now. flags: RTF_GATEWAY, with RTF_HOST for a host redirect. out, if
 * given, gets the route, referenced; the caller sets its timer. EINVAL: src is not the current gateway; EHOSTUNREACH: the new gateway is ourselves, or
 * there is no gateway to change; ENETUNREACH: the new gateway is on no net of ours.
 */
export function rtredirect(
  net: Net,
  dst: Uint8Array,
  gateway: Uint8Array,
  flags: number,
  src: Uint8Array,
  out: RtOut | null,
): number {
  const error = redirect(net, dst, gateway, flags, src, out);
  const info = new RtInfo();
  info.rti_dst = dst;
  info.rti_gateway = gateway;
  info.rti_author = src;
  rt_missmsg(net, RTM_REDIRECT, info, flags, error);
  return error;
}

function redirect(
  net: Net,
  dst: Uint8Array,
  gateway: Uint8Array,
  flags: number,
  src: Uint8Array,
  out: RtOut | null,
): number {
  const ifa = ifa_ifwithnet(net, gateway);
  if (ifa === null) return ENETUNREACH;
  const rt = rt_match(net, dst);
  if (rt === null) return ENETUNREACH;
  if (!sa_same_addr(src, rt.rt_gateway) || rt.rt_ifp !== ifa.ifa_ifp) return EINVAL;
  if (ifa_ifwithaddr(net, gateway) !== null) return EHOSTUNREACH;
  if ((rt.rt_flags & RTF_GATEWAY) === 0) return EHOSTUNREACH;
  if ((rt.rt_flags & RTF_HOST) === 0 && (flags & RTF_HOST) !== 0) return redirect_create(net, dst, gateway, flags, out);
  return redirect_modify(net, rt, gateway, out);
}

/** A net route stays; a host route takes this destination away from it. */
function redirect_create(net: Net, dst: Uint8Array, gateway: Uint8Array, flags: number, out: RtOut | null): number {
  const info = new RtInfo();
  info.rti_dst = dst;
  info.rti_gateway = gateway;
  info.rti_flags = (flags & RTF_HOST) | RTF_GATEWAY | RTF_DYNAMIC | RTF_UP;
  return rtrequest(net, RTM_ADD, info, out);
}

function redirect_modify(net: Net, rt: Rtentry, gateway: Uint8Array, out: RtOut | null): number {
  const error = rt_setgate(net, rt, gateway);
  if (error !== 0) return error;
  rt.rt_flags |= RTF_MODIFIED;
  rt_generation_bump(net);
  if (out !== null) {
    out.rt = rt;
    rt.rt_refcnt++;
  }
  return 0;
}
