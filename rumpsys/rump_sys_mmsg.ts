/**
 * Many messages by one system call: sendmmsg(2) and recvmmsg(2) of the plain face. The messages of one call leave as one batch. Nothing
 * waits: what has come by now is received, and a call that gets no message at all fails with EAGAIN.
 */
import { Msghdr } from "../kernel-components/socket/uipc_syscalls_msg.ts";
import type { RumpKernel } from "./rump_kernel.ts";
import { rump_sys_recvmsg, rump_sys_sendmsg } from "./rump_sys.ts";

/** Most messages of one call; more are not looked at. */
const MMSG_MAX = 1024;

/** `struct mmsghdr`. Owned by the caller, reusable. */
export class Mmsghdr {
  /** The message. */
  readonly msg_hdr: Msghdr = new Msghdr();
  /** Its buffers. */
  msg_iov: readonly Uint8Array[] = [];
  /** Bytes sent or received. */
  msg_len = 0;
}

/**
 * sendmmsg(2): how many of the first `vlen` messages were sent. -1 and errno only when none was: the error of a later one is met again by
 * the next call. hot
 */
export function rump_sys_sendmmsg(
  rk: RumpKernel,
  fd: number,
  mmsg: readonly Mmsghdr[],
  vlen: number,
  flags: number,
): number {
  return each(rk, fd, mmsg, vlen, flags, rump_sys_sendmsg);
}

/** recvmmsg(2) without timeout: how many messages were received, at most `vlen`. EAGAIN when there is none. hot */
export function rump_sys_recvmmsg(
  rk: RumpKernel,
  fd: number,
  mmsg: readonly Mmsghdr[],
  vlen: number,
  flags: number,
): number {
  return each(rk, fd, mmsg, vlen, flags, rump_sys_recvmsg);
}

type MsgCall = (rk: RumpKernel, fd: number, iov: readonly Uint8Array[], msg: Msghdr, flags: number) => number;

// hot
function each(
  rk: RumpKernel,
  fd: number,
  mmsg: readonly Mmsghdr[],
  vlen: number,
  flags: number,
  call: MsgCall,
): number {
  const most = Math.min(vlen, mmsg.length, MMSG_MAX);
  let done = 0;
  rk.k.enter();
  try {
    for (; done < most; done++) {
      const m = mmsg[done];
      const n = m === undefined ? -1 : call(rk, fd, m.msg_iov, m.msg_hdr, flags);
      if (m === undefined || n < 0) break;
      m.msg_len = n;
    }
  } finally {
    rk.k.leave();
  }
  return done > 0 || most <= 0 ? done : -1;
}
