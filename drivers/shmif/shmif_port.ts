/**
 * One port of a shmif bus: attaching to it, the view of the other ports, parking and kicking. What is written to the port's own ring is in
 * shmif_writer.ts, what is read from the others' in shmif_reader.ts; the layout is in shmif_layout.ts.
 *
 * Who writes what: PORT_HEAD/TAIL/WANT/FROM and the ring only the owner; PORT_CURSOR and PORT_PARKED only the owner (as reader); PORT_BLOCKED and
 * PORT_OVERRUN by atomic read-modify-write from anyone. Owning a port means holding the host's lock on it, which dies with the process.
 */
import { EAGAIN, EFTYPE, ENOSPC } from "../../hypercall/api/errno.ts";
import type { BusHandle } from "../../hypercall/api/bus.ts";
import type { Slab } from "../../hypercall/api/memory.ts";
import {
  BUS_ATTACHED,
  BUS_CONFGEN,
  BUS_MAGIC,
  BUS_VERSION,
  PORTF_PROMISC,
  PORTF_UP,
  PORT_CURSOR,
  PORT_FLAGS,
  PORT_GEN,
  PORT_HEAD,
  PORT_MAC_HI,
  PORT_MAC_LO,
  PORT_PARKED,
  PORT_PID,
  PORT_STATE,
  PORT_TAIL,
  PORT_WANT,
  SHMIF_MAGIC,
  SHMIF_MAXPORTS,
  SHMIF_VERSION,
  ShmifGeometry,
} from "./shmif_layout.ts";

/** Sleeps are numbered from 1 to this and then from 1 again. */
const SLEEP_MAX = 0x7fff_fffe;

/** A mapped bus and this attachment's place on it. */
export class ShmifPort {
  readonly slab: Slab;
  readonly i32: Int32Array;
  readonly handle: BusHandle;
  readonly geo: ShmifGeometry;
  /** Slab offset of the region. */
  readonly base: number;
  /** Own port number; -1 while detached. */
  index = -1;
  /** Port numbers worth looking at (attached, or with frames left for us), `nports_seen` of them. */
  readonly ports: Int32Array;
  nports_seen = 0;
  /** Cached addresses and flags of `ports`, by port number. */
  readonly mac_hi: Int32Array;
  readonly mac_lo: Int32Array;
  readonly flags: Int32Array;
  readonly attached: Uint8Array;
  /** The sleep of each port that this one has already ended with a kick. */
  private readonly kicked: Int32Array = new Int32Array(SHMIF_MAXPORTS);
  private confgen = -1;

  constructor(slab: Slab, handle: BusHandle, off: number, len: number) {
    this.slab = slab;
    this.i32 = slab.i32;
    this.handle = handle;
    this.geo = new ShmifGeometry(len);
    this.base = off;
    // As long as there are ports, not SHMIF_MAXPORTS: a bus of two is then of no weight, and a network has hundreds of them.
    const n = Math.max(0, this.geo.nports);
    this.ports = new Int32Array(n);
    this.mac_hi = new Int32Array(n);
    this.mac_lo = new Int32Array(n);
    this.flags = new Int32Array(n);
    this.attached = new Uint8Array(n);
  }

  /** Index into i32 of word `w` of port `i`. */
  word(i: number, w: number): number {
    return ((this.base + this.geo.port(i)) >>> 2) + w;
  }

  /** Index into i32 of word `w` of the bus header. */
  busword(w: number): number {
    return (this.base >>> 2) + w;
  }

  /**
   * Makes a fresh region a bus, or checks that it is one.
   * @returns 0, or EFTYPE when the region holds something else or another version
   */
  check(): number {
    const magic = Atomics.compareExchange(this.i32, this.busword(BUS_MAGIC), 0, SHMIF_MAGIC);
    if (magic !== 0 && magic !== SHMIF_MAGIC) return EFTYPE;
    const version = Atomics.compareExchange(this.i32, this.busword(BUS_VERSION), 0, SHMIF_VERSION);
    return version === 0 || version === SHMIF_VERSION ? 0 : EFTYPE;
  }

  /**
   * Takes the first free port with the given address; frames sent before are not seen, as when a cable is plugged in.
   * @returns 0, EFTYPE (not a bus), ENOSPC (every port is in use), EAGAIN never
   */
  attach(mac_hi: number, mac_lo: number, flags: number, pid_word: number): number {
    const err = this.check();
    if (err !== 0) return err;
    for (let i = 0; i < this.geo.nports; i++) {
      if (this.handle.lock_port(i) !== 0) continue;
      this.take(i, mac_hi, mac_lo, flags, pid_word);
      return 0;
    }
    return ENOSPC;
  }

