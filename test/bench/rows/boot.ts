// boot: a network kernel in a warm process; line255: many of them.
import { mkdirSync } from "node:fs";
import { result } from "../result.ts";
import type { BenchRow } from "../row.ts";

/** Bars of the issue. */
const BOOT_MS = 2;
const BOOT_KB = 400;
const LINE_S = 0.5;
/** Nodes of the line. */
const LINE_NODES = 255;

/** Boot time against a network namespace of Linux, memory against the bar. */
export const bootRow: BenchRow = {
  names: ["boot", "boot-memory"],
  what: "booting a network kernel with all components in a warm process, and the heap and slab that it keeps",
  run: async (lab) => {
    const cpus = { cpus: "0" };
    const root = process.geteuid?.() === 0;
    const netns = async (): Promise<number> => (await lab.number(lab.start([lab.c("micro"), "netns"], cpus))) / 1e6;
    const [time, peer_value] = await lab.alternate(
      () => lab.number(lab.node("boot", ["time"], cpus)),
      root ? netns : null,
    );
    const kb = await lab.number(lab.node("boot", ["memory"], cpus));
    return [
      result({
        name: "boot",
        unit: "ms",
        value: time,
        peer: root ? "network namespace, Linux" : "",
        peer_value,
        bar: { kind: "below", value: BOOT_MS },
      }),
      result({
        name: "boot-memory",
        unit: "KB",
        value: kb,
        peer: "the bar",
        peer_value: BOOT_KB,
        bar: { kind: "below", value: BOOT_KB },
      }),
    ];
  },
};

/** A line of 255 kernels, against the bar. */
export const lineRow: BenchRow = {
  names: ["line255"],
  what: "255 kernels in a line booted, configured and pinged end to end in one process",
  run: async (lab) => {
    const once = (): Promise<number> => {
      const folder = lab.file("line");
      mkdirSync(folder);
      return lab.number(lab.node("line", [LINE_NODES, folder]));
    };
    const [value] = await lab.alternate(once, null);
    return [
      result({
        name: "line255",
        unit: "s",
        value,
        peer: "the bar",
        peer_value: LINE_S,
        bar: { kind: "below", value: LINE_S },
      }),
    ];
  },
};
