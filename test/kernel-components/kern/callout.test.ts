// Callouts against a naive list of deadlines on the simulated clock: exact times, exact order, and O(1) with a million of them.
import { expect } from "chai";
import fc from "fast-check";
import {
  callout_ack,
  callout_active,
  callout_destroy,
  callout_expired,
  callout_halt,
  callout_init,
  callout_invoking,
  callout_pending,
  callout_reset,
  callout_schedule,
  callout_setfunc,
  callout_stop,
} from "../../../kernel-components/kern/callout.ts";
import type { Callout } from "../../../kernel-components/kern/callout.ts";
import { KernelPanic } from "../../../kernel-components/kern/kernel.ts";
import type { Kernel } from "../../../kernel-components/kern/kernel.ts";
import { bootKernel } from "../../support/kernel.ts";

const MS = 1e6;
const S = 1e9;
const DAY = 86_400 * S;

/** A duration of any size: within a tick, within each level of the wheel, years away. */
const duration: fc.Arbitrary<number> = fc.oneof(
  fc.nat(300_000),
  fc.nat(40 * MS),
  fc.double({ min: 0, max: 9 * S, noNaN: true }).map(Math.floor),
  fc.double({ min: 0, max: 3000 * S, noNaN: true }).map(Math.floor),
  fc.double({ min: 0, max: 8 * DAY, noNaN: true }).map(Math.floor),
  fc.double({ min: 0, max: 4000 * DAY, noNaN: true }).map(Math.floor),
);

const step = fc.record({ op: fc.nat(9), which: fc.nat(19), ns: duration });

