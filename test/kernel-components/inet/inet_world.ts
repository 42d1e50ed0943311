// Kernels with IPv4 on simulated wires, and stations: ends of wires that the test plays itself, frame by frame.
import { expect } from "chai";
import { type SimPort } from "../../../hypercall/sim/wire_port.ts";
import { SimWorld } from "../../../hypercall/sim/sim_world.ts";
import { slab_create, type WasmSlab } from "../../../hypercall/slab/slab.ts";
import { virtifComponent } from "../../../drivers/virtif/virtif.component.ts";
import { inetComponent } from "../../../kernel-components/inet/inet.component.ts";
import { INET, type Inet } from "../../../kernel-components/inet/inet.ts";
import type { KernelOptions } from "../../../kernel-components/kern/kernel.ts";
import { ifunit } from "../../../kernel-components/net/if_attach.ts";
import type { Ifnet } from "../../../kernel-components/net/if.ts";
import { netComponent } from "../../../kernel-components/net/net.component.ts";
import { SO_BROADCAST, SOCK_DGRAM, SOL_SOCKET, PF_INET } from "../../../kernel-components/socket/socket_abi.ts";
import { SockaddrOut } from "../../../kernel-components/socket/socketvar.ts";
import {
  arp_emit,
  arp_parse,
  ArpPacket,
  ARP_ETHER_LEN,
  ARPOP_REPLY,
  ARPOP_REQUEST,
} from "../../../kernel-components/wire/arp.ts";
import { ETHERTYPE_ARP, ETHERTYPE_IP } from "../../../kernel-components/wire/ether.ts";
import { icmp_emit, IcmpHeader } from "../../../kernel-components/wire/icmp.ts";
import { IPPROTO_ICMP, IPPROTO_UDP } from "../../../kernel-components/wire/in.ts";
import { inet_pton4 } from "../../../kernel-components/wire/inet_addr.ts";
import { ip_emit, ip_parse, IpHeader } from "../../../kernel-components/wire/ipv4.ts";
import { mk_sockaddr_in, sin_addr, sin_port } from "../../../kernel-components/wire/sockaddr.ts";
import { udp_cksum4, udp_cksum_wire } from "../../../kernel-components/wire/udp.ts";
import { localComponent, socketComponent } from "../../../kernel-components/socket/socket.component.ts";
import {
  rump_pub_netconfig_ifcreate,
  rump_pub_netconfig_ifsetlinkstr,
  rump_pub_netconfig_ifup,
  rump_pub_netconfig_ipv4_gw,
  rump_pub_netconfig_ipv4_ifaddr_cidr,
  rump_pub_netconfig_ipv4_route,
} from "../../../rumpsys/netconfig.ts";
import { rump_init_sync } from "../../../rumpsys/rump_init.ts";
import type { RumpKernel } from "../../../rumpsys/rump_kernel.ts";
import {
  rump_errno,
  rump_sys_bind,
  rump_sys_connect,
  rump_sys_recvfrom,
  rump_sys_sendto,
  rump_sys_setsockopt,
  rump_sys_socket,
} from "../../../rumpsys/rump_sys.ts";
import { rump_sys_close } from "../../../rumpsys/rump_sys_fd.ts";

export const MS = 1e6;
export const S = 1e9;
const SLAB_BYTES = 64 * 1024 * 1024;
let shared: WasmSlab | null = null;

/** An address as the kernel keeps it. */
export function ip4(text: string): number {
  const a = inet_pton4(text);
  if (!a.ok) throw new Error(`not an address: ${text}`);
  return a.addr;
}

/** An int as an option's value. */
export function int(v: number): Uint8Array {
  return Uint8Array.of(v, v >> 8, v >> 16, v >> 24);
}

export function sockaddr(text: string, port: number): Uint8Array {
  return mk_sockaddr_in(ip4(text), port);
}

/** What recvfrom gave. */
export interface Datagram {
  readonly data: Uint8Array;
  readonly addr: number;
  readonly port: number;
}

/** A kernel. */
export class Node {
  readonly rk: RumpKernel;
  readonly inet: Inet;
  readonly name: string;
  readonly world: SimWorld;

  constructor(world: SimWorld, name: string, options: KernelOptions = {}) {
    this.world = world;
    this.name = name;
    const parts = [socketComponent, localComponent, netComponent, inetComponent, virtifComponent];
    this.rk = rump_init_sync(world.host(name), parts, options);
    this.inet = this.rk.k.softc(INET);
  }

