// The kernel that the reference pages describe: all components, one interface of each kind.
import { SimWorld } from "../../hypercall/sim/sim_world.ts";
import { rump_pub_netconfig_ifcreate } from "../../rumpsys/netconfig.ts";
import { rump_init_sync } from "../../rumpsys/rump_init.ts";
import type { RumpKernel } from "../../rumpsys/rump_kernel.ts";

const SLAB_BYTES = 16 * 1024 * 1024;

/** Boot it, look at it, end it. */
export function withKernel<T>(look: (rk: RumpKernel) => T): T {
  const rk = rump_init_sync(new SimWorld({ slabBytes: SLAB_BYTES }).host("hostname"));
  try {
    for (const name of ["shmif0", "virt0", "ptp0"]) {
      const error = rump_pub_netconfig_ifcreate(rk, name);
      if (error !== 0) throw new Error(`${name} cannot be made: errno ${error}`);
    }
    return look(rk);
  } finally {
    rk.shutdown();
  }
}
