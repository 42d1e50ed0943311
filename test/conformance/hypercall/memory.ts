// Conformance: memory.
import { expect } from "chai";
import { RUMPUSER_PARAM_MEMLIMIT } from "../../../hypercall/api/param.ts";
import type { Subject } from "./subject.ts";

const CHUNK = 65_536;

/** memory. */
export function memoryConformance(get: () => Subject): void {
  it("hands out aligned ranges that do not overlap, and hands them out again", () => {
    const [one, two] = [get().host().memory, get().host().memory];
    const taken: { off: number; size: number; memory: typeof one }[] = [];
    for (const [size, align] of [
      [CHUNK, 4096],
      [100, 8],
      [CHUNK, CHUNK],
      [5000, 1],
    ] as const) {
      for (const memory of [one, two]) {
        const off = memory.rumpuser_malloc(size, align);
        expect(off).to.be.greaterThan(0);
        expect(off % align).to.equal(0);
        expect(off + size).to.be.at.most(memory.slab.u8.length);
        for (const other of taken) expect(off >= other.off + other.size || other.off >= off + size).to.equal(true);
        taken.push({ off, size, memory });
      }
    }
    for (const { off, size, memory } of taken) memory.rumpuser_free(off, size);
    const half = one.slab.u8.length / 2;
    for (let i = 0; i < 5; i++) {
      const off = one.rumpuser_malloc(half, 8);
      expect(off).to.be.greaterThan(0);
      one.rumpuser_free(off, half);
    }
  });

  it("answers 0 for what makes no sense and for what is too much", () => {
    const { memory } = get().host();
    for (const [size, align] of [
      [0, 1],
      [-1, 1],
      [1.5, 1],
      [64, 3],
      [64, 0],
      [2 ** 50, 8],
    ] as const) {
      expect(memory.rumpuser_malloc(size, align), `${size} ${align}`).to.equal(0);
    }
  });

  it("keeps a kernel below its RUMP_MEMLIMIT", () => {
    const { memory } = get().host({ [RUMPUSER_PARAM_MEMLIMIT]: "128k" });
    const off = memory.rumpuser_malloc(CHUNK, 8);
    expect(off).to.be.greaterThan(0);
    expect(memory.rumpuser_malloc(CHUNK + 1, 8)).to.equal(0);
    memory.rumpuser_free(off, CHUNK);
    const whole = memory.rumpuser_malloc(2 * CHUNK, 8);
    expect(whole).to.be.greaterThan(0);
    memory.rumpuser_free(whole, 2 * CHUNK);
  });

  it("throws when a kernel gives back what it does not hold", () => {
    const [one, two] = [get().host().memory, get().host().memory];
    const off = one.rumpuser_malloc(4096, 8);
    expect(() => two.rumpuser_free(off, 4096)).to.throw();
    expect(() => one.rumpuser_free(off, 4095)).to.throw();
    one.rumpuser_free(off, 4096);
    expect(() => one.rumpuser_free(off, 4096)).to.throw();
  });

  it("shares one slab between the hosts of a process, with views of the same bytes", () => {
    const [one, two] = [get().host().memory.slab, get().host().memory.slab];
    expect(one.buffer).to.equal(two.buffer);
    expect([one.u8.buffer, one.dv.buffer, one.i32.buffer]).to.deep.equal([one.buffer, one.buffer, one.buffer]);
  });
}
