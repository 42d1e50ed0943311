// One end of a simulated wire: what it sends goes through its rate limit and its links, what it receives waits to be read.
import { ENXIO, EFAULT } from "../api/errno.ts";
import {
  FR_BATCH,
  FR_CAP,
  FR_FLAGS,
  FR_GSO_TYPE,
  FR_HDR,
  FR_IOV,
  FR_LEN,
  FR_NIOV,
  FR_OFF,
  FR_STRIDE,
  FRH_BYTES,
  FRH_DROPPED,
  FRH_OVER_CAP,
  FRH_OVER_OFF,
  FRH_STATUS,
  type FramePort,
  type FrameUp,
} from "../api/frames.ts";
import type { SimTarget } from "./event_queue.ts";
import { SIM_FRAME_MAX } from "./frame_pool.ts";
import type { SimHost } from "./sim_host.ts";
import type { SimWire } from "./wire.ts";
import type { SimLink } from "./wire_link.ts";
import { WD_CLOSED, WD_NOBUF, WD_NOMEM, WD_NOOVER, WD_RXQUEUE } from "./wire_stat.ts";
import type { WireConfig } from "./wire_settings.ts";
import { WireQueue } from "./wire_queue.ts";

/** Argument of a port's event: tell the driver that frames wait. Others are a flight. */
const EV_RX_READY = -1;
/** Argument of a port's event: tell the driver that it may send again. */
const EV_TX_READY = -2;
/** Argument of a port's event: tell the driver that the link is up. */
const EV_LINK_UP = -3;
/** Argument of a port's event: tell the driver that the link is down. */
const EV_LINK_DOWN = -4;

/** Receives the frames of an end that is a program. The bytes belong to it. */
export type FrameSink = (bytes: Uint8Array, now_ns: number) => void;

/** One end. */
export class SimPort implements FramePort, SimTarget {
  readonly sim_name: string;
  /** Where it is plugged in. */
  readonly wire: SimWire;
  /** Whose it is; null for a program's. */
  readonly host: SimHost | null;
  /** Name of the host or program. */
  readonly owner: string;
  /** The links to the other ends that it has sent to. */
  readonly links: Map<SimPort, SimLink> = new Map();
  /** Settings for what this end sends. */
  config: WireConfig;
  /** Whether this end is plugged in; a wire that is down is down for all its ends. */
  up = true;
  /** Closed for good. */
  closed = false;
  /** Rate limit and queue. */
  readonly txq: WireQueue = new WireQueue();
  /** Counts the times when the link went down: what was in flight then does not arrive. */
  epoch = 0;
  /** Called for each frame when the end is a program. */
  sink: FrameSink | null = null;

  private readonly driver: FrameUp | null;
  private readonly rxq: number[] = [];
  private rx_head = 0;
  private enabled = false;
  private told = false;
  private blocked = false;

  constructor(wire: SimWire, host: SimHost | null, owner: string, driver: FrameUp | null) {
    this.wire = wire;
    this.host = host;
    this.owner = owner;
    this.sim_name = wire.end_name(owner);
    this.driver = driver;
    this.config = wire.config;
  }

  /** Frames that wait to be read. */
  get waiting(): number {
    return this.rxq.length - this.rx_head;
  }

  /** See FramePort. hot */
  rx(ctl: Int32Array, nbufs: number): number {
    ctl[FRH_STATUS] = ctl[FRH_DROPPED] = ctl[FRH_BYTES] = 0;
    if (this.closed) return -ENXIO;
    const pool = this.wire.world.frames;
    const limit = Math.min(nbufs, FR_BATCH);
    let n = 0;
    while (n < limit && this.rx_head < this.rxq.length) {
      const frame = this.rxq[this.rx_head];
      const len = pool.lens[frame];
      const error = this.rx_copy(ctl, FR_HDR + n * FR_STRIDE, pool.offs[frame], len);
      if (error === -EFAULT) {
        ctl[FRH_STATUS] = error;
        return n > 0 ? n : error;
      }
      this.rx_head++;
      if (error !== 0) {
        ctl[FRH_DROPPED]++;
        this.wire.dropped(WD_NOOVER, this, frame);
        continue;
      }
      ctl[FRH_BYTES] += len;
      const overflowed = len > ctl[FR_HDR + n * FR_STRIDE + FR_CAP];
      this.wire.delivered(this, frame);
      n++;
      if (overflowed) break;
    }
    if (this.rx_head === this.rxq.length) {
      this.rxq.length = this.rx_head = 0;
      this.told = false;
    } else if (this.rx_head >= 1024) this.rx_head -= this.rxq.splice(0, this.rx_head).length;
    return n;
  }

  /** See FramePort. hot */
  tx(ctl: Int32Array, nframes: number): number {
    ctl[FRH_STATUS] = ctl[FRH_DROPPED] = ctl[FRH_BYTES] = 0;
    if (this.closed) return -ENXIO;
    const limit = Math.min(nframes, FR_BATCH);
    for (let n = 0; n < limit; n++) {
      const rec = FR_HDR + n * FR_STRIDE;
      const len = this.iov_length(ctl, ctl[rec + FR_IOV], ctl[rec + FR_NIOV]);
      if (len < 0) {
        ctl[FRH_DROPPED]++;
        ctl[FRH_STATUS] = ctl[rec + FR_LEN] = -EFAULT;
        this.wire.drops[WD_NOBUF]++;
        this.wire.sent++;
        continue;
      }
      if (this.config.backpressure && this.full(len)) {
        this.block();
        return n;
      }
      this.tx_one(ctl, rec, len);
      ctl[FRH_BYTES] += len;
    }
    return limit;
  }

