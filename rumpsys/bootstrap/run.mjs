// The one entry of the npm scripts: node rumpsys/bootstrap/run.mjs start|test|build|ok|bench|docs|native [arguments]
// It uses node: modules only, since it is what installs the others.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { die, makeCurrent } from "./build.mjs";
import { buildNative } from "./native.mjs";
import { ok } from "./ok.mjs";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const commands = {
  start: { run: (args) => load("build/rumpsys/cli/main_job.js", args) },
  test: { run: (args) => mocha(args), strictInCi: true },
  build: { run: () => {}, strict: true },
  ok: { run: (args) => process.exit(ok(root, args)), strictInCi: true },
  bench: { run: (args) => load("build/test/bench/run.js", args) },
  docs: { run: (args) => process.exit(program("typedoc/bin/typedoc", args)) },
  native: { run: () => {}, strict: true, nativeOnly: true },
};

const [name, ...args] = process.argv.slice(2);
const command = Object.hasOwn(commands, name ?? "") ? commands[name] : undefined;
if (command === undefined)
  die(`unknown command ${JSON.stringify(name ?? "")}; one of ${Object.keys(commands).join(", ")}`);

const withoutNative = command.nativeOnly ? buildNative(root) : makeCurrent(root);
if (withoutNative !== "") {
  console.error(`rumpkit: ${withoutNative}`);
  if (command.strict || (command.strictInCi && process.env.CI === "true")) process.exit(1);
  console.error("rumpkit: going on without it; what needs the native host will say so.");
}
await command.run(args);

/** Run a compiled program in this process, so that signals and exit codes are its own. */
async function load(path, programArgs) {
  const file = join(root, path);
  if (!existsSync(file)) die(`${path} is missing after the build`);
  process.setSourceMapsEnabled(true);
  process.argv = [process.execPath, file, ...programArgs];
  await import(pathToFileURL(file).href);
}

function mocha(mochaArgs) {
  process.exitCode = program("mocha/bin/mocha.js", mochaArgs);
}

function program(path, programArgs) {
  const run = spawnSync(process.execPath, [join(root, "node_modules", path), ...programArgs], {
    cwd: root,
    stdio: "inherit",
  });
  return run.status ?? 1;
}
