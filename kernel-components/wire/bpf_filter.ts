/*
 * The packet filter machine: an accumulator A, an index X and sixteen scratch words, all unsigned 32-bit numbers that are kept here as int32.
 */
import {
  BPF_A,
  BPF_ADD,
  BPF_ALU,
  BPF_AND,
  BPF_B,
  BPF_DIV,
  BPF_H,
  BPF_IMM,
  BPF_IND,
  BPF_JA,
  BPF_JEQ,
  BPF_JGE,
  BPF_JGT,
  BPF_JMP,
  BPF_JSET,
  BPF_LD,
  BPF_LDX,
  BPF_LEN,
  BPF_LSH,
  BPF_MEM,
  BPF_MISC,
  BPF_MOD,
  BPF_MUL,
  BPF_NEG,
  BPF_OR,
  BPF_RET,
  BPF_RSH,
  BPF_ST,
  BPF_STX,
  BPF_SUB,
  BPF_TAX,
  BPF_X,
  BPF_XOR,
  type BpfProgram,
} from "./bpf_insn.ts";

/** How the machine reads a packet that does not lie in one piece. Each call sets `err`: true if a byte asked for is not there. */
export interface BpfReader {
  /** Did the last load reach outside the packet? */
  err: boolean;
  /** Four bytes at `off`, int32. */
  load_word(off: number): number;
  /** Two bytes at `off`, unsigned. */
  load_half(off: number): number;
  /** One byte at `off`. */
  load_byte(off: number): number;
}

/**
 * Runs a program over the packet of which `buflen` bytes lie at `off`, and which was `wirelen` bytes long on the wire. Returns how many of its bytes the filter
 * wants, as an unsigned 32-bit number (4294967295 for "all"), 0 to refuse it. A load outside the packet, or a division by zero, refuses it.
 */
// hot
export function bpf_filter(prog: BpfProgram, dv: DataView, off: number, wirelen: number, buflen: number): number {
  return run(prog, dv, off, buflen, null, wirelen);
}

/** The same over a chain of buffers. `buflen` is the chain's length: loads beyond it never reach the reader. */
// hot
export function bpf_filter_chain(prog: BpfProgram, reader: BpfReader, wirelen: number, buflen: number): number {
  return run(prog, null, 0, buflen, reader, wirelen);
}

// hot
function run(
  prog: BpfProgram,
  dv: DataView | null,
  off: number,
  buflen: number,
  reader: BpfReader | null,
  wirelen: number,
): number {
  const insns = prog.insns;
  const mem = prog.mem;
  let A = 0;
  let X = 0;
  prog.fault = false;
  for (let pc = 0; pc < insns.length; pc += 4) {
    const code = insns[pc];
    const k = insns[pc + 3];
    switch (code & 7) {
      case BPF_LD:
      case BPF_LDX: {
        let v = k;
        const mode = code & 0xe0;
        if (mode === BPF_MEM) v = mem[k];
        else if (mode === BPF_LEN) v = wirelen | 0;
        else if (mode !== BPF_IMM) {
          v = load(prog, dv, off, buflen, reader, code, mode === BPF_IND ? index(X, k) : k);
          if (prog.fault) return 0;
        }
        if ((code & 7) === BPF_LD) A = v;
        else X = v;
        break;
      }
      case BPF_ST:
      case BPF_STX:
        mem[k] = (code & 7) === BPF_ST ? A : X;
        break;
      case BPF_ALU: {
        const b = (code & BPF_X) !== 0 ? X : k;
        if (b === 0 && divides(code)) return 0;
        A = alu(code & 0xf0, A, b);
        break;
      }
      case BPF_JMP: {
        const n =
          (code & 0xf0) === BPF_JA ? k : insns[jump(code & 0xf0, A, (code & BPF_X) !== 0 ? X : k) ? pc + 1 : pc + 2];
        if (n < 0 || n >= insns.length) return 0;
        pc += n << 2;
        break;
      }
      case BPF_RET:
        return ((code & 0x18) === BPF_A ? A : k) >>> 0;
      case BPF_MISC:
        if ((code & 0xf8) === BPF_TAX) X = A;
        else A = X;
        break;
      default:
        return 0;
    }
  }
  return 0;
}

/** X + k as an offset; -1, which is in no packet, if the sum of the two unsigned numbers is more than a packet can hold. */
// hot
function index(X: number, k: number): number {
  const at = (X >>> 0) + (k >>> 0);
  return at <= 0x7fffffff ? at : -1;
}

/** Bytes of the packet for a load whose mode is BPF_ABS, BPF_IND or BPF_MSH; sets prog.fault if they are not there. */
// hot
function load(
  prog: BpfProgram,
  dv: DataView | null,
  off: number,
  buflen: number,
  reader: BpfReader | null,
  code: number,
  k: number,
): number {
  const size = code & 0x18;
  const n = size === BPF_B ? 1 : size === BPF_H ? 2 : 4;
  let v = 0;
  if (k < 0 || k + n > buflen) {
    prog.fault = true;
    return 0;
  }
  if (dv !== null) {
    v = n === 4 ? dv.getInt32(off + k) : n === 2 ? dv.getUint16(off + k) : dv.getUint8(off + k);
  } else if (reader !== null) {
    v = n === 4 ? reader.load_word(k) : n === 2 ? reader.load_half(k) : reader.load_byte(k);
    prog.fault = reader.err;
  }
  return (code & 7) === BPF_LD ? v : (v & 15) << 2;
}

/** One operation on A. Shifts by 32 and more give 0: what the C language leaves open, decided as libpcap does. */
// hot
function alu(op: number, A: number, b: number): number {
  switch (op) {
    case BPF_ADD:
      return (A + b) | 0;
    case BPF_SUB:
      return (A - b) | 0;
    case BPF_MUL:
      return Math.imul(A, b);
    case BPF_DIV:
      return ((A >>> 0) / (b >>> 0)) | 0;
    case BPF_MOD:
      return ((A >>> 0) % (b >>> 0)) | 0;
    case BPF_OR:
      return A | b;
    case BPF_AND:
      return A & b;
    case BPF_XOR:
      return A ^ b;
    case BPF_LSH:
      return b >>> 5 !== 0 ? 0 : A << b;
    case BPF_RSH:
      return b >>> 5 !== 0 ? 0 : (A >>> b) | 0;
    case BPF_NEG:
      return -A | 0;
    default:
      return 0;
  }
}

/** Is the instruction a division, with or without remainder? */
// hot
function divides(code: number): boolean {
  return (code & 0xf0) === BPF_DIV || (code & 0xf0) === BPF_MOD;
}

/** Is the condition of a jump true? */
// hot
function jump(op: number, A: number, b: number): boolean {
  switch (op) {
    case BPF_JEQ:
      return A === b;
    case BPF_JGT:
      return A >>> 0 > b >>> 0;
    case BPF_JGE:
      return A >>> 0 >= b >>> 0;
    case BPF_JSET:
      return (A & b) !== 0;
    default:
      return false;
  }
}
