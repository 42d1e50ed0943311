// End group: exit, panic, and signals in NetBSD's numbers.
import { constants } from "node:os";
import { EINVAL, EPERM, ESRCH } from "../api/errno.ts";
import { node_errno } from "./node_errno.ts";
import { type HyperExit, RUMPUSER_PANIC, RUMPUSER_PID_SELF } from "../api/exit.ts";

/** NetBSD's signals in the order of their numbers (sys/sys/signal.h); "" has no relative on Linux. */
const SIGNALS: readonly (keyof typeof constants.signals | "")[] = [
  "",
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGILL",
  "SIGTRAP",
  "SIGABRT",
  "", // SIGEMT
  "SIGFPE",
  "SIGKILL",
  "SIGBUS",
  "SIGSEGV",
  "SIGSYS",
  "SIGPIPE",
  "SIGALRM",
  "SIGTERM",
  "SIGURG",
  "SIGSTOP",
  "SIGTSTP",
  "SIGCONT",
  "SIGCHLD",
  "SIGTTIN",
  "SIGTTOU",
  "SIGIO",
  "SIGXCPU",
  "SIGXFSZ",
  "SIGVTALRM",
  "SIGPROF",
  "SIGWINCH",
  "", // SIGINFO
  "SIGUSR1",
  "SIGUSR2",
  "SIGPWR",
];

/** The Linux number of a NetBSD signal; -1 when there is none. */
export function sigtrans(sig: number): number {
  if (sig === 0) return 0;
  const name = SIGNALS[sig];
  return name === undefined || name === "" ? -1 : constants.signals[name];
}

/** The end of the process. */
export class NativeExit implements HyperExit {
  rumpuser_exit(value: number): never {
    if (value === RUMPUSER_PANIC) process.abort();
    process.exit(value);
  }

  rumpuser_kill(pid: number, sig: number): number {
    const signal = sigtrans(sig);
    if (signal < 0) return EINVAL;
    try {
      process.kill(pid === RUMPUSER_PID_SELF ? process.pid : pid, signal);
    } catch (error) {
      const err = node_errno(error);
      return err === ESRCH || err === EPERM ? err : EINVAL;
    }
    return 0;
  }
}
