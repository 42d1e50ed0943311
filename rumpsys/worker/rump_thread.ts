/**
 * A kernel in a thread of its own, and system calls that really block: a program ported line by line from C works.
 *
 * @example
 * const thread = await rump_thread();
 * const sys = thread.rumpSysBlocking;
 * const s = sys.socket(PF_INET, SOCK_DGRAM);
 * const { length, from } = sys.recvfrom(s, buf);   // waits here
 */
import { MessageChannel, Worker } from "node:worker_threads";
import { RumpSysBlocking } from "./rumpsys_blocking.ts";
import { CELL_WAITING } from "./thread_protocol.ts";
import type { RumpChannel, ThreadAttach, ThreadOptions, ThreadReport, ThreadShutdown } from "./thread_protocol.ts";

/** What the Worker runs first. */
const THREAD_MAIN = `
  const { workerData } = require("node:worker_threads");
  import(workerData.entry).then((module) => module.main(workerData.options));
`;

/** A kernel in its own thread. */
export class RumpThread {
  /** Blocking system calls for the thread that started the kernel, in process 1. */
  readonly rumpSysBlocking: RumpSysBlocking;
  private readonly worker: Worker;

  constructor(worker: Worker) {
    this.worker = worker;
    this.rumpSysBlocking = new RumpSysBlocking(this.channel());
  }

  /**
   * A line to the kernel for another thread: send it there (transferring `port`) and make a RumpSysBlocking of it. With `own_process` the
   * other thread has descriptors of its own, which are closed with the line; else it shares process 1.
   */
  channel(own_process: boolean = false): RumpChannel {
    const { port1, port2 } = new MessageChannel();
    const cell = new SharedArrayBuffer(4);
    new Int32Array(cell)[0] = CELL_WAITING;
    port1.unref();
    this.worker.postMessage({ what: "attach", channel: { port: port2, cell }, own_process } satisfies ThreadAttach, [
      port2,
    ]);
    return { port: port1, cell };
  }

  /** Ends the kernel: what was not given back, "" if everything was. Calls that block in other threads end with EINTR. */
  async shutdown(): Promise<string> {
    const down = next_report(this.worker);
    this.worker.postMessage({ what: "shutdown" } satisfies ThreadShutdown);
    const { text } = await down;
    await this.worker.terminate();
    return text;
  }
}

/** Boots a kernel on the native host in a new thread. Rejects with what made the boot fail. */
export async function rump_thread(options: ThreadOptions = {}): Promise<RumpThread> {
  const entry = new URL("./kernel_thread.js", import.meta.url).href;
  const worker = new Worker(THREAD_MAIN, { eval: true, workerData: { entry, options } });
  const { what, text } = await next_report(worker);
  if (what !== "up") {
    await worker.terminate();
    throw new Error(`the kernel's thread did not come up: ${text}`);
  }
  return new RumpThread(worker);
}

function next_report(worker: Worker): Promise<ThreadReport> {
  return new Promise<ThreadReport>((resolve, reject) => {
    const done = (): void => {
      worker.off("message", message);
      worker.off("error", failed);
      worker.off("exit", exited);
    };
    const message = (m: ThreadReport): void => {
      done();
      resolve(m);
    };
    const failed = (error: Error): void => {
      done();
      reject(error);
    };
    const exited = (code: number): void => {
      done();
      reject(new Error(`the kernel's thread ended with code ${code}`));
    };
    worker.on("message", message);
    worker.on("error", failed);
    worker.on("exit", exited);
  });
}
