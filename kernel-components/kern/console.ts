// The kernel's console: the ring of messages (kern.msgbuf), what reaches the host's console, and log levels.
import type { HyperConsole } from "../../hypercall/api/console.ts";
import { RUMPUSER_PARAM_VERBOSE } from "../../hypercall/api/param.ts";
import type { HyperParam } from "../../hypercall/api/param.ts";

/** Bytes of the message buffer by default. */
export const MSGBUFSIZE = 16_384;
/** Bytes that the ring starts with; it grows to its size when messages come. */
const MSGBUF_FIRST = 1024;
/** First byte of a UTF-8 sequence with this many bytes after it. */
const UTF8_LEAD: readonly number[] = [0, 0xc0, 0xe0, 0xf0];

/** log level: system is unusable. */
export const LOG_EMERG = 0;
/** log level: action must be taken at once. */
export const LOG_ALERT = 1;
/** log level: critical. */
export const LOG_CRIT = 2;
/** log level: error. */
export const LOG_ERR = 3;
/** log level: warning. */
export const LOG_WARNING = 4;
/** log level: normal but significant. */
export const LOG_NOTICE = 5;
/** log level: informational. */
export const LOG_INFO = 6;
/** log level: debug. */
export const LOG_DEBUG = 7;

/** Whoever has a console: the kernel. */
export interface HasConsole {
  /** The console. */
  readonly cons: KernelConsole;
}

/** Console and message ring of one kernel. */
export class KernelConsole {
  /** RUMP_VERBOSE: 0 quiet, 1 boot messages and log, 2 also debug messages. */
  verbose: number;
  /** Most bytes of the ring. */
  readonly msgbufsize: number;
  /** Bytes that the ring has lost because it was full. */
  lost = 0;
  private readonly host: HyperConsole;
  private ring: Uint8Array;
  private start = 0;
  private used = 0;

  constructor(host: HyperConsole, param: HyperParam, msgbufsize: number | undefined) {
    this.host = host;
    this.msgbufsize = msgbufsize ?? MSGBUFSIZE;
    this.ring = new Uint8Array(Math.min(MSGBUF_FIRST, this.msgbufsize));
    const text = param.rumpuser_getparam(RUMPUSER_PARAM_VERBOSE);
    const level = text === null || text === "" ? 0 : Number(text);
    this.verbose = Number.isInteger(level) ? level : 1;
  }

  /** Put `text` into the ring as UTF-8 (the kernel has no TextEncoder), and on the host's console if `show`. */
  write(text: string, show: boolean): void {
    for (const ch of text) {
      const c = ch.codePointAt(0) ?? 0;
      if (c < 0x80) {
        this.put(c, show);
        continue;
      }
      const n = c < 0x800 ? 1 : c < 0x1_0000 ? 2 : 3;
      this.put(UTF8_LEAD[n] | (c >> (6 * n)), show);
      for (let i = n - 1; i >= 0; i--) this.put(0x80 | ((c >> (6 * i)) & 0x3f), show);
    }
  }

  /** What the ring holds, oldest byte first. */
  msgbuf(): Uint8Array {
    const out = new Uint8Array(this.used);
    for (let i = 0; i < this.used; i++) out[i] = this.ring[(this.start + i) % this.ring.length];
    return out;
  }

  /** Empty the ring. */
  clear(): void {
    this.start = 0;
    this.used = 0;
  }

  private put(c: number, show: boolean): void {
    this.keep_byte(c);
    if (show) this.host.rumpuser_putchar(c);
  }

  private keep_byte(c: number): void {
    if (this.used === this.ring.length) {
      if (this.ring.length < this.msgbufsize) {
        this.grow();
      } else {
        this.start = (this.start + 1) % this.ring.length;
        this.used--;
        this.lost++;
      }
    }
    this.ring[(this.start + this.used) % this.ring.length] = c;
    this.used++;
  }

  private grow(): void {
    const bigger = new Uint8Array(Math.min(this.ring.length * 2, this.msgbufsize));
    bigger.set(this.msgbuf());
    this.ring = bigger;
    this.start = 0;
  }
}

/** A message for the console and the message buffer. */
export function printf(k: HasConsole, text: string): void {
  k.cons.write(text, true);
}

/** A message at a LOG_* level: to the message buffer; on the console from LOG_CRIT down, or when booted verbose. */
export function log(k: HasConsole, level: number, text: string): void {
  k.cons.write(text, level <= LOG_CRIT || k.cons.verbose >= (level === LOG_DEBUG ? 2 : 1));
}

/** A message of autoconfiguration: on the console when booted verbose (RUMP_VERBOSE). */
export function aprint_normal(k: HasConsole, text: string): void {
  k.cons.write(text, k.cons.verbose >= 1);
}

/** As aprint_normal, for detail: on the console with RUMP_VERBOSE=2. */
export function aprint_verbose(k: HasConsole, text: string): void {
  k.cons.write(text, k.cons.verbose >= 2);
}

/** An error of autoconfiguration: always on the console. */
export function aprint_error(k: HasConsole, text: string): void {
  k.cons.write(text, true);
}
