/**
 * Arguments of `npm start`.
 */
import { parseArgs } from "node:util";

/** What the main job is to do. */
export interface MainJobArgs {
  /** Print one JSON object and nothing else. */
  readonly json: boolean;
  /** Join the host by a tap interface. */
  readonly tap: boolean;
  /** Print the usage. */
  readonly help: boolean;
}

/** How it is called. */
export const USAGE = `usage: npm start -- [--json | --tap]

Three kernels in three processes, a -- bus1 -- r -- bus2 -- b: pings through the router r, UDP echo, the path, round-trip times, packets a second.
Round-trip times are taken with the three processes on one CPU (and then on all of them), packets a second on all CPUs.

  --json   print {rtt_us: {min, p50, avg, p99, max}, pps, ttl} and nothing else: UDP echo of 64 bytes between a and b
  --tap    join this machine by a tap interface: its own ping, arping and traceroute talk to the kernels (needs root)
  --help   print this
`;

/** Arguments as typed, or a sentence that says what is wrong with them. */
export function main_job_args(argv: readonly string[]): MainJobArgs | string {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: { json: { type: "boolean" }, tap: { type: "boolean" }, help: { type: "boolean", short: "h" } },
      strict: true,
      allowPositionals: false,
    });
    const args = { json: values.json === true, tap: values.tap === true, help: values.help === true };
    return args.json && args.tap ? "--json and --tap exclude each other" : args;
  } catch (error) {
    return error instanceof Error ? (error.message.split("\n", 1)[0] as string) : String(error);
  }
}
