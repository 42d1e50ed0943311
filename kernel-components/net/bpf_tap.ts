/*
 * bpf's side of the packet path: the filter, and copying what it accepts into the buffers.
 */
import { Timespec } from "../../hypercall/api/clock.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { m_copydata } from "../kern/mbuf_copy.ts";
import { bpf_filter, bpf_filter_chain, type BpfReader } from "../wire/bpf_filter.ts";
import type { BpfProgram } from "../wire/bpf_insn.ts";
import { AF_INET, AF_INET6 } from "../wire/sockaddr.ts";
import { type Bpf, BPF_TIMED_OUT, bpf_rotate, bpf_wakeup } from "./bpf_desc.ts";
import { abi_put_u64 } from "./if_abi.ts";
import { BPF_D_OUT, type BpfIf, DLT_NULL } from "./bpf_if.ts";
import { OpenCksum } from "./open_cksum.ts";

/** Index in Net.bpf_gstats: received. */
export const BPF_GRECV = 0;
/** Index in Net.bpf_gstats: dropped. */
export const BPF_GDROP = 1;
/** Index in Net.bpf_gstats: captured. */
export const BPF_GCAPT = 2;
/** Bytes of struct bpf_hdr that are used: timeval of two longs, caplen u32, datalen u32, hdrlen u16. */
export const SIZEOF_BPF_HDR = 26;
/** Length with padding: records begin at multiples of 8. */
export function BPF_WORDALIGN(n: number): number {
  return (n + 7) & ~7;
}

/** bh_hdrlen for a link header: chosen so that what follows the link header is aligned. */
export function bpf_hdrlen(link: number): number {
  return BPF_WORDALIGN(SIZEOF_BPF_HDR + link) - link;
}

/** Reads a packet that lies in a chain of mbufs, with up to four bytes before it that are in none. */
export class BpfMbufReader implements BpfReader {
  /** Did the last load reach outside? */
  err = false;
  /** The packet. */
  m: Mbuf | null = null;
  /** Bytes before the packet: 4 or 0. */
  pre = 0;
  /** Those bytes, little-endian. */
  pre_word = 0;

  /** See BpfReader. */
  load_word(off: number): number {
    const a = this.load_byte(off);
    const b = this.load_byte(off + 1);
    const c = this.load_byte(off + 2);
    return (a << 24) | (b << 16) | (c << 8) | this.load_byte(off + 3);
  }

  /** See BpfReader. */
  load_half(off: number): number {
    const a = this.load_byte(off);
    return (a << 8) | this.load_byte(off + 1);
  }

  /** See BpfReader. */
  load_byte(off: number): number {
    this.err = false;
    if (off < this.pre) return (this.pre_word >>> (8 * off)) & 0xff;
    let k = off - this.pre;
    for (let m = this.m; m !== null; m = m.m_next) {
      if (k < m.m_len) return m.m_pool.u8[m.m_off + k];
      k -= m.m_len;
    }
    this.err = true;
    return 0;
  }
}

/** Runs a filter over a packet (pre bytes of pre_word, then m): how many bytes it wants; everything without a filter. */
function bpf_run(prog: BpfProgram | null, m: Mbuf, pre: number, pre_word: number): number {
  if (prog === null) return 0xffffffff;
  const len = m.m_pkthdr_len + pre;
  if (pre === 0 && m.m_next === null) return bpf_filter(prog, m.m_pool.dv, m.m_off, len, m.m_len);
  const reader = new BpfMbufReader();
  reader.m = m;
  reader.pre = pre;
  reader.pre_word = pre_word;
  return bpf_filter_chain(prog, reader, len, len);
}

/** May a packet that is being written leave (BIOCSETWF)? */
export function bpf_may_write(prog: BpfProgram | null, m: Mbuf): boolean {
  return bpf_run(prog, m, 0, 0) !== 0;
}

