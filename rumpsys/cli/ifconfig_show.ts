/** What ifconfig shows of an interface. */
import { EINVAL, ENOENT, ENOTTY, ENXIO, EOPNOTSUPP } from "../../hypercall/api/errno.ts";
import {
  abi_get_u64,
  abi_view,
  ifcapreq,
  ifdrv,
  ifmediareq,
  SIOCGIFCAP,
  SIOCGIFMEDIA,
  SIOCGLINKSTR,
  SIZEOF_IFDRV,
} from "../../kernel-components/net/if_abi.ts";
import { IFF_POINTOPOINT, LINK_STATE_DOWN, LINK_STATE_UP } from "../../kernel-components/net/if_flags.ts";
import { LINKSTR_MAX } from "../../kernel-components/net/if_linkstr.ts";
import {
  IFM_10G_T,
  IFM_AUTO,
  IFM_ETHER,
  IFM_MANUAL,
  IFM_NMASK,
  IFM_NONE,
  IFM_TMASK,
} from "../../kernel-components/net/if_media.ts";
import { ether_ntoa } from "../../kernel-components/wire/ether_text.ts";
import { inet_ntoa } from "../../kernel-components/wire/inet_addr.ts";
import type { RumpCalls } from "../client/rump_calls.ts";
import type { IfInfo } from "./iflist.ts";
import { bit_names, IFCAPBITS, IFFBITS, IN_IFFBITS, snprintb } from "./snprintb.ts";
import { errno_of } from "./tool.ts";

const MEDIA_MAX = 32;

/** What an ioctl answers, null when the interface has no such thing. */
async function if_has<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if ([EINVAL, ENOENT, ENOTTY, ENXIO, EOPNOTSUPP].includes(errno_of(error))) return null;
    throw error;
  }
}

/** The link string, or null. */
export function linkstr_of(sys: RumpCalls, fd: number, name: string): Promise<string | null> {
  return if_has(async () => {
    const req = ifdrv(name, 0, new Uint8Array(LINKSTR_MAX + 1));
    await sys.ioctl(fd, SIOCGLINKSTR, req);
    const text = req.subarray(SIZEOF_IFDRV);
    return new TextDecoder().decode(text.subarray(0, text.indexOf(0)));
  });
}

interface Media {
  readonly current: string;
  readonly active: string;
  readonly supported: string[];
}

function media_of(sys: RumpCalls, fd: number, name: string): Promise<Media | null> {
  return if_has(async () => {
    const req = ifmediareq(name, MEDIA_MAX);
    await sys.ioctl(fd, SIOCGIFMEDIA, req);
    const dv = abi_view(req);
    const supported: string[] = [];
    for (let i = 0; i < Math.min(dv.getInt32(32, true), MEDIA_MAX); i++)
      supported.push(media_text(dv.getInt32(48 + i * 4, true)));
    return { current: media_text(dv.getInt32(16, true)), active: media_text(dv.getInt32(28, true)), supported };
  });
}

/** A media word's subtype. */
export function media_text(word: number): string {
  switch (word & IFM_TMASK) {
    case IFM_AUTO:
      return "autoselect";
    case IFM_MANUAL:
      return "manual";
    case IFM_NONE:
      return "none";
    default:
      return (word & IFM_NMASK) === IFM_ETHER && (word & IFM_TMASK) === IFM_10G_T
        ? "10GbaseT"
        : `0x${(word >>> 0).toString(16)}`;
  }
}

interface Caps {
  readonly capabilities: number;
  readonly enabled: number;
}

function caps_of(sys: RumpCalls, fd: number, name: string): Promise<Caps | null> {
  return if_has(async () => {
    const req = ifcapreq(name, 0);
    await sys.ioctl(fd, SIOCGIFCAP, req);
    const dv = abi_view(req);
    return { capabilities: abi_get_u64(dv, 16), enabled: abi_get_u64(dv, 24) };
  });
}

function link_status(i: IfInfo): string {
  return i.link_state === LINK_STATE_DOWN ? "no carrier" : i.link_state === LINK_STATE_UP ? "active" : "unknown";
}

/** An interface in NetBSD's form. */
export async function ifconfig_show(sys: RumpCalls, fd: number, i: IfInfo, media: boolean): Promise<string[]> {
  const lines: string[] = [];
  const metric = i.metric === 0 ? "" : ` metric ${i.metric}`;
  lines.push(`${i.name}: flags=${snprintb(IFFBITS, i.flags)}${metric} mtu ${i.mtu}`);
  const caps = await caps_of(sys, fd, i.name);
  if (caps !== null && caps.capabilities !== 0) {
    lines.push(
      `\tcapabilities=${snprintb(IFCAPBITS, caps.capabilities)}`,
      `\tenabled=${snprintb(IFCAPBITS, caps.enabled)}`,
    );
  }
  if (i.lladdr.length === 6) lines.push(`\taddress: ${ether_ntoa(i.lladdr)}`);
  const linkstr = await linkstr_of(sys, fd, i.name);
  if (linkstr !== null) lines.push(`\tlinkstr: ${linkstr}`);
  const m = await media_of(sys, fd, i.name);
  if (m !== null) {
    lines.push(
      `\tmedia: Ethernet ${m.current}${m.active === m.current ? "" : ` (${m.active})`}`,
      `\tstatus: ${link_status(i)}`,
    );
    if (media) lines.push("\tsupported Ethernet media:", ...m.supported.map((s) => `\t\tmedia ${s}`));
  }
  for (const a of i.addresses) {
    const other =
      a.brd === null
        ? ""
        : (i.flags & IFF_POINTOPOINT) !== 0
          ? ` -> ${inet_ntoa(a.brd)}`
          : ` broadcast ${inet_ntoa(a.brd)}`;
    lines.push(`\tinet ${inet_ntoa(a.addr)}/${a.prefixlen}${other} flags ${snprintb(IN_IFFBITS, a.flags)}`);
  }
  return lines;
}

/** An interface as JSON. */
export async function ifconfig_json(sys: RumpCalls, fd: number, i: IfInfo): Promise<object> {
  const caps = await caps_of(sys, fd, i.name);
  const media = await media_of(sys, fd, i.name);
  return {
    name: i.name,
    index: i.index,
    flags: bit_names(IFFBITS, i.flags),
    mtu: i.mtu,
    metric: i.metric,
    address: i.lladdr.length === 6 ? ether_ntoa(i.lladdr) : null,
    linkstr: await linkstr_of(sys, fd, i.name),
    status: link_status(i),
    media: media === null ? null : media.current,
    capabilities: caps === null ? [] : bit_names(IFCAPBITS, caps.capabilities),
    enabled: caps === null ? [] : bit_names(IFCAPBITS, caps.enabled),
    inet: i.addresses.map((a) => ({
      address: inet_ntoa(a.addr),
      prefixlen: a.prefixlen,
      [(i.flags & IFF_POINTOPOINT) !== 0 ? "destination" : "broadcast"]: a.brd === null ? null : inet_ntoa(a.brd),
      flags: bit_names(IN_IFFBITS, a.flags),
    })),
    counters: i.counters,
  };
}
