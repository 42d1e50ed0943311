// NetBSD tests/net/bpf/t_mbuf: loads of the filter machine from packets of two mbufs, cut everywhere.
import { expect } from "chai";
import { MT_DATA } from "../../../../kernel-components/kern/mbuf.ts";
import type { Mbuf } from "../../../../kernel-components/kern/mbuf.ts";
import { m_freem, m_get } from "../../../../kernel-components/kern/mbuf_alloc.ts";
import { BpfMbufReader } from "../../../../kernel-components/net/bpf_tap.ts";
import { bpf_filter_chain } from "../../../../kernel-components/wire/bpf_filter.ts";
import * as B from "../../../../kernel-components/wire/bpf_insn.ts";
import { bootKernel } from "../../../support/kernel.ts";
import type { TestKernel } from "../../../support/kernel.ts";

const PACKET = [1, 2, 3, 4, 5];
const UINT32_MAX = 0xffff_ffff;
const RET_A = B.BPF_STMT(B.BPF_RET | B.BPF_A, 0);
const A_PLUS_1 = B.BPF_STMT(B.BPF_ALU | B.BPF_ADD | B.BPF_K, 1);
const A_PLUS_X = B.BPF_STMT(B.BPF_ALU | B.BPF_ADD | B.BPF_X, 0);
const A_TIMES_X = B.BPF_STMT(B.BPF_ALU | B.BPF_MUL | B.BPF_X, 0);
const TAX = B.BPF_STMT(B.BPF_MISC | B.BPF_TAX, 0);

type Insn = readonly number[];

const ldx = (k: number): Insn => B.BPF_STMT(B.BPF_LDX | B.BPF_W | B.BPF_IMM, k);
const abs = (size: number, k: number): Insn => B.BPF_STMT(B.BPF_LD | size | B.BPF_ABS, k);
const ind = (size: number, k: number): Insn => B.BPF_STMT(B.BPF_LD | size | B.BPF_IND, k);
const msh = (k: number): Insn => B.BPF_STMT(B.BPF_LDX | B.BPF_B | B.BPF_MSH, k);

/** The packet in two mbufs, the first with `split` bytes. */
function chain(t: TestKernel, split: number): Mbuf {
  const piece = (bytes: readonly number[]): Mbuf => {
    const m = m_get(t.k.mb, MT_DATA);
    if (m === null) throw new Error("no mbufs");
    m.m_len = bytes.length;
    t.k.u8.set(bytes, m.m_off);
    return m;
  };
  const m = piece(PACKET.slice(0, split));
  m.m_next = piece(PACKET.slice(split));
  return m;
}

/** What the program gives for every cut of the packet. */
function results(insns: readonly Insn[]): number[] {
  const prog = B.bpf_program(insns.flat());
  if (prog === null) throw new Error("refused");
  const t = bootKernel();
  const given = [0, 1, 2, 3, 4, 5].map((split) => {
    const reader = new BpfMbufReader();
    reader.m = chain(t, split);
    const wanted = bpf_filter_chain(prog, reader, PACKET.length, PACKET.length);
    m_freem(reader.m);
    return wanted;
  });
  t.end();
  return given;
}

function mbuf_case(name: string, want: number, insns: readonly Insn[]): void {
  it(`bpf_mbuf_${name}`, () => expect(results(insns)).to.deep.equal(new Array<number>(6).fill(want)));
}

describe("net/bpf/t_mbuf", () => {
  mbuf_case("ldb_abs", 120, [ldx(1), ...[0, 1, 2, 3, 4].flatMap((k) => [abs(B.BPF_B, k), A_TIMES_X, TAX]), RET_A]);
  mbuf_case("ldh_abs", 0x0a0e, [...[0, 1, 2, 3].flatMap((k) => [abs(B.BPF_H, k), A_PLUS_X, TAX]), RET_A]);
  mbuf_case("ldw_abs", 0x0305_0709, [...[0, 1].flatMap((k) => [abs(B.BPF_W, k), A_PLUS_X, TAX]), RET_A]);
  // By index: X is where to look, the sum is kept in the scratch word.
  const sum = (size: number, count: number): Insn[] => {
    const insns: Insn[] = [B.BPF_STMT(B.BPF_LD | B.BPF_IMM, 0), B.BPF_STMT(B.BPF_ST, 0)];
    for (let i = 0; i < count; i++) {
      insns.push(
        ldx(i >> 1),
        ind(size, i - (i >> 1)),
        B.BPF_STMT(B.BPF_LDX | B.BPF_W | B.BPF_MEM, 0),
        A_PLUS_X,
        B.BPF_STMT(B.BPF_ST, 0),
      );
    }
    return [...insns, RET_A];
  };
  mbuf_case("ldb_ind", 15, sum(B.BPF_B, 5));
  mbuf_case("ldh_ind", 0x0a0e, sum(B.BPF_H, 4));
  mbuf_case("ldw_ind", 0x0305_0709, sum(B.BPF_W, 2));
  mbuf_case("msh", 120, [
    B.BPF_STMT(B.BPF_LD | B.BPF_IMM, 1),
    ...[0, 1, 2, 3, 4].flatMap((k) => [msh(k), A_TIMES_X, B.BPF_STMT(B.BPF_ALU | B.BPF_DIV | B.BPF_K, 4)]),
    RET_A,
  ]);
  const sizes: readonly [string, number, number][] = [
    ["b", B.BPF_B, 1],
    ["h", B.BPF_H, 2],
    ["w", B.BPF_W, 4],
  ];
  for (const [letter, size, bytes] of sizes) {
    const first = PACKET.length - bytes + 1;
    mbuf_case(`ld${letter}_abs_overflow`, 0, [abs(size, first), A_PLUS_1, RET_A]);
    mbuf_case(`ld${letter}_ind_overflow1`, 0, [ind(size, first), A_PLUS_1, RET_A]);
    mbuf_case(`ld${letter}_ind_overflow2`, 0, [ldx(first - 1), ind(size, 1), A_PLUS_X, RET_A]);
    mbuf_case(`ld${letter}_ind_overflow3`, 0, [ldx(UINT32_MAX), ind(size, 1), A_PLUS_1, RET_A]);
  }
  mbuf_case("msh_overflow", 0, [msh(5), B.BPF_STMT(B.BPF_MISC | B.BPF_TXA, 0), A_PLUS_1, RET_A]);
});
