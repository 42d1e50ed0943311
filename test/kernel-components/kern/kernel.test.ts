// The frame: nesting, the cached clock, flush hooks, panic, several kernels in one process, randomness, cost of a fresh kernel.
import { expect } from "chai";
import { callout_destroy, callout_init, callout_reset } from "../../../kernel-components/kern/callout.ts";
import { Arc4random } from "../../../kernel-components/kern/random.ts";
import { EIO } from "../../../hypercall/api/errno.ts";
import { rump_init } from "../../../kernel-components/kern/component.ts";
import { aprint_normal, log, LOG_INFO, printf } from "../../../kernel-components/kern/console.ts";
import { KASSERT, KernelPanic, panic } from "../../../kernel-components/kern/kernel.ts";
import { MT_DATA } from "../../../kernel-components/kern/mbuf.ts";
import type { Mbuf } from "../../../kernel-components/kern/mbuf.ts";
import { m_free, m_get } from "../../../kernel-components/kern/mbuf_alloc.ts";
import {
  softint_disestablish,
  softint_establish,
  SOFTINT_NET,
  softint_schedule,
} from "../../../kernel-components/kern/softint.ts";
import { simWorld } from "../../../hypercall/sim/sim_world.ts";
import { bootKernel, simHost } from "../../support/kernel.ts";

