// Software interrupts (softint(9)): work that is scheduled now and runs when the kernel is left, never inside the scheduling call.
import type { Kernel } from "./kernel.ts";

/** Level of the callout dispatcher: the lowest. */
export const SOFTINT_CLOCK = 0;
/** Level of block I/O. */
export const SOFTINT_BIO = 1;
/** Level of network protocols. */
export const SOFTINT_NET = 2;
/** Level of serial devices: the highest. */
export const SOFTINT_SERIAL = 3;
/** Number of levels. */
export const SOFTINT_COUNT = 4;
/** Flag that NetBSD's callers pass; every softint of a kernel is serialised, so it changes nothing here. */
export const SOFTINT_MPSAFE = 0x0100;
/** The bits of the level argument that hold the level. */
export const SOFTINT_LVLMASK = 0x00ff;

class Softint {
  readonly sih_level: number;
  sih_fn: (arg: unknown) => void;
  sih_arg: unknown;
  sih_pending = false;
  sih_dead = false;
  sih_next: Softint | null = null;

  constructor(level: number, fn: (arg: unknown) => void, arg: unknown) {
    this.sih_level = level;
    this.sih_fn = fn;
    this.sih_arg = arg;
  }
}

/** The softints of one kernel: a FIFO queue a level. */
export class Softints {
  /** Bit i: level i has work. */
  pending = 0;
  /** Softints run since boot. */
  runs = 0;
  private readonly table: (Softint | null)[] = [null];
  private readonly head: (Softint | null)[] = [null, null, null, null];
  private readonly tail: (Softint | null)[] = [null, null, null, null];

  /** Add a handler; the result is its handle, never 0. */
  establish(level: number, fn: (arg: unknown) => void, arg: unknown): number {
    const free = this.table.indexOf(null, 1);
    const handle = free === -1 ? this.table.length : free;
    this.table[handle] = new Softint(level, fn, arg);
    return handle;
  }

  /** Remove a handler; if it was scheduled, it does not run any more. */
  disestablish(handle: number): boolean {
    const si = this.table[handle];
    if (si === null || si === undefined) return false;
    si.sih_dead = true;
    this.table[handle] = null;
    return true;
  }

  /** Queue a handler unless it is queued already. False: no such handle. hot */
  schedule(handle: number): boolean {
    const si = this.table[handle];
    if (si === null || si === undefined) return false;
    if (si.sih_pending) return true;
    si.sih_pending = true;
    const level = si.sih_level;
    const last = this.tail[level];
    if (last === null) this.head[level] = si;
    else last.sih_next = si;
    this.tail[level] = si;
    this.pending |= 1 << level;
    return true;
  }

  /** Run the first handler of the highest level that has one. Called by Kernel.leave only. */
  run_one(): void {
    const level = 31 - Math.clz32(this.pending);
    const si = this.head[level];
    if (si === null) return;
    const next = si.sih_next;
    this.head[level] = next;
    if (next === null) {
      this.tail[level] = null;
      this.pending &= ~(1 << level);
    }
    si.sih_next = null;
    si.sih_pending = false;
    if (si.sih_dead) return;
    this.runs++;
    si.sih_fn(si.sih_arg);
  }

  /** Handlers that are established. */
  count(): number {
    let n = 0;
    for (const si of this.table) if (si !== null) n++;
    return n;
  }
}

/** Establish a softint at `level` (SOFTINT_CLOCK..SOFTINT_SERIAL, flags or'ed in). The result is a handle, never 0. */
export function softint_establish<T>(k: Kernel, level: number, fn: (arg: T) => void, arg: T): number {
  const lvl = level & SOFTINT_LVLMASK;
  if (lvl >= SOFTINT_COUNT) k.panic(`softint_establish: no level ${lvl}`);
  return k.softints.establish(lvl, fn as (arg: unknown) => void, arg);
}

/** Schedule a softint: it runs once, after the current entry into the kernel has returned. hot */
export function softint_schedule(k: Kernel, handle: number): void {
  if (!k.softints.schedule(handle)) k.panic(`softint_schedule: no softint ${handle}`);
  k.softint_pended();
}

/** Remove a softint. A pending one does not run. The handle must not be used again. */
export function softint_disestablish(k: Kernel, handle: number): void {
  if (!k.softints.disestablish(handle)) k.panic(`softint_disestablish: no softint ${handle}`);
}
