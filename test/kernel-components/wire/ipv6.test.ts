import { expect } from "chai";
import {
  ICMP6_ECHO_REQUEST,
  icmp6_check,
  icmp6_cksum,
  icmp6_code,
  icmp6_id,
  icmp6_mtu,
  icmp6_seq,
  icmp6_set_cksum,
  icmp6_set_code,
  icmp6_set_type,
  icmp6_type,
} from "../../../kernel-components/wire/icmp6.ts";
import {
  ip6_check,
  ip6_class,
  ip6_flow,
  ip6_hlim,
  ip6_nxt,
  ip6_plen,
  ip6_set_hlim,
  ip6_set_nxt,
  ip6_set_plen,
  ip6_set_vcf,
  ip6_v,
} from "../../../kernel-components/wire/ipv6.ts";
import { WIRE_ELEN, WIRE_ETRUNC, WIRE_EVERSION, WIRE_OK } from "../../../kernel-components/wire/wire_error.ts";
import { bytes_of, hex, unhex, view } from "./bytes.ts";

const PACKET = hex(
  "6ab12345 0008 3a ff fe800000000000000000000000000001 ff020000000000000000000000000001 8000 1122 0001 0002",
);

describe("wire/ipv6", () => {
  it("deconstructs and constructs the fixed header (RFC 8200 §3)", () => {
    const dv = view(PACKET);
    expect([ip6_v(dv, 3), ip6_class(dv, 3), ip6_flow(dv, 3)]).to.deep.equal([6, 0xab, 0x12345]);
    expect([ip6_plen(dv, 3), ip6_nxt(dv, 3), ip6_hlim(dv, 3)]).to.deep.equal([8, 58, 255]);
    const out = view(new Uint8Array(8), 1);
    ip6_set_vcf(out, 1, 0xab, 0x12345);
    ip6_set_plen(out, 1, 8);
    ip6_set_nxt(out, 1, 58);
    ip6_set_hlim(out, 1, 255);
    expect(unhex(bytes_of(out, 1, 8))).to.equal(unhex(PACKET.slice(0, 8)));
  });

  it("refuses truncation, another version and a payload that is not there", () => {
    expect(ip6_check(view(PACKET), 3, 48)).to.equal(WIRE_OK);
    for (let n = 0; n < 40; n++) expect(ip6_check(view(PACKET), 3, n)).to.equal(WIRE_ETRUNC);
    for (let n = 40; n < 48; n++) expect(ip6_check(view(PACKET), 3, n)).to.equal(WIRE_ELEN);
    const b = PACKET.slice();
    b[0] = 0x45;
    expect(ip6_check(view(b), 3, 48)).to.equal(WIRE_EVERSION);
  });

  it("deconstructs and constructs the ICMPv6 header (RFC 4443 §2.1)", () => {
    const dv = view(PACKET.slice(40));
    expect([icmp6_type(dv, 3), icmp6_code(dv, 3), icmp6_cksum(dv, 3)]).to.deep.equal([ICMP6_ECHO_REQUEST, 0, 0x1122]);
    expect([icmp6_id(dv, 3), icmp6_seq(dv, 3), icmp6_mtu(dv, 3)]).to.deep.equal([1, 2, 0x10002]);
    icmp6_set_type(dv, 3, 129);
    icmp6_set_code(dv, 3, 7);
    icmp6_set_cksum(dv, 3, 0xabcd);
    expect(unhex(bytes_of(dv, 3, 4))).to.equal("8107abcd");
    expect([icmp6_check(7), icmp6_check(8)]).to.deep.equal([WIRE_ETRUNC, WIRE_OK]);
  });
});
