/**
 * Static routes: shortest paths over the forwarding nodes. The next hop that leads to most networks becomes the default route; what is left is
 * merged into blocks that share a next hop, so that a line of 255 nodes needs a few routes a node and not 254.
 */
import { inet_ntoa, inet_pton4 } from "../../kernel-components/wire/inet_addr.ts";
import type { LinkPlan, NodePlan, RoutePlan } from "./plan.ts";
import type { TapSpec } from "./spec.ts";

/** Bits of every link's network. */
export const LINK_PREFIX = 24;

/** The nodes with their routes. `addresses` has the address of every end of every link. */
export function plan_routes(
  nodes: readonly NodePlan[],
  links: readonly LinkPlan[],
  addresses: readonly Map<string, number>[],
): NodePlan[] {
  const by_name = new Map(nodes.map((node) => [node.name, node]));
  return nodes.map((node) => ({ ...node, routes: routes_of(node, by_name, links, addresses) }));
}

function routes_of(
  from: NodePlan,
  nodes: ReadonlyMap<string, NodePlan>,
  links: readonly LinkPlan[],
  addresses: readonly Map<string, number>[],
): RoutePlan[] {
  const taps = new Map<TapSpec, number>();
  const via = next_hops(from, nodes, links, addresses, taps);
  const count = new Map<number, number>();
  for (const hop of [...via.values(), ...taps.values()]) count.set(hop, (count.get(hop) ?? 0) + 1);
  const best = [...count].sort((x, y) => y[1] - x[1])[0];
  if (best === undefined) return [];
  const others = [...via].filter(([, hop]) => hop !== best[0]);
  const host = [...taps].filter(([, hop]) => hop !== best[0]);
  return [
    { dst: "0.0.0.0", prefixlen: 0, gateway: inet_ntoa(best[0]) },
    ...merge(new Map(others.map(([link, hop]) => [(links[link] as LinkPlan).net, hop]))),
    ...host.map(([tap, hop]) => ({ dst: tap_network(tap), prefixlen: tap.prefixlen, gateway: inet_ntoa(hop) })),
  ];
}

function tap_network(tap: TapSpec): string {
  return inet_ntoa(inet_pton4(tap.address).addr & (-1 << (32 - tap.prefixlen)));
}

/** Breadth first: for every link that `from` is not on, the address of the next hop towards it; the same in `taps` for other nodes' taps. */
function next_hops(
  from: NodePlan,
  nodes: ReadonlyMap<string, NodePlan>,
  links: readonly LinkPlan[],
  addresses: readonly Map<string, number>[],
  taps: Map<TapSpec, number>,
): Map<number, number> {
  const seen_link = new Set(from.interfaces.map((i) => i.link));
  const seen_node = new Set([from.name]);
  const via = new Map<number, number>();
  let edge: [number, number][] = [...seen_link].map((link) => [link, 0]);
  while (edge.length > 0) {
    const next: [number, number][] = [];
    for (const [link, hop] of edge) {
      for (const name of (links[link] as LinkPlan).ends) {
        const node = nodes.get(name);
        if (node === undefined || !node.forward || seen_node.has(name)) continue;
        seen_node.add(name);
        const first = hop === 0 ? (addresses[link]?.get(name) ?? 0) : hop;
        if (node.tap !== null) taps.set(node.tap, first);
        for (const i of node.interfaces) {
          if (seen_link.has(i.link)) continue;
          seen_link.add(i.link);
          via.set(i.link, first);
          next.push([i.link, first]);
        }
      }
    }
    edge = next;
  }
  return via;
}

/** Joins pairs of equal networks with the same next hop, again and again. */
function merge(nets: Map<number, number>): RoutePlan[] {
  const routes: RoutePlan[] = [];
  let level = nets;
  for (let prefixlen = LINK_PREFIX; level.size > 0; prefixlen--) {
    const size = 2 ** (32 - prefixlen);
    const up = new Map<number, number>();
    for (const [net, hop] of level) {
      const twin = (net ^ size) | 0;
      if (prefixlen > 1 && level.get(twin) === hop) up.set(net & ~size, hop);
      else routes.push({ dst: inet_ntoa(net), prefixlen, gateway: inet_ntoa(hop) });
    }
    level = up;
  }
  return routes;
}
