// The plan of a testbed: addresses and routes follow from the spec alone, and what is wrong with a spec is named.
import { expect } from "chai";
import type { NodePlan } from "../../../rumpsys/testbed/plan.ts";
import { plan_testbed } from "../../../rumpsys/testbed/plan.ts";
import type { TestbedSpec } from "../../../rumpsys/testbed/spec.ts";
import { TestbedError } from "../../../rumpsys/testbed/testbed_error.ts";

const CHAIN: TestbedSpec = { nodes: { a: {}, r: { forward: true }, b: {} }, links: ["a -- r", "r -- b"] };

/** A line of n nodes, all forwarding but the ends. */
function line(n: number): TestbedSpec {
  const names = Array.from({ length: n }, (_, i) => `n${i}`);
  return {
    nodes: Object.fromEntries(names.map((name, i) => [name, { forward: i > 0 && i < n - 1 }])),
    links: names.slice(1).map((name, i) => `n${i} -- ${name}` as const),
  };
}

/** The next hop that routes give for an address; "" if it is on a link or unreachable. */
function next_hop(node: NodePlan, address: string): string {
  const value = (text: string): number => text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const covers = (dst: string, prefixlen: number): boolean =>
    Math.floor(value(dst) / 2 ** (32 - prefixlen)) === Math.floor(value(address) / 2 ** (32 - prefixlen));
  if (node.interfaces.some((i) => covers(i.address, 24))) return "";
  const best = node.routes.filter((r) => covers(r.dst, r.prefixlen)).sort((x, y) => y.prefixlen - x.prefixlen)[0];
  return best?.gateway ?? "";
}

describe("testbed plan", () => {
  it("gives the addresses and routes of the worked example", () => {
    const plan = plan_testbed(CHAIN);
    expect(plan.nodes.map((n) => [n.name, ...n.interfaces.map((i) => i.address)])).to.deep.equal([
      ["a", "10.0.1.2"],
      ["r", "10.0.1.1", "10.0.2.1"],
      ["b", "10.0.2.2"],
    ]);
    expect(plan.nodes[0]?.routes).to.deep.equal([{ dst: "0.0.0.0", prefixlen: 0, gateway: "10.0.1.1" }]);
    expect(plan.nodes[1]?.routes).to.deep.equal([]);
    expect(plan.links.map((l) => l.name)).to.deep.equal(["bus1", "bus2"]);
  });

  it("routes a line of 255 nodes from everywhere to everywhere with few routes", () => {
    const plan = plan_testbed(line(255));
    const most = Math.max(...plan.nodes.map((n) => n.routes.length));
    expect(most).to.be.at.most(16);
    const owner = new Map(plan.nodes.flatMap((n) => n.interfaces.map((i) => [i.address, n] as const)));
    for (const [from, to] of [
      [0, 254],
      [254, 0],
      [100, 3],
      [3, 200],
    ] as const) {
      const dst = plan.nodes[to]?.interfaces[0]?.address ?? "";
      let at = plan.nodes[from] as NodePlan;
      let hops = 0;
      for (let hop = next_hop(at, dst); hop !== "" && hops < 300; hop = next_hop(at, dst), hops++)
        at = owner.get(hop) as NodePlan;
      expect(Math.abs(hops - Math.abs(to - from)), `${from} to ${to}`).to.be.at.most(1);
    }
  });

  it("goes round nodes that do not forward", () => {
    const plan = plan_testbed({
      nodes: { a: {}, dumb: {}, r1: { forward: true }, r2: { forward: true }, b: {} },
      links: ["a -- dumb", "dumb -- b", "a -- r1", "r1 -- r2", "r2 -- b"],
    });
    const a = plan.nodes[0] as NodePlan;
    expect(next_hop(a, "10.0.5.2")).to.equal("10.0.3.1");
  });

  it("routes to the host behind another node's tap", () => {
    const tap = { name: "t0", address: "10.9.255.2", prefixlen: 24 };
    const plan = plan_testbed({ ...CHAIN, nodes: { a: { forward: true, tap }, r: { forward: true }, b: {} } });
    expect(next_hop(plan.nodes[1] as NodePlan, "10.9.255.1")).to.equal("10.0.1.1");
    expect(next_hop(plan.nodes[2] as NodePlan, "10.9.255.1")).to.equal("10.0.2.1");
  });

  const wrong: [string, TestbedSpec, RegExp][] = [
    ["no nodes", { nodes: {}, links: [] }, /needs a node/],
    ["a bad name", { nodes: { "a b": {} }, links: [] }, /node name "a b"/],
    ["an unknown key", { nodes: { a: { forwards: true } as object }, links: [] }, /node a: unknown key "forwards"/],
    [
      "an unknown end",
      { nodes: { a: {}, b: {} }, links: ["a -- c"] },
      /link 1 \(a -- c\): there is no node "c"; nodes are a, b/,
    ],
    ["one end", { nodes: { a: {} }, links: [{ ends: ["a"] }] }, /two or more ends/],
    ["the same end twice", { nodes: { a: {} }, links: ["a -- a"] }, /twice/],
    [
      "too many ends",
      {
        nodes: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`n${i}`, {}])),
        links: [{ ends: Array.from({ length: 40 }, (_, i) => `n${i}`) }],
      },
      /more than 32 ends/,
    ],
    ["a bad mtu", { nodes: { a: {}, b: {} }, links: [{ ends: ["a", "b"], mtu: 20 }] }, /mtu 20/],
    [
      "two buses of one name",
      {
        nodes: { a: {}, b: {} },
        links: [
          { ends: ["a", "b"], name: "x" },
          { ends: ["a", "b"], name: "x" },
        ],
      },
      /two links are called "x"/,
    ],
    ["a bad base", { ...CHAIN, base: "10" }, /base "10"/],
    ["bad routing", { ...CHAIN, routing: "rip" as "none" }, /routing is "rip"/],
    [
      "a bad tap",
      { nodes: { a: { tap: { name: "x/y", address: "10.0.0.1", prefixlen: 24 } } }, links: [] },
      /"x\/y" is no interface name/,
    ],
  ];
  for (const [what, spec, message] of wrong) {
    it(`names ${what}`, () => {
      expect(() => plan_testbed(spec)).to.throw(TestbedError, message);
    });
  }
});
