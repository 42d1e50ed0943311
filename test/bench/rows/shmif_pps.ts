// shmif-pps: frames from one process to another over a bus.
import type { Lab } from "../lab.ts";
import { type Result, result } from "../result.ts";
import type { BenchRow } from "../row.ts";

/** How long frames are counted. */
const COUNT_MS = 500;
/** Turns, of which the last counts: code that has run for a moment only is not compiled yet. */
const TURNS = 3;
/** Sizes of frames and what the issue asks of each, in Mpps. */
const SIZES: readonly (readonly [number, number])[] = [
  [64, 2],
  [1500, 2.5],
];

/** Millions of frames that arrive in a second. */
async function ours(lab: Lab, bytes: number): Promise<number> {
  const ms = lab.count(COUNT_MS);
  const bus = lab.file("bus");
  const receiver = lab.node("shmif_pps", ["receive", bus], { cpus: "1" });
  const sender = lab.node("shmif_pps", ["send", bus, bytes, ms], { cpus: "0" });
  const got = (): Promise<number> => {
    receiver.say("how many");
    return receiver.number();
  };
  await receiver.line();
  await sender.line();
  let mpps = 0;
  for (let turn = 0; turn < TURNS; turn++) {
    const before = await got();
    sender.say("go");
    await sender.line();
    mpps = ((await got()) - before) / (ms * 1000);
  }
  await lab.stop(sender);
  await lab.stop(receiver);
  return mpps;
}

/** The rows, one a size. */
export const shmifPpsRow: BenchRow = {
  names: SIZES.map(([bytes]) => `shmif-pps-${bytes}`),
  what: "frames a second from one process to another over a shmif bus, interface to interface, each process on its CPU",
  run: async (lab) => {
    lab.need_two_cpus();
    const rows: Result[] = [];
    for (const [bytes, bar] of SIZES) {
      const words = [String(bytes), String(lab.count(COUNT_MS))];
      const [value, peer_value] = await lab.alternate(
        () => ours(lab, bytes),
        () => lab.number(lab.start([lab.c("unix_pps"), ...words])),
      );
      rows.push(
        result({
          name: `shmif-pps-${bytes}`,
          unit: "Mpps",
          value,
          peer: "AF_UNIX datagrams, C",
          peer_value,
          bar: { kind: "above", value: bar },
        }),
      );
    }
    return rows;
  },
};
