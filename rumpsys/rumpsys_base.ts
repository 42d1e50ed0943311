/**
 * The calls of the object facade that never wait: the same in the promise face and in the immediate one.
 */
import { sys_dup, sys_dup2, sys_fcntl } from "../kernel-components/kern/sys_descrip.ts";
import { sys_getpid, sys_ioctl, sys_open } from "../kernel-components/kern/sys_generic.ts";
import type { Stat } from "../kernel-components/kern/proc.ts";
import {
  sys_bind,
  sys_getpeername,
  sys_getsockname,
  sys_listen,
  sys_shutdown,
  sys_socket,
  sys_socketpair,
} from "../kernel-components/socket/uipc_syscalls.ts";
import { address_of, describe_address, sockaddr_of } from "./addresses.ts";
import type { AddressArgument, SocketAddress } from "./addresses.ts";
import { op_fstat, op_getsockopt, op_setsockopt, op_sysctl, op_sysctlbyname, sockopt_number } from "./sys_ops_misc.ts";
import type { SysctlData } from "./sys_ops_misc.ts";
import type { SysContext, SysFrame } from "./sys_frame.ts";

/** Whose calls they are; the kernel's current process may change (lwproc). */
export interface SysOwner {
  /** Where system calls run. */
  readonly cx: SysContext;
}

/** Largest option value that getsockoptBytes makes room for by default. */
const SOCKOPT_ROOM = 256;

/**
 * System calls that never wait. All throw RumpError {code, errno, syscall, address, port}. Descriptors are small integers of the calling
 * process. Buffers belong to the caller and may be used again as soon as the call has returned.
 */
export class RumpSysBase {
  /** Whose calls they are. */
  protected readonly owner: SysOwner;

  constructor(owner: SysOwner) {
    this.owner = owner;
  }

  private now<T>(
    syscall: string,
    fd: number,
    run: (f: SysFrame) => number,
    result: (f: SysFrame) => T,
    about: object = {},
  ): T {
    return this.owner.cx.once({ syscall, fd, setup: null, run, result, ...about });
  }

  /** Makes a socket and returns its descriptor; SOCK_NONBLOCK, SOCK_CLOEXEC and SOCK_NOSIGPIPE may be or-ed to `type`. socket(2). */
  socket(domain: number, type: number, protocol: number = 0): number {
    return this.now(
      "socket",
      -1,
      (f) => sys_socket(f.l, domain, type, protocol, f.rv),
      (f) => f.rv.val,
    );
  }

  /** Makes two connected sockets (PF_LOCAL). socketpair(2). */
  socketpair(domain: number, type: number, protocol: number = 0): [number, number] {
    return this.now(
      "socketpair",
      -1,
      (f) => sys_socketpair(f.l, domain, type, protocol, f.rv),
      (f) => [f.rv.val, f.rv.val1],
    );
  }

  /** Gives a socket its address; port 0 lets the kernel choose. bind(2). */
  bind(fd: number, address: AddressArgument): void {
    const sa = sockaddr_of(address, "bind");
    this.now(
      "bind",
      fd,
      (f) => sys_bind(f.l, fd, sa),
      () => undefined,
      describe_address(address),
    );
  }

  /** Makes a socket accept connections; at most kern.somaxconn wait. listen(2). */
  listen(fd: number, backlog: number = 128): void {
    this.now(
      "listen",
      fd,
      (f) => sys_listen(f.l, fd, backlog),
      () => undefined,
    );
  }

  /** Ends one or both directions: SHUT_RD, SHUT_WR, SHUT_RDWR. shutdown(2). */
  shutdown(fd: number, how: number): void {
    this.now(
      "shutdown",
      fd,
      (f) => sys_shutdown(f.l, fd, how),
      () => undefined,
    );
  }

  /** The address of a socket. getsockname(2). */
  getsockname(fd: number): SocketAddress | null {
    return this.now(
      "getsockname",
      fd,
      (f) => sys_getsockname(f.l, fd, f.nam),
      (f) => address_of(f.nam.sa, f.nam.len),
    );
  }

