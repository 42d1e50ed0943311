/** Event counters of a kernel, from kern.evcnt. */
import { CTL_KERN, KERN_EVCNT } from "../../kernel-components/kern/sysctl_mib.ts";
import { EVCNT_HDR } from "../../kernel-components/kern/sysctl_kern.ts";
import type { RumpCalls } from "../client/rump_calls.ts";

/** A counter. */
export interface Evcnt {
  /** Its group, such as "ip". */
  readonly group: string;
  /** Its name in the group. */
  readonly name: string;
  /** How often. */
  readonly count: number;
}

const EVCNT_ALL = 0;
const GROUPLEN_OFF = 25;
const NAMELEN_OFF = 26;
const LEN_OFF = 27;

/** All counters, in the order of their registration. */
export async function evcnts(sys: RumpCalls): Promise<Evcnt[]> {
  const bytes = await sys.sysctl([CTL_KERN, KERN_EVCNT, 0, EVCNT_ALL]);
  const dv = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const list: Evcnt[] = [];
  const text = new TextDecoder("latin1");
  for (let at = 0; at + EVCNT_HDR <= bytes.length; ) {
    const len = (bytes[at + LEN_OFF] as number) * 8;
    const glen = bytes[at + GROUPLEN_OFF] as number;
    const nlen = bytes[at + NAMELEN_OFF] as number;
    if (len < EVCNT_HDR || at + len > bytes.length) break;
    const start = at + EVCNT_HDR;
    list.push({
      group: text.decode(bytes.subarray(start, start + glen)),
      name: text.decode(bytes.subarray(start + glen + 1, start + glen + 1 + nlen)),
      count: Number(dv.getBigUint64(at, true)),
    });
    at += len;
  }
  return list;
}

/** Counters by group and name. */
export function evcnt_groups(list: readonly Evcnt[]): Map<string, Map<string, number>> {
  const groups = new Map<string, Map<string, number>>();
  for (const e of list) {
    const group = groups.get(e.group) ?? new Map<string, number>();
    group.set(e.name, (group.get(e.name) ?? 0) + e.count);
    groups.set(e.group, group);
  }
  return groups;
}
