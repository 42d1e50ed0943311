// From a fresh clone to a runnable tree: npm packages, TypeScript, the native addon; each only when stale.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { filesBelow, fingerprint, stamp, stampIs, withLock } from "./stamp.mjs";
import { buildNative } from "./native.mjs";

/** The source folders, in the order of the layers. */
export const SOURCE_FOLDERS = ["hypercall", "kernel-components", "drivers", "rumpsys", "compat", "test", "docs"];

const OLDEST_NODE = [20, 19];

/**
 * Make everything current. Exits with a message if packages or TypeScript fail.
 * Returns "" or the reason why the native host is not there: what needs no native code still runs.
 */
export function makeCurrent(root) {
  checkNode();
  installPackages(root);
  compile(root);
  return buildNative(root);
}

/** Say what went wrong and stop. */
export function die(message) {
  console.error(`rumpkit: ${message}`);
  process.exit(1);
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
    die(`Node ${process.versions.node} is too old; it needs ${OLDEST_NODE.join(".")} or later (https://nodejs.org)`);
  }
}

function installPackages(root) {
  if (installed(root)) return;
  withLock(join(root, "build/.install.lock"), () => {
    if (installed(root)) return;
    console.error("installing npm packages ...");
    // Not `npm ci`: it refuses a lock file that lacks other platforms' optional packages. --no-save leaves the lock file as it is.
    const args = ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
    const run = spawnSync("npm", args, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
    if (run.error) die(`npm could not be started: ${run.error.message}`);
    if (run.status !== 0)
      die(`npm install failed (status ${run.status}); its message is above. Is the registry reachable?`);
  });
}

/** Whether node_modules holds what package-lock.json asks for (npm writes what it installed beside it). */
function installed(root) {
  const hidden = join(root, "node_modules/.package-lock.json");
  if (!existsSync(hidden)) return false;
  const have = JSON.parse(readFileSync(hidden, "utf8")).packages;
  const want = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  return Object.entries(want).every(([path, { version, optional }]) => {
    return path === "" || optional === true || have[path]?.version === version;
  });
}

function compile(root) {
  const skip = new Set(["node_modules", "build", "addon"]);
  const wanted = (name) => name.endsWith(".ts") || (name.startsWith("tsconfig") && name.endsWith(".json"));
  const top = ["package-lock.json", "tsconfig.json", "tsconfig.base.json", "tsconfig.node.json"].map((name) =>
    join(root, name),
  );
  const sources = [...top, ...SOURCE_FOLDERS.flatMap((folder) => filesBelow(join(root, folder), wanted, skip))];
  const mark = join(root, "build/.stamp");
  const want = fingerprint(sources, process.version);
  if (stampIs(mark, want)) return;
  const tsc = join(root, "node_modules/@typescript/native/bin/tsc");
  const run = spawnSync(process.execPath, [tsc, "-b", root], { cwd: root, stdio: "inherit" });
  if (run.status !== 0) die("TypeScript found errors (above)");
  pruneOrphans(root);
  stamp(mark, want);
}

/** Remove what was compiled from sources that are gone: a deleted test must not run again. */
function pruneOrphans(root) {
  for (const folder of SOURCE_FOLDERS) {
    for (const output of filesBelow(join(root, "build", folder), (name) => /\.(js|js\.map|d\.ts)$/.test(name))) {
      const source = join(root, output.slice(join(root, "build").length).replace(/\.(js|js\.map|d\.ts)$/, ".ts"));
      if (!existsSync(source)) rmSync(output, { force: true });
    }
  }
}
