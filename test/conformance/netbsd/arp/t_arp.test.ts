// NetBSD tests/net/arp/t_arp: the life of ARP entries, seen by arp(8), netstat(1), routing messages and the frames on the bus.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
  RTF_CLONED,
  RTF_DONE,
  RTF_HOST,
  RTF_LLDATA,
  RTF_UP,
  RTM_ADD,
  RTM_DELETE,
  RTM_MISS,
} from "../../../../kernel-components/net/rtentry.ts";
import { AF_INET, PF_ROUTE, SOCK_NONBLOCK, SOCK_RAW } from "../../../../kernel-components/socket/socket_abi.ts";
import { rt_addr_text, rt_messages } from "../../../../rumpsys/cli/rt_messages.ts";
import type { RtMsg } from "../../../../rumpsys/cli/rt_messages.ts";
import { codeOf } from "../../../rumpsys/sim_rump.ts";
import { has_line, net_case } from "../../../support/net_world.ts";
import type { NetWorld } from "../../../support/net_world.ts";
import { arp_of, arpreq, IP4DST, IP4SRC, IP4SRC2, no_entry, set_link, setup } from "./arp_world.ts";

const PROXYARP1 = "10.0.1.3";
const PROXYARP2 = "10.0.1.4";

async function cache_expiration(w: NetWorld, keep: number): Promise<void> {
  await setup(w, keep);
  await w.ping("src", IP4DST);
  await arp_of(w, "src", IP4DST);
  expect(await w.ok("src", "netstat -nr")).to.contain(IP4DST);
  w.sleep(keep + 2);
  await no_entry(w, "src", IP4DST);
  await w.rump_server_destroy_ifaces();
}

async function check_static_entry(w: NetWorld, addr: string, mac: string, permanent: boolean): Promise<void> {
  const line = await arp_of(w, "src", addr);
  expect(line).to.contain(mac);
  expect(line.includes("permanent")).to.equal(permanent);
  await w.check_route("src", addr, mac, permanent ? "UHLS" : "UHL", "shmif0");
}

async function garp(w: NetWorld, dad: boolean): Promise<void> {
  w.rump_server_start("src");
  if (!dad) expect(await w.ok("src", "sysctl -w net.inet.ip.dad_count=0")).to.contain("3 -> 0");
  await w.rump_server_add_iface("src", "shmif0", "bus1");
  await w.ok("src", "ifconfig shmif0 inet 10.0.0.3/24 up");
  w.sleep(1);
  // An address that is not known to be unique yet is not announced.
  expect(has_line(w.extract_new_packets("bus1"), ...arpreq("10.0.0.3", "10.0.0.3"))).to.equal(!dad);
  await w.ok("src", "ifconfig shmif0 inet 10.0.0.4/24 alias");
  w.sleep(1);
  expect(has_line(w.extract_new_packets("bus1"), ...arpreq("10.0.0.4", "10.0.0.4"))).to.equal(!dad);
  if (dad) {
    w.sleep(10);
    const seen = w.extract_new_packets("bus1");
    for (const ip of ["10.0.0.3", "10.0.0.4"]) expect(has_line(seen, ...arpreq(ip, ip))).to.equal(true);
  }
  // An address of an interface that is down is announced when it comes up, not before.
  await w.ok("src", "ifconfig shmif0 down");
  await w.ok("src", "ifconfig shmif0 inet 10.0.0.5/24 alias");
  await w.ok("src", "ifconfig shmif0 up");
  w.sleep(12);
  expect(has_line(w.extract_new_packets("bus1"), ...arpreq("10.0.0.5", "10.0.0.5"))).to.equal(true);
  await w.rump_server_destroy_ifaces();
}

