/**
 * ping and traceroute on a node, over raw sockets.
 */
import { EAGAIN } from "../../hypercall/api/errno.ts";
import { number_to_bytes } from "../../kernel-components/kern/sysctl_bytes.ts";
import {
  AF_INET,
  SO_RCVBUF,
  SO_RCVTIMEO,
  SO_SNDBUF,
  SOCK_DGRAM,
  SOCK_RAW,
  SOL_SOCKET,
} from "../../kernel-components/socket/socket_abi.ts";
import {
  ICMP_ECHO,
  ICMP_ECHOREPLY,
  ICMP_MINLEN,
  ICMP_TIMXCEED,
  ICMP_UNREACH,
  IcmpHeader,
  icmp_code,
  icmp_emit,
  icmp_id,
  icmp_quotes,
  icmp_seq,
  icmp_type,
} from "../../kernel-components/wire/icmp.ts";
import { IP_TTL } from "../../kernel-components/inet/in.ts";
import { IPPROTO_ICMP, IPPROTO_IP, IPPROTO_UDP } from "../../kernel-components/wire/in.ts";
import { inet_ntoa } from "../../kernel-components/wire/inet_addr.ts";
import { ip_hlen, ip_p, ip_src, ip_ttl } from "../../kernel-components/wire/ipv4.ts";
import { uh_dport } from "../../kernel-components/wire/udp.ts";
import { RumpError } from "../errors.ts";
import type { RumpKernel, RumpProcess } from "../rump_kernel.ts";
import type { Hop, PingRequest, PingResult, TraceRequest } from "./node_ops.ts";
import { rtt_summary } from "./rtt_summary.ts";
import { TestbedError } from "./testbed_error.ts";

const RECV_ROOM = 65_535;
/** Socket buffers: the default of 8 KB has no room for the largest requests. */
const SOCKBUF = 131_072;
/** Most data of an echo request: 65535 less the IP and ICMP headers. */
const PING_MAX_SIZE = 65_507;
/** First port of traceroute's probes. */
const TRACE_PORT = 33_434;

/** Raw ICMP socket of a process, and the time. */
class IcmpSocket {
  readonly proc: RumpProcess;
  readonly fd: number;
  readonly buf: Uint8Array = new Uint8Array(RECV_ROOM);
  readonly dv: DataView = new DataView(this.buf.buffer);
  private readonly rk: RumpKernel;

  constructor(rk: RumpKernel, proc: RumpProcess) {
    this.rk = rk;
    this.proc = proc;
    this.fd = this.proc.rumpSys.socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    for (const name of [SO_SNDBUF, SO_RCVBUF]) this.proc.rumpSys.setsockopt(this.fd, SOL_SOCKET, name, SOCKBUF);
  }

  now_ns(): number {
    return this.rk.host.clock.rumpuser_clock_mono();
  }

  sleep(ms: number): Promise<number> {
    return this.proc.rumpSys.poll([], ms);
  }

  /** The next packet until `deadline_ns`: its length, or 0. */
  async receive(deadline_ns: number): Promise<number> {
    const left_us = Math.ceil((deadline_ns - this.now_ns()) / 1000);
    if (left_us <= 0) return 0;
    this.proc.rumpSys.setsockopt(this.fd, SOL_SOCKET, SO_RCVTIMEO, timeval(left_us));
    try {
      return await this.proc.rumpSys.recv(this.fd, this.buf);
    } catch (error) {
      if (error instanceof RumpError && error.errno === EAGAIN) return 0;
      throw error;
    }
  }
}

/** `struct timeval` of a number of µs. */
export function timeval(us: number): Uint8Array {
  const tv = new Uint8Array(16);
  tv.set(number_to_bytes(Math.floor(us / 1e6), 8), 0);
  tv.set(number_to_bytes(us % 1e6, 4), 8);
  return tv;
}

/** Pings `request.address` as `proc`, which the caller ends. Throws TestbedError for a request that makes no sense. */
export async function node_ping(rk: RumpKernel, proc: RumpProcess, request: PingRequest): Promise<PingResult> {
  const count = whole("count", request.count ?? 1, 1, 1e9);
  const size = whole("size", request.size ?? 56, 0, PING_MAX_SIZE);
  const timeout_ns = whole("timeout_ms", request.timeout_ms ?? 1000, 1, 1e6) * 1e6;
  const interval_ms = whole("interval_ms", request.interval_ms ?? 0, 0, 1e6);
  const s = new IcmpSocket(rk, proc);
  if (request.ttl !== undefined) proc.rumpSys.setsockopt(s.fd, IPPROTO_IP, IP_TTL, whole("ttl", request.ttl, 1, 255));
  const run = new PingRun(s, request.address, rk.k.random32() & 0xffff, size);
  for (let seq = 0; seq < count; seq++) {
    if (seq > 0 && interval_ms > 0) await s.sleep(interval_ms);
    await run.one(seq & 0xffff, timeout_ns);
  }
  return run.result(count);
}

