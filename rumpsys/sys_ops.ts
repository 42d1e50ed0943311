/**
 * The system calls of the object facade as ops (see sys_frame.ts): sockets. The promise face and the immediate face share them.
 */
import { EINPROGRESS } from "../hypercall/api/errno.ts";
import { UIO_READ, UIO_WRITE } from "../kernel-components/kern/uio.ts";
import { sys_close } from "../kernel-components/kern/sys_descrip.ts";
import { sys_read, sys_write } from "../kernel-components/kern/sys_generic.ts";
import type { Lwp } from "../kernel-components/kern/proc.ts";
import { sys_accept, sys_connect, sys_linger } from "../kernel-components/socket/uipc_syscalls.ts";
import { sys_recvfrom, sys_recvmsg, sys_sendmsg, sys_sendto } from "../kernel-components/socket/uipc_syscalls_msg.ts";
import { EWAIT } from "../kernel-components/kern/wakeup.ts";
import { address_of, describe_address, sockaddr_of } from "./addresses.ts";
import type { AddressArgument, SocketAddress } from "./addresses.ts";
import { cmsgs_decode, cmsgs_encode } from "./cmsgs.ts";
import type { Cmsg } from "./cmsgs.ts";
import type { SysContext, SysFrame, SysOp } from "./sys_frame.ts";

/** One buffer or several. */
export type Buffers = Uint8Array | readonly Uint8Array[];

/** What accept gives. */
export interface Accepted {
  /** The new descriptor. */
  readonly fd: number;
  /** The peer, null if it has no address. */
  readonly address: SocketAddress | null;
}

/** What recvfrom gives. */
export interface Received {
  /** Bytes put into the buffer; 0 is end of file on a stream, an empty datagram otherwise. */
  readonly length: number;
  /** Who sent it, null on a stream. */
  readonly from: SocketAddress | null;
}

/** What recvmsg gives. */
export interface ReceivedMessage {
  /** Bytes put into the buffers. */
  readonly length: number;
  /** Who sent it, null if unknown. */
  readonly name: SocketAddress | null;
  /** Control messages. */
  readonly control: Cmsg[];
  /** MSG_EOR, MSG_TRUNC, MSG_CTRUNC, MSG_BCAST, MSG_MCAST. */
  readonly flags: number;
}

/** What recvmsg is asked. */
export interface RecvMessage {
  /** Where data goes, in this order. */
  readonly iov: Buffers;
  /** Room for control messages in bytes (see CMSG_SPACE); 0 or absent = not wanted. */
  readonly controllen?: number;
}

/** What sendmsg sends. */
export interface SendMessage {
  /** Destination; absent on a connected socket. */
  readonly name?: AddressArgument;
  /** The data, in this order. */
  readonly iov: Buffers;
  /** Control messages, typed or in NetBSD's layout. */
  readonly control?: readonly Cmsg[] | Uint8Array;
}

function set_buffers(f: SysFrame, rw: number, bufs: Buffers): void {
  if (bufs instanceof Uint8Array) f.buffer(rw, bufs, bufs.length);
  else f.uio.reset(rw, bufs);
}

const val = (f: SysFrame): number => f.rv.val;

/** read(2). */
export function op_read(fd: number, bufs: Buffers): SysOp<number> {
  return {
    syscall: "read",
    fd,
    setup: (f) => set_buffers(f, UIO_READ, bufs),
    run: (f) => sys_read(f.l, fd, f.uio, f.rv),
    result: val,
  };
}

/** write(2). */
export function op_write(fd: number, bufs: Buffers): SysOp<number> {
  return {
    syscall: "write",
    fd,
    setup: (f) => set_buffers(f, UIO_WRITE, bufs),
    run: (f) => sys_write(f.l, fd, f.uio, f.rv),
    result: val,
  };
}

/** send(2) and sendto(2). */
export function op_sendto(
  syscall: string,
  fd: number,
  buf: Uint8Array,
  flags: number,
  to: AddressArgument | null,
): SysOp<number> {
  const sa = to === null ? null : sockaddr_of(to, syscall);
  return {
    syscall,
    fd,
    setup: (f) => f.buffer(UIO_WRITE, buf, buf.length),
    run: (f) => sys_sendto(f.l, fd, f.uio, flags, sa, f.rv),
    result: val,
    to,
  };
}

