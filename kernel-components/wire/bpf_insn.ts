/*
 * The instruction set of the BSD packet filter (McCanne and Jacobson 1993; bpf(4)), programs, and the check that a program must pass before it runs.
 */

/** Most instructions in a program. */
export const BPF_MAXINSNS = 512;
/** Scratch words. */
export const BPF_MEMWORDS = 16;
/** sizeof(struct bpf_insn). */
export const BPF_INSN_LEN = 8;
/** Numbers that one instruction takes in an Int32Array: code, jt, jf, k. */
export const BPF_INSN_INTS = 4;

/** Class: load A. */
export const BPF_LD = 0x00;
/** Class: load X. */
export const BPF_LDX = 0x01;
/** Class: store A. */
export const BPF_ST = 0x02;
/** Class: store X. */
export const BPF_STX = 0x03;
/** Class: arithmetic on A. */
export const BPF_ALU = 0x04;
/** Class: jump. */
export const BPF_JMP = 0x05;
/** Class: return. */
export const BPF_RET = 0x06;
/** Class: between registers. */
export const BPF_MISC = 0x07;

/** Size: word. */
export const BPF_W = 0x00;
/** Size: half-word. */
export const BPF_H = 0x08;
/** Size: byte. */
export const BPF_B = 0x10;
/** Mode: the constant. */
export const BPF_IMM = 0x00;
/** Mode: packet, at a fixed offset. */
export const BPF_ABS = 0x20;
/** Mode: packet, at X and an offset. */
export const BPF_IND = 0x40;
/** Mode: scratch word. */
export const BPF_MEM = 0x60;
/** Mode: length of the packet on the wire. */
export const BPF_LEN = 0x80;
/** Mode: four times the low half of a byte, the length of an IPv4 header. */
export const BPF_MSH = 0xa0;

/** A + b. */
export const BPF_ADD = 0x00;
/** A - b. */
export const BPF_SUB = 0x10;
/** A * b. */
export const BPF_MUL = 0x20;
/** A / b. */
export const BPF_DIV = 0x30;
/** A | b. */
export const BPF_OR = 0x40;
/** A & b. */
export const BPF_AND = 0x50;
/** A << b. */
export const BPF_LSH = 0x60;
/** A >> b. */
export const BPF_RSH = 0x70;
/** -A. */
export const BPF_NEG = 0x80;
/** A % b. */
export const BPF_MOD = 0x90;
/** A ^ b. */
export const BPF_XOR = 0xa0;

/** Jump by k. */
export const BPF_JA = 0x00;
/** Jump if A == b. */
export const BPF_JEQ = 0x10;
/** Jump if A > b. */
export const BPF_JGT = 0x20;
/** Jump if A >= b. */
export const BPF_JGE = 0x30;
/** Jump if A & b. */
export const BPF_JSET = 0x40;

/** Source of b, or of a return value: the constant. */
export const BPF_K = 0x00;
/** Source of b: X. */
export const BPF_X = 0x08;
/** Source of a return value: A. */
export const BPF_A = 0x10;
/** X = A. */
export const BPF_TAX = 0x00;
/** A = X. */
export const BPF_TXA = 0x80;

/** A program of one instruction that takes no jump: append to the end of another's numbers. */
export function BPF_STMT(code: number, k: number): readonly number[] {
  return [code, 0, 0, k | 0];
}
/** The same of a conditional jump. */
export function BPF_JUMP(code: number, k: number, jt: number, jf: number): readonly number[] {
  return [code, jt, jf, k | 0];
}

/** A program that has passed bpf_validate, with the scratch words that it runs on: not to be run from inside itself. */
export class BpfProgram {
  /** Quadruples code, jt, jf, k; k as int32. */
  readonly insns: Int32Array;
  /** Scratch. */
  readonly mem: Int32Array = new Int32Array(BPF_MEMWORDS);
  /** Set by a load that reached outside the packet. */
  fault = false;

  /** Takes a validated program; use bpf_program. */
  constructor(insns: Int32Array) {
    this.insns = insns;
  }
}

/** A program from the numbers of its instructions, or null if bpf_validate refuses it. */
export function bpf_program(insns: readonly number[] | Int32Array): BpfProgram | null {
  const a = Int32Array.from(insns);
  return bpf_validate(a) ? new BpfProgram(a) : null;
}

