// NetBSD tests/net/icmp/t_icmp_redirect: a redirect makes a route, not when sending is switched off; its time passes.
import { net_case } from "../../../support/net_world.ts";
import type { NetWorld } from "../../../support/net_world.ts";

const REDIRECT_TIMEOUT = 5;

async function setup(w: NetWorld): Promise<void> {
  w.rump_server_start("local", "peer", "gw");
  await w.ok("local", `sysctl -w net.inet.icmp.redirtimeout=${REDIRECT_TIMEOUT}`);
  await w.add_addr("local", "shmif0", "bus1", "10.0.0.2/24");
  await w.add_addr("peer", "shmif0", "bus1", "10.0.0.1/24");
  await w.add_addr("gw", "shmif0", "bus1", "10.0.0.254/24");
  await w.add_addr("gw", "shmif1", "bus2", "10.0.2.1/24");
  await w.ok("peer", "sysctl -w net.inet.ip.forwarding=1");
  await w.ok("peer", "route add -net 10.0.2.0/24 10.0.0.254");
  await w.check_route("peer", "10.0.2.0/24", "10.0.0.254", "UGS");
  await w.ok("local", "route add default 10.0.0.1");
  await w.check_route("local", "default", "10.0.0.1", "UGS");
}

describe("net/icmp/t_icmp_redirect", () => {
  net_case("icmp_redirect", async (w) => {
    await setup(w);
    await w.ok("peer", "sysctl -w net.inet.ip.redirect=0");
    await w.ping("local", "10.0.2.1");
    await w.check_route_no_entry("local", "10.0.2.1");
    await w.ok("peer", "sysctl -w net.inet.ip.redirect=1");
    await w.ping("local", "10.0.2.1");
    await w.check_route("local", "10.0.2.1", "10.0.0.254", "UGHD");
    await w.ok("local", "route delete 10.0.2.1");
    await w.check_route_no_entry("local", "10.0.2.1");
    await w.ok("peer", "sysctl -w net.inet.ip.redirect=0");
    await w.ping("local", "10.0.2.1");
    await w.check_route_no_entry("local", "10.0.2.1");
    await w.rump_server_destroy_ifaces();
  });

  net_case("icmp_redirect_timeout", async (w) => {
    await setup(w);
    await w.ping("local", "10.0.2.1");
    await w.check_route("local", "10.0.2.1", "10.0.0.254", "UGHD");
    w.sleep(REDIRECT_TIMEOUT + 2);
    await w.check_route_no_entry("local", "10.0.2.1");
    await w.rump_server_destroy_ifaces();
  });
});
