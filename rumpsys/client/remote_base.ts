/**
 * rumpSys over a connection: the calls on descriptors, options and names. Each marshals its arguments and turns an errno into RumpError,
 * so a caller sees what it would see in the kernel's own process.
 */
import { EINVAL } from "../../hypercall/api/errno.ts";
import { IOC_INOUT, IOCPARM_LEN } from "../../kernel-components/kern/ioccom.ts";
import { Stat } from "../../kernel-components/kern/proc.ts";
import { bytes_to_number, number_to_bytes, string_to_bytes } from "../../kernel-components/kern/sysctl_bytes.ts";
import { EFAULT } from "../../hypercall/api/errno.ts";
import { SOCK_MAXADDRLEN } from "../../kernel-components/wire/sockaddr.ts";
import { address_of, describe_address, sockaddr_of } from "../addresses.ts";
import type { AddressArgument, SocketAddress } from "../addresses.ts";
import { RumpError } from "../errors.ts";
import { sp_in, sp_inout, sp_int, sp_out } from "../sp/sp_args.ts";
import type { SpArg, SpResult } from "../sp/sp_args.ts";
import * as n from "../sp/sp_sysnum.ts";

/** Where remote calls go. */
export interface CallCarrier {
  /** One system call. Rejects when it could not be made; an errno is in the result. */
  carry(name: string, sysnum: number, args: readonly SpArg[]): Promise<SpResult>;
}

/** Bytes of struct pollfd and of fstat's answer are the server's (sp_syscalls.ts). */
const STAT_LEN = 20;
const SOCKOPT_ROOM = 256;

/** Calls that never wait. */
export class RemoteBase {
  private readonly carrier: CallCarrier;

  constructor(carrier: CallCarrier) {
    this.carrier = carrier;
  }

  /** One call; throws RumpError for an errno. */
  protected async call(
    name: string,
    sysnum: number,
    args: readonly SpArg[],
    about: { address?: string; port?: number } = {},
  ): Promise<SpResult> {
    const r = await this.carrier.carry(name, sysnum, args);
    if (r.error !== 0) throw new RumpError(name, r.error, about.address, about.port);
    return r;
  }

  /** One call whose errno the caller looks at. */
  protected raw(name: string, sysnum: number, args: readonly SpArg[]): Promise<SpResult> {
    return this.carrier.carry(name, sysnum, args);
  }

  private async val(name: string, sysnum: number, ...args: readonly number[]): Promise<number> {
    return (await this.call(name, sysnum, args.map(sp_int))).val;
  }

  private async name(call: string, sysnum: number, fd: number): Promise<SocketAddress | null> {
    const nam = sp_out(new Uint8Array(SOCK_MAXADDRLEN));
    await this.call(call, sysnum, [sp_int(fd), nam]);
    return address_of(nam.buf, nam.len);
  }

  /** See RumpSys.socket. */
  socket(domain: number, type: number, protocol: number = 0): Promise<number> {
    return this.val("socket", n.SYS_socket, domain, type, protocol);
  }

  /** See RumpSys.socketpair. */
  async socketpair(domain: number, type: number, protocol: number = 0): Promise<[number, number]> {
    const r = await this.call("socketpair", n.SYS_socketpair, [sp_int(domain), sp_int(type), sp_int(protocol)]);
    return [r.val, r.val1];
  }

  /** See RumpSys.bind. */
  async bind(fd: number, address: AddressArgument): Promise<void> {
    await this.call("bind", n.SYS_bind, [sp_int(fd), sp_in(sockaddr_of(address, "bind"))], describe_address(address));
  }

  /** See RumpSys.listen. */
  async listen(fd: number, backlog: number = 128): Promise<void> {
    await this.val("listen", n.SYS_listen, fd, backlog);
  }

  /** See RumpSys.shutdown. */
  async shutdown(fd: number, how: number): Promise<void> {
    await this.val("shutdown", n.SYS_shutdown, fd, how);
  }

  /** See RumpSys.getsockname. */
  getsockname(fd: number): Promise<SocketAddress | null> {
    return this.name("getsockname", n.SYS_getsockname, fd);
  }

  /** See RumpSys.getpeername. */
  getpeername(fd: number): Promise<SocketAddress | null> {
    return this.name("getpeername", n.SYS_getpeername, fd);
  }

