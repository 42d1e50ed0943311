// The kernel's generator (cprng(9), arc4random(3)): ChaCha8 keystream with fast key erasure, seeded by the host.
import { RUMPUSER_RANDOM_HARD } from "../../hypercall/api/random.ts";
import type { HyperRandom } from "../../hypercall/api/random.ts";

/** Double rounds: ChaCha8. Ports, ISNs and hash keys need what nobody guesses, not what lasts for decades. */
const DOUBLE_ROUNDS = 4;
/** Blocks made at a time. */
const BLOCKS = 8;
/** "expand 32-byte k". */
const SIGMA: readonly number[] = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574];
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
  private readonly state: Int32Array = new Int32Array(16);
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
    for (let b = 0; b < BLOCKS; b++) chacha_block(this.key, b, this.state, this.buf, b * 16);
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

/** One block of keystream for `key` and block number `n` into out[at..at+15] (RFC 8439 §2.3 with fewer rounds, nonce 0). */
function chacha_block(key: Int32Array, n: number, x: Int32Array, out: Int32Array, at: number): void {
  for (let i = 0; i < 4; i++) x[i] = SIGMA[i];
  for (let i = 0; i < KEY_WORDS; i++) x[4 + i] = key[i];
  x[12] = n;
  x[13] = x[14] = x[15] = 0;
  for (let r = 0; r < DOUBLE_ROUNDS; r++) {
    quarter(x, 0, 4, 8, 12);
    quarter(x, 1, 5, 9, 13);
    quarter(x, 2, 6, 10, 14);
    quarter(x, 3, 7, 11, 15);
    quarter(x, 0, 5, 10, 15);
    quarter(x, 1, 6, 11, 12);
    quarter(x, 2, 7, 8, 13);
    quarter(x, 3, 4, 9, 14);
  }
  for (let i = 0; i < 4; i++) out[at + i] = (x[i] + SIGMA[i]) | 0;
  for (let i = 0; i < KEY_WORDS; i++) out[at + 4 + i] = (x[4 + i] + key[i]) | 0;
  out[at + 12] = (x[12] + n) | 0;
  out[at + 13] = x[13];
  out[at + 14] = x[14];
  out[at + 15] = x[15];
}

function quarter(x: Int32Array, a: number, b: number, c: number, d: number): void {
  x[a] = (x[a] + x[b]) | 0;
  x[d] = rotl(x[d] ^ x[a], 16);
  x[c] = (x[c] + x[d]) | 0;
  x[b] = rotl(x[b] ^ x[c], 12);
  x[a] = (x[a] + x[b]) | 0;
  x[d] = rotl(x[d] ^ x[a], 8);
  x[c] = (x[c] + x[d]) | 0;
  x[b] = rotl(x[b] ^ x[c], 7);
}

function rotl(v: number, n: number): number {
  return (v << n) | (v >>> (32 - n));
}
