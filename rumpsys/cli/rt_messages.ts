/**
 * Routing messages (route(4)) for tools: dumps of the routing table, of neighbours and of interfaces, and requests with their answers.
 */
import { AF_INET, AF_ROUTE, PF_ROUTE, SOCK_RAW } from "../../kernel-components/socket/socket_abi.ts";
import { abi_get_u64, ifr_name } from "../../kernel-components/net/if_abi.ts";
import {
  RTM_CHGADDR,
  RTM_DELADDR,
  RTM_IFANNOUNCE,
  RTM_IFINFO,
  RTM_NEWADDR,
  RtInfo,
} from "../../kernel-components/net/rtentry.ts";
import {
  RTM_ADDRS_OFF,
  RTM_ERRNO_OFF,
  RTM_FLAGS_OFF,
  RTM_INDEX_OFF,
  RTM_INITS_OFF,
  RTM_PID_OFF,
  RTM_RMX_OFF,
  RTM_SEQ_OFF,
  RTM_TYPE_OFF,
  RTM_USE_OFF,
  rt_msg_build,
  rt_xaddrs,
  SIZEOF_IF_ANNOUNCEMSGHDR,
  SIZEOF_IF_MSGHDR,
  SIZEOF_IFA_MSGHDR,
  SIZEOF_RT_MSGHDR,
} from "../../kernel-components/net/rtsock_abi.ts";
import { CTL_NET } from "../../kernel-components/kern/sysctl_mib.ts";
import { inet_ntoa } from "../../kernel-components/wire/inet_addr.ts";
import { in_mask2len } from "../../kernel-components/wire/in.ts";
import { sdl_index, sdl_lladdr, sdl_name, sin_addr } from "../../kernel-components/wire/sockaddr.ts";
import { ether_ntoa } from "../../kernel-components/wire/ether_text.ts";
import type { RumpCalls } from "../client/rump_calls.ts";
import { RumpError } from "../errors.ts";
import { AF_LINK } from "../../kernel-components/wire/sockaddr.ts";

/** Longest routing message that is read. */
const MSG_MAX = 2048;

/** struct rt_metrics. */
export interface RtMsgMetrics {
  readonly locks: number;
  readonly mtu: number;
  readonly hopcount: number;
  readonly recvpipe: number;
  readonly sendpipe: number;
  readonly ssthresh: number;
  readonly rtt: number;
  readonly rttvar: number;
  /** Wall clock second, 0 never. */
  readonly expire: number;
  readonly pksent: number;
}

/** A message of any type; what its type does not have is 0, "" or null. */
export interface RtMsg {
  readonly type: number;
  readonly index: number;
  readonly flags: number;
  readonly pid: number;
  readonly seq: number;
  readonly errno: number;
  readonly use: number;
  readonly inits: number;
  readonly metrics: RtMsgMetrics | null;
  /** RTM_NEWADDR...: flags of the address (IN_IFF_*). */
  readonly addrflags: number;
  /** RTM_IFANNOUNCE: name, and 0 arrival or 1 departure. */
  readonly name: string;
  readonly what: number;
  /** The addresses. */
  readonly info: RtInfo;
  /** All of it. */
  readonly bytes: Uint8Array;
}

/** The messages that stand one behind the other in `bytes`. A broken one ends the list. */
export function rt_messages(bytes: Uint8Array): RtMsg[] {
  const list: RtMsg[] = [];
  for (let at = 0; at + 16 <= bytes.length; ) {
    const len = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
    if (len < 16 || at + len > bytes.length) break;
    const msg = rt_message(bytes.subarray(at, at + len));
    if (msg !== null) list.push(msg);
    at += len;
  }
  return list;
}

const NOTHING = {
  index: 0,
  flags: 0,
  pid: 0,
  seq: 0,
  errno: 0,
  use: 0,
  inits: 0,
  metrics: null,
  addrflags: 0,
  name: "",
  what: 0,
};

/** One message, or null when it is broken. */
export function rt_message(bytes: Uint8Array): RtMsg | null {
  const dv = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const type = bytes[RTM_TYPE_OFF] as number;
  const info = new RtInfo();
  switch (type) {
    case RTM_IFINFO:
      if (bytes.length < SIZEOF_IF_MSGHDR || rt_xaddrs(bytes, SIZEOF_IF_MSGHDR, dv.getInt32(4, true), info) !== 0)
        return null;
      return { ...NOTHING, type, index: dv.getUint16(12, true), flags: dv.getInt32(8, true), info, bytes };
    case RTM_NEWADDR:
    case RTM_DELADDR:
    case RTM_CHGADDR:
      if (
        bytes.length < SIZEOF_IFA_MSGHDR ||
        rt_xaddrs(bytes, SIZEOF_IFA_MSGHDR, dv.getInt32(RTM_ADDRS_OFF, true), info) !== 0
      )
        return null;
      return {
        ...NOTHING,
        type,
        index: dv.getUint16(RTM_INDEX_OFF, true),
        flags: dv.getInt32(RTM_FLAGS_OFF, true),
        addrflags: dv.getInt32(20, true),
        info,
        bytes,
      };
    case RTM_IFANNOUNCE:
      if (bytes.length < SIZEOF_IF_ANNOUNCEMSGHDR) return null;
      return {
        ...NOTHING,
        type,
        index: dv.getUint16(4, true),
        name: ifr_name(bytes, 6),
        what: dv.getUint16(22, true),
        info,
        bytes,
      };
    default:
      return rt_route_message(bytes, dv, type, info);
  }
}

