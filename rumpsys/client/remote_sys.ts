/**
 * rumpSys over a connection: the calls that may wait. A call that waits in the kernel keeps no other from being made.
 */
import { EBADF } from "../../hypercall/api/errno.ts";
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POLLPRI,
  POLLRDBAND,
  POLLRDNORM,
} from "../../kernel-components/kern/select.ts";
import { SOCK_MAXADDRLEN } from "../../kernel-components/wire/sockaddr.ts";
import { address_of, describe_address, sockaddr_of } from "../addresses.ts";
import type { AddressArgument } from "../addresses.ts";
import { cmsgs_decode, cmsgs_encode } from "../cmsgs.ts";
import { RumpError } from "../errors.ts";
import { sp_in, sp_inout, sp_int, sp_out } from "../sp/sp_args.ts";
import * as n from "../sp/sp_sysnum.ts";
import type { Accepted, Buffers, Received, ReceivedMessage, RecvMessage, SendMessage } from "../sys_ops.ts";
import type { PollRequest, SelectReady, SelectSets } from "../sys_ops_misc.ts";
import type { RumpCalls } from "./rump_calls.ts";
import { RemoteSysctl } from "./remote_sysctl.ts";

const POLLFD_LEN = 8;

/** All buffers as one. */
function gather(bufs: Buffers): Uint8Array {
  if (bufs instanceof Uint8Array) return bufs;
  if (bufs.length === 1) return bufs[0] as Uint8Array;
  const all = new Uint8Array(bufs.reduce((sum, b) => sum + b.length, 0));
  let at = 0;
  for (const b of bufs) {
    all.set(b, at);
    at += b.length;
  }
  return all;
}

/** Spreads what has come over the buffers, unless there is only one and it is there already. */
function scatter(all: Uint8Array, len: number, bufs: Buffers): void {
  if (bufs instanceof Uint8Array || bufs.length === 1) return;
  let at = 0;
  for (const b of bufs) {
    const take = Math.min(b.length, len - at);
    b.set(all.subarray(at, at + take));
    at += take;
  }
}

/** The calls of rumpSys on a kernel behind a URL. Made by rumpclient_init (rumpclient.ts). */
export class RemoteSys extends RemoteSysctl implements RumpCalls {
  /** See RumpSys.connect. */
  async connect(fd: number, address: AddressArgument): Promise<void> {
    await this.call(
      "connect",
      n.SYS_connect,
      [sp_int(fd), sp_in(sockaddr_of(address, "connect"))],
      describe_address(address),
    );
  }

  /** See RumpSys.accept. */
  async accept(fd: number, flags: number = 0): Promise<Accepted> {
    const nam = sp_out(new Uint8Array(SOCK_MAXADDRLEN));
    const r = await this.call("accept", n.SYS_paccept, [sp_int(fd), nam, sp_int(flags)]);
    return { fd: r.val, address: address_of(nam.buf, nam.len) };
  }

  /** See RumpSys.read. */
  async read(fd: number, bufs: Buffers): Promise<number> {
    const data = sp_out(gather(bufs));
    const r = await this.call("read", n.SYS_read, [sp_int(fd), data]);
    scatter(data.buf, r.val, bufs);
    return r.val;
  }

  /** See RumpSys.write. */
  async write(fd: number, bufs: Buffers): Promise<number> {
    return (await this.call("write", n.SYS_write, [sp_int(fd), sp_in(gather(bufs))])).val;
  }

  /** See RumpSys.send. */
  async send(fd: number, buf: Uint8Array, flags: number = 0): Promise<number> {
    return (await this.call("send", n.SYS_sendto, [sp_int(fd), sp_in(buf), sp_int(flags), sp_in(null)])).val;
  }

  /** See RumpSys.sendto. */
  async sendto(fd: number, buf: Uint8Array, flags: number, to: AddressArgument | null): Promise<number> {
    const sa = to === null ? null : sockaddr_of(to, "sendto");
    const args = [sp_int(fd), sp_in(buf), sp_int(flags), sp_in(sa)];
    return (await this.call("sendto", n.SYS_sendto, args, to === null ? {} : describe_address(to))).val;
  }

