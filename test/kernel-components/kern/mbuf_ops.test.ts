// The corners of each mbuf operation that the model does not name: headers, flags, sharing, failure, panics.
import { expect } from "chai";
import { ENOBUFS } from "../../../hypercall/api/errno.ts";
import { KernelPanic } from "../../../kernel-components/kern/kernel.ts";
import {
  M_BCAST,
  M_COPYALL,
  M_CSUM_UDPv4,
  M_EXT,
  M_PKTHDR,
  M_PROTO1,
  MBS_PULLUP_FAIL,
  MCLBYTES,
  MHLEN,
  MLEN,
  MT_DATA,
  MT_HEADER,
} from "../../../kernel-components/kern/mbuf.ts";
import type { Mbuf } from "../../../kernel-components/kern/mbuf.ts";
import {
  m_ext_attach,
  m_ext_refcnt,
  m_free,
  m_freem,
  m_get,
  m_getcl,
  m_gethdr,
} from "../../../kernel-components/kern/mbuf_alloc.ts";
import { m_devget, m_tobytes } from "../../../kernel-components/kern/mbuf_bytes.ts";
import {
  m_append,
  m_copyback,
  m_copydata,
  m_copym,
  m_defrag,
  m_dup,
  m_makewritable,
} from "../../../kernel-components/kern/mbuf_copy.ts";
import { m_adj, m_cat, m_getm, m_prepend, m_pullup, m_split } from "../../../kernel-components/kern/mbuf_ops.ts";
import { m_copy_pkthdr, m_move_pkthdr } from "../../../kernel-components/kern/mbuf_pkthdr.ts";
import {
  M_LEADINGSPACE,
  M_TRAILINGSPACE,
  M_UNWRITABLE,
  m_align,
  m_apply,
  m_getptr,
  m_length,
  MbufPtr,
} from "../../../kernel-components/kern/mbuf_space.ts";
import {
  m_tag_copy_chain,
  m_tag_delete,
  m_tag_find,
  m_tag_get,
  m_tag_prepend,
} from "../../../kernel-components/kern/mbuf_tag.ts";
import { bootKernel } from "../../support/kernel.ts";
import type { TestKernel } from "../../support/kernel.ts";

