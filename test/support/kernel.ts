// A kernel on the simulated host for the tests of kernel components, and its end: everything must have been given back.
import { expect } from "chai";
import type { SimHost } from "../../hypercall/sim/sim_host.ts";
import { SIM_SLAB_BYTES, simWorld, type SimWorld } from "../../hypercall/sim/sim_world.ts";
import { slab_create, type WasmSlab } from "../../hypercall/slab/slab.ts";
import { rump_init, type RumpComponent } from "../../kernel-components/kern/component.ts";
import type { Kernel, KernelOptions } from "../../kernel-components/kern/kernel.ts";

/** Slabs of worlds that have ended: making one takes longer than most tests. */
const idleSlabs: WasmSlab[] = [];

/** Where the kernel runs. */
export interface TestHostOptions {
  /** Boot parameters, such as RUMP_VERBOSE. */
  readonly params?: Readonly<Record<string, string>>;
  /** World to live in; one of its own by default. */
  readonly world?: SimWorld;
  /** Host name; "host" by default. */
  readonly name?: string;
}

/** A kernel under test. */
export class TestKernel {
  /** The kernel. */
  readonly k: Kernel;
  /** Its host. */
  readonly host: SimHost;
  /** Its world. */
  readonly world: SimWorld;
  private readonly slab: WasmSlab | null;

  constructor(components: readonly RumpComponent[], options: KernelOptions, where: TestHostOptions) {
    this.slab = where.world === undefined ? (idleSlabs.pop() ?? slab_create(SIM_SLAB_BYTES)) : null;
    this.world = where.world ?? simWorld(this.slab === null ? {} : { slab: this.slab });
    this.host = this.world.host(where.name ?? "host", { params: where.params ?? {} });
    this.k = rump_init(this.host, components, options);
  }

  /** Let `ns` pass. */
  run(ns: number): void {
    this.world.advance(ns);
  }

  /** The world's clock in ns. */
  now(): number {
    return this.world.now_ns;
  }

  /** Do something inside the kernel's bracket. */
  in_kernel<T>(act: () => T): T {
    this.k.enter();
    try {
      return act();
    } finally {
      this.k.leave();
    }
  }

  /** What the kernel has printed. */
  console(): string {
    return this.host.console.text;
  }

  /** Shut down. Fails the test when anything was not given back: mbufs, callouts, softints, memory. */
  end(): void {
    const report = this.k.shutdown();
    expect(report.text).to.equal("");
    expect(this.host.memory.held, "bytes of the slab").to.equal(0);
    if (this.slab !== null) idleSlabs.push(this.slab);
  }
}

/** Boot a kernel of `components` on a simulated host. End it with TestKernel.end. */
export function bootKernel(
  components: readonly RumpComponent[] = [],
  options: KernelOptions = {},
  where: TestHostOptions = {},
): TestKernel {
  return new TestKernel(components, options, where);
}

/** A simulated host without a kernel, in a world of its own. */
export function simHost(params: Readonly<Record<string, string>> = {}): SimHost {
  return simWorld({ slabBytes: 1 << 20 }).host("host", { params });
}
