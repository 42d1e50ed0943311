// What the measured programs share: a clock, a loop that measures, a kernel on the native host.
import { nativeHost, nativeProcess } from "../../../hypercall/native/native_host.ts";
import { rump_init_sync } from "../../../rumpsys/rump_init.ts";
import type { RumpKernel } from "../../../rumpsys/rump_kernel.ts";
import { median } from "../result.ts";

/** Time a measurement takes at least, in ns. */
const MEASURE_NS: number = Number(process.env["RUMPKIT_BENCH_MEASURE_NS"] ?? 1.5e8);
/** Turns of a measurement; their median counts, as for what it is compared with. */
const TURNS = 5;

/** Monotonic time in ns. */
export function now_ns(): number {
  return performance.now() * 1e6;
}

/** ns per operation of fn(n), which does n operations. */
export function ns_per_op(fn: (n: number) => void): number {
  let n = 1000;
  for (let took = 0; took < MEASURE_NS / TURNS; n *= 2) {
    const t = now_ns();
    fn(n);
    took = now_ns() - t;
  }
  const turns: number[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    const t = now_ns();
    fn(n);
    turns.push((now_ns() - t) / n);
  }
  return median(turns);
}

/** Says the result of this program. */
export function say(value: number): void {
  process.stdout.write(`${value}\n`);
}

/** Bytes of the slab. */
const SLAB_BYTES: number = 512 << 20;

/** A network kernel with all drivers on the native host. Its console is standard error. */
export function boot(hostname: string): RumpKernel {
  const host = nativeHost({
    params: { _RUMPUSER_HOSTNAME: hostname, _RUMPUSER_NCPU: "1" },
    process: nativeProcess(SLAB_BYTES),
    console: { line: (bytes) => void process.stderr.write(bytes), debug: () => undefined },
  });
  return rump_init_sync(host);
}

/** Throws unless `error` is 0. */
export function must(error: number, what: string): void {
  if (error !== 0) throw new Error(`${what}: errno ${error}`);
}
