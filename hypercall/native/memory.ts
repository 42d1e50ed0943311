// Memory group: the process's slab, with the limit of one kernel.
import { parseMemlimit, RUMPUSER_PARAM_MEMLIMIT } from "../api/param.ts";
import { SlabMemory } from "../slab/slab_memory.ts";
import type { NativeProcess } from "./native_process.ts";
import type { NativeParam } from "./params.ts";

/** The memory of one kernel. Throws RangeError when RUMP_MEMLIMIT is no size. */
export function native_memory(process: NativeProcess, param: NativeParam): SlabMemory {
  return new SlabMemory(process.slab, process.pages, limit_of(param.rumpuser_getparam(RUMPUSER_PARAM_MEMLIMIT)));
}

function limit_of(text: string | null): number {
  if (text === null || text === "" || text === "host") return Number.POSITIVE_INFINITY;
  const limit = parseMemlimit(text);
  if (limit < 0)
    throw new RangeError(`${RUMPUSER_PARAM_MEMLIMIT}=${text}: give a number of bytes such as 65536, 512k or 64m`);
  return limit;
}
