import { expect } from "chai";
import { EADDRNOTAVAIL, EAGAIN, EINVAL } from "../../../hypercall/api/errno.ts";
import {
  IP_OPTIONS,
  IP_PKTINFO,
  IP_RECVDSTADDR,
  IP_RECVIF,
  IP_RECVOPTS,
  IP_RECVPKTINFO,
  IP_RECVRETOPTS,
  IP_RECVTTL,
} from "../../../kernel-components/inet/in.ts";
import { SO_TIMESTAMP, SOL_SOCKET } from "../../../kernel-components/socket/socket_abi.ts";
import { Msghdr } from "../../../kernel-components/socket/uipc_syscalls_msg.ts";
import { IPPROTO_IP } from "../../../kernel-components/wire/in.ts";
import {
  ip_options_parse,
  ipopt_words,
  IPOPT_LSRR,
  IPOPT_RR,
  IPOPT_SSRR,
  mk_ipopt_ra,
  mk_ipopt_rr,
  mk_ipopt_sr,
  mk_ipopt_ts,
} from "../../../kernel-components/wire/ip_options.ts";
import { sdl_index, sdl_name } from "../../../kernel-components/wire/sockaddr.ts";
import { type Cmsg, cmsgs_decode, cmsgs_encode } from "../../../rumpsys/cmsgs.ts";
import { rump_errno, rump_sys_recvmsg, rump_sys_sendmsg } from "../../../rumpsys/rump_sys.ts";
import { bytes, InetWorld, int, ip4, MS, type Node, pair, S, sockaddr, type Station } from "./inet_world.ts";

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

function addr4(addr: number): Uint8Array {
  return Uint8Array.of(addr >>> 24, addr >>> 16, addr >>> 8, addr);
}

