/**
 * UDP echo on a node: the server, and a client that keeps a window of datagrams under way and measures.
 *
 * Both are one system call each as far as waiting goes (SysOp, sys_frame.ts): they are run again by the kernel's wake-up, in the same entry that
 * brought the datagram, so that what is measured is the path of the packets and not a turn of the event loop.
 */
import { EAGAIN } from "../../hypercall/api/errno.ts";
import { callout_destroy, callout_init, callout_reset, callout_stop } from "../../kernel-components/kern/callout.ts";
import { lwp_wait_done } from "../../kernel-components/kern/select.ts";
import { UIO_READ, UIO_WRITE } from "../../kernel-components/kern/uio.ts";
import { EWAIT } from "../../kernel-components/kern/wakeup.ts";
import {
  AF_INET,
  MSG_DONTWAIT,
  SO_RCVBUF,
  SO_RCVTIMEO,
  SOCK_DGRAM,
  SOL_SOCKET,
} from "../../kernel-components/socket/socket_abi.ts";
import { sys_recvfrom, sys_sendto } from "../../kernel-components/socket/uipc_syscalls_msg.ts";
import { IP_RECVTTL } from "../../kernel-components/inet/in.ts";
import { IPPROTO_IP } from "../../kernel-components/wire/in.ts";
import { RumpError } from "../errors.ts";
import type { RumpKernel, RumpProcess } from "../rump_kernel.ts";
import type { SysFrame } from "../sys_frame.ts";
import { timeval, whole } from "./node_ping.ts";
import type { EchoRequest, EchoResult } from "./node_ops.ts";
import { rtt_summary } from "./rtt_summary.ts";
import { TestbedError } from "./testbed_error.ts";

/** Port of the echo service (RFC 862). */
export const ECHO_PORT = 7;
const RECV_ROOM = 65_535;
/** Room for one control message. */
const CONTROL_ROOM = 64;
/** Receive buffer of both ends: a full window of large datagrams. */
const RCVBUF = 131_072;
/** How often the client looks for datagrams that were lost. */
const WATCH_NS = 50e6;
/** Largest UDP datagram over IPv4. */
const ECHO_MAX_SIZE = 65_507;

/** Starts an echo server on `port`, in a process of its own which lives until the kernel is shut down. */
export function echo_server(rk: RumpKernel, port: number): void {
  const proc = rk.process("echod");
  let fd = -1;
  try {
    fd = udp_socket(proc);
    proc.rumpSys.bind(fd, { family: "inet", address: "0.0.0.0", port });
  } catch (error) {
    proc.exit();
    throw error;
  }
  const buf = new Uint8Array(RECV_ROOM);
  const run = (f: SysFrame): number => serve(f, fd, buf);
  const ended = (): void => {};
  proc.cx.call({ syscall: "echod", fd, setup: null, run, result: ended }).catch(ended);
}

/** Sends back everything that is there. hot */
function serve(f: SysFrame, fd: number, buf: Uint8Array): number {
  let failed = false;
  for (;;) {
    f.buffer(UIO_READ, buf, buf.length);
    const error = sys_recvfrom(f.l, fd, f.uio, 0, f.nam, f.rv);
    if (error === EWAIT) return EWAIT;
    lwp_wait_done(f.l);
    // an ICMP error about an echo of before is told once, and is no reason to stop
    if (error !== 0 && failed) return error;
    failed = error !== 0;
    if (failed) continue;
    f.buffer(UIO_WRITE, buf, f.rv.val);
    sys_sendto(f.l, fd, f.uio, MSG_DONTWAIT, f.nam.sa.subarray(0, f.nam.len), f.rv);
  }
}

function udp_socket(proc: RumpProcess): number {
  const fd = proc.rumpSys.socket(AF_INET, SOCK_DGRAM);
  proc.rumpSys.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, RCVBUF);
  return fd;
}

/**
 * Sends datagrams to an echo server until `count` echoes or `duration_ms` are reached, as `proc`, which the caller ends. Throws TestbedError,
 * RumpError (ECONNREFUSED, ...).
 */
