// The part of WebAssembly that the slab uses, typed here because it belongs to no ECMAScript library.

/** A block of memory that WebAssembly code can address. */
export interface WasmMemory {
  /** Its bytes. Detached if it grows, which a memory with maximum equal to initial cannot. */
  readonly buffer: ArrayBuffer;
}

/** A compiled module with its imports bound. */
export interface WasmInstance {
  /** What it exports. */
  readonly exports: Readonly<Record<string, unknown>>;
}

interface WasmNamespace {
  readonly Memory: new (descriptor: { readonly initial: number; readonly maximum: number }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) => WasmInstance;
  validate(bytes: Uint8Array): boolean;
}

declare const WebAssembly: WasmNamespace;

/** Bytes of a page of WebAssembly memory. */
export const WASM_PAGE = 65_536;

/** Memory of exactly `pages` pages that never moves. Throws RangeError when the host cannot give that much. */
export function wasm_memory(pages: number): WasmMemory {
  return new WebAssembly.Memory({ initial: pages, maximum: pages });
}

/** Bind `bytes` to `memory`, or null when this engine does not accept the module (no SIMD). */
export function wasm_bind(bytes: Uint8Array, memory: WasmMemory): WasmInstance | null {
  if (!WebAssembly.validate(bytes)) return null;
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
}
