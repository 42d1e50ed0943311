// Randomness of a simulated world: many small streams, each seeded by the world's seed and a name, so that a new host or wire leaves every
// other stream as it was. The generator is a small fast counting one of 128 bits of state (sfc32), in int32 arithmetic.

/** Words that are mixed before the first result. */
const WARMUP = 12;

/** 32 bits from `text` and `salt`, well mixed (FNV-1a, then a finaliser). */
export function hash32(text: string, salt: number): number {
  let h = (0x811c9dc5 ^ salt) | 0;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h ^= h >>> 16;
  h = Math.imul(h, 0x7feb352d);
  h ^= h >>> 15;
  h = Math.imul(h, 0x846ca68b);
  return (h ^ (h >>> 16)) | 0;
}

/** One stream. */
export class SimRandom {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;
  private spare = Number.NaN;

  /** The stream `name` of the world with `seed`. The same two give the same stream. */
  constructor(seed: number, name: string) {
    const text = `${seed}/${name}`;
    this.a = hash32(text, 0x51ab);
    this.b = hash32(text, 0x7c3d);
    this.c = hash32(text, 0x19e5);
    for (let i = 0; i < WARMUP; i++) this.next32();
  }

  /** 32 random bits as an int32. hot */
  next32(): number {
    const t = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11) | 0) + t) | 0;
    return t;
  }

  /** A number in [0, 1) with 53 random bits. hot */
  uniform(): number {
    const high = this.next32() >>> 5;
    const low = this.next32() >>> 6;
    return (high * 67_108_864 + low) / 9_007_199_254_740_992;
  }

  /** Whether something of probability `p` happens; draws nothing for 0 and 1. hot */
  chance(p: number): boolean {
    if (p <= 0) return false;
    return p >= 1 || this.uniform() < p;
  }

  /** A whole number 0..n-1. */
  below(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  /** A normal deviate with mean 0 and variance 1 (polar method). */
  normal(): number {
    if (!Number.isNaN(this.spare)) {
      const value = this.spare;
      this.spare = Number.NaN;
      return value;
    }
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const s = x * x + y * y;
      if (s >= 1 || s === 0) continue;
      const scale = Math.sqrt((-2 * Math.log(s)) / s);
      this.spare = y * scale;
      return x * scale;
    }
  }

  /** A Pareto deviate with shape 3, moved and scaled to mean 0 and variance 1: mostly small, sometimes large. */
  pareto(): number {
    return ((1 - this.uniform()) ** (-1 / 3) - 1.5) / Math.sqrt(0.75);
  }

  /** Fill `bytes`. */
  fill(bytes: Uint8Array): void {
    for (let i = 0, word = 0; i < bytes.length; i++) {
      word = (i & 3) === 0 ? this.next32() : word >>> 8;
      bytes[i] = word;
    }
  }
}
