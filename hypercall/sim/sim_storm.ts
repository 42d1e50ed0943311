// Notices a world that stands still: events that cause events at the same instant, without end.

/** Events whose originators are counted once the limit has been passed. */
const SAMPLE = 1000;
/** Names in the message. */
const NAMED = 3;

/** Too many events at one instant; the message names who caused them. */
export class SimStormError extends Error {
  override readonly name = "SimStormError";
}

/** The watch. */
export class StormWatch {
  private readonly limit: number;
  private n = 0;
  private readonly counts: Map<string, number> = new Map();

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Time has passed. hot */
  begin(): void {
    this.n = 0;
  }

  /** An event of `name` happens. Throws SimStormError. hot */
  count(name: string, now_ns: number): void {
    if (++this.n > this.limit) this.sample(name, now_ns);
  }

  private sample(name: string, now_ns: number): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    if (this.n < this.limit + SAMPLE) return;
    const most = [...this.counts].sort((a, b) => b[1] - a[1]).slice(0, NAMED);
    this.counts.clear();
    const names = most.map(([who, times]) => `${who} (${times})`).join(", ");
    throw new SimStormError(
      `time stands still at ${now_ns} ns: more than ${this.limit} events at one instant; of the last ${SAMPLE} most were by ${names}`,
    );
  }
}