/** recv(2). */
export function op_recv(fd: number, buf: Uint8Array, flags: number): SysOp<number> {
  return {
    syscall: "recv",
    fd,
    setup: (f) => f.buffer(UIO_READ, buf, buf.length),
    run: (f) => sys_recvfrom(f.l, fd, f.uio, flags, null, f.rv),
    result: val,
  };
}

/** recvfrom(2). */
export function op_recvfrom(fd: number, buf: Uint8Array, flags: number): SysOp<Received> {
  return {
    syscall: "recvfrom",
    fd,
    setup: (f) => f.buffer(UIO_READ, buf, buf.length),
    run: (f) => sys_recvfrom(f.l, fd, f.uio, flags, f.nam, f.rv),
    result: (f) => ({ length: f.rv.val, from: address_of(f.nam.sa, f.nam.len) }),
  };
}

/** sendmsg(2). */
export function op_sendmsg(fd: number, msg: SendMessage, flags: number): SysOp<number> {
  const name = msg.name === undefined ? null : sockaddr_of(msg.name, "sendmsg");
  const control =
    msg.control === undefined ? null : msg.control instanceof Uint8Array ? msg.control : cmsgs_encode(msg.control);
  return {
    syscall: "sendmsg",
    fd,
    setup: (f) => {
      set_buffers(f, UIO_WRITE, msg.iov);
      f.msg.msg_name = name;
      f.msg.msg_control = control;
      f.msg.msg_controllen = control?.length ?? 0;
    },
    run: (f) => sys_sendmsg(f.l, fd, f.uio, f.msg, flags, f.rv),
    result: val,
    ...(msg.name === undefined ? {} : describe_address(msg.name)),
  };
}

/** recvmsg(2). */
export function op_recvmsg(fd: number, msg: RecvMessage, flags: number): SysOp<ReceivedMessage> {
  const room = msg.controllen ?? 0;
  return {
    syscall: "recvmsg",
    fd,
    setup: (f) => {
      set_buffers(f, UIO_READ, msg.iov);
      f.msg.msg_nameout = f.nam;
      f.msg.msg_control = room > 0 ? new Uint8Array(room) : null;
      f.msg.msg_controllen = room;
      f.msg.msg_flags = 0;
    },
    run: (f) => sys_recvmsg(f.l, fd, f.uio, f.msg, flags, f.rv),
    result: (f) => ({
      length: f.rv.val,
      name: address_of(f.nam.sa, f.nam.len),
      control: f.msg.msg_control === null ? [] : cmsgs_decode(f.msg.msg_control, f.msg.msg_controllen),
      flags: f.msg.msg_flags,
    }),
  };
}

/** accept(2) and paccept(2). */
export function op_accept(fd: number, flags: number): SysOp<Accepted> {
  return {
    syscall: "accept",
    fd,
    setup: (f) => {
      f.nam.len = 0;
    },
    run: (f) => sys_accept(f.l, fd, f.nam, flags, f.rv),
    result: (f) => ({ fd: f.rv.val, address: address_of(f.nam.sa, f.nam.len) }),
  };
}

/** connect(2). */
export function op_connect(fd: number, to: AddressArgument): SysOp<void> {
  const sa = sockaddr_of(to, "connect");
  return {
    syscall: "connect",
    fd,
    setup: null,
    run: (f) => sys_connect(f.l, fd, sa),
    result: () => undefined,
    busy: EINPROGRESS,
    ...describe_address(to),
  };
}

/** close(2): with SO_LINGER waits first. */
export function op_close(cx: SysContext, fd: number, wait: boolean): SysOp<void> {
  return {
    syscall: "close",
    fd: -1,
    setup: null,
    run: (f) => {
      if (wait && close_lingers(f.l, fd)) return EWAIT;
      const error = sys_close(f.l, fd);
      if (error === 0) cx.closed(fd);
      return error;
    },
    result: () => undefined,
  };
}

function close_lingers(l: Lwp, fd: number): boolean {
  return sys_linger(l, fd) === EWAIT;
}
