// Every mbuf operation against a plain array of bytes, in random order on random chains; nothing may be lost, shared wrongly or leaked.
import { expect } from "chai";
import fc from "fast-check";
import { M_COPYALL, MCLBYTES, MJUMBYTES, MT_DATA } from "../../../kernel-components/kern/mbuf.ts";
import type { Mbuf, MbufPools } from "../../../kernel-components/kern/mbuf.ts";
import { m_freem, m_get, m_getcl, m_gethdr, m_getjcl } from "../../../kernel-components/kern/mbuf_alloc.ts";
import { m_devget, m_tobytes, m_verify } from "../../../kernel-components/kern/mbuf_bytes.ts";
import {
  m_append,
  m_copyback,
  m_copydata,
  m_copym,
  m_defrag,
  m_dup,
  m_makewritable,
} from "../../../kernel-components/kern/mbuf_copy.ts";
import { m_adj, m_cat, m_copyup, m_prepend, m_pullup, m_split } from "../../../kernel-components/kern/mbuf_ops.ts";
import { M_UNWRITABLE } from "../../../kernel-components/kern/mbuf_space.ts";
import { bootKernel } from "../../support/kernel.ts";

/** A packet and what must be in it. */
interface Pair {
  m: Mbuf;
  bytes: number[];
}

/** An operation: a, b and c are numbers that it scales as it needs. */
interface Step {
  readonly op: number;
  readonly which: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  op: fc.nat(13),
  which: fc.nat(100),
  a: fc.nat(1 << 20),
  b: fc.nat(1 << 20),
  c: fc.nat(255),
});

describe("mbuf against a model", () => {
  it("keeps the bytes of every packet under any sequence of operations", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const t = bootKernel();
        const pairs: Pair[] = [];
        for (const s of steps) {
          apply(t.k.mb, pairs, s);
          for (const p of pairs) check(p);
        }
        for (const p of pairs) m_freem(p.m);
        t.end();
      }),
      { numRuns: 150 },
    );
  });
});

function check(p: Pair): void {
  const why = m_verify(p.m);
  if (why !== null) throw new Error(why);
  const got = m_tobytes(p.m);
  if (got.length !== p.bytes.length || got.some((b, i) => b !== p.bytes[i])) {
    expect([...got]).to.deep.equal(p.bytes);
  }
}

function apply(mb: MbufPools, pairs: Pair[], s: Step): void {
  if (pairs.length === 0 || s.op === 0) {
    if (pairs.length < 8) pairs.push(build(mb, s));
    return;
  }
  const i = s.which % pairs.length;
  const p = pairs[i] as Pair;
  const n = p.bytes.length;
  const operations: (() => void)[] = [
    () => grow_front(p, 1 + (s.a % 300), s.c),
    () => pullup(pairs, i, s.a % (n + 2)),
    () => copyup(pairs, i, s.a % (n + 2), s.b % 64),
    () => trim(p, (s.a % (n + 20)) * (s.c % 2 === 0 ? 1 : -1)),
    () => share(pairs, p, s.a % (n + 1), s.b),
    () => duplicate(pairs, p, s.a % (n + 1), s.b),
    () => join(pairs, i, s.b),
    () => cut(pairs, p, s.a % (n + 2)),
    () => overwrite(p, s.a % (n + 100), 1 + (s.b % 400), s.c),
    () => extend(p, 1 + (s.b % 3000), s.c),
    () => defrag(p),
    () => scribble(p, s.a, s.c),
    () => {
      m_freem(p.m);
      pairs.splice(i, 1);
    },
  ];
  operations[(s.op - 1) % operations.length]?.();
}

/** A packet of random shape: small mbufs, clusters and jumbo clusters in turn, each filled in part. */
function build(mb: MbufPools, s: Step): Pair {
  const bytes: number[] = [];
  const head = m_gethdr(mb, MT_DATA) as Mbuf;
  let last = head;
  let shape = s.a;
  for (let i = 0; i <= s.c % 4; i++) {
    const kind = shape % 3;
    shape = Math.floor(shape / 3);
    const next =
      kind === 0 ? m_get(mb, MT_DATA) : kind === 1 ? m_getcl(mb, MT_DATA, false) : m_getjcl(mb, MT_DATA, false);
    if (next === null) throw new Error("no mbuf");
    const room = kind === 0 ? 256 : kind === 1 ? MCLBYTES : MJUMBYTES;
    const lead = shape % 60;
    const len = Math.min(room - lead, (s.b + i * 97) % 700);
    next.m_off += lead;
    next.m_len = len;
    for (let j = 0; j < len; j++) {
      const byte = (s.c + i + j) & 0xff;
      mb.u8[next.m_off + j] = byte;
      bytes.push(byte);
    }
    last.m_next = next;
    last = next;
  }
  head.m_pkthdr_len = bytes.length;
  return { m: head, bytes };
}

