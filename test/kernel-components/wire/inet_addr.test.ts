import { isIPv4, isIPv6 } from "node:net";
import { expect } from "chai";
import fc from "fast-check";
import { inet_aton, inet_ntoa, inet_pton4 } from "../../../kernel-components/wire/inet_addr.ts";
import { inet_ntop6, inet_pton6 } from "../../../kernel-components/wire/inet6_addr.ts";
import { hex, i32, unhex } from "./bytes.ts";

describe("wire/inet_addr", () => {
  it("writes and reads every address", () => {
    fc.assert(
      fc.property(i32, (i) => {
        const text = inet_ntoa(i);
        expect(isIPv4(text)).to.equal(true);
        expect(inet_pton4(text)).to.deep.equal({ ok: true, addr: i });
        expect(inet_aton(text)).to.deep.equal({ ok: true, addr: i });
      }),
    );
    expect([0, -1, 0x7f000001, -0x80000000].map(inet_ntoa)).to.deep.equal([
      "0.0.0.0",
      "255.255.255.255",
      "127.0.0.1",
      "128.0.0.0",
    ]);
  });

  it("accepts exactly what the host's strict reader accepts", () => {
    const near = fc.stringMatching(/^[0-9.x ]{0,15}$/);
    const quad = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 3, maxLength: 5 }).map((p) => p.join("."));
    fc.assert(
      fc.property(fc.oneof(near, quad), (text) => {
        expect(inet_pton4(text).ok, text).to.equal(isIPv4(text));
      }),
      { numRuns: 1000 },
    );
    for (const t of ["", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.256", "1.2.3.4 ", "1.2.3.-4", "1..3.4", "１.2.3.4"])
      expect(inet_pton4(t).ok, t).to.equal(false);
  });

  it("reads what BSD reads: fewer parts, octal, hexadecimal, a tail behind white space", () => {
    const cases: [string, string][] = [
      ["127.1", "127.0.0.1"],
      ["10.1.2", "10.1.0.2"],
      ["10.65535", "10.0.255.255"],
      ["10.16777215", "10.255.255.255"],
      ["4294967295", "255.255.255.255"],
      ["0x7f.0X1", "127.0.0.1"],
      ["0177.0.0.01", "127.0.0.1"],
      ["0", "0.0.0.0"],
      ["1.2.3.4 and more", "1.2.3.4"],
    ];
    for (const [text, want] of cases) expect(inet_ntoa(inet_aton(text).addr), text).to.equal(want);
  });

  it("refuses numbers that are none or too large for their place", () => {
    for (const t of [
      "",
      " 1",
      ".",
      "1.",
      "1..2",
      "1.2.3.4.5",
      "256.1",
      "1.16777216",
      "1.2.65536",
      "1.2.3.256",
      "4294967296",
      "08",
      "0x",
      "0xg",
      "1e3",
      "-1",
      "1.2.3.4x",
    ])
      expect(inet_aton(t), t).to.deep.equal({ ok: false, addr: 0 });
  });
});

describe("wire/inet6_addr", () => {
  it("writes the canonical text (RFC 5952 §4, §5)", () => {
    const cases: [string, string][] = [
      ["00000000000000000000000000000000", "::"],
      ["00000000000000000000000000000001", "::1"],
      ["20010db8000000000001000000000001", "2001:db8::1:0:0:1"],
      ["20010db8000000010001000100010001", "2001:db8:0:1:1:1:1:1"],
      ["20010db8000000000000000000000000", "2001:db8::"],
      ["00000000000000010000000000000000", "0:0:0:1::"],
      ["00010000000000000000000000000abc", "1::abc"],
      ["00000000000000000000ffff0a000001", "::ffff:10.0.0.1"],
      ["0000000000000000000000000a000001", "::10.0.0.1"],
      ["0064ff9b0000000000000000 0a000001", "64:ff9b::a00:1"],
    ];
    for (const [bytes, text] of cases) {
      expect(inet_ntop6(hex(bytes))).to.equal(text);
      expect(unhex(inet_pton6(text).addr)).to.equal(unhex(hex(bytes)));
    }
  });

  it("reads back every address that it writes, also at an offset", () => {
    const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const a = Uint8Array.from([9, ...groups.flatMap((g) => [g >> 8, g & 255])]);
        const text = inet_ntop6(a, 1);
        expect(isIPv6(text), text).to.equal(true);
        expect(inet_pton6(text), text).to.deep.equal({ ok: true, addr: a.slice(1) });
        expect(text).not.to.match(/(^|:)0[0-9a-f]|[A-F]/);
      }),
      { numRuns: 500 },
    );
  });

  it("accepts exactly what the host's reader accepts", () => {
    const piece = fc.constantFrom(":", "::", "0", "1", "ab", "ffff", "10000", "1.2.3.4", "1.2.3", ":1", "2:", "g");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), fc.boolean(), (p, colons) => {
        const text = p.join(colons ? ":" : "");
        expect(inet_pton6(text).ok, text).to.equal(isIPv6(text));
      }),
      { numRuns: 3000 },
    );
    for (const t of [
      "",
      ":",
      ":::",
      "1::2::3",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "::1%1",
      "[::1]",
      "1.2.3.4",
      "::1.2.3.4:5",
    ])
      expect(inet_pton6(t).ok, t).to.equal(false);
  });
});
