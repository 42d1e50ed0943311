// A kernel with the net component alone, Ethernet interfaces that keep what they are given, and routing and bpf descriptors through the system calls.
import { expect } from "chai";
import { sys_close } from "../../../kernel-components/kern/sys_descrip.ts";
import { sys_ioctl, sys_open, sys_read, sys_write } from "../../../kernel-components/kern/sys_generic.ts";
import { O_NONBLOCK, O_RDWR } from "../../../kernel-components/kern/fcntl.ts";
import type { Mbuf } from "../../../kernel-components/kern/mbuf.ts";
import { m_freem } from "../../../kernel-components/kern/mbuf_alloc.ts";
import { m_devget, m_tobytes } from "../../../kernel-components/kern/mbuf_bytes.ts";
import { type Lwp, type Proc, Ucred } from "../../../kernel-components/kern/proc.ts";
import { lwp_wait_done } from "../../../kernel-components/kern/select.ts";
import { RetVal, Uio, UIO_READ, UIO_WRITE } from "../../../kernel-components/kern/uio.ts";
import { ether_ifattach, ether_ioctl } from "../../../kernel-components/net/ether_attach.ts";
import { Ifaddr, Ifnet } from "../../../kernel-components/net/if.ts";
import { ifa_insert, if_detach, if_initialize, if_register } from "../../../kernel-components/net/if_attach.ts";
import { IFF_RUNNING } from "../../../kernel-components/net/if_flags.ts";
import { ifioctl } from "../../../kernel-components/net/if_ioctl.ts";
import { ifreq_flags, SIOCSIFFLAGS } from "../../../kernel-components/net/if_abi.ts";
import { netComponent } from "../../../kernel-components/net/net.component.ts";
import {
  type IfAf,
  type Net,
  NET_KEY,
  register_ethertype,
  register_if_af,
} from "../../../kernel-components/net/net.ts";
import { rt_count } from "../../../kernel-components/net/route.ts";
import { socketComponent } from "../../../kernel-components/socket/socket.component.ts";
import { SOCK_NONBLOCK, SOCK_RAW } from "../../../kernel-components/socket/socket_abi.ts";
import { sys_socket } from "../../../kernel-components/socket/uipc_syscalls.ts";
import { AF_INET, AF_ROUTE, mk_sockaddr_in } from "../../../kernel-components/wire/sockaddr.ts";
import { bootKernel, type TestKernel } from "../../support/kernel.ts";

/** An Ethernet interface without a device: frames that it is to send are kept as bytes. */
export class FakeEther {
  readonly ifp: Ifnet;
  /** Frames sent. */
  readonly sent: Uint8Array[] = [];
  /** ioctls that reached the driver. */
  readonly ioctls: number[] = [];
  /** What if_init answers. */
  init_error = 0;
  private readonly w: NetWorld;
  constructor(w: NetWorld, unit: number, mac: readonly number[], dname = "tst") {
    this.w = w;
    const ifp = new Ifnet(w.net, dname, unit);
    this.ifp = ifp;
    ifp.if_transmit = (_ifp, m) => {
      this.sent.push(m_tobytes(m));
      m_freem(m);
      return 0;
    };
    ifp.if_init = () => {
      if (this.init_error === 0) ifp.if_flags |= IFF_RUNNING;
      return this.init_error;
    };
    ifp.if_stop = () => {
      ifp.if_flags &= ~IFF_RUNNING;
    };
    ifp.if_ioctl = (i, cmd, data) => {
      this.ioctls.push(cmd);
      return ether_ioctl(i, cmd, data);
    };
    w.in_kernel(() => {
      expect(if_initialize(ifp)).to.equal(0);
      expect(ether_ifattach(ifp, Uint8Array.from(mac))).to.equal(0);
      if_register(ifp);
    });
  }
  /** Brings it up. */
  up(): this {
    expect(this.w.ioctl(SIOCSIFFLAGS, ifreq_flags(this.ifp.if_xname, 1))).to.equal(0);
    return this;
  }
  /** A frame arrives. */
  rx(frame: Uint8Array): void {
    this.w.in_kernel(() => {
      const m = m_devget(this.w.t.k.mb, frame, 0, null);
      if (m === null) throw new Error("no mbuf");
      this.ifp.if_input(this.ifp, m);
    });
  }
}

