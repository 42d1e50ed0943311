import { expect } from "chai";
import fc from "fast-check";
import {
  EPB_DROPCOUNT,
  EPB_FLAGS,
  EPB_FLAGS_INBOUND,
  EPB_FLAGS_OUTBOUND,
  EPB_PACKETID,
  EPB_VERDICT,
  EPB_VERDICT_TC,
  IF_DESCRIPTION,
  IF_MACADDR,
  IF_NAME,
  ISB_IFDROP,
  ISB_IFRECV,
  OPT_COMMENT,
  PCAPNG_EPB,
  PCAPNG_IDB,
  PCAPNG_ISB,
  PCAPNG_NRB,
  PCAPNG_SHB,
  PCAPNG_SPB,
  SHB_USERAPPL,
  TC_ACT_SHOT,
} from "../../../kernel-components/wire/pcapng_format.ts";
import { type PcapngBlock, PcapngReader } from "../../../kernel-components/wire/pcapng_reader.ts";
import { PcapngWriter, pcapng_verdict } from "../../../kernel-components/wire/pcapng_writer.ts";
import { utf8_decode, utf8_encode } from "../../../kernel-components/wire/utf8.ts";
import {
  WIRE_ELEN,
  WIRE_EOPT,
  WIRE_ETRUNC,
  WIRE_ETYPE,
  WIRE_EVERSION,
  WIRE_OK,
} from "../../../kernel-components/wire/wire_error.ts";
import { blob, hex, unhex } from "./bytes.ts";

/** All blocks; a test that expects an error looks at r.err. */
function read(bytes: Uint8Array): { r: PcapngReader; blocks: PcapngBlock[] } {
  const r = new PcapngReader(bytes);
  const blocks: PcapngBlock[] = [];
  for (let b: PcapngBlock | null; (b = r.next()) !== null; ) blocks.push(b);
  return { r, blocks };
}
/** A small capture with one of everything. */
function sample(): PcapngWriter {
  const w = new PcapngWriter(16);
  w.shb({ hardware: "slab", os: "rumpkit", userappl: "test", comment: "ünï" });
  const a = w.idb(1, 0, { name: "shmif0", description: "bus1", macaddr: hex("b2a0ab000001") });
  const b = w.idb(101, 96, { name: "ptp0" });
  w.epb(a, 1_700_000_000, 123_456_789, hex("0102030405"), 60, {
    flags: EPB_FLAGS_INBOUND,
    packetid: 2 ** 40 + 1,
    dropcount: 3,
    verdict: pcapng_verdict(EPB_VERDICT_TC, TC_ACT_SHOT),
    comment: "dropped: ips_badsum",
  });
  w.epb(b, 0, 0, new Uint8Array(0), 0);
  w.isb(a, 5, 6, { ifrecv: 10, ifdrop: 2 });
  w.nrb([{ addr: hex("0a000001"), names: ["a", "router"] }]);
  return w;
}
/** Little-endian words as bytes. */
function le(...words: number[]): Uint8Array {
  const dv = new DataView(new ArrayBuffer(4 * words.length));
  words.forEach((w, i) => dv.setInt32(4 * i, w, true));
  return new Uint8Array(dv.buffer);
}
/** A section with one Ethernet interface, then `more`. */
function after_idb(...more: Uint8Array[]): Uint8Array {
  const head = [le(PCAPNG_SHB, 28, 0x1a2b3c4d, 1, -1, -1, 28), le(PCAPNG_IDB, 20, 1, 0, 20)];
  return Uint8Array.from([...head, ...more].flatMap((b) => [...b]));
}

