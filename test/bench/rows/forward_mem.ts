// forward-mem: the stack's own cost of routing a packet.
import { result } from "../result.ts";
import type { BenchRow } from "../row.ts";

/** ns per packet that the issue allows. */
const BAR_NS = 100;

/** The row. Its peer is the bar: nothing else routes between interfaces that are a program's memory. */
export const forwardMemRow: BenchRow = {
  names: ["forward-mem"],
  what: "IPv4 forwarding of 60-byte frames through the whole stack between in-memory Ethernet interfaces",
  run: async (lab) => {
    const [value] = await lab.alternate(() => lab.number(lab.node("forward_mem", [], { cpus: "0" })), null);
    return [
      result({
        name: "forward-mem",
        unit: "ns",
        value,
        peer: "the bar",
        peer_value: BAR_NS,
        bar: { kind: "below", value: BAR_NS },
      }),
    ];
  },
};
