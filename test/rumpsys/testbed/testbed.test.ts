// One testbed test on three kinds of host; and what only one of them has.
import { expect } from "chai";
import { startTestbed } from "../../../rumpsys/testbed/testbed.ts";
import { TestbedError } from "../../../rumpsys/testbed/testbed_error.ts";
import { needNative } from "../../support/need.ts";
import { running, stop_clean, testbed_cases } from "./testbed_cases.ts";

describe("testbed", function () {
  this.timeout(30_000);

  describe("simulation", () => {
    testbed_cases("sim");

    it("the same seed gives the same run, another seed another one", async () => {
      const story = async (seed: number): Promise<string> => {
        const tb = await startTestbed(
          { nodes: { a: {}, r: { forward: true }, b: {} }, links: ["a -- r", "r -- b"] },
          { mode: "sim", seed },
        );
        const events: string[] = [];
        if (tb.world !== null) tb.world.log = (now, target, arg) => events.push(`${now} ${target} ${arg}`);
        const ping = await tb.ping("a", "b", { count: 5, interval_ms: 10 });
        const lladdr = (await tb.run(tb.node("a").interfaces())).map((i) => i.lladdr);
        await stop_clean(tb);
        return JSON.stringify([events, ping, lladdr]);
      };
      const first = await story(7);
      expect(await story(7)).to.equal(first);
      expect(await story(8)).to.not.equal(first);
    });
  });

  describe("kernels of one process", () => {
    before(function () {
      needNative(this);
    });
    testbed_cases("inproc");
  });

  describe("a process each", () => {
    before(function () {
      needNative(this);
    });
    testbed_cases("process");

    it("names the node and the step that fail, and takes the others back", async () => {
      const tap = { name: "rumpkit-nonsense", address: "10.8.0.2", prefixlen: 24 };
      const failed = await startTestbed({
        nodes: { a: {}, b: { tap: { ...tap, name: "x".repeat(16) } } },
        links: ["a -- b"],
      }).catch((e: Error) => e);
      expect(failed).to.be.instanceOf(TestbedError);
      expect((failed as Error).message).to.match(/node b: "x+" is no interface name/);
      // "lo" is there already and is no tap
      const taken = await startTestbed({
        nodes: { a: {}, b: { tap: { ...tap, name: "lo" } } },
        links: ["a -- b"],
      }).catch((e: Error) => e);
      expect(taken).to.be.instanceOf(TestbedError);
      expect((taken as Error).message).to.match(/^node b: virt0 linkstr lo: E/);
    });

    it("tells of a process that somebody else has killed", async () => {
      const tb = await startTestbed({ nodes: { a: {}, b: {} }, links: ["a -- b"] });
      try {
        process.kill(tb.pid("a"), "SIGKILL");
        expect((await tb.broken).message).to.equal("node a: its process has ended (SIGKILL)");
        expect(running(tb.pid("a"))).to.equal(false);
        const why = await tb.ping("a", "b").catch((error: Error) => error.message);
        expect(why).to.equal("node a: its process has ended (SIGKILL)");
      } finally {
        await stop_clean(tb);
      }
    });
  });

  it("refuses a mode that does not exist, a tap in a simulation", async () => {
    const refused = async (work: Promise<unknown>): Promise<string> =>
      work.then(
        () => "",
        (error: Error) => error.message,
      );
    expect(await refused(startTestbed({ nodes: { a: {} }, links: [] }, { mode: "docker" as "sim" }))).to.match(
      /mode is "docker": one of sim, inproc, process/,
    );
    const tap = { name: "t0", address: "10.8.0.2", prefixlen: 24 };
    expect(await refused(startTestbed({ nodes: { a: { tap } }, links: [] }, { mode: "sim" }))).to.match(
      /node a: a simulation has no host/,
    );
  });
});
