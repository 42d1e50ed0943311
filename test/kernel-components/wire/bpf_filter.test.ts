import { expect } from "chai";
import fc from "fast-check";
import { bpf_filter, bpf_filter_chain, type BpfReader } from "../../../kernel-components/wire/bpf_filter.ts";
import {
  BPF_A,
  BPF_ABS,
  BPF_ADD,
  BPF_ALU,
  BPF_B,
  BPF_DIV,
  BPF_H,
  BPF_IMM,
  BPF_IND,
  BPF_JA,
  BPF_JEQ,
  BPF_JGT,
  BPF_JMP,
  BPF_JUMP,
  BPF_K,
  BPF_LD,
  BPF_LDX,
  BPF_LEN,
  BPF_LSH,
  BPF_MEM,
  BPF_MISC,
  BPF_MOD,
  BPF_MSH,
  BPF_NEG,
  BPF_RET,
  BPF_RSH,
  BPF_ST,
  BPF_STMT,
  BPF_STX,
  BPF_SUB,
  BPF_TAX,
  BPF_TXA,
  BPF_W,
  BPF_X,
  BpfProgram,
  bpf_insns_emit,
  bpf_insns_parse,
  bpf_program,
  bpf_validate,
} from "../../../kernel-components/wire/bpf_insn.ts";
import { blob, hex, i32, view } from "./bytes.ts";

/** Runs instructions over bytes that lie at offset 3. */
function run(insns: (readonly number[])[], bytes: Uint8Array = hex(""), wirelen = bytes.length): number {
  const prog = bpf_program(insns.flat());
  expect(prog, "valid").not.to.equal(null);
  return bpf_filter(prog as BpfProgram, view(bytes), 3, wirelen, bytes.length);
}
function valid(...insns: (readonly number[])[]): boolean {
  return bpf_validate(Int32Array.from(insns.flat()));
}
const RET_A = BPF_STMT(BPF_RET | BPF_A, 0);
const RET_0 = BPF_STMT(BPF_RET | BPF_K, 0);

/** A chain of chunks, read byte by byte. */
class Chunks implements BpfReader {
  err = false;
  readonly chunks: Uint8Array[];
  constructor(chunks: Uint8Array[]) {
    this.chunks = chunks;
  }
  load_byte(off: number): number {
    for (const c of this.chunks) {
      if (off < c.length) {
        this.err = false;
        return c[off] as number;
      }
      off -= c.length;
    }
    this.err = true;
    return 0;
  }
  load_half(off: number): number {
    const hi = this.load_byte(off);
    return (hi << 8) | this.load_byte(off + 1);
  }
  load_word(off: number): number {
    const hi = this.load_half(off);
    return (hi << 16) | this.load_half(off + 2);
  }
}

/** The machine once more, in bigints and without cleverness. */
function naive(insns: Int32Array, pkt: Uint8Array, wirelen: number): number {
  const M = 1n << 32n;
  const u = (v: bigint): bigint => ((v % M) + M) % M;
  let A = 0n;
  let X = 0n;
  const mem = new Map<bigint, bigint>();
  for (let pc = 0; ; pc++) {
    const [code, jt, jf, ki] = insns.slice(4 * pc, 4 * pc + 4) as unknown as [number, number, number, number];
    const k = u(BigInt(ki));
    const src = code & BPF_X ? X : k;
    const cls = code & 7;
    if (cls === BPF_RET) return Number(code & BPF_A ? A : k);
    if (cls === BPF_ST) mem.set(k, A);
    if (cls === BPF_STX) mem.set(k, X);
    if (code === (BPF_MISC | BPF_TAX)) X = A;
    if (code === (BPF_MISC | BPF_TXA)) A = X;
    if (cls === BPF_JMP) {
      const op = code & 0xf0;
      const t = op === BPF_JEQ ? A === src : op === BPF_JGT ? A > src : op === 0x30 ? A >= src : (A & src) !== 0n;
      pc += op === BPF_JA ? Number(k) : t ? jt : jf;
    }
    if (cls === BPF_LD || cls === BPF_LDX) {
      const mode = code & 0xe0;
      let v = k;
      if (mode === BPF_MEM) v = mem.get(k) as bigint;
      if (mode === BPF_LEN) v = BigInt(wirelen);
      if (mode === BPF_ABS || mode === BPF_IND || mode === BPF_MSH) {
        const at = mode === BPF_IND ? X + k : k;
        const n = code & BPF_B ? 1n : code & BPF_H ? 2n : 4n;
        if (at + n > BigInt(pkt.length)) return 0;
        v = 0n;
        for (let i = 0n; i < n; i++) v = v * 256n + BigInt(pkt[Number(at + i)] as number);
        if (mode === BPF_MSH) v = (v & 15n) * 4n;
      }
      if (cls === BPF_LD) A = v;
      else X = v;
    }
    if (cls === BPF_ALU) {
      const op = code & 0xf0;
      if ((op === BPF_DIV || op === BPF_MOD) && src === 0n) return 0;
      const f: Record<number, () => bigint> = {
        0x00: () => A + src,
        0x10: () => A - src,
        0x20: () => A * src,
        0x30: () => A / src,
        0x40: () => A | src,
        0x50: () => A & src,
        0x60: () => (src > 31n ? 0n : A << src),
        0x70: () => (src > 31n ? 0n : A >> src),
        0x80: () => -A,
        0x90: () => A % src,
        0xa0: () => A ^ src,
      };
      A = u((f[op] as () => bigint)());
    }
  }
}

