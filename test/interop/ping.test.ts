// The host's ping, arping and traceroute against a kernel behind a tap: every size there is, floods, and who is asked for its address.
import { expect } from "chai";
import { needProgram } from "../support/need.ts";
import { Namespace, needNamespace, type NsKernel } from "./namespace.ts";

const KERNEL = "10.99.1.2";
/** The largest echo: 65535 less the headers of IPv4 and ICMP. */
const PING_MAX = 65_507;
/** Around every border: nothing, no time stamp, a full frame, two, a cluster, a page, three fragments, large frames, the largest. */
const SAMPLE = [
  ...[
    0, 1, 2, 7, 8, 9, 15, 16, 17, 55, 56, 57, 203, 255, 256, 257, 999, 1471, 1472, 1473, 1479, 1480, 1481, 2047, 2048,
    2049,
  ],
  ...[2951, 2952, 2953, 4095, 4096, 8191, 8192, 9000, 16_384, 32_767, 32_768, 50_001, 65_000, 65_505, 65_506, PING_MAX],
];
/** Pings under way at once. */
const WINDOW = 8;
/** The hardware address of a virt0. */
const STATION = /b2:0a:[0-9a-f]{2}:0b:0e:00/g;

describe("the host's ping, arping and traceroute to a kernel behind a tap", () => {
  let ns: Namespace;
  let kernel: NsKernel;
  before(async function () {
    needNamespace(this);
    needProgram(this, "ping", "iputils-ping");
    ns = new Namespace();
    kernel = await ns.tapped();
  });
  after(async function () {
    this.timeout(60_000);
    expect((await ns?.end()) ?? []).to.deep.equal([]);
  });

  it("ping: sizes around every border, intact", async function () {
    this.timeout(30_000);
    for (const size of SAMPLE) {
      const { stdout } = await ns.run("ping", "-n", "-c", "1", "-W", "3", "-s", String(size), KERNEL);
      expect(stdout, `size ${size}: ${stdout}`).to.contain("1 received");
      expect(stdout, `size ${size}`).not.to.contain("wrong data byte");
    }
  });

  it("ping -f: nothing lost", async function () {
    this.timeout(30_000);
    for (const size of ["0", "56", "1473", "20000"]) {
      const { stdout } = await ns.run("ping", "-q", "-n", "-f", "-c", "1000", "-s", size, KERNEL);
      expect(stdout, `size ${size}`).to.match(/1000 packets transmitted, 1000 received, 0% packet loss/);
    }
  });

  it("ping -R, -T and a broadcast: routes recorded, time stamps given, broadcasts not answered (RFC 1122 §3.2.2.6)", async () => {
    const route = await ns.run("ping", "-n", "-R", "-c", "1", "-W", "2", KERNEL);
    expect(route.stdout)
      .to.contain("1 received")
      .and.to.match(/RR:\s+10\.99\.1\.1\s+10\.99\.1\.2/);
    const stamps = await ns.run("ping", "-n", "-T", "tsandaddr", "-c", "1", "-W", "2", KERNEL);
    expect(stamps.stdout)
      .to.contain("1 received")
      .and.to.match(/TS:\s+10\.99\.1\.1\s+-?\d+ absolute\s+10\.99\.1\.2\s+-?\d+/);
    const refused = Number(await kernel.counter("icmp", "bmcastecho"));
    await ns.run("ping", "-n", "-b", "-c", "2", "-i", "0.01", "-W", "0.2", "10.99.1.255");
    expect(await kernel.counter("icmp", "bmcastecho")).to.equal(refused + 2);
  });

  it("arping: the same station answers every time, and only for its own address", async function () {
    needProgram(this, "arping", "iputils-arping");
    const { stdout } = await arping("-c", "3", KERNEL);
    expect(stdout.toLowerCase().match(STATION), stdout).to.have.length(3);
    expect(ns.now("ip neigh show dev tap0").match(STATION)).to.have.length(1);
    const other = await arping("-c", "1", "-w", "1", "10.99.1.77");
    expect(other.status, other.stdout).not.to.equal(0);
  });

  it("traceroute: one hop, by UDP from above and to a port that nobody has, by ICMP, in full frames", async function () {
    needProgram(this, "traceroute");
    for (const method of [[], ["-I"], ["-U", "-p", "9"], ["-I", "-F"]]) {
      const { stdout, stderr } = await ns.run(
        "traceroute",
        "-n",
        "-w",
        "1",
        "-q",
        "1",
        "-m",
        "3",
        ...method,
        KERNEL,
        "1400",
      );
      expect(stdout.trim().split("\n").slice(1), stdout + stderr).to.have.length(1);
      expect(stdout).to.contain(` 1  ${KERNEL} `);
    }
  });

  /** Two programs have this name: that of iputils, and Thomas Habets' older one with -i for the interface. */
  async function arping(...args: readonly string[]): ReturnType<Namespace["run"]> {
    const iputils = await ns.run("arping", "-I", "tap0", ...args);
    return /invalid|usage/i.test(iputils.stderr) ? ns.run("arping", "-i", "tap0", ...args) : iputils;
  }
});

describe("every ping", () => {
  let ns: Namespace;
  before(async function () {
    needNamespace(this);
    ns = new Namespace();
    await ns.tapped({ capture: false });
  });
  after(async function () {
    this.timeout(120_000);
    expect((await ns?.end()) ?? []).to.deep.equal([]);
  });

  it("of all 65508 sizes is answered, byte for byte", async function () {
    this.timeout(120_000);
    expect(await ns.py("every_ping.py", KERNEL, 0, PING_MAX, WINDOW)).to.equal("65508 of 65508 answered");
  });
});