/** One run of ping. */
class PingRun {
  private readonly s: IcmpSocket;
  private readonly address: string;
  private readonly id: number;
  private readonly packet: Uint8Array;
  private readonly header: IcmpHeader = new IcmpHeader();
  private readonly samples: number[] = [];
  private readonly errors: string[] = [];
  private ttl = 0;

  constructor(s: IcmpSocket, address: string, id: number, size: number) {
    this.s = s;
    this.address = address;
    this.id = id;
    this.packet = new Uint8Array(ICMP_MINLEN + size);
    this.header.icmp_type = ICMP_ECHO;
    this.header.icmp_data = Uint8Array.from({ length: size }, (_, i) => i & 0xff);
  }

  async one(seq: number, timeout_ns: number): Promise<void> {
    this.header.icmp_void = (this.id << 16) | seq;
    icmp_emit(new DataView(this.packet.buffer), 0, this.header);
    const sent_ns = this.s.now_ns();
    try {
      await this.s.proc.rumpSys.sendto(this.s.fd, this.packet, 0, { family: "inet", address: this.address, port: 0 });
    } catch (error) {
      if (!(error instanceof RumpError) || error.code === "EINTR" || error.code === "EINVAL") throw error;
      this.errors.push(error.code);
      return;
    }
    for (;;) {
      const n = await this.s.receive(sent_ns + timeout_ns);
      if (n === 0) return;
      if (!this.answer(n, seq)) continue;
      this.samples.push((this.s.now_ns() - sent_ns) / 1000);
      return;
    }
  }

  /** Whether the packet is the answer; an ICMP error about the request is noted. */
  private answer(n: number, seq: number): boolean {
    const { dv } = this.s;
    const off = ip_hlen(dv, 0);
    if (n < off + ICMP_MINLEN) return false;
    const type = icmp_type(dv, off);
    if (type === ICMP_ECHOREPLY) {
      if (icmp_id(dv, off) !== this.id || icmp_seq(dv, off) !== seq) return false;
      this.ttl = ip_ttl(dv, 0);
      return true;
    }
    const inner = off + ICMP_MINLEN;
    if (!icmp_quotes(type) || n < inner + 28) return false;
    const echo = inner + ip_hlen(dv, inner);
    if (n < echo + ICMP_MINLEN || icmp_id(dv, echo) !== this.id || icmp_seq(dv, echo) !== seq) return false;
    this.errors.push(`${type}/${icmp_code(dv, off)} from ${inet_ntoa(ip_src(dv, 0))}`);
    return false;
  }

  result(sent: number): PingResult {
    const received = this.samples.length;
    return {
      sent,
      received,
      lost: sent - received,
      ttl: this.ttl,
      rtt_us: rtt_summary(this.samples),
      errors: this.errors,
    };
  }
}

/** Finds the path to `request.address`: UDP probes with growing TTL to ports that nobody has, and the ICMP errors they bring. */
export async function node_traceroute(rk: RumpKernel, proc: RumpProcess, request: TraceRequest): Promise<Hop[]> {
  const max_hops = whole("max_hops", request.max_hops ?? 30, 1, 255);
  const timeout_ns = whole("timeout_ms", request.timeout_ms ?? 1000, 1, 1e6) * 1e6;
  const s = new IcmpSocket(rk, proc);
  const sys = proc.rumpSys;
  const fd = sys.socket(AF_INET, SOCK_DGRAM);
  const hops: Hop[] = [];
  for (let ttl = 1; ttl <= max_hops; ttl++) {
    const port = TRACE_PORT + ttl;
    sys.setsockopt(fd, IPPROTO_IP, IP_TTL, ttl);
    const sent_ns = s.now_ns();
    await sys.sendto(fd, new Uint8Array(12), 0, { family: "inet", address: request.address, port });
    const found = await trace_answer(s, port, sent_ns + timeout_ns);
    if (found === null) hops.push({ ttl, address: null, rtt_us: 0 });
    else hops.push({ ttl, address: inet_ntoa(found.address), rtt_us: Math.round(s.now_ns() - sent_ns) / 1000 });
    if (found?.end === true) break;
  }
  return hops;
}

async function trace_answer(
  s: IcmpSocket,
  port: number,
  deadline_ns: number,
): Promise<{ address: number; end: boolean } | null> {
  const { dv } = s;
  for (;;) {
    const n = await s.receive(deadline_ns);
    if (n === 0) return null;
    const off = ip_hlen(dv, 0);
    const inner = off + ICMP_MINLEN;
    if (n < inner + 28) continue;
    const type = icmp_type(dv, off);
    if (type !== ICMP_TIMXCEED && type !== ICMP_UNREACH) continue;
    const udp = inner + ip_hlen(dv, inner);
    if (ip_p(dv, inner) !== IPPROTO_UDP || n < udp + 8 || uh_dport(dv, udp) !== port) continue;
    return { address: ip_src(dv, 0), end: type === ICMP_UNREACH };
  }
}

/** `value` if it is a whole number in range; TestbedError that names it otherwise. */
export function whole(name: string, value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max)
    throw new TestbedError(`${name} is ${value}: a whole number from ${min} to ${max}`);
  return value;
}
