// The kernel that is fuzzed: a router with two Ethernet interfaces and a ptp, sockets of every kind that this stack has, and listeners.
// What it must keep to at all times is checked by within_bounds(); that it lives, and gives everything back, by end().
import { expect } from "chai";
import { SimWorld } from "../../hypercall/sim/sim_world.ts";
import type { SimPort } from "../../hypercall/sim/wire_port.ts";
import { slab_create } from "../../hypercall/slab/slab.ts";
import type { WasmSlab } from "../../hypercall/slab/slab.ts";
import { type PtpPort, ptp_attach } from "../../drivers/ptp/ptp.component.ts";
import {
  IP_ADD_MEMBERSHIP,
  IP_HDRINCL,
  IP_MINTTL,
  IP_RECVDSTADDR,
  IP_RECVIF,
  IP_RECVOPTS,
  IP_RECVPKTINFO,
  IP_RECVRETOPTS,
  IP_RECVTTL,
} from "../../kernel-components/inet/in.ts";
import { INET, type Inet } from "../../kernel-components/inet/inet.ts";
import { type Mbuf, MT_DATA } from "../../kernel-components/kern/mbuf.ts";
import { m_freem, m_get, m_gethdr } from "../../kernel-components/kern/mbuf_alloc.ts";
import { O_RDWR } from "../../kernel-components/kern/fcntl.ts";
import { BIOCIMMEDIATE, BIOCPROMISC, BIOCSETIF, bpf_uint } from "../../kernel-components/net/bpf_abi.ts";
import { ifaliasreq, ifreq, SIOCAIFADDR } from "../../kernel-components/net/if_abi.ts";
import { ifunit } from "../../kernel-components/net/if_attach.ts";
import type { Ifnet } from "../../kernel-components/net/if.ts";
import { rt_count } from "../../kernel-components/net/route.ts";
import {
  PF_INET,
  PF_ROUTE,
  SO_BROADCAST,
  SO_REUSEPORT,
  SO_TIMESTAMP,
  SOCK_DGRAM,
  SOCK_RAW,
  SOL_SOCKET,
} from "../../kernel-components/socket/socket_abi.ts";
import { Msghdr } from "../../kernel-components/socket/uipc_syscalls_msg.ts";
import { SockaddrOut } from "../../kernel-components/socket/socketvar.ts";
import { mk_sockaddr_in } from "../../kernel-components/wire/sockaddr.ts";
import {
  rump_pub_netconfig_ifcreate,
  rump_pub_netconfig_ifdown,
  rump_pub_netconfig_ifsetlinkstr,
  rump_pub_netconfig_ifup,
  rump_pub_netconfig_ipv4_gw,
  rump_pub_netconfig_ipv4_ifaddr_cidr,
  rump_pub_netconfig_ipv4_route,
} from "../../rumpsys/netconfig.ts";
import { rump_init_sync } from "../../rumpsys/rump_init.ts";
import type { RumpKernel } from "../../rumpsys/rump_kernel.ts";
import {
  rump_errno,
  rump_sys_bind,
  rump_sys_connect,
  rump_sys_read,
  rump_sys_recvmsg,
  rump_sys_sendto,
  rump_sys_setsockopt,
  rump_sys_socket,
} from "../../rumpsys/rump_sys.ts";
import { rump_sys_close, rump_sys_ioctl, rump_sys_open } from "../../rumpsys/rump_sys_fd.ts";

const MS = 1e6;
const S = 1e9;
const SLAB_BYTES = 128 * 1024 * 1024;
const IPPROTO_IP = 0;
/** Most routes: those that were made, a host route for each redirect and neighbour that is believed. */
const ROUTES_MAX = 8192;
/** Most callouts: they belong to sockets, interfaces, neighbours and addresses. */
const CALLOUTS_MAX = 8192;
/** Most mbufs: what sockets, queues and tables may hold together. */
const MBUFS_MAX = 30_000;
let shared: WasmSlab | null = null;

/** Addresses of its interfaces. */
export const OWN: readonly number[] = [0x0a000001, 0x0a010001, 0x0a020001];

function int(v: number): Uint8Array {
  return Uint8Array.of(v, v >> 8, v >> 16, v >> 24);
}

