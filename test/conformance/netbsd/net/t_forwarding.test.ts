// NetBSD tests/net/net/t_forwarding, the IPv4 cases.
import { expect } from "chai";
import { SO_BROADCAST, PF_INET, SOCK_DGRAM, SOL_SOCKET } from "../../../../kernel-components/socket/socket_abi.ts";
import { has_line, net_case, three_kernels } from "../../../support/net_world.ts";
import type { NetWorld } from "../../../support/net_world.ts";
import { bytes, text } from "../../../rumpsys/sim_rump.ts";

async function forwarding(w: NetWorld, on: number): Promise<void> {
  await w.ok("fwd", `sysctl -w net.inet.ip.forwarding=${on}`);
  expect(await w.ok("fwd", "sysctl net.inet.ip.forwarding")).to.equal(`net.inet.ip.forwarding = ${on}\n`);
}

/** Pings of oneself. */
async function alive(w: NetWorld): Promise<void> {
  for (const [name, addr] of [
    ["src", "10.0.1.2"],
    ["dst", "10.0.2.2"],
    ["fwd", "10.0.1.1"],
    ["fwd", "10.0.2.1"],
  ] as const)
    await w.ping(name, addr);
}

describe("net/net/t_forwarding", () => {
  net_case("ipforwarding_v4", async (w) => {
    await three_kernels(w);
    await alive(w);
    await forwarding(w, 1);
    for (const [name, addr] of [
      ["src", "10.0.1.1"],
      ["src", "10.0.2.2"],
      ["dst", "10.0.2.1"],
      ["dst", "10.0.1.2"],
    ] as const)
      await w.ping(name, addr);
    // The next hop is found again when its neighbour entry is gone.
    await w.ok("src", "arp -d 10.0.1.1");
    await w.ok("src", "ping -q -n -w 5 -c 2 10.0.2.2");
    // TTL.
    await w.ping("src", "-T 1 10.0.1.1");
    expect(await w.ping_fails("src", "-v -T 1 10.0.2.2")).to.contain("Time To Live exceeded");
    await w.ping("src", "-T 2 10.0.2.2");
    await forwarding(w, 0);
    await w.ping_fails("src", "10.0.2.2");
    await w.ping_fails("dst", "10.0.1.2");
    await w.rump_server_destroy_ifaces();
  });

  // NetBSD's case fetches a page by HTTP; without TCP yet, datagrams go back and forth until the flow is known.
  net_case("ipforwarding_fastforward_v4", async (w) => {
    await three_kernels(w);
    await forwarding(w, 1);
    await w.ok("fwd", "arp -d -a");
    const [a, b] = [w.sys("src"), w.sys("dst")];
    const server = b.socket(PF_INET, SOCK_DGRAM);
    b.bind(server, { family: "inet", address: "10.0.2.2", port: 80 });
    const client = a.socket(PF_INET, SOCK_DGRAM);
    await a.connect(client, { family: "inet", address: "10.0.2.2", port: 80 });
    const buf = new Uint8Array(100);
    for (let i = 0; i < 10; i++) {
      a.sync.send(client, bytes(`GET ${i}`));
      w.sleep(0.1);
      const { length, from } = b.sync.recvfrom(server, buf);
      expect(text(buf, length)).to.equal(`GET ${i}`);
      b.sync.sendto(server, bytes(`page ${i}`), 0, from as never);
      w.sleep(0.1);
      expect(text(buf, a.sync.recv(client, buf))).to.equal(`page ${i}`);
    }
    expect(w.stat("fwd", "ip", "fastforward")).to.be.at.least(10);
    a.sync.close(client);
    b.sync.close(server);
    await w.rump_server_destroy_ifaces();
  });

  net_case("ipforwarding_misc", async (w) => {
    await three_kernels(w);
    await forwarding(w, 1);
    // net.inet.ip.ttl is the TTL of datagrams that we send.
    const sys = w.sys("src");
    const fd = sys.socket(PF_INET, SOCK_DGRAM);
    for (const [ttl, passes] of [
      [1, false],
      [2, true],
      [64, true],
    ] as const) {
      await w.ok("src", `sysctl -w net.inet.ip.ttl=${ttl}`);
      w.frames("bus2");
      sys.sync.sendto(fd, bytes("hello"), 0, { family: "inet", address: "10.0.2.2", port: 9 });
      w.sleep(1);
      expect(has_line(w.extract_new_packets("bus2"), "10.0.1.2.", "10.0.2.2.9:"), `ttl ${ttl}`).to.equal(passes);
    }
    // Directed broadcast passes the last router only if it is asked to.
    sys.setsockopt(fd, SOL_SOCKET, SO_BROADCAST, 1);
    const send = (): boolean => {
      w.frames("bus2");
      sys.sync.sendto(fd, bytes("hello"), 0, { family: "inet", address: "10.0.2.255", port: 9 });
      w.sleep(1);
      return has_line(w.extract_new_packets("bus2"), "> ff:ff:ff:ff:ff:ff", "10.0.2.255.9");
    };
    expect(send()).to.equal(false);
    await w.ok("fwd", "sysctl -w net.inet.ip.directed-broadcast=1");
    expect(send()).to.equal(true);
    sys.sync.close(fd);
    await w.rump_server_destroy_ifaces();
  });
});
