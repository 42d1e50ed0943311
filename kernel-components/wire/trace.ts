/*
 * One line for a frame, in the manner of tcpdump: what failing tests and tools print. Reads anything, never throws; what is malformed is said in brackets.
 */
import { ArpPacket, ARPOP_REPLY, ARPOP_REQUEST, arp_parse } from "./arp.ts";
import { cksum } from "./cksum.ts";
import {
  EtherHeader,
  ETHERTYPE_ARP,
  ETHERTYPE_IP,
  ETHERTYPE_IPV6,
  EVL_PRIOFTAG,
  EVL_VLANOFTAG,
  ether_parse,
} from "./ether.ts";
import { ether_ntoa } from "./ether_text.ts";
import { INADDR_ANY, IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_IGMP, IPPROTO_TCP, IPPROTO_UDP } from "./in.ts";
import { inet_ntoa } from "./inet_addr.ts";
import { inet_ntop6 } from "./inet6_addr.ts";
import { IP_DF, IP_MF, IP_OFFMASK, IpHeader, ip_parse } from "./ipv4.ts";
import { ip_options_text } from "./trace_ipopt.ts";
import { IP6_DST, IP6_HDRLEN, IP6_SRC, ip6_check, ip6_hlim, ip6_nxt, ip6_plen } from "./ipv6.ts";
import { LINKTYPE_ETHERNET, LINKTYPE_IPV4, LINKTYPE_IPV6, LINKTYPE_RAW } from "./linktype.ts";
import { trace_icmp, trace_icmp6, trace_igmp, trace_tcp, trace_udp } from "./trace_proto.ts";
import { WIRE_OK, wire_strerror } from "./wire_error.ts";

/**
 * The line of the `len` bytes at `off`: "02:.. > 02:.., IP 10.0.0.1.68 > 10.0.0.2.67: UDP, length 4". `linktype` is LINKTYPE_ETHERNET, or LINKTYPE_RAW,
 * LINKTYPE_IPV4 or LINKTYPE_IPV6 for a packet without link header.
 */
export function trace_frame(dv: DataView, off: number, len: number, linktype: number): string {
  const n = Math.max(0, Math.min(len, dv.byteLength - off));
  switch (linktype) {
    case LINKTYPE_ETHERNET:
      return trace_ether(dv, off, n);
    case LINKTYPE_RAW:
    case LINKTYPE_IPV4:
    case LINKTYPE_IPV6:
      return trace_ip(dv, off, n);
    default:
      return `linktype ${linktype}, length ${len}`;
  }
}

/** The same of bytes that lie in an array of their own. */
export function trace_bytes(bytes: Uint8Array, linktype: number): string {
  return trace_frame(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length, linktype);
}

function trace_ether(dv: DataView, off: number, len: number): string {
  const h = new EtherHeader();
  const err = ether_parse(dv, off, len, h);
  if (err !== WIRE_OK) return `[ether: ${wire_strerror(err)}, length ${len}]`;
  const tag = h.evl_tag < 0 ? "" : `, vlan ${EVL_VLANOFTAG(h.evl_tag)} p ${EVL_PRIOFTAG(h.evl_tag)}`;
  const head = `${ether_ntoa(h.ether_shost)} > ${ether_ntoa(h.ether_dhost)}${tag}, `;
  const at = off + h.hdr_len;
  const left = len - h.hdr_len;
  switch (h.ether_type) {
    case ETHERTYPE_ARP:
      return head + trace_arp(dv, at, left);
    case ETHERTYPE_IP:
    case ETHERTYPE_IPV6:
      return head + trace_ip(dv, at, left);
    default:
      return `${head}ethertype 0x${h.ether_type.toString(16).padStart(4, "0")}, length ${left}`;
  }
}