  /** virtN on a wire, up, with an address. */
  plug(unit: number, wire: string, cidr: string): this {
    const ifname = `virt${unit}`;
    this.world.wire(wire);
    expect(rump_pub_netconfig_ifcreate(this.rk, ifname), "ifcreate").to.equal(0);
    expect(rump_pub_netconfig_ifsetlinkstr(this.rk, ifname, wire), "linkstr").to.equal(0);
    expect(rump_pub_netconfig_ifup(this.rk, ifname), "ifup").to.equal(0);
    if (cidr !== "") this.addr(ifname, cidr);
    return this;
  }

  addr(ifname: string, cidr: string): void {
    const [addr, plen] = cidr.split("/");
    expect(rump_pub_netconfig_ipv4_ifaddr_cidr(this.rk, ifname, addr as string, Number(plen)), "ifaddr").to.equal(0);
  }

  gw(gateway: string): this {
    expect(rump_pub_netconfig_ipv4_gw(this.rk, gateway)).to.equal(0);
    return this;
  }

  route(cidr: string, gateway: string): this {
    const [dst, plen] = cidr.split("/");
    expect(rump_pub_netconfig_ipv4_route(this.rk, dst as string, Number(plen), gateway)).to.equal(0);
    return this;
  }

  ifp(ifname: string): Ifnet {
    const ifp = ifunit(this.inet.net, ifname);
    if (ifp === null) throw new Error(`no ${ifname}`);
    return ifp;
  }

  /** Sets (v given) or gets an int of the sysctl tree. */
  sysctl(name: string, v?: number): number {
    const old = v === undefined ? this.rk.rumpSys.sysctlbyname(name) : this.rk.rumpSys.sysctlbyname(name, v);
    return old as number;
  }

  /** A counter. */
  stat(group: string, name: string): number {
    const v = this.rk.k.evcnts.value(group, name);
    if (v === null) throw new Error(`no counter ${group} ${name}`);
    return v;
  }

  socket(type: number = SOCK_DGRAM, proto = 0): number {
    const fd = rump_sys_socket(this.rk, PF_INET, type, proto);
    expect(fd, `socket: errno ${rump_errno(this.rk)}`).to.be.at.least(0);
    return fd;
  }

  /** A UDP socket bound to a port. */
  udp(port: number, addr = "0.0.0.0"): number {
    const fd = this.socket();
    expect(this.bind(fd, addr, port)).to.equal(0);
    return fd;
  }

  /** The errno, 0 if it worked. */
  private errno(n: number): number {
    return n < 0 ? rump_errno(this.rk) : 0;
  }

  bind(fd: number, addr: string, port: number): number {
    return this.errno(rump_sys_bind(this.rk, fd, sockaddr(addr, port)));
  }

  connect(fd: number, addr: string, port: number): number {
    return this.errno(rump_sys_connect(this.rk, fd, sockaddr(addr, port)));
  }

  sendto(fd: number, data: Uint8Array, addr: string, port: number): number {
    return this.errno(rump_sys_sendto(this.rk, fd, data, data.length, 0, sockaddr(addr, port)));
  }

  send(fd: number, data: Uint8Array): number {
    return this.errno(rump_sys_sendto(this.rk, fd, data, data.length, 0, null));
  }

  /** The next datagram, or the errno. */
  recv(fd: number): Datagram | number {
    const buf = new Uint8Array(65536);
    const from = new SockaddrOut();
    const n = rump_sys_recvfrom(this.rk, fd, buf, buf.length, 0, from);
    if (n < 0) return rump_errno(this.rk);
    return { data: buf.slice(0, n), addr: sin_addr(from.sa), port: sin_port(from.sa) };
  }

  /** The next datagram; fails the test if there is none. */
  got(fd: number): Datagram {
    const d = this.recv(fd);
    if (typeof d === "number") throw new Error(`${this.name}: nothing received, errno ${d}`);
    return d;
  }

  close(fd: number): void {
    expect(rump_sys_close(this.rk, fd)).to.equal(0);
  }

  setsockopt(fd: number, level: number, name: number, value: Uint8Array): number {
    return this.errno(rump_sys_setsockopt(this.rk, fd, level, name, value));
  }

  broadcast(fd: number): void {
    expect(this.setsockopt(fd, SOL_SOCKET, SO_BROADCAST, int(1))).to.equal(0);
  }

  in_kernel<T>(act: () => T): T {
    this.rk.k.enter();
    try {
      return act();
    } finally {
      this.rk.k.leave();
    }
  }

  console(): string {
    return new TextDecoder().decode(this.rk.k.cons.msgbuf());
  }
}

/** An IP packet that a station saw. */
export interface SeenIp {
  readonly ip: IpHeader;
  /** What follows the header. */
  readonly data: Uint8Array;
  readonly dst_mac: Uint8Array;
}

