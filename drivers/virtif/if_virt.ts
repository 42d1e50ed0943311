/**
 * virt: an Ethernet interface on a port of the host: a tap interface of the machine (native host), one end of a simulated wire (sim).
 *
 * Configuration as in NetBSD: `create`, then `linkstr NAME` (SIOCSLINKSTR; EBUSY while up or when already set), then up. NAME is the tap or
 * the wire. The port is opened at once, so that a wrong name or a missing right is reported there. Up without a port is ENXIO.
 *
 * A wake-up reads whole batches and runs each frame to completion; what that sends is handed to the host in one call when the kernel is left.
 * Received superframes go up whole, except UDP ones, which no socket takes: those are cut here.
 */
import { EBUSY, ENOBUFS, ENXIO } from "../../hypercall/api/errno.ts";
import { FR_GSO_UDP_L4, type FramePort, FramePortInfo, type FrameUp } from "../../hypercall/api/frames.ts";
import {
  type Callout,
  callout_destroy,
  callout_init,
  callout_reset,
  callout_stop,
  NS_PER_MS,
} from "../../kernel-components/kern/callout.ts";
import type { FlushHook, Kernel } from "../../kernel-components/kern/kernel.ts";
import { M_CSUM_OK, type Mbuf, type Mowner } from "../../kernel-components/kern/mbuf.ts";
import { m_defrag } from "../../kernel-components/kern/mbuf_copy.ts";
import { gso_segment } from "../../kernel-components/net/gso_segment.ts";
import type { Ifnet } from "../../kernel-components/net/if.ts";
import {
  IFD_IERRORS,
  IFD_IQDROPS,
  IFF_OACTIVE,
  IFF_RUNNING,
  IFF_UP,
  LINK_STATE_DOWN,
  LINK_STATE_UNKNOWN,
  LINK_STATE_UP,
} from "../../kernel-components/net/if_flags.ts";
import { if_link_state_change, if_purge_snd } from "../../kernel-components/net/if_link.ts";
import { if_linkstr_refused } from "../../kernel-components/net/if_linkstr.ts";
import { if_set_lladdr } from "../../kernel-components/net/ether_attach.ts";
import { ETHER_HDR_LEN } from "../../kernel-components/wire/ether.ts";
import { virt_apply_caps, virt_capabilities } from "./virt_caps.ts";
import { VIRT_RXRING, VirtRx } from "./virt_rx.ts";
import { VirtTx } from "./virt_tx.ts";

/** Batches read in one wake-up before the host's other work gets a turn. */
export const VIRT_RXBATCHES = 4;
/** Packets in the send queue that are handed over without waiting for the end of the kernel entry. */
export const VIRT_TXBURST = 128;
/** A frame that comes after this time without one is answered before another is looked for. */
const VIRT_QUIET_NS = 100_000;
/** How long reception rests when no mbuf can be had. */
const VIRT_NOBUF_NS: number = 10 * NS_PER_MS;

/** State of one virt interface. */
export class VirtSoftc implements FrameUp {
  readonly sc_k: Kernel;
  readonly sc_ifp: Ifnet;
  /** Name of the port, "" when none is set. */
  sc_linkstr = "";
  sc_port: FramePort | null = null;
  /** Why the last attempt to open a port failed, in words. */
  sc_text = "";
  private readonly sc_rx: VirtRx;
  private readonly sc_tx: VirtTx;
  private readonly sc_flush: FlushHook;
  private readonly sc_nobuf: Callout;
  private sc_again = false;
  /** Time of the last wake-up. */
  private sc_woken_ns: number = Number.NEGATIVE_INFINITY;

  /** `scratch` is the slab offset of 64 bytes that this interface owns. */
  constructor(k: Kernel, ifp: Ifnet, mo: Mowner, scratch: number) {
    this.sc_k = k;
    this.sc_ifp = ifp;
    this.sc_rx = new VirtRx(k.mb, mo, ifp, scratch);
    this.sc_tx = new VirtTx(ifp);
    this.sc_flush = k.on_flush(() => this.flush());
    this.sc_nobuf = callout_init(k);
  }

  /**
   * Sets or (with "") unsets the port.
   * @returns 0; EBUSY while up or when one is set already; the host's error for a port that cannot be opened (sc_text says it in words);
   * ENXIO on a host without frames
   */
  set_linkstr(name: string): number {
    this.sc_text = "";
    if ((this.sc_ifp.if_flags & IFF_UP) !== 0) return EBUSY;
    if (name === "") return this.unset_linkstr();
    if (this.sc_linkstr !== "") return EBUSY;
    const frames = this.sc_k.host.frames;
    if (frames === null) return ENXIO;
    const info = new FramePortInfo();
    const port = frames.frames_open(name, this, info);
    if (port === null) {
      this.sc_text = if_linkstr_refused(this.sc_ifp, info.text);
      return info.err;
    }
    this.sc_port = port;
    this.sc_linkstr = name;
    if (info.mac !== null) if_set_lladdr(this.sc_ifp, info.mac);
    this.sc_ifp.if_capabilities = virt_capabilities(info.offloads);
    this.sc_ifp.if_capenable = this.sc_ifp.if_capabilities;
    virt_apply_caps(this.sc_ifp);
    this.frames_link(info.link_up);
    return 0;
  }

