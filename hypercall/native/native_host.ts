// The native host: Linux, through the addon. One per kernel; all of one thread share a NativeProcess.
//
//   const host = nativeHost();
//   const kernel = rump_init(host, [netComponent, inetComponent, virtifComponent]);
import { EBUSY, EPROGMISMATCH } from "../api/errno.ts";
import { HYPERCALL_VERSION, type Host, type Hyperup } from "../api/host.ts";
import { RUMPUSER_PARAM_SPIN_US } from "../api/param.ts";
import { SLAB_DEFAULT, slab_create } from "../slab/slab.ts";
import type { SlabMemory } from "../slab/slab_memory.ts";
import { NativeBus } from "./bus.ts";
import { NativeClock } from "./clock.ts";
import { type ConsoleSink, NativeConsole, stdioSink } from "./console.ts";
import { NativeDaemon } from "./daemonize.ts";
import { NativeErrno } from "./errno_cell.ts";
import { NativeExit } from "./exit.ts";
import { NativeFile } from "./files.ts";
import { NativeFrames } from "./frames.ts";
import { native_memory } from "./memory.ts";
import { NativeCtx } from "./native_ctx.ts";
import { NativeProcess } from "./native_process.ts";
import { NativeParam } from "./params.ts";
import { NativeRandom } from "./random.ts";
import { NativeSched } from "./sched.ts";
import { NativeSp } from "./sp.ts";
import { NativeThread } from "./threads.ts";

/** What may be different about one host. */
export interface NativeHostOptions {
  /** Parameters of the kernel; they win over the environment. */
  readonly params?: Readonly<Record<string, string>>;
  /** Where the console goes; standard output by default. */
  readonly console?: ConsoleSink;
  /** The thread's part, shared with other kernels; the default one when absent. */
  readonly process?: NativeProcess;
}

/** The host of one kernel. */
export class NativeHost implements Host {
  readonly name = "native";
  readonly memory: SlabMemory;
  readonly clock: NativeClock;
  readonly sched: NativeSched;
  readonly param: NativeParam;
  readonly console: NativeConsole;
  readonly random: NativeRandom = new NativeRandom();
  readonly file: NativeFile;
  readonly thread: NativeThread;
  readonly errno: NativeErrno = new NativeErrno();
  readonly daemon: NativeDaemon = new NativeDaemon();
  readonly sp: NativeSp;
  readonly exit: NativeExit = new NativeExit();
  readonly frames: NativeFrames;
  readonly bus: NativeBus;
  /** The thread's part. */
  readonly process: NativeProcess;
  private readonly cx: NativeCtx;

  constructor(process: NativeProcess, options: NativeHostOptions) {
    this.process = process;
    this.cx = new NativeCtx(process);
    this.param = new NativeParam(options.params ?? {}, globalThis.process.env);
    this.memory = native_memory(process, this.param);
    process.spin_ns = Math.max(process.spin_ns, spin_ns(this.param.rumpuser_getparam(RUMPUSER_PARAM_SPIN_US)));
    this.clock = new NativeClock(this.cx);
    this.sched = new NativeSched(this.cx);
    this.console = new NativeConsole(options.console ?? stdioSink);
    this.file = new NativeFile(this.cx);
    this.thread = new NativeThread(this.cx);
    this.sp = new NativeSp(this.cx);
    this.frames = new NativeFrames(this.cx);
    this.bus = new NativeBus(this.cx);
  }

  rumpuser_init(version: number, up: Hyperup): number {
    if (version !== HYPERCALL_VERSION) return EPROGMISMATCH;
    if (this.cx.up !== null) return EBUSY;
    this.cx.up = up;
    return 0;
  }

  /** Give back whatever the kernel still holds: it has been shut down, or has died. The host is of no use afterwards. */
  close(): void {
    this.sp.rumpuser_sp_fini();
    this.frames.close_all();
    this.bus.close_all();
    this.file.close_all();
    this.memory.release_all();
  }
}

/** Longest RUMP_SPIN_US. */
const SPIN_MAX_US = 100_000;

/** RUMP_SPIN_US in ns. Throws RangeError when it is none. */
function spin_ns(text: string | null): number {
  if (text === null || text === "") return 0;
  const us = /^[0-9]{1,6}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
  if (us > SPIN_MAX_US)
    throw new RangeError(`${RUMPUSER_PARAM_SPIN_US}=${text}: give microseconds, 0 to ${SPIN_MAX_US}`);
  return us * 1000;
}

/** The default NativeProcess of this thread, made at the first use: a slab is too large to make one for each kernel. */
let of_this_thread: NativeProcess | null = null;

/** A new native host. Throws NativeHostError, which names the cure, when the addon cannot be loaded; RangeError for a parameter that makes no sense. */
export function nativeHost(options: NativeHostOptions = {}): NativeHost {
  return new NativeHost(options.process ?? nativeProcess(), options);
}

/** The default NativeProcess of this thread. `slab_bytes` counts only at the first call. */
export function nativeProcess(slab_bytes: number = SLAB_DEFAULT): NativeProcess {
  of_this_thread ??= new NativeProcess(slab_create(slab_bytes));
  return of_this_thread;
}
