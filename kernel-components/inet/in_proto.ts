/*
 * The Internet domain: its protocol switch, and the input routines by protocol number (inetsw).
 */
import { Domain } from "../socket/domain.ts";
import { PR_ADDR, PR_ATOMIC, PR_PURGEIF, Protosw } from "../socket/protosw.ts";
import { AF_INET, SOCK_DGRAM, SOCK_RAW } from "../socket/socket_abi.ts";
import { IPPROTO_ICMP, IPPROTO_IGMP, IPPROTO_MAX, IPPROTO_UDP } from "../wire/in.ts";
import { arp_drain } from "./arp_table.ts";
import { icmp_input } from "./icmp_input.ts";
import type { IcmpCtl } from "./icmp_var.ts";
import { igmp_input } from "./igmp_input.ts";
import type { InetAf } from "./inet_af.ts";
import type { Inet } from "./inet.ts";
import { ip_reass_drain } from "./ip_reass.ts";
import { rip_input } from "./raw_ip.ts";
import { rip_ctlinput, rip_ctloutput, rip_usrreqs } from "./raw_ip_usrreq.ts";
import { udp_input } from "./udp_input.ts";
import { udp_ctlinput, udp_ctloutput, udp_usrreqs } from "./udp_usrreq.ts";

/** Makes the domain of one kernel and fills its table of input routines. */
export function inet_domain(inet: Inet, af: InetAf): Domain {
  const raw = rip_usrreqs(inet, af);
  const udp = new Protosw({
    pr_type: SOCK_DGRAM,
    pr_protocol: IPPROTO_UDP,
    pr_flags: PR_ATOMIC | PR_ADDR | PR_PURGEIF,
    pr_input: (m, off) => udp_input(inet, af, m, off),
    pr_ctlinput: (cmd, _sa, arg) => udp_ctlinput(inet, cmd, arg as IcmpCtl),
    pr_ctloutput: (op, so, sopt) => udp_ctloutput(af, op, so, sopt),
    pr_usrreqs: udp_usrreqs(inet, af),
  });
  const raw_protosw = (proto: number, pr_input: Protosw["pr_input"]): Protosw =>
    new Protosw({
      pr_type: SOCK_RAW,
      pr_protocol: proto,
      pr_flags: PR_ATOMIC | PR_ADDR | PR_PURGEIF,
      pr_input: pr_input!,
      pr_ctlinput: (cmd, _sa, arg) => rip_ctlinput(inet, cmd, arg as IcmpCtl),
      pr_ctloutput: (op, so, sopt) => rip_ctloutput(af, op, so, sopt),
      pr_usrreqs: raw,
      ...(proto === 0 ? { pr_drain: () => inet_drain(inet) } : {}),
    });
  const icmp = raw_protosw(IPPROTO_ICMP, (m, off, proto) => icmp_input(inet, m, off, proto));
  const igmp = raw_protosw(IPPROTO_IGMP, (m, off, proto) => igmp_input(inet, m, off, proto));
  const rip = raw_protosw(0, (m, off, proto) => rip_input(inet, m, off, proto));
  inet_protox(inet, [udp, icmp, igmp], rip);
  return new Domain({ dom_family: AF_INET, dom_name: "internet", dom_protosw: [udp, icmp, igmp, rip] });
}

/** Memory is short: fragments and packets that wait are what can be spared. */
function inet_drain(inet: Inet): void {
  ip_reass_drain(inet);
  arp_drain(inet);
}

/** Fills the input routines by protocol number; what no protocol takes is for raw sockets. */
function inet_protox(inet: Inet, known: readonly Protosw[], rip: Protosw): void {
  for (let p = 0; p < IPPROTO_MAX; p++) {
    inet.ip_protox[p] = rip.pr_input!;
    inet.ip_ctlinput[p] = rip.pr_ctlinput;
  }
  for (const pr of known) {
    inet.ip_protox[pr.pr_protocol] = pr.pr_input!;
    inet.ip_ctlinput[pr.pr_protocol] = pr.pr_ctlinput;
  }
}

/** Adds a protocol that another component brings (TCP): its input replaces the raw sockets' for its number. */
export function inet_protosw_register(inet: Inet, pr: Protosw): void {
  if (pr.pr_input !== null) inet.ip_protox[pr.pr_protocol] = pr.pr_input;
  inet.ip_ctlinput[pr.pr_protocol] = pr.pr_ctlinput;
}
