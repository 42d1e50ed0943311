import { expect } from "chai";
import { ifaliasreq, ifreq_addr, SIOCAIFADDR, SIOCDIFADDR } from "../../../kernel-components/net/if_abi.ts";
import {
  RTF_ANNOUNCE,
  RTF_STATIC,
  RTM_ADD,
  RTM_CHANGE,
  RTM_DELETE,
  RTM_GET,
  RTM_MISS,
  RtInfo,
} from "../../../kernel-components/net/rtentry.ts";
import { rtrequest } from "../../../kernel-components/net/rtrequest.ts";
import { ARPOP_REPLY, ARPOP_REQUEST } from "../../../kernel-components/wire/arp.ts";
import { ETHERTYPE_ARP } from "../../../kernel-components/wire/ether.ts";
import { mk_sockaddr_dl, sdl_lladdr } from "../../../kernel-components/wire/sockaddr.ts";
import { rump_sys_recv } from "../../../rumpsys/rump_sys.ts";
import { bytes, InetWorld, ip4, MS, type Node, pair, S, sockaddr } from "./inet_world.ts";

const ZERO = new Uint8Array(6);
const BCAST = new Uint8Array(6).fill(0xff);
const OTHER_MAC = Uint8Array.of(2, 9, 9, 9, 9, 9);

/** arp -s and friends: a request with RTF_LLDATA. */
function lla(
  k: Node,
  cmd: number,
  addr: string,
  mac: Uint8Array | null,
  flags = 0,
  other = 0,
): { error: number; info: RtInfo } {
  const info = new RtInfo();
  info.rti_dst = sockaddr(addr, 0);
  info.rti_dst[14] = other;
  info.rti_flags = flags;
  if (mac !== null) info.rti_gateway = mk_sockaddr_dl(k.ifp("virt0").if_index, 6, "", mac);
  const error = k.in_kernel(() => k.inet.net.if_af_inet!.lla_rt_output!(cmd, info));
  return { error, info };
}

function mac_of(k: Node, addr: string): number[] | null {
  const r = lla(k, RTM_GET, addr, null);
  return r.error === 0 ? [...sdl_lladdr(r.info.rti_gateway!)] : null;
}

