// The table that a person reads.
import { type Bar, reached, type Result } from "./result.ts";

/** A number with three significant digits or so. */
export function digits(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

function bar(b: Bar | null, unit: string): string {
  if (b === null) return "";
  if (b.kind === "ratio") return `x ${b.value.toFixed(2)}`;
  return `${b.kind === "below" ? "<" : ">"} ${b.value} ${unit}`;
}

/** The cells of one line. */
function cells(r: Result): string[] {
  const good = reached(r);
  return [
    r.name,
    `${digits(r.value)} ${r.unit}`,
    r.peer_value === null ? "" : `${digits(r.peer_value)} ${r.unit}`,
    r.ratio === null ? "" : r.ratio.toFixed(2),
    bar(r.bar, r.unit),
    good === null ? "" : good ? "yes" : "NO",
    r.peer,
  ];
}

const HEAD = ["row", "rumpkit", "peer", "ratio", "bar", "met", "the peer is"];

/** Prints lines of one width; ratio above 1: better than the peer. */
export function table(results: readonly Result[]): string {
  const rows = [HEAD, ...results.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const right = new Set([1, 2, 3, 4]);
  const text = rows.map((row) =>
    row
      .map((cell, column) => (right.has(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join("  ")
      .trimEnd(),
  );
  return `${text.join("\n")}\n`;
}
