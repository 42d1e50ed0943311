/**
 * Reading side of a shmif port: the frames that others published for it, each ring in its own order.
 *
 * What stands in the region is another process's word: lengths and positions are checked before use, and a frame counts only when its ring's
 * tail has not passed it by the end of the copy.
 */
import type { ShmifPort } from "./shmif_port.ts";
import {
  ARENA_UNIT,
  DESC_DST_HI,
  DESC_DST_LO,
  DESC_LEN,
  DESC_POS,
  DESC_WORDS,
  PORTF_PROMISC,
  PORT_BLOCKED,
  PORT_CURSOR,
  PORT_FLAGS,
  PORT_FROM,
  PORT_HDRSIZE,
  PORT_HEAD,
  PORT_MAC_HI,
  PORT_MAC_LO,
  PORT_TAIL,
  PORT_WANT,
  SHMIF_MAXFRAME,
} from "./shmif_layout.ts";

/** Frames read before the new position is published, at most: its word is read by the writer, often on another CPU. */
const STEP_BATCH = 32;
/** Smallest Ethernet frame on the bus: a header. */
const MINFRAME = 14;

/** The reading side of one attached port. */
export class ShmifReader {
  readonly port: ShmifPort;
  /** The frame that next() found: slab offset, length and index into i32 of its descriptor. */
  off = 0;
  len = 0;
  desc = 0;
  /** Words DESC_CSUM, DESC_CSUMPOS and DESC_GSO of its descriptor, kept by who copies the frame until done() has said that the copy is whole. */
  csum = 0;
  csumpos = 0;
  gso = 0;
  /** Frames refused because their descriptor was out of bounds. */
  malformed = 0;
  /** Frames written over while they were copied or before they were reached. */
  torn = 0;
  private turn = 0;
  private from_port = -1;
  private cur = 0;
  /** Own position in every ring; PORT_CURSOR is behind by up to STEP_BATCH frames. */
  private readonly pos: Int32Array;
  /** Position up to which a ring is known to have frames. */
  private readonly known: Int32Array;
  /** Frames read of the ring of port `unsaid_port` since its position was published. */
  private unsaid = 0;
  private unsaid_port = -1;

  /** Preconditions: the port is attached. */
  constructor(port: ShmifPort) {
    this.port = port;
    this.pos = new Int32Array(port.geo.nports);
    this.known = new Int32Array(port.geo.nports);
    for (let p = 0; p < port.geo.nports; p++) {
      this.pos[p] = port.cursor(p);
      this.known[p] = this.pos[p]!;
    }
  }

  /**
   * Finds the next frame for this port; the caller copies it and then calls done().
   * @returns false when every ring is read to its end
   */
  // hot
  next(): boolean {
    const port = this.port;
    port.refresh();
    const n = port.nports_seen;
    for (let i = 0; i < n; i++) {
      let t = this.turn + i;
      if (t >= n) t -= n;
      if (this.next_of(port.ports[t]!)) {
        this.turn = t;
        return true;
      }
    }
    this.settle();
    return false;
  }

  private next_of(p: number): boolean {
    const port = this.port;
    const i32 = port.i32;
    const w = port.word(p, 0);
    let cur = this.pos[p]!;
    let want = this.known[p]!;
    if (((want - cur) | 0) <= 0) {
      want = Atomics.load(i32, w + PORT_WANT + port.index);
      this.known[p] = want;
      if (((want - cur) | 0) <= 0) return false;
    }
    const from = Atomics.load(i32, w + PORT_FROM + port.index);
    if (((from - cur) | 0) > 0 && ((want - from) | 0) >= 0) cur = from;
    const tail = Atomics.load(i32, w + PORT_TAIL);
    if (((tail - cur) | 0) > 0) {
      this.torn++;
      cur = tail;
    }
    const left = (want - cur) | 0;
    if (left > port.geo.ndesc || left < -port.geo.ndesc) return this.resync(p, w);
    while (((want - cur) | 0) > 0) {
      if (this.look(p, w, cur)) {
        this.from_port = p;
        this.cur = cur;
        return true;
      }
      cur = (cur + 1) | 0;
    }
    this.step(p, cur);
    return false;
  }

