/**
 * A node that shares this process: on a simulated host, or on Linux.
 */
import type { Host } from "../../hypercall/api/host.ts";
import { nativeHost } from "../../hypercall/native/native_host.ts";
import type { SimWorld } from "../../hypercall/sim/sim_world.ts";
import { NodeAgent } from "./node_agent.ts";
import type { NodeOps } from "./node_ops.ts";
import type { NodePlan, TestbedPlan } from "./plan.ts";

/** A node of this process. */
export class LocalNode {
  /** Its name. */
  readonly name: string;
  /** What it can be asked. */
  readonly ops: NodeOps;
  /** Its kernel, for programs that talk to it directly. */
  readonly agent: NodeAgent;
  /** Whether it runs. */
  alive = true;
  private readonly end_host: () => void;

  /** Boots and configures. Throws TestbedError. */
  constructor(plan: TestbedPlan, node: NodePlan, world: SimWorld | null, bus: (link: number) => string) {
    this.name = node.name;
    const [host, end_host] = world === null ? native() : sim(world, node.name);
    this.end_host = end_host;
    try {
      this.agent = new NodeAgent(host, plan, node, bus);
    } catch (error) {
      end_host();
      throw error;
    }
    this.ops = this.agent;
  }

  /** Shuts the kernel down. The leak report. */
  async stop(): Promise<string> {
    if (!this.alive) return "";
    this.alive = false;
    const report = await this.ops.shutdown();
    this.end_host();
    return report;
  }

  /** The simulated host dies at this instant. */
  kill(): void {
    this.alive = false;
    this.end_host();
  }
}

function native(): [Host, () => void] {
  const host = nativeHost();
  return [host, () => host.close()];
}

function sim(world: SimWorld, name: string): [Host, () => void] {
  const host = world.host(name);
  return [host, () => world.kill(host)];
}
