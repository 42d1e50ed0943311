// Our tools against the host, a bus behind a router, and `npm start -- --tap` as a person runs it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ROOT } from "../repo/source_tree.ts";
import { needProgram } from "../support/need.ts";
import { RUMP } from "../support/rump_process.ts";
import { Namespace, Program, needNamespace, type NsKernel } from "./namespace.ts";

const HOST = "10.99.1.1";
/** Our router's ends, and the kernel behind it. */
const ROUTER = "10.99.1.2";
const BUS_ROUTER = "10.99.3.1";
const BUS_KERNEL = "10.99.3.2";

describe("rump's tools and the host, through a router of ours", () => {
  let ns: Namespace;
  let router: NsKernel;
  let behind: NsKernel;
  let bus_dir: string;
  let bus: string;
  before(async function () {
    this.timeout(30_000);
    needNamespace(this);
    needProgram(this, "ping", "iputils-ping");
    needProgram(this, "traceroute");
    bus_dir = mkdtempSync(join(tmpdir(), "rki-bus-"));
    bus = join(bus_dir, "bus");
    ns = new Namespace();
    const tap = { name: "virt0", link: "tap0", address: ROUTER, prefix: 24 };
    router = await ns.kernel("r", [tap, { name: "shmif0", link: bus, address: BUS_ROUTER, prefix: 24 }], {
      forward: true,
    });
    behind = await ns.kernel("b", [{ name: "shmif0", link: bus, address: BUS_KERNEL, prefix: 24 }], {
      gateway: BUS_ROUTER,
    });
    ns.now(`ip address add ${HOST}/24 dev tap0`);
    ns.now("ip link set tap0 up");
    ns.now(`ip route add 10.99.3.0/24 via ${ROUTER}`);
  });
  after(async function () {
    this.timeout(60_000);
    if (bus_dir !== undefined) rmSync(bus_dir, { recursive: true });
    expect((await ns?.end()) ?? []).to.deep.equal([]);
  });

  it("rump ping: the host answers every kind of size, also a flood, from behind the router too", async function () {
    this.timeout(30_000);
    for (const kernel of [router, behind]) {
      for (const size of ["0", "56", "1473", "20001", "65507"]) {
        const { stdout, stderr } = await kernel.rump("ping", "-n", "-c", "2", "-i", "0.1", "-w", "3", "-s", size, HOST);
        expect(stdout, `size ${size}: ${stdout}${stderr}`).to.match(
          /2 packets transmitted, 2 packets received, 0\.0% packet loss/,
        );
      }
      const flood = await kernel.rump("ping", "-f", "-q", "-n", "-c", "300", HOST);
      expect(flood.stdout).to.match(/300 packets transmitted, 300 packets received/);
    }
  });

  it("rump arp and the host's neighbour table agree", async () => {
    const { stdout } = await router.rump("arp", "-n", "-a");
    const host_mac = ns.now("cat /sys/class/net/tap0/address").trim();
    expect(stdout.toLowerCase()).to.contain(`(${HOST}) at ${host_mac}`);
    const ours = /lladdr (\S+)/.exec(ns.now(`ip neigh show ${ROUTER} dev tap0`))?.[1];
    expect((await router.rump("ifconfig", "virt0")).stdout.toLowerCase()).to.contain(`address: ${ours}`);
  });

  it("rump traceroute to the host and the host's traceroute to the bus name the router, by UDP and ICMP", async function () {
    this.timeout(20_000);
    for (const method of [[], ["-I"]]) {
      const ours = await behind.rump("traceroute", "-n", "-q", "1", "-w", "2", ...method, HOST);
      expect(ours.stdout, ours.stderr).to.match(/^ *1 +10\.99\.3\.1 .*\n *2 +10\.99\.1\.1 /m);
      const theirs = await ns.run("traceroute", "-n", "-q", "1", "-w", "2", ...method, BUS_KERNEL);
      expect(theirs.stdout).to.match(/^ *1 +10\.99\.1\.2 .*\n *2 +10\.99\.3\.2 /m);
    }
  });

  it("a packet that must not be cut for the bus is answered with the bus's MTU, and the host keeps to it (RFC 1191 §4)", async function () {
    this.timeout(20_000);
    for (const kernel of [router, behind])
      expect((await kernel.rump("ifconfig", "shmif0", "mtu", "900")).status).to.equal(0);
    const refused = await ns.run("ping", "-n", "-c", "1", "-W", "1", "-M", "do", "-s", "1000", BUS_KERNEL);
    expect(refused.stdout + refused.stderr).to.match(/From 10\.99\.1\.2 .*Frag needed and DF set \(mtu = 900\)/);
    expect(ns.now(`ip route get ${BUS_KERNEL}`)).to.contain("mtu 900");
    const { stdout } = await ns.run("ping", "-n", "-c", "2", "-i", "0.01", "-W", "2", "-s", "3000", BUS_KERNEL);
    expect(stdout).to.contain(" 0% packet loss");
    for (const kernel of [router, behind]) await kernel.rump("ifconfig", "shmif0", "mtu", "1500");
  });

  it("a TTL that ends, an address that nobody has, a network that there is not: the host is told by ICMP (RFC 792)", async function () {
    this.timeout(20_000);
    const ttl = await ns.run("ping", "-n", "-c", "1", "-W", "1", "-t", "1", BUS_KERNEL);
    expect(ttl.stdout).to.contain(`From ${ROUTER} icmp_seq=1 Time to live exceeded`);
    const nobody = await ns.run("ping", "-n", "-c", "1", "-W", "8", "10.99.3.77");
    expect(nobody.stdout).to.contain(`From ${ROUTER} icmp_seq=1 Destination Host Unreachable`);
    ns.now(`ip route add 10.99.9.0/24 via ${ROUTER}`);
    const no_net = await ns.run("ping", "-n", "-c", "1", "-W", "1", "10.99.9.1");
    expect(no_net.stdout).to.match(/From 10\.99\.1\.2 icmp_seq=1 Destination (Net|Host) Unreachable/);
  });

  it("rump tcpdump and rump dumpbus -p write what tshark and tcpdump read back whole", async function () {
    this.timeout(30_000);
    const file = join(ns.dir, "tcpdump.pcap");
    const dump = new Program(process.execPath, [RUMP, "tcpdump", "-n", "-i", "virt0", "-w", file], {
      RUMP_SERVER: router.url,
    });
    await new Promise((resolve) => setTimeout(resolve, 600));
    const echo = ns.python("udp.py", "echo", HOST, 7);
    await echo.says("ready");
    const sys = behind.client.rumpSys;
    const fd = await sys.socket(2, 2, 0);
    await sys.connect(fd, { family: "inet", address: HOST, port: 7 });
    for (const size of [0, 1, 100, 1472, 1473, 9000]) {
      await sys.send(fd, new Uint8Array(size).fill(size));
      expect(await sys.recv(fd, new Uint8Array(10_000))).to.equal(size);
    }
    await sys.close(fd);
    expect(await ns.py("udp.py", "refused", BUS_KERNEL, 9)).to.equal("ECONNREFUSED");
    await ns.run("ping", "-n", "-c", "3", "-i", "0.01", "-W", "1", "-s", "3000", BUS_KERNEL);
    echo.child.stdin?.end();
    await echo.ended;
    await new Promise((resolve) => setTimeout(resolve, 300));
    await dump.stop("SIGINT");
    // The namespace reads all captures in its folder when it ends.
    const { status, stderr } = await behind.rump("dumpbus", "-p", join(ns.dir, "dumpbus.pcap"), bus);
    expect(status, stderr).to.equal(0);
    for (const [name, port] of [
      ["tcpdump.pcap", "udp.port == 7"],
      ["dumpbus.pcap", "udp.port == 7"],
    ] as const) {
      const seen = await new Program("tshark", ["-n", "-r", join(ns.dir, name), "-Y", port]).ended;
      expect(seen.stdout.trim().split("\n").length, name).to.be.at.least(12);
    }
  });
});

