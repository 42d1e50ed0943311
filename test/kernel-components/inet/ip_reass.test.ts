import { expect } from "chai";
import fc from "fast-check";
import { IP_MF } from "../../../kernel-components/wire/ipv4.ts";
import { bytes, InetWorld, ip4, MS, type Node, pair, S, type Station, udp_bytes } from "./inet_world.ts";

/** A UDP datagram for port 9 as the data of an IP packet. */
function datagram(st: Station, n: number): Uint8Array {
  return udp_bytes(st.addr, ip4("10.0.0.1"), 7, 9, bytes(n, n));
}

/** Sends bytes [from, to) of whole as a fragment. */
function frag(st: Station, id: number, whole: Uint8Array, from: number, to: number, more = to < whole.length): void {
  st.ip("10.0.0.1", 17, whole.subarray(from, to), { ip_id: id, ip_off: (from >> 3) | (more ? IP_MF : 0) });
}

function received(k: Node, fd: number): number {
  let n = 0;
  while (typeof k.recv(fd) !== "number") n++;
  return n;
}

describe("ip_reass (RFC 791 §3.2, RFC 815)", () => {
  it("puts fragments of any cut and order together, duplicates or not", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.udp(9);
    let id = 0;
    fc.assert(
      fc.property(
        fc.integer({ min: 17, max: 3000 }),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 0, max: 1000 }),
        (n, cuts, shuffle) => {
          const whole = datagram(st, n);
          const at = [...new Set(cuts.map((c) => ((c * 8) % whole.length) & ~7).filter((c) => c > 0))].sort(
            (x, y) => x - y,
          );
          const parts = [0, ...at]
            .map((from, i) => [from, at[i] ?? whole.length] as const)
            .filter(([from, to]) => to - from <= 1480);
          fc.pre(parts.length === at.length + 1);
          id++;
          const order = parts
            .map((p, i) => ({ p, key: (i * 7919 + shuffle * 31) % 101 }))
            .sort((x, y) => x.key - y.key);
          for (const { p } of order) {
            frag(st, id, whole, p[0], p[1]);
            // A repetition of one that is still incomplete is ignored.
            if (parts.length > 1 && p === order[0]?.p) frag(st, id, whole, p[0], p[1]);
          }
          w.run(10 * MS);
          const d = k.got(fd);
          expect(d.data).to.deep.equal(bytes(n, n));
        },
      ),
      { numRuns: 60 },
    );
    expect(k.inet.reass.nfrags + k.inet.reass.nqueues).to.equal(0);
    k.close(fd);
    w.end();
  });

  it("gives the first fragment's sender an ICMP time exceeded after 30 s, and frees everything (RFC 1122 §3.3.2)", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const whole = datagram(st, 100);
    frag(st, 1, whole, 0, 64);
    frag(st, 2, whole, 64, 108);
    w.run(29 * S);
    expect(k.inet.reass.nqueues).to.equal(2);
    w.run(2 * S);
    expect(k.inet.reass.nqueues).to.equal(0);
    expect(k.stat("ip", "fragtimeout")).to.equal(2);
    const [p] = st.take();
    expect([p?.data[0], p?.data[1]]).to.deep.equal([11, 1]);
    w.end();
  });

  it("refuses the whole datagram when fragments overlap, also those that come later (teardrop, RFC 5722 §3)", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.udp(9);
    const whole = datagram(st, 100);
    frag(st, 5, whole, 0, 64);
    frag(st, 5, whole, 56, 80, true);
    frag(st, 5, whole, 0, 64);
    frag(st, 5, whole, 64, 108);
    w.run(10 * MS);
    expect(received(k, fd)).to.equal(0);
    expect(k.stat("ip", "overlapfrags")).to.equal(4);
    expect(k.inet.reass.nfrags).to.equal(0);
    w.run(31 * S);
    frag(st, 5, whole, 0, 64);
    frag(st, 5, whole, 64, 108);
    w.run(10 * MS);
    expect(received(k, fd)).to.equal(1);
    k.close(fd);
    w.end();
  });

  it("ip_reass__multiple_last_fragments: two different ends condemn the datagram", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const whole = datagram(st, 200);
    frag(st, 6, whole, 64, 128, false);
    frag(st, 6, whole, 128, 208, false);
    w.run(MS);
    expect(k.stat("ip", "overlapfrags")).to.equal(2);
    frag(st, 7, whole, 128, 192, true);
    frag(st, 7, whole, 64, 128, false);
    w.run(MS);
    expect(k.stat("ip", "overlapfrags")).to.equal(4);
    w.end();
  });

  it("ip_reass__zero_length_fragment and odd ones are counted and dropped", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    st.ip("10.0.0.1", 17, new Uint8Array(0), { ip_id: 8, ip_off: IP_MF });
    st.ip("10.0.0.1", 17, new Uint8Array(0), { ip_id: 8, ip_off: 5 });
    st.ip("10.0.0.1", 17, bytes(13), { ip_id: 8, ip_off: IP_MF });
    w.run(MS);
    expect(k.stat("ip", "badfrags")).to.equal(3);
    expect(k.inet.reass.nqueues).to.equal(0);
    w.end();
  });

  it("ip_reass__large_fragment, ping_of_death: nothing beyond 65535 bytes", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    st.ip("10.0.0.1", 1, bytes(1000), { ip_id: 9, ip_off: 8190 });
    st.ip("10.0.0.1", 1, bytes(24), { ip_id: 9, ip_off: 8189 });
    w.run(MS);
    expect(k.stat("ip", "toolong")).to.equal(2);
    expect(k.inet.reass.nqueues).to.equal(0);
    st.echo("10.0.0.1");
    w.run(MS);
    expect(st.take().length).to.equal(1);
    w.end();
  });

  it("rose, fragmentsmack: bounded queues under a flood of lone fragments; others are still served", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.udp(9);
    const whole = datagram(st, 2000);
    for (let i = 0; i < 600; i++) {
      frag(st, 1000 + i, whole, 8 * (i % 100), 8 * (i % 100) + 8, true);
      if (i % 50 === 0) w.run(MS);
    }
    for (let i = 0; i < 300; i++) frag(st, 999, whole, 16 * (i % 92), 16 * (i % 92) + 8, true);
    w.run(MS);
    expect(k.inet.reass.nqueues).to.be.at.most(200);
    let most = 0;
    for (let q = k.inet.reass.oldest; q !== null; q = q.ipfq_newer) most = Math.max(most, q.ipfq_nfrags);
    expect(most).to.be.at.most(128);
    st.echo("10.0.0.1");
    frag(st, 5, whole, 0, 1000);
    frag(st, 5, whole, 1000, 2008);
    w.run(10 * MS);
    expect(st.take().length).to.equal(1);
    expect(k.got(fd).data.length).to.equal(2000);
    k.close(fd);
    w.end();
  });

  it("sends and takes in datagrams of every size up to 65507 bytes", () => {
    const w = new InetWorld();
    const a = w.node("a").plug(0, "w", "10.0.0.1/24");
    const b = w.node("b").plug(0, "w", "10.0.0.2/24");
    const fa = a.udp(1);
    const fb = b.udp(2);
    a.rk.rumpSys.setsockopt(fa, 0xffff, 0x1001, Uint8Array.of(0, 0, 2, 0));
    b.rk.rumpSys.setsockopt(fb, 0xffff, 0x1002, Uint8Array.of(0, 0, 3, 0));
    for (const n of [1473, 2952, 2953, 9001, 32767, 65506, 65507]) {
      expect(a.sendto(fa, bytes(n, n), "10.0.0.2", 2), String(n)).to.equal(0);
      w.run(50 * MS);
      expect(b.got(fb).data).to.deep.equal(bytes(n, n));
    }
    expect(a.sendto(fa, bytes(65508), "10.0.0.2", 2)).to.equal(40);
    a.close(fa);
    b.close(fb);
    w.end();
  });
});
