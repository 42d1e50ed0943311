// Parameters given at boot, as an environment.

/** Number of virtual CPUs: mandatory, always "1" for kernels in JavaScript, which have one thread. */
export const RUMPUSER_PARAM_NCPU = "_RUMPUSER_NCPU";
/** Host name of the kernel, mandatory: kern.hostname starts as this. */
export const RUMPUSER_PARAM_HOSTNAME = "_RUMPUSER_HOSTNAME";
/** Not "0" and not "": print the boot messages on the console, not only into the message buffer. */
export const RUMPUSER_PARAM_VERBOSE = "RUMP_VERBOSE";
/** Most bytes of slab memory for this kernel, with an optional suffix k, m or g. */
export const RUMPUSER_PARAM_MEMLIMIT = "RUMP_MEMLIMIT";
/**
 * How many microseconds a thread, after kernel code has run in it, looks for more instead of sleeping; 0, the default, to 100000. It saves the time
 * that waking an idle CPU takes and costs that CPU: for a kernel that has a CPU to itself.
 */
export const RUMPUSER_PARAM_SPIN_US = "RUMP_SPIN_US";

/** Parameters. */
export interface HyperParam {
  /**
   * The parameter `name`, or null when it was not given. Does not change while the kernel runs. Cannot fail. Source: rumpuser_getparam(3),
   * which copies into a buffer and fails when that is too short.
   */
  rumpuser_getparam(name: string): string | null;
}

/** Number of bytes that a text such as "64m" or "65536" means, or -1 when it means none. */
export function parseMemlimit(text: string): number {
  const match = /^([0-9]{1,15})([kKmMgG]?)$/.exec(text);
  if (match === null) return -1;
  const shift = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }[match[2].toLowerCase()] ?? 1;
  return Number(match[1]) * shift;
}
