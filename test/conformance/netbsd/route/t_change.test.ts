// NetBSD tests/net/route/t_change: `route change` changes what it names and nothing else.
import { expect } from "chai";
import { net_case } from "../../../support/net_world.ts";
import type { NetWorld } from "../../../support/net_world.ts";

/** What `route get 192.168.0.1` prints, without the last line, whose numbers depend on time. */
async function check_get(w: NetWorld, gateway: string, local: string, ifname: string): Promise<void> {
  const lines = (await w.ok("host", "route -n get 192.168.0.1")).split("\n").slice(0, -2);
  expect(lines.slice(0, 7)).to.deep.equal([
    "   route to: 192.168.0.1",
    "destination: 192.168.0.0",
    "       mask: 255.255.255.0",
    `    gateway: ${gateway}`,
    ` local addr: ${local}`,
    `  interface: ${ifname}`,
    "      flags: 0x843<UP,GATEWAY,DONE,STATIC>",
  ]);
}

async function one_interface(w: NetWorld): Promise<void> {
  await w.add_addr("host", "shmif0", "bus", "10.0.0.10/24");
}

async function two_interfaces(w: NetWorld): Promise<void> {
  await one_interface(w);
  await w.add_addr("host", "shmif1", "bus", "10.0.0.11/24");
  await w.ok("host", "route add -net 192.168.0.0/24 10.0.0.1");
  await check_get(w, "10.0.0.1", "10.0.0.10", "shmif0");
}

describe("net/route/t_change", () => {
  net_case("route_change_reject2blackhole", async (w) => {
    await w.ok("host", "route add 207.46.197.32 127.0.0.1 -reject");
    await w.check_route("host", "207.46.197.32", "127.0.0.1", "UGHRS");
    await w.ok("host", "route change 207.46.197.32 127.0.0.1 -blackhole");
    await w.check_route("host", "207.46.197.32", "127.0.0.1", "UGHBS");
  });

  net_case("route_change_gateway", async (w) => {
    await one_interface(w);
    await w.ok("host", "route add -net 192.168.0.0/24 10.0.0.1");
    await w.check_route("host", "192.168.0.0/24", "10.0.0.1", "UGS", "shmif0");
    await w.ok("host", "route change -net 192.168.0.0/24 10.0.0.254");
    await w.check_route("host", "192.168.0.0/24", "10.0.0.254", "UGS", "shmif0");
  });

  net_case("route_change_ifa", async (w) => {
    await one_interface(w);
    await w.ok("host", "ifconfig shmif0 alias 10.0.0.11/24");
    await w.ok("host", "ifconfig -w 10");
    await w.ok("host", "route add -net 192.168.0.0/24 10.0.0.1");
    await check_get(w, "10.0.0.1", "10.0.0.10", "shmif0");
    await w.ok("host", "route change -net 192.168.0.0/24 10.0.0.1 -ifa 10.0.0.11");
    await check_get(w, "10.0.0.1", "10.0.0.11", "shmif0");
  });

  net_case("route_change_ifp", async (w) => {
    await two_interfaces(w);
    await w.ok("host", "route change -net 192.168.0.0/24 10.0.0.1 -ifp shmif1");
    await check_get(w, "10.0.0.1", "10.0.0.11", "shmif1");
  });

  net_case("route_change_ifp_ifa", async (w) => {
    await two_interfaces(w);
    await w.ok("host", "route change -net 192.168.0.0/24 -ifa 10.0.0.1 -ifp shmif1");
    await check_get(w, "10.0.0.1", "10.0.0.11", "shmif1");
  });

  net_case("route_change_flags", async (w) => {
    await one_interface(w);
    await w.check_route("host", "10.0.0.0/24", "", "UC", "shmif0");
    await w.ok("host", "route change -net 10.0.0.0/24 -reject");
    await w.check_route("host", "10.0.0.0/24", "", "URCS", "shmif0");
    await w.ok("host", "route change -net 10.0.0.0/24 -noreject");
    await w.check_route("host", "10.0.0.0/24", "", "UCS", "shmif0");
  });

  net_case("route_change_default_flags", async (w) => {
    await one_interface(w);
    await w.ok("host", "route add default 10.0.0.1");
    await w.check_route("host", "default", "10.0.0.1", "UGS", "shmif0");
    await w.ok("host", "route change default -reject");
    await w.check_route("host", "default", "10.0.0.1", "UGRS", "shmif0");
    await w.ok("host", "route change default -noreject");
    await w.check_route("host", "default", "10.0.0.1", "UGS", "shmif0");
  });
});
