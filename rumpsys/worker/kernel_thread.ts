/**
 * The kernel's side of a kernel in its own thread: what the Worker runs. Boots on the native host and serves callers (thread_protocol.ts).
 */
import type { MessagePort } from "node:worker_threads";
import { parentPort } from "node:worker_threads";
import { inet_components, local_components } from "../component_set.ts";
import { RumpError } from "../errors.ts";
import * as netconfig from "../netconfig.ts";
import { rump_init_sync } from "../rump_init.ts";
import type { RumpKernel } from "../rump_kernel.ts";
import type { RumpSys } from "../rumpsys.ts";
import { nativeHost } from "../../hypercall/native/native_host.ts";
import { CELL_DEAD, CELL_REPLY } from "./thread_protocol.ts";
import type {
  ThreadAttach,
  ThreadOptions,
  ThreadReply,
  ThreadReport,
  ThreadRequest,
  ThreadShutdown,
} from "./thread_protocol.ts";
import { marshalled } from "./thread_calls.ts";

/** A caller as the kernel thread sees it. */
interface Caller {
  readonly port: MessagePort;
  readonly cell: Int32Array;
  readonly sys: RumpSys;
}

const netconfig_calls: ReadonlyMap<string, unknown> = new Map(Object.entries(netconfig));

/** Serves callers of one kernel until it is told to end. */
class KernelThread {
  private readonly rk: RumpKernel;
  private readonly callers: Set<Caller> = new Set<Caller>();

  constructor(rk: RumpKernel) {
    this.rk = rk;
  }

  attach(a: ThreadAttach): void {
    const sys = a.own_process ? this.rk.process("thread").rumpSys : this.rk.rumpSys;
    const caller: Caller = { port: a.channel.port, cell: new Int32Array(a.channel.cell), sys };
    this.callers.add(caller);
    caller.port.on("message", (request: ThreadRequest) => void this.serve(caller, request));
    caller.port.on("close", () => {
      this.callers.delete(caller);
      if (a.own_process) this.rk.process_find(sys.getpid()).exit();
    });
  }

  private async serve(caller: Caller, request: ThreadRequest): Promise<void> {
    let reply: ThreadReply;
    try {
      reply = { value: await this.run(caller.sys, request) };
    } catch (error) {
      reply =
        error instanceof RumpError
          ? { error: { syscall: error.syscall, errno: error.errno, address: error.address, port: error.port } }
          : { failure: String(error) };
    }
    caller.port.postMessage(reply);
    Atomics.store(caller.cell, 0, CELL_REPLY);
    Atomics.notify(caller.cell, 0);
  }

  private run(sys: RumpSys, request: ThreadRequest): unknown {
    const config = netconfig_calls.get(request.name);
    if (typeof config === "function")
      return (config as (rk: RumpKernel, ...args: readonly unknown[]) => unknown)(this.rk, ...request.args);
    return marshalled(sys, request.name, request.args);
  }

  /** All who wait now or call later learn that there is no kernel any more. */
  dead(): void {
    for (const caller of this.callers) {
      Atomics.store(caller.cell, 0, CELL_DEAD);
      Atomics.notify(caller.cell, 0);
      caller.port.close();
    }
    this.callers.clear();
  }
}

function report(what: ThreadReport["what"], text: string): void {
  parentPort?.postMessage({ what, text } satisfies ThreadReport);
}

/** Boots the kernel and serves callers until told to end. Runs in the Worker that rump_thread makes. */
export async function main(options: ThreadOptions): Promise<void> {
  let rk: RumpKernel;
  try {
    rk = rump_init_sync(
      nativeHost({ params: options.params ?? {} }),
      options.components === "local" ? local_components() : inet_components(),
    );
    if (options.setup !== undefined) {
      const module = (await import(options.setup)) as { main(kernel: RumpKernel): unknown };
      await module.main(rk);
    }
  } catch (error) {
    report("failed", error instanceof Error ? error.message : String(error));
    return;
  }
  const thread = new KernelThread(rk);
  process.on("exit", () => thread.dead());
  parentPort?.on("message", (m: ThreadAttach | ThreadShutdown) => {
    if (m.what === "attach") {
      thread.attach(m);
      return;
    }
    const leaks = rk.shutdown().text;
    thread.dead();
    report("down", leaks);
    parentPort?.close();
  });
  report("up", "");
}
