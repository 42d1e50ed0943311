/** ICMP errors in words. */
import * as I from "../../kernel-components/wire/icmp.ts";

const UNREACH: ReadonlyMap<number, string> = new Map([
  [I.ICMP_UNREACH_NET, "Destination Net Unreachable"],
  [I.ICMP_UNREACH_HOST, "Destination Host Unreachable"],
  [I.ICMP_UNREACH_PROTOCOL, "Destination Protocol Unreachable"],
  [I.ICMP_UNREACH_PORT, "Destination Port Unreachable"],
  [I.ICMP_UNREACH_NEEDFRAG, "frag needed and DF set"],
  [I.ICMP_UNREACH_SRCFAIL, "Source Route Failed"],
  [I.ICMP_UNREACH_NET_PROHIB, "Net prohibited"],
  [I.ICMP_UNREACH_HOST_PROHIB, "Host prohibited"],
  [I.ICMP_UNREACH_ADMIN_PROHIBIT, "Communication prohibited"],
]);

/** The letters that traceroute puts behind a time. */
const MARKS: ReadonlyMap<number, string> = new Map([
  [I.ICMP_UNREACH_NET, "!N"],
  [I.ICMP_UNREACH_HOST, "!H"],
  [I.ICMP_UNREACH_PROTOCOL, "!P"],
  [I.ICMP_UNREACH_NEEDFRAG, "!F"],
  [I.ICMP_UNREACH_SRCFAIL, "!S"],
  [I.ICMP_UNREACH_ADMIN_PROHIBIT, "!X"],
  [I.ICMP_UNREACH_NET_PROHIB, "!A"],
  [I.ICMP_UNREACH_HOST_PROHIB, "!C"],
]);

/** An ICMP error in words. */
export function icmp_error_text(type: number, code: number): string {
  switch (type) {
    case I.ICMP_UNREACH:
      return UNREACH.get(code) ?? `Dest Unreachable, Bad Code: ${code}`;
    case I.ICMP_TIMXCEED:
      return code === I.ICMP_TIMXCEED_INTRANS ? "Time To Live exceeded" : "Frag reassembly time exceeded";
    case I.ICMP_PARAMPROB:
      return "Parameter problem";
    case I.ICMP_REDIRECT:
      return "Redirect";
    case I.ICMP_SOURCEQUENCH:
      return "Source Quench";
    default:
      return `ICMP type ${type} code ${code}`;
  }
}

/** traceroute's letters for an unreachable message, "" for a port. */
export function unreach_mark(code: number): string {
  return code === I.ICMP_UNREACH_PORT ? "" : (MARKS.get(code) ?? `!${code}`);
}