describe("arp_input: answers (RFC 826)", () => {
  it("answers for its own addresses, by unicast, and learns who asked", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    st.arp_who("10.0.0.1");
    w.run(MS);
    expect(st.frames[0]?.slice(0, 6)).to.deep.equal(st.mac);
    const [a] = st.arps();
    expect([a?.ar_op, a?.ar_spa, a?.ar_tpa]).to.deep.equal([ARPOP_REPLY, ip4("10.0.0.1"), ip4("10.0.0.2")]);
    expect(a?.ar_sha).to.deep.equal(k.ifp("virt0").if_lladdr);
    expect(mac_of(k, "10.0.0.2")).to.deep.equal([...st.mac]);
    st.arp_who("10.0.0.7");
    w.run(MS);
    expect(st.frames.length).to.equal(0);
    w.end();
  });

  it("arp_stray_entries: learns nothing from what is not for it, not on its network, or not asked for", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    st.arp(ARPOP_REQUEST, ip4("10.0.0.5"), ip4("10.0.0.9"), ZERO);
    st.arp(ARPOP_REPLY, ip4("10.0.0.5"), ip4("10.0.0.1"), st.peer, st.peer);
    st.arp(ARPOP_REQUEST, ip4("192.168.5.5"), ip4("10.0.0.1"), ZERO);
    w.run(MS);
    expect(k.inet.arp.nentries).to.equal(0);
    expect(k.stat("arp", "rcvignored")).to.equal(2);
    expect(k.stat("arp", "rcvnoint")).to.equal(1);
    w.end();
  });

  it("arp_garbage: refuses what is malformed, each under its own name", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const good = Uint8Array.from([0, 1, 8, 0, 6, 4, 0, 1, ...st.mac, 10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1]);
    const bad = (at: number, ...v: number[]): void => {
      const b = good.slice();
      b.set(v, at);
      st.ether(BCAST, ETHERTYPE_ARP, b);
    };
    bad(0, 0, 9);
    bad(2, 0x86, 0xdd);
    bad(4, 8);
    bad(5, 16);
    bad(6, 0, 77);
    bad(8, ...BCAST);
    bad(8, 1, 0, 0x5e, 0, 0, 1);
    bad(8, ...k.ifp("virt0").if_lladdr);
    bad(14, 224, 0, 0, 1);
    bad(14, 255, 255, 255, 255);
    bad(24, 0, 0, 0, 0);
    w.run(MS);
    const want = {
      rcvbadproto: 2,
      rcvbadlen: 2,
      rcvbadop: 1,
      rcvbcastsha: 2,
      rcvlocalsha: 1,
      rcvbadaddr: 2,
      rcvzerotpa: 1,
    };
    for (const [name, n] of Object.entries(want)) expect(k.stat("arp", name), name).to.equal(n);
    expect(st.frames.length).to.equal(0);
    expect(k.inet.arp.nentries).to.equal(0);
    st.echo("10.0.0.1");
    w.run(10 * MS);
    expect(st.take().length).to.equal(1);
    w.end();
  });

  it("arp_cache_overwriting: a dynamic entry follows its host, with a message; a static one does not", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    st.arp_who("10.0.0.1");
    w.run(MS);
    st.arp(ARPOP_REQUEST, st.addr, ip4("10.0.0.1"), ZERO, BCAST, OTHER_MAC);
    w.run(MS);
    expect(mac_of(k, "10.0.0.2")).to.deep.equal([...OTHER_MAC]);
    expect(k.console()).to.contain("ARP info overwritten for 10.0.0.2 by 02:09:09:09:09:09");
    expect(lla(k, RTM_DELETE, "10.0.0.2", null).error).to.equal(0);
    expect(lla(k, RTM_ADD, "10.0.0.2", st.mac, RTF_STATIC).error).to.equal(0);
    st.arp(ARPOP_REQUEST, st.addr, ip4("10.0.0.1"), ZERO, BCAST, OTHER_MAC);
    w.run(3000 * S);
    expect(mac_of(k, "10.0.0.2")).to.deep.equal([...st.mac]);
    expect(k.console()).to.contain("attempts to overwrite permanent entry for 10.0.0.2");
    expect(k.stat("arp", "rcvoverperm")).to.equal(1);
    w.end();
  });

  it("an entry given by hand over one that was learned, or is being asked for, never ends (arp -s)", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    st.arp_who("10.0.0.1");
    w.run(MS);
    expect(lla(k, RTM_ADD, "10.0.0.2", st.mac, RTF_STATIC).error).to.equal(0);
    const fd = k.socket();
    k.sendto(fd, bytes(1), "10.0.0.7", 9);
    w.run(MS);
    expect(lla(k, RTM_ADD, "10.0.0.7", OTHER_MAC, RTF_STATIC).error).to.equal(0);
    w.run(5000 * S);
    st.arps();
    for (const to of ["10.0.0.2", "10.0.0.7"]) expect(k.sendto(fd, bytes(1), to, 9)).to.equal(0);
    w.run(MS);
    expect(st.arps()).to.deep.equal([]);
    expect([mac_of(k, "10.0.0.2"), mac_of(k, "10.0.0.7")]).to.deep.equal([[...st.mac], [...OTHER_MAC]]);
    k.close(fd);
    w.end();
  });

  it("arp_proxy_arp_pub: answers for published addresses, and stops when they are deleted", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    expect(lla(k, RTM_ADD, "10.0.0.77", OTHER_MAC, RTF_STATIC | RTF_ANNOUNCE).error).to.equal(0);
    st.arp_who("10.0.0.77");
    w.run(MS);
    expect(st.arps()[0]?.ar_sha).to.deep.equal(OTHER_MAC);
    expect(lla(k, RTM_DELETE, "10.0.0.77", null).error).to.equal(0);
    st.arp_who("10.0.0.77");
    w.run(MS);
    expect(st.arps()).to.deep.equal([]);
    w.end();
  });

  it("arp_command: refuses entries that make no sense, and lists what there is", () => {
    const w = new InetWorld();
    const { k } = pair(w);
    expect(lla(k, RTM_ADD, "10.0.0.3", OTHER_MAC.subarray(0, 4)).error).to.not.equal(0);
    expect(lla(k, RTM_ADD, "10.0.0.3", BCAST).error).to.not.equal(0);
    expect(lla(k, RTM_ADD, "224.0.0.3", OTHER_MAC).error).to.not.equal(0);
    expect(lla(k, RTM_ADD, "10.0.0.1", OTHER_MAC).error).to.not.equal(0);
    expect(lla(k, RTM_DELETE, "10.0.0.3", null).error).to.not.equal(0);
    expect(lla(k, RTM_ADD, "10.0.0.9", OTHER_MAC, RTF_STATIC).error).to.equal(0);
    expect(lla(k, RTM_ADD, "10.0.0.3", OTHER_MAC, RTF_STATIC).error).to.equal(0);
    expect(lla(k, RTM_ADD, "10.0.0.3", OTHER_MAC, RTF_STATIC).error).to.not.equal(0);
    const list: string[] = [];
    k.inet.net.if_af_inet!.lltable_dump!((ifp, dst, sdl, f, expire) => {
      list.push(`${ifp.if_xname} ${dst[7]} ${sdl_lladdr(sdl).length} ${f & RTF_STATIC ? "S" : ""} ${expire}`);
    });
    expect(list).to.deep.equal(["virt0 3 6 S 0", "virt0 9 6 S 0"]);
    w.end();
  });

  it("arp_rtm: tells routing sockets of neighbours that come, move, go, and do not answer", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const rs = k.rk.rumpSys.socket(34, 3, 0);
    const buf = new Uint8Array(2048);
    const types = (): number[] => {
      const out: number[] = [];
      for (let n = 1; n > 0; ) {
        n = rump_sys_recv(k.rk, rs, buf, buf.length, 0x80);
        if (n > 0) out.push(buf[3] as number);
      }
      return out;
    };
    st.arp_who("10.0.0.1");
    w.run(MS);
    expect(types()).to.deep.equal([RTM_ADD]);
    st.arp(ARPOP_REQUEST, st.addr, ip4("10.0.0.1"), ZERO, BCAST, OTHER_MAC);
    w.run(MS);
    expect(types()).to.deep.equal([RTM_CHANGE]);
    lla(k, RTM_DELETE, "10.0.0.2", null);
    expect(types()).to.deep.equal([RTM_DELETE]);
    const fd = k.udp(1000);
    k.sendto(fd, bytes(1), "10.0.0.99", 9);
    w.run(10 * S);
    expect(types()).to.deep.equal([RTM_MISS]);
    k.close(fd);
    k.close(rs);
    w.end();
  });

  it("arp_purge_on_route_change, _delete: forgets neighbours when the route to their network changes or goes", () => {
    for (const cmd of [RTM_CHANGE, RTM_DELETE]) {
      const w = new InetWorld();
      const { k, st } = pair(w);
      st.arp_who("10.0.0.1");
      w.run(MS);
      expect(mac_of(k, "10.0.0.2")).to.deep.equal([...st.mac]);
      const info = new RtInfo();
      info.rti_dst = sockaddr("10.0.0.0", 0);
      info.rti_netmask = sockaddr("255.255.255.0", 0);
      info.rti_gateway = sockaddr("10.0.0.1", 0);
      expect(k.in_kernel(() => rtrequest(k.inet.net, cmd, info, null))).to.equal(0);
      expect(mac_of(k, "10.0.0.2")).to.equal(null);
      w.end();
    }
  });

  it("drops the neighbours of an address that is taken away", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    st.arp_who("10.0.0.1");
    w.run(MS);
    expect(k.inet.arp.nentries).to.equal(1);
    const fd = k.socket();
    k.rk.rumpSys.ioctl(fd, SIOCDIFADDR, ifreq_addr("virt0", sockaddr("10.0.0.1", 0)));
    expect(k.inet.arp.nentries).to.equal(0);
    k.close(fd);
    w.end();
  });
});

