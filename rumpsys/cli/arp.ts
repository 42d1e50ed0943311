/**
 * arp(8).
 *
 *   arp [-n] HOST | arp [-n] -a | arp -d [-a] [HOST] [pub [proxy]] | arp -s HOST ETHER [temp] [pub [proxy]] | arp -f FILE
 */
import { readFileSync } from "node:fs";
import { ENOENT, ESRCH } from "../../hypercall/api/errno.ts";
import { abi_put_u64 } from "../../kernel-components/net/if_abi.ts";
import {
  RTF_ANNOUNCE,
  RTF_HOST,
  RTF_LLDATA,
  RTF_LOCAL,
  RTF_STATIC,
  RTM_ADD,
  RTM_DELETE,
  RTM_GET,
  RtInfo,
} from "../../kernel-components/net/rtentry.ts";
import { RTM_INITS_OFF, RTM_RMX_OFF, RTV_EXPIRE } from "../../kernel-components/net/rtsock_abi.ts";
import { NET_RT_FLAGS } from "../../kernel-components/net/rtsock_sysctl.ts";
import { IFT_ETHER } from "../../kernel-components/net/if_flags.ts";
import { AF_INET } from "../../kernel-components/socket/socket_abi.ts";
import { ether_aton, ether_ntoa } from "../../kernel-components/wire/ether_text.ts";
import { inet_ntoa } from "../../kernel-components/wire/inet_addr.ts";
import { mk_sockaddr_dl, mk_sockaddr_in, sdl_lladdr, sin_addr } from "../../kernel-components/wire/sockaddr.ts";
import { getopt } from "./getopt.ts";
import { ifnames, iflist } from "./iflist.ts";
import { parse_inet } from "./inet_args.ts";
import { rt_ask, rt_dump, rt_request } from "./rt_messages.ts";
import type { RtMsg } from "./rt_messages.ts";
import { EXIT_ENVIRONMENT, EXIT_FAILURE, EXIT_OK, ToolError, UsageError, errno_of } from "./tool.ts";
import type { ToolContext } from "./tool.ts";
import { in_len2mask } from "../../kernel-components/wire/in.ts";

/** Life of a temporary entry in seconds, as arp(8) gives it. */
const TEMP_LIFE_S = 20 * 60;
/** sin_other of struct sockaddr_inarp: only a proxy answers for it. */
const SIN_PROXY = 1;
const SIN_OTHER_OFF = 14;
const EXPIRE_PLACE = 8;

/** arp(8). */
export async function arp(cx: ToolContext, args: readonly string[]): Promise<number> {
  const o = getopt(args, "andsf:v");
  const [host, ...rest] = o.operands;
  const file = o.value("f");
  if (file !== undefined) return arp_file(cx, file);
  if (o.has("s")) return arp_set(cx, o.operands);
  if (o.has("d")) {
    if (o.has("a")) return arp_delete_all(cx);
    if (host === undefined) throw new UsageError("-d whom? an address, or -a for all");
    return arp_delete(cx, parse_inet(host, "host"), words(rest));
  }
  if (o.has("a")) {
    if (host !== undefined) throw new UsageError(`-a takes nothing: ${host}`);
    return arp_show(cx, null);
  }
  if (host === undefined || rest.length > 0) throw new UsageError("one address, or -a, -d, -s");
  return arp_show(cx, parse_inet(host, "host"));
}

interface ArpWords {
  readonly temp: boolean;
  readonly pub: boolean;
  readonly proxy: boolean;
}

function words(rest: readonly string[]): ArpWords {
  for (const word of rest)
    if (!["temp", "pub", "proxy"].includes(word)) throw new UsageError(`unknown word ${JSON.stringify(word)}`);
  return { temp: rest.includes("temp"), pub: rest.includes("pub"), proxy: rest.includes("proxy") };
}

/** One entry for people and as JSON. */
function entry(msg: RtMsg, names: ReadonlyMap<number, string>, now_s: number): { line: string; json: object } {
  const addr = msg.info.rti_dst === null ? 0 : sin_addr(msg.info.rti_dst);
  const mac = msg.info.rti_gateway === null ? new Uint8Array(0) : sdl_lladdr(msg.info.rti_gateway);
  const other = msg.info.rti_dst?.[SIN_OTHER_OFF] ?? 0;
  const at = mac.length === 6 ? ether_ntoa(mac) : null;
  const ifname = names.get(msg.index) ?? `#${msg.index}`;
  const expire = msg.metrics?.expire ?? 0;
  const left = expire === 0 ? null : Math.max(0, Math.round(expire - now_s));
  const local = (msg.flags & RTF_LOCAL) !== 0;
  const marks: string[] = [];
  if ((msg.flags & RTF_STATIC) !== 0 && left === null) marks.push("permanent");
  if (local) marks.push("local");
  if ((msg.flags & RTF_ANNOUNCE) !== 0) marks.push(other === SIN_PROXY ? "published (proxy only)" : "published");
  if (left !== null) marks.push(`expires in ${left} seconds`);
  const ip = inet_ntoa(addr);
  return {
    line: `${ip} (${ip}) at ${at ?? "(incomplete)"} on ${ifname}${marks.map((m) => ` ${m}`).join("")}`,
    json: {
      address: ip,
      ether: at,
      interface: ifname,
      permanent: (msg.flags & RTF_STATIC) !== 0 && left === null,
      local,
      published: (msg.flags & RTF_ANNOUNCE) !== 0,
      proxy_only: other === SIN_PROXY,
      expires_s: left,
    },
  };
}

