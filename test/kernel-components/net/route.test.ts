// The routing table: adding, changing, deleting, cloning, expiry, the cache.
import { expect } from "chai";
import fc from "fast-check";
import { EEXIST, EHOSTUNREACH, EINVAL, ENETUNREACH, ESRCH } from "../../../hypercall/api/errno.ts";
import { if_detach } from "../../../kernel-components/net/if_attach.ts";
import type { Ifaddr } from "../../../kernel-components/net/if.ts";
import { rt_count, rt_gwroute, rtalloc1, rtlookup4, rt_unref } from "../../../kernel-components/net/route.ts";
import { NETS_RTMISS } from "../../../kernel-components/net/net.ts";
import {
  RTF_CLONED,
  RTF_CLONING,
  RTF_CONNECTED,
  RTF_DYNAMIC,
  RTF_GATEWAY,
  RTF_HOST,
  RTF_LOCAL,
  RTF_MODIFIED,
  RTF_REJECT,
  RTF_STATIC,
  RTF_UP,
  RTM_ADD,
  RTM_CHANGE,
  RTM_DELETE,
  RtInfo,
  RtOut,
  type Rtentry,
} from "../../../kernel-components/net/rtentry.ts";
import {
  rt_ifa_addlocal,
  rt_ifa_remlocal,
  rt_set_expire,
  rtinit,
  rtrequest,
} from "../../../kernel-components/net/rtrequest.ts";
import { rt_timer_add, rt_timer_queue_change, rt_timer_queue_create } from "../../../kernel-components/net/rt_timer.ts";
import { rt_delete } from "../../../kernel-components/net/rtrequest.ts";
import { rtredirect } from "../../../kernel-components/net/rtredirect.ts";
import { AF_LINK, mk_sockaddr_in, sa_family, sin_addr } from "../../../kernel-components/wire/sockaddr.ts";
import { type FakeEther, ip, NetWorld } from "./net_world.ts";

const M24 = 0xffffff00 | 0;

class RouteWorld extends NetWorld {
  readonly e: FakeEther = this.ether().up();
  readonly ifa: Ifaddr = this.addr(this.e.ifp, ip("10.0.0.1"), M24);
  constructor() {
    super();
    expect(this.in_kernel(() => rtinit(this.ifa, RTM_ADD, RTF_UP | RTF_CONNECTED))).to.equal(0);
  }
  /** A request for a net (mask given), or a host. */
  request(
    req: number,
    dst: string,
    mask: number | null,
    gw: string | null,
    flags = 0,
    more: Partial<RtInfo> = {},
  ): number {
    const info = Object.assign(new RtInfo(), more);
    info.rti_dst = mk_sockaddr_in(ip(dst));
    info.rti_netmask = mask === null ? null : mk_sockaddr_in(mask);
    if (gw !== null) info.rti_gateway = mk_sockaddr_in(ip(gw));
    info.rti_flags = flags | (mask === null ? RTF_HOST : 0) | (gw === null ? 0 : RTF_GATEWAY);
    return this.in_kernel(() => rtrequest(this.net, req, info, null));
  }
  find(dst: string): Rtentry | null {
    return this.in_kernel(() => rtlookup4(this.net, ip(dst)));
  }
}

