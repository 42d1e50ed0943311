// Configuring a network without tools, and talking over it: three kernels in one simulated world.
import { expect } from "chai";
import { EADDRNOTAVAIL, EEXIST, EINVAL, ENXIO, ESRCH } from "../../hypercall/api/errno.ts";
import { SimWorld } from "../../hypercall/sim/sim_world.ts";
import { PF_INET, SOCK_DGRAM } from "../../kernel-components/socket/socket_abi.ts";
import {
  rump_pub_netconfig_ifcreate,
  rump_pub_netconfig_ifdestroy,
  rump_pub_netconfig_ifdown,
  rump_pub_netconfig_ifsetlinkstr,
  rump_pub_netconfig_ifup,
  rump_pub_netconfig_ipv4_gw,
  rump_pub_netconfig_ipv4_ifaddr,
  rump_pub_netconfig_ipv4_ifaddr_cidr,
  rump_pub_netconfig_ipv4_ifdel,
  rump_pub_netconfig_ipv4_route,
  rump_pub_netconfig_ipv4_routedel,
} from "../../rumpsys/netconfig.ts";
import { rump_init_sync } from "../../rumpsys/rump_init.ts";
import type { RumpKernel } from "../../rumpsys/rump_kernel.ts";
import { bytes, settled, text } from "./sim_rump.ts";

describe("netconfig", () => {
  let world: SimWorld;
  const kernels: RumpKernel[] = [];
  const boot = (name: string): RumpKernel => {
    const rk = rump_init_sync(world.host(name));
    kernels.push(rk);
    return rk;
  };
  const iface = (rk: RumpKernel, ifname: string, bus: string, addr: string): void => {
    expect(rump_pub_netconfig_ifcreate(rk, ifname), "create").to.equal(0);
    expect(rump_pub_netconfig_ifsetlinkstr(rk, ifname, bus), "linkstr").to.equal(0);
    expect(rump_pub_netconfig_ipv4_ifaddr_cidr(rk, ifname, addr, 24), "address").to.equal(0);
    expect(rump_pub_netconfig_ifup(rk, ifname), "up").to.equal(0);
  };
  beforeEach(() => {
    world = new SimWorld({});
  });
  afterEach(() => {
    for (const rk of kernels.splice(0)) expect(rk.shutdown().text).to.equal("");
  });

  it("two hosts and a router exchange UDP datagrams over two buses", async () => {
    const [a, r, b] = [boot("a"), boot("r"), boot("b")];
    iface(a, "shmif0", "bus1", "10.0.1.2");
    iface(r, "shmif0", "bus1", "10.0.1.1");
    iface(r, "shmif1", "bus2", "10.0.2.1");
    iface(b, "shmif0", "bus2", "10.0.2.2");
    expect(rump_pub_netconfig_ipv4_gw(a, "10.0.1.1")).to.equal(0);
    expect(rump_pub_netconfig_ipv4_gw(a, "10.0.1.1")).to.equal(EEXIST);
    expect(rump_pub_netconfig_ipv4_route(b, "10.0.1.0", 24, "10.0.2.1")).to.equal(0);
    r.rumpSys.sysctlbyname("net.inet.ip.forwarding", 1);
    world.advance(10e9); // duplicate address detection
    const server = b.rumpSys.socket(PF_INET, SOCK_DGRAM);
    b.rumpSys.bind(server, { family: "inet", address: "10.0.2.2", port: 7 });
    const client = a.rumpSys.socket(PF_INET, SOCK_DGRAM);
    const buf = new Uint8Array(100);
    const got = b.rumpSys.recvfrom(server, buf);
    await a.rumpSys.sendto(client, bytes("over the router"), 0, { family: "inet", address: "10.0.2.2", port: 7 });
    expect(await settled(got)).to.equal(false);
    world.advance(100e6);
    const { length, from } = await got;
    expect(text(buf, length)).to.equal("over the router");
    expect(from).to.include({ family: "inet", address: "10.0.1.2" });
    const back = a.rumpSys.recvfrom(client, buf);
    await b.rumpSys.sendto(server, bytes("echo"), 0, from as never);
    world.advance(100e6);
    expect((await back).from).to.deep.equal({ family: "inet", address: "10.0.2.2", port: 7 });
    expect(rump_pub_netconfig_ipv4_routedel(b, "10.0.1.0", 24)).to.equal(0);
    expect(rump_pub_netconfig_ipv4_routedel(b, "10.0.1.0", 24)).to.equal(ESRCH);
    await a.rumpSys.sendto(client, bytes("again"), 0, { family: "inet", address: "10.0.2.2", port: 7 });
    world.advance(100e6);
    expect(b.rumpSys.sync.recv(server, buf)).to.equal(5);
    expect(() => b.rumpSys.sync.sendto(server, buf, 0, from as never)).to.throw("sendto EHOSTUNREACH 10.0.1.2");
  });

  it("tells what is wrong", () => {
    const a = boot("a");
    expect(rump_pub_netconfig_ifcreate(a, "nothing0")).to.equal(EINVAL);
    expect(rump_pub_netconfig_ifup(a, "shmif7")).to.equal(ENXIO);
    expect(rump_pub_netconfig_ifcreate(a, "shmif0")).to.equal(0);
    expect(rump_pub_netconfig_ifcreate(a, "shmif0")).to.equal(EEXIST);
    expect(rump_pub_netconfig_ipv4_ifaddr(a, "shmif0", "10.0.0.256", "255.0.0.0")).to.equal(EINVAL);
    expect(rump_pub_netconfig_ipv4_ifaddr_cidr(a, "shmif0", "10.0.0.1", 33)).to.equal(EINVAL);
    expect(rump_pub_netconfig_ipv4_ifdel(a, "shmif0", "10.0.0.1")).to.equal(EADDRNOTAVAIL);
    expect(rump_pub_netconfig_ifdown(a, "shmif0")).to.equal(0);
    expect(rump_pub_netconfig_ifdestroy(a, "shmif0")).to.equal(0);
    expect(rump_pub_netconfig_ifdestroy(a, "shmif0")).to.equal(ENXIO);
  });
});