describe("npm start -- --tap", () => {
  let ns: Namespace;
  before(function () {
    needNamespace(this);
    needProgram(this, "ping", "iputils-ping");
    needProgram(this, "arping", "iputils-arping");
    needProgram(this, "traceroute");
    ns = new Namespace();
  });
  after(async () => {
    expect((await ns?.end()) ?? []).to.deep.equal([]);
  });

  it("joins the host: its own ping, arping and traceroute reach all three kernels, also ours meanwhile, and nothing is left", async function () {
    this.timeout(90_000);
    const npm = ns.start("npm", ["start", "--", "--tap"], {}, ROOT);
    const said = await npm.says(/tap +host (\S+) -- (\S+) -- (\S+) a/);
    const [, host, tap, near] = /tap +host (\S+) -- (\S+) -- (\S+) a/.exec(said) ?? [];
    const base = host?.split(".").slice(0, 2).join(".");
    const meanwhile = await ns.run("ping", "-n", "-c", "3", "-i", "0.05", "-W", "2", near ?? "");
    expect(meanwhile.stdout, said).to.contain("3 received");
    const flood = ns.run("ping", "-q", "-n", "-f", "-c", "200", "-s", "2000", near ?? "");
    await npm.says(/\$ traceroute/);
    expect((await flood).stdout).to.contain("200 received");
    const { status, stdout, stderr } = await npm.ended;
    expect(status, stderr).to.equal(0);
    expect(stdout).to.contain("3 packets transmitted, 3 received, 0% packet loss");
    expect(stdout).to.match(/\$ arping [\s\S]*(2 packets transmitted, 2 packets received|Received 2 response)/);
    expect(stdout).to.match(new RegExp(`^ +3 +${base}\\.2\\.\\d+ `, "m"));
    expect(ns.now("ip -brief link")).not.to.contain(tap);
    expect(ns.now("ip route")).not.to.contain(base);
  });

  it("Ctrl-C in the middle leaves no interface and no process", async function () {
    this.timeout(60_000);
    const start = ns.start(process.execPath, [join(ROOT, "build/rumpsys/cli/main_job.js"), "--tap"]);
    const said = await start.says(/\$ ping/);
    start.child.kill("SIGINT");
    const { status, signal } = await start.ended;
    expect(status === 0 && signal === null, said).to.equal(false);
    expect(ns.now("ip -brief link")).not.to.contain("rumptap");
    const until = performance.now() + 3000;
    while (ns.pids() !== "" && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(ns.pids()).to.equal("");
  });
});
