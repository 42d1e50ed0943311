// The testbed test: one list of cases, run on the sim host, on kernels that share this process, and on real processes.
import { readFileSync, readdirSync } from "node:fs";
import { expect } from "chai";
import type { TestbedMode } from "../../../rumpsys/testbed/spec.ts";
import { TestbedError } from "../../../rumpsys/testbed/testbed_error.ts";
import { type Testbed, startTestbed } from "../../../rumpsys/testbed/testbed.ts";

/** Every process that a testbed had. */
function pids(tb: Testbed): number[] {
  return tb.plan.nodes.map((n) => tb.pid(n.name)).filter((pid) => pid !== 0);
}

/** Whether a process runs. One that has ended and that its foster parent has not looked at yet does not. */
export function running(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** Files of this process by what they are: testbeds must not leave any. */
export function open_files(): number {
  return readdirSync("/proc/self/fd").length;
}

/** Stops a testbed; every kernel must have given everything back, and nothing may be left. */
export async function stop_clean(tb: Testbed): Promise<void> {
  const had = pids(tb);
  expect(await tb.stop()).to.deep.equal([]);
  expect(had.filter(running), "processes left").to.deep.equal([]);
}

/** The cases, in one mode. */
export function testbed_cases(mode: TestbedMode): void {
  const chain = (): Promise<Testbed<"a" | "r" | "b">> =>
    startTestbed({ nodes: { a: {}, r: { forward: true }, b: {} }, links: ["a -- r", "r -- b"] }, { mode });

  describe("a -- r -- b", () => {
    let tb: Testbed<"a" | "r" | "b">;
    before(async () => {
      tb = await chain();
    });
    after(() => stop_clean(tb));

    it("pings through the router: one hop off the time to live", async () => {
      const ping = await tb.ping("a", "b", { count: 3, timeout_ms: 5000 });
      expect(ping).to.include({ sent: 3, received: 3, lost: 0, ttl: 254 });
      expect(ping.rtt_us.min).to.be.greaterThan(0);
      expect(ping.rtt_us.max).to.be.at.least(ping.rtt_us.p50);
    });

    it("fragments what is larger than a link, both ways", async () => {
      const ping = await tb.ping("b", "a", { count: 2, size: 20_000, timeout_ms: 5000 });
      expect(ping).to.include({ received: 2, ttl: 254 });
    });

    it("echoes UDP, one at a time and many at once", async () => {
      await tb.node("b").echo_server(7);
      expect(await tb.echo("a", "b", { count: 100, timeout_ms: 5000 })).to.include({
        sent: 100,
        received: 100,
        lost: 0,
        ttl: 63,
      });
      const many = await tb.echo("a", "b", { count: 500, window: 16, size: 1000, timeout_ms: 5000 });
      expect(many).to.include({ sent: 500, received: 500, lost: 0 });
      expect(many.pps).to.be.greaterThan(0);
    });

    it("says so when nobody listens", async () => {
      const refused = await tb.echo("a", "r", { port: 9, count: 1 }).catch((error: Error) => error);
      expect(refused).to.be.instanceOf(Error);
      expect((refused as Error).message).to.match(/ECONNREFUSED/);
    });

    it("finds the path", async () => {
      const hops = await tb.traceroute("a", "b", { timeout_ms: 5000 });
      expect(hops.map((h) => h.address)).to.deep.equal(["10.0.1.1", "10.0.2.2"]);
    });

    it("reports a time to live that is too short", async () => {
      const ping = await tb.ping("a", "b", { ttl: 1, timeout_ms: 200 });
      expect(ping.lost).to.equal(1);
      expect(ping.errors).to.deep.equal(["11/0 from 10.0.1.1"]);
    });

    it("tells neighbours, interfaces and counters", async () => {
      const arp = await tb.run(tb.node("r").arp());
      const interfaces = await tb.run(tb.node("a").interfaces());
      const a = interfaces.find((i) => i.ifname === "shmif0");
      expect(arp.find((e) => e.address === "10.0.1.2")).to.deep.equal({
        address: "10.0.1.2",
        lladdr: a?.lladdr,
        ifname: "shmif0",
      });
      expect(a).to.include({ ierrors: 0, oerrors: 0, iqdrops: 0 });
      const { counters } = await tb.run(tb.node("r").stats());
      expect(counters["ip.forward"]).to.be.greaterThan(1000);
    });

    it("does not forward when told not to", async () => {
      await tb.run(tb.node("r").sysctl("net.inet.ip.forwarding", 0));
      expect((await tb.ping("a", "b", { timeout_ms: 100 })).received).to.equal(0);
      await tb.run(tb.node("r").sysctl("net.inet.ip.forwarding", 1));
      expect((await tb.ping("a", "b", { timeout_ms: 5000 })).received).to.equal(1);
    });

    it("refuses requests that make no sense, by name", async () => {
      const why = async (work: Promise<unknown>): Promise<string> =>
        work.then(
          () => "",
          (error: Error) => error.message,
        );
      expect(await why(tb.ping("a", "b", { count: 0 }))).to.match(/count is 0/);
      expect(await why(tb.ping("a", "b", { size: 70_000 }))).to.match(/size is 70000/);
      expect(await why(tb.echo("a", "b", {}))).to.match(/count or duration_ms/);
      expect(await why(tb.run(tb.node("a").ping({ address: "10.0.0" })))).to.match(/10\.0\.0.*not an IPv4 address/);
      expect(await why(tb.run(tb.node("a").sysctl("net.inet.ip.forwardin")))).to.match(/ENOENT/);
      expect(() => tb.node("x" as "a")).to.throw(TestbedError, /there is no node "x"; nodes are a, r, b/);
    });
  });

  it("joins five nodes on a LAN, with a smaller MTU elsewhere", async () => {
    const tb = await startTestbed(
      {
        nodes: { n1: {}, n2: {}, n3: {}, gw: { forward: true }, far: {} },
        links: [
          { ends: ["n1", "n2", "n3", "gw"], name: "office" },
          { ends: ["gw", "far"], mtu: 600 },
        ],
      },
      { mode },
    );
    try {
      const pings = await Promise.all([
        tb.ping("n1", "n3", { timeout_ms: 5000 }),
        tb.ping("n2", "far", { size: 1400, timeout_ms: 5000 }),
      ]);
      expect(pings.map((p) => [p.received, p.ttl])).to.deep.equal([
        [1, 255],
        [1, 254],
      ]);
    } finally {
      await stop_clean(tb);
    }
  });

  it("stops in mid-work without a leak, and twice", async () => {
    const tb = await chain();
    await tb.node("b").echo_server(7);
    const work = tb
      .node("a")
      .echo({ address: "10.0.2.2", duration_ms: 60_000, window: 8 })
      .catch((error: Error) => error);
    await tb.sleep(mode === "sim" ? 1 : 50);
    await stop_clean(tb);
    expect(await work).to.be.instanceOf(Error);
    expect(await tb.stop()).to.deep.equal([]);
  });

  it("ends with its scope, also on a throw", async () => {
    const before = open_files();
    let had: number[] = [];
    const thrown = await (async () => {
      await using tb = await chain();
      had = pids(tb);
      throw new Error("as planned");
    })().catch((error: Error) => error.message);
    expect(thrown).to.equal("as planned");
    expect(had.filter(running)).to.deep.equal([]);
    if (mode === "process") expect(open_files()).to.equal(before);
  });

  if (mode === "inproc") return;

  it("a killed router stops the traffic only until it is back with its configuration", async () => {
    const tb = await chain();
    try {
      expect((await tb.ping("a", "b", { timeout_ms: 5000 })).received).to.equal(1);
      await tb.kill("r");
      expect(tb.alive("r")).to.equal(false);
      expect((await tb.ping("a", "b", { timeout_ms: 100 })).received).to.equal(0);
      const dead = await tb.run(tb.node("a").stats());
      expect(dead.counters["ip.total"]).to.be.greaterThan(0);
      await tb.restart("r");
      expect((await tb.ping("a", "b", { count: 3, timeout_ms: 2000 })).received).to.be.greaterThan(0);
      expect((await tb.ping("b", "a", { count: 3, timeout_ms: 2000 })).received).to.be.greaterThan(0);
    } finally {
      await stop_clean(tb);
    }
  });
}
