import { expect } from "chai";
import fc from "fast-check";
import {
  ARP_ETHER_LEN,
  ArpPacket,
  ARPOP_REPLY,
  ar_op,
  ar_sha_hi,
  ar_sha_lo,
  ar_spa,
  ar_tha_hi,
  ar_tha_lo,
  ar_tpa,
  arp_emit,
  arp_parse,
} from "../../../kernel-components/wire/arp.ts";
import {
  WIRE_ELEN,
  WIRE_ENOSPACE,
  WIRE_ERANGE,
  WIRE_ETRUNC,
  WIRE_ETYPE,
  WIRE_OK,
} from "../../../kernel-components/wire/wire_error.ts";
import { blob, bytes_of, hex, i32, mac, u16, unhex, view } from "./bytes.ts";

const REPLY = hex("0001 0800 06 04 0002 02aabbccddee c0a80001 021122334455 0a0000fe");

function parsed(bytes: Uint8Array): number {
  return arp_parse(view(bytes), 3, bytes.length, new ArpPacket());
}
/** REPLY with one byte changed. */
function changed(at: number, v: number): Uint8Array {
  const b = REPLY.slice();
  b[at] = v;
  return b;
}

describe("wire/arp", () => {
  it("deconstructs a reply (RFC 826)", () => {
    const dv = view(REPLY);
    expect(ar_op(dv, 3)).to.equal(ARPOP_REPLY);
    expect([ar_sha_hi(dv, 3), ar_sha_lo(dv, 3)]).to.deep.equal([0x02aa, 0xbbccddee | 0]);
    expect([ar_tha_hi(dv, 3), ar_tha_lo(dv, 3)]).to.deep.equal([0x0211, 0x22334455]);
    expect([ar_spa(dv, 3), ar_tpa(dv, 3)]).to.deep.equal([0xc0a80001 | 0, 0x0a0000fe]);
  });

  it("constructs the same bytes", () => {
    const p = new ArpPacket();
    expect(arp_parse(view(REPLY), 3, 28, p)).to.equal(WIRE_OK);
    const dv = view(new Uint8Array(28), 5);
    expect(arp_emit(dv, 5, p)).to.equal(ARP_ETHER_LEN);
    expect(unhex(bytes_of(dv, 5, 28))).to.equal(unhex(REPLY));
  });

  it("refuses every truncation, also one that cuts only addresses", () => {
    for (let n = 0; n < 28; n++) expect(parsed(REPLY.slice(0, n)), `${n}`).to.equal(WIRE_ETRUNC);
  });

  it("refuses other hardware, other protocols and other lengths of addresses", () => {
    expect(parsed(changed(1, 24))).to.equal(WIRE_ETYPE);
    expect(parsed(changed(3, 1))).to.equal(WIRE_ETYPE);
    expect(parsed(changed(4, 8))).to.equal(WIRE_ELEN);
    expect(parsed(changed(5, 16))).to.equal(WIRE_ELEN);
    expect(parsed(changed(1, 6)), "IEEE 802").to.equal(WIRE_OK);
  });

  it("refuses to emit without room or out of range", () => {
    const p = new ArpPacket();
    expect(arp_emit(view(new Uint8Array(27)), 3, p)).to.equal(WIRE_ENOSPACE);
    p.ar_op = 65536;
    expect(arp_emit(view(new Uint8Array(28)), 3, p)).to.equal(WIRE_ERANGE);
  });

  it("reads back what it wrote", () => {
    fc.assert(
      fc.property(u16, mac, i32, mac, i32, (op, sha, spa, tha, tpa) => {
        const p = Object.assign(new ArpPacket(), { ar_op: op, ar_sha: sha, ar_spa: spa, ar_tha: tha, ar_tpa: tpa });
        const dv = view(new Uint8Array(28));
        arp_emit(dv, 3, p);
        const back = new ArpPacket();
        expect(arp_parse(dv, 3, 28, back)).to.equal(WIRE_OK);
        expect(back).to.deep.equal(p);
      }),
    );
  });

  it("never throws on random bytes", () => {
    fc.assert(
      fc.property(blob(60), (b) => {
        expect(parsed(b)).to.be.at.most(WIRE_OK);
      }),
    );
  });
});