async function proxy_arp(w: NetWorld, opts: string): Promise<void> {
  await setup(w);
  await w.ok("dst", "sysctl -w net.inet.ip.forwarding=1");
  const mac = await w.get_macaddr("dst", "shmif0");
  const endpoint = async (ifname: string, addr: string): Promise<void> => {
    await w.rump_server_add_iface("dst", ifname, `bus-${ifname}`);
    await w.ok("dst", `ifconfig ${ifname} ${addr}/32 up`);
    await w.ok("dst", "ifconfig -w 10");
  };
  const reply = (addr: string): string[] => ["ARP", addr, "is-at", mac];
  // First the endpoint, then the entry.
  await endpoint("shmif1", PROXYARP1);
  await w.ping_fails("src", PROXYARP1);
  w.frames("bus1");
  await w.ok("dst", `arp -s ${PROXYARP1} ${mac} ${opts}`);
  expect(await arp_of(w, "dst", PROXYARP1)).to.match(/permanent published/);
  await w.ping("src", PROXYARP1);
  expect(has_line(w.extract_new_packets("bus1"), ...reply(PROXYARP1))).to.equal(true);
  // First the entry, then the endpoint: the request is answered, but nobody is there.
  await w.ok("dst", `arp -s ${PROXYARP2} ${mac} ${opts}`);
  expect(await arp_of(w, "dst", PROXYARP2)).to.match(/permanent published/);
  await w.ping_fails("src", PROXYARP2);
  expect(has_line(w.extract_new_packets("bus1"), ...reply(PROXYARP2))).to.equal(true);
  await endpoint("shmif2", PROXYARP2);
  await w.ping("src", PROXYARP2);
  await w.rump_server_destroy_ifaces();
}

/** A routing socket of kernel src, and the messages that came since the last call. */
function monitor(w: NetWorld): { take: () => RtMsg[]; close: () => void } {
  const { sync } = w.sys("src");
  const fd = w.sys("src").socket(PF_ROUTE, SOCK_RAW | SOCK_NONBLOCK, AF_INET);
  const take = (): RtMsg[] => {
    const buf = new Uint8Array(4096);
    const list: RtMsg[] = [];
    while (codeOf(() => list.push(...rt_messages(buf.slice(0, sync.read(fd, buf))))) === "") continue;
    return list;
  };
  return { take, close: () => sync.close(fd) };
}

function dst_text(m: RtMsg): string {
  return rt_addr_text(m.info.rti_dst, new Map());
}

function gateway_text(m: RtMsg): string {
  return rt_addr_text(m.info.rti_gateway, new Map([[2, "shmif0"]]));
}

