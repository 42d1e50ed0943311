// The host's own programs against a kernel behind a tap.
import { execFile } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { promisify } from "node:util";
import { expect } from "chai";
import { hostSideUp } from "../../drivers/virtif/host/host_side.ts";
import { type NativeHost, nativeHost } from "../../hypercall/native/native_host.ts";
import {
  rump_pub_netconfig_ifcreate,
  rump_pub_netconfig_ifsetlinkstr,
  rump_pub_netconfig_ifup,
  rump_pub_netconfig_ipv4_ifaddr_cidr,
} from "../../rumpsys/netconfig.ts";
import { rump_init_sync } from "../../rumpsys/rump_init.ts";
import type { RumpKernel } from "../../rumpsys/rump_kernel.ts";
import { needNative, needProgram, needTap } from "../support/need.ts";

const run = promisify(execFile);
const TAP = `rki${process.pid}`;
const HOST = "10.99.78.1";
const KERNEL = "10.99.78.2";
const PF_INET = 2;
const SOCK_DGRAM = 2;
/** What one datagram can carry: 65535 less the headers of IPv4 and UDP. */
const UDP_MAX = 65_507;
/** Sizes around every border: nothing, one byte, a full frame, one more, two fragments, a cluster, the largest. */
const SIZES = [0, 1, 55, 56, 1471, 1472, 1473, 1480, 2000, 2047, 2048, 2049, 2952, 2953, 9000, 32_768, 65_506, UDP_MAX];

describe("a kernel behind a tap and the host's programs", () => {
  let host: NativeHost;
  let rk: RumpKernel;
  before(function () {
    needNative(this);
    needTap(this);
    host = nativeHost();
    rk = rump_init_sync(host);
    expect(rump_pub_netconfig_ifcreate(rk, "virt0")).to.equal(0);
    expect(rump_pub_netconfig_ifsetlinkstr(rk, "virt0", TAP)).to.equal(0);
    hostSideUp({ name: TAP, address: HOST, prefix: 24 });
    expect(rump_pub_netconfig_ipv4_ifaddr_cidr(rk, "virt0", KERNEL, 24)).to.equal(0);
    expect(rump_pub_netconfig_ifup(rk, "virt0")).to.equal(0);
  });
  after(() => {
    if (rk === undefined) return;
    expect(rk.k.shutdown().text).to.equal("");
    host.close();
  });

  it("answers ping of every kind of size", async function () {
    this.timeout(60_000);
    needProgram(this, "ping", "iputils-ping");
    for (const size of SIZES) {
      const { stdout } = await run("ping", ["-n", "-c", "3", "-i", "0.01", "-W", "2", "-s", String(size), KERNEL]);
      expect(stdout, `size ${size}`).to.contain("3 received");
    }
  });

  it("answers a flood of pings without loss", async function () {
    this.timeout(60_000);
    needProgram(this, "ping", "iputils-ping");
    for (const size of ["56", "1472", "8000"]) {
      const { stdout } = await run("ping", ["-q", "-n", "-f", "-c", "2000", "-s", size, KERNEL]);
      expect(stdout, `size ${size}`).to.contain("2000 received");
    }
  });

  it("answers arping, and tells traceroute that it is one hop away", async function () {
    this.timeout(30_000);
    needProgram(this, "arping");
    needProgram(this, "traceroute");
    const { stdout } = await run("arping", ["-c", "1", "-i", TAP, KERNEL]).catch(() =>
      run("arping", ["-c", "1", "-I", TAP, KERNEL]),
    );
    expect(stdout).to.match(/b2:0a:[0-9a-f]{2}:0b:0e:00/i);
    for (const method of [[], ["-I"]]) {
      const trace = await run("traceroute", ["-n", "-w", "1", "-q", "1", "-m", "3", ...method, KERNEL]);
      expect(trace.stdout.trim().split("\n").slice(1)).to.have.length(1);
      expect(trace.stdout).to.contain(` 1  ${KERNEL} `);
    }
  });

  it("echoes UDP of every size to the host, byte for byte, fragments included", async function () {
    this.timeout(30_000);
    const { rumpSys } = rk;
    const fd = rumpSys.socket(PF_INET, SOCK_DGRAM, 0);
    rumpSys.bind(fd, { family: "inet", address: KERNEL, port: 7 });
    setBuffers(fd);
    const buf = new Uint8Array(UDP_MAX);
    const echo = (async (): Promise<void> => {
      for (let i = 0; i < SIZES.length; i++) {
        const got = await rumpSys.recvfrom(fd, buf, 0);
        if (got.from?.family !== "inet") throw new Error("from nowhere");
        await rumpSys.sendto(fd, buf.subarray(0, got.length), 0, got.from);
      }
    })();
    const client = await bound(0);
    for (const [i, size] of SIZES.entries()) {
      const bytes = pattern(size, i);
      const answer = message(client);
      client.send(bytes, 7, KERNEL);
      expect(Buffer.compare(await answer, bytes), `size ${size}`).to.equal(0);
    }
    await echo;
    client.close();
    await rumpSys.close(fd);
  });

  it("sends UDP to the host first, and learns that a port is closed", async function () {
    const { rumpSys } = rk;
    const server = await bound(9978);
    const fd = rumpSys.socket(PF_INET, SOCK_DGRAM, 0);
    setBuffers(fd);
    for (const [i, size] of SIZES.entries()) {
      const answer = message(server);
      await rumpSys.sendto(fd, pattern(size, i), 0, { family: "inet", address: HOST, port: 9978 });
      expect(Buffer.compare(await answer, pattern(size, i)), `size ${size}`).to.equal(0);
    }
    server.close();
    await rumpSys.connect(fd, { family: "inet", address: HOST, port: 9979 });
    await rumpSys.send(fd, pattern(10, 0), 0);
    const refused = await rumpSys.recv(fd, new Uint8Array(10), 0).catch((error: unknown) => error);
    expect(refused).to.have.property("code", "ECONNREFUSED");
    await rumpSys.close(fd);
  });

  /** Room for the largest datagram both ways. */
  function setBuffers(fd: number): void {
    const SOL_SOCKET = 0xffff;
    for (const option of [0x1001, 0x1002]) rk.rumpSys.setsockopt(fd, SOL_SOCKET, option, 200_000);
  }
});

function pattern(size: number, seed: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * 13 + seed + (i >> 8)) & 255));
}

async function bound(port: number): Promise<Socket> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 1 << 20 });
  await new Promise<void>((done) => socket.bind(port, HOST, done));
  return socket;
}

function message(socket: Socket): Promise<Buffer> {
  return new Promise((done) => socket.once("message", done));
}
