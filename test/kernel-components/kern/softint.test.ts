// Softints: never inside the scheduling call, by level, once, and not after disestablish.
import { expect } from "chai";
import { KernelPanic } from "../../../kernel-components/kern/kernel.ts";
import {
  SOFTINT_BIO,
  SOFTINT_CLOCK,
  softint_disestablish,
  softint_establish,
  SOFTINT_MPSAFE,
  SOFTINT_NET,
  softint_schedule,
  SOFTINT_SERIAL,
} from "../../../kernel-components/kern/softint.ts";
import { bootKernel } from "../../support/kernel.ts";

describe("softint", () => {
  it("never runs inside the scheduling call nor in a nested leave, but when the kernel is left", () => {
    const t = bootKernel();
    let ran = 0;
    const h = softint_establish(t.k, SOFTINT_NET, () => ran++, null);
    t.k.enter();
    t.k.enter();
    softint_schedule(t.k, h);
    softint_schedule(t.k, h);
    expect(ran).to.equal(0);
    t.k.leave();
    expect(ran).to.equal(0);
    t.k.leave();
    expect(ran, "twice scheduled, once run").to.equal(1);
    softint_disestablish(t.k, h);
    t.end();
  });

  it("scheduled outside the kernel, it runs soon and not inside the call", () => {
    const t = bootKernel();
    let ran = 0;
    const h = softint_establish(t.k, SOFTINT_NET, () => ran++, null);
    softint_schedule(t.k, h);
    expect(ran).to.equal(0);
    t.run(0);
    expect(ran).to.equal(1);
    softint_disestablish(t.k, h);
    t.end();
  });

  it("higher levels first, first come first served within one", () => {
    const t = bootKernel();
    const order: string[] = [];
    const levels: [number, string][] = [
      [SOFTINT_CLOCK, "clock"],
      [SOFTINT_NET, "net1"],
      [SOFTINT_NET | SOFTINT_MPSAFE, "net2"],
      [SOFTINT_SERIAL, "serial"],
      [SOFTINT_BIO, "bio"],
    ];
    const handles = levels.map(([level, name]) => softint_establish(t.k, level, (s: string) => order.push(s), name));
    t.in_kernel(() => handles.forEach((h) => softint_schedule(t.k, h)));
    expect(order).to.deep.equal(["serial", "net1", "net2", "bio", "clock"]);
    for (const h of handles) softint_disestablish(t.k, h);
    t.end();
  });

  it("one that schedules itself runs again after the others of its level, and the host gets its turn", () => {
    const t = bootKernel();
    const order: string[] = [];
    let left = 20_000;
    const self = softint_establish(
      t.k,
      SOFTINT_NET,
      () => {
        if (order.length < 4) order.push("self");
        if (--left > 0) softint_schedule(t.k, self);
      },
      null,
    );
    const other = softint_establish(t.k, SOFTINT_NET, () => order.push("other"), null);
    t.in_kernel(() => {
      softint_schedule(t.k, self);
      softint_schedule(t.k, other);
    });
    expect(order.slice(0, 3)).to.deep.equal(["self", "other", "self"]);
    t.run(0);
    expect(left).to.equal(0);
    softint_disestablish(t.k, self);
    softint_disestablish(t.k, other);
    t.end();
  });

  it("a pending one does not run after disestablish, and its handle is dead", () => {
    const t = bootKernel();
    let ran = 0;
    t.in_kernel(() => {
      const h = softint_establish(t.k, SOFTINT_NET, () => ran++, null);
      softint_schedule(t.k, h);
      softint_disestablish(t.k, h);
    });
    expect(ran).to.equal(0);
    expect(() => softint_schedule(t.k, 99)).to.throw(KernelPanic, "no softint 99");
  });

  it("a level that does not exist is a panic", () => {
    const t = bootKernel();
    expect(() => softint_establish(t.k, 4, () => undefined, null)).to.throw(KernelPanic, "no level 4");
  });
});
