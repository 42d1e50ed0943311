/**
 * Booting a kernel: the host, the components, the handle.
 */
import type { Host } from "../hypercall/api/host.ts";
import { rump_init as kern_rump_init } from "../kernel-components/kern/component.ts";
import type { RumpComponent } from "../kernel-components/kern/component.ts";
import type { KernelOptions } from "../kernel-components/kern/kernel.ts";
import { inet_components } from "./component_set.ts";
import { RumpKernel } from "./rump_kernel.ts";

/** What a kernel is made of. */
export interface RumpInitOptions {
  /** The host; Linux through the native addon by default, which is loaded only then. */
  readonly host?: Host;
  /** The components; sockets, PF_LOCAL, IPv4 and all drivers by default. */
  readonly components?: readonly RumpComponent[];
  /** More components, besides the default ones. */
  readonly add?: readonly RumpComponent[];
  /** Limits and name. */
  readonly kernel?: KernelOptions;
}

/**
 * Boots a kernel. Rejects with RumpInitError naming a component that is missing, excluded or failed; on the native host with an error
 * that names the cure when the addon is not built.
 *
 * @example
 * const { rumpSys } = await rump_init();
 * const s = rumpSys.socket(PF_INET, SOCK_DGRAM);
 */
export async function rump_init(options: RumpInitOptions = {}): Promise<RumpKernel> {
  const host = options.host ?? (await native_host());
  return rump_init_sync(host, [...(options.components ?? inet_components()), ...(options.add ?? [])], options.kernel);
}

/** The same at once, for who has a host. */
export function rump_init_sync(
  host: Host,
  components: readonly RumpComponent[] = inet_components(),
  kernel: KernelOptions = {},
): RumpKernel {
  return new RumpKernel(kern_rump_init(host, components, kernel));
}

async function native_host(): Promise<Host> {
  const native = await import("../hypercall/native/native_host.ts");
  return native.nativeHost();
}
