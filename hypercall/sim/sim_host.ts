// The host of one kernel in a simulated world.
import { EBUSY, EPROGMISMATCH } from "../api/errno.ts";
import { HYPERCALL_VERSION, type Host, type Hyperup } from "../api/host.ts";
import { parseMemlimit, RUMPUSER_PARAM_MEMLIMIT } from "../api/param.ts";
import { SlabMemory } from "../slab/slab_memory.ts";
import { SimBus } from "./sim_bus.ts";
import { SimClock, SimSched } from "./sim_clock.ts";
import { SimConsole } from "./sim_console.ts";
import { SimExit } from "./sim_exit.ts";
import { SimFiles } from "./sim_file.ts";
import { SimFrames } from "./sim_frames.ts";
import { SimRandom } from "./sim_random.ts";
import { SimDaemon, SimEntropy, SimErrno, SimParam, SimThread } from "./sim_small.ts";
import { SimSp } from "./sim_sp.ts";
import type { SimWorld } from "./sim_world.ts";

/** What a host may be given. */
export interface SimHostOptions {
  /** Boot parameters (param.ts), such as RUMP_MEMLIMIT. */
  readonly params?: Readonly<Record<string, string>>;
}

/** One host. Made by SimWorld.host. */
export class SimHost implements Host {
  readonly name = "sim";
  /** Its name in the world, which is also the kernel's host name. */
  readonly hostname: string;
  /** Its world. */
  readonly world: SimWorld;
  /** How many hosts of this name the world had before. */
  readonly incarnation: number;
  /** Whether it runs; false after SimWorld.kill. */
  alive = true;
  /** What the kernel gave to rumpuser_exit, or null. */
  exit_value: number | null = null;

  readonly memory: SlabMemory;
  readonly clock: SimClock;
  readonly sched: SimSched;
  readonly param: SimParam;
  readonly console: SimConsole = new SimConsole();
  readonly random: SimEntropy;
  readonly file: SimFiles;
  readonly thread: SimThread = new SimThread();
  readonly errno: SimErrno = new SimErrno();
  readonly daemon: SimDaemon = new SimDaemon();
  readonly sp: SimSp;
  readonly exit: SimExit;
  readonly frames: SimFrames;
  readonly bus: SimBus;
  private up: Hyperup | null = null;

  constructor(world: SimWorld, hostname: string, incarnation: number, options: SimHostOptions) {
    this.world = world;
    this.hostname = hostname;
    this.incarnation = incarnation;
    this.param = new SimParam(hostname, options.params ?? {});
    this.memory = new SlabMemory(world.slab, world.pages, memory_limit(hostname, this.param));
    this.random = new SimEntropy(new SimRandom(world.seed, `host ${hostname} ${incarnation}`));
    this.clock = new SimClock(this);
    this.sched = new SimSched(this);
    this.file = new SimFiles(this);
    this.sp = new SimSp(this);
    this.exit = new SimExit(this);
    this.frames = new SimFrames(this);
    this.bus = new SimBus(this);
  }

  /** See Host. */
  rumpuser_init(version: number, up: Hyperup): number {
    if (version !== HYPERCALL_VERSION) return EPROGMISMATCH;
    if (this.up !== null) return EBUSY;
    this.up = up;
    return 0;
  }

  /** Enter the kernel, if there is one. hot */
  schedule(): void {
    if (this.up !== null) this.up.hyp_schedule();
  }

  /** Leave the kernel. hot */
  unschedule(): void {
    if (this.up !== null) this.up.hyp_unschedule();
  }

  /** Everything the host did for its kernel ends at this instant. Called by SimWorld.kill. */
  die(): void {
    this.alive = false;
    this.sched.close_all();
    this.bus.close_all();
    this.frames.close_all();
    this.sp.close_all();
    this.memory.release_all();
  }
}

function memory_limit(hostname: string, param: SimParam): number {
  const text = param.rumpuser_getparam(RUMPUSER_PARAM_MEMLIMIT);
  if (text === null) return Number.POSITIVE_INFINITY;
  const bytes = parseMemlimit(text);
  if (bytes <= 0)
    throw new RangeError(
      `host ${hostname}: ${RUMPUSER_PARAM_MEMLIMIT} is "${text}", but must be bytes such as 67108864 or 64m`,
    );
  return bytes;
}
