import { expect } from "chai";
import fc from "fast-check";
import {
  ETHER_IS_BROADCAST,
  ETHER_IS_MULTICAST,
  ETHER_MAP_IP_MULTICAST,
  EtherHeader,
  ETHERTYPE_IP,
  EVL_CFIOFTAG,
  EVL_MAKETAG,
  EVL_PRIOFTAG,
  EVL_VLANOFTAG,
  ether_addr,
  ether_addr_hi,
  ether_addr_lo,
  ether_dhost_hi,
  ether_dhost_lo,
  ether_emit,
  ether_parse,
  ether_shost_hi,
  ether_shost_lo,
  ether_type,
} from "../../../kernel-components/wire/ether.ts";
import { ether_aton, ether_ntoa } from "../../../kernel-components/wire/ether_text.ts";
import { INADDR_ALLHOSTS_GROUP } from "../../../kernel-components/wire/in.ts";
import { WIRE_ENOSPACE, WIRE_ERANGE, WIRE_ETRUNC, WIRE_OK } from "../../../kernel-components/wire/wire_error.ts";
import { blob, bytes_of, hex, mac, u16, unhex, view } from "./bytes.ts";

const PLAIN = hex("01005e00 00fb 0200000000 0a 0800");
const TAGGED = hex("ffffffffffff 02aabbccddee 8100 a00c 0806");

describe("wire/ether", () => {
  it("deconstructs an untagged header", () => {
    const dv = view(PLAIN);
    expect(ether_dhost_hi(dv, 3)).to.equal(0x0100);
    expect(ether_dhost_lo(dv, 3)).to.equal(0x5e0000fb);
    expect(ether_shost_hi(dv, 3)).to.equal(0x0200);
    expect(ether_shost_lo(dv, 3)).to.equal(0x0a);
    expect(ether_type(dv, 3)).to.equal(ETHERTYPE_IP);
    const h = new EtherHeader();
    expect(ether_parse(dv, 3, 14, h)).to.equal(WIRE_OK);
    expect([h.hdr_len, h.evl_tag, h.ether_type]).to.deep.equal([14, -1, 0x0800]);
  });

  it("deconstructs and constructs an 802.1Q tag", () => {
    const h = new EtherHeader();
    expect(ether_parse(view(TAGGED), 3, 18, h)).to.equal(WIRE_OK);
    expect([EVL_PRIOFTAG(h.evl_tag), EVL_CFIOFTAG(h.evl_tag), EVL_VLANOFTAG(h.evl_tag)]).to.deep.equal([5, 0, 12]);
    expect([h.ether_type, h.hdr_len]).to.deep.equal([0x0806, 18]);
    expect(EVL_MAKETAG(12, 5, 0)).to.equal(h.evl_tag);
    const out = view(new Uint8Array(18), 1);
    expect(ether_emit(out, 1, h)).to.equal(18);
    expect(unhex(bytes_of(out, 1, 18))).to.equal(unhex(TAGGED));
  });

  it("refuses every truncation of a header", () => {
    for (let n = 0; n < 14; n++) expect(ether_parse(view(PLAIN), 3, n, new EtherHeader())).to.equal(WIRE_ETRUNC);
    for (let n = 0; n < 18; n++) expect(ether_parse(view(TAGGED), 3, n, new EtherHeader())).to.equal(WIRE_ETRUNC);
  });

  it("refuses to emit without room or with an address of another length", () => {
    const h = new EtherHeader();
    expect(ether_emit(view(new Uint8Array(13)), 3, h)).to.equal(WIRE_ENOSPACE);
    h.ether_dhost = new Uint8Array(5);
    expect(ether_emit(view(new Uint8Array(14)), 3, h)).to.equal(WIRE_ERANGE);
  });

  it("reads back what it wrote", () => {
    fc.assert(
      fc.property(mac, mac, u16, fc.option(u16, { nil: -1 }), (dst, src, type, tag) => {
        fc.pre(tag >= 0 || type !== 0x8100);
        const h = new EtherHeader();
        h.ether_dhost = dst;
        h.ether_shost = src;
        h.ether_type = type;
        h.evl_tag = tag;
        const dv = view(new Uint8Array(18));
        const n = ether_emit(dv, 3, h);
        const back = new EtherHeader();
        expect(ether_parse(dv, 3, n, back)).to.equal(WIRE_OK);
        h.hdr_len = n;
        expect(back).to.deep.equal(h);
      }),
    );
  });

  it("never throws on random bytes", () => {
    fc.assert(
      fc.property(blob(40), (b) => {
        expect(ether_parse(view(b), 3, b.length, new EtherHeader())).to.be.oneOf([WIRE_OK, WIRE_ETRUNC]);
      }),
    );
  });

  it("keeps an address as two numbers that are int32", () => {
    fc.assert(
      fc.property(mac, (a) => {
        const hi = ether_addr_hi(a);
        const lo = ether_addr_lo(a);
        expect(lo).to.equal(lo | 0);
        expect(ether_addr(hi, lo)).to.deep.equal(a);
        expect(ETHER_IS_MULTICAST(hi)).to.equal(((a[0] as number) & 1) === 1);
        expect(ETHER_IS_BROADCAST(hi, lo)).to.equal(a.every((b) => b === 255));
      }),
    );
  });

  it("maps 224.0.0.1 to 01:00:5e:00:00:01 (RFC 1112 §6.4)", () => {
    expect(ether_ntoa(ether_addr(0x0100, ETHER_MAP_IP_MULTICAST(INADDR_ALLHOSTS_GROUP)))).to.equal("01:00:5e:00:00:01");
  });

  it("writes and reads addresses as text, and refuses anything else", () => {
    fc.assert(
      fc.property(mac, (a) => {
        expect(ether_aton(ether_ntoa(a))).to.deep.equal({ ok: true, addr: a });
      }),
    );
    expect(ether_aton("2-0-0-0-0-A").addr).to.deep.equal(hex("02000000000a"));
    for (const t of [
      "",
      "02:00:00:00:00",
      "02:00:00:00:00:00:00",
      "02:00:00:00:00:0g",
      "020:0:0:0:0:0",
      "2:0-0:0:0:0",
      " 2:0:0:0:0:0",
    ])
      expect(ether_aton(t).ok, t).to.equal(false);
  });
});