async function arp_show(cx: ToolContext, addr: number | null): Promise<number> {
  const now_s = cx.clock.wall_s();
  const names = await ifnames(cx.sys);
  const list = (await rt_dump(cx.sys, AF_INET, NET_RT_FLAGS, RTF_LLDATA)).filter(
    (m) => addr === null || (m.info.rti_dst !== null && sin_addr(m.info.rti_dst) === addr),
  );
  if (addr !== null && list.length === 0) {
    const ip = inet_ntoa(addr);
    if (cx.json) cx.out("[]");
    else cx.out(`${ip} (${ip}) -- no entry`);
    return EXIT_FAILURE;
  }
  const entries = list.map((m) => entry(m, names, now_s));
  if (cx.json) cx.out(JSON.stringify(entries.map((e) => e.json)));
  else for (const e of entries) cx.out(e.line);
  return EXIT_OK;
}

function dst_of(addr: number, w: ArpWords): Uint8Array {
  const sa = mk_sockaddr_in(addr);
  if (w.proxy) sa[SIN_OTHER_OFF] = SIN_PROXY;
  return sa;
}

async function arp_set(cx: ToolContext, operands: readonly string[]): Promise<number> {
  const [host, ether, ...rest] = operands;
  if (host === undefined || ether === undefined) throw new UsageError("-s HOST ETHER [temp] [pub [proxy]]");
  const addr = parse_inet(host, "host");
  const w = words(rest);
  const list = await iflist(cx.sys);
  const ifp = list.find(
    (i) => i.type === IFT_ETHER && i.addresses.some((a) => ((a.addr ^ addr) & in_len2mask(a.prefixlen)) === 0),
  );
  if (ifp === undefined)
    throw new ToolError(`cannot intuit interface index and type for ${inet_ntoa(addr)}: it is on no network of ours`);
  const mac = ether === "auto" ? { ok: true, addr: ifp.lladdr } : ether_aton(ether);
  if (!mac.ok) throw new UsageError(`${JSON.stringify(ether)} is not an Ethernet address`);
  const info = new RtInfo();
  info.rti_dst = dst_of(addr, w);
  info.rti_gateway = mk_sockaddr_dl(ifp.index, ifp.type, "", mac.addr);
  const flags = RTF_HOST | RTF_LLDATA | (w.temp ? 0 : RTF_STATIC) | (w.pub || w.proxy ? RTF_ANNOUNCE : 0);
  const { bytes, dv } = rt_request(RTM_ADD, flags, 1, info);
  if (w.temp) {
    dv.setInt32(RTM_INITS_OFF, RTV_EXPIRE, true);
    abi_put_u64(dv, RTM_RMX_OFF + EXPIRE_PLACE * 8, Math.floor(cx.clock.wall_s()) + TEMP_LIFE_S);
  }
  await rt_ask(cx.sys, bytes);
  return EXIT_OK;
}

async function arp_delete(cx: ToolContext, addr: number, w: ArpWords): Promise<number> {
  const ip = inet_ntoa(addr);
  if (!(await arp_forget(cx, addr, w))) {
    cx.err(`delete: cannot locate ${ip}`);
    return EXIT_FAILURE;
  }
  cx.out(cx.json ? JSON.stringify({ address: ip, deleted: true }) : `${ip} (${ip}) deleted`);
  return EXIT_OK;
}

/** Deletes the entries of an address; false if there was none. */
async function arp_forget(cx: ToolContext, addr: number, w: ArpWords): Promise<boolean> {
  const info = new RtInfo();
  info.rti_dst = dst_of(addr, w);
  // Every interface may know the address.
  let deleted = 0;
  while (await arp_delete_one(cx, info)) deleted++;
  return deleted > 0;
}

/** Deletes one entry; false if there is none. */
async function arp_delete_one(cx: ToolContext, info: RtInfo): Promise<boolean> {
  try {
    await rt_ask(cx.sys, rt_request(RTM_GET, RTF_HOST | RTF_LLDATA, 1, info).bytes);
    await rt_ask(cx.sys, rt_request(RTM_DELETE, RTF_HOST | RTF_LLDATA, 2, info).bytes);
    return true;
  } catch (error) {
    if (errno_of(error) !== ENOENT && errno_of(error) !== ESRCH) throw error;
    return false;
  }
}

async function arp_delete_all(cx: ToolContext): Promise<number> {
  const addrs = new Set<number>();
  for (const msg of await rt_dump(cx.sys, AF_INET, NET_RT_FLAGS, RTF_LLDATA)) {
    if (msg.info.rti_dst !== null && (msg.flags & RTF_LOCAL) === 0) addrs.add(sin_addr(msg.info.rti_dst));
  }
  const gone: string[] = [];
  for (const addr of addrs) {
    const ip = inet_ntoa(addr);
    if (await arp_forget(cx, addr, { temp: false, pub: false, proxy: false })) gone.push(ip);
  }
  if (cx.json) cx.out(JSON.stringify(gone.map((address) => ({ address, deleted: true }))));
  else for (const ip of gone) cx.out(`${ip} (${ip}) deleted`);
  return EXIT_OK;
}

/** A line each: HOST ETHER [temp] [pub [proxy]]. */
async function arp_file(cx: ToolContext, file: string): Promise<number> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new ToolError(error instanceof Error ? error.message : String(error), EXIT_ENVIRONMENT);
  }
  for (const line of text.split("\n")) {
    const parts = line
      .trim()
      .split(/\s+/)
      .filter((p) => p !== "");
    if (parts.length > 0 && !line.startsWith("#")) await arp_set(cx, parts);
  }
  return EXIT_OK;
}
