// Console group: the kernel's lines on standard output, debugging on standard error.
import type { HyperConsole } from "../api/console.ts";

/** Bytes held back at most when no end of line comes. */
const LINE_MAX = 1024;
const NEWLINE = 10;

/** Where the lines go. */
export interface ConsoleSink {
  /** One line with its end, or a long piece of one. */
  line(bytes: Uint8Array): void;
  /** Debug output. */
  debug(text: string): void;
}

/** Standard output and standard error. */
export const stdioSink: ConsoleSink = {
  line(bytes) {
    process.stdout.write(bytes);
  },
  debug(text) {
    process.stderr.write(text);
  },
};

/** Collects bytes to lines. */
export class NativeConsole implements HyperConsole {
  private readonly sink: ConsoleSink;
  private readonly buffer: Uint8Array = new Uint8Array(LINE_MAX);
  private length = 0;
  private flushing = false;

  constructor(sink: ConsoleSink) {
    this.sink = sink;
  }

  rumpuser_putchar(c: number): void {
    this.buffer[this.length++] = c;
    if (c === NEWLINE || this.length === LINE_MAX) this.flush();
    else if (!this.flushing) this.flush_later();
  }

  rumpuser_dprintf(text: string): void {
    this.sink.debug(text);
  }

  private flush(): void {
    if (this.length === 0) return;
    this.sink.line(this.buffer.slice(0, this.length));
    this.length = 0;
  }

  /** A prompt has no end of line: it appears when the event loop gets its turn. */
  private flush_later(): void {
    this.flushing = true;
    setImmediate(() => {
      this.flushing = false;
      this.flush();
    });
  }
}
