/** rump doctor: what works on this machine, tried out and not guessed, and the cure for what does not. */
import { accessSync, constants } from "node:fs";
import { tmpdir } from "node:os";
import { errno_name } from "../../hypercall/api/errno_names.ts";
import { loadAddon, NativeHostError } from "../../hypercall/native/addon.ts";
import type { RumpuserAddon } from "../../hypercall/native/addon.ts";
import { errtrans } from "../../hypercall/native/errtrans.ts";
import { failure_text } from "../../hypercall/native/frames.ts";
import type { HostToolContext } from "./dumpbus.ts";
import { EXIT_ENVIRONMENT, EXIT_OK, UsageError } from "./tool.ts";

/** One thing looked at. */
interface Finding {
  readonly what: string;
  readonly works: boolean;
  readonly detail: string;
}

/** The tool. Its status is 0 when kernels can run as processes here; taps, which need a privilege, may be missing. */
export async function doctor(cx: HostToolContext, args: readonly string[]): Promise<number> {
  if (args.length > 0) throw new UsageError(`it takes nothing: ${args.join(" ")}`);
  const findings: Finding[] = [
    { what: "node", works: true, detail: `${process.version} on ${process.platform}-${process.arch}` },
    { what: "simulation", works: true, detail: "needs nothing else" },
  ];
  const addon = native(findings);
  findings.push(buses());
  if (addon !== null) findings.push(...taps(addon));
  if (cx.json) cx.out(JSON.stringify(findings));
  else for (const f of findings) cx.out(`${f.what.padEnd(12)} ${f.works ? "works  " : "missing"}  ${f.detail}`);
  const needed = findings.filter((f) => f.what !== "tap" && f.what !== "io_uring");
  return needed.every((f) => f.works) ? EXIT_OK : EXIT_ENVIRONMENT;
}

function native(findings: Finding[]): RumpuserAddon | null {
  const what = "native host";
  try {
    const addon = loadAddon();
    findings.push({ what, works: true, detail: `its addon loads, interface ${addon.interface_version}` });
    return addon;
  } catch (error) {
    if (!(error instanceof NativeHostError)) throw error;
    findings.push({ what, works: false, detail: error.message });
    return null;
  }
}

/** Buses of testbeds are files in memory if there is such a file system, else in the folder for temporary files. */
function buses(): Finding {
  const what = "buses";
  for (const folder of ["/dev/shm", tmpdir()]) {
    try {
      accessSync(folder, constants.W_OK);
      return { what, works: true, detail: `shared memory in ${folder}` };
    } catch {
      // the next one
    }
  }
  return { what, works: false, detail: `neither /dev/shm nor ${tmpdir()} can be written; cure: set TMPDIR` };
}

/** Opens a tap, which goes away with its descriptor. */
function taps(addon: RumpuserAddon): Finding[] {
  const tap = addon.tap_open("", true, true);
  if (tap.error !== undefined) {
    return [{ what: "tap", works: false, detail: failure_text("", tap) }];
  }
  const ring = addon.tap_ring_open(tap.fd);
  if (ring >= 0) addon.tap_ring_close(ring);
  addon.fd_close(tap.fd);
  return [
    { what: "tap", works: true, detail: "the host's programs can talk to kernels" },
    ring >= 0
      ? { what: "io_uring", works: true, detail: "one system call sends a batch of frames to a tap" }
      : { what: "io_uring", works: false, detail: `${errno_name(errtrans(ring))}; frames go out with a call each` },
  ];
}
