import { expect } from "chai";
import fc from "fast-check";
import { LINKTYPE_ETHERNET, LINKTYPE_RAW } from "../../../kernel-components/wire/linktype.ts";
import { type PcapRecord, PcapReader, pcap_file_header, pcap_record } from "../../../kernel-components/wire/pcap.ts";
import {
  WIRE_ELEN,
  WIRE_ETRUNC,
  WIRE_ETYPE,
  WIRE_EVERSION,
  WIRE_OK,
} from "../../../kernel-components/wire/wire_error.ts";
import { blob, hex, unhex } from "./bytes.ts";

function read(bytes: Uint8Array): { r: PcapReader; recs: PcapRecord[] } {
  const r = new PcapReader(bytes);
  const recs: PcapRecord[] = [];
  for (let p: PcapRecord | null; (p = r.next()) !== null; ) recs.push(p);
  return { r, recs };
}

describe("wire/pcap", () => {
  it("writes the header and a record byte by byte", () => {
    expect(unhex(pcap_file_header(LINKTYPE_RAW, 65535))).to.equal(
      unhex(hex("4d3cb2a1 0200 0400 00000000 00000000 ffff0000 65000000")),
    );
    expect(unhex(pcap_record(1, 2, hex("aabb"), 60))).to.equal(unhex(hex("01000000 02000000 02000000 3c000000 aabb")));
  });

  it("reads back what it wrote", () => {
    const rec = fc.record({
      sec: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      nsec: fc.integer({ min: 0, max: 999_999_999 }),
      origlen: fc.nat(70_000),
      data: blob(60),
    });
    fc.assert(
      fc.property(fc.array(rec, { maxLength: 5 }), (list) => {
        const parts = [
          pcap_file_header(LINKTYPE_ETHERNET),
          ...list.map((p) => pcap_record(p.sec, p.nsec, p.data, p.origlen)),
        ];
        const { r, recs } = read(Uint8Array.from(parts.flatMap((p) => [...p])));
        expect([r.err, r.linktype]).to.deep.equal([WIRE_OK, LINKTYPE_ETHERNET]);
        expect(recs).to.deep.equal(list);
      }),
    );
  });

  it("reads big-endian files with microseconds", () => {
    const { r, recs } = read(
      hex("a1b2c3d4 0002 0004 00000000 00000000 00040000 00000001  00000001 00000002 00000001 00000005 aa"),
    );
    expect([r.err, r.snaplen]).to.deep.equal([WIRE_OK, 0x40000]);
    expect(recs).to.deep.equal([{ sec: 1, nsec: 2000, origlen: 5, data: hex("aa") }]);
  });

  it("refuses other files, other versions, cut and impossible records", () => {
    const head = pcap_file_header(1);
    const rec = pcap_record(0, 0, hex("aabb"), 2);
    const with_rec = (b: Uint8Array): Uint8Array => Uint8Array.of(...head, ...b);
    for (let n = 0; n < head.length; n++) expect(read(head.slice(0, n)).r.err).to.equal(WIRE_ETRUNC);
    for (let n = 1; n < rec.length; n++) expect(read(with_rec(rec.slice(0, n))).r.err).to.equal(WIRE_ETRUNC);
    expect(read(new Uint8Array(24)).r.err).to.equal(WIRE_ETYPE);
    const v3 = head.slice();
    v3[4] = 3;
    expect(read(v3).r.err).to.equal(WIRE_EVERSION);
    rec[11] = 0x80;
    const { r } = read(with_rec(rec));
    expect(r.err).to.equal(WIRE_ELEN);
    expect(r.err_text).to.equal("pcap record at byte 24: 2147483650 bytes");
  });

  it("never throws on random bytes", () => {
    fc.assert(fc.property(blob(80), (b) => void read(b)));
    fc.assert(fc.property(blob(80), (b) => void read(Uint8Array.of(...pcap_file_header(1), ...b))));
  });
});
