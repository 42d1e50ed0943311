/**
 * Cuts a byte stream into frames. Nothing is kept of a frame whose header is impossible, so what a hostile peer can make us hold is
 * bounded by SP_MAXFRAME.
 */
import { SP_HDRSIZE, SP_MAXFRAME, SpFrame } from "./sp_proto.ts";

/** The frames of one stream. */
export class SpReader {
  /** What was wrong with the stream, "" while nothing is. Nothing is read after that. */
  fault = "";
  private parts: Uint8Array[] = [];
  private held = 0;
  private need = SP_HDRSIZE;

  /** Bytes that wait for the rest of their frame. */
  get pending(): number {
    return this.held;
  }

  /** Bytes have come: calls `take` for every whole frame, until it says false. */
  push(bytes: Uint8Array, take: (frame: SpFrame) => boolean): void {
    if (this.fault !== "") return;
    this.parts.push(bytes);
    this.held += bytes.length;
    while (this.held >= this.need && this.fault === "") {
      const all = this.joined();
      let at = 0;
      while (this.fault === "") {
        const len = this.length_at(all, at);
        if (len === 0) break;
        if (!take(frame_at(all, at, len))) {
          this.fault = "closed";
          break;
        }
        at += len;
      }
      this.rest(all, at);
    }
  }

  private joined(): Uint8Array {
    if (this.parts.length === 1) return this.parts[0] as Uint8Array;
    const all = new Uint8Array(this.held);
    let at = 0;
    for (const part of this.parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  /** Length of the frame at `at`, 0 when it is not whole yet or impossible. */
  private length_at(all: Uint8Array, at: number): number {
    const left = all.length - at;
    this.need = SP_HDRSIZE;
    if (left < SP_HDRSIZE) return 0;
    const dv = new DataView(all.buffer, all.byteOffset, all.byteLength);
    const len = dv.getUint32(at, true);
    if (
      dv.getUint32(at + 4, true) !== 0 ||
      len < SP_HDRSIZE ||
      len > SP_MAXFRAME ||
      dv.getUint32(at + 12, true) > 0x1f_ffff
    ) {
      this.fault = `a frame of ${len} bytes`;
      return 0;
    }
    this.need = len;
    return left < len ? 0 : len;
  }

  private rest(all: Uint8Array, at: number): void {
    const left = this.fault === "" ? all.subarray(at) : new Uint8Array(0);
    this.held = left.length;
    this.parts = left.length === 0 ? [] : [left];
  }
}

function frame_at(all: Uint8Array, at: number, len: number): SpFrame {
  const dv = new DataView(all.buffer, all.byteOffset, all.byteLength);
  const frame = new SpFrame();
  frame.reqno = dv.getUint32(at + 12, true) * 2 ** 32 + dv.getUint32(at + 8, true);
  frame.class = dv.getUint16(at + 16, true);
  frame.type = dv.getUint16(at + 18, true);
  frame.info = dv.getUint32(at + 20, true);
  frame.payload = all.subarray(at + SP_HDRSIZE, at + len);
  return frame;
}
