// What can be woken at the end of a kernel entry.

/** "Would block": the caller waits for a wake-up (see Lwp) and calls the same function again with the same arguments. */
export const EWAIT: number = -16;

/** Something that waits for the kernel; Kernel.wakeup queues it and Kernel.leave calls it. */
export interface Wakeable {
  /** Queued for a wake-up; the kernel's. */
  w_woken: boolean;
  /** The wake-up. Runs inside the kernel bracket; may call system calls. */
  w_wakeup(): void;
}
