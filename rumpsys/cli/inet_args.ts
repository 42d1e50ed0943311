/** IPv4 addresses, networks and masks in arguments. The kernels have no resolver: addresses are numbers. */
import { in_len2mask, in_mask2len } from "../../kernel-components/wire/in.ts";
import { inet_aton, inet_ntoa } from "../../kernel-components/wire/inet_addr.ts";
import { in_classmask } from "../../kernel-components/inet/in.ts";
import { parse_number } from "./getopt.ts";
import { UsageError } from "./tool.ts";

/** An IPv4 address. Throws UsageError. */
export function parse_inet(text: string, what: string = "address"): number {
  const r = inet_aton(text);
  if (!r.ok) throw new UsageError(`${what} ${JSON.stringify(text)} is not an IPv4 address (names are not looked up)`);
  return r.addr;
}

/** A netmask: dotted, hexadecimal or a prefix length. Gaps are refused. */
export function parse_mask(text: string): number {
  const mask = /^0x[0-9a-fA-F]{1,8}$/.test(text)
    ? Number(text) | 0
    : /^\d{1,2}$/.test(text)
      ? in_len2mask(parse_number(text, "prefix length", 0, 32))
      : parse_inet(text, "netmask");
  if (in_mask2len(mask) < 0) throw new UsageError(`netmask ${text} has gaps`);
  return mask;
}

/** An address with its prefix length, -1 when none was given. */
export interface Prefix {
  readonly addr: number;
  readonly len: number;
}

/** ADDR or ADDR/LEN. */
export function parse_prefix(text: string, what: string = "address"): Prefix {
  const slash = text.indexOf("/");
  if (slash === -1) return { addr: parse_inet(text, what), len: -1 };
  return {
    addr: parse_inet(text.slice(0, slash), what),
    len: parse_number(text.slice(slash + 1), "prefix length", 0, 32),
  };
}

/** The prefix length that an address had by its class (RFC 791 §3.2). */
export function class_prefixlen(addr: number): number {
  return in_mask2len(in_classmask(addr));
}

/** 10.0.0.0/24. */
export function prefix_text(addr: number, len: number): string {
  return len === 32 ? inet_ntoa(addr) : `${inet_ntoa(addr)}/${len}`;
}
