/*
 * The part of a traced line behind the IP addresses. The length given is that of the IP payload, all of which lies in the view.
 */
import { cksum } from "./cksum.ts";
import * as icmp from "./icmp.ts";
import * as icmp6 from "./icmp6.ts";
import {
  IgmpHeader,
  igmp_parse,
  IGMP_HOST_LEAVE_MESSAGE,
  IGMP_HOST_MEMBERSHIP_QUERY,
  IGMP_v1_HOST_MEMBERSHIP_REPORT,
  IGMP_v2_HOST_MEMBERSHIP_REPORT,
  IGMP_v3_HOST_MEMBERSHIP_REPORT,
} from "./igmp.ts";
import { INADDR_ANY, IPPROTO_UDP } from "./in.ts";
import { inet_ntoa } from "./inet_addr.ts";
import { IP_HDRLEN, type IpHeader, ip_dst, ip_hlen, ip_p, ip_v } from "./ipv4.ts";
import {
  TcpHeader,
  tcp_cksum4,
  tcp_parse,
  TH_ACK,
  TH_CWR,
  TH_ECE,
  TH_FIN,
  TH_PUSH,
  TH_RST,
  TH_SYN,
  TH_URG,
} from "./tcp.ts";
import { TcpOptions, tcp_options_parse } from "./tcp_options.ts";
import { UdpHeader, udp_cksum4, udp_parse, uh_dport } from "./udp.ts";
import { WIRE_OK, wire_strerror } from "./wire_error.ts";

/** Names of the codes of ICMP_UNREACH. */
const unreach: readonly string[] = ["net", "host", "protocol", "port", "need to frag", "source route failed"];

/** "10.0.0.1.68 > 10.0.0.2.67: UDP, length 4"; `ip` gives the pseudo-header if the checksum can be verified. */
export function trace_udp(
  dv: DataView,
  off: number,
  len: number,
  src: string,
  dst: string,
  ip: IpHeader | null,
): string {
  const h = new UdpHeader();
  const err = udp_parse(dv, off, len, h);
  if (err !== WIRE_OK && (ip !== null || len < 8))
    return `${src} > ${dst}: [UDP: ${wire_strerror(err)}, length ${len}]`;
  if (err !== WIRE_OK)
    return `${src}.${dv.getUint16(off)} > ${dst}.${uh_dport(dv, off)}: UDP, first fragment, length ${len - 8}`;
  const bad =
    ip !== null && h.uh_sum !== 0 && udp_cksum4(dv, off, ip.ip_src, ip.ip_dst) !== 0 ? " [bad udp cksum]" : "";
  return `${src}.${h.uh_sport} > ${dst}.${h.uh_dport}:${bad} UDP, length ${h.uh_ulen - 8}`;
}

/** "10.0.0.1.1234 > 10.0.0.2.80: Flags [S], seq 1, win 65535, options [mss 1460], length 0". */
export function trace_tcp(
  dv: DataView,
  off: number,
  len: number,
  src: string,
  dst: string,
  ip: IpHeader | null,
): string {
  const h = new TcpHeader();
  const err = tcp_parse(dv, off, len, h);
  if (err !== WIRE_OK) return `${src} > ${dst}: [TCP: ${wire_strerror(err)}, length ${len}]`;
  const n = len - 20 - h.th_opts.length;
  const parts = [`Flags [${tcp_flags_text(h.th_flags)}]`];
  if (n > 0 || (h.th_flags & (TH_SYN | TH_FIN | TH_RST)) !== 0) {
    const seq = h.th_seq >>> 0;
    parts.push(n > 0 ? `seq ${seq}:${(seq + n) % 2 ** 32}` : `seq ${seq}`);
  }
  if (h.th_flags & TH_ACK) parts.push(`ack ${h.th_ack >>> 0}`);
  parts.push(`win ${h.th_win}`);
  if (h.th_flags & TH_URG) parts.push(`urg ${h.th_urp}`);
  if (h.th_opts.length > 0) parts.push(`options [${tcp_options_text(h.th_opts)}]`);
  if (ip !== null && tcp_cksum4(dv, off, len, ip.ip_src, ip.ip_dst) !== 0) parts.push("[bad tcp cksum]");
  return `${src}.${h.th_sport} > ${dst}.${h.th_dport}: ${parts.join(", ")}, length ${n}`;
}