describe("route", () => {
  it("makes the route of a subnet when it gets an address, and takes it away", () => {
    const w = new RouteWorld();
    const rt = w.find("10.0.0.77") as Rtentry;
    expect(rt.rt_flags).to.equal(RTF_UP | RTF_CONNECTED);
    expect([sa_family(rt.rt_gateway), rt.rt_ifp === w.e.ifp, sin_addr(rt.rt_key), rt.rt_plen]).to.deep.equal([
      AF_LINK,
      true,
      ip("10.0.0.0"),
      24,
    ]);
    expect(w.in_kernel(() => rtinit(w.ifa, RTM_ADD, RTF_UP | RTF_CONNECTED))).to.equal(EEXIST);
    expect(w.in_kernel(() => rt_ifa_addlocal(w.ifa))).to.equal(0);
    const own = w.find("10.0.0.1") as Rtentry;
    expect([own.rt_flags, own.rt_ifp.if_xname, own.rt_ifa === w.ifa]).to.deep.equal([
      RTF_UP | RTF_HOST | RTF_LOCAL,
      "lo0",
      true,
    ]);
    expect(w.in_kernel(() => rt_ifa_remlocal(w.ifa, null))).to.equal(0);
    expect(w.in_kernel(() => rtinit(w.ifa, RTM_DELETE, 0))).to.equal(0);
    expect(w.find("10.0.0.77")).to.equal(null);
    expect(w.ifa.ifa_refcnt, "the routes have let go of the address").to.equal(1);
    w.end();
  });

  it("prefers the longest prefix, and says EEXIST, ESRCH, ENETUNREACH and EINVAL where they belong", () => {
    const w = new RouteWorld();
    expect(w.request(RTM_ADD, "0.0.0.0", 0, "10.0.0.254")).to.equal(0);
    expect(w.request(RTM_ADD, "192.168.0.0", 0xffff0000 | 0, "10.0.0.2")).to.equal(0);
    expect(w.request(RTM_ADD, "192.168.7.7", null, "10.0.0.3", RTF_STATIC)).to.equal(0);
    expect(w.find("192.168.7.7")?.rt_gw4).to.equal(ip("10.0.0.3"));
    expect(w.find("192.168.7.8")?.rt_gw4).to.equal(ip("10.0.0.2"));
    expect(w.find("8.8.8.8")?.rt_gw4).to.equal(ip("10.0.0.254"));
    expect(w.request(RTM_ADD, "192.168.9.9", 0xffff0000 | 0, "10.0.0.9"), "the same net by another name").to.equal(
      EEXIST,
    );
    expect(w.request(RTM_DELETE, "192.168.7.8", null, null)).to.equal(ESRCH);
    expect(w.request(RTM_ADD, "172.16.0.0", 0xff00ff00 | 0, "10.0.0.2")).to.equal(EINVAL);
    expect(w.request(RTM_DELETE, "0.0.0.0", 0, null)).to.equal(0);
    expect(w.request(RTM_ADD, "172.16.0.0", 0xffff0000 | 0, "99.0.0.1"), "a gateway nobody knows the way to").to.equal(
      ENETUNREACH,
    );
    expect(w.request(RTM_ADD, "172.16.0.1", null, "172.16.0.1"), "unreachable itself").to.equal(ENETUNREACH);
    expect(rt_count(w.net)).to.equal(3);
    w.end();
  });

  it("caches lookups, also misses, until anything changes", () => {
    const w = new RouteWorld();
    w.find("10.0.0.5");
    const before = w.net.netstat[NETS_RTMISS];
    for (let n = 0; n < 5; n++) w.find("10.0.0.5");
    expect(w.find("1.1.1.1")).to.equal(null);
    expect(w.find("1.1.1.1")).to.equal(null);
    expect(w.net.netstat[NETS_RTMISS]).to.equal((before as number) + 1);
    expect(w.request(RTM_ADD, "1.1.1.0", M24, "10.0.0.2")).to.equal(0);
    expect(w.find("1.1.1.1")).to.not.equal(null);
    expect(w.request(RTM_DELETE, "1.1.1.0", M24, null)).to.equal(0);
    expect(w.find("1.1.1.1")).to.equal(null);
    w.end();
  });

  it("finds the route to a gateway, again after every change, and no gateway behind a gateway", () => {
    const w = new RouteWorld();
    w.request(RTM_ADD, "192.168.0.0", M24, "10.0.0.2");
    const rt = w.find("192.168.0.1") as Rtentry;
    expect(rt_gwroute(w.net, rt)).to.equal(w.find("10.0.0.2"));
    expect(w.request(RTM_ADD, "10.0.0.2", null, "10.0.0.9")).to.equal(0);
    expect(rt_gwroute(w.net, rt)).to.equal(null);
    expect(w.request(RTM_DELETE, "10.0.0.2", null, null)).to.equal(0);
    expect(rt_gwroute(w.net, rt)?.rt_plen).to.equal(24);
    w.end();
  });

  it("makes host routes from a cloning route, which go with it", () => {
    const w = new RouteWorld();
    expect(w.request(RTM_ADD, "172.16.0.0", 0xffff0000 | 0, "10.0.0.2", RTF_CLONING | RTF_STATIC)).to.equal(0);
    const a = w.find("172.16.1.1") as Rtentry;
    const b = w.find("172.16.1.2") as Rtentry;
    expect(a.rt_flags).to.equal(RTF_UP | RTF_GATEWAY | RTF_HOST | RTF_CLONED);
    expect([a === w.find("172.16.1.1"), a === b, a.rt_parent === b.rt_parent, a.rt_gw4]).to.deep.equal([
      true,
      false,
      true,
      ip("10.0.0.2"),
    ]);
    expect(w.request(RTM_ADD, "172.16.1.1", null, "10.0.0.3", RTF_STATIC), "a clone gives way").to.equal(0);
    expect(rt_count(w.net)).to.equal(4);
    expect(w.request(RTM_DELETE, "172.16.0.0", 0xffff0000 | 0, null)).to.equal(0);
    expect(rt_count(w.net)).to.equal(2);
    w.end();
  });

  it("changes exactly what is named: gateway, interface, flags", () => {
    const w = new RouteWorld();
    const e2 = w.ether().up();
    w.addr(e2.ifp, ip("10.0.9.1"), M24);
    w.in_kernel(() => rtinit(e2.ifp.if_addrlist[1] as Ifaddr, RTM_ADD, RTF_UP | RTF_CONNECTED));
    w.request(RTM_ADD, "192.168.0.0", M24, "10.0.0.2", RTF_STATIC);
    const rt = w.find("192.168.0.1") as Rtentry;
    rt.rt_rmx.rmx_mtu = 1400;
    expect(w.request(RTM_CHANGE, "192.168.0.0", M24, "10.0.0.3", RTF_STATIC)).to.equal(0);
    expect([rt.rt_gw4, rt.rt_ifp.if_xname, rt.rt_rmx.rmx_mtu, rt.rt_flags]).to.deep.equal([
      ip("10.0.0.3"),
      "tst0",
      1400,
      RTF_UP | RTF_GATEWAY | RTF_STATIC,
    ]);
    expect(w.request(RTM_CHANGE, "192.168.0.0", M24, "10.0.9.2", RTF_STATIC)).to.equal(0);
    expect([rt.rt_gw4, rt.rt_ifp.if_xname, rt.rt_ifa.ifa_ifp.if_xname]).to.deep.equal([ip("10.0.9.2"), "tst1", "tst1"]);
    expect(w.request(RTM_CHANGE, "192.168.0.0", M24, null, RTF_STATIC | RTF_REJECT)).to.equal(0);
    expect([rt.rt_gw4, rt.rt_flags]).to.deep.equal([ip("10.0.9.2"), RTF_UP | RTF_GATEWAY | RTF_STATIC | RTF_REJECT]);
    expect(
      w.request(RTM_CHANGE, "192.168.0.0", M24, "99.9.9.9", RTF_STATIC),
      "an unreachable gateway changes nothing",
    ).to.equal(ENETUNREACH);
    expect(rt.rt_gw4).to.equal(ip("10.0.9.2"));
    expect(w.find("192.168.0.1")).to.equal(rt);
    w.end();
  });

  it("expires routes at their second, and queues of timers after their timeout", () => {
    const w = new RouteWorld();
    w.request(RTM_ADD, "192.168.1.1", null, "10.0.0.2");
    w.request(RTM_ADD, "192.168.1.2", null, "10.0.0.2");
    w.request(RTM_ADD, "192.168.1.3", null, "10.0.0.2");
    const q = rt_timer_queue_create(600, 100);
    w.in_kernel(() => {
      rt_set_expire(w.net, rtlookup4(w.net, ip("192.168.1.1")) as Rtentry, w.t.k.time_uptime() + 5);
      rt_timer_add(w.net, rtlookup4(w.net, ip("192.168.1.2")) as Rtentry, rt_delete, q);
      rt_set_expire(w.net, rtlookup4(w.net, ip("192.168.1.3")) as Rtentry, w.t.k.time_uptime() + 7);
      rt_set_expire(w.net, rtlookup4(w.net, ip("192.168.1.3")) as Rtentry, 0);
    });
    w.t.run(3.9e9);
    expect(w.find("192.168.1.1")).to.not.equal(null);
    w.t.run(1.2e9);
    expect(w.find("192.168.1.1")).to.equal(null);
    expect(w.find("192.168.1.2")).to.not.equal(null);
    expect(w.in_kernel(() => rt_timer_queue_change(w.net, q, 10))).to.equal(0);
    w.t.run(10.1e9);
    expect(w.find("192.168.1.2")).to.equal(null);
    expect(w.find("192.168.1.3"), "an expiry taken back").to.not.equal(null);
    expect([w.net.rt_timers.rtt_all.size, w.in_kernel(() => rt_timer_queue_change(w.net, q, -1))]).to.deep.equal([
      0,
      EINVAL,
    ]);
    w.end();
  });

  it("obeys redirects from the current gateway only", () => {
    const w = new RouteWorld();
    w.request(RTM_ADD, "0.0.0.0", 0, "10.0.0.254", RTF_STATIC);
    const sa = (a: string): Uint8Array => mk_sockaddr_in(ip(a));
    const redirect = (dst: string, gw: string, src: string): number =>
      w.in_kernel(() => rtredirect(w.net, sa(dst), sa(gw), RTF_GATEWAY | RTF_HOST, sa(src), null));
    expect(redirect("8.8.8.8", "10.0.0.7", "10.0.0.66"), "not from our gateway").to.equal(EINVAL);
    expect(redirect("8.8.8.8", "77.0.0.1", "10.0.0.254"), "to a gateway off the net").to.equal(ENETUNREACH);
    expect(redirect("8.8.8.8", "10.0.0.1", "10.0.0.254"), "to ourselves").to.equal(EHOSTUNREACH);
    expect(redirect("8.8.8.8", "10.0.0.7", "10.0.0.254")).to.equal(0);
    expect([w.find("8.8.8.8")?.rt_gw4, w.find("8.8.8.8")?.rt_flags]).to.deep.equal([
      ip("10.0.0.7"),
      RTF_UP | RTF_GATEWAY | RTF_HOST | RTF_DYNAMIC,
    ]);
    expect(redirect("8.8.8.8", "10.0.0.8", "10.0.0.7")).to.equal(0);
    expect([w.find("8.8.8.8")?.rt_gw4, (w.find("8.8.8.8")?.rt_flags ?? 0) & RTF_MODIFIED]).to.deep.equal([
      ip("10.0.0.8"),
      RTF_MODIFIED,
    ]);
    expect(w.find("8.8.8.9")?.rt_gw4).to.equal(ip("10.0.0.254"));
    w.end();
  });

  it("reaches a gateway that is on no subnet through a host route to it (as t_route does)", () => {
    const w = new RouteWorld();
    expect(w.request(RTM_ADD, "172.30.0.1", null, null, 0, { rti_ifp: w.e.ifp })).to.equal(0);
    expect(w.request(RTM_ADD, "0.0.0.0", 0, "172.30.0.1")).to.equal(0);
    const rt = w.find("8.8.8.8") as Rtentry;
    expect([rt.rt_ifp.if_xname, rt_gwroute(w.net, rt)?.rt_dst4]).to.deep.equal(["tst0", ip("172.30.0.1")]);
    w.end();
  });

  it("loses its routes with its interface", () => {
    const w = new RouteWorld();
    w.request(RTM_ADD, "0.0.0.0", 0, "10.0.0.254");
    const out = new RtOut();
    w.in_kernel(() => {
      out.rt = rtalloc1(w.net, mk_sockaddr_in(ip("8.8.8.8")), 1);
      if_detach(w.e.ifp);
    });
    expect(rt_count(w.net)).to.equal(0);
    expect([out.rt?.rt_flags, out.rt?.rt_refcnt]).to.deep.equal([RTF_GATEWAY, 1]);
    rt_unref(out.rt as Rtentry);
    w.end();
  });

  it("gives the route of a naive search for any table (fast-check)", () => {
    const nets = fc.array(
      fc.record({
        a: fc.integer({ min: 0, max: 15 }),
        b: fc.integer({ min: 0, max: 3 }),
        plen: fc.integer({ min: 0, max: 32 }),
      }),
      { maxLength: 25 },
    );
    fc.assert(
      fc.property(
        nets,
        fc.array(fc.tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 3 })), {
          minLength: 1,
          maxLength: 20,
        }),
        (list, probes) => {
          const w = new RouteWorld();
          const kept = new Map<string, { addr: number; mask: number; gw: number }>();
          kept.set(`${ip("10.0.0.0")}/24`, { addr: ip("10.0.0.0"), mask: M24, gw: 0 });
          let gw = 10;
          for (const n of list) {
            const mask = n.plen === 0 ? 0 : -1 << (32 - n.plen);
            const addr = ((n.a << 28) | (n.b << 8)) & mask;
            const g = ip("10.0.0.0") + gw++;
            const text = [24, 16, 8, 0].map((s) => (addr >>> s) & 255).join(".");
            const gwtext = [24, 16, 8, 0].map((s) => (g >>> s) & 255).join(".");
            const error = w.request(RTM_ADD, text, mask, gwtext);
            const id = `${addr}/${n.plen}`;
            expect(error).to.equal(kept.has(id) ? EEXIST : 0);
            if (error === 0) kept.set(id, { addr, mask, gw: g });
          }
          for (const [a, b] of probes) {
            const dst = (a << 28) | (b << 8) | 1;
            let best: { addr: number; mask: number; gw: number } | null = null;
            for (const r of kept.values())
              if (((dst ^ r.addr) & r.mask) === 0 && (best === null || r.mask >>> 0 >= best.mask >>> 0)) best = r;
            const rt = w.in_kernel(() => rtlookup4(w.net, dst));
            expect(rt === null ? null : rt.rt_gw4).to.equal(best === null ? null : best.gw);
          }
          w.end();
        },
      ),
      { numRuns: 30 },
    );
  });
});
