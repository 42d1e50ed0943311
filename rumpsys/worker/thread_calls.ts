/**
 * Calls whose arguments are filled in: across threads their buffers travel as lengths one way and as bytes the other.
 */
import { ENOSYS } from "../../hypercall/api/errno.ts";
import { RumpError } from "../errors.ts";
import type { RumpSys } from "../rumpsys.ts";
import type { PollRequest } from "../sys_ops_misc.ts";

/** Bytes together with the result of the call that filled them. */
export interface Filled<T> {
  /** The result. */
  readonly result: T;
  /** The bytes, in the order of the buffers. */
  readonly data: Uint8Array;
}

/** Methods that callers may name and that need nothing special. */
const PLAIN: ReadonlySet<string> = new Set([
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
  "write",
  "send",
  "sendto",
  "sendmsg",
  "select",
  "close",
]);

/** Runs a call in the kernel's thread. ENOSYS for a name that is not a system call. */
export function marshalled(sys: RumpSys, name: string, args: readonly unknown[]): unknown {
  if (PLAIN.has(name)) {
    const method = (sys as unknown as Record<string, (...a: readonly unknown[]) => unknown>)[name];
    if (method !== undefined) return method.apply(sys, [...args]);
  }
  const [fd, second, third] = args as [number, number, number];
  switch (name) {
    case "read":
      return filled(
        second,
        (buf) => sys.read(fd, buf),
        (n) => n,
      );
    case "recv":
      return filled(
        second,
        (buf) => sys.recv(fd, buf, third),
        (n) => n,
      );
    case "recvfrom":
      return filled(
        second,
        (buf) => sys.recvfrom(fd, buf, third),
        (r) => r.length,
      );
    case "recvmsg":
      return filled(
        second,
        (buf) => sys.recvmsg(fd, { iov: buf, controllen: args[3] as number }, third),
        (r) => r.length,
      );
    case "ioctl": {
      const data = args[2] as Uint8Array;
      const result = sys.ioctl(fd, second, data);
      return { result, data } satisfies Filled<number>;
    }
    case "poll":
      return polled(sys, args[0] as PollRequest[], args[1] as number);
    default:
      throw new RumpError(name, ENOSYS);
  }
}

async function filled<T>(
  room: number,
  call: (buf: Uint8Array) => Promise<T>,
  length: (r: T) => number,
): Promise<Filled<T>> {
  const buf = new Uint8Array(room);
  const result = await call(buf);
  return { result, data: buf.subarray(0, length(result)).slice() };
}

async function polled(
  sys: RumpSys,
  fds: PollRequest[],
  timeout_ms: number,
): Promise<{ result: number; revents: number[] }> {
  const result = await sys.poll(fds, timeout_ms);
  return { result, revents: fds.map((p) => p.revents ?? 0) };
}
