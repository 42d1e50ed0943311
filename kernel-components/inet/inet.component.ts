/*
 * IPv4 as a component: the Internet domain with ICMP, IGMP, UDP and raw sockets, ARP, and 127.0.0.1 on lo0.
 */
import { EAFNOSUPPORT } from "../../hypercall/api/errno.ts";
import { callout_destroy, callout_stop } from "../kern/callout.ts";
import { RUMP_COMPONENT_NET, RUMP_COMPONENT_NET_IFCFG } from "../kern/component.ts";
import type { RumpComponent } from "../kern/component.ts";
import { evcnt_attach, evcnt_detach } from "../kern/evcnt.ts";
import type { Kernel } from "../kern/kernel.ts";
import type { Ifaddr, Ifnet } from "../net/if.ts";
import { ifaliasreq, SIOCAIFADDR } from "../net/if_abi.ts";
import { IFF_UP, LINK_STATE_DOWN } from "../net/if_flags.ts";
import { lo0_up } from "../net/loop.ts";
import { NET_KEY, register_ethertype, register_if_af } from "../net/net.ts";
import type { IfAf } from "../net/net.ts";
import { domain_attach, domain_detach, pffinddomain } from "../socket/domain.ts";
import { SOCKET_LAYER } from "../socket/socketvar.ts";
import { ETHERTYPE_ARP, ETHERTYPE_IP } from "../wire/ether.ts";
import { IN_CLASSA_NET, INADDR_LOOPBACK } from "../wire/in.ts";
import { AF_INET, mk_sockaddr_in } from "../wire/sockaddr.ts";
import { arp_ifinit } from "./arp_dad.ts";
import { arpintr } from "./arp_input.ts";
import { arp_lla_rt_output, arp_lltable_dump } from "./arp_rt.ts";
import { arpresolve } from "./arp_resolve.ts";
import { arpstat_names } from "./arp_stat.ts";
import { arp_ifpurge } from "./arp_table.ts";
import { icmpstat_names } from "./icmp_stat.ts";
import { igmpstat_names } from "./igmp_stat.ts";
import { in_control } from "./in_control.ts";
import { in_domifattach, in_purgeaddr } from "./in_ifinit.ts";
import { in_if_down, in_if_link_down, in_if_link_up, in_lladdr_change } from "./in_linkstate.ts";
import { in_purgemulti } from "./in_multi.ts";
import { inet_domain } from "./in_proto.ts";
import { in_ifdata } from "./in_var.ts";
import type { InIfaddr } from "./in_var.ts";
import { INET, Inet, SCRATCH_LEN } from "./inet.ts";
import { InetAf4 } from "./inet_af4.ts";
import { inet_sysctl } from "./inet_sysctl.ts";
import { ip_input } from "./ip_input.ts";
import { ip_moptions_purgeif } from "./ip_moptions.ts";
import { ip_reass_drain, ip_reass_ifdetach } from "./ip_reass.ts";
import { ipstat_names } from "./ip_stat.ts";
import { udpstat_names } from "./udp_stat.ts";

/** IPv4. */
export const inetComponent: RumpComponent = {
  name: "inet",
  requires: ["kern", "socket", "net"],
  excludes: ["sockin"],
  init: { [RUMP_COMPONENT_NET]: inet_init, [RUMP_COMPONENT_NET_IFCFG]: inet_ifcfg },
  fini: { [RUMP_COMPONENT_NET]: inet_fini },
};

function inet_init(k: Kernel): number {
  const net = k.softc(NET_KEY);
  const inet = new Inet(k, net);
  if (inet.scratch === 0) return EAFNOSUPPORT;
  k.softc_set(INET, inet);
  inet.arp_ifinit = (ifp, ia) => arp_ifinit(inet, ifp, ia);
  inet.control = (cmd, data, ifp) => in_control(inet, cmd, data, ifp, null);
  const error = domain_attach(k.softc(SOCKET_LAYER), inet_domain(inet, new InetAf4(inet)));
  if (error !== 0) return error;
  register_ethertype(net, ETHERTYPE_IP, (ifp, m) => ip_input(inet, ifp, m));
  register_ethertype(net, ETHERTYPE_ARP, (ifp, m) => arpintr(inet, ifp, m));
  register_if_af(net, inet_if_af(inet));
  evcnt_attach(k, "ip", ipstat_names, inet.ipstat);
  evcnt_attach(k, "icmp", icmpstat_names, inet.icmpstat);
  evcnt_attach(k, "igmp", igmpstat_names, inet.igmpstat);
  evcnt_attach(k, "udp", udpstat_names, inet.udpstat);
  evcnt_attach(k, "arp", arpstat_names, inet.arpstat);
  k.sysctl.provide((tree) => inet_sysctl(inet, tree));
  return 0;
}

