// A kernel with its facade on a simulated host, for tests that need time but no network; its end, when everything must have been given back.
import { expect } from "chai";
import { SimWorld } from "../../hypercall/sim/sim_world.ts";
import type { WasmSlab } from "../../hypercall/slab/slab.ts";
import { slab_create } from "../../hypercall/slab/slab.ts";
import type { RumpComponent } from "../../kernel-components/kern/component.ts";
import { SOCKET_LAYER } from "../../kernel-components/socket/socketvar.ts";
import type { SocketLayer } from "../../kernel-components/socket/socketvar.ts";
import { local_components } from "../../rumpsys/component_set.ts";
import { RumpError } from "../../rumpsys/errors.ts";
import { rump_init_sync } from "../../rumpsys/rump_init.ts";
import type { RumpKernel } from "../../rumpsys/rump_kernel.ts";
import type { RumpSys } from "../../rumpsys/rumpsys.ts";

const SLAB_BYTES = 64 * 1024 * 1024;
let shared: WasmSlab | null = null;

/** One kernel in a world of its own. */
export class SimRump {
  readonly world: SimWorld;
  readonly rk: RumpKernel;
  readonly sys: RumpSys;

  constructor(extra: readonly RumpComponent[] = []) {
    shared ??= slab_create(SLAB_BYTES);
    this.world = new SimWorld({ slab: shared });
    this.rk = rump_init_sync(this.world.host("test"), [...local_components(), ...extra]);
    this.sys = this.rk.rumpSys;
  }

  get layer(): SocketLayer {
    return this.rk.k.softc(SOCKET_LAYER);
  }

  /** Lets time pass. */
  ms(ms: number): void {
    this.world.advance(ms * 1e6);
  }

  /** Closes what the test left open, and counts. */
  end(): void {
    this.rk.rumpSys.fcntl(0, 10, 0);
    const report = this.rk.shutdown();
    expect(report.text).to.equal("");
    expect(report.files).to.equal(0);
  }

  /** No socket and no mbuf is left although the kernel still runs. */
  expectEmpty(): void {
    expect(this.layer.nsockets).to.equal(0);
    expect(this.layer.sockva).to.equal(0);
    expect(this.rk.k.mb.in_use()).to.deep.equal({ mbufs: 0, clusters: 0, jumbo: 0, ext: 0 });
  }
}

/** Bytes of a text. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Text of the first n bytes. */
export function text(buf: Uint8Array, n: number): string {
  return new TextDecoder().decode(buf.subarray(0, n));
}

/** The code of the RumpError that `act` throws; "" if it does not. */
export function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof RumpError) return error.code;
    throw error;
  }
  return "";
}

/** The code of the RumpError that a promise rejects with; "" if it does not. */
export async function codeOfAsync(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof RumpError) return error.code;
    throw error;
  }
  return "";
}

/** Has the promise been settled after the microtasks that are due? */
export async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  promise.then(
    () => (done = true),
    () => (done = true),
  );
  for (let i = 0; i < 5; i++) await Promise.resolve();
  return done;
}

/** `struct timeval` of a number of milliseconds. */
export function timeval(ms: number): Uint8Array {
  const b = new Uint8Array(16);
  const dv = new DataView(b.buffer);
  dv.setInt32(0, Math.floor(ms / 1000), true);
  dv.setInt32(8, (ms % 1000) * 1000, true);
  return b;
}
