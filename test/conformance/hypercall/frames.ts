// Conformance: frames.
import { expect } from "chai";
import { EINVAL, ENXIO } from "../../../hypercall/api/errno.ts";
import {
  FR_CAP,
  FR_HDR,
  FR_IOV,
  FR_LEN,
  FR_NIOV,
  FR_OFF,
  FR_STRIDE,
  FRH_BYTES,
  FRH_DROPPED,
  FRH_OVER_CAP,
  FRH_OVER_OFF,
  type FramePort,
  FramePortInfo,
  type FrameUp,
} from "../../../hypercall/api/frames.ts";
import { HYPERCALL_VERSION, type Host } from "../../../hypercall/api/host.ts";
import { Bracket, type Subject } from "./subject.ts";

const NREC = 8;
const IOV0 = FR_HDR + NREC * FR_STRIDE;
const BUF = 2048;
const MEM = 262_144;
const SOON = 20e6;
/** A host bridge needs a moment before it forwards to a port that has just come up. */
const LINK_UP = 150e6;
/** Local experimental Ethertype 1 (IEEE 802). */
const ETHERTYPE_TEST = [0x88, 0xb5] as const;

/** One end of a wire with its buffers. */
class End implements FrameUp {
  readonly bracket: Bracket = new Bracket();
  readonly host: Host;
  readonly port: FramePort;
  readonly mem: number;
  readonly ctl: Int32Array = new Int32Array(IOV0 + 64);
  ready = 0;

  constructor(subject: Subject, link: string) {
    this.host = subject.host();
    this.host.rumpuser_init(HYPERCALL_VERSION, this.bracket);
    this.mem = this.host.memory.rumpuser_malloc(MEM, 8);
    const info = new FramePortInfo();
    const port = this.host.frames!.frames_open(link, this, info);
    if (port === null) throw new Error(info.text);
    this.port = port;
  }

  frames_rx_ready(): void {
    expect(this.bracket.depth).to.equal(1);
    this.ready++;
    this.receive();
  }
  frames_tx_ready(): void {}
  frames_link(): void {}

  readonly got: number[][] = [];

  receive(): number {
    for (;;) {
      this.ctl[FRH_OVER_OFF] = this.mem + NREC * BUF;
      this.ctl[FRH_OVER_CAP] = 65_536;
      for (let i = 0; i < NREC; i++) {
        this.ctl[FR_HDR + i * FR_STRIDE + FR_OFF] = this.mem + i * BUF;
        this.ctl[FR_HDR + i * FR_STRIDE + FR_CAP] = BUF;
      }
      const n = this.port.rx(this.ctl, NREC);
      for (let i = 0; i < n; i++) this.keep(this.frame(i));
      const last = n > 0 ? this.ctl[FR_HDR + (n - 1) * FR_STRIDE + FR_LEN]! : 0;
      if (n < NREC && last <= BUF) return n;
    }
  }

  /** A host bridge between two taps has things of its own to say. */
  private keep(bytes: number[]): void {
    if (bytes[12] === ETHERTYPE_TEST[0] && bytes[13] === ETHERTYPE_TEST[1]) this.got.push(bytes);
  }

  private frame(i: number): number[] {
    const len = this.ctl[FR_HDR + i * FR_STRIDE + FR_LEN]!;
    const { u8 } = this.host.memory.slab;
    const off = this.mem + i * BUF;
    const first = [...u8.subarray(off, off + Math.min(len, BUF))];
    if (len <= BUF) return first;
    const over = this.mem + NREC * BUF;
    return [...first, ...u8.subarray(over, over + len - BUF)];
  }

  /** Sends frames, each cut into three pieces. */
  send(frames: readonly number[][]): number {
    const { u8 } = this.host.memory.slab;
    let at = this.mem + MEM / 2;
    frames.forEach((bytes, i) => {
      const rec = FR_HDR + i * FR_STRIDE;
      this.ctl.fill(0, rec, rec + FR_STRIDE);
      this.ctl[rec + FR_IOV] = IOV0 + i * 6;
      this.ctl[rec + FR_NIOV] = 3;
      let from = 0;
      for (const [p, len] of [1, 20, bytes.length - 21].entries()) {
        u8.set(bytes.slice(from, from + len), at);
        this.ctl.set([at, len], IOV0 + i * 6 + p * 2);
        from += len;
        at += len + 3;
      }
    });
    return this.port.tx(this.ctl, frames.length);
  }

  close(): void {
    this.port.close();
    this.host.memory.rumpuser_free(this.mem, MEM);
  }
}

function frame(len: number, seed: number): number[] {
  return [
    2,
    0,
    0,
    0,
    0,
    2,
    2,
    0,
    0,
    0,
    0,
    1,
    ...ETHERTYPE_TEST,
    ...Array.from({ length: len - 14 }, (_, i) => (i * 7 + seed) & 255),
  ];
}

/** frames. */
export function framesConformance(get: () => Subject): void {
  it("carries frames gathered from pieces, in order, also one longer than a buffer", async function () {
    const names = get().wire;
    if (names === null) return this.skip();
    const [a, b] = [new End(get(), names[0]), new End(get(), names[1])];
    await get().pass(LINK_UP);
    b.port.rx_enable(true);
    const sent = [frame(60, 1), frame(1514, 2), frame(61, 3)];
    expect(a.send(sent)).to.equal(3);
    expect([a.ctl[FRH_DROPPED], a.ctl[FRH_BYTES]]).to.deep.equal([0, 60 + 1514 + 61]);
    expect(b.got).to.deep.equal([]);
    await get().pass(SOON);
    expect(b.got).to.deep.equal(sent);
    expect(b.ready).to.be.at.least(1);
    a.close();
    b.close();
  });

  it("keeps frames until they are asked for, and stops telling when nobody wants to know", async function () {
    const names = get().wire;
    if (names === null) return this.skip();
    const [a, b] = [new End(get(), names[0]), new End(get(), names[1])];
    await get().pass(LINK_UP);
    a.send([frame(60, 1)]);
    await get().pass(SOON);
    expect(b.ready).to.equal(0);
    b.port.rx_enable(true);
    await get().pass(SOON);
    expect(b.got).to.have.length(1);
    b.port.rx_enable(false);
    a.send([frame(60, 2)]);
    await get().pass(SOON);
    expect(b.got).to.have.length(1);
    b.receive();
    expect(b.got).to.have.length(2);
    expect(b.receive()).to.equal(0);
    b.close();
    expect([b.port.rx(b.ctl, 1), b.port.tx(b.ctl, 1)]).to.deep.equal([-ENXIO, -ENXIO]);
    b.port.close();
    a.close();
  });

  it("says what is wrong with a name", () => {
    const host = get().host();
    if (host.frames === null) return;
    const info = new FramePortInfo();
    const up = { frames_rx_ready: () => {}, frames_tx_ready: () => {}, frames_link: () => {} };
    expect(host.frames.frames_open("no such / name that is far too long", up, info)).to.equal(null);
    expect(info.err).to.be.oneOf([EINVAL, 2]);
    expect(info.text).to.contain("no such / name");
  });
}