/** What the interface layer calls upwards. */
function inet_if_af(inet: Inet): IfAf {
  return {
    if_af: AF_INET,
    if_ethertype: ETHERTYPE_IP,
    resolve: (ifp, m, dst, rt, out) => arpresolve(inet, ifp, m, dst, rt, out),
    control: (cmd, data, ifp, l) => in_control(inet, cmd, data, ifp, l),
    ifattach: (ifp) => void in_domifattach(ifp),
    ifdetach: (ifp) => inet_ifdetach(inet, ifp),
    if_up: (ifp) => in_if_link_up(inet, ifp),
    if_down: (ifp) => in_if_down(inet, ifp),
    link_state: (ifp, state) => (state === LINK_STATE_DOWN ? in_if_link_down(inet, ifp) : in_if_link_up(inet, ifp)),
    lladdr_change: (ifp) => in_lladdr_change(inet, ifp),
    ifa_addrflags: (ifa: Ifaddr) => (ifa as InIfaddr).ia_flags,
    lltable_dump: (visit) => arp_lltable_dump(inet, visit),
    lla_rt_output: (cmd, info) => arp_lla_rt_output(inet, cmd, info),
  };
}

/** An interface goes: its addresses, groups, neighbours and fragments, and what sockets remember of it. */
function inet_ifdetach(inet: Inet, ifp: Ifnet): void {
  const d = in_ifdata(ifp);
  if (d !== null) for (const ia of [...d.ii_addrs]) in_purgeaddr(inet, ia);
  for (const table of [inet.udbtable, inet.rawcbtable]) {
    for (const inp of table.inpt_all) if (inp.inp_moptions !== null) ip_moptions_purgeif(inp.inp_moptions, ifp);
  }
  in_purgemulti(ifp);
  arp_ifpurge(inet, ifp, true);
  ip_reass_ifdetach(inet, ifp);
}

/** 127.0.0.1/8 on lo0. */
function inet_ifcfg(k: Kernel): number {
  const inet = k.softc(INET);
  const lo0 = inet.net.lo0ifp;
  if (lo0 === null) return 0;
  const error = lo0_up(inet.net);
  if (error !== 0 || (lo0.if_flags & IFF_UP) === 0) return error;
  const req = ifaliasreq(lo0.if_xname, mk_sockaddr_in(INADDR_LOOPBACK), null, mk_sockaddr_in(IN_CLASSA_NET));
  return in_control(inet, SIOCAIFADDR, req, lo0, null);
}

function inet_fini(k: Kernel): void {
  const inet = k.softc(INET);
  for (const ifp of [...inet.net.ifnet_list]) inet_ifdetach(inet, ifp);
  ip_reass_drain(inet);
  callout_stop(inet.reass.ch);
  callout_destroy(inet.reass.ch);
  const layer = k.softc(SOCKET_LAYER);
  const dom = pffinddomain(layer, AF_INET);
  if (dom !== null) domain_detach(layer, dom);
  register_ethertype(inet.net, ETHERTYPE_IP, null);
  register_ethertype(inet.net, ETHERTYPE_ARP, null);
  inet.net.if_af[AF_INET] = null;
  inet.net.if_af_inet = null;
  for (const block of [inet.ipstat, inet.icmpstat, inet.igmpstat, inet.udpstat, inet.arpstat]) evcnt_detach(k, block);
  k.host.memory.rumpuser_free(inet.scratch, SCRATCH_LEN);
  k.softc_delete(INET);
}