describe("ip_options: record route and timestamp (RFC 791 §3.1, RFC 1122 §3.2.1.8)", () => {
  it("ping_opts_recordroute: records each hop, also in the answer, and stops when there is no room", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    for (const [slots, want] of [
      [3, ["10.0.0.1"]],
      [0, []],
    ] as const) {
      st.echo("10.0.0.1", 1, bytes(8), { ip_opts: mk_ipopt_rr(slots) });
      w.run(MS);
      const r = st.one();
      const [opt] = ip_options_parse(r.ip.ip_opts) ?? [];
      expect(opt?.type).to.equal(IPOPT_RR);
      expect(ipopt_words(opt!, true)).to.deep.equal(want.map(ip4));
      expect(r.data.subarray(8)).to.deep.equal(bytes(8));
    }
    expect(k.stat("ip", "badoptions")).to.equal(0);
    w.end();
  });

  it("a router records the address it sends from, and stamps the time; a full stamp counts the overflow", () => {
    const w = new InetWorld();
    const { a, b } = routed(w);
    a.udp("10.0.2.2", 1, 2, bytes(8), { ip_opts: mk_ipopt_rr(2) });
    a.udp("10.0.2.2", 1, 2, bytes(8), { ip_opts: mk_ipopt_ts(1, 1) });
    a.udp("10.0.2.2", 1, 2, bytes(8), { ip_opts: mk_ipopt_ts(0, 0) });
    w.run(10 * MS);
    const [rr, ts, full] = b.take();
    expect(ipopt_words(ip_options_parse(rr!.ip.ip_opts)![0]!, true)).to.deep.equal([ip4("10.0.2.1")]);
    expect(ipopt_words(ip_options_parse(ts!.ip.ip_opts)![0]!, true)[0]).to.equal(ip4("10.0.2.1"));
    expect(full!.ip.ip_opts[3]! >> 4).to.equal(1);
    w.end();
  });

  it("ip_options_malformed: answers with a parameter problem that points at the byte, and drops", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const cases: [number[], number][] = [
      [[7, 0, 4, 0], 21],
      [[7, 1, 4, 0], 21],
      [[7, 40, 4, 0], 21],
      [[7, 3, 3, 0], 22],
      [[7, 7, 0, 0, 0, 0, 0, 0], 22],
      [[68, 3, 5, 0], 21],
      [[68, 8, 4, 0, 0, 0, 0, 0], 22],
      [[68, 8, 5, 7, 0, 0, 0, 0], 23],
      [[1, 1, 1, 7], 24],
    ];
    for (const [opts, at] of cases) {
      st.echo("10.0.0.1", 1, bytes(8), { ip_opts: Uint8Array.from(opts) });
      w.run(MS);
      const r = st.one();
      expect([r.data[0], r.data[4]], opts.join()).to.deep.equal([12, at]);
    }
    expect(k.stat("ip", "badoptions")).to.equal(cases.length);
    st.echo("10.0.0.1", 1, bytes(8), { ip_opts: mk_ipopt_ra() });
    w.run(MS);
    expect(st.one().data[0]).to.equal(0);
    w.end();
  });

  it("source_route_refused: never followed nor accepted unless switched on; then hop by hop, and reversed in the answer", () => {
    const w = new InetWorld();
    const { r, a, b } = routed(w);
    const send = (type: number, dst = "10.0.1.1"): void => {
      a.echo(dst, 1, bytes(8), { ip_opts: mk_ipopt_sr(type, [ip4("10.0.2.2")]) });
      w.run(10 * MS);
    };
    send(IPOPT_LSRR);
    send(IPOPT_SSRR);
    expect(b.take()).to.deep.equal([]);
    expect(a.take().map((p) => [p.data[0], p.data[1]])).to.deep.equal([
      [3, 9],
      [3, 9],
    ]);
    expect(r.stat("ip", "srcroute")).to.equal(2);
    r.sysctl("net.inet.ip.allowsrcrt", 1);
    send(IPOPT_LSRR);
    expect(a.take().map((p) => [p.data[0], p.data[1]])).to.deep.equal([[3, 5]]);
    r.sysctl("net.inet.ip.forwsrcrt", 1);
    send(IPOPT_LSRR);
    const p = b.one();
    expect(p.ip.ip_dst).to.equal(ip4("10.0.2.2"));
    expect(ipopt_words(ip_options_parse(p.ip.ip_opts)![0]!, true)).to.deep.equal([ip4("10.0.2.1")]);
    a.echo("10.0.1.1", 1, bytes(8), { ip_opts: Uint8Array.of(IPOPT_LSRR, 7, 8, ...addr4(ip4("10.0.1.9")), 0) });
    a.also.add(ip4("10.0.1.9"));
    w.run(10 * MS);
    const reply = a.one();
    expect(reply.ip.ip_dst).to.equal(ip4("10.0.1.9"));
    expect(ipopt_words(ip_options_parse(reply.ip.ip_opts)!.find((o) => o.type === IPOPT_LSRR)!, false)).to.deep.equal([
      ip4("10.0.1.2"),
    ]);
    w.end();
  });

  it("IP_OPTIONS puts options in what a socket sends, checks them, and gives them back", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.udp(1000);
    expect(k.setsockopt(fd, IPPROTO_IP, IP_OPTIONS, Uint8Array.of(7, 9, 4, 0))).to.equal(EINVAL);
    expect(k.setsockopt(fd, IPPROTO_IP, IP_OPTIONS, Uint8Array.of(...mk_ipopt_rr(2), 0).slice(0, 12))).to.equal(0);
    expect(k.sendto(fd, bytes(600), "10.0.0.2", 9)).to.equal(0);
    w.run(MS);
    expect(st.one().ip.ip_opts.length).to.equal(12);
    expect(k.sendto(fd, bytes(2000), "10.0.0.2", 9)).to.equal(0);
    w.run(MS);
    const frags = st.take();
    expect(frags.map((f) => f.ip.ip_opts.length)).to.deep.equal([12, 0]);
    expect(k.setsockopt(fd, IPPROTO_IP, IP_OPTIONS, new Uint8Array(0))).to.equal(0);
    k.close(fd);
    w.end();
  });
});

/** recvmsg: the control messages of the next datagram. */
function control(k: Node, fd: number): Cmsg[] {
  const msg = new Msghdr();
  msg.msg_control = new Uint8Array(512);
  msg.msg_controllen = 512;
  const n = rump_sys_recvmsg(k.rk, fd, [new Uint8Array(2000)], msg, 0);
  expect(n, `errno ${rump_errno(k.rk)}`).to.be.at.least(0);
  return cmsgs_decode(msg.msg_control, msg.msg_controllen);
}

/** sendmsg with control data; the errno. */
function sendmsg(k: Node, fd: number, to: string, list: Cmsg[]): number {
  const msg = new Msghdr();
  msg.msg_name = sockaddr(to, 9);
  msg.msg_control = cmsgs_encode(list);
  msg.msg_controllen = msg.msg_control.length;
  return rump_sys_sendmsg(k.rk, fd, [bytes(4)], msg, 0) < 0 ? rump_errno(k.rk) : 0;
}

