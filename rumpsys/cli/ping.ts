/**
 * ping(8): echo requests, and what comes back. Exit status 0 when at least one answer came, else 1. What takes time waits in the kernel,
 * so ping works on a simulated kernel's virtual clock too.
 */
import { ECONNRESET } from "../../hypercall/api/errno.ts";
import { ICMP_ECHO, ICMP_ECHOREPLY, ICMP_MINLEN } from "../../kernel-components/wire/icmp.ts";
import { IN_MULTICAST, IPPROTO_ICMP, IPPROTO_IP } from "../../kernel-components/wire/in.ts";
import { IPOPT_LSRR, IPOPT_RR, ip_options_parse, ipopt_words } from "../../kernel-components/wire/ip_options.ts";
import { inet_ntoa } from "../../kernel-components/wire/inet_addr.ts";
import { IP_MULTICAST_LOOP, IP_MULTICAST_TTL, IP_OPTIONS, IP_TOS, IP_TTL } from "../../kernel-components/inet/in.ts";
import { MSG_DONTROUTE, SO_BROADCAST, SOL_SOCKET } from "../../kernel-components/socket/socket_abi.ts";
import { RumpError } from "../errors.ts";
import { icmp_error_text } from "./icmp_text.ts";
import { IcmpSocket } from "./icmp_socket.ts";
import type { IcmpSeen } from "./icmp_socket.ts";
import { ping_options } from "./ping_options.ts";
import type { PingOptions } from "./ping_options.ts";
import { EXIT_FAILURE, EXIT_OK } from "./tool.ts";
import type { ToolContext } from "./tool.ts";

/** Longest wait in one poll, so that an interrupt is seen, in ms. */
const POLL_MAX_MS = 500;
/** Requests whose time of sending is remembered. */
const SENT_MAX = 65_536;

/** One answer. */
interface PingReply {
  readonly seq: number;
  readonly ttl: number;
  readonly from: string;
  readonly time_ms: number;
  readonly bytes: number;
  readonly duplicate: boolean;
}

/** A run of ping. */
class Ping {
  private readonly cx: ToolContext;
  private readonly o: PingOptions;
  private readonly s: IcmpSocket;
  private readonly id: number;
  private readonly sent_ns: Map<number, number> = new Map<number, number>();
  private readonly answered: Set<number> = new Set<number>();
  private readonly replies: PingReply[] = [];
  private sent = 0;
  private received = 0;
  private dups = 0;
  private errors = 0;
  private min = Number.POSITIVE_INFINITY;
  private max = 0;
  private sum = 0;
  private sum2 = 0;
  private last_ns = 0;

  constructor(cx: ToolContext, o: PingOptions, s: IcmpSocket, id: number) {
    this.cx = cx;
    this.o = o;
    this.s = s;
    this.id = id;
  }

  async setup(): Promise<void> {
    const { sys } = this.cx;
    const { fd } = this.s;
    const o = this.o;
    await sys.setsockopt(fd, SOL_SOCKET, SO_BROADCAST, 1);
    if (o.ttl !== 0) await sys.setsockopt(fd, IPPROTO_IP, IN_MULTICAST(o.dst) ? IP_MULTICAST_TTL : IP_TTL, o.ttl);
    if (o.tos !== 0) await sys.setsockopt(fd, IPPROTO_IP, IP_TOS, o.tos);
    if (o.noloop) await sys.setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
    if (o.ipopts !== null) await sys.setsockopt(fd, IPPROTO_IP, IP_OPTIONS, o.ipopts);
    if (o.src !== null) await sys.bind(fd, { family: "inet", address: inet_ntoa(o.src), port: 0 });
  }

  async run(): Promise<number> {
    const o = this.o;
    const { clock, signal } = this.cx;
    if (!this.cx.json) this.cx.out(`PING ${o.text} (${inet_ntoa(o.dst)}): ${o.datalen} data bytes`);
    for (let i = 0; i < o.preload && this.sent < o.count; i++) await this.send();
    let next = clock.now_ns();
    while (!signal.aborted) {
      const now = clock.now_ns();
      if (this.sent < o.count && now >= next) {
        await this.send();
        next = Math.max(next + o.interval_ns, now);
        continue;
      }
      const until = this.sent < o.count ? next : this.last_ns + o.maxwait_ns;
      if (this.sent >= o.count && (this.received + this.errors >= this.sent || now >= until)) break;
      const ms = Math.min(POLL_MAX_MS, Math.max(0, Math.ceil((until - now) / 1e6)));
      if (await this.s.wait(ms)) {
        await this.drain();
        if (o.flood) next = clock.now_ns();
        if (o.once && this.received > 0) break;
      }
    }
    this.summary();
    return this.received > 0 ? EXIT_OK : EXIT_FAILURE;
  }

  private payload(): Uint8Array {
    const data = new Uint8Array(this.o.datalen);
    const p = this.o.pattern;
    for (let i = 0; i < data.length; i++) data[i] = p === null ? (i + ICMP_MINLEN) & 0xff : (p[i % p.length] as number);
    return data;
  }

