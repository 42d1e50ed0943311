/**
 * rumpSysBlocking: the calls of rumpSys for a thread that may block. Each call sleeps until it is done, in this thread; the kernel is in
 * another (rump_thread.ts).
 */
import { receiveMessageOnPort } from "node:worker_threads";
import { EINTR } from "../../hypercall/api/errno.ts";
import type { Stat } from "../../kernel-components/kern/proc.ts";
import type { AddressArgument, SocketAddress } from "../addresses.ts";
import { RumpError } from "../errors.ts";
import type { Accepted, Buffers, Received, ReceivedMessage, RecvMessage, SendMessage } from "../sys_ops.ts";
import type { PollRequest, SelectReady, SelectSets, SysctlData } from "../sys_ops_misc.ts";
import type { Filled } from "./thread_calls.ts";
import { CELL_DEAD, CELL_WAITING } from "./thread_protocol.ts";
import type { RumpChannel, ThreadReply, ThreadRequest } from "./thread_protocol.ts";

/**
 * Blocking system calls. Names, arguments, results and errors are those of RumpSys (rumpsys.ts), whose comments hold here too; what is a
 * promise there is a result here. EINTR when the kernel ends. One thread uses one channel.
 */
export class RumpSysBlocking {
  private readonly channel: RumpChannel;
  private readonly cell: Int32Array;

  constructor(channel: RumpChannel) {
    this.channel = channel;
    this.cell = new Int32Array(channel.cell);
  }

  /** Does a call in the kernel's thread and sleeps until it is done. */
  private call<T>(name: string, ...args: unknown[]): T {
    if (Atomics.load(this.cell, 0) === CELL_DEAD)
      throw new RumpError(name, EINTR, undefined, undefined, "the kernel has ended");
    Atomics.store(this.cell, 0, CELL_WAITING);
    this.channel.port.postMessage({ name, args } satisfies ThreadRequest);
    Atomics.wait(this.cell, 0, CELL_WAITING);
    const got = receiveMessageOnPort(this.channel.port) as { message: ThreadReply } | undefined;
    if (got === undefined) throw new RumpError(name, EINTR, undefined, undefined, "the kernel has ended");
    const { error, failure, value } = got.message;
    if (error !== undefined) throw new RumpError(error.syscall, error.errno, error.address, error.port);
    if (failure !== undefined) throw new Error(failure);
    return value as T;
  }

  /** rump_pub_netconfig_* by name: 0 or an errno. @example sys.netconfig("rump_pub_netconfig_ifup", "shmif0") */
  netconfig(name: string, ...args: unknown[]): number {
    return this.call(name, ...args);
  }

  /** See RumpSys.socket. */
  socket(domain: number, type: number, protocol: number = 0): number {
    return this.call("socket", domain, type, protocol);
  }

  /** See RumpSys.socketpair. */
  socketpair(domain: number, type: number, protocol: number = 0): [number, number] {
    return this.call("socketpair", domain, type, protocol);
  }

  /** See RumpSys.bind. */
  bind(fd: number, address: AddressArgument): void {
    this.call("bind", fd, address);
  }

  /** See RumpSys.listen. */
  listen(fd: number, backlog: number = 128): void {
    this.call("listen", fd, backlog);
  }

  /** See RumpSys.accept. */
  accept(fd: number, flags: number = 0): Accepted {
    return this.call("accept", fd, flags);
  }

  /** See RumpSys.connect. */
  connect(fd: number, address: AddressArgument): void {
    this.call("connect", fd, address);
  }

  /** See RumpSys.shutdown. */
  shutdown(fd: number, how: number): void {
    this.call("shutdown", fd, how);
  }

  /** See RumpSys.getsockname. */
  getsockname(fd: number): SocketAddress | null {
    return this.call("getsockname", fd);
  }

  /** See RumpSys.getpeername. */
  getpeername(fd: number): SocketAddress | null {
    return this.call("getpeername", fd);
  }

  /** See RumpSys.getsockopt. */
  getsockopt(fd: number, level: number, name: number): number {
    return this.call("getsockopt", fd, level, name);
  }

  /** See RumpSys.getsockoptBytes. */
  getsockoptBytes(fd: number, level: number, name: number, room?: number): Uint8Array {
    return this.call("getsockoptBytes", fd, level, name, room);
  }

