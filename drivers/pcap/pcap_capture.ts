/**
 * Capture: what passes interfaces of a kernel, as pcapng, in the order in which it passed, to a function that takes bytes.
 *
 * One interface description for each interface; every packet has its direction, a number that stays with it from hop to hop (epb_packetid), and
 * when it was dropped the verdict with the reason as comment. A packet is held back until the next one, so that a verdict which follows
 * lands on it. A verdict that comes later (reassembly that timed out) gets a record of its own with the packet's number; for Ethernet, when
 * the link header is gone by then, behind one to our station from 00:00:00:00:00:00: tcpdump reads no file with two link types.
 *
 * A checksum that is left to the interface, or that the host left open, is written as it will be on a wire (open_cksum.ts).
 *
 * Bytes go to the sink whenever the kernel is left. A sink that cannot take them now says EAGAIN and is asked again; what does not fit the buffer
 * meanwhile is counted and shown (epb_dropcount, isb_osdrop). Any other error ends the capture and is kept in `error`.
 */
import { EAGAIN, EBUSY, ENXIO } from "../../hypercall/api/errno.ts";
import { Timespec } from "../../hypercall/api/clock.ts";
import { errno_name } from "../../hypercall/api/errno_names.ts";
import type { FlushHook, Kernel } from "../../kernel-components/kern/kernel.ts";
import type { Mbuf } from "../../kernel-components/kern/mbuf.ts";
import type { CaptureTap, Ifnet } from "../../kernel-components/net/if.ts";
import { IFT_ETHER } from "../../kernel-components/net/if_flags.ts";
import { OpenCksum } from "../../kernel-components/net/open_cksum.ts";
import { ETHER_HDR_LEN, ETHERTYPE_IP, ETHERTYPE_IPV6 } from "../../kernel-components/wire/ether.ts";
import { LINKTYPE_ETHERNET, LINKTYPE_RAW } from "../../kernel-components/wire/linktype.ts";
import {
  EPB_FLAGS_BROADCAST,
  EPB_FLAGS_INBOUND,
  EPB_FLAGS_MULTICAST,
  EPB_FLAGS_OUTBOUND,
  EPB_FLAGS_UNICAST,
  EPB_VERDICT_TC,
  TC_ACT_SHOT,
} from "../../kernel-components/wire/pcapng_format.ts";
import { PcapngWriter, pcapng_verdict } from "../../kernel-components/wire/pcapng_writer.ts";

/** Where the bytes go. Takes all of them: 0; none now: EAGAIN; never again: another errno. The array is the sink's. */
export type PcapSink = (bytes: Uint8Array) => number;

/** How to capture. */
export interface PcapOptions {
  /** Bytes kept of each packet; 0 (the default) for all. */
  readonly snaplen?: number;
  /** Most bytes that wait for the sink; PCAP_BUFSIZE by default. */
  readonly bufsize?: number;
  /** Comment of the file. */
  readonly comment?: string;
}

/** Default of PcapOptions.bufsize. */
export const PCAP_BUFSIZE: number = 1024 * 1024;
/** Room for the headers and options of a record. */
const RECORD_OVERHEAD = 256;
/** Packet numbers wrap below this: they must stay small integers. */
const PKTID_MAX = 0x3fff_ffff;
/** Reasons for which a frame is dropped before it was tapped, its link header in place. */
const BEFORE_TAP: readonly string[] = ["if_down_in", "runt", "giant"];

/** What a capture keeps of one interface. */
class PcapTap implements CaptureTap {
  readonly ifp: Ifnet;
  /** Number of the interface description. */
  readonly ifid: number;
  readonly ether: boolean;
  seen = 0;
  dropped = 0;
  written = 0;
  lost = 0;
  /** Of them, not yet told by an epb_dropcount. */
  untold = 0;
  private readonly capture: PcapCapture;

  constructor(capture: PcapCapture, ifp: Ifnet, ifid: number) {
    this.capture = capture;
    this.ifp = ifp;
    this.ifid = ifid;
    this.ether = ifp.if_type === IFT_ETHER;
  }

  in(m: Mbuf): void {
    this.capture.packet(this, m, EPB_FLAGS_INBOUND);
  }

  out(m: Mbuf): void {
    this.capture.packet(this, m, EPB_FLAGS_OUTBOUND);
  }

  drop(m: Mbuf, reason: string): void {
    this.capture.verdict(this, m, reason);
  }
}

