// The callout wheel: six levels of 256 slots over rows of typed arrays, and a heap for what is due in the current tick.
//
// A tick is 2^17 ns (131 us). A pending callout lies in the slot of the highest byte in which its tick differs from the
// current one, so starting and stopping are O(1) whatever the number. When the wheel comes to a slot, its callouts move one
// level down, or into the heap, which is ordered by exact deadline: a callout never runs early, and on a host with an exact clock it
// runs exactly on time, in the order of deadlines and then of scheduling. Nothing ticks: the host is asked for one alarm.
import type { Kernel } from "./kernel.ts";

/** log2 of the nanoseconds of a tick. */
export const CALLOUT_TICK_SHIFT = 17;
/** Nanoseconds of a tick: the grain of the wheel's slots, not of deadlines. */
export const CALLOUT_TICK_NS: number = 2 ** CALLOUT_TICK_SHIFT;
/** Callouts moved down, or run, in one dispatch before the host gets a turn. */
export const CALLOUT_BUDGET = 1024;

const LEVELS = 6;
const SLOTS = 256;
const WORDS = SLOTS / 32;
/** Ticks are kept as two numbers of 24 bits, three levels each. */
const HALF = 2 ** 24;
/** Ticks of the wheel's whole span: deadlines further away are kept at its end and looked at again there. */
const SPAN = 2 ** 48 - 1;
/** Callouts of a slot that are looked at to find the first; a slot with more is opened at its start instead. */
const SCAN = 32;
/** Rows of a fresh wheel. */
const ROWS = 32;

/** A row: 4 doubles, the last two of which are seen as 4 ints. */
const F64 = 4;
/** Ints of a row. */
const I32 = 8;
/** Double of a row: deadline. */
const C_TIME = 0;
/** Double of a row: number of the scheduling, for the order among equal deadlines. */
const C_SEQ = 1;
/** Int of a row: next row of the slot's list or of the free list; position in the heap. */
const C_NEXT = 4;
/** Int of a row: previous row of the slot's list. */
const C_PREV = 5;
/** Int of a row: slot, or where else the row is. */
const C_LIST = 6;
/** Int of a row: CF_* flags. */
const C_FLAGS = 7;
/** Flag of a row: it has run since it was scheduled. */
const CF_FIRED = 1;
/** Flag of a row: it has a function. */
const CF_FUNC = 2;

/** c_list: in no list. */
const IDLE = -1;
/** c_list: in the heap. */
const HEAP = -2;
/** c_list: the row is free. */
const FREE = -3;

/** Deadline that is never reached. */
const NEVER: number = Number.POSITIVE_INFINITY;

/** All callouts of one kernel. Rows are numbers from 1. */
export class CalloutWheel {
  /** Rows handed out. */
  in_use = 0;
  /** Pending callouts. */
  pending = 0;
  /** Callouts that have run. */
  fired = 0;
  /** The row whose function is running, 0 none. */
  running = 0;

  private readonly k: Kernel;
  /** The rows, two views of the same bytes: one cache line holds two rows. */
  private f64: Float64Array = new Float64Array(ROWS * F64);
  private i32: Int32Array = new Int32Array(this.f64.buffer);
  private row_max: number = ROWS;
  private readonly c_fn: (((arg: unknown) => void) | null)[] = [null];
  private readonly c_arg: unknown[] = [null];
  private rows = 1;
  private free_row = 0;
  private readonly slots: Int32Array = new Int32Array(LEVELS * SLOTS);
  private readonly bits: Int32Array = new Int32Array(LEVELS * WORDS);
  private heap: Int32Array = new Int32Array(ROWS);
  private heap_n = 0;
  private seq = 1;
  /** The current tick in two halves; nothing before it is in a slot. */
  private cur_hi = 0;
  private cur_lo = 0;
  /** The slot being emptied by dispatches with a budget, -1 none. */
  private draining = -1;
  /** The deadline that the host's alarm is, or will be, set to. */
  private armed: number = NEVER;
  private more = false;
  private readonly base_ns: number;

