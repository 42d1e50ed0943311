// Routing sockets: what programs ask, what they are told, and what hostile messages get.
import { expect } from "chai";
import fc from "fast-check";
import {
  EACCES,
  EEXIST,
  EINVAL,
  ENETUNREACH,
  EOPNOTSUPP,
  EPROTONOSUPPORT,
  ESRCH,
  EWOULDBLOCK,
  EAFNOSUPPORT,
} from "../../../hypercall/api/errno.ts";
import { Timespec } from "../../../hypercall/api/clock.ts";
import { SysctlLen } from "../../../kernel-components/kern/sysctl_bytes.ts";
import { ifr_name, ifreq_flags, ifreq_int, SIOCSIFFLAGS, SIOCSIFMTU } from "../../../kernel-components/net/if_abi.ts";
import { if_link_state_change } from "../../../kernel-components/net/if_link.ts";
import { LINK_STATE_UP } from "../../../kernel-components/net/if_flags.ts";
import { rt_count, rtalloc1, rtlookup4 } from "../../../kernel-components/net/route.ts";
import {
  RTF_BLACKHOLE,
  RTF_CONNECTED,
  RTF_DONE,
  RTF_GATEWAY,
  RTF_HOST,
  RTF_LLDATA,
  RTF_REJECT,
  RTF_STATIC,
  RTF_UP,
  RTM_ADD,
  RTM_CHANGE,
  RTM_DELETE,
  RTM_GET,
  RTM_IFANNOUNCE,
  RTM_IFINFO,
  RTM_LLINFO_UPD,
  RTM_MISS,
  RTM_NEWADDR,
  RtInfo,
} from "../../../kernel-components/net/rtentry.ts";
import { rtinit } from "../../../kernel-components/net/rtrequest.ts";
import {
  rt_msg_build,
  rt_xaddrs,
  RTA_DST,
  RTA_GATEWAY,
  RTA_IFA,
  RTA_IFP,
  RTA_NETMASK,
  RTM_ADDRS_OFF,
  RTM_ERRNO_OFF,
  RTM_FLAGS_OFF,
  RTM_INITS_OFF,
  RTM_PID_OFF,
  RTM_RMX_OFF,
  RTM_SEQ_OFF,
  RTV_EXPIRE,
  RTV_MTU,
  SIZEOF_IF_ANNOUNCEMSGHDR,
  SIZEOF_IF_MSGHDR,
  SIZEOF_IFA_MSGHDR,
  SIZEOF_RT_MSGHDR,
} from "../../../kernel-components/net/rtsock_abi.ts";
import { rt_addrmsg, rt_clonedmsg } from "../../../kernel-components/net/rtsock_notify.ts";
import { NET_RT_DUMP, NET_RT_FLAGS, NET_RT_IFLIST } from "../../../kernel-components/net/rtsock_sysctl.ts";
import {
  AF_INET,
  AF_LINK,
  AF_ROUTE,
  mk_sockaddr_dl,
  mk_sockaddr_in,
  sdl_index,
  sdl_lladdr,
  sdl_name,
  sin_addr,
} from "../../../kernel-components/wire/sockaddr.ts";
import { type Fd, type FakeEther, ip, NetWorld, route_socket } from "./net_world.ts";

const M24 = 0xffffff00 | 0;
/** A read that would block. */
const NOTHING = -EWOULDBLOCK;

class Rtm {
  readonly bytes: Uint8Array;
  readonly dv: DataView;
  readonly info: RtInfo = new RtInfo();
  constructor(bytes: Uint8Array | number) {
    if (typeof bytes === "number") throw new Error(`read gave errno ${-bytes}`);
    this.bytes = bytes;
    this.dv = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    expect(this.dv.getUint16(0, true)).to.equal(bytes.length);
    expect(bytes[2]).to.equal(4);
    if (this.type < RTM_IFANNOUNCE || this.type === RTM_LLINFO_UPD)
      expect(rt_xaddrs(bytes, SIZEOF_RT_MSGHDR, this.int(RTM_ADDRS_OFF), this.info)).to.equal(0);
  }
  get type(): number {
    return this.bytes[3] as number;
  }
  int(off: number): number {
    return this.dv.getInt32(off, true);
  }
  mtu(): number {
    return Number(this.dv.getBigUint64(RTM_RMX_OFF + 8, true));
  }
}

