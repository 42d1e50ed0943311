// UDP between the host and a kernel behind a tap: echo both ways, closed ports both ways, broadcast and multicast both ways.
import { expect } from "chai";
import type { RemoteSys } from "../../rumpsys/client/remote_sys.ts";
import { Namespace, needNamespace, type NsKernel } from "./namespace.ts";

const HOST = "10.99.1.1";
const KERNEL = "10.99.1.2";
const PF_INET = 2;
const SOCK_DGRAM = 2;
const SOL_SOCKET = 0xffff;
const SO_BROADCAST = 0x0020;
const SO_SNDBUF = 0x1001;
const SO_RCVBUF = 0x1002;
const IPPROTO_IP = 0;
const IP_MULTICAST_IF = 9;
const IP_MULTICAST_TTL = 10;
const IP_MULTICAST_LOOP = 11;
const IP_ADD_MEMBERSHIP = 12;
const IP_DROP_MEMBERSHIP = 13;
/** What one datagram can carry: 65535 less the headers of IPv4 and UDP. */
const UDP_MAX = 65_507;
/** Around every border, and what lies between. */
const SIZES = [
  ...[0, 1, 2, 3, 7, 8, 17, 63, 64, 65, 213, 214, 255, 256, 257, 511, 1023, 1471, 1472, 1473, 1479, 1480, 1481],
  ...[2047, 2048, 2049, 2951, 2952, 2953, 4096, 7777, 9000, 16_383, 31_111, 32_768, 44_444, 60_001, 65_506, UDP_MAX],
];
const GROUP = "239.1.2.3";

