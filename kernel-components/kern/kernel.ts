// The kernel: one instance of everything, and the bracket (enter, leave) in which all of its code runs.
import type { Host } from "../../hypercall/api/host.ts";
import type { HyperAlarm } from "../../hypercall/api/sched.ts";
import type { Slab } from "../../hypercall/api/memory.ts";
import { RUMPUSER_CLOCK_RELWALL } from "../../hypercall/api/clock.ts";
import type { Timespec } from "../../hypercall/api/clock.ts";
import { HYPERCALL_VERSION } from "../../hypercall/api/host.ts";
import { CalloutWheel } from "./callout_wheel.ts";
import { KernelConsole } from "./console.ts";
import { Devsw } from "./devsw.ts";
import { Evcnts } from "./evcnt.ts";
import { MbufPools } from "./mbuf.ts";
import { MbufMemory } from "./mbuf_memory.ts";
import { ProcTable } from "./proc_table.ts";
import { Arc4random } from "./random.ts";
import type { Wakeable } from "./wakeup.ts";
import { SOFTINT_CLOCK, Softints } from "./softint.ts";
import { SysctlTree } from "./sysctl.ts";

/** Sizes and names that the boot may change. */
export interface KernelOptions {
  /** Name for messages; the host name by default. */
  readonly name?: string;
  /** Most mbufs. */
  readonly nmbufs?: number;
  /** Most 2 KB clusters. */
  readonly nmbclusters?: number;
  /** Most jumbo clusters. */
  readonly nmbjumbo?: number;
  /** Bytes of the message buffer. */
  readonly msgbufsize?: number;
}

/** What was still held when the kernel had shut down; all zero and "" when everything was given back. */
export interface ShutdownReport {
  /** Mbufs not freed. */
  readonly mbufs: number;
  /** Clusters of both sizes not freed. */
  readonly clusters: number;
  /** Callouts not destroyed. */
  readonly callouts: number;
  /** Softints not disestablished. */
  readonly softints: number;
  /** Open files of all processes that shutdown had to close. */
  readonly files: number;
  /** One line for each kind that is not zero. */
  readonly text: string;
}

/** The key of a layer's state in a kernel. Each layer has one, made at load and holding nothing. */
export class SoftcKey<T> {
  /** Name for messages. */
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  /** Ties the key to the type of its value. */
  typed(value: T): T {
    return value;
  }
}

/** Work of a driver at the end of a kernel entry, such as handing a batch to the host. */
export class FlushHook {
  /** The work. */
  readonly fn: () => void;
  /** Whether it is asked for. */
  requested = false;

  constructor(fn: () => void) {
    this.fn = fn;
  }
}

/** The kernel found itself broken. Nothing of it runs any more. */
export class KernelPanic extends Error {
  override readonly name = "KernelPanic";
}

/** Largest slab: its offsets stay within the small integers that the engine keeps unboxed. */
const SLAB_LIMIT: number = 2 ** 31;
/** Bits of Kernel.pended: softints. */
const PEND_SOFTINT = 1;
/** Bits of Kernel.pended: flush hooks. */
const PEND_FLUSH = 2;
/** Bits of Kernel.pended: the callouts' alarm must move. */
const PEND_ALARM = 4;
/** Bits of Kernel.pended: waiting lwps to wake. */
const PEND_WAKE = 8;
/** Softints run in one leave before the host gets a turn. */
const LEAVE_BUDGET = 4096;
/** Rounds of softints, wake-ups and flushes in one leave before the host gets a turn. */
const LEAVE_ROUNDS = 64;

/** What stands in place of who has been woken, so that nobody is kept from being collected. */
const NOBODY: Wakeable = { w_woken: false, w_wakeup: () => undefined };