  /** The address of the peer; ENOTCONN. getpeername(2). */
  getpeername(fd: number): SocketAddress | null {
    return this.now(
      "getpeername",
      fd,
      (f) => sys_getpeername(f.l, fd, f.nam),
      (f) => address_of(f.nam.sa, f.nam.len),
    );
  }

  /** An option whose value is an int (or one byte). ENOPROTOOPT if nobody knows the option. getsockopt(2). */
  getsockopt(fd: number, level: number, name: number): number {
    return sockopt_number(this.owner.cx.once(op_getsockopt(fd, level, name, SOCKOPT_ROOM)));
  }

  /** An option as bytes of at most `room`. getsockopt(2). */
  getsockoptBytes(fd: number, level: number, name: number, room: number = SOCKOPT_ROOM): Uint8Array {
    return this.owner.cx.once(op_getsockopt(fd, level, name, room));
  }

  /** Sets an option: a number or boolean is passed as an int, anything else as the bytes of its structure. setsockopt(2). */
  setsockopt(fd: number, level: number, name: number, value: number | boolean | Uint8Array): void {
    this.owner.cx.once(op_setsockopt(fd, level, name, value));
  }

  /** Control; `data` has at least the bytes the command says and takes the answer. ioctl(2). */
  ioctl(fd: number, cmd: number, data: Uint8Array = new Uint8Array(0)): number {
    return this.now(
      "ioctl",
      fd,
      (f) => sys_ioctl(f.l, fd, cmd, data, f.rv),
      (f) => f.rv.val,
    );
  }

  /** Descriptor control: F_GETFL, F_SETFL, F_DUPFD, F_GETFD, F_SETFD, ... fcntl(2). */
  fcntl(fd: number, cmd: number, arg: number = 0): number {
    return this.now(
      "fcntl",
      fd,
      (f) => sys_fcntl(f.l, fd, cmd, arg, f.rv),
      (f) => f.rv.val,
    );
  }

  /** A second descriptor for the same file. dup(2). */
  dup(fd: number): number {
    return this.now(
      "dup",
      fd,
      (f) => sys_dup(f.l, fd, f.rv),
      (f) => f.rv.val,
    );
  }

  /** The same at a given number; what was there is closed. dup2(2). */
  dup2(from: number, to: number): number {
    const cx = this.owner.cx;
    const run = (f: SysFrame): number => {
      const error = sys_dup2(f.l, from, to, f.rv);
      if (error === 0 && from !== to) cx.closed(to);
      return error;
    };
    return this.now("dup2", from, run, (f) => f.rv.val);
  }

  /** Opens a device of the kernel, such as "/dev/bpf"; flags are O_RDONLY, O_WRONLY, O_RDWR, O_NONBLOCK, O_CLOEXEC. open(2). */
  open(path: string, flags: number): number {
    return this.now(
      "open",
      -1,
      (f) => sys_open(f.l, path, flags, f.rv),
      (f) => f.rv.val,
      { address: path },
    );
  }

  /** What kind of file it is, and its size. fstat(2). */
  fstat(fd: number): Stat {
    return this.owner.cx.once(op_fstat(fd));
  }

  /** The process the calls belong to. getpid(2). */
  getpid(): number {
    return this.now(
      "getpid",
      -1,
      (f) => sys_getpid(f.l, f.rv),
      (f) => f.rv.val,
    );
  }

  /** Gets (and, with `newp`, sets) a value by its numbers, as bytes. sysctl(3). */
  sysctl(mib: readonly number[], newp: Uint8Array | null = null): Uint8Array {
    return this.owner.cx.once(op_sysctl(this.owner.cx.k, mib, newp, mib.join(".")));
  }

  /**
   * Gets (and, with `value`, sets) a value by name: int, quad and bool are numbers, strings strings, structures bytes. The result is the
   * old value. sysctl(3).
   * @example rumpSys.sysctlbyname("net.inet.ip.forwarding", 1)
   */
  sysctlbyname(name: string, value?: SysctlData): SysctlData {
    return this.owner.cx.once(op_sysctlbyname(this.owner.cx.k, name, value));
  }
}
