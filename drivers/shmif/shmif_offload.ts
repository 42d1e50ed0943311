/**
 * Checksums and segmentation across the bus: a frame may be published with its transport checksum open, and as a superframe that stands for many
 * segments. Kernels that hand each other frames in memory need neither; where such a frame leaves for a real wire, the egress does the work.
 *
 * In the descriptor (shmif_layout.ts) it is said as virtio says it: the sum from a start to the frame's end goes into a field that holds the pseudo
 * header's sum. What a descriptor says is another process's word: it is checked against the frame before the kernel is told.
 */
import {
  M_CSUM_DATA,
  M_CSUM_TCPv4,
  M_CSUM_TCPv6,
  M_CSUM_UDPv4,
  M_CSUM_UDPv6,
  type Mbuf,
} from "../../kernel-components/kern/mbuf.ts";
import { GSO_ECN, GSO_TCPV4, GSO_TCPV6, GSO_UDP_L4 } from "../../kernel-components/net/gso_segment.ts";
import {
  IFCAP_CSUM_TCPv4_Rx,
  IFCAP_CSUM_TCPv4_Tx,
  IFCAP_CSUM_TCPv6_Rx,
  IFCAP_CSUM_TCPv6_Tx,
  IFCAP_CSUM_UDPv4_Rx,
  IFCAP_CSUM_UDPv4_Tx,
  IFCAP_CSUM_UDPv6_Rx,
  IFCAP_CSUM_UDPv6_Tx,
  IFCAP_TSOv4,
  IFCAP_TSOv6,
  IFCAP_USOv4,
} from "../../kernel-components/net/if_flags.ts";
import { cksum, cksum_pseudo4, cksum_pseudo6, cksum_reduce } from "../../kernel-components/wire/cksum.ts";
import { ETHER_HDR_LEN } from "../../kernel-components/wire/ether.ts";
import { IPPROTO_TCP, IPPROTO_UDP } from "../../kernel-components/wire/in.ts";
import { ip_dst, ip_src } from "../../kernel-components/wire/ipv4.ts";
import { DESC_CSUM, DESC_CSUMPOS, DESC_GSO, DESC_HDRLEN, SHMIF_CSUM_NEEDED } from "./shmif_layout.ts";

/** Capabilities of reception: checksums that are open need not be verified. */
export const SHMIF_CAPS_RX: number =
  IFCAP_CSUM_TCPv4_Rx | IFCAP_CSUM_UDPv4_Rx | IFCAP_CSUM_TCPv6_Rx | IFCAP_CSUM_UDPv6_Rx;
/** Capabilities of a shmif interface. */
export const SHMIF_CAPS: number =
  SHMIF_CAPS_RX |
  IFCAP_CSUM_TCPv4_Tx |
  IFCAP_CSUM_UDPv4_Tx |
  IFCAP_CSUM_TCPv6_Tx |
  IFCAP_CSUM_UDPv6_Tx |
  IFCAP_TSOv4 |
  IFCAP_TSOv6 |
  IFCAP_USOv4;
/** Most segments of one superframe that is taken from the bus: one of 64 KB in the smallest segments that make sense (64 bytes). */
export const SHMIF_MAXSEGS = 1024;

const CSUM_V4: number = M_CSUM_TCPv4 | M_CSUM_UDPv4;
const CSUM_UDP: number = M_CSUM_UDPv4 | M_CSUM_UDPv6;
const CSUM_OPEN: number = M_CSUM_DATA | CSUM_V4 | M_CSUM_TCPv6 | M_CSUM_UDPv6;
const IP6_HDRLEN = 40;
const IP6_SRC = 8;
const IP6_DST = 24;
const UDP_HDRLEN = 8;
const UH_SUM = 6;
const TCP_HDRLEN = 20;
const TH_OFF = 12;
const TH_SUM = 16;

