import { expect } from "chai";
import fc from "fast-check";
import { slab_create } from "../../../hypercall/slab/slab.ts";
import { SlabMemory } from "../../../hypercall/slab/slab_memory.ts";
import { SLAB_GRANULE, SLAB_RESERVED, SlabError, SlabPages } from "../../../hypercall/slab/slab_pages.ts";

describe("SlabPages", () => {
  it("never hands out offset 0, overlaps or a wrong alignment, and is whole again when all is freed", () => {
    const step = fc.record({
      free: fc.boolean(),
      pick: fc.nat(),
      size: fc.integer({ min: 1, max: 200_000 }),
      shift: fc.nat(16),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const pages = new SlabPages(4 * 1024 * 1024);
        const held: [number, number][] = [];
        for (const s of steps) {
          if (s.free && held.length > 0) {
            const [off, size] = held.splice(s.pick % held.length, 1)[0]!;
            pages.free(off, size);
            continue;
          }
          const off = pages.alloc(s.size, 2 ** s.shift);
          if (off === 0) continue;
          expect(off % 2 ** s.shift).to.equal(0);
          expect(off).to.be.at.least(SLAB_RESERVED);
          expect(off + s.size).to.be.at.most(4 * 1024 * 1024);
          for (const [o, n] of held) expect(off + s.size <= o || o + n <= off, "overlap").to.equal(true);
          held.push([off, s.size]);
        }
        for (const [off, size] of held) pages.free(off, size);
        expect(pages.used).to.equal(0);
        expect(pages.count).to.equal(0);
        expect(pages.alloc(pages.total, 1)).to.equal(SLAB_RESERVED);
      }),
      { numRuns: 200 },
    );
  });

  it("works beyond 2^31 and 2^32", () => {
    const pages = new SlabPages(2 ** 33);
    const low = pages.alloc(2 ** 32, 65_536);
    const high = pages.alloc(2 ** 31, 65_536);
    expect(high).to.equal(low + 2 ** 32);
    pages.free(low, 2 ** 32);
    pages.free(high, 2 ** 31);
    expect(pages.used).to.equal(0);
  });

  it("answers 0 for sizes and alignments that make no sense, and when full", () => {
    const pages = new SlabPages(65_536);
    for (const size of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 65_536])
      expect(pages.alloc(size, 1), String(size)).to.equal(0);
    for (const align of [0, -4, 3, 1.5, 131_072]) expect(pages.alloc(100, align), String(align)).to.equal(0);
    expect(pages.used).to.equal(0);
  });

  it("throws for a second free, a wrong size and an offset inside a range", () => {
    const pages = new SlabPages(65_536);
    const off = pages.alloc(5000, 64);
    expect(() => pages.free(off, 4999)).to.throw(SlabError, /5000 were allocated/);
    expect(() => pages.free(off + SLAB_GRANULE, 5000)).to.throw(SlabError);
    pages.free(off, 5000);
    expect(() => pages.free(off, 5000)).to.throw(SlabError, /nothing is allocated/);
  });
});

describe("SlabMemory", () => {
  it("keeps a kernel to its limit and its hands off other kernels' memory", () => {
    const slab = slab_create(1024 * 1024);
    const pages = new SlabPages(slab.buffer.byteLength);
    const a = new SlabMemory(slab, pages, 100_000);
    const b = new SlabMemory(slab, pages, Number.POSITIVE_INFINITY);
    const off = a.rumpuser_malloc(65_536, 4096);
    expect(off).to.be.above(0);
    expect(a.rumpuser_malloc(65_536, 4096)).to.equal(0);
    expect(() => b.rumpuser_free(off, 65_536)).to.throw(SlabError, /does not hold/);
    a.rumpuser_free(off, 65_536);
    expect(a.rumpuser_malloc(65_536, 4096)).to.equal(off);
    b.rumpuser_malloc(1000, 1);
    a.release_all();
    expect(a.held).to.equal(0);
    expect(pages.count).to.equal(1);
    b.release_all();
    expect(pages.used).to.equal(0);
  });
});
