// From one end of a wire to another.
import type { SimRandom } from "./sim_random.ts";

/** The randomness of one direction and the state of its loss model. */
export class SimLink {
  /** Draws of this direction only. */
  readonly random: SimRandom;
  /** Whether the Gilbert-Elliott model is in its bad state. */
  bad = false;

  constructor(random: SimRandom) {
    this.random = random;
  }
}