/** One kernel. Several live in one process; nothing is shared between them but the slab. */
export class Kernel {
  /** The hypercalls. */
  readonly host: Host;
  /** The process's slab. */
  readonly slab: Slab;
  /** The slab's bytes. */
  readonly u8: Uint8Array;
  /** The slab for multi-byte access. */
  readonly dv: DataView;
  /** The slab as words. */
  readonly i32: Int32Array;
  /** Name for messages: the host name unless the options say otherwise. */
  name: string;
  /** kern.hostname. */
  hostname = "";
  /** kern.domainname. */
  domainname = "";
  /** Mbuf pools. */
  readonly mb: MbufPools;
  /** Callouts. */
  readonly callouts: CalloutWheel;
  /** Softints. */
  readonly softints: Softints = new Softints();
  /** The sysctl tree. */
  readonly sysctl: SysctlTree;
  /** Event counters. */
  readonly evcnts: Evcnts = new Evcnts();
  /** Device nodes. */
  readonly devsw: Devsw = new Devsw();
  /** Processes. */
  readonly procs: ProcTable;
  /** Console and message buffer. */
  readonly cons: KernelConsole;
  /** Host clock at boot in ns. */
  readonly boot_ns: number;
  /** Why it panicked, or null. */
  panicstr: string | null = null;
  /** Whether shutdown has run. */
  dead = false;

  private depth = 0;
  private pended = 0;
  private clock_stale = true;
  private clock_ns: number;
  private readonly alarm: HyperAlarm;
  private readonly rng: Arc4random;
  private readonly softcs: Map<SoftcKey<unknown>, unknown> = new Map<SoftcKey<unknown>, unknown>();
  private readonly flush_hooks: FlushHook[] = [];
  private readonly finis: ((k: Kernel) => void)[] = [];
  /** Who is to be woken: the first nwoken. The two arrays keep their sizes, since emptying one would make the next wake-up allocate. */
  private woken: Wakeable[] = [];
  private nwoken = 0;
  private waking: Wakeable[] = [];
  private deferred = false;
  private readonly clock_softint: number;
  private readonly deferred_run: () => void;

  constructor(host: Host, options: KernelOptions) {
    this.host = host;
    this.slab = host.memory.slab;
    if (this.slab.u8.length > SLAB_LIMIT)
      throw new KernelPanic("the slab is larger than 2 GB: offsets must be small integers");
    this.u8 = this.slab.u8;
    this.dv = this.slab.dv;
    this.i32 = this.slab.i32;
    this.name = options.name ?? "";
    this.cons = new KernelConsole(host.console, host.param, options.msgbufsize);
    const error = host.rumpuser_init(HYPERCALL_VERSION, {
      hyp_schedule: () => this.enter(),
      hyp_unschedule: () => this.leave(),
    });
    if (error !== 0)
      throw new KernelPanic(
        `host ${host.name} speaks another hypercall version than ${HYPERCALL_VERSION}: errno ${error}`,
      );
    this.clock_ns = host.clock.rumpuser_clock_mono() + 0.0;
    this.boot_ns = this.clock_ns;
    this.mb = new MbufPools(new MbufMemory(host.memory), (msg) => this.panic(msg));
    this.mb.mem.nmbufs = options.nmbufs ?? this.mb.mem.nmbufs;
    this.mb.mem.nmbclusters = options.nmbclusters ?? this.mb.mem.nmbclusters;
    this.mb.mem.nmbjumbo = options.nmbjumbo ?? this.mb.mem.nmbjumbo;
    this.rng = new Arc4random(host.random, (msg) => this.panic(msg));
    this.sysctl = new SysctlTree();
    this.procs = new ProcTable(this);
    this.callouts = new CalloutWheel(this);
    this.clock_softint = this.softints.establish(SOFTINT_CLOCK, () => this.callouts.dispatch(), null);
    this.deferred_run = () => {
      this.deferred = false;
      this.enter();
      this.callouts.continue_dispatch();
      this.leave();
    };
    this.alarm = host.sched.rumpuser_alarm(() => {
      this.enter();
      this.callouts.alarm_fired();
      this.leave();
    });
  }

  /** The host's clock in ns, the same number for the whole of one entry into the kernel. hot */
  get now_ns(): number {
    if (this.clock_stale) this.clock_sample();
    return this.clock_ns;
  }

  /** Seconds since boot. */
  time_uptime(): number {
    return Math.floor((this.now_ns - this.boot_ns) / 1e9);
  }

  /** Wall clock time. */
  wall(ts: Timespec): void {
    this.host.clock.rumpuser_clock_gettime(RUMPUSER_CLOCK_RELWALL, ts);
  }

  /** Begin running kernel code (rump_schedule). May nest. hot */
  enter(): void {
    if (this.depth++ === 0) this.clock_stale = true;
  }