  constructor(k: Kernel) {
    this.k = k;
    this.base_ns = k.boot_ns;
  }

  /** A row for a callout. */
  alloc(): number {
    let id = this.free_row;
    if (id !== 0) {
      this.free_row = this.i32[id * I32 + C_NEXT];
    } else {
      id = this.rows++;
      if (id === this.row_max) this.grow();
    }
    this.i32[id * I32 + C_LIST] = IDLE;
    this.i32[id * I32 + C_FLAGS] = 0;
    this.c_fn[id] = null;
    this.c_arg[id] = null;
    this.in_use++;
    return id;
  }

  /** Give a row back. It must not be pending. */
  free(id: number): void {
    if (this.i32[id * I32 + C_LIST] !== IDLE)
      this.panic(this.i32[id * I32 + C_LIST] === FREE ? "callout freed twice" : "callout_destroy of a pending callout");
    this.i32[id * I32 + C_LIST] = FREE;
    this.c_fn[id] = null;
    this.c_arg[id] = null;
    this.i32[id * I32 + C_NEXT] = this.free_row;
    this.free_row = id;
    this.in_use--;
  }

  /** Set what a row runs. */
  setfunc(id: number, fn: (arg: unknown) => void, arg: unknown): void {
    this.c_fn[id] = fn;
    this.c_arg[id] = arg;
    this.i32[id * I32 + C_FLAGS] |= CF_FUNC;
  }

  /** Run the row's function `ns` from now; 0 or less is as soon as the kernel is left. hot */
  schedule(id: number, ns: number): void {
    if ((this.i32[id * I32 + C_FLAGS] & CF_FUNC) === 0) this.panic("callout scheduled without a function");
    if (!(ns >= 0)) ns = 0;
    if (this.i32[id * I32 + C_LIST] !== IDLE) this.unlink(id);
    else this.pending++;
    const at = this.k.now_ns + ns;
    this.f64[id * F64 + C_TIME] = at;
    this.f64[id * F64 + C_SEQ] = this.seq++;
    this.i32[id * I32 + C_FLAGS] &= ~CF_FIRED;
    this.place(id);
    if (at < this.armed) {
      this.armed = at;
      this.k.callouts_rearm();
    }
  }

  /** Stop a row. True if it was pending. hot */
  stop(id: number): boolean {
    this.i32[id * I32 + C_FLAGS] &= ~CF_FIRED;
    if (this.i32[id * I32 + C_LIST] === IDLE) return false;
    this.unlink(id);
    this.pending--;
    return true;
  }

  /** Whether the row is pending. */
  is_pending(id: number): boolean {
    return this.i32[id * I32 + C_LIST] !== IDLE;
  }

  /** Whether the row has run since it was scheduled. */
  is_expired(id: number): boolean {
    return (this.i32[id * I32 + C_FLAGS] & CF_FIRED) !== 0;
  }

  /** Forget that the row has run. */
  ack(id: number): void {
    this.i32[id * I32 + C_FLAGS] &= ~CF_FIRED;
  }

  /** When the row is due, in ns of the kernel's clock. */
  deadline(id: number): number {
    return this.f64[id * F64 + C_TIME];
  }

  /** End the kernel. */
  panic(msg: string): never {
    return this.k.panic(msg);
  }

  /** The host's alarm went off. */
  alarm_fired(): void {
    this.armed = NEVER;
    this.k.callouts_due();
  }

  /** Go on with a dispatch whose budget was used up. */
  continue_dispatch(): void {
    if (!this.more) return;
    this.more = false;
    this.k.callouts_due();
  }

  /** When the host must call alarm_fired: the first deadline, or earlier when finding it would take long. */
  next_alarm(): number {
    return this.armed;
  }

  /** Run what is due. Called from a softint. */
  dispatch(): void {
    const now = this.k.now_ns;
    const budget = this.advance(now, CALLOUT_BUDGET);
    if (this.draining !== -1 || !this.fire(now, budget)) {
      this.more = true;
      this.k.defer();
      return;
    }
    this.armed = this.first_deadline();
    this.k.callouts_rearm();
  }

