/*
 * A limit of so many events a second (ppsratecheck(9)).
 */

/** The budget of the running second. */
export class PpsLimit {
  /** When the running second began, in ns. */
  private start_ns: number = -Infinity;
  /** Events of the running second. */
  private count = 0;

  /** May one more event happen now, if max_pps a second are allowed? Negative: always; 0: never. */
  check(now_ns: number, max_pps: number): boolean {
    if (max_pps < 0) return true;
    if (now_ns - this.start_ns >= 1e9) {
      this.start_ns = now_ns;
      this.count = 0;
    }
    if (this.count >= max_pps) return false;
    this.count++;
    return true;
  }
}
