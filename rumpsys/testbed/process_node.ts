/**
 * A node in a process of its own, as its parent sees it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BusFile } from "./bus_file.ts";
import type { FromNode, ToNode } from "./node_channel.ts";
import { NODE_OPS } from "./node_ops.ts";
import type { NodeOps } from "./node_ops.ts";
import type { NodePlan, TestbedPlan } from "./plan.ts";
import { TestbedError } from "./testbed_error.ts";

/** How long a boot may take. */
const BOOT_MS = 20_000;
/** How long a process may take to end before it is killed. */
const EXIT_MS = 2000;
/** Bytes of a dying process's last words that are kept. */
const STDERR_KEPT = 4096;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A node's process. */
export class ProcessNode {
  /** Its name. */
  readonly name: string;
  /** What it can be asked. Rejects with TestbedError or RumpError. */
  readonly ops: NodeOps;
  /** Lines of the kernel's console. */
  readonly console: string[] = [];
  /** Settled when the process has ended and its pipes are closed. */
  readonly exited: Promise<void>;
  private readonly child: ChildProcess;
  private readonly waiting: Map<number, Waiting> = new Map();
  private booted: Waiting | null = null;
  private next_id = 1;
  private stderr = "";
  private how: string | null = null;
  private expected = false;
  private has_kernel = false;

  /** Starts the process; `start` boots it. */
  constructor(name: string, buses: readonly BusFile[]) {
    this.name = name;
    this.ops = proxy((op, args) => this.call(op, args));
    this.child = spawn(process.execPath, [program()], {
      stdio: ["ignore", "ignore", "pipe", "ipc", ...buses.map((bus) => bus.fd)],
      serialization: "advanced",
      env: { ...process.env, NODE_CHANNEL_SERIALIZATION_MODE: undefined, NODE_OPTIONS: undefined },
    });
    this.exited = new Promise((resolve) => {
      this.child.once("error", (error) => {
        this.ended(error.message);
        if (this.child.pid === undefined) resolve();
      });
      this.child.once("exit", (code, signal) => this.ended(signal ?? `exit code ${code ?? 0}`));
      this.child.once("close", () => resolve());
    });
    this.child.stderr?.on("data", (data: Buffer) => {
      this.stderr = (this.stderr + data.toString()).slice(-STDERR_KEPT);
    });
    this.child.on("message", (message: FromNode) => this.said(message));
  }

  /** Its process id; 0 if it could not be started. */
  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Whether the process runs. */
  get alive(): boolean {
    return this.how === null;
  }

  /** Boots and configures the kernel. */
  start(plan: TestbedPlan, node: NodePlan, cpus: readonly number[] | null): Promise<void> {
    return new Promise<unknown>((resolve, reject) => {
      if (this.how !== null) return reject(this.death());
      const timer = setTimeout(
        () => reject(new TestbedError(`node ${this.name}: has not booted after ${BOOT_MS} ms`)),
        BOOT_MS,
      );
      const done =
        <T>(act: (v: T) => void) =>
        (v: T): void => {
          clearTimeout(timer);
          act(v);
        };
      this.booted = { resolve: done(resolve), reject: done(reject) };
      this.send({ kind: "boot", plan, node: node.name, cpus });
    }).then(() => {});
  }

  /** Moves the process to these CPUs. */
  async place(cpus: readonly number[]): Promise<void> {
    await this.ask((id) => ({ kind: "place", id, cpus }));
  }

  /** Calls `tell` when the process ends although neither kill nor stop was called. */
  on_death(tell: (why: TestbedError) => void): void {
    void this.exited.then(() => {
      if (!this.expected) tell(this.death());
    });
  }

  /** SIGKILL, and wait for the end. */
  async kill(): Promise<void> {
    this.expected = true;
    if (this.alive) this.child.kill("SIGKILL");
    await this.exited;
  }

  /** Shuts the kernel down and ends the process. The leak report; "" also for a process that has died before. */
  async stop(): Promise<string> {
    this.expected = true;
    let report = "";
    const force = setTimeout(() => this.child.kill("SIGKILL"), EXIT_MS);
    try {
      if (this.alive && this.has_kernel)
        report = await this.ops.shutdown().catch((error: Error) => (this.alive ? error.message : ""));
      if (this.alive) this.send({ kind: "exit" });
      await this.exited;
    } finally {
      clearTimeout(force);
    }
    return report;
  }

  private call(op: keyof NodeOps, args: readonly unknown[]): Promise<unknown> {
    return this.ask((id) => ({ kind: "call", id, op, args }));
  }

  private ask(message: (id: number) => ToNode): Promise<unknown> {
    if (this.how !== null) return Promise.reject(this.death());
    const id = this.next_id++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.send(message(id));
    });
  }

  private send(message: ToNode): void {
    if (this.child.connected) this.child.send(message, () => {});
  }

  private said(message: FromNode): void {
    switch (message.kind) {
      case "booted":
        this.has_kernel = true;
        this.booted?.resolve(null);
        break;
      case "failed":
        this.booted?.reject(
          new TestbedError(
            message.message.startsWith("node ") ? message.message : `node ${this.name}: ${message.message}`,
          ),
        );
        break;
      case "console":
        this.console.push(message.text);
        break;
      case "answer":
        this.take(message.id)?.resolve(message.value);
        break;
      case "error":
        this.take(message.id)?.reject(node_error(this.name, message.message, message.code));
    }
  }

  private take(id: number): Waiting | undefined {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    return waiting;
  }

  private ended(how: string): void {
    if (this.how !== null) return;
    this.how = how;
    const error = this.death();
    this.booted?.reject(error);
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }

  private death(): TestbedError {
    const words = this.stderr.trim();
    return new TestbedError(
      `node ${this.name}: its process has ended (${this.how ?? ""})${words === "" ? "" : `:\n${words}`}`,
    );
  }
}

/** The error of an operation: its message says what failed, and where. */
class NodeError extends TestbedError {
  /** Name of the errno, "" if it was none. */
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

function node_error(name: string, message: string, code: string): NodeError {
  return new NodeError(`node ${name}: ${message}`, code);
}

function proxy(call: (op: keyof NodeOps, args: readonly unknown[]) => Promise<unknown>): NodeOps {
  const ops = NODE_OPS.map((op) => [op, (...args: unknown[]) => call(op, args)] as const);
  return Object.fromEntries(ops) as unknown as NodeOps;
}

/** The compiled node_main beside this file, also when this file itself runs as TypeScript. */
function program(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const beside = join(here, "node_main.js");
  return existsSync(beside) ? beside : join(here, "../../build/rumpsys/testbed/node_main.js");
}
