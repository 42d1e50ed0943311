import { expect } from "chai";
import fc from "fast-check";
import {
  DESC_LEN,
  DESC_WORDS,
  PORT_HDRSIZE,
  PORT_OVERRUN,
  PORT_TAIL,
  PORT_WANT,
  SHMIF_BUSBYTES,
  SHMIF_BUSBYTES_MIN,
  ShmifGeometry,
  shmif_size_ok,
} from "../../../drivers/shmif/shmif_layout.ts";
import { shmif_view } from "../../../drivers/shmif/shmif_dump.ts";
import { ShmifPort } from "../../../drivers/shmif/shmif_port.ts";
import { ShmifWriter } from "../../../drivers/shmif/shmif_writer.ts";
import { EFTYPE, ENOSPC } from "../../../hypercall/api/errno.ts";
import { TestBus, bus_recv, bus_send } from "../../support/shmif_bus.ts";

const ALL = -1;
const PROMISC_UP = 3;

describe("shmif bus: who receives what", () => {
  it("gives a unicast frame to the port of that address only, and a broadcast to everyone but the sender", () => {
    const bus = new TestBus(SHMIF_BUSBYTES);
    const [a, b, c] = [bus.attach(1), bus.attach(2), bus.attach(3)];
    bus_send(a, 2, 100, 7);
    expect(bus_recv(b)).to.deep.equal([100, 7]);
    expect(bus_recv(c)).to.equal(null);
    bus_send(a, ALL, 60, 8);
    expect(bus_recv(b)).to.deep.equal([60, 8]);
    expect(bus_recv(c)).to.deep.equal([60, 8]);
    expect(bus_recv(a)).to.equal(null);
  });

  it("gives a promiscuous port everything", () => {
    const bus = new TestBus(SHMIF_BUSBYTES);
    const [a, , snoop] = [bus.attach(1), bus.attach(2), bus.attach(9, PROMISC_UP)];
    bus_send(a, 2, 99, 1);
    expect(bus_recv(snoop)).to.deep.equal([99, 1]);
  });

  it("shows a new port nothing of what was sent before it attached", () => {
    const bus = new TestBus(SHMIF_BUSBYTES);
    const a = bus.attach(1);
    bus_send(a, ALL, 60, 1);
    const late = bus.attach(2);
    expect(bus_recv(late)).to.equal(null);
    bus_send(a, ALL, 61, 2);
    expect(bus_recv(late)).to.deep.equal([61, 2]);
  });

  it("wakes a sleeping port that wants the frame, once, and no other", () => {
    const bus = new TestBus(SHMIF_BUSBYTES);
    const [a, b, c] = [bus.attach(1), bus.attach(2), bus.attach(3)];
    for (const s of [b, c]) s.port.park();
    bus_send(a, 2, 60, 1);
    bus_send(a, 2, 60, 2);
    a.writer.flush();
    a.writer.flush();
    expect(bus.kicks).to.deep.equal([b.port.index]);
    b.port.unpark();
    bus_send(a, 2, 60, 3);
    a.writer.flush();
    expect(bus.kicks).to.deep.equal([b.port.index]);
    b.port.park();
    bus_send(a, 2, 60, 4);
    a.writer.flush();
    expect(bus.kicks).to.deep.equal([b.port.index, b.port.index]);
  });

  it("wakes a sleeping port although the one who was to wake it was killed just before the kick", () => {
    const bus = new TestBus(SHMIF_BUSBYTES);
    const [a, b] = [bus.attach(1), bus.attach(2)];
    b.port.park();
    bus_send(a, 2, 60, 1);
    bus.kick_fails = true; // a dies in wake(): what it has written stays, the kick never happens
    a.writer.flush();
    bus.kill(a);
    bus.kick_fails = false;
    const again = bus.attach(1);
    bus_send(again, 2, 60, 2);
    again.writer.flush();
    expect(bus.kicks).to.deep.equal([b.port.index]);
  });
});

