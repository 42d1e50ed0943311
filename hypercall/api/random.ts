// Entropy for the kernel's own generator.

/** Flag of rumpuser_getrandom: from a source fit for keys. Every host here gives nothing else, the simulated one excepted. */
export const RUMPUSER_RANDOM_HARD = 1;
/** Flag of rumpuser_getrandom: fail with EAGAIN rather than wait for the source. */
export const RUMPUSER_RANDOM_NOWAIT = 2;

/** Entropy. */
export interface HyperRandom {
  /**
   * Fill `buf` entirely; the caller keeps it. The native host asks the operating system. The simulated host gives the next bytes of a stream
   * that depends on the world's seed and this host's name alone: predictable, on purpose.
   * @returns 0, EINVAL for unknown flags, EAGAIN (with NOWAIT) or EIO when the source has failed. Source: rumpuser_getrandom(3), which may
   * return fewer bytes.
   */
  rumpuser_getrandom(buf: Uint8Array, flags: number): number;
}
