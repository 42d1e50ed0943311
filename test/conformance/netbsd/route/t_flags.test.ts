// NetBSD tests/net/route/t_flags: the letters of netstat -r, and what routes with these letters do.
import { expect } from "chai";
import { net_case } from "../../../support/net_world.ts";
import type { NetWorld } from "../../../support/net_world.ts";

const LOCAL = "local";
const NET = "10.0.0.0/24";

async function setup(w: NetWorld): Promise<void> {
  w.rump_server_start(LOCAL, "peer");
  await w.add_addr(LOCAL, "shmif0", "bus1", "10.0.0.2/24");
  await w.add_addr("peer", "shmif0", "bus1", "10.0.0.1/24");
}

async function setup_gw(w: NetWorld): Promise<void> {
  await w.add_addr("gw", "shmif0", "bus1", "10.0.0.254/24");
  await w.add_addr("gw", "shmif1", "bus2", "10.0.2.1/24");
  await w.ok("gw", "ifconfig shmif1 alias 10.0.2.2/24");
  await w.ok("gw", "ifconfig -w 10");
}

function flags_case(name: string, body: (w: NetWorld) => Promise<void>): void {
  net_case(`route_flags_${name}`, async (w) => {
    await setup(w);
    await body(w);
    await w.rump_server_destroy_ifaces();
  });
}

describe("net/route/t_flags", () => {
  flags_case("lo", (w) => w.check_route(LOCAL, "127.0.0.1", "", "UHl", "lo0"));

  flags_case("connected", async (w) => {
    await w.check_route(LOCAL, "10.0.0.2", "", "UHl", "lo0");
    await w.check_route(LOCAL, NET, "", "UC", "shmif0");
  });

  flags_case("default_gateway", async (w) => {
    await w.ok(LOCAL, "route add default 10.0.0.1");
    await w.check_route(LOCAL, "default", "10.0.0.1", "UGS", "shmif0");
  });

  flags_case("static", async (w) => {
    await w.ok(LOCAL, "route add 10.0.1.1 10.0.0.1");
    await w.check_route(LOCAL, "10.0.1.1", "10.0.0.1", "UGHS");
    await w.ok(LOCAL, "route add -net 10.0.2.0/24 10.0.0.1");
    await w.check_route(LOCAL, "10.0.2.0/24", "10.0.0.1", "UGS");
  });

  flags_case("blackhole", async (w) => {
    await w.ping(LOCAL, "10.0.0.1");
    await w.ok(LOCAL, `route delete -net ${NET}`);
    await w.ok(LOCAL, `route add -net ${NET} 127.0.0.1 -blackhole`);
    await w.check_route(LOCAL, NET, "", "UGBS");
    expect(await w.ping_fails(LOCAL, "10.0.0.1"))
      .to.contain("100.0% packet loss")
      .and.not.contain("sendto");
    await w.check_route_no_entry(LOCAL, "10.0.0.1");
  });

  flags_case("reject", async (w) => {
    await w.ok(LOCAL, `route delete -net ${NET}`);
    await w.ok(LOCAL, `route add -net ${NET} 10.0.0.1 -reject`);
    await w.check_route(LOCAL, NET, "", "UGRS");
    expect(await w.ping_fails(LOCAL, "10.0.0.1")).to.match(/sendto: .*no route to the host/i);
    await w.check_route_no_entry(LOCAL, "10.0.0.1");
    await w.ok(LOCAL, `route delete -net ${NET}`);
    await w.ok(LOCAL, `route add -net ${NET} 127.0.0.1 -reject`);
    await w.check_route(LOCAL, NET, "", "UGRS");
    expect(await w.ping_fails(LOCAL, "10.0.0.1")).to.match(/sendto: .*no route to the network/);
    await w.check_route_no_entry(LOCAL, "10.0.0.1");
    await w.ok(LOCAL, `route delete -net ${NET}`);
    await w.ok(LOCAL, "route add -host 10.0.0.1 -iface 127.0.0.1 -reject");
    await w.check_route(LOCAL, "10.0.0.1", "", "UHRS");
    expect(await w.ping_fails(LOCAL, "10.0.0.1")).to.match(/sendto: .*no route to the host/i);
  });

  flags_case("icmp_redirect", async (w) => {
    await setup_gw(w);
    await w.ok("peer", "sysctl -w net.inet.ip.forwarding=1");
    await w.ok("peer", "route add -net 10.0.2.0/24 10.0.0.254");
    await w.check_route("peer", "10.0.2.0/24", "10.0.0.254", "UGS");
    await w.ok(LOCAL, "route add default 10.0.0.1");
    await w.ping(LOCAL, "10.0.2.1");
    await w.check_route(LOCAL, "10.0.2.1", "10.0.0.254", "UGHD");
    // A route that was wrong is put right.
    await w.ok(LOCAL, "route add 10.0.2.2 10.0.0.1");
    await w.check_route(LOCAL, "10.0.2.2", "10.0.0.1", "UGHS");
    await w.ping(LOCAL, "10.0.2.2");
    await w.check_route(LOCAL, "10.0.2.2", "10.0.0.254", "UGHMS");
  });

  flags_case("announce", async (w) => {
    await w.ok(LOCAL, `route delete -net ${NET}`);
    await w.ok(LOCAL, `route add -net ${NET} 10.0.0.1 -proxy`);
    await w.check_route(LOCAL, NET, "10.0.0.1", "UGSp");
  });
});
