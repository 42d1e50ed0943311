// The checksum over chains, cut anywhere, against one sum over the plain bytes (RFC 1071).
import { expect } from "chai";
import fc from "fast-check";
import { in_cksum } from "../../../kernel-components/kern/in_cksum.ts";
import { KernelPanic } from "../../../kernel-components/kern/kernel.ts";
import { MT_DATA } from "../../../kernel-components/kern/mbuf.ts";
import type { Mbuf, MbufPools } from "../../../kernel-components/kern/mbuf.ts";
import { m_freem, m_get } from "../../../kernel-components/kern/mbuf_alloc.ts";
import { m_devget } from "../../../kernel-components/kern/mbuf_bytes.ts";
import { bootKernel } from "../../support/kernel.ts";

/** The definition, byte by byte. */
function naive(bytes: ArrayLike<number>, sum0: number): number {
  let sum = sum0;
  for (let i = 0; i < bytes.length; i++) sum += (bytes[i] as number) << (i % 2 === 0 ? 8 : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  return ~sum & 0xffff;
}

/** A chain of plain mbufs of the given lengths, starting at odd places too. */
function chain(mb: MbufPools, pieces: readonly Uint8Array[]): Mbuf {
  const head = m_get(mb, MT_DATA) as Mbuf;
  let last = head;
  for (const piece of pieces) {
    const m = m_get(mb, MT_DATA) as Mbuf;
    m.m_off += piece.length % 7;
    m.m_len = piece.length;
    mb.u8.set(piece, m.m_off);
    last.m_next = m;
    last = m;
  }
  return head;
}

describe("in_cksum", () => {
  it("is the same however the bytes are cut, for any part of them and any partial sum", () => {
    const t = bootKernel();
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 240 }), { maxLength: 12 }),
        fc.nat(3000),
        fc.nat(3000),
        fc.nat(0x3fffc),
        (pieces, a, b, sum0) => {
          const bytes = pieces.flatMap((piece) => [...piece]);
          const off = a % (bytes.length + 1);
          const len = b % (bytes.length - off + 1);
          const m = chain(t.k.mb, pieces);
          expect(in_cksum(t.k, m, off, len, sum0)).to.equal(naive(bytes.slice(off, off + len), sum0));
          m_freem(m);
        },
      ),
      { numRuns: 200 },
    );
    t.end();
  });

  it("gives the known sum of RFC 1071 §3, and 0 over bytes that hold their checksum", () => {
    const t = bootKernel();
    const m = m_devget(t.k.mb, Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7), 0, null) as Mbuf;
    expect(in_cksum(t.k, m, 0, 8, 0)).to.equal(~0xddf2 & 0xffff);
    m_freem(m);
    const n = m_devget(
      t.k.mb,
      Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7, 0x22, 0x0d),
      0,
      null,
    ) as Mbuf;
    expect(in_cksum(t.k, n, 0, 10, 0)).to.equal(0);
    m_freem(n);
    t.end();
  });

  it("every length of a 64 KB packet's tail, also through the vector unit", () => {
    const t = bootKernel();
    const bytes = new Uint8Array(65_536).map((_, i) => (i * 31) >>> 3);
    const m = m_devget(t.k.mb, bytes, 0, null) as Mbuf;
    for (const len of [0, 1, 63, 64, 65, 1459, 1460, 65_535, 65_536]) {
      expect(in_cksum(t.k, m, 65_536 - len, len, 0), String(len)).to.equal(naive(bytes.subarray(65_536 - len), 0));
    }
    m_freem(m);
    t.end();
  });

  it("beyond the end is a panic", () => {
    const t = bootKernel();
    const m = m_devget(t.k.mb, new Uint8Array(10), 0, null) as Mbuf;
    expect(() => in_cksum(t.k, m, 4, 10, 0)).to.throw(KernelPanic, "beyond the end");
  });
});
