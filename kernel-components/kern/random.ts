// The kernel's generator (cprng(9), arc4random(3)): ChaCha8 keystream with fast key erasure, seeded by the host.
import { RUMPUSER_RANDOM_HARD } from "../../hypercall/api/random.ts";
import type { HyperRandom } from "../../hypercall/api/random.ts";

/** Double rounds: ChaCha8. Ports, ISNs and hash keys need what nobody guesses, not what lasts for decades. */
const DOUBLE_ROUNDS = 4;
/** Blocks made at a time. */
const BLOCKS = 8;
/** "expand 32-byte k", word by word. */
const SIGMA0 = 0x61707865;
const SIGMA1 = 0x3320646e;
const SIGMA2 = 0x79622d32;
const SIGMA3 = 0x6b206574;
/** Words of a key. */
const KEY_WORDS = 8;
/** Words made at a time. */
const WORDS = BLOCKS * 16;
/** Words given out between new seeds from the host. */
const RESEED_WORDS = 1 << 20;

/** The generator. The first request asks the host for a seed. */
export class Arc4random {
  private readonly host: HyperRandom;
  private readonly key: Int32Array = new Int32Array(KEY_WORDS);
  private readonly buf: Int32Array = new Int32Array(WORDS);
  private at: number = WORDS;
  private left = 0;

  private readonly panic: (msg: string) => never;

  constructor(host: HyperRandom, panic: (msg: string) => never) {
    this.host = host;
    this.panic = panic;
  }

  /** A random int32. */
  next32(): number {
    if (this.at === WORDS) this.refill();
    const w = this.buf[this.at];
    this.buf[this.at++] = 0;
    return w;
  }

  /** A random number 0..n-1 without bias; 0 for n below 2. */
  uniform(n: number): number {
    if (n < 2) return 0;
    const floor = 2 ** 32 % n;
    for (;;) {
      const r = this.next32() >>> 0;
      if (r >= floor) return r % n;
    }
  }

  /** Fill `out`. */
  bytes(out: Uint8Array): void {
    for (let i = 0; i < out.length; i += 4) {
      const w = this.next32();
      for (let j = 0; j < 4 && i + j < out.length; j++) out[i + j] = w >>> (8 * j);
    }
  }

  private refill(): void {
    if (this.left <= 0) this.reseed();
    for (let b = 0; b < BLOCKS; b++) chacha_block(this.key, b, this.buf, b * 16);
    for (let i = 0; i < KEY_WORDS; i++) {
      this.key[i] = this.buf[i];
      this.buf[i] = 0;
    }
    this.at = KEY_WORDS;
    this.left -= WORDS;
  }

  private reseed(): void {
    const seed = new Uint8Array(KEY_WORDS * 4);
    const error = this.host.rumpuser_getrandom(seed, RUMPUSER_RANDOM_HARD);
    if (error !== 0) this.panic(`no entropy from the host: errno ${error}`);
    const dv = new DataView(seed.buffer);
    for (let i = 0; i < KEY_WORDS; i++) this.key[i] ^= dv.getInt32(4 * i, true);
    this.left = RESEED_WORDS;
  }
}

/**
 * One block of keystream for `key` and block number `n` into out[at..at+15] (RFC 8439 §2.3 with fewer rounds, nonce 0). Written out in
 * variables because that is four times as fast as an array, and every datagram takes a number from it. hot
 */
