import { expect } from "chai";
import { BusInfo } from "../../hypercall/api/bus.ts";
import {
  DESC_CSUM,
  DESC_CSUMPOS,
  DESC_GSO,
  DESC_HDRLEN,
  DESC_LEN,
  DESC_POS,
  DESC_WORDS,
  PORT_HDRSIZE,
  PORTF_UP,
  SHMIF_BUSBYTES_MIN,
  SHMIF_MAXFRAME,
} from "../../drivers/shmif/shmif_layout.ts";
import { ShmifPort } from "../../drivers/shmif/shmif_port.ts";
import { ShmifWriter } from "../../drivers/shmif/shmif_writer.ts";
import {
  rump_pub_netconfig_ifcreate,
  rump_pub_netconfig_ifdown,
  rump_pub_netconfig_ifsetlinkstr,
  rump_pub_netconfig_ifup,
  rump_pub_netconfig_ipv4_ifaddr_cidr,
} from "../../rumpsys/netconfig.ts";
import { runSeed } from "../support/mocha_hooks.ts";
import { accounted } from "./accounting.ts";
import { disturb } from "./disturb.ts";
import { FrameMaker } from "./frame_maker.ts";
import { FuzzKernel } from "./fuzz_kernel.ts";
import { Rng } from "./rng.ts";

/** Frames of each test; RUMPKIT_FUZZ says how many of the full run. */
const FRAMES = Number(process.env["RUMPKIT_FUZZ"] ?? 240_000) / 8;
const LIFE = 20_000;
const BUS = "bus";
/** Wall time, in ms, that one burst may take: nothing on the bus can make a kernel stand still. */
const BURST_MS = 6000;

/** A process on the bus of the fuzzed kernel that keeps to no rule. */
class HostilePort {
  readonly fk: FuzzKernel;
  readonly port: ShmifPort;
  writer: ShmifWriter;
  private readonly fm: FrameMaker;
  private readonly r: Rng;

  constructor(seed: number) {
    this.fk = new FuzzKernel(seed);
    const { rk, world } = this.fk;
    this.r = new Rng(seed);
    rk.rumpSys.sysctlbyname("net.link.shmif.busbytes", SHMIF_BUSBYTES_MIN);
    expect(rump_pub_netconfig_ifcreate(rk, "shmif0")).to.equal(0);
    expect(rump_pub_netconfig_ifsetlinkstr(rk, "shmif0", BUS)).to.equal(0);
    expect(rump_pub_netconfig_ifup(rk, "shmif0")).to.equal(0);
    expect(rump_pub_netconfig_ipv4_ifaddr_cidr(rk, "shmif0", "10.3.0.1", 24)).to.equal(0);
    const info = new BusInfo();
    const handle =
      world.host("hostile").bus?.bus_open(BUS, SHMIF_BUSBYTES_MIN, { bus_kicked: () => undefined }, info) ?? null;
    if (handle === null) throw new Error(info.text);
    this.port = new ShmifPort(world.slab, handle, info.off, info.len);
    expect(this.port.attach(0x0200, 0xee, PORTF_UP, 0)).to.equal(0);
    this.writer = new ShmifWriter(this.port);
    this.fm = new FrameMaker(this.r, this.fk.ifp("shmif0").if_lladdr);
  }

  /** Publishes a frame whose descriptor lies about what is to be done with it. */
  send(): void {
    const { port, r, writer } = this;
    const { u8, dv, i32 } = port.slab;
    const len = Math.min(r.one_in(32) ? r.below(SHMIF_MAXFRAME) : this.fm.frame(), SHMIF_MAXFRAME);
    const at = writer.reserve(len);
    if (at === 0) return void writer.stalled();
    u8.set(this.fm.pm.b.subarray(0, len), at);
    const d = writer.desc;
    i32[d + DESC_CSUM] = r.one_in(8) ? r.wild() : r.below(2);
    i32[d + DESC_CSUMPOS] = r.one_in(3) ? r.wild() : (34 << 16) | r.pick([6, 6, 16]);
    i32[d + DESC_GSO] = r.one_in(2)
      ? 0
      : r.one_in(4)
        ? r.wild()
        : (r.pick([1, 4, 5, 0x81]) << 16) | r.pick([0, 1, 8, 100, 536, 1448]);
    i32[d + DESC_HDRLEN] = r.wild();
    writer.publish(len, dv.getUint16(at), dv.getInt32(at + 2), 0, 0);
    if (r.one_in(32)) i32[d + r.pick([DESC_LEN, DESC_POS])] = r.wild();
  }

  /** Writes words of the region that are nobody's, or somebody else's. */
  scribble(): void {
    const { port, r } = this;
    const { i32 } = port.slab;
    const words = port.geo.bytes >>> 2;
    for (let n = r.below(30); n > 0; n--) {
      const area = port.word(r.below(port.geo.nports), 0);
      const at = r.one_in(4)
        ? (port.base >>> 2) + r.below(words)
        : r.one_in(4)
          ? area + PORT_HDRSIZE / 4 + r.below(port.geo.ndesc * DESC_WORDS)
          : area + r.below(PORT_HDRSIZE / 4);
      i32[at] = r.one_in(2) ? r.wild() : (i32[at] as number) + r.below(9) - 4;
    }
  }

  /** Leaves, and the bus is gone with the kernel. */
  end(): void {
    rump_pub_netconfig_ifdown(this.fk.rk, "shmif0");
    this.port.handle.close();
    this.fk.end();
    this.fk.world.bus_remove(BUS);
  }
}

function campaign(name: string, scribbles: boolean): void {
  for (let life = 0; life * LIFE < FRAMES; life++) {
    const seed = (runSeed + life * 7919) | 0;
    const h = new HostilePort(seed);
    const r = new Rng(~seed);
    let i = 0;
    try {
      for (; i < Math.min(LIFE, FRAMES - life * LIFE); i++) {
        h.send();
        if (i % 32 !== 0) continue;
        h.writer.flush();
        if (scribbles) h.scribble();
        const began = performance.now();
        h.fk.world.advance(1e5);
        disturb(h.fk, r);
        const ms = performance.now() - began;
        if (ms > BURST_MS) throw new Error(`the kernel stood still for ${ms} ms`);
        if (i % 1024 === 0) h.fk.within_bounds();
        if (i % 4096 === 0) {
          rump_pub_netconfig_ifdown(h.fk.rk, "shmif0");
          rump_pub_netconfig_ifup(h.fk.rk, "shmif0");
        }
      }
      h.fk.alive();
      accounted(h.fk, ["shmif0"]);
      h.end();
    } catch (error) {
      throw new Error(`${name}: seed ${seed}, frame ${i}; RUMPKIT_SEED=${seed} repeats it`, { cause: error });
    }
  }
}

describe("fuzz: a hostile process on a shmif bus", function () {
  this.timeout(Math.max(20_000, FRAMES));

  it("lies about checksums, segments, lengths and places: no exception, no leak, memory bounded, and the rest of the kernel lives", () => {
    campaign("lies", false);
  });

  it("writes anywhere in the region at any time: the same, and no kernel stands still", () => {
    campaign("scribbles", true);
  });
});
