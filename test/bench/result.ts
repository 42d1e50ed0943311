// What a row of the benchmark says, and how good it is.

/** What a row must reach: "ratio" against the peer, or an absolute "below" or "above" in the row's unit. */
export interface Bar {
  readonly kind: "ratio" | "below" | "above";
  readonly value: number;
}

/** One line of the table. */
export interface Result {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it was compared with in the same run; "" for nothing. */
  readonly peer: string;
  readonly peer_value: number | null;
  /** Above 1: better than the peer. */
  readonly ratio: number | null;
  readonly bar: Bar | null;
}

/** What is compared. */
export interface Compared {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  readonly peer?: string;
  readonly peer_value?: number | null;
  readonly bar?: Bar;
}

/** Units in which more is better; in all others less is. */
const MORE_IS_BETTER: ReadonlySet<string> = new Set(["kpps", "Mpps", "Gbit/s"]);

/** Makes a line. */
export function result(c: Compared): Result {
  const peer_value = c.peer_value ?? null;
  const more = MORE_IS_BETTER.has(c.unit);
  const ratio = peer_value === null ? null : more ? c.value / peer_value : peer_value / c.value;
  return { name: c.name, value: c.value, unit: c.unit, peer: c.peer ?? "", peer_value, ratio, bar: c.bar ?? null };
}

/** Whether a line reaches its bar; null: it has none, or nothing to compare with. */
export function reached(r: Result): boolean | null {
  if (r.bar === null) return null;
  if (r.bar.kind === "below") return r.value < r.bar.value;
  if (r.bar.kind === "above") return r.value > r.bar.value;
  return r.ratio === null ? null : r.ratio >= r.bar.value;
}

/** The middle one. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const mid = sorted.length >> 1;
  if (sorted.length === 0) throw new Error("nothing was measured");
  return sorted.length % 2 === 1 ? sorted[mid]! : (sorted[mid - 1]! + sorted[mid]!) / 2;
}
