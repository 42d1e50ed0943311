// Booting a network kernel in a process that has booted some already: "time" in ms, or "memory" in KB of heap and slab that a kernel keeps.
import type { RumpKernel } from "../../../rumpsys/rump_kernel.ts";
import { boot, now_ns, say } from "./kit.ts";

/** Kernels that warm the process. */
const WARM = 60;
/** Kernels that count. */
const COUNTED = 41;

/** Bytes in use: the heap, and what `kernels` hold of the slab. */
function used(kernels: readonly RumpKernel[]): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  let slab = 0;
  for (const { k } of kernels) slab += held(k.host.memory);
  return heapUsed + external + slab;
}

function held(memory: object): number {
  return "held" in memory && typeof memory.held === "number" ? memory.held : 0;
}

function time(): number {
  for (let n = 0; n < WARM; n++) boot(`warm${n}`).shutdown();
  const took: number[] = [];
  for (let n = 0; n < COUNTED; n++) {
    const t = now_ns();
    const rk = boot(`kernel${n}`);
    took.push(now_ns() - t);
    rk.shutdown();
  }
  return took.sort((a, b) => a - b)[COUNTED >> 1]! / 1e6;
}

function memory(): number {
  for (let n = 0; n < WARM; n++) boot(`warm${n}`).shutdown();
  const kernels: RumpKernel[] = [];
  const before = used(kernels);
  for (let n = 0; n < COUNTED; n++) kernels.push(boot(`kernel${n}`));
  return (used(kernels) - before) / COUNTED / 1024;
}

say(process.argv[2] === "memory" ? memory() : time());
process.exit(0);
