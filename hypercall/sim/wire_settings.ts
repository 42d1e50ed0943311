// What a wire does to frames: the settings a person writes, checked and completed.

/** How the jitter is spread. */
export type JitterDistribution = "uniform" | "normal" | "pareto";

/** The Gilbert-Elliott model of losses in bursts: two states, each with its own loss. */
export interface GilbertElliott {
  /** Probability, for each frame, of going from the good state to the bad one. */
  readonly p: number;
  /** Probability of going back. */
  readonly r: number;
  /** Probability that a frame survives the bad state; 0 by default. */
  readonly h?: number;
  /** Probability that a frame survives the good state; 1 by default. */
  readonly k?: number;
}

/** Settings of a wire or of one direction. What is not given stays as it is; the first time, as in WIRE_DEFAULTS. Probabilities are 0..1. */
export interface WireSettings {
  /** Time on the way. */
  readonly delay_ns?: number;
  /** Spread of the delay: half the width for "uniform", the standard deviation for the others. It may reorder frames; a delay is never negative. */
  readonly jitter_ns?: number;
  /** How the jitter is spread. */
  readonly dist?: JitterDistribution;
  /** Probability that a frame is lost. */
  readonly loss?: number;
  /** Losses in bursts, beside `loss`; null for none. */
  readonly gemodel?: GilbertElliott | null;
  /** Probability that a frame arrives twice. */
  readonly duplicate?: number;
  /** Probability that one bit of a frame is wrong. */
  readonly corrupt?: number;
  /** Probability that a frame is held back, so that those behind it overtake. */
  readonly reorder?: number;
  /** For how long it is held back. */
  readonly reorder_ns?: number;
  /** Bits per second that the sender's end passes; Infinity for no limit. */
  readonly rate_bps?: number;
  /** Bytes that may pass at once before the rate counts (the depth of the token bucket). */
  readonly burst_bytes?: number;
  /** Frames that may wait at the sender's end, the one on its way out included. */
  readonly queue_packets?: number;
  /** Bytes that may wait there. */
  readonly queue_bytes?: number;
  /** Whether a full queue makes the driver wait (frames_tx_ready) rather than lose frames. */
  readonly backpressure?: boolean;
  /** Frames that a receiver may leave unread. */
  readonly rx_queue_packets?: number;
}

/** Complete settings. */
export class WireConfig {
  /** See WireSettings. */
  delay_ns = 1000;
  /** See WireSettings. */
  jitter_ns = 0;
  /** See WireSettings. */
  dist: JitterDistribution = "uniform";
  /** See WireSettings. */
  loss = 0;
  /** See WireSettings. */
  gemodel: GilbertElliott | null = null;
  /** See WireSettings. */
  duplicate = 0;
  /** See WireSettings. */
  corrupt = 0;
  /** See WireSettings. */
  reorder = 0;
  /** See WireSettings. */
  reorder_ns = 1_000_000;
  /** See WireSettings. */
  rate_bps: number = Number.POSITIVE_INFINITY;
  /** See WireSettings. */
  burst_bytes = 0;
  /** See WireSettings. */
  queue_packets = 1000;
  /** See WireSettings. */
  queue_bytes: number = Number.POSITIVE_INFINITY;
  /** See WireSettings. */
  backpressure = false;
  /** See WireSettings. */
  rx_queue_packets = 4096;
}

/** What a wire does when nothing is said: a short cable of 1 µs, which keeps two kernels that answer each other from freezing the clock. */
export const WIRE_DEFAULTS: Readonly<WireConfig> = Object.freeze(new WireConfig());

const PROBABILITIES: readonly (keyof WireSettings)[] = ["loss", "duplicate", "corrupt", "reorder"];
const DURATIONS: readonly (keyof WireSettings)[] = ["delay_ns", "jitter_ns", "reorder_ns", "burst_bytes"];
const LIMITS: readonly (keyof WireSettings)[] = ["rate_bps", "queue_packets", "queue_bytes", "rx_queue_packets"];
const DISTRIBUTIONS: readonly string[] = ["uniform", "normal", "pareto"];

/** A setting of a wire made no sense; the message names it. */
export class WireSettingError extends RangeError {
  override readonly name = "WireSettingError";
}

function probability(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value <= 1;
}

/** What `key` must be, or "" when `value` is that. */
function fault(key: string, value: unknown): string {
  const k = key as keyof WireSettings;
  if (PROBABILITIES.includes(k)) return probability(value) ? "" : "a probability from 0 to 1";
  if (DURATIONS.includes(k))
    return typeof value === "number" && value >= 0 && value < 2 ** 53 ? "" : "a number from 0 up";
  if (LIMITS.includes(k)) return typeof value === "number" && value > 0 ? "" : "a number above 0";
  if (k === "dist") return DISTRIBUTIONS.includes(value as string) ? "" : DISTRIBUTIONS.join(" or ");
  if (k === "backpressure") return typeof value === "boolean" ? "" : "true or false";
  if (k !== "gemodel") return "left out: a wire has no such setting";
  if (value === null) return "";
  const numbers = typeof value === "object" ? Object.entries(value as object) : [];
  const good = numbers.every(([name, n]) => ["p", "r", "h", "k"].includes(name) && probability(n));
  return good && numbers.some(([n]) => n === "p") && numbers.some(([n]) => n === "r")
    ? ""
    : "null or probabilities {p, r, h?, k?}";
}

function shown(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value as number);
}

/** `base` with `settings` put over it. Throws WireSettingError, naming the wire and the setting. */
export function wire_config(wire: string, base: Readonly<WireConfig>, settings: WireSettings): WireConfig {
  const config = Object.assign(new WireConfig(), base);
  for (const [key, value] of Object.entries(settings) as [string, unknown][]) {
    if (value === undefined) continue;
    const wanted = fault(key, value);
    if (wanted !== "") throw new WireSettingError(`wire ${wire}: ${key} is ${shown(value)}, but must be ${wanted}`);
    Object.assign(config, { [key]: value });
  }
  return config;
}