/** One capture, of any number of interfaces of one kernel. Made by pcap_open. */
export class PcapCapture {
  /** 0, or the errno with which the sink ended it. */
  error = 0;
  /** Packets that did not fit the buffer. */
  lost = 0;
  /** Called once when the capture is over. */
  on_end: (() => void) | null = null;
  private readonly k: Kernel;
  private readonly sink: PcapSink;
  private readonly snaplen: number;
  private readonly bufsize: number;
  private readonly writer: PcapngWriter = new PcapngWriter();
  private readonly taps: PcapTap[] = [];
  private readonly flush_hook: FlushHook;
  private readonly now: Timespec = new Timespec();
  private readonly open: OpenCksum = new OpenCksum();
  private waiting: Uint8Array | null = null;
  private closed = false;
  private next_id: number;
  private held: PcapTap | null = null;
  private held_id = 0;
  private held_flags = 0;
  private held_reason = "";

  constructor(k: Kernel, sink: PcapSink, options: PcapOptions) {
    this.k = k;
    this.sink = sink;
    this.snaplen = options.snaplen ?? 0;
    this.bufsize = options.bufsize ?? PCAP_BUFSIZE;
    this.next_id = 1 + (k.random32() % PKTID_MAX);
    this.flush_hook = k.on_flush(() => this.flush());
    this.writer.shb({ userappl: "rumpkit", os: k.name, comment: options.comment ?? "" });
    this.later();
  }

  /** Captures `ifp` from now on. @returns 0, EBUSY when something captures it already, ENXIO when the capture or the interface is over. */
  attach(ifp: Ifnet): number {
    if (this.closed || this.error !== 0 || !ifp.if_attached) return ENXIO;
    if (ifp.if_capture !== null) return EBUSY;
    this.finish_held();
    const ether = ifp.if_type === IFT_ETHER;
    const ifid = this.writer.idb(ether ? LINKTYPE_ETHERNET : LINKTYPE_RAW, this.snaplen, {
      name: ifp.if_xname,
      description: `${this.k.name} ${ifp.if_xname}`.trim(),
      ...(ether ? { macaddr: ifp.if_lladdr } : {}),
    });
    const tap = new PcapTap(this, ifp, ifid);
    this.taps.push(tap);
    ifp.if_capture = tap;
    this.later();
    return 0;
  }

  /** Captures `ifp` no longer. What it has counted is still written at the end. */
  detach(ifp: Ifnet): void {
    if (ifp.if_capture instanceof PcapTap && this.taps.includes(ifp.if_capture)) ifp.if_capture = null;
  }

  /** Writes the counters of all interfaces, and all that waits, and ends. @returns 0, or the error of the sink: what waited is lost. */
  close(): number {
    if (this.closed) return this.error;
    this.end();
    for (const tap of this.taps) this.detach(tap.ifp);
    this.finish_held();
    this.k.wall(this.now);
    for (const tap of this.taps) {
      const { seen, dropped, written, lost } = tap;
      const counts = { ifrecv: seen, ifdrop: dropped, osdrop: lost, usrdeliv: written };
      this.writer.isb(tap.ifid, this.now.sec, this.now.nsec, counts);
    }
    this.flush();
    this.closed = true;
    this.k.off_flush(this.flush_hook);
    if (this.error === 0 && this.waiting !== null) this.error = EAGAIN;
    this.waiting = null;
    return this.error;
  }

  /** A packet passes. Borrows m; gives it a number if it has none. */
  packet(tap: PcapTap, m: Mbuf, direction: number): void {
    this.finish_held();
    tap.seen++;
    if (m.m_pktid === 0) m.m_pktid = this.number();
    if (!this.record(tap, m, m.m_pkthdr_len, 0)) return;
    this.held = tap;
    this.held_id = m.m_pktid;
    this.held_flags = direction | cast(tap, m);
    this.held_reason = "";
  }

  /** A packet is dropped. Borrows m. */
  verdict(tap: PcapTap, m: Mbuf, reason: string): void {
    tap.dropped++;
    if (this.held === tap && m.m_pktid === this.held_id && this.held_reason === "") {
      this.held_reason = reason;
      return;
    }
    this.finish_held();
    const framed = !tap.ether || (m.m_pktid === 0 && BEFORE_TAP.includes(reason));
    const ether_type = framed ? 0 : ether_type_of(m);
    if (m.m_pktid === 0) m.m_pktid = this.number();
    if (!this.record(tap, m, framed || ether_type !== 0 ? m.m_pkthdr_len : 0, ether_type)) return;
    this.held = tap;
    this.held_id = m.m_pktid;
    this.held_flags = 0;
    this.held_reason = reason;
  }

  private number(): number {
    this.next_id = this.next_id >= PKTID_MAX ? 1 : this.next_id + 1;
    return this.next_id;
  }

