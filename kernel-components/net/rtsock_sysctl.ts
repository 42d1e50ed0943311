/*
 * net.route (PF_ROUTE, 0, family, op, arg): the routing table and the interfaces as messages. What netstat -r, arp -a and ifconfig -a read.
 */
import { EINVAL, ENOTDIR, EPERM } from "../../hypercall/api/errno.ts";
import { sysctl_copyout } from "../kern/sysctl_bytes.ts";
import type { SysctlLen } from "../kern/sysctl_bytes.ts";
import { AF_ROUTE, sa_family } from "../wire/sockaddr.ts";
import { if_byindex } from "./if_attach.ts";
import type { Ifnet } from "./if.ts";
import { AF_MAX, type Net } from "./net.ts";
import { rt_walktree } from "./route.ts";
import { RTF_DONE, RTF_HOST, RTF_LLDATA, RTF_UP, RTM_GET, RTM_NEWADDR, RtInfo, RtMetrics } from "./rtentry.ts";
import {
  rt_metrics_put,
  rt_msg_build,
  RTM_ADDRS_OFF,
  RTM_FLAGS_OFF,
  RTM_INDEX_OFF,
  RTM_RMX_OFF,
  SIZEOF_RT_MSGHDR,
} from "./rtsock_abi.ts";
import { rt_boottime, rt_if_msg, rt_ifa_msg, rt_route_msg } from "./rtsock_notify.ts";

/** The whole table. */
export const NET_RT_DUMP = 1;
/** Routes with certain flags; with RTF_LLDATA the neighbours. */
export const NET_RT_FLAGS = 2;
/** Interfaces and their addresses. */
export const NET_RT_IFLIST = 6;

/** Collects messages. */
class Dump {
  private readonly parts: Uint8Array[] = [];
  private len = 0;
  /** Adds a message. */
  add(msg: Uint8Array): void {
    this.parts.push(msg);
    this.len += msg.length;
  }
  /** All messages, one behind the other. */
  bytes(): Uint8Array {
    const all = new Uint8Array(this.len);
    let at = 0;
    for (const p of this.parts) {
      all.set(p, at);
      at += p.length;
    }
    return all;
  }
}

/** The handler of net.route.rtable: name is {family (0 all), op, argument}. */
export function sysctl_rtable(
  net: Net,
  name: readonly number[],
  oldp: Uint8Array | null,
  oldlenp: SysctlLen,
  newp: Uint8Array | null,
): number {
  if (newp !== null) return EPERM;
  if (name.length !== 3) return name.length < 3 ? EINVAL : ENOTDIR;
  const af = name[0];
  const op = name[1];
  const arg = name[2];
  if (af < 0 || af >= AF_MAX) return EINVAL;
  const d = new Dump();
  switch (op) {
    case NET_RT_DUMP:
      dump_routes(net, d, af, 0);
      break;
    case NET_RT_FLAGS:
      if ((arg & RTF_LLDATA) !== 0 || arg === 0) dump_neighbours(net, d, af);
      if ((arg & ~RTF_LLDATA) !== 0) dump_routes(net, d, af, arg & ~RTF_LLDATA);
      break;
    case NET_RT_IFLIST:
      dump_iflist(net, d, af, arg);
      break;
    default:
      return EINVAL;
  }
  return sysctl_copyout(d.bytes(), oldp, oldlenp);
}

function dump_routes(net: Net, d: Dump, af: number, flags: number): void {
  rt_walktree(net, af, (rt) => {
    if (flags !== 0 && (rt.rt_flags & flags) === 0) return 0;
    const msg = rt_route_msg(net, RTM_GET, rt, true);
    new DataView(msg.buffer).setInt32(RTM_FLAGS_OFF, rt.rt_flags | RTF_DONE, true);
    d.add(msg);
    return 0;
  });
}

function dump_neighbours(net: Net, d: Dump, af: number): void {
  const boot = rt_boottime(net);
  for (const ifaf of net.if_af) {
    if (ifaf === null || (af !== 0 && ifaf.if_af !== af)) continue;
    ifaf.lltable_dump?.((ifp, dst, sdl, flags, expire) => {
      const info = new RtInfo();
      const rmx = new RtMetrics();
      info.rti_dst = dst;
      info.rti_gateway = sdl;
      const msg = rt_msg_build(RTM_GET, SIZEOF_RT_MSGHDR, info);
      const dv = new DataView(msg.buffer);
      rmx.rmx_expire = expire;
      dv.setUint16(RTM_INDEX_OFF, ifp.if_index, true);
      dv.setInt32(RTM_FLAGS_OFF, flags | RTF_UP | RTF_HOST | RTF_LLDATA | RTF_DONE, true);
      dv.setInt32(RTM_ADDRS_OFF, info.rti_addrs, true);
      rt_metrics_put(dv, RTM_RMX_OFF, rmx, boot);
      d.add(msg);
    });
  }
}

function dump_iflist(net: Net, d: Dump, af: number, index: number): void {
  const only: Ifnet | null = index === 0 ? null : if_byindex(net, index);
  if (index !== 0 && only === null) return;
  for (const ifp of net.ifnet_list) {
    if (only !== null && ifp !== only) continue;
    d.add(rt_if_msg(ifp, true));
    for (const ifa of ifp.if_addrlist) {
      if (ifa === ifp.if_dl || (af !== 0 && sa_family(ifa.ifa_addr) !== af)) continue;
      d.add(rt_ifa_msg(RTM_NEWADDR, ifa, false));
    }
  }
}

/** Adds the sysctl: net.route.rtable, also found as the numbers {CTL_NET, PF_ROUTE, 0, ...}. */
export function rt_sysctl_attach(net: Net): void {
  net.k.sysctl.addNode("net.route", "PF_ROUTE information", AF_ROUTE);
  net.k.sysctl.addHandler(
    "net.route.rtable",
    "Routing table",
    (name, oldp, oldlenp, newp) => sysctl_rtable(net, name, oldp, oldlenp, newp),
    0,
  );
}
