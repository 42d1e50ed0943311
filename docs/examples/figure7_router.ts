// Figure 7 of Kantee's "Environmental Independence: BSD Kernel TCP/IP in Userspace" (AsiaBSDCon 2009): a router is a program. It boots a kernel
// with two interfaces, turns forwarding on and lets the kernel do the rest; here two more kernels sit on its wires and ping each other.
import { simWorld } from "../../hypercall/sim/sim_world.ts";
import {
  rump_pub_netconfig_ifcreate,
  rump_pub_netconfig_ifsetlinkstr,
  rump_pub_netconfig_ipv4_gw,
  rump_pub_netconfig_ipv4_ifaddr_cidr,
} from "../../rumpsys/netconfig.ts";
import { rump_init } from "../../rumpsys/rump_init.ts";
import type { RumpKernel } from "../../rumpsys/rump_kernel.ts";
import { node_ping } from "../../rumpsys/testbed/node_ping.ts";
import { SimPump } from "../../rumpsys/testbed/sim_pump.ts";

const world = simWorld();
for (const wire of ["wire0", "wire1"]) world.wire(wire);

function configure(rump: RumpKernel, ifname: string, wire: string, address: string): void {
  const steps = [
    rump_pub_netconfig_ifcreate(rump, ifname),
    rump_pub_netconfig_ifsetlinkstr(rump, ifname, wire),
    rump_pub_netconfig_ipv4_ifaddr_cidr(rump, ifname, address, 24),
  ];
  for (const errno of steps) if (errno !== 0) throw new Error(`${ifname}: errno ${errno}`);
}

// the router: rump_init, two interfaces, forwarding
const router = await rump_init({ host: world.host("router") });
configure(router, "virt0", "wire0", "192.168.0.1");
configure(router, "virt1", "wire1", "192.168.1.1");
router.rumpSys.sysctlbyname("net.inet.ip.forwarding", 1);

// a host on each side; in the paper these are other machines
const left = await rump_init({ host: world.host("left") });
configure(left, "virt0", "wire0", "192.168.0.2");
rump_pub_netconfig_ipv4_gw(left, "192.168.0.1");
const right = await rump_init({ host: world.host("right") });
configure(right, "virt0", "wire1", "192.168.1.2");
rump_pub_netconfig_ipv4_gw(right, "192.168.1.1");

// addresses are probed for before they are used (RFC 5227): that takes seconds, of the virtual clock
const pump = new SimPump(world);
await pump.sleep(10_000);
const ping = await pump.run(node_ping(left, left.process("ping"), { address: "192.168.1.2", count: 3 }));
console.log(`${ping.received} of ${ping.sent} answers through the router, ttl ${ping.ttl}`);
for (const rump of [left, right, router])
  console.log(`not given back at shutdown: ${rump.shutdown().text || "nothing"}`);

//> 3 of 3 answers through the router, ttl 254
//> not given back at shutdown: nothing
//> not given back at shutdown: nothing
//> not given back at shutdown: nothing
