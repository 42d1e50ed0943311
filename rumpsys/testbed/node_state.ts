/**
 * What a node knows: its neighbours, interfaces and counters.
 */
import { RTM_ADDRS_OFF, RTM_INDEX_OFF, SIZEOF_RT_MSGHDR, rt_xaddrs } from "../../kernel-components/net/rtsock_abi.ts";
import { RTF_LLDATA, RtInfo } from "../../kernel-components/net/rtentry.ts";
import { if_byindex } from "../../kernel-components/net/if_attach.ts";
import {
  IFD_IERRORS,
  IFD_IPACKETS,
  IFD_IQDROPS,
  IFD_OERRORS,
  IFD_OPACKETS,
} from "../../kernel-components/net/if_flags.ts";
import { NET_KEY } from "../../kernel-components/net/net.ts";
import { NET_RT_FLAGS } from "../../kernel-components/net/rtsock_sysctl.ts";
import { AF_INET, PF_ROUTE } from "../../kernel-components/socket/socket_abi.ts";
import { CTL_NET } from "../../kernel-components/kern/sysctl_mib.ts";
import { ether_ntoa } from "../../kernel-components/wire/ether_text.ts";
import { inet_ntoa } from "../../kernel-components/wire/inet_addr.ts";
import { sdl_lladdr, sin_addr } from "../../kernel-components/wire/sockaddr.ts";
import type { RumpKernel } from "../rump_kernel.ts";
import type { InterfaceStats, Neighbour, NodeStats } from "./node_ops.ts";

/** The ARP table, as arp -a reads it. */
export function node_arp(rk: RumpKernel): Neighbour[] {
  const bytes = rk.rumpSys.sysctl([CTL_NET, PF_ROUTE, 0, AF_INET, NET_RT_FLAGS, RTF_LLDATA]);
  const net = rk.k.softc(NET_KEY);
  const found: Neighbour[] = [];
  const dv = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + SIZEOF_RT_MSGHDR <= bytes.length; at += dv.getUint16(at, true)) {
    const info = new RtInfo();
    const msg = bytes.subarray(at, at + dv.getUint16(at, true));
    if (msg.length === 0 || rt_xaddrs(msg, SIZEOF_RT_MSGHDR, dv.getInt32(at + RTM_ADDRS_OFF, true), info) !== 0) break;
    if (info.rti_dst === null || info.rti_gateway === null) continue;
    const lladdr = sdl_lladdr(info.rti_gateway);
    found.push({
      address: inet_ntoa(sin_addr(info.rti_dst)),
      lladdr: lladdr.length === 6 ? ether_ntoa(lladdr) : null,
      ifname: if_byindex(net, dv.getUint16(at + RTM_INDEX_OFF, true))?.if_xname ?? "",
    });
  }
  return found;
}

/** The interfaces with their counters. */
export function node_interfaces(rk: RumpKernel): InterfaceStats[] {
  return rk.k.softc(NET_KEY).ifnet_list.map((ifp) => ({
    ifname: ifp.if_xname,
    lladdr: ifp.if_addrlen === 6 ? ether_ntoa(ifp.if_lladdr) : "",
    ipackets: ifp.if_data[IFD_IPACKETS] ?? 0,
    opackets: ifp.if_data[IFD_OPACKETS] ?? 0,
    ierrors: ifp.if_data[IFD_IERRORS] ?? 0,
    oerrors: ifp.if_data[IFD_OERRORS] ?? 0,
    iqdrops: ifp.if_data[IFD_IQDROPS] ?? 0,
  }));
}

/** Memory in use and every counter that is not zero. */
export function node_stats(rk: RumpKernel): NodeStats {
  const { mbufs, clusters, jumbo } = rk.k.mb.in_use();
  const counters: Record<string, number> = {};
  for (const { ev_group, ev_names, ev_block } of rk.k.evcnts.list()) {
    ev_names.forEach((name, i) => {
      const value = ev_block[i] ?? 0;
      if (value !== 0) counters[`${ev_group}.${name}`] = (counters[`${ev_group}.${name}`] ?? 0) + value;
    });
  }
  return { mbufs, clusters: clusters + jumbo, counters };
}