function message(
  type: number,
  flags: number,
  dst: string | null,
  mask: number | null,
  gw: Uint8Array | null,
  addrs = 0,
): Uint8Array {
  const info = new RtInfo();
  if (dst !== null) info.rti_dst = mk_sockaddr_in(ip(dst));
  if (mask !== null) info.rti_netmask = mk_sockaddr_in(mask);
  info.rti_gateway = gw;
  if ((addrs & RTA_IFP) !== 0) info.rti_ifpaddr = mk_sockaddr_dl(0, 0);
  const msg = rt_msg_build(type, SIZEOF_RT_MSGHDR, info);
  const dv = new DataView(msg.buffer);
  dv.setInt32(RTM_FLAGS_OFF, flags, true);
  dv.setInt32(RTM_ADDRS_OFF, info.rti_addrs, true);
  dv.setInt32(RTM_SEQ_OFF, 77, true);
  return msg;
}

const via = (a: string): Uint8Array => mk_sockaddr_in(ip(a));

class RtsockWorld extends NetWorld {
  /** Wall clock, seconds. */
  wall(): number {
    const ts = new Timespec();
    this.t.k.wall(ts);
    return ts.sec;
  }
  readonly e: FakeEther = this.ether().up();
  constructor() {
    super();
    const ifa = this.addr(this.e.ifp, ip("10.0.0.1"), M24);
    this.in_kernel(() => rtinit(ifa, RTM_ADD, RTF_UP | RTF_CONNECTED));
  }
}

/** Writes a message: the errno and the answer. */
function ask(s: Fd, msg: Uint8Array): [number, Rtm] {
  const error = s.write(msg);
  return [error, new Rtm(s.read(2048))];
}

