// NetBSD tests/net/route/t_rtcache: what a forwarder remembers of next hops is forgotten when the table changes. Four kernels.
import { expect } from "chai";
import { has_line, net_case } from "../../../support/net_world.ts";
import type { NetWorld } from "../../../support/net_world.ts";

const DST = "10.0.3.1";

/** Pings 10.0.3.1, which nobody answers: does the request come out on bus dst1? */
async function goes_to_dst1(w: NetWorld): Promise<boolean> {
  w.frames("dst1");
  await w.ping_fails("src", DST);
  return has_line(w.extract_new_packets("dst1"), `10.0.0.2 > ${DST}: ICMP echo request`);
}

describe("net/route/t_rtcache", () => {
  net_case("rtcache_invalidation", async (w) => {
    w.netcfg_rump_if("src", "shmif0", "src", "10.0.0.2/24");
    w.netcfg_rump_if("fwd", "shmif0", "src", "10.0.0.1/24");
    w.netcfg_rump_if("fwd", "shmif1", "dst1", "10.0.1.1/24");
    w.netcfg_rump_if("fwd", "shmif2", "dst2", "10.0.2.1/24");
    w.netcfg_rump_if("dst1", "shmif0", "dst1", "10.0.1.2/24");
    w.netcfg_rump_if("dst2", "shmif0", "dst2", "10.0.2.2/24");
    await w.ok("src", "route add default 10.0.0.1");
    await w.ok("fwd", "sysctl -w net.inet.ip.forwarding=1");
    for (const n of [1, 2]) {
      await w.ok(`dst${n}`, `route add default 10.0.${n}.1`);
      await w.ok(`dst${n}`, `ifconfig shmif0 ${DST}/24 alias`);
      await w.ping("src", `10.0.${n}.2`);
    }
    await w.ping_fails("src", DST);
    // By the default route to dst1, who does not answer.
    await w.ok("fwd", "route add default 10.0.1.2");
    await w.ok("dst1", "route add -net 10.0.0.0/24 127.0.0.1 -blackhole");
    expect(await goes_to_dst1(w)).to.equal(true);
    // A better route to dst2 takes over at once, and gives way when it is deleted.
    await w.ok("dst2", "route add -net 10.0.0.0/24 127.0.0.1 -blackhole");
    await w.ok("fwd", "route add -net 10.0.3.0/24 10.0.2.2");
    expect(await goes_to_dst1(w)).to.equal(false);
    await w.ok("fwd", "route delete -net 10.0.3.0/24 10.0.2.2");
    expect(await goes_to_dst1(w)).to.equal(true);
    await w.rump_server_destroy_ifaces();
  });
});
