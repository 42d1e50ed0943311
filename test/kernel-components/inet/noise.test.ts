import { expect } from "chai";
import { ECONNREFUSED } from "../../../hypercall/api/errno.ts";
import { SOCK_RAW } from "../../../kernel-components/socket/socket_abi.ts";
import { ETHERTYPE_ARP, ETHERTYPE_IP } from "../../../kernel-components/wire/ether.ts";
import { mk_ipopt_rr } from "../../../kernel-components/wire/ip_options.ts";
import { bytes, fix_ip_cksum, InetWorld, ip4, MS, type Node, pair, S, type Station, udp_bytes } from "./inet_world.ts";

/** Ping and an echo of UDP still work. */
function alive(w: InetWorld, k: Node, st: Station, fd: number): void {
  while (typeof k.recv(fd) !== "number") continue;
  st.answers = true;
  w.run(30 * S);
  st.frames.length = 0;
  st.echo("10.0.0.1", 7);
  st.udp("10.0.0.1", 77, 1000, bytes(40));
  w.run(10 * MS);
  expect(k.got(fd).data).to.deep.equal(bytes(40));
  expect(k.sendto(fd, bytes(40), "10.0.0.2", 77)).to.equal(0);
  w.run(10 * MS);
  expect(st.take().map((p) => p.ip.ip_p)).to.include.members([1, 17]);
}

/** Numbers that are the same in every run (xorshift). */
function rng(seed: number): () => number {
  let x = seed | 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}

describe("noise: hostile frames harm nobody", () => {
  it("random and mutated frames: no exception, memory bounded, the counters add up, and the kernel lives", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    k.sysctl("net.inet.ip.forwarding", 1);
    const fd = k.udp(1000);
    const raw = k.socket(SOCK_RAW, 99);
    const next = rng(0x5eed);
    st.answers = false;
    const seeds = [
      st.packet("10.0.0.1", 17, udp_bytes(st.addr, ip4("10.0.0.1"), 5, 1000, bytes(30))),
      st.packet("10.0.0.1", 1, bytes(40)),
      st.packet("10.0.0.1", 2, bytes(16)),
      st.packet("10.0.0.1", 99, bytes(40), { ip_opts: mk_ipopt_rr(3) }),
      st.packet("10.0.0.9", 17, bytes(40)),
      st.packet("10.0.0.1", 17, bytes(64), { ip_off: 0x2000 }),
    ];
    for (let i = 0; i < 6000; i++) {
      const b = (seeds[next() % seeds.length] as Uint8Array).slice(0, 20 + (next() % 90));
      for (let n = next() % 4; n > 0; n--) b[next() % b.length] = next();
      if (next() % 2 === 0 && b.length >= 20) fix_ip_cksum(b);
      st.ether(st.peer, next() % 8 === 0 ? ETHERTYPE_ARP : ETHERTYPE_IP, b);
      if (i % 64 === 0) w.run(MS);
    }
    for (let i = 0; i < 2000; i++) {
      st.ether(
        st.peer,
        next() % 4 === 0 ? ETHERTYPE_ARP : ETHERTYPE_IP,
        Uint8Array.from({ length: next() % 100 }, () => next()),
      );
      if (i % 64 === 0) w.run(MS);
    }
    w.run(S);
    expect(k.inet.reass.nqueues).to.be.at.most(200);
    expect(k.inet.arp.nentries).to.be.at.most(4096);
    const before = k.rk.k.mb.in_use();
    expect(before.mbufs).to.be.below(3000);
    const seen = [
      "forward",
      "delivered",
      "fragments",
      "badsum",
      "tooshort",
      "toosmall",
      "badhlen",
      "badlen",
      "badvers",
      "badaddr",
    ];
    const drops = [
      "cantforward",
      "noproto",
      "badoptions",
      "ttlexpired",
      "llbcast",
      "dirbcast",
      "notmember",
      "srcroute",
      "badsrcroute",
      "cantfrag",
    ];
    const sum = [...seen, ...drops].reduce((n, name) => n + k.stat("ip", name), 0) - k.stat("ip", "reassembled");
    expect(k.stat("ip", "total"), "every packet under one name").to.equal(sum);
    alive(w, k, st, fd);
    k.close(fd);
    k.close(raw);
    w.end();
  });

  it("land, martian_sources: a packet from ourselves, from nowhere or from everywhere is not answered", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.udp(1000);
    for (const src of ["10.0.0.1", "127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "10.0.0.255", "240.1.1.1"]) {
      st.echo("10.0.0.1", 1, bytes(8), { ip_src: ip4(src) });
      st.udp("10.0.0.1", 1000, 1001, bytes(8), { ip_src: ip4(src) });
    }
    w.run(10 * MS);
    expect(st.take()).to.deep.equal([]);
    alive(w, k, st, fd);
    k.close(fd);
    w.end();
  });

  it("ip_header_lies, ip_trailing_bytes: lengths that disagree are dropped or cut, and nothing of the padding comes back (Etherleak)", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.udp(1000);
    const p = st.packet("10.0.0.1", 1, Uint8Array.of(8, 0, 0xf7, 0xff, 0, 0, 0, 0));
    const with_tail = new Uint8Array(46).fill(0xaa);
    with_tail.set(p);
    st.ether(st.peer, ETHERTYPE_IP, with_tail);
    w.run(MS);
    expect(st.one().data.length).to.equal(8);
    const lie = (at: number, v: number): void => {
      const b = p.slice();
      b[at] = v;
      fix_ip_cksum(b);
      st.ether(st.peer, ETHERTYPE_IP, b);
      w.run(MS);
    };
    lie(0, 0x55);
    lie(0, 0x44);
    lie(0, 0x4f);
    lie(3, 19);
    lie(2, 0xff);
    expect(["badvers", "badhlen", "badlen", "tooshort"].map((n) => k.stat("ip", n))).to.deep.equal([1, 2, 1, 1]);
    expect(st.take().every((q) => q.data[0] === 12)).to.equal(true);
    alive(w, k, st, fd);
    k.close(fd);
    w.end();
  });

  it("survives the want of mbufs, and gives fragments and waiting packets up for it", () => {
    const w = new InetWorld();
    const { k, st } = pair(w, { nmbclusters: 300, nmbufs: 500 });
    const fd = k.udp(1000);
    st.answers = false;
    for (let i = 0; i < 400; i++)
      st.ip("10.0.0.1", 17, bytes(800, i), { ip_id: i + 1, ip_off: 0x2000 | ((i % 8) * 100) });
    w.run(10 * MS);
    for (let i = 0; i < 400; i++) k.sendto(fd, bytes(900), `10.0.0.${50 + (i % 100)}`, 9);
    w.run(10 * MS);
    w.run(60 * S);
    alive(w, k, st, fd);
    k.close(fd);
    w.end();
  });

  it("tells a local sender of a closed port too", () => {
    const w = new InetWorld();
    const { k } = pair(w);
    const fd = k.socket();
    expect(k.connect(fd, "127.0.0.1", 9999)).to.equal(0);
    expect(k.send(fd, bytes(3))).to.equal(0);
    w.run(MS);
    expect(k.send(fd, bytes(3))).to.equal(ECONNREFUSED);
    k.close(fd);
    w.end();
  });
});
