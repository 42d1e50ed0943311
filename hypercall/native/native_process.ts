// What all native kernels of one thread share: the addon, the slab, the timer descriptor, and the queue of work that kernels put off.
//
// "Entered" means that some kernel's code runs below a callback of this host. When the outermost entry ends, deferred work is run, so that
// two kernels of one process hand each other packets without a turn of the event loop; after DEFER_NS the event loop gets a turn.
import type { Slab } from "../api/memory.ts";
import { SlabPages } from "../slab/slab_pages.ts";
import { loadAddon, type RegionHandle, type RumpuserAddon } from "./addon.ts";
import { Alarms } from "./alarms.ts";
import type { SharedRegion } from "./bus.ts";

/** How long deferred work may run between two turns of the event loop. */
const DEFER_NS = 1e6;
/** What microtasks are hung on. */
const SETTLED: Promise<void> = Promise.resolve();
/** Pieces of deferred work between two looks at the clock. */
const DEFER_BURST = 16;

/** The thread's part of the native host. */
export class NativeProcess {
  readonly addon: RumpuserAddon;
  readonly slab: Slab;
  readonly region: RegionHandle;
  /** Who owns which part of the slab. */
  readonly pages: SlabPages;
  readonly alarms: Alarms;
  /** The socket that kicks are sent from. */
  readonly kick_fd: number;
  /** Open regions of shared memory by device and inode (bus.ts). */
  readonly shared: Map<string, SharedRegion> = new Map<string, SharedRegion>();

  private depth = 0;
  /** What was put off is in head..tail-1. The array keeps its size: emptying it would make the next push allocate. */
  private queue: ((() => void) | null)[] = [];
  private head = 0;
  private tail = 0;
  private scheduled = false;
  private draining = false;
  private readonly drain_soon: () => void;
  /** How long after kernel code has run the thread looks for more instead of sleeping (RUMP_SPIN_US); 0: it sleeps at once. */
  spin_ns = 0;
  private spin_until_ns = 0;
  /** Whether it looks now. */
  spinning = false;
  private readonly spin_turn: () => void;

  constructor(slab: Slab, addon: RumpuserAddon = loadAddon()) {
    this.addon = addon;
    this.slab = slab;
    this.region = addon.slab_register(slab.u8);
    if (this.region < 0) throw new Error(`the slab cannot be registered: Linux errno ${-this.region}`);
    this.pages = new SlabPages(slab.u8.length);
    this.alarms = new Alarms(addon, this);
    this.kick_fd = addon.kick_open("");
    if (this.kick_fd < 0) throw new Error(`no socket for kicks: Linux errno ${-this.kick_fd}`);
    this.drain_soon = () => {
      this.scheduled = false;
      this.run_deferred();
    };
    this.spin_turn = () => {
      this.spinning = this.addon.clock_monotonic() < this.spin_until_ns;
      if (this.spinning) setImmediate(this.spin_turn);
    };
  }

  /** Whether kernel code runs below a callback of this host. */
  entered(): boolean {
    return this.depth > 0;
  }

  /** Begin a callback that will run kernel code. Nests. hot */
  enter(): void {
    this.depth++;
  }

  /** End it; the outermost one runs what was put off. hot */
  leave(): void {
    if (--this.depth > 0) return;
    if (this.head < this.tail) this.run_deferred();
    this.alarms.settle();
    if (this.spin_ns > 0) this.spin();
  }

  /** Keep the event loop from sleeping for spin_ns from now: it looks at its descriptors again and again. */
  private spin(): void {
    this.spin_until_ns = this.addon.clock_monotonic() + this.spin_ns;
    if (this.spinning) return;
    this.spinning = true;
    setImmediate(this.spin_turn);
  }

  /** Run `run` as one entry. */
  entry(run: () => void): void {
    this.enter();
    try {
      run();
    } finally {
      this.leave();
    }
  }

  /** Run `run` soon, after what was put off before. hot */
  defer(run: () => void): void {
    this.queue[this.tail++] = run;
    if (this.depth > 0 || this.draining || this.scheduled) return;
    this.scheduled = true;
    // Not queueMicrotask, which makes an async resource each time.
    void SETTLED.then(this.drain_soon);
  }

  /** Run deferred work now, for DEFER_NS at most; the event loop goes on with the rest. Does nothing inside an entry. */
  run_deferred(): void {
    if (this.draining || this.depth > 0) return;
    this.draining = true;
    let left = DEFER_BURST;
    let until = 0;
    try {
      while (this.head < this.tail) {
        const run = this.queue[this.head];
        this.queue[this.head++] = null;
        run?.();
        if (--left > 0) continue;
        const now = this.addon.clock_monotonic();
        if (until === 0) until = now + DEFER_NS;
        else if (now > until) break;
        left = DEFER_BURST;
      }
    } finally {
      this.draining = false;
      this.rest();
    }
  }

  private rest(): void {
    if (this.head >= this.tail) {
      this.head = 0;
      this.tail = 0;
    } else {
      this.queue = this.queue.slice(this.head, this.tail);
      this.tail = this.queue.length;
      this.head = 0;
      if (!this.scheduled) {
        this.scheduled = true;
        setImmediate(this.drain_soon);
      }
    }
    this.alarms.settle();
  }
}
