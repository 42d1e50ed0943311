// A kernel with an Ethernet and a point-to-point interface, a capture, and what came out of it.
import type { PcapCapture, PcapOptions } from "../../../drivers/pcap/pcap_capture.ts";
import { pcap_open, pcapComponent } from "../../../drivers/pcap/pcap.component.ts";
import { ptp_attach, ptpComponent, type PtpPort } from "../../../drivers/ptp/ptp.component.ts";
import { virtifComponent } from "../../../drivers/virtif/virtif.component.ts";
import { EAGAIN } from "../../../hypercall/api/errno.ts";
import { simWorld } from "../../../hypercall/sim/sim_world.ts";
import type { SimPort } from "../../../hypercall/sim/wire_port.ts";
import type { Mbuf } from "../../../kernel-components/kern/mbuf.ts";
import { m_freem } from "../../../kernel-components/kern/mbuf_alloc.ts";
import { m_devget } from "../../../kernel-components/kern/mbuf_bytes.ts";
import type { Ifnet } from "../../../kernel-components/net/if.ts";
import {
  ifdrv,
  ifreq,
  ifreq_flags,
  SIOCIFCREATE,
  SIOCSIFFLAGS,
  SIOCSLINKSTR,
} from "../../../kernel-components/net/if_abi.ts";
import { ifunit } from "../../../kernel-components/net/if_attach.ts";
import { IFF_UP } from "../../../kernel-components/net/if_flags.ts";
import { ifioctl } from "../../../kernel-components/net/if_ioctl.ts";
import { netComponent } from "../../../kernel-components/net/net.component.ts";
import { NET_KEY, register_ethertype } from "../../../kernel-components/net/net.ts";
import { socketComponent } from "../../../kernel-components/socket/socket.component.ts";
import { AF_INET, AF_UNSPEC } from "../../../kernel-components/wire/sockaddr.ts";
import { type PcapngBlock, PcapngReader } from "../../../kernel-components/wire/pcapng_reader.ts";
import { bootKernel, type TestKernel } from "../../support/kernel.ts";

/** An IPv4/UDP packet that is right in every field, `len` bytes long (at least 28). */
export function ip_packet(len: number): Uint8Array {
  const pkt = new Uint8Array(len).map((_, i) => i * 13);
  const dv = new DataView(pkt.buffer);
  pkt.set([0x45, 0, 0, 0, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1, 0, 9, 0, 9, 0, 0, 0, 0]);
  dv.setUint16(2, len);
  dv.setUint16(24, len - 20);
  let sum = 0;
  for (let i = 0; i < 20; i += 2) sum += dv.getUint16(i);
  dv.setUint16(10, ~((sum & 0xffff) + (sum >>> 16)) & 0xffff);
  return pkt;
}

/** The world. */
export class PcapWorld {
  readonly t: TestKernel;
  readonly virt: Ifnet;
  readonly ptp: PtpPort;
  readonly wire: SimPort;
  /** What the protocol does with an IPv4 packet (owns it). */
  on_ip: (ifp: Ifnet, m: Mbuf) => void = (_ifp, m) => m_freem(m);
  /** What the sink answers. */
  answer = 0;
  /** Calls of the sink. */
  writes = 0;
  private chunks: Uint8Array[] = [];

  constructor() {
    const world = simWorld({ slabBytes: 32 * 1024 * 1024 });
    world.wire("w");
    this.t = bootKernel(
      [socketComponent, netComponent, virtifComponent, ptpComponent, pcapComponent],
      { name: "k" },
      { world },
    );
    this.wire = world.end("w", "peer", () => undefined);
    const net = this.t.k.softc(NET_KEY);
    register_ethertype(net, 0x0800, (ifp, m) => this.on_ip(ifp, m));
    this.ioctl(SIOCIFCREATE, ifreq("virt0"));
    this.ioctl(SIOCSLINKSTR, ifdrv("virt0", 0, new TextEncoder().encode("w\0")));
    this.ptp = ptp_attach(this.t.k, 0, { output: () => undefined });
    this.virt = ifunit(net, "virt0")!;
    for (const name of ["virt0", "ptp0"]) this.ioctl(SIOCSIFFLAGS, ifreq_flags(name, IFF_UP));
    this.t.run(1e6);
  }

  ioctl(cmd: number, data: Uint8Array): void {
    const error = this.t.in_kernel(() => ifioctl(this.t.k.softc(NET_KEY), null, cmd, data, null));
    if (error !== 0) throw new Error(`ioctl: ${error}`);
  }

  open(names: readonly string[] = [], options: PcapOptions = {}): PcapCapture {
    const sink = (bytes: Uint8Array): number => {
      this.writes++;
      if (this.answer === 0) this.chunks.push(bytes);
      return this.answer;
    };
    return pcap_open(this.t.k, sink, names, options);
  }

  /** An Ethernet frame around `payload`, from the wire to `dst` (virt0 by default). */
  frame(payload: Uint8Array, dst: Uint8Array = this.virt.if_lladdr, type: number = 0x0800): Uint8Array {
    return Uint8Array.of(...dst, 2, 0, 0, 0, 0, 9, type >> 8, type & 0xff, ...payload);
  }

  /** A frame comes in by the wire. */
  arrive(frame: Uint8Array): void {
    this.wire.send(frame);
    this.t.run(1e6);
  }

  /** The kernel sends a packet by ptp0. */
  send(pkt: Uint8Array): void {
    const { ifp } = this.ptp;
    this.t.in_kernel(() => ifp.if_output(ifp, m_devget(this.t.k.mb, pkt, 0, null)!, AF_INET, 0, null));
  }

  /** The kernel sends an Ethernet frame by virt0. */
  send_frame(frame: Uint8Array): void {
    const net = this.t.k.softc(NET_KEY);
    this.t.in_kernel(() => {
      net.bpf_hdr.set(frame.subarray(0, 14));
      this.virt.if_output(this.virt, m_devget(this.t.k.mb, frame.subarray(14), 16, null)!, AF_UNSPEC, 0, null);
    });
  }

  /** All that the sink has taken. */
  bytes(): Uint8Array {
    const all = new Uint8Array(this.chunks.reduce((n, c) => n + c.length, 0));
    let at = 0;
    for (const chunk of this.chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }

  /** The blocks of it; throws when it is no sound pcapng. */
  blocks(): { blocks: PcapngBlock[]; reader: PcapngReader } {
    const reader = new PcapngReader(this.bytes());
    const blocks: PcapngBlock[] = [];
    for (let b = reader.next(); b !== null; b = reader.next()) blocks.push(b);
    if (reader.err !== 0) throw new Error(`${reader.err_text} at ${reader.err_off}`);
    return { blocks, reader };
  }
}

/** EAGAIN for PcapWorld.answer. */
export const SINK_FULL: number = EAGAIN;
