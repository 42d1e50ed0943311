// When the host enters the kernel: at its next deadline, and as soon as it can. These two stand for rumpuser's clock, softint and
// scheduler threads, of which there are none here.

/** The wake-up of a kernel's callout wheel. There is at most one pending. */
export interface HyperAlarm {
  /**
   * Fire at `deadline_ns` of the ABSMONO clock or soon after, never before and never inside this call; replaces an earlier deadline. One that
   * has passed fires as soon as possible. hot
   */
  set(deadline_ns: number): void;
  /** Do not fire. */
  clear(): void;
  /**
   * Somebody outside waits for what this alarm will do (by = 1), or no longer does (by = -1): while anybody does, a native process stays alive
   * for it, as for a timer of its own. close() ends all holds.
   */
  hold(by: number): void;
  /** Clear, and give the alarm back. Afterwards the other calls do nothing. */
  close(): void;
}

/** When the kernel runs. */
export interface HyperSched {
  /**
   * A new alarm that calls `fire` each time it goes off. `fire` brackets itself: the host does not enter the kernel around it, so that a
   * kernel which has just one thing to do at a deadline does it in one bracket. A pending alarm does not keep a native process alive unless it is held.
   */
  rumpuser_alarm(fire: () => void): HyperAlarm;

  /**
   * Call `run` soon: never inside this call, in the order asked for, before time passes on a simulated host. On a native host the queue is
   * drained when the outermost entry into any kernel of the process has been left, up to a bound per turn, and then from the event loop, so
   * that kernels which feed each other cannot shut out the host. `run` brackets itself.
   */
  rumpuser_defer(run: () => void): void;
}
