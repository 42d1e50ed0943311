/*
 * The net component: interfaces, Ethernet, loopback, routing, routing sockets, bpf and pfil. Protocols (inet) and drivers build on it.
 */
import {
  RUMP_COMPONENT_NET,
  RUMP_COMPONENT_NET_IF,
  RUMP_COMPONENT_NET_ROUTE,
  type RumpComponent,
} from "../kern/component.ts";
import type { Kernel } from "../kern/kernel.ts";
import { domain_attach, domain_detach, pffinddomain } from "../socket/domain.ts";
import { SOCKET_LAYER } from "../socket/socketvar.ts";
import { AF_LINK, AF_ROUTE } from "../wire/sockaddr.ts";
import { bpf_attach, bpf_detach } from "./bpf_dev.ts";
import { LlDest } from "./if.ts";
import { if_detach } from "./if_attach.ts";
import { if_clone_destroy } from "./if_clone.ts";
import { ifioctl } from "./if_ioctl.ts";
import { net_sysctl_attach } from "./if_sysctl.ts";
import { linkdomain } from "./link_proto.ts";
import { loinput, loopattach } from "./loop.ts";
import { Net, NET_KEY } from "./net.ts";
import { PktQueue, pktq_destroy } from "./pktqueue.ts";
import { rt_init, rt_walktree } from "./route.ts";
import { rt_delete } from "./rtrequest.ts";
import { routedomain } from "./rtsock.ts";
import { rt_sysctl_attach } from "./rtsock_sysctl.ts";
import { rt_timers_create, rt_timers_destroy } from "./rt_timer.ts";
import { RtCache } from "./rtcache.ts";

/** Makes the state. */
function net_init(k: Kernel): number {
  const pktq = new PktQueue(k, (m) => loinput(net, m));
  const net: Net = new Net(k, new LlDest(), new RtCache(), rt_timers_create(k), pktq);
  k.softc_set(NET_KEY, net);
  rt_init(net);
  net_sysctl_attach(net);
  k.softc(SOCKET_LAYER).ifioctl = (so, cmd, data, l) => ifioctl(net, so, cmd, data, l);
  return bpf_attach(net);
}

/** Detaches what is left and gives everything back. */
function net_fini(k: Kernel): void {
  const net = k.softc(NET_KEY);
  bpf_detach(net);
  k.softc(SOCKET_LAYER).ifioctl = null;
  k.evcnts.detach(net.netstat);
  rt_walktree(net, 0, (rt) => {
    rt_delete(net, rt);
    return 0;
  });
  rt_timers_destroy(net.rt_timers);
  pktq_destroy(net.pktq);
  k.softc_delete(NET_KEY);
}

/** Destroys the interfaces that cloners made, then detaches the rest. Drivers with interfaces of their own have detached them before. */
function if_fini(k: Kernel): void {
  const net = k.softc(NET_KEY);
  for (const ifp of net.ifnet_list.slice().reverse()) if (if_clone_destroy(net, ifp) !== 0) if_detach(ifp);
  net.lo0ifp = null;
}

/** The component. */
export const netComponent: RumpComponent = {
  name: "net",
  requires: ["socket"],
  excludes: ["sockin"],
  init: {
    [RUMP_COMPONENT_NET]: net_init,
    [RUMP_COMPONENT_NET_ROUTE](k) {
      const net = k.softc(NET_KEY);
      rt_sysctl_attach(net);
      const layer = k.softc(SOCKET_LAYER);
      const error = domain_attach(layer, linkdomain(net));
      return error !== 0 ? error : domain_attach(layer, routedomain(net));
    },
    [RUMP_COMPONENT_NET_IF](k) {
      return loopattach(k.softc(NET_KEY));
    },
  },
  fini: {
    [RUMP_COMPONENT_NET]: net_fini,
    [RUMP_COMPONENT_NET_ROUTE](k) {
      const layer = k.softc(SOCKET_LAYER);
      for (const family of [AF_ROUTE, AF_LINK]) {
        const dom = pffinddomain(layer, family);
        if (dom !== null) domain_detach(layer, dom);
      }
    },
    [RUMP_COMPONENT_NET_IF]: if_fini,
  },
};
