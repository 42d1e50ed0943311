import { expect } from "chai";
import fc from "fast-check";
import {
  cksum,
  cksum_fixup16,
  cksum_fixup32,
  cksum_fold,
  cksum_partial,
  cksum_pseudo4,
  cksum_pseudo6,
  cksum_reduce,
  cksum_swap,
  ip_cksum20,
} from "../../../kernel-components/wire/cksum.ts";
import { blob, hex, i32, u16, u8, view } from "./bytes.ts";

/** RFC 1071 by the letter: big-endian words, one at a time, in a number that cannot overflow. */
function naive_sum(bytes: Uint8Array, start = 0): number {
  let sum = start;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] ?? 0) * 256 + (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = Math.floor(sum / 65536) + (sum % 65536);
  return sum;
}

describe("wire/cksum", () => {
  it("gives the sum of the example (RFC 1071 §3)", () => {
    const dv = view(hex("0001 f203 f4f5 f6f7"));
    expect(cksum_reduce(cksum_partial(dv, 3, 8, 0))).to.equal(0xddf2);
    expect(cksum(dv, 3, 8)).to.equal(0x220d);
  });

  it("agrees with the naive sum at every offset and length, odd or even", () => {
    fc.assert(
      fc.property(blob(400), fc.integer({ min: 0, max: 9 }), u16, (bytes, off, start) => {
        expect(cksum_reduce(cksum_partial(view(bytes, off), off, bytes.length, start))).to.equal(
          naive_sum(bytes, start),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it("does not overflow on 256 KB of ones or of any repeated byte", () => {
    for (const b of [0xff, 0xfe, 0x80, 0x7f]) {
      const bytes = new Uint8Array(262_143).fill(b);
      expect(cksum_reduce(cksum_partial(view(bytes, 1), 1, bytes.length, 0))).to.equal(naive_sum(bytes));
    }
  });

  it("takes partial sums up to 2^30 and returns at most 0x1fffe", () => {
    const dv = view(hex("ffff"));
    expect(cksum_partial(dv, 3, 2, 2 ** 30 - 1)).to.be.at.most(0x1fffe);
    expect(cksum_reduce(cksum_partial(dv, 3, 2, 2 ** 30 - 1))).to.equal(naive_sum(hex("ffff"), 2 ** 30 - 1));
  });

  it("sums a chain cut at odd places through cksum_swap", () => {
    fc.assert(
      fc.property(fc.array(blob(70), { maxLength: 8 }), (chunks) => {
        let sum = 0;
        let odd = false;
        for (const c of chunks) {
          const part = cksum_partial(view(c), 3, c.length, 0);
          sum += odd ? cksum_swap(part) : part;
          if (c.length % 2 === 1) odd = !odd;
        }
        expect(cksum_reduce(sum)).to.equal(naive_sum(Uint8Array.from(chunks.flatMap((c) => [...c]))));
      }),
    );
  });

  it("updates a checksum as a full computation would (RFC 1624 §3, Eqn. 3)", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), u16, i32, (bytes, new16, new32) => {
        fc.pre(bytes.slice(8).some((b) => b !== 0)); // else both zeros are right
        const dv = view(bytes);
        const was = cksum(dv, 3, 20);
        const half = cksum_fixup16(was, dv.getUint16(3 + 2), new16);
        dv.setUint16(3 + 2, new16);
        expect(half).to.equal(cksum(dv, 3, 20));
        const whole = cksum_fixup32(half, dv.getInt32(3 + 4), new32);
        dv.setInt32(3 + 4, new32);
        expect(whole).to.equal(cksum(dv, 3, 20));
      }),
      { numRuns: 1000 },
    );
  });

  it("gives 0x0000 where RFC 1141 gave 0xffff (RFC 1624 §4)", () => {
    expect(cksum_fixup16(0xdd2f, 0x5555, 0x3285)).to.equal(0x0000);
  });

  it("has an unrolled form for 20 bytes that agrees with the loop", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (bytes) => {
        const dv = view(bytes);
        expect(ip_cksum20(dv, 3)).to.equal(cksum(dv, 3, 20));
      }),
    );
  });

  it("sums the pseudo-headers of IPv4 and IPv6 as if they were bytes", () => {
    fc.assert(
      fc.property(i32, i32, u8, u16, (src, dst, proto, len) => {
        const dv = new DataView(new ArrayBuffer(12));
        dv.setInt32(0, src);
        dv.setInt32(4, dst);
        dv.setUint16(8, proto);
        dv.setUint16(10, len);
        expect(cksum_fold(cksum_pseudo4(src, dst, proto, len))).to.equal(cksum(dv, 0, 12));
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), u8, fc.nat(200_000), (addrs, proto, len) => {
        const dv = view(Uint8Array.of(...addrs, 0, 0, 0, 0, 0, 0, 0, proto), 0);
        dv.setInt32(32, len);
        expect(cksum_fold(cksum_pseudo6(dv, 0, 16, proto, len))).to.equal(cksum(dv, 0, 40));
      }),
    );
  });
});
