/**
 * A booted and configured kernel that does what a testbed asks of a node.
 */
import type { Host } from "../../hypercall/api/host.ts";
import { rump_init_sync } from "../rump_init.ts";
import type { RumpKernel, RumpProcess } from "../rump_kernel.ts";
import { configure_node } from "./node_config.ts";
import { echo_server, node_echo } from "./node_echo.ts";
import type {
  EchoRequest,
  EchoResult,
  Hop,
  InterfaceStats,
  Neighbour,
  NodeOps,
  NodeStats,
  PingRequest,
  PingResult,
  TraceRequest,
} from "./node_ops.ts";
import { node_ping, node_traceroute, whole } from "./node_ping.ts";
import { node_arp, node_interfaces, node_stats } from "./node_state.ts";
import type { NodePlan, TestbedPlan } from "./plan.ts";
import { TestbedError } from "./testbed_error.ts";

/** A node in this process. */
export class NodeAgent implements NodeOps {
  /** The kernel. */
  readonly rk: RumpKernel;
  /** Its name. */
  readonly name: string;
  private readonly running: Set<RumpProcess> = new Set();
  private readonly work: Set<Promise<unknown>> = new Set();

  /** Boots and configures. Throws TestbedError naming the step that failed; nothing of the kernel is left then. */
  constructor(host: Host, plan: TestbedPlan, node: NodePlan, bus: (link: number) => string) {
    this.name = node.name;
    this.rk = rump_init_sync(host, undefined, { name: node.name });
    try {
      configure_node(this.rk, plan, node, bus);
    } catch (error) {
      this.rk.shutdown();
      throw error;
    }
  }

  /** See NodeOps. */
  ping(request: PingRequest): Promise<PingResult> {
    return this.as_process("ping", (proc) => node_ping(this.rk, proc, request));
  }

  /** See NodeOps. */
  echo_server(port: number): Promise<void> {
    return at_once(() => echo_server(this.rk, whole("port", port, 1, 65_535)));
  }

  /** See NodeOps. */
  echo(request: EchoRequest): Promise<EchoResult> {
    return this.as_process("echo", (proc) => node_echo(this.rk, proc, request));
  }

  /** See NodeOps. */
  traceroute(request: TraceRequest): Promise<Hop[]> {
    return this.as_process("traceroute", (proc) => node_traceroute(this.rk, proc, request));
  }

  /** See NodeOps. */
  arp(): Promise<Neighbour[]> {
    return at_once(() => node_arp(this.rk));
  }

  /** See NodeOps. */
  interfaces(): Promise<InterfaceStats[]> {
    return at_once(() => node_interfaces(this.rk));
  }

  /** See NodeOps. */
  stats(): Promise<NodeStats> {
    return at_once(() => node_stats(this.rk));
  }

  /** See NodeOps. */
  sysctl(name: string, value?: number | string): Promise<number | string> {
    return at_once(() => {
      const old = this.rk.rumpSys.sysctlbyname(name, value);
      if (old instanceof Uint8Array) throw new TestbedError(`node ${this.name}: sysctl ${name} is a structure`);
      return old;
    });
  }

  /** See NodeOps. */
  async shutdown(): Promise<string> {
    for (const proc of [...this.running]) this.end_process(proc);
    await Promise.allSettled(this.work);
    return this.rk.shutdown().text;
  }

  /** Runs a program in a process of its own; shutdown ends it. */
  private as_process<T>(comm: string, program: (proc: RumpProcess) => Promise<T>): Promise<T> {
    const proc = this.rk.process(comm);
    this.running.add(proc);
    const work = program(proc).finally(() => {
      this.end_process(proc);
      this.work.delete(work);
    });
    this.work.add(work);
    return work;
  }

  private end_process(proc: RumpProcess): void {
    if (this.running.delete(proc)) proc.exit();
  }
}

function at_once<T>(run: () => T): Promise<T> {
  return new Promise((resolve) => resolve(run()));
}
