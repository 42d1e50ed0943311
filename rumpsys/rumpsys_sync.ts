/**
 * The immediate face of the object facade: every call returns at once. What would have to wait throws EAGAIN (connect: EINPROGRESS).
 */
import type { AddressArgument } from "./addresses.ts";
import { RumpSysBase } from "./rumpsys_base.ts";
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
import type { Accepted, Buffers, ReceivedMessage, Received, RecvMessage, SendMessage } from "./sys_ops.ts";
import { op_poll, op_select } from "./sys_ops_misc.ts";
import type { PollRequest, SelectReady, SelectSets } from "./sys_ops_misc.ts";

/**
 * System calls that never wait, whatever mode the descriptor is in. Throws RumpError; EAGAIN where the promise face would wait. A stream
 * call that could move part of its data returns that part.
 *
 * @example
 * const n = rumpSys.sync.recv(fd, buf);   // or throws EAGAIN
 */
export class RumpSysSync extends RumpSysBase {
  /** See RumpSys.connect. EINPROGRESS: poll for POLLOUT, then getsockopt SO_ERROR. */
  connect(fd: number, address: AddressArgument): void {
    this.owner.cx.once(op_connect(fd, address));
  }

  /** See RumpSys.accept. */
  accept(fd: number, flags: number = 0): Accepted {
    return this.owner.cx.once(op_accept(fd, flags));
  }

  /** See RumpSys.read. */
  read(fd: number, bufs: Buffers): number {
    return this.owner.cx.once(op_read(fd, bufs));
  }

  /** See RumpSys.write. */
  write(fd: number, bufs: Buffers): number {
    return this.owner.cx.once(op_write(fd, bufs));
  }

  /** See RumpSys.send. */
  send(fd: number, buf: Uint8Array, flags: number = 0): number {
    return this.owner.cx.once(op_sendto("send", fd, buf, flags, null));
  }

  /** See RumpSys.sendto. */
  sendto(fd: number, buf: Uint8Array, flags: number, to: AddressArgument | null): number {
    return this.owner.cx.once(op_sendto("sendto", fd, buf, flags, to));
  }

  /** See RumpSys.sendmsg. */
  sendmsg(fd: number, msg: SendMessage, flags: number = 0): number {
    return this.owner.cx.once(op_sendmsg(fd, msg, flags));
  }

  /** See RumpSys.recv. */
  recv(fd: number, buf: Uint8Array, flags: number = 0): number {
    return this.owner.cx.once(op_recv(fd, buf, flags));
  }

  /** See RumpSys.recvfrom. */
  recvfrom(fd: number, buf: Uint8Array, flags: number = 0): Received {
    return this.owner.cx.once(op_recvfrom(fd, buf, flags));
  }

  /** See RumpSys.recvmsg. */
  recvmsg(fd: number, msg: RecvMessage, flags: number = 0): ReceivedMessage {
    return this.owner.cx.once(op_recvmsg(fd, msg, flags));
  }

  /** Which files are ready now; the number of them. */
  poll(fds: readonly PollRequest[]): number {
    return this.owner.cx.once(op_poll(fds, 0));
  }

  /** Which files are ready now. */
  select(sets: SelectSets): SelectReady {
    return this.owner.cx.once(op_select(sets, 0));
  }

  /** See RumpSys.close. SO_LINGER does not delay it: the connection is finished in the background. */
  close(fd: number): void {
    this.owner.cx.once(op_close(this.owner.cx, fd, false));
  }
}
