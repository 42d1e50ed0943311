// Frames in flight. Their bytes lie in the slab, in buffers of two sizes that are taken from the slab's free list and never given back; a
// frame for several receivers is one buffer with a count.
import type { SlabPages } from "../slab/slab_pages.ts";

/** Longest frame that a wire carries: a 64 KB superframe with its headers. */
export const SIM_FRAME_MAX = 67_584;
const SMALL = 2048;
const CHUNK = 65_536;
const FIRST = 256;

/** The pool. A frame is a small number. */
export class FramePool {
  /** Frames in use. */
  in_use = 0;
  /** Slab offset of each frame. */
  offs: Float64Array = new Float64Array(FIRST);
  /** Length of each frame. */
  lens: Int32Array = new Int32Array(FIRST);
  /** Users of each frame. */
  refs: Int32Array = new Int32Array(FIRST);

  private readonly pages: SlabPages;
  private readonly small: number[] = [];
  private readonly large: number[] = [];
  private caps: Int32Array = new Int32Array(FIRST);
  private count = 0;

  constructor(pages: SlabPages) {
    this.pages = pages;
  }

  /** A frame for `len` bytes with one user, or -1 when it is too long or the slab is full. hot */
  get(len: number): number {
    if (len > SIM_FRAME_MAX || len < 0) return -1;
    const list = len <= SMALL ? this.small : this.large;
    if (list.length === 0 && !this.more(len <= SMALL)) return -1;
    const frame = list.pop() as number;
    this.lens[frame] = len;
    this.refs[frame] = 1;
    this.in_use++;
    return frame;
  }

  /** One user less. hot */
  put(frame: number): void {
    if (--this.refs[frame] > 0) return;
    this.in_use--;
    if (this.caps[frame] === SMALL) this.small.push(frame);
    else this.large.push(frame);
  }

  private more(small: boolean): boolean {
    const size = small ? CHUNK : SIM_FRAME_MAX;
    const off = this.pages.alloc(size, 64);
    if (off === 0) return false;
    if (small) for (let at = CHUNK - SMALL; at >= 0; at -= SMALL) this.small.push(this.carve(off + at, SMALL));
    else this.large.push(this.carve(off, SIM_FRAME_MAX));
    return true;
  }

  private carve(off: number, cap: number): number {
    if (this.count === this.lens.length) this.grow();
    const frame = this.count++;
    this.offs[frame] = off;
    this.caps[frame] = cap;
    return frame;
  }

  private grow(): void {
    const n = this.lens.length * 2;
    const offs = new Float64Array(n);
    const lens = new Int32Array(n);
    const refs = new Int32Array(n);
    const caps = new Int32Array(n);
    offs.set(this.offs);
    lens.set(this.lens);
    refs.set(this.refs);
    caps.set(this.caps);
    this.offs = offs;
    this.lens = lens;
    this.refs = refs;
    this.caps = caps;
  }
}