/** The world of one test. */
export class NetWorld {
  readonly t: TestKernel;
  readonly net: Net;
  /** A process of root's. */
  readonly root: Lwp;
  /** A process of somebody else's. */
  readonly nobody: Lwp;
  /** Packets that reached the protocols: ethertype, interface, bytes, m_flags. */
  readonly got: { type: number; ifp: Ifnet; bytes: Uint8Array; flags: number }[] = [];
  private readonly ifs: FakeEther[] = [];
  private unit = 0;
  constructor() {
    this.t = bootKernel([socketComponent, netComponent]);
    this.net = this.t.k.softc(NET_KEY);
    const procs = this.t.k.procs;
    this.root = procs.lwp_create(procs.proc_create("root", new Ucred(0, 0)) as Proc);
    this.nobody = procs.lwp_create(procs.proc_create("nobody", new Ucred(1000, 1000)) as Proc);
  }
  in_kernel<T>(act: () => T): T {
    return this.t.in_kernel(act);
  }
  /** Adds an interface tstN with MAC 02:00:00:00:00:N+1. */
  ether(dname = "tst"): FakeEther {
    const n = this.unit++;
    const f = new FakeEther(this, n, [2, 0, 0, 0, 0, n + 1], dname);
    this.ifs.push(f);
    return f;
  }
  /** Keeps the packets of an ethertype. */
  receive(type: number): void {
    register_ethertype(this.net, type, (ifp, m: Mbuf) => {
      this.got.push({ type, ifp, bytes: m_tobytes(m), flags: m.m_flags });
      m_freem(m);
    });
  }
  /** An AF_INET whose resolver answers 02:00 and the address. */
  fake_inet(more: Partial<IfAf> = {}): void {
    register_if_af(this.net, {
      if_af: AF_INET,
      if_ethertype: 0x0800,
      resolve(_ifp, _m, dst, _rt, out) {
        out.mac_hi = 0x0200;
        out.mac_lo = dst;
        return 0;
      },
      ...more,
    });
  }
  /** Gives an interface an address, as far as this layer sees it. */
  addr(ifp: Ifnet, addr: number, mask: number, dst = 0): Ifaddr {
    const ifa = new Ifaddr(ifp, mk_sockaddr_in(addr | 0));
    ifa.ifa_netmask = mk_sockaddr_in(mask | 0);
    if (dst !== 0) ifa.ifa_dstaddr = mk_sockaddr_in(dst | 0);
    this.in_kernel(() => ifa_insert(ifp, ifa));
    return ifa;
  }
  /** An interface ioctl as root (or somebody else), without a socket. */
  ioctl(cmd: number, data: Uint8Array, l: Lwp = this.root): number {
    return this.in_kernel(() => ifioctl(this.net, null, cmd, data, l));
  }
  /** The end: everything must have been given back. */
  end(): void {
    this.in_kernel(() => {
      for (const l of [this.root, this.nobody]) this.t.k.procs.proc_exit(l.l_proc);
      for (const f of this.ifs) if_detach(f.ifp);
    });
    expect(rt_count(this.net), "routes left").to.equal(0);
    expect(this.net.bpf_list.length, "bpf descriptors left").to.equal(0);
    expect(this.net.rawcbs.length, "routing sockets left").to.equal(0);
    this.t.end();
  }
}

/** A descriptor and the calls on it. Errors are errnos, negative in read(). */
export class Fd {
  readonly fd: number;
  readonly w: NetWorld;
  readonly l: Lwp;
  constructor(w: NetWorld, fd: number, l: Lwp) {
    this.w = w;
    this.fd = fd;
    this.l = l;
  }
  write(bytes: Uint8Array): number {
    const rv = new RetVal();
    return this.w.in_kernel(() => sys_write(this.l, this.fd, new Uio(UIO_WRITE, [bytes]), rv));
  }
  /** What a read gives, or -errno (EWAIT: -16 as 16). */
  read(len: number): Uint8Array | number {
    const rv = new RetVal();
    const buf = new Uint8Array(len);
    const error = this.w.in_kernel(() => {
      const e = sys_read(this.l, this.fd, new Uio(UIO_READ, [buf]), rv);
      lwp_wait_done(this.l);
      return e;
    });
    return error !== 0 ? -error : buf.slice(0, rv.val);
  }
  ioctl(cmd: number, data: Uint8Array): number {
    return this.w.in_kernel(() => sys_ioctl(this.l, this.fd, cmd, data, new RetVal()));
  }
  close(): void {
    expect(this.w.in_kernel(() => sys_close(this.l, this.fd))).to.equal(0);
  }
}

/** A routing socket, not blocking. */
export function route_socket(w: NetWorld, l: Lwp = w.root, proto = 0): Fd {
  const rv = new RetVal();
  expect(w.in_kernel(() => sys_socket(l, AF_ROUTE, SOCK_RAW | SOCK_NONBLOCK, proto, rv))).to.equal(0);
  return new Fd(w, rv.val, l);
}

/** /dev/bpf, not blocking unless asked. */
export function bpf_fd(w: NetWorld, nonblock = true): Fd {
  const rv = new RetVal();
  expect(w.in_kernel(() => sys_open(w.root, "/dev/bpf", O_RDWR | (nonblock ? O_NONBLOCK : 0), rv))).to.equal(0);
  return new Fd(w, rv.val, w.root);
}

/** An Ethernet frame. */
export function frame(
  dst: readonly number[],
  src: readonly number[],
  type: number,
  payload: Uint8Array = new Uint8Array(46),
): Uint8Array {
  return Uint8Array.from([...dst, ...src, type >> 8, type & 0xff, ...payload]);
}

/** An address from text. */
export function ip(text: string): number {
  return text.split(".").reduce((a, b) => (a << 8) | Number(b), 0);
}

/** The broadcast address. */
export const BCAST: readonly number[] = [255, 255, 255, 255, 255, 255];
/** Somebody else's address. */
export const PEER: readonly number[] = [2, 0xaa, 0, 0, 0, 1];
