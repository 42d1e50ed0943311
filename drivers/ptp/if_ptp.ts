/**
 * ptp: a point-to-point interface without link layer whose other end is a program. Bare IP packets go to the program and come from it, as
 * bytes, on whatever clock the kernel runs by: what packet scripts, fuzzers and tunnels in TypeScript plug into.
 *
 * Neither side ever runs inside the other. What the kernel sends reaches the program when the kernel is left, in order; what the program
 * injects, even from within its output function, is received by a softint.
 */
import { EAFNOSUPPORT, EMSGSIZE, ENETDOWN, ENOBUFS } from "../../hypercall/api/errno.ts";
import type { FlushHook, Kernel } from "../../kernel-components/kern/kernel.ts";
import { M_BCAST, M_MCAST, type Mbuf, type Mowner } from "../../kernel-components/kern/mbuf.ts";
import { m_claim, m_freem } from "../../kernel-components/kern/mbuf_alloc.ts";
import { m_devget, m_tobytes } from "../../kernel-components/kern/mbuf_bytes.ts";
import { rt_reject } from "../../kernel-components/net/ether_output.ts";
import type { Ifnet } from "../../kernel-components/net/if.ts";
import { if_output_down, if_transmit_lock, if_transmit_queue } from "../../kernel-components/net/if_attach.ts";
import {
  IFD_IQDROPS,
  IFD_OERRORS,
  IFD_OQDROPS,
  IFF_RUNNING,
  IFF_UP,
  LINK_STATE_DOWN,
  LINK_STATE_UP,
} from "../../kernel-components/net/if_flags.ts";
import { if_link_state_change } from "../../kernel-components/net/if_link.ts";
import { if_offload_missing, if_sw_offload } from "../../kernel-components/net/if_tso_software.ts";
import { IF_DEQUEUE, IF_PURGE } from "../../kernel-components/net/ifqueue.ts";
import { type Net, NETS_OAF } from "../../kernel-components/net/net.ts";
import { type PktQueue, pktq_enqueue } from "../../kernel-components/net/pktqueue.ts";
import { RTF_BLACKHOLE, RTF_REJECT, type Rtentry } from "../../kernel-components/net/rtentry.ts";
import { AF_INET, AF_INET6 } from "../../kernel-components/wire/sockaddr.ts";

/** Default MTU. */
export const PTP_MTU = 1500;
/** Largest packet either way: what an IPv4 or IPv6 length field can say without jumbograms. */
export const PTP_MAXPACKET = 65_575;
/** Packets that may wait for the kernel to be left. */
export const PTP_QUEUE = 4096;
/** Bytes kept free before a packet, so that it can be forwarded to Ethernet without a new mbuf. */
const HEADROOM = 16;

/** The program at the other end. */
export interface PtpPeer {
  /** MTU of the interface; PTP_MTU by default. */
  readonly mtu?: number;
  /** A packet from the kernel, which is the program's to keep, and when it was sent, by the kernel's clock. */
  output(pkt: Uint8Array, ts_ns: number): void;
}

/** State of one ptp interface. */
export class PtpSoftc {
  readonly sc_k: Kernel;
  readonly sc_ifp: Ifnet;
  /** The program, or null. */
  sc_peer: PtpPeer | null = null;
  private readonly sc_mo: Mowner;
  private readonly sc_rxq: PktQueue;
  private readonly sc_flush: FlushHook;

  /** `rxq` is where injected packets wait for the softint. */
  constructor(k: Kernel, ifp: Ifnet, mo: Mowner, rxq: PktQueue) {
    this.sc_k = k;
    this.sc_ifp = ifp;
    this.sc_mo = mo;
    this.sc_rxq = rxq;
    this.sc_flush = k.on_flush(() => this.flush());
    ifp.if_softc = this;
    ifp.if_snd.ifq_maxlen = PTP_QUEUE;
    ifp.if_output = ptp_output;
    ifp.if_transmit = (_ifp, m) => this.transmit(m);
    ifp.if_start = () => k.request_flush(this.sc_flush);
    ifp.if_init = () => {
      ifp.if_flags |= IFF_RUNNING;
      return 0;
    };
    ifp.if_stop = () => {
      ifp.if_flags &= ~IFF_RUNNING;
      this.purge();
    };
  }