  private async send(): Promise<void> {
    const seq = this.sent++;
    this.last_ns = this.cx.clock.now_ns();
    this.sent_ns.set(seq & 0xffff, this.last_ns);
    this.answered.delete(seq & 0xffff);
    if (this.sent_ns.size > SENT_MAX) this.sent_ns.clear();
    try {
      await this.s.echo(this.o.dst, this.id, seq, this.payload(), this.o.dontroute ? MSG_DONTROUTE : 0);
    } catch (error) {
      if (!(error instanceof RumpError) || error.syscall !== "sendto") throw error;
      if (error.errno === ECONNRESET) throw error; // the kernel has gone: no network says this of a raw socket
      this.errors++;
      this.cx.err(`ping: sendto: ${error.describe()}`);
    }
  }

  private async drain(): Promise<void> {
    for (let seen = await this.s.next(); seen !== null; seen = await this.s.next()) {
      const now = this.cx.clock.now_ns();
      if (seen.type === ICMP_ECHOREPLY && seen.id === this.id) this.reply(seen, now);
      else if (seen.quoted !== null) this.error(seen);
      else if (this.o.verbose && seen.type !== ICMP_ECHO && !this.cx.json) {
        this.cx.out(`${seen.length} bytes from ${inet_ntoa(seen.from)}: ${icmp_error_text(seen.type, seen.code)}`);
      }
    }
  }

  private reply(seen: IcmpSeen, now: number): void {
    const start = this.sent_ns.get(seen.seq);
    const ms = start === undefined ? 0 : (now - start) / 1e6;
    const duplicate = this.answered.has(seen.seq);
    this.answered.add(seen.seq);
    if (duplicate) this.dups++;
    else {
      this.received++;
      this.min = Math.min(this.min, ms);
      this.max = Math.max(this.max, ms);
      this.sum += ms;
      this.sum2 += ms * ms;
    }
    if (this.cx.json)
      this.replies.push({
        seq: seen.seq,
        ttl: seen.ttl,
        from: inet_ntoa(seen.from),
        time_ms: ms,
        bytes: seen.length,
        duplicate,
      });
    if (this.o.quiet || this.o.flood || this.cx.json) return;
    const dup = duplicate ? " (DUP!)" : "";
    this.cx.out(
      `${seen.length} bytes from ${inet_ntoa(seen.from)}: icmp_seq=${seen.seq} ttl=${seen.ttl} time=${ms.toFixed(6)} ms${dup}`,
    );
    if (seen.options.length > 0) this.show_options(seen.options);
  }

  private show_options(options: Uint8Array): void {
    for (const opt of ip_options_parse(options) ?? []) {
      if (opt.type !== IPOPT_RR && opt.type !== IPOPT_LSRR) continue;
      this.cx.out(
        `${opt.type === IPOPT_RR ? "RR" : "LSRR"}: ${ipopt_words(opt, true)
          .map((a) => `\t${inet_ntoa(a)}`)
          .join("\n")}`,
      );
    }
  }

  /** An error about a packet: ours if it quotes an echo request with our id. */
  private error(seen: IcmpSeen): void {
    const q = seen.quoted;
    if (q === null || q.proto !== IPPROTO_ICMP || q.payload.length < ICMP_MINLEN) return;
    const dv = new DataView(q.payload.buffer, q.payload.byteOffset);
    if (q.payload[0] !== ICMP_ECHO || dv.getUint16(4) !== this.id) return;
    this.errors++;
    if (this.o.silent || this.cx.json) return;
    this.cx.out(
      `${seen.length} bytes from ${inet_ntoa(seen.from)}: ${icmp_error_text(seen.type, seen.code)} for icmp_seq=${dv.getUint16(6)}`,
    );
  }

  private summary(): void {
    const loss = this.sent === 0 ? 0 : ((this.sent - this.received) * 100) / this.sent;
    const avg = this.received === 0 ? 0 : this.sum / this.received;
    const stddev = this.received === 0 ? 0 : Math.sqrt(Math.max(0, this.sum2 / this.received - avg * avg));
    const rtt_ms = this.received === 0 ? null : { min: this.min, avg, max: this.max, stddev };
    if (this.cx.json) {
      this.cx.out(
        JSON.stringify({
          host: inet_ntoa(this.o.dst),
          transmitted: this.sent,
          received: this.received,
          duplicates: this.dups,
          errors: this.errors,
          loss_percent: loss,
          rtt_ms,
          replies: this.replies,
        }),
      );
      return;
    }
    this.cx.out("");
    this.cx.out(`----${this.o.text} PING Statistics----`);
    const dups = this.dups === 0 ? "" : ` ${this.dups} duplicates,`;
    this.cx.out(
      `${this.sent} packets transmitted, ${this.received} packets received,${dups} ${loss.toFixed(1)}% packet loss`,
    );
    if (rtt_ms === null) return;
    const f = (v: number): string => v.toFixed(6);
    this.cx.out(`round-trip min/avg/max/stddev = ${f(this.min)}/${f(avg)}/${f(this.max)}/${f(stddev)} ms`);
  }
}

/** ping(8). */
export async function ping(cx: ToolContext, args: readonly string[]): Promise<number> {
  const o = ping_options(args);
  const s = await IcmpSocket.open(cx.sys);
  try {
    const id = Number(await cx.sys.sysctlbyname("kern.urandom")) & 0xffff;
    const run = new Ping(cx, o, s, id);
    await run.setup();
    return await run.run();
  } finally {
    await s.close();
  }
}
