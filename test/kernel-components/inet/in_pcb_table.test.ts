import { expect } from "chai";
import fc from "fast-check";
import type { Inpcb } from "../../../kernel-components/inet/in_pcb.ts";
import { InpcbTable } from "../../../kernel-components/inet/in_pcb_table.ts";
import { halfsiphash3, SipKey } from "../../../kernel-components/inet/halfsiphash.ts";

/** A block as the table sees it. */
function block(hash: number, lport: number): Inpcb {
  return {
    inp_hash: hash,
    inp_lport: lport,
    inp_inconn: false,
    inp_port_next: null,
    inp_index: -1,
  } as unknown as Inpcb;
}

function found(t: InpcbTable, hash: number): Inpcb[] {
  const out: Inpcb[] = [];
  for (let s = t.conn_find(hash); s >= 0; s = t.conn_next(hash, s)) out.push(t.conn_at(s));
  return out;
}

/** The same objects, each once, in whatever order. */
function same(got: readonly Inpcb[], want: readonly Inpcb[]): void {
  expect(got.length).to.equal(want.length);
  expect(want.every((i) => got.includes(i))).to.equal(true);
}

describe("in_pcb_table", () => {
  it("finds exactly the blocks that are there, whatever was added and removed, and with hashes that collide", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: -6, max: 6 }), fc.integer({ min: 1, max: 5 })),
          { maxLength: 300 },
        ),
        (ops) => {
          const t = new InpcbTable();
          const live: Inpcb[] = [];
          for (const [which, h, port] of ops) {
            const old = live[which];
            if (old !== undefined) {
              t.conn_remove(old);
              t.port_remove(old);
              t.remove(old);
              live.splice(which, 1);
            } else {
              const inp = block(h * 64, port);
              t.insert(inp);
              t.port_insert(inp);
              t.conn_insert(inp);
              live.push(inp);
            }
          }
          same(t.inpt_all, live);
          for (let h = -6; h <= 6; h++) {
            same(
              found(t, h * 64),
              live.filter((i) => i.inp_hash === h * 64),
            );
          }
          for (let port = 1; port <= 5; port++) {
            const chain: Inpcb[] = [];
            for (let i = t.port_first(port); i !== null; i = i.inp_port_next) chain.push(i);
            same(
              chain,
              live.filter((i) => i.inp_lport === port),
            );
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("halfsiphash", () => {
  it("depends on the key and on every word, and spreads neighbours", () => {
    const key = new SipKey(1, 2);
    const base = halfsiphash3(key, 10, 20, 30);
    expect(halfsiphash3(new SipKey(1, 3), 10, 20, 30)).to.not.equal(base);
    expect(halfsiphash3(new SipKey(2, 2), 10, 20, 30)).to.not.equal(base);
    expect(
      new Set([base, halfsiphash3(key, 11, 20, 30), halfsiphash3(key, 10, 21, 30), halfsiphash3(key, 10, 20, 31)]).size,
    ).to.equal(4);
    const buckets = new Int32Array(64);
    for (let i = 0; i < 6400; i++) buckets[halfsiphash3(key, i, 0x0a000001, 5) & 63]!++;
    expect(Math.max(...buckets)).to.be.below(150);
    expect(Math.min(...buckets)).to.be.above(55);
  });
});
