import { expect } from "chai";
import {
  EACCES,
  EADDRINUSE,
  EADDRNOTAVAIL,
  EAGAIN,
  ECONNREFUSED,
  EDESTADDRREQ,
  EHOSTUNREACH,
  EINVAL,
  EISCONN,
  EMSGSIZE,
  ENOBUFS,
} from "../../../hypercall/api/errno.ts";
import {
  IP_BINDANY,
  IP_MINTTL,
  IP_PORTALGO,
  IP_PORTRANGE,
  IP_PORTRANGE_LOW,
  IP_TOS,
  IP_TTL,
} from "../../../kernel-components/inet/in.ts";
import { ip_output } from "../../../kernel-components/inet/ip_output.ts";
import { portalgo_names } from "../../../kernel-components/inet/portalgo.ts";
import {
  M_CSUM_DATA,
  M_CSUM_IPv4,
  M_CSUM_TCP_UDP_BAD,
  M_CSUM_UDPv4,
  type Mbuf,
  MT_DATA,
} from "../../../kernel-components/kern/mbuf.ts";
import { m_freem, m_get } from "../../../kernel-components/kern/mbuf_alloc.ts";
import { m_devget } from "../../../kernel-components/kern/mbuf_bytes.ts";
import {
  SO_RCVBUF,
  SO_RERROR,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOL_SOCKET,
} from "../../../kernel-components/socket/socket_abi.ts";
import { SockaddrOut } from "../../../kernel-components/socket/socketvar.ts";
import { IPPROTO_IP, IPPROTO_UDP } from "../../../kernel-components/wire/in.ts";
import { sin_port } from "../../../kernel-components/wire/sockaddr.ts";
import { rump_sys_getsockname } from "../../../rumpsys/rump_sys.ts";
import { bytes, InetWorld, int, ip4, MS, type Node, pair, udp_bytes } from "./inet_world.ts";

function port_of(k: Node, fd: number): number {
  const out = new SockaddrOut();
  rump_sys_getsockname(k.rk, fd, out);
  return sin_port(out.sa);
}

