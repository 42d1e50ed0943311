/**
 * Transmit side of a port: the packets of if_snd, described to the host in batches. A packet leaves the queue when the host has taken it,
 * so that a full device keeps their order.
 */
import {
  FR_BATCH,
  FR_CSUM_OFFSET,
  FR_CSUM_START,
  FR_F_NEEDS_CSUM,
  FR_FLAGS,
  FR_GSO_SIZE,
  FR_GSO_TYPE,
  FR_HDR,
  FR_HDR_LEN,
  FR_IOV,
  FR_LEN,
  FR_MAXIOV,
  FR_NIOV,
  FR_STRIDE,
  FRH_DROPPED,
  FRH_IOV,
  type FramePort,
} from "../../hypercall/api/frames.ts";
import {
  M_CSUM_DATA,
  M_CSUM_TCPv4,
  M_CSUM_TCPv6,
  M_CSUM_UDPv4,
  M_CSUM_UDPv6,
  type Mbuf,
} from "../../kernel-components/kern/mbuf.ts";
import { m_freem } from "../../kernel-components/kern/mbuf_alloc.ts";
import { m_defrag } from "../../kernel-components/kern/mbuf_copy.ts";
import { M_UNWRITABLE } from "../../kernel-components/kern/mbuf_space.ts";
import type { Ifnet } from "../../kernel-components/net/if.ts";
import { IFD_OERRORS } from "../../kernel-components/net/if_flags.ts";
import { IF_DEQUEUE, type Ifqueue } from "../../kernel-components/net/ifqueue.ts";
import { cksum_pseudo4, cksum_pseudo6, cksum_reduce } from "../../kernel-components/wire/cksum.ts";
import { ETHER_HDR_LEN } from "../../kernel-components/wire/ether.ts";
import { IPPROTO_TCP, IPPROTO_UDP } from "../../kernel-components/wire/in.ts";
import { ip_dst, ip_src } from "../../kernel-components/wire/ipv4.ts";

/** First word of the pieces. */
const IOV0: number = FR_HDR + FR_BATCH * FR_STRIDE;
/** Words for pieces: four a frame on average, and one frame of the most pieces always fits. */
const IOV_WORDS: number = FR_BATCH * 8;
const CSUM_V4: number = M_CSUM_TCPv4 | M_CSUM_UDPv4;
const CSUM_V6: number = M_CSUM_TCPv6 | M_CSUM_UDPv6;
const CSUM_UDP: number = M_CSUM_UDPv4 | M_CSUM_UDPv6;
const IP6_HDRLEN = 40;
const IP6_SRC = 8;
const IP6_DST = 24;
const UH_SUM = 6;
const TH_SUM = 16;

/** The transmit side of one port. */
export class VirtTx {
  private readonly ifp: Ifnet;
  private readonly ctl: Int32Array = new Int32Array(IOV0 + IOV_WORDS);
  private iov: number = IOV0;

  constructor(ifp: Ifnet) {
    this.ifp = ifp;
    this.ctl[FRH_IOV] = IOV0;
  }

  /** Gives the queue to the port. @returns 0 when it is empty, 1 when the port is full, or the port's negative errno. // hot */
  flush(port: FramePort): number {
    const q = this.ifp.if_snd;
    while (q.ifq_head !== null) {
      const n = this.batch(q);
      if (n === 0) continue;
      const taken = port.tx(this.ctl, n);
      if (taken < 0) return taken;
      if (this.ctl[FRH_DROPPED] !== 0) this.ifp.if_data[IFD_OERRORS] += this.ctl[FRH_DROPPED];
      for (let i = 0; i < taken; i++) m_freem(IF_DEQUEUE(q));
      if (taken < n) return 1;
    }
    return 0;
  }

  /** Describes packets from the head of the queue. @returns how many; 0 only when the first had to be dropped. // hot */
  private batch(q: Ifqueue): number {
    this.iov = IOV0;
    let n = 0;
    for (let m = q.ifq_head; m !== null && n < FR_BATCH; m = m.m_nextpkt) {
      const pieces = this.pieces(m);
      if (pieces <= 0) {
        if (n === 0) this.reshape(q);
        break;
      }
      this.describe(m, FR_HDR + n * FR_STRIDE, pieces);
      n++;
    }
    return n;
  }