  /** See FramePort. */
  rx_enable(on: boolean): void {
    this.enabled = on;
    if (on && !this.closed && this.waiting > 0) {
      this.told = true;
      this.soon(EV_RX_READY);
    }
  }

  /** See FramePort. What has arrived and was not read is lost. */
  close(): void {
    if (this.closed) return;
    for (; this.rx_head < this.rxq.length; this.rx_head++) this.wire.dropped(WD_CLOSED, this, this.rxq[this.rx_head]);
    this.rxq.length = this.rx_head = 0;
    this.closed = true;
    this.wire.detach(this);
  }

  /** Send `bytes` from a program. */
  send(bytes: Uint8Array): void {
    const world = this.wire.world;
    const frame = world.frames.get(bytes.length);
    this.wire.sent++;
    if (frame === -1) this.wire.drops[WD_NOMEM]++;
    else {
      world.slab.u8.set(bytes, world.frames.offs[frame]);
      this.wire.transmit(this, frame);
    }
  }

  /** A frame has come to this end. Takes the frame. hot */
  arrive(frame: number): void {
    if (this.closed) return this.wire.dropped(WD_CLOSED, this, frame);
    if (this.sink !== null) return this.sink_frame(frame, this.sink);
    if (this.waiting >= this.wire.config.rx_queue_packets) return this.wire.dropped(WD_RXQUEUE, this, frame);
    this.rxq.push(frame);
    if (!this.enabled || this.told) return;
    this.told = true;
    this.upcall(EV_RX_READY);
  }

  /** Plug this end in or pull it out. Frames in flight to and from it are lost when it is out. */
  set_up(up: boolean): void {
    if (this.up === up) return;
    this.up = up;
    this.link_changed();
  }

  /** Whether frames can pass this end. */
  link_up(): boolean {
    return this.up && this.wire.up;
  }

  /** The link has changed, here or for the whole wire. */
  link_changed(): void {
    this.epoch++;
    this.soon(this.link_up() ? EV_LINK_UP : EV_LINK_DOWN);
  }

  sim_fire(arg: number): void {
    if (arg >= 0) this.wire.land(this, arg);
    else this.upcall(arg);
  }

  private upcall(what: number): void {
    const driver = this.driver;
    const host = this.host;
    if (driver === null || host === null || this.closed) return;
    host.schedule();
    try {
      if (what === EV_RX_READY) driver.frames_rx_ready();
      else if (what === EV_TX_READY) {
        this.blocked = false;
        driver.frames_tx_ready();
      } else driver.frames_link(what === EV_LINK_UP);
    } finally {
      host.unschedule();
    }
  }

  private soon(what: number): void {
    if (this.driver !== null && !this.closed) this.wire.world.at(this.wire.world.now_ns, this, what);
  }

  private full(len: number): boolean {
    return this.txq.full(this.config, this.wire.world.now_ns, len);
  }

  private block(): void {
    if (this.blocked) return;
    this.blocked = true;
    const world = this.wire.world;
    world.at(Math.max(world.now_ns, this.txq.first_leaves()), this, EV_TX_READY);
  }

  private iov_length(ctl: Int32Array, first: number, n: number): number {
    if (first < FR_HDR || n <= 0 || first + 2 * n > ctl.length) return -1;
    const bytes = this.wire.world.slab.buffer.byteLength;
    let len = 0;
    for (let i = 0; i < n; i++) {
      const off = ctl[first + 2 * i] >>> 0;
      const piece = ctl[first + 2 * i + 1];
      if (piece < 0 || off + piece > bytes) return -1;
      len += piece;
    }
    return len;
  }

  private tx_one(ctl: Int32Array, rec: number, len: number): void {
    const world = this.wire.world;
    this.wire.sent++;
    const frame = len <= SIM_FRAME_MAX ? world.frames.get(len) : -1;
    if (frame === -1) {
      this.wire.drops[WD_NOMEM]++;
      return;
    }
    const u8 = world.slab.u8;
    const first = ctl[rec + FR_IOV];
    let to = world.frames.offs[frame];
    for (let i = 0; i < ctl[rec + FR_NIOV]; i++) {
      const off = ctl[first + 2 * i] >>> 0;
      const piece = ctl[first + 2 * i + 1];
      u8.copyWithin(to, off, off + piece);
      to += piece;
    }
    this.wire.transmit(this, frame);
  }

  private rx_copy(ctl: Int32Array, rec: number, from: number, len: number): number {
    const slab = this.wire.world.slab;
    const off = ctl[rec + FR_OFF] >>> 0;
    const cap = ctl[rec + FR_CAP];
    const over = ctl[FRH_OVER_CAP];
    if (cap < 0 || off === 0 || off + cap > slab.buffer.byteLength) return -EFAULT;
    if (len > cap + over) return 1;
    const part = len < cap ? len : cap;
    slab.u8.copyWithin(off, from, from + part);
    if (len > cap) slab.u8.copyWithin(ctl[FRH_OVER_OFF] >>> 0, from + cap, from + len);
    ctl[rec + FR_LEN] = len;
    ctl[rec + FR_FLAGS] = 0;
    ctl[rec + FR_GSO_TYPE] = 0;
    return 0;
  }

  private sink_frame(frame: number, sink: FrameSink): void {
    const world = this.wire.world;
    const off = world.frames.offs[frame];
    const bytes = world.slab.u8.slice(off, off + world.frames.lens[frame]);
    this.wire.delivered(this, frame);
    sink(bytes, world.now_ns);
  }
}