describe("udp: exchange (RFC 768)", () => {
  it("sends with a right checksum, tos and ttl, and gives what comes with its sender", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.udp(1000);
    expect(k.setsockopt(fd, IPPROTO_IP, IP_TTL, int(9))).to.equal(0);
    expect(k.setsockopt(fd, IPPROTO_IP, IP_TOS, int(0x10))).to.equal(0);
    for (const n of [0, 1, 2, 57, 1472]) {
      expect(k.sendto(fd, bytes(n), "10.0.0.2", 9)).to.equal(0);
      w.run(MS);
      const p = st.one();
      expect([p.ip.ip_src, p.ip.ip_ttl, p.ip.ip_tos, p.data.length]).to.deep.equal([ip4("10.0.0.1"), 9, 0x10, n + 8]);
      expect(p.data).to.deep.equal(udp_bytes(p.ip.ip_src, p.ip.ip_dst, 1000, 9, bytes(n)));
      st.udp("10.0.0.1", 9, 1000, bytes(n, 3));
      w.run(MS);
      const d = k.got(fd);
      expect([d.addr, d.port]).to.deep.equal([ip4("10.0.0.2"), 9]);
      expect(d.data).to.deep.equal(bytes(n, 3));
    }
    expect(k.recv(fd)).to.equal(EAGAIN);
    k.close(fd);
    w.end();
  });

  it("udp_lengths: accepts no checksum, refuses wrong ones and lies about lengths", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.udp(1000);
    const good = udp_bytes(st.addr, ip4("10.0.0.1"), 9, 1000, bytes(20));
    const send = (change: (b: Uint8Array) => void, cut = 28): void => {
      const b = good.slice(0, cut);
      change(b);
      st.ip("10.0.0.1", IPPROTO_UDP, b);
    };
    send((b) => b.set([0, 0], 6));
    send((b) => b.set([1, 2], 6));
    send((b) => b.set([0, 29], 4));
    send((b) => b.set([0, 7], 4));
    send((b) => b.set([0, 0], 4));
    send(() => undefined, 7);
    send((b) => b.set([0, 0], 2));
    w.run(MS);
    expect(k.got(fd).data).to.deep.equal(bytes(20));
    expect(k.recv(fd)).to.equal(EAGAIN);
    expect(["nosum", "badsum", "badlen", "hdrops"].map((n) => k.stat("udp", n))).to.deep.equal([1, 2, 3, 1]);
    k.close(fd);
    w.end();
  });

  it("takes bytes behind the datagram off: the smaller length counts", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.udp(1000);
    const b = new Uint8Array(60);
    b.set(udp_bytes(st.addr, ip4("10.0.0.1"), 9, 1000, bytes(20)));
    b.fill(0xee, 28);
    st.ip("10.0.0.1", IPPROTO_UDP, b);
    w.run(MS);
    expect(k.got(fd).data).to.deep.equal(bytes(20));
    k.close(fd);
    w.end();
  });

  it("fills the buffer to its limit, counts what does not fit, and goes on", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.udp(1000);
    for (let i = 0; i < 100; i++) st.udp("10.0.0.1", 9, 1000, bytes(1000));
    w.run(10 * MS);
    expect(k.stat("udp", "fullsock")).to.be.within(30, 90);
    while (typeof k.recv(fd) !== "number") continue;
    st.udp("10.0.0.1", 9, 1000, bytes(1000));
    w.run(10 * MS);
    expect(k.got(fd).data.length).to.equal(1000);
    k.close(fd);
    w.end();
  });

  it("goes to itself over lo0, by 127.0.0.1 and by its own address", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.udp(1000);
    for (const a of ["127.0.0.1", "10.0.0.1"]) {
      expect(k.sendto(fd, bytes(2000), a, 1000)).to.equal(0);
      w.run(MS);
      const d = k.got(fd);
      expect([d.addr, d.port, d.data.length]).to.deep.equal([ip4(a), 1000, 2000]);
    }
    expect(st.frames.length).to.equal(0);
    k.close(fd);
    w.end();
  });
});

describe("udp: connected sockets", () => {
  it("take from their peer only, report refusals, and refuse a destination", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.socket();
    expect(k.send(fd, bytes(1))).to.equal(EDESTADDRREQ);
    expect(k.connect(fd, "10.0.0.2", 9)).to.equal(0);
    const port = port_of(k, fd);
    expect(k.sendto(fd, bytes(1), "10.0.0.2", 9)).to.equal(EISCONN);
    st.udp("10.0.0.1", 8, port, bytes(1));
    st.udp("10.0.0.1", 9, port, bytes(2), { ip_src: ip4("10.0.0.3") });
    st.udp("10.0.0.1", 9, port, bytes(3));
    expect(k.send(fd, bytes(5))).to.equal(0);
    w.run(10 * MS);
    expect(k.got(fd).data.length).to.equal(3);
    expect(k.recv(fd)).to.equal(EAGAIN);
    const [p] = st.take().filter((q) => q.ip.ip_p === IPPROTO_UDP);
    const quote = new Uint8Array(28);
    quote.set(st.packet("10.0.0.2", 17, p!.data.subarray(0, 8), { ip_src: ip4("10.0.0.1") }));
    st.icmp("10.0.0.1", 3, 3, 0, quote);
    w.run(MS);
    expect(k.send(fd, bytes(5))).to.equal(ECONNREFUSED);
    expect(k.send(fd, bytes(5))).to.equal(0);
    w.run(MS);
    k.close(fd);
    w.end();
  });

  it("icmp_hard_error: are not told of errors that quote something else (RFC 5927)", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.socket();
    expect(k.connect(fd, "10.0.0.2", 9)).to.equal(0);
    const port = port_of(k, fd);
    for (const [sport, dport, src, dst] of [
      [port, 10, "10.0.0.1", "10.0.0.2"],
      [port ^ 1, 9, "10.0.0.1", "10.0.0.2"],
      [port, 9, "10.0.0.1", "10.0.0.3"],
      [port, 9, "10.0.0.4", "10.0.0.2"],
    ] as const) {
      st.icmp("10.0.0.1", 3, 3, 0, st.packet(dst, 17, udp_bytes(0, 0, sport, dport, bytes(0)), { ip_src: ip4(src) }));
    }
    w.run(MS);
    expect(k.send(fd, bytes(1))).to.equal(0);
    w.run(MS);
    k.close(fd);
    w.end();
  });

  it("may be connected to another peer, and disconnected", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.udp(1000);
    expect(k.connect(fd, "10.0.0.2", 9)).to.equal(0);
    expect(k.connect(fd, "10.0.0.2", 10)).to.equal(0);
    st.udp("10.0.0.1", 9, 1000, bytes(1));
    st.udp("10.0.0.1", 10, 1000, bytes(2));
    w.run(MS);
    expect(k.got(fd).data.length).to.equal(2);
    expect(k.recv(fd)).to.equal(EAGAIN);
    k.close(fd);
    w.end();
  });
});

