// Loaded by mocha before any test (.mocharc.cjs): source maps, and one seed for every generated test.
import { configureGlobal, readConfigureGlobal } from "fast-check";
import type { RootHookObject } from "mocha";

/**
 * The seed of this run: RUMPKIT_SEED repeats a failed one, otherwise a fresh one.
 * It is printed when a test fails, and every test that needs randomness takes it from here.
 */
export const runSeed: number = seedFrom(process.env["RUMPKIT_SEED"]);

/** mocha calls these around the whole run. */
export const mochaHooks: RootHookObject = {
  beforeAll(): void {
    process.setSourceMapsEnabled(true);
    configureGlobal({ ...readConfigureGlobal(), seed: runSeed });
  },
  afterEach(this: Mocha.Context): void {
    if (this.currentTest?.state === "failed") console.log(`      repeat with RUMPKIT_SEED=${runSeed}`);
  },
};

function seedFrom(text: string | undefined): number {
  if (text === undefined) return Math.floor(Math.random() * 0x7fffffff);
  const seed = Number(text);
  if (!Number.isInteger(seed)) throw new Error(`RUMPKIT_SEED is not an integer: ${JSON.stringify(text)}`);
  return seed | 0;
}
