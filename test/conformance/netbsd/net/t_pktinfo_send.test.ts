// NetBSD tests/net/net/t_pktinfo_send: IP_PKTINFO chooses source address and interface of one datagram.
import { expect } from "chai";
import { IP_PKTINFO } from "../../../../kernel-components/inet/in.ts";
import { PF_INET, SOCK_DGRAM, SOCK_RAW } from "../../../../kernel-components/socket/socket_abi.ts";
import { IPPROTO_ICMP, IPPROTO_IP } from "../../../../kernel-components/wire/in.ts";
import { inet_pton4 } from "../../../../kernel-components/wire/inet_addr.ts";
import { rump_pub_netconfig_ipv4_ifaddr } from "../../../../rumpsys/netconfig.ts";
import type { RumpSys } from "../../../../rumpsys/rumpsys.ts";
import { net_case } from "../../../support/net_world.ts";
import type { NetWorld } from "../../../support/net_world.ts";
import { bytes, codeOf } from "../../../rumpsys/sim_rump.ts";

const SERVERPORT = 54321;
const CLIENTPORT = 12345;
const MESSAGE = bytes("Hello IP_PKTINFO");
const OTHERS = ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"];

function setup(w: NetWorld): RumpSys {
  for (const addr of OTHERS)
    expect(rump_pub_netconfig_ipv4_ifaddr(w.kernel("host"), "lo0", addr, "255.0.0.0")).to.equal(0);
  return w.sys("host");
}

function udp(sys: RumpSys, address: string = "", port: number = 0): number {
  const fd = sys.socket(PF_INET, SOCK_DGRAM);
  if (address !== "") sys.bind(fd, { family: "inet", address, port });
  return fd;
}

/** struct in_pktinfo: an address, or 0.x.y.z for interface index x.y.z. */
function pktinfo(src: string): Uint8Array {
  const a = inet_pton4(src);
  if (!a.ok) throw new Error(src);
  const b = new Uint8Array(8);
  const dv = new DataView(b.buffer);
  if (a.addr >>> 24 === 0) dv.setUint32(4, a.addr, true);
  else dv.setInt32(0, a.addr);
  return b;
}

function sendto_pktinfo(
  sys: RumpSys,
  fd: number,
  src: string,
  dst: string,
  data: Uint8Array = MESSAGE,
  port: number = SERVERPORT,
): number {
  const control = [{ level: IPPROTO_IP, type: IP_PKTINFO, data: pktinfo(src) }];
  return sys.sync.sendmsg(fd, { name: { family: "inet", address: dst, port }, iov: [data], control });
}

/** Who sent what the server gets next. */
function from_of(w: NetWorld, sys: RumpSys, fd: number): string {
  w.sleep(1);
  const { from } = sys.sync.recvfrom(fd, new Uint8Array(256));
  return from?.family === "inet" ? from.address : "";
}

/** Sends from each address; the socket's own stays what it is. */
function do_send_pktinfo_tests(w: NetWorld, sys: RumpSys, client: number): void {
  const server = udp(sys, "127.0.0.1", SERVERPORT);
  const before = sys.getsockname(client);
  for (const src of OTHERS) {
    expect(sendto_pktinfo(sys, client, src, "127.0.0.1")).to.equal(MESSAGE.length);
    expect(from_of(w, sys, server)).to.equal(src);
  }
  const after = sys.getsockname(client);
  expect(after?.family === "inet" && before?.family === "inet" && after.address === before.address).to.equal(true);
  for (const fd of [server, client]) sys.sync.close(fd);
}

/** An ICMP echo reply, so that the kernel does not answer. */
const ICMP = Uint8Array.of(0, 0, 0xff, 0xda, 0, 37, 0, 0);

/** Two kernels with two interfaces each on one bus. */
function two_links(w: NetWorld): [RumpSys, RumpSys] {
  w.netcfg_rump_if("a", "shmif0", "link", "192.168.2.1/24");
  w.netcfg_rump_if("a", "shmif1", "link", "192.168.0.1/16");
  w.netcfg_rump_if("b", "shmif0", "link", "192.168.2.2/24");
  w.netcfg_rump_if("b", "shmif1", "link", "192.168.0.2/24");
  return [w.sys("a"), w.sys("b")];
}

