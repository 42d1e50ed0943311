import { expect } from "chai";
import { EADDRINUSE, EADDRNOTAVAIL, EAGAIN, EINVAL } from "../../../hypercall/api/errno.ts";
import {
  IP_ADD_MEMBERSHIP,
  IP_DROP_MEMBERSHIP,
  IP_MULTICAST_IF,
  IP_MULTICAST_LOOP,
  IP_MULTICAST_TTL,
} from "../../../kernel-components/inet/in.ts";
import { SO_REUSEPORT, SOL_SOCKET } from "../../../kernel-components/socket/socket_abi.ts";
import { igmp_emit, IgmpHeader, igmp_length, igmp_parse } from "../../../kernel-components/wire/igmp.ts";
import { IPPROTO_IGMP, IPPROTO_IP } from "../../../kernel-components/wire/in.ts";
import { bytes, InetWorld, int, ip4, MS, type Node, pair, S, type Station } from "./inet_world.ts";

const GROUP = "239.1.2.3";

function mreq(group: string, ifaddr = "0.0.0.0"): Uint8Array {
  const b = new Uint8Array(8);
  new DataView(b.buffer).setInt32(0, ip4(group));
  new DataView(b.buffer).setInt32(4, ip4(ifaddr));
  return b;
}

function join(k: Node, fd: number, group = GROUP): number {
  return k.setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, mreq(group));
}

/** IGMP messages seen since, as text. */
function igmps(st: Station): string[] {
  return st
    .take()
    .filter((p) => p.ip.ip_p === IPPROTO_IGMP)
    .map((p) => {
      const h = new IgmpHeader();
      expect(igmp_parse(new DataView(p.data.buffer), 0, p.data.length, h)).to.equal(0);
      expect(p.ip.ip_ttl).to.equal(1);
      expect([...p.ip.ip_opts]).to.deep.equal([148, 4, 0, 0]);
      return h.igmp_type === 0x22 ? `v3 ${h.records.map((r) => r.type).join()}` : `${h.igmp_type.toString(16)}`;
    });
}

/** A query from the station. */
function query(st: Station, code: number, group: string, v3: boolean): void {
  const h = new IgmpHeader();
  h.igmp_code = code;
  h.igmp_group = ip4(group);
  h.v3_query = v3;
  const b = new Uint8Array(igmp_length(h));
  igmp_emit(new DataView(b.buffer), 0, h);
  const peer = st.peer;
  st.peer = Uint8Array.of(1, 0, 0x5e, 0, 0, 1);
  st.ip("224.0.0.1", IPPROTO_IGMP, b, { ip_ttl: 1 });
  st.peer = peer;
}

/** Sends a datagram to a group as the link layer carries it. */
function mcast(st: Station, group: string, port: number, data: Uint8Array): void {
  const a = ip4(group);
  const peer = st.peer;
  st.peer = Uint8Array.of(1, 0, 0x5e, (a >> 16) & 0x7f, (a >> 8) & 255, a & 255);
  st.udp(group, 5, port, data);
  st.peer = peer;
}

