/**
 * shmif: an Ethernet interface on a shared-memory bus, for kernels of one process or of several. No privilege is needed.
 *
 * Configuration as in NetBSD: `create`, then `linkstr BUS` (SIOCSLINKSTR; EBUSY while up or when already set), then up. A bus is named by a
 * path; the same path is the same bus. Up without a bus is ENXIO. Frames sent before the interface came up are not seen.
 *
 * Output runs in the caller's context straight into the bus; who is to be woken is woken once per kernel entry (flush hook). When readers are
 * behind, frames wait in if_snd and the interface is IFF_OACTIVE until a reader kicks or SHMIF_STALL_NS have passed. Input runs in the host's
 * kick, SHMIF_RXBUDGET frames at a time.
 */
import { EBUSY, ENXIO } from "../../hypercall/api/errno.ts";
import { BusInfo } from "../../hypercall/api/bus.ts";
import type { BusHandle } from "../../hypercall/api/bus.ts";
import { RUMPUSER_CLOCK_RELWALL, Timespec } from "../../hypercall/api/clock.ts";
import {
  callout_destroy,
  callout_init,
  callout_pending,
  callout_reset,
  callout_stop,
} from "../../kernel-components/kern/callout.ts";
import type { Callout } from "../../kernel-components/kern/callout.ts";
import type { FlushHook, Kernel } from "../../kernel-components/kern/kernel.ts";
import { MCLBYTES, MHLEN, MT_DATA } from "../../kernel-components/kern/mbuf.ts";
import type { Mbuf } from "../../kernel-components/kern/mbuf.ts";
import { m_freem, m_getcl, m_gethdr, m_getjcl } from "../../kernel-components/kern/mbuf_alloc.ts";
import type { Ifnet } from "../../kernel-components/net/if.ts";
import {
  IFD_IERRORS,
  IFD_IQDROPS,
  IFD_OERRORS,
  IFF_OACTIVE,
  IFF_PROMISC,
  IFF_RUNNING,
  IFF_UP,
  LINK_STATE_DOWN,
} from "../../kernel-components/net/if_flags.ts";
import { m_csum_complete } from "../../kernel-components/net/if_tso_software.ts";
import { if_linkstr_refused } from "../../kernel-components/net/if_linkstr.ts";
import { if_purge_snd } from "../../kernel-components/net/if_link.ts";
import { IF_DEQUEUE } from "../../kernel-components/net/ifqueue.ts";
import { NETS_SWCSUM } from "../../kernel-components/net/net.ts";
import { ETHER_HDR_LEN } from "../../kernel-components/wire/ether.ts";
import {
  DESC_CSUM,
  DESC_CSUMPOS,
  DESC_GSO,
  DESC_PKTID,
  PORTF_PROMISC,
  PORTF_UP,
  SHMIF_BUSBYTES,
  SHMIF_MAXFRAME,
  SHMIF_VERSION,
} from "./shmif_layout.ts";
import { SHMIF_CAPS_RX, shmif_offload_in, shmif_offload_out } from "./shmif_offload.ts";
import { ShmifPort } from "./shmif_port.ts";
import { ShmifReader } from "./shmif_reader.ts";
import { SHMIF_STALL_NS, ShmifWriter } from "./shmif_writer.ts";

/** Most frames taken from the bus in one go before the host's other work gets a turn. */
export const SHMIF_RXBUDGET = 256;
/** Bytes kept free before a received frame so that its IP header is word-aligned (ETHER_ALIGN). */
const ETHER_ALIGN = 2;

/** Settings that all shmif interfaces of a kernel share (sysctl net.link.shmif). */
export class ShmifConfig {
  /** Size in bytes of a bus that this kernel creates. */
  busbytes: number = SHMIF_BUSBYTES;
}

