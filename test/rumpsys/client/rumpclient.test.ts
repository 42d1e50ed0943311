import { mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { nativeHost } from "../../../hypercall/native/native_host.ts";
import type { NativeHost } from "../../../hypercall/native/native_host.ts";
import { POLLIN } from "../../../kernel-components/kern/select.ts";
import { connretry, connretry_parse, connretry_wait_ms } from "../../../rumpsys/client/retry.ts";
import { rump_calls } from "../../../rumpsys/client/rump_calls.ts";
import type { RumpCalls } from "../../../rumpsys/client/rump_calls.ts";
import { rumpclient_init } from "../../../rumpsys/client/rumpclient.ts";
import type { Rumpclient } from "../../../rumpsys/client/rumpclient.ts";
import { scm_rights, scm_rights_fds } from "../../../rumpsys/cmsgs.ts";
import { local_components } from "../../../rumpsys/component_set.ts";
import { rump_init_sync } from "../../../rumpsys/rump_init.ts";
import type { RumpKernel } from "../../../rumpsys/rump_kernel.ts";
import { rump_init_server } from "../../../rumpsys/server/sp_server.ts";
import type { SpServer } from "../../../rumpsys/server/sp_server.ts";
import { needNative } from "../../support/need.ts";
import { bytes, codeOfAsync } from "../sim_rump.ts";

const PF_LOCAL = 1;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;

describe("rumpsys/client", () => {
  let dir: string;
  let url: string;
  let host: NativeHost;
  let rk: RumpKernel;
  let server: SpServer;
  let client: Rumpclient;

  before(function () {
    needNative(this);
  });

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "rumpclient-"));
    url = `unix://${dir}/kernel`;
    host = nativeHost({ params: { _RUMPUSER_HOSTNAME: "served" } });
    rk = rump_init_sync(host, local_components());
    server = await rump_init_server(rk.k, url);
    client = await rumpclient_init(url, { comm: "tester" });
  });

  afterEach(() => {
    client.close();
    const report = rk.shutdown();
    host.close();
    rmSync(dir, { recursive: true });
    expect(report.text).to.equal("");
  });

  it("makes a socket that only its owner can open", () => {
    expect(statSync(join(dir, "kernel")).mode & 0o777).to.equal(0o600);
  });

  /** What the tools may be given: both must behave the same. */
  async function story(sys: RumpCalls): Promise<unknown[]> {
    const said: unknown[] = [];
    const [a, b] = await sys.socketpair(PF_LOCAL, SOCK_STREAM, 0);
    const buf = new Uint8Array(16);
    const waiting = sys.recvfrom(b, buf);
    said.push(
      await sys.write(a, [bytes("he"), bytes("llo")]),
      (await waiting).length,
      new TextDecoder().decode(buf.subarray(0, 5)),
    );
    const fds = [{ fd: a, events: POLLIN, revents: 0 }];
    said.push(await sys.poll(fds, 0), fds[0]?.revents);
    await sys.send(b, bytes("xyz"));
    said.push(await sys.poll(fds, 1000), fds[0]?.revents, await sys.select({ read: [a, b] }, 0));
    const parts = [new Uint8Array(2), new Uint8Array(2)];
    said.push(
      await sys.read(a, parts),
      parts.map((p) => new TextDecoder().decode(p)),
    );
    await sys.sendmsg(a, { iov: bytes("!"), control: [scm_rights([b])] });
    const msg = await sys.recvmsg(b, { iov: [new Uint8Array(4)], controllen: 64 });
    said.push(msg.length, scm_rights_fds(msg.control).length);
    said.push(await sys.getsockopt(a, 0xffff, 0x1008), (await sys.fstat(a)).st_mode);
    said.push(
      await codeOfAsync(sys.bind(99, { family: "local", path: "/x" })),
      await codeOfAsync(sys.sysctlbyname("kern.nothing")),
    );
    const l = await sys.socket(PF_LOCAL, SOCK_STREAM, 0);
    await sys.bind(l, { family: "local", path: "/name" });
    await sys.listen(l, 3);
    const c = await sys.socket(PF_LOCAL, SOCK_STREAM, 0);
    await sys.connect(c, { family: "local", path: "/name" });
    const accepted = await sys.accept(l);
    said.push(await sys.getpeername(c), accepted.address?.family);
    const d = await sys.socket(PF_LOCAL, SOCK_DGRAM, 0);
    said.push(await codeOfAsync(sys.sendto(d, bytes("?"), 0, { family: "local", path: "/nowhere" })));
    said.push(await sys.sysctlbyname("kern.hostname", "other"), await sys.sysctlbyname("kern.hostname", "served"));
    said.push((await sys.sysctl([1, 10])).length, await codeOfAsync(sys.sysctlbyname("kern.hostname", 7)));
    for (const fd of [a, b, ...scm_rights_fds(msg.control), l, c, d, accepted.fd]) await sys.close(fd);
    return said;
  }

  it("is the same rumpSys as the kernel's own", async () => {
    expect(await story(client.rumpSys)).to.deep.equal(await story(rump_calls(rk.rumpSys)));
  });

  it("makes many calls at once", async () => {
    const pids = await Promise.all(Array.from({ length: 300 }, () => client.rumpSys.getpid()));
    expect(new Set(pids)).to.deep.equal(new Set([client.pid]));
  });

  it("moves large buffers, and says so when one is too large", async () => {
    const [a, b] = await client.rumpSys.socketpair(PF_LOCAL, SOCK_STREAM, 0);
    const data = new Uint8Array(500_000).map((_, i) => i);
    const writing = client.rumpSys.write(a, data);
    const got = new Uint8Array(data.length);
    for (let at = 0; at < got.length; ) at += await client.rumpSys.read(b, got.subarray(at));
    expect(await writing).to.equal(data.length);
    expect(Buffer.compare(got, data)).to.equal(0);
    expect(await codeOfAsync(client.rumpSys.write(a, new Uint8Array(2 << 20)))).to.equal("EMSGSIZE");
    expect(await client.rumpSys.getpid()).to.equal(client.pid);
  });

  it("fails calls in flight when the kernel goes away, then connects to the next kernel there", async () => {
    const [a] = await client.rumpSys.socketpair(PF_LOCAL, SOCK_STREAM, 0);
    const waiting = codeOfAsync(client.rumpSys.read(a, new Uint8Array(1)));
    await client.rumpSys.getpid();
    server.stop();
    expect(await waiting).to.equal("ECONNRESET");
    expect(await codeOfAsync(client.rumpSys.getpid())).to.equal("ENOENT");
    client.setconnretry(5);
    const late = client.rumpSys.sysctlbyname("kern.hostname");
    server = await rump_init_server(rk.k, url);
    expect(await late).to.equal("served");
    expect(client.reconnects).to.equal(1);
    expect(await codeOfAsync(client.rumpSys.write(a, bytes("x")))).to.equal("EBADF");
  });

  it("does not take the socket of a live kernel", async () => {
    const other = nativeHost();
    const rk2 = rump_init_sync(other, local_components());
    expect(await codeOfAsync(rump_init_server(rk2.k, url))).to.equal("EADDRINUSE");
    expect(await client.rumpSys.getpid()).to.equal(client.pid);
    rk2.shutdown();
    other.close();
  });

  it("names what is wrong with a URL", async () => {
    expect(await codeOfAsync(rumpclient_init("tcp://1.2.3.4:5/"))).to.equal("EINVAL");
    expect(await codeOfAsync(rumpclient_init(""))).to.equal("EINVAL");
    expect(await codeOfAsync(rumpclient_init(`unix://${dir}/none`))).to.equal("ENOENT");
    expect(await codeOfAsync(rumpclient_init(`unix:///${"x".repeat(200)}`))).to.equal("ENAMETOOLONG");
    const impostor = createServer((s) => s.end("SSH-2.0-hello\r\n"));
    await new Promise<void>((resolve) => impostor.listen(join(dir, "ssh"), resolve));
    expect(await codeOfAsync(rumpclient_init(`unix://${dir}/ssh`))).to.equal("EPROTO");
    impostor.close();
  });

  it("reads reconnect policies as rumphijack(3) writes them", async () => {
    expect(["inftime", "once", "die", "30", undefined].map((t) => connretry_parse(t))).to.deep.equal([
      "inftime",
      "once",
      "die",
      30,
      "once",
    ]);
    for (const bad of ["0", "-1", "soon", "1.5"])
      expect(() => connretry_parse(bad), bad).to.throw("RUMPHIJACK_RETRYCONNECT");
    expect([1, 2, 10, 11].map(connretry_wait_ms)).to.deep.equal([100, 200, 1000, 10_000]);
    let tries = 0;
    let passed = 0;
    const fail = (): Promise<never> => {
      tries++;
      return Promise.reject(new Error("no"));
    };
    await connretry(2, fail, async (ms) => (passed += ms)).catch(() => undefined);
    expect([tries, passed]).to.deep.equal([6, 2100]);
  });
});
