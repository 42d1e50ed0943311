/**
 * Receive side of a port: a ring of clusters that the host reads frames into, and one jumbo cluster for what is longer than a cluster.
 *
 * The ring holds its buffers as long as the interface runs, so that a wake-up for one frame allocates one cluster. When the pools are
 * exhausted it goes on with the buffers it has; with none left, frames wait in the host.
 */
import { ENOBUFS } from "../../hypercall/api/errno.ts";
import {
  FR_CAP,
  FR_CSUM_OFFSET,
  FR_CSUM_START,
  FR_F_DATA_VALID,
  FR_F_NEEDS_CSUM,
  FR_FLAGS,
  FR_GSO_ECN,
  FR_GSO_NONE,
  FR_GSO_SIZE,
  FR_GSO_TCPV4,
  FR_GSO_TCPV6,
  FR_GSO_TYPE,
  FR_GSO_UDP_L4,
  FR_HDR,
  FR_LEN,
  FR_OFF,
  FR_STRIDE,
  FRH_DROPPED,
  FRH_OVER_CAP,
  FRH_OVER_OFF,
  type FramePort,
} from "../../hypercall/api/frames.ts";
import {
  M_CSUM_DATA,
  M_CSUM_OK,
  type Mbuf,
  type MbufPools,
  MCLBYTES,
  MHLEN,
  MJUMBYTES,
  type Mowner,
  MT_DATA,
} from "../../kernel-components/kern/mbuf.ts";
import { m_claim, m_freem, m_getcl, m_gethdr, m_getjcl } from "../../kernel-components/kern/mbuf_alloc.ts";
import { m_copydata_slab } from "../../kernel-components/kern/mbuf_copy.ts";
import type { Ifnet } from "../../kernel-components/net/if.ts";
import { IFD_IERRORS } from "../../kernel-components/net/if_flags.ts";
import { m_csum_complete } from "../../kernel-components/net/if_tso_software.ts";
import { NETS_SWCSUM } from "../../kernel-components/net/net.ts";
import { ETHER_HDR_LEN } from "../../kernel-components/wire/ether.ts";
import { IP_HDRLEN } from "../../kernel-components/wire/ipv4.ts";
import { CSUM_RX } from "./virt_caps.ts";

/** Buffers of the ring, and so the longest batch. */
export const VIRT_RXRING = 64;
/** Bytes kept free before a frame so that its IP header is word-aligned (ETHER_ALIGN). */
const ETHER_ALIGN = 2;
/** Frames up to this length are copied out of their cluster: a socket that holds many of them is charged for little. */
export const VIRT_COPYBREAK: number = MHLEN - ETHER_ALIGN;
const UDP_HDRLEN = 8;
const TH_OFF_BYTE = 12;
/** Headers of a frame that claims more than this are refused. */
const HDRLEN_MAX = 512;

/** The receive ring of one port. */
export class VirtRx {
  private readonly mb: MbufPools;
  private readonly mo: Mowner;
  private readonly ifp: Ifnet;
  private readonly ctl: Int32Array = new Int32Array(FR_HDR + VIRT_RXRING * FR_STRIDE);
  private readonly ring: (Mbuf | null)[] = new Array<Mbuf | null>(VIRT_RXRING).fill(null);
  private over: Mbuf | null = null;
  /** Slots from 0 up to here may be empty. */
  private gap: number = VIRT_RXRING;
  private readonly scratch: number;
  /** Whether the last batch ended before the port was drained. */
  more = false;

  /** `scratch` is the slab offset of 8 bytes that this driver owns. */
  constructor(mb: MbufPools, mo: Mowner, ifp: Ifnet, scratch: number) {
    this.mb = mb;
    this.mo = mo;
    this.ifp = ifp;
    this.scratch = scratch;
  }

  /**
   * Reads one batch of at most `limit` frames. @returns frames received, of which take(i) gives each once, or a negative errno: -ENOBUFS when there is no buffer,
   * else the port's. `more` tells whether the port may have further frames. // hot
   */
  read(port: FramePort, limit: number): number {
    const filled = this.fill();
    if (filled === 0) return -ENOBUFS;
    const bufs = filled < limit ? filled : limit;
    const n = port.rx(this.ctl, bufs);
    const dropped = this.ctl[FRH_DROPPED];
    if (dropped !== 0 && n >= 0) this.ifp.if_data[IFD_IERRORS] += dropped;
    const last = FR_HDR + (n - 1) * FR_STRIDE;
    this.more = n > 0 && (n === bufs || this.ctl[last + FR_LEN] > this.ctl[last + FR_CAP]);
    if (n > this.gap) this.gap = n;
    return n;
  }

  /** Frame `i` of the batch as a packet, or null when it was malformed (counted). The caller owns it. // hot */
  take(i: number): Mbuf | null {
    const rec = FR_HDR + i * FR_STRIDE;
    const ctl = this.ctl;
    const len = ctl[rec + FR_LEN];
    const m = (len <= VIRT_COPYBREAK ? this.copy(this.ring[i]!, len) : null) ?? this.detach(i);
    const cap = ctl[rec + FR_CAP];
    m.m_pkthdr_len = len;
    m.m_rcvif = this.ifp;
    if (len <= cap) m.m_len = len;
    else this.chain_over(m, len, cap);
    const flags = ctl[rec + FR_FLAGS];
    if (flags === 0 && ctl[rec + FR_GSO_TYPE] === FR_GSO_NONE) return m;
    return this.offloads(m, rec, flags);
  }