/** State of one shmif interface. */
export class ShmifSoftc {
  readonly sc_k: Kernel;
  readonly sc_ifp: Ifnet;
  readonly sc_config: ShmifConfig;
  /** Name of the bus, "" when none is set. */
  sc_linkstr = "";
  sc_handle: BusHandle | null = null;
  sc_port: ShmifPort | null = null;
  sc_writer: ShmifWriter | null = null;
  sc_reader: ShmifReader | null = null;
  /** Why the last attempt to open the bus failed, in words. */
  sc_text = "";
  /** Frames that were written over or malformed when this port came to read them. */
  sc_lost = 0;
  private readonly sc_stall: Callout;
  private readonly sc_flush: FlushHook;
  private readonly sc_ts: Timespec = new Timespec();
  /** The kernel's clock when sc_ts was right. */
  private sc_stamped_ns: number = Number.NEGATIVE_INFINITY;
  private sc_again = false;

  constructor(k: Kernel, ifp: Ifnet, config: ShmifConfig) {
    this.sc_k = k;
    this.sc_ifp = ifp;
    this.sc_config = config;
    this.sc_stall = callout_init(k);
    this.sc_flush = k.on_flush(() => this.sc_writer?.flush());
  }

  /**
   * Sets or (with "") unsets the bus. The region is opened at once, so that a wrong name is reported here.
   * @returns 0; EBUSY while up or when one is set already; the host's error for a path that can't be opened; ENXIO on a host without buses
   */
  set_linkstr(path: string): number {
    this.sc_text = "";
    if ((this.sc_ifp.if_flags & IFF_UP) !== 0) return EBUSY;
    if (path === "") return this.unset_linkstr();
    if (this.sc_linkstr !== "") return EBUSY;
    const bus = this.sc_k.host.bus;
    if (bus === null) return ENXIO;
    const info = new BusInfo();
    const handle = bus.bus_open(path, this.sc_config.busbytes, { bus_kicked: () => this.kicked() }, info);
    if (handle === null) {
      this.sc_text = if_linkstr_refused(this.sc_ifp, info.text);
      return info.err;
    }
    const port = new ShmifPort(this.sc_k.slab, handle, info.off, info.len);
    const err = port.check();
    if (err !== 0) {
      handle.close();
      this.sc_text = if_linkstr_refused(
        this.sc_ifp,
        `${path}: holds something else than a shmif bus of version ${SHMIF_VERSION}`,
      );
      return err;
    }
    this.sc_handle = handle;
    this.sc_port = port;
    this.sc_linkstr = path;
    return 0;
  }

  private unset_linkstr(): number {
    if (this.sc_handle === null) return 0;
    this.sc_handle.close();
    this.sc_handle = null;
    this.sc_port = null;
    this.sc_linkstr = "";
    return 0;
  }

  /** if_init: takes a port of the bus. @returns ENXIO without a bus, ENOSPC when every port is in use */
  init(): number {
    const port = this.sc_port;
    const ifp = this.sc_ifp;
    if (port === null) return ENXIO;
    if (port.index < 0) {
      const err = port.attach(ifp.if_mac_hi, ifp.if_mac_lo, this.port_flags(), 0);
      if (err !== 0) return err;
      this.sc_writer = new ShmifWriter(port);
      this.sc_reader = new ShmifReader(port);
      port.park();
    }
    ifp.if_flags |= IFF_RUNNING;
    return 0;
  }

  /** if_stop: leaves the bus; frames still queued are dropped. */
  stop(): void {
    const ifp = this.sc_ifp;
    ifp.if_flags &= ~(IFF_RUNNING | IFF_OACTIVE);
    callout_stop(this.sc_stall);
    if_purge_snd(ifp);
    this.sc_port?.detach();
    this.sc_writer = null;
    this.sc_reader = null;
  }

  /** The interface goes away. */
  destroy(): void {
    this.stop();
    this.unset_linkstr();
    callout_destroy(this.sc_stall);
    this.sc_k.off_flush(this.sc_flush);
  }

