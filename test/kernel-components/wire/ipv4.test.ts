import { expect } from "chai";
import fc from "fast-check";
import { cksum, ip_cksum20 } from "../../../kernel-components/wire/cksum.ts";
import {
  IP_DF,
  IpHeader,
  ip_decrement_ttl,
  ip_dst,
  ip_emit,
  ip_hlen,
  ip_id,
  ip_len,
  ip_off,
  ip_p,
  ip_parse,
  ip_set_sum,
  ip_set_ttl,
  ip_src,
  ip_sum,
  ip_tos,
  ip_ttl,
  ip_v,
} from "../../../kernel-components/wire/ipv4.ts";
import {
  WIRE_EHLEN,
  WIRE_ELEN,
  WIRE_ENOSPACE,
  WIRE_ERANGE,
  WIRE_ETRUNC,
  WIRE_EVERSION,
  WIRE_OK,
} from "../../../kernel-components/wire/wire_error.ts";
import { blob, bytes_of, hex, i32, u16, u8, unhex, view } from "./bytes.ts";

/** The header that everybody computes by hand: checksum 0xb861. */
const HEADER = hex("4500 0073 0000 4000 4011 b861 c0a80001 c0a800c7");

function parsed(bytes: Uint8Array, len = bytes.length): number {
  return ip_parse(view(bytes), 3, len, new IpHeader());
}
/** A packet of 115 bytes with some header bytes changed. */
function packet(...changes: [number, number][]): Uint8Array {
  const b = new Uint8Array(115);
  b.set(HEADER);
  for (const [at, v] of changes) b[at] = v;
  return b;
}

describe("wire/ipv4", () => {
  it("deconstructs a header by offset (RFC 791 §3.1)", () => {
    const dv = view(HEADER);
    expect([ip_v(dv, 3), ip_hlen(dv, 3), ip_tos(dv, 3), ip_len(dv, 3)]).to.deep.equal([4, 20, 0, 115]);
    expect([ip_id(dv, 3), ip_off(dv, 3), ip_ttl(dv, 3), ip_p(dv, 3)]).to.deep.equal([0, IP_DF, 64, 17]);
    expect([ip_sum(dv, 3), ip_src(dv, 3), ip_dst(dv, 3)]).to.deep.equal([0xb861, 0xc0a80001 | 0, 0xc0a800c7 | 0]);
    expect(ip_cksum20(dv, 3)).to.equal(0);
  });

  it("constructs the same bytes with the checksum", () => {
    const h = new IpHeader();
    expect(ip_parse(view(packet()), 3, 115, h)).to.equal(WIRE_OK);
    h.ip_sum = 0xdead;
    const dv = view(new Uint8Array(20), 7);
    expect(ip_emit(dv, 7, h)).to.equal(20);
    expect(unhex(bytes_of(dv, 7, 20))).to.equal(unhex(HEADER));
  });

  it("refuses every truncation, saying what is missing", () => {
    for (let n = 0; n < 20; n++) expect(parsed(packet(), n)).to.equal(WIRE_ETRUNC);
    for (let n = 20; n < 115; n++) expect(parsed(packet(), n)).to.equal(WIRE_ELEN);
    expect(parsed(packet([0, 0x46]), 23), "options cut off").to.equal(WIRE_EHLEN);
  });

  it("refuses impossible versions and lengths", () => {
    for (const v of [0, 5, 6, 15]) expect(parsed(packet([0, (v << 4) | 5]))).to.equal(WIRE_EVERSION);
    for (const hl of [0, 1, 4]) expect(parsed(packet([0, 0x40 | hl]))).to.equal(WIRE_EHLEN);
    expect(parsed(packet([3, 19])), "total length below the header").to.equal(WIRE_ELEN);
    expect(parsed(packet([2, 1])), "total length beyond the packet").to.equal(WIRE_ELEN);
  });

  it("allows link padding behind the packet", () => {
    expect(parsed(packet([3, 20]))).to.equal(WIRE_OK);
  });

  it("pads options when it writes, and refuses too many", () => {
    const h = new IpHeader();
    h.ip_opts = hex("940400 00 01");
    h.ip_len = 28;
    const dv = view(new Uint8Array(28));
    expect(ip_emit(dv, 3, h)).to.equal(28);
    expect(cksum(dv, 3, 28)).to.equal(0);
    expect(unhex(bytes_of(dv, 23, 8))).to.equal("9404000001000000");
    h.ip_opts = new Uint8Array(41);
    h.ip_len = 100;
    expect(ip_emit(view(new Uint8Array(100)), 3, h)).to.equal(WIRE_ERANGE);
    h.ip_opts = new Uint8Array(40);
    expect(ip_emit(view(new Uint8Array(59)), 3, h)).to.equal(WIRE_ENOSPACE);
  });

  it("reads back what it wrote", () => {
    const opts = fc.uint8Array({ maxLength: 40 }).map((o) => o.slice(0, o.length & ~3));
    fc.assert(
      fc.property(u8, u16, u16, u8, u8, i32, i32, opts, (tos, id, off, ttl, p, src, dst, ip_opts) => {
        const h = new IpHeader();
        Object.assign(h, {
          ip_tos: tos,
          ip_id: id,
          ip_off: off,
          ip_ttl: ttl,
          ip_p: p,
          ip_src: src,
          ip_dst: dst,
          ip_opts,
        });
        h.ip_len = 20 + ip_opts.length;
        h.ip_hl = h.ip_len / 4;
        const dv = view(new Uint8Array(60));
        const n = ip_emit(dv, 3, h);
        h.ip_sum = ip_sum(dv, 3);
        const back = new IpHeader();
        expect(ip_parse(dv, 3, n, back)).to.equal(WIRE_OK);
        expect(back).to.deep.equal(h);
        expect(cksum(dv, 3, n)).to.equal(0);
      }),
    );
  });

  it("takes one from the time to live and leaves the checksum that a full computation gives (RFC 1624 §3)", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), fc.integer({ min: 1, max: 255 }), (b, ttl) => {
        const dv = view(b);
        ip_set_ttl(dv, 3, ttl);
        ip_set_sum(dv, 3, 0);
        ip_set_sum(dv, 3, ip_cksum20(dv, 3));
        ip_decrement_ttl(dv, 3);
        const sum = ip_sum(dv, 3);
        expect(ip_ttl(dv, 3)).to.equal(ttl - 1);
        ip_set_sum(dv, 3, 0);
        expect(sum).to.equal(ip_cksum20(dv, 3));
      }),
      { numRuns: 1000 },
    );
    // the checksum wraps past 0xffff: here RFC 1141's formula gives the other zero
    const dv = view(hex("4500 0014 0000 0000 0211 0000 00000000 00000000"));
    dv.setUint16(3 + 4, 0xb9da);
    expect(ip_cksum20(dv, 3)).to.equal(0xfeff);
    ip_set_sum(dv, 3, ip_cksum20(dv, 3));
    ip_decrement_ttl(dv, 3);
    const got = ip_sum(dv, 3);
    ip_set_sum(dv, 3, 0);
    expect(got).to.equal(ip_cksum20(dv, 3));
  });

  it("never throws on random bytes", () => {
    fc.assert(
      fc.property(blob(80), fc.boolean(), (b, likely) => {
        if (likely && b.length > 0) b[0] = 0x45 + (b.length % 4);
        expect(parsed(b)).to.be.at.most(WIRE_OK);
      }),
    );
  });
});
