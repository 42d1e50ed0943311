// The small groups of a simulated host: parameters, entropy, errno, daemonize, threads.
import { EALREADY, EINVAL, ENOTSUP } from "../api/errno.ts";
import type { HyperDaemon } from "../api/daemon.ts";
import type { HyperErrno } from "../api/error.ts";
import { type HyperParam, RUMPUSER_PARAM_HOSTNAME, RUMPUSER_PARAM_NCPU } from "../api/param.ts";
import { type HyperRandom, RUMPUSER_RANDOM_HARD, RUMPUSER_RANDOM_NOWAIT } from "../api/random.ts";
import type { HyperThread } from "../api/thread.ts";
import type { SimRandom } from "./sim_random.ts";

/** Parameters from a table. */
export class SimParam implements HyperParam {
  private readonly table: Map<string, string>;

  /** `given` wins over the two that are mandatory. */
  constructor(hostname: string, given: Readonly<Record<string, string>>) {
    this.table = new Map([[RUMPUSER_PARAM_NCPU, "1"], [RUMPUSER_PARAM_HOSTNAME, hostname], ...Object.entries(given)]);
  }

  /** See HyperParam. */
  rumpuser_getparam(name: string): string | null {
    return this.table.get(name) ?? null;
  }
}

/** Predictable entropy. */
export class SimEntropy implements HyperRandom {
  private readonly stream: SimRandom;

  constructor(stream: SimRandom) {
    this.stream = stream;
  }

  /** See HyperRandom. */
  rumpuser_getrandom(buf: Uint8Array, flags: number): number {
    if ((flags & ~(RUMPUSER_RANDOM_HARD | RUMPUSER_RANDOM_NOWAIT)) !== 0) return EINVAL;
    this.stream.fill(buf);
    return 0;
  }
}

/** errno. */
export class SimErrno implements HyperErrno {
  private error = 0;

  /** See HyperErrno. */
  rumpuser_seterrno(error: number): void {
    this.error = error;
  }

  /** See HyperErrno. */
  rumpuser_geterrno(): number {
    return this.error;
  }
}

/** Daemonize: nothing forks, the outcome is only remembered. */
export class SimDaemon implements HyperDaemon {
  /** What the boot reported, or -1 while it has not. */
  status = -1;
  private begun = false;

  /** See HyperDaemon. */
  rumpuser_daemonize_begin(): number {
    if (this.begun) return EALREADY;
    this.begun = true;
    return 0;
  }

  /** See HyperDaemon. */
  rumpuser_daemonize_done(error: number): number {
    if (!this.begun) return EINVAL;
    this.status = error;
    return 0;
  }
}

/** Threads: none. A thread that sleeps in real time has no place in virtual time, so every call says ENOTSUP. */
export class SimThread implements HyperThread {
  /** See HyperThread. */
  rumpuser_thread_create(): number {
    return ENOTSUP;
  }

  /** See HyperThread. */
  rumpuser_thread_join(): number {
    return ENOTSUP;
  }

  /** See HyperThread. */
  rumpuser_cv_wait(): number {
    return ENOTSUP;
  }

  /** See HyperThread. */
  rumpuser_cv_timedwait(): number {
    return ENOTSUP;
  }

  /** See HyperThread. */
  rumpuser_cv_signal(): number {
    return ENOTSUP;
  }
}
