// Device nodes: what sys_open finds under a name such as "/dev/bpf".
import { EEXIST, ENOENT } from "../../hypercall/api/errno.ts";
import type { File, Lwp } from "./proc.ts";

/** Where an open function puts the file. */
export class FileOut {
  /** The file, with no reference taken yet. */
  fp: File | null = null;
}

/** Open a device: make a file of its own in `out`, or an errno. `flags` are O_* flags. */
export type DevOpen = (l: Lwp, path: string, flags: number, out: FileOut) => number;

/** The device nodes of one kernel. */
export class Devsw {
  private readonly nodes: Map<string, DevOpen> = new Map<string, DevOpen>();

  /** Add a node. EEXIST: the name is taken. */
  attach(path: string, open: DevOpen): number {
    if (this.nodes.has(path)) return EEXIST;
    this.nodes.set(path, open);
    return 0;
  }

  /** Remove a node; open files live on. ENOENT: there is none. */
  detach(path: string): number {
    return this.nodes.delete(path) ? 0 : ENOENT;
  }

  /** What opens `path`, or null. */
  find(path: string): DevOpen | null {
    return this.nodes.get(path) ?? null;
  }

  /** All names. */
  list(): string[] {
    return [...this.nodes.keys()];
  }
}

/** Whoever has device nodes: the kernel. */
export interface HasDevsw {
  /** The nodes. */
  readonly devsw: Devsw;
}

/** Add the device node `path`. EEXIST: the name is taken. */
export function devsw_attach(k: HasDevsw, path: string, open: DevOpen): number {
  return k.devsw.attach(path, open);
}

/** Remove the device node `path`; open files live on. */
export function devsw_detach(k: HasDevsw, path: string): number {
  return k.devsw.detach(path);
}
