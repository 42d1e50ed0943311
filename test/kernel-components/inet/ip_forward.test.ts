import { expect } from "chai";
import { PFIL_IN, pfil_add_hook, pfil_head_get, pfil_remove_hook } from "../../../kernel-components/net/pfil.ts";
import { m_freem } from "../../../kernel-components/kern/mbuf_alloc.ts";
import { AF_INET } from "../../../kernel-components/wire/sockaddr.ts";
import { IP_DF } from "../../../kernel-components/wire/ipv4.ts";
import { bytes, icmp_bytes, InetWorld, ip4, MS, type Node, S, type SeenIp, type Station } from "./inet_world.ts";

/** A router r between wires wa (10.0.1/24) and wb (10.0.2/24), with a station .2 on each. */
function routed(w: InetWorld): { r: Node; a: Station; b: Station } {
  const a = w.station("wa", 2, "10.0.1.2");
  const b = w.station("wb", 3, "10.0.2.2");
  const r = w.node("r").plug(0, "wa", "10.0.1.1/24").plug(1, "wb", "10.0.2.1/24");
  r.sysctl("net.inet.ip.forwarding", 1);
  w.run(MS);
  a.frames.length = 0;
  b.frames.length = 0;
  return { r, a, b };
}

/** The type and code of an ICMP error, and the address it came from. */
function error_of(p: SeenIp): [number, number, number] {
  return [p.data[0] as number, p.data[1] as number, p.ip.ip_src];
}

