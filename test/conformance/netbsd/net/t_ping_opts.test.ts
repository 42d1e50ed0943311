// NetBSD tests/net/net/t_ping_opts: the frames on the bus carry what ping's options ask for.
import { expect } from "chai";
import { net_case, three_kernels } from "../../../support/net_world.ts";
import type { NetWorld } from "../../../support/net_world.ts";

const IPSRC = "10.0.1.2";
const IPSRC2 = "10.0.1.3";
const IPSRCGW = "10.0.1.1";
const IPSRCGW2 = "10.0.1.254";
const IPDST = "10.0.2.2";

async function setup(w: NetWorld): Promise<void> {
  await three_kernels(w);
  await w.ok("fwd", "sysctl -w net.inet.ip.forwarding=1");
  w.frames("bus1");
}

/** A second way to fwd. */
async function second_gateway(w: NetWorld): Promise<string> {
  await w.add_addr("fwd", "shmif2", "bus1", `${IPSRCGW2}/24`);
  w.frames("bus1");
  return w.get_macaddr("fwd", "shmif2");
}

function check_echo_request(w: NetWorld, from: string, to: string, macs: string = ""): void {
  const requests = w.extract_new_packets("bus1").filter((l) => l.includes("echo request"));
  expect(
    requests.some((l) => l.includes(`${from} > ${to}:`) && l.includes(macs)),
    requests.join("\n"),
  ).to.equal(true);
}

async function allow_source_routing(w: NetWorld): Promise<void> {
  for (const name of ["src", "dst", "fwd"]) await w.ok(name, "sysctl -w net.inet.ip.allowsrcrt=1");
  await w.ok("fwd", "sysctl -w net.inet.ip.forwsrcrt=1");
}

describe("net/net/t_ping_opts", () => {
  net_case("ping_opts_sourceaddr", async (w) => {
    await setup(w);
    await w.ping("src", IPDST);
    check_echo_request(w, IPSRC, IPDST);
    await w.ok("src", `ifconfig shmif0 ${IPSRC2}/24 alias`);
    await w.ok("src", "ifconfig -w 10");
    for (const [how, from] of [
      ["", IPSRC],
      [`-I ${IPSRC} `, IPSRC],
      [`-I ${IPSRC2} `, IPSRC2],
    ] as const) {
      await w.ping("src", `${how}${IPDST}`);
      check_echo_request(w, from, IPDST);
    }
    await w.rump_server_destroy_ifaces();
  });

  net_case("ping_opts_gateway", async (w) => {
    await setup(w);
    const [me, gw] = [await w.get_macaddr("src", "shmif0"), await w.get_macaddr("fwd", "shmif0")];
    await w.ping("src", IPDST);
    check_echo_request(w, IPSRC, IPDST, `${me} > ${gw}`);
    const gw2 = await second_gateway(w);
    await w.ping("src", IPDST);
    check_echo_request(w, IPSRC, IPDST, `${me} > ${gw}`);
    // NetBSD: the first router says "Net prohibited access"; ours "Source Route Failed" (RFC 1812 §5.3.13.4).
    expect(await w.ping_fails("src", `-g ${IPSRCGW} ${IPDST}`)).to.match(/prohibited|Source Route Failed/i);
    await allow_source_routing(w);
    w.frames("bus1");
    await w.ping("src", `-g ${IPSRCGW} ${IPDST}`);
    check_echo_request(w, IPSRC, IPSRCGW, `${me} > ${gw}`);
    await w.ping("src", `-g ${IPSRCGW2} ${IPDST}`);
    check_echo_request(w, IPSRC, IPSRCGW2, `${me} > ${gw2}`);
    await w.rump_server_destroy_ifaces();
  });

  net_case("ping_opts_recordroute", async (w) => {
    await setup(w);
    const [me, gw] = [await w.get_macaddr("src", "shmif0"), await w.get_macaddr("fwd", "shmif0")];
    const recorded = "RR: \t10.0.2.1\n\t10.0.2.2\n\t10.0.1.1\n\t10.0.1.2\n";
    expect(await w.ok("src", `ping -n -c 1 -w 1 -R ${IPDST}`)).to.contain(recorded);
    check_echo_request(w, IPSRC, IPDST, `${me} > ${gw}`);
    await second_gateway(w);
    expect(await w.ok("src", `ping -n -c 1 -w 1 -R ${IPDST}`)).to.contain(recorded);
    check_echo_request(w, IPSRC, IPDST, `${me} > ${gw}`);
    await w.rump_server_destroy_ifaces();
  });
});
