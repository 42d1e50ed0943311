// Attacks by single malformed packets: dropped without an answer (or with the one answer that an RFC asks for), and nobody notices.
import { expect } from "chai";
import { ETHERTYPE_ARP, ETHERTYPE_IP } from "../../../kernel-components/wire/ether.ts";
import { Attack } from "./attack_world.ts";
import { bytes, fix_ip_cksum, icmp_bytes, ip4, MS, S, type SeenIp, udp_bytes } from "./inet_world.ts";

/** What the attacker has got back, but for neighbour talk. */
function answers(a: Attack): SeenIp[] {
  a.w.run(MS);
  return a.st.take();
}

describe("attacks by malformed packets", () => {
  let a: Attack;
  beforeEach(() => {
    a = new Attack();
    a.st.frames.length = 0;
  });
  afterEach(() => {
    a.alive(31 * S);
    a.end();
  });

  it("land: from the victim to itself, by every protocol, also while it forwards", () => {
    for (const forwarding of [0, 1]) {
      a.k.sysctl("net.inet.ip.forwarding", forwarding);
      for (const proto of [1, 2, 6, 17, 99])
        for (const port of [7, 1000])
          a.st.ip("10.0.0.1", proto, udp_bytes(a.k_addr, a.k_addr, port, port, bytes(8)), { ip_src: a.k_addr });
    }
    expect(answers(a)).to.deep.equal([]);
    expect(a.k.stat("ip", "badaddr")).to.equal(20);
  });

  it("subnet_broadcast_source, martian_sources: nothing is sent to them, least of all by broadcast (smurf the other way round)", () => {
    const sources = ["10.0.0.255", "255.255.255.255", "0.0.0.0", "127.0.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1"];
    for (const ip_src of sources.map(ip4)) {
      a.st.echo("10.0.0.1", 1, bytes(8), { ip_src });
      a.st.udp("10.0.0.1", 5, 9999, bytes(8), { ip_src });
      a.st.ip("10.0.0.1", 99, bytes(8), { ip_src });
      a.st.ip("10.0.0.1", 17, bytes(8), { ip_src, ip_ttl: 0 });
    }
    expect(answers(a)).to.deep.equal([]);
  });

  it("smurf: echo requests, timestamps and datagrams to broadcasts and groups are answered by nobody", () => {
    for (const dst of ["10.0.0.255", "255.255.255.255", "10.0.0.0", "224.0.0.1"]) {
      for (const peer of [a.st.peer, new Uint8Array(6).fill(0xff)]) {
        a.st.ether(peer, ETHERTYPE_IP, a.st.packet(dst, 1, icmp_bytes(8, 0, 1, bytes(64))));
        a.st.ether(peer, ETHERTYPE_IP, a.st.packet(dst, 1, icmp_bytes(13, 0, 1, bytes(12))));
        a.st.ether(peer, ETHERTYPE_IP, a.st.packet(dst, 17, udp_bytes(a.st.addr, ip4(dst), 5, 9999, bytes(8))));
        a.st.ether(peer, ETHERTYPE_IP, a.st.packet(dst, 99, bytes(8)));
      }
    }
    expect(answers(a)).to.deep.equal([]);
  });

  it("teardrop, bonk, boink, newtear: fragments that overlap, each way", () => {
    const pairs: readonly (readonly [number, number, number, number])[] = [
      [0, 40, 3, 8],
      [0, 36, 3, 4],
      [0, 24, 2, 24],
      [0, 24, 0, 32],
      [4, 24, 4, 16],
      [8, 24, 4, 64],
      [1, 8, 0, 24],
      [0, 16, 1, 0x2000],
    ];
    let id = 100;
    for (const [off1, len1, off2, len2] of pairs) {
      const second = Math.min(len2, 1400);
      for (const order of [0, 1]) {
        const frags = [
          (): void => a.st.ip("10.0.0.1", 17, bytes(len1 & ~7), { ip_id: id, ip_off: 0x2000 | off1 }),
          (): void => a.st.ip("10.0.0.1", 17, bytes(second), { ip_id: id, ip_off: off2 }),
        ];
        if (order === 1) frags.reverse();
        for (const send of frags) send();
        id++;
      }
    }
    expect(answers(a)).to.deep.equal([]);
    expect(a.k.stat("ip", "reassembled")).to.equal(0);
    expect(a.k.stat("ip", "overlapfrags")).to.be.above(10);
  });

  it("ping_of_death, jolt: nothing longer than 65535 bytes is put together, nor waits", () => {
    const echo = icmp_bytes(8, 0, 1, bytes(1400));
    for (let off = 0; off < 65_528; off += 1400)
      a.st.ip("10.0.0.1", 1, off === 0 ? echo.slice(0, 1400) : bytes(1400), { ip_id: 9, ip_off: 0x2000 | (off >> 3) });
    for (const len of [8, 100, 1400]) a.st.ip("10.0.0.1", 1, bytes(len), { ip_id: 9, ip_off: 0x1fff });
    expect(answers(a)).to.deep.equal([]);
    expect(a.k.stat("ip", "reassembled")).to.equal(0);
    expect(a.k.stat("ip", "toolong")).to.be.at.least(3);
  });

  it("frag_zero_and_odd: fragments without data, of odd lengths, of one byte, with DF", () => {
    for (const off of [0, 1, 0x1fff]) {
      for (const len of [0, 1, 7, 9]) {
        for (const flags of [0x2000, 0x6000, 0xa000])
          a.st.ip("10.0.0.1", 17, bytes(len), { ip_id: 5, ip_off: flags | off });
      }
    }
    expect(answers(a)).to.deep.equal([]);
    expect(a.k.inet.reass.nfrags).to.equal(0);
  });

  it("ip_header_lies: every first byte and every length field, with a right checksum", () => {
    const good = a.st.packet("10.0.0.1", 17, udp_bytes(a.st.addr, a.k_addr, 5, 1000, bytes(60)));
    for (let v = 0; v < 256; v++) {
      const b = good.slice();
      b[0] = v;
      if ((v & 15) >= 5) fix_ip_cksum(b);
      a.st.ether(a.st.peer, ETHERTYPE_IP, b);
      const c = good.slice();
      c[2] = v >> 5;
      c[3] = (v << 3) & 255;
      fix_ip_cksum(c);
      a.st.ether(a.st.peer, ETHERTYPE_IP, c);
    }
    expect(answers(a).filter((p) => p.ip.ip_p !== 1)).to.deep.equal([]);
    expect(a.k.stat("ip", "badvers"), "versions that are not 4").to.be.at.least(240);
  });

  it("ip_options_malformed: every option with every length and pointer: no loop, at most a hundred answers a second", () => {
    let seen = 0;
    for (const type of [0, 1, 7, 68, 82, 130, 131, 133, 134, 136, 137, 148, 149, 151, 205, 255]) {
      for (let len = 0; len < 256; len++) {
        for (const ptr of [0, 3, 4, 5, 39, 255]) {
          const opts = new Uint8Array(40).fill(len);
          opts.set([type, len, ptr, 1]);
          a.st.ip("10.0.0.1", 17, bytes(8), { ip_opts: opts });
        }
      }
      seen += answers(a).length;
    }
    expect(seen).to.be.at.most(100);
  });

  it("ip_in_ip: packets in packets in packets are not opened", () => {
    let inner = udp_bytes(a.st.addr, a.k_addr, 5, 1000, bytes(8));
    for (let depth = 0; depth < 60; depth++)
      inner = a.st.packet("10.0.0.1", depth === 0 ? 17 : depth % 2 === 0 ? 4 : 94, inner);
    a.st.ip("10.0.0.1", 4, inner);
    const seen = answers(a);
    expect(seen.map((p) => [p.ip.ip_p, p.data[0], p.data[1]])).to.deep.equal([[1, 3, 2]]);
  });

  it("icmp_no_error_about_error: no error about an error, a later fragment, nor what came by broadcast", () => {
    for (const type of [3, 4, 5, 11, 12]) {
      const quoted = a.st.packet("10.0.0.1", 17, bytes(8));
      a.st.icmp("10.0.0.1", type, 77, 0, quoted);
      a.st.icmp("10.0.0.1", type, 0, 0, quoted, { ip_opts: Uint8Array.of(7, 255, 4, 0) });
    }
    a.st.ip("10.0.0.1", 99, bytes(16), { ip_off: 2, ip_id: 77 });
    a.st.ether(new Uint8Array(6).fill(0xff), ETHERTYPE_IP, a.st.packet("10.0.0.1", 99, bytes(16)));
    expect(answers(a).filter((p) => !(p.ip.ip_p === 1 && p.data[0] === 12 && p.data[8 + 9] !== 1))).to.deep.equal([]);
  });

  it("udp_lengths: every length field of a datagram, right checksum or none", () => {
    for (let v = 0; v < 600; v++) {
      const b = udp_bytes(a.st.addr, a.k_addr, 5, 1000, bytes(100));
      b[4] = v >> 8;
      b[5] = v;
      if (v % 2 === 0) b.fill(0, 6, 8);
      a.st.ip("10.0.0.1", 17, b);
    }
    expect(answers(a)).to.deep.equal([]);
  });

  it("ethernet_runts, arp_garbage: frames of every length from nothing, of IP and of ARP", () => {
    for (const type of [ETHERTYPE_IP, ETHERTYPE_ARP, 0x8100, 0x86dd, 0]) {
      for (let len = 0; len < 64; len++) {
        const f = new Uint8Array(64);
        f.set(a.st.peer, 0);
        f.set(a.st.mac, 6);
        f.set([type >> 8, type, 0x45, 0, 0, len], 12);
        a.st.raw(f.subarray(0, len));
      }
    }
    expect(answers(a)).to.deep.equal([]);
    expect(a.k.stat("net", "runt")).to.equal(5 * 14);
  });

  it("igmp storm: queries without end bring one report for each group and response time", () => {
    const before = a.k.stat("igmp", "snd_reports");
    for (let i = 0; i < 2000; i++) {
      const q = Uint8Array.of(0x11, 1, 0, 0, 0, 0, 0, 0);
      q.set([0xee, 0xfe], 2);
      a.st.ether(Uint8Array.of(1, 0, 0x5e, 0, 0, 1), ETHERTYPE_IP, a.st.packet("224.0.0.1", 2, q, { ip_ttl: 1 }));
    }
    a.w.run(S);
    expect(a.k.stat("igmp", "rcv_queries")).to.equal(2000);
    expect(a.k.stat("igmp", "snd_reports") - before).to.be.at.most(4);
  });
});