/** The instructions in `n` structs bpf_insn (u16 code, u8 jt, u8 jf, u32 k, little-endian as on the machine), or null if the bytes are too few. */
export function bpf_insns_parse(bytes: Uint8Array, n: number): Int32Array | null {
  if (n < 0 || n > BPF_MAXINSNS || bytes.length < n * BPF_INSN_LEN) return null;
  const dv = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Int32Array(n * BPF_INSN_INTS);
  for (let i = 0; i < n; i++) {
    out[4 * i] = dv.getUint16(8 * i, true);
    out[4 * i + 1] = dv.getUint8(8 * i + 2);
    out[4 * i + 2] = dv.getUint8(8 * i + 3);
    out[4 * i + 3] = dv.getInt32(8 * i + 4, true);
  }
  return out;
}

/** The instructions as structs bpf_insn. */
export function bpf_insns_emit(insns: Int32Array): Uint8Array {
  const n = Math.floor(insns.length / BPF_INSN_INTS);
  const dv = new DataView(new ArrayBuffer(n * BPF_INSN_LEN));
  for (let i = 0; i < n; i++) {
    dv.setUint16(8 * i, insns[4 * i], true);
    dv.setUint8(8 * i + 2, insns[4 * i + 1]);
    dv.setUint8(8 * i + 3, insns[4 * i + 2]);
    dv.setInt32(8 * i + 4, insns[4 * i + 3], true);
  }
  return new Uint8Array(dv.buffer);
}

/**
 * May the program run? It must have 1 to BPF_MAXINSNS instructions, the last a return of a constant or of A; every instruction must exist; jumps go forward and
 * stay inside; scratch words exist and are stored on every path before they are loaded; no division by a constant zero. A and X start as zero
 * and need no store. Loads of packet bytes are checked as they run.
 *
 * NetBSD: it checks no more than class, mode and operation of an instruction, lets others pass and has them return 0 when they run; here they are refused.
 */
export function bpf_validate(insns: Int32Array): boolean {
  const len = insns.length / BPF_INSN_INTS;
  if (!Number.isInteger(len) || len < 1 || len > BPF_MAXINSNS) return false;
  const last = insns[insns.length - BPF_INSN_INTS];
  if (last !== (BPF_RET | BPF_K) && last !== (BPF_RET | BPF_A)) return false;
  const unset_at = new Int32Array(len); // scratch words that a jump to here may leave without a value, as bits
  let unset = 0xffff;
  for (let i = 0; i < len; i++) {
    unset |= unset_at[i];
    const code = insns[4 * i];
    const k = insns[4 * i + 3];
    if (!insn_known(code)) return false;
    switch (code & 7) {
      case BPF_LD:
      case BPF_LDX:
        if ((code & 0xe0) === BPF_MEM && (k < 0 || k >= BPF_MEMWORDS || (unset & (1 << k)) !== 0)) return false;
        break;
      case BPF_ST:
      case BPF_STX:
        if (k < 0 || k >= BPF_MEMWORDS) return false;
        unset &= ~(1 << k);
        break;
      case BPF_ALU:
        if ((code === (BPF_ALU | BPF_DIV | BPF_K) || code === (BPF_ALU | BPF_MOD | BPF_K)) && k === 0) return false;
        break;
      case BPF_JMP: {
        const always = code === (BPF_JMP | BPF_JA);
        const jt = always ? k : insns[4 * i + 1];
        const jf = always ? k : insns[4 * i + 2];
        const room = len - i - 1;
        if (jt < 0 || jt >= room || jf < 0 || jf >= room) return false;
        unset_at[i + 1 + jt] |= unset;
        unset_at[i + 1 + jf] |= unset;
        unset = 0;
        break;
      }
      default:
        break;
    }
  }
  return true;
}

/** Is this the code of an instruction? */
function insn_known(code: number): boolean {
  if (code < 0 || code > 0xff) return false;
  const size = code & 0x18;
  const mode = code & 0xe0;
  switch (code & 7) {
    case BPF_LD:
      if (mode === BPF_ABS || mode === BPF_IND) return size !== 0x18;
      return size === BPF_W && (mode === BPF_IMM || mode === BPF_MEM || mode === BPF_LEN);
    case BPF_LDX:
      if (mode === BPF_MSH) return size === BPF_B;
      return size === BPF_W && (mode === BPF_IMM || mode === BPF_MEM || mode === BPF_LEN);
    case BPF_ST:
    case BPF_STX:
      return code <= BPF_STX;
    case BPF_ALU:
      return (code & 0xf0) <= BPF_XOR && code !== (BPF_ALU | BPF_NEG | BPF_X);
    case BPF_JMP:
      return (code & 0xf0) <= BPF_JSET && code !== (BPF_JMP | BPF_JA | BPF_X);
    case BPF_RET:
      return code === (BPF_RET | BPF_K) || code === (BPF_RET | BPF_A);
    default:
      return code === (BPF_MISC | BPF_TAX) || code === (BPF_MISC | BPF_TXA);
  }
}