  /** The ring's words say what cannot be, as a ring holds no more than its descriptors: what is in it is given up. */
  private resync(p: number, w: number): boolean {
    this.torn++;
    this.step(p, Atomics.load(this.port.i32, w + PORT_HEAD));
    this.known[p] = this.pos[p]!;
    return false;
  }

  /** Whether the frame at `cur` of port `p` is for us and sane. */
  private look(p: number, w: number, cur: number): boolean {
    const port = this.port;
    const i32 = port.i32;
    const geo = port.geo;
    const d = w + PORT_HDRSIZE / 4 + (cur & (geo.ndesc - 1)) * DESC_WORDS;
    const hi = i32[d + DESC_DST_HI]!;
    if ((hi & 0x100) === 0) {
      const own = port.word(port.index, 0);
      const mine = i32[d + DESC_DST_LO] === i32[own + PORT_MAC_LO] && hi === i32[own + PORT_MAC_HI];
      if (!mine && (i32[own + PORT_FLAGS]! & PORTF_PROMISC) === 0) return false;
    }
    const len = i32[d + DESC_LEN]!;
    const at = (i32[d + DESC_POS]! & (geo.units - 1)) * ARENA_UNIT;
    if (len < MINFRAME || len > SHMIF_MAXFRAME || at + len > geo.units * ARENA_UNIT) {
      this.malformed++;
      return false;
    }
    this.desc = d;
    this.len = len;
    this.off = port.base + geo.port(p) + geo.arena + at;
    return true;
  }

  /**
   * The frame that next() found has been copied.
   * @returns false when it was written over meanwhile: the copy must be thrown away
   */
  done(): boolean {
    const whole = this.copied();
    this.settle();
    return whole;
  }

  /** As done, but the writer may be told later: by next() when there are no more frames, or by settle. */
  // hot
  copied(): boolean {
    const port = this.port;
    const p = this.from_port;
    const tail = Atomics.load(port.i32, port.word(p, PORT_TAIL));
    const whole = ((tail - this.cur) | 0) <= 0;
    if (!whole) this.torn++;
    this.pos[p] = (this.cur + 1) | 0;
    if (p !== this.unsaid_port) {
      this.settle();
      this.unsaid_port = p;
    }
    if (++this.unsaid >= STEP_BATCH) this.settle();
    return whole;
  }

  /** Tells the writer how far its ring is read. */
  settle(): void {
    if (this.unsaid === 0) return;
    this.unsaid = 0;
    this.step(this.unsaid_port, this.pos[this.unsaid_port]!);
  }

  /** Publishes the new position in port `p`'s ring, and tells its owner if it waits for room. */
  private step(p: number, cur: number): void {
    const port = this.port;
    const i32 = port.i32;
    this.pos[p] = cur;
    Atomics.store(i32, port.word(port.index, PORT_CURSOR + p), cur);
    const blocked = port.word(p, PORT_BLOCKED);
    if (i32[blocked] !== 0 && this.has_room(p, cur) && Atomics.exchange(i32, blocked, 0) === 1) port.handle.kick(p);
  }

  /** Half the backlog is read: waking the writer for less would make the two take turns frame by frame. */
  private has_room(p: number, cur: number): boolean {
    const port = this.port;
    const left = (Atomics.load(port.i32, port.word(p, PORT_WANT + port.index)) - cur) | 0;
    const held =
      (Atomics.load(port.i32, port.word(p, PORT_WANT + port.index)) - Atomics.load(port.i32, port.word(p, PORT_TAIL))) |
      0;
    return left * 2 <= held;
  }
}
