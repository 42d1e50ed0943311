// Building a kernel from components: order, what is missing or excluded, failure half-way, and detaching in reverse.
import { expect } from "chai";
import { ENXIO } from "../../../hypercall/api/errno.ts";
import {
  RUMP_COMPONENT_KERN,
  RUMP_COMPONENT_NET,
  RUMP_COMPONENT_NET_IF,
  RUMP_COMPONENT_SYSCALL,
  RUMP_PHASES,
  rump_init,
  RumpInitError,
} from "../../../kernel-components/kern/component.ts";
import type { RumpComponent, RumpPhase } from "../../../kernel-components/kern/component.ts";
import { SoftcKey } from "../../../kernel-components/kern/kernel.ts";
import type { Kernel } from "../../../kernel-components/kern/kernel.ts";
import { bootKernel, simHost } from "../../support/kernel.ts";

function component(
  log: string[],
  name: string,
  phases: readonly RumpPhase[],
  requires: string[] = [],
  excludes: string[] = [],
): RumpComponent {
  const init: Partial<Record<RumpPhase, (k: Kernel) => number>> = {};
  const fini: Partial<Record<RumpPhase, (k: Kernel) => void>> = {};
  for (const phase of phases) {
    init[phase] = () => {
      log.push(`+${name}${phase}`);
      return 0;
    };
    fini[phase] = () => {
      log.push(`-${name}${phase}`);
    };
  }
  return { name, requires, excludes, init, fini };
}

describe("rump_init", () => {
  it("runs phases in boot order, required components first, and detaches in exact reverse", () => {
    const log: string[] = [];
    const inet = component(log, "inet", [RUMP_COMPONENT_NET, RUMP_COMPONENT_NET_IF], ["net", "kern"]);
    const net = component(log, "net", [RUMP_COMPONENT_KERN, RUMP_COMPONENT_NET, RUMP_COMPONENT_SYSCALL]);
    const t = bootKernel([inet, net]);
    const up = ["+net0", "+net1", "+inet1", "+inet3", "+net6"];
    expect(log).to.deep.equal(up);
    t.end();
    expect(log.slice(5)).to.deep.equal(up.map((s) => s.replace("+", "-")).reverse());
  });

  it("keeps the given order among components that do not need each other", () => {
    const log: string[] = [];
    const t = bootKernel(["c", "a", "b"].map((name) => component(log, name, [RUMP_COMPONENT_NET])));
    expect(log).to.deep.equal(["+c1", "+a1", "+b1"]);
    t.end();
  });

  it("names what is missing, excluded, doubled or in a circle", () => {
    const log: string[] = [];
    const make = (name: string, requires: string[], excludes: string[] = []): RumpComponent =>
      component(log, name, RUMP_PHASES, requires, excludes);
    const wrong: [RumpComponent[], string, string][] = [
      [[make("inet", ["net"])], "component inet requires component net, which is missing", "inet"],
      [
        [make("sockin", [], ["inet"]), make("inet", [])],
        "component sockin excludes component inet; leave one out",
        "sockin",
      ],
      [[make("net", []), make("net", [])], "component net is given twice", "net"],
      [
        [make("a", ["b"]), make("b", ["c"]), make("c", ["a"])],
        "components require each other in a circle: a -> b -> c -> a",
        "a",
      ],
    ];
    for (const [components, message, name] of wrong) {
      const error = failure(() => rump_init(simHost(), components));
      expect([error.message, error.component]).to.deep.equal([message, name]);
    }
    expect(log, "nothing was initialised").to.deep.equal([]);
  });

  it("undoes what was done when a component fails, and says which one with its errno", () => {
    const log: string[] = [];
    const good = component(log, "good", [RUMP_COMPONENT_KERN, RUMP_COMPONENT_NET]);
    const bad: RumpComponent = {
      name: "bad",
      requires: ["good"],
      excludes: [],
      init: { [RUMP_COMPONENT_NET]: () => ENXIO },
    };
    const error = failure(() => rump_init(simHost(), [bad, good]));
    expect([error.component, error.errno]).to.deep.equal(["bad", ENXIO]);
    expect(error.message).to.contain("component bad failed");
    expect(log).to.deep.equal(["+good0", "+good1", "-good1", "-good0"]);
  });

  it("refuses a host without its mandatory parameters and names them", () => {
    const error = failure(() => rump_init(simHost({ _RUMPUSER_NCPU: "none" }), []));
    expect(error.message).to.contain("_RUMPUSER_NCPU");
  });

  it("gives each kernel its own state under one key", () => {
    const KEY = new SoftcKey<{ n: number }>("counter");
    const counting: RumpComponent = {
      name: "counting",
      requires: [],
      excludes: [],
      init: { [RUMP_COMPONENT_KERN]: (k) => k.softc_set(KEY, { n: 0 }) },
    };
    const a = bootKernel([counting]);
    const b = bootKernel([counting]);
    a.k.softc(KEY).n = 5;
    expect([a.k.softc(KEY).n, b.k.softc(KEY).n]).to.deep.equal([5, 0]);
    expect(b.k.softc_find(new SoftcKey<number>("other"))).to.equal(null);
    a.end();
    expect(b.k.softc(KEY).n).to.equal(0);
    b.end();
  });
});

function failure(act: () => unknown): RumpInitError {
  try {
    act();
  } catch (error) {
    if (error instanceof RumpInitError) return error;
    throw error;
  }
  throw new Error("no error");
}
