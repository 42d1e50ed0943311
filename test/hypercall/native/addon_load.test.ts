import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { expect } from "chai";
import { ADDON_ENV, ADDON_INTERFACE, addonPlaces, loadFrom, NativeHostError } from "../../../hypercall/native/addon.ts";
import { needNative } from "../../support/need.ts";

describe("loading the addon", () => {
  it("looks only where RUMPKIT_ADDON says", () => {
    expect(addonPlaces({ [ADDON_ENV]: "/x/y.node" })).to.deep.equal(["/x/y.node"]);
    expect(addonPlaces({}).length).to.be.greaterThan(1);
  });

  it("names the platform, every place and the cure when there is none", () => {
    expect(() => loadFrom(["/nowhere/rumpuser.node"])).to.throw(
      NativeHostError,
      /linux-.*Node v[\s\S]*\/nowhere\/rumpuser\.node: not there[\s\S]*apt-get install g\+\+ make python3 && npm run build/,
    );
  });

  it("reports a file that is no addon and goes on to the next place", () => {
    const dir = mkdtempSync(join(tmpdir(), "rumpkit-addon-"));
    try {
      const bad = join(dir, "bad.node");
      writeFileSync(bad, "not a shared object");
      expect(() => loadFrom([bad])).to.throw(NativeHostError, bad);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it("refuses an addon built from other sources, and says what to do", () => {
    const dir = mkdtempSync(join(tmpdir(), "rumpkit-addon-"));
    try {
      const old = join(dir, "old.cjs");
      writeFileSync(old, "exports.clock_monotonic = () => 0;");
      expect(() => loadFrom([old])).to.throw(NativeHostError, /old\.cjs: built from other sources[^]*npm run build/);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it("has the calls of its interface's number: who changes them raises the number here, in addon.ts and in rumpuser.h", function () {
    needNative(this);
    const names = Object.keys(loadFrom(addonPlaces(process.env)))
      .sort()
      .join(" ");
    expect([ADDON_INTERFACE, createHash("sha256").update(names).digest("hex").slice(0, 16)]).to.deep.equal([
      1,
      "59a78c2b449844a4",
    ]);
  });

  it("lets a worker end with a timer armed and a socket watched", async function () {
    needNative(this);
    const place = addonPlaces(process.env).find((p) => !loads(p)) ?? "";
    const code = `
      const a = require(${JSON.stringify(place)});
      a.slab_register(new Int32Array(16));
      const t = a.timer_open(() => {});
      a.watch_ref(t, 1);
      a.timer_arm(t, a.clock_monotonic() + 1e12);
      const p = a.poll_open(a.kick_open("rumpkit-test-" + process.pid), () => {}, true);
      a.poll_start(p, 1);
      require("node:worker_threads").parentPort.postMessage("ready");`;
    const worker = new Worker(code, { eval: true });
    await new Promise((ready) => worker.once("message", ready));
    expect(await worker.terminate()).to.equal(1);
  });
});

/** Why a place does not load; "" when it does. */
function loads(place: string): string {
  try {
    loadFrom([place]);
    return "";
  } catch (error) {
    return String(error);
  }
}
