/**
 * traceroute(8): packets with a growing time to live; the routers on the way say where it ended.
 *
 *   traceroute [-In] [-f FIRST_TTL] [-m MAX_TTL] [-q PROBES] [-w SECONDS] [-p PORT] [-s SOURCE] [-t TOS] [-r] HOST [BYTES]
 */
import {
  ICMP_ECHO,
  ICMP_ECHOREPLY,
  ICMP_MINLEN,
  ICMP_TIMXCEED,
  ICMP_UNREACH,
} from "../../kernel-components/wire/icmp.ts";
import { IPPROTO_ICMP, IPPROTO_IP, IPPROTO_UDP } from "../../kernel-components/wire/in.ts";
import { IP_HDRLEN } from "../../kernel-components/wire/ipv4.ts";
import { UDP_HDRLEN } from "../../kernel-components/wire/udp.ts";
import { inet_ntoa } from "../../kernel-components/wire/inet_addr.ts";
import { IP_TOS, IP_TTL } from "../../kernel-components/inet/in.ts";
import { MSG_DONTROUTE, PF_INET, SOCK_DGRAM } from "../../kernel-components/socket/socket_abi.ts";
import { RumpError } from "../errors.ts";
import { getopt, parse_number, parse_seconds } from "./getopt.ts";
import { unreach_mark } from "./icmp_text.ts";
import { IcmpSocket } from "./icmp_socket.ts";
import type { IcmpSeen } from "./icmp_socket.ts";
import { parse_inet } from "./inet_args.ts";
import { EXIT_FAILURE, EXIT_OK, UsageError } from "./tool.ts";
import type { ToolContext } from "./tool.ts";

const MAX_TTL_DEFAULT = 64;
const PROBES_DEFAULT = 3;
const PORT_DEFAULT = 33_434;
const WAIT_DEFAULT_S = 5;
const BYTES_DEFAULT = 40;
const POLL_MAX_MS = 500;

interface Options {
  readonly dst: number;
  readonly text: string;
  readonly icmp: boolean;
  readonly first: number;
  readonly max: number;
  readonly probes: number;
  readonly wait_ns: number;
  readonly port: number;
  readonly src: number | null;
  readonly tos: number;
  readonly dontroute: boolean;
  readonly bytes: number;
}

function options(args: readonly string[]): Options {
  const o = getopt(args, "Inf:m:q:w:p:s:t:r", true);
  const [text, bytes, ...more] = o.operands;
  if (text === undefined) throw new UsageError("whom? an IPv4 address");
  if (more.length > 0) throw new UsageError(`${more.join(" ")}: one host and a packet length`);
  const wait = o.value("w");
  const src = o.value("s");
  const icmp = o.has("I");
  const first = o.number("f", "-f", 1, 1, 255);
  const max = o.number("m", "-m", MAX_TTL_DEFAULT, 1, 255);
  if (first > max) throw new UsageError(`-f ${first} is beyond -m ${max}`);
  return {
    dst: parse_inet(text, "host"),
    text,
    icmp,
    first,
    max,
    probes: o.number("q", "-q", PROBES_DEFAULT, 1, 10),
    wait_ns: 1e9 * (wait === undefined ? WAIT_DEFAULT_S : parse_seconds(wait, "-w", 0, 3600)),
    port: o.number("p", "-p", PORT_DEFAULT, 1, 65_535 - 255 * 10),
    src: src === undefined ? null : parse_inet(src, "-s"),
    tos: o.number("t", "-t", 0, 0, 255),
    dontroute: o.has("r"),
    bytes: bytes === undefined ? BYTES_DEFAULT : parse_number(bytes, "packet length", IP_HDRLEN + UDP_HDRLEN, 65_535),
  };
}

/** What became of one probe. */
interface Probe {
  /** Who answered, null nobody. */
  readonly from: string | null;
  readonly time_ms: number;
  /** !H and such. */
  readonly mark: string;
  /** The destination was reached, or cannot be. */
  readonly last: boolean;
}

class Trace {
  private readonly cx: ToolContext;
  private readonly o: Options;
  private readonly s: IcmpSocket;
  private readonly udp: number;
  private readonly id: number;
  private seq = 0;
  private sport = 0;

  constructor(cx: ToolContext, o: Options, s: IcmpSocket, udp: number, id: number) {
    this.cx = cx;
    this.o = o;
    this.s = s;
    this.udp = udp;
    this.id = id;
  }

  async setup(): Promise<void> {
    const { sys } = this.cx;
    const address = inet_ntoa(this.o.src ?? 0);
    const fd = this.o.icmp ? this.s.fd : this.udp;
    if (this.o.tos !== 0) await sys.setsockopt(fd, IPPROTO_IP, IP_TOS, this.o.tos);
    if (this.o.icmp) {
      if (this.o.src !== null) await sys.bind(fd, { family: "inet", address, port: 0 });
      return;
    }
    await sys.bind(fd, { family: "inet", address, port: 0 });
    const nam = await sys.getsockname(fd);
    if (nam !== null && "port" in nam) this.sport = nam.port;
  }