describe("wire/bpf_insn", () => {
  it("accepts programs that never set A or X: both begin as zero (NetBSD noinitA, noinitX)", () => {
    expect(run([RET_A])).to.equal(0);
    expect(run([BPF_STMT(BPF_MISC | BPF_TXA, 0), RET_A])).to.equal(0);
  });

  it("refuses a load of a scratch word that no store came before (NetBSD badmem)", () => {
    expect(valid(BPF_STMT(BPF_LD | BPF_MEM, 5), RET_A)).to.equal(false);
    expect(valid(BPF_STMT(BPF_ST, 5), BPF_STMT(BPF_LD | BPF_MEM, 5), RET_A)).to.equal(true);
    expect(valid(BPF_STMT(BPF_STX, 5), BPF_STMT(BPF_LDX | BPF_MEM, 4), RET_A)).to.equal(false);
    for (const k of [-1, 16]) {
      expect(valid(BPF_STMT(BPF_ST, k), RET_A)).to.equal(false);
      expect(valid(BPF_STMT(BPF_LD | BPF_MEM, k), RET_A)).to.equal(false);
    }
  });

  it("follows every path to a load: a store on one branch is not enough", () => {
    const branch = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
    expect(valid(branch, BPF_STMT(BPF_ST, 0), BPF_STMT(BPF_LD | BPF_MEM, 0), RET_A)).to.equal(false);
    expect(valid(BPF_STMT(BPF_ST, 0), branch, BPF_STMT(BPF_ST, 1), BPF_STMT(BPF_LD | BPF_MEM, 0), RET_A)).to.equal(
      true,
    );
  });

  it("refuses jumps out of the program and backwards (NetBSD badjmp, negjmp)", () => {
    expect(valid(BPF_STMT(BPF_JMP | BPF_JA, 5), RET_A)).to.equal(false);
    expect(valid(BPF_STMT(BPF_JMP | BPF_JA, 0), BPF_STMT(BPF_JMP | BPF_JA, -2), RET_A)).to.equal(false);
    expect(valid(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), RET_A)).to.equal(false);
    expect(valid(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 255), RET_A)).to.equal(false);
    expect(valid(BPF_STMT(BPF_JMP | BPF_JA, 0), RET_A)).to.equal(true);
  });

  it("refuses a program that does not end in a return, or in one that does not exist (NetBSD badret)", () => {
    expect(valid(BPF_STMT(BPF_RET | BPF_A | 0x8000, 0))).to.equal(false);
    expect(valid(BPF_STMT(BPF_RET | BPF_X, 0))).to.equal(false);
    expect(valid(RET_A, BPF_STMT(BPF_LD | BPF_IMM, 1))).to.equal(false);
  });

  it("refuses division by a constant zero (NetBSD div_by_zero)", () => {
    expect(valid(BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), RET_A)).to.equal(false);
    expect(valid(BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 0), RET_A)).to.equal(false);
    expect(valid(BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0), RET_A)).to.equal(true);
  });

  it("refuses empty programs, more than 512 instructions and half an instruction", () => {
    expect(valid()).to.equal(false);
    expect(bpf_validate(new Int32Array([BPF_RET | BPF_K, 0, 0]))).to.equal(false);
    const long = (n: number): boolean =>
      valid(...new Array<readonly number[]>(n - 1).fill(BPF_STMT(BPF_LD | BPF_IMM, 1)), RET_A);
    expect([long(512), long(513)]).to.deep.equal([true, false]);
  });

  it("refuses every code that is no instruction", () => {
    const known: number[] = [];
    for (let code = 0; code < 0x200; code++)
      if (valid(BPF_STMT(BPF_ST, 1), BPF_JUMP(code, 1, 0, 0), RET_A, RET_A)) known.push(code);
    expect(known.length).to.equal(9 + 4 + 2 + 21 + 9 + 2 + 2); // ld, ldx, st and stx, alu, jmp, ret, misc
    expect(known.every((c) => c < 0x100)).to.equal(true);
  });

  it("reads and writes the structs of the system call", () => {
    const b = bpf_insns_emit(Int32Array.from([...BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x12345678, 1, 255), ...RET_A]));
    expect(Buffer.from(b).toString("hex")).to.equal("150001ff78563412" + "1600000000000000");
    expect(bpf_insns_emit(bpf_insns_parse(b, 2) as Int32Array)).to.deep.equal(b);
    expect(bpf_insns_parse(b, 3)).to.equal(null);
    expect(bpf_insns_parse(b, -1)).to.equal(null);
    expect(bpf_insns_parse(new Uint8Array(8 * 600), 513)).to.equal(null);
  });
});

