/**
 * Writing side of a shmif port: frames go into the port's own ring, and the ports that want them are told.
 *
 * Frames become visible by one store (PORT_HEAD); before it, nothing of an unfinished write can be seen. That store, and telling the readers, is done
 * for up to SHMIF_COMMIT frames at once: words that another CPU reads are expensive to write. Room is made by raising PORT_TAIL
 * before the bytes behind it are written over, so that a reader can check after its copy whether what it copied was still whole. A writer
 * waits for readers that still have to read what it would write over, but never longer than SHMIF_STALL_NS: a reader that made no step in
 * that time loses frames, counted in its PORT_OVERRUN; a reader that died is dropped from the bus.
 */
import type { ShmifPort } from "./shmif_port.ts";
import {
  ARENA_UNIT,
  DESC_DST_HI,
  DESC_DST_LO,
  DESC_LEN,
  DESC_NSEC,
  DESC_POS,
  DESC_SEC,
  DESC_WORDS,
  PORT_BLOCKED,
  PORT_CURSOR,
  PORT_FROM,
  PORT_HDRSIZE,
  PORT_HEAD,
  PORT_OVERRUN,
  PORT_TAIL,
  PORT_WANT,
} from "./shmif_layout.ts";

/** How long, in ns, a writer waits for a reader that makes no step before it writes over frames that reader has not seen. */
export const SHMIF_STALL_NS = 20_000_000;

/** Frames that become visible at once, at most. */
export const SHMIF_COMMIT = 32;
/** The tail is raised by this part of the ring at once, if the readers are past it: they look at it for each frame. */
const TAIL_STEP_SHIFT = 4;

/** The writing side of one attached port. */
export class ShmifWriter {
  readonly port: ShmifPort;
  /** Index into i32 of the descriptor of the frame being written: valid between reserve() and publish(). */
  desc = 0;
  private head = 0;
  private tail = 0;
  /** Arena position after the newest frame. */
  private arena_head = 0;
  /** Position that no reader is known to be behind; past it the readers have to be looked at again. */
  private gate = 0;
  private readonly w: number;
  private readonly ring: number;
  private readonly arena: number;
  private pos = 0;
  private units = 0;
  /** Readers no longer waited for, with the cursor at which they stood still. */
  private readonly lagging: Uint8Array;
  private nlagging = 0;
  private readonly stood_at: Int32Array;
  /** Ports that were published to and have not been woken yet. */
  private readonly towake: Uint8Array;
  private nwake = 0;
  /** Frames appended and not yet visible. */
  private npending = 0;
  /** For each port whether it has pending frames, the first one, and the position after the last. */
  private readonly pending: Uint8Array;
  private readonly pending_from: Int32Array;
  private readonly pending_want: Int32Array;

  constructor(port: ShmifPort) {
    const { i32, geo } = port;
    this.port = port;
    this.lagging = new Uint8Array(geo.nports);
    this.stood_at = new Int32Array(geo.nports);
    this.towake = new Uint8Array(geo.nports);
    this.pending = new Uint8Array(geo.nports);
    this.pending_from = new Int32Array(geo.nports);
    this.pending_want = new Int32Array(geo.nports);
    this.w = port.word(port.index, 0);
    this.ring = this.w + PORT_HDRSIZE / 4;
    this.arena = port.base + geo.port(port.index) + geo.arena;
    this.head = Atomics.load(i32, this.w + PORT_HEAD);
    this.tail = Atomics.load(i32, this.w + PORT_TAIL);
    const held = (this.head - this.tail) | 0;
    if (held < 0 || held > geo.ndesc) {
      this.tail = this.head;
      Atomics.store(i32, this.w + PORT_TAIL, this.tail);
    }
    this.gate = this.tail;
    if (this.head !== this.tail) {
      const last = this.desc_at((this.head - 1) | 0);
      this.arena_head = (i32[last + DESC_POS]! + unitsOf(i32[last + DESC_LEN]! & 0x1ffff)) | 0;
    }
  }

  private desc_at(pos: number): number {
    return this.ring + (pos & (this.port.geo.ndesc - 1)) * DESC_WORDS;
  }

