import { expect } from "chai";
import fc from "fast-check";
import { HYPERCALL_VERSION } from "../../../hypercall/api/host.ts";
import { RUMPUSER_CLOCK_ABSMONO, RUMPUSER_CLOCK_RELWALL, Timespec } from "../../../hypercall/api/clock.ts";
import { EINVAL, EPROGMISMATCH } from "../../../hypercall/api/errno.ts";
import { HyperExited } from "../../../hypercall/api/exit.ts";
import { EventQueue } from "../../../hypercall/sim/event_queue.ts";
import { SIM_START_NS, type SimWorld, simWorld } from "../../../hypercall/sim/sim_world.ts";
import { SimStormError } from "../../../hypercall/sim/sim_storm.ts";
import { numbered, TestDriver } from "./wire_kit.ts";

const SLAB = 4 * 1024 * 1024;

describe("EventQueue", () => {
  it("gives events in order of time, then of scheduling, whatever is moved or removed (model: a sorted list)", () => {
    const step = fc.record({ what: fc.nat(9), time: fc.nat(20), pick: fc.nat() });
    const target = { sim_name: "t", sim_fire: (): void => undefined };
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
        const queue = new EventQueue();
        const model: { id: number; time: number; seq: number; arg: number }[] = [];
        let seq = 0;
        const sort = (): unknown => model.sort((a, b) => a.time - b.time || a.seq - b.seq);
        for (const s of steps) {
          const one = model[s.pick % Math.max(1, model.length)];
          if (s.what < 5 || one === undefined) {
            model.push({ id: queue.add(s.time, target, seq), time: s.time, seq: seq, arg: seq });
            seq++;
          } else if (s.what < 7) {
            queue.move(one.id, s.time);
            Object.assign(one, { time: s.time, seq: seq++ });
          } else if (s.what < 8) {
            queue.remove(one.id);
            model.splice(model.indexOf(one), 1);
          } else {
            sort();
            const first = model.shift()!;
            expect(queue.args[queue.first()]).to.equal(first.arg);
            expect(queue.next_time()).to.equal(first.time);
            queue.remove(queue.first());
          }
          expect(queue.size).to.equal(model.length);
        }
        sort();
        for (const want of model) {
          expect(queue.args[queue.first()]).to.equal(want.arg);
          queue.remove(queue.first());
        }
        expect(queue.first()).to.equal(-1);
      }),
      { numRuns: 100 },
    );
  });
});

