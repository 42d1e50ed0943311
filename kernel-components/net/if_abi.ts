/*
 * The control structures of <net/if.h> as bytes: ioctl numbers, layouts (NetBSD, LP64, little-endian) and builders.
 *
 * A structure that holds a pointer (ifconf, if_clonereq, ifdrv, ifmediareq) is passed with what it points at: the buffer lies behind the structure in the
 * same Uint8Array, and the pointer field holds its offset from the start of that array. A buffer that does not lie inside the array is EFAULT.
 *
 *   struct ifreq        144  name[16] @0, union of 128 @16
 *   struct oifreq        32  name[16] @0, union of 16 @16                        (ioctls from before 2007)
 *   struct ifaliasreq    64  name[16] @0, addr @16, dstaddr/broadaddr @32, mask @48
 *   struct if_laddrreq  280  name[16] @0, flags u32 @16, prefixlen u32 @20, addr[128] @24, dstaddr[128] @152
 *   struct ifconf        16  len i32 @0, buf u64 @8
 *   struct if_clonereq   16  total i32 @0, count i32 @4, buffer u64 @8
 *   struct ifdrv         40  name[16] @0, cmd u64 @16, len u64 @24, data u64 @32
 *   struct ifmediareq    48  name[16] @0, current i32 @16, mask @20, status @24, active @28, count @32, ulist u64 @40
 *   struct ifcapreq      32  name[16] @0, capabilities u64 @16, capenable u64 @24
 *   struct ifdatareq    152  name[16] @0, struct if_data @16
 *   struct if_data      136  see if_data_put
 */
import { _IOW, _IOWR } from "../kern/ioccom.ts";
import { IFNAMSIZ } from "./if_flags.ts";

/** sizeof(struct ifreq). */
export const SIZEOF_IFREQ = 144;
/** sizeof(struct oifreq). */
export const SIZEOF_OIFREQ = 32;
/** sizeof(struct ifaliasreq). */
export const SIZEOF_IFALIASREQ = 64;
/** sizeof(struct if_laddrreq). */
export const SIZEOF_IF_LADDRREQ = 280;
/** sizeof(struct ifconf). */
export const SIZEOF_IFCONF = 16;
/** sizeof(struct if_clonereq). */
export const SIZEOF_IF_CLONEREQ = 16;
/** sizeof(struct ifdrv). */
export const SIZEOF_IFDRV = 40;
/** sizeof(struct ifmediareq). */
export const SIZEOF_IFMEDIAREQ = 48;
/** sizeof(struct ifcapreq). */
export const SIZEOF_IFCAPREQ = 32;
/** sizeof(struct if_data). */
export const SIZEOF_IF_DATA = 136;
/** sizeof(struct ifdatareq). */
export const SIZEOF_IFDATAREQ = 152;
/** Offset of the union in struct ifreq (and of everything behind a name). */
export const IFR_IFRU: number = IFNAMSIZ;
/** Offset of ifra_addr in struct ifaliasreq. */
export const IFRA_ADDR = 16;
/** Offset of ifra_dstaddr (ifra_broadaddr) in struct ifaliasreq. */
export const IFRA_DSTADDR = 32;
/** Offset of ifra_mask in struct ifaliasreq. */
export const IFRA_MASK = 48;
/** Offset of flags in struct if_laddrreq. */
export const IFLR_FLAGS = 16;
/** Offset of prefixlen in struct if_laddrreq. */
export const IFLR_PREFIXLEN = 20;
/** Offset of addr in struct if_laddrreq. */
export const IFLR_ADDR = 24;
/** Offset of dstaddr in struct if_laddrreq. */
export const IFLR_DSTADDR = 152;
/** if_laddrreq flag: prefixlen is used to match on get. */
export const IFLR_PREFIX = 0x8000_0000;
/** if_laddrreq flag: the address is (made) the active one of its interface. */
export const IFLR_ACTIVE = 0x4000_0000;
/** if_laddrreq flag: the address came with the hardware. */
export const IFLR_FACTORY = 0x2000_0000;