describe("wire/bpf_filter", () => {
  it("computes in unsigned 32-bit numbers", () => {
    const alu = (a: number, op: number, b: number): number =>
      run([BPF_STMT(BPF_LD | BPF_IMM, a), BPF_STMT(BPF_ALU | op | BPF_K, b), RET_A]);
    expect(alu(0xffffffff, BPF_ADD, 2)).to.equal(1);
    expect(alu(0, BPF_SUB, 1)).to.equal(0xffffffff);
    expect(alu(0xfffffffe, BPF_DIV, 2)).to.equal(0x7fffffff);
    expect(alu(0xffffffff, BPF_MOD, 10)).to.equal(5);
    expect(alu(0x80000000, BPF_RSH, 31)).to.equal(1);
    expect(alu(1, BPF_NEG, 0)).to.equal(0xffffffff);
    expect([32, 33, 0x80000000].map((n) => alu(1, BPF_LSH, n))).to.deep.equal([0, 0, 0]);
  });

  it("compares unsigned", () => {
    const gt = (a: number, b: number): number =>
      run([
        BPF_STMT(BPF_LD | BPF_IMM, a),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, b, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 1),
        RET_0,
      ]);
    expect([gt(0xffffffff, 1), gt(1, 0xffffffff), gt(5, 5)]).to.deep.equal([1, 0, 0]);
  });

  it("refuses the packet on division by a zero in X and on loads outside of it", () => {
    expect(run([BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0), BPF_STMT(BPF_RET | BPF_K, 7)])).to.equal(0);
    const load = (code: number, k: number, x = 0): number =>
      run([BPF_STMT(BPF_LDX | BPF_IMM, x), BPF_STMT(code, k), BPF_STMT(BPF_RET | BPF_K, 7)], hex("01020304"));
    expect([0, 1, -1, -4].map((k) => load(BPF_LD | BPF_W | BPF_ABS, k))).to.deep.equal([7, 0, 0, 0]);
    expect([2, 3].map((k) => load(BPF_LD | BPF_H | BPF_ABS, k))).to.deep.equal([7, 0]);
    expect([3, 4, 0x7fffffff].map((k) => load(BPF_LD | BPF_B | BPF_ABS, k))).to.deep.equal([7, 0, 0]);
    expect([3, 4].map((k) => load(BPF_LDX | BPF_B | BPF_MSH, k))).to.deep.equal([7, 0]);
    expect(load(BPF_LD | BPF_B | BPF_IND, -1, 4), "X + k does not wrap (NetBSD ldb_ind_overflow3)").to.equal(0);
    expect(load(BPF_LD | BPF_B | BPF_IND, 0x7fffffff, 0x7fffffff)).to.equal(0);
  });

  it("gives the length on the wire, not that of the piece at hand", () => {
    expect(run([BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), RET_A], hex("00"), 1500)).to.equal(1500);
  });

  it("runs what tcpdump compiles for 'udp port 53 or icmp'", () => {
    const text =
      "40 0 0 12;21 0 6 34525;48 0 0 20;21 0 16 17;40 0 0 54;21 13 0 53;40 0 0 56;21 11 12 53;21 0 11 2048;48 0 0 23;" +
      "21 0 7 17;40 0 0 20;69 7 0 8191;177 0 0 14;72 0 0 14;21 3 0 53;72 0 0 16;21 1 2 53;21 0 1 1;6 0 0 262144;6 0 0 0";
    const insns = text.split(";").map((l) => l.split(" ").map(Number));
    const eth = "ffffffffffff 020000000001 0800";
    const dns = hex(`${eth} 4600 0024 0001 0000 4011 0000 0a000001 0a000002 94040000 1234 0035 000c 0000 61626364`);
    expect(run(insns, dns)).to.equal(262144);
    const frag = dns.slice();
    frag[14 + 7] = 1;
    expect(run(insns, frag), "a later fragment has no ports").to.equal(0);
    const other = dns.slice();
    other[14 + 24 + 3] = 0x36;
    expect(run(insns, other)).to.equal(0);
    other[14 + 9] = 1;
    expect(run(insns, other), "icmp").to.equal(262144);
    expect(run(insns, dns.slice(0, 30))).to.equal(0);
  });

  it("finds magic bytes at the end of a packet, in one piece or in a chain (NetBSD contig, mchain)", () => {
    const prog = bpf_program(
      [
        BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
        BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 7),
        BPF_STMT(BPF_MISC | BPF_TAX, 0),
        BPF_STMT(BPF_LD | BPF_IND | BPF_B, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x37, 1, 0),
        RET_0,
        BPF_STMT(BPF_LD | BPF_IND | BPF_H, 1),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xc2c2, 1, 0),
        RET_0,
        BPF_STMT(BPF_LD | BPF_IND | BPF_W, 3),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x7d7d7d7d, 1, 0),
        RET_0,
        BPF_STMT(BPF_RET | BPF_K, -1),
      ].flat(),
    ) as BpfProgram;
    const pkt = Uint8Array.of(...new Uint8Array(50), ...hex("37 c2c2 7d7d7d7d"));
    expect(bpf_filter(prog, view(pkt), 3, pkt.length, pkt.length)).to.equal(0xffffffff);
    for (let cut = 0; cut <= pkt.length; cut++) {
      const chain = new Chunks([pkt.slice(0, cut), pkt.slice(cut)]);
      expect(bpf_filter_chain(prog, chain, pkt.length, pkt.length), `${cut}`).to.equal(0xffffffff);
    }
    expect(bpf_filter_chain(prog, new Chunks([pkt.slice(0, 56)]), pkt.length, pkt.length), "short chain").to.equal(0);
  });

  it("agrees with the naive machine on random programs and packets, contiguous and chained", () => {
    const k = fc.oneof(fc.integer({ min: -1, max: 20 }), fc.integer({ min: 0, max: 15 }), i32);
    const codes = [
      0x00, 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x60, 0x80, 0x01, 0x61, 0x81, 0xb1, 0x02, 0x03, 0x07, 0x87, 0x05, 0x15,
      0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d, 0x06, 0x16,
    ];
    for (let op = 0; op <= 0xa0; op += 0x10) codes.push(op | 4, op | 12);
    const insn = fc
      .tuple(fc.constantFrom(...codes.filter((c) => c !== 0x8c)), fc.nat(3), fc.nat(3), k)
      .map(([code, jt, jf, v]) => [
        code,
        jt,
        jf,
        code === 0x05 ? v & 3 : (code & 7) === 2 || (code & 7) === 3 ? v & 1 : v,
      ]);
    const store = [...BPF_STMT(BPF_ST, 0), ...BPF_STMT(BPF_STX, 1)];
    let ran = 0;
    fc.assert(
      fc.property(
        fc.array(insn, { maxLength: 24 }),
        blob(24),
        fc.nat(24),
        fc.nat(70_000),
        (body, pkt, cut, wirelen) => {
          const insns = Int32Array.from([...store, ...body.flat(), ...RET_A, ...RET_A, ...RET_A, ...RET_A]);
          const prog = bpf_program(insns);
          if (prog === null) return;
          ran++;
          const want = naive(insns, pkt, wirelen);
          expect(bpf_filter(prog, view(pkt), 3, wirelen, pkt.length)).to.equal(want);
          const chain = new Chunks([pkt.slice(0, cut), new Uint8Array(0), pkt.slice(cut)]);
          expect(bpf_filter_chain(prog, chain, wirelen, pkt.length)).to.equal(want);
        },
      ),
      { numRuns: 3000 },
    );
    expect(ran, "programs that were valid").to.be.above(500);
  });

  it("refuses the packet instead of going round when an unchecked jump overflows", () => {
    for (const k of [-1, 0x20000000, 0x3fffffff, 0x40000000, 0x7fffffff]) {
      const prog = new BpfProgram(Int32Array.from([...BPF_STMT(BPF_JMP | BPF_JA, k), ...RET_A]));
      expect(bpf_filter(prog, view(hex("00")), 3, 1, 1), `${k}`).to.equal(0);
    }
  });

  it("neither throws nor hangs on random instructions, checked or not", () => {
    const raw = fc.array(fc.tuple(fc.nat(0x1ff), fc.nat(255), fc.nat(255), i32), { maxLength: 20 });
    fc.assert(
      fc.property(raw, blob(30), (body, pkt) => {
        const insns = Int32Array.from(body.flat());
        bpf_validate(insns);
        expect(bpf_filter(new BpfProgram(insns), view(pkt), 3, pkt.length, pkt.length)).to.be.within(0, 2 ** 32 - 1);
      }),
      { numRuns: 500 },
    );
  });
});
