// Socket buffers against a plain model: bytes of a stream, records with addresses, and the accounting of both.
import { expect } from "chai";
import fc from "fast-check";
import { M_EOR, M_EXT, MSIZE, MT_DATA } from "../../../kernel-components/kern/mbuf.ts";
import type { Mbuf } from "../../../kernel-components/kern/mbuf.ts";
import { m_freem, m_get, m_getcl, m_gethdr, m_getjcl } from "../../../kernel-components/kern/mbuf_alloc.ts";
import { m_copym } from "../../../kernel-components/kern/mbuf_copy.ts";
import { Protosw } from "../../../kernel-components/socket/protosw.ts";
import {
  sbappend,
  sbappendaddr,
  sbappendaddr_in,
  sbappendaddr_slab,
  sbappendcontrol,
  sbappendrecord,
  sbappendstream,
  sbinsertoob,
} from "../../../kernel-components/socket/sockbuf_append.ts";
import { sbdrop, sbdroprecord, sbflush } from "../../../kernel-components/socket/sockbuf_drop.ts";
import { sbrelease, sbreserve } from "../../../kernel-components/socket/sockbuf_reserve.ts";
import { sbcreatecontrol } from "../../../kernel-components/socket/cmsg.ts";
import type { Sockbuf } from "../../../kernel-components/socket/sockbuf.ts";
import { sbspace } from "../../../kernel-components/socket/sockbuf.ts";
import { Socket } from "../../../kernel-components/socket/socketvar.ts";
import { SimRump } from "../../rumpsys/sim_rump.ts";

let t: SimRump;
let sb: Sockbuf;

/** An mbuf of one of three kinds with these bytes. */
function mk(data: readonly number[], kind: number, hdr = true): Mbuf {
  const mb = t.rk.k.mb;
  const m = (
    kind === 0 && data.length <= MSIZE
      ? hdr
        ? m_gethdr(mb, MT_DATA)
        : m_get(mb, MT_DATA)
      : kind === 2
        ? m_getjcl(mb, MT_DATA, hdr)
        : m_getcl(mb, MT_DATA, hdr)
  ) as Mbuf;
  data.forEach((v, i) => (mb.u8[m.m_off + i] = v));
  m.m_len = data.length;
  m.m_pkthdr_len = data.length;
  return m;
}

/** The records of sb as arrays of bytes. */
function records(): number[][] {
  const out: number[][] = [];
  for (let rec = sb.sb_mb; rec !== null; rec = rec.m_nextpkt) {
    const all: number[] = [];
    for (let m: Mbuf | null = rec; m !== null; m = m.m_next)
      for (let i = 0; i < m.m_len; i++) all.push(t.rk.k.u8[m.m_off + i] as number);
    out.push(all);
  }
  return out;
}

/** sb_cc, sb_mbcnt, sb_mbtail and sb_lastrecord say what is there. */
function check(): void {
  let cc = 0;
  let mbcnt = 0;
  let last: Mbuf | null = null;
  let tail: Mbuf | null = null;
  for (let rec = sb.sb_mb; rec !== null; rec = rec.m_nextpkt) {
    last = rec;
    for (let m: Mbuf | null = rec; m !== null; m = m.m_next) {
      cc += m.m_len;
      mbcnt += MSIZE + ((m.m_flags & M_EXT) !== 0 ? m.m_ext_size : 0);
      tail = m;
      if (m !== rec) expect(m.m_nextpkt).to.equal(null);
    }
  }
  expect([sb.sb_cc, sb.sb_mbcnt]).to.deep.equal([cc, mbcnt]);
  expect(sb.sb_lastrecord === last && sb.sb_mbtail === tail).to.equal(true);
}

