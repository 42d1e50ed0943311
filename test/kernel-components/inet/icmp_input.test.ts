import { expect } from "chai";
import { bytes, InetWorld, ip4, MS, pair, S, sum16 } from "./inet_world.ts";

describe("icmp_input: echo (RFC 1122 §3.2.2.6)", () => {
  it("returns the data of any size, with a right checksum, from the address that was asked", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    for (const n of [0, 1, 55, 56, 1472]) {
      st.echo("10.0.0.1", n, bytes(n, n));
      w.run(10 * MS);
      const r = st.one();
      expect(r.ip.ip_src).to.equal(ip4("10.0.0.1"));
      expect(r.ip.ip_dst).to.equal(ip4("10.0.0.2"));
      expect(r.ip.ip_ttl).to.equal(255);
      expect(r.data[0]).to.equal(0);
      expect(sum16(r.data)).to.equal(0xffff);
      expect(r.data.subarray(8)).to.deep.equal(bytes(n, n));
    }
    expect(k.stat("icmp", "reflect")).to.equal(5);
    w.end();
  });

  it("drops what is too short or has a wrong checksum, each under its own name", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    st.ip("10.0.0.1", 1, Uint8Array.of(8, 0, 0, 0));
    st.ip("10.0.0.1", 1, Uint8Array.of(8, 0, 1, 2, 3, 4, 5, 6, 7));
    w.run(10 * MS);
    expect(st.take()).to.deep.equal([]);
    expect(k.stat("icmp", "tooshort")).to.equal(1);
    expect(k.stat("icmp", "checksum")).to.equal(1);
    w.end();
  });

  it("does not answer echo requests to broadcast or multicast addresses (smurf)", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    st.peer = new Uint8Array(6).fill(0xff);
    st.echo("10.0.0.255");
    st.echo("255.255.255.255");
    st.peer = Uint8Array.of(1, 0, 0x5e, 0, 0, 1);
    st.echo("224.0.0.1");
    w.run(10 * MS);
    expect(st.take()).to.deep.equal([]);
    expect(k.stat("icmp", "bmcastecho")).to.equal(3);
    w.end();
  });

  it("answers timestamp requests, and address mask requests only when told to", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    st.icmp("10.0.0.1", 13, 0, 7, bytes(12));
    w.run(10 * MS);
    const r = st.one();
    expect(r.data[0]).to.equal(14);
    expect(sum16(r.data)).to.equal(0xffff);
    const dv = new DataView(r.data.buffer);
    expect(dv.getUint32(12)).to.be.within(1, 86_400_000);
    st.icmp("10.0.0.1", 17, 0, 7, bytes(4));
    w.run(10 * MS);
    expect(st.take()).to.deep.equal([]);
    k.sysctl("net.inet.icmp.maskrepl", 1);
    st.icmp("10.0.0.1", 17, 0, 7, bytes(4));
    w.run(10 * MS);
    const mask = st.one();
    expect(mask.data[0]).to.equal(18);
    expect(new DataView(mask.data.buffer).getInt32(8)).to.equal(ip4("255.255.255.0"));
    w.end();
  });
});

describe("icmp_error (RFC 1122 §3.2.2, RFC 1812 §4.3.2)", () => {
  it("tells of a closed port, quoting header and returndatabytes", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    st.udp("10.0.0.1", 1000, 7, bytes(100));
    w.run(10 * MS);
    const r = st.one();
    expect([r.data[0], r.data[1]]).to.deep.equal([3, 3]);
    expect(r.data.length).to.equal(8 + 28);
    expect(r.ip.ip_tos).to.equal(0xc0);
    expect(sum16(r.data)).to.equal(0xffff);
    k.sysctl("net.inet.icmp.returndatabytes", 300);
    st.udp("10.0.0.1", 1000, 7, bytes(1000));
    w.run(10 * MS);
    expect(st.one().data.length).to.equal(8 + 20 + 300);
    expect(k.stat("udp", "noport")).to.equal(2);
    w.end();
  });

  it("never answers a broadcast, or a source that is no host", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const mac = st.peer;
    st.peer = new Uint8Array(6).fill(0xff);
    st.udp("10.0.0.255", 5, 7, bytes(4));
    st.ip("10.0.0.255", 222, bytes(4));
    st.udp("10.0.0.1", 5, 7, bytes(4));
    st.peer = mac;
    for (const src of [
      "224.0.0.9",
      "240.0.0.1",
      "255.255.255.255",
      "0.0.0.0",
      "0.1.2.3",
      "10.0.0.255",
      "10.0.0.0",
      "127.0.0.1",
      "10.0.0.1",
    ]) {
      st.udp("10.0.0.1", 5, 7, bytes(4), { ip_src: ip4(src) });
    }
    w.run(100 * MS);
    expect(st.take()).to.deep.equal([]);
    expect(k.stat("ip", "llbcast")).to.equal(1);
    w.end();
  });

  it("sends at most errppslimit errors a second, and goes on the next second", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    k.sysctl("net.inet.icmp.errppslimit", 10);
    for (let i = 0; i < 40; i++) st.udp("10.0.0.1", 1000 + i, 7, bytes(1));
    w.run(100 * MS);
    expect(st.take().length).to.equal(10);
    expect(k.stat("icmp", "throttled")).to.equal(30);
    w.run(S);
    st.udp("10.0.0.1", 1000, 7, bytes(1));
    w.run(100 * MS);
    expect(st.take().length).to.equal(1);
    w.end();
  });

  it("tells of an unknown protocol (RFC 1122 §3.2.2.1)", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    st.ip("10.0.0.1", 222, bytes(40));
    w.run(10 * MS);
    const r = st.one();
    expect([r.data[0], r.data[1]]).to.deep.equal([3, 2]);
    expect(k.stat("ip", "noproto")).to.equal(1);
    w.end();
  });
});
