// A simulated world: hosts, wires and buses in one process and one slab, under a clock that moves only when it is told to. The same seed and
// the same calls give the same run, event for event.
import { type WasmSlab, slab_create } from "../slab/slab.ts";
import { SlabPages } from "../slab/slab_pages.ts";
import { EventQueue, type SimTarget } from "./event_queue.ts";
import { FramePool } from "./frame_pool.ts";
import type { SimRegion } from "./sim_bus.ts";
import type { SimFile } from "./sim_file.ts";
import { SimHost, type SimHostOptions } from "./sim_host.ts";
import type { SimSp } from "./sim_sp.ts";
import { StormWatch } from "./sim_storm.ts";
import { SimWire } from "./wire.ts";
import { type FrameSink, SimPort } from "./wire_port.ts";
import type { WireSettings } from "./wire_settings.ts";
import type { WireTrace } from "./wire_stat.ts";

/** Default bytes of a world's slab. */
export const SIM_SLAB_BYTES: number = 64 * 1024 * 1024;
/** Default events that may happen at one instant before the world says that it stands still. */
export const SIM_STORM_LIMIT = 1_000_000;
/** Default ns from a kick of a bus to the kernel it wakes. */
export const SIM_KICK_NS = 1000;
/** Default time of day at time 0, in seconds: 2001-09-09T01:46:40Z. */
export const SIM_WALL_SEC = 1_000_000_000;
/** The clock starts here, not at 0, so that no time is mistaken for "never". */
export const SIM_START_NS = 1_000_000_000;

/** How a world begins. */
export interface SimWorldOptions {
  /** Seed of all randomness; 1 by default. */
  readonly seed?: number;
  /** Bytes of the slab. */
  readonly slabBytes?: number;
  /** Slab to use instead of a new one: a world of its own, in memory that is reused. */
  readonly slab?: WasmSlab;
  /** See SIM_STORM_LIMIT. */
  readonly stormLimit?: number;
  /** See SIM_KICK_NS. */
  readonly kick_ns?: number;
  /** See SIM_WALL_SEC. */
  readonly wall_sec?: number;
}

/** Sees every event just before it happens. */
export type EventLog = (now_ns: number, target: string, arg: number) => void;

/** The world. */
export class SimWorld {
  /** Seed of all randomness. */
  readonly seed: number;
  /** The one slab. */
  readonly slab: WasmSlab;
  /** Its free list. */
  readonly pages: SlabPages;
  /** Frames on wires. */
  readonly frames: FramePool;
  /** What will happen. */
  readonly queue: EventQueue = new EventQueue();
  /** Files, by name. */
  readonly files: Map<string, SimFile> = new Map();
  /** Bus regions, by name. */
  readonly regions: Map<string, SimRegion> = new Map();
  /** Wires, by name. */
  readonly wires: Map<string, SimWire> = new Map();
  /** Who serves which URL. */
  readonly servers: Map<string, SimSp> = new Map();
  /** Time of day at time 0, in seconds. */
  readonly wall_sec: number;
  /** From kick to upcall. */
  readonly kick_ns: number;
  /** Now. */
  now_ns: number = SIM_START_NS;
  /** Events and deferred runs so far. */
  events = 0;
  /** Sees the frames of all wires, or null. */
  trace: WireTrace | null = null;
  /** Sees the events, or null. */
  log: EventLog | null = null;

  private readonly hosts: Map<string, SimHost> = new Map();
  private readonly storm: StormWatch;
  private defer_hosts: SimHost[] = [];
  private defer_runs: (() => void)[] = [];
  private running = false;

  constructor(options: SimWorldOptions) {
    this.seed = options.seed ?? 1;
    this.slab = options.slab ?? slab_create(options.slabBytes ?? SIM_SLAB_BYTES);
    this.pages = new SlabPages(this.slab.buffer.byteLength);
    this.frames = new FramePool(this.pages);
    this.storm = new StormWatch(options.stormLimit ?? SIM_STORM_LIMIT);
    this.wall_sec = options.wall_sec ?? SIM_WALL_SEC;
    this.kick_ns = options.kick_ns ?? SIM_KICK_NS;
  }

  /** The living host of that name, or a new one; after kill() a new one that starts afresh. */
  host(name: string, options: SimHostOptions = {}): SimHost {
    const had = this.hosts.get(name);
    if (had?.alive === true) return had;
    const host = new SimHost(this, name, had === undefined ? 0 : had.incarnation + 1, options);
    this.hosts.set(name, host);
    return host;
  }

  /** The wire of that name, made if need be; `settings` change it. Throws WireSettingError. */
  wire(name: string, settings: WireSettings = {}): SimWire {
    const had = this.wires.get(name);
    if (had !== undefined) {
      had.set(settings);
      return had;
    }
    if (name === "") throw new RangeError("a wire needs a name");
    const wire = new SimWire(this, name, settings);
    this.wires.set(name, wire);
    return wire;
  }

