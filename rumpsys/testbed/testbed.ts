/**
 * Testbeds: kernels and links from one description, in three modes (spec.ts). Whatever happens, stop() leaves nothing behind: no process, no
 * file, no socket; a testbed whose own process dies takes its nodes along.
 *
 * @example
 * await using tb = await startTestbed({ nodes: { a: {}, r: { forward: true }, b: {} }, links: ["a -- r", "r -- b"] }, { mode: "sim" });
 * const { ttl } = await tb.ping("a", "b", { count: 3 });   // 63: one router on the way
 */
import { SimWorld } from "../../hypercall/sim/sim_world.ts";
import { BusFile } from "./bus_file.ts";
import { LocalNode } from "./local_node.ts";
import type { EchoRequest, EchoResult, Hop, NodeOps, PingRequest, PingResult } from "./node_ops.ts";
import { plan_testbed } from "./plan.ts";
import type { NodePlan, TestbedPlan } from "./plan.ts";
import { ProcessNode } from "./process_node.ts";
import { SimPump } from "./sim_pump.ts";
import { TESTBED_MODES } from "./spec.ts";
import type { TestbedMode, TestbedSpec } from "./spec.ts";
import { TestbedError } from "./testbed_error.ts";

/** How a testbed runs. */
export interface TestbedOptions {
  /** Where the kernels run; "process" by default. */
  readonly mode?: TestbedMode;
  /** Seed of a simulation; 1 by default. */
  readonly seed?: number;
  /** The world of a simulation; one of its own by default. */
  readonly world?: SimWorld;
  /** CPUs of the nodes' processes; those of this process by default. */
  readonly cpus?: readonly number[];
}

type Node = LocalNode | ProcessNode;

/** What is left out of a request: the address comes from a node's name. */
type ByName<T extends { readonly address: string }> = Omit<T, "address">;

/** A running testbed with nodes named N. Made by startTestbed. */
export class Testbed<N extends string = string> {
  /** The spec, spelled out. */
  readonly plan: TestbedPlan;
  /** Where the kernels run. */
  readonly mode: TestbedMode;
  /** The world of a simulation, or null. */
  readonly world: SimWorld | null;
  private readonly pump: SimPump | null;
  private readonly buses: BusFile[] = [];
  private readonly nodes: Map<string, Node> = new Map();
  private readonly cpus: readonly number[] | null;
  private stopping: Promise<string[]> | null = null;
  private tell_broken: (why: TestbedError) => void = () => {};
  /** Resolves if a node's process ends by itself, or by somebody else's hand. */
  readonly broken: Promise<TestbedError> = new Promise((resolve) => {
    this.tell_broken = resolve;
  });

  constructor(plan: TestbedPlan, options: TestbedOptions) {
    this.plan = plan;
    this.mode = options.mode ?? "process";
    this.cpus = options.cpus ?? null;
    this.world = this.mode === "sim" ? (options.world ?? new SimWorld({ seed: options.seed ?? 1 })) : null;
    this.pump = this.world === null ? null : new SimPump(this.world);
  }

