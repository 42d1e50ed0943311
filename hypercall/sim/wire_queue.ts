// The sender's end of a wire with limited rate: a token bucket with a bounded queue before it. When each frame leaves is known as soon as it
// comes, so the queue is a ring of departures and needs no event of its own.
import type { WireConfig } from "./wire_settings.ts";

const FIRST = 16;
const NS_PER_SEC = 1e9;

/** Departures that are still to come. */
export class WireQueue {
  /** Bytes that wait. */
  bytes = 0;
  /** Frames that wait. */
  packets = 0;
  private leave: Float64Array = new Float64Array(FIRST);
  private size: Int32Array = new Int32Array(FIRST);
  private head = 0;
  private full_at = 0;

  /** Whether a frame of `len` bytes finds no room now. hot */
  full(config: WireConfig, now_ns: number, len: number): boolean {
    if (config.rate_bps === Number.POSITIVE_INFINITY) return false;
    this.expire(now_ns);
    return this.packets >= config.queue_packets || this.bytes + len > config.queue_bytes;
  }

  /** Take a frame for which there is room. @returns when it has left. hot */
  push(config: WireConfig, now_ns: number, len: number): number {
    if (config.rate_bps === Number.POSITIVE_INFINITY) return now_ns;
    // full_at: when the bucket would be empty of work, that is full of tokens, if nothing more came
    this.full_at = Math.max(this.full_at, now_ns) + (len * 8 * NS_PER_SEC) / config.rate_bps;
    const leaves = Math.max(now_ns, Math.round(this.full_at - (config.burst_bytes * 8 * NS_PER_SEC) / config.rate_bps));
    if (this.packets === this.leave.length) this.grow();
    const at = (this.head + this.packets++) & (this.leave.length - 1);
    this.leave[at] = leaves;
    this.size[at] = len;
    this.bytes += len;
    return leaves;
  }

  /** When the first of those that wait leaves, or 0. */
  first_leaves(): number {
    return this.packets === 0 ? 0 : this.leave[this.head];
  }

  private expire(now_ns: number): void {
    while (this.packets > 0 && this.leave[this.head] <= now_ns) {
      this.bytes -= this.size[this.head];
      this.head = (this.head + 1) & (this.leave.length - 1);
      this.packets--;
    }
  }

  private grow(): void {
    const n = this.leave.length;
    const leave = new Float64Array(2 * n);
    const size = new Int32Array(2 * n);
    for (let i = 0; i < n; i++) {
      leave[i] = this.leave[(this.head + i) & (n - 1)];
      size[i] = this.size[(this.head + i) & (n - 1)];
    }
    this.leave = leave;
    this.size = size;
    this.head = 0;
  }
}
