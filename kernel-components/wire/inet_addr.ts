/*
 * IPv4 addresses as text. Inside, an address is an int32 in host order: 127.0.0.1 is 0x7f000001, 255.255.255.255 is -1.
 */

/** What a reader of addresses found: `addr` is meaningful only if `ok`. */
export interface InetAton {
  /** Was the text an address? */
  readonly ok: boolean;
  /** The address; 0 if not ok. */
  readonly addr: number;
}

const DOT = 0x2e;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const NOT_AN_ADDRESS: InetAton = { ok: false, addr: 0 };

/** Dotted quad of an address. */
export function inet_ntoa(addr: number): string {
  return `${addr >>> 24}.${(addr >>> 16) & 255}.${(addr >>> 8) & 255}.${addr & 255}`;
}

/** Strict reader, as inet_pton(3): exactly four decimal numbers 0..255 of at most three digits, without leading zeros, and nothing else. hot */
export function inet_pton4(text: string): InetAton {
  let addr = 0;
  let part = 0;
  let digits = 0;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === DOT) {
      if (digits === 0 || ++dots > 3) return NOT_AN_ADDRESS;
      addr = (addr << 8) | part;
      part = 0;
      digits = 0;
    } else {
      // a digit after a leading zero, or one too many
      if (c < DIGIT_0 || c > DIGIT_9 || (digits > 0 && part === 0)) return NOT_AN_ADDRESS;
      part = part * 10 + (c - DIGIT_0);
      digits++;
      if (part > 255) return NOT_AN_ADDRESS;
    }
  }
  return dots === 3 && digits > 0 ? { ok: true, addr: (addr << 8) | part } : NOT_AN_ADDRESS;
}

/**
 * BSD's reader, inet_aton(3): one to four numbers, each decimal, octal (leading 0) or hexadecimal (leading 0x); the last one fills all bytes that are left
 * ("127.1", "0x7f000001"). White space ends the address and what follows it is ignored, as there.
 */
export function inet_aton(text: string): InetAton {
  const parts = (/^[^ \t\n\v\f\r]*/.exec(text)?.[0] ?? "").split(".");
  if (parts.length > 4) return NOT_AN_ADDRESS;
  let addr = 0;
  for (let i = 0; i < parts.length; i++) {
    const v = number_of(parts[i] as string);
    const last = i === parts.length - 1;
    if (v < 0 || v >= (last ? 2 ** (8 * (4 - i)) : 256)) return NOT_AN_ADDRESS;
    addr = last ? addr + v : addr + v * 2 ** (24 - 8 * i);
  }
  return { ok: true, addr: addr | 0 };
}

/** A C number, or -1. */
function number_of(s: string): number {
  if (/^0[xX][0-9a-fA-F]+$/.test(s)) return parseInt(s.slice(2), 16);
  if (/^0[0-7]*$/.test(s)) return parseInt(s, 8);
  return /^[1-9][0-9]*$/.test(s) ? Number(s) : -1;
}
