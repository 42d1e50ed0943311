import { expect } from "chai";
import fc from "fast-check";
import { cksum } from "../../../kernel-components/wire/cksum.ts";
import {
  IGMP_HOST_LEAVE_MESSAGE,
  IGMP_HOST_MEMBERSHIP_QUERY,
  IGMP_v2_HOST_MEMBERSHIP_REPORT,
  IGMP_v3_HOST_MEMBERSHIP_REPORT,
  IgmpHeader,
  igmp_cksum,
  igmp_code,
  igmp_decode_exp,
  igmp_emit,
  igmp_group,
  igmp_length,
  igmp_parse,
  igmp_type,
  igmp_v3_nsrc,
  igmp_v3_qqic,
  igmp_v3_qrv,
  igmp_v3_s,
} from "../../../kernel-components/wire/igmp.ts";
import {
  WIRE_ELEN,
  WIRE_ENOSPACE,
  WIRE_ERANGE,
  WIRE_ETRUNC,
  WIRE_ETYPE,
  WIRE_OK,
} from "../../../kernel-components/wire/wire_error.ts";
import { blob, bytes_of, hex, i32, u8, unhex, view } from "./bytes.ts";

const V2_REPORT = hex("1600 06fb e1010203");
const V3_QUERY = hex("1164 ec1e 00000000 0a 7d 0001 0a000001");
const V3_REPORT = hex("2200 0000 0000 0002  04000000 e0000101  06 01 0001 e0000102 0a000001 deadbeef");

function parsed(bytes: Uint8Array, out = new IgmpHeader()): number {
  return igmp_parse(view(bytes), 3, bytes.length, out);
}

describe("wire/igmp", () => {
  it("deconstructs and constructs a version 2 report (RFC 2236 §2)", () => {
    const dv = view(V2_REPORT);
    expect([igmp_type(dv, 3), igmp_code(dv, 3), igmp_group(dv, 3)]).to.deep.equal([0x16, 0, 0xe1010203 | 0]);
    const h = new IgmpHeader();
    h.igmp_type = IGMP_v2_HOST_MEMBERSHIP_REPORT;
    h.igmp_group = 0xe1010203 | 0;
    expect(igmp_emit(dv, 3, h)).to.equal(8);
    expect(cksum(dv, 3, 8)).to.equal(0);
    expect(unhex(bytes_of(dv, 3, 8))).to.equal(unhex(V2_REPORT));
  });

  it("deconstructs a version 3 query (RFC 3376 §4.1)", () => {
    const dv = view(V3_QUERY);
    expect([igmp_v3_s(dv, 3), igmp_v3_qrv(dv, 3), igmp_v3_qqic(dv, 3), igmp_v3_nsrc(dv, 3)]).to.deep.equal([
      1, 2, 125, 1,
    ]);
    const h = new IgmpHeader();
    expect(parsed(V3_QUERY, h)).to.equal(WIRE_OK);
    expect([h.v3_query, h.sources]).to.deep.equal([true, [0x0a000001]]);
  });

  it("deconstructs a version 3 report and passes over auxiliary data (RFC 3376 §4.2)", () => {
    const h = new IgmpHeader();
    expect(parsed(V3_REPORT, h)).to.equal(WIRE_OK);
    expect(h.records).to.deep.equal([
      { type: 4, group: 0xe0000101 | 0, sources: [] },
      { type: 6, group: 0xe0000102 | 0, sources: [0x0a000001] },
    ]);
  });

  it("tells the versions of a query by their length (RFC 3376 §7.1)", () => {
    const h = new IgmpHeader();
    expect(parsed(V3_QUERY.slice(0, 8), h)).to.equal(WIRE_OK);
    expect(h.v3_query).to.equal(false);
    for (const n of [9, 10, 11]) expect(parsed(V3_QUERY.slice(0, n))).to.equal(WIRE_ELEN);
  });

  it("refuses truncated messages, sources and records, and unknown records", () => {
    for (let n = 0; n < 8; n++) expect(parsed(V2_REPORT.slice(0, n))).to.equal(WIRE_ETRUNC);
    for (let n = 12; n < 16; n++) expect(parsed(V3_QUERY.slice(0, n))).to.equal(WIRE_ETRUNC);
    for (let n = 8; n < V3_REPORT.length; n++) expect(parsed(V3_REPORT.slice(0, n)), `${n}`).to.equal(WIRE_ETRUNC);
    const odd = V3_REPORT.slice();
    for (const type of [0, 7, 255]) {
      odd[8] = type;
      expect(parsed(odd)).to.equal(WIRE_ETYPE);
    }
    const huge = V3_QUERY.slice();
    huge[10] = 0xff;
    expect(parsed(huge), "65281 sources").to.equal(WIRE_ETRUNC);
  });

  it("decodes the floating codes (RFC 3376 §4.1.1)", () => {
    expect([0, 127, 128, 0x8f, 0xff].map(igmp_decode_exp)).to.deep.equal([0, 127, 128, 248, 31744]);
  });

  it("refuses to emit sources or records where the type has none, and without room", () => {
    const h = new IgmpHeader();
    h.igmp_type = IGMP_HOST_LEAVE_MESSAGE;
    h.records = [{ type: 1, group: 0, sources: [] }];
    expect(igmp_emit(view(new Uint8Array(64)), 3, h)).to.equal(WIRE_ERANGE);
    h.records = [];
    expect(igmp_emit(view(new Uint8Array(7)), 3, h)).to.equal(WIRE_ENOSPACE);
    h.v3_query = true;
    expect(igmp_emit(view(new Uint8Array(64)), 3, h)).to.equal(WIRE_ERANGE);
  });

  it("reads back what it wrote", () => {
    const rec = fc.record({
      type: fc.integer({ min: 1, max: 6 }),
      group: i32,
      sources: fc.array(i32, { maxLength: 3 }),
    });
    fc.assert(
      fc.property(
        fc.boolean(),
        u8,
        i32,
        u8,
        fc.array(i32, { maxLength: 3 }),
        fc.array(rec, { maxLength: 3 }),
        (q, code, group, qqic, sources, records) => {
          const h = new IgmpHeader();
          h.igmp_type = q ? IGMP_HOST_MEMBERSHIP_QUERY : IGMP_v3_HOST_MEMBERSHIP_REPORT;
          h.igmp_code = code;
          h.v3_query = q;
          if (q) Object.assign(h, { igmp_group: group, qqic, s: 1, qrv: 5, sources });
          else h.records = records;
          const dv = view(new Uint8Array(100));
          const n = igmp_emit(dv, 3, h);
          expect(n).to.equal(igmp_length(h));
          const back = new IgmpHeader();
          expect(igmp_parse(dv, 3, n, back)).to.equal(WIRE_OK);
          expect(back).to.deep.equal(Object.assign(h, { igmp_cksum: igmp_cksum(dv, 3) }));
          expect(cksum(dv, 3, n)).to.equal(0);
        },
      ),
    );
  });

  it("never throws on random bytes", () => {
    fc.assert(
      fc.property(blob(80), fc.constantFrom(0x11, 0x22, 0x16, -1), (b, type) => {
        if (type >= 0 && b.length > 0) b[0] = type;
        expect(parsed(b)).to.be.at.most(WIRE_OK);
      }),
      { numRuns: 300 },
    );
  });
});
