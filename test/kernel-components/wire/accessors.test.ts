import { expect } from "chai";
import * as arp from "../../../kernel-components/wire/arp.ts";
import * as ether from "../../../kernel-components/wire/ether.ts";
import * as icmp from "../../../kernel-components/wire/icmp.ts";
import * as igmp from "../../../kernel-components/wire/igmp.ts";
import * as ip from "../../../kernel-components/wire/ipv4.ts";
import * as tcp from "../../../kernel-components/wire/tcp.ts";
import * as udp from "../../../kernel-components/wire/udp.ts";

type Get = (dv: DataView, off: number) => number;
type Set = (dv: DataView, off: number, v: number) => void;

/** Name, accessor, setter, place in the header, bits: each a line of the RFC's picture. */
const FIELDS: [string, Get, Set, number, number][] = [
  ["ether_type", ether.ether_type, ether.ether_set_type, 12, 16],
  ["evl_encap_proto", ether.evl_encap_proto, ether.evl_set_encap_proto, 12, 16],
  ["evl_tag", ether.evl_tag, ether.evl_set_tag, 14, 16],
  ["evl_proto", ether.evl_proto, ether.evl_set_proto, 16, 16],
  ["ar_hrd", arp.ar_hrd, arp.ar_set_hrd, 0, 16],
  ["ar_pro", arp.ar_pro, arp.ar_set_pro, 2, 16],
  ["ar_hln", arp.ar_hln, arp.ar_set_hln, 4, 8],
  ["ar_pln", arp.ar_pln, arp.ar_set_pln, 5, 8],
  ["ar_op", arp.ar_op, arp.ar_set_op, 6, 16],
  ["ar_spa", arp.ar_spa, arp.ar_set_spa, 14, 32],
  ["ar_tpa", arp.ar_tpa, arp.ar_set_tpa, 24, 32],
  ["ip_tos", ip.ip_tos, ip.ip_set_tos, 1, 8],
  ["ip_len", ip.ip_len, ip.ip_set_len, 2, 16],
  ["ip_id", ip.ip_id, ip.ip_set_id, 4, 16],
  ["ip_off", ip.ip_off, ip.ip_set_off, 6, 16],
  ["ip_ttl", ip.ip_ttl, ip.ip_set_ttl, 8, 8],
  ["ip_p", ip.ip_p, ip.ip_set_p, 9, 8],
  ["ip_sum", ip.ip_sum, ip.ip_set_sum, 10, 16],
  ["ip_src", ip.ip_src, ip.ip_set_src, 12, 32],
  ["ip_dst", ip.ip_dst, ip.ip_set_dst, 16, 32],
  ["icmp_type", icmp.icmp_type, icmp.icmp_set_type, 0, 8],
  ["icmp_code", icmp.icmp_code, icmp.icmp_set_code, 1, 8],
  ["icmp_cksum", icmp.icmp_cksum, icmp.icmp_set_cksum, 2, 16],
  ["icmp_void", icmp.icmp_void, icmp.icmp_set_void, 4, 32],
  ["icmp_id", icmp.icmp_id, icmp.icmp_set_id, 4, 16],
  ["icmp_seq", icmp.icmp_seq, icmp.icmp_set_seq, 6, 16],
  ["icmp_pptr", icmp.icmp_pptr, icmp.icmp_set_pptr, 4, 8],
  ["icmp_gwaddr", icmp.icmp_gwaddr, icmp.icmp_set_gwaddr, 4, 32],
  ["icmp_nextmtu", icmp.icmp_nextmtu, icmp.icmp_set_nextmtu, 6, 16],
  ["icmp_otime", icmp.icmp_otime, icmp.icmp_set_otime, 8, 32],
  ["icmp_rtime", icmp.icmp_rtime, icmp.icmp_set_rtime, 12, 32],
  ["icmp_ttime", icmp.icmp_ttime, icmp.icmp_set_ttime, 16, 32],
  ["icmp_mask", icmp.icmp_mask, icmp.icmp_set_mask, 8, 32],
  ["igmp_type", igmp.igmp_type, igmp.igmp_set_type, 0, 8],
  ["igmp_code", igmp.igmp_code, igmp.igmp_set_code, 1, 8],
  ["igmp_cksum", igmp.igmp_cksum, igmp.igmp_set_cksum, 2, 16],
  ["igmp_group", igmp.igmp_group, igmp.igmp_set_group, 4, 32],
  ["igmp_v3_ngrec", igmp.igmp_v3_ngrec, igmp.igmp_v3_set_ngrec, 6, 16],
  ["uh_sport", udp.uh_sport, udp.uh_set_sport, 0, 16],
  ["uh_dport", udp.uh_dport, udp.uh_set_dport, 2, 16],
  ["uh_ulen", udp.uh_ulen, udp.uh_set_ulen, 4, 16],
  ["uh_sum", udp.uh_sum, udp.uh_set_sum, 6, 16],
  ["th_sport", tcp.th_sport, tcp.th_set_sport, 0, 16],
  ["th_dport", tcp.th_dport, tcp.th_set_dport, 2, 16],
  ["th_seq", tcp.th_seq, tcp.th_set_seq, 4, 32],
  ["th_ack", tcp.th_ack, tcp.th_set_ack, 8, 32],
  ["th_flags", tcp.th_flags, tcp.th_set_flags, 13, 8],
  ["th_win", tcp.th_win, tcp.th_set_win, 14, 16],
  ["th_sum", tcp.th_sum, tcp.th_set_sum, 16, 16],
  ["th_urp", tcp.th_urp, tcp.th_set_urp, 18, 16],
];

describe("wire accessors", () => {
  it("store a field in network order at its place and nowhere else, and read it back as int32", () => {
    for (const [name, get, set, at, bits] of FIELDS) {
      const top = bits === 32 ? [0x80000001 | 0, -1] : [2 ** bits - 1, 2 ** (bits - 1) + 1];
      for (const v of [0, 1, ...top]) {
        const dv = new DataView(new ArrayBuffer(40));
        const want = new Uint8Array(40).fill(0xa5);
        new Uint8Array(dv.buffer).fill(0xa5);
        for (let i = 0; i < bits / 8; i++) want[5 + at + i] = v >>> (bits - 8 - 8 * i);
        set(dv, 5, v);
        expect(new Uint8Array(dv.buffer), name).to.deep.equal(want);
        expect(get(dv, 5), name).to.equal(v);
      }
    }
  });

  it("keep what shares a byte with the lengths of IPv4 and TCP headers apart", () => {
    const dv = new DataView(new ArrayBuffer(40));
    ip.ip_set_hlen(dv, 5, 60);
    expect([ip.ip_vhl(dv, 5), ip.ip_v(dv, 5), ip.ip_hl(dv, 5), ip.ip_hlen(dv, 5)]).to.deep.equal([0x4f, 4, 15, 60]);
    tcp.th_set_hlen(dv, 5, 32);
    expect([tcp.th_off(dv, 5), tcp.th_hlen(dv, 5), dv.getUint8(5 + 12)]).to.deep.equal([8, 32, 0x80]);
  });
});
