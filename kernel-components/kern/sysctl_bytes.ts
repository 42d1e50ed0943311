// Binary forms of sysctl values.
import { ENOMEM } from "../../hypercall/api/errno.ts";

/** Length of the old value: room on the way in, bytes on the way out. */
export class SysctlLen {
  /** Bytes. */
  len: number;

  constructor(len: number) {
    this.len = len;
  }
}

/** Tell a value as sysctl(3) does: the size, as much as fits, ENOMEM when it does not fit. For handlers. */
export function sysctl_copyout(value: Uint8Array, oldp: Uint8Array | null, oldlenp: SysctlLen): number {
  const room = oldp === null ? value.length : Math.min(oldp.length, oldlenp.len);
  const n = Math.min(room, value.length);
  if (oldp !== null) oldp.set(value.subarray(0, n));
  oldlenp.len = value.length;
  return n < value.length ? ENOMEM : 0;
}

/** An int (4 bytes), quad (8) or bool (1) as bytes, little endian. */
export function number_to_bytes(v: number, size: number): Uint8Array {
  const out = new Uint8Array(size);
  const dv = new DataView(out.buffer);
  if (size === 1) out[0] = v === 0 ? 0 : 1;
  else if (size === 4) dv.setInt32(0, v, true);
  else dv.setBigInt64(0, BigInt(Math.trunc(v)), true);
  return out;
}

/** The number that 1, 4 or 8 bytes hold. */
export function bytes_to_number(bytes: Uint8Array): number {
  const dv = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length === 1) return bytes[0];
  if (bytes.length === 4) return dv.getInt32(0, true);
  return Number(dv.getBigInt64(0, true));
}

/** A string as bytes with a NUL at the end. Strings of the kernel are bytes: one byte a character. */
export function string_to_bytes(text: string): Uint8Array {
  const out = new Uint8Array(text.length + 1);
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
  return out;
}

/** Bytes up to a NUL as a string. */
export function bytes_to_string(bytes: Uint8Array): string {
  let s = "";
  for (let i = 0; i < bytes.length && bytes[i] !== 0; i++) s += String.fromCharCode(bytes[i]);
  return s;
}
