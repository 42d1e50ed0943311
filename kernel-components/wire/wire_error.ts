/*
 * Why a codec refused a packet. The object form of every codec in wire/ answers with one of these: 0 is success, everything else is negative, so a
 * function that also returns a length (xxx_emit) can use the same numbers.
 */

/** The packet was read or written. */
export const WIRE_OK = 0;
/** Fewer bytes than the fixed header, or than a length field promises. */
export const WIRE_ETRUNC = -1;
/** The version field is not the one this codec speaks. */
export const WIRE_EVERSION = -2;
/** The header length field is impossible (too small, or beyond the packet). */
export const WIRE_EHLEN = -3;
/** A total, payload or element length field is impossible. */
export const WIRE_ELEN = -4;
/** A type, hardware or protocol field has a value this codec does not speak. */
export const WIRE_ETYPE = -5;
/** A header option is malformed (length 0 or 1, or beyond the header). */
export const WIRE_EOPT = -6;
/** The checksum is wrong. */
export const WIRE_ECKSUM = -7;
/** xxx_emit: the buffer is too small for what is to be written. */
export const WIRE_ENOSPACE = -8;
/** xxx_emit: a field holds a value that its place in the header cannot. */
export const WIRE_ERANGE = -9;

/** One phrase for each code, indexed by its negation. */
const wire_errlist: readonly string[] = [
  "no error",
  "truncated",
  "bad version",
  "bad header length",
  "bad length",
  "unknown type",
  "malformed option",
  "bad checksum",
  "no room in the buffer",
  "field out of range",
];

/** The phrase that names a WIRE_* code, for messages to people. */
export function wire_strerror(code: number): string {
  return wire_errlist[-code] ?? `wire error ${code}`;
}