  /** Flags or address changed: the bus is told. */
  reconfigure(): void {
    this.sc_port?.configure(this.sc_ifp.if_mac_hi, this.sc_ifp.if_mac_lo, this.port_flags());
  }

  private port_flags(): number {
    const ifp = this.sc_ifp;
    const promisc = (ifp.if_flags & IFF_PROMISC) !== 0 ? PORTF_PROMISC : 0;
    return promisc | (ifp.if_link_state === LINK_STATE_DOWN ? 0 : PORTF_UP);
  }

  /** if_start: moves frames from if_snd to the bus. */
  // hot
  start(): void {
    const ifp = this.sc_ifp;
    if ((ifp.if_flags & (IFF_RUNNING | IFF_OACTIVE)) !== IFF_RUNNING || this.sc_writer === null) return;
    const link_down = ifp.if_link_state === LINK_STATE_DOWN;
    for (let m = ifp.if_snd.ifq_head; m !== null; m = ifp.if_snd.ifq_head) {
      if (link_down || m.m_pkthdr_len > SHMIF_MAXFRAME) ifp.if_data[IFD_OERRORS]!++;
      else if (!this.put(this.sc_writer, m)) {
        this.wait_for_room();
        break;
      }
      const sent = IF_DEQUEUE(ifp.if_snd);
      m_freem(sent);
    }
    this.sc_k.request_flush(this.sc_flush);
  }

  /** Copies a frame to the bus; false when there is no room. */
  // hot
  private put(writer: ShmifWriter, m: Mbuf): boolean {
    const len = m.m_pkthdr_len;
    const at = writer.reserve(len);
    if (at === 0) return false;
    const { u8, dv, i32 } = this.sc_k;
    let to = at;
    for (let n: Mbuf | null = m; n !== null; n = n.m_next) {
      u8.copyWithin(to, n.m_off, n.m_off + n.m_len);
      to += n.m_len;
    }
    const d = writer.desc;
    shmif_offload_out(m, i32, d, at);
    i32[d + DESC_PKTID] = m.m_pktid;
    this.stamp();
    writer.append(len, dv.getUint16(at), dv.getInt32(at + 2), this.sc_ts.sec, this.sc_ts.nsec);
    return true;
  }

  /**
   * The time of day into sc_ts: read anew in every second of it, and counted on by the kernel's own clock between. // hot
   */
  private stamp(): void {
    const ts = this.sc_ts;
    const now = this.sc_k.now_ns;
    const passed = now - this.sc_stamped_ns;
    if (passed === 0) return;
    this.sc_stamped_ns = now;
    ts.nsec += passed;
    if (passed > 0 && ts.nsec < 1e9) return;
    this.sc_k.host.clock.rumpuser_clock_gettime(RUMPUSER_CLOCK_RELWALL, ts);
  }

  private wait_for_room(): void {
    this.sc_ifp.if_flags |= IFF_OACTIVE;
    if (callout_pending(this.sc_stall)) return;
    this.sc_writer?.note_cursors();
    callout_reset(this.sc_stall, SHMIF_STALL_NS, shmif_stalled, this);
  }

  /** The stall time has passed: give up on readers that stand still, and go on. */
  stalled(): void {
    if (this.sc_writer === null) return;
    const again = !this.sc_writer.stalled();
    this.restart();
    if (again && (this.sc_ifp.if_flags & IFF_OACTIVE) !== 0 && !callout_pending(this.sc_stall)) {
      callout_reset(this.sc_stall, SHMIF_STALL_NS, shmif_stalled, this);
    }
  }

  private restart(): void {
    if ((this.sc_ifp.if_flags & IFF_OACTIVE) === 0) return;
    this.sc_ifp.if_flags &= ~IFF_OACTIVE;
    this.start();
    if ((this.sc_ifp.if_flags & IFF_OACTIVE) === 0) callout_stop(this.sc_stall);
  }

