import { expect } from "chai";
import fc from "fast-check";
import { cksum } from "../../../kernel-components/wire/cksum.ts";
import {
  ICMP_ECHO,
  ICMP_ECHOREPLY,
  ICMP_INFOTYPE,
  ICMP_MASKREPLY,
  ICMP_PARAMPROB,
  ICMP_REDIRECT,
  ICMP_TIMXCEED,
  ICMP_TSTAMP,
  ICMP_UNREACH,
  ICMP_UNREACH_NEEDFRAG,
  IcmpHeader,
  icmp_cksum,
  icmp_code,
  icmp_emit,
  icmp_gwaddr,
  icmp_id,
  icmp_mask,
  icmp_minlen,
  icmp_nextmtu,
  icmp_otime,
  icmp_parse,
  icmp_pptr,
  icmp_quotes,
  icmp_rtime,
  icmp_seq,
  icmp_set_nextmtu,
  icmp_set_pptr,
  icmp_set_void,
  icmp_ttime,
  icmp_type,
  icmp_void,
} from "../../../kernel-components/wire/icmp.ts";
import { WIRE_ENOSPACE, WIRE_ERANGE, WIRE_ETRUNC, WIRE_OK } from "../../../kernel-components/wire/wire_error.ts";
import { blob, bytes_of, hex, i32, u8, unhex, view } from "./bytes.ts";

const ECHO = hex("0800 f6c9 0001 0002 6869 6a");

function parsed(bytes: Uint8Array): number {
  return icmp_parse(view(bytes), 3, bytes.length, new IcmpHeader());
}

describe("wire/icmp", () => {
  it("deconstructs an echo request (RFC 792)", () => {
    const dv = view(ECHO);
    expect([icmp_type(dv, 3), icmp_code(dv, 3), icmp_id(dv, 3), icmp_seq(dv, 3)]).to.deep.equal([ICMP_ECHO, 0, 1, 2]);
    expect(icmp_void(dv, 3)).to.equal(0x00010002);
  });

  it("constructs one with the checksum over an odd length", () => {
    const h = new IcmpHeader();
    h.icmp_void = 0x00010002;
    h.icmp_data = hex("68696a");
    const dv = view(new Uint8Array(11), 1);
    expect(icmp_emit(dv, 1, h)).to.equal(11);
    expect(cksum(dv, 1, 11)).to.equal(0);
    expect(icmp_cksum(dv, 1)).to.equal(~(0x0800 + 1 + 2 + 0x6869 + 0x6a00) & 0xffff);
    expect(unhex(bytes_of(dv, 5, 7))).to.equal("0001000268696a");
  });

  it("reads the second word as each type has it", () => {
    const dv = view(hex("0304 0000 0000 05dc"));
    expect(icmp_nextmtu(dv, 3)).to.equal(1500);
    expect(icmp_gwaddr(view(hex("0501 0000 c0a80001")), 3)).to.equal(0xc0a80001 | 0);
    expect(icmp_pptr(view(hex("0c00 0000 15000000")), 3)).to.equal(0x15);
    icmp_set_void(dv, 3, 0);
    icmp_set_nextmtu(dv, 3, 576);
    expect(icmp_void(dv, 3)).to.equal(576);
    icmp_set_pptr(dv, 3, 255);
    expect(icmp_void(dv, 3)).to.equal((0xff000240 | 0) as number);
  });

  it("reads times and masks", () => {
    const dv = view(hex("0d00 0000 0001 0002 05265bff 80000001 00000003"));
    expect([icmp_otime(dv, 3), icmp_rtime(dv, 3), icmp_ttime(dv, 3)]).to.deep.equal([86399999, 0x80000001 | 0, 3]);
    expect(icmp_mask(view(hex("1200 0000 0000 0000 ffffff00")), 3)).to.equal(-256);
  });

  it("refuses what is shorter than its type needs", () => {
    for (let n = 0; n < 8; n++) expect(parsed(ECHO.slice(0, n))).to.equal(WIRE_ETRUNC);
    const least: [number, number][] = [
      [ICMP_ECHO, 8],
      [ICMP_UNREACH, 36],
      [ICMP_REDIRECT, 36],
      [ICMP_TSTAMP, 20],
      [ICMP_MASKREPLY, 12],
    ];
    for (const [type, n] of least) {
      expect(icmp_minlen(type)).to.equal(n);
      const b = new Uint8Array(n);
      b[0] = type;
      expect(parsed(b), `${type}`).to.equal(WIRE_OK);
      expect(parsed(b.slice(0, n - 1)), `${type}`).to.equal(WIRE_ETRUNC);
    }
  });

  it("tells errors from queries (RFC 1122 §3.2.2)", () => {
    for (let t = 0; t < 256; t++) expect(ICMP_INFOTYPE(t) && icmp_quotes(t), `${t}`).to.equal(false);
    expect([ICMP_UNREACH, ICMP_TIMXCEED, ICMP_PARAMPROB, ICMP_REDIRECT].every(icmp_quotes)).to.equal(true);
    expect([ICMP_ECHO, ICMP_ECHOREPLY, ICMP_TSTAMP].every(ICMP_INFOTYPE)).to.equal(true);
    expect(ICMP_INFOTYPE(30) || ICMP_INFOTYPE(6)).to.equal(false);
  });

  it("refuses to emit without room or out of range", () => {
    const h = new IcmpHeader();
    expect(icmp_emit(view(new Uint8Array(7)), 3, h)).to.equal(WIRE_ENOSPACE);
    h.icmp_code = 256;
    expect(icmp_emit(view(new Uint8Array(8)), 3, h)).to.equal(WIRE_ERANGE);
    h.icmp_code = ICMP_UNREACH_NEEDFRAG;
    expect(icmp_emit(view(new Uint8Array(8)), 3, h)).to.equal(8);
  });

  it("reads back what it wrote", () => {
    fc.assert(
      fc.property(u8, u8, i32, blob(50), (type, code, word, data) => {
        fc.pre(8 + data.length >= icmp_minlen(type));
        const h = Object.assign(new IcmpHeader(), {
          icmp_type: type,
          icmp_code: code,
          icmp_void: word,
          icmp_data: data,
        });
        const dv = view(new Uint8Array(60));
        const n = icmp_emit(dv, 3, h);
        const back = new IcmpHeader();
        expect(icmp_parse(dv, 3, n, back)).to.equal(WIRE_OK);
        expect(back).to.deep.equal(Object.assign(h, { icmp_cksum: icmp_cksum(dv, 3) }));
        expect(cksum(dv, 3, n)).to.equal(0);
      }),
    );
  });

  it("never throws on random bytes", () => {
    fc.assert(
      fc.property(blob(60), (b) => {
        expect(parsed(b)).to.be.oneOf([WIRE_OK, WIRE_ETRUNC]);
      }),
    );
  });
});
