/**
 * The main job itself: three kernels, one path, and what goes over it.
 */
import { readFileSync } from "node:fs";
import { loadAddon } from "../../hypercall/native/addon.ts";
import type { EchoResult } from "../testbed/node_ops.ts";
import type { TestbedSpec } from "../testbed/spec.ts";
import { type Testbed, startTestbed } from "../testbed/testbed.ts";
import { type Printer, grouped, rtt_text } from "./main_job_print.ts";
import type { TapHost } from "./main_job_tap.ts";

/** The nodes. */
export type MainNode = "a" | "r" | "b";

const ECHO_PORT = 7;
const ECHO_SIZE = 64;
/** Echoes before anything is counted, so that the code is compiled. */
const WARMUP = 6000;
const RTT_COUNT = 15_000;
const SPREAD_COUNT = 8000;
const RATE_MS = 200;
const RATE_ROUNDS = 5;
const RATE_WINDOW = 64;
const PING_COUNT = 200;

/** What --json prints. */
export interface MainJobResult {
  /** Round-trip times of UDP echo in µs, the three processes on one CPU. */
  readonly rtt_us: {
    readonly min: number;
    readonly p50: number;
    readonly avg: number;
    readonly p99: number;
    readonly max: number;
  };
  /** UDP echoes a second with 64 under way, on all CPUs. */
  readonly pps: number;
  /** Time to live that an echo arrives with. */
  readonly ttl: number;
}

/** Packets were lost or the path is wrong: the machine works, the kernels do not. */
export class MainJobError extends Error {
  override readonly name: string = "MainJobError";
}

/** The topology; with a tap, a joins the host and forwards for it. */
export function main_job_spec(tap: TapHost | null): TestbedSpec<MainNode> {
  return {
    nodes: { a: tap === null ? {} : { forward: true, tap: tap.node_side() }, r: { forward: true }, b: {} },
    links: ["a -- r", "r -- b"],
    ...(tap === null ? {} : { base: tap.base }),
  };
}

/** One run of the main job. */
export class MainJob {
  private readonly out: Printer;
  private readonly quiet: boolean;
  private readonly tap: TapHost | null;
  private tb: Testbed<MainNode> | null = null;
  private aborted = false;

  /** `quiet` prints nothing. */
  constructor(out: Printer, quiet: boolean, tap: TapHost | null) {
    this.out = out;
    this.quiet = quiet;
    this.tap = tap;
  }

  /** Does everything and takes everything down again. Throws TestbedError, NativeHostError, MainJobError. */
  async run(): Promise<MainJobResult> {
    let result: MainJobResult;
    try {
      const tb = await this.boot();
      const broken = tb.broken.then((why) => {
        throw why;
      });
      result = await Promise.race([this.work(tb), broken]);
    } catch (error) {
      await this.stop().catch(() => {}); // what went wrong first is what counts
      throw error;
    }
    await this.stop();
    return result;
  }

  /** Ends it early: run() rejects. Settled when nothing is left. */
  async stop(): Promise<void> {
    this.aborted = true;
    this.tap?.stop();
    const leaks = (await this.tb?.stop()) ?? [];
    if (leaks.length > 0) throw new MainJobError(`not given back: ${leaks.join("; ")}`);
  }

  private item(label: string, text: string): void {
    if (!this.quiet) this.out.item(label, text);
  }

  private async boot(): Promise<Testbed<MainNode>> {
    if (!this.quiet) this.out.progress("boot", "three kernels ...");
    loadAddon(); // the nodes will: what is missing is said once, and first
    const began = performance.now();
    const tb = await startTestbed(main_job_spec(this.tap), { mode: "process" });
    this.tb = tb;
    if (this.aborted) throw new MainJobError("interrupted");
    const ms = Math.round(performance.now() - began);
    const a = (name: MainNode, i = 0): string =>
      tb.plan.nodes.find((n) => n.name === name)?.interfaces[i]?.address ?? "";
    const bold = (name: MainNode): string => this.out.bold(name);
    this.item(
      "network",
      `${bold("a")} ${a("a")} -- bus1 -- ${a("r")} ${bold("r")} ${a("r", 1)} -- bus2 -- ${a("b")} ${bold("b")}`,
    );
    this.item(
      "boot",
      `three kernels in three processes (pid ${tb.pid("a")}, ${tb.pid("r")}, ${tb.pid("b")}) in ${ms} ms${this.tap === null ? ", no root, no host interface" : ""}`,
    );
    return tb;
  }