  /** See RumpSys.getsockopt. */
  async getsockopt(fd: number, level: number, name: number): Promise<number> {
    const bytes = await this.getsockoptBytes(fd, level, name);
    if (bytes.length === 4) return bytes_to_number(bytes);
    if (bytes.length === 1) return bytes[0] ?? 0;
    throw new RumpError(
      "getsockopt",
      EINVAL,
      undefined,
      undefined,
      `the value has ${bytes.length} bytes: use getsockoptBytes`,
    );
  }

  /** See RumpSys.getsockoptBytes. */
  async getsockoptBytes(fd: number, level: number, name: number, room: number = SOCKOPT_ROOM): Promise<Uint8Array> {
    const value = sp_out(new Uint8Array(room));
    await this.call("getsockopt", n.SYS_getsockopt, [sp_int(fd), sp_int(level), sp_int(name), value]);
    return value.buf.subarray(0, value.len);
  }

  /** See RumpSys.setsockopt. */
  async setsockopt(fd: number, level: number, name: number, value: number | boolean | Uint8Array): Promise<void> {
    const bytes = value instanceof Uint8Array ? value : number_to_bytes(Number(value), 4);
    await this.call("setsockopt", n.SYS_setsockopt, [sp_int(fd), sp_int(level), sp_int(name), sp_in(bytes)]);
  }

  /** See RumpSys.ioctl. */
  async ioctl(fd: number, cmd: number, data: Uint8Array = new Uint8Array(0)): Promise<number> {
    const len = (cmd & IOC_INOUT) === 0 ? 0 : IOCPARM_LEN(cmd);
    if (data.length < len) throw new RumpError("ioctl", EFAULT, undefined, undefined, `the command takes ${len} bytes`);
    return (await this.call("ioctl", n.SYS_ioctl, [sp_int(fd), sp_int(cmd), sp_inout(data)])).val;
  }

  /** See RumpSys.fcntl. */
  fcntl(fd: number, cmd: number, arg: number = 0): Promise<number> {
    return this.val("fcntl", n.SYS_fcntl, fd, cmd, arg);
  }

  /** See RumpSys.dup. */
  dup(fd: number): Promise<number> {
    return this.val("dup", n.SYS_dup, fd);
  }

  /** See RumpSys.dup2. */
  dup2(from: number, to: number): Promise<number> {
    return this.val("dup2", n.SYS_dup2, from, to);
  }

  /** See RumpSys.open. */
  async open(path: string, flags: number): Promise<number> {
    return (
      await this.call("open", n.SYS_open, [sp_in(new TextEncoder().encode(path)), sp_int(flags)], { address: path })
    ).val;
  }

  /** See RumpSys.fstat. */
  async fstat(fd: number): Promise<Stat> {
    const out = sp_out(new Uint8Array(STAT_LEN));
    await this.call("fstat", n.SYS_fstat, [sp_int(fd), out]);
    const dv = new DataView(out.buf.buffer);
    const st = new Stat();
    st.st_mode = dv.getUint32(0, true);
    st.st_size = dv.getUint32(4, true);
    st.st_blksize = dv.getUint32(8, true);
    st.st_uid = dv.getUint32(12, true);
    st.st_gid = dv.getUint32(16, true);
    return st;
  }

  /** See RumpSys.getpid. */
  getpid(): Promise<number> {
    return this.val("getpid", n.SYS_getpid);
  }

  /** Ends the kernel (reboot(2) with RB_HALT). Resolves when the kernel has said yes. */
  async reboot(howto: number = n.RB_HALT): Promise<void> {
    await this.val("reboot", n.SYS_reboot, howto);
  }
}

/** A sysctl value as bytes for a node of a type; `what` is for the error. */
export function sysctl_newp(value: number | string | Uint8Array, size: number, what: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") {
    if (size !== 0) throw new RumpError("sysctlbyname", EINVAL, what, undefined, "a string does not fit this node");
    return string_to_bytes(value);
  }
  if (size === 0 || !Number.isSafeInteger(value))
    throw new RumpError("sysctlbyname", EINVAL, what, undefined, "not a whole number, or not for a number");
  return number_to_bytes(value, size);
}
