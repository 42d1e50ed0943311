import { expect } from "chai";
import fc from "fast-check";
import { IcmpHeader, icmp_emit } from "../../../kernel-components/wire/icmp.ts";
import { IgmpHeader, igmp_emit } from "../../../kernel-components/wire/igmp.ts";
import { mk_ipopt_ra, mk_ipopt_rr } from "../../../kernel-components/wire/ip_options.ts";
import { IP_DF, IP_MF, IpHeader, ip_emit } from "../../../kernel-components/wire/ipv4.ts";
import { LINKTYPE_ETHERNET, LINKTYPE_RAW } from "../../../kernel-components/wire/linktype.ts";
import { TcpHeader, tcp_cksum4, tcp_emit, th_set_sum } from "../../../kernel-components/wire/tcp.ts";
import { trace_bytes, trace_frame } from "../../../kernel-components/wire/trace.ts";
import { blob, bytes_of, hex, view } from "./bytes.ts";

const SRC = 0x0a000001;
const DST = 0x0a000002;

/** A packet of 10.0.0.1 for 10.0.0.2 around a payload. */
function packet(ip_p: number, payload: Uint8Array, fields: Partial<IpHeader> = {}): Uint8Array {
  const h = Object.assign(new IpHeader(), { ip_p, ip_src: SRC, ip_dst: DST }, fields);
  h.ip_len = 20 + h.ip_opts.length + payload.length;
  const out = new Uint8Array(h.ip_len);
  out.set(payload, ip_emit(new DataView(out.buffer), 0, h));
  return out;
}
function raw(ip_p: number, payload: Uint8Array, fields: Partial<IpHeader> = {}): string {
  return trace_bytes(packet(ip_p, payload, fields), LINKTYPE_RAW);
}
/** What a codec's emit writes. */
function emitted(emit: (dv: DataView) => number): Uint8Array {
  const dv = view(new Uint8Array(200), 0);
  return bytes_of(dv, 0, emit(dv));
}