/** The end of a wire that the test plays. */
export class Station {
  readonly mac: Uint8Array;
  readonly addr: number;
  /** Does it answer ARP requests for its address, and others it speaks for? */
  answers = true;
  readonly also: Set<number> = new Set();
  readonly frames: Uint8Array[] = [];
  private readonly port: SimPort;
  /** Where it sends IP packets to: the hardware address it heard last, or broadcast. */
  peer: Uint8Array = new Uint8Array(6).fill(0xff);
  private id = 1;

  constructor(world: SimWorld, wire: string, last: number, addr: string) {
    this.mac = Uint8Array.of(2, 0, 0, 0, 0xee, last);
    this.addr = ip4(addr);
    this.port = world.end(wire, `station${last}`, (bytes) => this.input(bytes.slice()));
  }

  private input(f: Uint8Array): void {
    this.frames.push(f);
    this.peer = f.slice(6, 12);
    const arp = arp_of(f);
    if (arp === null || !this.answers || arp.ar_op !== ARPOP_REQUEST) return;
    if (arp.ar_tpa === this.addr || this.also.has(arp.ar_tpa))
      this.arp(ARPOP_REPLY, arp.ar_tpa, arp.ar_spa, arp.ar_sha, arp.ar_sha);
  }

  /** Sends a frame. */
  ether(dst: Uint8Array, type: number, payload: Uint8Array): void {
    const f = new Uint8Array(Math.max(60, 14 + payload.length));
    f.set(dst, 0);
    f.set(this.mac, 6);
    f[12] = type >> 8;
    f[13] = type & 255;
    f.set(payload, 14);
    this.port.send(f);
  }

  /** Sends a frame as it is, of any length. */
  raw(frame: Uint8Array): void {
    this.port.send(frame);
  }

  arp(
    op: number,
    spa: number,
    tpa: number,
    tha: Uint8Array,
    dst: Uint8Array = new Uint8Array(6).fill(0xff),
    sha: Uint8Array = this.mac,
  ): void {
    const p = new ArpPacket();
    p.ar_op = op;
    p.ar_sha = sha;
    p.ar_spa = spa;
    p.ar_tha = tha;
    p.ar_tpa = tpa;
    const b = new Uint8Array(ARP_ETHER_LEN);
    arp_emit(new DataView(b.buffer), 0, p);
    this.ether(dst, ETHERTYPE_ARP, b);
  }

  /** Asks who has an address. */
  arp_who(tpa: string): void {
    this.arp(ARPOP_REQUEST, this.addr, ip4(tpa), new Uint8Array(6));
  }

  /** Sends an IP packet; fields of h that are 0 or default are filled in. */
  ip(dst: string, proto: number, data: Uint8Array, change: Partial<IpHeader> = {}): void {
    this.ether(this.peer, ETHERTYPE_IP, this.packet(dst, proto, data, change));
  }

  /** Builds that packet. */
  packet(dst: string, proto: number, data: Uint8Array, change: Partial<IpHeader> = {}): Uint8Array {
    const h = new IpHeader();
    h.ip_src = this.addr;
    h.ip_dst = ip4(dst);
    h.ip_p = proto;
    h.ip_id = this.id++;
    Object.assign(h, change);
    const hlen = 20 + ((h.ip_opts.length + 3) & ~3);
    h.ip_len = change.ip_len ?? hlen + data.length;
    const b = new Uint8Array(hlen + data.length);
    const lie = h.ip_len;
    h.ip_len = Math.max(h.ip_len, hlen);
    ip_emit(new DataView(b.buffer), 0, h);
    if (lie !== h.ip_len) {
      b[2] = lie >> 8;
      b[3] = lie & 255;
      fix_ip_cksum(b);
    }
    b.set(data, hlen);
    return b;
  }

  udp(dst: string, sport: number, dport: number, data: Uint8Array, change: Partial<IpHeader> = {}): void {
    const src = change.ip_src ?? this.addr;
    this.ip(dst, IPPROTO_UDP, udp_bytes(src, ip4(dst), sport, dport, data), change);
  }

  icmp(dst: string, type: number, code: number, word: number, data: Uint8Array, change: Partial<IpHeader> = {}): void {
    this.ip(dst, IPPROTO_ICMP, icmp_bytes(type, code, word, data), change);
  }

  echo(dst: string, seq = 1, data: Uint8Array = bytes(56), change: Partial<IpHeader> = {}): void {
    this.icmp(dst, 8, 0, (0x1234 << 16) | seq, data, change);
  }