  /** Plugs the program in, or out with null. The link is up while there is one. */
  set_peer(peer: PtpPeer | null): void {
    this.sc_peer = peer;
    if (peer === null) this.purge();
    if_link_state_change(this.sc_ifp, peer === null ? LINK_STATE_DOWN : LINK_STATE_UP);
  }

  /** A packet from the program; the bytes are copied. @returns 0, EMSGSIZE, ENETDOWN, ENOBUFS (counted as input drops) */
  inject(pkt: Uint8Array): number {
    const ifp = this.sc_ifp;
    if (pkt.length === 0 || pkt.length > PTP_MAXPACKET) return EMSGSIZE;
    if ((ifp.if_flags & (IFF_UP | IFF_RUNNING)) !== (IFF_UP | IFF_RUNNING)) return ENETDOWN;
    const m = m_devget(this.sc_k.mb, pkt, HEADROOM, ifp);
    if (m === null) {
      ifp.if_data[IFD_IQDROPS]++;
      return ENOBUFS;
    }
    m_claim(m, this.sc_mo);
    if (pktq_enqueue(this.sc_rxq, m)) return 0;
    ifp.if_data[IFD_IQDROPS]++;
    ifp.if_capture?.drop(m, "iqdrops");
    m_freem(m);
    return ENOBUFS;
  }

  /** The interface goes away. */
  destroy(): void {
    this.sc_peer = null;
    this.purge();
    this.sc_k.off_flush(this.sc_flush);
  }

  /** What waits for the program goes nowhere. */
  private purge(): void {
    this.sc_ifp.if_data[IFD_OQDROPS] += IF_PURGE(this.sc_ifp.if_snd);
  }

  private transmit(m: Mbuf): number {
    if (this.sc_peer !== null) return if_transmit_queue(this.sc_ifp, m);
    this.sc_ifp.if_data[IFD_OERRORS]++;
    this.sc_ifp.if_capture?.drop(m, "no_program");
    m_freem(m);
    return ENETDOWN;
  }

  private flush(): void {
    const q = this.sc_ifp.if_snd;
    try {
      for (let m = IF_DEQUEUE(q); m !== null; m = IF_DEQUEUE(q)) {
        const pkt = m_tobytes(m);
        m_freem(m);
        this.sc_peer?.output(pkt, this.sc_k.now_ns);
      }
    } finally {
      if (q.ifq_head !== null) this.flush_later();
    }
  }

  /** The program has thrown: the packets behind keep their turn. */
  private flush_later(): void {
    this.sc_k.request_flush(this.sc_flush);
    this.sc_k.defer();
  }
}

/** if_output of ptp: the packet as it is, whoever it is for. Consumes m. // hot */
function ptp_output(ifp: Ifnet, m: Mbuf, af: number, _dst: number, rt: Rtentry | null): number {
  if ((ifp.if_flags & (IFF_UP | IFF_RUNNING)) !== (IFF_UP | IFF_RUNNING)) return if_output_down(ifp, m);
  if (rt !== null && (rt.rt_flags & (RTF_REJECT | RTF_BLACKHOLE)) !== 0) return rt_reject(ifp, m, rt);
  if (af !== AF_INET && af !== AF_INET6) return ptp_wrong_af(ifp.if_net, ifp, m);
  m.m_flags &= ~(M_BCAST | M_MCAST); // of the link it came from: this one has neither
  if ((m.m_gso_size !== 0 || m.m_csum_flags !== 0) && if_offload_missing(ifp, m)) return if_sw_offload(ifp, m, 0);
  return if_transmit_lock(ifp, m);
}

function ptp_wrong_af(net: Net, ifp: Ifnet, m: Mbuf): number {
  net.netstat[NETS_OAF]++;
  ifp.if_data[IFD_OERRORS]++;
  m_freem(m);
  return EAFNOSUPPORT;
}