/** The kernel. */
export class FuzzKernel {
  readonly world: SimWorld;
  readonly rk: RumpKernel;
  readonly inet: Inet;
  /** Our ends of the wires of virt0 and virt1. */
  readonly ports: SimPort[] = [];
  readonly ptp: PtpPort;
  /** Descriptors that only fill: sockets, bpf, routing socket. */
  readonly fds: number[] = [];
  /** Socket that echoes at the end. */
  readonly echo: number;
  /** Frames that came out. */
  out = 0;
  /** Whether ARP requests on the wires are answered. */
  answers = false;
  /** IP packets that came out while `keep`. */
  readonly kept: Uint8Array[] = [];
  keep = false;
  /** What must end before everything can work again. */
  before_alive: () => void = () => undefined;
  private readonly buf: Uint8Array = new Uint8Array(65_536);
  private readonly iov: Uint8Array[] = [this.buf];
  private readonly name: SockaddrOut = new SockaddrOut();
  private readonly control: Uint8Array = new Uint8Array(512);

  constructor(seed: number) {
    shared ??= slab_create(SLAB_BYTES);
    this.world = new SimWorld({ slab: shared, seed, stormLimit: 4_000_000 });
    // Every fourth kernel is short of memory, every second has no socket that takes every protocol.
    this.rk = rump_init_sync(
      this.world.host("fuzzed"),
      undefined,
      (seed & 3) === 3 ? { nmbufs: 2500, nmbclusters: 500, nmbjumbo: 20 } : {},
    );
    this.inet = this.rk.k.softc(INET);
    for (const unit of [0, 1]) this.plug(unit);
    this.ptp = ptp_attach(this.rk.k, 0, { output: (pkt) => this.sent_ip(pkt) });
    const alias = ifaliasreq("ptp0", mk_sockaddr_in(OWN[2] as number), mk_sockaddr_in(0x0a020002), mk_sockaddr_in(-1));
    this.rk.rumpSys.ioctl(this.socket(SOCK_DGRAM, 0), SIOCAIFADDR, alias);
    this.up("ptp0");
    expect(rump_pub_netconfig_ipv4_gw(this.rk, "10.0.0.254")).to.equal(0);
    expect(rump_pub_netconfig_ipv4_route(this.rk, "198.51.100.0", 24, "10.1.0.9")).to.equal(0);
    expect(rump_pub_netconfig_ipv4_route(this.rk, "192.0.2.0", 24, "10.2.0.2")).to.equal(0);
    this.rk.rumpSys.sysctlbyname("net.inet.ip.forwarding", 1);
    this.echo = this.udp(1000);
    this.sockets((seed & 1) === 0);
    this.listeners();
    this.world.advance(S);
  }

  private plug(unit: number): void {
    const wire = `w${unit}`;
    this.world.wire(wire);
    this.ports.push(this.world.end(wire, "attacker", (b) => this.sent(unit, b)));
    const ifname = `virt${unit}`;
    expect(rump_pub_netconfig_ifcreate(this.rk, ifname)).to.equal(0);
    expect(rump_pub_netconfig_ifsetlinkstr(this.rk, ifname, wire)).to.equal(0);
    this.up(ifname);
    expect(rump_pub_netconfig_ipv4_ifaddr_cidr(this.rk, ifname, `10.${unit}.0.1`, 24)).to.equal(0);
  }

  /** Brings an interface up. */
  up(ifname: string): void {
    rump_pub_netconfig_ifup(this.rk, ifname);
  }

  /** Takes it down. */
  down(ifname: string): void {
    rump_pub_netconfig_ifdown(this.rk, ifname);
  }

  /** An interface. */
  ifp(ifname: string): Ifnet {
    const ifp = ifunit(this.inet.net, ifname);
    if (ifp === null) throw new Error(`no ${ifname}`);
    return ifp;
  }

  /** A socket that is drained now and then. */
  socket(type: number, proto: number, domain: number = PF_INET): number {
    const fd = rump_sys_socket(this.rk, domain, type, proto);
    expect(fd, `errno ${rump_errno(this.rk)}`).to.be.at.least(0);
    this.fds.push(fd);
    return fd;
  }

  private udp(port: number): number {
    const fd = this.socket(SOCK_DGRAM, 0);
    this.set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    this.set(fd, SOL_SOCKET, SO_BROADCAST, 1);
    rump_sys_bind(this.rk, fd, mk_sockaddr_in(0, port));
    return fd;
  }

  private set(fd: number, level: number, name: number, v: number): void {
    rump_sys_setsockopt(this.rk, fd, level, name, int(v));
  }

