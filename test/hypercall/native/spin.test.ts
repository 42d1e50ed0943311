// RUMP_SPIN_US: the thread looks for more work for a while before it sleeps, and no longer.
import { expect } from "chai";
import { nativeHost } from "../../../hypercall/native/native_host.ts";
import { NativeProcess } from "../../../hypercall/native/native_process.ts";
import { slab_create } from "../../../hypercall/slab/slab.ts";
import { needNative } from "../../support/need.ts";

describe("native host: RUMP_SPIN_US", () => {
  before(function () {
    needNative(this);
  });

  function spinner(RUMP_SPIN_US: string): NativeProcess {
    const process = new NativeProcess(slab_create(1 << 20));
    nativeHost({ process, params: { RUMP_SPIN_US } }).close();
    return process;
  }

  /** Milliseconds that the event loop has slept until `spinning` ended, at least 20. */
  async function slept(process: NativeProcess): Promise<number> {
    const before = performance.eventLoopUtilization();
    const end = performance.now() + 20;
    while (process.spinning || performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 1));
    return performance.eventLoopUtilization(before).idle;
  }

  it("keeps the event loop awake for that long after kernel code has run, then lets it sleep", async () => {
    const process = spinner("30000");
    process.entry(() => undefined);
    expect(process.spinning).to.equal(true);
    expect(await slept(process)).to.be.lessThan(5);
    expect(process.spinning).to.equal(false);
    expect(await slept(process)).to.be.greaterThan(5);
  });

  it("does not spin unless asked to, and refuses what is no time", () => {
    const process = spinner("0");
    process.entry(() => undefined);
    expect(process.spinning).to.equal(false);
    for (const bad of ["-1", "1ms", "100001", "1e3"])
      expect(() => spinner(bad)).to.throw(RangeError, `RUMP_SPIN_US=${bad}`);
  });
});
