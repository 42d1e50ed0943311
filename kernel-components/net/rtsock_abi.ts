/*
 * Routing messages as bytes (NetBSD, LP64, little-endian), RTM_VERSION 4. Addresses follow a header, each padded to 8 bytes.
 *
 *   struct rt_msghdr       120  msglen u16 @0, version u8 @2, type u8 @3, index u16 @4, flags i32 @8, addrs @12, pid @16, seq @20, errno @24, use @28,
 *                               inits @32, rt_metrics @40: locks mtu hopcount recvpipe sendpipe ssthresh rtt rttvar expire pksent, u64 each
 *   struct if_msghdr       152  msglen, version, type, addrs i32 @4, flags @8, index u16 @12, struct if_data @16
 *   struct ifa_msghdr       32  msglen, version, type, index u16 @4, flags i32 @8, addrs @12, pid @16, addrflags @20, metric @24
 *   struct if_announcemsghdr 24 msglen, version, type, index u16 @4, name[16] @6, what u16 @22
 */
import {
  AF_INET,
  AF_INET6,
  AF_LINK,
  AF_UNSPEC,
  SOCKADDR_IN6_LEN,
  SOCKADDR_IN_LEN,
  sa_family,
  sockaddr_check,
} from "../wire/sockaddr.ts";
import { EINVAL } from "../../hypercall/api/errno.ts";
import type { Ifnet } from "./if.ts";
import { abi_get_u64, abi_put_u64, SIZEOF_IF_DATA } from "./if_abi.ts";
import {
  IFD_COLLISIONS,
  IFD_IBYTES,
  IFD_IERRORS,
  IFD_IMCASTS,
  IFD_IPACKETS,
  IFD_IQDROPS,
  IFD_NOPROTO,
  IFD_OBYTES,
  IFD_OERRORS,
  IFD_OMCASTS,
  IFD_OPACKETS,
} from "./if_flags.ts";
import type { RtInfo, RtMetrics } from "./rtentry.ts";

/** Version of the messages. */
export const RTM_VERSION = 4;
/** sizeof(struct rt_msghdr). */
export const SIZEOF_RT_MSGHDR = 120;
/** sizeof(struct if_msghdr). */
export const SIZEOF_IF_MSGHDR: number = 16 + SIZEOF_IF_DATA;
/** sizeof(struct ifa_msghdr). */
export const SIZEOF_IFA_MSGHDR = 32;
/** sizeof(struct if_announcemsghdr). */
export const SIZEOF_IF_ANNOUNCEMSGHDR = 24;

/** Offset of rtm_type. */
export const RTM_TYPE_OFF = 3;
/** Offset of rtm_index. */
export const RTM_INDEX_OFF = 4;
/** Offset of rtm_flags (and ifam_flags). */
export const RTM_FLAGS_OFF = 8;
/** Offset of rtm_addrs (and ifam_addrs). */
export const RTM_ADDRS_OFF = 12;
/** Offset of rtm_pid (and ifam_pid). */
export const RTM_PID_OFF = 16;
/** Offset of rtm_seq. */
export const RTM_SEQ_OFF = 20;
/** Offset of rtm_errno. */
export const RTM_ERRNO_OFF = 24;
/** Offset of rtm_use. */
export const RTM_USE_OFF = 28;
/** Offset of rtm_inits. */
export const RTM_INITS_OFF = 32;
/** Offset of rtm_rmx. */
export const RTM_RMX_OFF = 40;

/** Destination. */
export const RTA_DST = 0x1;
/** Gateway. */
export const RTA_GATEWAY = 0x2;
/** Mask. */
export const RTA_NETMASK = 0x4;
/** Cloning mask. */
export const RTA_GENMASK = 0x8;
/** Interface. */
export const RTA_IFP = 0x10;
/** Interface address. */
export const RTA_IFA = 0x20;
/** Author of a redirect. */
export const RTA_AUTHOR = 0x40;
/** Broadcast or peer address. */
export const RTA_BRD = 0x80;
/** Tag. */
export const RTA_TAG = 0x100;
/** Addresses a message may have. */
export const RTAX_MAX = 9;
/** Every RTA_ bit there is. */
const RTA_ALL = 0x1ff;