  /** A short frame in an mbuf of its own; the cluster stays in the ring. Null: no mbuf. // hot */
  private copy(from: Mbuf, len: number): Mbuf | null {
    const m = m_gethdr(this.mb, MT_DATA);
    if (m === null) return null;
    m.m_off += ETHER_ALIGN;
    this.mb.u8.copyWithin(m.m_off, from.m_off, from.m_off + len);
    return m;
  }

  // hot
  private detach(i: number): Mbuf {
    const m = this.ring[i]!;
    this.ring[i] = null;
    return m;
  }

  /** Gives every buffer back. */
  release(): void {
    for (let i = 0; i < VIRT_RXRING; i++) {
      m_freem(this.ring[i]);
      this.ring[i] = null;
    }
    m_freem(this.over);
    this.over = null;
    this.gap = VIRT_RXRING;
  }

  private chain_over(m: Mbuf, len: number, cap: number): void {
    const over = this.over!;
    this.over = null;
    m.m_len = cap;
    over.m_len = len - cap;
    m.m_next = over;
  }

  /** What the virtio header says, in the packet header. */
  private offloads(m: Mbuf, rec: number, flags: number): Mbuf | null {
    const ctl = this.ctl;
    if ((flags & FR_F_NEEDS_CSUM) !== 0) {
      m.m_csum_flags = M_CSUM_DATA | M_CSUM_OK;
      m.m_csum_start = ctl[rec + FR_CSUM_START];
      m.m_csum_offset = ctl[rec + FR_CSUM_OFFSET];
      if (!csum_ok(m)) return this.refuse(m);
    } else if ((flags & FR_F_DATA_VALID) !== 0 && this.trusts_host()) m.m_csum_flags = M_CSUM_OK;
    const gso = ctl[rec + FR_GSO_TYPE];
    if (gso === FR_GSO_NONE) return (m.m_csum_flags & M_CSUM_DATA) === 0 || this.trusts_host() ? m : this.complete(m);
    m.m_gso_type = gso;
    m.m_gso_size = ctl[rec + FR_GSO_SIZE];
    m.m_hdr_len = this.hdr_len(m, gso & ~FR_GSO_ECN);
    return m.m_hdr_len > 0 && m.m_gso_size > 0 ? m : this.refuse(m);
  }

  /** Whether receive checksums are switched on (SIOCSIFCAP): otherwise the stack checks them all itself. */
  private trusts_host(): boolean {
    return (this.ifp.if_capenable & CSUM_RX) !== 0;
  }

  /** Fills in the checksum that the host left open; null without mbufs, counted there. */
  private complete(m: Mbuf): Mbuf | null {
    this.ifp.if_net.netstat[NETS_SWCSUM]++;
    return m_csum_complete(this.ifp, m, ETHER_HDR_LEN);
  }

  private refuse(m: Mbuf): null {
    this.ifp.if_data[IFD_IERRORS]++;
    m_freem(m);
    return null;
  }

  /** Bytes of the headers of a superframe; the host's own number is only a hint. 0: not what it says it is. */
  private hdr_len(m: Mbuf, gso: number): number {
    const start = m.m_csum_start;
    if ((m.m_csum_flags & M_CSUM_DATA) === 0 || start + UDP_HDRLEN > m.m_pkthdr_len) return 0;
    if (gso === FR_GSO_UDP_L4) return start + UDP_HDRLEN;
    if ((gso !== FR_GSO_TCPV4 && gso !== FR_GSO_TCPV6) || start + TH_OFF_BYTE >= m.m_pkthdr_len) return 0;
    m_copydata_slab(m, start + TH_OFF_BYTE, 1, this.scratch);
    const len = start + ((this.mb.dv.getUint8(this.scratch) >>> 4) << 2);
    return len <= HDRLEN_MAX && len <= m.m_pkthdr_len ? len : 0;
  }

  /** Fills the empty slots. @returns how many slots from 0 on have a buffer. */
  private fill(): number {
    if (this.over === null) this.fill_over();
    for (let i = 0; i < this.gap; i++) {
      if (this.ring[i] !== null) continue;
      const m = m_getcl(this.mb, MT_DATA, true) ?? this.steal(i);
      if (m === null) {
        this.gap = VIRT_RXRING;
        return i;
      }
      m_claim(m, this.mo);
      this.ring[i] = m;
      m.m_off = m.m_ext_off + ETHER_ALIGN;
      const rec = FR_HDR + i * FR_STRIDE;
      this.ctl[rec + FR_OFF] = m.m_off;
      this.ctl[rec + FR_CAP] = MCLBYTES - ETHER_ALIGN;
    }
    this.gap = 0;
    return VIRT_RXRING;
  }

  /** The last buffer of the ring, for slot `i`, when the pools give none. */
  private steal(i: number): Mbuf | null {
    for (let last = VIRT_RXRING - 1; last > i; last--) {
      const m = this.ring[last];
      if (m === null) continue;
      this.ring[last] = null;
      return m;
    }
    return null;
  }

  private fill_over(): void {
    const m = m_getjcl(this.mb, MT_DATA, false);
    this.over = m;
    if (m !== null) m_claim(m, this.mo);
    this.ctl[FRH_OVER_OFF] = m === null ? 0 : m.m_off;
    this.ctl[FRH_OVER_CAP] = m === null ? 0 : MJUMBYTES;
  }
}

/** Can the open checksum lie where it is said to, behind an IP header and within the frame? It will be written there. */
function csum_ok(m: Mbuf): boolean {
  return (
    m.m_csum_start >= ETHER_HDR_LEN + IP_HDRLEN &&
    m.m_csum_offset >= 0 &&
    m.m_csum_start + m.m_csum_offset + 2 <= m.m_pkthdr_len
  );
}