  /**
   * End running kernel code (rump_unschedule). The outermost one runs what was put off: softints by level, wake-ups of waiting
   * lwps, flush hooks, and last the alarm. hot
   */
  leave(): void {
    if (this.depth === 1) {
      if (this.pended !== 0) this.leave_slow();
      this.depth = 0;
    } else if (this.depth > 1) {
      this.depth--;
    } else {
      this.panic("leave without enter");
    }
  }

  /** Whether kernel code is running. */
  entered(): boolean {
    return this.depth > 0;
  }

  /** Register work for the end of kernel entries; request_flush asks for it. */
  on_flush(fn: () => void): FlushHook {
    const hook = new FlushHook(fn);
    this.flush_hooks.push(hook);
    return hook;
  }

  /** Run `hook` once when the kernel is left. hot */
  request_flush(hook: FlushHook): void {
    hook.requested = true;
    this.pended |= PEND_FLUSH;
    if (this.depth === 0) this.defer();
  }

  /** Remove a flush hook. */
  off_flush(hook: FlushHook): void {
    const i = this.flush_hooks.indexOf(hook);
    if (i !== -1) this.flush_hooks.splice(i, 1);
  }

  /** Wake `w` when the kernel is left; several wake-ups in one entry are one. hot */
  wakeup(w: Wakeable): void {
    if (w.w_woken) return;
    w.w_woken = true;
    this.woken[this.nwoken++] = w;
    this.pended |= PEND_WAKE;
    if (this.depth === 0) this.defer();
  }

  /** The state that a layer has set. Panics when there is none. */
  softc<T>(key: SoftcKey<T>): T {
    const v = this.softcs.get(key as SoftcKey<unknown>);
    if (v === undefined) this.panic(`softc: no ${key.name} in this kernel`);
    return v as T;
  }

  /** Set a layer's state. */
  softc_set<T>(key: SoftcKey<T>, value: T): void {
    this.softcs.set(key as SoftcKey<unknown>, value);
  }

  /** The state of a layer that may be missing. */
  softc_find<T>(key: SoftcKey<T>): T | null {
    return (this.softcs.get(key as SoftcKey<unknown>) as T | undefined) ?? null;
  }

  /** Remove a layer's state. */
  softc_delete<T>(key: SoftcKey<T>): void {
    this.softcs.delete(key as SoftcKey<unknown>);
  }

  /** An unpredictable number 0..2^32-1 (cprng_fast32). */
  random32(): number {
    return this.rng.next32() >>> 0;
  }

  /** An unpredictable number 0..n-1 without bias, n at most 2^32. */
  random_uniform(n: number): number {
    return this.rng.uniform(n);
  }

  /** Fill `bytes` with unpredictable bytes (cprng_fast). */
  random_bytes(bytes: Uint8Array): void {
    this.rng.bytes(bytes);
  }

  /** Stop the kernel: print why and throw KernelPanic. */
  panic(msg: string): never {
    if (this.panicstr === null) {
      this.panicstr = msg;
      this.cons.write(`panic: ${msg}\n`, true);
      this.alarm?.clear();
    }
    throw new KernelPanic(`${this.name === "" ? "" : `${this.name}: `}panic: ${msg}`);
  }

  /** Do `fn` at shutdown, before everything that was registered earlier. */
  on_shutdown(fn: (k: Kernel) => void): void {
    this.finis.push(fn);
  }

  /**
   * Detach all components in exact reverse order, close what is open, and tell what was not given back. After a panic nothing is
   * detached, and the memory stays taken: a device may still write to it. The host takes it back when it ends this kernel.
   */
  shutdown(): ShutdownReport {
    this.enter();
    let files = 0;
    if (!this.dead && this.panicstr === null) {
      files = this.procs.exit_all();
      for (let fn = this.finis.pop(); fn !== undefined; fn = this.finis.pop()) fn(this);
    }
    this.leave();
    this.dead = true;
    this.softints.disestablish(this.clock_softint);
    const report = this.leaks(files);
    this.alarm.close();
    if (this.panicstr === null) this.mb.close();
    return report;
  }

  /** Called by softint_schedule. hot */
  softint_pended(): void {
    this.pended |= PEND_SOFTINT;
    if (this.depth === 0) this.defer();
  }

  /** Called by the wheel: dispatch callouts soon. */
  callouts_due(): void {
    this.softints.schedule(this.clock_softint);
    this.softint_pended();
  }