  private sockets(all_protocols: boolean): void {
    const all = this.udp(1001);
    for (const option of [IP_RECVDSTADDR, IP_RECVIF, IP_RECVTTL, IP_RECVPKTINFO, IP_RECVOPTS, IP_RECVRETOPTS])
      this.set(all, IPPROTO_IP, option, 1);
    this.set(all, SOL_SOCKET, SO_TIMESTAMP, 1);
    this.set(this.udp(1002), IPPROTO_IP, IP_MINTTL, 60);
    for (let i = 0; i < 2; i++) {
      const member = this.udp(1003);
      for (const [group, own] of [
        [0xe00000fb, OWN[0]],
        [0xef010203, OWN[i]],
      ])
        rump_sys_setsockopt(this.rk, member, IPPROTO_IP, IP_ADD_MEMBERSHIP, mreq(group as number, own as number));
    }
    const connected = this.udp(2000);
    rump_sys_connect(this.rk, connected, mk_sockaddr_in(0x0a000002, 1000));
    for (const proto of all_protocols ? [0, 1, 2, 99] : [99]) this.socket(SOCK_RAW, proto);
    const hdrincl = this.socket(SOCK_RAW, 255);
    this.set(hdrincl, IPPROTO_IP, IP_HDRINCL, 1);
    this.set(hdrincl, SOL_SOCKET, SO_TIMESTAMP, 1);
  }

  private listeners(): void {
    this.socket(SOCK_RAW, 0, PF_ROUTE);
    for (const ifname of ["virt0", "virt1", "ptp0"]) {
      const fd = rump_sys_open(this.rk, "/dev/bpf", O_RDWR);
      expect(fd).to.be.at.least(0);
      this.fds.push(fd);
      expect(rump_sys_ioctl(this.rk, fd, BIOCSETIF, ifreq(ifname))).to.equal(0);
      rump_sys_ioctl(this.rk, fd, BIOCIMMEDIATE, bpf_uint(1));
      if (ifname === "virt1") rump_sys_ioctl(this.rk, fd, BIOCPROMISC, new Uint8Array(0));
    }
  }

  private sent(unit: number, f: Uint8Array): void {
    this.out++;
    const type = ((f[12] as number) << 8) | (f[13] as number);
    if (type === 0x0806 && this.answers && f[21] === 1) this.answer(unit, f);
    else if (type === 0x0800 && this.keep) this.kept.push(f.slice(14));
  }

  private sent_ip(pkt: Uint8Array): void {
    this.out++;
    if (this.keep) this.kept.push(pkt);
  }

  /** Says that every address is here. */
  private answer(unit: number, f: Uint8Array): void {
    const r = f.slice(0, 60);
    r.set(f.subarray(6, 12), 0);
    r.set([2, 0, 0, 0, 0xee, f[41] as number], 6);
    r[21] = 2;
    r.set(f.subarray(22, 32), 32);
    r.set(r.subarray(6, 12), 22);
    r.set(f.subarray(38, 42), 28);
    this.ports[unit]?.send(r);
  }

  /** Reads everything from all descriptors. */
  drain(): void {
    for (const fd of this.fds) {
      for (let n = 0; n < 200; n++) {
        const msg = new Msghdr();
        msg.msg_nameout = this.name;
        msg.msg_controllen = this.control.length;
        msg.msg_control = this.control;
        const got = rump_sys_recvmsg(this.rk, fd, this.iov, msg, 0);
        if (got < 0 && rump_sys_read(this.rk, fd, this.buf, this.buf.length) < 0) break;
      }
    }
  }

  /** Sends a datagram from any socket to anywhere. */
  send(fd: number, dst: number, port: number, data: Uint8Array): number {
    return rump_sys_sendto(this.rk, fd, data, data.length, 0, mk_sockaddr_in(dst, port));
  }

  /** A counter. */
  stat(group: string, name: string): number {
    const v = this.rk.k.evcnts.value(group, name);
    if (v === null) throw new Error(`no counter ${group} ${name}`);
    return v;
  }

  /** Nothing has grown past its limit. */
  within_bounds(): void {
    const { inet, rk } = this;
    const over = (n: number, max: number, what: string): void => {
      if (n > max) throw new Error(`${n} ${what}, ${max} allowed`);
    };
    over(inet.reass.nqueues, inet.reass.maxfragpackets, "datagrams in reassembly");
    over(inet.reass.nfrags, inet.reass.maxfrags, "fragments");
    over(inet.arp.nentries, inet.arp.arp_maxentries, "neighbours");
    over(rt_count(inet.net), ROUTES_MAX, "routes");
    over(rk.k.callouts.in_use, CALLOUTS_MAX, "callouts");
    const used = rk.k.mb.in_use();
    over(used.mbufs, MBUFS_MAX, "mbufs");
    over(used.clusters, rk.k.mb.mem.nmbclusters, "clusters");
    over(used.jumbo, rk.k.mb.mem.nmbjumbo, "jumbo clusters");
    for (const [what, n] of [
      ["mbufs", used.mbufs],
      ["clusters", used.clusters],
      ["jumbo clusters", used.jumbo],
    ] as const)
      if (n < 0) throw new Error(`${n} ${what}: freed twice`);
  }

