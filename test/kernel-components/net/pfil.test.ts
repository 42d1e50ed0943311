// Packet filter hooks of an address family: order, consumption, and no cost while there are none.
import { expect } from "chai";
import type { Mbuf } from "../../../kernel-components/kern/mbuf.ts";
import { m_freem, m_gethdr } from "../../../kernel-components/kern/mbuf_alloc.ts";
import {
  PFIL_IN,
  PFIL_OUT,
  pfil_add_hook,
  pfil_head_get,
  pfil_remove_hook,
  pfil_run_hooks,
} from "../../../kernel-components/net/pfil.ts";
import { AF_INET, AF_INET6 } from "../../../kernel-components/wire/sockaddr.ts";
import { NetWorld } from "./net_world.ts";

describe("pfil", () => {
  it("nests: first to last on input, last to first on output; a consumed packet goes no further", () => {
    const w = new NetWorld();
    const ph = pfil_head_get(w.net, AF_INET);
    const order: string[] = [];
    let drop = false;
    const hook =
      (name: string) =>
      (m: Mbuf): Mbuf | null => {
        order.push(name);
        if (!drop) return m;
        m_freem(m);
        return null;
      };
    const a = hook("a");
    const b = hook("b");
    expect(w.net.inet_pfil_hook).to.equal(null);
    pfil_add_hook(w.net, a, PFIL_IN | PFIL_OUT, ph);
    pfil_add_hook(w.net, b, PFIL_IN | PFIL_OUT, ph);
    expect([w.net.inet_pfil_hook === ph, pfil_head_get(w.net, AF_INET) === ph, w.net.pfil_af[AF_INET6]]).to.deep.equal([
      true,
      true,
      null,
    ]);
    const m = w.in_kernel(() => m_gethdr(w.t.k.mb, 1)) as Mbuf;
    expect(pfil_run_hooks(ph, m, null, PFIL_IN)).to.equal(m);
    expect(pfil_run_hooks(ph, m, null, PFIL_OUT)).to.equal(m);
    drop = true;
    expect(pfil_run_hooks(ph, m, null, PFIL_IN)).to.equal(null);
    expect(order).to.deep.equal(["a", "b", "b", "a", "a"]);
    pfil_remove_hook(w.net, a, PFIL_IN | PFIL_OUT, ph);
    pfil_remove_hook(w.net, b, PFIL_IN, ph);
    expect(w.net.inet_pfil_hook).to.equal(ph);
    pfil_remove_hook(w.net, b, PFIL_OUT, ph);
    expect(w.net.inet_pfil_hook).to.equal(null);
    w.end();
  });
});
