/** The options of ping(8). */
import { IPOPT_LSRR, ip_options_emit, mk_ipopt_rr, mk_ipopt_sr } from "../../kernel-components/wire/ip_options.ts";
import { getopt, parse_number, parse_seconds } from "./getopt.ts";
import { parse_inet } from "./inet_args.ts";
import { UsageError } from "./tool.ts";

/** Data bytes by default. */
const DATALEN_DEFAULT = 56;
/** Most data bytes: an IP packet less its header and the ICMP header. */
const DATALEN_MAX = 65_507;
/** Seconds to wait for an answer after the last request, by default. */
const MAXWAIT_DEFAULT_S = 10;
/** Time between requests that -f waits for an answer at most, in s. */
const FLOOD_INTERVAL_S = 0.01;
/** Slots of a record route option: what fits an IP header. */
const RR_SLOTS = 9;
const COUNT_MAX = 1e9;
const WAIT_MAX_S = 86_400;

/** What ping was asked. */
export interface PingOptions {
  readonly dst: number;
  readonly text: string;
  /** Requests to send, Infinity for ever. */
  readonly count: number;
  readonly interval_ns: number;
  readonly maxwait_ns: number;
  readonly datalen: number;
  readonly preload: number;
  readonly ttl: number;
  readonly tos: number;
  readonly src: number | null;
  readonly pattern: Uint8Array | null;
  readonly flood: boolean;
  readonly quiet: boolean;
  /** Do not tell of ICMP errors. */
  readonly silent: boolean;
  readonly once: boolean;
  readonly verbose: boolean;
  readonly dontroute: boolean;
  readonly noloop: boolean;
  /** IP options, null if none. */
  readonly ipopts: Uint8Array | null;
}

/** Reads them. Throws UsageError. */
export function ping_options(args: readonly string[]): PingOptions {
  const o = getopt(args, "c:fg:I:i:Ll:nop:QqRrs:T:t:vw:", true);
  const [text, ...more] = o.operands;
  if (text === undefined) throw new UsageError("whom? an IPv4 address");
  if (more.length > 0) throw new UsageError(`one host at a time: ${more.join(" ")}`);
  const dst = parse_inet(text, "host");
  const flood = o.has("f");
  const interval = o.value("i");
  if (flood && interval !== undefined) throw new UsageError("-f and -i exclude each other");
  const maxwait = o.value("w");
  const src = o.value("I");
  return {
    dst,
    text,
    count: o.has("c") ? o.number("c", "-c", 0, 1, COUNT_MAX) : Number.POSITIVE_INFINITY,
    interval_ns:
      1e9 * (interval !== undefined ? parse_seconds(interval, "-i", 0, WAIT_MAX_S) : flood ? FLOOD_INTERVAL_S : 1),
    maxwait_ns: 1e9 * (maxwait === undefined ? MAXWAIT_DEFAULT_S : parse_seconds(maxwait, "-w", 0, WAIT_MAX_S)),
    datalen: o.number("s", "-s", DATALEN_DEFAULT, 0, DATALEN_MAX),
    preload: o.number("l", "-l", 0, 0, 65_536),
    ttl: o.number("T", "-T", 0, 1, 255),
    tos: o.number("t", "-t", 0, 0, 255),
    src: src === undefined ? null : parse_inet(src, "-I"),
    pattern: pattern_of(o.value("p")),
    flood,
    quiet: o.has("q"),
    silent: o.has("Q"),
    once: o.has("o"),
    verbose: o.has("v"),
    dontroute: o.has("r"),
    noloop: o.has("L"),
    ipopts: ipopts_of(o.has("R"), o.value("g"), dst),
  };
}

function pattern_of(text: string | undefined): Uint8Array | null {
  if (text === undefined) return null;
  if (!/^([0-9a-fA-F]{2}){1,16}$/.test(text)) throw new UsageError(`-p ${text}: 1 to 16 bytes in hexadecimal`);
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parse_number(`0x${text.slice(i * 2, i * 2 + 2)}`, "-p", 0, 255);
  return bytes;
}

function ipopts_of(record: boolean, gateway: string | undefined, dst: number): Uint8Array | null {
  if (record && gateway !== undefined) throw new UsageError("-R and -g exclude each other");
  if (record) return ip_options_emit([mk_ipopt_rr(RR_SLOTS)]);
  return gateway === undefined
    ? null
    : ip_options_emit([mk_ipopt_sr(IPOPT_LSRR, [parse_inet(gateway, "gateway"), dst])]);
}
