/*
 * Timers of routes (rt_timer): a queue for each kind of expiry (redirects, path MTU), all with one timeout, so that entries expire in order of age; and
 * rmx_expire, the second at which any route dies. One callout serves all.
 */
import { EINVAL } from "../../hypercall/api/errno.ts";
import { type Callout, callout_destroy, callout_init, callout_reset, callout_stop, NS_PER_S } from "../kern/callout.ts";
import type { Net } from "./net.ts";
import type { Rtentry } from "./rtentry.ts";

/** After timers fired, the next ones wait at least so long: thousands with deadlines of their own must not each cost a look at all. */
const RT_TIMER_GRAIN_NS = 250e6;

/** A route in a queue. */
export class RtTimer {
  /** Queue. */
  readonly rtt_queue: RtTimerQueue | null;
  /** Route. */
  readonly rtt_rt: Rtentry;
  /** Called on expiry. */
  readonly rtt_func: (net: Net, rt: Rtentry) => void;
  /** Kernel clock in ns when it expires. */
  rtt_deadline_ns: number;
  constructor(queue: RtTimerQueue | null, rt: Rtentry, func: (net: Net, rt: Rtentry) => void, deadline_ns: number) {
    this.rtt_queue = queue;
    this.rtt_rt = rt;
    this.rtt_func = func;
    this.rtt_deadline_ns = deadline_ns;
  }
}

/** A kind of expiry: one timeout for all. */
export class RtTimerQueue {
  /** Seconds; 0: entries do not expire. */
  rtq_timeout: number;
  /** Most entries: when there are more, the oldest expires before its time. */
  readonly rtq_max: number;
  /** Entries, oldest first. */
  readonly rtq_list: Set<RtTimer> = new Set();
  constructor(timeout: number, max: number) {
    this.rtq_timeout = timeout;
    this.rtq_max = max;
  }

  /** Kernel clock in ns when what is put in now expires. */
  deadline_ns(now_ns: number): number {
    return this.rtq_timeout === 0 ? Number.POSITIVE_INFINITY : now_ns + this.rtq_timeout * NS_PER_S;
  }
}

/** The timers of a kernel's routes. */
export class RtTimers {
  /** Everything that expires. */
  readonly rtt_all: Set<RtTimer> = new Set();
  /** The one callout. */
  readonly rtt_callout: Callout;
  /** When it is set for, kernel clock in ns; not later than the first deadline. */
  rtt_armed_ns: number = Number.POSITIVE_INFINITY;
  constructor(callout: Callout) {
    this.rtt_callout = callout;
  }
}

/** Makes the timers. */
export function rt_timers_create(k: Net["k"]): RtTimers {
  return new RtTimers(callout_init(k));
}

/** Stops and frees the callout. */
export function rt_timers_destroy(t: RtTimers): void {
  callout_stop(t.rtt_callout);
  callout_destroy(t.rtt_callout);
}

/** A new queue of at most `max` routes. */
export function rt_timer_queue_create(timeout: number, max: number): RtTimerQueue {
  return new RtTimerQueue(timeout, max);
}

/** Changes a queue's timeout (a sysctl): running entries are given the new one, counted from now. EINVAL if negative. */
export function rt_timer_queue_change(net: Net, q: RtTimerQueue, timeout: number): number {
  if (timeout < 0 || !Number.isInteger(timeout)) return EINVAL;
  q.rtq_timeout = timeout;
  for (const t of q.rtq_list) t.rtt_deadline_ns = q.deadline_ns(net.k.now_ns);
  rt_timer_arm(net);
  return 0;
}

/** Puts a route in a queue; a timer it had is replaced. func is called on expiry and normally deletes the route. */
export function rt_timer_add(net: Net, rt: Rtentry, func: (net: Net, rt: Rtentry) => void, q: RtTimerQueue): void {
  rt_timer_cancel(net, rt);
  const t = new RtTimer(q, rt, func, q.deadline_ns(net.k.now_ns));
  q.rtq_list.add(t);
  rt_timer_insert(net, rt, t);
  for (const oldest of q.rtq_list) {
    if (q.rtq_list.size <= q.rtq_max) break;
    rt_timer_cancel(net, oldest.rtt_rt);
    oldest.rtt_func(net, oldest.rtt_rt);
  }
}

/** Follows rmx_expire: sets, moves or clears the timer of a route. func is called when the second has come. */
export function rt_timer_expire(net: Net, rt: Rtentry, func: (net: Net, rt: Rtentry) => void): void {
  rt_timer_cancel(net, rt);
  if (rt.rt_rmx.rmx_expire === 0) return;
  rt_timer_insert(net, rt, new RtTimer(null, rt, func, net.k.boot_ns + rt.rt_rmx.rmx_expire * NS_PER_S));
}

/** Forgets a route's timer. */
export function rt_timer_cancel(net: Net, rt: Rtentry): void {
  const t = rt.rt_timer;
  if (t === null) return;
  rt.rt_timer = null;
  t.rtt_queue?.rtq_list.delete(t);
  net.rt_timers.rtt_all.delete(t);
  if (net.rt_timers.rtt_all.size === 0) rt_timer_arm(net);
}

function rt_timer_insert(net: Net, rt: Rtentry, t: RtTimer): void {
  rt.rt_timer = t;
  net.rt_timers.rtt_all.add(t);
  if (t.rtt_deadline_ns < net.rt_timers.rtt_armed_ns) rt_timer_set(net, t.rtt_deadline_ns);
}

/** Sets the callout to the first deadline. Looks at every timer: only after one fired, or all changed. */
function rt_timer_arm(net: Net, not_before_ns = 0): void {
  let first = Number.POSITIVE_INFINITY;
  for (const t of net.rt_timers.rtt_all) if (t.rtt_deadline_ns < first) first = t.rtt_deadline_ns;
  rt_timer_set(net, Math.max(first, not_before_ns));
}

function rt_timer_set(net: Net, deadline_ns: number): void {
  net.rt_timers.rtt_armed_ns = deadline_ns;
  if (deadline_ns === Number.POSITIVE_INFINITY) callout_stop(net.rt_timers.rtt_callout);
  else callout_reset(net.rt_timers.rtt_callout, Math.max(0, deadline_ns - net.k.now_ns), rt_timer_fire, net);
}

function rt_timer_fire(net: Net): void {
  const now = net.k.now_ns;
  for (const t of net.rt_timers.rtt_all) {
    if (t.rtt_deadline_ns > now) continue;
    rt_timer_cancel(net, t.rtt_rt);
    t.rtt_func(net, t.rtt_rt);
  }
  rt_timer_arm(net, now + RT_TIMER_GRAIN_NS);
}