describe("udp: binding (inpcb_bind_ipv4, broadcast_bind_basic)", () => {
  it("refuses foreign addresses, other families, a second bind, and privileged ports to ordinary users", () => {
    const w = new InetWorld();
    const { k } = pair(w);
    const fd = k.socket();
    expect(k.bind(fd, "10.0.0.7", 1000)).to.equal(EADDRNOTAVAIL);
    expect(k.bind(fd, "255.255.255.255", 1000)).to.equal(EADDRNOTAVAIL);
    const sa = new Uint8Array(16);
    sa.set([16, 24]);
    expect(() => k.rk.rumpSys.bind(fd, sa)).to.throw(/EAFNOSUPPORT/);
    expect(k.bind(fd, "10.0.0.255", 1000)).to.equal(0);
    expect(k.bind(fd, "10.0.0.1", 1001)).to.equal(EINVAL);
    const m = k.socket();
    expect(k.bind(m, "224.0.0.9", 1000)).to.equal(0);
    const user = k.rk.process("user", 1000, 1000);
    const ufd = user.rumpSys.socket(2, 2, 0);
    expect(() => user.rumpSys.bind(ufd, { family: "inet", address: "0.0.0.0", port: 80 })).to.throw(/EACCES/);
    user.exit();
    const any = k.socket();
    expect(k.setsockopt(any, IPPROTO_IP, IP_BINDANY, int(1))).to.equal(0);
    expect(k.bind(any, "10.0.0.7", 1000)).to.equal(0);
    for (const f of [fd, m, any]) k.close(f);
    w.end();
  });

  it("knows conflicts: any against specific, SO_REUSEADDR, SO_REUSEPORT", () => {
    const w = new InetWorld();
    const { k } = pair(w);
    const a = k.udp(1000);
    const b = k.socket();
    expect(k.bind(b, "0.0.0.0", 1000)).to.equal(EADDRINUSE);
    expect(k.bind(b, "10.0.0.1", 1000)).to.equal(EADDRINUSE);
    expect(k.setsockopt(b, SOL_SOCKET, SO_REUSEADDR, int(1))).to.equal(0);
    expect(k.bind(b, "10.0.0.1", 1000)).to.equal(0);
    const c = k.socket();
    expect(k.setsockopt(c, SOL_SOCKET, SO_REUSEPORT, int(1))).to.equal(0);
    expect(k.bind(c, "10.0.0.1", 1000)).to.equal(EADDRINUSE);
    const d = k.socket();
    k.setsockopt(d, SOL_SOCKET, SO_REUSEPORT, int(1));
    expect(k.bind(d, "0.0.0.0", 2000)).to.equal(0);
    expect(k.bind(c, "0.0.0.0", 2000)).to.equal(0);
    for (const f of [a, b, c, d]) k.close(f);
    expect(k.inet.udbtable.inpt_porthash.size).to.equal(0);
    w.end();
  });

  it("prefers the socket bound to the address over the one bound to any", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const any = k.socket();
    k.setsockopt(any, SOL_SOCKET, SO_REUSEADDR, int(1));
    expect(k.bind(any, "0.0.0.0", 1000)).to.equal(0);
    const own = k.socket();
    k.setsockopt(own, SOL_SOCKET, SO_REUSEADDR, int(1));
    expect(k.bind(own, "10.0.0.1", 1000)).to.equal(0);
    st.udp("10.0.0.1", 9, 1000, bytes(1));
    w.run(MS);
    expect(k.recv(any)).to.equal(EAGAIN);
    expect(k.got(own).data.length).to.equal(1);
    k.close(any);
    k.close(own);
    w.end();
  });

  it("chooses ports at random from the dynamic range, by every algorithm (RFC 6056)", () => {
    const w = new InetWorld();
    const { k } = pair(w);
    for (const [algo, name] of portalgo_names.entries()) {
      const ports: number[] = [];
      for (let i = 0; i < 50; i++) {
        const fd = k.socket();
        expect(k.setsockopt(fd, IPPROTO_IP, IP_PORTALGO, int(algo))).to.equal(0);
        expect(k.connect(fd, "10.0.0.2", 5000 + i)).to.equal(0);
        ports.push(port_of(k, fd));
        k.close(fd);
      }
      expect(Math.min(...ports), name).to.be.at.least(49152);
      const runs = ports.filter((p, i) => i > 0 && Math.abs(p - (ports[i - 1] as number)) <= 1).length;
      if (name !== "bsd") expect(runs, name).to.be.below(5);
      if (name === "random_start") expect(Math.max(...ports) - Math.min(...ports)).to.be.above(10000);
    }
    const low = k.socket();
    expect(k.setsockopt(low, IPPROTO_IP, IP_PORTRANGE, int(IP_PORTRANGE_LOW))).to.equal(0);
    expect(k.connect(low, "10.0.0.2", 5)).to.equal(0);
    expect(port_of(k, low)).to.be.within(600, 1023);
    k.close(low);
    w.end();
  });

  it("never chooses a port that net.inet.ip.anonportalgo.reserve names", () => {
    const w = new InetWorld();
    const { k } = pair(w);
    k.sysctl("net.inet.ip.anonportmax", 49160);
    const map = new Uint8Array(8192);
    for (let port = 49152; port <= 49160; port++) if (port !== 49155) map[port >> 3]! |= 1 << (port & 7);
    k.rk.rumpSys.sysctlbyname("net.inet.ip.anonportalgo.reserve", map);
    expect(k.rk.rumpSys.sysctlbyname("net.inet.ip.anonportalgo.reserve")).to.deep.equal(map);
    const fd = k.udp(0);
    expect(port_of(k, fd)).to.equal(49155);
    expect(() => k.rk.rumpSys.sysctlbyname("net.inet.ip.anonportalgo.reserve", new Uint8Array(7))).to.throw("EINVAL");
    k.close(fd);
    w.end();
  });

  it("says EAGAIN when every port of the range is taken", () => {
    const w = new InetWorld();
    const { k } = pair(w);
    k.sysctl("net.inet.ip.anonportmax", 49160);
    const fds = Array.from({ length: 9 }, () => k.udp(0));
    const one = k.socket();
    expect(k.bind(one, "0.0.0.0", 0)).to.equal(EAGAIN);
    for (const fd of [...fds, one]) k.close(fd);
    w.end();
  });
});