describe("net/arp/t_arp", () => {
  net_case("arp_cache_expiration_5s", (w) => cache_expiration(w, 5));

  net_case("arp_cache_expiration_10s", (w) => cache_expiration(w, 10));

  net_case("arp_command", async (w) => {
    await setup(w, 5);
    await w.ok("src", "arp -s 10.0.1.10 b2:a0:20:00:00:10");
    await check_static_entry(w, "10.0.1.10", "b2:a0:20:00:00:10", true);
    await w.ok("src", "arp -d 10.0.1.10");
    await no_entry(w, "src", "10.0.1.10");
    await w.check_route_no_entry("src", "10.0.1.10");
    const dir = mkdtempSync(join(tmpdir(), "arp-"));
    const list = [11, 12, 13, 14, 15];
    writeFileSync(join(dir, "list"), list.map((n) => `10.0.1.${n} b2:a0:20:00:00:${n}\n`).join(""));
    await w.ok("src", `arp -f ${join(dir, "list")}`);
    rmSync(dir, { recursive: true });
    const all = await w.ok("src", "arp -n -a");
    for (const n of list) {
      await check_static_entry(w, `10.0.1.${n}`, `b2:a0:20:00:00:${n}`, true);
      expect(all).to.contain(`10.0.1.${n}`);
    }
    await w.ok("src", "arp -d -a");
    for (const n of list) {
      await no_entry(w, "src", `10.0.1.${n}`);
      await w.check_route_no_entry("src", `10.0.1.${n}`);
    }
    await w.ok("src", "arp -s 10.0.1.10 b2:a0:20:00:00:10 temp");
    await check_static_entry(w, "10.0.1.10", "b2:a0:20:00:00:10", false);
    // arp(8) gives a temporary entry twenty minutes.
    w.sleep(20 * 60 - 2);
    await check_static_entry(w, "10.0.1.10", "b2:a0:20:00:00:10", false);
    w.sleep(60);
    await no_entry(w, "src", "10.0.1.10");
    await w.rump_server_destroy_ifaces();
  });

  net_case("arp_garp", (w) => garp(w, true));

  net_case("arp_garp_without_dad", (w) => garp(w, false));

  net_case("arp_cache_overwriting", async (w) => {
    await setup(w);
    await w.ok("src", `arp -s ${IP4DST} b2:a0:20:00:00:ff`);
    expect(await w.fails("src", `arp -s ${IP4DST} b2:a0:20:00:00:fe`)).to.match(/EEXIST|File exists/);
    await w.ok("src", `arp -d ${IP4DST}`);
    await w.ping("src", IP4DST);
    await w.ok("src", `arp -s ${IP4DST} b2:a0:20:00:00:00`);
    expect(await arp_of(w, "src", IP4DST)).to.match(/b2:a0:20:00:00:00.*permanent/);
    await w.ok("src", "arp -s 10.0.1.10 b2:a0:20:00:00:10 temp");
    expect(await arp_of(w, "src", "10.0.1.10"))
      .to.match(/b2:a0:20:00:00:10/)
      .and.not.match(/permanent/);
    await w.ok("src", "arp -s 10.0.1.10 b2:a0:20:00:00:ff");
    expect(await arp_of(w, "src", "10.0.1.10")).to.match(/b2:a0:20:00:00:ff/);
    await w.rump_server_destroy_ifaces();
  });

  net_case("arp_proxy_arp_pub", (w) => proxy_arp(w, "pub"));

  net_case("arp_proxy_arp_pubproxy", (w) => proxy_arp(w, "pub proxy"));

  net_case("arp_link_activation", async (w) => {
    await setup(w);
    w.frames("bus1");
    set_link(w, "src", "shmif0", "b2:a1:00:00:00:01", false);
    w.sleep(1);
    expect(has_line(w.extract_new_packets("bus1"), ...arpreq(IP4SRC, IP4SRC))).to.equal(false);
    set_link(w, "src", "shmif0", "b2:a1:00:00:00:02", true);
    w.sleep(1);
    expect(has_line(w.extract_new_packets("bus1"), "b2:a1:00:00:00:02 > ff:ff", ...arpreq(IP4SRC, IP4SRC))).to.equal(
      true,
    );
    await w.ping("dst", IP4SRC);
    expect(await arp_of(w, "dst", IP4SRC)).to.contain("b2:a1:00:00:00:02");
    await w.rump_server_destroy_ifaces();
  });

  net_case("arp_static", async (w) => {
    await setup(w);
    await w.ok("dst", `arp -s ${IP4SRC} ${await w.get_macaddr("src", "shmif0")}`);
    await w.ping("src", IP4DST);
    expect(await arp_of(w, "dst", IP4SRC)).to.contain("permanent");
    await w.rump_server_destroy_ifaces();
  });

  net_case("arp_rtm", async (w) => {
    await setup(w);
    const mac = await w.get_macaddr("dst", "shmif0");
    const rs = monitor(w);
    await w.ping("src", IP4DST);
    const added = rs.take().filter((m) => m.type === RTM_ADD);
    expect(added.map(dst_text)).to.deep.equal([IP4DST]);
    expect(added[0]?.flags).to.equal(RTF_UP | RTF_HOST | RTF_DONE | RTF_LLDATA | RTF_CLONED);
    expect(gateway_text(added[0] as RtMsg)).to.equal(mac);
    await w.fails("src", "ping -n -w 6 -c 6 10.0.1.99");
    const missed = rs.take().filter((m) => m.type === RTM_MISS);
    expect(missed.map(dst_text)[0]).to.equal("10.0.1.99");
    expect(missed[0]?.flags).to.equal(RTF_DONE);
    expect(gateway_text(missed[0] as RtMsg)).to.equal("link#2");
    await w.ping_fails("src", "10.0.99.99");
    const off = rs.take().filter((m) => m.type === RTM_MISS && dst_text(m) === "10.0.99.99");
    expect(off.length).to.be.at.least(1);
    expect(off[0]?.flags).to.equal(RTF_DONE);
    await w.ok("src", `arp -d ${IP4DST}`);
    const deleted = rs.take().filter((m) => m.type === RTM_DELETE && dst_text(m) === IP4DST);
    expect(deleted.length).to.be.at.least(1);
    expect(deleted.some((m) => (m.flags & ~RTF_UP) === (RTF_HOST | RTF_DONE | RTF_LLDATA | RTF_CLONED))).to.equal(true);
    expect(gateway_text(deleted[0] as RtMsg)).to.equal(mac);
    rs.close();
    await w.rump_server_destroy_ifaces();
  });

  net_case("arp_purge_on_route_change", async (w) => {
    await setup(w);
    await w.add_addr("src", "shmif1", "bus1", `${IP4SRC2}/24`);
    await w.ping("src", IP4DST);
    await w.ok("src", "route change -net 10.0.1.0/24 -ifp shmif1");
    await no_entry(w, "src", IP4DST);
    await w.rump_server_destroy_ifaces();
  });

  net_case("arp_purge_on_route_delete", async (w) => {
    await setup(w);
    await w.ping("src", IP4DST);
    await w.ok("src", "route delete -net 10.0.1.0/24");
    await no_entry(w, "src", IP4DST);
    await w.rump_server_destroy_ifaces();
  });

  net_case("arp_purge_on_ifdown", async (w) => {
    await setup(w);
    await w.ping("src", IP4DST);
    expect(await arp_of(w, "src", IP4DST)).to.contain("shmif0");
    await w.ok("src", "ifconfig shmif0 down");
    await no_entry(w, "src", IP4DST);
    await w.rump_server_destroy_ifaces();
  });

  net_case("arp_stray_entries", async (w) => {
    await setup(w);
    await w.add_addr("src", "shmif1", "bus1", `${IP4SRC2}/24`);
    await w.ok("dst", "arp -d -a");
    await w.ping("src", IP4DST);
    expect(await arp_of(w, "src", IP4DST))
      .to.contain("shmif0")
      .and.not.contain("shmif1");
    await w.ok("src", "arp -d -a");
    await no_entry(w, "src", IP4DST);
    await w.ok("dst", "arp -d -a");
    // From the other interface's address: the answer's way back makes an entry there too.
    await w.ping("src", `-I ${IP4SRC2} ${IP4DST}`);
    const both = await arp_of(w, "src", IP4DST);
    expect(both).to.contain("shmif0");
    expect(both).to.contain("shmif1");
    await w.ok("src", "arp -d -a");
    await no_entry(w, "src", IP4DST);
    await w.ping("src", `-I ${IP4SRC2} ${IP4DST}`);
    expect(await arp_of(w, "src", IP4DST))
      .to.contain("shmif0")
      .and.not.contain("shmif1");
    await w.ok("dst", "arp -d -a");
    await w.ping("src", `-I ${IP4SRC2} ${IP4DST}`);
    expect(await arp_of(w, "src", IP4DST)).to.contain("shmif1");
    await w.ok("src", `arp -d ${IP4DST}`);
    await no_entry(w, "src", IP4DST);
    await w.rump_server_destroy_ifaces();
  });
});
