// `npm run ok`: everything that CI checks, one line a step, all steps even if an early one fails.
//   npm run ok                  all of it
//   npm run ok -- --no-test     without the tests (CI has just run them)
//   npm run ok -- lint docs     only these steps
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { die, SOURCE_FOLDERS } from "./build.mjs";

const STEPS = [
  {
    name: "layers",
    program: "dependency-cruiser/bin/dependency-cruise.mjs",
    args: ["--config", ".dependency-cruiser.cjs", ...SOURCE_FOLDERS],
  },
  { name: "lint", program: "oxlint/bin/oxlint", args: ["--type-aware", "--quiet"] },
  { name: "format", program: "@biomejs/biome/bin/biome", args: ["format"] },
  { name: "dead-code", program: "knip/bin/knip.js", args: ["--no-progress"] },
  { name: "docs", program: "typedoc/bin/typedoc", args: [] },
  { name: "tests", program: "mocha/bin/mocha.js", args: ["--reporter", "dot"], isTest: true },
];

/** Run the steps; the result is the exit status. A step's output is shown only if it fails. */
export function ok(root, args) {
  const steps = chosen(args);
  const failed = [];
  console.log("build      ok");
  for (const step of steps) {
    const begin = performance.now();
    const stepArgs = step.args.filter((arg) => !SOURCE_FOLDERS.includes(arg) || existsSync(join(root, arg)));
    const command = [join(root, "node_modules", step.program), ...stepArgs];
    const run = spawnSync(process.execPath, command, { cwd: root, encoding: "utf8", maxBuffer: 1 << 28 });
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    const passed = run.status === 0;
    console.log(`${step.name.padEnd(10)} ${passed ? "ok" : "FAILED"} (${seconds} s)`);
    if (passed) continue;
    failed.push(step.name);
    console.log(`${run.stdout ?? ""}${run.stderr ?? ""}${run.error?.message ?? ""}`.trimEnd());
  }
  console.log(failed.length === 0 ? "all ok" : `not ok: ${failed.join(", ")}`);
  return failed.length === 0 ? 0 : 1;
}

function chosen(args) {
  const known = STEPS.map(({ name }) => name);
  const unknown = args.find((arg) => arg !== "--no-test" && !known.includes(arg));
  if (unknown !== undefined) die(`npm run ok: unknown argument ${unknown}; it knows --no-test and ${known.join(", ")}`);
  const named = args.filter((arg) => known.includes(arg));
  return STEPS.filter(({ name, isTest }) => {
    return (named.length === 0 || named.includes(name)) && !(isTest && args.includes("--no-test"));
  });
}
