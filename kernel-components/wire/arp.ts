/*
 * Address Resolution Protocol packets (RFC 826), for Ethernet and IPv4. The accessors of addresses assume ar_hln 6 and ar_pln 4;
 * arp_parse, or the caller in arpintr(), has checked that.
 */
import { ETHER_ADDR_LEN, ether_addr_hi, ether_addr_lo, ether_addr_put, ETHERTYPE_IP } from "./ether.ts";
import { WIRE_ELEN, WIRE_ENOSPACE, WIRE_ERANGE, WIRE_ETRUNC, WIRE_ETYPE, WIRE_OK } from "./wire_error.ts";

/** ar_hrd: Ethernet. */
export const ARPHRD_ETHER = 1;
/** ar_hrd: IEEE 802 networks, treated as Ethernet. */
export const ARPHRD_IEEE802 = 6;
/** ar_hrd: frame relay. */
export const ARPHRD_FRELAY = 15;
/** ar_hrd: IEEE 1394. */
export const ARPHRD_IEEE1394 = 24;

/** ar_op: who has tpa? */
export const ARPOP_REQUEST = 1;
/** ar_op: spa is at sha. */
export const ARPOP_REPLY = 2;
/** ar_op: RARP request (RFC 903). */
export const ARPOP_REVREQUEST = 3;
/** ar_op: RARP reply. */
export const ARPOP_REVREPLY = 4;
/** ar_op: InARP request (RFC 2390). */
export const ARPOP_INVREQUEST = 8;
/** ar_op: InARP reply. */
export const ARPOP_INVREPLY = 9;

/** Bytes in the fixed part (struct arphdr). */
export const ARP_HDRLEN = 8;
/** Bytes in a packet for Ethernet and IPv4. */
export const ARP_ETHER_LEN = 28;

/** Hardware type. */
export function ar_hrd(dv: DataView, off: number): number {
  return dv.getUint16(off);
}
/** Protocol type: ETHERTYPE_IP. */
export function ar_pro(dv: DataView, off: number): number {
  return dv.getUint16(off + 2);
}
/** Length of a hardware address. */
export function ar_hln(dv: DataView, off: number): number {
  return dv.getUint8(off + 4);
}
/** Length of a protocol address. */
export function ar_pln(dv: DataView, off: number): number {
  return dv.getUint8(off + 5);
}
/** Operation, ARPOP_*. */
export function ar_op(dv: DataView, off: number): number {
  return dv.getUint16(off + 6);
}
/** Sender's hardware address, first 16 bits. */
export function ar_sha_hi(dv: DataView, off: number): number {
  return dv.getUint16(off + 8);
}
/** Sender's hardware address, last 32 bits. */
export function ar_sha_lo(dv: DataView, off: number): number {
  return dv.getInt32(off + 10);
}
/** Sender's IPv4 address. */
export function ar_spa(dv: DataView, off: number): number {
  return dv.getInt32(off + 14);
}
/** Target's hardware address, first 16 bits. */
export function ar_tha_hi(dv: DataView, off: number): number {
  return dv.getUint16(off + 18);
}
/** Target's hardware address, last 32 bits. */
export function ar_tha_lo(dv: DataView, off: number): number {
  return dv.getInt32(off + 20);
}
/** Target's IPv4 address. */
export function ar_tpa(dv: DataView, off: number): number {
  return dv.getInt32(off + 24);
}