  /**
   * Finds room for a frame of `len` bytes.
   * @returns the slab offset to copy the frame to, or 0 while readers are behind (PORT_BLOCKED is then set: a kick follows)
   */
  // hot
  reserve(len: number): number {
    const geo = this.port.geo;
    const units = unitsOf(len);
    const room = geo.units - (this.arena_head & (geo.units - 1));
    const pos = room < units ? (this.arena_head + room) | 0 : this.arena_head;
    const end = (pos + units) | 0;
    let tail = this.tail;
    const i32 = this.port.i32;
    while (tail !== this.head) {
      const d = this.desc_at(tail);
      if (((end - i32[d + DESC_POS]!) | 0) <= geo.units && ((this.head - tail) | 0) < geo.ndesc) break;
      tail = (tail + 1) | 0;
    }
    if (tail !== this.tail && !this.make_room(tail)) return 0;
    this.pos = pos;
    this.units = units;
    this.desc = this.desc_at(this.head);
    return this.arena + (pos & (geo.units - 1)) * ARENA_UNIT;
  }

  /** Raises the tail to `tail`, or further, if no reader that is waited for is behind it. */
  private make_room(tail: number): boolean {
    const i32 = this.port.i32;
    this.commit();
    if (((tail - this.gate) | 0) > 0) {
      this.gate = this.slowest();
      if (((tail - this.gate) | 0) > 0) {
        Atomics.store(i32, this.w + PORT_BLOCKED, 1);
        this.gate = this.slowest();
        if (((tail - this.gate) | 0) > 0) return false;
        Atomics.store(i32, this.w + PORT_BLOCKED, 0);
      }
    }
    let raised = tail;
    if (this.nlagging > 0) this.charge(tail);
    else {
      const step = (tail + (this.port.geo.ndesc >> TAIL_STEP_SHIFT)) | 0;
      raised = ((step - this.gate) | 0) > 0 ? this.gate : step;
    }
    this.tail = raised;
    Atomics.store(i32, this.w + PORT_TAIL, raised);
    return true;
  }

  /** Oldest position that port `p` still has to read, or `none` when it has read all that is for it. */
  private unread(p: number, none: number): number {
    const port = this.port;
    const cursor = Atomics.load(port.i32, port.word(p, PORT_CURSOR + port.index));
    if (((port.i32[this.w + PORT_WANT + p]! - cursor) | 0) <= 0) return none;
    const from = port.i32[this.w + PORT_FROM + p]!;
    return ((from - cursor) | 0) > 0 ? from : cursor;
  }

  /** Position of the slowest reader that is waited for. */
  private slowest(): number {
    const port = this.port;
    let low = this.head;
    for (let n = 0; n < port.nports_seen; n++) {
      const p = port.ports[n]!;
      if (port.attached[p] === 0) continue;
      if (this.lagging[p] === 1) {
        const cursor = Atomics.load(port.i32, port.word(p, PORT_CURSOR + port.index));
        if (cursor === this.stood_at[p]) continue;
        this.lagging[p] = 0;
        this.nlagging--;
      }
      const at = this.unread(p, low);
      if (((at - low) | 0) < 0) low = at;
    }
    return low;
  }

  /** Counts, for every reader no longer waited for, the frames between the tail and `tail` that it was to get. */
  private charge(tail: number): void {
    const port = this.port;
    for (let n = 0; n < port.nports_seen; n++) {
      const p = port.ports[n]!;
      if (this.lagging[p] === 0) continue;
      let lost = 0;
      const unread = this.unread(p, tail);
      for (let pos = ((unread - this.tail) | 0) > 0 ? unread : this.tail; ((tail - pos) | 0) > 0; pos = (pos + 1) | 0) {
        const d = this.desc_at(pos);
        if (port.wants(p, port.i32[d + DESC_DST_HI]!, port.i32[d + DESC_DST_LO]!)) lost++;
      }
      if (lost > 0) Atomics.add(port.i32, port.word(p, PORT_OVERRUN), lost);
    }
  }