describe("udp: rules of sending", () => {
  it("wants SO_BROADCAST for broadcasts, and a route for the rest", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.udp(1000);
    expect(k.sendto(fd, bytes(4), "10.0.0.255", 9)).to.equal(EACCES);
    expect(k.sendto(fd, bytes(4), "192.168.1.1", 9)).to.equal(EHOSTUNREACH);
    expect(k.sendto(fd, bytes(4), "10.0.0.2", 0)).to.equal(EADDRNOTAVAIL);
    k.broadcast(fd);
    for (const dst of ["10.0.0.255", "255.255.255.255"]) {
      expect(k.sendto(fd, bytes(4), dst, 1000)).to.equal(0);
      w.run(MS);
      const p = st.one();
      expect([p.ip.ip_dst, p.ip.ip_src]).to.deep.equal([ip4(dst), ip4("10.0.0.1")]);
      expect(p.dst_mac).to.deep.equal(new Uint8Array(6).fill(0xff));
      expect(k.got(fd).data).to.deep.equal(bytes(4));
    }
    expect(k.sendto(fd, bytes(1600), "10.0.0.255", 9)).to.equal(EMSGSIZE);
    expect(k.stat("ip", "bcastdenied")).to.equal(1);
    k.close(fd);
    w.end();
  });

  it("drops what a socket with IP_MINTTL does not want", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.udp(1000);
    expect(k.setsockopt(fd, IPPROTO_IP, IP_MINTTL, int(255))).to.equal(0);
    st.udp("10.0.0.1", 9, 1000, bytes(1), { ip_ttl: 254 });
    st.udp("10.0.0.1", 9, 1000, bytes(2), { ip_ttl: 255 });
    w.run(MS);
    expect(k.got(fd).data.length).to.equal(2);
    expect(k.recv(fd)).to.equal(EAGAIN);
    expect(k.stat("ip", "minttl")).to.equal(1);
    k.close(fd);
    w.end();
  });

  it("uses identifications that nobody can predict (ipid_not_global)", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.udp(1000);
    for (let i = 0; i < 60; i++) {
      k.sendto(fd, bytes(1), "10.0.0.2", 9);
      w.run(MS);
    }
    const ids = st.take().map((p) => p.ip.ip_id);
    expect(new Set(ids).size).to.equal(60);
    const steps = ids.slice(1).map((id, i) => Math.abs(id - (ids[i] as number)));
    expect(steps.filter((s) => s < 64).length).to.be.below(5);
    k.close(fd);
    w.end();
  });
});

