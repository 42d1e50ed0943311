// ping-tap, udp-pps-tap, forward-tap: a kernel on host taps against bare C programs on the same taps.
import { spawnSync } from "node:child_process";
import { type Lab, Missing } from "../lab.ts";
import { type Bar, type Result, result } from "../result.ts";
import type { BenchRow } from "../row.ts";
import { ECHO, EchoTap, RoutedTaps, type Who } from "../taps.ts";

/** Pings of one measurement, a millisecond apart. */
const PINGS = 400;
/** Pings before those, as fast as they are answered and then at their pace: code that has run a few times only is not compiled yet. */
const WARM_FLOOD = 20_000;
const WARM_PINGS = 2500;
/** Datagrams under way, and how long they are counted. */
const WINDOW = 64;
const SMALL = 64;
const COUNT_MS = 600;
/** How long ours works before that. */
const WARM_MS = 2000;
/** Bytes of the datagrams that are routed. */
const LARGE = 1024;
const PORT = "7";

/** What is measured several times before it is closed. */
interface Closable {
  close(): Promise<void>;
}

/**
 * Both are there all the time, but only one is asked at a time; the other sleeps. Ours is asked once more before that: code that has run for a
 * moment only is not compiled yet.
 */
async function compare<T extends Closable>(
  lab: Lab,
  name: string,
  peer: string,
  bar: Bar,
  open: (who: Who) => Promise<T>,
  measure: (it: T, ms: number) => Promise<number>,
): Promise<Result> {
  const us = await open("us");
  const c = await open("c");
  await measure(us, WARM_MS);
  const ms = lab.count(COUNT_MS);
  const [value, peer_value] = await lab.alternate(
    () => measure(us, ms),
    () => measure(c, ms),
  );
  await us.close();
  await c.close();
  return result({ name, unit: "kpps", value, peer, peer_value, bar });
}

function run_ping(netns: string, cpus: string, words: readonly string[]): string {
  const run = spawnSync("ip", ["netns", "exec", netns, "taskset", "-c", cpus, "ping", "-n", ...words, ECHO], {
    encoding: "utf8",
  });
  if (run.error !== undefined || run.stdout === "")
    throw new Missing(`it needs ping (apt-get install iputils-ping): ${run.stderr}`);
  return run.stdout;
}

/** Mean of the middle half of the round trips that the host's ping sees, in us; it prints whole microseconds. */
function pinged(netns: string, cpus: string, count: number): number {
  const text = run_ping(netns, cpus, ["-i", "0.001", "-c", String(count)]);
  const took = [...text.matchAll(/time=([0-9.]+) ms/g)].map((found) => Number(found[1]) * 1000).sort((a, b) => a - b);
  if (took.length < count * 0.9) throw new Error(`only ${took.length} of ${count} pings were answered`);
  const middle = took.slice(took.length >> 2, (took.length * 3) >> 2);
  return middle.reduce((a, b) => a + b, 0) / middle.length;
}

/** Both taps are there at once, but only one is pinged at a time. */
async function ping(lab: Lab, name: string, host_cpu: string, cpus: string): Promise<Result> {
  const us = await EchoTap.open(lab, "us", cpus);
  const c = await EchoTap.open(lab, "c", cpus);
  const once = (tap: EchoTap): Promise<number> => Promise.resolve(pinged(tap.netns, host_cpu, lab.count(PINGS)));
  run_ping(us.netns, host_cpu, ["-q", "-i", "0", "-c", String(WARM_FLOOD)]);
  run_ping(us.netns, host_cpu, ["-q", "-i", "0.001", "-c", String(WARM_PINGS)]);
  const [value, peer_value] = await lab.alternate(
    () => once(us),
    () => once(c),
  );
  await us.close();
  await c.close();
  return result({ name, unit: "us", value, peer: "C echo on the tap", peer_value, bar: { kind: "ratio", value: 0.8 } });
}

/** Host ping over a tap, on one CPU and across two. */
export const pingTapRow: BenchRow = {
  names: ["ping-tap-same", "ping-tap-cross"],
  what: "round trip of the host's ping to a kernel on a tap, on one CPU and across two",
  run: async (lab) => {
    lab.need_root();
    const rows = [await ping(lab, "ping-tap-same", "0", "0")];
    lab.need_two_cpus();
    rows.push(await ping(lab, "ping-tap-cross", "0", "1"));
    return rows;
  },
};

function pps(lab: Lab, tap: EchoTap, ms: number): Promise<number> {
  const words = ["pps", ECHO, PORT, WINDOW, ms, SMALL].map(String);
  return lab.number(lab.start([lab.c("udp_rr"), ...words], { netns: tap.netns, cpus: "0" }));
}

/** Datagrams echoed over a tap. */
export const udpPpsTapRow: BenchRow = {
  names: ["udp-pps-tap"],
  what: "64-byte UDP datagrams echoed over a tap, 64 under way, the kernel on a CPU of its own",
  run: async (lab) => {
    lab.need_root();
    lab.need_two_cpus();
    const bar: Bar = { kind: "ratio", value: 0.85 };
    return [
      await compare(
        lab,
        "udp-pps-tap",
        "C echo on the tap",
        bar,
        (who) => EchoTap.open(lab, who, "1"),
        (tap, ms) => pps(lab, tap, ms),
      ),
    ];
  },
};

/** Thousands of datagrams a second that reach the namespace behind the router. */
async function forward(lab: Lab, taps: RoutedTaps, ms: number): Promise<number> {
  const sink = lab.start([lab.c("udp_rr"), "sink", "10.2.0.2", PORT], { netns: taps.right });
  await sink.line();
  const words = ["blast", "10.2.0.2", PORT, ms, LARGE].map(String);
  await lab.number(lab.start([lab.c("udp_rr"), ...words], { netns: taps.left, cpus: "0" }));
  sink.say("how many");
  const got = await sink.number();
  await lab.stop(sink);
  return got / ms;
}

/** Datagrams routed between two taps. */
export const forwardTapRow: BenchRow = {
  names: ["forward-tap"],
  what: "1024-byte UDP datagrams routed between two taps; the sender on one CPU, the router on the other, the receiver where there is room",
  run: async (lab) => {
    lab.need_root();
    lab.need_two_cpus();
    const bar: Bar = { kind: "ratio", value: 0.8 };
    return [
      await compare(
        lab,
        "forward-tap",
        "C program that copies frames",
        bar,
        (who) => RoutedTaps.open(lab, who, "1"),
        (taps, ms) => forward(lab, taps, ms),
      ),
    ];
  },
};
