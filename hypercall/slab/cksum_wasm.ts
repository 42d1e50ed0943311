// The checksum as a WebAssembly module, assembled by hand (WebAssembly core specification 2.0, binary format; opcodes of the SIMD proposal).
// One function, `cksum(off, len)`: adds little-endian 16-bit words in four lanes of 32 bits, then folds and swaps bytes, which gives the same
// as adding big-endian words (RFC 1071 §2 B). A lane gains at most 2 * 65535 from 16 bytes, so it holds CKSUM_WASM_MAX bytes without overflow.

/** Most bytes for one call. */
export const CKSUM_WASM_MAX = 262_144;

// value types, section numbers, kinds
const I32 = 0x7f;
const V128 = 0x7b;
const FUNC = 0x60;
const SEC_TYPE = 1;
const SEC_IMPORT = 2;
const SEC_FUNCTION = 3;
const SEC_EXPORT = 7;
const SEC_CODE = 10;
const KIND_FUNC = 0;
const KIND_MEMORY = 2;

// locals: two parameters, then those declared in cksum_body
const OFF = 0;
const LEN = 1;
const SUM = 2;
const WORD = 3;
const ACC = 4;
const ACC2 = 5;
const FOLD = 6;

// instructions
const BLOCK: readonly number[] = [0x02, 0x40];
const LOOP: readonly number[] = [0x03, 0x40];
const IF: readonly number[] = [0x04, 0x40];
const END = 0x0b;
const BR = 0x0c;
const BR_IF = 0x0d;
const GET = 0x20;
const SET = 0x21;
const I32_CONST = 0x41;
const I32_LT_U = 0x49;
const I32_ADD = 0x6a;
const I32_SUB = 0x6b;
const I32_AND = 0x71;
const I32_OR = 0x72;
const I32_SHL = 0x74;
const I32_SHR_U = 0x76;
const I32_LOAD = 0x28;
const I32_LOAD8_U = 0x2d;
const I32_LOAD16_U = 0x2f;
const SIMD = 0xfd;
const V128_LOAD = 0x00;
const V128_AND = 0x4e;
const I32X4_EXTRACT_LANE = 0x1b;
const I32X4_SPLAT = 0x11;
const I32X4_EXTADD_PAIRWISE_I16X8_U = 0x7f;
const I32X4_SHR_U = 0xad;
const I32X4_ADD = 0xae;

/** Unsigned LEB128. */
function leb(value: number): number[] {
  const out: number[] = [];
  for (; value >= 0x80; value >>>= 7) out.push((value & 0x7f) | 0x80);
  return [...out, value];
}

/** i32.const of a small value that is not negative: signed LEB128 needs its bit 6 clear. */
function i32_const(value: number): number[] {
  const bytes = leb(value);
  const last = bytes[bytes.length - 1];
  if ((last & 0x40) === 0) return [I32_CONST, ...bytes];
  return [I32_CONST, ...bytes.slice(0, -1), last | 0x80, 0];
}

/** A SIMD instruction: the prefix and the number of the instruction as LEB128. */
function simd(op: number, ...immediates: number[]): number[] {
  return [SIMD, ...leb(op), ...immediates];
}

/** Bytes with their length in front. */
function sized(bytes: readonly number[]): number[] {
  return [...leb(bytes.length), ...bytes];
}

function section(id: number, bytes: readonly number[]): number[] {
  return [id, ...sized(bytes)];
}

function name(text: string): number[] {
  return sized(Array.from(text, (c) => c.charCodeAt(0)));
}

/** acc += pairwise sums of the eight words at off + `at`. */
function add_vector(acc: number, at: number): number[] {
  return [
    ...[GET, acc, GET, OFF],
    ...simd(V128_LOAD, 0, ...leb(at)),
    ...simd(I32X4_EXTADD_PAIRWISE_I16X8_U),
    ...simd(I32X4_ADD),
    ...[SET, acc],
  ];
}

