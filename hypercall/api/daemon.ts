// Going into the background: the process that was started returns only when the kernel behind it has booted, with its success or failure.

/** Daemonize. */
export interface HyperDaemon {
  /**
   * Before the boot: from here on somebody waits for rumpuser_daemonize_done. A host that cannot fork (Node cannot) was itself started in the
   * background by a parent that waits, and this call ties them together.
   * @returns 0, EALREADY when called twice, ENOTSUP when nobody waits for this process. Source: rumpuser_daemonize_begin(3).
   */
  rumpuser_daemonize_begin(): number;

  /**
   * The boot has ended, with 0 or an errno that becomes the exit status of the one who waits.
   * @returns 0, or EINVAL without a begin. Source: rumpuser_daemonize_done(3).
   */
  rumpuser_daemonize_done(error: number): number;
}