  async probe(ttl: number): Promise<Probe> {
    const seq = this.seq++;
    const { sys, clock } = this.cx;
    const fd = this.o.icmp ? this.s.fd : this.udp;
    await sys.setsockopt(fd, IPPROTO_IP, IP_TTL, ttl);
    const start = clock.now_ns();
    const flags = this.o.dontroute ? MSG_DONTROUTE : 0;
    const payload = new Uint8Array(this.o.bytes - IP_HDRLEN - UDP_HDRLEN);
    try {
      if (this.o.icmp) await this.s.echo(this.o.dst, this.id, seq, payload, flags);
      else
        await sys.sendto(fd, payload, flags, {
          family: "inet",
          address: inet_ntoa(this.o.dst),
          port: this.o.port + seq,
        });
    } catch (error) {
      if (!(error instanceof RumpError) || error.syscall !== "sendto") throw error;
      this.cx.err(`traceroute: sendto: ${error.describe()}`);
      return { from: null, time_ms: 0, mark: "", last: false };
    }
    return this.answer(seq, start);
  }

  private async answer(seq: number, start: number): Promise<Probe> {
    const { clock, signal } = this.cx;
    for (let now = start; now < start + this.o.wait_ns && !signal.aborted; now = clock.now_ns()) {
      const ms = Math.min(POLL_MAX_MS, Math.ceil((start + this.o.wait_ns - now) / 1e6));
      if (!(await this.s.wait(ms))) continue;
      for (let seen = await this.s.next(); seen !== null; seen = await this.s.next()) {
        if (!this.ours(seen, seq)) continue;
        const mark = seen.type === ICMP_UNREACH ? unreach_mark(seen.code) : "";
        const last = seen.type !== ICMP_TIMXCEED;
        return { from: inet_ntoa(seen.from), time_ms: (clock.now_ns() - start) / 1e6, mark, last };
      }
    }
    return { from: null, time_ms: 0, mark: "", last: false };
  }

  private ours(seen: IcmpSeen, seq: number): boolean {
    if (seen.type === ICMP_ECHOREPLY) return this.o.icmp && seen.id === this.id && seen.seq === seq;
    const q = seen.quoted;
    if (
      q === null ||
      (seen.type !== ICMP_TIMXCEED && seen.type !== ICMP_UNREACH) ||
      q.dst !== this.o.dst ||
      q.payload.length < ICMP_MINLEN
    )
      return false;
    const dv = new DataView(q.payload.buffer, q.payload.byteOffset);
    if (this.o.icmp)
      return (
        q.proto === IPPROTO_ICMP && q.payload[0] === ICMP_ECHO && dv.getUint16(4) === this.id && dv.getUint16(6) === seq
      );
    return q.proto === IPPROTO_UDP && dv.getUint16(0) === this.sport && dv.getUint16(2) === this.o.port + seq;
  }
}

/** One hop as a line: a router's address is written once. */
function hop_line(ttl: number, probes: readonly Probe[]): string {
  let line = String(ttl).padStart(2);
  let before: string | null = null;
  for (const p of probes) {
    if (p.from === null) {
      line += "  *";
      continue;
    }
    if (p.from !== before) line += `  ${p.from}`;
    before = p.from;
    line += `  ${p.time_ms.toFixed(3)} ms${p.mark === "" ? "" : ` ${p.mark}`}`;
  }
  return line;
}

/** traceroute(8). Exit status 1 when the destination was not reached. */
export async function traceroute(cx: ToolContext, args: readonly string[]): Promise<number> {
  const o = options(args);
  const s = await IcmpSocket.open(cx.sys);
  const udp = await cx.sys.socket(PF_INET, SOCK_DGRAM, 0);
  try {
    const trace = new Trace(cx, o, s, udp, Number(await cx.sys.sysctlbyname("kern.urandom")) & 0xffff);
    await trace.setup();
    if (!cx.json) cx.out(`traceroute to ${o.text} (${inet_ntoa(o.dst)}), ${o.max} hops max, ${o.bytes} byte packets`);
    const hops: { ttl: number; probes: Probe[] }[] = [];
    let reached = false;
    let over = false;
    for (let ttl = o.first; ttl <= o.max && !over && !cx.signal.aborted; ttl++) {
      const probes: Probe[] = [];
      for (let i = 0; i < o.probes && !cx.signal.aborted; i++) probes.push(await trace.probe(ttl));
      hops.push({ ttl, probes });
      if (!cx.json) cx.out(hop_line(ttl, probes));
      over = probes.some((p) => p.last);
      reached = probes.some((p) => p.last && p.mark === "");
    }
    if (cx.json) cx.out(JSON.stringify({ host: inet_ntoa(o.dst), reached, hops }));
    return reached ? EXIT_OK : EXIT_FAILURE;
  } finally {
    await cx.sys.close(udp);
    await s.close();
  }
}
