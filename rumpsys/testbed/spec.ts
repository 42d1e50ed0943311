/**
 * How a testbed is described: nodes (kernels), links between them, and what routes are made. plan.ts turns it into addresses and routes.
 */

/** One kernel. */
export interface NodeSpec {
  /** Whether it forwards packets (net.inet.ip.forwarding). */
  readonly forward?: boolean;
  /** Joins the host by a tap interface (processes only, root only). */
  readonly tap?: TapSpec;
}

/** A tap interface between a node and the host. */
export interface TapSpec {
  /** Name of the host's interface, such as "rumptap0". */
  readonly name: string;
  /** The node's address on it. */
  readonly address: string;
  /** Bits of its network. */
  readonly prefixlen: number;
}

/** A link: "a -- b", or two or more nodes on one bus with options. */
export type LinkSpec<N extends string = string> =
  | `${N} -- ${N}`
  | {
      /** The nodes on it, two or more; their order decides who has which address. */
      readonly ends: readonly N[];
      /** Name of the bus; "bus1", "bus2", ... by default. */
      readonly name?: string;
      /** Largest IP packet in bytes; 1500 by default. */
      readonly mtu?: number;
    };

/** A testbed. */
export interface TestbedSpec<N extends string = string> {
  /** The kernels by name. */
  readonly nodes: Readonly<Record<N, NodeSpec>>;
  /** What connects them. */
  readonly links: readonly LinkSpec<N>[];
  /** "static": shortest paths, by default; "none": no routes but those of the links. */
  readonly routing?: "static" | "none";
  /** First two bytes of all addresses; "10.0" by default. Link number n has the network BASE.n.0/24. */
  readonly base?: string;
}

/**
 * Where the kernels run. "sim": in this process under a virtual clock. "inproc": in this process on Linux. "process": a process each, which
 * meet on shared-memory buses.
 */
export type TestbedMode = "sim" | "inproc" | "process";

/** All modes. */
export const TESTBED_MODES: readonly TestbedMode[] = ["sim", "inproc", "process"];