describe("wire/pcapng", () => {
  it("writes a section, an interface and a packet as the format says, byte by byte", () => {
    const w = new PcapngWriter();
    w.shb();
    w.idb(1, 65535);
    w.epb(0, 1, 2, hex("aabbcc"), 3);
    expect(unhex(w.take())).to.equal(
      unhex(
        hex(
          "0a0d0d0a 20000000 4d3c2b1a 0100 0000 ffffffffffffffff 00000000 20000000" +
            "01000000 20000000 0100 0000 ffff0000 0900 0100 09000000 00000000 20000000" +
            "06000000 24000000 00000000 00000000 02ca9a3b 03000000 03000000 aabbcc00 24000000",
        ),
      ),
    );
    expect(w.length).to.equal(0);
  });

  it("reads back everything that it wrote", () => {
    const { r, blocks } = read(sample().take());
    expect(r.err_text).to.equal("");
    expect(blocks.map((b) => b.type)).to.deep.equal([
      PCAPNG_SHB,
      PCAPNG_IDB,
      PCAPNG_IDB,
      PCAPNG_EPB,
      PCAPNG_EPB,
      PCAPNG_ISB,
      PCAPNG_NRB,
    ]);
    const [shb, idb, , epb, empty, isb, nrb] = blocks as [
      PcapngBlock,
      PcapngBlock,
      PcapngBlock,
      PcapngBlock,
      PcapngBlock,
      PcapngBlock,
      PcapngBlock,
    ];
    expect([shb.text(SHB_USERAPPL), shb.comment]).to.deep.equal(["test", "ünï"]);
    expect([idb.text(IF_NAME), idb.text(IF_DESCRIPTION), unhex(idb.option(IF_MACADDR) as Uint8Array)]).to.deep.equal([
      "shmif0",
      "bus1",
      "b2a0ab000001",
    ]);
    expect(r.interfaces.map((i) => [i.name, i.linktype, i.snaplen, i.tsresol])).to.deep.equal([
      ["shmif0", 1, 0, 9],
      ["ptp0", 101, 96, 9],
    ]);
    expect([epb.sec, epb.nsec, epb.origlen, unhex(epb.data), epb.linktype]).to.deep.equal([
      1_700_000_000,
      123_456_789,
      60,
      "0102030405",
      1,
    ]);
    expect(epb.text(OPT_COMMENT)).to.equal("dropped: ips_badsum");
    expect(unhex(epb.option(EPB_FLAGS) as Uint8Array)).to.equal("01000000");
    expect(unhex(epb.option(EPB_PACKETID) as Uint8Array)).to.equal("0100000000010000");
    expect(unhex(epb.option(EPB_DROPCOUNT) as Uint8Array)).to.equal("0300000000000000");
    expect(unhex(epb.option(EPB_VERDICT) as Uint8Array)).to.equal("010200000000000000");
    expect([empty.data.length, empty.ifid, empty.linktype]).to.deep.equal([0, 1, 101]);
    expect([isb.sec, isb.nsec, isb.option(ISB_IFRECV)?.[0], isb.option(ISB_IFDROP)?.[0]]).to.deep.equal([5, 6, 10, 2]);
    expect(nrb.names.map((n) => [unhex(n.addr), n.names])).to.deep.equal([["0a000001", ["a", "router"]]]);
  });

  it("keeps times to the nanosecond, now and in the year 2106", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 33 }), fc.integer({ min: 0, max: 999_999_999 }), (sec, nsec) => {
        const w = new PcapngWriter();
        w.shb();
        w.epb(w.idb(1, 0), sec, nsec, new Uint8Array(0), 0);
        const b = read(w.take()).blocks[2] as PcapngBlock;
        expect([b.sec, b.nsec]).to.deep.equal([sec, nsec]);
      }),
    );
  });

  it("takes a packet in pieces of any size, like the chain of mbufs that it was", () => {
    fc.assert(
      fc.property(fc.array(blob(200), { maxLength: 6 }), (pieces) => {
        const w = new PcapngWriter(1);
        w.shb();
        w.idb(1, 0);
        const len = pieces.reduce((n, p) => n + p.length, 0);
        w.epb_begin(0, 1, 1, len, len + 7);
        for (const p of pieces) w.data(Uint8Array.of(9, ...p), 1, p.length);
        w.epb_end({ flags: EPB_FLAGS_OUTBOUND });
        const { r, blocks } = read(w.take());
        expect(r.err_text).to.equal("");
        expect(unhex((blocks[2] as PcapngBlock).data)).to.equal(pieces.map(unhex).join(""));
        expect(blocks[2]?.origlen).to.equal(len + 7);
      }),
    );
  });

  it("goes on after take() where it stopped", () => {
    const w = new PcapngWriter();
    w.shb();
    w.idb(1, 0);
    const head = w.take();
    w.epb(0, 1, 1, hex("aa"), 1);
    expect(read(Uint8Array.of(...head, ...w.peek())).blocks.length).to.equal(3);
  });

  it("reads big-endian sections, microseconds and simple packets of others", () => {
    const bytes = hex(
      "0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c" +
        "00000001 00000014 0001 0000 00000004 00000014" +
        "00000006 00000024 00000000 00000000 000f4241 00000003 00000003 aabbcc00 00000024" +
        "00000003 00000014 00000009 01020304 00000014",
    );
    const { r, blocks } = read(bytes);
    expect(r.err_text).to.equal("");
    expect(r.little_endian).to.equal(false);
    expect([blocks[2]?.sec, blocks[2]?.nsec, blocks[2]?.data.length]).to.deep.equal([1, 1000, 3]);
    expect([blocks[3]?.type, blocks[3]?.origlen, blocks[3]?.data.length]).to.deep.equal([PCAPNG_SPB, 9, 4]);
  });

  it("passes over blocks of unknown types", () => {
    const { r, blocks } = read(after_idb(le(0x0bad, 16, 7, 16)));
    expect([r.err, blocks[2]?.type, blocks[2]?.body.length]).to.deep.equal([WIRE_OK, 0x0bad, 4]);
  });

  it("refuses malformed blocks, and says where and why", () => {
    const epb = (...words: number[]): Uint8Array =>
      le(PCAPNG_EPB, 4 * words.length + 12, ...words, 4 * words.length + 12);
    const cases: [string, Uint8Array, number][] = [
      ["no section header", le(PCAPNG_IDB, 20, 1, 0, 20), WIRE_ETYPE],
      ["text", utf8_encode("hello, world"), WIRE_ETYPE],
      ["no byte-order magic", le(PCAPNG_SHB, 28, 1, 1, -1, -1, 28), WIRE_ETYPE],
      ["version 2", le(PCAPNG_SHB, 28, 0x1a2b3c4d, 2, -1, -1, 28), WIRE_EVERSION],
      ["section header too short", le(PCAPNG_SHB, 16, 0x1a2b3c4d, 16), WIRE_ETRUNC],
      ["length 8", after_idb(le(5, 8, 8)), WIRE_ELEN],
      ["length 15", after_idb(le(5, 15, 0, 15)), WIRE_ELEN],
      ["length of 17 MB", after_idb(le(5, 0x1100000, 0)), WIRE_ELEN],
      ["lengths differ", after_idb(le(5, 16, 0, 20)), WIRE_ELEN],
      ["block cut off", after_idb(le(5, 64, 0, 0)), WIRE_ETRUNC],
      ["less than a block", after_idb(le(5, 12)), WIRE_ETRUNC],
      ["interface too short", after_idb(le(PCAPNG_IDB, 16, 1, 16)), WIRE_ETRUNC],
      ["packet block too short", after_idb(epb(0, 0, 0, 0)), WIRE_ETRUNC],
      ["packet longer than its block", after_idb(epb(0, 0, 0, 5, 5, 0)), WIRE_ELEN],
      ["packet of 4 GB", after_idb(epb(0, 0, 0, -1, -1, 0)), WIRE_ELEN],
      ["interface that is not there", after_idb(epb(1, 0, 0, 0, 0)), WIRE_ETYPE],
      ["option beyond its block", after_idb(epb(0, 0, 0, 0, 0, 0x00ff0001)), WIRE_EOPT],
      ["option cut off", after_idb(le(PCAPNG_IDB, 28, 1, 0, 0x00040001, 0, 28).slice(0, 28)), WIRE_OK],
      ["end of options with a length", after_idb(epb(0, 0, 0, 0, 0, 0x00040000, 0)), WIRE_EOPT],
      ["impossible resolution", after_idb(le(PCAPNG_IDB, 28, 1, 0, 0x00010009, 19, 28)), WIRE_EOPT],
      ["statistics too short", after_idb(le(PCAPNG_ISB, 20, 0, 0, 20)), WIRE_ETRUNC],
      ["names without an end", after_idb(le(PCAPNG_NRB, 12, 12)), WIRE_ETRUNC],
      ["name record beyond its block", after_idb(le(PCAPNG_NRB, 16, 0x00400001, 16)), WIRE_ELEN],
      ["name record without a name", after_idb(le(PCAPNG_NRB, 20, 0x00040001, 1, 20)), WIRE_ELEN],
    ];
    for (const [what, bytes, want] of cases) {
      const { r } = read(bytes);
      expect(r.err, `${what}: ${r.err_text}`).to.equal(want);
      if (want !== WIRE_OK) expect(r.err_text, what).to.match(/^pcapng block at byte \d+: ./);
    }
  });

  it("reports every cut of a good file as truncated, or as a shorter good file", () => {
    const good = sample().take();
    const whole = read(good).blocks.length;
    for (let n = 0; n < good.length; n++) {
      const { r, blocks } = read(good.slice(0, n));
      expect(blocks.length).to.be.below(whole);
      expect(r.err, `${n}`).to.be.oneOf([WIRE_OK, WIRE_ETRUNC]);
    }
  });

  it("never throws and always ends on random and damaged bytes", () => {
    const good = sample().take();
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 8 }), (hits) => {
        const b = good.slice();
        for (const [at, v] of hits) b[at] = v;
        read(b);
      }),
      { numRuns: 1000 },
    );
    fc.assert(fc.property(blob(200), (b) => void read(Uint8Array.of(...le(PCAPNG_SHB), ...b))));
  });
});

describe("wire/utf8", () => {
  it("agrees with the host's encoder and decoder", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (s) => {
        expect(utf8_encode(s)).to.deep.equal(new TextEncoder().encode(s));
        expect(utf8_decode(utf8_encode(s))).to.equal(s);
      }),
    );
    expect(utf8_encode("a\ud800b")).to.deep.equal(new TextEncoder().encode("a\ud800b"));
  });

  it("replaces what is malformed, one character for each byte", () => {
    const cases = ["80", "c0af", "eda080", "f4908080", "e282", "fe", "41c3"];
    expect(cases.map((c) => utf8_decode(hex(c)))).to.deep.equal(["�", "��", "���", "����", "��", "�", "A�"]);
  });
});