/** tcpdump's letters: "S.", "P.", "F.", "R"; "none" without flags. */
export function tcp_flags_text(flags: number): string {
  const letter = (bit: number, c: string): string => (flags & bit ? c : "");
  const s =
    letter(TH_FIN, "F") +
    letter(TH_SYN, "S") +
    letter(TH_RST, "R") +
    letter(TH_PUSH, "P") +
    letter(TH_ACK, ".") +
    letter(TH_URG, "U") +
    letter(TH_ECE, "E") +
    letter(TH_CWR, "W");
  return s === "" ? "none" : s;
}

function tcp_options_text(bytes: Uint8Array): string {
  const o = new TcpOptions();
  const err = tcp_options_parse(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length, o);
  const s: string[] = [];
  if (o.mss >= 0) s.push(`mss ${o.mss}`);
  if (o.sack_permitted) s.push("sackOK");
  if (o.has_ts) s.push(`TS val ${o.ts_val >>> 0} ecr ${o.ts_ecr >>> 0}`);
  if (o.wscale >= 0) s.push(`wscale ${o.wscale}`);
  for (let i = 0; i < o.nsack; i++) s.push(`sack ${o.sack[2 * i] >>> 0}:${o.sack[2 * i + 1] >>> 0}`);
  if (err !== WIRE_OK) s.push(wire_strerror(err));
  return s.length === 0 ? "none known" : s.join(",");
}

/** "ICMP echo request, id 1, seq 2, length 64"; the checksum is verified if `whole`. */
export function trace_icmp(dv: DataView, off: number, len: number, whole: boolean): string {
  if (len < icmp.ICMP_MINLEN) return `[ICMP: truncated, length ${len}]`;
  const bad = whole && cksum(dv, off, len) !== 0 ? " [bad icmp cksum]" : "";
  return `ICMP ${icmp_text(dv, off, len)}, length ${len}${bad}`;
}

function icmp_text(dv: DataView, off: number, len: number): string {
  const code = icmp.icmp_code(dv, off);
  switch (icmp.icmp_type(dv, off)) {
    case icmp.ICMP_ECHO:
      return `echo request, id ${icmp.icmp_id(dv, off)}, seq ${icmp.icmp_seq(dv, off)}`;
    case icmp.ICMP_ECHOREPLY:
      return `echo reply, id ${icmp.icmp_id(dv, off)}, seq ${icmp.icmp_seq(dv, off)}`;
    case icmp.ICMP_UNREACH: {
      const mtu = code === icmp.ICMP_UNREACH_NEEDFRAG ? ` (mtu ${icmp.icmp_nextmtu(dv, off)})` : "";
      return `${quoted(dv, off + 8, len - 8)} unreachable - ${unreach[code] ?? `code ${code}`}${mtu}`;
    }
    case icmp.ICMP_SOURCEQUENCH:
      return `source quench ${quoted(dv, off + 8, len - 8)}`;
    case icmp.ICMP_REDIRECT:
      return `redirect ${quoted(dv, off + 8, len - 8)} code ${code} to ${inet_ntoa(icmp.icmp_gwaddr(dv, off))}`;
    case icmp.ICMP_TIMXCEED:
      return `time exceeded ${code === icmp.ICMP_TIMXCEED_REASS ? "in reassembly" : "in-transit"} ${quoted(dv, off + 8, len - 8)}`;
    case icmp.ICMP_PARAMPROB:
      return `parameter problem at ${icmp.icmp_pptr(dv, off)} code ${code} ${quoted(dv, off + 8, len - 8)}`;
    case icmp.ICMP_TSTAMP:
      return `time stamp request, id ${icmp.icmp_id(dv, off)}, seq ${icmp.icmp_seq(dv, off)}`;
    case icmp.ICMP_TSTAMPREPLY:
      return `time stamp reply, id ${icmp.icmp_id(dv, off)}, seq ${icmp.icmp_seq(dv, off)}`;
    case icmp.ICMP_MASKREQ:
      return "address mask request";
    case icmp.ICMP_MASKREPLY:
      return len >= icmp.ICMP_MASKLEN
        ? `address mask ${inet_ntoa(icmp.icmp_mask(dv, off))}`
        : "address mask [truncated]";
    case icmp.ICMP_ROUTERADVERT:
      return `router advertisement, ${icmp.icmp_num_addrs(dv, off)} addresses, lifetime ${icmp.icmp_lifetime(dv, off)}`;
    case icmp.ICMP_ROUTERSOLICIT:
      return "router solicitation";
    default:
      return `type ${icmp.icmp_type(dv, off)} code ${code}`;
  }
}

