// NetBSD tests/net/route/t_route: gateways off our networks, and `route get`.
import { expect } from "chai";
import { net_case, three_kernels } from "../../../support/net_world.ts";
import type { NetWorld } from "../../../support/net_world.ts";

async function check_get(w: NetWorld, addr: string, lines: readonly string[]): Promise<void> {
  const printed = (await w.ok("src", `route -n get ${addr}`)).split("\n");
  expect(printed.slice(0, lines.length + 1)).to.deep.equal([`   route to: ${addr}`, ...lines]);
  expect(printed[lines.length + 1]).to.match(/recvpipe +sendpipe/);
}

const NEIGHBOUR = [
  "destination: 10.0.1.0",
  "       mask: 255.255.255.0",
  " local addr: 10.0.1.2",
  "  interface: shmif0",
  "      flags: 0x141<UP,DONE,CONNECTED>",
];

describe("net/route/t_route", () => {
  net_case("route_non_subnet_gateway", async (w) => {
    await w.add_addr("gw", "shmif0", "bus1", "192.168.0.1/24");
    await w.ok("gw", "route add -net 10.0.0.1/32 -cloning -iface shmif0");
    await w.add_addr("client", "shmif0", "bus1", "10.0.0.1/32");
    expect(await w.ping_fails("client", "192.168.0.1"))
      .to.match(/no route to the host/)
      .and.contain("100.0% packet loss");
    await w.ok("client", "route add -net 192.168.0.1/32 -cloning -iface shmif0");
    await w.ok("client", "route add default -ifa 10.0.0.1 192.168.0.1");
    await w.ping("client", "192.168.0.1");
    await w.rump_server_destroy_ifaces();
  });

  net_case("route_command_get", async (w) => {
    await three_kernels(w);
    await w.ok("fwd", "sysctl -w net.inet.ip.forwarding=1");
    await w.run("src", "arp -d 10.0.1.1");
    await check_get(w, "10.0.1.2", [
      "destination: 10.0.1.2",
      " local addr: 10.0.1.2",
      "  interface: lo0",
      "      flags: 0x40045<UP,HOST,DONE,LOCAL>",
    ]);
    await check_get(w, "10.0.1.1", NEIGHBOUR);
    await check_get(w, "10.0.2.2", [
      "destination: default",
      "       mask: default",
      "    gateway: 10.0.1.1",
      " local addr: 10.0.1.2",
      "  interface: shmif0",
      "      flags: 0x843<UP,GATEWAY,DONE,STATIC>",
    ]);
    await w.ping("src", "10.0.1.1");
    await check_get(w, "10.0.1.1", NEIGHBOUR);
    await w.rump_server_destroy_ifaces();
  });

  net_case("route_command_add", async (w) => {
    await w.add_addr("src", "shmif0", "bus1", "10.0.0.1/24");
    await w.ok("src", "route add -net 10.0.1.0/24 10.0.0.2");
    await w.ok("src", "route add -host 10.0.2.1 10.0.0.3");
    await w.ok("src", "route add -net 10.0.3.0/24 -connected -iface shmif0");
    await w.ok("src", "route add -net 10.0.4.0/24 10.0.3.1");
    expect(await w.fails("src", "route add -net 10.0.1.0/26 10.0.5.1")).to.match(/no route to the network/);
    await w.fails("src", "route add -net 10.0.6.0/24 10.0.1.1");
    await w.rump_server_destroy_ifaces();
  });
});