  /** See RumpSys.setsockopt. */
  setsockopt(fd: number, level: number, name: number, value: number | boolean | Uint8Array): void {
    this.call("setsockopt", fd, level, name, value);
  }

  /** See RumpSys.read. */
  read(fd: number, bufs: Buffers): number {
    return this.fill(bufs, this.call<Filled<number>>("read", fd, room_of(bufs)));
  }

  /** See RumpSys.write. */
  write(fd: number, bufs: Buffers): number {
    return this.call("write", fd, bufs);
  }

  /** See RumpSys.send. */
  send(fd: number, buf: Uint8Array, flags: number = 0): number {
    return this.call("send", fd, buf, flags);
  }

  /** See RumpSys.sendto. */
  sendto(fd: number, buf: Uint8Array, flags: number, to: AddressArgument | null): number {
    return this.call("sendto", fd, buf, flags, to);
  }

  /** See RumpSys.sendmsg. */
  sendmsg(fd: number, msg: SendMessage, flags: number = 0): number {
    return this.call("sendmsg", fd, msg, flags);
  }

  /** See RumpSys.recv. */
  recv(fd: number, buf: Uint8Array, flags: number = 0): number {
    return this.fill(buf, this.call<Filled<number>>("recv", fd, buf.length, flags));
  }

  /** See RumpSys.recvfrom. */
  recvfrom(fd: number, buf: Uint8Array, flags: number = 0): Received {
    return this.fill(buf, this.call<Filled<Received>>("recvfrom", fd, buf.length, flags));
  }

  /** See RumpSys.recvmsg. */
  recvmsg(fd: number, msg: RecvMessage, flags: number = 0): ReceivedMessage {
    return this.fill(
      msg.iov,
      this.call<Filled<ReceivedMessage>>("recvmsg", fd, room_of(msg.iov), flags, msg.controllen ?? 0),
    );
  }

  /** See RumpSys.poll. */
  poll(fds: readonly PollRequest[], timeout_ms: number = -1): number {
    const { result, revents } = this.call<{ result: number; revents: number[] }>("poll", fds, timeout_ms);
    fds.forEach((p, i) => (p.revents = revents[i] ?? 0));
    return result;
  }

  /** See RumpSys.select. */
  select(sets: SelectSets, timeout_ms: number | null = null): SelectReady {
    return this.call("select", sets, timeout_ms);
  }

  /** See RumpSys.ioctl. */
  ioctl(fd: number, cmd: number, data: Uint8Array = new Uint8Array(0)): number {
    return this.fill(data, this.call<Filled<number>>("ioctl", fd, cmd, data));
  }

  /** See RumpSys.fcntl. */
  fcntl(fd: number, cmd: number, arg: number = 0): number {
    return this.call("fcntl", fd, cmd, arg);
  }

  /** See RumpSys.dup. */
  dup(fd: number): number {
    return this.call("dup", fd);
  }

  /** See RumpSys.dup2. */
  dup2(from: number, to: number): number {
    return this.call("dup2", from, to);
  }

  /** See RumpSys.open. */
  open(path: string, flags: number): number {
    return this.call("open", path, flags);
  }

  /** See RumpSys.fstat. */
  fstat(fd: number): Stat {
    return this.call("fstat", fd);
  }

  /** See RumpSys.close. */
  close(fd: number): void {
    this.call("close", fd);
  }

  /** See RumpSys.getpid. */
  getpid(): number {
    return this.call("getpid");
  }

  /** See RumpSys.sysctl. */
  sysctl(mib: readonly number[], newp: Uint8Array | null = null): Uint8Array {
    return this.call("sysctl", mib, newp);
  }

  /** See RumpSys.sysctlbyname. */
  sysctlbyname(name: string, value?: SysctlData): SysctlData {
    return this.call("sysctlbyname", name, value);
  }

  /** Puts the bytes that came back into the caller's buffers. */
  private fill<T>(bufs: Buffers, got: Filled<T>): T {
    let at = 0;
    for (const buf of bufs instanceof Uint8Array ? [bufs] : bufs) {
      const n = Math.min(buf.length, got.data.length - at);
      if (n <= 0) break;
      buf.set(got.data.subarray(at, at + n));
      at += n;
    }
    return got.result;
  }
}

function room_of(bufs: Buffers): number {
  if (bufs instanceof Uint8Array) return bufs.length;
  let n = 0;
  for (const b of bufs) n += b.length;
  return n;
}