describe("ip_savecontrol: control data of received packets", () => {
  it("gives what was asked for, and nothing else", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.udp(1000);
    st.udp("10.0.0.1", 9, 1000, bytes(1));
    w.run(MS);
    expect(control(k, fd)).to.deep.equal([]);
    for (const o of [IP_RECVDSTADDR, IP_RECVPKTINFO, IP_RECVTTL, IP_RECVIF, IP_RECVOPTS, IP_RECVRETOPTS]) {
      expect(k.setsockopt(fd, IPPROTO_IP, o, int(1))).to.equal(0);
    }
    k.setsockopt(fd, SOL_SOCKET, SO_TIMESTAMP, int(1));
    st.udp("10.0.0.1", 9, 1000, bytes(1), { ip_ttl: 77, ip_opts: mk_ipopt_ra() });
    w.run(MS);
    const got = new Map(control(k, fd).map((c) => [`${c.level}/${c.type}`, c.data]));
    expect([...got.keys()]).to.deep.equal(["65535/8", "0/7", "0/25", "0/23", "0/20", "0/5"]);
    expect(got.get("0/7")).to.deep.equal(addr4(ip4("10.0.0.1")));
    const index = k.ifp("virt0").if_index;
    expect(got.get("0/25")).to.deep.equal(Uint8Array.of(10, 0, 0, 1, index, 0, 0, 0));
    expect(got.get("0/23")).to.deep.equal(Uint8Array.of(77));
    expect([sdl_index(got.get("0/20")!), sdl_name(got.get("0/20")!)]).to.deep.equal([index, "virt0"]);
    expect(got.get("0/5")).to.deep.equal(mk_ipopt_ra());
    k.close(fd);
    w.end();
  });
});

describe("ip_setpktopts: IP_PKTINFO of a send (pktinfo_send)", () => {
  const pktinfo = (addr: string, index: number): Cmsg => ({
    level: IPPROTO_IP,
    type: IP_PKTINFO,
    data: Uint8Array.of(...addr4(ip4(addr)), ...int(index)),
  });

  it("chooses the source address, for unbound and bound sockets alike, and only an address of ours", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    k.addr("virt0", "10.0.0.5/24");
    w.run(MS);
    st.frames.length = 0;
    for (const bind of [null, ["0.0.0.0", 0], ["10.0.0.1", 0], ["0.0.0.0", 1000], ["10.0.0.1", 1001]] as const) {
      const fd = k.socket();
      if (bind !== null) expect(k.bind(fd, bind[0], bind[1])).to.equal(0);
      expect(sendmsg(k, fd, "10.0.0.2", [pktinfo("10.0.0.5", 0)])).to.equal(0);
      w.run(MS);
      expect(st.one().ip.ip_src).to.equal(ip4("10.0.0.5"));
      expect(sendmsg(k, fd, "10.0.0.2", [pktinfo("10.0.0.77", 0)])).to.equal(EADDRNOTAVAIL);
      expect(sendmsg(k, fd, "10.0.0.2", [pktinfo("0.0.0.0", 99)])).to.equal(EADDRNOTAVAIL);
      expect(sendmsg(k, fd, "10.0.0.2", [{ level: IPPROTO_IP, type: IP_PKTINFO, data: new Uint8Array(7) }])).to.equal(
        EINVAL,
      );
      expect(sendmsg(k, fd, "10.0.0.2", [{ level: IPPROTO_IP, type: 200, data: new Uint8Array(4) }])).to.equal(EINVAL);
      k.close(fd);
    }
    w.run(S);
    w.end();
  });

  it("chooses the interface of a multicast", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const other = w.station("w2", 4, "10.9.0.2");
    k.plug(1, "w2", "10.9.0.1/24");
    w.run(S);
    st.frames.length = 0;
    other.frames.length = 0;
    const fd = k.socket();
    for (const [ifname, seen] of [
      ["virt0", st],
      ["virt1", other],
    ] as const) {
      expect(sendmsg(k, fd, "239.1.2.3", [pktinfo("0.0.0.0", k.ifp(ifname).if_index)])).to.equal(0);
      w.run(MS);
      expect(seen.one().ip.ip_dst).to.equal(ip4("239.1.2.3"));
    }
    expect(st.take().length + other.take().length).to.equal(0);
    expect(k.recv(fd)).to.equal(EAGAIN);
    k.close(fd);
    w.end();
  });
});
