// Threads group: Node workers, and sleeping on words of shared memory.
import { existsSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { EAGAIN, EDEADLK, EINVAL, EIO, ENOENT, ESRCH, ETIMEDOUT } from "../api/errno.ts";
import type { HyperThread, HyperThreadHandle, ThreadResult } from "../api/thread.ts";
import type { NativeCtx } from "./native_ctx.ts";

const NS_PER_MS = 1e6;

/** What a thread runs first: the module that was asked for. What it rejects with becomes the worker's error. */
const THREAD_MAIN = `
  const { workerData } = require("node:worker_threads");
  import(workerData.entry).then((module) => module.main(workerData.arg));
`;

class NativeThreadHandle implements HyperThreadHandle {
  readonly name: string;
  /** null while it runs, then 0 or EIO. */
  ended: number | null = null;
  readonly joiners: ((err: number) => void)[] = [];

  constructor(name: string, worker: Worker) {
    this.name = name;
    let died = false;
    worker.on("error", () => {
      died = true;
    });
    worker.on("exit", (code) => {
      this.ended = died || code !== 0 ? EIO : 0;
      for (const joined of this.joiners.splice(0)) joined(this.ended);
    });
  }
}

/** Threads. */
export class NativeThread implements HyperThread {
  private readonly cx: NativeCtx;
  private readonly mine: WeakSet<HyperThreadHandle> = new WeakSet<HyperThreadHandle>();

  constructor(cx: NativeCtx) {
    this.cx = cx;
  }

  rumpuser_thread_create(entry: string, arg: Int32Array, name: string, out: ThreadResult): number {
    out.thread = null;
    const url = entry.includes("://") || entry.startsWith("data:") ? entry : pathToFileURL(entry).href;
    if (url.startsWith("file:") && !existsSync(fileURLToPath(url))) {
      out.text = `no module ${entry}`;
      return ENOENT;
    }
    try {
      const worker = new Worker(THREAD_MAIN, { eval: true, workerData: { entry: url, arg }, name });
      const thread = new NativeThreadHandle(name, worker);
      this.mine.add(thread);
      out.thread = thread;
      return 0;
    } catch (error) {
      out.text = error instanceof Error ? error.message : String(error);
      return EAGAIN;
    }
  }

  rumpuser_thread_join(thread: HyperThreadHandle, done: (err: number) => void): number {
    if (!(thread instanceof NativeThreadHandle) || !this.mine.has(thread)) return ESRCH;
    const joined = (err: number): void => this.cx.upcall(() => done(err));
    const ended = thread.ended;
    if (ended === null) thread.joiners.push(joined);
    else this.cx.process.defer(() => joined(ended));
    return 0;
  }

  rumpuser_cv_wait(cell: Int32Array, index: number, value: number): number {
    return this.sleep(cell, index, value, Number.POSITIVE_INFINITY);
  }

  rumpuser_cv_timedwait(cell: Int32Array, index: number, value: number, ns: number): number {
    return ns >= 0 ? this.sleep(cell, index, value, ns / NS_PER_MS) : EINVAL;
  }

  rumpuser_cv_signal(cell: Int32Array, index: number, count: number): number {
    if (!isCell(cell, index)) return EINVAL;
    Atomics.notify(cell, index, count);
    return 0;
  }

  private sleep(cell: Int32Array, index: number, value: number, ms: number): number {
    if (!isCell(cell, index)) return EINVAL;
    // Inside an entry this thread is a kernel's: whoever could change the word waits for it.
    if (this.cx.process.entered()) return EDEADLK;
    return Atomics.wait(cell, index, value, ms) === "timed-out" ? ETIMEDOUT : 0;
  }
}

function isCell(cell: Int32Array, index: number): boolean {
  return cell.buffer instanceof SharedArrayBuffer && Number.isInteger(index) && index >= 0 && index < cell.length;
}