describe("arp_dad: conflict detection (RFC 5227)", () => {
  /** SIOCAIFADDR 10.0.0.1/24 on virt0. */
  function assign(k: Node): void {
    const fd = k.socket();
    k.rk.rumpSys.ioctl(
      fd,
      SIOCAIFADDR,
      ifaliasreq("virt0", sockaddr("10.0.0.1", 0), null, sockaddr("255.255.255.0", 0)),
    );
    k.close(fd);
  }

  it("garp_without_dad: announces an address at once when dad_count is 0", () => {
    const w = new InetWorld();
    const st = w.station("w", 2, "10.0.0.2");
    const k = w.node("k").plug(0, "w", "");
    assign(k);
    w.run(MS);
    expect(st.arps().map((a) => [a.ar_op, a.ar_spa, a.ar_tpa])).to.deep.equal([
      [ARPOP_REQUEST, ip4("10.0.0.1"), ip4("10.0.0.1")],
    ]);
    w.end();
  });

  it("dad_basic: probes three times, then announces twice; the address is of no use before", () => {
    const w = new InetWorld();
    const st = w.station("w", 2, "10.0.0.2");
    const k = w.node("k").plug(0, "w", "");
    k.sysctl("net.inet.ip.dad_count", 3);
    assign(k);
    const ia = k.inet.in_ifaddrhash.get(ip4("10.0.0.1"))!;
    expect(ia.ia_flags).to.equal(1);
    st.arp_who("10.0.0.1");
    const fd = k.udp(1000);
    expect(k.sendto(fd, bytes(1), "10.0.0.2", 9)).to.not.equal(0);
    w.run(12 * S);
    expect(ia.ia_flags).to.equal(0);
    const spas = st.arps().map((a) => a.ar_spa);
    expect(spas).to.deep.equal([0, 0, 0, ip4("10.0.0.1"), ip4("10.0.0.1")]);
    expect(k.sendto(fd, bytes(1), "10.0.0.2", 9)).to.equal(0);
    w.run(MS);
    k.close(fd);
    w.end();
  });

  it("dad_duplicated: gives the address up when somebody has it, or probes for it too", () => {
    for (const probe of [false, true]) {
      const w = new InetWorld();
      const st = w.station("w", 2, "10.0.0.2");
      const k = w.node("k").plug(0, "w", "");
      k.sysctl("net.inet.ip.dad_count", 3);
      assign(k);
      w.run(1.5 * S);
      st.arp(ARPOP_REQUEST, probe ? 0 : ip4("10.0.0.1"), ip4("10.0.0.1"), ZERO);
      w.run(20 * S);
      expect(k.inet.in_ifaddrhash.get(ip4("10.0.0.1"))?.ia_flags).to.equal(2);
      expect(k.console()).to.contain("DAD duplicate address 10.0.0.1 from 02:00:00:00:ee:02");
      st.frames.length = 0;
      st.arp_who("10.0.0.1");
      w.run(S);
      expect(st.frames.length).to.equal(0);
      w.end();
    }
  });

  it("defends an address in use, at most every ten seconds, and keeps it (RFC 5227 §2.4 (c))", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    for (let i = 0; i < 15; i++) {
      st.arp(ARPOP_REPLY, ip4("10.0.0.1"), ip4("10.0.0.1"), BCAST);
      w.run(S);
    }
    expect(st.arps().length).to.equal(2);
    expect(k.stat("arp", "rcvlocalspa")).to.equal(15);
    st.echo("10.0.0.1");
    w.run(10 * MS);
    expect(st.take().length).to.equal(1);
    expect(k.inet.arp.tables.get(k.ifp("virt0"))?.has(ip4("10.0.0.1")) ?? false).to.equal(false);
    w.end();
  });

  it("arp_link_activation: an address is detached while the link is down, and announced when it is up again", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const ia = k.inet.in_ifaddrhash.get(ip4("10.0.0.1"))!;
    w.world.wire("w").set_up(false);
    w.run(MS);
    expect(ia.ia_flags).to.equal(4);
    w.world.wire("w").set_up(true);
    w.run(MS);
    expect(ia.ia_flags).to.equal(0);
    expect(st.arps().filter((a) => a.ar_spa === ip4("10.0.0.1") && a.ar_tpa === ip4("10.0.0.1")).length).to.equal(1);
    w.end();
  });
});