/** Stores the hardware type. */
export function ar_set_hrd(dv: DataView, off: number, v: number): void {
  dv.setUint16(off, v);
}
/** Stores the protocol type. */
export function ar_set_pro(dv: DataView, off: number, v: number): void {
  dv.setUint16(off + 2, v);
}
/** Stores the length of a hardware address. */
export function ar_set_hln(dv: DataView, off: number, v: number): void {
  dv.setUint8(off + 4, v);
}
/** Stores the length of a protocol address. */
export function ar_set_pln(dv: DataView, off: number, v: number): void {
  dv.setUint8(off + 5, v);
}
/** Stores the operation. */
export function ar_set_op(dv: DataView, off: number, v: number): void {
  dv.setUint16(off + 6, v);
}
/** Stores the sender's hardware address. */
export function ar_set_sha(dv: DataView, off: number, hi: number, lo: number): void {
  dv.setUint16(off + 8, hi);
  dv.setInt32(off + 10, lo);
}
/** Stores the sender's IPv4 address. */
export function ar_set_spa(dv: DataView, off: number, v: number): void {
  dv.setInt32(off + 14, v);
}
/** Stores the target's hardware address. */
export function ar_set_tha(dv: DataView, off: number, hi: number, lo: number): void {
  dv.setUint16(off + 18, hi);
  dv.setInt32(off + 20, lo);
}
/** Stores the target's IPv4 address. */
export function ar_set_tpa(dv: DataView, off: number, v: number): void {
  dv.setInt32(off + 24, v);
}
/** Stores the fixed part of a packet for Ethernet and IPv4. */
export function arp_set_ether(dv: DataView, off: number, op: number): void {
  ar_set_hrd(dv, off, ARPHRD_ETHER);
  ar_set_pro(dv, off, ETHERTYPE_IP);
  ar_set_hln(dv, off, ETHER_ADDR_LEN);
  ar_set_pln(dv, off, 4);
  ar_set_op(dv, off, op);
}

/** A packet for Ethernet and IPv4 as an object, for tests, traces and tools. */
export class ArpPacket {
  /** Operation. */
  ar_op: number = ARPOP_REQUEST;
  /** Sender's hardware address, six bytes. */
  ar_sha: Uint8Array = new Uint8Array(ETHER_ADDR_LEN);
  /** Sender's IPv4 address. */
  ar_spa = 0;
  /** Target's hardware address, six bytes. */
  ar_tha: Uint8Array = new Uint8Array(ETHER_ADDR_LEN);
  /** Target's IPv4 address. */
  ar_tpa = 0;
}

/** Reads a packet for Ethernet and IPv4 from `len` bytes at `off`; other hardware or protocols give WIRE_ETYPE, other address lengths WIRE_ELEN. */
export function arp_parse(dv: DataView, off: number, len: number, out: ArpPacket): number {
  if (len < ARP_HDRLEN) return WIRE_ETRUNC;
  const hrd = ar_hrd(dv, off);
  if ((hrd !== ARPHRD_ETHER && hrd !== ARPHRD_IEEE802) || ar_pro(dv, off) !== ETHERTYPE_IP) return WIRE_ETYPE;
  if (ar_hln(dv, off) !== ETHER_ADDR_LEN || ar_pln(dv, off) !== 4) return WIRE_ELEN;
  if (len < ARP_ETHER_LEN) return WIRE_ETRUNC;
  out.ar_op = ar_op(dv, off);
  ether_addr_put(out.ar_sha, 0, ar_sha_hi(dv, off), ar_sha_lo(dv, off));
  out.ar_spa = ar_spa(dv, off);
  ether_addr_put(out.ar_tha, 0, ar_tha_hi(dv, off), ar_tha_lo(dv, off));
  out.ar_tpa = ar_tpa(dv, off);
  return WIRE_OK;
}

/** Writes a packet at `off`; ARP_ETHER_LEN, or a WIRE_* error. */
export function arp_emit(dv: DataView, off: number, p: ArpPacket): number {
  if (dv.byteLength - off < ARP_ETHER_LEN) return WIRE_ENOSPACE;
  if (p.ar_op < 0 || p.ar_op > 0xffff || p.ar_sha.length !== ETHER_ADDR_LEN || p.ar_tha.length !== ETHER_ADDR_LEN)
    return WIRE_ERANGE;
  arp_set_ether(dv, off, p.ar_op);
  ar_set_sha(dv, off, ether_addr_hi(p.ar_sha), ether_addr_lo(p.ar_sha));
  ar_set_spa(dv, off, p.ar_spa);
  ar_set_tha(dv, off, ether_addr_hi(p.ar_tha), ether_addr_lo(p.ar_tha));
  ar_set_tpa(dv, off, p.ar_tpa);
  return ARP_ETHER_LEN;
}