describe("shmif bus: rings that are full", () => {
  it("delivers every wanted frame once, in order and whole, for any sizes and any interleaving of readers (model)", () => {
    const step = fc.record({
      from: fc.nat(2),
      to: fc.integer({ min: -1, max: 2 }),
      len: fc.integer({ min: 14, max: 20_001 }),
      read: fc.nat(5),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 50, maxLength: 400 }), (steps) => {
        const bus = new TestBus(SHMIF_BUSBYTES_MIN + 151_552);
        const stations = [bus.attach(0), bus.attach(1), bus.attach(2)];
        const expected: [number, number][][][] = stations.map(() => [[], [], []]);
        let n = 0;
        const read = (who: number): boolean => {
          const station = stations[who]!;
          const got = bus_recv(station);
          if (got === null) return false;
          const heads = expected[who]!.filter((q) => q.length > 0 && q[0]![0] === got[0] && q[0]![1] === got[1]);
          expect(heads.length).to.be.greaterThan(0);
          heads[0]!.shift();
          return true;
        };
        for (const s of steps) {
          n++;
          if (s.to !== s.from) {
            while (!bus_send(stations[s.from]!, s.to, s.len, n)) {
              let moved = false;
              for (let w = 0; w < 3; w++) while (read(w)) moved = true;
              expect(moved).to.equal(true);
            }
            for (let w = 0; w < 3; w++)
              if (w !== s.from && (s.to === -1 || s.to === w)) expected[w]![s.from]!.push([s.len, n & 0xff]);
          }
          for (let i = 0; i < s.read; i++) read(i % 3);
        }
        for (let w = 0; w < 3; w++) while (read(w));
        for (const q of expected.flat()) expect(q.length).to.equal(0);
      }),
      { numRuns: 60 },
    );
  });

  it("refuses a frame while a reader is behind, kicks the writer when there is room, and goes on", () => {
    const bus = new TestBus(SHMIF_BUSBYTES_MIN);
    const [a, b] = [bus.attach(1), bus.attach(2)];
    let sent = 0;
    while (bus_send(a, 2, 1500, sent)) sent++;
    expect(sent).to.be.greaterThan(40);
    for (let i = 0; i < sent; i++) expect(bus_recv(b)).to.deep.equal([1500, i & 0xff]);
    expect(bus.kicks).to.deep.equal([a.port.index]);
    expect(bus_send(a, 2, 1500, 1)).to.equal(true);
  });

  it("stops waiting for a reader that stands still, and counts exactly what that reader lost", () => {
    const bus = new TestBus(SHMIF_BUSBYTES_MIN);
    const [a, b] = [bus.attach(1), bus.attach(2)];
    let sent = 0;
    while (bus_send(a, 2, 1000, sent)) sent++;
    a.writer.note_cursors();
    expect(a.writer.stalled()).to.equal(true);
    for (let i = 0; i < 500; i++) expect(bus_send(a, 2, 1000, sent++)).to.equal(true);
    let got = 0;
    while (bus_recv(b) !== null) got++;
    const overruns = bus.slab.i32[b.port.word(b.port.index, PORT_OVERRUN)]!;
    expect(overruns).to.be.greaterThan(0);
    expect(got + overruns).to.equal(sent);
  });

  it("does not wait for a port whose frames are all for others, however long that port sleeps", () => {
    const bus = new TestBus(SHMIF_BUSBYTES_MIN + 151_552);
    const [a, b, asleep] = [bus.attach(1), bus.attach(2), bus.attach(3)];
    for (let i = 0; i < 2000; i++) {
      expect(bus_send(a, 2, 700, i)).to.equal(true);
      expect(bus_recv(b)).to.deep.equal([700, i & 0xff]);
    }
    bus_send(a, 3, 64, 5);
    expect(bus_recv(asleep)).to.deep.equal([64, 5]);
    expect(bus.slab.i32[asleep.port.word(asleep.port.index, PORT_OVERRUN)]).to.equal(0);
  });
});

