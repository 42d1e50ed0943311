/*
 * Ethernet II framing (RFC 894, RFC 1042) and the 802.1Q tag.
 *
 * A hardware address in the packet path is two numbers, as nothing larger than an int32 may be carried: `hi` is the first 16 bits (unsigned),
 * `lo` the last 32 (int32). Elsewhere it is a Uint8Array of six bytes.
 */
import { WIRE_ENOSPACE, WIRE_ERANGE, WIRE_ETRUNC, WIRE_OK } from "./wire_error.ts";

/** Bytes in a hardware address. */
export const ETHER_ADDR_LEN = 6;
/** Bytes in the type field. */
export const ETHER_TYPE_LEN = 2;
/** Bytes in the frame check sequence, which never reaches this code. */
export const ETHER_CRC_LEN = 4;
/** Bytes in an untagged header. */
export const ETHER_HDR_LEN = 14;
/** Shortest frame with its CRC. */
export const ETHER_MIN_LEN = 64;
/** Longest frame with its CRC. */
export const ETHER_MAX_LEN = 1518;
/** Longest jumbo frame with its CRC. */
export const ETHER_MAX_LEN_JUMBO = 9018;
/** Bytes that an 802.1Q tag adds. */
export const ETHER_VLAN_ENCAP_LEN = 4;
/** Payload of the longest frame. */
export const ETHERMTU = 1500;
/** Payload of the longest jumbo frame. */
export const ETHERMTU_JUMBO = 9000;
/** Payload of the shortest frame. */
export const ETHERMIN = 46;

/** IPv4. */
export const ETHERTYPE_IP = 0x0800;
/** ARP. */
export const ETHERTYPE_ARP = 0x0806;
/** Reverse ARP. */
export const ETHERTYPE_REVARP = 0x8035;
/** 802.1Q tag. */
export const ETHERTYPE_VLAN = 0x8100;
/** IPv6. */
export const ETHERTYPE_IPV6 = 0x86dd;
/** Slow protocols (LACP, marker). */
export const ETHERTYPE_SLOWPROTOCOLS = 0x8809;
/** MPLS unicast. */
export const ETHERTYPE_MPLS = 0x8847;
/** MPLS multicast. */
export const ETHERTYPE_MPLS_MCAST = 0x8848;
/** PPPoE discovery. */
export const ETHERTYPE_PPPOEDISC = 0x8863;
/** PPPoE session. */
export const ETHERTYPE_PPPOE = 0x8864;
/** 802.1ad service tag. */
export const ETHERTYPE_QINQ = 0x88a8;
/** LLDP. */
export const ETHERTYPE_LLDP = 0x88cc;
/** Loopback test. */
export const ETHERTYPE_LOOPBACK = 0x9000;
/** Types below this are 802.3 lengths. */
export const ETHERTYPE_MIN = 0x0600;

/** `hi` of ff:ff:ff:ff:ff:ff. */
export const ETHER_BROADCAST_HI = 0xffff;
/** `lo` of ff:ff:ff:ff:ff:ff. */
export const ETHER_BROADCAST_LO = -1;

/** Largest 802.1Q VLAN identifier that may be used; 0 is a priority tag and 4095 is reserved. */
export const EVL_VLID_MAX = 4094;
/** The VLAN identifier in a tag. */
export function EVL_VLANOFTAG(tag: number): number {
  return tag & 0xfff;
}
/** The priority in a tag. */
export function EVL_PRIOFTAG(tag: number): number {
  return (tag >>> 13) & 7;
}
/** The drop-eligible (once: canonical format) bit of a tag. */
export function EVL_CFIOFTAG(tag: number): number {
  return (tag >>> 12) & 1;
}
/** A tag from its parts. */
export function EVL_MAKETAG(vlid: number, pri: number, cfi: number): number {
  return ((pri & 7) << 13) | ((cfi & 1) << 12) | (vlid & 0xfff);
}

/** Destination address, first 16 bits. */
export function ether_dhost_hi(dv: DataView, off: number): number {
  return dv.getUint16(off);
}
/** Destination address, last 32 bits. */
export function ether_dhost_lo(dv: DataView, off: number): number {
  return dv.getInt32(off + 2);
}
/** Source address, first 16 bits. */
export function ether_shost_hi(dv: DataView, off: number): number {
  return dv.getUint16(off + 6);
}
/** Source address, last 32 bits. */
export function ether_shost_lo(dv: DataView, off: number): number {
  return dv.getInt32(off + 8);
}
/** Type of the payload, or its 802.3 length if below ETHERTYPE_MIN. */
export function ether_type(dv: DataView, off: number): number {
  return dv.getUint16(off + 12);
}
/** Stores the destination address. */
export function ether_set_dhost(dv: DataView, off: number, hi: number, lo: number): void {
  dv.setUint16(off, hi);
  dv.setInt32(off + 2, lo);
}
/** Stores the source address. */
export function ether_set_shost(dv: DataView, off: number, hi: number, lo: number): void {
  dv.setUint16(off + 6, hi);
  dv.setInt32(off + 8, lo);
}
/** Stores the type. */
export function ether_set_type(dv: DataView, off: number, v: number): void {
  dv.setUint16(off + 12, v);
}

/** The tag protocol of a tagged header (struct ether_vlan_header): ETHERTYPE_VLAN or ETHERTYPE_QINQ. */
export function evl_encap_proto(dv: DataView, off: number): number {
  return dv.getUint16(off + 12);
}
/** The tag of a tagged header. */
export function evl_tag(dv: DataView, off: number): number {
  return dv.getUint16(off + 14);
}
/** The payload's type behind the tag. */
export function evl_proto(dv: DataView, off: number): number {
  return dv.getUint16(off + 16);
}
/** Stores the tag protocol. */
export function evl_set_encap_proto(dv: DataView, off: number, v: number): void {
  dv.setUint16(off + 12, v);
}
/** Stores the tag. */
export function evl_set_tag(dv: DataView, off: number, v: number): void {
  dv.setUint16(off + 14, v);
}
/** Stores the payload's type behind the tag. */
export function evl_set_proto(dv: DataView, off: number, v: number): void {
  dv.setUint16(off + 16, v);
}

