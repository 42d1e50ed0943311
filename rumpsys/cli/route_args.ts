/** The arguments of route add, delete, change, get and lock, as a routing message. */
import { IFT_OTHER } from "../../kernel-components/net/if_flags.ts";
import { abi_put_u64 } from "../../kernel-components/net/if_abi.ts";
import * as R from "../../kernel-components/net/rtentry.ts";
import { RTM_ADD, RTM_CHANGE, RTM_GET, RTM_LOCK, RtInfo } from "../../kernel-components/net/rtentry.ts";
import * as M from "../../kernel-components/net/rtsock_abi.ts";
import { inet_ntoa } from "../../kernel-components/wire/inet_addr.ts";
import { in_len2mask } from "../../kernel-components/wire/in.ts";
import { mk_sockaddr_dl, mk_sockaddr_in } from "../../kernel-components/wire/sockaddr.ts";
import type { RumpCalls } from "../client/rump_calls.ts";
import { parse_number } from "./getopt.ts";
import { ifinfo, iflist } from "./iflist.ts";
import { class_prefixlen, parse_inet, parse_mask, parse_prefix } from "./inet_args.ts";
import { rt_request } from "./rt_messages.ts";
import { UsageError } from "./tool.ts";
import { in_mask2len } from "../../kernel-components/wire/in.ts";

/** A request and how to speak of it. */
export interface RouteRequest {
  /** The message. */
  readonly bytes: Uint8Array;
  /** The destination as it was given. */
  readonly text: string;
  /** The gateway as it was given, "" if none. */
  readonly gateway_text: string;
  /** A route to one host. */
  readonly host: boolean;
}

const FLAG_WORDS: ReadonlyMap<string, number> = new Map([
  ["-blackhole", R.RTF_BLACKHOLE],
  ["-reject", R.RTF_REJECT],
  ["-proto1", R.RTF_PROTO1],
  ["-proto2", R.RTF_PROTO2],
  ["-proxy", R.RTF_ANNOUNCE],
  ["-cloning", R.RTF_CONNECTED],
  ["-connected", R.RTF_CONNECTED],
]);
/** Words that clear a flag. */
const CLEAR_WORDS: ReadonlyMap<string, number> = new Map([
  ["-noblackhole", R.RTF_BLACKHOLE],
  ["-noreject", R.RTF_REJECT],
  ["-nostatic", R.RTF_STATIC],
]);
/** Metrics: their RTV_ bit and place. */
const METRIC_WORDS: ReadonlyMap<string, readonly [number, number]> = new Map([
  ["-mtu", [M.RTV_MTU, 1]],
  ["-hopcount", [M.RTV_HOPCOUNT, 2]],
  ["-recvpipe", [M.RTV_RPIPE, 3]],
  ["-sendpipe", [M.RTV_SPIPE, 4]],
  ["-ssthresh", [M.RTV_SSTHRESH, 5]],
  ["-rtt", [M.RTV_RTT, 6]],
  ["-rttvar", [M.RTV_RTTVAR, 7]],
  ["-expire", [M.RTV_EXPIRE, 8]],
]);
const U32_MAX = 0xffff_ffff;

/** What the words say. */
class RouteWords {
  readonly info: RtInfo = new RtInfo();
  flags: number = R.RTF_UP;
  text = "";
  gateway_text = "";
  len = -1;
  host = false;
  net = false;
  iface = false;
  lock = false;
  inits = 0;
  locks = 0;
  static_off = false;
  readonly metrics: number[] = new Array<number>(10).fill(0);
  private readonly words: readonly string[];
  private at = 0;
  private readonly sys: RumpCalls;
  private readonly type: number;

  constructor(sys: RumpCalls, type: number, words: readonly string[]) {
    this.sys = sys;
    this.type = type;
    this.words = words;
  }

  private next(after: string): string {
    const word = this.words[this.at++];
    if (word === undefined) throw new UsageError(`${after} needs a value`);
    return word;
  }

  async run(): Promise<void> {
    while (this.at < this.words.length) await this.word(this.words[this.at++] as string);
    if (this.text === "") throw new UsageError("a destination is missing");
  }

  private async word(word: string): Promise<void> {
    const flag = FLAG_WORDS.get(word);
    const clear = CLEAR_WORDS.get(word);
    const metric = METRIC_WORDS.get(word);
    if (flag !== undefined) this.flags |= flag;
    else if (clear !== undefined) this.clear(clear);
    else if (metric !== undefined) this.metric(word, metric);
    else if (word[0] === "-") await this.option(word);
    else if (this.text === "") this.destination(word);
    else if (this.info.rti_gateway === null) await this.gateway(word);
    else this.mask(word);
  }

  private clear(bit: number): void {
    this.flags &= ~bit;
    if (bit === R.RTF_STATIC) this.static_off = true;
  }

  private metric(word: string, [bit, place]: readonly [number, number]): void {
    this.metrics[place] = parse_number(this.next(word), word, 0, U32_MAX);
    this.inits |= bit;
    if (this.lock) this.locks |= bit;
  }