function rt_route_message(bytes: Uint8Array, dv: DataView, type: number, info: RtInfo): RtMsg | null {
  if (
    bytes.length < SIZEOF_RT_MSGHDR ||
    rt_xaddrs(bytes, SIZEOF_RT_MSGHDR, dv.getInt32(RTM_ADDRS_OFF, true), info) !== 0
  )
    return null;
  const m = (i: number): number => abi_get_u64(dv, RTM_RMX_OFF + i * 8);
  return {
    ...NOTHING,
    type,
    index: dv.getUint16(RTM_INDEX_OFF, true),
    flags: dv.getInt32(RTM_FLAGS_OFF, true),
    pid: dv.getInt32(RTM_PID_OFF, true),
    seq: dv.getInt32(RTM_SEQ_OFF, true),
    errno: dv.getInt32(RTM_ERRNO_OFF, true),
    use: dv.getInt32(RTM_USE_OFF, true),
    inits: dv.getInt32(RTM_INITS_OFF, true),
    metrics: {
      locks: m(0),
      mtu: m(1),
      hopcount: m(2),
      recvpipe: m(3),
      sendpipe: m(4),
      ssthresh: m(5),
      rtt: m(6),
      rttvar: m(7),
      expire: m(8),
      pksent: m(9),
    },
    info,
    bytes,
  };
}

/** Asks net.route.rtable: NET_RT_DUMP, NET_RT_FLAGS or NET_RT_IFLIST with their argument. */
export async function rt_dump(sys: RumpCalls, af: number, op: number, arg: number): Promise<RtMsg[]> {
  return rt_messages(await sys.sysctl([CTL_NET, AF_ROUTE, 0, af, op, arg]));
}

/** A request to be written to a routing socket. */
export function rt_request(
  type: number,
  flags: number,
  seq: number,
  info: RtInfo,
): { readonly bytes: Uint8Array; readonly dv: DataView } {
  const bytes = rt_msg_build(type, SIZEOF_RT_MSGHDR, info);
  const dv = new DataView(bytes.buffer);
  dv.setInt32(RTM_FLAGS_OFF, flags, true);
  dv.setInt32(RTM_ADDRS_OFF, info.rti_addrs, true);
  dv.setInt32(RTM_SEQ_OFF, seq, true);
  return { bytes, dv };
}

/** Writes a request to a routing socket of its own and gives the answer. Rejects with the kernel's errno. */
export async function rt_ask(sys: RumpCalls, bytes: Uint8Array): Promise<RtMsg> {
  const s = await sys.socket(PF_ROUTE, SOCK_RAW, AF_INET);
  try {
    await sys.write(s, bytes);
    const pid = await sys.getpid();
    const want = rt_message(bytes)?.seq;
    const buf = new Uint8Array(MSG_MAX);
    for (;;) {
      const n = await sys.read(s, buf);
      const msg = rt_message(buf.slice(0, n));
      if (msg === null || msg.pid !== pid || msg.seq !== want) continue;
      if (msg.errno !== 0) throw new RumpError("write", msg.errno);
      return msg;
    }
  } finally {
    await sys.close(s);
  }
}

/** A mask as prefix length; -1 when it has gaps. A short or empty mask is filled with zeros. */
export function rt_masklen(mask: Uint8Array | null): number {
  if (mask === null) return 32;
  const whole = new Uint8Array(16);
  whole.set(mask.subarray(0, Math.min(mask[0] as number, 8)));
  return in_mask2len(sin_addr(whole));
}

/** An address of a routing message for people. */
export function rt_addr_text(sa: Uint8Array | null, names: ReadonlyMap<number, string>): string {
  if (sa === null) return "";
  if (sa[1] === AF_INET) return inet_ntoa(sin_addr(sa));
  if (sa[1] !== AF_LINK) return `(family ${sa[1]})`;
  const mac = sdl_lladdr(sa);
  if (mac.length === 6) return ether_ntoa(mac);
  const name = sdl_name(sa);
  if (name !== "") return name;
  return `link#${sdl_index(sa)}${names.has(sdl_index(sa)) ? "" : "?"}`;
}
