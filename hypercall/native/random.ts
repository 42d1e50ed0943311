// Random group: the operating system's generator.
import { randomFillSync } from "node:crypto";
import { EINVAL, EIO } from "../api/errno.ts";
import { type HyperRandom, RUMPUSER_RANDOM_HARD, RUMPUSER_RANDOM_NOWAIT } from "../api/random.ts";

/** Entropy. */
export class NativeRandom implements HyperRandom {
  rumpuser_getrandom(buf: Uint8Array, flags: number): number {
    if ((flags & ~(RUMPUSER_RANDOM_HARD | RUMPUSER_RANDOM_NOWAIT)) !== 0) return EINVAL;
    try {
      randomFillSync(buf);
    } catch {
      return EIO;
    }
    return 0;
  }
}
