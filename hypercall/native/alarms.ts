// Every deadline of the kernels of one thread, on one timer descriptor. A binary heap holds the armed alarms; the descriptor is set to the
// first of them when that is earlier than what it is set to. It is not set back when the first alarm moves later: most deadlines are pushed
// on long before they are reached, and one wake-up too many costs less than a system call at each push.
import type { HyperAlarm } from "../api/sched.ts";
import type { RumpuserAddon, WatchHandle } from "./addon.ts";

const NOT_ARMED = Number.POSITIVE_INFINITY;

/** What an alarm needs from the thread it lives in. */
export interface AlarmContext {
  /** Whether kernel code is running now: then the descriptor is set when it has finished. */
  entered(): boolean;
  /** Run the due alarms as one entry. */
  entry(run: () => void): void;
}

/** One deadline. */
class NativeAlarm implements HyperAlarm {
  deadline_ns: number = NOT_ARMED;
  /** Place in the heap, -1 when not armed. */
  at = -1;
  readonly fire: () => void;
  private readonly alarms: Alarms;
  private closed = false;
  private holds = 0;

  constructor(alarms: Alarms, fire: () => void) {
    this.alarms = alarms;
    this.fire = fire;
  }

  set(deadline_ns: number): void {
    if (!this.closed) this.alarms.arm(this, deadline_ns);
  }

  clear(): void {
    this.alarms.disarm(this);
  }

  hold(by: number): void {
    if (this.closed) return;
    this.holds += by;
    this.alarms.hold(by);
  }

  close(): void {
    this.clear();
    this.hold(-this.holds);
    this.closed = true;
  }
}

/** The alarms of one thread. */
export class Alarms {
  private readonly addon: RumpuserAddon;
  private readonly context: AlarmContext;
  private readonly timer: WatchHandle;
  private readonly heap: NativeAlarm[] = [];
  private armed_ns: number = NOT_ARMED;
  private holders = 0;
  private readonly run_due: () => void;

  constructor(addon: RumpuserAddon, context: AlarmContext) {
    this.addon = addon;
    this.context = context;
    this.run_due = () => this.due();
    this.timer = addon.timer_open(() => {
      this.armed_ns = NOT_ARMED;
      context.entry(this.run_due);
    });
    if (this.timer < 0) throw new Error(`timerfd_create failed: Linux errno ${-this.timer}`);
  }

  /** A new alarm. */
  open(fire: () => void): HyperAlarm {
    return new NativeAlarm(this, fire);
  }

  /** Add to the number of those who want the process to stay for an alarm; 0 at first. */
  hold(by: number): void {
    const was = this.holders > 0;
    this.holders += by;
    if (this.holders > 0 !== was) this.addon.watch_ref(this.timer, was ? 0 : 1);
  }

  /** Set the descriptor to the first deadline if it is not early enough. Called when kernel code has finished. hot */
  settle(): void {
    const first = this.heap[0];
    if (first === undefined || first.deadline_ns >= this.armed_ns) return;
    this.armed_ns = first.deadline_ns;
    this.addon.timer_arm(this.timer, first.deadline_ns);
  }

  /** hot */
  arm(alarm: NativeAlarm, deadline_ns: number): void {
    const was = alarm.deadline_ns;
    alarm.deadline_ns = deadline_ns;
    if (alarm.at < 0) {
      alarm.at = this.heap.length;
      this.heap.push(alarm);
      this.up(alarm);
    } else if (deadline_ns < was) this.up(alarm);
    else this.down(alarm);
    if (!this.context.entered()) this.settle();
  }

  disarm(alarm: NativeAlarm): void {
    const at = alarm.at;
    if (at < 0) return;
    alarm.at = -1;
    alarm.deadline_ns = NOT_ARMED;
    const last = this.heap.pop();
    if (last === undefined || last === alarm) return;
    last.at = at;
    this.heap[at] = last;
    this.up(last);
    this.down(last);
  }

  /** Fires what is due; an alarm that is set again to a time that has passed waits for the next round, so that I/O gets its turn. */
  private due(): void {
    const now = this.addon.clock_monotonic();
    const fire: NativeAlarm[] = [];
    for (let first = this.heap[0]; first !== undefined && first.deadline_ns <= now; first = this.heap[0]) {
      this.disarm(first);
      fire.push(first);
    }
    for (const alarm of fire) alarm.fire();
  }

  private up(alarm: NativeAlarm): void {
    let at = alarm.at;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = this.heap[above] as NativeAlarm;
      if (parent.deadline_ns <= alarm.deadline_ns) break;
      this.heap[at] = parent;
      parent.at = at;
      at = above;
    }
    this.heap[at] = alarm;
    alarm.at = at;
  }

  private down(alarm: NativeAlarm): void {
    let at = alarm.at;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= this.heap.length) break;
      let child = this.heap[below] as NativeAlarm;
      const right = this.heap[below + 1];
      if (right !== undefined && right.deadline_ns < child.deadline_ns) {
        child = right;
        below++;
      }
      if (child.deadline_ns >= alarm.deadline_ns) break;
      this.heap[at] = child;
      child.at = at;
      at = below;
    }
    this.heap[at] = alarm;
    alarm.at = at;
  }
}
