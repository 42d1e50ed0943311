// udp-rr: round trips of a 64-byte UDP datagram through a router, client and server being programs on the sockets of their kernels.
import { CROSS, gvisorProcess, lwipChain, orNothing, ourChain, ourProcess, SAME } from "../chain_programs.ts";
import type { Lab } from "../lab.ts";
import { NetnsChain } from "../netns_chain.ts";
import { type Bar, type Result, result } from "../result.ts";
import type { BenchRow } from "../row.ts";

/** Round trips of one measurement. */
const TRIPS = 10_000;

/** How long the client of the spin row looks for an answer. */
const SPIN_US = 100;

/** What can be started, asked for a median, and stopped. */
interface Measurable {
  measure(): Promise<number>;
  stop(): Promise<void>;
}

async function netns(lab: Lab, count: number, client_cpu: string, server_cpu: string): Promise<Measurable> {
  const chain = new NetnsChain(lab);
  await chain.start(count, client_cpu, server_cpu);
  return chain;
}

/** Both run at once, but only one is asked at a time; the other sleeps. */
async function compare(
  lab: Lab,
  name: string,
  peer: string,
  bar: Bar,
  ours: (count: number) => Promise<Measurable>,
  theirs: (count: number) => Promise<Measurable>,
): Promise<Result> {
  const count = lab.count(TRIPS);
  const other = await orNothing(name, () => theirs(count));
  const us = await ours(count);
  await us.measure();
  const [value, peer_value] = await lab.alternate(() => us.measure(), other === null ? null : () => other.measure());
  await us.stop();
  await other?.stop();
  return result({ name, unit: "us", value, peer: other === null ? "" : peer, peer_value, bar });
}

/** Three processes, all on one CPU and across two. */
export const udpRr3procRow: BenchRow = {
  names: ["udp-rr-3proc-same", "udp-rr-3proc-cross", "udp-rr-3proc-cross-spin"],
  what: "p50 of a UDP round trip client - router - server, three processes on two shmif buses, on one CPU and across two (spin: the client looks for 100 us before it sleeps)",
  run: async (lab) => {
    const rows = [
      await compare(
        lab,
        "udp-rr-3proc-same",
        "three lwIP processes",
        { kind: "ratio", value: 1 },
        (n) => ourChain(lab, n, SAME),
        (n) => lwipChain(lab, n, SAME),
      ),
    ];
    lab.need_two_cpus();
    for (const [name, spin_us] of [
      ["udp-rr-3proc-cross", 0],
      ["udp-rr-3proc-cross-spin", SPIN_US],
    ] as const) {
      rows.push(
        await compare(
          lab,
          name,
          "three namespaces, Linux",
          { kind: "ratio", value: 0.8 },
          (n) => ourChain(lab, n, CROSS, spin_us),
          (n) => netns(lab, n, CROSS.client, CROSS.server),
        ),
      );
    }
    return rows;
  },
};

/** Three kernels in one process. */
export const udpRrInprocRow: BenchRow = {
  names: ["udp-rr-inproc"],
  what: "p50 of a UDP round trip client - router - server, three kernels in one process",
  run: async (lab) => [
    await compare(
      lab,
      "udp-rr-inproc",
      "gVisor, one process",
      { kind: "ratio", value: 2 },
      (n) => ourProcess(lab, n),
      (n) => gvisorProcess(lab, n),
    ),
  ],
};
