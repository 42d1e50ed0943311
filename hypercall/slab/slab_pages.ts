// Who owns which part of the slab. A first-fit list of free runs in address order, neighbours joined: simple, because kernels take big chunks
// and keep them. Misuse is refused loudly; two owners of one page would be far harder to find.

/** Everything is handed out in multiples of this. */
export const SLAB_GRANULE = 1024;
/** The first bytes of the slab are nobody's: 0 is null, and small numbers used as offsets by mistake hit nothing. */
export const SLAB_RESERVED = 4096;
/** Largest alignment. */
export const SLAB_MAXALIGN = 65_536;

/** A kernel gave back what it does not own. */
export class SlabError extends Error {
  override readonly name = "SlabError";
}

/** Whether `size` and `align` are something that can be allocated at all. */
export function slab_sane(size: number, align: number): boolean {
  return (
    Number.isSafeInteger(size) &&
    size > 0 &&
    Number.isInteger(align) &&
    align > 0 &&
    align <= SLAB_MAXALIGN &&
    (align & (align - 1)) === 0
  );
}

/** The free list of one slab. Offsets are plain numbers, never forced to 32 bits. */
export class SlabPages {
  /** Bytes that are handed out, whole granules. */
  used = 0;
  /** Bytes that can be handed out in all. */
  readonly total: number;
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  private readonly live: Map<number, number> = new Map();

  /** The free list over offsets SLAB_RESERVED .. `bytes`. */
  constructor(bytes: number) {
    const end = Math.floor(bytes / SLAB_GRANULE) * SLAB_GRANULE;
    this.total = end - SLAB_RESERVED;
    this.starts.push(SLAB_RESERVED);
    this.ends.push(end);
  }

  /** Ranges that are handed out. */
  get count(): number {
    return this.live.size;
  }

  /** The offset of `size` bytes at a multiple of `align`, or 0. The bytes are as their last owner left them. */
  alloc(size: number, align: number): number {
    if (!slab_sane(size, align)) return 0;
    const need = Math.ceil(size / SLAB_GRANULE) * SLAB_GRANULE;
    const step = Math.max(align, SLAB_GRANULE);
    for (let i = 0; i < this.starts.length; i++) {
      const off = Math.ceil(this.starts[i] / step) * step;
      if (off + need > this.ends[i]) continue;
      this.take(i, off, off + need);
      this.live.set(off, size);
      this.used += need;
      return off;
    }
    return 0;
  }

  /** Give back `size` bytes at `off`; throws SlabError unless exactly that was handed out. */
  free(off: number, size: number): void {
    const had = this.live.get(off);
    if (had === undefined) throw new SlabError(`free of ${size} bytes at ${off}: nothing is allocated there`);
    if (had !== size) throw new SlabError(`free of ${size} bytes at ${off}: ${had} were allocated there`);
    this.live.delete(off);
    const end = off + Math.ceil(size / SLAB_GRANULE) * SLAB_GRANULE;
    this.used -= end - off;
    this.join(off, end);
  }

  /** Cut [off, end) out of free run i. */
  private take(i: number, off: number, end: number): void {
    const start = this.starts[i];
    const stop = this.ends[i];
    if (off > start && end < stop) {
      this.ends[i] = off;
      this.starts.splice(i + 1, 0, end);
      this.ends.splice(i + 1, 0, stop);
    } else if (off > start) this.ends[i] = off;
    else if (end < stop) this.starts[i] = end;
    else {
      this.starts.splice(i, 1);
      this.ends.splice(i, 1);
    }
  }

  /** Put [off, end) into the list, joined with its neighbours. */
  private join(off: number, end: number): void {
    let low = 0;
    let high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.starts[middle] < off) low = middle + 1;
      else high = middle;
    }
    const before = low > 0 && this.ends[low - 1] === off;
    const after = low < this.starts.length && this.starts[low] === end;
    if (before && after) {
      this.ends[low - 1] = this.ends[low];
      this.starts.splice(low, 1);
      this.ends.splice(low, 1);
    } else if (before) this.ends[low - 1] = end;
    else if (after) this.starts[low] = off;
    else {
      this.starts.splice(low, 0, off);
      this.ends.splice(low, 0, end);
    }
  }
}
