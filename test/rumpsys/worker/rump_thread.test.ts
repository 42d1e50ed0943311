// A kernel in its own thread: calls that really block, several callers, and the end.
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect } from "chai";
import { POLLIN, POLLOUT } from "../../../kernel-components/kern/select.ts";
import { FIONREAD } from "../../../kernel-components/kern/ioccom.ts";
import {
  MSG_TRUNC,
  PF_LOCAL,
  SO_TYPE,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
} from "../../../kernel-components/socket/socket_abi.ts";
import { scm_rights, scm_rights_fds } from "../../../rumpsys/cmsgs.ts";
import type { RumpSysBlocking } from "../../../rumpsys/worker/rumpsys_blocking.ts";
import { rump_thread } from "../../../rumpsys/worker/rump_thread.ts";
import type { RumpThread } from "../../../rumpsys/worker/rump_thread.ts";
import { needNative } from "../../support/need.ts";
import { bytes, codeOf, text } from "../sim_rump.ts";

/** Another thread that runs a few lines with `sys`, a RumpSysBlocking of the channel it is given. */
function other_thread(channel: ReturnType<RumpThread["channel"]>, lines: string): Worker {
  const module = new URL("../../../rumpsys/worker/rumpsys_blocking.js", import.meta.url).href;
  const code = `const { workerData, parentPort } = require("node:worker_threads");
    import(${JSON.stringify(module)}).then(({ RumpSysBlocking }) => { const sys = new RumpSysBlocking(workerData); ${lines} });`;
  return new Worker(code, { eval: true, workerData: channel, transferList: [channel.port] });
}

describe("a kernel in its own thread", () => {
  let thread: RumpThread;
  let sys: RumpSysBlocking;
  const buf = new Uint8Array(200_000);
  before(function () {
    needNative(this);
  });
  beforeEach(async () => {
    thread = await rump_thread({ components: "local" });
    sys = thread.rumpSysBlocking;
  });
  afterEach(async () => {
    expect(await thread.shutdown()).to.equal("");
  });

  it("has the system calls of rumpSys, with results at once", () => {
    const [a, b] = sys.socketpair(PF_LOCAL, SOCK_STREAM);
    expect(sys.write(a, [bytes("he"), bytes("llo")])).to.equal(5);
    const d = new Uint8Array(4);
    sys.ioctl(b, FIONREAD, d);
    expect(d[0]).to.equal(5);
    expect(sys.poll([{ fd: b, events: POLLIN | POLLOUT }])).to.equal(1);
    const [x, y] = [new Uint8Array(2), new Uint8Array(9)];
    expect(sys.read(b, [x, y])).to.equal(5);
    expect(text(x, 2) + text(y, 3)).to.equal("hello");
    expect(sys.getsockopt(a, SOL_SOCKET, SO_TYPE)).to.equal(SOCK_STREAM);
    expect(sys.poll([{ fd: b, events: POLLIN }], 10)).to.equal(0);
    expect(sys.select({ write: [a] }, 0).write).to.deep.equal([a]);
    expect(sys.sysctlbyname("kern.somaxconn")).to.equal(128);
    sys.close(a);
    expect(sys.read(b, y)).to.equal(0);
  });

  it("carries addresses, control messages and flags", () => {
    const s = sys.socket(PF_LOCAL, SOCK_DGRAM);
    const c = sys.socket(PF_LOCAL, SOCK_DGRAM);
    sys.bind(s, { family: "local", path: "/s" });
    sys.bind(c, { family: "local", path: "/c" });
    sys.sendmsg(c, { name: { family: "local", path: "/s" }, iov: bytes("123456"), control: [scm_rights([c])] });
    const got = sys.recvmsg(s, { iov: buf.subarray(0, 3), controllen: 100 });
    expect([got.length, got.flags, got.name]).to.deep.equal([3, MSG_TRUNC, { family: "local", path: "/c" }]);
    expect(sys.getsockname(scm_rights_fds(got.control)[0] as number)).to.deep.equal({ family: "local", path: "/c" });
  });

  it("errors are those of rumpSys", () => {
    expect(() => sys.bind(3, { family: "local", path: "/x" })).to.throw("bind EBADF /x");
    expect(codeOf(() => sys.socket(77, 1))).to.equal("EAFNOSUPPORT");
    expect(codeOf(() => sys.open("/dev/none", 0))).to.equal("ENOENT");
  });

  it("a call blocks its thread until another thread has done its part", async () => {
    const [a, b] = sys.socketpair(PF_LOCAL, SOCK_STREAM);
    const writer = other_thread(
      thread.channel(),
      `setTimeout(() => { sys.write(${a}, new Uint8Array(150_000).fill(7)); sys.close(${a}); }, 30)`,
    );
    let n = 0;
    for (let got = sys.read(b, buf); got > 0; got = sys.read(b, buf)) n += got;
    expect(n).to.equal(150_000);
    await once(writer, "exit");
  });

  it("a thread with a process of its own leaves nothing behind when it is gone", async () => {
    const channel = thread.channel(true);
    const w = other_thread(
      channel,
      `sys.socket(${PF_LOCAL}, ${SOCK_STREAM}); parentPort.postMessage(sys.getpid()); setInterval(() => 0, 1000)`,
    );
    const [pid] = (await once(w, "message")) as [number];
    expect(pid).to.not.equal(sys.getpid());
    expect(sys.sysctlbyname("kern.nsockets")).to.equal(1);
    await w.terminate();
    for (let i = 0; i < 200 && sys.sysctlbyname("kern.nsockets") !== 0; i++) sys.poll([], 5);
    expect(sys.sysctlbyname("kern.nsockets")).to.equal(0);
  });
});

describe("the end of a kernel's thread", () => {
  it("ends calls that block in other threads with EINTR", async function () {
    needNative(this);
    const thread = await rump_thread({ components: "local" });
    const [, b] = thread.rumpSysBlocking.socketpair(PF_LOCAL, SOCK_STREAM);
    const w = other_thread(
      thread.channel(),
      `parentPort.postMessage("go"); try { sys.read(${b}, new Uint8Array(1)) } catch (e) { parentPort.postMessage(e.code) }`,
    );
    await once(w, "message");
    await new Promise((resolve) => setTimeout(resolve, 20));
    const ended = once(w, "message");
    expect(await thread.shutdown()).to.equal("");
    expect((await ended)[0]).to.equal("EINTR");
    expect(() => thread.rumpSysBlocking.getpid()).to.throw("getpid EINTR");
    await w.terminate();
  });

  it("a setup module that fails is told to who starts the kernel", async function () {
    needNative(this);
    const error = await rump_thread({
      components: "local",
      setup: "data:text/javascript,export function main(){throw new Error('no bus')}",
    }).catch((e: unknown) => e);
    expect((error as Error).message).to.contain("no bus");
  });
});
