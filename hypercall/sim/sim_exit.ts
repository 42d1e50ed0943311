// The end of a simulated kernel: its host dies, its world goes on.
import { EINVAL, ESRCH } from "../api/errno.ts";
import { HyperExited, type HyperExit, RUMPUSER_PID_SELF } from "../api/exit.ts";
import type { SimHost } from "./sim_host.ts";

/** Signals are 1 to this (NetBSD's NSIG - 1); 0 only asks. */
const SIGNAL_MAX = 63;

/** Exit and signals. */
export class SimExit implements HyperExit {
  private readonly host: SimHost;

  constructor(host: SimHost) {
    this.host = host;
  }

  /** See HyperExit. Kills the host and throws HyperExited. */
  rumpuser_exit(value: number): never {
    this.host.exit_value = value;
    this.host.world.kill(this.host);
    throw new HyperExited(this.host.hostname, value);
  }

  /** See HyperExit. There is only RUMPUSER_PID_SELF, and every signal is deadly. */
  rumpuser_kill(pid: number, sig: number): number {
    if (!Number.isInteger(sig) || sig < 0 || sig > SIGNAL_MAX) return EINVAL;
    if (pid !== RUMPUSER_PID_SELF) return ESRCH;
    if (sig !== 0) this.host.world.kill(this.host);
    return 0;
  }
}