  /** Boots all nodes. On failure everything is taken back. */
  async boot(): Promise<void> {
    try {
      if (this.world === null) for (const _link of this.plan.links) this.buses.push(new BusFile());
      await all(this.plan.nodes.map((node) => this.boot_node(node)));
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** The operations of a node. */
  node(name: N): NodeOps {
    return this.find(name).ops;
  }

  /** The node's kernel, for programs in this process. Throws in mode "process". */
  kernel(name: N): LocalNode["agent"]["rk"] {
    const node = this.find(name);
    if (node instanceof ProcessNode) throw new TestbedError(`node ${name}: its kernel is in another process`);
    return node.agent.rk;
  }

  /** The process id of a node, 0 if it shares this process. */
  pid(name: N): number {
    const node = this.find(name);
    return node instanceof ProcessNode ? node.pid : 0;
  }

  /** Whether a node runs. */
  alive(name: N): boolean {
    return this.find(name).alive;
  }

  /** The first address of a node. */
  address(name: N): string {
    const address = this.plan_of(name).interfaces[0]?.address;
    if (address === undefined) throw new TestbedError(`node ${name}: is on no link and has no address`);
    return address;
  }

  /** Pings the first address of `to`. */
  ping(from: N, to: N, options: ByName<PingRequest> = {}): Promise<PingResult> {
    return this.run(this.node(from).ping({ ...options, address: this.address(to) }));
  }

  /** Sends datagrams to an echo server of `to` (NodeOps.echo_server). */
  echo(from: N, to: N, options: ByName<EchoRequest>): Promise<EchoResult> {
    return this.run(this.node(from).echo({ ...options, address: this.address(to) }));
  }

  /** The path between two nodes. */
  traceroute(
    from: N,
    to: N,
    options: { readonly max_hops?: number; readonly timeout_ms?: number } = {},
  ): Promise<Hop[]> {
    return this.run(this.node(from).traceroute({ ...options, address: this.address(to) }));
  }

  /** Waits for an operation; in a simulation time passes until it is done. */
  run<T>(work: Promise<T>): Promise<T> {
    return this.pump === null ? work : this.pump.run(work);
  }

  /** Lets time pass, virtual or real, in ms. */
  sleep(ms: number): Promise<void> {
    if (this.pump !== null) return this.pump.sleep(ms);
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  /** Kills a node without warning (SIGKILL). Throws in mode "inproc". */
  async kill(name: N): Promise<void> {
    const node = this.find(name);
    if (node instanceof ProcessNode) await node.kill();
    else if (this.world === null)
      throw new TestbedError(`node ${name}: cannot be killed alone, it shares this process`);
    else node.kill();
  }

  /** Starts a node that was killed, with its configuration. */
  async restart(name: N): Promise<void> {
    if (this.find(name).alive) throw new TestbedError(`node ${name}: runs`);
    await this.boot_node(this.plan_of(name));
  }

  /** Moves the processes of all nodes to these CPUs (mode "process"). */
  async place(cpus: readonly number[]): Promise<void> {
    await all(
      [...this.nodes.values()].map((node) => (node instanceof ProcessNode ? node.place(cpus) : Promise.resolve())),
    );
  }

  /** Ends everything. What kernels had not given back, "node: what" each; empty if all is well. May be called again. */
  stop(): Promise<string[]> {
    this.stopping ??= this.stop_all();
    return this.stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  private async stop_all(): Promise<string[]> {
    const reports: string[] = [];
    await Promise.all(
      [...this.nodes.values()].map(async (node) => {
        const report = await node.stop();
        if (report !== "") reports.push(`${node.name}: ${report}`);
      }),
    );
    for (const bus of this.buses) bus.close();
    return reports;
  }

  private async boot_node(node: NodePlan): Promise<void> {
    if (this.mode !== "process") {
      const bus = (link: number): string => this.buses[link]?.path() ?? (this.plan.links[link]?.name as string);
      this.nodes.set(node.name, new LocalNode(this.plan, node, this.world, bus));
      return;
    }
    const child = new ProcessNode(
      node.name,
      node.interfaces.map(({ link }) => this.buses[link] as BusFile),
    );
    child.on_death((why) => this.tell_broken(why));
    this.nodes.set(node.name, child);
    try {
      await child.start(this.plan, node, this.cpus);
    } catch (error) {
      await child.kill(); // a kernel that has not booted is of no use
      throw error;
    }
  }

  private plan_of(name: string): NodePlan {
    const node = this.plan.nodes.find((n) => n.name === name);
    if (node === undefined) {
      throw new TestbedError(
        `there is no node ${JSON.stringify(name)}; nodes are ${this.plan.nodes.map((n) => n.name).join(", ")}`,
      );
    }
    return node;
  }

  private find(name: string): Node {
    const node = this.nodes.get(this.plan_of(name).name);
    if (node === undefined) throw new TestbedError(`node ${name}: has not been started`);
    return node;
  }
}

/** Waits for all, also after one has failed: nothing goes on behind the caller's back. */
async function all(work: readonly Promise<void>[]): Promise<void> {
  const done = await Promise.allSettled(work);
  for (const one of done) if (one.status === "rejected") throw one.reason;
}

/** Starts a testbed. Throws TestbedError that names what is wrong in the spec, or which step of which node failed. */
export async function startTestbed<N extends string>(
  spec: TestbedSpec<N>,
  options: TestbedOptions = {},
): Promise<Testbed<N>> {
  if (options.mode !== undefined && !TESTBED_MODES.includes(options.mode)) {
    throw new TestbedError(`mode is ${JSON.stringify(options.mode)}: one of ${TESTBED_MODES.join(", ")}`);
  }
  const plan = plan_testbed(spec);
  const tap = plan.nodes.find((node) => node.tap !== null);
  if (tap !== undefined && options.mode === "sim")
    throw new TestbedError(`node ${tap.name}: a simulation has no host to join by a tap`);
  const testbed = new Testbed<N>(plan, options);
  await testbed.boot();
  return testbed;
}
