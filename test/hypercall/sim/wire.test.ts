import { expect } from "chai";
import type { SimWorld } from "../../../hypercall/sim/sim_world.ts";
import { simWorld } from "../../../hypercall/sim/sim_world.ts";
import type { WireSettings } from "../../../hypercall/sim/wire_settings.ts";
import {
  WD_CLOSED,
  WD_COUNT,
  WD_DOWN,
  WD_GEMODEL,
  WD_LOSS,
  WD_NOBODY,
  WD_NOMEM,
  WD_QUEUE,
  WD_RXQUEUE,
} from "../../../hypercall/sim/wire_stat.ts";
import { number_of, numbered, TestDriver } from "./wire_kit.ts";

const SLAB = 8 * 1024 * 1024;

interface Pair {
  w: SimWorld;
  a: TestDriver;
  b: TestDriver;
}

function pair(settings: WireSettings, seed: number = 7): Pair {
  const w = simWorld({ seed, slabBytes: SLAB });
  w.wire("net", settings);
  return { w, a: new TestDriver(w.host("a"), "net"), b: new TestDriver(w.host("b"), "net") };
}

/** Send `n` numbered frames, one every `gap` ns, and let all arrive. */
function flood(p: Pair, n: number, gap: number, len: number = 64): void {
  for (let i = 0; i < n; i++) {
    p.a.send(numbered(i, len));
    p.w.advance(gap);
  }
  p.w.advance(10e9);
}

/** Nothing on the way, every frame accounted for once, no buffer held. */
function balanced(p: Pair): void {
  const wire = p.w.wire("net");
  const drops = wire.drops.reduce((x, y) => x + y, 0);
  expect(wire.in_flight, wire.report()).to.equal(0);
  expect(wire.received + drops, wire.report()).to.equal(wire.sent + wire.duplicated);
  expect(p.w.frames.in_use).to.equal(0);
}

/** Whether `k` of `n` events of probability `p` lie in the interval that 99.9 % of runs fall into (normal approximation, z = 3.29). */
function plausible(k: number, n: number, p: number): boolean {
  return Math.abs(k - n * p) <= 3.29 * Math.sqrt(n * p * (1 - p)) + 0.5;
}