describe("rtsock", () => {
  it("adds, gets, changes and deletes, and tells every socket", () => {
    const w = new RtsockWorld();
    const s = route_socket(w);
    const other = route_socket(w, w.nobody);
    const [error, reply] = ask(
      s,
      message(RTM_ADD, RTF_UP | RTF_GATEWAY | RTF_STATIC, "192.168.5.0", M24, via("10.0.0.2")),
    );
    expect([error, reply.type, reply.int(RTM_ERRNO_OFF), reply.int(RTM_SEQ_OFF), reply.int(RTM_PID_OFF)]).to.deep.equal(
      [0, RTM_ADD, 0, 77, w.root.l_proc.p_pid],
    );
    expect(reply.int(RTM_FLAGS_OFF) & RTF_DONE).to.equal(RTF_DONE);
    expect(new Rtm(other.read(2048)).bytes).to.deep.equal(reply.bytes);
    const [e2, got] = ask(s, message(RTM_GET, RTF_UP, "192.168.5.9", null, null, RTA_IFP));
    expect([e2, sin_addr(got.info.rti_dst as Uint8Array), sin_addr(got.info.rti_gateway as Uint8Array)]).to.deep.equal([
      0,
      ip("192.168.5.0"),
      ip("10.0.0.2"),
    ]);
    expect(got.info.rti_addrs).to.equal(RTA_DST | RTA_GATEWAY | RTA_NETMASK | RTA_IFP | RTA_IFA);
    expect([sdl_name(got.info.rti_ifpaddr as Uint8Array), sin_addr(got.info.rti_ifaaddr as Uint8Array)]).to.deep.equal([
      "tst0",
      ip("10.0.0.1"),
    ]);
    expect(Array.from(sdl_lladdr(got.info.rti_ifpaddr as Uint8Array))).to.deep.equal([2, 0, 0, 0, 0, 1]);
    other.read(2048);
    const [e3] = ask(s, message(RTM_CHANGE, RTF_UP | RTF_GATEWAY | RTF_STATIC, "192.168.5.0", M24, via("10.0.0.3")));
    expect([e3, w.in_kernel(() => rtlookup4(w.net, ip("192.168.5.1")))?.rt_gw4]).to.deep.equal([0, ip("10.0.0.3")]);
    const [e4, deleted] = ask(s, message(RTM_DELETE, 0, "192.168.5.0", M24, null));
    expect([e4, sin_addr(deleted.info.rti_gateway as Uint8Array)]).to.deep.equal([0, ip("10.0.0.3")]);
    const [e5, gone] = ask(s, message(RTM_DELETE, 0, "192.168.5.0", M24, null));
    expect([e5, gone.int(RTM_ERRNO_OFF), gone.int(RTM_FLAGS_OFF) & RTF_DONE]).to.deep.equal([ESRCH, ESRCH, 0]);
    expect(ask(s, message(RTM_GET, 0, "1.2.3.4", null, null))[0]).to.equal(ESRCH);
    w.end();
  });

  it("sets metrics, locks and expiry, and changes reject to blackhole keeping the rest", () => {
    const w = new RtsockWorld();
    const s = route_socket(w);
    const msg = message(RTM_ADD, RTF_UP | RTF_GATEWAY | RTF_STATIC | RTF_REJECT, "192.168.5.0", M24, via("10.0.0.2"));
    const dv = new DataView(msg.buffer);
    dv.setInt32(RTM_INITS_OFF, RTV_MTU | RTV_EXPIRE, true);
    dv.setBigUint64(RTM_RMX_OFF, BigInt(RTV_MTU), true);
    dv.setBigUint64(RTM_RMX_OFF + 8, 1280n, true);
    dv.setBigUint64(RTM_RMX_OFF + 64, BigInt(w.wall() + 30), true);
    expect(ask(s, msg)[0]).to.equal(0);
    const rt = w.in_kernel(() => rtlookup4(w.net, ip("192.168.5.1")));
    expect([rt?.rt_rmx.rmx_mtu, rt?.rt_rmx.rmx_locks]).to.deep.equal([1280, RTV_MTU]);
    expect(
      ask(s, message(RTM_CHANGE, RTF_UP | RTF_GATEWAY | RTF_STATIC | RTF_BLACKHOLE, "192.168.5.0", M24, null))[0],
    ).to.equal(0);
    const [, got] = ask(s, message(RTM_GET, 0, "192.168.5.0", M24, null));
    const flags = got.int(RTM_FLAGS_OFF) & (RTF_REJECT | RTF_BLACKHOLE | RTF_STATIC | RTF_GATEWAY);
    expect([flags, got.mtu(), sin_addr(got.info.rti_gateway as Uint8Array)]).to.deep.equal([
      RTF_BLACKHOLE | RTF_STATIC | RTF_GATEWAY,
      1280,
      ip("10.0.0.2"),
    ]);
    w.t.run(28e9);
    expect(w.in_kernel(() => rtlookup4(w.net, ip("192.168.5.1")))).to.equal(rt);
    w.t.run(3e9);
    expect(
      w.in_kernel(() => rtlookup4(w.net, ip("192.168.5.1"))),
      "expired",
    ).to.equal(null);
    expect(new Rtm(s.read(2048)).type).to.equal(RTM_DELETE);
    w.end();
  });

  it("lets only root change anything, and everybody look", () => {
    const w = new RtsockWorld();
    const s = route_socket(w, w.nobody);
    const [error, reply] = ask(s, message(RTM_ADD, RTF_UP | RTF_GATEWAY, "192.168.5.0", M24, via("10.0.0.2")));
    expect([error, reply.int(RTM_ERRNO_OFF)]).to.deep.equal([EACCES, EACCES]);
    expect(ask(s, message(RTM_DELETE, 0, "10.0.0.0", M24, null))[0]).to.equal(EACCES);
    expect(ask(s, message(RTM_GET, 0, "10.0.0.9", null, null))[0]).to.equal(0);
    expect(rt_count(w.net)).to.equal(1);
    w.end();
  });

  it("answers what is wrong with a request", () => {
    const w = new RtsockWorld();
    const s = route_socket(w);
    const gw = RTF_UP | RTF_GATEWAY;
    const errors = [
      message(RTM_ADD, gw, "192.168.5.0", M24, null),
      message(RTM_ADD, gw, null, M24, via("10.0.0.2")),
      message(RTM_ADD, gw, "192.168.5.0", 0xff00ff00 | 0, via("10.0.0.2")),
      message(RTM_ADD, gw, "192.168.5.0", null, via("10.0.0.2")),
      message(RTM_ADD, gw, "192.168.5.0", M24, via("99.0.0.2")),
      message(RTM_ADD, gw, "10.0.0.0", M24, via("10.0.0.2")),
      message(RTM_CHANGE, gw, "10.9.0.0", M24, via("10.0.0.2")),
      message(99, gw, "10.9.0.0", M24, via("10.0.0.2")),
      message(RTM_ADD, RTF_LLDATA, "10.9.0.0", M24, via("10.0.0.2")),
    ].map((m) => ask(s, m)[0]);
    expect(errors).to.deep.equal([
      EINVAL,
      EINVAL,
      EINVAL,
      EINVAL,
      ENETUNREACH,
      EEXIST,
      ESRCH,
      EOPNOTSUPP,
      EAFNOSUPPORT,
    ]);
    expect(rt_count(w.net)).to.equal(1);
    w.end();
  });

  it("refuses malformed messages without an answer or harm", () => {
    const w = new RtsockWorld();
    const s = route_socket(w);
    const good = message(RTM_ADD, RTF_UP | RTF_GATEWAY, "192.168.5.0", M24, via("10.0.0.2"));
    for (let n = 0; n < good.length; n++) expect(s.write(good.slice(0, n)), `cut to ${n}`).to.equal(EINVAL);
    const version = good.slice();
    version[2] = 3;
    expect(s.write(version)).to.equal(EPROTONOSUPPORT);
    expect(s.read(2048)).to.equal(NOTHING);
    const lying = good.slice();
    lying[SIZEOF_RT_MSGHDR] = 255;
    expect(s.write(lying)).to.equal(EINVAL);
    const extra = good.slice();
    new DataView(extra.buffer).setInt32(RTM_ADDRS_OFF, 0x1ff, true);
    expect(s.write(extra)).to.equal(EINVAL);
    expect(s.read(2048)).to.equal(NOTHING);
    expect(rt_count(w.net)).to.equal(1);
    w.end();
  });

  it("survives any bytes in a message (fast-check)", () => {
    const w = new RtsockWorld();
    const s = route_socket(w);
    const seed = message(RTM_ADD, RTF_UP | RTF_GATEWAY, "192.168.5.0", M24, via("10.0.0.2"), RTA_IFP);
    const edit = fc.record({ at: fc.integer({ min: 3, max: seed.length - 1 }), v: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 6 }), fc.integer({ min: 1, max: 8 }), (edits, type) => {
        const msg = seed.slice();
        for (const e of edits) msg[e.at] = e.v;
        msg[3] = type;
        const error = s.write(msg);
        expect(error).to.be.at.least(0);
        const answer = s.read(4096);
        if (typeof answer !== "number") expect(new DataView(answer.buffer).getUint16(0, true)).to.equal(answer.length);
        while (typeof s.read(4096) !== "number");
      }),
      { numRuns: 500 },
    );
    w.end();
  });

  it("reports interfaces, addresses, neighbours and misses", () => {
    const w = new RtsockWorld();
    const s = route_socket(w);
    const types: number[] = [];
    const next = (): Rtm => {
      const r = new Rtm(s.read(2048));
      types.push(r.type);
      return r;
    };
    const e2 = w.ether();
    const arrived = next();
    expect([
      arrived.bytes.length,
      arrived.dv.getUint16(4, true),
      ifr_name(arrived.bytes, 6),
      arrived.dv.getUint16(22, true),
    ]).to.deep.equal([SIZEOF_IF_ANNOUNCEMSGHDR, e2.ifp.if_index, "tst1", 0]);
    w.ioctl(SIOCSIFFLAGS, ifreq_flags("tst1", 1));
    const info = next();
    expect([info.bytes.length, info.int(8) & 1, info.dv.getUint16(12, true), info.dv.getUint8(16)]).to.deep.equal([
      SIZEOF_IF_MSGHDR,
      1,
      e2.ifp.if_index,
      6,
    ]);
    w.ioctl(SIOCSIFMTU, ifreq_int("tst1", 1400));
    expect(Number(next().dv.getBigUint64(24, true))).to.equal(1400);
    w.in_kernel(() => if_link_state_change(e2.ifp, LINK_STATE_UP));
    expect(next().dv.getInt32(20, true)).to.equal(LINK_STATE_UP);
    const ifa = w.addr(e2.ifp, ip("10.0.7.1"), M24, ip("10.0.7.255"));
    w.in_kernel(() => rt_addrmsg(RTM_NEWADDR, ifa));
    const na = next();
    const a = new RtInfo();
    expect(rt_xaddrs(na.bytes, SIZEOF_IFA_MSGHDR, na.int(RTM_ADDRS_OFF), a)).to.equal(0);
    expect([
      sin_addr(a.rti_ifaaddr as Uint8Array),
      sin_addr(a.rti_brd as Uint8Array),
      sdl_name(a.rti_ifpaddr as Uint8Array),
    ]).to.deep.equal([ip("10.0.7.1"), ip("10.0.7.255"), "tst1"]);
    w.in_kernel(() =>
      rt_clonedmsg(
        w.net,
        RTM_LLINFO_UPD,
        null,
        mk_sockaddr_in(ip("10.0.7.2")),
        Uint8Array.of(2, 0, 0, 0, 0, 9),
        e2.ifp,
      ),
    );
    const n = next();
    expect([sdl_index(n.info.rti_gateway as Uint8Array), n.int(RTM_FLAGS_OFF)]).to.deep.equal([
      e2.ifp.if_index,
      RTF_DONE | RTF_HOST | RTF_LLDATA,
    ]);
    w.in_kernel(() => rtalloc1(w.net, mk_sockaddr_in(ip("9.9.9.9")), 1));
    expect(sin_addr(next().info.rti_dst as Uint8Array)).to.equal(ip("9.9.9.9"));
    expect(types).to.deep.equal([
      RTM_IFANNOUNCE,
      RTM_IFINFO,
      RTM_IFINFO,
      RTM_IFINFO,
      RTM_NEWADDR,
      RTM_LLINFO_UPD,
      RTM_MISS,
    ]);
    expect(s.read(2048)).to.equal(NOTHING);
    w.end();
  });

  it("passes neighbours on to their family: add, get with expiry, delete", () => {
    const w = new RtsockWorld();
    const calls: string[] = [];
    w.fake_inet({
      lla_rt_output(cmd, info) {
        calls.push(
          `${cmd} ${sin_addr(info.rti_dst as Uint8Array) === ip("10.0.0.5")} ${info.rti_gateway === null ? "" : Array.from(sdl_lladdr(info.rti_gateway)).join(":")}`,
        );
        if (cmd === RTM_GET) {
          info.rti_gateway = mk_sockaddr_dl(w.e.ifp.if_index, 6, "", Uint8Array.of(2, 1, 1, 1, 1, 1));
          info.rti_flags = RTF_UP | RTF_HOST | RTF_LLDATA;
          info.rti_expire = w.t.k.time_uptime() + 9;
        }
        return 0;
      },
    });
    const s = route_socket(w);
    expect(
      ask(
        s,
        message(
          RTM_ADD,
          RTF_HOST | RTF_STATIC,
          "10.0.0.5",
          null,
          mk_sockaddr_dl(0, 0, "", Uint8Array.of(2, 1, 1, 1, 1, 1)),
        ),
      )[0],
    ).to.equal(0);
    const [, got] = ask(s, message(RTM_GET, RTF_LLDATA, "10.0.0.5", null, null));
    expect(Array.from(sdl_lladdr(got.info.rti_gateway as Uint8Array))).to.deep.equal([2, 1, 1, 1, 1, 1]);
    expect(Number(got.dv.getBigInt64(RTM_RMX_OFF + 64, true))).to.equal(w.wall() + 9);
    expect(ask(s, message(RTM_DELETE, RTF_LLDATA | RTF_HOST, "10.0.0.5", null, null))[0]).to.equal(0);
    expect(calls).to.deep.equal([`${RTM_ADD} true 2:1:1:1:1:1`, `${RTM_GET} true `, `${RTM_DELETE} true `]);
    expect(rt_count(w.net)).to.equal(1);
    w.end();
  });

  it("dumps the table, flagged routes, neighbours and interfaces by sysctl", () => {
    const w = new RtsockWorld();
    const s = route_socket(w);
    ask(s, message(RTM_ADD, RTF_UP | RTF_GATEWAY | RTF_STATIC, "0.0.0.0", 0, via("10.0.0.2")));
    w.fake_inet({
      lltable_dump: (visit) =>
        visit(
          w.e.ifp,
          mk_sockaddr_in(ip("10.0.0.9")),
          mk_sockaddr_dl(w.e.ifp.if_index, 6, "", Uint8Array.of(2, 0, 0, 0, 0, 9)),
          0,
          0,
        ),
    });
    const dump = (af: number, op: number, arg: number): Uint8Array[] => {
      const len = new SysctlLen(0);
      const mib = [4, AF_ROUTE, 0, af, op, arg];
      expect(w.t.k.sysctl.sysctl(mib, null, len, null, w.nobody)).to.equal(0);
      const buf = new Uint8Array(len.len);
      expect(w.t.k.sysctl.sysctl(mib, buf, len, null, w.nobody)).to.equal(0);
      const out: Uint8Array[] = [];
      for (let at = 0; at < buf.length; ) {
        const n = new DataView(buf.buffer).getUint16(at, true);
        expect(n).to.be.greaterThan(0);
        out.push(buf.slice(at, at + n));
        at += n;
      }
      return out;
    };
    const routes = dump(AF_INET, NET_RT_DUMP, 0).map((m) => new Rtm(m));
    expect(routes.map((r) => sin_addr(r.info.rti_dst as Uint8Array))).to.deep.equal([0, ip("10.0.0.0")]);
    expect(dump(0, NET_RT_FLAGS, RTF_STATIC).length).to.equal(1);
    const arp = dump(AF_INET, NET_RT_FLAGS, RTF_LLDATA).map((m) => new Rtm(m));
    expect(arp.map((r) => Array.from(sdl_lladdr(r.info.rti_gateway as Uint8Array)))).to.deep.equal([
      [2, 0, 0, 0, 0, 9],
    ]);
    expect(dump(0, NET_RT_IFLIST, 0).map((m) => m[3])).to.deep.equal([RTM_IFINFO, RTM_IFINFO, RTM_NEWADDR]);
    expect(dump(AF_LINK, NET_RT_IFLIST, w.e.ifp.if_index).map((m) => m[3])).to.deep.equal([RTM_IFINFO]);
    expect(dump(0, NET_RT_IFLIST, 99)).to.deep.equal([]);
    expect(w.t.k.sysctl.sysctl([4, AF_ROUTE, 0, 0, 77, 0], null, new SysctlLen(0), null, w.nobody)).to.equal(EINVAL);
    w.end();
  });
});
