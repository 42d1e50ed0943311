// A Node program ends when nothing is left that could happen. A call of it with a timeout is something that will.
import { expect } from "chai";
import { HostChild } from "../hypercall/native/child.ts";
import { needNative } from "../support/need.ts";

const INIT: string = new URL("../../rumpsys/rump_init.js", import.meta.url).href;

describe("a native process", () => {
  it("stays for a call that waits with a timeout, and ends when nobody waits any more", async function () {
    needNative(this);
    const child = new HostChild(`
      import { rump_init_sync } from ${JSON.stringify(INIT)};
      const sys = rump_init_sync(host).rumpSys;
      const s = sys.socket(2, 2);
      const fds = [{ fd: s, events: 1, revents: 0 }];
      say("poll " + (await sys.poll(fds, 50)));
      const tv = new Uint8Array(16);
      tv[8] = 0x50; tv[9] = 0xc3; // 50,000 us
      sys.setsockopt(s, 0xffff, 0x100c, tv);
      say("recv " + (await sys.recv(s, new Uint8Array(1)).catch((e) => e.code)));`);
    const ended = new Promise<number | null>((exit) => child.process.once("exit", exit));
    expect(await child.hears("poll")).to.equal("poll 0");
    expect(await child.hears("recv")).to.equal("recv EAGAIN");
    expect(await ended).to.equal(0);
  });

  it("does not stay for the kernel's own timers", async function () {
    needNative(this);
    const child = new HostChild(`
      import { rump_init_sync } from ${JSON.stringify(INIT)};
      const sys = rump_init_sync(host).rumpSys;
      sys.recv(sys.socket(2, 2), new Uint8Array(1));
      say("idle");`);
    const ended = new Promise<number | null>((exit) => child.process.once("exit", exit));
    await child.hears("idle");
    expect(await ended).to.equal(0);
  });
});