  private unset_linkstr(): number {
    if (this.sc_port === null) return 0;
    this.sc_port.close();
    this.sc_port = null;
    this.sc_linkstr = "";
    if_link_state_change(this.sc_ifp, LINK_STATE_UNKNOWN);
    return 0;
  }

  /** if_init: begins to receive. @returns ENXIO without a port */
  init(): number {
    if (this.sc_port === null) return ENXIO;
    this.sc_ifp.if_flags |= IFF_RUNNING;
    this.sc_port.rx_enable(true);
    return 0;
  }

  /** if_stop: receives no more; frames still queued are dropped. */
  stop(): void {
    this.sc_ifp.if_flags &= ~(IFF_RUNNING | IFF_OACTIVE);
    callout_stop(this.sc_nobuf);
    this.sc_port?.rx_enable(false);
    if_purge_snd(this.sc_ifp);
    this.sc_rx.release();
  }

  /** The interface goes away. */
  destroy(): void {
    this.stop();
    this.unset_linkstr();
    callout_destroy(this.sc_nobuf);
    this.sc_k.off_flush(this.sc_flush);
  }

  /** if_start: the queue goes out when the kernel is left, a long one at once. // hot */
  start(): void {
    if ((this.sc_ifp.if_flags & (IFF_RUNNING | IFF_OACTIVE)) !== IFF_RUNNING) return;
    if (this.sc_ifp.if_snd.ifq_len >= VIRT_TXBURST) this.flush();
    else this.sc_k.request_flush(this.sc_flush);
  }

  // hot
  private flush(): void {
    const port = this.sc_port;
    const ifp = this.sc_ifp;
    if (port === null || (ifp.if_flags & (IFF_RUNNING | IFF_OACTIVE)) !== IFF_RUNNING) return;
    const state = this.sc_tx.flush(port);
    if (state > 0) ifp.if_flags |= IFF_OACTIVE;
    else if (state < 0) this.frames_link(false);
  }

  // hot
  frames_rx_ready(): void {
    const now = this.sc_k.now_ns;
    const quiet = now - this.sc_woken_ns > VIRT_QUIET_NS;
    this.sc_woken_ns = now;
    this.receive(quiet ? 1 : VIRT_RXRING);
  }

  // hot
  private receive(limit: number): void {
    for (let batch = 0; batch < VIRT_RXBATCHES; batch++) {
      const port = this.sc_port;
      if (port === null || (this.sc_ifp.if_flags & IFF_RUNNING) === 0) return;
      const n = this.sc_rx.read(port, limit);
      if (n === -ENOBUFS) return this.rest(port);
      if (n < 0) return this.frames_link(false);
      for (let i = 0; i < n; i++) this.input(i);
      if (!this.sc_rx.more) return;
      if (limit === 1) break;
    }
    this.later();
  }

  frames_tx_ready(): void {
    this.sc_ifp.if_flags &= ~IFF_OACTIVE;
    this.flush();
  }

  frames_link(up: boolean): void {
    if_link_state_change(this.sc_ifp, up ? LINK_STATE_UP : LINK_STATE_DOWN);
  }

  // hot
  private input(i: number): void {
    const m = this.sc_rx.take(i);
    if (m === null) return;
    if (m.m_gso_type === FR_GSO_UDP_L4) this.datagrams(m);
    else this.sc_ifp.if_input(this.sc_ifp, m);
  }

  /** A UDP superframe (the host's UDP_SEGMENT) as the datagrams it stands for: a socket must see each of them. */
  private datagrams(m: Mbuf): void {
    const ifp = this.sc_ifp;
    const cut = gso_segment(this.sc_k, m, ETHER_HDR_LEN);
    if (cut.error !== 0) ifp.if_data[cut.error === ENOBUFS ? IFD_IQDROPS : IFD_IERRORS]++;
    for (let d = cut.head; d !== null; ) {
      const next: Mbuf | null = d.m_nextpkt;
      d.m_nextpkt = null;
      // In storage of its own, or a socket would be charged for the whole superframe with each datagram.
      const own = m_defrag(d) ?? d;
      own.m_csum_flags = M_CSUM_OK;
      own.m_rcvif = ifp;
      ifp.if_input(ifp, own);
      d = next;
    }
  }

  /** Goes on reading once the host's other work had a turn. */
  private later(): void {
    if (this.sc_again) return;
    this.sc_again = true;
    this.sc_k.host.sched.rumpuser_defer(() => {
      this.sc_again = false;
      this.sc_k.enter();
      this.receive(VIRT_RXRING);
      this.sc_k.leave();
    });
  }

  /** No mbuf is left for reception: frames wait in the host for a while. */
  private rest(port: FramePort): void {
    port.rx_enable(false);
    callout_reset(this.sc_nobuf, VIRT_NOBUF_NS, virt_nobuf, this);
  }

  /** See rest. */
  rested(): void {
    if ((this.sc_ifp.if_flags & IFF_RUNNING) !== 0) this.sc_port?.rx_enable(true);
  }
}

/** Callout: see VirtSoftc.rested. */
function virt_nobuf(sc: VirtSoftc): void {
  sc.rested();
}
