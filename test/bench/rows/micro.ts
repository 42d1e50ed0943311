// One operation at a time: mbuf, callout, lpm, cksum, syscall-null. Each beside the same work in C, or in Node where that is the alternative.
import type { Lab } from "../lab.ts";
import { type Bar, type Result, result } from "../result.ts";
import type { BenchRow } from "../row.ts";

/** One loop of work/micro.ts and what it is measured against. */
interface Loop {
  readonly name: string;
  readonly what: string;
  readonly ours: string;
  readonly peer: string;
  /** Loop of peers/micro.c; "" for one of work/micro.ts. */
  readonly c: string;
  readonly node: string;
  readonly bar?: Bar;
}

const LOOPS: readonly Loop[] = [
  {
    name: "mbuf",
    what: "m_getcl and m_freem of a packet, 64 at a time",
    ours: "mbuf",
    peer: "malloc and free, C",
    c: "malloc",
    node: "",
  },
  {
    name: "callout",
    what: "setting one of 100,000 pending callouts anew",
    ours: "callout",
    peer: "setTimeout, Node",
    c: "",
    node: "timers",
  },
  {
    name: "lpm",
    what: "longest prefix match of random addresses in 100,000 routes",
    ours: "lpm",
    peer: "the same trie, C",
    c: "lpm",
    node: "",
  },
  {
    name: "cksum",
    what: "Internet checksum of 1460 bytes",
    ours: "cksum",
    peer: "plain loop, C -O2",
    c: "cksum",
    node: "",
  },
  {
    name: "syscall-null",
    what: "getpid by rump_sys_getpid",
    ours: "syscall",
    peer: "getppid(2), Linux",
    c: "getppid",
    node: "",
    bar: { kind: "below", value: 100 },
  },
];

function row(loop: Loop): BenchRow {
  return {
    names: [loop.name],
    what: loop.what,
    run: async (lab: Lab): Promise<Result[]> => {
      const cpus = { cpus: "0" };
      const peer =
        loop.c !== "" ? () => lab.start([lab.c("micro"), loop.c], cpus) : () => lab.node("micro", [loop.node], cpus);
      const [value, peer_value] = await lab.alternate(
        () => lab.number(lab.node("micro", [loop.ours], cpus)),
        () => lab.number(peer()),
      );
      return [
        result({
          name: loop.name,
          unit: "ns",
          value,
          peer: loop.peer,
          peer_value,
          ...(loop.bar === undefined ? {} : { bar: loop.bar }),
        }),
      ];
    },
  };
}

/** The rows. */
export const microRows: readonly BenchRow[] = LOOPS.map(row);
