// NetBSD tests/rump/rumpnet/t_shmif and tests/net/if_shmif/t_shmif.
import { expect } from "chai";
import { net_case } from "../../../../support/net_world.ts";
import type { NetWorld } from "../../../../support/net_world.ts";

const KERNELS = 8;

async function two(w: NetWorld): Promise<void> {
  await w.add_addr("a", "shmif0", "bus1", "10.0.0.1/24");
  await w.add_addr("b", "shmif0", "bus1", "10.0.0.2/24");
  await w.ping("a", "10.0.0.2");
}

describe("rump/rumpnet/t_shmif", () => {
  net_case("crossping", async (w) => {
    const addr = (n: number): string => `1.2.3.${n + 1}`;
    for (let n = 0; n < KERNELS; n++) w.netcfg_rump_if(`kernel${n}`, "shmif0", "bus", `${addr(n)}/24`);
    for (let i = 0; i < KERNELS; i++)
      for (let j = 0; j < KERNELS; j++) await w.ping(`kernel${i}`, `-i 0.01 ${addr(j)}`);
  });
});

describe("net/if_shmif/t_shmif", () => {
  net_case("shmif_linkstate", async (w) => {
    await two(w);
    await w.ok("a", "ifconfig shmif0 media none");
    expect(await w.ok("a", "ifconfig shmif0")).to.contain("status: no carrier");
    await w.ping_fails("a", "10.0.0.2");
    await w.ping_fails("b", "10.0.0.1");
    await w.ok("a", "ifconfig shmif0 media auto");
    await w.ok("a", "ifconfig -w 10");
    expect(await w.ok("a", "ifconfig shmif0")).to.contain("status: active");
    await w.ping("a", "10.0.0.2");
    await w.ping("b", "10.0.0.1");
    await w.rump_server_destroy_ifaces();
  });

  net_case("shmif_linkstate_down", async (w) => {
    await w.rump_server_add_iface("a", "shmif0", "bus1");
    // The state of the link does not depend on up and down.
    await w.ok("a", "ifconfig shmif0 media none");
    await w.ok("a", "ifconfig shmif0 10.0.0.1/24 up");
    expect(await w.ok("a", "ifconfig shmif0"))
      .to.contain("status: no carrier")
      .and.match(/10\.0\.0\.1\/24.*DETACHED/);
    await w.ok("a", "ifconfig shmif0 down");
    await w.ok("a", "ifconfig shmif0 media auto");
    expect(await w.ok("a", "ifconfig shmif0")).to.contain("status: active");
    await w.ok("a", "ifconfig shmif0 up");
    await w.ok("a", "ifconfig -w 10");
    expect(await w.ok("a", "ifconfig shmif0")).to.not.match(/DETACHED|TENTATIVE/);
    await w.ping("a", "10.0.0.1");
    await w.rump_server_destroy_ifaces();
  });
});