const i = "i";
/** Set interface address (struct ifreq). */
export const SIOCSIFADDR: number = _IOW(i, 12, SIZEOF_IFREQ);
/** Set point-to-point address. */
export const SIOCSIFDSTADDR: number = _IOW(i, 14, SIZEOF_IFREQ);
/** Set flags. */
export const SIOCSIFFLAGS: number = _IOW(i, 16, SIZEOF_IFREQ);
/** Get flags. */
export const SIOCGIFFLAGS: number = _IOWR(i, 17, SIZEOF_IFREQ);
/** Get broadcast address, struct oifreq, oldest form. */
export const OOSIOCGIFBRDADDR: number = _IOWR(i, 18, SIZEOF_OIFREQ);
/** Set broadcast address. */
export const SIOCSIFBRDADDR: number = _IOW(i, 19, SIZEOF_IFREQ);
/** Set netmask. */
export const SIOCSIFNETMASK: number = _IOW(i, 22, SIZEOF_IFREQ);
/** Get metric. */
export const SIOCGIFMETRIC: number = _IOWR(i, 23, SIZEOF_IFREQ);
/** Set metric. */
export const SIOCSIFMETRIC: number = _IOW(i, 24, SIZEOF_IFREQ);
/** Delete address. */
export const SIOCDIFADDR: number = _IOW(i, 25, SIZEOF_IFREQ);
/** Add or change address (struct ifaliasreq). */
export const SIOCAIFADDR: number = _IOW(i, 26, SIZEOF_IFALIASREQ);
/** Get alias (struct ifaliasreq). */
export const SIOCGIFALIAS: number = _IOWR(i, 27, SIZEOF_IFALIASREQ);
/** Add address by prefix (struct if_laddrreq). */
export const SIOCALIFADDR: number = _IOW(i, 28, SIZEOF_IF_LADDRREQ);
/** Get address by prefix (struct if_laddrreq). */
export const SIOCGLIFADDR: number = _IOWR(i, 29, SIZEOF_IF_LADDRREQ);
/** Delete address by prefix (struct if_laddrreq). */
export const SIOCDLIFADDR: number = _IOW(i, 30, SIZEOF_IF_LADDRREQ);
/** Get interface address. */
export const SIOCGIFADDR: number = _IOWR(i, 33, SIZEOF_IFREQ);
/** Get point-to-point address. */
export const SIOCGIFDSTADDR: number = _IOWR(i, 34, SIZEOF_IFREQ);
/** Get broadcast address. */
export const SIOCGIFBRDADDR: number = _IOWR(i, 35, SIZEOF_IFREQ);
/** Get netmask. */
export const SIOCGIFNETMASK: number = _IOWR(i, 37, SIZEOF_IFREQ);
/** List interfaces and addresses (struct ifconf). */
export const SIOCGIFCONF: number = _IOWR(i, 38, SIZEOF_IFCONF);
/** Get the flags of an IPv4 address (tentative, duplicated...). */
export const SIOCGIFAFLAG_IN: number = _IOWR(i, 39, SIZEOF_IFREQ);
/** Join a link-layer group. */
export const SIOCADDMULTI: number = _IOW(i, 49, SIZEOF_IFREQ);
/** Leave a link-layer group. */
export const SIOCDELMULTI: number = _IOW(i, 50, SIZEOF_IFREQ);
/** Set media. */
export const SIOCSIFMEDIA: number = _IOWR(i, 53, SIZEOF_IFREQ);
/** Get media (struct ifmediareq). */
export const SIOCGIFMEDIA: number = _IOWR(i, 54, SIZEOF_IFMEDIAREQ);
/** Set capabilities (struct ifcapreq). */
export const SIOCSIFCAP: number = _IOW(i, 117, SIZEOF_IFCAPREQ);
/** Get capabilities (struct ifcapreq). */
export const SIOCGIFCAP: number = _IOWR(i, 118, SIZEOF_IFCAPREQ);
/** Get the data link type. */
export const SIOCGIFDLT: number = _IOWR(i, 119, SIZEOF_IFREQ);
/** List cloners (struct if_clonereq). */
export const SIOCIFGCLONERS: number = _IOWR(i, 120, SIZEOF_IF_CLONEREQ);
/** Destroy a clone. */
export const SIOCIFDESTROY: number = _IOW(i, 121, SIZEOF_IFREQ);
/** Create a clone. */
export const SIOCIFCREATE: number = _IOW(i, 122, SIZEOF_IFREQ);
/** Set driver-specific parameter (struct ifdrv). */
export const SIOCSDRVSPEC: number = _IOW(i, 123, SIZEOF_IFDRV);
/** Get driver-specific parameter (struct ifdrv). */
export const SIOCGDRVSPEC: number = _IOWR(i, 123, SIZEOF_IFDRV);
/** Get MTU. */
export const SIOCGIFMTU: number = _IOWR(i, 126, SIZEOF_IFREQ);
/** Set MTU. */
export const SIOCSIFMTU: number = _IOW(i, 127, SIZEOF_IFREQ);
/** Get counters (struct ifdatareq). */
export const SIOCGIFDATA: number = _IOWR(i, 133, SIZEOF_IFDATAREQ);
/** Get and zero counters (struct ifdatareq). */
export const SIOCZIFDATA: number = _IOWR(i, 134, SIZEOF_IFDATAREQ);
/** Get the link string (struct ifdrv). */
export const SIOCGLINKSTR: number = _IOWR(i, 135, SIZEOF_IFDRV);
/** Set the link string (struct ifdrv). */
export const SIOCSLINKSTR: number = _IOW(i, 136, SIZEOF_IFDRV);
/** Get the interface index. */
export const SIOCGIFINDEX: number = _IOWR(i, 138, SIZEOF_IFREQ);
/** To a driver only: the address in data was just configured, initialise. NetBSD's number and use. */
export const SIOCINITIFADDR: number = _IOW(i, 132, SIZEOF_IFALIASREQ);
/** ifd_cmd of SIOCGLINKSTR: only ask for the length. */
export const IFLINKSTR_QUERYLEN = 0x01;
/** ifd_cmd of SIOCSLINKSTR: remove the link string. */
export const IFLINKSTR_UNSET = 0x02;

