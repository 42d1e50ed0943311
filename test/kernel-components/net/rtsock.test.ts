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
  EAFNOSUPPORT,
} from "../../../hypercall/api/errno.ts";
import { rt_count, rtlookup4 } from "../../../kernel-components/net/route.ts";
import {
  RTF_BLACKHOLE,
  RTF_DONE,
  RTF_GATEWAY,
  RTF_LLDATA,
  RTF_REJECT,
  RTF_STATIC,
  RTF_UP,
  RTM_ADD,
  RTM_CHANGE,
  RTM_DELETE,
  RTM_GET,
} from "../../../kernel-components/net/rtentry.ts";
import {
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
  SIZEOF_RT_MSGHDR,
} from "../../../kernel-components/net/rtsock_abi.ts";
import { sdl_lladdr, sdl_name, sin_addr } from "../../../kernel-components/wire/sockaddr.ts";
import { ip, route_socket } from "./net_world.ts";
import { ask, M24, message, NOTHING, Rtm, RtsockWorld, via } from "./rtm_message.ts";

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
});