export async function node_echo(rk: RumpKernel, proc: RumpProcess, request: EchoRequest): Promise<EchoResult> {
  const client = new EchoClient(rk, proc, request);
  await proc.rumpSys.connect(client.fd, { family: "inet", address: request.address, port: request.port ?? ECHO_PORT });
  const ttl = await client.ttl();
  return { ...(await client.run()), ttl };
}

/** One run of the client. */
class EchoClient {
  readonly fd: number;
  private readonly rk: RumpKernel;
  private readonly proc: RumpProcess;
  private readonly buf: Uint8Array;
  private readonly into: Uint8Array = new Uint8Array(RECV_ROOM);
  private readonly window: number;
  private readonly count: number;
  private readonly duration_ns: number;
  private readonly timeout_ns: number;
  private readonly warmup: number;
  /** When each datagram under way was sent, by its number modulo the window; 0 = none. */
  private readonly sent_at: Float64Array;
  private samples: Float64Array = new Float64Array(1024);
  private nsamples = 0;
  private seq = 0;
  private under_way = 0;
  /** Echoes and losses so far, with the warm-up. */
  private done = 0;
  private received = 0;
  private lost = 0;
  private start_ns = 0;
  private last_ns = 0;

  constructor(rk: RumpKernel, proc: RumpProcess, request: EchoRequest) {
    if (request.count === undefined && request.duration_ms === undefined)
      throw new TestbedError("echo needs count or duration_ms");
    this.rk = rk;
    this.proc = proc;
    this.window = whole("window", request.window ?? 1, 1, 4096);
    this.warmup = whole("warmup", request.warmup ?? 0, 0, 1e9);
    this.count = request.count === undefined ? Number.POSITIVE_INFINITY : whole("count", request.count, 1, 1e9);
    this.duration_ns =
      request.duration_ms === undefined
        ? Number.POSITIVE_INFINITY
        : whole("duration_ms", request.duration_ms, 1, 1e7) * 1e6;
    this.timeout_ns = whole("timeout_ms", request.timeout_ms ?? 1000, 1, 1e6) * 1e6;
    this.buf = new Uint8Array(whole("size", request.size ?? 64, 4, ECHO_MAX_SIZE));
    this.sent_at = new Float64Array(this.window);
    this.fd = udp_socket(proc);
  }

  /** Time to live that one echo arrives with; 0 if none comes. */
  async ttl(): Promise<number> {
    const sys = this.proc.rumpSys;
    sys.setsockopt(this.fd, IPPROTO_IP, IP_RECVTTL, 1);
    sys.setsockopt(this.fd, SOL_SOCKET, SO_RCVTIMEO, timeval(this.timeout_ns / 1000));
    try {
      await sys.send(this.fd, this.buf);
      const { control } = await sys.recvmsg(this.fd, { iov: this.into, controllen: CONTROL_ROOM });
      return control.find(({ level, type }) => level === IPPROTO_IP && type === IP_RECVTTL)?.data[0] ?? 0;
    } catch (error) {
      if (error instanceof RumpError && error.errno === EAGAIN) return 0;
      throw error;
    } finally {
      sys.setsockopt(this.fd, IPPROTO_IP, IP_RECVTTL, 0);
      sys.setsockopt(this.fd, SOL_SOCKET, SO_RCVTIMEO, timeval(0));
    }
  }

  async run(): Promise<Omit<EchoResult, "ttl">> {
    const { k } = this.rk;
    let lwp: SysFrame["l"] | null = null;
    k.enter();
    const watch = callout_init(k);
    const look = (): void => {
      if (lwp !== null) k.wakeup(lwp);
      callout_reset(watch, WATCH_NS, look, null);
    };
    callout_reset(watch, WATCH_NS, look, null);
    k.leave();
    try {
      return await this.proc.cx.call({
        syscall: "echo",
        fd: this.fd,
        setup: (f) => {
          lwp = f.l;
        },
        run: (f) => this.step(f),
        result: () => this.result(),
      });
    } finally {
      k.enter();
      callout_stop(watch);
      callout_destroy(watch);
      k.leave();
    }
  }

