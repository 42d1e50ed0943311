// NetBSD tests/net/icmp/t_forward and t_ping2.
import { expect } from "chai";
import { PF_INET, SOCK_DGRAM } from "../../../../kernel-components/socket/socket_abi.ts";
import { rump_pub_netconfig_ipv4_gw } from "../../../../rumpsys/netconfig.ts";
import { net_case, three_kernels } from "../../../support/net_world.ts";

describe("net/icmp/t_forward", () => {
  net_case("returndatabytes", (w) => {
    w.netcfg_rump_if("sender", "shmif0", "bus1", "1.0.0.1/24");
    w.netcfg_rump_if("router", "shmif0", "bus1", "1.0.0.2/24");
    expect(rump_pub_netconfig_ipv4_gw(w.kernel("sender"), "1.0.0.2")).to.equal(0);
    w.sysctl("router", "net.inet.ip.forwarding", 1);
    const sys = w.sys("sender");
    sys.sysctlbyname("net.inet.ip.ttl", 1);
    const fd = sys.socket(PF_INET, SOCK_DGRAM);
    for (const bytes of [8, 200, 512]) {
      w.sysctl("router", "net.inet.icmp.returndatabytes", bytes);
      w.frames("bus1");
      sys.sync.sendto(fd, new Uint8Array(1024), 0, { family: "inet", address: "9.9.9.9", port: 33434 });
      w.sleep(1.5);
      const error = w.frames("bus1").find((f) => f[23] === 1 && f[34] === 11);
      // Ethernet, IP, ICMP, then the header that was sent and so many bytes behind it.
      expect(error?.length).to.equal(14 + 20 + 8 + 20 + bytes);
    }
    sys.sync.close(fd);
  });
});

describe("net/icmp/t_ping2", () => {
  net_case("basic", async (w) => {
    await three_kernels(w);
    // Fragments of what one side sends come together on the other; options of ping on the way.
    await w.ok("fwd", "sysctl -w net.inet.ip.forwarding=1");
    for (const size of [0, 56, 1472, 1473, 8000, 65_507]) await w.ping("src", `-s ${size} 10.0.2.2`);
    await w.ok("src", "ping -q -n -c 5 -i 0.1 -w 1 10.0.2.2");
    await w.ping("src", "127.0.0.1");
    await w.ping("src", "10.0.1.2");
    await w.ping_fails("src", "10.0.1.77");
    await w.rump_server_destroy_ifaces();
  });
});