/** The interface name at the start of a request: up to IFNAMSIZ bytes, ended by NUL. An unterminated name is "" (which no interface has). */
export function ifr_name(data: Uint8Array, off = 0): string {
  let s = "";
  for (let n = 0; n < IFNAMSIZ && off + n < data.length; n++) {
    const c = data[off + n];
    if (c === 0) return s;
    s += String.fromCharCode(c);
  }
  return "";
}

/** Writes a name and fills with NULs; a name of IFNAMSIZ or more bytes is cut so that the NUL stays. */
export function ifr_name_put(data: Uint8Array, off: number, name: string): void {
  const n = Math.min(name.length, IFNAMSIZ - 1);
  for (let j = 0; j < IFNAMSIZ; j++) data[off + j] = j < n ? name.charCodeAt(j) & 0xff : 0;
}

/** A view for the little-endian fields of a request. */
export function abi_view(data: Uint8Array): DataView {
  return new DataView(data.buffer, data.byteOffset, data.byteLength);
}

/** A u64 field as a number; -1 if it does not fit an exact integer. */
export function abi_get_u64(dv: DataView, off: number): number {
  const hi = dv.getUint32(off + 4, true);
  return hi > 0x1f_ffff ? -1 : hi * 0x1_0000_0000 + dv.getUint32(off, true);
}

/** Stores a non-negative number as u64. */
export function abi_put_u64(dv: DataView, off: number, v: number): void {
  const hi = Math.floor(v / 0x1_0000_0000);
  dv.setUint32(off, v - hi * 0x1_0000_0000, true);
  dv.setUint32(off + 4, hi, true);
}

/** Where a pointer field's buffer of `len` bytes starts in the request, or -1 (EFAULT) if it does not lie behind the first `size` bytes of it. */
export function abi_buffer(data: Uint8Array, dv: DataView, ptr_off: number, size: number, len: number): number {
  const at = abi_get_u64(dv, ptr_off);
  return at >= size && len >= 0 && at + len <= data.length ? at : -1;
}

/** struct ifreq with a name and nothing else. */
export function ifreq(name: string): Uint8Array {
  const data = new Uint8Array(SIZEOF_IFREQ);
  ifr_name_put(data, 0, name);
  return data;
}

/** struct ifreq with a sockaddr. */
export function ifreq_addr(name: string, sa: Uint8Array): Uint8Array {
  const data = ifreq(name);
  data.set(sa.subarray(0, SIZEOF_IFREQ - IFR_IFRU), IFR_IFRU);
  return data;
}

/** struct ifreq with an int in its union (ifr_mtu, ifr_metric, ifr_dlt, ifr_media, ifr_value). */
export function ifreq_int(name: string, v: number): Uint8Array {
  const data = ifreq(name);
  abi_view(data).setInt32(IFR_IFRU, v, true);
  return data;
}