  /** Takes the echoes that are there and fills the window up. hot */
  private step(f: SysFrame): number {
    for (;;) {
      this.into_frame(f);
      const error = sys_recvfrom(f.l, this.fd, f.uio, 0, null, f.rv);
      if (error === EWAIT) {
        this.expire();
        if (this.over()) return 0;
        const sent = this.fill(f);
        if (sent < 0) return -sent;
        // the answer may be here already when both ends are in one kernel
        if (sent === 0) return EWAIT;
        continue;
      }
      lwp_wait_done(f.l);
      if (error !== 0 && error !== EAGAIN) return error;
      if (error === 0 && f.rv.val >= 4) this.echo();
      if (this.over()) return 0;
    }
  }

  private into_frame(f: SysFrame): void {
    f.buffer(UIO_READ, this.into, this.into.length);
  }

  private over(): boolean {
    if (this.start_ns === 0) return false;
    return this.done - this.warmup >= this.count || this.last_ns - this.start_ns >= this.duration_ns;
  }

  /** An echo is in `into`. hot */
  private echo(): void {
    const b = this.into;
    const seq =
      ((b[0] as number) | ((b[1] as number) << 8) | ((b[2] as number) << 16) | ((b[3] as number) << 24)) >>> 0;
    const slot = seq % this.window;
    const at = this.sent_at[slot] as number;
    // late, twice, or not ours
    if (at === 0 || seq >= this.seq || this.seq - seq > this.window) return;
    const now = this.rk.host.clock.rumpuser_clock_mono();
    this.sent_at[slot] = 0;
    this.under_way--;
    this.last_ns = now;
    if (++this.done <= this.warmup) return;
    this.received++;
    if (this.nsamples === this.samples.length) this.grow();
    this.samples[this.nsamples++] = (now - at) / 1000;
  }

  private grow(): void {
    const more = new Float64Array(this.samples.length * 2);
    more.set(this.samples);
    this.samples = more;
  }

  /** Counts what has been under way for too long as lost. */
  private expire(): void {
    if (this.under_way === 0) return;
    const now = this.rk.host.clock.rumpuser_clock_mono();
    this.last_ns = now;
    for (let i = 0; i < this.window; i++) {
      if (this.sent_at[i] === 0 || now - (this.sent_at[i] as number) < this.timeout_ns) continue;
      this.sent_at[i] = 0;
      this.under_way--;
      if (++this.done > this.warmup) this.lost++;
    }
  }

  /** Sends as long as the window and the count allow; the number sent, or a negative errno. hot */
  private fill(f: SysFrame): number {
    let n = 0;
    const total = this.warmup + this.count;
    while (this.under_way < this.window && this.done + this.under_way < total) {
      const slot = this.seq % this.window;
      if (this.sent_at[slot] !== 0) break;
      this.put_seq();
      f.buffer(UIO_WRITE, this.buf, this.buf.length);
      const now = this.rk.host.clock.rumpuser_clock_mono();
      if (this.start_ns === 0 && this.seq >= this.warmup) this.start_ns = now;
      const error = sys_sendto(f.l, this.fd, f.uio, MSG_DONTWAIT, null, f.rv);
      if (error !== 0) return n > 0 ? n : -error;
      this.sent_at[slot] = now;
      this.seq = this.seq + 1;
      this.under_way++;
      n++;
    }
    return n;
  }

  private put_seq(): void {
    const b = this.buf;
    const seq = this.seq;
    b[0] = seq & 0xff;
    b[1] = (seq >>> 8) & 0xff;
    b[2] = (seq >>> 16) & 0xff;
    b[3] = seq >>> 24;
  }

  private result(): Omit<EchoResult, "ttl"> {
    const { received } = this;
    const elapsed_ns = Math.max(0, this.last_ns - this.start_ns);
    return {
      sent: received + this.lost,
      received,
      lost: this.lost,
      elapsed_ns,
      pps: elapsed_ns > 0 ? Math.round((received / elapsed_ns) * 1e9) : 0,
      rtt_us: rtt_summary(this.samples.subarray(0, this.nsamples)),
    };
  }
}
