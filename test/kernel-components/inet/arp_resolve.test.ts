import { expect } from "chai";
import { EHOSTDOWN } from "../../../hypercall/api/errno.ts";
import { ifreq_flags, SIOCSIFFLAGS } from "../../../kernel-components/net/if_abi.ts";
import { ARPOP_REPLY, ARPOP_REQUEST } from "../../../kernel-components/wire/arp.ts";
import { bytes, InetWorld, ip4, MS, type Node, pair, S, type Station } from "./inet_world.ts";

/** Neighbours in the cache. */
function entries(k: Node): number {
  return k.inet.arp.nentries;
}

/** Sends one datagram to the station and lets the wire carry it. */
function poke(w: InetWorld, k: Node, fd: number): number {
  const error = k.sendto(fd, bytes(10), "10.0.0.2", 9);
  w.run(MS);
  return error;
}

/** ARP requests and IP packets that the station has seen since. */
function seen(st: Station): { arp: number; ip: number } {
  const arp = st.frames.filter((f) => f[12] === 8 && f[13] === 6).length;
  return { arp, ip: st.take().length };
}

describe("arp_resolve: the life of an entry", () => {
  it("asks once, holds what waits, and sends it in order when the answer comes", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    st.answers = false;
    const fd = k.udp(1000);
    for (let i = 0; i < 5; i++) expect(k.sendto(fd, Uint8Array.of(i), "10.0.0.2", 9)).to.equal(0);
    w.run(10 * MS);
    expect(st.arps().map((a) => [a.ar_op, a.ar_spa, a.ar_tpa])).to.deep.equal([
      [ARPOP_REQUEST, ip4("10.0.0.1"), ip4("10.0.0.2")],
    ]);
    st.arp(ARPOP_REPLY, st.addr, ip4("10.0.0.1"), st.peer, st.peer);
    w.run(10 * MS);
    expect(st.take().map((p) => p.data[8])).to.deep.equal([0, 1, 2, 3, 4]);
    expect(k.stat("arp", "dfrtotal")).to.equal(5);
    expect(k.stat("arp", "dfrsent")).to.equal(5);
    k.close(fd);
    w.end();
  });

  it("holds at most maxhold packets: the oldest goes, counted", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    st.answers = false;
    const fd = k.udp(1000);
    for (let i = 0; i < 20; i++) k.sendto(fd, Uint8Array.of(i), "10.0.0.2", 9);
    expect(k.stat("arp", "dfrdropped")).to.equal(4);
    st.arp(ARPOP_REPLY, st.addr, ip4("10.0.0.1"), st.peer, st.peer);
    w.run(10 * MS);
    expect(st.take().map((p) => p.data[8])).to.deep.equal(Array.from({ length: 16 }, (_, i) => i + 4));
    k.close(fd);
    w.end();
  });

  it("asks once a second, five times, then refuses for net.inet.arp.down seconds (RFC 1122 §2.3.2.1)", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    st.answers = false;
    const fd = k.udp(1000);
    poke(w, k, fd);
    w.run(10 * S);
    expect(st.arps().length).to.equal(5);
    expect(k.sendto(fd, bytes(1), "10.0.0.2", 9)).to.equal(EHOSTDOWN);
    expect(k.stat("arp", "dfrdropped")).to.equal(2);
    w.run(20 * S);
    expect(entries(k)).to.equal(0);
    st.answers = true;
    expect(poke(w, k, fd)).to.equal(0);
    expect(st.take().length).to.equal(1);
    k.close(fd);
    w.end();
  });

  for (const keep of [5, 10]) {
    it(`arp_cache_expiration_${keep}s: an entry lives as long as net.inet.arp.keep says`, () => {
      const w = new InetWorld();
      const { k, st } = pair(w);
      k.sysctl("net.inet.arp.keep", keep);
      k.sysctl("net.inet.arp.prune", 1);
      const fd = k.udp(1000);
      poke(w, k, fd);
      expect(seen(st)).to.deep.equal({ arp: 1, ip: 1 });
      w.run((keep - 1) * S);
      expect(entries(k)).to.equal(1);
      w.run(2.1 * S);
      expect(entries(k)).to.equal(0);
      poke(w, k, fd);
      expect(seen(st)).to.deep.equal({ arp: 1, ip: 1 });
      k.close(fd);
      w.end();
    });
  }

  it("refreshes an entry in use by a unicast question, without delaying anything", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.udp(1000);
    poke(w, k, fd);
    st.frames.length = 0;
    w.run(800 * S);
    poke(w, k, fd);
    expect(seen(st)).to.deep.equal({ arp: 0, ip: 1 });
    w.run(200 * S);
    poke(w, k, fd);
    expect(st.frames.map((f) => f[0])).to.deep.equal([2, 2]);
    expect(seen(st)).to.deep.equal({ arp: 1, ip: 1 });
    w.run(800 * S);
    expect(entries(k)).to.equal(1);
    k.close(fd);
    w.end();
  });

  it("asks again for a stale entry before using it", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.udp(1000);
    poke(w, k, fd);
    st.frames.length = 0;
    w.run(1201 * S);
    expect(entries(k)).to.equal(1);
    poke(w, k, fd);
    expect(st.frames[0]?.[0]).to.equal(0xff);
    expect(seen(st)).to.deep.equal({ arp: 1, ip: 1 });
    k.close(fd);
    w.end();
  });

  it("bounds the cache: the entry used longest ago goes (arp_flood)", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    k.sysctl("net.inet.arp.maxentries", 8);
    const fd = k.udp(1000);
    poke(w, k, fd);
    for (let i = 10; i < 200; i++) {
      st.arp(
        ARPOP_REQUEST,
        ip4(`10.0.0.${i}`),
        ip4("10.0.0.1"),
        new Uint8Array(6),
        undefined,
        Uint8Array.of(2, 1, 1, 1, 1, i),
      );
      w.run(MS);
    }
    expect(entries(k)).to.equal(8);
    st.frames.length = 0;
    expect(poke(w, k, fd)).to.equal(0);
    expect(seen(st)).to.deep.equal({ arp: 1, ip: 1 });
    k.close(fd);
    w.end();
  });

  it("forgets the dynamic neighbours when the interface goes down, and keeps the addresses", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.udp(1000);
    poke(w, k, fd);
    expect(entries(k)).to.equal(1);
    k.rk.rumpSys.ioctl(fd, ...flags("virt0", 0));
    expect(entries(k)).to.equal(0);
    k.rk.rumpSys.ioctl(fd, ...flags("virt0", 1));
    w.run(10 * MS);
    st.frames.length = 0;
    expect(poke(w, k, fd)).to.equal(0);
    expect(seen(st)).to.deep.equal({ arp: 1, ip: 1 });
    k.close(fd);
    w.end();
  });
});

function flags(ifname: string, up: number): [number, Uint8Array] {
  return [SIOCSIFFLAGS, ifreq_flags(ifname, up)];
}
