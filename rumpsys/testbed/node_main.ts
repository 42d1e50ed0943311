/**
 * The program of a node's process: boots the kernel it is told, answers, and ends with its parent, whatever way that one ends.
 */
import { constants } from "node:os";
import { nativeHost } from "../../hypercall/native/native_host.ts";
import { RumpError } from "../errors.ts";
import { fd_path } from "./bus_file.ts";
import { NodeAgent } from "./node_agent.ts";
import { FIRST_BUS_FD } from "./node_channel.ts";
import type { FromNode, ToNode } from "./node_channel.ts";
import type { NodeOps } from "./node_ops.ts";
import { TestbedError } from "./testbed_error.ts";

/** One node's process. */
class NodeMain {
  private agent: NodeAgent | null = null;

  start(): void {
    // Ctrl-C reaches every process of the terminal; the main process decides what follows.
    process.on("SIGINT", () => {});
    process.on("SIGTERM", () => this.end());
    process.on("disconnect", () => this.end());
    process.on("message", (message: ToNode) => this.told(message));
    if (!process.connected) this.end();
  }

  /** The parent has gone, or wants this. The host's kernel takes everything back with the process. */
  private end(): void {
    process.exit(0);
  }

  private say(message: FromNode): void {
    if (process.connected) process.send?.(message, undefined, undefined, () => {});
  }

  private told(message: ToNode): void {
    switch (message.kind) {
      case "boot":
        this.boot(message);
        break;
      case "call":
        this.answer(message.id, () => this.call(message.op, message.args));
        break;
      case "place":
        this.answer(message.id, () => place(message.cpus));
        break;
      case "exit":
        process.exit(0);
    }
  }

  private boot(message: Extract<ToNode, { kind: "boot" }>): void {
    try {
      const host = nativeHost({
        console: { line: (b) => this.print(b), debug: (text) => this.say({ kind: "console", text }) },
      });
      const parent = host.process.addon.pdeathsig(constants.signals.SIGTERM);
      if (parent !== process.ppid || !process.connected) this.end();
      if (message.cpus !== null) host.process.addon.set_cpu_affinity(message.cpus);
      const node = message.plan.nodes.find(({ name }) => name === message.node);
      if (node === undefined) throw new TestbedError(`there is no node ${message.node}`);
      const order = node.interfaces.map(({ link }) => link);
      this.agent = new NodeAgent(host, message.plan, node, (link) => fd_path(FIRST_BUS_FD + order.indexOf(link)));
      this.say({ kind: "booted" });
    } catch (error) {
      this.say({ kind: "failed", message: message_of(error) });
    }
  }

  private print(bytes: Uint8Array): void {
    this.say({ kind: "console", text: new TextDecoder().decode(bytes) });
  }

  private call(op: keyof NodeOps, args: readonly unknown[]): Promise<unknown> {
    const agent = this.agent;
    if (agent === null) throw new TestbedError("the node has not been booted");
    const method = agent[op] as (...args: readonly unknown[]) => Promise<unknown>;
    return method.apply(agent, args as unknown[]);
  }

  private answer(id: number, run: () => unknown): void {
    Promise.resolve()
      .then(run)
      .then((value) => this.say({ kind: "answer", id, value: value ?? null }))
      .catch((error: unknown) => {
        this.say({ kind: "error", id, message: message_of(error), code: error instanceof RumpError ? error.code : "" });
      });
  }
}

function place(cpus: readonly number[]): void {
  const error = nativeHost().process.addon.set_cpu_affinity(cpus);
  if (error < 0) throw new TestbedError(`CPUs ${cpus.join(", ")}: Linux errno ${-error}`);
}

function message_of(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

new NodeMain().start();
