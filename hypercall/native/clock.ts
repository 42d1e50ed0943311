// Clock group: CLOCK_MONOTONIC and CLOCK_REALTIME.
import { EINVAL } from "../api/errno.ts";
import { type HyperClock, RUMPUSER_CLOCK_ABSMONO, RUMPUSER_CLOCK_RELWALL, type Timespec } from "../api/clock.ts";
import type { NativeCtx } from "./native_ctx.ts";

const NS_PER_S = 1e9;

/** The clocks of the machine. */
export class NativeClock implements HyperClock {
  private readonly cx: NativeCtx;
  /** The addon's call itself: the hottest of all hypercalls. */
  readonly rumpuser_clock_mono: () => number;

  constructor(cx: NativeCtx) {
    this.cx = cx;
    this.rumpuser_clock_mono = cx.process.addon.clock_monotonic;
  }

  rumpuser_clock_gettime(clk: number, ts: Timespec): number {
    let ns: number;
    if (clk === RUMPUSER_CLOCK_RELWALL) ns = this.cx.process.addon.clock_realtime();
    else if (clk === RUMPUSER_CLOCK_ABSMONO) ns = this.cx.process.addon.clock_monotonic();
    else return EINVAL;
    ts.sec = Math.floor(ns / NS_PER_S);
    ts.nsec = Math.floor(ns - ts.sec * NS_PER_S);
    return 0;
  }

  rumpuser_clock_sleep(clk: number, sec: number, nsec: number, done: () => void): number {
    if (clk !== RUMPUSER_CLOCK_RELWALL && clk !== RUMPUSER_CLOCK_ABSMONO) return EINVAL;
    if (!(sec >= 0) || !(nsec >= 0) || !(nsec < NS_PER_S)) return EINVAL;
    const base = clk === RUMPUSER_CLOCK_RELWALL ? this.cx.process.addon.clock_monotonic() : 0;
    const alarm = this.cx.process.alarms.open(() => {
      alarm.close();
      this.cx.process.alarms.hold(-1);
      this.cx.upcall(done);
    });
    // A sleep, unlike an alarm, is awaited by somebody: the process stays for it.
    this.cx.process.alarms.hold(1);
    alarm.set(base + sec * NS_PER_S + nsec);
    return 0;
  }
}
