// Clocks: one that only goes forward, and the time of day.

/** Clock of rumpuser_clock_gettime: the time of day, seconds since 1970-01-01 UTC. As an argument of rumpuser_clock_sleep: for so long. */
export const RUMPUSER_CLOCK_RELWALL = 0;
/** Clock that never goes back, from some fixed moment of the past. As an argument of rumpuser_clock_sleep: until then. */
export const RUMPUSER_CLOCK_ABSMONO = 1;

/** Seconds and nanoseconds, filled in by the callee. */
export class Timespec {
  /** Whole seconds. */
  sec = 0;
  /** Nanoseconds, 0..999_999_999. */
  nsec = 0;
}

/** The clocks of a host. */
export interface HyperClock {
  /** Nanoseconds of the ABSMONO clock. All kernels of one machine (native) or world (sim) see the same clock. Cannot fail. hot */
  rumpuser_clock_mono(): number;

  /**
   * Read clock `clk` into `ts`.
   * @returns 0, or EINVAL for another clock. Source: rumpuser_clock_gettime(3).
   */
  rumpuser_clock_gettime(clk: number, ts: Timespec): number;

  /**
   * Call `done`, within the kernel's bracket, once: RELWALL when at least sec + nsec have passed, ABSMONO when that moment is reached (soon,
   * if it has passed). Never early, never inside this call. Does not block, unlike rumpuser's. For single sleeps of the boot and of tools;
   * the kernel's timers all share the one alarm of HyperSched.
   * @returns 0, or EINVAL for another clock, a negative time or nsec >= 1e9. Source: rumpuser_clock_sleep(3).
   */
  rumpuser_clock_sleep(clk: number, sec: number, nsec: number, done: () => void): number;
}
