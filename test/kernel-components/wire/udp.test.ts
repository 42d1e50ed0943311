import { expect } from "chai";
import fc from "fast-check";
import {
  UdpHeader,
  udp_cksum4,
  udp_cksum_wire,
  udp_emit,
  udp_parse,
  uh_dport,
  uh_set_sum,
  uh_set_ulen,
  uh_sport,
  uh_sum,
  uh_ulen,
} from "../../../kernel-components/wire/udp.ts";
import {
  WIRE_ELEN,
  WIRE_ENOSPACE,
  WIRE_ERANGE,
  WIRE_ETRUNC,
  WIRE_OK,
} from "../../../kernel-components/wire/wire_error.ts";
import { blob, bytes_of, hex, i32, u16, unhex, view } from "./bytes.ts";

/** From 10.0.0.1 to 10.0.0.2: "hello" from port 1234 to port 53, with the checksum. */
const HELLO = hex("04d2 0035 000d a2f8 68656c6c6f");
const SRC = 0x0a000001;
const DST = 0x0a000002;

function parsed(bytes: Uint8Array): number {
  return udp_parse(view(bytes), 3, bytes.length, new UdpHeader());
}

describe("wire/udp", () => {
  it("deconstructs and constructs a header (RFC 768)", () => {
    const dv = view(HELLO);
    expect([uh_sport(dv, 3), uh_dport(dv, 3), uh_ulen(dv, 3), uh_sum(dv, 3)]).to.deep.equal([1234, 53, 13, 0xa2f8]);
    const h = new UdpHeader();
    expect(udp_parse(dv, 3, 13, h)).to.equal(WIRE_OK);
    const out = view(new Uint8Array(8), 1);
    expect(udp_emit(out, 1, h)).to.equal(8);
    expect(unhex(bytes_of(out, 1, 8))).to.equal(unhex(HELLO.slice(0, 8)));
  });

  it("sums pseudo-header, header and data of odd length", () => {
    const dv = view(HELLO);
    expect(udp_cksum4(dv, 3, SRC, DST)).to.equal(0);
    uh_set_sum(dv, 3, 0);
    let sum = 0;
    for (const w of [0x0a00, 1, 0x0a00, 2, 17, 13, 1234, 53, 13, 0x6865, 0x6c6c, 0x6f00]) sum += w;
    expect(udp_cksum4(dv, 3, SRC, DST)).to.equal(~((sum & 0xffff) + (sum >> 16)) & 0xffff);
    uh_set_sum(dv, 3, udp_cksum_wire(udp_cksum4(dv, 3, SRC, DST)));
    expect(udp_cksum4(dv, 3, SRC, DST)).to.equal(0);
    expect(udp_cksum4(dv, 3, SRC, DST ^ 4)).not.to.equal(0);
  });

  it("sends a computed zero as all ones (RFC 768)", () => {
    expect([0, 1, 0xffff].map(udp_cksum_wire)).to.deep.equal([0xffff, 1, 0xffff]);
  });

  it("refuses truncation and impossible lengths, and lets padding be", () => {
    for (let n = 0; n < 8; n++) expect(parsed(HELLO.slice(0, n))).to.equal(WIRE_ETRUNC);
    for (let n = 8; n < 13; n++) expect(parsed(HELLO.slice(0, n))).to.equal(WIRE_ELEN);
    const dv = view(HELLO);
    for (const ulen of [0, 7, 14, 65535]) {
      uh_set_ulen(dv, 3, ulen);
      expect(udp_parse(dv, 3, 13, new UdpHeader()), `${ulen}`).to.equal(WIRE_ELEN);
    }
    uh_set_ulen(dv, 3, 8);
    expect(udp_parse(dv, 3, 13, new UdpHeader())).to.equal(WIRE_OK);
  });

  it("refuses to emit without room or out of range", () => {
    const h = new UdpHeader();
    expect(udp_emit(view(new Uint8Array(7)), 3, h)).to.equal(WIRE_ENOSPACE);
    h.uh_dport = 65536;
    expect(udp_emit(view(new Uint8Array(8)), 3, h)).to.equal(WIRE_ERANGE);
  });

  it("reads back what it wrote, and its checksum verifies", () => {
    fc.assert(
      fc.property(u16, u16, i32, i32, blob(40), (sport, dport, src, dst, data) => {
        const h = Object.assign(new UdpHeader(), { uh_sport: sport, uh_dport: dport, uh_ulen: 8 + data.length });
        const dv = view(Uint8Array.of(...new Uint8Array(8), ...data));
        udp_emit(dv, 3, h);
        h.uh_sum = udp_cksum_wire(udp_cksum4(dv, 3, src, dst));
        uh_set_sum(dv, 3, h.uh_sum);
        expect(udp_cksum4(dv, 3, src, dst)).to.equal(0);
        const back = new UdpHeader();
        expect(udp_parse(dv, 3, h.uh_ulen, back)).to.equal(WIRE_OK);
        expect(back).to.deep.equal(h);
      }),
    );
  });

  it("never throws on random bytes", () => {
    fc.assert(
      fc.property(blob(30), (b) => {
        expect(parsed(b)).to.be.at.most(WIRE_OK);
      }),
    );
  });
});