  /**
   * The stall time has passed since reserve() returned 0: readers that are gone are dropped, readers that stand still are no longer waited for.
   * @returns whether reserve() is worth another try
   */
  stalled(): boolean {
    const port = this.port;
    let gave_up = false;
    for (let n = 0; n < port.nports_seen; n++) {
      const p = port.ports[n]!;
      if (port.attached[p] === 0) continue;
      const cursor = Atomics.load(port.i32, port.word(p, PORT_CURSOR + port.index));
      if (((port.i32[this.w + PORT_WANT + p]! - cursor) | 0) <= 0) continue;
      if (port.handle.test_port(p) === 0) {
        port.drop_port(p);
        gave_up = true;
      } else if (cursor === this.stood_at[p] && this.lagging[p] === 0) {
        this.lagging[p] = 1;
        this.nlagging++;
        gave_up = true;
      }
    }
    port.refresh();
    if (!gave_up) this.note_cursors();
    return gave_up;
  }

  /** Remembers where every reader stands, for stalled() to see who made a step. */
  note_cursors(): void {
    const port = this.port;
    for (let n = 0; n < port.nports_seen; n++) {
      const p = port.ports[n]!;
      this.stood_at[p] = Atomics.load(port.i32, port.word(p, PORT_CURSOR + port.index));
    }
  }

  /** Makes the reserved frame of `len` bytes visible. The caller has filled the other descriptor words. */
  publish(len: number, dst_hi: number, dst_lo: number, sec: number, nsec: number): void {
    this.append(len, dst_hi, dst_lo, sec, nsec);
    this.commit();
  }

  /** As publish, but the frame may stay invisible until SHMIF_COMMIT of them are there, or until commit or flush. */
  // hot
  append(len: number, dst_hi: number, dst_lo: number, sec: number, nsec: number): void {
    const port = this.port;
    const i32 = port.i32;
    const d = this.desc;
    i32[d + DESC_POS] = this.pos;
    i32[d + DESC_LEN] = len;
    i32[d + DESC_DST_HI] = dst_hi;
    i32[d + DESC_DST_LO] = dst_lo;
    i32[d + DESC_SEC] = sec;
    i32[d + DESC_NSEC] = nsec;
    const at = this.head;
    const next = (at + 1) | 0;
    this.head = next;
    this.arena_head = (this.pos + this.units) | 0;
    if (this.npending++ === 0) port.refresh();
    for (let n = 0; n < port.nports_seen; n++) {
      const p = port.ports[n]!;
      if (!port.wants(p, dst_hi, dst_lo)) continue;
      if (this.pending[p] === 0) {
        this.pending[p] = 1;
        this.pending_from[p] = at;
      }
      this.pending_want[p] = next;
    }
    if (this.npending >= SHMIF_COMMIT) this.commit();
  }

  /** Makes all appended frames visible. */
  // hot
  commit(): void {
    if (this.npending === 0) return;
    this.npending = 0;
    const port = this.port;
    Atomics.store(port.i32, this.w + PORT_HEAD, this.head);
    port.refresh();
    for (let n = 0; n < port.nports_seen; n++) {
      const p = port.ports[n]!;
      if (this.pending[p] === 0) continue;
      this.pending[p] = 0;
      this.offer(p, this.pending_from[p]!, this.pending_want[p]!);
    }
  }

  private offer(p: number, at: number, next: number): void {
    const port = this.port;
    const want = this.w + PORT_WANT + p;
    const cursor = Atomics.load(port.i32, port.word(p, PORT_CURSOR + port.index));
    if (((port.i32[want]! - cursor) | 0) <= 0) Atomics.store(port.i32, this.w + PORT_FROM + p, at);
    Atomics.store(port.i32, want, next);
    if (this.towake[p] === 0) {
      this.towake[p] = 1;
      this.nwake++;
    }
  }

  /** Commits, and wakes everyone that was published to since the last call. */
  // hot
  flush(): void {
    this.commit();
    if (this.nwake === 0) return;
    const port = this.port;
    this.nwake = 0;
    for (let n = 0; n < port.nports_seen; n++) {
      const p = port.ports[n]!;
      if (this.towake[p] === 0) continue;
      this.towake[p] = 0;
      port.wake(p);
    }
  }
}

/** Arena units of a frame of `len` bytes. */
function unitsOf(len: number): number {
  return (len + ARENA_UNIT - 1) >>> 6;
}