  private async work(tb: Testbed<MainNode>): Promise<MainJobResult> {
    await this.path(tb);
    await tb.node("b").echo_server(ECHO_PORT);
    const cpus = allowed_cpus();
    const rtt = await this.round_trips(tb, cpus);
    const rate = await this.rate(tb);
    if (this.tap !== null) await this.tap.demonstrate(tb, (label, text) => this.item(label, text));
    const forwarded = (await tb.node("r").stats()).counters["ip.forward"] ?? 0;
    this.item("router", `${grouped(forwarded)} packets forwarded by r`);
    return { rtt_us: rtt.rtt_us, pps: rate, ttl: rtt.ttl };
  }

  private async path(tb: Testbed<MainNode>): Promise<void> {
    const ping = await tb.ping("a", "b", { count: PING_COUNT });
    if (ping.lost > 0) throw new MainJobError(`ping: ${ping.lost} of ${ping.sent} lost ${ping.errors.join(", ")}`);
    this.item(
      "ping",
      `a to b: ${ping.sent} sent, ${ping.received} received, ${ping.lost} lost, ttl ${ping.ttl}, ${rtt_text(ping.rtt_us)}`,
    );
    for (const { ttl, address, rtt_us } of await tb.traceroute("a", "b"))
      this.item("path", `${ttl}  ${address ?? "*"}  ${rtt_us.toFixed(1)} us`);
    for (const name of ["a", "r", "b"] as const) {
      const entries = (await tb.node(name).arp()).map(
        (e) => `${e.address} is ${e.lladdr ?? "asked for"} on ${e.ifname}`,
      );
      this.item("arp", `${name}: ${entries.join(", ")}`);
    }
  }

  private async round_trips(tb: Testbed<MainNode>, cpus: readonly number[]): Promise<EchoResult> {
    const one = cpus[cpus.length - 1];
    if (one !== undefined) await tb.place([one]);
    this.progress("udp echo", "warming up ...");
    await this.echo(tb, WARMUP);
    this.progress("udp echo", `${grouped(RTT_COUNT)} round trips ...`);
    const rtt = await this.echo(tb, RTT_COUNT);
    this.item(
      "udp echo",
      `a to b: ${grouped(rtt.received)} round trips of ${ECHO_SIZE} bytes one after the other, ${rtt.lost} lost, ttl ${rtt.ttl}`,
    );
    this.item("udp echo", `on one CPU: ${rtt_text(rtt.rtt_us)}`);
    if (cpus.length > 1) {
      await tb.place(cpus);
      const spread = await this.echo(tb, SPREAD_COUNT);
      this.item("udp echo", `on ${cpus.length} CPUs: ${rtt_text(spread.rtt_us)}`);
    }
    return rtt;
  }

  private async echo(tb: Testbed<MainNode>, count: number): Promise<EchoResult> {
    const result = await tb.echo("a", "b", { port: ECHO_PORT, size: ECHO_SIZE, count });
    if (result.received === 0) throw new MainJobError("udp echo: no datagram came back");
    return result;
  }

  private async rate(tb: Testbed<MainNode>): Promise<number> {
    let received = 0;
    let lost = 0;
    let elapsed_ns = 0;
    for (let round = 0; round < RATE_ROUNDS; round++) {
      const r = await tb.echo("a", "b", {
        port: ECHO_PORT,
        size: ECHO_SIZE,
        duration_ms: RATE_MS,
        window: RATE_WINDOW,
      });
      received += r.received;
      lost += r.lost;
      elapsed_ns += r.elapsed_ns;
      this.progress("udp rate", `${grouped(r.pps)} packets/s`);
    }
    const pps = elapsed_ns > 0 ? Math.round((received / elapsed_ns) * 1e9) : 0;
    if (pps === 0) throw new MainJobError("udp rate: no datagram came back");
    this.item(
      "udp rate",
      `${this.out.bold(`${grouped(pps)} packets/s`)} there and back, ${RATE_WINDOW} under way, ${lost} of ${grouped(received + lost)} lost`,
    );
    return pps;
  }

  private progress(label: string, text: string): void {
    if (!this.quiet) this.out.progress(label, text);
  }
}

/** The CPUs this process may use; empty if that can't be found out. */
function allowed_cpus(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "";
  return list.split(",").flatMap((part) => {
    const [from = Number.NaN, to = from] = part.split("-").map(Number);
    return Number.isInteger(from) && Number.isInteger(to)
      ? Array.from({ length: to - from + 1 }, (_, i) => from + i)
      : [];
  });
}
