// Components: what a kernel is made of, and rump_init, which builds a kernel from them (rumpkernel(7)).
import { EINVAL } from "../../hypercall/api/errno.ts";
import { errno_name, strerror } from "../../hypercall/api/errno_names.ts";
import type { Host } from "../../hypercall/api/host.ts";
import { kern_init } from "./kern_init.ts";
import { Kernel } from "./kernel.ts";
import type { KernelOptions } from "./kernel.ts";

/** Phase of the base kernel. */
export const RUMP_COMPONENT_KERN = 0;
/** Phase of domains and protocols. */
export const RUMP_COMPONENT_NET = 1;
/** Phase of routing. */
export const RUMP_COMPONENT_NET_ROUTE = 2;
/** Phase of interfaces. */
export const RUMP_COMPONENT_NET_IF = 3;
/** Phase of interface configuration, such as 127.0.0.1 on lo0. */
export const RUMP_COMPONENT_NET_IFCFG = 4;
/** Phase after everything else of the kernel. */
export const RUMP_COMPONENT_POSTINIT = 5;
/** Phase of system calls. */
export const RUMP_COMPONENT_SYSCALL = 6;

/** A phase of the boot. */
export type RumpPhase = 0 | 1 | 2 | 3 | 4 | 5 | 6;

/** The boot order. */
export const RUMP_PHASES: readonly RumpPhase[] = [
  RUMP_COMPONENT_KERN,
  RUMP_COMPONENT_NET,
  RUMP_COMPONENT_NET_ROUTE,
  RUMP_COMPONENT_NET_IF,
  RUMP_COMPONENT_NET_IFCFG,
  RUMP_COMPONENT_POSTINIT,
  RUMP_COMPONENT_SYSCALL,
];

/** Name of the component that is always there: this folder. */
export const RUMP_BASE = "kern";

/** A part of a kernel. A plain object: importing it does nothing. */
export interface RumpComponent {
  /** Unique name. */
  readonly name: string;
  /** Names of components that must be there. "kern" always is. */
  readonly requires: readonly string[];
  /** Names of components that must not be there. */
  readonly excludes: readonly string[];
  /** What to do in each phase; an errno other than 0 fails the boot. Within a phase, required components come first. */
  readonly init: Partial<Record<RumpPhase, (k: Kernel) => number | void>>;
  /** What undoes each phase, run in exact reverse at shutdown. */
  readonly fini?: Partial<Record<RumpPhase, (k: Kernel) => void>>;
}

/** Why a kernel could not be built; the message names the component. */
export class RumpInitError extends Error {
  override readonly name = "RumpInitError";
  /** The component at fault. */
  readonly component: string;
  /** Errno of its init function, 0 if the list of components is wrong. */
  readonly errno: number;

  constructor(message: string, component: string, errno: number) {
    super(message);
    this.component = component;
    this.errno = errno;
  }
}

/**
 * Build a kernel on `host` from `components`, in any order. Throws RumpInitError when one is missing, excluded, doubled,
 * or part of a cycle, and when an init function fails; what was initialised until then is detached again.
 */
export function rump_init(host: Host, components: readonly RumpComponent[], options: KernelOptions = {}): Kernel {
  const ordered = order_components(components);
  const k = new Kernel(host, options);
  k.enter();
  try {
    const wrong = kern_init(k);
    if (wrong !== null) throw new RumpInitError(wrong, RUMP_BASE, EINVAL);
    for (const phase of RUMP_PHASES) for (const c of ordered) init_phase(k, c, phase);
  } catch (error) {
    k.leave();
    k.shutdown();
    throw error;
  }
  k.leave();
  return k;
}

function init_phase(k: Kernel, c: RumpComponent, phase: RumpPhase): void {
  const fini = c.fini?.[phase];
  const error = c.init[phase]?.(k) ?? 0;
  if (error !== 0) {
    throw new RumpInitError(
      `component ${c.name} failed to initialise in phase ${phase}: ${errno_name(error)} (${strerror(error)})`,
      c.name,
      error,
    );
  }
  if (fini !== undefined) k.on_shutdown(fini);
}

/** Check the list and sort it so that required components come first; otherwise the given order is kept. */
function order_components(components: readonly RumpComponent[]): RumpComponent[] {
  const by_name = new Map<string, RumpComponent>();
  for (const c of components) {
    if (c.name === RUMP_BASE || by_name.has(c.name))
      throw new RumpInitError(`component ${c.name} is given twice`, c.name, 0);
    by_name.set(c.name, c);
  }
  for (const c of components) {
    for (const need of c.requires) {
      if (need !== RUMP_BASE && !by_name.has(need)) {
        throw new RumpInitError(`component ${c.name} requires component ${need}, which is missing`, c.name, 0);
      }
    }
    for (const foe of c.excludes) {
      if (by_name.has(foe))
        throw new RumpInitError(`component ${c.name} excludes component ${foe}; leave one out`, c.name, 0);
    }
  }
  const done = new Set<string>();
  const path: string[] = [];
  const ordered: RumpComponent[] = [];
  const visit = (c: RumpComponent): void => {
    if (done.has(c.name)) return;
    if (path.includes(c.name)) {
      throw new RumpInitError(
        `components require each other in a circle: ${[...path, c.name].join(" -> ")}`,
        c.name,
        0,
      );
    }
    path.push(c.name);
    for (const need of c.requires) {
      const other = by_name.get(need);
      if (other !== undefined) visit(other);
    }
    path.pop();
    done.add(c.name);
    ordered.push(c);
  };
  for (const c of components) visit(c);
  return ordered;
}
