// The callout(9) interface over the wheel of callout_wheel.ts.
import type { CalloutWheel } from "./callout_wheel.ts";
import type { Kernel } from "./kernel.ts";

/** Function of a callout. */
export type CalloutFn<T> = (arg: T) => void;

/** Nanoseconds of a millisecond, for callers of callout_reset. */
export const NS_PER_MS: number = 1e6;
/** Nanoseconds of a second. */
export const NS_PER_S: number = 1e9;

/**
 * A function that runs once at a later time. A thin handle: the state is a row of the wheel's typed arrays,
 * so code with very many timers may keep row numbers instead (CalloutWheel.alloc).
 */
export class Callout {
  /** The kernel's wheel. */
  readonly c_wheel: CalloutWheel;
  /** Row in the wheel, 0 after callout_destroy. */
  c_id: number;

  constructor(k: Kernel) {
    this.c_wheel = k.callouts;
    this.c_id = k.callouts.alloc();
  }
}

/** Make a callout. It holds a row of the wheel until callout_destroy. */
export function callout_init(k: Kernel): Callout {
  return new Callout(k);
}

/** Set the function and argument that callout_schedule uses. */
export function callout_setfunc<T>(c: Callout, fn: CalloutFn<T>, arg: T): void {
  c.c_wheel.setfunc(live(c), fn as CalloutFn<unknown>, arg);
}

/** Run `fn(arg)` once, `ns` nanoseconds from now and never earlier; a pending callout is moved. */
export function callout_reset<T>(c: Callout, ns: number, fn: CalloutFn<T>, arg: T): void {
  c.c_wheel.setfunc(live(c), fn as CalloutFn<unknown>, arg);
  c.c_wheel.schedule(c.c_id, ns);
}

/** As callout_reset with the function set before. hot */
export function callout_schedule(c: Callout, ns: number): void {
  c.c_wheel.schedule(live(c), ns);
}

/** Stop a callout. True if it was pending. Its function may be running: it is the caller then. hot */
export function callout_stop(c: Callout): boolean {
  return c.c_wheel.stop(live(c));
}

/** As callout_stop. A kernel runs one thing at a time, so there is never a running function to wait for. */
export function callout_halt(c: Callout): boolean {
  return c.c_wheel.stop(live(c));
}

/** Whether it is scheduled and has not run. */
export function callout_pending(c: Callout): boolean {
  return c.c_wheel.is_pending(live(c));
}

/** Whether it ran since it was scheduled last. */
export function callout_expired(c: Callout): boolean {
  return c.c_wheel.is_expired(live(c));
}

/** Whether it is pending or ran without callout_ack since. */
export function callout_active(c: Callout): boolean {
  return c.c_wheel.is_pending(live(c)) || c.c_wheel.is_expired(c.c_id);
}

/** Whether its function is running right now. */
export function callout_invoking(c: Callout): boolean {
  return c.c_wheel.running === live(c);
}

/** Forget that it expired. */
export function callout_ack(c: Callout): void {
  c.c_wheel.ack(live(c));
}

/** When a pending callout is due, in ns of the kernel's clock. */
export function callout_deadline(c: Callout): number {
  return c.c_wheel.deadline(live(c));
}

/** Give the row back. The callout must not be pending. */
export function callout_destroy(c: Callout): void {
  c.c_wheel.free(live(c));
  c.c_id = 0;
}

function live(c: Callout): number {
  if (c.c_id === 0) c.c_wheel.panic("callout used after callout_destroy");
  return c.c_id;
}
