/**
 * Several system calls in one entry into the kernel, rump_schedule(3). Each call alone enters the kernel and leaves it, and on leaving hands
 * what it sent to the device; between rump_schedule and rump_unschedule this happens once, so that a program which answers many datagrams
 * sends them as one batch. Promises of calls that waited are settled, timers run and the clock moves when the kernel is left.
 */
import type { RumpKernel } from "./rump_kernel.ts";

/** Enters the kernel. Nests. Must be followed by rump_unschedule in the same turn of the event loop. hot */
export function rump_schedule(rk: RumpKernel): void {
  rk.k.enter();
}

/** Leaves it: what was put off runs, and devices get what was sent. hot */
export function rump_unschedule(rk: RumpKernel): void {
  rk.k.leave();
}
