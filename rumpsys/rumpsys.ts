/**
 * rumpSys: NetBSD's system calls as methods. Calls that may wait return promises; the others (rumpsys_base.ts) return at once.
 */
import type { AddressArgument } from "./addresses.ts";
import { RumpSysBase } from "./rumpsys_base.ts";
import type { SysOwner } from "./rumpsys_base.ts";
import { RumpSysSync } from "./rumpsys_sync.ts";
import {
  op_accept,
  op_close,
  op_connect,
  op_read,
  op_recv,
  op_recvfrom,
  op_recvmsg,
  op_sendmsg,
  op_sendto,
  op_write,
} from "./sys_ops.ts";
import type { Accepted, Buffers, Received, ReceivedMessage, RecvMessage, SendMessage } from "./sys_ops.ts";
import { op_poll, op_select } from "./sys_ops_misc.ts";
import type { PollRequest, SelectReady, SelectSets } from "./sys_ops_misc.ts";
import type { SysOp } from "./sys_frame.ts";

/**
 * System calls of a process. Each call is tried before the method returns; the promise is for its end. Rejections are RumpError
 * {code, errno, syscall, address, port}. A descriptor in non-blocking mode (SOCK_NONBLOCK, FIONBIO, O_NONBLOCK) and MSG_DONTWAIT
 * reject with EAGAIN instead of waiting; `sync` has the same calls without promises. Buffers of a call that waits must be left alone
 * until its promise is settled. A descriptor that is closed while a call waits for it ends the call with EBADF; the end of the
 * process or kernel with EINTR.
 *
 * @example
 * const s = rumpSys.socket(PF_INET, SOCK_DGRAM);
 * rumpSys.bind(s, { family: "inet", address: "10.0.0.2", port: 7 });
 * const { length, from } = await rumpSys.recvfrom(s, buf);
 */
export class RumpSys extends RumpSysBase {
  /** The same calls, never waiting: they throw EAGAIN. */
  readonly sync: RumpSysSync;

  constructor(owner: SysOwner) {
    super(owner);
    this.sync = new RumpSysSync(owner);
  }

  /**
   * Makes many calls one entry into the kernel: what they send leaves as one batch when `calls` returns, also when it throws. `calls` must not
   * wait: promises of calls are settled afterwards. Nests. rump_schedule(3).
   * @example rumpSys.batch(() => { for (const peer of peers) rumpSys.sync.sendto(s, news, 0, peer) })
   */
  batch<T>(calls: () => T): T {
    const { k } = this.owner.cx;
    k.enter();
    try {
      return calls();
    } finally {
      k.leave();
    }
  }

  /** Connects; a datagram socket only notes the peer. ECONNREFUSED, EHOSTUNREACH, EISCONN, ... connect(2). */
  connect(fd: number, address: AddressArgument): Promise<void> {
    return this.attempt(() => op_connect(fd, address));
  }

  /** The next connection of a listening socket; flags are SOCK_NONBLOCK, SOCK_CLOEXEC, SOCK_NOSIGPIPE. accept(2), paccept(2). */
  accept(fd: number, flags: number = 0): Promise<Accepted> {
    return this.attempt(() => op_accept(fd, flags));
  }

  /** Reads; 0 is the end. read(2), readv(2). */
  read(fd: number, bufs: Buffers): Promise<number> {
    return this.attempt(() => op_read(fd, bufs));
  }

  /** Writes all of it (a stream waits for room). write(2), writev(2). */
  write(fd: number, bufs: Buffers): Promise<number> {
    return this.attempt(() => op_write(fd, bufs));
  }

  /** Sends on a connected socket. send(2). */
  send(fd: number, buf: Uint8Array, flags: number = 0): Promise<number> {
    return this.attempt(() => op_sendto("send", fd, buf, flags, null));
  }

  /** Sends to an address. sendto(2). */
  sendto(fd: number, buf: Uint8Array, flags: number, to: AddressArgument | null): Promise<number> {
    return this.attempt(() => op_sendto("sendto", fd, buf, flags, to));
  }

  /** Sends several buffers, with control messages. sendmsg(2). */
  sendmsg(fd: number, msg: SendMessage, flags: number = 0): Promise<number> {
    return this.attempt(() => op_sendmsg(fd, msg, flags));
  }

  /** Receives; 0 is the end of a stream. recv(2). */
  recv(fd: number, buf: Uint8Array, flags: number = 0): Promise<number> {
    return this.attempt(() => op_recv(fd, buf, flags));
  }

  /** Receives, and tells from whom. recvfrom(2). */
  recvfrom(fd: number, buf: Uint8Array, flags: number = 0): Promise<Received> {
    return this.attempt(() => op_recvfrom(fd, buf, flags));
  }

  /** Receives into several buffers, with control messages. recvmsg(2). */
  recvmsg(fd: number, msg: RecvMessage, flags: number = 0): Promise<ReceivedMessage> {
    return this.attempt(() => op_recvmsg(fd, msg, flags));
  }

  /** Waits until one of the files is ready, `timeout_ms` at most (-1: for ever); the number of ready ones, revents filled in. poll(2). */
  poll(fds: readonly PollRequest[], timeout_ms: number = -1): Promise<number> {
    return this.attempt(() => op_poll(fds, timeout_ms));
  }

  /** Waits until one of the files is ready, `timeout_ms` at most (null: for ever). select(2). */
  select(sets: SelectSets, timeout_ms: number | null = null): Promise<SelectReady> {
    return this.attempt(() => op_select(sets, timeout_ms));
  }

  /** Closes; the descriptor is free at once, unless SO_LINGER makes the call wait for the peer. close(2). */
  close(fd: number): Promise<void> {
    return this.attempt(() => op_close(this.owner.cx, fd, true));
  }

  /** Bad arguments reject like everything else. */
  private attempt<T>(make: () => SysOp<T>): Promise<T> {
    try {
      return this.owner.cx.call(make());
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }
}