/** rtm_inits: MTU. */
export const RTV_MTU = 0x1;
/** rtm_inits: hop count. */
export const RTV_HOPCOUNT = 0x2;
/** rtm_inits: expiry. */
export const RTV_EXPIRE = 0x4;
/** rtm_inits: receive pipe. */
export const RTV_RPIPE = 0x8;
/** rtm_inits: send pipe. */
export const RTV_SPIPE = 0x10;
/** rtm_inits: ssthresh. */
export const RTV_SSTHRESH = 0x20;
/** rtm_inits: round trip time. */
export const RTV_RTT = 0x40;
/** rtm_inits: its variance. */
export const RTV_RTTVAR = 0x80;

/** Length with padding: to 8, and 8 for nothing. */
export function RT_ROUNDUP(len: number): number {
  return len > 0 ? (len + 7) & ~7 : 8;
}

/** The addresses of a request in the order of their bits. */
export function rt_info_addrs(info: RtInfo): (Uint8Array | null)[] {
  return [
    info.rti_dst,
    info.rti_gateway,
    info.rti_netmask,
    info.rti_genmask,
    info.rti_ifpaddr,
    info.rti_ifaaddr,
    info.rti_author,
    info.rti_brd,
    info.rti_tag,
  ];
}

/** A message: a header of `hdrlen` bytes, with length, version and type filled in, and the addresses of info. info.rti_addrs is set to their bits. */
export function rt_msg_build(type: number, hdrlen: number, info: RtInfo): Uint8Array {
  const addrs = rt_info_addrs(info);
  let len = hdrlen;
  info.rti_addrs = 0;
  for (let n = 0; n < RTAX_MAX; n++) {
    const sa = addrs[n];
    if (sa === null) continue;
    info.rti_addrs |= 1 << n;
    len += RT_ROUNDUP(Math.min(sa[0], sa.length));
  }
  const msg = new Uint8Array(len);
  let at = hdrlen;
  for (const sa of addrs) {
    if (sa === null) continue;
    const salen = Math.min(sa[0], sa.length);
    msg.set(sa.subarray(0, salen), at);
    at += RT_ROUNDUP(salen);
  }
  const dv = new DataView(msg.buffer);
  dv.setUint16(0, len, true);
  msg[2] = RTM_VERSION;
  msg[RTM_TYPE_OFF] = type;
  return msg;
}

/** Reads the addresses behind a header into info. EINVAL: they do not fit the message, or one is malformed. Addresses are copies, long enough for their family. */
export function rt_xaddrs(msg: Uint8Array, from: number, addrs: number, info: RtInfo): number {
  if ((addrs & ~RTA_ALL) !== 0) return EINVAL;
  const got: (Uint8Array | null)[] = new Array<Uint8Array | null>(RTAX_MAX).fill(null);
  let at = from;
  for (let n = 0; n < RTAX_MAX; n++) {
    if ((addrs & (1 << n)) === 0) continue;
    if (at >= msg.length) return EINVAL;
    const salen = msg[at];
    if (at + salen > msg.length) return EINVAL;
    const is_mask = 1 << n === RTA_NETMASK || 1 << n === RTA_GENMASK;
    const sa = is_mask ? padded(msg, at, salen) : checked(msg, at, salen);
    if (sa === null) return EINVAL;
    got[n] = sa;
    at += RT_ROUNDUP(salen);
  }
  info.rti_addrs = addrs;
  info.rti_dst = got[0];
  info.rti_gateway = got[1];
  info.rti_netmask = got[2];
  info.rti_genmask = got[3];
  info.rti_ifpaddr = got[4];
  info.rti_ifaaddr = got[5];
  info.rti_author = got[6];
  info.rti_brd = got[7];
  info.rti_tag = got[8];
  return 0;
}

/** A mask, which may be short, with room behind it; its own length stays. */
function padded(msg: Uint8Array, at: number, salen: number): Uint8Array {
  const sa = new Uint8Array(Math.max(salen, SOCKADDR_IN6_LEN));
  sa.set(msg.subarray(at, at + salen));
  return sa;
}

