// A simulated wire: two ends, or many, when every end hears every other. What a frame meets on its way, in this order: the sender's queue and
// rate, then for each receiver loss, duplication, corruption, delay with jitter, reordering.
import { SimRandom } from "./sim_random.ts";
import type { SimWorld } from "./sim_world.ts";
import { SimLink } from "./wire_link.ts";
import type { SimPort } from "./wire_port.ts";
import { type WireConfig, WIRE_DEFAULTS, type WireSettings, wire_config } from "./wire_settings.ts";
import {
  WD_COUNT,
  WD_DOWN,
  WD_GEMODEL,
  WD_LOSS,
  WD_NOBODY,
  WD_NOMEM,
  WD_QUEUE,
  WT_DELIVER,
  WT_DROP,
  WT_SEND,
  type WireTrace,
  wire_drop_names,
} from "./wire_stat.ts";

/** A frame on its way; pooled. */
class Flight {
  frame = -1;
  from: SimPort | null = null;
  from_epoch = 0;
  to_epoch = 0;
}

/** One wire. */
export class SimWire {
  /** Its name, by which hosts open it. */
  readonly name: string;
  /** Its world. */
  readonly world: SimWorld;
  /** Settings of every end that has none of its own. */
  config: WireConfig;
  /** Whether it carries anything. */
  up = true;
  /** Frames handed to it. */
  sent = 0;
  /** Copies that were read by their receivers: one frame to n receivers is n. */
  received = 0;
  /** Copies that were made because of `duplicate`. */
  duplicated = 0;
  /** Copies with a wrong bit. */
  corrupted = 0;
  /** Copies that were held back. */
  reordered = 0;
  /** Frames or copies that went no further, by reason (WD_*). */
  readonly drops: Float64Array = new Float64Array(WD_COUNT);
  /** Copies on the way. */
  in_flight = 0;
  /** Sees the frames of this wire, or null; the world has one for all wires. */
  trace: WireTrace | null = null;

  private readonly ports: SimPort[] = [];
  private readonly links: Map<string, SimLink> = new Map();
  private readonly flights: Flight[] = [];
  private readonly free: number[] = [];

  constructor(world: SimWorld, name: string, settings: WireSettings) {
    this.world = world;
    this.name = name;
    this.config = wire_config(name, WIRE_DEFAULTS, settings);
  }

  /** The ends that are open. */
  get ends(): readonly SimPort[] {
    return this.ports;
  }

  /** Change settings of all ends from now on; frames on the way keep theirs. */
  set(settings: WireSettings): void {
    this.config = wire_config(this.name, this.config, settings);
    for (const port of this.ports) port.config = wire_config(this.name, port.config, settings);
  }

  /** Change settings of what host `sender` (or the program end of that name) sends. Throws when it has no end here. */
  set_from(sender: string, settings: WireSettings): void {
    for (const port of this.ends_of(sender)) port.config = wire_config(this.name, port.config, settings);
  }

  /** Cut the wire or mend it; with `end`, only at that host or program. What is on the way is lost, and counted, when it is cut. */
  set_up(up: boolean, end?: string): void {
    if (end !== undefined) {
      for (const port of this.ends_of(end)) port.set_up(up);
      return;
    }
    if (this.up === up) return;
    this.up = up;
    for (const port of this.ports) port.link_changed();
  }

  /** Counters as text, for people and failed tests. */
  report(): string {
    const drops = wire_drop_names
      .map((reason, i) => (this.drops[i] > 0 ? `, ${this.drops[i]} ${reason}` : ""))
      .join("");
    return `${this.name}: ${this.sent} sent, ${this.received} received, ${this.in_flight} on the way${drops}`;
  }

  /** Plug an end in. */
  attach(port: SimPort): void {
    this.ports.push(port);
  }

  /** Pull an end out. */
  detach(port: SimPort): void {
    const i = this.ports.indexOf(port);
    if (i !== -1) this.ports.splice(i, 1);
    for (const other of this.ports) other.links.delete(port);
  }

  /** Name for the next end of `owner`: its number, too, when it has one already. */
  end_name(owner: string): string {
    const had = this.ports.filter((port) => port.owner === owner).length;
    return had === 0 ? `${owner}/${this.name}` : `${owner}/${this.name}#${had + 1}`;
  }

  /** A frame leaves `from`. Takes the frame. hot */
  transmit(from: SimPort, frame: number): void {
    const world = this.world;
    const pool = world.frames;
    const len = pool.lens[frame];
    if (this.trace !== null || world.trace !== null) this.report_frame(WT_SEND, 0, from, frame);
    if (!from.link_up()) return this.dropped(WD_DOWN, from, frame);
    if (this.ports.length < 2) return this.dropped(WD_NOBODY, from, frame);
    if (from.txq.full(from.config, world.now_ns, len)) return this.dropped(WD_QUEUE, from, frame);
    const leaves = from.txq.push(from.config, world.now_ns, len);
    for (let i = 0; i < this.ports.length; i++) {
      const to = this.ports[i];
      if (to !== from) this.send_copy(from, to, frame, leaves);
    }
    pool.put(frame);
  }