describe("wire/trace", () => {
  it("prints ARP: request, reply, probe and announcement (RFC 5227 §1.1)", () => {
    const eth = "ffffffffffff 02000000000a 0806 0001 0800 0604";
    const arp = (op: string, spa: string, tpa: string): string =>
      trace_bytes(hex(`${eth} ${op} 02000000000a ${spa} 000000000000 ${tpa}`), LINKTYPE_ETHERNET);
    const head = "02:00:00:00:00:0a > ff:ff:ff:ff:ff:ff, ";
    expect(arp("0001", "0a000001", "0a000002")).to.equal(`${head}ARP, Request who-has 10.0.0.2 tell 10.0.0.1`);
    expect(arp("0002", "0a000001", "0a000002")).to.equal(`${head}ARP, Reply 10.0.0.1 is-at 02:00:00:00:00:0a`);
    expect(arp("0001", "00000000", "0a000002")).to.equal(`${head}ARP, Probe who-has 10.0.0.2`);
    expect(arp("0001", "0a000001", "0a000001")).to.equal(`${head}ARP, Announcement 10.0.0.1`);
  });

  it("prints UDP behind a VLAN tag, and a bad checksum", () => {
    const udp = hex("04d2 0035 000d a2f8 68656c6c6f");
    const frame = Uint8Array.of(...hex("020000000001 020000000002 8100 6064 0800"), ...packet(17, udp));
    expect(trace_bytes(frame, LINKTYPE_ETHERNET)).to.equal(
      "02:00:00:00:00:02 > 02:00:00:00:00:01, vlan 100 p 3, IP 10.0.0.1.1234 > 10.0.0.2.53: UDP, length 5 (ttl 64)",
    );
    udp[12] = 0;
    expect(raw(17, udp)).to.equal("IP 10.0.0.1.1234 > 10.0.0.2.53: [bad udp cksum] UDP, length 5 (ttl 64)");
  });

  it("prints fragments and options", () => {
    const udp = hex("04d2 0035 0100 0000 68656c6c6f0000 00");
    expect(raw(17, udp, { ip_off: IP_MF, ip_id: 7 })).to.equal(
      "IP 10.0.0.1.1234 > 10.0.0.2.53: UDP, first fragment, length 8 (ttl 64, frag 7:16@0+)",
    );
    expect(raw(17, udp, { ip_off: 2, ip_id: 7 })).to.equal(
      "IP 10.0.0.1 > 10.0.0.2: ip-proto-17 (ttl 64, frag 7:16@16)",
    );
    const ip_opts = Uint8Array.of(...mk_ipopt_ra(), ...mk_ipopt_rr(1), 0);
    expect(raw(99, hex("00"), { ip_off: IP_DF, ip_tos: 0xb8, ip_opts })).to.equal(
      "IP 10.0.0.1 > 10.0.0.2: ip-proto-99, length 1 (ttl 64, tos 0xb8, DF, RA, RR{})",
    );
  });

  it("prints ICMP and the packet that an error quotes", () => {
    const icmp = (icmp_type: number, icmp_code: number, icmp_void: number, icmp_data: Uint8Array): string =>
      raw(
        1,
        emitted((dv) =>
          icmp_emit(dv, 0, Object.assign(new IcmpHeader(), { icmp_type, icmp_code, icmp_void, icmp_data })),
        ),
      );
    const quote = packet(17, hex("04d2 0035 000d 0000"));
    const ends = "IP 10.0.0.1 > 10.0.0.2: ICMP ";
    expect(icmp(8, 0, 0x00070002, new Uint8Array(56))).to.equal(`${ends}echo request, id 7, seq 2, length 64 (ttl 64)`);
    expect(icmp(3, 3, 0, quote)).to.equal(`${ends}10.0.0.2 udp port 53 unreachable - port, length 36 (ttl 64)`);
    expect(icmp(3, 4, 1400, quote)).to.contain("unreachable - need to frag (mtu 1400)");
    expect(icmp(5, 1, 0x0a0000fe, quote)).to.contain("redirect 10.0.0.2 udp port 53 code 1 to 10.0.0.254");
    expect(icmp(11, 0, 0, quote)).to.contain("time exceeded in-transit 10.0.0.2 udp port 53");
    expect(icmp(12, 0, 0x14000000, quote)).to.contain("parameter problem at 20 code 0");
    expect(raw(1, hex("0800 1234 0000 0000"))).to.contain("[bad icmp cksum]");
  });

  it("prints IGMP and TCP", () => {
    const report = Object.assign(new IgmpHeader(), {
      igmp_type: 0x22,
      records: [{ type: 4, group: 0xe1010203 | 0, sources: [] }],
    });
    expect(
      raw(
        2,
        emitted((dv) => igmp_emit(dv, 0, report)),
        { ip_ttl: 1 },
      ),
    ).to.equal("IP 10.0.0.1 > 10.0.0.2: igmp v3 report, 1 records [225.1.2.3 type 4 {}] (ttl 1)");
    const syn = Object.assign(new TcpHeader(), {
      th_sport: 1024,
      th_dport: 80,
      th_seq: -1,
      th_flags: 2,
      th_win: 65535,
    });
    syn.th_opts = hex("020405b4 01030307");
    const segment = emitted((dv) => {
      const n = tcp_emit(dv, 0, syn);
      th_set_sum(dv, 0, tcp_cksum4(dv, 0, n, SRC, DST));
      return n;
    });
    expect(raw(6, segment)).to.equal(
      "IP 10.0.0.1.1024 > 10.0.0.2.80: Flags [S], seq 4294967295, win 65535, options [mss 1460,wscale 7], length 0 (ttl 64)",
    );
    expect(raw(6, Uint8Array.of(...segment, 1, 2)))
      .to.contain("seq 4294967295:1,")
      .and.contain("[bad tcp cksum], length 2");
  });

  it("prints IPv6", () => {
    const p = hex(
      "60000000 0008 3a 40 fe800000000000000000000000000001 ff020000000000000000000000000001 8000 1122 0001 0002",
    );
    expect(trace_bytes(p, LINKTYPE_RAW)).to.equal(
      "IP6 fe80::1 > ff02::1: ICMP6, echo request, id 1, seq 2, length 8 (hlim 64)",
    );
  });

  it("says what is malformed", () => {
    expect(trace_bytes(hex("45000014"), LINKTYPE_RAW)).to.equal("[IP: truncated, length 4]");
    expect(trace_bytes(hex(""), LINKTYPE_RAW)).to.equal("[IP: empty]");
    expect(trace_bytes(hex("0200"), LINKTYPE_ETHERNET)).to.equal("[ether: truncated, length 2]");
    expect(raw(17, hex("0001"))).to.contain("[UDP: truncated, length 2]");
    const bad = packet(99, hex(""));
    bad[10] = 0;
    expect(trace_bytes(bad, LINKTYPE_RAW)).to.contain("bad ip cksum");
    expect(trace_frame(view(bad), 3, 5000, 777)).to.equal("linktype 777, length 5000");
  });

  it("never throws on random bytes, at any depth and with any length", () => {
    const protos = fc.constantFrom(1, 2, 6, 17, 58, 99);
    fc.assert(
      fc.property(blob(90), protos, fc.nat(4), fc.integer({ min: -5, max: 200 }), (b, p, depth, len) => {
        let frame = b;
        if (depth === 1) frame = packet(p, b);
        if (depth === 2) frame = Uint8Array.of(...hex("020000000001 020000000002 0800"), ...packet(p, b));
        if (depth === 3) frame = Uint8Array.of(...hex("020000000001 020000000002 0806"), ...b);
        if (depth === 4) frame = Uint8Array.of(0x60, 0, 0, 0, 0, b.length, p, 1, ...new Uint8Array(32), ...b);
        const dv = view(frame);
        for (const lt of [LINKTYPE_ETHERNET, LINKTYPE_RAW]) {
          expect(trace_frame(dv, 3, frame.length, lt)).to.be.a("string");
          expect(trace_frame(dv, 3, len, lt)).to.match(/^[^\n]+$/);
        }
      }),
      { numRuns: 1500 },
    );
  });
});