/** Where the packet quoted in an error went: "10.0.0.2 udp port 53". */
function quoted(dv: DataView, off: number, len: number): string {
  if (len < IP_HDRLEN || ip_v(dv, off) !== 4) return "[no packet quoted]";
  const dst = inet_ntoa(ip_dst(dv, off));
  const hlen = ip_hlen(dv, off);
  if (hlen < IP_HDRLEN || len < hlen + 4 || ip_p(dv, off) !== IPPROTO_UDP) return `${dst} proto ${ip_p(dv, off)}`;
  return `${dst} udp port ${uh_dport(dv, off + hlen)}`;
}

/** "igmp v2 report 224.1.2.3". */
export function trace_igmp(dv: DataView, off: number, len: number): string {
  const h = new IgmpHeader();
  const err = igmp_parse(dv, off, len, h);
  if (err !== WIRE_OK) return `[igmp: ${wire_strerror(err)}, length ${len}]`;
  const bad = cksum(dv, off, len) !== 0 ? " [bad igmp cksum]" : "";
  const group = inet_ntoa(h.igmp_group);
  switch (h.igmp_type) {
    case IGMP_HOST_MEMBERSHIP_QUERY: {
      const v = h.v3_query ? "v3" : h.igmp_code === 0 ? "v1" : "v2";
      return `igmp ${v} query${h.igmp_group === INADDR_ANY ? "" : ` ${group}`} max resp ${h.igmp_code}${bad}`;
    }
    case IGMP_v1_HOST_MEMBERSHIP_REPORT:
      return `igmp v1 report ${group}${bad}`;
    case IGMP_v2_HOST_MEMBERSHIP_REPORT:
      return `igmp v2 report ${group}${bad}`;
    case IGMP_HOST_LEAVE_MESSAGE:
      return `igmp leave ${group}${bad}`;
    case IGMP_v3_HOST_MEMBERSHIP_REPORT: {
      const recs = h.records.map((r) => `${inet_ntoa(r.group)} type ${r.type} {${r.sources.map(inet_ntoa).join(" ")}}`);
      return `igmp v3 report, ${recs.length} records [${recs.join("; ")}]${bad}`;
    }
    default:
      return `igmp type 0x${h.igmp_type.toString(16)}${bad}`;
  }
}

/** "ICMP6, echo request, id 1, seq 2, length 64". */
export function trace_icmp6(dv: DataView, off: number, len: number): string {
  if (icmp6.icmp6_check(len) !== WIRE_OK) return `[ICMP6: truncated, length ${len}]`;
  const type = icmp6.icmp6_type(dv, off);
  const echo = `id ${icmp6.icmp6_id(dv, off)}, seq ${icmp6.icmp6_seq(dv, off)}, length ${len}`;
  switch (type) {
    case icmp6.ICMP6_ECHO_REQUEST:
      return `ICMP6, echo request, ${echo}`;
    case icmp6.ICMP6_ECHO_REPLY:
      return `ICMP6, echo reply, ${echo}`;
    case icmp6.ICMP6_PACKET_TOO_BIG:
      return `ICMP6, packet too big, mtu ${icmp6.icmp6_mtu(dv, off) >>> 0}, length ${len}`;
    case icmp6.ND_ROUTER_SOLICIT:
      return `ICMP6, router solicitation, length ${len}`;
    case icmp6.ND_ROUTER_ADVERT:
      return `ICMP6, router advertisement, length ${len}`;
    case icmp6.ND_NEIGHBOR_SOLICIT:
      return `ICMP6, neighbor solicitation, length ${len}`;
    case icmp6.ND_NEIGHBOR_ADVERT:
      return `ICMP6, neighbor advertisement, length ${len}`;
    default:
      return `ICMP6, type ${type} code ${icmp6.icmp6_code(dv, off)}, length ${len}`;
  }
}