  /** See RumpSys.sendmsg. */
  async sendmsg(fd: number, msg: SendMessage, flags: number = 0): Promise<number> {
    const name = msg.name === undefined ? null : sockaddr_of(msg.name, "sendmsg");
    const control =
      msg.control === undefined ? null : msg.control instanceof Uint8Array ? msg.control : cmsgs_encode(msg.control);
    const args = [sp_int(fd), sp_in(gather(msg.iov)), sp_in(name), sp_in(control), sp_int(flags)];
    return (await this.call("sendmsg", n.SYS_sendmsg, args, msg.name === undefined ? {} : describe_address(msg.name)))
      .val;
  }

  /** See RumpSys.recv. */
  async recv(fd: number, buf: Uint8Array, flags: number = 0): Promise<number> {
    return (await this.call("recv", n.SYS_recvfrom, [sp_int(fd), sp_out(buf), sp_int(flags), sp_out(null)])).val;
  }

  /** See RumpSys.recvfrom. */
  async recvfrom(fd: number, buf: Uint8Array, flags: number = 0): Promise<Received> {
    const nam = sp_out(new Uint8Array(SOCK_MAXADDRLEN));
    const r = await this.call("recvfrom", n.SYS_recvfrom, [sp_int(fd), sp_out(buf), sp_int(flags), nam]);
    return { length: r.val, from: address_of(nam.buf, nam.len) };
  }

  /** See RumpSys.recvmsg. */
  async recvmsg(fd: number, msg: RecvMessage, flags: number = 0): Promise<ReceivedMessage> {
    const data = sp_out(gather(msg.iov));
    const nam = sp_out(new Uint8Array(SOCK_MAXADDRLEN));
    const room = msg.controllen ?? 0;
    const control = sp_out(room > 0 ? new Uint8Array(room) : null);
    const r = await this.call("recvmsg", n.SYS_recvmsg, [sp_int(fd), data, nam, control, sp_int(flags)]);
    scatter(data.buf, r.val, msg.iov);
    return {
      length: r.val,
      name: address_of(nam.buf, nam.len),
      control: cmsgs_decode(control.buf, control.len),
      flags: r.val1,
    };
  }

  /** See RumpSys.poll. */
  async poll(fds: readonly PollRequest[], timeout_ms: number = -1): Promise<number> {
    const bytes = new Uint8Array(fds.length * POLLFD_LEN);
    const dv = new DataView(bytes.buffer);
    fds.forEach((p, i) => {
      dv.setInt32(i * POLLFD_LEN, p.fd, true);
      dv.setInt16(i * POLLFD_LEN + 4, p.events, true);
    });
    const r = await this.call("poll", n.SYS_poll, [sp_inout(bytes), sp_int(timeout_ms)]);
    fds.forEach((p, i) => {
      p.revents = dv.getInt16(i * POLLFD_LEN + 6, true);
    });
    return r.val;
  }

  /** See RumpSys.select. */
  async select(sets: SelectSets, timeout_ms: number | null = null): Promise<SelectReady> {
    const bits = new Map<number, number>();
    const want = (list: readonly number[] | undefined, events: number): void => {
      for (const fd of list ?? []) bits.set(fd, (bits.get(fd) ?? 0) | events);
    };
    want(sets.read, POLLIN | POLLRDNORM);
    want(sets.write, POLLOUT);
    want(sets.except, POLLPRI | POLLRDBAND);
    const fds: PollRequest[] = [...bits].map(([fd, events]) => ({ fd, events }));
    await this.poll(fds, timeout_ms ?? -1);
    if (fds.some((p) => ((p.revents ?? 0) & POLLNVAL) !== 0)) throw new RumpError("select", EBADF);
    const got = (fd: number, events: number): boolean =>
      fds.some((p) => p.fd === fd && ((p.revents ?? 0) & events) !== 0);
    return {
      read: (sets.read ?? []).filter((fd) => got(fd, POLLIN | POLLRDNORM | POLLHUP | POLLERR)),
      write: (sets.write ?? []).filter((fd) => got(fd, POLLOUT | POLLERR)),
      except: (sets.except ?? []).filter((fd) => got(fd, POLLPRI | POLLRDBAND)),
    };
  }

  /** See RumpSys.close. */
  async close(fd: number): Promise<void> {
    await this.call("close", n.SYS_close, [sp_int(fd)]);
  }
}
