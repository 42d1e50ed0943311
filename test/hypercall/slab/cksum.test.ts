import { expect } from "chai";
import fc from "fast-check";
import { CKSUM_WASM_MAX } from "../../../hypercall/slab/cksum_wasm.ts";
import { SLAB_MAX, slab_create } from "../../../hypercall/slab/slab.ts";

/** RFC 1071 §1, word by word: the twin that is too simple to be wrong. */
function naive(u8: Uint8Array, off: number, len: number): number {
  let sum = 0;
  for (let i = 0; i < len; i += 2) {
    sum += (u8[off + i] ?? 0) * 256 + (i + 1 < len ? (u8[off + i + 1] ?? 0) : 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

/** Bytes that look random and never change. */
function fill(u8: Uint8Array): void {
  let x = 0x2545_f491;
  for (let i = 0; i < u8.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    u8[i] = x;
  }
}

for (const simd of [true, false])
  describe(`Slab.cksum, ${simd ? "WebAssembly SIMD" : "JavaScript"}`, () => {
    const slab = slab_create(2 * 1024 * 1024, simd);
    before(() => fill(slab.u8));

    it("runs where it was told to", () => {
      expect(slab.simd).to.equal(simd);
    });

    it("agrees with the naive sum for every length to 300 at 17 alignments", () => {
      for (let off = 4096; off < 4096 + 17; off++)
        for (let len = 0; len <= 300; len++)
          expect(slab.cksum(off, len), `${off} ${len}`).to.equal(naive(slab.u8, off, len));
    });

    it("agrees with the naive sum for lengths to 70000 at any offset", () => {
      fc.assert(
        fc.property(fc.nat(100_000), fc.nat(70_000), (off, len) => slab.cksum(off, len) === naive(slab.u8, off, len)),
        { numRuns: 300 },
      );
    });

    it("sums all ones without overflow, also beyond one call's limit", () => {
      const big = slab_create(2 * 1024 * 1024, simd);
      big.u8.fill(0xff);
      for (const len of [2, 64, 65_536, CKSUM_WASM_MAX, CKSUM_WASM_MAX + 2, 1_000_001])
        expect(big.cksum(3, len), String(len)).to.equal(naive(big.u8, 3, len));
    });

    it("tells zero bytes (0) from a sum that is a multiple of 0xffff (0xffff)", () => {
      const zero = slab_create(65_536, simd);
      expect(zero.cksum(0, 128)).to.equal(0);
      zero.u8[100] = 0xff;
      zero.u8[101] = 0xff;
      expect(zero.cksum(0, 128)).to.equal(0xffff);
    });

    it("sums up to the very last byte", () => {
      const end = slab.buffer.byteLength;
      for (const len of [1, 2, 63, 64, 65, 1460])
        expect(slab.cksum(end - len, len)).to.equal(naive(slab.u8, end - len, len));
    });
  });

describe("slab_create", () => {
  it("gives zeroed memory of whole pages with views over one buffer", () => {
    const slab = slab_create(65_537);
    expect(slab.buffer.byteLength).to.equal(131_072);
    slab.dv.setInt32(8, 0x01020304, true);
    expect(slab.i32[2]).to.equal(0x01020304);
    expect(slab.u8[8]).to.equal(4);
  });

  it("reaches above 2^31", () => {
    const slab = slab_create(2 ** 31 + 65_536);
    const off = 2 ** 31 + 100;
    slab.u8.fill(0x12, off, off + 100);
    expect(slab.cksum(off, 100)).to.equal(naive(slab.u8, off, 100));
    expect(slab.cksum(2 ** 31 - 33, 200)).to.equal(naive(slab.u8, 2 ** 31 - 33, 200));
  });

  it("refuses sizes that make no sense with an error that names the limits", () => {
    for (const bytes of [0, -1, 1.5, Number.NaN, 65_535, SLAB_MAX + 1])
      expect(() => slab_create(bytes), String(bytes)).to.throw(RangeError, /give a whole number/);
  });
});