describe("SimWorld", () => {
  it("moves its clock only when told, to the nanosecond", () => {
    const w = simWorld({ slabBytes: SLAB });
    const clock = w.host("a").clock;
    expect(clock.rumpuser_clock_mono()).to.equal(SIM_START_NS);
    w.advance(1);
    w.advance(2 ** 50);
    expect(clock.rumpuser_clock_mono()).to.equal(SIM_START_NS + 2 ** 50 + 1);
    expect(() => w.advance(-1)).to.throw(/does not go back/);
    const ts = new Timespec();
    expect(clock.rumpuser_clock_gettime(RUMPUSER_CLOCK_ABSMONO, ts)).to.equal(0);
    expect(ts.sec * 1e9 + ts.nsec).to.equal(w.now_ns);
    expect(clock.rumpuser_clock_gettime(RUMPUSER_CLOCK_RELWALL, ts)).to.equal(0);
    expect(ts.sec).to.equal(Math.floor(w.now_ns / 1e9) + 1_000_000_000);
    expect(clock.rumpuser_clock_gettime(7, ts)).to.equal(EINVAL);
  });

  it("fires an alarm at its deadline, once, and the last set wins", () => {
    const w = simWorld({ slabBytes: SLAB });
    const at: number[] = [];
    const alarm = w.host("a").sched.rumpuser_alarm(() => at.push(w.now_ns - SIM_START_NS));
    alarm.set(SIM_START_NS + 500);
    alarm.set(SIM_START_NS + 300);
    w.advance(299);
    expect(at).to.deep.equal([]);
    w.advance(10_000);
    expect(at).to.deep.equal([300]);
    alarm.set(0);
    expect(at.length).to.equal(1);
    w.advance(0);
    expect(at).to.deep.equal([300, 10_299]);
    alarm.set(w.now_ns + 5);
    alarm.clear();
    w.advance(100);
    alarm.close();
    alarm.set(w.now_ns + 5);
    w.advance(100);
    expect(at.length).to.equal(2);
    expect(w.queue.size).to.equal(0);
  });

  it("runs deferred work in order, before time passes, never inside the call", () => {
    const w = simWorld({ slabBytes: SLAB });
    const did: string[] = [];
    const { sched } = w.host("a");
    sched.rumpuser_defer(() => {
      did.push("1");
      sched.rumpuser_defer(() => did.push("3"));
    });
    w.host("b").sched.rumpuser_defer(() => did.push("2"));
    expect(did).to.deep.equal([]);
    w.advance(0);
    expect(did).to.deep.equal(["1", "2", "3"]);
  });

  it("sleeps relative and absolute, never early, and refuses nonsense", () => {
    const w = simWorld({ slabBytes: SLAB });
    const { clock } = w.host("a");
    const at: number[] = [];
    const note = (): unknown => at.push(w.now_ns - SIM_START_NS);
    expect(clock.rumpuser_clock_sleep(RUMPUSER_CLOCK_RELWALL, 0, 100, note)).to.equal(0);
    expect(clock.rumpuser_clock_sleep(RUMPUSER_CLOCK_ABSMONO, 3, 0, note)).to.equal(0);
    expect(clock.rumpuser_clock_sleep(RUMPUSER_CLOCK_ABSMONO, 0, 5, note)).to.equal(0);
    for (const [clk, sec, nsec] of [
      [2, 0, 0],
      [0, -1, 0],
      [0, 0, 1e9],
      [0, Number.NaN, 0],
    ] as const)
      expect(clock.rumpuser_clock_sleep(clk, sec, nsec, note)).to.equal(EINVAL);
    w.advance(5e9);
    expect(at).to.deep.equal([0, 100, 2e9]);
  });

  it("stops run_until at the event that makes it true, or at the limit", () => {
    const w = simWorld({ slabBytes: SLAB });
    let n = 0;
    const alarm = w.host("a").sched.rumpuser_alarm(() => {
      n++;
      alarm.set(w.now_ns + 1000);
    });
    alarm.set(w.now_ns + 1000);
    expect(w.run_until(() => n === 3, 1e6)).to.equal(true);
    expect(w.now_ns).to.equal(SIM_START_NS + 3000);
    expect(w.run_until(() => n === 100, 5000)).to.equal(false);
    expect(w.now_ns).to.equal(SIM_START_NS + 8000);
    expect(w.run_until_idle(50)).to.equal(false);
    alarm.clear();
    expect(w.run_until_idle()).to.equal(true);
  });

  it("reports an event storm at one instant and names who makes it", () => {
    const w = simWorld({ slabBytes: SLAB, stormLimit: 5000 });
    const { sched } = w.host("culprit");
    const alarm = sched.rumpuser_alarm(() => alarm.set(w.now_ns));
    alarm.set(w.now_ns + 10);
    expect(() => w.advance(100)).to.throw(SimStormError, /time stands still at 1000000010 ns.*culprit: alarm/);
    alarm.close();
    w.advance(100);
    const again = (): void => sched.rumpuser_defer(again);
    again();
    expect(() => w.advance(0)).to.throw(SimStormError, /most were by culprit/);
  });

  it("does not let an event call advance", () => {
    const w = simWorld({ slabBytes: SLAB });
    w.host("a").sched.rumpuser_defer(() => w.advance(1));
    expect(() => w.advance(0)).to.throw(/may not be called from within/);
    w.advance(5);
  });

  it("checks the version and brackets upcalls", () => {
    const w = simWorld({ slabBytes: SLAB });
    const host = w.host("a");
    let depth = 0;
    const up = { hyp_schedule: () => void depth++, hyp_unschedule: () => void depth-- };
    expect(host.rumpuser_init(HYPERCALL_VERSION + 1, up)).to.equal(EPROGMISMATCH);
    expect(host.rumpuser_init(HYPERCALL_VERSION, up)).to.equal(0);
    let inside = -1;
    host.clock.rumpuser_clock_sleep(RUMPUSER_CLOCK_RELWALL, 0, 1, () => {
      inside = depth;
    });
    w.advance(10);
    expect([inside, depth]).to.deep.equal([1, 0]);
  });

  it("gives each host its own randomness: a new host or wire changes no other's", () => {
    const draw = (w: SimWorld, name: string): number[] => {
      const bytes = new Uint8Array(16);
      w.host(name).random.rumpuser_getrandom(bytes, 0);
      return [...bytes];
    };
    const one = simWorld({ seed: 3, slabBytes: SLAB });
    const two = simWorld({ seed: 3, slabBytes: SLAB });
    two.wire("extra");
    draw(two, "other");
    expect(draw(one, "a")).to.deep.equal(draw(two, "a"));
    expect(draw(one, "a")).not.to.deep.equal(draw(one, "b"));
    expect(draw(simWorld({ seed: 4, slabBytes: SLAB }), "a")).not.to.deep.equal(
      draw(simWorld({ seed: 3, slabBytes: SLAB }), "a"),
    );
  });

  it("replays: the same seed gives the same log, event for event; another seed another one", () => {
    const run = (seed: number): string => {
      const w = simWorld({ seed, slabBytes: SLAB });
      const lines: string[] = [];
      w.log = (now, target, arg) => void lines.push(`${now} ${target} ${arg}`);
      w.trace = (kind, reason, wire, port, _off, len, now) =>
        void lines.push(`${now} ${kind} ${reason} ${wire} ${port} ${len}`);
      w.wire("net", {
        loss: 0.1,
        duplicate: 0.1,
        corrupt: 0.1,
        jitter_ns: 900,
        reorder: 0.1,
        rate_bps: 1e9,
        gemodel: { p: 0.1, r: 0.5 },
      });
      const drivers = ["a", "b", "c"].map((name) => new TestDriver(w.host(name), "net"));
      for (let i = 0; i < 300; i++) {
        drivers[i % 3]!.send(numbered(i, 64 + i));
        w.advance(700);
      }
      w.advance(1e9);
      return lines.join("\n");
    };
    const first = run(42);
    expect(first.split("\n").length).to.be.above(1000);
    expect(run(42)).to.equal(first);
    expect(run(43)).not.to.equal(first);
  });

  it("kills a kernel at an instant: alarm, deferred work, wires, locks, streams and memory go, nothing of it runs again", () => {
    const w = simWorld({ slabBytes: SLAB });
    w.wire("net");
    const host = w.host("a");
    const peer = new TestDriver(w.host("b"), "net");
    const driver = new TestDriver(host, "net");
    let ran = 0;
    const alarm = host.sched.rumpuser_alarm(() => ran++);
    alarm.set(w.now_ns + 100);
    host.sched.rumpuser_defer(() => ran++);
    host.clock.rumpuser_clock_sleep(RUMPUSER_CLOCK_RELWALL, 0, 50, () => ran++);
    driver.send(numbered(1));
    w.kill(host);
    expect(host.memory.held).to.equal(0);
    alarm.set(w.now_ns + 10);
    w.advance(1e6);
    expect(ran).to.equal(0);
    expect(driver.port.tx(new Int32Array(100), 1)).to.be.below(0);
    expect(peer.got.length).to.equal(1);
    expect(w.host("a")).not.to.equal(host);
    expect(w.host("a").incarnation).to.equal(1);
  });

  it("ends a kernel by exception on rumpuser_exit, and dies on a signal", () => {
    const w = simWorld({ slabBytes: SLAB });
    expect(() => w.host("a").exit.rumpuser_exit(3)).to.throw(HyperExited, /exited with 3/);
    const b = w.host("b");
    expect(b.exit.rumpuser_kill(-1, 0)).to.equal(0);
    expect(b.alive).to.equal(true);
    expect(b.exit.rumpuser_kill(-1, 99)).to.equal(EINVAL);
    expect(b.exit.rumpuser_kill(-1, 9)).to.equal(0);
    expect(b.alive).to.equal(false);
  });

  it("keeps kernels to RUMP_MEMLIMIT and names a bad one", () => {
    const w = simWorld({ slabBytes: SLAB });
    const host = w.host("a", { params: { RUMP_MEMLIMIT: "128k" } });
    expect(host.memory.rumpuser_malloc(131_072, 4096)).to.be.above(0);
    expect(host.memory.rumpuser_malloc(1, 1)).to.equal(0);
    expect(() => w.host("b", { params: { RUMP_MEMLIMIT: "lots" } })).to.throw(/host b: RUMP_MEMLIMIT is "lots"/);
  });
});
