// The first module of a thread made by rumpuser_thread_create: it loads the one that was asked for and calls its main.
import { workerData } from "node:worker_threads";
import type { ThreadStart } from "./threads.ts";

const start = workerData as ThreadStart;
const module = (await import(start.entry)) as { main?: (arg: Int32Array) => unknown };
if (typeof module.main !== "function") throw new Error(`${start.entry} exports no function main`);
await module.main(start.arg);
