// The memory hypercalls of one kernel over a slab that it shares: its own limit, and its own list of what it holds, so that everything of a
// kernel that has died can be taken back.
import type { HyperMemory, Slab } from "../api/memory.ts";
import { SlabError, type SlabPages } from "./slab_pages.ts";

/** Memory of one kernel. */
export class SlabMemory implements HyperMemory {
  readonly slab: Slab;
  /** Bytes that this kernel holds, as asked for. */
  held = 0;
  private readonly pages: SlabPages;
  private readonly limit: number;
  private readonly mine: Map<number, number> = new Map();

  /** `limit` is the most bytes for this kernel; Infinity for none. */
  constructor(slab: Slab, pages: SlabPages, limit: number) {
    this.slab = slab;
    this.pages = pages;
    this.limit = limit;
  }

  /** See HyperMemory. */
  rumpuser_malloc(size: number, align: number): number {
    if (this.held + size > this.limit) return 0;
    const off = this.pages.alloc(size, align);
    if (off === 0) return 0;
    this.mine.set(off, size);
    this.held += size;
    return off;
  }

  /** See HyperMemory. */
  rumpuser_free(off: number, size: number): void {
    if (this.mine.get(off) !== size)
      throw new SlabError(`free of ${size} bytes at ${off}: this kernel does not hold them`);
    this.pages.free(off, size);
    this.mine.delete(off);
    this.held -= size;
  }

  /** Take back all that the kernel holds: it has died. */
  release_all(): void {
    for (const [off, size] of this.mine) this.pages.free(off, size);
    this.mine.clear();
    this.held = 0;
  }
}