describe("sockbuf", () => {
  beforeEach(() => {
    t = new SimRump();
    sb = new Socket(t.layer, new Protosw({ pr_type: 1, pr_protocol: 0, pr_flags: 0 }), 1).so_rcv;
    expect(sbreserve(sb, 200_000)).to.equal(0);
  });
  afterEach(() => {
    sbflush(sb);
    check();
    sbrelease(sb);
    t.expectEmpty();
    t.end();
  });

  it("a stream is what was appended less what was dropped, also with shared clusters", () => {
    const chunk = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 700 });
    const op = fc.oneof(
      fc.record({ data: chunk, kind: fc.integer({ min: 0, max: 2 }), share: fc.boolean() }),
      fc.record({ drop: fc.integer({ min: 0, max: 2000 }) }),
    );
    fc.assert(
      fc.property(fc.array(op, { maxLength: 25 }), (ops) => {
        let model: number[] = [];
        const shared: Mbuf[] = [];
        for (const o of ops) {
          if ("drop" in o) {
            const n = Math.min(o.drop, model.length);
            sbdrop(sb, n);
            model = model.slice(n);
          } else {
            const m = mk(o.data, o.kind);
            if (o.share && o.data.length > 0) shared.push(m_copym(m, 0, o.data.length) as Mbuf);
            sbappendstream(sb, m);
            model.push(...o.data);
          }
          check();
          expect(records().flat()).to.deep.equal(model);
          expect(records().length).to.be.at.most(1);
        }
        sbflush(sb);
        for (const m of shared) m_freem(m);
      }),
      { numRuns: 60 },
    );
  });

  it("records with addresses come out whole and in order, whichever way the address was given", () => {
    const name = Uint8Array.of(16, 2, 0, 53, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
    t.rk.k.u8.set(name, 1024);
    expect(sbappendaddr(sb, name, mk([1, 2], 0), null)).to.equal(true);
    expect(sbappendaddr_in(sb, (10 << 24) | 1, 53, mk([3], 1), null)).to.equal(true);
    expect(sbappendaddr_slab(sb, 1024, 16, null, null)).to.equal(true);
    check();
    expect(records()).to.deep.equal([[...name, 1, 2], [...name, 3], [...name]]);
    sbdroprecord(sb);
    check();
    expect(records()).to.deep.equal([[...name, 3], [...name]]);
  });

  it("refuses a record it has no room for, takes nothing, and counts it", () => {
    sbreserve(sb, 100);
    const m = mk(new Array<number>(85).fill(1), 0);
    expect(sbappendaddr_in(sb, 1, 1, m, null)).to.equal(false);
    expect([sb.sb_overflowed, sb.sb_cc, t.layer.sostat[3]]).to.deep.equal([1, 0, 1]);
    const c = sbcreatecontrol(t.rk.k.mb, new Uint8Array(80), 80, 1, 1) as Mbuf;
    expect(sbappendcontrol(sb, m, c)).to.equal(false);
    m_freem(c);
    m.m_len = m.m_pkthdr_len = 84;
    expect(sbappendaddr_in(sb, 1, 1, m, null)).to.equal(true);
    expect(sbspace(sb)).to.be.at.most(0);
  });

  it("datagrams in clusters that queue up move into small mbufs, so that they do not pin the memory", () => {
    sbreserve(sb, 20_000);
    let n = 0;
    while (sbspace(sb) > 200 && n < 200) {
      expect(sbappendaddr_in(sb, 1, 1, mk([n], 1), null)).to.equal(true);
      n++;
    }
    check();
    expect(n).to.be.above(60);
    expect(t.rk.k.mb.in_use().clusters).to.be.below(6);
    expect(records().map((r) => r[16])).to.deep.equal(Array.from({ length: n }, (_, i) => i));
  });

  it("M_EOR ends a record: what follows is not merged into it", () => {
    const m = mk([1, 2], 0);
    m.m_flags |= M_EOR;
    sbappend(sb, m);
    sbappend(sb, mk([3], 0));
    sbappend(sb, mk([4], 0));
    check();
    expect(records()).to.deep.equal([
      [1, 2],
      [3, 4],
    ]);
    sbappendrecord(sb, mk([5], 0));
    check();
    expect(records()).to.deep.equal([[1, 2], [3, 4], [5]]);
  });

  it("out-of-band data goes in front, behind earlier out-of-band data", () => {
    sbappendrecord(sb, mk([9], 0));
    for (const v of [1, 2]) {
      const m = mk([v], 0, false);
      m.m_type = 7;
      sbinsertoob(sb, m);
    }
    check();
    expect(records()).to.deep.equal([[1], [2], [9]]);
  });
});
