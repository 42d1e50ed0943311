// The routing table's trie against a list that is searched from end to end.
import { expect } from "chai";
import fc from "fast-check";
import {
  RadixHead,
  rn_addroute,
  rn_delete,
  rn_key,
  rn_lookup,
  rn_maskkey,
  rn_masklen,
  rn_match,
  rn_match4,
  rn_walktree,
  type RadixNode,
} from "../../../kernel-components/net/radix.ts";
import { mk_sockaddr_in } from "../../../kernel-components/wire/sockaddr.ts";

interface Entry {
  readonly key: Uint8Array;
  readonly plen: number;
  readonly node: RadixNode<Entry> | null;
}

/** Addresses that collide often: few distinct bytes. */
const addr4 = fc.array(fc.constantFrom(0, 1, 2, 3, 10, 127, 128, 192, 255), { minLength: 4, maxLength: 4 });
const op = fc.record({ add: fc.boolean(), addr: addr4, plen: fc.integer({ min: 0, max: 32 }) });

function masked(bytes: readonly number[], plen: number): Uint8Array {
  const key = Uint8Array.from(bytes);
  rn_maskkey(key, plen);
  return key;
}

function covers(e: Entry, key: Uint8Array): boolean {
  const m = key.slice();
  rn_maskkey(m, e.plen);
  return m.every((b, i) => b === e.key[i]);
}

function same(e: Entry, key: Uint8Array, plen: number): boolean {
  return e.plen === plen && e.key.every((b, i) => b === key[i]);
}

/** Branching nodes must have two children, every node must hang below a shorter prefix of itself. */
function check_shape<T>(head: RadixHead<T>): number {
  let items = 0;
  const visit = (n: RadixNode<T> | null, parent: RadixNode<T> | null): void => {
    if (n === null) return;
    expect(n.rn_parent).to.equal(parent);
    if (n.rn_item === null)
      expect(n.rn_left !== null && n.rn_right !== null, "a node without item branches").to.equal(true);
    else items++;
    if (parent !== null) expect(n.rn_plen).to.be.greaterThan(parent.rn_plen);
    visit(n.rn_left, n);
    visit(n.rn_right, n);
  };
  visit(head.rnh_root, null);
  return items;
}

describe("radix", () => {
  it("agrees with a naive table under any sequence of additions and removals", () => {
    fc.assert(
      fc.property(fc.array(op, { maxLength: 60 }), fc.array(addr4, { maxLength: 20 }), (ops, probes) => {
        const head = new RadixHead<Entry>(4, 4);
        const model: Entry[] = [];
        for (const o of ops) {
          const key = masked(o.addr, o.plen);
          const at = model.findIndex((e) => same(e, key, o.plen));
          if (o.add) {
            const item = { key, plen: o.plen, node: null };
            const node = rn_addroute(head, key, o.plen, item);
            expect(node === null).to.equal(at >= 0);
            if (node !== null) {
              const kept = { key, plen: o.plen, node };
              node.rn_item = kept;
              model.push(kept);
            }
          } else if (at >= 0) {
            const e = model[at] as Entry;
            rn_delete(head, e.node as RadixNode<Entry>);
            model.splice(at, 1);
          }
          expect(rn_lookup(head, key, o.plen) !== null).to.equal(model.some((e) => same(e, key, o.plen)));
        }
        expect(check_shape(head)).to.equal(model.length);
        expect(head.rnh_count).to.equal(model.length);
        for (const p of [...probes, ...ops.map((o) => o.addr)]) {
          const key = Uint8Array.from(p);
          let best: Entry | null = null;
          for (const e of model) if (covers(e, key) && (best === null || e.plen > best.plen)) best = e;
          expect(rn_match(head, key, 32)).to.equal(best);
          expect(rn_match4(head, new DataView(key.buffer).getInt32(0))).to.equal(best);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("walks in order of address, shorter prefix first, and survives changes meanwhile", () => {
    const head = new RadixHead<string>(4, 4);
    const nodes: RadixNode<string>[] = [];
    for (const [a, plen] of [
      [[10, 1, 0, 0], 16],
      [[0, 0, 0, 0], 0],
      [[10, 0, 0, 0], 8],
      [[192, 168, 0, 0], 16],
      [[10, 1, 2, 3], 32],
    ] as const) {
      nodes.push(rn_addroute(head, Uint8Array.from(a), plen, `${a.join(".")}/${plen}`) as RadixNode<string>);
    }
    const seen: string[] = [];
    rn_walktree(head, (s) => {
      seen.push(s);
      for (const n of nodes) if (n.rn_item === s) rn_delete(head, n);
      return 0;
    });
    expect(seen).to.deep.equal(["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32", "192.168.0.0/16"]);
    expect(head.rnh_count).to.equal(0);
    expect(head.rnh_root).to.equal(null);
  });

  it("measures masks, also such as are cut short, and refuses holes", () => {
    const head = new RadixHead<number>(4, 4);
    const len = (mask: number): number => rn_masklen(head, mk_sockaddr_in(mask));
    expect([len(0), len(-1), len(0xffffff00 | 0), len(0xfffff800 | 0), len(0x80000000 | 0)]).to.deep.equal([
      0, 32, 24, 21, 1,
    ]);
    expect([len(0xff00ff00 | 0), len(0x7f000000), len(0xfffffffd | 0), len(1)]).to.deep.equal([-1, -1, -1, -1]);
    expect(rn_masklen(head, Uint8Array.of(7, 0, 0, 0, 255, 255, 128))).to.equal(17);
    expect(rn_masklen(head, Uint8Array.of(0, 0))).to.equal(0);
    expect(
      rn_masklen(head, Uint8Array.of(5, 0, 0, 0, 255, 255, 255, 255)),
      "bytes behind sa_len do not count",
    ).to.equal(8);
    expect(Array.from(rn_key(head, Uint8Array.of(6, 2, 0, 0, 10, 9)))).to.deep.equal([10, 9, 0, 0]);
  });

  it("matches 16-byte addresses to the last bit", () => {
    const head = new RadixHead<string>(8, 16);
    const host = new Uint8Array(16).fill(0x55);
    const near = host.slice();
    near[15] = 0x54;
    rn_addroute(head, host, 128, "host");
    rn_addroute(head, masked([...host], 127), 127, "pair");
    expect(rn_match(head, host, 128)).to.equal("host");
    expect(rn_match(head, near, 128)).to.equal("pair");
    expect(rn_match(head, host, 127)).to.equal("pair");
    expect(rn_match(head, new Uint8Array(16), 128)).to.equal(null);
  });
});
