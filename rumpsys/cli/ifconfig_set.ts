/** What ifconfig does: the words after an interface's name, one after the other. */
import {
  abi_get_u64,
  abi_view,
  ifaliasreq,
  ifcapreq,
  ifdatareq,
  ifdrv,
  ifr_flags,
  ifreq,
  ifreq_addr,
  ifreq_flags,
  ifreq_int,
  IFLINKSTR_UNSET,
  SIOCAIFADDR,
  SIOCDIFADDR,
  SIOCGIFCAP,
  SIOCGIFFLAGS,
  SIOCIFCREATE,
  SIOCIFDESTROY,
  SIOCSIFCAP,
  SIOCSIFFLAGS,
  SIOCSIFMEDIA,
  SIOCSIFMETRIC,
  SIOCSIFMTU,
  SIOCSLINKSTR,
  SIOCZIFDATA,
} from "../../kernel-components/net/if_abi.ts";
import * as F from "../../kernel-components/net/if_flags.ts";
import { IFM_10G_T, IFM_AUTO, IFM_ETHER, IFM_FDX, IFM_MANUAL, IFM_NONE } from "../../kernel-components/net/if_media.ts";
import { in_len2mask } from "../../kernel-components/wire/in.ts";
import { inet_ntoa } from "../../kernel-components/wire/inet_addr.ts";
import { mk_sockaddr_in } from "../../kernel-components/wire/sockaddr.ts";
import { ENXIO } from "../../hypercall/api/errno.ts";
import { RumpError } from "../errors.ts";
import { parse_number } from "./getopt.ts";
import { ifinfo } from "./iflist.ts";
import { class_prefixlen, parse_inet, parse_mask, parse_prefix } from "./inet_args.ts";
import { ToolError, UsageError } from "./tool.ts";
import type { ToolContext } from "./tool.ts";

/** Words that set or clear an interface flag. */
const FLAG_WORDS: ReadonlyMap<string, readonly [number, number]> = new Map([
  ["up", [F.IFF_UP, 0]],
  ["down", [0, F.IFF_UP]],
  ["debug", [F.IFF_DEBUG, 0]],
  ["-debug", [0, F.IFF_DEBUG]],
  ["arp", [0, F.IFF_NOARP]],
  ["-arp", [F.IFF_NOARP, 0]],
  ["link0", [F.IFF_LINK0, 0]],
  ["-link0", [0, F.IFF_LINK0]],
  ["link1", [F.IFF_LINK1, 0]],
  ["-link1", [0, F.IFF_LINK1]],
  ["link2", [F.IFF_LINK2, 0]],
  ["-link2", [0, F.IFF_LINK2]],
]);

/** Words that switch capabilities; a minus in front switches off. */
const CAP_WORDS: ReadonlyMap<string, number> = new Map([
  ["ip4csum", F.IFCAP_CSUM_IPv4_Rx | F.IFCAP_CSUM_IPv4_Tx],
  ["udp4csum", F.IFCAP_CSUM_UDPv4_Rx | F.IFCAP_CSUM_UDPv4_Tx],
  ["tcp4csum", F.IFCAP_CSUM_TCPv4_Rx | F.IFCAP_CSUM_TCPv4_Tx],
  ["udp6csum", F.IFCAP_CSUM_UDPv6_Rx | F.IFCAP_CSUM_UDPv6_Tx],
  ["tcp6csum", F.IFCAP_CSUM_TCPv6_Rx | F.IFCAP_CSUM_TCPv6_Tx],
  ["tso4", F.IFCAP_TSOv4],
  ["tso6", F.IFCAP_TSOv6],
  ["uso4", F.IFCAP_USOv4],
]);

const MEDIA_WORDS: ReadonlyMap<string, number> = new Map([
  ["auto", IFM_ETHER | IFM_AUTO],
  ["autoselect", IFM_ETHER | IFM_AUTO],
  ["none", IFM_ETHER | IFM_NONE],
  ["manual", IFM_ETHER | IFM_MANUAL],
  ["10GbaseT", IFM_ETHER | IFM_10G_T | IFM_FDX],
]);

