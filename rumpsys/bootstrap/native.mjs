// Building the native host's addon (hypercall/native/addon) when its sources have changed.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { contentHash, filesBelow, stamp, stampIs, withLock } from "./stamp.mjs";

const CURE = "apt-get install g++ make python3";

/**
 * Build the addon if it is stale.
 * Returns "" when it is ready to load, else one message that names what is missing and the cure.
 */
export function buildNative(root) {
  const addon = join(root, "hypercall/native/addon");
  if (!existsSync(join(addon, "binding.gyp"))) return "";
  try {
    return withLock(join(root, "build/.native.lock"), () => buildIfStale(root, addon));
  } catch (error) {
    if (error.code !== "EACCES" && error.code !== "EROFS") throw error;
    return `The native host cannot be built: ${error.message}.\n  Cure: build as the user who owns ${root}`;
  }
}

function buildIfStale(root, addon) {
  const sources = filesBelow(addon, (name) => /\.(gyp|gypi|cc|cpp|c|h)$/.test(name), new Set(["build"]));
  const made = join(addon, "build/Release/rumpuser.node");
  const mark = join(addon, "build/.stamp");
  const want = contentHash(sources, `${process.platform} ${process.arch} ${addonApiVersion(root)}`);
  if (existsSync(made) && stampIs(mark, want)) return "";

  const missing = missingTools();
  if (missing.length > 0) {
    return `The native host needs a C++ compiler, make and python3; not found: ${missing.join(", ")}.\n  Cure: ${CURE}`;
  }
  const gyp = nodeGyp(root);
  if (gyp === undefined)
    return "The native host needs node-gyp, and there is neither it nor npm's own.\n  Cure: npm install node-gyp";
  console.error("building the native host (hypercall/native/addon) ...");
  // Not `rebuild`: it begins with taking away the addon that works.
  const args = [gyp, "configure", "build", "--directory", addon, "--loglevel", "warn", ...localHeaders()];
  const run = spawnSync(process.execPath, args, { encoding: "utf8", env: { ...process.env, MAKEFLAGS: "-j2" } });
  if (run.status !== 0) {
    const output = `${run.stdout}\n${run.stderr}`.trim().split("\n").slice(-40).join("\n");
    return `The native host did not build:\n${output}\n  If a tool or header is missing: ${CURE}`;
  }
  stamp(mark, want);
  return "";
}

/** Node's own headers lie beside its binary when it came from nodejs.org or a distribution: no download is needed then. */
function localHeaders() {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, "include/node/node_api.h")) ? [`--nodedir=${prefix}`] : [];
}

/** node-addon-api lies beside an installed package, not below it: looked for as Node looks for it. */
function addonApiVersion(root) {
  const require = createRequire(join(root, "package.json"));
  return JSON.parse(readFileSync(require.resolve("node-addon-api/package.json"), "utf8")).version;
}

/** node-gyp: the project's, or the one inside npm. undefined when there is none. */
function nodeGyp(root) {
  const require = createRequire(join(root, "package.json"));
  try {
    return require.resolve("node-gyp/bin/node-gyp.js");
  } catch {
    const inNpm = "npm/node_modules/node-gyp/bin/node-gyp.js";
    const lib = join(dirname(dirname(process.execPath)), "lib/node_modules");
    const places = [process.env.npm_config_node_gyp, join(lib, inNpm), join("/usr/share/nodejs", inNpm)];
    return places.find((place) => place !== undefined && existsSync(place));
  }
}

/** The tools that node-gyp will look for and not find. CXX, MAKE and PYTHON name others, as they do for node-gyp. */
function missingTools() {
  const groups = [
    ["a C++ compiler", process.env.CXX, "g++", "c++", "clang++"],
    ["make", process.env.MAKE, "make", "gmake"],
    ["python3", process.env.PYTHON, "python3", "python"],
  ];
  return groups.filter(([, ...names]) => !names.some(onPath)).map(([label]) => label);
}

function onPath(command) {
  if (!command) return false;
  const program = command.split(" ")[0];
  if (program.includes("/")) return existsSync(program);
  return (process.env.PATH ?? "").split(delimiter).some((dir) => existsSync(join(dir, program)));
}
