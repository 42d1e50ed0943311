/**
 * A booted kernel becomes a node of the plan: interfaces on their buses, addresses, routes, forwarding.
 */
import { EINVAL } from "../../hypercall/api/errno.ts";
import { SHMIF_BUSBYTES_MIN, SHMIF_HDRSIZE } from "../../drivers/shmif/shmif_layout.ts";
import { errno_name, strerror } from "../../hypercall/api/errno_names.ts";
import {
  rump_pub_netconfig_ifcreate,
  rump_pub_netconfig_ifmtu,
  rump_pub_netconfig_ifsetlinkstr,
  rump_pub_netconfig_ipv4_ifaddr_cidr,
  rump_pub_netconfig_ipv4_route,
} from "../netconfig.ts";
import type { RumpKernel } from "../rump_kernel.ts";
import { LINK_PREFIX } from "./plan_routes.ts";
import type { LinkPlan, NodePlan, TestbedPlan } from "./plan.ts";
import { TestbedError } from "./testbed_error.ts";

/** Ports of a bus beyond those of its nodes, for tools that look on. */
const SPARE_PORTS = 2;
/** Bytes of the smallest port area. */
const PORT_BYTES: number = (SHMIF_BUSBYTES_MIN - SHMIF_HDRSIZE) / 2;
/** Name of the tap interface in the kernel. */
export const TAP_IFNAME = "virt0";

/** Configures node `node` of `plan`; `bus(i)` is the path of link i. Throws TestbedError that names the step. */
export function configure_node(rk: RumpKernel, plan: TestbedPlan, node: NodePlan, bus: (link: number) => string): void {
  const step = (what: string, error: number): void => {
    if (error !== 0) throw new TestbedError(`node ${node.name}: ${what}: ${errno_name(error)} (${strerror(error)})`);
  };
  // A testbed has no strangers whose address it could take: it need not wait seconds for objections.
  rk.rumpSys.sysctlbyname("net.inet.ip.dad_count", 0);
  rk.rumpSys.sysctlbyname("net.inet.ip.forwarding", node.forward ? 1 : 0);
  for (const { ifname, link, address } of node.interfaces) {
    const { ends, mtu } = plan.links[link] as LinkPlan;
    rk.rumpSys.sysctlbyname("net.link.shmif.busbytes", SHMIF_HDRSIZE + (ends.length + SPARE_PORTS) * PORT_BYTES);
    step(`${ifname} create`, rump_pub_netconfig_ifcreate(rk, ifname));
    step(`${ifname} linkstr ${bus(link)}`, rump_pub_netconfig_ifsetlinkstr(rk, ifname, bus(link)));
    if (mtu !== 1500) step(`${ifname} mtu ${mtu}`, rump_pub_netconfig_ifmtu(rk, ifname, mtu));
    step(
      `${ifname} inet ${address}/${LINK_PREFIX}`,
      rump_pub_netconfig_ipv4_ifaddr_cidr(rk, ifname, address, LINK_PREFIX),
    );
  }
  if (node.tap !== null) configure_tap(rk, node, step);
  for (const { dst, prefixlen, gateway } of node.routes) {
    step(`route add ${dst}/${prefixlen} ${gateway}`, rump_pub_netconfig_ipv4_route(rk, dst, prefixlen, gateway));
  }
}

function configure_tap(rk: RumpKernel, node: NodePlan, step: (what: string, error: number) => void): void {
  const { name, address, prefixlen } = node.tap ?? { name: "", address: "", prefixlen: 0 };
  step(`${TAP_IFNAME} create`, rump_pub_netconfig_ifcreate(rk, TAP_IFNAME));
  step(`${TAP_IFNAME} linkstr ${name}`, name === "" ? EINVAL : rump_pub_netconfig_ifsetlinkstr(rk, TAP_IFNAME, name));
  step(
    `${TAP_IFNAME} inet ${address}/${prefixlen}`,
    rump_pub_netconfig_ipv4_ifaddr_cidr(rk, TAP_IFNAME, address, prefixlen),
  );
}