  /** Flight `id` has come to `to`. hot */
  land(to: SimPort, id: number): void {
    const flight = this.flights[id];
    const frame = flight.frame;
    const from = flight.from;
    this.in_flight--;
    this.free.push(id);
    flight.from = null;
    const cut = from === null || flight.from_epoch !== from.epoch || flight.to_epoch !== to.epoch || !to.link_up();
    if (cut) this.dropped(WD_DOWN, to, frame);
    else to.arrive(frame);
  }

  /** A copy was read. Takes the frame. hot */
  delivered(port: SimPort, frame: number): void {
    this.received++;
    if (this.trace !== null || this.world.trace !== null) this.report_frame(WT_DELIVER, 0, port, frame);
    this.world.frames.put(frame);
  }

  /** A copy goes no further. Takes the frame. */
  dropped(reason: number, port: SimPort, frame: number): void {
    this.drops[reason]++;
    if (this.trace !== null || this.world.trace !== null) this.report_frame(WT_DROP, reason, port, frame);
    this.world.frames.put(frame);
  }

  private report_frame(kind: number, reason: number, port: SimPort, frame: number): void {
    const world = this.world;
    const off = world.frames.offs[frame];
    const len = world.frames.lens[frame];
    this.trace?.(kind, reason, this.name, port.sim_name, off, len, world.now_ns);
    world.trace?.(kind, reason, this.name, port.sim_name, off, len, world.now_ns);
  }

  /** One receiver's copy through loss, duplication and the rest. hot */
  private send_copy(from: SimPort, to: SimPort, frame: number, leaves: number): void {
    const config = from.config;
    const link = this.link(from, to);
    const pool = this.world.frames;
    pool.refs[frame]++;
    if (config.gemodel !== null && this.gemodel_loses(link, config)) return this.dropped(WD_GEMODEL, to, frame);
    if (link.random.chance(config.loss)) return this.dropped(WD_LOSS, to, frame);
    if (link.random.chance(config.duplicate)) {
      pool.refs[frame]++;
      this.duplicated++;
      this.launch(from, to, link, frame, leaves);
    }
    this.launch(from, to, link, frame, leaves);
  }

  private launch(from: SimPort, to: SimPort, link: SimLink, frame: number, leaves: number): void {
    const config = from.config;
    const carried = link.random.chance(config.corrupt) ? this.corrupt(link, to, frame) : frame;
    if (carried === -1) return;
    let at = leaves + config.delay_ns;
    if (config.jitter_ns > 0) at = Math.max(leaves, Math.round(at + config.jitter_ns * deviate(link.random, config)));
    if (link.random.chance(config.reorder)) {
      at += config.reorder_ns;
      this.reordered++;
    }
    const id = this.free.pop() ?? this.flights.push(new Flight()) - 1;
    const flight = this.flights[id];
    flight.frame = carried;
    flight.from = from;
    flight.from_epoch = from.epoch;
    flight.to_epoch = to.epoch;
    this.in_flight++;
    this.world.at(at, to, id);
  }

  private gemodel_loses(link: SimLink, config: WireConfig): boolean {
    const model = config.gemodel;
    if (model === null) return false;
    if (link.random.chance(link.bad ? model.r : model.p)) link.bad = !link.bad;
    return !link.random.chance(link.bad ? (model.h ?? 0) : (model.k ?? 1));
  }

  /** A copy of `frame` with one wrong bit, in its place. */
  private corrupt(link: SimLink, to: SimPort, frame: number): number {
    const pool = this.world.frames;
    const len = pool.lens[frame];
    if (len === 0) return frame;
    const copy = pool.get(len);
    if (copy === -1) {
      this.dropped(WD_NOMEM, to, frame);
      return -1;
    }
    const off = pool.offs[copy];
    const bit = link.random.below(len * 8);
    this.world.slab.u8.copyWithin(off, pool.offs[frame], pool.offs[frame] + len);
    this.world.slab.u8[off + (bit >>> 3)] ^= 1 << (bit & 7);
    this.corrupted++;
    pool.put(frame);
    return copy;
  }

  private link(from: SimPort, to: SimPort): SimLink {
    let link = from.links.get(to);
    if (link !== undefined) return link;
    const name = `wire ${this.name}: ${from.sim_name} to ${to.sim_name}`;
    link = this.links.get(name) ?? new SimLink(new SimRandom(this.world.seed, name));
    this.links.set(name, link);
    from.links.set(to, link);
    return link;
  }

  private ends_of(name: string): SimPort[] {
    const ends = this.ports.filter((port) => port.owner === name);
    if (ends.length === 0) {
      const known = this.ports.map((port) => port.owner).join(", ");
      throw new RangeError(`wire ${this.name}: no end belongs to ${name}; there are: ${known || "none"}`);
    }
    return ends;
  }
}

/** How far from the mean, in units of the jitter. */
function deviate(random: SimRandom, config: WireConfig): number {
  if (config.dist === "normal") return random.normal();
  return config.dist === "pareto" ? random.pareto() : 2 * random.uniform() - 1;
}
