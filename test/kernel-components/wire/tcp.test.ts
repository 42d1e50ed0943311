import { expect } from "chai";
import fc from "fast-check";
import {
  TcpHeader,
  TH_ACK,
  TH_SYN,
  tcp_cksum4,
  tcp_emit,
  tcp_parse,
  th_ack,
  th_dport,
  th_flags,
  th_hlen,
  th_seq,
  th_set_sum,
  th_sport,
  th_sum,
  th_urp,
  th_win,
} from "../../../kernel-components/wire/tcp.ts";
import { TcpOptions, tcp_options_emit, tcp_options_parse } from "../../../kernel-components/wire/tcp_options.ts";
import {
  WIRE_EHLEN,
  WIRE_ENOSPACE,
  WIRE_EOPT,
  WIRE_ERANGE,
  WIRE_ETRUNC,
  WIRE_OK,
} from "../../../kernel-components/wire/wire_error.ts";
import { blob, bytes_of, hex, i32, u16, u8, unhex, view } from "./bytes.ts";

const SYNACK = hex(
  "0050 d431 fffffffe 80000001 a012 ffff 1234 0005  0204 05b4 0402 080a 0000 0001 8000 0002 0103 0307",
);

function parsed(bytes: Uint8Array): number {
  return tcp_parse(view(bytes), 3, bytes.length, new TcpHeader());
}
function options(bytes: Uint8Array): { err: number; o: TcpOptions } {
  const o = new TcpOptions();
  return { err: tcp_options_parse(view(bytes), 3, bytes.length, o), o };
}

describe("wire/tcp", () => {
  it("deconstructs a header (RFC 9293 §3.1)", () => {
    const dv = view(SYNACK);
    expect([th_sport(dv, 3), th_dport(dv, 3), th_seq(dv, 3), th_ack(dv, 3)]).to.deep.equal([
      80, 54321, -2, -0x7fffffff,
    ]);
    expect([th_hlen(dv, 3), th_flags(dv, 3), th_win(dv, 3)]).to.deep.equal([40, TH_SYN | TH_ACK, 65535]);
    expect([th_sum(dv, 3), th_urp(dv, 3)]).to.deep.equal([0x1234, 5]);
  });

  it("constructs the same bytes, options and all", () => {
    const h = new TcpHeader();
    expect(tcp_parse(view(SYNACK), 3, SYNACK.length, h)).to.equal(WIRE_OK);
    const dv = view(new Uint8Array(40), 1);
    expect(tcp_emit(dv, 1, h)).to.equal(40);
    expect(unhex(bytes_of(dv, 1, 40))).to.equal(unhex(SYNACK));
    const { err, o } = options(h.th_opts);
    expect(err).to.equal(WIRE_OK);
    expect(unhex(tcp_options_emit(o) as Uint8Array).slice(0, 32)).to.equal(
      unhex(hex("020405b4 01030307 0402 080a00000001")),
    );
  });

  it("refuses truncation and impossible header lengths", () => {
    for (let n = 0; n < 20; n++) expect(parsed(SYNACK.slice(0, n))).to.equal(WIRE_ETRUNC);
    for (let n = 20; n < 40; n++) expect(parsed(SYNACK.slice(0, n))).to.equal(WIRE_EHLEN);
    const b = SYNACK.slice();
    for (const words of [0, 4, 11, 15]) {
      b[12] = words << 4;
      expect(parsed(b), `${words}`).to.equal(WIRE_EHLEN);
    }
  });

  it("refuses to emit without room, out of range or with too many options", () => {
    const h = new TcpHeader();
    expect(tcp_emit(view(new Uint8Array(19)), 3, h)).to.equal(WIRE_ENOSPACE);
    h.th_win = 65536;
    expect(tcp_emit(view(new Uint8Array(20)), 3, h)).to.equal(WIRE_ERANGE);
    h.th_opts = new Uint8Array(41);
    expect(tcp_emit(view(new Uint8Array(99)), 3, h)).to.equal(WIRE_ERANGE);
  });

  it("verifies what it computes over any length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 61 }), i32, i32, (seg, src, dst) => {
        const dv = view(seg);
        th_set_sum(dv, 3, 0);
        th_set_sum(dv, 3, tcp_cksum4(dv, 3, seg.length, src, dst));
        expect(tcp_cksum4(dv, 3, seg.length, src, dst)).to.equal(0);
      }),
    );
  });

  it("reads back what it wrote", () => {
    const opts = fc.uint8Array({ maxLength: 40 }).map((o) => o.slice(0, o.length & ~3));
    fc.assert(
      fc.property(u16, u16, i32, i32, u8, u16, u16, u16, opts, (sport, dport, seq, ack, flags, win, sum, urp, o) => {
        const h = new TcpHeader();
        Object.assign(h, { th_sport: sport, th_dport: dport, th_seq: seq, th_ack: ack, th_flags: flags });
        Object.assign(h, { th_win: win, th_sum: sum, th_urp: urp, th_opts: o });
        const dv = view(new Uint8Array(60));
        const n = tcp_emit(dv, 3, h);
        const back = new TcpHeader();
        expect(tcp_parse(dv, 3, n, back)).to.equal(WIRE_OK);
        expect(back).to.deep.equal(h);
      }),
    );
  });

  it("never throws on random bytes", () => {
    fc.assert(
      fc.property(blob(70), (b) => {
        expect(parsed(b)).to.be.at.most(WIRE_OK);
        expect(options(b).err).to.be.oneOf([WIRE_OK, WIRE_EOPT]);
      }),
    );
  });
});