/** An address that is whole for its family, or null. A short AF_INET or AF_INET6 address is filled up with zeros, as route(8) always could send it. */
function checked(msg: Uint8Array, at: number, salen: number): Uint8Array | null {
  if (salen < 2) return null;
  const af = msg[at + 1];
  const want = af === AF_INET ? SOCKADDR_IN_LEN : af === AF_INET6 ? SOCKADDR_IN6_LEN : salen;
  if (salen > want) return null;
  const sa = new Uint8Array(want);
  sa.set(msg.subarray(at, at + salen));
  sa[0] = want;
  if (af === AF_LINK && sockaddr_check(sa) !== 0) return null;
  return sa_family(sa) === AF_UNSPEC ? null : sa;
}

/** Stores struct rt_metrics. expire is uptime in the kernel, wall clock time in messages: `boot` is the wall clock second of boot. */
export function rt_metrics_put(dv: DataView, off: number, r: RtMetrics, boot: number): void {
  const values = [
    r.rmx_locks,
    r.rmx_mtu,
    r.rmx_hopcount,
    r.rmx_recvpipe,
    r.rmx_sendpipe,
    r.rmx_ssthresh,
    r.rmx_rtt,
    r.rmx_rttvar,
    r.rmx_expire === 0 ? 0 : r.rmx_expire + boot,
    r.rmx_pksent,
  ];
  for (let n = 0; n < values.length; n++) abi_put_u64(dv, off + n * 8, Math.max(0, Math.floor(values[n])));
}

/** Takes the metrics that `which` (RTV_ bits) names out of struct rt_metrics. EINVAL: a value that cannot be. The expiry is returned by rt_metrics_expire. */
export function rt_metrics_get(dv: DataView, off: number, which: number, r: RtMetrics): number {
  const v: number[] = [];
  for (let n = 0; n < 8; n++) v.push(abi_get_u64(dv, off + n * 8));
  if ((which & RTV_MTU) !== 0 && (v[1] < 0 || v[1] > 65535)) return EINVAL;
  for (let n = 1; n < 8; n++) if (v[n] < 0) return EINVAL;
  if ((which & RTV_MTU) !== 0) r.rmx_mtu = v[1];
  if ((which & RTV_HOPCOUNT) !== 0) r.rmx_hopcount = v[2];
  if ((which & RTV_RPIPE) !== 0) r.rmx_recvpipe = v[3];
  if ((which & RTV_SPIPE) !== 0) r.rmx_sendpipe = v[4];
  if ((which & RTV_SSTHRESH) !== 0) r.rmx_ssthresh = v[5];
  if ((which & RTV_RTT) !== 0) r.rmx_rtt = v[6];
  if ((which & RTV_RTTVAR) !== 0) r.rmx_rttvar = v[7];
  return 0;
}

/**
 * Stores struct if_data: type u8 @0, addrlen u8 @1, hdrlen u8 @2, link_state i32 @4, then u64: mtu @8, metric, baudrate, ipackets @32, ierrors, opackets,
 * oerrors, collisions, ibytes, obytes, imcasts, omcasts, iqdrops, noproto @112, lastchange as two i64 @120.
 */
export function if_data_put(ifp: Ifnet, dv: DataView, off: number): void {
  dv.setUint8(off, ifp.if_type);
  dv.setUint8(off + 1, ifp.if_addrlen);
  dv.setUint8(off + 2, ifp.if_hdrlen);
  dv.setInt32(off + 4, ifp.if_link_state, true);
  abi_put_u64(dv, off + 8, ifp.if_mtu);
  abi_put_u64(dv, off + 16, ifp.if_metric);
  abi_put_u64(dv, off + 24, ifp.if_baudrate);
  const order = [
    IFD_IPACKETS,
    IFD_IERRORS,
    IFD_OPACKETS,
    IFD_OERRORS,
    IFD_COLLISIONS,
    IFD_IBYTES,
    IFD_OBYTES,
    IFD_IMCASTS,
    IFD_OMCASTS,
    IFD_IQDROPS,
    IFD_NOPROTO,
  ];
  for (let n = 0; n < order.length; n++) abi_put_u64(dv, off + 32 + n * 8, ifp.if_data[order[n]]);
  abi_put_u64(dv, off + 120, ifp.if_lastchange_sec);
  abi_put_u64(dv, off + 128, ifp.if_lastchange_nsec);
}