/** Writes the four words of the frame `m`, whose copy lies at slab offset `at`, into the descriptor `d`. */
// hot
export function shmif_offload_out(m: Mbuf, i32: Int32Array, d: number, at: number): void {
  i32[d + DESC_GSO] = (m.m_gso_type << 16) | m.m_gso_size;
  i32[d + DESC_HDRLEN] = m.m_hdr_len;
  const flags = m.m_csum_flags & CSUM_OPEN;
  if (flags === 0) {
    i32[d + DESC_CSUM] = 0;
    i32[d + DESC_CSUMPOS] = 0;
    return;
  }
  i32[d + DESC_CSUM] = SHMIF_CSUM_NEEDED;
  i32[d + DESC_CSUMPOS] =
    (flags & M_CSUM_DATA) !== 0 ? (m.m_csum_start << 16) | m.m_csum_offset : open_field(m, at, flags);
}

/** Where the open checksum is (start and offset), with the pseudo header's sum in it: who asked may have left the field empty. */
// hot
function open_field(m: Mbuf, at: number, flags: number): number {
  const dv = m.m_pool.dv;
  const v4 = (flags & CSUM_V4) !== 0;
  const udp = (flags & CSUM_UDP) !== 0;
  const ip = at + ETHER_HDR_LEN;
  const hlen = v4 ? (dv.getUint8(ip) & 15) << 2 : IP6_HDRLEN;
  const start = ETHER_HDR_LEN + hlen;
  const offset = udp ? UH_SUM : TH_SUM;
  const len = m.m_pkthdr_len - start;
  const proto = udp ? IPPROTO_UDP : IPPROTO_TCP;
  const sum = v4
    ? cksum_pseudo4(ip_src(dv, ip), ip_dst(dv, ip), proto, len)
    : cksum_pseudo6(dv, ip + IP6_SRC, ip + IP6_DST, proto, len);
  if (len >= offset + 2) dv.setUint16(at + start + offset, cksum_reduce(sum));
  return (start << 16) | offset;
}

/** Tells the received frame m, which is in one piece, what its descriptor says. False: it says what cannot be. */
export function shmif_offload_in(m: Mbuf, csum: number, csumpos: number, gso: number): boolean {
  const start = csumpos >>> 16;
  const offset = csumpos & 0xffff;
  const open = (csum & SHMIF_CSUM_NEEDED) !== 0;
  if (open) {
    if (!field_ok(start, offset, m.m_pkthdr_len)) return false;
    m.m_csum_flags = M_CSUM_DATA;
    m.m_csum_start = start;
    m.m_csum_offset = offset;
  }
  if (gso === 0) return true;
  const size = gso & 0xffff;
  const type = gso >>> 16;
  const hlen = open && size > 0 ? gso_hdrlen(m, type, start) : 0;
  if (hlen === 0 || hlen > m.m_pkthdr_len || m.m_pkthdr_len - hlen > size * SHMIF_MAXSEGS) return false;
  m.m_gso_type = type;
  m.m_gso_size = size;
  m.m_hdr_len = hlen;
  return true;
}

/** Can a checksum lie there, behind an IP header? */
function field_ok(start: number, offset: number, len: number): boolean {
  return start >= ETHER_HDR_LEN + 20 && start + offset + 2 <= len;
}

/** Bytes of a superframe's headers, 0 if its type is unknown or they are not all there. The sender's own number is not believed. */
function gso_hdrlen(m: Mbuf, type: number, start: number): number {
  if (type === GSO_UDP_L4) return start + UDP_HDRLEN;
  const tcp = type & ~GSO_ECN;
  if ((tcp !== GSO_TCPV4 && tcp !== GSO_TCPV6) || start + TCP_HDRLEN > m.m_pkthdr_len) return 0;
  const hlen = (m.m_pool.dv.getUint8(m.m_off + start + TH_OFF) >>> 4) << 2;
  return hlen < TCP_HDRLEN ? 0 : start + hlen;
}

/** Fills in the open checksum of a frame that is taken off the bus as bytes, for files and people. What makes no sense stays as it is. */
export function shmif_complete(frame: Uint8Array, csum: number, csumpos: number): void {
  const start = csumpos >>> 16;
  const at = start + (csumpos & 0xffff);
  if ((csum & SHMIF_CSUM_NEEDED) === 0 || !field_ok(start, csumpos & 0xffff, frame.length)) return;
  const dv = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const sum = cksum(dv, start, frame.length - start);
  dv.setUint16(at, sum === 0 ? 0xffff : sum);
}