describe("callout", () => {
  it("runs at exactly its deadline, in order of deadlines and then of scheduling, under any operations", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 120 }), (steps) => {
        const t = bootKernel();
        const model = new Map<number, { at: number; seq: number }>();
        const ran: string[] = [];
        const expected: string[] = [];
        const callouts: Callout[] = [];
        for (let i = 0; i < 20; i++) {
          const c = callout_init(t.k);
          callout_setfunc(c, (id: number) => ran.push(`${id}@${t.k.now_ns}`), i);
          callouts.push(c);
        }
        let seq = 0;
        for (const s of steps) {
          const c = callouts[s.which] as Callout;
          if (s.op < 6) {
            t.in_kernel(() => callout_schedule(c, s.ns));
            model.set(s.which, { at: t.now() + s.ns, seq: seq++ });
          } else if (s.op < 8) {
            expect(t.in_kernel(() => callout_stop(c))).to.equal(model.delete(s.which));
          } else {
            t.run(s.ns);
            expire(model, t.now(), expected);
            expect(ran).to.deep.equal(expected);
          }
          expect(callout_pending(c)).to.equal(model.has(s.which));
        }
        t.run(5000 * DAY);
        expire(model, t.now(), expected);
        expect(ran).to.deep.equal(expected);
        for (const c of callouts) callout_destroy(c);
        t.end();
      }),
      { numRuns: 100 },
    );
  });

  it("a callout that its own function schedules runs again, not within the same call", () => {
    const t = bootKernel();
    const times: number[] = [];
    const c = callout_init(t.k);
    let inside = false;
    const tick = (): void => {
      expect(inside).to.equal(false);
      inside = true;
      times.push(t.k.now_ns - t.k.boot_ns);
      expect([callout_invoking(c), callout_pending(c)]).to.deep.equal([true, false]);
      if (times.length < 4) callout_schedule(c, times.length === 2 ? 0 : 10 * MS);
      inside = false;
    };
    callout_setfunc(c, tick, null);
    t.in_kernel(() => callout_schedule(c, 10 * MS));
    t.run(S);
    expect(times).to.deep.equal([10 * MS, 20 * MS, 20 * MS, 30 * MS]);
    callout_destroy(c);
    t.end();
  });

  it("a function may stop, move and destroy others that are due at the same time", () => {
    const t = bootKernel();
    const ran: string[] = [];
    const [a, b, c, d] = [1, 2, 3, 4].map(() => callout_init(t.k)) as [Callout, Callout, Callout, Callout];
    t.in_kernel(() => {
      callout_reset(
        a,
        MS,
        () => {
          ran.push("a");
          callout_stop(b);
          callout_schedule(c, 5 * MS);
          callout_stop(d);
          callout_destroy(d);
        },
        null,
      );
      callout_reset(b, MS, () => ran.push("b"), null);
      callout_reset(c, MS, () => ran.push("c"), null);
      callout_reset(d, MS, () => ran.push("d"), null);
    });
    t.run(2 * MS);
    expect(ran).to.deep.equal(["a"]);
    t.run(10 * MS);
    expect(ran).to.deep.equal(["a", "c"]);
    for (const x of [a, b, c]) callout_destroy(x);
    t.end();
  });

  it("tells pending, expired and active apart", () => {
    const t = bootKernel();
    const c = callout_init(t.k);
    const state = (): boolean[] => [callout_pending(c), callout_expired(c), callout_active(c)];
    expect(state()).to.deep.equal([false, false, false]);
    t.in_kernel(() => callout_reset(c, MS, () => undefined, null));
    expect(state()).to.deep.equal([true, false, true]);
    t.run(2 * MS);
    expect(state()).to.deep.equal([false, true, true]);
    callout_ack(c);
    expect(state()).to.deep.equal([false, false, false]);
    expect(t.in_kernel(() => callout_halt(c))).to.equal(false);
    callout_destroy(c);
    t.end();
  });

  it("0, a negative and an impossible duration are as soon as possible; an endless one never comes", () => {
    const t = bootKernel();
    let n = 0;
    const c = callout_init(t.k);
    for (const ns of [0, -5, Number.NaN]) {
      t.in_kernel(() => {
        callout_reset(c, ns, () => n++, null);
        expect(callout_pending(c)).to.equal(true);
      });
      t.run(0);
    }
    expect(n).to.equal(3);
    t.in_kernel(() => callout_schedule(c, Number.POSITIVE_INFINITY));
    t.run(100 * 365 * DAY);
    expect([n, callout_pending(c)]).to.deep.equal([3, true]);
    callout_stop(c);
    callout_destroy(c);
    t.end();
  });

  it("destroying a pending one, using a destroyed one, and scheduling without a function are panics", () => {
    const wrong: [string, (c: Callout) => void][] = [
      [
        "destroy of a pending",
        (c) => {
          callout_reset(c, S, () => undefined, null);
          callout_destroy(c);
        },
      ],
      [
        "after callout_destroy",
        (c) => {
          callout_destroy(c);
          callout_schedule(c, 1);
        },
      ],
      ["without a function", (c) => callout_schedule(c, 1)],
    ];
    for (const [message, act] of wrong) {
      const t = bootKernel();
      expect(() => act(callout_init(t.k))).to.throw(KernelPanic, message);
    }
  });

  it("a callout that was not destroyed is in the shutdown report", () => {
    const t = bootKernel();
    callout_init(t.k);
    expect(t.k.shutdown().text).to.equal("1 callouts not destroyed");
  });

  it("a million pending callouts cost nothing while idle, and all run in time", function () {
    this.timeout(30_000);
    const t = bootKernel();
    const n = 1_000_000;
    let ran = 0;
    let late = 0;
    const rows: number[] = [];
    t.in_kernel(() => {
      for (let i = 0; i < n; i++) {
        const id = t.k.callouts.alloc();
        t.k.callouts.setfunc(id, fire, id);
        t.k.callouts.schedule(id, 3600 * S + (i % 100) * 100 * MS);
        rows.push(id);
      }
    });
    function fire(id: unknown): void {
      ran++;
      if (t.k.now_ns !== t.k.callouts.deadline(id as number)) late++;
    }
    const events = t.world.events;
    t.run(1800 * S);
    expect(t.world.events - events, "wake-ups in half an hour").to.be.at.most(3);
    expect(ran).to.equal(0);
    t.run(1900 * S);
    expect([ran, late, t.k.callouts.pending]).to.deep.equal([n, 0, 0]);
    for (const id of rows) t.k.callouts.free(id);
    t.end();
  });

  it("gives the host a turn when very many are due at once", () => {
    const t = bootKernel();
    const k: Kernel = t.k;
    const n = 10_000;
    let ran = 0;
    const rows: number[] = [];
    t.in_kernel(() => {
      for (let i = 0; i < n; i++) {
        const id = k.callouts.alloc();
        k.callouts.setfunc(id, () => ran++, null);
        k.callouts.schedule(id, S);
        rows.push(id);
      }
    });
    const turns: number[] = [];
    t.world.log = () => turns.push(ran);
    t.run(S);
    expect(ran).to.equal(n);
    for (let i = 1; i < turns.length; i++) expect((turns[i] as number) - (turns[i - 1] as number)).to.be.at.most(1024);
    for (const id of rows) k.callouts.free(id);
    t.end();
  });
});

function expire(model: Map<number, { at: number; seq: number }>, now: number, out: string[]): void {
  const due = [...model].filter(([, v]) => v.at <= now).sort(([, a], [, b]) => a.at - b.at || a.seq - b.seq);
  for (const [id, v] of due) {
    out.push(`${id}@${v.at}`);
    model.delete(id);
  }
}
