// Waiting of an lwp whose system call returned EWAIT, on the kernel's own callouts.
import { callout_destroy, callout_init, callout_reset, callout_stop } from "./callout.ts";
import type { Lwp } from "./proc.ts";

/**
 * Wait as the last EWAIT of `l` asked: `wake` is called once, when something happened or the time has passed (l_timedout). It runs
 * at the end of a kernel entry and calls the system call again. The result ends the waiting early.
 */
export function lwp_block(l: Lwp, wake: () => void): () => void {
  const k = l.l_proc.p_kernel;
  const timer = l.l_timo_ns > 0 ? callout_init(k) : null;
  const end = (): void => {
    l.l_wakeup = null;
    if (timer === null || timer.c_id === 0) return;
    callout_stop(timer);
    callout_destroy(timer);
    k.alarm_hold(-1);
  };
  l.l_wakeup = () => {
    end();
    wake();
  };
  if (timer !== null) {
    k.alarm_hold(1);
    callout_reset(
      timer,
      l.l_timo_ns,
      (waiting: Lwp) => {
        waiting.l_timedout = true;
        k.wakeup(waiting);
      },
      l,
    );
  }
  return end;
}
