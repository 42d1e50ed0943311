/**
 * What the main job prints: plain lines, or on a terminal lines with colour of which the last one may change while it is measured.
 */
import type { RttSummary } from "../testbed/rtt_summary.ts";

/** Columns before the text of a line. */
const LABEL_COLUMNS = 14;

/** Where lines go. */
export interface LineSink {
  /** Whether lines may be changed after they were written. */
  readonly live: boolean;
  /** Whether they may have colour. */
  readonly color: boolean;
  write(text: string): void;
}

/** The sink of a stream: live on a terminal; colour unless NO_COLOR is set (https://no-color.org), with FORCE_COLOR always. */
export function stream_sink(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): LineSink {
  const tty = stream.isTTY === true && env["TERM"] !== "dumb";
  const forced = env["FORCE_COLOR"] ?? "";
  const color = (env["NO_COLOR"] ?? "") === "" && (forced === "" ? tty : forced !== "0");
  return { live: tty, color, write: (text) => void stream.write(text) };
}

/** Lines with labels. */
export class Printer {
  private readonly sink: LineSink;
  private pending = false;
  private label = "";

  constructor(sink: LineSink) {
    this.sink = sink;
  }

  /** A line of its own. */
  line(text: string = ""): void {
    this.settle();
    this.sink.write(`${text}\n`);
  }

  /** A labelled line; the label is left out where it repeats. */
  item(label: string, text: string): void {
    this.settle();
    this.sink.write(`${this.head(label)}${text}\n`);
    this.label = label;
  }

  /** Shows how far something is, where lines can be changed. */
  progress(label: string, text: string): void {
    if (!this.sink.live) return;
    this.sink.write(`\r\u001b[K${this.head(label)}${this.dim(text)}`);
    this.pending = true;
  }

  /** Something that stands out. */
  bold(text: string): string {
    return this.sink.color ? `\u001b[1m${text}\u001b[0m` : text;
  }

  /** Something that does not. */
  dim(text: string): string {
    return this.sink.color ? `\u001b[2m${text}\u001b[0m` : text;
  }

  /** Takes a line that was in progress away. */
  settle(): void {
    if (this.pending) this.sink.write("\r\u001b[K");
    this.pending = false;
  }

  private head(label: string): string {
    const shown = (label === this.label ? "" : label).padEnd(LABEL_COLUMNS);
    return this.sink.color ? `\u001b[36m${shown}\u001b[0m` : shown;
  }
}

/** Round-trip times in one line. */
export function rtt_text(rtt: RttSummary): string {
  const us = (v: number): string => (v < 1000 ? v.toFixed(1) : `${Math.round(v)}`);
  return `min/avg/max/p50/p99 = ${us(rtt.min)}/${us(rtt.avg)}/${us(rtt.max)}/${us(rtt.p50)}/${us(rtt.p99)} us`;
}

/** 1234567 as 1,234,567. */
export function grouped(n: number): string {
  return Math.round(n)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ",");
}
