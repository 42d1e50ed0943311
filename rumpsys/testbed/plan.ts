/**
 * A testbed spelled out: interfaces, addresses and routes of every node. The same spec always gives the same plan.
 *
 * Link number n (from 1) is the network BASE.n.0/24; links beyond 255 go on in the second byte. Hosts of a link are numbered from .1: those that
 * forward first, then the others, each in the order of the link's ends.
 */
import { inet_ntoa, inet_pton4 } from "../../kernel-components/wire/inet_addr.ts";
import { plan_routes } from "./plan_routes.ts";
import type { LinkSpec, NodeSpec, TapSpec, TestbedSpec } from "./spec.ts";
import { TestbedError } from "./testbed_error.ts";

/** Most nodes on a link: the ports of a bus. */
const LINK_MAX_ENDS = 32;
/** Most links: the second byte and the third one. */
const LINKS_MAX = 65_000;
const MTU_MIN = 68;
const MTU_MAX = 65_535;
const NODE_NAME = /^[A-Za-z][A-Za-z0-9_.]*(-[A-Za-z0-9_.]+)*$/;

/** An interface of a node. */
export interface InterfacePlan {
  /** "shmif0", ... in the order of the links. */
  readonly ifname: string;
  /** Index into TestbedPlan.links. */
  readonly link: number;
  /** Its address. */
  readonly address: string;
}

/** A route of a node. */
export interface RoutePlan {
  /** Destination network. */
  readonly dst: string;
  /** Its bits; 0 is the default route. */
  readonly prefixlen: number;
  /** Next hop. */
  readonly gateway: string;
}

/** A kernel as it is to be configured. */
export interface NodePlan {
  /** Its name. */
  readonly name: string;
  /** Whether it forwards. */
  readonly forward: boolean;
  /** In the order of the links. */
  readonly interfaces: readonly InterfacePlan[];
  /** Routes beyond its own networks. */
  readonly routes: readonly RoutePlan[];
  /** Its tap, or null. */
  readonly tap: TapSpec | null;
}

/** A bus. */
export interface LinkPlan {
  /** Its name. */
  readonly name: string;
  /** Its network, int32. */
  readonly net: number;
  /** Names of the nodes on it. */
  readonly ends: readonly string[];
  /** MTU of its interfaces. */
  readonly mtu: number;
}

/** A whole testbed. */
export interface TestbedPlan {
  /** In the order of the spec. */
  readonly nodes: readonly NodePlan[];
  /** In the order of the spec. */
  readonly links: readonly LinkPlan[];
}

/** Spells a spec out. Throws TestbedError that names what is wrong. */
export function plan_testbed(spec: TestbedSpec): TestbedPlan {
  const nodes = new Map<string, NodeSpec>(Object.entries(spec.nodes));
  if (nodes.size === 0) throw new TestbedError("a testbed needs a node");
  for (const [name, node] of nodes) check_node(name, node);
  const base = base_of(spec.base ?? "10.0");
  if (spec.links.length > LINKS_MAX) throw new TestbedError(`${spec.links.length} links are more than ${LINKS_MAX}`);
  const links = spec.links.map((link, i) => plan_link(link, i, base, nodes));
  check_unique(links);
  const addresses = links.map((link) => link_addresses(link, nodes));
  const bare = [...nodes].map(([name, node]) => plan_node(name, node, links, addresses));
  const routing = spec.routing ?? "static";
  if (routing !== "static" && routing !== "none")
    throw new TestbedError(`routing is ${JSON.stringify(routing)}: "static" or "none"`);
  return { nodes: routing === "none" ? bare : plan_routes(bare, links, addresses), links };
}