  /** Run the heap's callouts until `now`. False: the budget was used up. */
  private fire(now: number, budget: number): boolean {
    const seq_end = this.seq;
    while (this.heap_n > 0) {
      const id = this.heap[0];
      if (this.f64[id * F64 + C_TIME] > now) return true;
      if (this.f64[id * F64 + C_SEQ] >= seq_end || budget-- <= 0) return false;
      this.heap_remove(0);
      this.i32[id * I32 + C_LIST] = IDLE;
      this.i32[id * I32 + C_FLAGS] |= CF_FIRED;
      this.pending--;
      this.fired++;
      const fn = this.c_fn[id];
      this.running = id;
      if (fn !== null) fn(this.c_arg[id]);
      this.running = 0;
    }
    return true;
  }

  /** Move the wheel on to the tick of `now`, emptying the slots on the way. The result is what is left of the budget. */
  private advance(now: number, budget: number): number {
    const target = Math.floor((now - this.base_ns) / CALLOUT_TICK_NS);
    if (this.draining !== -1) budget = this.drain(budget);
    while (this.draining === -1) {
      const slot = this.next_slot();
      const start = slot === -1 ? NEVER : this.slot_start(slot);
      const to = start < target ? start : target;
      if (to > this.cur_hi * HALF + this.cur_lo) {
        this.cur_hi = Math.floor(to / HALF);
        this.cur_lo = to - this.cur_hi * HALF;
      }
      if (start > target) break;
      this.draining = slot;
      budget = this.drain(budget);
    }
    return budget;
  }

  private drain(budget: number): number {
    const slot = this.draining;
    for (let id = this.slots[slot]; id !== 0; id = this.slots[slot]) {
      if (budget-- <= 0) return 0;
      this.unlink(id);
      this.place(id);
    }
    this.draining = -1;
    return budget;
  }

  /** The first slot after the current tick that holds callouts, -1 none. */
  private next_slot(): number {
    for (let level = 0; level < LEVELS; level++) {
      const half = level < 3 ? this.cur_lo : this.cur_hi;
      const digit = (half >>> (8 * (level % 3))) & 255;
      const s = this.next_bit(level, digit + 1);
      if (s !== -1) return level * SLOTS + s;
    }
    return -1;
  }

  private next_bit(level: number, from: number): number {
    if (from >= SLOTS) return -1;
    let w = from >>> 5;
    let word = this.bits[level * WORDS + w] & (-1 << (from & 31));
    while (word === 0) {
      if (++w === WORDS) return -1;
      word = this.bits[level * WORDS + w];
    }
    return w * 32 + (31 - Math.clz32(word & -word));
  }

  /** The first tick of a slot ahead. */
  private slot_start(slot: number): number {
    const level = slot >>> 8;
    const s = slot & 255;
    if (level < 3) {
      const shift = 8 * level;
      const above = level === 2 ? 0 : (this.cur_lo >>> (shift + 8)) << (shift + 8);
      return this.cur_hi * HALF + above + s * 2 ** shift;
    }
    const shift = 8 * (level - 3);
    const above = level === 5 ? 0 : (this.cur_hi >>> (shift + 8)) << (shift + 8);
    return (above + s * 2 ** shift) * HALF;
  }

  /** The first deadline, or a time before it at which less will have to be looked at. */
  private first_deadline(): number {
    if (this.heap_n > 0) return this.f64[this.heap[0] * F64 + C_TIME];
    const slot = this.next_slot();
    if (slot === -1) return NEVER;
    let first = NEVER;
    let n = 0;
    for (let id = this.slots[slot]; id !== 0; id = this.i32[id * I32 + C_NEXT]) {
      if (++n > SCAN) return this.base_ns + this.slot_start(slot) * CALLOUT_TICK_NS;
      if (this.f64[id * F64 + C_TIME] < first) first = this.f64[id * F64 + C_TIME];
    }
    return first;
  }