describe("multicast: membership (RFC 1112 §7)", () => {
  it("delivers to every socket of the port while the interface is a member, and to none after", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const a = k.socket();
    const b = k.socket();
    for (const fd of [a, b]) {
      k.setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, int(1));
      expect(k.bind(fd, "0.0.0.0", 1000)).to.equal(0);
    }
    mcast(st, GROUP, 1000, bytes(5));
    w.run(MS);
    expect(k.recv(a)).to.equal(EAGAIN);
    expect(join(k, a)).to.equal(0);
    expect(join(k, a)).to.equal(EADDRINUSE);
    mcast(st, GROUP, 1000, bytes(5));
    w.run(MS);
    expect(k.got(a).data).to.deep.equal(bytes(5));
    expect(k.got(b).data).to.deep.equal(bytes(5));
    expect(k.setsockopt(a, IPPROTO_IP, IP_DROP_MEMBERSHIP, mreq(GROUP))).to.equal(0);
    expect(k.setsockopt(a, IPPROTO_IP, IP_DROP_MEMBERSHIP, mreq(GROUP))).to.equal(EADDRNOTAVAIL);
    mcast(st, GROUP, 1000, bytes(5));
    w.run(MS);
    expect(k.recv(b)).to.equal(EAGAIN);
    k.close(a);
    k.close(b);
    w.run(S);
    w.end();
  });

  it("refuses what is no group, no interface, or out of range", () => {
    const w = new InetWorld();
    const { k } = pair(w);
    const fd = k.socket();
    expect(join(k, fd, "10.0.0.2")).to.equal(EINVAL);
    expect(k.setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, mreq(GROUP, "10.0.0.9"))).to.equal(EADDRNOTAVAIL);
    expect(k.setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, mreq(GROUP).slice(0, 7))).to.equal(EINVAL);
    expect(k.setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, int(256))).to.equal(EINVAL);
    expect(k.setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, int(2))).to.equal(EINVAL);
    expect(k.setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, mreq("10.0.0.9").slice(0, 4))).to.equal(EADDRNOTAVAIL);
    k.close(fd);
    w.end();
  });

  it("mcast_unconninet4: members on two kernels hear each other; ttl, loop and interface are obeyed", () => {
    const w = new InetWorld();
    const st = w.station("w", 9, "10.0.0.9");
    const a = w.node("a").plug(0, "w", "10.0.0.1/24");
    const b = w.node("b").plug(0, "w", "10.0.0.2/24");
    const fa = a.udp(1000);
    const fb = b.udp(1000);
    expect(join(a, fa)).to.equal(0);
    expect(join(b, fb)).to.equal(0);
    w.run(S);
    st.frames.length = 0;
    expect(a.sendto(fa, bytes(9), GROUP, 1000)).to.equal(0);
    w.run(MS);
    expect(a.got(fa).data).to.deep.equal(bytes(9));
    expect(b.got(fb).data).to.deep.equal(bytes(9));
    const [p] = st.take().filter((q) => q.ip.ip_p === 17);
    expect([p?.ip.ip_ttl, p?.ip.ip_src]).to.deep.equal([1, ip4("10.0.0.1")]);
    expect(p?.dst_mac).to.deep.equal(Uint8Array.of(1, 0, 0x5e, 1, 2, 3));
    a.setsockopt(fa, IPPROTO_IP, IP_MULTICAST_LOOP, Uint8Array.of(0));
    a.setsockopt(fa, IPPROTO_IP, IP_MULTICAST_TTL, Uint8Array.of(7));
    a.sendto(fa, bytes(9), GROUP, 1000);
    w.run(MS);
    expect(a.recv(fa)).to.equal(EAGAIN);
    expect(b.got(fb).data).to.deep.equal(bytes(9));
    expect(st.take().filter((q) => q.ip.ip_p === 17)[0]?.ip.ip_ttl).to.equal(7);
    a.setsockopt(fa, IPPROTO_IP, IP_MULTICAST_TTL, Uint8Array.of(0));
    a.sendto(fa, bytes(9), GROUP, 1000);
    w.run(MS);
    expect(b.recv(fb)).to.equal(EAGAIN);
    a.close(fa);
    b.close(fb);
    w.run(S);
    w.end();
  });
});

describe("multicast: with a default route", () => {
  it("goes to the group's hardware address, not the gateway's (RFC 1112 §6.4)", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    k.gw("10.0.0.2");
    const fd = k.socket();
    expect(k.sendto(fd, bytes(3), GROUP, 9)).to.equal(0);
    w.run(MS);
    expect(st.one().dst_mac).to.deep.equal(Uint8Array.of(1, 0, 0x5e, 1, 2, 3));
    k.close(fd);
    w.end();
  });
});