  private async option(word: string): Promise<void> {
    switch (word) {
      case "-inet":
        return;
      case "-host":
        this.host = true;
        return;
      case "-net":
        this.net = true;
        return;
      case "-interface":
      case "-iface":
        this.iface = true;
        return;
      case "-netmask":
        return this.mask(this.next(word));
      case "-prefixlen":
        this.len = parse_number(this.next(word), word, 0, 32);
        return;
      case "-ifa":
        this.info.rti_ifaaddr = mk_sockaddr_in(parse_inet(this.next(word), "-ifa"));
        return;
      case "-ifp":
        this.info.rti_ifpaddr = await this.link(this.next(word));
        return;
      case "-lock":
      case "-lockrest":
        this.lock = true;
        return;
      case "-inet6":
        throw new UsageError("-inet6: this kernel has no IPv6");
      default:
        throw new UsageError(`unknown word ${word}`);
    }
  }

  private destination(word: string): void {
    this.text = word;
    if (word === "default") {
      this.info.rti_dst = mk_sockaddr_in(0);
      this.len = 0;
      this.net = true;
      return;
    }
    const p = parse_prefix(word, "destination");
    this.info.rti_dst = mk_sockaddr_in(p.addr);
    if (p.len !== -1) this.len = p.len;
  }

  private async gateway(word: string): Promise<void> {
    this.gateway_text = word;
    if (!this.iface) {
      this.info.rti_gateway = mk_sockaddr_in(parse_inet(word, "gateway"));
      this.flags |= R.RTF_GATEWAY;
      return;
    }
    if (/^[0-9.]+$/.test(word)) this.info.rti_gateway = mk_sockaddr_in(parse_inet(word, "interface address"));
    else this.info.rti_gateway = this.info.rti_ifpaddr = await this.link(word);
  }

  private async link(name: string): Promise<Uint8Array> {
    const found = (await iflist(this.sys)).find((i) => i.name === name) ?? (await ifinfo(this.sys, name));
    return mk_sockaddr_dl(found.index, found.type === 0 ? IFT_OTHER : found.type, name);
  }

  private mask(text: string): void {
    this.len = in_mask2len(parse_mask(text));
  }

  /** Host or net, and the mask. */
  finish(): void {
    const dst = this.info.rti_dst as Uint8Array;
    const addr =
      ((dst[4] as number) << 24) | ((dst[5] as number) << 16) | ((dst[6] as number) << 8) | (dst[7] as number) | 0;
    if (this.host && this.net) throw new UsageError("-host and -net exclude each other");
    if (this.host && this.len !== -1 && this.len !== 32) throw new UsageError(`-host ${this.text}: a host has no mask`);
    const looks_like_net =
      this.len !== -1 && this.len !== 32 ? true : this.net || (this.len === -1 && addr !== 0 && (addr & 0xff) === 0);
    this.host = !looks_like_net;
    if (this.host) this.flags |= R.RTF_HOST;
    else {
      if (this.len === -1) this.len = class_prefixlen(addr);
      const mask = in_len2mask(this.len);
      if ((addr & ~mask) !== 0 && this.type === RTM_ADD)
        throw new UsageError(`${inet_ntoa(addr)}/${this.len} has bits set beyond its mask`);
      this.info.rti_netmask = mk_sockaddr_in(mask);
    }
    if ((this.type === RTM_ADD || this.type === RTM_CHANGE) && !this.static_off) this.flags |= R.RTF_STATIC;
  }
}

/** Reads the words after the command. Throws UsageError. */
export async function route_parse(sys: RumpCalls, type: number, words: readonly string[]): Promise<RouteRequest> {
  const w = new RouteWords(sys, type, words);
  await w.run();
  if (type === RTM_GET) {
    w.info.rti_ifpaddr ??= mk_sockaddr_dl(0, 0);
    w.flags |= R.RTF_HOST;
    if (w.len !== -1 && w.len !== 32 && w.text !== "default") throw new UsageError("get takes an address without mask");
    w.host = true;
  } else w.finish();
  if (type === RTM_ADD && w.info.rti_gateway === null) {
    if ((w.flags & (R.RTF_BLACKHOLE | R.RTF_REJECT)) === 0) throw new UsageError("a gateway is missing");
    throw new UsageError("a blackhole or reject route needs a gateway too, such as 127.0.0.1");
  }
  if (type === RTM_LOCK && w.inits === 0) throw new UsageError("lock what? -mtu VALUE, ...");
  if (type === RTM_CHANGE && w.info.rti_gateway === null && (w.flags & R.RTF_GATEWAY) !== 0) w.flags &= ~R.RTF_GATEWAY;
  const { bytes, dv } = rt_request(type, w.flags, 1, w.info);
  dv.setInt32(M.RTM_INITS_OFF, w.inits, true);
  w.metrics[0] = w.locks;
  w.metrics.forEach((v, i) => abi_put_u64(dv, M.RTM_RMX_OFF + i * 8, v));
  return { bytes, text: w.text, gateway_text: w.gateway_text, host: w.host };
}