function check_node(name: string, node: NodeSpec): void {
  if (!NODE_NAME.test(name))
    throw new TestbedError(
      `node name ${JSON.stringify(name)}: letters, digits, "_", "." and single "-", beginning with a letter`,
    );
  if (typeof node !== "object" || node === null)
    throw new TestbedError(`node ${name}: is not an object; {} is a plain host`);
  for (const key of Object.keys(node)) {
    if (key !== "forward" && key !== "tap")
      throw new TestbedError(`node ${name}: unknown key ${JSON.stringify(key)}; one of forward, tap`);
  }
  if (node.tap !== undefined) check_tap(name, node.tap);
  if (node.forward !== undefined && typeof node.forward !== "boolean")
    throw new TestbedError(`node ${name}: forward is true or false`);
}

function check_tap(name: string, tap: TapSpec): void {
  if (!/^[A-Za-z0-9_.-]{1,15}$/.test(tap.name))
    throw new TestbedError(`node ${name}: ${JSON.stringify(tap.name)} is no interface name`);
  if (!inet_pton4(tap.address).ok)
    throw new TestbedError(`node ${name}: tap address ${JSON.stringify(tap.address)} is no IPv4 address`);
  if (!Number.isInteger(tap.prefixlen) || tap.prefixlen < 1 || tap.prefixlen > 30) {
    throw new TestbedError(`node ${name}: tap prefixlen ${tap.prefixlen} is not 1 to 30`);
  }
}

function base_of(text: string): number {
  const parsed = inet_pton4(`${text}.0.0`);
  if (!parsed.ok) throw new TestbedError(`base ${JSON.stringify(text)}: two numbers such as "10.0"`);
  return parsed.addr;
}

function plan_link(link: LinkSpec, i: number, base: number, nodes: ReadonlyMap<string, NodeSpec>): LinkPlan {
  const full = typeof link === "string" ? { ends: link.split(" -- ") } : link;
  const what = `link ${i + 1} (${full.ends.join(" -- ")})`;
  const unknown = full.ends.find((end) => !nodes.has(end));
  if (unknown !== undefined)
    throw new TestbedError(
      `${what}: there is no node ${JSON.stringify(unknown)}; nodes are ${[...nodes.keys()].join(", ")}`,
    );
  if (full.ends.length < 2) throw new TestbedError(`${what}: a link has two or more ends, as in "a -- b"`);
  if (full.ends.length > LINK_MAX_ENDS) throw new TestbedError(`${what}: more than ${LINK_MAX_ENDS} ends`);
  if (new Set(full.ends).size !== full.ends.length) throw new TestbedError(`${what}: a node is on it twice`);
  const mtu = full.mtu ?? 1500;
  if (!Number.isInteger(mtu) || mtu < MTU_MIN || mtu > MTU_MAX)
    throw new TestbedError(`${what}: mtu ${mtu} is not ${MTU_MIN} to ${MTU_MAX}`);
  return { name: full.name ?? `bus${i + 1}`, net: (base + (i + 1) * 256) | 0, ends: full.ends, mtu };
}

function check_unique(links: readonly LinkPlan[]): void {
  const seen = new Set<string>();
  for (const { name } of links) {
    if (name === "" || seen.has(name)) throw new TestbedError(`two links are called ${JSON.stringify(name)}`);
    seen.add(name);
  }
}

/** Address of every end: forwarding nodes first. */
function link_addresses(link: LinkPlan, nodes: ReadonlyMap<string, NodeSpec>): Map<string, number> {
  const forwards = (end: string): boolean => nodes.get(end)?.forward === true;
  const order = [...link.ends.filter(forwards), ...link.ends.filter((end) => !forwards(end))];
  return new Map(order.map((end, i) => [end, (link.net + i + 1) | 0]));
}

function plan_node(
  name: string,
  node: NodeSpec,
  links: readonly LinkPlan[],
  addresses: readonly Map<string, number>[],
): NodePlan {
  const on = links.map((_, link) => link).filter((link) => addresses[link]?.has(name) === true);
  const interfaces = on.map((link, i) => ({
    ifname: `shmif${i}`,
    link,
    address: inet_ntoa(addresses[link]?.get(name) ?? 0),
  }));
  return { name, forward: node.forward === true, interfaces, routes: [], tap: node.tap ?? null };
}
