// Threads, and sleeping in them. A kernel has one thread; the ones made here are for a client that wants calls which truly block: it runs
// in one thread, its kernel in another, and both sleep on words of shared memory. Everything else of rumpuser's threads, mutexes, rwlocks and
// condition variables has no meaning where no two pieces of kernel code ever run at once (docs/reference/hypercalls.md).

/** A thread of the host. */
export interface HyperThreadHandle {
  /** The hint given at creation. */
  readonly name: string;
}

/** Where rumpuser_thread_create leaves its answer. */
export class ThreadResult {
  /** The thread, or null. */
  thread: HyperThreadHandle | null = null;
  /** What went wrong, for people. */
  text = "";
}

/** Threads. Every call answers ENOTSUP on the simulated host, where only the world makes time pass. */
export interface HyperThread {
  /**
   * Start a thread that loads the module `entry` (a URL or absolute path) and gives its exported `main` the shared memory `arg`. Returns
   * before it runs. A function cannot be handed over, as rumpuser does: threads share no objects here.
   * @returns 0 with out.thread set; ENOTSUP, ENOENT, EAGAIN (too many). Source: rumpuser_thread_create(3).
   */
  rumpuser_thread_create(entry: string, arg: Int32Array, name: string, out: ThreadResult): number;

  /**
   * Call `done` within the kernel's bracket when `thread` has ended: 0, or EIO if it died of an exception. Does not block.
   * @returns 0, ENOTSUP, or ESRCH for a thread that is not of this host. Source: rumpuser_thread_join(3).
   */
  rumpuser_thread_join(thread: HyperThreadHandle, done: (err: number) => void): number;

  /**
   * Sleep while cell[index] is `value`. Blocks the calling thread; a kernel may call it only in a thread of its own, and must not hold its
   * bracket. @returns 0 when woken or when the word was different, EDEADLK in a thread that must not block, ENOTSUP.
   * Preconditions: `cell` is over a SharedArrayBuffer. Source: rumpuser_cv_wait(3).
   */
  rumpuser_cv_wait(cell: Int32Array, index: number, value: number): number;

  /** As rumpuser_cv_wait, for at most `ns` nanoseconds. @returns also ETIMEDOUT. Source: rumpuser_cv_timedwait(3). */
  rumpuser_cv_timedwait(cell: Int32Array, index: number, value: number, ns: number): number;

  /**
   * Wake up to `count` sleepers of cell[index] (Infinity: all, as rumpuser_cv_broadcast). The caller has changed the word before. Does not
   * block. @returns 0 or ENOTSUP. Source: rumpuser_cv_signal(3).
   */
  rumpuser_cv_signal(cell: Int32Array, index: number, count: number): number;
}