  /** Put a row into the slot of its deadline, or into the heap. */
  private place(id: number): void {
    let tick = Math.floor((this.f64[id * F64 + C_TIME] - this.base_ns) / CALLOUT_TICK_NS);
    if (tick > SPAN) tick = SPAN;
    const hi = Math.floor(tick / HALF);
    const lo = tick - hi * HALF;
    let level: number;
    let digit: number;
    if (hi > this.cur_hi) {
      level = 3 + ((31 - Math.clz32(hi ^ this.cur_hi)) >>> 3);
      digit = (hi >>> (8 * (level - 3))) & 255;
    } else if (hi === this.cur_hi && lo > this.cur_lo) {
      level = (31 - Math.clz32(lo ^ this.cur_lo)) >>> 3;
      digit = (lo >>> (8 * level)) & 255;
    } else {
      this.heap_add(id);
      return;
    }
    const slot = level * SLOTS + digit;
    const head = this.slots[slot];
    this.i32[id * I32 + C_LIST] = slot;
    this.i32[id * I32 + C_NEXT] = head;
    this.i32[id * I32 + C_PREV] = 0;
    if (head !== 0) this.i32[head * I32 + C_PREV] = id;
    this.slots[slot] = id;
    this.bits[slot >>> 5] |= 1 << (slot & 31);
  }

  /** Take a row out of its slot or the heap. */
  private unlink(id: number): void {
    const slot = this.i32[id * I32 + C_LIST];
    this.i32[id * I32 + C_LIST] = IDLE;
    if (slot === HEAP) {
      this.heap_remove(this.i32[id * I32 + C_NEXT]);
      return;
    }
    const next = this.i32[id * I32 + C_NEXT];
    const prev = this.i32[id * I32 + C_PREV];
    if (next !== 0) this.i32[next * I32 + C_PREV] = prev;
    if (prev !== 0) {
      this.i32[prev * I32 + C_NEXT] = next;
      return;
    }
    this.slots[slot] = next;
    if (next === 0) this.bits[slot >>> 5] &= ~(1 << (slot & 31));
  }

  private heap_add(id: number): void {
    if (this.heap_n === this.heap.length) {
      const bigger = new Int32Array(this.heap_n * 2);
      bigger.set(this.heap);
      this.heap = bigger;
    }
    this.i32[id * I32 + C_LIST] = HEAP;
    this.sift_up(this.heap_n++, id);
  }

  private heap_remove(pos: number): void {
    const last = this.heap[--this.heap_n];
    if (pos === this.heap_n) return;
    if (pos > 0 && this.before(last, this.heap[(pos - 1) >>> 1])) this.sift_up(pos, last);
    else this.sift_down(pos, last);
  }

  private sift_up(from: number, id: number): void {
    const heap = this.heap;
    let pos = from;
    while (pos > 0) {
      const up = (pos - 1) >>> 1;
      if (!this.before(id, heap[up])) break;
      heap[pos] = heap[up];
      this.i32[heap[pos] * I32 + C_NEXT] = pos;
      pos = up;
    }
    heap[pos] = id;
    this.i32[id * I32 + C_NEXT] = pos;
  }

  private sift_down(from: number, id: number): void {
    const heap = this.heap;
    const n = this.heap_n;
    let pos = from;
    for (;;) {
      let down = 2 * pos + 1;
      if (down >= n) break;
      if (down + 1 < n && this.before(heap[down + 1], heap[down])) down++;
      if (!this.before(heap[down], id)) break;
      heap[pos] = heap[down];
      this.i32[heap[pos] * I32 + C_NEXT] = pos;
      pos = down;
    }
    heap[pos] = id;
    this.i32[id * I32 + C_NEXT] = pos;
  }

  private before(a: number, b: number): boolean {
    const ta = this.f64[a * F64 + C_TIME];
    const tb = this.f64[b * F64 + C_TIME];
    return ta < tb || (ta === tb && this.f64[a * F64 + C_SEQ] < this.f64[b * F64 + C_SEQ]);
  }

  private grow(): void {
    this.row_max *= 2;
    const bigger = new Float64Array(this.row_max * F64);
    bigger.set(this.f64);
    this.f64 = bigger;
    this.i32 = new Int32Array(bigger.buffer);
  }
}