  /** An end of `wire` for a program called `owner`: `sink` gets what comes, SimPort.send sends, close ends it. */
  end(wire: string, owner: string, sink: FrameSink): SimPort {
    const port = new SimPort(this.wire(wire), null, owner, null);
    port.sink = sink;
    port.wire.attach(port);
    return port;
  }

  /** A kernel dies at this instant: nothing of it runs any more; its locks are free, its wires and streams end, its memory is taken back. */
  kill(host: SimHost): void {
    if (host.alive) host.die();
  }

  /** Remove a bus region that nobody has open. */
  bus_remove(name: string): boolean {
    const region = this.regions.get(name);
    if (region === undefined || region.handles.size > 0) return false;
    this.pages.free(region.off, region.len);
    return this.regions.delete(name);
  }

  /** Let `ns` nanoseconds pass; 0 runs what is due now. */
  advance(ns: number): void {
    if (!(ns >= 0)) throw new RangeError(`advance by ${ns} ns: time does not go back`);
    const end = Math.round(this.now_ns + ns);
    this.begin();
    try {
      while (this.step(end)) continue;
      this.now_ns = end;
    } finally {
      this.running = false;
    }
  }

  /** Let time pass until `cond` holds, at most `max_ns`. @returns whether it holds; time stops at the event that made it so. */
  run_until(cond: () => boolean, max_ns: number): boolean {
    const end = Math.round(this.now_ns + max_ns);
    this.begin();
    try {
      while (!cond()) {
        if (this.step(end)) continue;
        this.now_ns = end;
        return cond();
      }
      return true;
    } finally {
      this.running = false;
    }
  }

  /** Run until nothing is left to happen, at most `max_events` events. @returns whether nothing is left. Kernels with timers never get there. */
  run_until_idle(max_events: number = SIM_STORM_LIMIT): boolean {
    this.begin();
    try {
      for (let n = 0; n < max_events; n++) if (!this.step(Number.POSITIVE_INFINITY)) return true;
      return this.queue.size === 0 && this.defer_runs.length === 0;
    } finally {
      this.running = false;
    }
  }

  /** Schedule an event; one that lies in the past happens now. @returns its id in the queue. hot */
  at(time_ns: number, target: SimTarget, arg: number): number {
    return this.queue.add(this.instant(time_ns), target, arg);
  }

  /** A whole ns that is not before now. hot */
  instant(time_ns: number): number {
    const t = Math.ceil(time_ns);
    return t > this.now_ns ? t : this.now_ns;
  }

  /** Run `run` before time passes, after those that were asked for earlier. */
  defer(host: SimHost, run: () => void): void {
    this.defer_hosts.push(host);
    this.defer_runs.push(run);
  }

  /** Whether `len` bytes at `off` lie in the slab, and not at its null. */
  in_slab(off: number, len: number): boolean {
    return off > 0 && len >= 0 && off + len <= this.slab.buffer.byteLength;
  }

  private begin(): void {
    if (this.running)
      throw new Error("the world is running: advance and run_until may not be called from within an event");
    this.running = true;
    this.storm.begin();
  }

  /** One event with the deferred work before it. @returns false when there is nothing up to `end`. hot */
  private step(end: number): boolean {
    if (this.defer_runs.length > 0) this.run_deferred();
    const id = this.queue.first();
    if (id === -1) return false;
    const time = this.queue.times[id];
    if (time > end) return false;
    const target = this.queue.targets[id];
    const arg = this.queue.args[id];
    if (time !== this.now_ns) {
      this.now_ns = time;
      this.storm.begin();
    }
    this.storm.count(target.sim_name, time);
    this.queue.remove(id);
    this.events++;
    if (this.log !== null) this.log(time, target.sim_name, arg);
    target.sim_fire(arg);
    if (this.defer_runs.length > 0) this.run_deferred();
    return true;
  }

  private run_deferred(): void {
    for (let i = 0; i < this.defer_runs.length; i++) {
      const host = this.defer_hosts[i];
      if (!host.alive) continue;
      this.events++;
      this.storm.count(host.hostname, this.now_ns);
      if (this.log !== null) this.log(this.now_ns, `${host.hostname}: deferred`, 0);
      try {
        this.defer_runs[i]();
      } catch (error) {
        // what was not run yet stays
        this.defer_hosts.splice(0, i + 1);
        this.defer_runs.splice(0, i + 1);
        throw error;
      }
    }
    this.defer_hosts.length = 0;
    this.defer_runs.length = 0;
  }
}

/** A new world. */
export function simWorld(options: SimWorldOptions = {}): SimWorld {
  return new SimWorld(options);
}
