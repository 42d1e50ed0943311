// Conformance: clocks, alarms and deferred work.
import { expect } from "chai";
import { RUMPUSER_CLOCK_ABSMONO, RUMPUSER_CLOCK_RELWALL, Timespec } from "../../../hypercall/api/clock.ts";
import { EINVAL } from "../../../hypercall/api/errno.ts";
import { HYPERCALL_VERSION } from "../../../hypercall/api/host.ts";
import { Bracket, type Subject } from "./subject.ts";

const MS = 1e6;

/** clock and sched. */
export function clockConformance(get: () => Subject): void {
  it("has a clock that never goes back and is the same for all hosts", async () => {
    const [one, two] = [get().host().clock, get().host().clock];
    let last = 0;
    for (let i = 0; i < 50; i++) {
      for (const clock of [one, two]) {
        const now = clock.rumpuser_clock_mono();
        expect(now).to.be.at.least(last);
        last = now;
      }
    }
    await get().pass(2 * MS);
    expect(one.rumpuser_clock_mono()).to.be.at.least(last + 2 * MS);
  });

  it("reads both clocks into seconds and nanoseconds, and no third", () => {
    const { clock } = get().host();
    const ts = new Timespec();
    for (const clk of [RUMPUSER_CLOCK_RELWALL, RUMPUSER_CLOCK_ABSMONO]) {
      expect(clock.rumpuser_clock_gettime(clk, ts)).to.equal(0);
      expect(Number.isInteger(ts.sec) && Number.isInteger(ts.nsec)).to.equal(true);
      expect(ts.nsec).to.be.within(0, 999_999_999);
    }
    const mono = clock.rumpuser_clock_mono();
    expect(Math.abs(ts.sec * 1e9 + ts.nsec - mono)).to.be.below(100 * MS);
    expect(clock.rumpuser_clock_gettime(2, ts)).to.equal(EINVAL);
  });

  it("ends a sleep in time but never early, never inside the call, and within the bracket", async () => {
    const host = get().host();
    const up = new Bracket();
    host.rumpuser_init(HYPERCALL_VERSION, up);
    const ends: number[] = [];
    const done = (): void => {
      expect(up.depth).to.equal(1);
      ends.push(host.clock.rumpuser_clock_mono());
    };
    const start = host.clock.rumpuser_clock_mono();
    const at = start + 3 * MS;
    expect(host.clock.rumpuser_clock_sleep(RUMPUSER_CLOCK_RELWALL, 0, 2 * MS, done)).to.equal(0);
    expect(
      host.clock.rumpuser_clock_sleep(RUMPUSER_CLOCK_ABSMONO, Math.floor(at / 1e9), Math.ceil(at % 1e9), done),
    ).to.equal(0);
    expect(host.clock.rumpuser_clock_sleep(RUMPUSER_CLOCK_ABSMONO, 0, 0, done)).to.equal(0);
    expect(ends).to.deep.equal([]);
    await get().pass(20 * MS);
    expect(ends).to.have.length(3);
    expect(ends[1]).to.be.at.least(start + 2 * MS);
    expect(ends[2]).to.be.at.least(at);
    expect(up.depth).to.equal(0);
  });

  it("refuses a sleep on an unknown clock or for a time that is none", () => {
    const { clock } = get().host();
    const never = (): never => expect.fail("woken");
    expect(clock.rumpuser_clock_sleep(7, 0, 0, never)).to.equal(EINVAL);
    expect(clock.rumpuser_clock_sleep(RUMPUSER_CLOCK_RELWALL, -1, 0, never)).to.equal(EINVAL);
    expect(clock.rumpuser_clock_sleep(RUMPUSER_CLOCK_RELWALL, 0, 1e9, never)).to.equal(EINVAL);
    expect(clock.rumpuser_clock_sleep(RUMPUSER_CLOCK_RELWALL, Number.NaN, 0, never)).to.equal(EINVAL);
  });

  it("fires an alarm once for each setting, the last one counting, and outside the bracket", async () => {
    const host = get().host();
    const up = new Bracket();
    host.rumpuser_init(HYPERCALL_VERSION, up);
    const fired: number[] = [];
    const alarm = host.sched.rumpuser_alarm(() => {
      expect(up.depth).to.equal(0);
      fired.push(host.clock.rumpuser_clock_mono());
    });
    const start = host.clock.rumpuser_clock_mono();
    alarm.set(start + 500 * MS);
    alarm.set(start + 2 * MS);
    await get().pass(10 * MS);
    expect(fired).to.have.length(1);
    expect(fired[0]).to.be.at.least(start + 2 * MS);
    alarm.set(start + 12 * MS);
    alarm.set(host.clock.rumpuser_clock_mono() + 5 * MS);
    alarm.clear();
    await get().pass(10 * MS);
    expect(fired).to.have.length(1);
    alarm.set(1);
    expect(fired).to.have.length(1);
    await get().pass(1 * MS);
    expect(fired).to.have.length(2);
    alarm.close();
    alarm.set(1);
    await get().pass(1 * MS);
    expect(fired).to.have.length(2);
  });

  it("fires many alarms in the order of their deadlines, and lets one set another", async () => {
    const hosts = [get().host(), get().host(), get().host()];
    const order: number[] = [];
    const start = hosts[0]!.clock.rumpuser_clock_mono();
    const alarms = Array.from({ length: 30 }, (_, i) => hosts[i % 3]!.sched.rumpuser_alarm(() => order.push(i)));
    const delay = (i: number): number => ((i * 7) % 30) + 1;
    for (let i = 0; i < 30; i++) alarms[i]!.set(start + (delay(i) + 50) * 0.1 * MS);
    for (let i = 0; i < 30; i++) if (i % 2 === 1) alarms[i]!.set(start + delay(i) * 0.1 * MS);
    for (let i = 0; i < 30; i += 5) alarms[i]!.clear();
    await get().pass(20 * MS);
    const due = (i: number): number => delay(i) + (i % 2 === 1 ? 0 : 50);
    const expected = [...alarms.keys()].filter((i) => i % 5 !== 0).sort((a, b) => due(a) - due(b));
    expect(order).to.deep.equal(expected);
    for (const alarm of alarms) alarm.close();
  });

  it("runs deferred work in order, never inside the call, and what it defers after it", async () => {
    const [one, two] = [get().host().sched, get().host().sched];
    const order: string[] = [];
    one.rumpuser_defer(() => {
      order.push("a");
      two.rumpuser_defer(() => order.push("c"));
      order.push("b?");
    });
    two.rumpuser_defer(() => order.push("b"));
    expect(order).to.deep.equal([]);
    await get().pass(1 * MS);
    expect(order).to.deep.equal(["a", "b?", "b", "c"]);
  });

  it("lets alarms fire while two kernels feed each other without end", async () => {
    const host = get().host();
    let runs = 0;
    let fired = false;
    const spin = (): void => {
      runs++;
      if (!fired && runs < 5e6) host.sched.rumpuser_defer(spin);
    };
    const alarm = host.sched.rumpuser_alarm(() => {
      fired = true;
    });
    // On a simulated host deferred work takes no time, so such a pair would stop the clock: it is refused elsewhere.
    if (!get().threads) return;
    alarm.set(host.clock.rumpuser_clock_mono() + 2 * MS);
    host.sched.rumpuser_defer(spin);
    await get().pass(30 * MS);
    expect(fired).to.equal(true);
    alarm.close();
  });
}