  /** Begins a record with up to `most` bytes of m, behind a link header of our making if it has lost its own (`ether_type` is not 0). @returns whether there was room */
  private record(tap: PcapTap, m: Mbuf, most: number, ether_type: number): boolean {
    const link = ether_type === 0 ? 0 : ETHER_HDR_LEN;
    const caplen = this.snaplen === 0 ? most + link : Math.min(most + link, this.snaplen);
    this.later();
    if (this.error !== 0) return false;
    if (!this.room(caplen + RECORD_OVERHEAD)) {
      tap.lost++;
      tap.untold++;
      this.lost++;
      return false;
    }
    this.k.wall(this.now);
    this.writer.epb_begin(tap.ifid, this.now.sec, this.now.nsec, caplen, m.m_pkthdr_len + link);
    if (link !== 0) this.writer.data(link_header(tap.ifp, ether_type), 0, Math.min(link, caplen));
    let left = caplen - Math.min(link, caplen);
    for (let n: Mbuf | null = m; n !== null && left > 0; n = n.m_next) {
      const part = n.m_len < left ? n.m_len : left;
      this.writer.data(n.m_pool.u8, n.m_off, part);
      left -= part;
    }
    if (this.open.find(this.k, m, tap.ether && link === 0 ? ETHER_HDR_LEN : 0)) {
      if (this.open.field !== -1) this.writer.data16(link + this.open.field, this.open.sum);
      if (this.open.ip_field !== -1) this.writer.data16(link + this.open.ip_field, this.open.ip_sum);
    }
    tap.written++;
    return true;
  }

  /** Makes room for `n` bytes, by the sink if need be. */
  private room(n: number): boolean {
    if (this.writer.length + (this.waiting?.length ?? 0) + n <= this.bufsize) return true;
    this.flush();
    return this.writer.length + (this.waiting?.length ?? 0) + n <= this.bufsize;
  }

  /** The packet that was held back is complete. */
  private finish_held(): void {
    const tap = this.held;
    if (tap === null) return;
    this.held = null;
    this.writer.epb_end({
      packetid: this.held_id,
      ...(this.held_flags === 0 ? {} : { flags: this.held_flags }),
      ...(tap.untold === 0 ? {} : { dropcount: tap.untold }),
      ...(this.held_reason === ""
        ? {}
        : { verdict: pcapng_verdict(EPB_VERDICT_TC, TC_ACT_SHOT), comment: this.held_reason }),
    });
    tap.untold = 0;
  }

  private later(): void {
    if (!this.closed && this.error === 0) this.k.request_flush(this.flush_hook);
  }

  /** To the sink, in order. */
  private flush(): void {
    this.finish_held();
    if (this.error !== 0 || this.closed) return;
    if (this.waiting !== null && !this.give(this.waiting)) return;
    this.waiting = null;
    if (this.writer.length === 0) return;
    const bytes = this.writer.take();
    if (!this.give(bytes)) this.waiting = bytes;
  }

  private give(bytes: Uint8Array): boolean {
    const error = this.sink(bytes);
    if (error === 0) return true;
    if (error !== EAGAIN) this.fail(error);
    return false;
  }

  private end(): void {
    this.on_end?.();
    this.on_end = null;
  }

  private fail(error: number): void {
    this.error = error;
    this.waiting = null;
    this.end();
    for (const tap of this.taps) this.detach(tap.ifp);
    this.k.cons.write(`pcap: capture ends: ${errno_name(error)}\n`, false);
  }
}

/** epb_flags for whom a frame is, as its destination address says; 0 without a link header. */
function cast(tap: PcapTap, m: Mbuf): number {
  if (!tap.ether || m.m_len < 6) return 0;
  const dv = m.m_pool.dv;
  if ((dv.getUint8(m.m_off) & 1) === 0) return EPB_FLAGS_UNICAST;
  return dv.getUint16(m.m_off) === 0xffff && dv.getInt32(m.m_off + 2) === -1
    ? EPB_FLAGS_BROADCAST
    : EPB_FLAGS_MULTICAST;
}

/** A link header in the place of one that is gone. */
function link_header(ifp: Ifnet, ether_type: number): Uint8Array {
  const header = new Uint8Array(ETHER_HDR_LEN);
  header.set(ifp.if_lladdr);
  header[ETHER_HDR_LEN - 2] = ether_type >>> 8;
  header[ETHER_HDR_LEN - 1] = ether_type;
  return header;
}

/** The Ethernet type of what begins with an IP header, as far as its first byte tells; else 0. */
function ether_type_of(m: Mbuf): number {
  if (m.m_len < 1) return 0;
  const first = m.m_pool.u8[m.m_off];
  return first >= 0x45 && first <= 0x4f ? ETHERTYPE_IP : first >>> 4 === 6 ? ETHERTYPE_IPV6 : 0;
}
