// A kernel of sockets, net and virtif alone, on a simulated wire, with a program at the wire's other end.
import type { FramePort, FramePortInfo, FrameUp, HyperFrames } from "../../../hypercall/api/frames.ts";
import type { Host } from "../../../hypercall/api/host.ts";
import { virtifComponent } from "../../../drivers/virtif/virtif.component.ts";
import { type SimWorld, simWorld } from "../../../hypercall/sim/sim_world.ts";
import type { SimPort } from "../../../hypercall/sim/wire_port.ts";
import { rump_init } from "../../../kernel-components/kern/component.ts";
import type { Kernel, KernelOptions, ShutdownReport } from "../../../kernel-components/kern/kernel.ts";
import { type Mbuf, MT_DATA } from "../../../kernel-components/kern/mbuf.ts";
import { m_freem, m_get, m_gethdr } from "../../../kernel-components/kern/mbuf_alloc.ts";
import { m_tobytes } from "../../../kernel-components/kern/mbuf_bytes.ts";
import type { Ifnet } from "../../../kernel-components/net/if.ts";
import { ifdrv, ifreq, ifreq_flags, ifreq_int, IFLINKSTR_UNSET } from "../../../kernel-components/net/if_abi.ts";
import { SIOCIFCREATE, SIOCSIFFLAGS, SIOCSIFMTU, SIOCSLINKSTR } from "../../../kernel-components/net/if_abi.ts";
import { ifunit } from "../../../kernel-components/net/if_attach.ts";
import { IFF_UP } from "../../../kernel-components/net/if_flags.ts";
import { ifioctl } from "../../../kernel-components/net/if_ioctl.ts";
import { netComponent } from "../../../kernel-components/net/net.component.ts";
import { NET_KEY, register_ethertype } from "../../../kernel-components/net/net.ts";
import { socketComponent } from "../../../kernel-components/socket/socket.component.ts";
import { AF_UNSPEC } from "../../../kernel-components/wire/sockaddr.ts";

/** Local experimental Ethertype 1 (IEEE 802). */
export const ETHERTYPE_TEST = 0x88b5;
const SLAB = 32 * 1024 * 1024;

/** The kernel under test. */
export class VirtWorld {
  readonly world: SimWorld;
  readonly k: Kernel;
  readonly ifp: Ifnet;
  /** Payloads that came up. */
  readonly up: Uint8Array[] = [];
  /** Packets that came up, if `keep`. */
  readonly kept: Mbuf[] = [];
  keep = false;
  /** Frames that came out at the other end of the wire. */
  readonly out: Uint8Array[] = [];
  readonly peer: SimPort;

  /** `frames` takes the place of the simulated host's. */
  constructor(options: KernelOptions = {}, frames: HyperFrames | null = null) {
    this.world = simWorld({ slabBytes: SLAB });
    this.world.wire("w");
    this.peer = this.world.end("w", "peer", (bytes) => this.out.push(bytes));
    const sim = this.world.host("a");
    const host: Host = frames === null ? sim : (Object.create(sim, { frames: { value: frames } }) as Host);
    this.k = rump_init(host, [socketComponent, netComponent, virtifComponent], options);
    const net = this.k.softc(NET_KEY);
    register_ethertype(net, ETHERTYPE_TEST, (_ifp, m) => {
      this.up.push(m_tobytes(m));
      if (this.keep) this.kept.push(m);
      else m_freem(m);
    });
    this.ioctl(SIOCIFCREATE, ifreq("virt0"));
    const ifp = ifunit(net, "virt0");
    if (ifp === null) throw new Error("no virt0");
    this.ifp = ifp;
  }

  ioctl(cmd: number, data: Uint8Array): number {
    this.k.enter();
    const error = ifioctl(this.k.softc(NET_KEY), null, cmd, data, null);
    this.k.leave();
    return error;
  }

  link(name: string): number {
    if (name === "") return this.ioctl(SIOCSLINKSTR, ifdrv("virt0", IFLINKSTR_UNSET, new Uint8Array(0)));
    return this.ioctl(SIOCSLINKSTR, ifdrv("virt0", 0, new TextEncoder().encode(`${name}\0`)));
  }

  flags(up: boolean): number {
    const flags = up ? this.ifp.if_flags | IFF_UP : this.ifp.if_flags & ~IFF_UP;
    return this.ioctl(SIOCSIFFLAGS, ifreq_flags("virt0", flags));
  }

  mtu(mtu: number): number {
    return this.ioctl(SIOCSIFMTU, ifreq_int("virt0", mtu));
  }

  /** On its wire and up. */
  running(): this {
    if (this.link("w") !== 0 || this.flags(true) !== 0) throw new Error(this.world.host("a").console.text);
    return this;
  }

  /** A frame to the interface with `len` bytes of payload. */
  frame(len: number, seed: number): Uint8Array {
    const payload = pattern(len, seed);
    return Uint8Array.of(
      ...this.ifp.if_lladdr,
      2,
      0,
      0,
      0,
      0,
      9,
      ETHERTYPE_TEST >> 8,
      ETHERTYPE_TEST & 255,
      ...payload,
    );
  }

  /** Sends payload in pieces of `cut` bytes. Returns if_output's errno. The caller is in the kernel. */
  output(payload: Uint8Array, cut: number): number {
    const m = m_gethdr(this.k.mb, MT_DATA);
    if (m === null) throw new Error("no mbuf");
    m.m_off += 64;
    let last: Mbuf = m;
    for (let at = 0; at < payload.length; at += cut) {
      if (at > 0) {
        const next = m_get(this.k.mb, MT_DATA);
        if (next === null) throw new Error("no mbuf");
        last.m_next = next;
        last = next;
      }
      const piece = payload.subarray(at, at + cut);
      this.k.u8.set(piece, last.m_off);
      last.m_len = piece.length;
    }
    m.m_pkthdr_len = payload.length;
    const header = this.ifp.if_net.bpf_hdr;
    header.set([2, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, ETHERTYPE_TEST >> 8, ETHERTYPE_TEST & 255]);
    return this.ifp.if_output(this.ifp, m, AF_UNSPEC, 0, null);
  }

  /** Runs `fn` as a system call would. */
  within(fn: () => void): void {
    this.k.enter();
    fn();
    this.k.leave();
  }

  /** Ends it; what was not given back is in the report. */
  end(): ShutdownReport {
    for (const m of this.kept.splice(0)) m_freem(m);
    return this.k.shutdown();
  }
}

/** Recognisable bytes. */
export function pattern(len: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: len }, (_, i) => (i * 31 + seed * 7 + (i >> 8)) & 255);
}

/** A port that a test plays the host of. */
export class FakePort implements FramePort, HyperFrames {
  readonly offloads: number;
  up: FrameUp | null = null;
  enabled = false;
  closed = false;
  /** Fills the control array as a host would; answers the number of frames. */
  receive: (ctl: Int32Array, nbufs: number) => number = () => 0;
  /** Takes the frames; answers how many. */
  transmit: (ctl: Int32Array, nframes: number) => number = (_ctl, n) => n;

  constructor(offloads: number) {
    this.offloads = offloads;
  }

  frames_open(_name: string, up: FrameUp, out: FramePortInfo): FramePort {
    this.up = up;
    out.offloads = this.offloads;
    return this;
  }
  rx(ctl: Int32Array, nbufs: number): number {
    return this.receive(ctl, nbufs);
  }
  tx(ctl: Int32Array, nframes: number): number {
    return this.transmit(ctl, nframes);
  }
  rx_enable(on: boolean): void {
    this.enabled = on;
  }
  close(): void {
    this.closed = true;
  }
}
