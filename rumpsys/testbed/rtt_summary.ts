/**
 * Round-trip times in a few numbers.
 */

/** Microseconds. All NaN-free: with no samples every number is 0. */
export interface RttSummary {
  /** Shortest. */
  readonly min: number;
  /** Half of them are at most this. */
  readonly p50: number;
  /** Mean. */
  readonly avg: number;
  /** 99 of 100 are at most this. */
  readonly p99: number;
  /** Longest. */
  readonly max: number;
}

/** Summarises samples in µs, rounded to ns. The samples are left as they are. */
export function rtt_summary(samples: ArrayLike<number>): RttSummary {
  const n = samples.length;
  if (n === 0) return { min: 0, p50: 0, avg: 0, p99: 0, max: 0 };
  const sorted = Float64Array.from(samples).sort();
  const rank = (p: number): number => round(sorted[Math.min(n - 1, Math.ceil((p / 100) * n) - 1)] as number);
  let sum = 0;
  for (const s of sorted) sum += s;
  return {
    min: round(sorted[0] as number),
    p50: rank(50),
    avg: round(sum / n),
    p99: rank(99),
    max: round(sorted[n - 1] as number),
  };
}

function round(us: number): number {
  return Math.round(us * 1000) / 1000;
}
