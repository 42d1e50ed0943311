// The base of every kernel: what rump_init does before any component.
import { RUMPUSER_PARAM_HOSTNAME, RUMPUSER_PARAM_NCPU } from "../../hypercall/api/param.ts";
import { aprint_normal } from "./console.ts";
import { evcnt_attach } from "./evcnt.ts";
import type { Kernel } from "./kernel.ts";
import { MBSTAT_NAMES } from "./mbuf.ts";
import { sysctl_kern_fill, VERSION } from "./sysctl_kern.ts";
import { sysctl_mbuf_fill } from "./sysctl_mbuf.ts";

/** Set up the base kernel: its names and sysctl nodes, mbuf counters. Returns what is wrong with the host's parameters, or null. */
export function kern_init(k: Kernel): string | null {
  const hostname = k.host.param.rumpuser_getparam(RUMPUSER_PARAM_HOSTNAME);
  if (hostname === null || hostname === "") return `the host gives no ${RUMPUSER_PARAM_HOSTNAME}`;
  const text = k.host.param.rumpuser_getparam(RUMPUSER_PARAM_NCPU);
  const ncpu = text === null ? Number.NaN : Number(text);
  if (!Number.isInteger(ncpu) || ncpu < 1)
    return `the host's ${RUMPUSER_PARAM_NCPU} is not a positive number: ${text ?? "missing"}`;
  k.hostname = hostname;
  if (k.name === "") k.name = hostname;
  evcnt_attach(k, "mbuf", MBSTAT_NAMES, k.mb.mbstat);
  k.sysctl.provide((tree) => {
    sysctl_kern_fill(k, tree, ncpu);
    sysctl_mbuf_fill(k, tree);
  });
  aprint_normal(k, `${VERSION}\n`);
  return null;
}
