// Scheduling group: the alarm on the thread's timer descriptor, deferred work in the thread's queue.
import type { HyperAlarm, HyperSched } from "../api/sched.ts";
import type { NativeCtx } from "./native_ctx.ts";

/** When the kernel runs. */
export class NativeSched implements HyperSched {
  private readonly cx: NativeCtx;

  constructor(cx: NativeCtx) {
    this.cx = cx;
  }

  rumpuser_alarm(fire: () => void): HyperAlarm {
    return this.cx.process.alarms.open(fire);
  }

  rumpuser_defer(run: () => void): void {
    this.cx.process.defer(run);
  }
}
