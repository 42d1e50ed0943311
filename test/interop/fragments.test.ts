// Fragments between the host and a kernel behind a tap: small MTUs on either side, every order, what must be refused, and path MTUs.
import { expect } from "chai";
import { needProgram } from "../support/need.ts";
import { Namespace, needNamespace, type NsKernel } from "./namespace.ts";

const HOST = "10.99.1.1";
const KERNEL = "10.99.1.2";
/** Behind the host, over a link of PATH_MTU. */
const FAR = "10.99.2.2";
const PATH_MTU = 700;
const SIZES = [0, 500, 519, 520, 521, 1100, 1473, 5000, 30_001, 65_507];
/** Room for all the fragments of a ping, with what the host's kernel charges for each. */
const SNDBUF = "4000000";
const PF_INET = 2;
const SOCK_DGRAM = 2;

describe("fragments between the host and a kernel behind a tap", () => {
  let ns: Namespace;
  let kernel: NsKernel;
  before(async function () {
    needNamespace(this);
    needProgram(this, "ping", "iputils-ping");
    ns = new Namespace();
    kernel = await ns.tapped({ gateway: HOST });
  });
  after(async function () {
    this.timeout(60_000);
    expect((await ns?.end()) ?? []).to.deep.equal([]);
  });

  it("in every order are put together; those that overlap, contradict or lack something are not (RFC 791 §3.2)", async function () {
    this.timeout(30_000);
    const { stdout, stderr, status } = await ns.python("raw.py", "fragments", HOST, KERNEL).ended;
    expect(status, stderr).to.equal(0);
    const cases = stdout
      .trim()
      .split("\n")
      .map((line) => line.split(": "));
    const silent = [
      "overlap of eight bytes",
      "overlap inside",
      "two ends",
      "beyond the end",
      "no first",
      "a middle of odd length",
      "past 65535",
    ];
    expect(cases.filter(([, what]) => what === "silence").map(([name]) => name)).to.deep.equal(silent);
    expect(cases.filter(([, what]) => what === "answered")).to.have.length(6 + 24 + 1 + 1);
    expect(cases).to.have.length(6 + 24 + 1 + 1 + silent.length);
    expect(await kernel.counter("ip", "overlapfrags")).to.be.at.least(2);
    expect(await kernel.counter("ip", "badfrags")).to.be.at.least(1);
    expect(await kernel.counter("ip", "toolong")).to.be.at.least(1);
  });

  it("of the host, whose MTU is small, are put together", async function () {
    this.timeout(30_000);
    try {
      for (const mtu of [68, 576]) {
        ns.now(`ip link set tap0 mtu ${mtu}`);
        await echoes(mtu === 68 ? [0, 100, 2999] : SIZES);
      }
    } finally {
      ns.now("ip link set tap0 mtu 1500");
    }
  });

  it("of ours, when our MTU is small, are put together by the host", async function () {
    this.timeout(30_000);
    try {
      for (const mtu of [72, 576]) {
        expect((await kernel.rump("ifconfig", "virt0", "mtu", String(mtu))).status).to.equal(0);
        // What is longer than a link's MTU is not taken from it either.
        ns.now(`ip link set tap0 mtu ${mtu}`);
        const before = await kernel.counter("ip", "ofragments");
        await echoes(mtu === 72 ? [0, 100, 2999] : SIZES);
        expect(await kernel.counter("ip", "ofragments")).to.be.above(before);
      }
    } finally {
      expect((await kernel.rump("ifconfig", "virt0", "mtu", "1500")).status).to.equal(0);
      ns.now("ip link set tap0 mtu 1500");
    }
  });

  it("are made by ourselves once a router has said that the path's MTU is smaller (RFC 1191 §6.3)", async function () {
    this.timeout(30_000);
    far_network();
    const sys = kernel.client.rumpSys;
    const server = ns.start("ip", [
      "netns",
      "exec",
      `${ns.name}-far`,
      "python3",
      "-B",
      "-u",
      ns.source("udp.py"),
      "echo",
      FAR,
      "9",
    ]);
    await server.says("ready");
    // Our datagrams do not carry DF, as NetBSD's: the host cuts them itself, and what a stricter router would say is said raw.
    const fd = await sys.socket(PF_INET, SOCK_DGRAM, 0);
    await sys.connect(fd, { family: "inet", address: FAR, port: 9 });
    const data = Uint8Array.from({ length: 1200 }, (_, i) => i);
    const buf = new Uint8Array(2000);
    await sys.send(fd, data);
    expect(await sys.recv(fd, buf)).to.equal(1200);
    const port = (await sys.getsockname(fd)) as { port: number };
    await ns.py("raw.py", "needfrag", HOST, KERNEL, FAR, port.port, 9, 1228, PATH_MTU);
    const { stdout } = await kernel.rump("route", "-n", "get", FAR);
    expect(stdout).to.match(new RegExp(`^\\s*\\d.*\\b${PATH_MTU}\\b`, "m"));
    // The socket is told once that what it sent was too big, as NetBSD tells it.
    const told: unknown = await sys.send(fd, data).catch((error: unknown) => error);
    expect(told).to.have.property("code", "EMSGSIZE");
    const before = await kernel.counter("ip", "fragmented");
    await sys.send(fd, data);
    expect(await sys.recv(fd, buf)).to.equal(1200);
    expect(await kernel.counter("ip", "fragmented")).to.equal(before + 1);
    await sys.close(fd);
    // A lie about a conversation that there is not is not believed.
    await ns.py("raw.py", "needfrag", HOST, KERNEL, "10.99.2.3", 4444, 9, 1228, PATH_MTU);
    expect((await kernel.rump("route", "-n", "get", "10.99.2.3")).stdout).not.to.contain(String(PATH_MTU));
    server.child.stdin?.end();
    expect((await server.ended).status).to.equal(0);
  });

  it("are not made of what must not be cut: the host is told our MTU by ICMP, and its ping says so", async () => {
    // A kernel that forwards is needed for that; ours is the end of the path, so what is too big for the host's own link is refused there.
    const { stdout } = await ns.run("ping", "-n", "-c", "1", "-W", "1", "-M", "do", "-s", "1472", KERNEL);
    expect(stdout).to.contain("1 received");
    const big = await ns.run("ping", "-n", "-c", "1", "-W", "1", "-M", "do", "-s", "1473", KERNEL);
    expect(big.stdout + big.stderr).to.match(/message too long/i);
  });

  it("trace a path: our traceroute sees the host and what is behind it, and theirs sees us", async () => {
    const { stdout } = await kernel.rump("traceroute", "-n", "-q", "1", "-w", "2", FAR);
    expect(
      stdout
        .trim()
        .split("\n")
        .slice(-2)
        .map((line) => line.trim().split(/\s+/).slice(0, 2)),
    ).to.deep.equal([
      ["1", HOST],
      ["2", FAR],
    ]);
    const icmp = await kernel.rump("traceroute", "-I", "-n", "-q", "1", "-w", "2", FAR);
    expect(icmp.stdout).to.match(/^ *2 +10\.99\.2\.2/m);
    const back = await ns.run(
      "ip",
      "netns",
      "exec",
      `${ns.name}-far`,
      "traceroute",
      "-n",
      "-q",
      "1",
      "-w",
      "2",
      KERNEL,
    );
    expect(back.stdout)
      .to.match(/^ *1 +10\.99\.2\.1 /m)
      .and.to.match(/^ *2 +10\.99\.1\.2 /m);
  });

  async function echoes(sizes: readonly number[]): Promise<void> {
    for (const size of sizes) {
      const { stdout } = await ns.run("ping", "-n", "-c", "1", "-W", "3", "-S", SNDBUF, "-s", String(size), KERNEL);
      expect(stdout, `size ${size}: ${stdout}`).to.contain("1 received");
    }
  }

  /** Another namespace behind this one, over a link of PATH_MTU. */
  function far_network(): void {
    const far = ns.behind("far");
    ns.now(`ip link add far0 mtu ${PATH_MTU} type veth peer name near0 netns ${far}`);
    ns.now("ip address add 10.99.2.1/24 dev far0");
    ns.now("ip link set far0 up");
    ns.now("sysctl -q -w net.ipv4.ip_forward=1");
    for (const words of [
      `ip link set near0 mtu ${PATH_MTU} up`,
      `ip address add ${FAR}/24 dev near0`,
      "ip route add default via 10.99.2.1",
    ]) {
      ns.now(`ip netns exec ${far} ${words}`);
    }
  }
});
