/** The interfaces of a kernel as tools see them: names, flags, counters and addresses, from one sysctl. */
import { abi_get_u64 } from "../../kernel-components/net/if_abi.ts";
import { RTM_IFINFO, RTM_NEWADDR } from "../../kernel-components/net/rtentry.ts";
import { NET_RT_IFLIST } from "../../kernel-components/net/rtsock_sysctl.ts";
import { AF_INET } from "../../kernel-components/socket/socket_abi.ts";
import { sdl_lladdr, sdl_name, sin_addr } from "../../kernel-components/wire/sockaddr.ts";
import type { RumpCalls } from "../client/rump_calls.ts";
import { rt_dump, rt_masklen } from "./rt_messages.ts";
import { ToolError } from "./tool.ts";

/** An IPv4 address of an interface. */
export interface IfAddress {
  /** Address as int32. */
  readonly addr: number;
  /** Prefix length. */
  readonly prefixlen: number;
  /** Broadcast address or the peer of a point-to-point interface, null if none. */
  readonly brd: number | null;
  /** IN_IFF_*. */
  readonly flags: number;
}

/** Counters by NetBSD's names. */
export interface IfCounters {
  readonly ipackets: number;
  readonly ierrors: number;
  readonly opackets: number;
  readonly oerrors: number;
  readonly collisions: number;
  readonly ibytes: number;
  readonly obytes: number;
  readonly imcasts: number;
  readonly omcasts: number;
  readonly iqdrops: number;
  readonly noproto: number;
}

/** An interface. */
export interface IfInfo {
  readonly name: string;
  readonly index: number;
  readonly flags: number;
  /** IFT_*. */
  readonly type: number;
  readonly mtu: number;
  readonly metric: number;
  /** LINK_STATE_*. */
  readonly link_state: number;
  /** Hardware address, empty if it has none. */
  readonly lladdr: Uint8Array;
  readonly counters: IfCounters;
  readonly addresses: IfAddress[];
}

/** All interfaces in the order of their index. */
export async function iflist(sys: RumpCalls): Promise<IfInfo[]> {
  const list: IfInfo[] = [];
  for (const msg of await rt_dump(sys, 0, NET_RT_IFLIST, 0)) {
    if (msg.type === RTM_IFINFO) {
      const dv = new DataView(msg.bytes.buffer, msg.bytes.byteOffset, msg.bytes.length);
      const ifp = msg.info.rti_ifpaddr;
      const u = (i: number): number => abi_get_u64(dv, 16 + 32 + i * 8);
      list.push({
        name: ifp === null ? `#${msg.index}` : sdl_name(ifp),
        index: msg.index,
        flags: msg.flags & 0xffff,
        type: dv.getUint8(16),
        mtu: abi_get_u64(dv, 24),
        metric: abi_get_u64(dv, 32),
        link_state: dv.getInt32(20, true),
        lladdr: ifp === null ? new Uint8Array(0) : sdl_lladdr(ifp),
        counters: {
          ipackets: u(0),
          ierrors: u(1),
          opackets: u(2),
          oerrors: u(3),
          collisions: u(4),
          ibytes: u(5),
          obytes: u(6),
          imcasts: u(7),
          omcasts: u(8),
          iqdrops: u(9),
          noproto: u(10),
        },
        addresses: [],
      });
      continue;
    }
    const owner = list.find((i) => i.index === msg.index);
    const sa = msg.info.rti_ifaaddr;
    if (msg.type !== RTM_NEWADDR || owner === undefined || sa === null || sa[1] !== AF_INET) continue;
    const brd = msg.info.rti_brd;
    owner.addresses.push({
      addr: sin_addr(sa),
      prefixlen: rt_masklen(msg.info.rti_netmask),
      brd: brd === null || brd[1] !== AF_INET ? null : sin_addr(brd),
      flags: msg.addrflags,
    });
  }
  return list;
}

/** Names by index. */
export async function ifnames(sys: RumpCalls): Promise<Map<number, string>> {
  return new Map((await iflist(sys)).map((i) => [i.index, i.name]));
}

/** One interface. Throws ToolError when there is none of that name. */
export async function ifinfo(sys: RumpCalls, name: string): Promise<IfInfo> {
  const found = (await iflist(sys)).find((i) => i.name === name);
  if (found === undefined) throw new ToolError(`${name}: no such interface`);
  return found;
}
