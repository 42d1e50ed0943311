/**
 * What a client does when its kernel goes away: RUMPHIJACK_RETRYCONNECT of rumphijack(3), rumpclient_setconnretry(3).
 */
import { EINVAL } from "../../hypercall/api/errno.ts";
import { RumpError } from "../errors.ts";

/** Environment variable with the policy. */
export const RUMPHIJACK_RETRYCONNECT = "RUMPHIJACK_RETRYCONNECT";

/** "inftime": try for ever; "once": one try; "die": end this process; a number: seconds to try. */
export type ConnRetry = "inftime" | "once" | "die" | number;

/** First wait between tries in ms; the n-th of the first tries waits n times as long. */
const BACKOFF_MS = 100;
/** Tries before the wait is BACKOFF_MAX_MS. */
const BACKOFF_TRIES = 10;
const BACKOFF_MAX_MS = 10_000;

/** The policy that a text means; undefined and "" mean "once". Throws RumpError EINVAL for anything else. */
export function connretry_parse(text: string | undefined): ConnRetry {
  if (text === undefined || text === "") return "once";
  if (text === "inftime" || text === "once" || text === "die") return text;
  const seconds = /^[0-9]{1,9}$/.test(text) ? Number(text) : 0;
  if (seconds > 0) return seconds;
  throw new RumpError(
    "rumpclient",
    EINVAL,
    undefined,
    undefined,
    `${RUMPHIJACK_RETRYCONNECT}=${text}: inftime, once, die or seconds above 0`,
  );
}

/** How long to wait before try number `n` (the first is 1), in ms. */
export function connretry_wait_ms(n: number): number {
  return n <= BACKOFF_TRIES ? n * BACKOFF_MS : BACKOFF_MAX_MS;
}

/** Runs `attempt` as the policy says. The last failure is thrown. `wait` sleeps and tells how many ms have passed since the start. */
export async function connretry<T>(
  policy: ConnRetry,
  attempt: () => Promise<T>,
  wait: (ms: number) => Promise<number>,
): Promise<T> {
  for (let n = 1; ; n++) {
    try {
      return await attempt();
    } catch (error) {
      if (policy === "once" || policy === "die") throw error;
      const passed = await wait(connretry_wait_ms(n));
      if (policy !== "inftime" && passed >= policy * 1000) throw error;
    }
  }
}