describe("kernel", () => {
  it("a flush hook runs once for each outermost leave that asked, after the softints", () => {
    const t = bootKernel();
    const order: string[] = [];
    const hook = t.k.on_flush(() => order.push("flush"));
    const h = softint_establish(
      t.k,
      SOFTINT_NET,
      () => {
        order.push("softint");
        t.k.request_flush(hook);
      },
      null,
    );
    t.in_kernel(() => {
      t.k.request_flush(hook);
      t.k.request_flush(hook);
      softint_schedule(t.k, h);
      t.in_kernel(() => t.k.request_flush(hook));
    });
    t.in_kernel(() => undefined);
    expect(order).to.deep.equal(["softint", "flush"]);
    t.k.off_flush(hook);
    softint_disestablish(t.k, h);
    t.end();
  });

  it("wake-ups run before the flush, so that what they send leaves in the same batch", () => {
    const t = bootKernel();
    const order: string[] = [];
    const hook = t.k.on_flush(() => order.push("flush"));
    const l = t.k.procs.lwp_create(t.k.procs.proc0);
    l.l_wakeup = () => {
      order.push("wake");
      t.in_kernel(() => t.k.request_flush(hook));
    };
    t.in_kernel(() => {
      t.k.request_flush(hook);
      t.k.wakeup(l);
    });
    expect(order).to.deep.equal(["wake", "flush"]);
    t.k.procs.lwp_exit(l);
    t.end();
  });

  it("the clock stands still inside one entry and is read anew by the next", () => {
    const t = bootKernel();
    t.k.enter();
    const before = t.k.now_ns;
    t.run(5e9);
    expect(t.k.now_ns).to.equal(before);
    t.k.leave();
    expect([t.in_kernel(() => t.k.now_ns), t.in_kernel(() => t.k.time_uptime())]).to.deep.equal([before + 5e9, 5]);
    t.end();
  });

  it("panic stops the kernel for good: it says why once, and nothing runs any more", () => {
    const t = bootKernel();
    let ran = 0;
    const c = callout_init(t.k);
    const h = softint_establish(t.k, SOFTINT_NET, () => ran++, null);
    t.in_kernel(() => callout_reset(c, 1e6, () => ran++, null));
    t.k.enter();
    softint_schedule(t.k, h);
    expect(() => panic(t.k, "out of cheese")).to.throw(KernelPanic, "panic: out of cheese");
    expect(() => panic(t.k, "again")).to.throw(KernelPanic);
    t.k.leave();
    t.run(1e9);
    expect([ran, t.k.panicstr]).to.deep.equal([0, "out of cheese"]);
    expect(t.console()).to.contain("panic: out of cheese\n");
    expect(() => KASSERT(false, "sum")).to.throw(KernelPanic, "assertion failed: sum");
  });

  it("an exception that escapes from a softint leaves the kernel enterable", () => {
    const t = bootKernel();
    const h = softint_establish(
      t.k,
      SOFTINT_NET,
      () => {
        throw new TypeError("bug");
      },
      null,
    );
    expect(() => t.in_kernel(() => softint_schedule(t.k, h))).to.throw(TypeError);
    expect(t.k.entered()).to.equal(false);
    softint_disestablish(t.k, h);
    t.end();
  });

  it("what was put off behind a softint or flush hook that throws still runs, without another entry", () => {
    const t = bootKernel();
    const ran: string[] = [];
    const c = callout_init(t.k);
    const bad = softint_establish(
      t.k,
      SOFTINT_NET,
      () => {
        throw new TypeError("bug");
      },
      null,
    );
    const good = softint_establish(t.k, SOFTINT_NET, () => ran.push("softint"), null);
    const broken = t.k.on_flush(() => {
      throw new RangeError("driver");
    });
    const hook = t.k.on_flush(() => ran.push("flush"));
    const first = (): void => {
      softint_schedule(t.k, bad);
      softint_schedule(t.k, good);
      t.k.request_flush(hook);
      callout_reset(c, 1e6, () => ran.push("callout"), null);
    };
    expect(() => t.in_kernel(first)).to.throw(TypeError);
    expect(ran).to.deep.equal([]);
    t.run(0);
    expect(ran).to.deep.equal(["softint", "flush"]);
    t.run(2e6);
    expect(ran).to.deep.equal(["softint", "flush", "callout"]);
    const second = (): void => {
      t.k.request_flush(broken);
      t.k.request_flush(hook);
    };
    expect(() => t.in_kernel(second)).to.throw(RangeError);
    t.run(0);
    expect(ran).to.deep.equal(["softint", "flush", "callout", "flush"]);
    callout_destroy(c);
    for (const h of [broken, hook]) t.k.off_flush(h);
    for (const h of [bad, good]) softint_disestablish(t.k, h);
    t.end();
  });

  it("two kernels of one process share nothing: clocks, pools, processes, names, panics", () => {
    const world = simWorld();
    const a = bootKernel([], {}, { world, name: "a" });
    const b = bootKernel([], {}, { world, name: "b" });
    const m = m_get(a.k.mb, MT_DATA) as Mbuf;
    expect([a.k.mb.in_use().mbufs, b.k.mb.in_use().mbufs]).to.deep.equal([1, 0]);
    m_free(m);
    b.k.hostname = "other";
    expect(a.k.hostname).to.not.equal("other");
    expect([a.k.random32(), a.k.random32()]).to.not.deep.equal([b.k.random32(), b.k.random32()]);
    expect(() => a.k.panic("dead")).to.throw(KernelPanic, "a: panic: dead");
    b.in_kernel(() => undefined);
    b.end();
  });

  it("random numbers are spread evenly and never out of range", () => {
    const t = bootKernel();
    const buckets = new Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i++) {
      const n = t.k.random_uniform(10);
      buckets[n] = (buckets[n] as number) + 1;
    }
    for (const n of buckets) expect(n).to.be.within(850, 1150);
    expect([t.k.random_uniform(1), t.k.random_uniform(0)]).to.deep.equal([0, 0]);
    const seen = new Set<number>();
    for (let i = 0; i < 5000; i++) seen.add(t.k.random32());
    expect(seen.size).to.be.greaterThan(4995);
    const bytes = new Uint8Array(1003);
    t.k.random_bytes(bytes);
    expect(bytes.filter((b) => b >= 128).length).to.be.within(400, 600);
    t.end();
  });

  it("the keystream is ChaCha8 with its first 32 bytes kept as the next key", () => {
    const rng = new Arc4random({ rumpuser_getrandom: (seed) => (seed.fill(0), 0) }, (msg) => {
      throw new Error(msg);
    });
    const out = new Uint8Array(32);
    rng.bytes(out);
    const published = "984ce172b9216f419f445367456d5619314a42a3da86b001387bfdb80e0cfe42";
    expect(Buffer.from(out).toString("hex")).to.equal(published);
  });

  it("a host without entropy is a panic, not predictable numbers", () => {
    const t = bootKernel();
    const rng = new Arc4random({ rumpuser_getrandom: () => EIO }, (msg) => t.k.panic(msg));
    expect(() => rng.next32()).to.throw(KernelPanic, "no entropy");
  });

  it("a wake-up that throws takes nobody else's turn; leaving more often than entering is a panic", () => {
    const t = bootKernel();
    const woken: number[] = [];
    const lwps = [0, 1, 2].map((i) => {
      const l = t.k.procs.lwp_create(t.k.procs.proc0);
      l.l_wakeup = () => {
        woken.push(i);
        if (i === 1) throw new Error("caller's bug");
      };
      return l;
    });
    expect(() => t.in_kernel(() => lwps.forEach((l) => t.k.wakeup(l)))).to.throw("caller's bug");
    t.run(0);
    expect(woken).to.deep.equal([0, 1, 2]);
    expect(() => t.k.leave()).to.throw(KernelPanic, "leave without enter");
  });

  it("the same seed gives the same numbers", () => {
    const [a, b] = [bootKernel(), bootKernel()];
    expect([a.k.random32(), a.k.random32()]).to.deep.equal([b.k.random32(), b.k.random32()]);
    a.end();
    b.end();
  });

  it("console: printf always, boot messages and log only when verbose", () => {
    const quiet = bootKernel();
    const loud = bootKernel([], {}, { params: { RUMP_VERBOSE: "1" } });
    for (const t of [quiet, loud]) {
      printf(t.k, "hello\n");
      aprint_normal(t.k, "attached\n");
      log(t.k, LOG_INFO, "info\n");
      expect(Buffer.from(t.k.cons.msgbuf()).toString()).to.match(/hello\nattached\ninfo\n$/);
    }
    expect(quiet.console()).to.equal("hello\n");
    expect(loud.console()).to.match(/hello\nattached\ninfo\n$/);
    quiet.end();
    loud.end();
  });

  it("a fresh kernel takes little", () => {
    const hosts = Array.from({ length: 50 }, () => simHost());
    const heap = process.memoryUsage();
    const kernels = hosts.map((host) => rump_init(host, []));
    const after = process.memoryUsage();
    const each = (after.heapUsed - heap.heapUsed + after.arrayBuffers - heap.arrayBuffers) / 50;
    expect(each, "bytes of a kernel, garbage of the boot included").to.be.below(400_000);
    expect(kernels.every((k) => k.mb.mem.bytes === 0)).to.equal(true);
    for (const k of kernels) expect(k.shutdown().text).to.equal("");
  });
});
