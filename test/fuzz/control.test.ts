import { expect } from "chai";
import { runSeed } from "../support/mocha_hooks.ts";
import { type Call, CALLS } from "./control_calls.ts";
import { SESSIONS } from "./control_sessions.ts";
import { FuzzKernel } from "./fuzz_kernel.ts";
import { PacketMaker } from "./packet_maker.ts";
import { Rng } from "./rng.ts";

/** Calls; a tenth of RUMPKIT_FUZZ. */
const TOTAL = Number(process.env["RUMPKIT_FUZZ"] ?? 400_000) / 10;
/** Calls in the life of one kernel. */
const LIFE = 20_000;

function any_call(r: Rng): Call {
  return r.one_in(16) ? r.pick(SESSIONS) : r.pick(CALLS);
}

/** Makes calls at random in kernels one after the other; `play` makes one. */
function campaign(name: string, play: (fk: FuzzKernel, r: Rng) => void, end: (fk: FuzzKernel) => void): void {
  const began = performance.now();
  for (let life = 0; life * LIFE < TOTAL; life++) {
    const seed = (runSeed + life * 7919) | 0;
    const fk = new FuzzKernel(seed);
    const r = new Rng(seed);
    const pm = new PacketMaker(r);
    let i = 0;
    try {
      for (; i < Math.min(LIFE, TOTAL - life * LIFE); i++) {
        play(fk, r);
        if (r.one_in(8)) fk.ptp.inject(pm.b.subarray(0, pm.ip(0)));
        if (r.one_in(16)) fk.world.advance(r.one_in(16) ? 3e9 : 1e6);
        if (i % 4096 === 0) fk.within_bounds();
      }
      fk.world.advance(60e9);
      end(fk);
      fk.end();
    } catch (error) {
      throw new Error(`${name}: seed ${seed}, call ${i}; RUMPKIT_SEED=${seed} repeats it`, { cause: error });
    }
  }
  const s = (performance.now() - began) / 1000;
  if (TOTAL > 100_000) console.log(`      ${TOTAL} calls in ${s.toFixed(1)} s: ${Math.round(TOTAL / s)} a second`);
}

describe("fuzz: control input", function () {
  this.timeout(Math.max(20_000, TOTAL * 10));

  it("of root: system calls, ioctls, routing messages, filters, control messages, sysctls: errnos only, and nothing leaks", () => {
    campaign(
      "root",
      (fk, r) => any_call(r)(fk.rk, r),
      () => undefined,
    );
  });

  it("of another user: the same, and the configuration is as it was and the network lives", () => {
    let ifs = "";
    const configuration = (fk: FuzzKernel): string =>
      JSON.stringify(
        [...fk.inet.net.ifnet_list].map((ifp) => [
          ifp.if_xname,
          ifp.if_flags & 0x1,
          ifp.if_mtu,
          ifp.if_addrlist.length,
          [...ifp.if_lladdr],
        ]),
      );
    let nobody = -1;
    campaign(
      "nobody",
      (fk, r) => {
        if (nobody === -1 || fk.rk.k.procs.find(nobody) === null) {
          nobody = fk.rk.process("nobody", 1000, 1000).pid;
          ifs = configuration(fk);
        }
        const { cx } = fk.rk;
        fk.rk.cx = fk.rk.process_find(nobody).cx;
        try {
          any_call(r)(fk.rk, r);
        } finally {
          fk.rk.cx = cx;
        }
      },
      (fk) => {
        expect(configuration(fk)).to.equal(ifs);
        fk.alive();
        nobody = -1;
      },
    );
  });
});