function grow_front(p: Pair, len: number, fill: number): void {
  const m = m_prepend(p.m, len) as Mbuf;
  expect(m.m_len).to.be.at.least(len);
  m.m_pool.u8.fill(fill, m.m_off, m.m_off + len);
  p.m = m;
  p.bytes.unshift(...new Array<number>(len).fill(fill));
}

function pullup(pairs: Pair[], i: number, len: number): void {
  replace(pairs, i, len, m_pullup((pairs[i] as Pair).m, len));
}

function copyup(pairs: Pair[], i: number, len: number, dstoff: number): void {
  const m = m_copyup((pairs[i] as Pair).m, len, dstoff);
  if (m !== null) expect(M_UNWRITABLE(m)).to.equal(false);
  replace(pairs, i, len, m);
}

function replace(pairs: Pair[], i: number, len: number, m: Mbuf | null): void {
  const p = pairs[i] as Pair;
  expect(m === null, "fails exactly when the packet is too short").to.equal(len > p.bytes.length);
  if (m === null) {
    pairs.splice(i, 1);
    return;
  }
  expect(m.m_len).to.be.at.least(len);
  p.m = m;
}

function trim(p: Pair, n: number): void {
  m_adj(p.m, n);
  if (n >= 0) p.bytes.splice(0, n);
  else p.bytes.splice(Math.max(0, p.bytes.length + n));
}

function share(pairs: Pair[], p: Pair, off: number, b: number): void {
  const rest = p.bytes.length - off;
  const len = b % 3 === 0 ? M_COPYALL : b % (rest + 1);
  add_copy(pairs, p, off, len, m_copym(p.m, off, len));
}

function duplicate(pairs: Pair[], p: Pair, off: number, b: number): void {
  const rest = p.bytes.length - off;
  const len = b % 3 === 0 ? M_COPYALL : b % (rest + 1);
  add_copy(pairs, p, off, len, m_dup(p.m, off, len));
}

function add_copy(pairs: Pair[], p: Pair, off: number, len: number, m: Mbuf | null): void {
  const bytes = p.bytes.slice(off, len === M_COPYALL ? undefined : off + len);
  if (m === null) {
    expect(bytes).to.have.length(0);
    return;
  }
  if (pairs.length < 10) pairs.push({ m, bytes });
  else m_freem(m);
}

function join(pairs: Pair[], i: number, b: number): void {
  const j = b % pairs.length;
  if (i === j) return;
  const p = pairs[i] as Pair;
  const q = pairs[j] as Pair;
  if (p.bytes.length + q.bytes.length > 20_000) return;
  m_cat(p.m, q.m);
  p.m.m_pkthdr_len += q.bytes.length;
  p.bytes.push(...q.bytes);
  pairs.splice(j, 1);
}

function cut(pairs: Pair[], p: Pair, len: number): void {
  const tail = m_split(p.m, len);
  if (tail === null) return;
  pairs.push({ m: tail, bytes: p.bytes.splice(len) });
}

function overwrite(p: Pair, off: number, len: number, fill: number): void {
  const src = new Uint8Array(len + 3).map((_, i) => fill + i);
  expect(m_copyback(p.m, off, len, src, 3)).to.equal(0);
  while (p.bytes.length < off) p.bytes.push(0);
  for (let i = 0; i < len; i++) p.bytes[off + i] = src[3 + i] as number;
}

function extend(p: Pair, len: number, fill: number): void {
  const src = new Uint8Array(len).fill(fill);
  expect(m_append(p.m, len, src)).to.equal(0);
  p.bytes.push(...src);
}

function defrag(p: Pair): void {
  const m = m_defrag(p.m);
  if (m === null) return;
  if (p.bytes.length <= MJUMBYTES - 100) expect(m.m_next).to.equal(null);
  p.m = m;
}

/** Write in place after m_makewritable: no other packet may see it. */
function scribble(p: Pair, a: number, fill: number): void {
  if (p.bytes.length === 0) return;
  const off = a % p.bytes.length;
  const len = Math.min(p.bytes.length - off, 40);
  expect(m_makewritable(p.m, off, len)).to.equal(p.m);
  let at = 0;
  for (let n: Mbuf | null = p.m; n !== null; n = n.m_next) {
    for (let i = 0; i < n.m_len; i++, at++) {
      if (at < off || at >= off + len) continue;
      expect(M_UNWRITABLE(n)).to.equal(false);
      n.m_pool.u8[n.m_off + i] = fill;
      p.bytes[at] = fill;
    }
  }
}

describe("m_devget and m_copydata", () => {
  it("round trip any bytes with any headroom", () => {
    const t = bootKernel();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), fc.nat(100), fc.nat(5000), (bytes, headroom, at) => {
        const m = m_devget(t.k.mb, bytes, headroom, null) as Mbuf;
        const off = Math.min(at, bytes.length);
        const out = new Uint8Array(bytes.length - off + 2);
        m_copydata(m, off, bytes.length - off, out, 2);
        expect([...out.subarray(2)]).to.deep.equal([...bytes.subarray(off)]);
        expect(m_verify(m)).to.equal(null);
        m_freem(m);
      }),
      { numRuns: 50 },
    );
    t.end();
  });
});
