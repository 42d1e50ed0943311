// NetBSD tests/net/net/t_ipaddress, the IPv4 case.
import { expect } from "chai";
import { net_case } from "../../../support/net_world.ts";
import type { NetWorld } from "../../../support/net_world.ts";

describe("net/net/t_ipaddress", () => {
  net_case("ipaddr_same_address", async (w: NetWorld) => {
    const addresses = async (): Promise<number> =>
      (await w.ok("host", "ifconfig shmif0")).split("\tinet 10.0.0.1/").length - 1;
    await w.rump_server_add_iface("host", "shmif0", "bus1");
    await w.ok("host", "ifconfig shmif0 10.0.0.1/24 up");
    await w.check_route("host", "10.0.0.1", "", "UHl", "lo0");
    await w.check_route("host", "10.0.0.0/24", "", "UC", "shmif0");
    // Once more is the same.
    await w.ok("host", "ifconfig shmif0 10.0.0.1/24");
    expect(await addresses()).to.equal(1);
    await w.check_route("host", "10.0.0.1", "", "UHl", "lo0");
    await w.check_route("host", "10.0.0.0/24", "", "UC", "shmif0");
    await w.ok("host", "ifconfig shmif0 10.0.0.1 delete");
    expect(await addresses()).to.equal(0);
    await w.check_route_no_entry("host", "10.0.0.1");
    await w.check_route_no_entry("host", "10.0.0.0/24");
    // Another prefix length replaces it.
    await w.ok("host", "ifconfig shmif0 10.0.0.1/24");
    await w.ok("host", "ifconfig shmif0 10.0.0.1/16");
    expect(await addresses()).to.equal(1);
    await w.check_route_no_entry("host", "10.0.0.0/24");
    await w.check_route("host", "10.0.0.0/16", "", "UC", "shmif0");
    await w.ok("host", "ifconfig shmif0 10.0.0.1 delete");
    await w.check_route_no_entry("host", "10.0.0.1");
    await w.check_route_no_entry("host", "10.0.0.0/16");
    expect(await w.fails("host", "ifconfig shmif0 10.0.0.1 delete")).to.match(/EADDRNOTAVAIL/);
    await w.rump_server_destroy_ifaces();
  });
});
