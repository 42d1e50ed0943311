// The pools: limits, exhaustion and recovery, drains, accounting by owner and type, double frees, and what a fresh kernel costs.
import { expect } from "chai";
import { KernelPanic } from "../../../kernel-components/kern/kernel.ts";
import {
  M_COPYALL,
  MBS_CL_FAIL,
  MBS_DRAIN,
  MBS_JCL_FAIL,
  MBS_MBUF_FAIL,
  MT_CONTROL,
  MT_DATA,
} from "../../../kernel-components/kern/mbuf.ts";
import type { Mbuf } from "../../../kernel-components/kern/mbuf.ts";
import {
  m_claim,
  m_clget,
  m_free,
  m_freem,
  m_get,
  m_getcl,
  m_gethdr,
  m_getjcl,
} from "../../../kernel-components/kern/mbuf_alloc.ts";
import { m_copym } from "../../../kernel-components/kern/mbuf_copy.ts";
import { bootKernel } from "../../support/kernel.ts";

describe("mbuf pools", () => {
  it("refuse at the limit, count each refusal under its reason, and recover", () => {
    const t = bootKernel([], { nmbufs: 40, nmbclusters: 10, nmbjumbo: 1 });
    const mb = t.k.mb;
    const held: Mbuf[] = [];
    for (let m = m_getcl(mb, MT_DATA, true); m !== null; m = m_getcl(mb, MT_DATA, true)) held.push(m);
    expect([held.length, mb.mbstat[MBS_CL_FAIL], mb.mbstat[MBS_MBUF_FAIL]]).to.deep.equal([10, 1, 0]);
    held.push(m_getjcl(mb, MT_DATA, true) as Mbuf);
    expect([m_getjcl(mb, MT_DATA, true), mb.mbstat[MBS_JCL_FAIL]]).to.deep.equal([null, 1]);
    for (let m = m_get(mb, MT_DATA); m !== null; m = m_get(mb, MT_DATA)) held.push(m);
    expect([held.length, mb.mbstat[MBS_MBUF_FAIL]]).to.deep.equal([40, 1]);
    expect(m_getcl(mb, MT_DATA, true)).to.equal(null);
    for (const m of held) m_freem(m);
    expect(mb.in_use()).to.deep.equal({ mbufs: 0, clusters: 0, jumbo: 0, ext: 0 });
    for (let i = 0; i < 10; i++) held[i] = m_getcl(mb, MT_DATA, true) as Mbuf;
    expect(held.slice(0, 10).every((m) => m !== null)).to.equal(true);
    for (let i = 0; i < 10; i++) m_freem(held[i] as Mbuf);
    t.end();
  });

  it("find the mbufs and clusters that lie in pairs on the free list", () => {
    const t = bootKernel([], { nmbufs: 4, nmbclusters: 4 });
    const mb = t.k.mb;
    const pairs = [1, 2, 3, 4].map(() => m_getcl(mb, MT_DATA, true) as Mbuf);
    for (const m of pairs) m_free(m);
    const plain = [1, 2, 3, 4].map(() => m_get(mb, MT_DATA) as Mbuf);
    expect(plain.every((m) => m !== null && m_clget(m))).to.equal(true);
    expect([m_get(mb, MT_DATA), mb.in_use().clusters]).to.deep.equal([null, 4]);
    for (const m of plain) m_free(m);
    t.end();
  });

  it("ask the protocols for memory before they refuse", () => {
    const t = bootKernel([], { nmbufs: 2, nmbclusters: 2 });
    const mb = t.k.mb;
    let spare: Mbuf | null = m_getcl(mb, MT_DATA, true);
    mb.mb_drain = () => {
      m_freem(spare);
      spare = null;
    };
    const a = m_getcl(mb, MT_DATA, true) as Mbuf;
    const b = m_getcl(mb, MT_DATA, true);
    expect([b !== null, spare, mb.mbstat[MBS_DRAIN]]).to.deep.equal([true, null, 1]);
    expect(m_getcl(mb, MT_DATA, true)).to.equal(null);
    m_freem(a);
    m_freem(b);
    t.end();
  });

  it("refuse when the host has no memory, and recover", () => {
    const t = bootKernel([], {}, { params: { RUMP_MEMLIMIT: "128k" } });
    const mb = t.k.mb;
    const held: Mbuf[] = [];
    for (let m = m_getcl(mb, MT_DATA, true); m !== null; m = m_getcl(mb, MT_DATA, true)) held.push(m);
    expect(held.length).to.equal(32);
    const last = held.pop() as Mbuf;
    m_freem(last);
    expect(m_getcl(mb, MT_DATA, true)).to.equal(last);
    m_freem(last);
    for (const m of held) m_freem(m);
    t.end();
  });

  it("take nothing from the host until the first packet, and 128 KB for it", () => {
    const t = bootKernel();
    expect(t.k.mb.mem.bytes).to.equal(0);
    m_freem(m_getcl(t.k.mb, MT_DATA, true));
    expect(t.k.mb.mem.bytes).to.equal(131_072);
    t.end();
  });

  it("know who holds what, by owner and by type", () => {
    const t = bootKernel();
    const mb = t.k.mb;
    const rx = mb.owner("virt0", "rx");
    const a = m_get(mb, MT_CONTROL) as Mbuf;
    const b = m_getcl(mb, MT_DATA, true) as Mbuf;
    m_claim(b, rx);
    expect(mb.owner_report()).to.equal("1 mbufs held by unknown\n1 mbufs held by virt0 rx");
    expect([mb.mtype(MT_CONTROL), mb.mtype(MT_DATA)]).to.deep.equal([1, 1]);
    m_free(b);
    expect([rx.mo_claims, rx.mo_releases, mb.owner_report()]).to.deep.equal([1, 1, "1 mbufs held by unknown"]);
    m_free(a);
    expect(mb.owner_report()).to.equal("");
    t.end();
  });

  it("a leak is in the shutdown report with its owner", () => {
    const t = bootKernel();
    const m = m_gethdr(t.k.mb, MT_DATA) as Mbuf;
    m_claim(m, t.k.mb.owner("tester", "leak"));
    const report = t.k.shutdown();
    expect([report.mbufs, report.text]).to.deep.equal([1, "1 mbufs held by tester leak"]);
  });

  it("freeing an mbuf twice is a panic, and so is freeing a cluster once too often", () => {
    const t = bootKernel();
    const m = m_get(t.k.mb, MT_DATA) as Mbuf;
    m_free(m);
    expect(() => m_free(m)).to.throw(KernelPanic, "freed twice");
    const u = bootKernel();
    const a = m_getcl(u.k.mb, MT_DATA, true) as Mbuf;
    a.m_len = 10;
    const b = m_copym(a, 0, M_COPYALL) as Mbuf;
    u.k.mb.mem.ext_refs[a.m_ext_ref] = 0;
    expect(() => m_free(b)).to.throw(KernelPanic, "cluster freed twice");
  });
});
