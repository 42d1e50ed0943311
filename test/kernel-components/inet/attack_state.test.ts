// Attacks that make a host keep state: what it keeps is bounded, and who is honest is served during and after.
import { expect } from "chai";
import { rt_count } from "../../../kernel-components/net/route.ts";
import { Attack } from "./attack_world.ts";
import { bytes, ip4, MS, S } from "./inet_world.ts";

/** Made once: making it takes longer than sending it. */
const DATA: Uint8Array = bytes(1400);

describe("attacks on state", () => {
  it("rose_fragment_flood, fragmentsmack: lone fragments of datagrams without number", () => {
    const a = new Attack();
    a.during(40, () => {
      for (let i = 0; i < 250; i++) {
        const id = a.next();
        a.st.ip("10.0.0.1", 17, bytes(16), {
          ip_id: id & 0xffff,
          ip_src: ip4("10.0.0.66") + (id >>> 24),
          ip_off: (id >>> 16) % 2 === 0 ? 0x2000 : 0x1ffc,
        });
      }
      expect(a.k.inet.reass.nqueues).to.be.at.most(200);
      expect(a.k.inet.reass.nfrags).to.be.at.most(2048);
    });
    a.alive(31 * S);
    a.st.udp("10.0.0.1", 77, 1000, bytes(2000), {});
    expect(a.k.inet.reass.nqueues).to.equal(0);
    a.end();
  });

  it("fragmentsmack: thousands of tiny fragments of one datagram, last first", () => {
    const a = new Attack();
    a.during(10, (round) => {
      for (let i = 1000; i >= 0; i--) a.st.ip("10.0.0.1", 17, bytes(8), { ip_id: 7 + round, ip_off: 0x2000 | i });
      expect(a.k.inet.reass.nfrags).to.be.at.most(10 * 128);
    });
    a.alive(31 * S);
    expect(a.k.inet.reass.nfrags).to.equal(0);
    a.end();
  });

  it("arp_flood: neighbours without number that all ask for us", () => {
    const a = new Attack();
    a.during(20, () => {
      for (let i = 0; i < 500; i++) {
        const sha = Uint8Array.of(2, 1, 2, 3, i >> 8, i);
        a.st.arp(1, ip4("10.0.0.1") - 1 + 70 + (a.next() % 180), a.k_addr, new Uint8Array(6), undefined, sha);
      }
      expect(a.k.inet.arp.nentries).to.be.at.most(256);
    });
    const lines = a.k.console().split("overwritten").length - 1;
    expect(lines, "lines about neighbours that moved, in a fifth of a second").to.be.within(1, 10);
    a.alive(S);
    a.end();
  });

  it("neighbour exhaustion: a router is sent to every address of a large network; packets that wait are bounded together", () => {
    const a = new Attack();
    a.k.plug(1, "w2", "10.128.0.1/9");
    a.k.sysctl("net.inet.ip.forwarding", 1);
    a.during(12, (round) => {
      for (let i = 0; i < 500; i++) {
        const dst = `10.${129 + round}.${i >> 6}.${1 + (i & 63)}`;
        for (let n = 0; n < 3; n++) a.st.ip(dst, 17, DATA, { ip_src: ip4("10.0.0.66") });
      }
      expect(a.k.rk.k.mb.in_use().clusters, "clusters").to.be.below(1024 + 300);
      expect(a.k.inet.arp.nentries).to.be.at.most(4096);
    });
    a.alive(40 * S);
    a.end();
  });

  it("icmp_redirect flood: routes that redirects make are bounded, and the next honest one is still believed", () => {
    const a = new Attack();
    a.k.gw("10.0.0.254");
    a.during(20, (round) => {
      for (let i = 0; i < 1000; i++) {
        const quoted = a.st.packet(`8.${round}.${i >> 8}.${i & 255}`, 17, bytes(8), { ip_src: a.k_addr });
        a.st.icmp("10.0.0.1", 5, 1, ip4("10.0.0.66"), quoted, { ip_src: ip4("10.0.0.254") });
      }
    });
    expect(rt_count(a.k.inet.net)).to.be.below(2000);
    const quoted = a.st.packet("9.9.9.9", 17, bytes(8), { ip_src: a.k_addr });
    a.st.icmp("10.0.0.1", 5, 1, ip4("10.0.0.66"), quoted, { ip_src: ip4("10.0.0.254") });
    a.w.run(MS);
    expect(a.k.stat("icmp", "redirects")).to.equal(20_001);
    a.alive(S);
    a.end();
  });

  it("udp flood: one socket's buffer fills, another socket is served", () => {
    const a = new Attack();
    const idle = a.k.udp(5000);
    a.during(20, () => {
      for (let i = 0; i < 500; i++)
        a.st.udp("10.0.0.1", i, 5000, DATA.subarray(0, 1 + (i % 1400)), { ip_src: ip4("10.0.0.66") });
      expect(a.k.rk.k.mb.in_use().mbufs).to.be.below(4000);
    });
    a.alive(S);
    a.k.close(idle);
    a.end();
  });

  it("want of everything at once: fragments, neighbours and full sockets in a kernel with few mbufs", () => {
    const a = new Attack({ nmbufs: 1200, nmbclusters: 300, nmbjumbo: 8 });
    const idle = a.k.udp(5000);
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 300; i++) {
        a.st.udp("10.0.0.1", i, 5000, DATA, { ip_src: ip4("10.0.0.66") });
        a.st.ip("10.0.0.1", 17, DATA.subarray(0, 800), {
          ip_id: a.next() & 0xffff,
          ip_off: 0x2000,
          ip_src: ip4("10.0.0.66"),
        });
        a.k.sendto(idle, DATA, `10.0.0.${70 + (i % 150)}`, 9);
      }
      a.w.run(MS);
    }
    a.k.close(idle);
    a.alive(60 * S);
    a.end();
  });
});
