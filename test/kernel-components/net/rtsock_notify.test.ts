// What routing sockets are told, neighbours by message, and the tables by sysctl.
import { expect } from "chai";
import { EINVAL } from "../../../hypercall/api/errno.ts";
import { SysctlLen } from "../../../kernel-components/kern/sysctl_bytes.ts";
import { ifr_name, ifreq_flags, ifreq_int, SIOCSIFFLAGS, SIOCSIFMTU } from "../../../kernel-components/net/if_abi.ts";
import { if_link_state_change } from "../../../kernel-components/net/if_link.ts";
import { LINK_STATE_UP } from "../../../kernel-components/net/if_flags.ts";
import { rt_count, rtalloc1 } from "../../../kernel-components/net/route.ts";
import {
  RTF_CLONED,
  RTF_DONE,
  RTF_GATEWAY,
  RTF_HOST,
  RTF_LLDATA,
  RTF_STATIC,
  RTF_UP,
  RTM_ADD,
  RTM_DELETE,
  RTM_GET,
  RTM_IFANNOUNCE,
  RTM_IFINFO,
  RTM_LLINFO_UPD,
  RTM_MISS,
  RTM_NEWADDR,
  RtInfo,
} from "../../../kernel-components/net/rtentry.ts";
import {
  rt_xaddrs,
  RTM_ADDRS_OFF,
  RTM_FLAGS_OFF,
  RTM_RMX_OFF,
  SIZEOF_IF_ANNOUNCEMSGHDR,
  SIZEOF_IF_MSGHDR,
  SIZEOF_IFA_MSGHDR,
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
import { ip, route_socket } from "./net_world.ts";
import { ask, M24, message, NOTHING, Rtm, RtsockWorld, via } from "./rtm_message.ts";

describe("rtsock notifications", () => {
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
      RTF_DONE | RTF_HOST | RTF_LLDATA | RTF_CLONED,
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