describe("udp: overflow", () => {
  it("tells a socket with SO_RERROR of datagrams that did not fit, once; others lose them silently", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const [told, quiet] = [k.udp(1000), k.udp(1001)];
    expect(k.setsockopt(told, SOL_SOCKET, SO_RERROR, int(1))).to.equal(0);
    for (const fd of [told, quiet]) expect(k.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, int(2000))).to.equal(0);
    k.sendto(told, bytes(1), "10.0.0.2", 9);
    w.run(MS);
    for (let i = 0; i < 5; i++) for (const port of [1000, 1001]) st.udp("10.0.0.1", 9, port, bytes(900));
    w.run(MS);
    const results = (fd: number): (string | number)[] =>
      Array.from({ length: 5 }, () => k.recv(fd)).map((d) => (typeof d === "number" ? d : "data"));
    const [a, b] = [results(told), results(quiet)];
    expect(a.filter((r) => r === ENOBUFS)).to.have.length(1);
    expect(a.indexOf(ENOBUFS)).to.equal(a.lastIndexOf("data") + 1);
    expect(b.filter((r) => r === ENOBUFS)).to.have.length(0);
    for (const fd of [told, quiet]) k.close(fd);
    w.end();
  });
});

describe("udp: offload metadata", () => {
  /** Gives a packet to IPv4 as a driver with offloads would. */
  function inject(k: Node, packet: Uint8Array, set: (m: Mbuf) => void): void {
    k.in_kernel(() => {
      const ifp = k.ifp("virt0");
      const m = m_devget(k.rk.k.mb, packet, 32, ifp)!;
      set(m);
      k.inet.net.et_ip!(ifp, m);
    });
  }

  it("takes a superframe apart: each datagram is a record of its own (UDP GRO)", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.udp(1000);
    const whole = st.packet("10.0.0.1", 17, udp_bytes(st.addr, ip4("10.0.0.1"), 9, 1000, bytes(250)));
    inject(k, whole, (m) => {
      m.m_gso_type = 5;
      m.m_gso_size = 100;
      m.m_csum_flags = M_CSUM_DATA;
    });
    const got = [k.got(fd), k.got(fd), k.got(fd)];
    expect(got.map((d) => d.data.length)).to.deep.equal([100, 100, 50]);
    expect(got.map((d) => d.data[0])).to.deep.equal([bytes(250)[0], bytes(250)[100], bytes(250)[200]]);
    expect(k.recv(fd)).to.equal(EAGAIN);
    k.close(fd);
    w.end();
  });

  it("drops a superframe that cannot be taken apart for want of mbufs: it never arrives as one datagram", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.udp(1000);
    const whole = st.packet("10.0.0.1", 17, udp_bytes(st.addr, ip4("10.0.0.1"), 9, 1000, bytes(250)));
    const hog: Mbuf[] = [];
    inject(k, whole, (m) => {
      m.m_gso_type = 5;
      m.m_gso_size = 100;
      m.m_csum_flags = M_CSUM_DATA;
      for (let n = m_get(k.rk.k.mb, MT_DATA); n !== null; n = m_get(k.rk.k.mb, MT_DATA)) hog.push(n);
    });
    for (const n of hog) m_freem(n);
    expect(k.recv(fd)).to.equal(EAGAIN);
    expect(k.stat("udp", "fullsock")).to.equal(1);
    k.close(fd);
    w.end();
  });

  it("a superframe whose segments are larger than the MTU goes as one datagram in fragments", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.udp(1000);
    k.sendto(fd, bytes(1), "10.0.0.2", 9);
    w.run(MS);
    st.take();
    const whole = st.packet("10.0.0.2", 17, udp_bytes(ip4("10.0.0.1"), st.addr, 9, 1000, bytes(3000)), {
      ip_src: ip4("10.0.0.1"),
    });
    k.in_kernel(() => {
      const m = m_devget(k.rk.k.mb, whole, 64, null)!;
      m.m_gso_type = 5;
      m.m_gso_size = 2000;
      m.m_hdr_len = 28;
      expect(ip_output(k.inet, m, null, null, 0, null, null)).to.equal(0);
    });
    w.run(MS);
    expect(st.take().map((p) => [p.ip.ip_off & 0x1fff, p.data.length])).to.deep.equal([
      [0, 1480],
      [185, 1480],
      [370, 48],
    ]);
    k.close(fd);
    w.end();
  });

  it("believes what the device has verified, good or bad, and checks the rest", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.udp(1000);
    const b = udp_bytes(st.addr, ip4("10.0.0.1"), 9, 1000, bytes(20));
    b[6]! ^= 0x55;
    const wrong = st.packet("10.0.0.1", 17, b);
    inject(k, wrong, () => undefined);
    expect(k.recv(fd)).to.equal(EAGAIN);
    inject(k, wrong, (m) => (m.m_csum_flags = M_CSUM_UDPv4 | M_CSUM_IPv4));
    expect(k.got(fd).data.length).to.equal(20);
    inject(k, wrong, (m) => (m.m_csum_flags = M_CSUM_UDPv4 | M_CSUM_TCP_UDP_BAD));
    expect(k.recv(fd)).to.equal(EAGAIN);
    expect(k.stat("udp", "badsum")).to.equal(2);
    k.close(fd);
    w.end();
  });

  it("leaves the checksum to a device that can, and does it for one that cannot, also for fragments", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.udp(1000);
    for (const n of [33, 3000]) {
      k.sendto(fd, bytes(n), "10.0.0.2", 9);
      w.run(MS);
      const whole = new Uint8Array(n + 8);
      for (const p of st.take()) whole.set(p.data, (p.ip.ip_off & 0x1fff) * 8);
      expect(whole).to.deep.equal(udp_bytes(ip4("10.0.0.1"), ip4("10.0.0.2"), 1000, 9, bytes(n)));
    }
    k.sysctl("net.inet.udp.checksum", 0);
    k.sendto(fd, bytes(5), "10.0.0.2", 9);
    w.run(MS);
    expect([...st.one().data.subarray(6, 8)]).to.deep.equal([0, 0]);
    k.close(fd);
    w.end();
  });
});
