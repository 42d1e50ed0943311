import { expect } from "chai";
import { LINKTYPE_ETHERNET, LINKTYPE_RAW } from "../../kernel-components/wire/linktype.ts";
import { runSeed } from "../support/mocha_hooks.ts";
import { accounted } from "./accounting.ts";
import { disturb } from "./disturb.ts";
import { FrameLog } from "./frame_log.ts";
import { FrameMaker } from "./frame_maker.ts";
import { FuzzKernel } from "./fuzz_kernel.ts";
import { lying_port } from "./lying_port.ts";
import { PacketMaker } from "./packet_maker.ts";
import { Rng } from "./rng.ts";

/** Frames of all tests of this file together; RUMPKIT_FUZZ says how many. */
const FRAMES = Number(process.env["RUMPKIT_FUZZ"] ?? 240_000);
/** Frames between two disturbances. */
const BURST = 64;
/** Frames after which a kernel is shut down and counted, and the next one gets the next seed. */
const LIFE = 40_000;

/** Runs `frames` frames through `feed` in kernels one after the other. */
function campaign(
  name: string,
  frames: number,
  linktype: number,
  feeder: (fk: FuzzKernel, rng: Rng, log: FrameLog) => () => void,
): void {
  const began = performance.now();
  for (let life = 0; life * LIFE < frames; life++) {
    const seed = (runSeed + life * 7919) | 0;
    const n = Math.min(LIFE, frames - life * LIFE);
    const fk = new FuzzKernel(seed);
    const rng = new Rng(seed);
    const log = new FrameLog(linktype);
    const feed = feeder(fk, rng, log);
    let i = 0;
    try {
      for (; i < n; i++) {
        feed();
        if (i % BURST !== 0) continue;
        fk.world.advance(0);
        disturb(fk, rng);
        if (i % (BURST * 64) === 0) fk.within_bounds();
      }
      fk.alive();
      fk.within_bounds();
      accounted(fk);
      fk.end();
    } catch (error) {
      throw new Error(
        `${name}: seed ${seed}, frame ${i}; RUMPKIT_SEED=${seed} repeats it; last frames: ${log.write(name)}`,
        { cause: error },
      );
    }
  }
  const s = (performance.now() - began) / 1000;
  if (FRAMES > 1_000_000)
    console.log(`      ${frames} frames in ${s.toFixed(1)} s: ${Math.round(frames / s)} a second`);
}

describe("fuzz: frames", function () {
  this.timeout(Math.max(20_000, FRAMES));

  it("Ethernet: no exception, no leak, memory bounded, every frame accounted for, and the kernel lives", () => {
    campaign("ether", Math.floor(FRAMES / 2), LINKTYPE_ETHERNET, (fk, rng, log) => {
      const makers = [0, 1].map((unit) => new FrameMaker(rng, fk.ifp(`virt${unit}`).if_lladdr));
      return () => {
        const unit = rng.next() & 1;
        const fm = makers[unit] as FrameMaker;
        const len = fm.frame();
        log.add(fm.pm.b, len, fk.world.now_ns);
        fk.ports[unit]?.send(fm.pm.b.subarray(0, len));
      };
    });
  });

  it("frames in pieces of odd sizes: the same", () => {
    campaign("pieces", Math.floor(FRAMES / 4), LINKTYPE_ETHERNET, (fk, rng, log) => {
      const makers = [0, 1].map((unit) => new FrameMaker(rng, fk.ifp(`virt${unit}`).if_lladdr));
      const cut = (): number => (rng.one_in(4) ? rng.below(200) : rng.below(24));
      return () => {
        const unit = rng.next() & 1;
        const fm = makers[unit] as FrameMaker;
        const len = Math.min(fm.frame(), 1600);
        log.add(fm.pm.b, len, fk.world.now_ns);
        fk.input_pieces(`virt${unit}`, fm.pm.b.subarray(0, len), cut);
      };
    });
  });

  it("a host that lies about checksums and segments: the same", () => {
    campaign("offloads", Math.floor(FRAMES / 4), LINKTYPE_ETHERNET, (fk, rng, log) => {
      const makers = [0, 1].map((unit) => new FrameMaker(rng, fk.ifp(`virt${unit}`).if_lladdr));
      const lies = ["virt0", "virt1"].map((ifname) => lying_port(fk.ifp(ifname), rng));
      fk.before_alive = () => lies.forEach((honest) => honest());
      return () => {
        const unit = rng.next() & 1;
        const fm = makers[unit] as FrameMaker;
        const len = rng.one_in(16) ? Math.max(fm.frame(), rng.below(66_000)) : fm.frame();
        log.add(fm.pm.b, len, fk.world.now_ns);
        fk.ports[unit]?.send(fm.pm.b.subarray(0, len));
      };
    });
  });

  it("ptp: the same with bare packets", () => {
    campaign("ptp", Math.ceil(FRAMES / 4), LINKTYPE_RAW, (fk, rng, log) => {
      const pm = new PacketMaker(rng);
      return () => {
        const len = pm.ip(0);
        log.add(pm.b, len, fk.world.now_ns);
        fk.ptp.inject(pm.b.subarray(0, len));
      };
    });
  });
});

describe("fuzz: the generator", () => {
  it("gives the same frames for the same seed, and packets that get far: most are accepted by IP", () => {
    const a = new PacketMaker(new Rng(5));
    const b = new PacketMaker(new Rng(5));
    for (let i = 0; i < 1000; i++) {
      const len = a.ip(0);
      expect(b.ip(0)).to.equal(len);
      expect(Buffer.compare(a.b.subarray(0, len), b.b.subarray(0, len))).to.equal(0);
    }
    const fk = new FuzzKernel(1);
    const pm = new PacketMaker(new Rng(6));
    for (let i = 0; i < 5000; i++) fk.ptp.inject(pm.b.subarray(0, pm.ip(0)));
    expect(fk.stat("ip", "delivered") + fk.stat("ip", "forward")).to.be.above(1500);
    fk.end();
  });
});
