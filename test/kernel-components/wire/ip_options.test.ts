import { expect } from "chai";
import fc from "fast-check";
import {
  IPOPT_COPIED,
  IPOPT_EOL,
  IPOPT_LSRR,
  IPOPT_NOP,
  IPOPT_RA,
  IPOPT_RR,
  IPOPT_SSRR,
  IPOPT_TS,
  IPOPT_TS_PRESPEC,
  IPOPT_TS_TSANDADDR,
  IPOPT_TS_TSONLY,
  IpOptIter,
  ip_options_emit,
  ip_options_parse,
  ipopt_ptr,
  ipopt_ra_value,
  ipopt_record,
  ipopt_room,
  ipopt_word,
  ipopt_words,
  ipt_flg,
  ipt_oflw,
  ipt_set_oflw,
  mk_ipopt_ra,
  mk_ipopt_rr,
  mk_ipopt_sr,
  mk_ipopt_ts,
} from "../../../kernel-components/wire/ip_options.ts";
import { blob, bytes_of, hex, i32, unhex, view } from "./bytes.ts";

/** [type, offset from the start, length] of each option, and whether the walk ended at a bad one. */
function walk(bytes: Uint8Array): { seen: number[][]; bad: boolean; at: number } {
  const it = new IpOptIter();
  const seen: number[][] = [];
  it.start_range(view(bytes), 3, bytes.length);
  while (it.next()) seen.push([it.opt_type, it.opt_off - 3, it.opt_len]);
  return { seen, bad: it.bad, at: it.opt_off - 3 };
}

/** The same, written as a plain reading of RFC 791 §3.1. */
function naive_walk(bytes: Uint8Array): { seen: number[][]; bad: boolean } {
  const seen: number[][] = [];
  let i = 0;
  while (i < bytes.length && bytes[i] !== 0) {
    const len = bytes[i] === 1 ? 1 : (bytes[i + 1] ?? 0);
    if (len < 1 || (bytes[i] !== 1 && len < 2) || i + len > bytes.length) return { seen, bad: true };
    seen.push([bytes[i] as number, i, len]);
    i += len;
  }
  return { seen, bad: false };
}

describe("wire/ip_options", () => {
  it("walks the options of a header, reporting IPOPT_NOP and stopping at IPOPT_EOL", () => {
    const header = hex("4800 0020 0000 0000 4001 0000 0a000001 0a000002  01 940400 00 07070400 00000000");
    header[0] = 0x48;
    const it = new IpOptIter();
    it.start(view(header), 3);
    expect(it.next()).to.equal(true);
    expect(it.opt_type).to.equal(IPOPT_NOP);
    expect(it.next()).to.equal(true);
    expect([it.opt_type, it.opt_len, it.opt_off]).to.deep.equal([IPOPT_RA, 4, 3 + 21]);
    expect(ipopt_ra_value(view(header), it.opt_off)).to.equal(0);
    expect(it.next()).to.equal(true);
    expect(it.opt_type).to.equal(IPOPT_RR);
    expect(it.next()).to.equal(false);
    expect(it.bad).to.equal(false);
  });

  it("says which option is malformed: no length, length 0 or 1, or beyond the end", () => {
    for (const b of ["01 07", "01 0700", "01 0701", "01 0704aa", "01 07ff04"]) {
      const w = walk(hex(b));
      expect(w.bad, b).to.equal(true);
      expect(w.at, b).to.equal(1);
      expect(w.seen, b).to.deep.equal([[IPOPT_NOP, 0, 1]]);
      expect(ip_options_parse(hex(b))).to.equal(null);
    }
  });

  it("agrees with the naive walk on random bytes, and ends", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40, max: 12 }), (b) => {
        const { seen, bad } = walk(b);
        expect({ seen, bad }).to.deep.equal(naive_walk(b));
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(blob(40), (b) => {
        expect(walk(b).bad).to.equal(naive_walk(b).bad);
      }),
    );
  });

  it("records a route until there is no room (RFC 791 §3.1)", () => {
    const dv = view(mk_ipopt_rr(2));
    expect([ipopt_ptr(dv, 3), ipopt_room(dv, 3, 4)]).to.deep.equal([4, true]);
    ipopt_record(dv, 3, 0x0a000001);
    ipopt_record(dv, 3, 0xc0a80001 | 0);
    expect([ipopt_ptr(dv, 3), ipopt_room(dv, 3, 4)]).to.deep.equal([12, false]);
    expect(unhex(bytes_of(dv, 3, 11))).to.equal("070b0c0a000001c0a80001");
    expect(ipopt_words({ type: IPOPT_RR, bytes: bytes_of(dv, 3, 11) }, true)).to.deep.equal([
      0x0a000001,
      0xc0a80001 | 0,
    ]);
  });

  it("gives the next hop of a source route, and replaces it by the address it left by", () => {
    const dv = view(mk_ipopt_sr(IPOPT_SSRR, [1, 2]));
    expect(ipopt_word(dv, 3)).to.equal(1);
    ipopt_record(dv, 3, 77);
    expect(ipopt_word(dv, 3)).to.equal(2);
    const o = { type: IPOPT_SSRR, bytes: bytes_of(dv, 3, 11) };
    expect([ipopt_words(o, true), ipopt_words(o, false)]).to.deep.equal([[77], [77, 2]]);
  });

  it("keeps flags and overflow of a timestamp option apart", () => {
    for (const flg of [IPOPT_TS_TSONLY, IPOPT_TS_TSANDADDR, IPOPT_TS_PRESPEC]) {
      const dv = view(mk_ipopt_ts(flg, 1));
      expect(ipopt_ptr(dv, 3)).to.equal(5);
      ipt_set_oflw(dv, 3, 15);
      expect([ipt_flg(dv, 3), ipt_oflw(dv, 3)]).to.deep.equal([flg, 15]);
    }
    expect(unhex(mk_ipopt_ts(IPOPT_TS_PRESPEC, 1, [0x01020304]))).to.equal("440c0503" + "0102030400000000");
  });

  it("knows which options are copied into fragments", () => {
    expect([IPOPT_LSRR, IPOPT_SSRR, IPOPT_RA].every(IPOPT_COPIED)).to.equal(true);
    expect([IPOPT_RR, IPOPT_TS, IPOPT_NOP, IPOPT_EOL].some(IPOPT_COPIED)).to.equal(false);
  });

  it("reads back a list that it wrote", () => {
    const one = fc.oneof(
      fc.integer({ min: 0, max: 2 }).map(mk_ipopt_rr),
      fc.array(i32, { maxLength: 2 }).map((h) => mk_ipopt_sr(IPOPT_LSRR, h)),
      fc.integer({ min: 0, max: 65535 }).map(mk_ipopt_ra),
    );
    fc.assert(
      fc.property(fc.array(one, { maxLength: 3 }), (opts) => {
        const all = ip_options_emit(opts);
        expect(all?.length).to.satisfy((n: number) => n % 4 === 0);
        expect(ip_options_parse(all as Uint8Array)?.map((o) => o.bytes)).to.deep.equal(opts);
      }),
    );
    expect(ip_options_emit([mk_ipopt_rr(9), mk_ipopt_ra()])).to.equal(null);
  });
});
