// A row of the benchmark: what rows/ has one of in each file.
import type { Lab } from "./lab.ts";
import type { Result } from "./result.ts";

/** One or more lines of the table that are measured together. */
export interface BenchRow {
  /** The lines that it gives. */
  readonly names: readonly string[];
  /** What is measured, in a sentence. */
  readonly what: string;
  run(lab: Lab): Promise<Result[]>;
}
