// NetBSD tests/net/in_cksum/t_in_cksum: the kernel's checksum against the definition, over chains cut at random, and over every size.
import { expect } from "chai";
import fc from "fast-check";
import { in_cksum } from "../../../../kernel-components/kern/in_cksum.ts";
import { MT_DATA } from "../../../../kernel-components/kern/mbuf.ts";
import type { Mbuf } from "../../../../kernel-components/kern/mbuf.ts";
import { m_freem, m_getcl } from "../../../../kernel-components/kern/mbuf_alloc.ts";
import { bootKernel } from "../../../support/kernel.ts";
import type { TestKernel } from "../../../support/kernel.ts";

function naive(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] as number) << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 65_536);
  return ~sum & 0xffff;
}

/** A chain whose mbufs have these lengths, filled from `bytes`, each starting `misalign` bytes off. */
function chain(t: TestKernel, bytes: Uint8Array, lengths: readonly number[], misalign: number): Mbuf | null {
  let head: Mbuf | null = null;
  let last: Mbuf | null = null;
  let at = 0;
  for (const len of lengths) {
    const m = m_getcl(t.k.mb, MT_DATA, false);
    if (m === null) throw new Error("no mbufs");
    m.m_off += misalign;
    m.m_len = len;
    t.k.u8.set(bytes.subarray(at, at + len), m.m_off);
    at += len;
    if (last === null) head = m;
    else last.m_next = m;
    last = m;
  }
  return head;
}

function mbufs(aligned: boolean): void {
  const t = bootKernel();
  fc.assert(
    fc.property(
      fc.array(fc.nat(250), { minLength: 1, maxLength: 40 }),
      fc.nat(255),
      fc.nat(63),
      (raw, fill, misalign) => {
        const lengths = aligned ? raw.map((n) => n & ~7) : raw;
        const total = lengths.reduce((n, len) => n + len, 0);
        const bytes = Uint8Array.from({ length: total }, (_, i) => (i * 31 + fill + (i >> 8)) & 255);
        const m = chain(t, bytes, lengths, aligned ? 0 : misalign);
        expect(in_cksum(t.k, m as Mbuf, 0, total, 0)).to.equal(naive(bytes));
        m_freem(m);
      },
    ),
    { numRuns: 300 },
  );
  t.end();
}

function sizes(misalign: number): void {
  const t = bootKernel();
  const bytes = Uint8Array.from({ length: 1800 }, (_, i) => 255 - ((i * 13 + (i >> 7)) & 255));
  for (let size = 0; size <= bytes.length; size++) {
    const m = chain(t, bytes, [size], misalign) as Mbuf;
    expect(in_cksum(t.k, m, 0, size, 0), `${size} bytes`).to.equal(naive(bytes.subarray(0, size)));
    m_freem(m);
  }
  t.end();
}

describe("net/in_cksum/t_in_cksum", () => {
  it("mbufs_aligned", () => mbufs(true));

  it("mbufs_unaligned", () => mbufs(false));

  it("sizes_aligned", () => sizes(0));

  it("sizes_unaligned", () => [1, 2, 3, 5, 63].forEach(sizes));
});
