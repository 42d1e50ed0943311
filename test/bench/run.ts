// npm run bench [-- --json] [--quick] [names...]: measures rows against their peers in the same run.
import { loadavg } from "node:os";
import { Lab, Missing } from "./lab.ts";
import type { Result } from "./result.ts";
import type { BenchRow } from "./row.ts";
import { forwardMemRow } from "./rows/forward_mem.ts";
import { bootRow, lineRow } from "./rows/boot.ts";
import { microRows } from "./rows/micro.ts";
import { shmifPpsRow } from "./rows/shmif_pps.ts";
import { forwardTapRow, pingTapRow, udpPpsTapRow } from "./rows/tap.ts";
import { udpRr3procRow, udpRrInprocRow } from "./rows/udp_rr.ts";
import { digits, table } from "./table.ts";

/** All rows, in the order of the table. */
const ROWS: readonly BenchRow[] = [
  udpRr3procRow,
  udpRrInprocRow,
  pingTapRow,
  udpPpsTapRow,
  forwardTapRow,
  shmifPpsRow,
  forwardMemRow,
  bootRow,
  lineRow,
  ...microRows,
];

/** Load average from which on a machine has other work. */
const BUSY = 0.7;

const USAGE = `usage: npm run bench -- [--json] [--quick] [--list] [names...]
  --json   print [{name, value, unit, peer, peer_value, ratio}] on standard output
  --quick  fewer rounds
  --list   what each row measures
A name selects all rows that begin with it. Ratio above 1: better than the peer.
`;

/** What was asked for. */
interface Wanted {
  readonly json: boolean;
  readonly quick: boolean;
  readonly list: boolean;
  readonly rows: readonly BenchRow[];
}

function parse(args: readonly string[]): Wanted | string {
  const flags = new Set(args.filter((arg) => arg.startsWith("-")));
  for (const flag of flags) if (!["--json", "--quick", "--list"].includes(flag)) return `unknown option ${flag}`;
  const names = args.filter((arg) => !arg.startsWith("-"));
  for (const name of names) {
    if (!ROWS.some((row) => row.names.some((n) => n.startsWith(name)))) {
      return `no row begins with ${JSON.stringify(name)}; there are ${ROWS.flatMap((row) => row.names).join(", ")}`;
    }
  }
  const rows = ROWS.filter(
    (row) => names.length === 0 || row.names.some((n) => names.some((name) => n.startsWith(name))),
  );
  return { json: flags.has("--json"), quick: flags.has("--quick"), list: flags.has("--list"), rows };
}

async function measure(row: BenchRow, lab: Lab): Promise<Result[]> {
  try {
    return await row.run(lab);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${row.names.join(", ")}: ${error instanceof Missing ? "skipped: " : "FAILED: "}${why}\n`);
    if (!(error instanceof Missing)) process.exitCode = 1;
    return [];
  }
}

async function main(): Promise<void> {
  const wanted = parse(process.argv.slice(2));
  if (typeof wanted === "string") {
    process.stderr.write(`bench: ${wanted}\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  if (wanted.list) {
    for (const row of wanted.rows) process.stdout.write(`${row.names.join(", ")}: ${row.what}\n`);
    return;
  }
  const lab = new Lab(wanted.quick ? { rounds: 2, scale: 0.4 } : { rounds: 3, scale: 1 });
  const stop = (): void => {
    lab.close();
    process.exit(130);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  const results: Result[] = [];
  const busy = loadavg()[0]!;
  if (busy > BUSY)
    process.stderr.write(`bench: this machine is busy (load ${busy.toFixed(1)}): what is measured is not only ours\n`);
  try {
    for (const row of wanted.rows) {
      const lines = await measure(row, lab);
      results.push(...lines);
      if (!wanted.json) for (const r of lines) process.stderr.write(`${r.name}: ${digits(r.value)} ${r.unit}\n`);
    }
  } finally {
    lab.close();
  }
  if (wanted.json) {
    const plain = results.map(({ name, value, unit, peer, peer_value, ratio }) => ({
      name,
      value,
      unit,
      peer,
      peer_value,
      ratio,
    }));
    process.stdout.write(`${JSON.stringify(plain, null, 2)}\n`);
  } else process.stdout.write(`\n${table(results)}`);
}

await main();
