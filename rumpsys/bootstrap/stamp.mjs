// What a build was made from, remembered as one hash, so that a second `npm start` costs a few milliseconds.
import { createHash } from "node:crypto";
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";

/** Every file below `dir` whose name `wanted` accepts, sorted; folders named in `skip` are not entered. */
export function filesBelow(dir, wanted, skip = new Set()) {
  const found = [];
  const enter = (folder) => {
    let entries;
    try {
      entries = readdirSync(folder, { withFileTypes: true });
    } catch {
      return;
    }
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!skip.has(entry.name)) enter(path);
      } else if (wanted(entry.name)) {
        found.push(path);
      }
    }
  };
  enter(dir);
  return found.sort();
}

/** A hash over path, size and modification time of `files`: cheap, and changes whenever one is edited, added or removed. */
export function fingerprint(files, extra = "") {
  const hash = createHash("sha256").update(extra);
  for (const file of files) {
    const stat = statSync(file, { throwIfNoEntry: false });
    hash.update(`${file}\0${stat?.size}\0${stat?.mtimeMs}\n`);
  }
  return hash.digest("hex");
}

/** A hash over the contents of `files`: survives a fresh checkout, whose modification times mean nothing. */
export function contentHash(files, extra = "") {
  const hash = createHash("sha256").update(extra);
  for (const file of files) hash.update(file).update("\0").update(readFileSync(file));
  return hash.digest("hex");
}

/** Whether the stamp file holds `value`. */
export function stampIs(path, value) {
  try {
    return readFileSync(path, "utf8") === value;
  } catch {
    return false;
  }
}

/** Write a stamp after the work that it stands for has succeeded. */
export function stamp(path, value) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, value);
}

/**
 * Run `work` while holding the lock file `path`, so that two commands started together do not build over each other.
 * A lock whose owner has died is taken over.
 */
export function withLock(path, work) {
  mkdirSync(dirname(path), { recursive: true });
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    try {
      const fd = openSync(path, "wx");
      writeSync(fd, String(process.pid));
      closeSync(fd);
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      if (!ownerLives(path)) rmSync(path, { force: true });
      else Atomics.wait(pause, 0, 0, 100);
    }
  }
  const release = () => rmSync(path, { force: true });
  process.once("exit", release);
  try {
    return work();
  } finally {
    process.removeListener("exit", release);
    release();
  }
}

/** A lock file that is empty was just created: its owner is about to write its number. */
function ownerLives(path) {
  try {
    const text = readFileSync(path, "utf8");
    if (text === "") return Date.now() - statSync(path).mtimeMs < 2000;
    process.kill(Number(text), 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
