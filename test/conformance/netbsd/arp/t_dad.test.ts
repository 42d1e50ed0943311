// NetBSD tests/net/arp/t_dad: IPv4 duplicate address detection.
import { expect } from "chai";
import { has_line, net_case } from "../../../support/net_world.ts";
import type { NetWorld } from "../../../support/net_world.ts";
import { arpreq } from "./arp_world.ts";

/** ifconfig's line about an address. */
async function addr_line(w: NetWorld, name: string, addr: string): Promise<string> {
  return (await w.ok(name, "ifconfig shmif0")).split("\n").find((line) => line.includes(` ${addr}/`)) ?? "";
}

describe("net/arp/t_dad", () => {
  net_case("dad_basic", async (w) => {
    await w.rump_server_add_iface("local", "shmif0", "bus1");
    await w.ok("local", "ifconfig shmif0 inet 10.0.0.1/24 up");
    for (const addr of ["10.0.0.1", "10.0.0.2", "10.0.0.3"]) {
      await w.ok("local", `ifconfig shmif0 inet ${addr}/24 alias`);
      expect(await addr_line(w, "local", addr)).to.contain("TENTATIVE");
      w.sleep(2);
      const probed = w.extract_new_packets("bus1");
      expect(has_line(probed, ...arpreq(addr, "0.0.0.0")), `probe for ${addr}`).to.equal(true);
      expect(has_line(probed, ...arpreq(addr, addr)), `announced too early: ${addr}`).to.equal(false);
      await w.ok("local", "ifconfig -w 10");
      w.sleep(3);
      expect(has_line(w.extract_new_packets("bus1"), ...arpreq(addr, addr)), `announcement of ${addr}`).to.equal(true);
      expect(await addr_line(w, "local", addr)).to.not.contain("TENTATIVE");
    }
    await w.rump_server_destroy_ifaces();
  });

  net_case("dad_duplicated", async (w) => {
    await w.add_addr("local", "shmif0", "bus1", "10.0.1.1/24");
    await w.add_addr("peer", "shmif0", "bus1", "10.0.1.2/24");
    expect(await addr_line(w, "local", "10.0.1.1")).to.not.contain("DUPLICATED");
    await w.ok("local", "ifconfig shmif0 inet 10.0.1.2/24 alias");
    w.sleep(3);
    expect(await addr_line(w, "local", "10.0.1.2")).to.contain("DUPLICATED");
    expect(await w.fails("local", "ping -n -c 1 -w 1 -I 10.0.1.2 10.0.1.2")).to.not.equal("");
    await w.ok("local", "ifconfig shmif0 inet 10.0.1.11/24 alias");
    w.sleep(1);
    expect(await addr_line(w, "local", "10.0.1.11")).to.not.contain("DUPLICATED");
    expect(await addr_line(w, "peer", "10.0.1.2")).to.not.contain("DUPLICATED");
    await w.rump_server_destroy_ifaces();
  });
});