/** What an errno means for a word, where that is more than the errno says. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ["create EINVAL", "there is no such kind of interface; ifconfig -C lists them"],
  ["create EEXIST", "it is there already"],
  ["linkstr EBUSY", "the interface is up, or plugged in already"],
  ["linkstr EFTYPE", "the file is there and is no bus"],
  ["up ENXIO", "no such interface, or it is not plugged in (linkstr)"],
]);

/** What the words say of an address. */
class AddressWords {
  addr: number | null = null;
  len = -1;
  dst: number | null = null;
  brd: number | null = null;
  alias = false;
  remove = false;
}

/** Reads words and does what they say. */
class Words {
  private readonly cx: ToolContext;
  private readonly fd: number;
  private readonly name: string;
  private readonly words: readonly string[];
  private at = 0;
  private a: AddressWords = new AddressWords();

  constructor(cx: ToolContext, fd: number, name: string, words: readonly string[]) {
    this.cx = cx;
    this.fd = fd;
    this.name = name;
    this.words = words;
  }

  async run(): Promise<void> {
    while (this.at < this.words.length) {
      const from = this.at;
      const word = this.words[this.at++] as string;
      await this.telling(() => this.word(word), from);
    }
    await this.telling(() => this.address(), this.at);
  }

  /** What the kernel refuses is told with the words that asked for it. */
  private async telling(act: () => Promise<void>, from: number): Promise<void> {
    const address = this.a.addr;
    try {
      await act();
    } catch (error) {
      if (!(error instanceof RumpError) || error.syscall !== "ioctl") throw error;
      const words = this.words.slice(from, this.at).join(" ");
      const what = words === "" && address !== null ? inet_ntoa(address) : words;
      const why = words.startsWith("linkstr ") ? await this.linkerror() : "";
      if (why !== "") throw new ToolError(`${this.name} linkstr: ${why} (${error.code})`);
      const hint =
        HINTS.get(`${words.split(" ")[0]} ${error.code}`) ?? (error.errno === ENXIO ? "no such interface" : "");
      throw new ToolError(`${this.name} ${what}: ${error.code}: ${hint === "" ? error.describe() : hint}`);
    }
  }

  /** Why the kernel refused the link string, in words, with what cures it; "" if it does not say. */
  private async linkerror(): Promise<string> {
    try {
      return String(await this.cx.sys.sysctlbyname(`net.interfaces.${this.name}.linkerror`));
    } catch {
      return "";
    }
  }

  private next(after: string): string {
    const word = this.words[this.at++];
    if (word === undefined) throw new UsageError(`${after} needs a value`);
    return word;
  }

  private async ioctl(cmd: number, data: Uint8Array): Promise<void> {
    await this.cx.sys.ioctl(this.fd, cmd, data);
  }

  private async word(word: string): Promise<void> {
    const flag = FLAG_WORDS.get(word);
    if (flag !== undefined) return this.flags(flag[0], flag[1], word === "up");
    const cap = CAP_WORDS.get(word.replace(/^-/, ""));
    if (cap !== undefined) return this.caps(cap, word[0] !== "-");
    switch (word) {
      case "create":
        return this.ioctl(SIOCIFCREATE, ifreq(this.name));
      case "destroy":
        return this.ioctl(SIOCIFDESTROY, ifreq(this.name));
      case "linkstr":
        return this.ioctl(SIOCSLINKSTR, ifdrv(this.name, 0, new TextEncoder().encode(`${this.next(word)}\0`)));
      case "-linkstr":
        return this.ioctl(SIOCSLINKSTR, ifdrv(this.name, IFLINKSTR_UNSET, new Uint8Array(0)));
      case "mtu":
        return this.ioctl(SIOCSIFMTU, ifreq_int(this.name, parse_number(this.next(word), "mtu", 0, 65_535)));
      case "metric":
        return this.ioctl(SIOCSIFMETRIC, ifreq_int(this.name, parse_number(this.next(word), "metric", 0, 255)));
      case "media":
        return this.media(this.next(word));
      case "zero":
        return this.ioctl(SIOCZIFDATA, ifdatareq(this.name));
      default:
        return this.address_word(word);
    }
  }