describe("net/net/t_pktinfo_send", () => {
  const binds: readonly [string, string, number][] = [
    ["unbound", "", 0],
    ["bindany", "0.0.0.0", 0],
    ["bindaddr", "127.0.0.1", 0],
    ["bindport", "0.0.0.0", CLIENTPORT],
    ["bindaddrport", "127.0.0.2", CLIENTPORT],
  ];
  for (const [name, address, port] of binds) {
    net_case(`pktinfo_send_${name}`, (w) => {
      const sys = setup(w);
      do_send_pktinfo_tests(w, sys, udp(sys, address, port));
    });
  }

  net_case("pktinfo_send_bindother", (w) => {
    const sys = setup(w);
    const other = udp(sys, "127.0.0.2", CLIENTPORT);
    do_send_pktinfo_tests(w, sys, udp(sys, "127.0.0.3", CLIENTPORT));
    sys.sync.close(other);
  });

  net_case("pktinfo_send_connected", (w) => {
    const sys = setup(w);
    const client = udp(sys);
    sys.sync.connect(client, { family: "inet", address: "127.0.0.1", port: SERVERPORT });
    expect(codeOf(() => sendto_pktinfo(sys, client, "127.0.0.2", "127.0.0.1"))).to.equal("EISCONN");
    sys.sync.close(client);
  });

  net_case("pktinfo_send_notown", (w) => {
    const sys = setup(w);
    const client = udp(sys);
    expect(codeOf(() => sendto_pktinfo(sys, client, "127.0.0.100", "127.0.0.1"))).to.equal("EADDRNOTAVAIL");
    sys.sync.close(client);
  });

  net_case("pktinfo_send_notown_bind", (w) => {
    const sys = setup(w);
    const client = udp(sys, "127.0.0.2", CLIENTPORT);
    expect(codeOf(() => sendto_pktinfo(sys, client, "127.0.0.100", "127.0.0.1"))).to.equal("EADDRNOTAVAIL");
    sys.sync.close(client);
  });

  net_case("pktinfo_send_rawip", (w) => {
    const sys = setup(w);
    const [server, client] = [sys.socket(PF_INET, SOCK_RAW, IPPROTO_ICMP), sys.socket(PF_INET, SOCK_RAW, IPPROTO_ICMP)];
    expect(sendto_pktinfo(sys, client, "127.0.0.2", "127.0.0.1", ICMP, 0)).to.equal(ICMP.length);
    expect(from_of(w, sys, server)).to.equal("127.0.0.2");
    for (const fd of [server, client]) sys.sync.close(fd);
  });

  net_case("pktinfo_send_rawip_notown", (w) => {
    const sys = setup(w);
    const client = sys.socket(PF_INET, SOCK_RAW, IPPROTO_ICMP);
    expect(codeOf(() => sendto_pktinfo(sys, client, "127.0.0.100", "127.0.0.1", ICMP, 0))).to.equal("EADDRNOTAVAIL");
    sys.sync.close(client);
  });

  net_case("pktinfo_send_invalidarg", (w) => {
    const sys = setup(w);
    const client = udp(sys);
    expect(sendto_pktinfo(sys, client, "0.0.0.0", "127.0.0.1")).to.equal(MESSAGE.length);
    expect(codeOf(() => sendto_pktinfo(sys, client, "0.0.0.99", "127.0.0.1"))).to.equal("EADDRNOTAVAIL");
    sys.sync.close(client);
  });

  net_case("pktinfo_send_ifindex", (w) => {
    const [a, b] = two_links(w);
    const [client, server] = [udp(a), udp(b, "0.0.0.0", SERVERPORT)];
    expect(sendto_pktinfo(a, client, "0.0.0.3", "192.168.2.2")).to.equal(MESSAGE.length);
    expect(from_of(w, b, server)).to.equal("192.168.0.1");
    a.sync.close(client);
    b.sync.close(server);
  });

  net_case("pktinfo_send_multicast", (w) => {
    const [a, b] = two_links(w);
    const [client, server] = [udp(a), udp(b, "0.0.0.0", SERVERPORT)];
    for (const [index, src] of [
      ["0.0.0.2", "192.168.2.1"],
      ["0.0.0.3", "192.168.0.1"],
    ] as const) {
      expect(sendto_pktinfo(a, client, index, "224.0.0.1")).to.equal(MESSAGE.length);
      expect(from_of(w, b, server)).to.equal(src);
      // Both interfaces are on the bus: each hears it.
      expect(from_of(w, b, server)).to.equal(src);
    }
    a.sync.close(client);
    b.sync.close(server);
  });
});
