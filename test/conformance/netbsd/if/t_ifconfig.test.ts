// NetBSD tests/net/if/t_ifconfig, what is IPv4 in it.
import { expect } from "chai";
import { net_case } from "../../../support/net_world.ts";
import { set_link } from "../arp/arp_world.ts";

describe("net/if/t_ifconfig", () => {
  net_case("ifconfig_create_destroy", async (w) => {
    await w.ok("a", "ifconfig shmif0 create");
    await w.ok("a", "ifconfig shmif0 destroy");
    await w.ok("a", "ifconfig shmif0 create");
    await w.ok("a", "ifconfig shmif0 linkstr shmbus");
    await w.ok("a", "ifconfig shmif0 192.168.0.1/24");
    await w.ok("a", "ifconfig shmif0 up");
    await w.ok("a", "ifconfig shmif0 destroy");
    expect(await w.ok("a", "ifconfig -l")).to.equal("lo0\n");
  });

  net_case("ifconfig_options", async (w) => {
    await w.add_addr("a", "shmif0", "bus1", "10.0.0.1/24");
    expect(await w.ok("a", "ifconfig lo0")).to.contain("inet 127.0.0.1");
    expect(await w.ok("a", "ifconfig -m shmif0")).to.contain("supported Ethernet media");
    const all = await w.ok("a", "ifconfig -a");
    for (const name of ["lo0: ", "shmif0: "]) expect(all).to.contain(name);
    // -b: broadcast interfaces only; -d, -u: down, up.
    expect(await w.ok("a", "ifconfig -a -b"))
      .to.contain("shmif0")
      .and.not.contain("lo0");
    await w.ok("a", "ifconfig shmif0 down");
    expect(await w.ok("a", "ifconfig -a -d")).to.contain("shmif0");
    expect(await w.ok("a", "ifconfig -a -u")).to.not.contain("shmif0");
    await w.ok("a", "ifconfig shmif0 up");
    expect(await w.ok("a", "ifconfig -a -d")).to.not.contain("shmif0");
    expect(await w.ok("a", "ifconfig -a -u")).to.contain("shmif0");
    expect(await w.ok("a", "ifconfig -l")).to.equal("lo0 shmif0\n");
    expect(await w.ok("a", "ifconfig -l -b")).to.equal("shmif0\n");
    expect(await w.ok("a", "ifconfig -l -u")).to.equal("lo0 shmif0\n");
    expect(await w.ok("a", "ifconfig -s lo0")).to.equal("");
    expect(await w.ok("a", "ifconfig -s shmif0")).to.equal("");
    expect(await w.ok("a", "ifconfig -C")).to.match(/lo.*shmif|shmif.*lo/);
    await w.rump_server_destroy_ifaces();
  });

  net_case("ifconfig_parameters", async (w) => {
    await w.add_addr("a", "shmif0", "bus1", "192.168.0.1/24");
    await w.add_addr("b", "shmif0", "bus1", "192.168.0.2/24");
    await w.ok("b", "ifconfig shmif0 inet 192.168.0.3/24 alias");
    await w.ok("b", "ifconfig -w 10");
    const shown = (): Promise<string> => w.ok("a", "ifconfig shmif0");
    set_link(w, "a", "shmif0", "b2:a0:75:00:00:01", true);
    expect(await shown()).to.contain("address: b2:a0:75:00:00:01");
    await w.ok("a", "ifconfig shmif0 down");
    await w.ping_fails("a", "192.168.0.2");
    await w.ok("a", "ifconfig shmif0 up");
    await w.ok("a", "ifconfig -w 10");
    await w.ping("a", "192.168.0.2");
    // alias, -alias, delete
    await w.ok("a", "ifconfig shmif0 inet 192.168.1.1/24 alias");
    expect(await shown()).to.contain("192.168.1.1/24");
    await w.ok("a", "ifconfig shmif0 inet 192.168.1.1/24 -alias");
    expect(await shown()).to.not.contain("192.168.1.1/24");
    await w.ok("a", "ifconfig shmif0 inet 192.168.1.1 alias");
    await w.ok("a", "ifconfig shmif0 inet 192.168.1.1 delete");
    expect(await shown()).to.not.contain("192.168.1.1");
    await w.ok("a", "ifconfig shmif0 inet 192.168.0.1 delete");
    expect(await shown()).to.not.contain("192.168.0.1");
    await w.ok("a", "ifconfig shmif0 inet 192.168.0.1/24");
    await w.ok("a", "ifconfig -w 10");
    // -arp
    await w.ok("a", "ifconfig shmif0 -arp");
    await w.ping_fails("a", "192.168.0.3");
    expect(await w.ok("a", "arp -a -n")).to.not.contain("192.168.0.3");
    expect(await w.ok("a", "netstat -nr")).to.not.contain("192.168.0.3");
    await w.ok("a", "ifconfig shmif0 arp");
    await w.ping("a", "192.168.0.3");
    // netmask, broadcast, metric
    await w.ok("a", "ifconfig shmif0 inet 172.16.0.1 netmask 255.255.255.0 alias");
    await w.check_route("a", "172.16.0.0/24", "", "UC", "shmif0");
    await w.ok("a", "ifconfig shmif0 inet 172.16.0.1 delete");
    await w.ok("a", "ifconfig shmif0 inet 172.16.0.1 broadcast 255.255.255.255 alias");
    expect(await shown()).to.contain("broadcast 255.255.255.255");
    await w.ok("a", "ifconfig shmif0 metric 10");
    expect(await shown()).to.contain("metric 10");
    await w.ok("a", "ifconfig shmif0 metric 0");
    await w.rump_server_destroy_ifaces();
  });

  net_case("ifconfig_up_down_ipv4", async (w) => {
    await w.rump_server_add_iface("a", "shmif0", "bus1");
    await w.ok("a", "sysctl -w net.inet.ip.dad_count=5");
    const line = async (): Promise<string> =>
      (await w.ok("a", "ifconfig shmif0")).split("\n").find((l) => l.includes("10.0.0.1/")) ?? "";
    await w.ok("a", "ifconfig shmif0 inet 10.0.0.1/24 up");
    expect(await w.ok("a", "ifconfig shmif0")).to.match(/UP,.*RUNNING/);
    expect(await line()).to.match(/\bTENTATIVE/);
    await w.ok("a", "ifconfig -w 20");
    expect(await line()).to.not.match(/TENTATIVE/);
    await w.ok("a", "ifconfig shmif0 down");
    expect(await w.ok("a", "ifconfig shmif0")).to.not.match(/UP,/);
    // NetBSD: DETACHED, which here is for a lost link; an interface set down by hand makes its addresses wait for a new probe.
    expect(await line()).to.match(/DETACHED|TRYTENTATIVE/);
    await w.ok("a", "ifconfig shmif0 up");
    expect(await line()).to.match(/\bTENTATIVE/);
    await w.ok("a", "ifconfig -w 20");
    expect(await line()).to.not.match(/TENTATIVE/);
    await w.rump_server_destroy_ifaces();
  });
});
