// The randomness of a fuzz run: one 32-bit seed, the same numbers in every run (xorshift).

/** A generator. */
export class Rng {
  private x: number;

  constructor(seed: number) {
    this.x = seed | 0 || 1;
    for (let i = 0; i < 8; i++) this.next();
  }

  /** 32 bits. */
  next(): number {
    let x = this.x;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.x = x;
    return x >>> 0;
  }

  /** 0 .. n-1. */
  below(n: number): number {
    return this.next() % n;
  }

  /** True once in n. */
  one_in(n: number): boolean {
    return this.next() % n === 0;
  }

  /** One of the values. */
  pick<T>(values: readonly T[]): T {
    return values[this.next() % values.length] as T;
  }

  /** Random bytes from..to. */
  fill(b: Uint8Array, from: number, to: number): void {
    for (let i = from; i < to; i++) b[i] = this.next() >>> 9;
  }

  /** n random bytes. */
  bytes(n: number): Uint8Array {
    const b = new Uint8Array(n);
    this.fill(b, 0, n);
    return b;
  }

  /** A number of any size: small ones, sizes near powers of two, and whatever. */
  wild(): number {
    const v = this.next();
    switch (v & 7) {
      case 0:
        return 0;
      case 1:
        return (v >>> 8) & 7;
      case 2:
        return (v >>> 8) & 0xff;
      case 3:
        return (v >>> 8) & 0xffff;
      case 4:
        return (1 << ((v >>> 8) & 31)) | 0;
      case 5:
        return ((1 << ((v >>> 8) & 31)) - 1) | 0;
      case 6:
        return -((v >>> 8) & 0xff);
      default:
        return v | 0;
    }
  }
}