function chacha_block(key: Int32Array, n: number, out: Int32Array, at: number): void {
  let x0 = SIGMA0;
  let x1 = SIGMA1;
  let x2 = SIGMA2;
  let x3 = SIGMA3;
  let x4 = key[0];
  let x5 = key[1];
  let x6 = key[2];
  let x7 = key[3];
  let x8 = key[4];
  let x9 = key[5];
  let x10 = key[6];
  let x11 = key[7];
  let x12 = n;
  let x13 = 0;
  let x14 = 0;
  let x15 = 0;
  for (let r = 0; r < DOUBLE_ROUNDS; r++) {
    x0 = (x0 + x4) | 0;
    x12 ^= x0;
    x12 = (x12 << 16) | (x12 >>> 16);
    x8 = (x8 + x12) | 0;
    x4 ^= x8;
    x4 = (x4 << 12) | (x4 >>> 20);
    x0 = (x0 + x4) | 0;
    x12 ^= x0;
    x12 = (x12 << 8) | (x12 >>> 24);
    x8 = (x8 + x12) | 0;
    x4 ^= x8;
    x4 = (x4 << 7) | (x4 >>> 25);
    x1 = (x1 + x5) | 0;
    x13 ^= x1;
    x13 = (x13 << 16) | (x13 >>> 16);
    x9 = (x9 + x13) | 0;
    x5 ^= x9;
    x5 = (x5 << 12) | (x5 >>> 20);
    x1 = (x1 + x5) | 0;
    x13 ^= x1;
    x13 = (x13 << 8) | (x13 >>> 24);
    x9 = (x9 + x13) | 0;
    x5 ^= x9;
    x5 = (x5 << 7) | (x5 >>> 25);
    x2 = (x2 + x6) | 0;
    x14 ^= x2;
    x14 = (x14 << 16) | (x14 >>> 16);
    x10 = (x10 + x14) | 0;
    x6 ^= x10;
    x6 = (x6 << 12) | (x6 >>> 20);
    x2 = (x2 + x6) | 0;
    x14 ^= x2;
    x14 = (x14 << 8) | (x14 >>> 24);
    x10 = (x10 + x14) | 0;
    x6 ^= x10;
    x6 = (x6 << 7) | (x6 >>> 25);
    x3 = (x3 + x7) | 0;
    x15 ^= x3;
    x15 = (x15 << 16) | (x15 >>> 16);
    x11 = (x11 + x15) | 0;
    x7 ^= x11;
    x7 = (x7 << 12) | (x7 >>> 20);
    x3 = (x3 + x7) | 0;
    x15 ^= x3;
    x15 = (x15 << 8) | (x15 >>> 24);
    x11 = (x11 + x15) | 0;
    x7 ^= x11;
    x7 = (x7 << 7) | (x7 >>> 25);
    x0 = (x0 + x5) | 0;
    x15 ^= x0;
    x15 = (x15 << 16) | (x15 >>> 16);
    x10 = (x10 + x15) | 0;
    x5 ^= x10;
    x5 = (x5 << 12) | (x5 >>> 20);
    x0 = (x0 + x5) | 0;
    x15 ^= x0;
    x15 = (x15 << 8) | (x15 >>> 24);
    x10 = (x10 + x15) | 0;
    x5 ^= x10;
    x5 = (x5 << 7) | (x5 >>> 25);
    x1 = (x1 + x6) | 0;
    x12 ^= x1;
    x12 = (x12 << 16) | (x12 >>> 16);
    x11 = (x11 + x12) | 0;
    x6 ^= x11;
    x6 = (x6 << 12) | (x6 >>> 20);
    x1 = (x1 + x6) | 0;
    x12 ^= x1;
    x12 = (x12 << 8) | (x12 >>> 24);
    x11 = (x11 + x12) | 0;
    x6 ^= x11;
    x6 = (x6 << 7) | (x6 >>> 25);
    x2 = (x2 + x7) | 0;
    x13 ^= x2;
    x13 = (x13 << 16) | (x13 >>> 16);
    x8 = (x8 + x13) | 0;
    x7 ^= x8;
    x7 = (x7 << 12) | (x7 >>> 20);
    x2 = (x2 + x7) | 0;
    x13 ^= x2;
    x13 = (x13 << 8) | (x13 >>> 24);
    x8 = (x8 + x13) | 0;
    x7 ^= x8;
    x7 = (x7 << 7) | (x7 >>> 25);
    x3 = (x3 + x4) | 0;
    x14 ^= x3;
    x14 = (x14 << 16) | (x14 >>> 16);
    x9 = (x9 + x14) | 0;
    x4 ^= x9;
    x4 = (x4 << 12) | (x4 >>> 20);
    x3 = (x3 + x4) | 0;
    x14 ^= x3;
    x14 = (x14 << 8) | (x14 >>> 24);
    x9 = (x9 + x14) | 0;
    x4 ^= x9;
    x4 = (x4 << 7) | (x4 >>> 25);
  }
  out[at + 0] = x0 + SIGMA0;
  out[at + 1] = x1 + SIGMA1;
  out[at + 2] = x2 + SIGMA2;
  out[at + 3] = x3 + SIGMA3;
  out[at + 4] = x4 + key[0];
  out[at + 5] = x5 + key[1];
  out[at + 6] = x6 + key[2];
  out[at + 7] = x7 + key[3];
  out[at + 8] = x8 + key[4];
  out[at + 9] = x9 + key[5];
  out[at + 10] = x10 + key[6];
  out[at + 11] = x11 + key[7];
  out[at + 12] = x12 + n;
  out[at + 13] = x13;
  out[at + 14] = x14;
  out[at + 15] = x15;
}
