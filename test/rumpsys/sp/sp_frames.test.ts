import { expect } from "chai";
import fc from "fast-check";
import {
  sp_args_decode,
  sp_args_encode,
  sp_in,
  sp_inout,
  sp_int,
  sp_out,
  sp_result_decode,
  sp_result_encode,
} from "../../../rumpsys/sp/sp_args.ts";
import { SP_HDRSIZE, SP_MAXFRAME, sp_banner, sp_banner_fault, sp_frame } from "../../../rumpsys/sp/sp_proto.ts";
import type { SpFrame } from "../../../rumpsys/sp/sp_proto.ts";
import { SpReader } from "../../../rumpsys/sp/sp_reader.ts";

describe("rumpsys/sp", () => {
  it("gives the same frames however the stream is cut", () => {
    const frames = fc.array(
      fc.record({ reqno: fc.nat(), type: fc.nat(9), info: fc.nat(), payload: fc.uint8Array({ maxLength: 60 }) }),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (list, cuts) => {
        const all = Buffer.concat(list.map((f) => sp_frame(f.reqno, 0, f.type, f.info, f.payload)));
        const got: SpFrame[] = [];
        const reader = new SpReader();
        for (let at = 0, i = 0; at < all.length; i++) {
          const n = cuts[i % cuts.length] as number;
          reader.push(new Uint8Array(all.subarray(at, at + n)), (f) => got.push(f) > 0);
          at += n;
        }
        expect(
          got.map(({ reqno, type, info, payload }) => ({ reqno, type, info, payload: new Uint8Array(payload) })),
        ).to.deep.equal(list);
        expect(reader.pending).to.equal(0);
      }),
      { numRuns: 200 },
    );
  });

  it("refuses impossible lengths before it keeps anything of the frame", () => {
    for (const len of [0, SP_HDRSIZE - 1, SP_MAXFRAME + 1, 0xffff_ffff]) {
      const reader = new SpReader();
      const head = new Uint8Array(SP_HDRSIZE + 1000);
      new DataView(head.buffer).setUint32(0, len, true);
      reader.push(head, () => true);
      expect(reader.fault, String(len)).to.contain(`${len} bytes`);
      expect(reader.pending).to.equal(0);
    }
  });

  it("survives any bytes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 })), (chunks) => {
        const reader = new SpReader();
        for (const c of chunks) reader.push(c, () => true);
        expect(reader.pending).to.be.at.most(SP_MAXFRAME);
      }),
      { numRuns: 300 },
    );
    for (const spec of ["i", "ibiB", "iOi", "xi", "bOB"]) {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 100 }), (payload) => void sp_args_decode(payload, spec)),
        { numRuns: 200 },
      );
    }
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 100 }),
        (payload) => void sp_result_decode(payload, [sp_out(new Uint8Array(16))]),
      ),
    );
  });

  it("carries arguments there and results back", () => {
    fc.assert(
      fc.property(
        fc.maxSafeInteger(),
        fc.uint8Array({ maxLength: 50 }),
        fc.uint8Array({ maxLength: 50 }),
        fc.nat(40),
        (int, data, both, room) => {
          const mine = [sp_int(int), sp_in(data), sp_out(new Uint8Array(room)), sp_inout(both.slice()), sp_in(null)];
          const frame = sp_args_encode(mine) as Uint8Array;
          const theirs = sp_args_decode(frame.subarray(SP_HDRSIZE), "iboxB");
          if (theirs === null) throw new Error("not decoded");
          expect(theirs[0]?.int).to.equal(int);
          expect(new Uint8Array(theirs[1]?.buf as Uint8Array)).to.deep.equal(data);
          expect(theirs[4]?.null).to.equal(true);
          const out = theirs[2];
          const inout = theirs[3];
          if (out === undefined || inout === undefined) throw new Error("missing");
          out.buf.fill(7);
          out.len = room;
          inout.buf.reverse();
          inout.len = both.length;
          const answer = sp_result_encode(0, int, -int, theirs);
          expect(sp_result_decode(answer.subarray(SP_HDRSIZE), mine)).to.deep.equal({
            error: 0,
            val: int,
            val1: -int || 0,
          });
          expect(mine[2]?.buf).to.deep.equal(new Uint8Array(room).fill(7));
          expect(mine[3]?.buf).to.deep.equal(both.slice().reverse());
        },
      ),
      { numRuns: 200 },
    );
  });

  it("refuses what does not fit a frame, there or back", () => {
    expect(sp_args_encode([sp_in(new Uint8Array(SP_MAXFRAME))])).to.equal(null);
    expect(sp_args_encode([sp_out(new Uint8Array(SP_MAXFRAME))])).to.equal(null);
  });

  it("knows banners of its version only", () => {
    expect(sp_banner_fault(sp_banner("x", "1", "y").trim())).to.equal("");
    expect(sp_banner_fault("RUMPSP-0.4-NetBSD-6/amd64")).to.contain("0.4");
    expect(sp_banner_fault("SSH-2.0-OpenSSH")).to.contain("not a rump kernel");
  });
});