  /** The IP packets seen since the last call of take. */
  take(): SeenIp[] {
    const out: SeenIp[] = [];
    for (const f of this.frames.splice(0)) {
      if ((((f[12] as number) << 8) | (f[13] as number)) !== ETHERTYPE_IP) continue;
      const ip = new IpHeader();
      const dv = new DataView(f.buffer, f.byteOffset, f.length);
      expect(ip_parse(dv, 14, f.length - 14, ip), "a well-formed packet").to.equal(0);
      expect(sum16(f.subarray(14, 14 + ip.ip_hl * 4)), "IP checksum").to.equal(0xffff);
      out.push({ ip, data: f.slice(14 + ip.ip_hl * 4, 14 + ip.ip_len), dst_mac: f.slice(0, 6) });
    }
    return out;
  }

  /** The only IP packet seen since the last call. */
  one(): SeenIp {
    const all = this.take();
    expect(all.length, "packets seen").to.equal(1);
    return all[0] as SeenIp;
  }

  /** The ARP packets seen since the last call. */
  arps(): ArpPacket[] {
    return this.frames
      .splice(0)
      .map(arp_of)
      .filter((a) => a !== null);
  }
}

/** The ARP packet of a frame, or null. */
export function arp_of(f: Uint8Array): ArpPacket | null {
  if ((((f[12] as number) << 8) | (f[13] as number)) !== ETHERTYPE_ARP) return null;
  const a = new ArpPacket();
  return arp_parse(new DataView(f.buffer, f.byteOffset, f.length), 14, f.length - 14, a) === 0 ? a : null;
}

/** Ones-complement sum; 0xffff over something with a right checksum. A naive twin of the kernel's. */
export function sum16(b: Uint8Array, start = 0): number {
  let s = start;
  for (let i = 0; i < b.length; i += 2) s += ((b[i] as number) << 8) | (b[i + 1] ?? 0);
  while (s > 0xffff) s = (s & 0xffff) + Math.floor(s / 65536);
  return s;
}

export function fix_ip_cksum(b: Uint8Array): void {
  b[10] = 0;
  b[11] = 0;
  const s = ~sum16(b.subarray(0, ((b[0] as number) & 15) * 4)) & 0xffff;
  b[10] = s >> 8;
  b[11] = s & 255;
}

/** n bytes that tell where they are. */
export function bytes(n: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length: n }, (_, i) => (i * 7 + seed + (i >> 8)) & 255);
}

export function udp_bytes(src: number, dst: number, sport: number, dport: number, data: Uint8Array): Uint8Array {
  const b = new Uint8Array(8 + data.length);
  const dv = new DataView(b.buffer);
  dv.setUint16(0, sport);
  dv.setUint16(2, dport);
  dv.setUint16(4, b.length);
  b.set(data, 8);
  dv.setUint16(6, udp_cksum_wire(udp_cksum4(dv, 0, src, dst)));
  return b;
}

export function icmp_bytes(type: number, code: number, word: number, data: Uint8Array): Uint8Array {
  const h = new IcmpHeader();
  h.icmp_type = type;
  h.icmp_code = code;
  h.icmp_void = word;
  h.icmp_data = data;
  const b = new Uint8Array(8 + data.length);
  icmp_emit(new DataView(b.buffer), 0, h);
  return b;
}

/** A world with its kernels; end() counts what is left. */
export class InetWorld {
  readonly world: SimWorld;
  readonly nodes: Node[] = [];

  constructor(seed = 1) {
    shared ??= slab_create(SLAB_BYTES);
    this.world = new SimWorld({ slab: shared, seed });
  }

  node(name: string, options: KernelOptions = {}): Node {
    const n = new Node(this.world, name, options);
    this.nodes.push(n);
    return n;
  }

  station(wire: string, last: number, addr: string): Station {
    this.world.wire(wire);
    return new Station(this.world, wire, last, addr);
  }

  run(ns: number): void {
    this.world.advance(ns);
  }

  /** Shuts every kernel down; nothing may be left. */
  end(): void {
    for (const n of this.nodes) {
      const report = n.rk.shutdown();
      expect(report.text, n.name).to.equal("");
      expect(n.world.host(n.name).memory.held, `${n.name}: bytes of the slab`).to.equal(0);
    }
  }
}

/** The classic: a kernel "k" with 10.0.0.1/24 on wire "w", and a station 10.0.0.2 there that has been heard of. */
export function pair(w: InetWorld, options: KernelOptions = {}): { k: Node; st: Station } {
  const st = w.station("w", 2, "10.0.0.2");
  const k = w.node("k", options).plug(0, "w", "10.0.0.1/24");
  w.run(10 * MS);
  st.frames.length = 0;
  st.peer = k.ifp("virt0").if_lladdr.slice();
  return { k, st };
}