/** First 16 bits of an address kept as bytes. */
export function ether_addr_hi(a: Uint8Array, off = 0): number {
  return (a[off] << 8) | a[off + 1];
}
/** Last 32 bits of an address kept as bytes. */
export function ether_addr_lo(a: Uint8Array, off = 0): number {
  return (a[off + 2] << 24) | (a[off + 3] << 16) | (a[off + 4] << 8) | a[off + 5];
}
/** Stores hi and lo as six bytes. */
export function ether_addr_put(a: Uint8Array, off: number, hi: number, lo: number): void {
  a[off] = hi >>> 8;
  a[off + 1] = hi;
  a[off + 2] = lo >>> 24;
  a[off + 3] = lo >>> 16;
  a[off + 4] = lo >>> 8;
  a[off + 5] = lo;
}
/** The six bytes of hi and lo, newly allocated. */
export function ether_addr(hi: number, lo: number): Uint8Array {
  const a = new Uint8Array(ETHER_ADDR_LEN);
  ether_addr_put(a, 0, hi, lo);
  return a;
}

/** Is the address a group address (which the broadcast address is too)? */
export function ETHER_IS_MULTICAST(hi: number): boolean {
  return (hi & 0x0100) !== 0;
}
/** Is the address ff:ff:ff:ff:ff:ff? */
export function ETHER_IS_BROADCAST(hi: number, lo: number): boolean {
  return lo === ETHER_BROADCAST_LO && hi === ETHER_BROADCAST_HI;
}
/** Is the address locally administered? */
export function ETHER_IS_LOCAL(hi: number): boolean {
  return (hi & 0x0200) !== 0;
}
/** `hi` of every IPv4 multicast address (RFC 1112 §6.4). */
export const ETHER_IP_MULTICAST_HI = 0x0100;
/** `lo` of the hardware group for an IPv4 multicast address: 01:00:5e and the low 23 bits (RFC 1112 §6.4). */
export function ETHER_MAP_IP_MULTICAST(addr: number): number {
  return 0x5e000000 | (addr & 0x7fffff);
}
/** `hi` of every IPv6 multicast address (RFC 2464 §7); `lo` is the last 32 bits of the address. */
export const ETHER_IPV6_MULTICAST_HI = 0x3333;

/** A header as an object, for tests, traces and tools. */
export class EtherHeader {
  /** Destination, six bytes. */
  ether_dhost: Uint8Array = new Uint8Array(ETHER_ADDR_LEN);
  /** Source, six bytes. */
  ether_shost: Uint8Array = new Uint8Array(ETHER_ADDR_LEN);
  /** Type of the payload (behind the tag, if there is one). */
  ether_type = 0;
  /** 802.1Q tag (priority, drop bit, identifier), or -1 for an untagged frame. */
  evl_tag = -1;
  /** Bytes the header takes: 14 or 18. */
  hdr_len: number = ETHER_HDR_LEN;
}

/** Reads an Ethernet header, with its 802.1Q tag if it has one, from `len` bytes at `off`. */
export function ether_parse(dv: DataView, off: number, len: number, out: EtherHeader): number {
  if (len < ETHER_HDR_LEN) return WIRE_ETRUNC;
  const type = ether_type(dv, off);
  const tagged = type === ETHERTYPE_VLAN;
  if (tagged && len < ETHER_HDR_LEN + ETHER_VLAN_ENCAP_LEN) return WIRE_ETRUNC;
  ether_addr_put(out.ether_dhost, 0, ether_dhost_hi(dv, off), ether_dhost_lo(dv, off));
  ether_addr_put(out.ether_shost, 0, ether_shost_hi(dv, off), ether_shost_lo(dv, off));
  out.evl_tag = tagged ? evl_tag(dv, off) : -1;
  out.ether_type = tagged ? evl_proto(dv, off) : type;
  out.hdr_len = tagged ? ETHER_HDR_LEN + ETHER_VLAN_ENCAP_LEN : ETHER_HDR_LEN;
  return WIRE_OK;
}

/** Writes a header at `off`; the number of bytes written, or a WIRE_* error. hdr_len is not consulted: evl_tag decides. */
export function ether_emit(dv: DataView, off: number, h: EtherHeader): number {
  const tagged = h.evl_tag >= 0;
  const n = tagged ? ETHER_HDR_LEN + ETHER_VLAN_ENCAP_LEN : ETHER_HDR_LEN;
  if (dv.byteLength - off < n) return WIRE_ENOSPACE;
  if (h.ether_dhost.length !== ETHER_ADDR_LEN || h.ether_shost.length !== ETHER_ADDR_LEN) return WIRE_ERANGE;
  if (h.evl_tag > 0xffff || h.ether_type < 0 || h.ether_type > 0xffff) return WIRE_ERANGE;
  ether_set_dhost(dv, off, ether_addr_hi(h.ether_dhost), ether_addr_lo(h.ether_dhost));
  ether_set_shost(dv, off, ether_addr_hi(h.ether_shost), ether_addr_lo(h.ether_shost));
  ether_set_type(dv, off, tagged ? ETHERTYPE_VLAN : h.ether_type);
  if (tagged) {
    evl_set_tag(dv, off, h.evl_tag);
    evl_set_proto(dv, off, h.ether_type);
  }
  return n;
}
