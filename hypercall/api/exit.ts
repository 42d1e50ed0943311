// The end of the kernel and signals to its host.

/** `value` of rumpuser_exit: the kernel has panicked; the host ends in a way that leaves evidence. */
export const RUMPUSER_PANIC = -1;
/** `pid` of rumpuser_kill: the process of this kernel. */
export const RUMPUSER_PID_SELF = -1;

/** The simulated host ends a kernel by throwing this: there is no process to end. */
export class HyperExited extends Error {
  override readonly name: string = "HyperExited";
  /** What was given to rumpuser_exit. */
  readonly value: number;

  constructor(host: string, value: number) {
    super(value === RUMPUSER_PANIC ? `${host}: the kernel panicked` : `${host}: the kernel exited with ${value}`);
    this.value = value;
  }
}

/** The end. */
export interface HyperExit {
  /** End the host process with `value`, or as a crash for RUMPUSER_PANIC. Does not return. Source: rumpuser_exit(3). */
  rumpuser_exit(value: number): never;

  /**
   * Send signal `sig` (NetBSD's number, translated by the host) to process `pid` of the host, or to this one with RUMPUSER_PID_SELF.
   * @returns 0, EINVAL (no such signal), ESRCH, EPERM. Source: rumpuser_kill(3).
   */
  rumpuser_kill(pid: number, sig: number): number;
}
