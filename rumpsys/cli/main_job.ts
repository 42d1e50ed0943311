/**
 * The program behind `npm start`: runs on import. Exit status 0 done, 1 it did not work, 2 wrong arguments, 3 this machine lacks something,
 * 128 + n after signal n; in each case nothing is left behind.
 */
import { constants } from "node:os";
import { NativeHostError } from "../../hypercall/native/addon.ts";
import { USAGE, main_job_args } from "./main_job_args.ts";
import { Printer, stream_sink } from "./main_job_print.ts";
import { MainJob } from "./main_job_run.ts";
import { TapHost } from "./main_job_tap.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_ENVIRONMENT = 3;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

async function main(argv: readonly string[]): Promise<number> {
  const args = main_job_args(argv);
  if (typeof args === "string") {
    process.stderr.write(`rumpkit: ${args}\n\n${USAGE}`);
    return EXIT_USAGE;
  }
  if (args.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  return run(args.json, args.tap);
}

async function run(json: boolean, with_tap: boolean): Promise<number> {
  const out = new Printer(stream_sink(process.stdout, process.env));
  let job: MainJob | null = null;
  let signalled = 0;
  const stop = (status: number): void => {
    if (signalled !== 0) return;
    signalled = status;
    job?.stop().catch(() => {});
  };
  for (const name of SIGNALS) process.on(name, () => stop(128 + constants.signals[name]));
  process.stdout.on("error", () => stop(128 + constants.signals.SIGPIPE));
  try {
    job = new MainJob(out, json, with_tap ? new TapHost() : null);
    const result = await job.run();
    if (signalled !== 0) return signalled;
    if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
    else out.item("done", "three processes ended; no process, file or socket is left");
    return 0;
  } catch (error) {
    out.settle();
    if (signalled !== 0) return signalled;
    process.stderr.write(`rumpkit: ${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof NativeHostError ? EXIT_ENVIRONMENT : EXIT_FAILED;
  }
}

process.exitCode = await main(process.argv.slice(2));
process.exit();
