/*
 * IPv4 options as text, for trace.ts and the ping tool.
 */
import { inet_ntoa } from "./inet_addr.ts";
import {
  IPOPT_LSRR,
  IPOPT_RA,
  IPOPT_RR,
  IPOPT_SSRR,
  IPOPT_TS,
  type IpOption,
  ip_options_parse,
  ipopt_words,
} from "./ip_options.ts";

/** "RR{10.0.0.1 10.0.0.2}, RA": each option, recorded routes up to their pointer, source routes whole. */
export function ip_options_text(bytes: Uint8Array): string {
  const opts = ip_options_parse(bytes);
  return opts === null ? "[bad options]" : opts.map(option_text).join(", ") || "NOP";
}

function option_text(o: IpOption): string {
  switch (o.type) {
    case IPOPT_RR:
      return `RR{${ipopt_words(o, true).map(inet_ntoa).join(" ")}}`;
    case IPOPT_LSRR:
      return `LSRR{${ipopt_words(o, false).map(inet_ntoa).join(" ")}}`;
    case IPOPT_SSRR:
      return `SSRR{${ipopt_words(o, false).map(inet_ntoa).join(" ")}}`;
    case IPOPT_TS:
      return `TS{${ipopt_words(o, true).length} words}`;
    case IPOPT_RA:
      return "RA";
    default:
      return `option ${o.type}`;
  }
}