/** struct ifreq with ifr_flags, a short. */
export function ifreq_flags(name: string, flags: number): Uint8Array {
  const data = ifreq(name);
  abi_view(data).setInt16(IFR_IFRU, flags, true);
  return data;
}

/** The int in an ifreq's union. */
export function ifr_int(data: Uint8Array): number {
  return abi_view(data).getInt32(IFR_IFRU, true);
}

/** The flags in an ifreq's union, as unsigned 16 bits. */
export function ifr_flags(data: Uint8Array): number {
  return abi_view(data).getUint16(IFR_IFRU, true);
}

/** struct ifaliasreq; a null address is left zero. */
export function ifaliasreq(
  name: string,
  addr: Uint8Array | null,
  dstaddr: Uint8Array | null,
  mask: Uint8Array | null,
): Uint8Array {
  const data = new Uint8Array(SIZEOF_IFALIASREQ);
  ifr_name_put(data, 0, name);
  if (addr !== null) data.set(addr.subarray(0, 16), IFRA_ADDR);
  if (dstaddr !== null) data.set(dstaddr.subarray(0, 16), IFRA_DSTADDR);
  if (mask !== null) data.set(mask.subarray(0, 16), IFRA_MASK);
  return data;
}

/** struct if_laddrreq. */
export function if_laddrreq(
  name: string,
  flags: number,
  prefixlen: number,
  addr: Uint8Array,
  dstaddr: Uint8Array | null,
): Uint8Array {
  const data = new Uint8Array(SIZEOF_IF_LADDRREQ);
  const dv = abi_view(data);
  ifr_name_put(data, 0, name);
  dv.setUint32(IFLR_FLAGS, flags >>> 0, true);
  dv.setUint32(IFLR_PREFIXLEN, prefixlen, true);
  data.set(addr.subarray(0, 128), IFLR_ADDR);
  if (dstaddr !== null) data.set(dstaddr.subarray(0, 128), IFLR_DSTADDR);
  return data;
}

/** struct ifconf with room for `len` bytes behind it. */
export function ifconf(len: number): Uint8Array {
  const data = new Uint8Array(SIZEOF_IFCONF + len);
  const dv = abi_view(data);
  dv.setInt32(0, len, true);
  abi_put_u64(dv, 8, SIZEOF_IFCONF);
  return data;
}

/** struct if_clonereq with room for `count` names behind it. */
export function if_clonereq(count: number): Uint8Array {
  const data = new Uint8Array(SIZEOF_IF_CLONEREQ + count * IFNAMSIZ);
  const dv = abi_view(data);
  dv.setInt32(4, count, true);
  abi_put_u64(dv, 8, SIZEOF_IF_CLONEREQ);
  return data;
}

/** struct ifdrv with `payload` behind it: SIOCSDRVSPEC, SIOCSLINKSTR (payload: string with NUL) or room for an answer. */
export function ifdrv(name: string, cmd: number, payload: Uint8Array): Uint8Array {
  const data = new Uint8Array(SIZEOF_IFDRV + payload.length);
  const dv = abi_view(data);
  ifr_name_put(data, 0, name);
  abi_put_u64(dv, 16, cmd);
  abi_put_u64(dv, 24, payload.length);
  abi_put_u64(dv, 32, SIZEOF_IFDRV);
  data.set(payload, SIZEOF_IFDRV);
  return data;
}

/** struct ifmediareq with room for `count` media words behind it. */
export function ifmediareq(name: string, count: number): Uint8Array {
  const data = new Uint8Array(SIZEOF_IFMEDIAREQ + count * 4);
  const dv = abi_view(data);
  ifr_name_put(data, 0, name);
  dv.setInt32(32, count, true);
  abi_put_u64(dv, 40, SIZEOF_IFMEDIAREQ);
  return data;
}

/** struct ifcapreq. */
export function ifcapreq(name: string, capenable: number): Uint8Array {
  const data = new Uint8Array(SIZEOF_IFCAPREQ);
  ifr_name_put(data, 0, name);
  abi_put_u64(abi_view(data), 24, capenable);
  return data;
}

/** struct ifdatareq with a name only. */
export function ifdatareq(name: string): Uint8Array {
  const data = new Uint8Array(SIZEOF_IFDATAREQ);
  ifr_name_put(data, 0, name);
  return data;
}
