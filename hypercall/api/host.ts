// The whole hypercall interface: what a kernel may ask of the host it runs on, and nothing else. One interface a group, as in rumpuser(3)
// version 17; docs/reference/hypercalls.md says which of its calls were kept, changed or left out, and why.
//
// Rules for every call, unless its comment says otherwise:
// - An `int` result is 0 or a NetBSD errno (errno.ts). The host translates its own numbers; a kernel never sees them.
// - No call blocks, throws or returns a promise. What takes time ends in a callback, and never inside the call that started it.
// - Before an upcall the host calls hyp_schedule of that kernel, after it hyp_unschedule: kernel code always runs inside that bracket.
// - Memory is named by slab offset. Whoever is said to own a range may reuse it; nobody else touches it.
// - Times are nanoseconds in a number (a double: exact for 104 days, then to 2 ns), or a Timespec where seconds since 1970 are meant.
import type { HyperBus } from "./bus.ts";
import type { HyperClock } from "./clock.ts";
import type { HyperConsole } from "./console.ts";
import type { HyperDaemon } from "./daemon.ts";
import type { HyperErrno } from "./error.ts";
import type { HyperExit } from "./exit.ts";
import type { HyperFile } from "./file.ts";
import type { HyperFrames } from "./frames.ts";
import type { HyperMemory } from "./memory.ts";
import type { HyperParam } from "./param.ts";
import type { HyperRandom } from "./random.ts";
import type { HyperSched } from "./sched.ts";
import type { HyperSp } from "./sp.ts";
import type { HyperThread } from "./thread.ts";

/** Version of this contract: 17 for the rumpuser it follows, then our own revision. A kernel runs only on a host of exactly this version. */
export const HYPERCALL_VERSION: number = 17_001;

/**
 * How the host enters a kernel. Source: rumpuser_init(3), struct rumpuser_hyperup; of its upcalls these two are left, because a kernel here
 * has one thread and its processes live above it.
 */
export interface Hyperup {
  /** Called before every upcall into the kernel. Nests. */
  hyp_schedule(): void;
  /** Called after every upcall. The outermost one runs what the kernel has put off. */
  hyp_unschedule(): void;
}

/** The host of one kernel. Several kernels share a process, a slab or a simulated world, but never a Host. */
export interface Host {
  /** What kind of host it is: "native", "sim". For people; nothing is decided by it. */
  readonly name: string;

  /**
   * The first hypercall of a kernel. Hands over the upcalls.
   * @returns 0, or EPROGMISMATCH when `version` is not HYPERCALL_VERSION, or EBUSY when this host already has a kernel.
   * Source: rumpuser_init(3).
   */
  rumpuser_init(version: number, up: Hyperup): number;

  /** Memory: the slab and its pages. */
  readonly memory: HyperMemory;
  /** Clocks. */
  readonly clock: HyperClock;
  /** When the kernel is entered next: alarm and deferred work. */
  readonly sched: HyperSched;
  /** Parameters of the boot. */
  readonly param: HyperParam;
  /** Where the kernel prints. */
  readonly console: HyperConsole;
  /** Entropy. */
  readonly random: HyperRandom;
  /** Files and block I/O. */
  readonly file: HyperFile;
  /** Threads, and sleeping in them. */
  readonly thread: HyperThread;
  /** The errno of local clients. */
  readonly errno: HyperErrno;
  /** Going into the background. */
  readonly daemon: HyperDaemon;
  /** Byte streams to clients of this kernel in other processes. */
  readonly sp: HyperSp;
  /** The end. */
  readonly exit: HyperExit;
  /** Frames in and out of the kernel's network interfaces, or null on a host that has none. */
  readonly frames: HyperFrames | null;
  /** Shared-memory regions and kicks, or null on a host that has none. */
  readonly bus: HyperBus | null;
}
