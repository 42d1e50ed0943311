// Daemonize group. Node cannot fork, so the order is turned round: the parent starts the process that will be the kernel, detached, and
// waits on a pipe for the outcome of its boot; rumpuser_daemonize_begin finds the pipe, rumpuser_daemonize_done writes the outcome.
import { spawn } from "node:child_process";
import { closeSync, writeSync } from "node:fs";
import { Readable } from "node:stream";
import { EALREADY, EINVAL, ENOTSUP } from "../api/errno.ts";
import type { HyperDaemon } from "../api/daemon.ts";

/** Environment variable that names the descriptor of the pipe. */
export const DAEMON_ENV = "RUMPKIT_DAEMON_FD";
const DAEMON_FD = 3;

/** The kernel's side. */
export class NativeDaemon implements HyperDaemon {
  private fd = -1;
  private begun = false;

  rumpuser_daemonize_begin(): number {
    if (this.begun) return EALREADY;
    const named = process.env[DAEMON_ENV];
    if (named === undefined) return ENOTSUP;
    delete process.env[DAEMON_ENV];
    const fd = Number(named);
    if (!Number.isInteger(fd) || fd <= 2) return ENOTSUP;
    this.begun = true;
    this.fd = fd;
    return 0;
  }

  rumpuser_daemonize_done(error: number): number {
    if (this.fd < 0 || !Number.isInteger(error) || error < 0) return EINVAL;
    try {
      writeSync(this.fd, `${error}\n`);
      closeSync(this.fd);
    } catch {
      // The parent has gone: nobody waits, and the kernel runs on.
    }
    this.fd = -1;
    return 0;
  }
}

/** How the boot of a background process ended. */
export interface DaemonOutcome {
  /** The process, -1 when none was started. */
  readonly pid: number;
  /** What it gave to rumpuser_daemonize_done, or null when it ended without. */
  readonly error: number | null;
  /** Exit status when it ended before the boot was done, else null. */
  readonly status: number | null;
}

/**
 * The parent's side: start `node args...` in the background, in a session of its own, and wait until it has booted or died. Its standard
 * error is the caller's until then and after.
 */
export function daemonize(args: readonly string[], env: NodeJS.ProcessEnv): Promise<DaemonOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      detached: true,
      stdio: ["ignore", "ignore", "inherit", "pipe"],
      env: { ...env, [DAEMON_ENV]: String(DAEMON_FD) },
    });
    let said = "";
    const pipe = child.stdio[DAEMON_FD];
    if (!(pipe instanceof Readable)) return reject(new Error("no pipe to the background process"));
    pipe.on("data", (bytes: Uint8Array) => {
      said += Buffer.from(bytes).toString();
      if (!said.includes("\n")) return;
      child.removeAllListeners();
      child.unref();
      pipe.destroy();
      resolve({ pid: child.pid ?? -1, error: Number.parseInt(said, 10), status: null });
    });
    child.on("error", reject);
    child.on("close", (status) => resolve({ pid: child.pid ?? -1, error: null, status: status ?? 1 }));
  });
}
