import { spawn } from "node:child_process";
import { constants } from "node:os";
import { expect } from "chai";
import { EINVAL, ESRCH } from "../../../hypercall/api/errno.ts";
import { DAEMON_ENV, daemonize } from "../../../hypercall/native/daemonize.ts";
import { NativeExit, sigtrans } from "../../../hypercall/native/exit.ts";
import { nativeHost } from "../../../hypercall/native/native_host.ts";
import { NativeParam } from "../../../hypercall/native/params.ts";
import { needNative } from "../../support/need.ts";

const DAEMONIZE: string = new URL("../../../hypercall/native/daemonize.js", import.meta.url).href;

describe("native process group", () => {
  it("translates signals by name: USR1 is 30 there and 10 here", () => {
    expect(sigtrans(30)).to.equal(constants.signals.SIGUSR1);
    expect(sigtrans(9)).to.equal(constants.signals.SIGKILL);
    expect(sigtrans(20)).to.equal(constants.signals.SIGCHLD);
    expect([sigtrans(7), sigtrans(29), sigtrans(33), sigtrans(-1)]).to.deep.equal([-1, -1, -1, -1]);
  });

  it("sends a signal in NetBSD's number to another process", async () => {
    // Not Node: it takes SIGUSR1 for a wish to be debugged.
    const child = spawn("sleep", ["1000"]);
    const ended = new Promise((exit) => child.once("exit", (_code, signal) => exit(signal)));
    await new Promise((started) => child.once("spawn", started));
    const exit = new NativeExit();
    expect(exit.rumpuser_kill(child.pid ?? -1, 30)).to.equal(0);
    expect(await ended).to.equal("SIGUSR1");
    expect(exit.rumpuser_kill(child.pid ?? -1, 30)).to.equal(ESRCH);
    expect(exit.rumpuser_kill(process.pid, 77)).to.equal(EINVAL);
  });

  it("prefers given parameters to the environment, and has one CPU whatever they say", () => {
    const param = new NativeParam({ A: "given", _RUMPUSER_NCPU: "8" }, { A: "env", B: "env", C: undefined });
    expect(["A", "B", "C", "_RUMPUSER_NCPU"].map((name) => param.rumpuser_getparam(name))).to.deep.equal([
      "given",
      "env",
      null,
      "1",
    ]);
  });

  it("refuses a memory limit that is no size", function () {
    needNative(this);
    expect(() => nativeHost({ params: { RUMP_MEMLIMIT: "lots" } })).to.throw(RangeError, /RUMP_MEMLIMIT=lots.*64m/);
  });

  const boot = (body: string): readonly string[] => [
    "--input-type=module",
    "-e",
    `import { NativeDaemon } from ${JSON.stringify(DAEMONIZE)}; const d = new NativeDaemon(); ${body}`,
  ];

  it("waits for the boot of a background process and passes its outcome on", async () => {
    const up = await daemonize(
      boot("d.rumpuser_daemonize_begin(); d.rumpuser_daemonize_done(0); setInterval(() => {}, 1000);"),
      {},
    );
    expect([up.error, up.status]).to.deep.equal([0, null]);
    process.kill(up.pid, 0);
    process.kill(up.pid, "SIGKILL");
    const failed = await daemonize(boot("d.rumpuser_daemonize_begin(); d.rumpuser_daemonize_done(48);"), {});
    expect(failed.error).to.equal(48);
    const died = await daemonize(boot("d.rumpuser_daemonize_begin(); process.exit(3);"), {});
    expect([died.error, died.status]).to.deep.equal([null, 3]);
    const twice = "process.exit(d.rumpuser_daemonize_begin() === 0 && d.rumpuser_daemonize_begin() === 37 ? 7 : 8)";
    expect((await daemonize(boot(twice), {})).status).to.equal(7);
  });

  it("does not hand the waiting parent on to grandchildren", async () => {
    const body = `d.rumpuser_daemonize_begin(); process.exit(process.env.${DAEMON_ENV} === undefined ? 5 : 6);`;
    expect((await daemonize(boot(body), {})).status).to.equal(5);
  });
});
