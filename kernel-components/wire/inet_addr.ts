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

const NOT_AN_ADDRESS: InetAton = { ok: false, addr: 0 };

/** Dotted quad of an address. */
export function inet_ntoa(addr: number): string {
  return `${addr >>> 24}.${(addr >>> 16) & 255}.${(addr >>> 8) & 255}.${addr & 255}`;
}

/** Strict reader, as inet_pton(3): exactly four decimal numbers 0..255 of at most three digits, without leading zeros, and nothing else. */
export function inet_pton4(text: string): InetAton {
  const m = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (m === null) return NOT_AN_ADDRESS;
  let addr = 0;
  for (let i = 1; i <= 4; i++) {
    const part = m[i] as string;
    if (Number(part) > 255 || (part.length > 1 && part.startsWith("0"))) return NOT_AN_ADDRESS;
    addr = (addr << 8) | Number(part);
  }
  return { ok: true, addr };
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
