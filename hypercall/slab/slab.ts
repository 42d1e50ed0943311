// Making the slab: one WebAssembly.Memory of fixed size with its views, and the checksum over it.
import type { Slab } from "../api/memory.ts";
import { CKSUM_WASM_MAX, cksum_module } from "./cksum_wasm.ts";
import { WASM_PAGE, wasm_bind, wasm_memory } from "./wasm.ts";

/** Default size in bytes. The operating system commits pages only as they are touched. */
export const SLAB_DEFAULT: number = 256 * 1024 * 1024;
/** Largest size in bytes: what 32-bit WebAssembly can address, less one page so that every offset and end fits 32 bits. */
export const SLAB_MAX: number = 65_535 * WASM_PAGE;
/** Shorter ranges are summed in JavaScript: calling WebAssembly costs about as much as 64 bytes do. */
const CKSUM_WASM_MIN = 64;

type CksumFunction = (off: number, len: number) => number;

/** Ones' complement sum of any length by DataView: the twin for short ranges and for engines without SIMD. hot */
function cksum_dv(dv: DataView, off: number, len: number): number {
  const end = off + len;
  let sum = 0;
  let p = off;
  for (; p + 4 <= end; p += 4) {
    const word = dv.getInt32(p);
    sum += (word >>> 16) + (word & 0xffff);
  }
  if (p + 2 <= end) {
    sum += dv.getUint16(p);
    p += 2;
  }
  if (p < end) sum += dv.getUint8(p) << 8;
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
  return sum;
}

/** The slab over a WebAssembly.Memory. */
export class WasmSlab implements Slab {
  readonly buffer: ArrayBuffer;
  readonly u8: Uint8Array;
  readonly dv: DataView;
  readonly i32: Int32Array;
  /** Whether checksums run in WebAssembly SIMD. */
  readonly simd: boolean;
  private readonly wasm: CksumFunction | null;

  /** `pages` WebAssembly pages; without `simd` all checksums are computed in JavaScript. */
  constructor(pages: number, simd: boolean) {
    const memory = wasm_memory(pages);
    this.buffer = memory.buffer;
    this.u8 = new Uint8Array(memory.buffer);
    this.dv = new DataView(memory.buffer);
    this.i32 = new Int32Array(memory.buffer);
    const instance = simd ? wasm_bind(cksum_module(), memory) : null;
    this.simd = instance !== null;
    this.wasm = instance === null ? null : (instance.exports["cksum"] as CksumFunction);
  }

  /** See Slab. hot */
  cksum(off: number, len: number): number {
    if (len < CKSUM_WASM_MIN || this.wasm === null) return cksum_dv(this.dv, off, len);
    if (len <= CKSUM_WASM_MAX) return this.wasm(off, len);
    return this.cksum_long(this.wasm, off, len);
  }

  private cksum_long(wasm: CksumFunction, off: number, len: number): number {
    let sum = 0;
    for (let done = 0; done < len; done += CKSUM_WASM_MAX) {
      sum += wasm(off + done, Math.min(CKSUM_WASM_MAX, len - done));
      if (sum > 0xffff) sum -= 0xffff;
    }
    return sum;
  }
}

/**
 * A slab of `bytes` bytes, rounded up to whole pages of 64 KB. All zero. Throws RangeError with the cure when the size makes no sense or the
 * host has no room.
 */
export function slab_create(bytes: number = SLAB_DEFAULT, simd: boolean = true): WasmSlab {
  if (!Number.isInteger(bytes) || bytes < WASM_PAGE || bytes > SLAB_MAX)
    throw new RangeError(`slab of ${bytes} bytes: give a whole number from ${WASM_PAGE} to ${SLAB_MAX}`);
  try {
    return new WasmSlab(Math.ceil(bytes / WASM_PAGE), simd);
  } catch (cause) {
    throw new RangeError(`no room for a slab of ${bytes} bytes: make it smaller, or free address space (ulimit -v)`, {
      cause,
    });
  }
}
