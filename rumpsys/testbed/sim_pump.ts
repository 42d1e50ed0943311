/**
 * Lets virtual time pass while somebody waits for a promise. After each event everything that it has made ready runs before the next one, so
 * that programs written with promises replay as exactly as the kernels do.
 */
import type { SimWorld } from "../../hypercall/sim/sim_world.ts";
import { TestbedError } from "./testbed_error.ts";

/** Virtual time that an operation may take: an hour. */
const RUN_MAX_NS = 3600e9;

/** The clock's crank. */
export class SimPump {
  private readonly world: SimWorld;

  constructor(world: SimWorld) {
    this.world = world;
  }

  /** Runs the world until `work` is settled. Rejects if an hour of the world's time does not suffice. */
  async run<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    work.then(mark, mark);
    await turn();
    const end_ns = this.world.now_ns + RUN_MAX_NS;
    while (!settled) {
      if (!this.step(end_ns))
        throw new TestbedError("the simulation has come to a stop, and the operation is not done");
      await turn();
    }
    return work;
  }

  /** Lets `ms` pass. */
  async sleep(ms: number): Promise<void> {
    const end_ns = this.world.now_ns + ms * 1e6;
    while (this.step(end_ns)) await turn();
  }

  /** One event. False: there is none before `end_ns`, and it is that time now. */
  private step(end_ns: number): boolean {
    const before = this.world.events;
    return this.world.run_until(() => this.world.events !== before, Math.max(0, end_ns - this.world.now_ns));
  }
}

/** Everything that is ready runs. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