  /** Everything works again: echo of ICMP and of UDP, on each interface. */
  alive(): void {
    this.before_alive();
    this.answers = true;
    rump_pub_netconfig_ipv4_gw(this.rk, "10.0.0.254");
    for (const ifname of ["virt0", "virt1", "ptp0"]) this.up(ifname);
    this.world.advance(120 * S);
    this.drain();
    this.keep = true;
    for (const unit of [0, 1, 2]) {
      const src = ((OWN[unit] as number) & ~255) | 2;
      this.input(unit, echo_request(src, OWN[unit] as number));
      this.world.advance(50 * MS);
      const pongs = this.kept.splice(0).filter((p) => p[9] === 1 && p[20] === 0);
      expect(pongs.length, `answers to a ping of ${unit}`).to.equal(1);
      expect(this.send(this.echo, src, 7, int(77)), `send: errno ${rump_errno(this.rk)}`).to.equal(4);
      this.world.advance(50 * MS);
      expect(this.kept.splice(0).filter((p) => p[9] === 17).length, `datagram to ${unit}`).to.equal(1);
    }
    this.keep = false;
  }

  /** A frame comes up from a driver that keeps it in pieces: of the sizes that `cut` gives, by turns. */
  input_pieces(ifname: string, bytes: Uint8Array, cut: () => number): void {
    const { k } = this.rk;
    const ifp = this.ifp(ifname);
    k.enter();
    const m = m_gethdr(k.mb, MT_DATA);
    let last: Mbuf | null = m;
    for (let at = 0; last !== null && at < bytes.length; ) {
      const n = Math.min(cut(), bytes.length - at, 200);
      last.m_off += n < 100 ? 40 : 0;
      k.u8.set(bytes.subarray(at, at + n), last.m_off);
      last.m_len = n;
      at += n;
      if (at < bytes.length) last = last.m_next = m_get(k.mb, MT_DATA);
    }
    if (m === null || last === null) m_freem(m);
    else {
      m.m_pkthdr_len = bytes.length;
      m.m_rcvif = ifp;
      ifp.if_input(ifp, m);
    }
    k.leave();
  }

  /** A packet arrives. */
  input(unit: number, pkt: Uint8Array): void {
    if (unit === 2) {
      this.ptp.inject(pkt);
      return;
    }
    const f = new Uint8Array(Math.max(60, 14 + pkt.length));
    f.set(this.ifp(`virt${unit}`).if_lladdr, 0);
    f.set([2, 0, 0, 0, 0xee, 2, 8, 0], 6);
    f.set(pkt, 14);
    this.ports[unit]?.send(f);
  }

  /** Shuts down and counts: nothing may be left. */
  end(): void {
    for (const fd of this.fds.splice(0)) rump_sys_close(this.rk, fd);
    const report = this.rk.shutdown();
    expect(report.text).to.equal("");
    expect(this.world.host("fuzzed").memory.held, "bytes of the slab").to.equal(0);
  }
}

function mreq(group: number, own: number): Uint8Array {
  const b = new Uint8Array(8);
  const dv = new DataView(b.buffer);
  dv.setInt32(0, group);
  dv.setInt32(4, own);
  return b;
}

/** An ICMP echo request. */
export function echo_request(src: number, dst: number): Uint8Array {
  const b = new Uint8Array(36);
  const dv = new DataView(b.buffer);
  b.set([0x45, 0, 0, 36, 0, 1, 0, 0, 64, 1]);
  dv.setInt32(12, src);
  dv.setInt32(16, dst);
  b.set([8, 0, 0, 0, 1, 2, 3, 4], 20);
  for (const [from, to, at] of [
    [0, 20, 10],
    [20, 36, 22],
  ] as const) {
    let s = 0;
    for (let i = from; i < to; i += 2) s += dv.getUint16(i);
    while (s > 0xffff) s = (s & 0xffff) + (s >>> 16);
    dv.setUint16(at, ~s);
  }
  return b;
}