/** Shows a packet to one descriptor. m is borrowed. */
export function bpf_deliver(d: Bpf, bif: BpfIf, m: Mbuf, direction: number): void {
  if (direction === BPF_D_OUT && !d.bd_seesent) return;
  const pre = bif.bif_dlt === DLT_NULL ? 4 : 0;
  const pre_word = pre === 0 || m.m_len === 0 ? 0 : m.m_pool.u8[m.m_off] >>> 4 === 6 ? AF_INET6 : AF_INET;
  d.bd_rcount++;
  d.bd_net.bpf_gstats[BPF_GRECV]++;
  const snaplen = bpf_run(d.bd_rfilter, m, pre, pre_word);
  if (snaplen !== 0) catchpacket(d, bif, m, snaplen, pre, pre_word);
}

function bpf_drop(d: Bpf): void {
  d.bd_dcount++;
  d.bd_net.bpf_gstats[BPF_GDROP]++;
}

/** Appends a record to the store buffer, rotating first if it does not fit. */
function catchpacket(d: Bpf, bif: BpfIf, m: Mbuf, snaplen: number, pre: number, pre_word: number): void {
  const pktlen = m.m_pkthdr_len + pre;
  const hdrlen = bpf_hdrlen(bif.bif_hdrlen);
  d.bd_ccount++;
  d.bd_net.bpf_gstats[BPF_GCAPT]++;
  const totlen = Math.min(hdrlen + Math.min(snaplen, pktlen), d.bd_bufsize);
  let at = BPF_WORDALIGN(d.bd_slen);
  let wake = d.bd_immediate || d.bd_state === BPF_TIMED_OUT;
  if (at + totlen > d.bd_bufsize) {
    if (d.bd_fbuf === null) {
      bpf_drop(d);
      return;
    }
    bpf_rotate(d);
    wake = true;
    at = 0;
  }
  const buf = d.bd_sbuf;
  if (buf === null) {
    bpf_drop(d);
    return;
  }
  const caplen = totlen - hdrlen;
  bpf_put_hdr(d, buf, at, hdrlen, caplen, pktlen);
  const body = at + hdrlen;
  for (let n = 0; n < pre && n < caplen; n++) buf[body + n] = pre_word >>> (8 * n);
  if (caplen > pre) m_copydata(m, 0, caplen - pre, buf, body + pre);
  if (m.m_csum_flags !== 0) close_cksums(d, bif, m, buf, body + pre, caplen - pre);
  d.bd_slen = at + totlen;
  if (wake) bpf_wakeup(d);
}

/**
 * The copy of `caplen` bytes at `at` gets the checksums that are open in m, as the wire will have them. NetBSD: there the reader sees the field as it is, and
 * takes the packet for a corrupt one.
 */
function close_cksums(d: Bpf, bif: BpfIf, m: Mbuf, buf: Uint8Array, at: number, caplen: number): void {
  const open = new OpenCksum();
  if (!open.find(d.bd_net.k, m, bif.bif_dlt === DLT_NULL ? 0 : bif.bif_hdrlen)) return;
  put_cksum(buf, at, caplen, open.field, open.sum);
  put_cksum(buf, at, caplen, open.ip_field, open.ip_sum);
}

function put_cksum(buf: Uint8Array, at: number, caplen: number, field: number, sum: number): void {
  if (field < 0 || field + 2 > caplen) return;
  buf[at + field] = sum >>> 8;
  buf[at + field + 1] = sum;
}

function bpf_put_hdr(d: Bpf, buf: Uint8Array, at: number, hdrlen: number, caplen: number, datalen: number): void {
  const dv = new DataView(buf.buffer, buf.byteOffset, buf.byteLength);
  const ts = new Timespec();
  d.bd_net.k.wall(ts);
  buf.fill(0, at, at + hdrlen);
  abi_put_u64(dv, at, ts.sec);
  abi_put_u64(dv, at + 8, Math.floor(ts.nsec / 1000));
  dv.setUint32(at + 16, caplen, true);
  dv.setUint32(at + 20, datalen, true);
  dv.setUint16(at + 24, hdrlen, true);
}