  /** The host's kick: there may be frames to read, or room to write. */
  kicked(): void {
    const port = this.sc_port;
    if (port === null || port.index < 0) return;
    port.unpark();
    this.restart();
    this.receive();
  }

  private receive(): void {
    const port = this.sc_port;
    if (this.sc_reader === null || port === null) return;
    if (!this.drain(SHMIF_RXBUDGET)) {
      this.later();
      return;
    }
    if (port.index < 0) return;
    port.park();
    if (!this.sc_reader.next()) return;
    port.unpark();
    this.later();
  }

  /** Goes on reading once the host's other work had a turn. */
  private later(): void {
    if (this.sc_again) return;
    this.sc_again = true;
    this.sc_k.host.sched.rumpuser_defer(() => {
      this.sc_again = false;
      this.sc_k.enter();
      this.receive();
      this.sc_k.leave();
    });
  }

  /** Reads up to `budget` frames. @returns whether the bus is read to its end */
  // hot
  private drain(budget: number): boolean {
    const ifp = this.sc_ifp;
    for (let n = 0; n < budget; n++) {
      const reader = this.sc_reader;
      if (reader === null || !reader.next()) return true;
      const m = this.get(reader);
      if (!reader.copied()) {
        this.sc_lost++;
        ifp.if_data[IFD_IERRORS]!++;
        m_freem(m);
      } else if (m === null) ifp.if_data[IFD_IQDROPS]!++;
      else if (ifp.if_link_state === LINK_STATE_DOWN) {
        // Published before the cable was out.
        ifp.if_data[IFD_IQDROPS]!++;
        m_freem(m);
      } else if ((reader.csum | reader.gso) === 0) ifp.if_input(ifp, m);
      else this.input_offload(m, reader);
    }
    this.sc_reader?.settle();
    return false;
  }

  /** Input of a frame whose checksum is open, or of a superframe. Its metadata was read before the reader let go of the descriptor. */
  private input_offload(m: Mbuf, reader: ShmifReader): void {
    const ifp = this.sc_ifp;
    if (!shmif_offload_in(m, reader.csum, reader.csumpos, reader.gso)) {
      this.sc_lost++;
      ifp.if_data[IFD_IERRORS]!++;
      m_freem(m);
      return;
    }
    if ((ifp.if_capenable & SHMIF_CAPS_RX) !== 0 || m.m_gso_size !== 0) return ifp.if_input(ifp, m);
    ifp.if_net.netstat[NETS_SWCSUM]!++;
    const whole = m_csum_complete(ifp, m, ETHER_HDR_LEN);
    if (whole !== null) ifp.if_input(ifp, whole);
  }

  /** Copies the frame that the reader found into an mbuf; null when there is none. */
  // hot
  private get(reader: ShmifReader): Mbuf | null {
    const len = reader.len;
    const mb = this.sc_k.mb;
    const need = len + ETHER_ALIGN;
    const m =
      need <= MHLEN
        ? m_gethdr(mb, MT_DATA)
        : need <= MCLBYTES
          ? m_getcl(mb, MT_DATA, true)
          : m_getjcl(mb, MT_DATA, true);
    if (m === null) return null;
    const { u8, i32 } = this.sc_k;
    m.m_off += ETHER_ALIGN;
    u8.copyWithin(m.m_off, reader.off, reader.off + len);
    m.m_len = len;
    m.m_pkthdr_len = len;
    m.m_rcvif = this.sc_ifp;
    m.m_pktid = i32[reader.desc + DESC_PKTID]!;
    reader.csum = i32[reader.desc + DESC_CSUM]!;
    reader.csumpos = i32[reader.desc + DESC_CSUMPOS]!;
    reader.gso = i32[reader.desc + DESC_GSO]!;
    return m;
  }
}

/** Callout: see ShmifSoftc.stalled. */
function shmif_stalled(sc: ShmifSoftc): void {
  sc.stalled();
}