  /** Writes the pairs of a packet. @returns their number, or -1 when there are too many for what is left. // hot */
  private pieces(m: Mbuf): number {
    const ctl = this.ctl;
    let at = this.iov;
    let n = 0;
    for (let p: Mbuf | null = m; p !== null; p = p.m_next) {
      if (p.m_len === 0) continue;
      if (n === FR_MAXIOV || at + 2 > ctl.length) return -1;
      ctl[at] = p.m_off;
      ctl[at + 1] = p.m_len;
      at += 2;
      n++;
    }
    return n;
  }

  /** The record of a packet whose pairs have just been written. // hot */
  private describe(m: Mbuf, rec: number, pieces: number): void {
    const ctl = this.ctl;
    ctl[rec + FR_LEN] = m.m_pkthdr_len;
    ctl[rec + FR_IOV] = this.iov;
    ctl[rec + FR_NIOV] = pieces;
    this.iov += 2 * pieces;
    ctl[rec + FR_FLAGS] = 0;
    ctl[rec + FR_GSO_TYPE] = m.m_gso_type;
    ctl[rec + FR_GSO_SIZE] = m.m_gso_size;
    ctl[rec + FR_HDR_LEN] = m.m_hdr_len;
    ctl[rec + FR_CSUM_START] = 0;
    ctl[rec + FR_CSUM_OFFSET] = 0;
    if ((m.m_csum_flags & (M_CSUM_DATA | CSUM_V4 | CSUM_V6)) !== 0) this.checksum(m, rec);
  }

  /** Where the host is to put the checksum. // hot */
  private checksum(m: Mbuf, rec: number): void {
    const ctl = this.ctl;
    const flags = m.m_csum_flags;
    ctl[rec + FR_FLAGS] = FR_F_NEEDS_CSUM;
    if ((flags & M_CSUM_DATA) !== 0) {
      ctl[rec + FR_CSUM_START] = m.m_csum_start;
      ctl[rec + FR_CSUM_OFFSET] = m.m_csum_offset;
      return;
    }
    const v4 = (flags & CSUM_V4) !== 0;
    const udp = (flags & CSUM_UDP) !== 0;
    const start = ETHER_HDR_LEN + (v4 ? this.ip_hdrlen(m) : IP6_HDRLEN);
    const offset = udp ? UH_SUM : TH_SUM;
    ctl[rec + FR_CSUM_START] = start;
    ctl[rec + FR_CSUM_OFFSET] = offset;
    // Whoever asked may have left the field empty; the host wants the pseudo header's sum in it.
    if (start + offset + 2 <= m.m_len && !M_UNWRITABLE(m))
      this.pseudo(m, start, offset, v4, udp ? IPPROTO_UDP : IPPROTO_TCP);
  }

  /** Stores the pseudo header's sum. Preconditions: all headers lie in the first mbuf. */
  private pseudo(m: Mbuf, start: number, offset: number, v4: boolean, proto: number): void {
    const dv = m.m_pool.dv;
    const ip = m.m_off + ETHER_HDR_LEN;
    const len = m.m_pkthdr_len - start;
    const sum = v4
      ? cksum_pseudo4(ip_src(dv, ip), ip_dst(dv, ip), proto, len)
      : cksum_pseudo6(dv, ip + IP6_SRC, ip + IP6_DST, proto, len);
    dv.setUint16(m.m_off + start + offset, cksum_reduce(sum));
  }

  /** Length of the IPv4 header, whose first byte is the 15th of the frame wherever that lies. */
  private ip_hdrlen(m: Mbuf): number {
    let at = ETHER_HDR_LEN;
    let p = m;
    while (at >= p.m_len && p.m_next !== null) {
      at -= p.m_len;
      p = p.m_next;
    }
    return (m.m_pool.dv.getUint8(p.m_off + at) & 15) << 2;
  }

  /** The first packet is in too many pieces, or has none: make them fewer, or drop it. */
  private reshape(q: Ifqueue): void {
    const m = IF_DEQUEUE(q);
    if (m === null) return;
    const whole = m.m_pkthdr_len > 0 ? m_defrag(m) : null;
    if (whole === null) {
      this.ifp.if_data[IFD_OERRORS]++;
      m_freem(m);
      return;
    }
    whole.m_nextpkt = q.ifq_head;
    q.ifq_head = whole;
    if (q.ifq_tail === null) q.ifq_tail = whole;
    q.ifq_len++;
  }
}
