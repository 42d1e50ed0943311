/*
 * HalfSipHash-1-3 over 32-bit words, keyed by two boot secrets: so that nobody outside can choose addresses and ports that collide in a hash table, guess a
 * port (RFC 6056 §3.3.3) or an identification (RFC 7739 §5). Words only, as every use here hashes a fixed number of them; their count is hashed too.
 */

/** A key: two words from the kernel's generator. */
export class SipKey {
  /** First word. */
  readonly k0: number;
  /** Second word. */
  readonly k1: number;
  constructor(k0: number, k1: number) {
    this.k0 = k0 | 0;
    this.k1 = k1 | 0;
  }
}

/** The hash of three words, an int32. */
// hot
export function halfsiphash3(key: SipKey, a: number, b: number, c: number): number {
  let v0 = key.k0;
  let v1 = key.k1;
  let v2 = 0x6c796765 ^ key.k0;
  let v3 = 0x74656462 ^ key.k1;
  let w = a;
  for (let i = 0; i < 7; i++) {
    if (i < 4) v3 ^= w;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    if (i < 4) v0 ^= w;
    if (i === 0) w = b;
    else if (i === 1) w = c;
    else if (i === 2) w = 0x0c000000;
    else if (i === 3) v2 ^= 0xff;
  }
  return v1 ^ v3;
}