describe("mbuf operations", () => {
  let t: TestKernel;
  beforeEach(() => {
    t = bootKernel();
  });
  afterEach(() => t.end());

  const packet = (n: number): Mbuf =>
    m_devget(
      t.k.mb,
      new Uint8Array(n).map((_, i) => i),
      0,
      null,
    ) as Mbuf;

  it("m_gethdr clears every field of the packet header, whoever had the mbuf before", () => {
    const a = m_gethdr(t.k.mb, MT_DATA) as Mbuf;
    a.m_csum_flags = M_CSUM_UDPv4;
    a.m_gso_size = 1400;
    a.m_vlan = 5;
    a.m_rcvif = { if_index: 1, if_xname: "x0" };
    a.m_ts_ns = 12.5;
    m_tag_prepend(a, m_tag_get(7, 4));
    m_free(a);
    const b = m_gethdr(t.k.mb, MT_HEADER) as Mbuf;
    expect(b).to.equal(a);
    expect([b.m_csum_flags, b.m_gso_size, b.m_vlan, b.m_rcvif, b.m_ts_ns, b.m_tags, b.m_pkthdr_len]).to.deep.equal([
      0,
      0,
      0,
      null,
      0,
      null,
      0,
    ]);
    expect(b.m_flags).to.equal(M_PKTHDR);
    m_free(b);
  });

  it("m_prepend uses leading space, and otherwise a new first mbuf that takes the header and the queue link", () => {
    const m = packet(10);
    m.m_off += 0;
    m.m_flags |= M_BCAST;
    const follower = packet(1);
    m.m_nextpkt = follower;
    const n = m_prepend(m, 20) as Mbuf;
    expect(n).to.not.equal(m);
    expect([
      n.m_pkthdr_len,
      n.m_len,
      n.m_nextpkt,
      m.m_nextpkt,
      m.m_flags & M_PKTHDR,
      n.m_flags & M_BCAST,
    ]).to.deep.equal([30, 20, follower, null, 0, M_BCAST]);
    expect(m_prepend(n, 14)).to.equal(n);
    expect(n.m_pkthdr_len).to.equal(44);
    m_freem(n);
    m_freem(follower);
  });

  it("m_prepend never writes into shared storage", () => {
    const m = m_getcl(t.k.mb, MT_DATA, true) as Mbuf;
    m.m_off += 100;
    m.m_len = m.m_pkthdr_len = 200;
    const copy = m_copym(m, 0, M_COPYALL) as Mbuf;
    expect(M_LEADINGSPACE(m)).to.equal(0);
    const n = m_prepend(copy, 8) as Mbuf;
    expect(n).to.not.equal(copy);
    m_freem(n);
    expect(M_LEADINGSPACE(m)).to.equal(100);
    m_freem(m);
  });

  it("m_pullup of more than the packet frees it and counts it", () => {
    const before = t.k.mb.mbstat[MBS_PULLUP_FAIL];
    expect(m_pullup(packet(30), 31)).to.equal(null);
    expect(t.k.mb.mbstat[MBS_PULLUP_FAIL]).to.equal((before as number) + 1);
  });

  it("m_pullup makes more than an mbuf's worth contiguous", () => {
    const m = m_gethdr(t.k.mb, MT_DATA) as Mbuf;
    const rest = packet(5000);
    m_cat(m, rest);
    m.m_pkthdr_len = 5000;
    const n = m_pullup(m, 3000) as Mbuf;
    expect(n.m_len).to.be.at.least(3000);
    expect(m_length(n)).to.equal(5000);
    m_freem(n);
  });

  it("m_adj by more than there is leaves an empty packet", () => {
    const m = packet(300);
    m_adj(m, 1000);
    expect([m.m_pkthdr_len, m_length(m)]).to.deep.equal([0, 0]);
    m_freem(m);
    const n = packet(300);
    m_adj(n, -1000);
    expect([n.m_pkthdr_len, m_length(n)]).to.deep.equal([0, 0]);
    m_freem(n);
  });

  it("m_split shares a cluster instead of copying it, and gives the tail a header", () => {
    const m = packet(1000);
    m.m_rcvif = { if_index: 3, if_xname: "y0" };
    const tail = m_split(m, 400) as Mbuf;
    expect([m.m_pkthdr_len, tail.m_pkthdr_len, m_ext_refcnt(tail)]).to.deep.equal([400, 600, 2]);
    expect(tail.m_rcvif).to.equal(m.m_rcvif);
    expect(m_split(m, 400)).to.equal(null);
    expect(m_split(m, 401)).to.equal(null);
    m_freem(m);
    expect(m_ext_refcnt(tail)).to.equal(1);
    m_freem(tail);
  });

  it("m_copym shares clusters: neither side may be written until the other is gone", () => {
    const m = packet(1500);
    const c = m_copym(m, 0, M_COPYALL) as Mbuf;
    expect([M_UNWRITABLE(m), M_UNWRITABLE(c), c.m_off]).to.deep.equal([true, true, m.m_off]);
    expect(t.k.mb.in_use().clusters).to.equal(1);
    expect(m_makewritable(c, 0, 1)).to.equal(c);
    expect([M_UNWRITABLE(m), M_UNWRITABLE(c)]).to.deep.equal([false, false]);
    expect([...m_tobytes(c)]).to.deep.equal([...m_tobytes(m)]);
    m_freem(m);
    m_freem(c);
  });

  it("m_copym copies the header from offset 0 only", () => {
    const m = packet(100);
    m.m_flags |= M_PROTO1;
    m_tag_prepend(m, m_tag_get(9, 2));
    const head = m_copym(m, 0, 40) as Mbuf;
    expect([head.m_pkthdr_len, head.m_flags & M_PROTO1, head.m_tags?.m_tag_id]).to.deep.equal([40, M_PROTO1, 9]);
    expect(head.m_tags).to.not.equal(m.m_tags);
    const rest = m_copym(m, 40, M_COPYALL) as Mbuf;
    expect(rest.m_flags & M_PKTHDR).to.equal(0);
    for (const x of [m, head, rest]) m_freem(x);
  });

  it("reading or sharing beyond the end is a panic, not garbage", () => {
    for (const wrong of [
      (m: Mbuf) => m_copydata(m, 90, 20, new Uint8Array(20), 0),
      (m: Mbuf) => m_copym(m, 90, 20),
      (m: Mbuf) => m_apply(m, 90, 20, () => 0),
    ]) {
      const victim = bootKernel();
      const m = m_devget(victim.k.mb, new Uint8Array(100), 0, null) as Mbuf;
      expect(() => wrong(m)).to.throw(KernelPanic, "beyond the end");
      expect(victim.k.panicstr).to.be.a("string");
    }
  });

  it("m_copyback leaves the packet's bytes as they were when there is no memory", () => {
    const small = bootKernel([], { nmbclusters: 2, nmbufs: 8, nmbjumbo: 0 });
    const m = m_devget(small.k.mb, new Uint8Array(1000).fill(1), 0, null) as Mbuf;
    expect(m_copyback(m, 900, 5000, new Uint8Array(5000), 0)).to.equal(ENOBUFS);
    expect(m_append(m, 9000, new Uint8Array(9000))).to.equal(ENOBUFS);
    expect(m_length(m)).to.equal(1000);
    expect([...m_tobytes(m)].every((b) => b === 1)).to.equal(true);
    m_freem(m);
    small.end();
  });

  it("m_dup and m_defrag fail without harm when there is no memory", () => {
    const small = bootKernel([], { nmbclusters: 2, nmbufs: 3, nmbjumbo: 0 });
    const m = m_getm(small.k.mb, 4000, MT_DATA, true) as Mbuf;
    expect(m_copyback(m, 0, 4000, new Uint8Array(4000).fill(9), 0)).to.equal(0);
    expect(m_dup(m, 0, M_COPYALL)).to.equal(null);
    expect(m_defrag(m)).to.equal(null);
    expect(m_tobytes(m)).to.deep.equal(new Uint8Array(4000).fill(9));
    m_freem(m);
    small.end();
  });

  it("m_makewritable copies read-only external storage; its owner hears of the end once", () => {
    const off = t.k.host.memory.rumpuser_malloc(8192, 64);
    t.k.u8.fill(7, off, off + 8192);
    const freed: number[] = [];
    const m = m_gethdr(t.k.mb, MT_DATA) as Mbuf;
    m_ext_attach(m, off, 8192, (arg) => freed.push(arg), 42, true);
    m.m_len = m.m_pkthdr_len = 8192;
    expect([M_UNWRITABLE(m), M_TRAILINGSPACE(m)]).to.deep.equal([true, 0]);
    const c = m_copym(m, 100, 200) as Mbuf;
    expect(m_makewritable(m, 0, 10)).to.equal(m);
    expect(freed).to.deep.equal([]);
    m_freem(c);
    expect(freed).to.deep.equal([42]);
    expect([...m_tobytes(m)].every((b) => b === 7)).to.equal(true);
    m_freem(m);
    expect(freed).to.deep.equal([42]);
    t.k.host.memory.rumpuser_free(off, 8192);
  });

  it("m_cat copies small data into the room at the end and drops the second header", () => {
    const a = packet(10);
    const b = packet(20);
    m_cat(a, b);
    expect([a.m_len, a.m_next, t.k.mb.in_use().mbufs]).to.deep.equal([30, null, 1]);
    m_freem(a);
  });

  it("m_move_pkthdr and m_copy_pkthdr keep the target's storage flags", () => {
    const from = packet(5);
    const to = m_getcl(t.k.mb, MT_DATA, false) as Mbuf;
    m_tag_prepend(from, m_tag_get(1, 1));
    m_copy_pkthdr(to, from);
    expect([to.m_flags & M_EXT, to.m_tags === from.m_tags]).to.deep.equal([M_EXT, false]);
    m_move_pkthdr(to, from);
    expect([from.m_flags & M_PKTHDR, from.m_tags, to.m_tags?.m_tag_id]).to.deep.equal([0, null, 1]);
    m_freem(from);
    m_freem(to);
  });

  it("tags are found in order, deleted, and copied deeply", () => {
    const m = packet(1);
    const n = packet(1);
    for (const [id, byte] of [
      [1, 10],
      [2, 20],
      [1, 30],
    ] as const) {
      const tag = m_tag_get(id, 1);
      tag.m_tag_data[0] = byte;
      m_tag_prepend(m, tag);
    }
    m_tag_copy_chain(n, m);
    const first = m_tag_find(m, 1);
    expect(first?.m_tag_data[0]).to.equal(30);
    expect(m_tag_find(m, 1, first)?.m_tag_data[0]).to.equal(10);
    if (first !== null) m_tag_delete(m, first);
    expect(m_tag_find(m, 1)?.m_tag_data[0]).to.equal(10);
    expect(m_tag_find(n, 1)?.m_tag_data[0]).to.equal(30);
    m_freem(m);
    m_freem(n);
  });

  it("m_getptr finds every position and the end, m_apply visits every byte, m_align ends at the buffer's end", () => {
    const m = m_gethdr(t.k.mb, MT_DATA) as Mbuf;
    const b = packet(300);
    m.m_next = b;
    b.m_flags &= ~M_PKTHDR;
    m.m_pkthdr_len = 300;
    const at = new MbufPtr();
    expect([m_getptr(m, 0, at), at.m === b, at.off]).to.deep.equal([true, true, 0]);
    expect([m_getptr(m, 300, at), at.off, m_getptr(m, 301, at)]).to.deep.equal([true, 300, false]);
    let n = 0;
    expect(m_apply(m, 10, 200, (_, len) => ((n += len), 0))).to.equal(0);
    expect([n, m_apply(m, 0, 300, () => 55)]).to.deep.equal([200, 55]);
    const c = m_get(t.k.mb, MT_DATA) as Mbuf;
    m_align(c, 14);
    expect([M_LEADINGSPACE(c) % 8, M_LEADINGSPACE(c) + 14 <= MLEN, MHLEN]).to.deep.equal([0, true, MLEN]);
    m_freem(c);
    m_freem(m);
  });

  it("a 64 KB packet comes in one jumbo cluster", () => {
    const m = packet(65_535);
    expect([m.m_next, t.k.mb.in_use().jumbo, m.m_ext_size > MCLBYTES]).to.deep.equal([null, 1, true]);
    m_freem(m);
  });
});