describe("UDP between the host and a kernel behind a tap", () => {
  let ns: Namespace;
  let kernel: NsKernel;
  let sys: RemoteSys;
  before(async function () {
    needNamespace(this);
    ns = new Namespace();
    kernel = await ns.tapped();
    sys = kernel.client.rumpSys;
  });
  after(async function () {
    this.timeout(60_000);
    expect((await ns?.end()) ?? []).to.deep.equal([]);
  });

  it("the host's client and our echo server: every kind of size, byte for byte", async function () {
    this.timeout(30_000);
    const fd = await socket(KERNEL, 7);
    const buf = new Uint8Array(UDP_MAX + 1);
    const server = (async (): Promise<void> => {
      for (let i = 0; i < SIZES.length; i++) {
        const got = await sys.recvfrom(fd, buf, 0);
        if (got.from === null || !("address" in got.from)) throw new Error("from nowhere");
        await sys.sendto(fd, buf.subarray(0, got.length), 0, got.from);
      }
    })();
    expect(await ns.py("udp.py", "client", KERNEL, 7, ...SIZES)).to.equal(`${SIZES.length} echoed`);
    await server;
    await sys.close(fd);
  });

  it("our client and the host's echo server: the same", async function () {
    this.timeout(30_000);
    const server = ns.python("udp.py", "echo", HOST, 7);
    await server.says("ready");
    const fd = await socket("0.0.0.0", 0);
    await sys.connect(fd, { family: "inet", address: HOST, port: 7 });
    const buf = new Uint8Array(UDP_MAX + 1);
    for (const size of SIZES) {
      const sent = pattern(size);
      await sys.send(fd, sent);
      const n = await sys.recv(fd, buf);
      expect(n, `size ${size}`).to.equal(size);
      expect(Buffer.compare(buf.subarray(0, n), sent), `size ${size}`).to.equal(0);
    }
    await sys.close(fd);
    server.child.stdin?.end();
    expect((await server.ended).status).to.equal(0);
  });

  it("a closed port is ECONNREFUSED both ways, and more than a datagram can hold is EMSGSIZE", async () => {
    expect(await ns.py("udp.py", "refused", KERNEL, 4)).to.equal("ECONNREFUSED");
    const fd = await socket("0.0.0.0", 0);
    await sys.connect(fd, { family: "inet", address: HOST, port: 4 });
    await sys.send(fd, pattern(10));
    expect(await code(sys.recv(fd, new Uint8Array(10)))).to.equal("ECONNREFUSED");
    await sys.send(fd, pattern(2000));
    expect(await code(sys.recv(fd, new Uint8Array(10)))).to.equal("ECONNREFUSED");
    expect(await code(sys.send(fd, pattern(UDP_MAX + 1)))).to.equal("EMSGSIZE");
    await sys.close(fd);
  });

  it("broadcasts are heard both ways: of the network and of all", async () => {
    const fd = await socket("0.0.0.0", 5001);
    const refused = await code(sys.sendto(fd, text("x"), 0, { family: "inet", address: "10.99.1.255", port: 5001 }));
    expect(refused).to.equal("EACCES");
    await sys.setsockopt(fd, SOL_SOCKET, SO_BROADCAST, 1);
    const host = ns.python("udp.py", "listen", HOST, 5001);
    await host.says("ready");
    for (const to of ["10.99.1.255", "255.255.255.255"]) {
      await ns.py("udp.py", "say", HOST, to, 5001, `to ${to}`);
      // The host hears its own as well.
      await host.says(`to ${to}`);
      expect(await heard(fd)).to.equal(`${HOST}: to ${to}`);
    }
    await sys.sendto(fd, text("we, to all"), 0, { family: "inet", address: "10.99.1.255", port: 5001 });
    await host.says(/10\.99\.1\.2 > 10\.99\.1\.255 ttl \d+: we, to all/);
    // What one sends to all, one hears too.
    expect(await heard(fd)).to.equal(`${KERNEL}: we, to all`);
    await close(fd, host);
  });

  it("multicast is heard both ways, by members only, with the TTL it was sent with", async () => {
    const fd = await socket("0.0.0.0", 5002);
    const host = ns.python("udp.py", "listen", HOST, 5002, GROUP);
    await host.says("ready");
    await sys.setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, Uint8Array.of(10, 99, 1, 2));
    await sys.setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, Uint8Array.of(0));
    for (const ttl of [1, 7]) {
      await sys.setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, Uint8Array.of(ttl));
      await sys.sendto(fd, text(`with ${ttl}`), 0, { family: "inet", address: GROUP, port: 5002 });
      await host.says(`${KERNEL} > ${GROUP} ttl ${ttl}: with ${ttl}`);
    }
    await ns.py("udp.py", "say", HOST, GROUP, 5002, "not for us");
    const member = Uint8Array.of(239, 1, 2, 3, 10, 99, 1, 2);
    await sys.setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, member);
    await ns.py("udp.py", "say", HOST, GROUP, 5002, "for members");
    expect(await heard(fd)).to.equal(`${HOST}: for members`);
    await ns.py("udp.py", "say", HOST, GROUP, 5002, `in fragments ${"x".repeat(5000)}`);
    expect(await heard(fd)).to.match(/^10\.99\.1\.1: in fragments x{5000}$/);
    await sys.setsockopt(fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, member);
    await ns.py("udp.py", "say", HOST, GROUP, 5002, "no more");
    await ns.py("udp.py", "say", HOST, KERNEL, 5002, "the end");
    expect(await heard(fd)).to.equal(`${HOST}: the end`);
    await close(fd, host);
  });

  it("memberships are told by IGMP both ways: joined, asked for, left", async function () {
    this.timeout(30_000);
    const dump = ns.start("tcpdump", ["-n", "-l", "-v", "-i", "tap0", "igmp"]);
    while (!dump.stderr.includes("listening")) await new Promise((resolve) => setTimeout(resolve, 5));
    const fd = await socket("0.0.0.0", 5003);
    const member = Uint8Array.of(239, 9, 9, 9, 10, 99, 1, 2);
    await sys.setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, member);
    const joined = await dump.says(/10\.99\.1\.2 > [\s\S]*239\.9\.9\.9/);
    expect(joined)
      .to.contain("options (RA)")
      .and.to.match(/ttl 1\b/);
    // A router asks what there is: the host's programs can say it raw.
    await ns.py("raw.py", "igmp-query", HOST, "224.0.0.1");
    await dump.says(/10\.99\.1\.2 > [\s\S]*239\.9\.9\.9[\s\S]*10\.99\.1\.2 > [\s\S]*239\.9\.9\.9/);
    await sys.setsockopt(fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, member);
    await dump.says(/10\.99\.1\.2 > 224\.0\.0\.2: igmp leave 239\.9\.9\.9|10\.99\.1\.2 > 224\.0\.0\.22[\s\S]*to_in/);
    const host = ns.python("udp.py", "listen", HOST, 5003, "239.8.8.8");
    await host.says("ready");
    await dump.says(/10\.99\.1\.1 > [\s\S]*239\.8\.8\.8/);
    await close(fd, host);
    await dump.stop("SIGINT");
    expect(await kernel.counter("igmp", "rcv_badsum")).to.equal(0);
    expect(dump.stdout).not.to.match(/bad igmp cksum|bad-?cksum/i);
  });

  /** A bound socket with room for the largest datagram. */
  async function socket(address: string, port: number): Promise<number> {
    const fd = await sys.socket(PF_INET, SOCK_DGRAM, 0);
    await sys.bind(fd, { family: "inet", address, port });
    for (const option of [SO_SNDBUF, SO_RCVBUF]) await sys.setsockopt(fd, SOL_SOCKET, option, 200_000);
    return fd;
  }

  async function heard(fd: number): Promise<string> {
    const buf = new Uint8Array(UDP_MAX);
    const { length, from } = await sys.recvfrom(fd, buf, 0);
    const address = from !== null && "address" in from ? String(from.address) : "nobody";
    return `${address}: ${new TextDecoder().decode(buf.subarray(0, length))}`;
  }

  async function close(fd: number, host: ReturnType<Namespace["python"]>): Promise<void> {
    await sys.close(fd);
    host.child.stdin?.end();
    expect((await host.ended).status).to.equal(0);
  }
});

function text(words: string): Uint8Array {
  return new TextEncoder().encode(words);
}

/** The name of the error that ends a call. */
async function code(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => "no error",
    (error: unknown) => (error as { code?: string }).code,
  );
}

function pattern(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 13 + size + (i >> 8)) & 255);
}
