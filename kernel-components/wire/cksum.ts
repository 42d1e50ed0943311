/*
 * The Internet checksum: the ones-complement sum of big-endian 16-bit words (RFC 1071), and its incremental update (RFC 1624).
 *
 * A *partial sum* is a small non-negative integer that stands for a sum modulo 65535. Partial sums may be added with `+` as long as fewer than
 * ten thousand are, and handed on as the `sum` argument of cksum_partial. Words are counted from `off`, wherever that lies in memory: the first byte
 * is always the high half of a word, and a last odd byte is padded with a zero (RFC 1071 §1).
 */

/** Words of 32 bits, in groups of eight, that may be added before the int32 accumulator has to be folded. */
const CKSUM_BLOCK = 1024;

/**
 * Partial sum of `len` bytes at `off`, plus `sum`. The result is at most 0x1fffe.
 *
 * Preconditions: 0 <= sum < 2^30.
 * Preconditions: [off, off + len) lies inside the view.
 *
 * The sum is taken over little-endian words and swapped at the end, which is the same number (RFC 1071 §2 (B)) and spares a swap per word.
 */
// hot
export function cksum_partial(dv: DataView, off: number, len: number, sum: number): number {
  const end = off + len;
  let s = 0;
  let groups = len >> 5;
  while (groups > 0) {
    let n = groups > CKSUM_BLOCK ? CKSUM_BLOCK : groups;
    groups -= n;
    for (; n > 0; n--) {
      let w = dv.getInt32(off, true);
      s = (s + (w & 0xffff) + (w >>> 16)) | 0;
      w = dv.getInt32(off + 4, true);
      s = (s + (w & 0xffff) + (w >>> 16)) | 0;
      w = dv.getInt32(off + 8, true);
      s = (s + (w & 0xffff) + (w >>> 16)) | 0;
      w = dv.getInt32(off + 12, true);
      s = (s + (w & 0xffff) + (w >>> 16)) | 0;
      w = dv.getInt32(off + 16, true);
      s = (s + (w & 0xffff) + (w >>> 16)) | 0;
      w = dv.getInt32(off + 20, true);
      s = (s + (w & 0xffff) + (w >>> 16)) | 0;
      w = dv.getInt32(off + 24, true);
      s = (s + (w & 0xffff) + (w >>> 16)) | 0;
      w = dv.getInt32(off + 28, true);
      s = (s + (w & 0xffff) + (w >>> 16)) | 0;
      off += 32;
    }
    s = (s & 0xffff) + (s >>> 16);
  }
  for (; end - off >= 4; off += 4) {
    const w = dv.getInt32(off, true);
    s = (s + (w & 0xffff) + (w >>> 16)) | 0;
  }
  if (end - off >= 2) {
    s += dv.getUint16(off, true);
    off += 2;
  }
  if (end > off) s += dv.getUint8(off);
  s = (s & 0xffff) + (s >>> 16);
  s = (s & 0xffff) + (s >>> 16);
  s = (((s & 0xff) << 8) | (s >>> 8)) + sum;
  return (s & 0xffff) + (s >>> 16);
}

/** A partial sum brought down to 16 bits, not complemented. */
// hot
export function cksum_reduce(sum: number): number {
  sum = (sum & 0xffff) + (sum >>> 16);
  return (sum & 0xffff) + (sum >>> 16);
}

/** The checksum to be stored for a partial sum: reduced to 16 bits and complemented. 0 for a packet whose stored checksum was summed too and is right. */
// hot
export function cksum_fold(sum: number): number {
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/**
 * The partial sum of bytes that begin at an odd distance from the start of the data, made from the sum that counts words from their own start.
 * This is how a chain of buffers is summed when one of them has an odd length:
 *
 *     const part = cksum_partial(dv, off, len, 0);
 *     sum += odd ? cksum_swap(part) : part;
 *     if (len & 1) odd = !odd;
 */
// hot
export function cksum_swap(sum: number): number {
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  return ((sum & 0xff) << 8) | (sum >>> 8);
}

/** Checksum of `len` bytes: what in_cksum() is in C. 0 when the stored checksum is part of the bytes and right. */
// hot
export function cksum(dv: DataView, off: number, len: number): number {
  return cksum_fold(cksum_partial(dv, off, len, 0));
}

/**
 * Checksum of a 20-byte IPv4 header. 0 when the header's own checksum is right; to fill one in, store 0 in ip_sum first and then this.
 * A header with options goes through cksum(dv, off, hlen).
 */
// hot
export function ip_cksum20(dv: DataView, off: number): number {
  const a = dv.getInt32(off);
  const b = dv.getInt32(off + 4);
  const c = dv.getInt32(off + 8);
  const d = dv.getInt32(off + 12);
  const e = dv.getInt32(off + 16);
  let s = (a >>> 16) + (a & 0xffff) + (b >>> 16) + (b & 0xffff) + (c >>> 16) + (c & 0xffff);
  s = s + (d >>> 16) + (d & 0xffff) + (e >>> 16) + (e & 0xffff);
  s = (s & 0xffff) + (s >>> 16);
  s = (s & 0xffff) + (s >>> 16);
  return ~s & 0xffff;
}

/**
 * A stored checksum after one aligned 16-bit word that it covers changed from `old16` to `new16`: HC' = ~(~HC + ~m + m'), RFC 1624 §3 (Eqn. 3).
 * Gives the same as a full computation, except that data of zeros only may be given either zero (0x0000 or 0xffff).
 */
// hot
export function cksum_fixup16(old_cksum: number, old16: number, new16: number): number {
  let s = (~old_cksum & 0xffff) + (~old16 & 0xffff) + (new16 & 0xffff);
  s = (s & 0xffff) + (s >>> 16);
  s = (s & 0xffff) + (s >>> 16);
  return ~s & 0xffff;
}

/** cksum_fixup16 for an aligned 32-bit field (an address, a sequence number) given as int32. */
// hot
export function cksum_fixup32(old_cksum: number, old32: number, new32: number): number {
  let s = (~old_cksum & 0xffff) + (~old32 & 0xffff) + (~old32 >>> 16) + (new32 & 0xffff) + (new32 >>> 16);
  s = (s & 0xffff) + (s >>> 16);
  s = (s & 0xffff) + (s >>> 16);
  return ~s & 0xffff;
}

/** Partial sum of the IPv4 pseudo-header (RFC 768, RFC 9293 §3.1): addresses as int32, protocol, length of transport header and data. */
// hot
export function cksum_pseudo4(src: number, dst: number, proto: number, len: number): number {
  return (src >>> 16) + (src & 0xffff) + (dst >>> 16) + (dst & 0xffff) + proto + len;
}

/** Partial sum of the IPv6 pseudo-header (RFC 8200 §8.1); the 16-byte addresses lie at `src` and `dst`. */
// hot
export function cksum_pseudo6(dv: DataView, src: number, dst: number, proto: number, len: number): number {
  const s = cksum_partial(dv, src, 16, proto + (len & 0xffff) + (len >>> 16));
  return cksum_partial(dv, dst, 16, s);
}