describe("SimWire", () => {
  it("carries the bytes of a frame of any size to 67584 unchanged, after exactly the delay", () => {
    const p = pair({ delay_ns: 12_345 });
    for (const len of [0, 1, 60, 1514, 2047, 2048, 2049, 9018, 65_549, 67_584]) {
      const frame = new Uint8Array(len).map((_, i) => i * 31 + len);
      const sent_at = p.w.now_ns;
      p.a.send(frame);
      p.w.advance(1e6);
      const got = p.b.got.pop();
      expect(got?.data, String(len)).to.deep.equal(frame);
      expect(got?.at).to.equal(sent_at + 12_345);
    }
    p.a.send(new Uint8Array(67_585));
    p.w.advance(1e6);
    expect(p.w.wire("net").drops[WD_NOMEM]).to.equal(1);
    balanced(p);
  });

  it("keeps the order of a batch and wakes the receiver once for frames that wait", () => {
    const p = pair({});
    p.b.reading = false;
    p.a.send(...Array.from({ length: 100 }, (_, i) => numbered(i)));
    p.w.advance(1e6);
    expect(p.b.rx_ready).to.equal(1);
    p.b.reading = true;
    p.b.read();
    expect(p.b.got.map((g) => number_of(g.data))).to.deep.equal(Array.from({ length: 100 }, (_, i) => i));
    p.a.send(numbered(1000));
    p.w.advance(1e6);
    expect(p.b.rx_ready).to.equal(2);
    balanced(p);
  });

  it("is a hub when it has more than two ends", () => {
    const p = pair({});
    const c = new TestDriver(p.w.host("c"), "net");
    const heard: number[] = [];
    const d = p.w.end("net", "script", (bytes) => heard.push(number_of(bytes)));
    p.b.send(numbered(5));
    p.w.advance(1e6);
    expect([p.a.got.length, p.b.got.length, c.got.length, heard.length]).to.deep.equal([1, 0, 1, 1]);
    d.send(numbered(6));
    p.w.advance(1e6);
    expect([p.a.got.length, p.b.got.length, c.got.length, heard.length]).to.deep.equal([2, 1, 2, 1]);
  });

  for (const loss of [0.001, 0.05, 0.5])
    it(`loses ${loss * 100} % of frames, within the 99.9 % interval`, () => {
      const p = pair({ loss });
      flood(p, 20_000, 100);
      expect(plausible(p.w.wire("net").drops[WD_LOSS]!, 20_000, loss), p.w.wire("net").report()).to.equal(true);
      balanced(p);
    });

  it("loses in bursts with gemodel: share and mean length as the model says", () => {
    const p = pair({ gemodel: { p: 0.02, r: 0.2 } });
    flood(p, 40_000, 100);
    const lost = p.w.wire("net").drops[WD_GEMODEL]!;
    expect(lost / 40_000).to.be.closeTo(0.02 / 0.22, 0.012);
    let bursts = 0;
    let last = -1;
    for (const g of p.b.got) {
      if (number_of(g.data) !== last + 1) bursts++;
      last = number_of(g.data);
    }
    expect(lost / bursts).to.be.closeTo(1 / 0.2, 0.6);
    balanced(p);
  });

  it("duplicates and corrupts: exactly one bit, at the given rates, never the sender's or another receiver's copy", () => {
    const p = pair({ duplicate: 0.1, corrupt: 0.2 });
    const c = new TestDriver(p.w.host("c"), "net");
    flood(p, 5000, 100);
    const wire = p.w.wire("net");
    expect(plausible(wire.duplicated, 10_000, 0.1)).to.equal(true);
    expect(plausible(wire.corrupted, 10_000 + wire.duplicated, 0.2)).to.equal(true);
    let wrong = 0;
    for (const got of [...p.b.got, ...c.got]) {
      const number = number_of(got.data);
      const distance = [number, ...Array.from({ length: 32 }, (_, i) => (number ^ (1 << i)) >>> 0)]
        .map((n) => numbered(n).reduce((d, byte, i) => d + bits(byte ^ got.data[i]!), 0))
        .reduce((x, y) => Math.min(x, y));
      expect(distance).to.be.at.most(1);
      wrong += distance;
    }
    expect(wrong).to.equal(wire.corrupted);
    expect(wire.received).to.equal(wire.sent * 2 + wire.duplicated);
  });

  it("spreads arrivals by the jitter, uniform, normal and Pareto, and never before they are sent", () => {
    for (const dist of ["uniform", "normal", "pareto"] as const) {
      const p = pair({ delay_ns: 1_000_000, jitter_ns: 100_000, dist });
      const start = p.w.now_ns;
      flood(p, 4000, 10_000);
      const delays = p.b.got.map((g) => g.at - start - number_of(g.data) * 10_000);
      const mean = delays.reduce((x, y) => x + y) / delays.length;
      const deviation = Math.sqrt(delays.reduce((x, y) => x + (y - mean) ** 2, 0) / delays.length);
      expect(mean, dist).to.be.closeTo(1_000_000, 15_000);
      expect(deviation, dist).to.be.closeTo(dist === "uniform" ? 57_735 : 100_000, dist === "pareto" ? 60_000 : 5000);
      if (dist === "uniform") expect(Math.max(...delays) - Math.min(...delays)).to.be.within(190_000, 200_000);
      expect(Math.min(...delays)).to.be.above(0);
      balanced(p);
    }
  });

  it("holds frames back with reorder, so that later ones overtake", () => {
    const p = pair({ reorder: 0.1, reorder_ns: 5000 });
    flood(p, 5000, 1000);
    expect(plausible(p.w.wire("net").reordered, 5000, 0.1)).to.equal(true);
    let late = 0;
    let highest = -1;
    for (const g of p.b.got) {
      if (number_of(g.data) < highest) late++;
      highest = Math.max(highest, number_of(g.data));
    }
    expect(late).to.be.closeTo(p.w.wire("net").reordered, 5);
    balanced(p);
  });

  it("passes no more than the rate, after a burst, and queues what fits", () => {
    const p = pair({ rate_bps: 8_000_000, burst_bytes: 3000, queue_packets: 10, delay_ns: 0 });
    const start = p.w.now_ns;
    p.a.send(...Array.from({ length: 20 }, (_, i) => numbered(i, 1000)));
    p.w.advance(1e9);
    expect(p.b.got.map((g) => g.at - start)).to.deep.equal([
      0,
      0,
      0,
      ...Array.from({ length: 10 }, (_, i) => (i + 1) * 1e6),
    ]);
    expect(p.w.wire("net").drops[WD_QUEUE]).to.equal(7);
    balanced(p);
  });

  it("limits the queue in bytes too, and refills the bucket while idle", () => {
    const p = pair({ rate_bps: 8_000_000, queue_bytes: 2500, delay_ns: 0 });
    for (const turn of [1, 2]) {
      p.a.send(...Array.from({ length: 5 }, (_, i) => numbered(i, 1000)));
      p.w.advance(1e9);
      expect(p.b.got.length).to.equal(2 * turn);
    }
    balanced(p);
  });

  it("makes the driver wait instead, with backpressure", () => {
    const p = pair({ rate_bps: 8_000_000, queue_packets: 2, backpressure: true });
    const frames = Array.from({ length: 5 }, (_, i) => numbered(i, 1000));
    expect(p.a.send(...frames)).to.equal(2);
    expect(p.a.tx_ready).to.equal(0);
    p.w.advance(999_999);
    expect(p.a.tx_ready).to.equal(0);
    p.w.advance(1);
    expect(p.a.tx_ready).to.equal(1);
    expect(p.a.send(...frames.slice(2))).to.equal(1);
    p.w.advance(1e9);
    expect(p.b.got.length).to.equal(3);
    expect(p.w.wire("net").drops.reduce((x, y) => x + y)).to.equal(0);
  });

  it("takes settings for one direction and changes them at run time", () => {
    const p = pair({ delay_ns: 10 });
    p.w.wire("net").set_from("a", { loss: 1 });
    p.a.send(numbered(1));
    p.b.send(numbered(2));
    p.w.advance(100);
    expect([p.a.got.length, p.b.got.length]).to.deep.equal([1, 0]);
    p.w.wire("net", { loss: 0, delay_ns: 50 });
    p.a.send(numbered(3));
    p.w.advance(49);
    expect(p.b.got.length).to.equal(0);
    p.w.advance(1);
    expect(p.b.got.length).to.equal(1);
  });

  it("loses what is on the way when it is cut, tells both ends, and works again when it is mended", () => {
    const p = pair({ delay_ns: 1000 });
    p.a.send(numbered(1));
    p.w.advance(500);
    p.w.wire("net").set_up(false);
    p.w.advance(10);
    p.a.send(numbered(2));
    p.w.wire("net").set_up(true);
    p.w.advance(10_000);
    expect(p.b.got.length).to.equal(0);
    expect(p.w.wire("net").drops[WD_DOWN]).to.equal(2);
    expect([p.a.links, p.b.links]).to.deep.equal([
      [false, true],
      [false, true],
    ]);
    p.a.send(numbered(3));
    p.w.advance(10_000);
    expect(p.b.got.length).to.equal(1);
    p.w.wire("net").set_up(false, "b");
    p.a.send(numbered(4));
    p.w.advance(10_000);
    expect(p.b.got.length).to.equal(1);
    expect(p.b.links).to.deep.equal([false, true, false]);
    expect(p.a.links).to.deep.equal([false, true]);
    balanced(p);
  });

  it("counts frames under one reason each: nobody there, receiver gone, unread too long", () => {
    const w = simWorld({ slabBytes: SLAB });
    w.wire("net", { rx_queue_packets: 3 });
    const a = new TestDriver(w.host("a"), "net");
    a.send(numbered(0));
    const b = new TestDriver(w.host("b"), "net");
    b.reading = false;
    a.send(...Array.from({ length: 5 }, (_, i) => numbered(i)));
    w.advance(1e6);
    a.send(numbered(9));
    w.kill(w.host("b"));
    w.advance(1e6);
    const want = new Float64Array(WD_COUNT);
    want[WD_NOBODY] = 1;
    want[WD_RXQUEUE] = 2;
    want[WD_CLOSED] = 4;
    expect(w.wire("net").drops).to.deep.equal(want);
    expect(w.frames.in_use).to.equal(0);
  });

  it("refuses settings that make no sense, naming wire and setting", () => {
    const w = simWorld({ slabBytes: SLAB });
    expect(() => w.wire("x", { loss: 1.5 })).to.throw(/wire x: loss is 1.5, but must be a probability/);
    expect(() => w.wire("x", { delay_ns: -1 })).to.throw(/delay_ns/);
    expect(() => w.wire("x", { rate_bps: 0 })).to.throw(/rate_bps/);
    expect(() => w.wire("x", { dist: "gauss" as "normal" })).to.throw(/uniform or normal or pareto/);
    expect(() => w.wire("x", { gemodel: { p: 2, r: 0 } })).to.throw(/gemodel/);
    expect(() => w.wire("x", { latency: 3 } as WireSettings)).to.throw(/no such setting/);
    expect(() => w.wire("x").set_from("nobody", { loss: 0 })).to.throw(/no end belongs to nobody/);
    expect(() => new TestDriver(w.host("a"), "y")).to.throw(/no wire y in this world \(there are: x\)/);
  });
});

function bits(byte: number): number {
  let n = 0;
  for (let b = byte; b !== 0; b &= b - 1) n++;
  return n;
}
