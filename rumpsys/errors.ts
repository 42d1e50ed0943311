/**
 * RumpError: what the object facade throws, shaped like Node's own system errors.
 */
import { errno_name, strerror } from "../hypercall/api/errno_names.ts";

/**
 * A system call failed. The message is like Node's: `bind EADDRINUSE 10.0.0.1:53`, `recvfrom EAGAIN`. `errno` is NetBSD's number (positive).
 *
 * @example
 * try { rumpSys.bind(fd, addr) } catch (e) { if (e instanceof RumpError && e.code === "EADDRINUSE") retry() }
 */
export class RumpError extends Error {
  override readonly name = "RumpError";
  /** Name of the errno, such as "ECONNREFUSED". */
  readonly code: string;
  /** NetBSD's number. */
  readonly errno: number;
  /** The call, such as "bind". */
  readonly syscall: string;
  /** Address or path the call was about, if any. */
  readonly address: string | undefined;
  /** Port the call was about, if any. */
  readonly port: number | undefined;

  constructor(syscall: string, errno: number, address?: string, port?: number, why?: string) {
    const where = address === undefined ? "" : port === undefined ? ` ${address}` : ` ${hostport(address, port)}`;
    super(`${syscall} ${errno_name(errno)}${where}${why === undefined ? "" : `: ${why}`}`);
    this.code = errno_name(errno);
    this.errno = errno;
    this.syscall = syscall;
    this.address = address;
    this.port = port;
  }

  /** What the errno means, in a few words. */
  describe(): string {
    return strerror(this.errno);
  }
}

function hostport(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