  /** Called by the wheel: its first deadline has changed. hot */
  callouts_rearm(): void {
    this.pended |= PEND_ALARM;
    if (this.depth === 0) this.defer();
  }

  /** A system call with a timeout begins (1) or ends (-1) to wait: the host must not end for want of other work meanwhile. */
  alarm_hold(by: number): void {
    this.alarm.hold(by);
  }

  /** Enter and leave soon from the host, so that pended work runs. */
  defer(): void {
    if (this.deferred || this.dead) return;
    this.deferred = true;
    this.host.sched.rumpuser_defer(this.deferred_run);
  }

  private clock_sample(): void {
    this.clock_ns = this.host.clock.rumpuser_clock_mono();
    if (this.depth > 0) this.clock_stale = false;
  }

  private leave_slow(): void {
    if (this.panicstr !== null) return;
    let done = false;
    try {
      this.run_pended();
      done = true;
    } finally {
      if (!done) {
        this.depth = 0;
        // What was put off and has not run keeps its turn: it may be another client's.
        if (this.pended !== 0 && this.panicstr === null) this.defer();
      }
    }
  }

  private run_pended(): void {
    let budget = LEAVE_BUDGET;
    for (let round = 0; this.pended !== 0; round++) {
      while (this.softints.pending !== 0 && budget-- > 0) this.softints.run_one();
      if (this.softints.pending === 0) this.pended &= ~PEND_SOFTINT;
      if ((this.pended & PEND_WAKE) !== 0) this.run_wakeups();
      if ((this.pended & PEND_FLUSH) !== 0) this.run_flush();
      if ((this.pended & ~PEND_ALARM) === 0) {
        if ((this.pended & PEND_ALARM) !== 0) this.rearm();
        continue;
      }
      if (round >= LEAVE_ROUNDS || budget <= 0) {
        this.rearm();
        this.defer();
        return;
      }
    }
  }

  private rearm(): void {
    this.pended &= ~PEND_ALARM;
    const at = this.callouts.next_alarm();
    if (at === Number.POSITIVE_INFINITY) this.alarm.clear();
    else this.alarm.set(at);
  }

  private run_wakeups(): void {
    this.pended &= ~PEND_WAKE;
    const list = this.woken;
    const n = this.nwoken;
    this.woken = this.waking;
    this.nwoken = 0;
    this.waking = list;
    let i = 0;
    try {
      while (i < n) {
        const w = list[i];
        list[i++] = NOBODY;
        w.w_woken = false;
        w.w_wakeup();
      }
    } finally {
      if (i < n) this.wake_later(list, i, n);
    }
  }

  /** A wake-up has thrown: the others keep their turn. */
  private wake_later(list: Wakeable[], from: number, to: number): void {
    for (let i = from; i < to; i++) {
      this.woken[this.nwoken++] = list[i];
      list[i] = NOBODY;
    }
    this.pended |= PEND_WAKE;
    this.defer();
  }

  private run_flush(): void {
    const hooks = this.flush_hooks;
    for (let i = 0; i < hooks.length; i++) {
      const hook = hooks[i];
      if (!hook.requested) continue;
      hook.requested = false;
      hook.fn();
    }
    this.pended &= ~PEND_FLUSH;
    for (let i = 0; i < hooks.length; i++) if (hooks[i].requested) this.pended |= PEND_FLUSH;
  }

  private leaks(files: number): ShutdownReport {
    const used = this.mb.in_use();
    const clusters = used.clusters + used.jumbo + used.ext;
    const callouts = this.callouts.in_use;
    const softints = this.softints.count();
    const lines: string[] = [];
    if (used.mbufs !== 0) lines.push(this.mb.owner_report());
    if (clusters !== 0) lines.push(`${clusters} clusters not freed`);
    if (callouts !== 0) lines.push(`${callouts} callouts not destroyed`);
    if (softints !== 0) lines.push(`${softints} softints not disestablished`);
    return { mbufs: used.mbufs, clusters, callouts, softints, files, text: lines.join("\n") };
  }
}

/** Stop the kernel: print why and throw KernelPanic. */
export function panic(k: Kernel, msg: string): never {
  return k.panic(msg);
}

/** Stop with a message when a condition that must hold does not. */
export function KASSERT(cond: boolean, msg: string): void {
  if (!cond) throw new KernelPanic(`assertion failed: ${msg}`);
}