  private take(i: number, mac_hi: number, mac_lo: number, flags: number, pid_word: number): void {
    const i32 = this.i32;
    const w = this.word(i, 0);
    this.index = i;
    i32[w + PORT_MAC_HI] = mac_hi;
    i32[w + PORT_MAC_LO] = mac_lo;
    i32[w + PORT_FLAGS] = flags;
    i32[w + PORT_PID] = pid_word;
    Atomics.add(i32, w + PORT_GEN, 1);
    Atomics.store(i32, w + PORT_PARKED, -Math.abs(Atomics.load(i32, w + PORT_PARKED)) | 0);
    const held = (Atomics.load(i32, w + PORT_HEAD) - Atomics.load(i32, w + PORT_TAIL)) | 0;
    if (held < 0 || held > this.geo.ndesc) Atomics.store(i32, w + PORT_TAIL, i32[w + PORT_HEAD]!);
    for (let p = 0; p < this.geo.nports; p++) {
      Atomics.store(i32, w + PORT_CURSOR + p, Atomics.load(i32, this.word(p, PORT_HEAD)));
    }
    Atomics.store(i32, w + PORT_STATE, 1);
    Atomics.or(i32, this.busword(BUS_ATTACHED) + (i >> 5), 1 << (i & 31));
    this.config_changed();
    this.refresh();
  }

  /** Leaves the bus; frames already published stay readable. */
  detach(): void {
    if (this.index < 0) return;
    this.drop_port(this.index);
    this.handle.unlock_port(this.index);
    this.index = -1;
  }

  /** Marks port `i`, whose owner left or died, as not attached. Preconditions: the caller owns it, or has seen its lock free. */
  drop_port(i: number): void {
    Atomics.store(this.i32, this.word(i, PORT_STATE), 0);
    Atomics.and(this.i32, this.busword(BUS_ATTACHED) + (i >> 5), ~(1 << (i & 31)));
    this.config_changed();
  }

  /** Publishes new flags or a new address of the own port. */
  configure(mac_hi: number, mac_lo: number, flags: number): void {
    if (this.index < 0) return;
    const w = this.word(this.index, 0);
    Atomics.store(this.i32, w + PORT_MAC_HI, mac_hi);
    Atomics.store(this.i32, w + PORT_MAC_LO, mac_lo);
    Atomics.store(this.i32, w + PORT_FLAGS, flags);
    this.config_changed();
  }

  private config_changed(): void {
    Atomics.add(this.i32, this.busword(BUS_CONFGEN), 1);
  }

  /** Brings the view of the other ports up to date, if anything changed. */
  // hot
  refresh(): void {
    if (Atomics.load(this.i32, this.busword(BUS_CONFGEN)) === this.confgen) return;
    this.reload();
  }

  private reload(): void {
    const i32 = this.i32;
    this.confgen = Atomics.load(i32, this.busword(BUS_CONFGEN));
    let n = 0;
    for (let p = 0; p < this.geo.nports; p++) {
      const bits = Atomics.load(i32, this.busword(BUS_ATTACHED) + (p >> 5));
      const on = (bits >>> (p & 31)) & 1;
      this.attached[p] = on;
      if (p === this.index) continue;
      const w = this.word(p, 0);
      const left = (Atomics.load(i32, w + PORT_WANT + this.index) - this.cursor(p)) | 0;
      if (on === 0 && left <= 0) continue;
      this.mac_hi[p] = Atomics.load(i32, w + PORT_MAC_HI);
      this.mac_lo[p] = Atomics.load(i32, w + PORT_MAC_LO);
      this.flags[p] = Atomics.load(i32, w + PORT_FLAGS);
      this.ports[n++] = p;
    }
    this.nports_seen = n;
  }

  /** Own position in port `p`'s ring. */
  cursor(p: number): number {
    return Atomics.load(this.i32, this.word(this.index, PORT_CURSOR + p));
  }

  /** Whether attached port `p` is to get a frame for the given Ethernet destination. */
  // hot
  wants(p: number, dst_hi: number, dst_lo: number): boolean {
    if (this.attached[p] === 0 || (this.flags[p]! & PORTF_UP) === 0) return false;
    if ((dst_hi & 0x100) !== 0) return true;
    return (dst_lo === this.mac_lo[p] && dst_hi === this.mac_hi[p]) || (this.flags[p]! & PORTF_PROMISC) !== 0;
  }

  /** Announces that the owner is about to sleep. The caller must look at the rings once more afterwards. */
  park(): void {
    const w = this.word(this.index, PORT_PARKED);
    const sleep = Math.abs(Atomics.load(this.i32, w)) % SLEEP_MAX;
    Atomics.store(this.i32, w, sleep + 1);
  }

  /** The owner is awake again. */
  unpark(): void {
    const w = this.word(this.index, PORT_PARKED);
    const sleep = Atomics.load(this.i32, w);
    if (sleep > 0) Atomics.store(this.i32, w, -sleep);
  }

  /**
   * Wakes the owner of port `p` if it sleeps. Each sleep has a number, and whoever has kicked remembers it instead of clearing the sleeper's word: a
   * process killed between the two would leave a sleeper that nobody kicks any more.
   * @returns 0, or EAGAIN when nobody is there any more (the port is then dropped)
   */
  // hot
  wake(p: number): number {
    const sleep = Atomics.load(this.i32, this.word(p, PORT_PARKED));
    if (sleep <= 0 || this.kicked[p] === sleep) return 0;
    this.kicked[p] = sleep;
    if (this.handle.kick(p) === 0) return 0;
    if (this.handle.test_port(p) === 0) this.drop_port(p);
    return EAGAIN;
  }
}
