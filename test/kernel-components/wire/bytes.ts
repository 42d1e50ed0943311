/*
 * Helpers of the codec tests: bytes from hex text, views, arbitrary frames.
 */
import fc from "fast-check";

/** The bytes of hex digits; anything between them is ignored. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from((text.match(/[0-9a-fA-F]{2}/g) ?? []).map((h) => parseInt(h, 16)));
}

/** Hex digits of bytes. */
export function unhex(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

/** A view of bytes that begins at an odd place of a larger buffer, as headers in a slab do. */
export function view(bytes: Uint8Array, off = 3): DataView {
  const dv = new DataView(new ArrayBuffer(off + bytes.length));
  new Uint8Array(dv.buffer).set(bytes, off);
  return dv;
}

/** `len` bytes of a view. */
export function bytes_of(dv: DataView, off: number, len: number): Uint8Array {
  return new Uint8Array(dv.buffer, dv.byteOffset + off, len).slice();
}

/** Any 16-bit number. */
export const u16: fc.Arbitrary<number> = fc.integer({ min: 0, max: 0xffff });
/** Any 8-bit number. */
export const u8: fc.Arbitrary<number> = fc.integer({ min: 0, max: 0xff });
/** Any int32. */
export const i32: fc.Arbitrary<number> = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
/** A hardware address. */
export const mac: fc.Arbitrary<Uint8Array> = fc.uint8Array({ minLength: 6, maxLength: 6 });
/** Any bytes up to a length. */
export function blob(maxLength: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ maxLength, size: "max" });
}
