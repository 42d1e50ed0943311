/*
 * UTF-8 (RFC 3629), for the texts in capture files: the standard library that this code may count on has no encoder.
 */

/** What stands for a byte that is no part of a character, and for half of a surrogate pair. */
const REPLACEMENT = 0xfffd;

/** The bytes of a text. */
export function utf8_encode(text: string): Uint8Array {
  const out: number[] = [];
  for (const ch of text) {
    let c = ch.codePointAt(0) ?? REPLACEMENT;
    if (c >= 0xd800 && c <= 0xdfff) c = REPLACEMENT;
    if (c < 0x80) out.push(c);
    else if (c < 0x800) out.push(0xc0 | (c >> 6), 0x80 | (c & 63));
    else if (c < 0x10000) out.push(0xe0 | (c >> 12), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63));
    else out.push(0xf0 | (c >> 18), 0x80 | ((c >> 12) & 63), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63));
  }
  return Uint8Array.from(out);
}

/** The text of bytes; each byte that is no part of a well-formed character becomes U+FFFD. */
export function utf8_decode(bytes: Uint8Array): string {
  let s = "";
  for (let i = 0; i < bytes.length; ) {
    const b = bytes[i];
    const n = b < 0x80 ? 1 : b >= 0xc2 && b < 0xe0 ? 2 : b >= 0xe0 && b < 0xf0 ? 3 : b >= 0xf0 && b < 0xf5 ? 4 : 0;
    let c = n === 1 ? b : b & (0x7f >> n);
    let ok = n > 0 && i + n <= bytes.length;
    for (let j = 1; ok && j < n; j++) {
      ok = (bytes[i + j] & 0xc0) === 0x80;
      c = (c << 6) | (bytes[i + j] & 63);
    }
    if (n === 3 && (c < 0x800 || (c >= 0xd800 && c <= 0xdfff))) ok = false;
    if (n === 4 && (c < 0x10000 || c > 0x10ffff)) ok = false;
    s += String.fromCodePoint(ok ? c : REPLACEMENT);
    i += ok ? n : 1;
  }
  return s;
}