describe("ip_forward (RFC 1812 §5.2)", () => {
  it("forwards with TTL one less and a right checksum; the flow cache takes over, with the same result", () => {
    const w = new InetWorld();
    const { r, a, b } = routed(w);
    for (let i = 0; i < 5; i++) {
      a.udp("10.0.2.2", 1, 2, bytes(100, i), { ip_ttl: 9, ip_tos: 4 });
      w.run(10 * MS);
      const p = b.one();
      expect([p.ip.ip_ttl, p.ip.ip_tos, p.ip.ip_src, p.ip.ip_id]).to.deep.equal([8, 4, ip4("10.0.1.2"), i + 1]);
      expect(p.data.subarray(8)).to.deep.equal(bytes(100, i));
    }
    expect(r.stat("ip", "forward")).to.equal(5);
    expect(r.stat("ip", "fastforward")).to.equal(4);
    w.end();
  });

  it("ipforwarding_v4: forwards nothing while net.inet.ip.forwarding is 0, also not from the flow cache", () => {
    const w = new InetWorld();
    const { r, a, b } = routed(w);
    for (const on of [1, 0, 1]) {
      r.sysctl("net.inet.ip.forwarding", on);
      a.udp("10.0.2.2", 1, 2, bytes(10));
      w.run(10 * MS);
      a.udp("10.0.2.2", 1, 2, bytes(10));
      w.run(10 * MS);
      expect(b.take().length).to.equal(on * 2);
    }
    expect(r.stat("ip", "cantforward")).to.equal(2);
    w.end();
  });

  it("tells of an expired TTL, of no route, and of a host that does not answer", () => {
    const w = new InetWorld();
    const { r, a, b } = routed(w);
    a.udp("10.0.2.2", 1, 2, bytes(10), { ip_ttl: 1 });
    a.udp("172.16.0.1", 1, 2, bytes(10));
    w.run(10 * MS);
    expect(a.take().map(error_of)).to.deep.equal([
      [11, 0, ip4("10.0.1.1")],
      [3, 0, ip4("10.0.1.1")],
    ]);
    b.answers = false;
    a.udp("10.0.2.99", 1, 2, bytes(10));
    w.run(10 * S);
    expect(a.take().map(error_of)).to.deep.equal([[3, 1, ip4("10.0.1.1")]]);
    a.udp("10.0.2.99", 1, 2, bytes(10));
    w.run(10 * MS);
    expect(a.take().map(error_of)).to.deep.equal([[3, 1, ip4("10.0.1.1")]]);
    expect(r.stat("ip", "ttlexpired")).to.equal(1);
    w.end();
  });

  it("sends no error about an ICMP error, nor about a later fragment", () => {
    const w = new InetWorld();
    const { r, a } = routed(w);
    const quote = a.packet("10.9.9.9", 17, bytes(8));
    a.ip("10.0.2.2", 1, icmp_bytes(3, 1, 0, quote), { ip_ttl: 1 });
    a.ip("10.0.2.2", 1, icmp_bytes(8, 0, 0, bytes(8)), { ip_ttl: 1 });
    a.udp("10.0.2.2", 1, 2, bytes(16), { ip_ttl: 1, ip_off: 4 });
    w.run(10 * MS);
    expect(a.take().length).to.equal(1);
    expect(r.stat("icmp", "oldicmp")).to.equal(1);
    expect(r.stat("icmp", "oldbcast")).to.equal(1);
    w.end();
  });

  it("fragments for a smaller MTU, or says which one with DF (RFC 1191 §4)", () => {
    const w = new InetWorld();
    const { r, a, b } = routed(w);
    r.ifp("virt1").if_mtu = 700;
    a.udp("10.0.2.2", 1, 2, bytes(1200), { ip_off: IP_DF });
    w.run(10 * MS);
    const e = a.one();
    expect(error_of(e)).to.deep.equal([3, 4, ip4("10.0.1.1")]);
    expect((e.data[6]! << 8) | e.data[7]!).to.equal(700);
    a.udp("10.0.2.2", 1, 2, bytes(1200));
    w.run(10 * MS);
    const frags = b.take();
    expect(frags.map((f) => [f.ip.ip_len, f.ip.ip_off])).to.deep.equal([
      [700, 0x2000],
      [548, 85],
    ]);
    const whole = new Uint8Array(1208);
    for (const f of frags) whole.set(f.data, (f.ip.ip_off & 0x1fff) * 8);
    expect(whole.subarray(8)).to.deep.equal(bytes(1200));
    w.end();
  });

  it("does not forward what must stay on its link: martians, link-local, link-layer broadcasts, directed broadcasts", () => {
    const w = new InetWorld();
    const { r, a, b } = routed(w);
    for (const src of ["127.0.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.1", "169.254.1.1", "240.0.0.9"]) {
      a.udp("10.0.2.2", 1, 2, bytes(10), { ip_src: ip4(src) });
    }
    for (const dst of ["127.0.0.1", "169.254.1.1", "240.0.0.9", "0.0.0.9"]) a.udp(dst, 1, 2, bytes(10));
    a.udp("10.0.2.255", 1, 2, bytes(10));
    const mac = a.peer;
    a.peer = new Uint8Array(6).fill(0xff);
    a.udp("10.0.2.2", 1, 2, bytes(10));
    a.peer = mac;
    w.run(10 * MS);
    expect(b.take()).to.deep.equal([]);
    expect(a.take()).to.deep.equal([]);
    expect(r.stat("ip", "dirbcast")).to.equal(1);
    r.sysctl("net.inet.ip.directed-broadcast", 1);
    a.udp("10.0.2.255", 1, 2, bytes(10));
    w.run(10 * MS);
    expect(b.one().dst_mac).to.deep.equal(new Uint8Array(6).fill(0xff));
    w.end();
  });

  it("redirects a sender to a better first hop on its own link (RFC 1812 §5.2.7.2)", () => {
    const w = new InetWorld();
    const { r, a } = routed(w);
    a.also.add(ip4("10.0.1.9"));
    r.route("10.7.0.0/16", "10.0.1.9");
    a.udp("10.7.1.1", 1, 2, bytes(10));
    w.run(10 * MS);
    const [redirect, packet] = a.take();
    expect(error_of(redirect!)).to.deep.equal([5, 1, ip4("10.0.1.1")]);
    expect(new DataView(redirect!.data.buffer).getInt32(4)).to.equal(ip4("10.0.1.9"));
    expect(packet!.ip.ip_dst).to.equal(ip4("10.7.1.1"));
    r.sysctl("net.inet.ip.redirect", 0);
    a.udp("10.7.1.1", 1, 2, bytes(10));
    w.run(10 * MS);
    expect(a.take().length).to.equal(1);
    w.end();
  });

  it("follows a change of routes at once, flow or not (rtcache_invalidation)", () => {
    const w = new InetWorld();
    const { r, a, b } = routed(w);
    r.route("10.9.0.0/16", "10.0.2.2");
    const send = (): void => {
      a.udp("10.9.0.1", 1, 2, bytes(10));
      w.run(10 * MS);
    };
    send();
    send();
    expect(b.take().length).to.equal(2);
    r.route("10.9.0.1/32", "10.0.2.77");
    b.also.add(ip4("10.0.2.77"));
    b.frames.length = 0;
    send();
    expect(b.frames.some((f) => f[41] === 77)).to.equal(true);
    w.end();
  });

  it("lets packet filters see everything, also what a flow would have taken", () => {
    const w = new InetWorld();
    const { r, a, b } = routed(w);
    const send = (): number => {
      a.udp("10.0.2.2", 1, 2, bytes(10));
      w.run(10 * MS);
      return b.take().length;
    };
    expect(send() + send()).to.equal(2);
    const ph = pfil_head_get(r.inet.net, AF_INET);
    const hook = (m: Parameters<typeof m_freem>[0]): null => {
      m_freem(m);
      return null;
    };
    pfil_add_hook(r.inet.net, hook, PFIL_IN, ph);
    expect(send()).to.equal(0);
    expect(r.stat("ip", "pfildrop_in")).to.equal(1);
    pfil_remove_hook(r.inet.net, hook, PFIL_IN, ph);
    expect(send()).to.equal(1);
    w.end();
  });

  it("carries two kernels' pings and datagrams through a third", () => {
    const w = new InetWorld();
    const a = w.node("a").plug(0, "wa", "10.0.1.2/24").gw("10.0.1.1");
    const b = w.node("b").plug(0, "wb", "10.0.2.2/24").gw("10.0.2.1");
    const r = w.node("r").plug(0, "wa", "10.0.1.1/24").plug(1, "wb", "10.0.2.1/24");
    r.sysctl("net.inet.ip.forwarding", 1);
    const fa = a.udp(1111);
    const fb = b.udp(2222);
    for (const n of [0, 1, 1472, 1473, 5000, 8192]) {
      expect(a.sendto(fa, bytes(n, n), "10.0.2.2", 2222)).to.equal(0);
      w.run(20 * MS);
      const d = b.got(fb);
      expect([d.addr, d.port]).to.deep.equal([ip4("10.0.1.2"), 1111]);
      expect(d.data).to.deep.equal(bytes(n, n));
    }
    a.close(fa);
    b.close(fb);
    w.end();
  });
});