describe("wire/tcp_options", () => {
  it("reads each option, passes over unknown ones and stops at the end of the list", () => {
    const { err, o } = options(
      hex("020405b4 01 fe04abcd 030307 0402 080a 00000001 80000002 050a 00000010 ffffff00 00 0204"),
    );
    expect(err).to.equal(WIRE_OK);
    expect([o.mss, o.wscale, o.sack_permitted, o.has_ts, o.ts_val, o.ts_ecr]).to.deep.equal([
      1460,
      7,
      true,
      true,
      1,
      0x80000002 | 0,
    ]);
    expect([o.nsack, o.sack[0], o.sack[1]]).to.deep.equal([1, 16, -256]);
  });

  it("ignores a known option of another length, and forgets the segment before", () => {
    const o = new TcpOptions();
    tcp_options_parse(view(hex("020405b4")), 3, 4, o);
    expect(tcp_options_parse(view(hex("0203 05 0506 00000000 050b 000000000000000000")), 3, 20, o)).to.equal(WIRE_OK);
    expect([o.mss, o.nsack]).to.deep.equal([-1, 0]);
  });

  it("refuses lengths of 0 and 1 and beyond the header, keeping what came before", () => {
    for (const b of ["020405b4 03", "020405b4 0300", "020405b4 0301", "020405b4 0304aa"]) {
      const { err, o } = options(hex(b));
      expect(err, b).to.equal(WIRE_EOPT);
      expect(o.mss, b).to.equal(1460);
    }
  });

  it("reads back what it wrote, in 40 bytes or not at all", () => {
    fc.assert(
      fc.property(
        fc.option(u16, { nil: -1 }),
        fc.option(u8, { nil: -1 }),
        fc.boolean(),
        fc.boolean(),
        i32,
        fc.array(i32, { maxLength: 8 }),
        (mss, wscale, sackok, ts, val, edges) => {
          const o = new TcpOptions();
          Object.assign(o, { mss, wscale, sack_permitted: sackok, has_ts: ts, nsack: edges.length >> 1 });
          if (ts) o.ts_val = val;
          o.sack.set(edges.slice(0, 2 * o.nsack));
          const bytes = tcp_options_emit(o);
          if (bytes === null) {
            expect(o.nsack).to.be.at.least(2);
            return;
          }
          expect(bytes.length % 4).to.equal(0);
          expect(options(bytes)).to.deep.equal({ err: WIRE_OK, o });
        },
      ),
    );
  });
});
