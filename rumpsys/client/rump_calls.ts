/**
 * RumpCalls: the calls of rumpSys, all as promises. A kernel in this process and one behind a URL both offer them, so tools and programs
 * written for RumpCalls run on either.
 */
import type { RumpSys } from "../rumpsys.ts";

/** The calls of RumpSys. Every one returns a promise; failures are RumpError rejections. */
export type RumpCalls = {
  readonly [K in Exclude<keyof RumpSys, "sync" | "batch">]: RumpSys[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never;
};

const NAMES: readonly (keyof RumpCalls)[] = [
  "socket",
  "socketpair",
  "bind",
  "listen",
  "shutdown",
  "getsockname",
  "getpeername",
  "getsockopt",
  "getsockoptBytes",
  "setsockopt",
  "ioctl",
  "fcntl",
  "dup",
  "dup2",
  "open",
  "fstat",
  "getpid",
  "sysctl",
  "sysctlbyname",
  "connect",
  "accept",
  "read",
  "write",
  "send",
  "sendto",
  "sendmsg",
  "recv",
  "recvfrom",
  "recvmsg",
  "poll",
  "select",
  "close",
];

/** The calls of a kernel in this process. @example await ping(tool_context(rump_calls(rk.rumpSys)), ["-c", "1", "10.0.0.1"]) */
export function rump_calls(rumpSys: RumpSys): RumpCalls {
  const calls: Record<string, (...args: unknown[]) => Promise<unknown>> = {};
  for (const name of NAMES) {
    const call = (rumpSys[name] as (...args: unknown[]) => unknown).bind(rumpSys);
    calls[name] = async (...args) => call(...args);
  }
  return calls as unknown as RumpCalls;
}