function trace_arp(dv: DataView, off: number, len: number): string {
  const p = new ArpPacket();
  const err = arp_parse(dv, off, len, p);
  if (err !== WIRE_OK) return `[ARP: ${wire_strerror(err)}, length ${len}]`;
  const spa = inet_ntoa(p.ar_spa);
  const tpa = inet_ntoa(p.ar_tpa);
  if (p.ar_op === ARPOP_REPLY) return `ARP, Reply ${spa} is-at ${ether_ntoa(p.ar_sha)}`;
  if (p.ar_op !== ARPOP_REQUEST) return `ARP, op ${p.ar_op}, ${spa} > ${tpa}`;
  if (p.ar_spa === INADDR_ANY) return `ARP, Probe who-has ${tpa}`;
  return p.ar_spa === p.ar_tpa ? `ARP, Announcement ${spa}` : `ARP, Request who-has ${tpa} tell ${spa}`;
}

/** A packet of either version. */
function trace_ip(dv: DataView, off: number, len: number): string {
  if (len < 1) return "[IP: empty]";
  return dv.getUint8(off) >>> 4 === 6 ? trace_ip6(dv, off, len) : trace_ip4(dv, off, len);
}

function trace_ip4(dv: DataView, off: number, len: number): string {
  const h = new IpHeader();
  const err = ip_parse(dv, off, len, h);
  if (err !== WIRE_OK) return `[IP: ${wire_strerror(err)}, length ${len}]`;
  const src = inet_ntoa(h.ip_src);
  const dst = inet_ntoa(h.ip_dst);
  const hlen = h.ip_hl << 2;
  const notes = [`ttl ${h.ip_ttl}`];
  if (h.ip_tos !== 0) notes.push(`tos 0x${h.ip_tos.toString(16)}`);
  const fragoff = (h.ip_off & IP_OFFMASK) << 3;
  if ((h.ip_off & (IP_MF | IP_OFFMASK)) !== 0)
    notes.push(`frag ${h.ip_id}:${h.ip_len - hlen}@${fragoff}${h.ip_off & IP_MF ? "+" : ""}`);
  if (h.ip_off & IP_DF) notes.push("DF");
  if (h.ip_opts.length > 0) notes.push(ip_options_text(h.ip_opts));
  if (cksum(dv, off, hlen) !== 0) notes.push("bad ip cksum");
  const tail = ` (${notes.join(", ")})`;
  const at = off + hlen;
  const left = h.ip_len - hlen;
  if (fragoff !== 0) return `IP ${src} > ${dst}: ip-proto-${h.ip_p}${tail}`;
  const whole = (h.ip_off & IP_MF) === 0;
  switch (h.ip_p) {
    case IPPROTO_UDP:
      return `IP ${trace_udp(dv, at, left, src, dst, whole ? h : null)}${tail}`;
    case IPPROTO_TCP:
      return `IP ${trace_tcp(dv, at, left, src, dst, whole ? h : null)}${tail}`;
    case IPPROTO_ICMP:
      return `IP ${src} > ${dst}: ${trace_icmp(dv, at, left, whole)}${tail}`;
    case IPPROTO_IGMP:
      return `IP ${src} > ${dst}: ${trace_igmp(dv, at, left)}${tail}`;
    default:
      return `IP ${src} > ${dst}: ip-proto-${h.ip_p}, length ${left}${tail}`;
  }
}

function trace_ip6(dv: DataView, off: number, len: number): string {
  const err = ip6_check(dv, off, len);
  if (err !== WIRE_OK) return `[IP6: ${wire_strerror(err)}, length ${len}]`;
  const bytes = new Uint8Array(dv.buffer, dv.byteOffset + off, IP6_HDRLEN);
  const src = inet_ntop6(bytes, IP6_SRC);
  const dst = inet_ntop6(bytes, IP6_DST);
  const at = off + IP6_HDRLEN;
  const left = ip6_plen(dv, off);
  const tail = ` (hlim ${ip6_hlim(dv, off)})`;
  switch (ip6_nxt(dv, off)) {
    case IPPROTO_UDP:
      return `IP6 ${trace_udp(dv, at, left, src, dst, null)}${tail}`;
    case IPPROTO_TCP:
      return `IP6 ${trace_tcp(dv, at, left, src, dst, null)}${tail}`;
    case IPPROTO_ICMPV6:
      return `IP6 ${src} > ${dst}: ${trace_icmp6(dv, at, left)}${tail}`;
    default:
      return `IP6 ${src} > ${dst}: next-header ${ip6_nxt(dv, off)}, length ${left}${tail}`;
  }
}