/** off += n; len -= n. */
function advance(n: number): number[] {
  return [GET, OFF, ...i32_const(n), I32_ADD, SET, OFF, GET, LEN, ...i32_const(n), I32_SUB, SET, LEN];
}

/** while (len >= n) { body; off += n; len -= n }. */
function while_len(n: number, body: readonly number[]): number[] {
  return [
    ...[...BLOCK, ...LOOP],
    ...[GET, LEN, ...i32_const(n), I32_LT_U, BR_IF, 1],
    ...body,
    ...advance(n),
    ...[BR, 0, END, END],
  ];
}

/** if (len & bit) body. */
function if_len(bit: number, body: readonly number[]): number[] {
  return [GET, LEN, ...i32_const(bit), I32_AND, ...IF, ...body, END];
}

/** sum = (sum & 0xffff) + (sum >>> 16). */
const FOLD_SUM: readonly number[] = [
  ...[GET, SUM, ...i32_const(0xffff), I32_AND],
  ...[GET, SUM, ...i32_const(16), I32_SHR_U],
  ...[I32_ADD, SET, SUM],
];

/** sum += the four lanes of acc + acc2 (below 2^32 for CKSUM_WASM_MAX bytes), each folded to 17 bits first. */
function add_lanes(): number[] {
  return [
    ...[GET, ACC, GET, ACC2, ...simd(I32X4_ADD), SET, FOLD],
    ...[GET, FOLD, ...i32_const(0xffff), ...simd(I32X4_SPLAT), ...simd(V128_AND)],
    ...[GET, FOLD, ...i32_const(16), ...simd(I32X4_SHR_U), ...simd(I32X4_ADD), SET, FOLD],
    ...[0, 1, 2, 3].flatMap((lane) => [GET, SUM, GET, FOLD, ...simd(I32X4_EXTRACT_LANE, lane), I32_ADD, SET, SUM]),
  ];
}

function cksum_body(): number[] {
  return [
    ...[2, ...[2, I32], ...[3, V128]], // locals: sum, word; acc, acc2, fold
    ...while_len(64, [...add_vector(ACC, 0), ...add_vector(ACC2, 16), ...add_vector(ACC, 32), ...add_vector(ACC2, 48)]),
    ...while_len(16, add_vector(ACC, 0)),
    ...add_lanes(),
    ...while_len(4, [
      ...[GET, OFF, I32_LOAD, 0, 0, SET, WORD],
      ...[GET, SUM, GET, WORD, ...i32_const(0xffff), I32_AND, I32_ADD],
      ...[GET, WORD, ...i32_const(16), I32_SHR_U, I32_ADD, SET, SUM],
    ]),
    ...if_len(2, [
      GET,
      SUM,
      GET,
      OFF,
      I32_LOAD16_U,
      0,
      0,
      I32_ADD,
      SET,
      SUM,
      GET,
      OFF,
      ...i32_const(2),
      I32_ADD,
      SET,
      OFF,
    ]),
    ...if_len(1, [GET, SUM, GET, OFF, I32_LOAD8_U, 0, 0, I32_ADD, SET, SUM]),
    ...FOLD_SUM,
    ...FOLD_SUM,
    ...[
      GET,
      SUM,
      ...i32_const(8),
      I32_SHR_U,
      GET,
      SUM,
      ...i32_const(8),
      I32_SHL,
      I32_OR,
      ...i32_const(0xffff),
      I32_AND,
    ],
    END,
  ];
}

/** The module: imports env.memory of at least one page, exports cksum(off: i32, len: i32): i32. */
export function cksum_module(): Uint8Array {
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(SEC_TYPE, [1, FUNC, 2, I32, I32, 1, I32]),
    ...section(SEC_IMPORT, [1, ...name("env"), ...name("memory"), KIND_MEMORY, 0, 1]),
    ...section(SEC_FUNCTION, [1, 0]),
    ...section(SEC_EXPORT, [1, ...name("cksum"), KIND_FUNC, 0]),
    ...section(SEC_CODE, [1, ...sized(cksum_body())]),
  ]);
}