describe("igmp: the host's side", () => {
  it("reports a join twice and a leave, in version 3 unless told otherwise (RFC 3376 §5.1)", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.socket();
    expect(join(k, fd)).to.equal(0);
    w.run(5 * S);
    expect(igmps(st)).to.deep.equal(["v3 4", "v3 4"]);
    k.close(fd);
    w.run(5 * S);
    expect(igmps(st)).to.deep.equal(["v3 3"]);
    w.end();
  });

  it("speaks the version of the querier: 1 and 2 (RFC 3376 §7.2.1), and 3 again later", () => {
    for (const [code, report, leave] of [
      [0, "12", []],
      [100, "16", ["17"]],
    ] as const) {
      const w = new InetWorld();
      const { k, st } = pair(w);
      query(st, code, "0.0.0.0", false);
      w.run(MS);
      const fd = k.socket();
      join(k, fd);
      w.run(20 * S);
      expect(igmps(st)).to.deep.equal([report, report]);
      query(st, code, "0.0.0.0", false);
      w.run(11 * S);
      expect(igmps(st)).to.deep.equal([report]);
      k.setsockopt(fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, mreq(GROUP));
      w.run(S);
      expect(igmps(st)).to.deep.equal(leave);
      w.run(300 * S);
      join(k, fd);
      w.run(MS);
      expect(igmps(st)).to.deep.equal(["v3 4"]);
      k.close(fd);
      w.run(S);
      w.end();
    }
  });

  it("answers a version 3 query within its time, and is silent about 224.0.0.1", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.socket();
    join(k, fd);
    w.run(5 * S);
    igmps(st);
    query(st, 20, "0.0.0.0", true);
    w.run(2.1 * S);
    expect(igmps(st)).to.deep.equal(["v3 2"]);
    query(st, 20, "239.9.9.9", true);
    w.run(3 * S);
    expect(igmps(st)).to.deep.equal([]);
    expect(k.stat("igmp", "rcv_queries")).to.equal(2);
    k.close(fd);
    w.run(S);
    w.end();
  });

  it("leaves the report to another member of version 2 (RFC 2236 §3)", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    query(st, 100, "0.0.0.0", false);
    const fd = k.socket();
    w.run(MS);
    join(k, fd);
    w.run(25 * S);
    igmps(st);
    query(st, 100, "0.0.0.0", false);
    w.run(MS);
    const h = new IgmpHeader();
    h.igmp_type = 0x16;
    h.igmp_group = ip4(GROUP);
    const b = new Uint8Array(8);
    igmp_emit(new DataView(b.buffer), 0, h);
    st.peer = Uint8Array.of(1, 0, 0x5e, 1, 2, 3);
    st.ip(GROUP, IPPROTO_IGMP, b, { ip_ttl: 1 });
    w.run(20 * S);
    expect(igmps(st)).to.deep.equal([]);
    expect(k.stat("igmp", "rcv_ourreports")).to.equal(1);
    k.close(fd);
    w.run(S);
    expect(igmps(st)).to.deep.equal([]);
    w.end();
  });

  it("drops what is short, wrong, or from afar, each under its name", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const good = Uint8Array.of(0x11, 100, 0xee, 0x9b, 0, 0, 0, 0);
    st.peer = Uint8Array.of(1, 0, 0x5e, 0, 0, 1);
    st.ip("224.0.0.1", IPPROTO_IGMP, good.slice(0, 7), { ip_ttl: 1 });
    st.ip("224.0.0.1", IPPROTO_IGMP, Uint8Array.of(...good.slice(0, 7), 9), { ip_ttl: 1 });
    st.ip("224.0.0.1", IPPROTO_IGMP, good, { ip_ttl: 2 });
    w.run(MS);
    expect(["rcv_tooshort", "rcv_badsum", "rcv_badttl"].map((n) => k.stat("igmp", n))).to.deep.equal([1, 1, 1]);
    w.end();
  });
});