  private address_word(word: string): void {
    const a = this.a;
    switch (word) {
      case "inet":
        return;
      case "alias":
        a.alias = true;
        return;
      case "-alias":
      case "delete":
        a.remove = true;
        return;
      case "netmask":
        a.len = mask_len(this.next(word));
        return;
      case "prefixlen":
        a.len = parse_number(this.next(word), "prefixlen", 0, 32);
        return;
      case "broadcast":
        a.brd = parse_inet(this.next(word), "broadcast address");
        return;
      case "inet6":
        throw new UsageError("inet6: this kernel has no IPv6");
      default:
    }
    if (a.addr === null) {
      if (!/^[0-9]/.test(word))
        throw new UsageError(`${JSON.stringify(word)} is neither a word of ifconfig nor an IPv4 address`);
      const p = parse_prefix(word);
      a.addr = p.addr;
      if (p.len !== -1) a.len = p.len;
    } else if (a.dst === null) a.dst = parse_inet(word, "destination");
    else throw new UsageError(`${JSON.stringify(word)}: one address at a time`);
  }

  private async flags(set: number, clear: number, is_up: boolean): Promise<void> {
    if (is_up) await this.address();
    const req = ifreq(this.name);
    await this.ioctl(SIOCGIFFLAGS, req);
    await this.ioctl(SIOCSIFFLAGS, ifreq_flags(this.name, (ifr_flags(req) & ~clear) | set));
  }

  private async caps(bits: number, on: boolean): Promise<void> {
    const req = ifcapreq(this.name, 0);
    await this.ioctl(SIOCGIFCAP, req);
    const enabled = abi_get_u64(abi_view(req), 24);
    await this.ioctl(SIOCSIFCAP, ifcapreq(this.name, on ? enabled | bits : enabled & ~bits));
  }

  private media(word: string): Promise<void> {
    const media = MEDIA_WORDS.get(word);
    if (media === undefined) throw new UsageError(`media ${word}: one of ${[...MEDIA_WORDS.keys()].join(", ")}`);
    return this.ioctl(SIOCSIFMEDIA, ifreq_int(this.name, media));
  }

  /** Sets or removes the address that the words have named; done once. */
  private async address(): Promise<void> {
    const a = this.a;
    if (a.remove) return this.remove();
    if (a.addr === null) {
      if (a.len !== -1 || a.brd !== null || a.alias) throw new UsageError("an address is missing");
      return;
    }
    const addr = a.addr;
    this.a = new AddressWords();
    const mask = in_len2mask(a.len === -1 ? class_prefixlen(addr) : a.len);
    const info = await ifinfo(this.cx.sys, this.name);
    if (!a.alias && !info.addresses.some((i) => i.addr === addr)) {
      const old = info.addresses[0];
      if (old !== undefined) await this.ioctl(SIOCDIFADDR, ifreq_addr(this.name, mk_sockaddr_in(old.addr)));
    }
    const ptp = (info.flags & F.IFF_POINTOPOINT) !== 0;
    if (ptp !== (a.dst !== null) && (info.flags & F.IFF_LOOPBACK) === 0) {
      throw new UsageError(
        ptp
          ? `${this.name} is point-to-point: a destination is missing`
          : `${this.name} is not point-to-point: ${inet_ntoa(a.dst ?? 0)} has no place`,
      );
    }
    const brd = (info.flags & F.IFF_BROADCAST) === 0 ? null : mk_sockaddr_in(a.brd ?? addr | ~mask);
    const dst = a.dst === null ? brd : mk_sockaddr_in(a.dst);
    await this.ioctl(SIOCAIFADDR, ifaliasreq(this.name, mk_sockaddr_in(addr), dst, mk_sockaddr_in(mask)));
  }

  private async remove(): Promise<void> {
    const a = this.a;
    a.remove = false;
    const info = await ifinfo(this.cx.sys, this.name);
    const addr = a.addr ?? info.addresses[0]?.addr;
    if (addr === undefined) throw new ToolError(`${this.name} has no address to delete`);
    a.addr = null;
    await this.ioctl(SIOCDIFADDR, ifreq_addr(this.name, mk_sockaddr_in(addr)));
  }
}

function mask_len(text: string): number {
  const mask = parse_mask(text);
  let len = 0;
  while (len < 32 && ((mask << len) & 0x8000_0000) !== 0) len++;
  return len;
}

/** Does what the words after an interface's name say. */
export function ifconfig_words(cx: ToolContext, fd: number, name: string, words: readonly string[]): Promise<void> {
  return new Words(cx, fd, name, words).run();
}
