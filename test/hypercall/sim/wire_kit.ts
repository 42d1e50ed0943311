// What the wire tests share: a driver of one port that records what it is told, and ways to send and read frames through a control array.
import {
  FR_BATCH,
  FR_CAP,
  FR_HDR,
  FR_IOV,
  FR_LEN,
  FR_NIOV,
  FR_OFF,
  FR_STRIDE,
  FRH_OVER_CAP,
  FRH_OVER_OFF,
  FramePortInfo,
  type FramePort,
  type FrameUp,
} from "../../../hypercall/api/frames.ts";
import type { Host } from "../../../hypercall/api/host.ts";

const BUF = 2048;

/** A driver that reads all it is offered. */
export class TestDriver implements FrameUp {
  readonly host: Host;
  readonly port: FramePort;
  readonly info: FramePortInfo = new FramePortInfo();
  readonly got: { data: Uint8Array; at: number }[] = [];
  readonly links: boolean[] = [];
  tx_ready = 0;
  rx_ready = 0;
  reading = true;
  private readonly ctl: Int32Array = new Int32Array(FR_HDR + FR_BATCH * FR_STRIDE + 2 * FR_BATCH);
  private readonly bufs: number;
  private readonly over: number;

  constructor(host: Host, wire: string) {
    this.host = host;
    this.bufs = host.memory.rumpuser_malloc(BUF * 4, 64);
    this.over = host.memory.rumpuser_malloc(70_000, 64);
    const port = host.frames?.frames_open(wire, this, this.info) ?? null;
    if (port === null) throw new Error(this.info.text);
    this.port = port;
    port.rx_enable(true);
  }

  frames_rx_ready(): void {
    this.rx_ready++;
    if (this.reading) this.read();
  }

  frames_tx_ready(): void {
    this.tx_ready++;
  }

  frames_link(up: boolean): void {
    this.links.push(up);
  }

  /** Read until drained. @returns the last result of rx. */
  read(): number {
    for (;;) {
      this.ctl[FRH_OVER_OFF] = this.over;
      this.ctl[FRH_OVER_CAP] = 68_000;
      for (let i = 0; i < 4; i++) {
        this.ctl[FR_HDR + i * FR_STRIDE + FR_OFF] = this.bufs + i * BUF;
        this.ctl[FR_HDR + i * FR_STRIDE + FR_CAP] = BUF;
      }
      const n = this.port.rx(this.ctl, 4);
      let overflowed = false;
      for (let i = 0; i < n; i++) {
        const len = this.ctl[FR_HDR + i * FR_STRIDE + FR_LEN]!;
        const u8 = this.host.memory.slab.u8;
        const data = new Uint8Array(len);
        const off = this.bufs + i * BUF;
        data.set(u8.subarray(off, off + Math.min(len, BUF)));
        if (len > BUF) data.set(u8.subarray(this.over, this.over + len - BUF), BUF);
        overflowed = len > BUF;
        this.got.push({ data, at: this.host.clock.rumpuser_clock_mono() });
      }
      if (n < 4 && !overflowed) return n;
    }
  }

  /** Send frames in one batch, each in two pieces. @returns how many were taken. */
  send(...frames: Uint8Array[]): number {
    const total = frames.reduce((n, f) => n + f.length, 1);
    const off = this.host.memory.rumpuser_malloc(total, 64);
    let at = off;
    let iov = FR_HDR + FR_BATCH * FR_STRIDE;
    frames.forEach((frame, i) => {
      const rec = FR_HDR + i * FR_STRIDE;
      const cut = frame.length >> 1;
      this.host.memory.slab.u8.set(frame, at);
      this.ctl[rec + FR_IOV] = iov;
      this.ctl[rec + FR_NIOV] = 2;
      this.ctl.set([at, cut, at + cut, frame.length - cut], iov);
      iov += 4;
      at += frame.length;
    });
    const n = this.port.tx(this.ctl, frames.length);
    this.host.memory.rumpuser_free(off, total);
    return n;
  }
}

/** A frame of `len` bytes (at least 4) that repeats its number `n` over and over. */
export function numbered(n: number, len: number = 64): Uint8Array {
  return new Uint8Array(len).map((_, i) => n >>> (24 - 8 * (i & 3)));
}

/** The number of a numbered frame. */
export function number_of(frame: Uint8Array): number {
  return new DataView(frame.buffer, frame.byteOffset).getUint32(0);
}
