/**
 * Buses without names: a file that is in no folder from its first instant on, so that nothing can be left behind, whoever is killed. A process
 * that has inherited its descriptor opens it as /proc/self/fd/N.
 */
import { closeSync, constants, openSync, unlinkSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TestbedError } from "./testbed_error.ts";

/** open(2): a file without a name (Linux). */
const O_TMPFILE: number = 0o20_000_000 | constants.O_DIRECTORY;
/** Folders that are memory, best first. */
const FOLDERS: readonly string[] = ["/dev/shm"];

/** The file of one bus. */
export class BusFile {
  /** Its descriptor in this process. */
  readonly fd: number;

  constructor() {
    this.fd = open_nameless();
  }

  /** Its path for this process. */
  path(): string {
    return fd_path(this.fd);
  }

  /** Lets it go; it vanishes with the last process that has it open. */
  close(): void {
    closeSync(this.fd);
  }
}

/** The path of a descriptor of this process. */
export function fd_path(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

function open_nameless(): number {
  const tried: string[] = [];
  for (const folder of [...FOLDERS, tmpdir()]) {
    try {
      return openSync(folder, O_TMPFILE | constants.O_RDWR, 0o600);
    } catch (error) {
      tried.push(`${folder}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const name = join(tmpdir(), `rumpkit-${randomUUID()}`);
  try {
    const fd = openSync(name, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
    unlinkSync(name);
    return fd;
  } catch (error) {
    throw new TestbedError(`no place for a bus: ${[...tried, String(error)].join("; ")}`, { cause: error });
  }
}