describe("shmif bus: death and malice", () => {
  it("shows nothing of a frame whose writer died before publishing it, and its port can be taken over", () => {
    const bus = new TestBus(SHMIF_BUSBYTES);
    const [a, b] = [bus.attach(1), bus.attach(2)];
    bus_send(a, 2, 100, 1);
    a.port.slab.u8.fill(0xee, a.writer.reserve(5000), 5000);
    bus.kill(a);
    expect(bus_recv(b)).to.deep.equal([100, 1]);
    expect(bus_recv(b)).to.equal(null);
    const again = bus.attach(1);
    expect(again.port.index).to.equal(a.port.index);
    bus_send(again, 2, 101, 2);
    expect(bus_recv(b)).to.deep.equal([101, 2]);
  });

  it("drops a dead reader from the bus instead of waiting for it", () => {
    const bus = new TestBus(SHMIF_BUSBYTES_MIN);
    const [a, b] = [bus.attach(1), bus.attach(2)];
    while (bus_send(a, 2, 1500, 0));
    bus.kill(b);
    a.writer.note_cursors();
    expect(a.writer.stalled()).to.equal(true);
    for (let i = 0; i < 300; i++) expect(bus_send(a, ALL, 1500, i)).to.equal(true);
    expect(bus.slab.i32[b.port.word(b.port.index, PORT_OVERRUN)]).to.equal(0);
  });

  it("refuses descriptors out of bounds without reading outside the arena", () => {
    const bus = new TestBus(SHMIF_BUSBYTES);
    const [a, b] = [bus.attach(1), bus.attach(2)];
    for (const [word, value] of [
      [DESC_LEN, -5],
      [DESC_LEN, 0x7fffffff],
      [DESC_LEN, 13],
      [DESC_LEN, 65_551],
    ] as const) {
      bus_send(a, 2, 100, 3);
      const ring = a.port.word(a.port.index, PORT_HDRSIZE / 4);
      for (let d = 0; d < 8; d++) bus.slab.i32[ring + d * DESC_WORDS + word] = value;
      expect(bus_recv(b)).to.equal(null);
    }
    expect(b.reader.malformed).to.equal(4);
    bus_send(a, 2, 100, 4);
    expect(bus_recv(b)).to.deep.equal([100, 4]);
  });

  it("does not throw or loop on a region of random bytes", () => {
    const bus = new TestBus(SHMIF_BUSBYTES_MIN);
    const [a, b] = [bus.attach(1), bus.attach(2)];
    let seed = 12345;
    for (let round = 0; round < 200; round++) {
      for (let i = 0; i < 2000; i++) {
        seed = (Math.imul(seed, 1103515245) + 12345) | 0;
        bus.slab.i32[8 + ((seed >>> 3) % (bus.bytes / 4 - 8))] = seed;
      }
      for (let i = 0; i < 2000 && b.reader.next(); i++) b.reader.done();
      bus_send(a, ALL, 100, 1);
    }
    expect(shmif_view(bus.slab.u8, bus.slab.i32, 0, bus.bytes)).to.be.an("object");
  });

  it("does not walk to a position that nobody can have reached, and hears its neighbour again afterwards", () => {
    const bus = new TestBus(SHMIF_BUSBYTES_MIN);
    const [a, b] = [bus.attach(1), bus.attach(2)];
    bus_send(a, 7, 100, 3);
    expect(bus_recv(b)).to.equal(null);
    for (const lie of [0x7fff_fff0, 5000]) {
      bus.slab.i32[a.port.word(a.port.index, PORT_WANT + b.port.index)] = lie;
      const torn = b.reader.torn;
      expect(bus_recv(b)).to.equal(null);
      expect(b.reader.torn).to.equal(torn + 1);
      bus_send(a, 2, 100, 4);
      expect(bus_recv(b)).to.deep.equal([100, 4]);
    }
  });

  it("starts a ring afresh whose positions cannot be", () => {
    const bus = new TestBus(SHMIF_BUSBYTES_MIN);
    const [a, b] = [bus.attach(1), bus.attach(2)];
    bus.slab.i32[a.port.word(a.port.index, PORT_TAIL)] = 0x4000_0000;
    const writer = new ShmifWriter(a.port);
    for (let n = 0; n < 3; n++) expect(bus_send({ ...a, writer }, 2, 100, n)).to.equal(true);
    expect([bus_recv(b), bus_recv(b), bus_recv(b), bus_recv(b)]).to.deep.equal([[100, 0], [100, 1], [100, 2], null]);
  });

  it("says so when the region is something else, and when every port is taken", () => {
    const bus = new TestBus(SHMIF_BUSBYTES_MIN);
    bus.slab.i32[0] = 42;
    expect(new ShmifPort(bus.slab, bus.handle(), 0, bus.bytes).attach(0, 1, 0, 0)).to.equal(EFTYPE);
    bus.slab.i32[0] = 0;
    for (let i = 0; i < new ShmifGeometry(bus.bytes).nports; i++) bus.attach(i);
    expect(new ShmifPort(bus.slab, bus.handle(), 0, bus.bytes).attach(0, 1, 0, 0)).to.equal(ENOSPC);
    expect(shmif_size_ok(SHMIF_BUSBYTES)).to.equal(true);
    expect(shmif_size_ok(4096)).to.equal(false);
  });
});

describe("shmif bus: dumpbus", () => {
  it("lists ports and the frames of all ports by time", () => {
    const bus = new TestBus(SHMIF_BUSBYTES);
    const [a, b] = [bus.attach(1), bus.attach(2)];
    bus_send(a, 2, 60, 1);
    bus_send(b, 1, 70, 2);
    const view = shmif_view(bus.slab.u8, bus.slab.i32, 0, bus.bytes);
    if (typeof view === "string") throw new Error(view);
    expect(view.records.map((r) => [r.port, r.data.length])).to.deep.equal([
      [0, 60],
      [1, 70],
    ]);
    expect(view.ports.map((p) => p.attached)).to.deep.equal([true, true]);
    expect(shmif_view(new Uint8Array(4096), new Int32Array(1024), 0, 4096)).to.match(/not a shmif bus/);
  });
});
