/**
 * Processes that a client has forked for a child to come: each waits for the one who presents its cookie, for a limited time.
 */
import type { Callout } from "../../kernel-components/kern/callout.ts";
import { callout_destroy, callout_init, callout_reset, callout_stop } from "../../kernel-components/kern/callout.ts";
import { fd_copy } from "../../kernel-components/kern/descrip.ts";
import type { Kernel } from "../../kernel-components/kern/kernel.ts";
import type { Proc } from "../../kernel-components/kern/proc.ts";
import { SP_COOKIELEN, SP_MAXPREFORK, SP_PREFORK_NS } from "../sp/sp_proto.ts";

/** A process that waits. */
interface Waiting {
  readonly proc: Proc;
  readonly parent: Proc;
  readonly timer: Callout;
}

/** All processes that wait. */
export class SpPreforks {
  private readonly k: Kernel;
  private readonly waiting: Map<string, Waiting> = new Map<string, Waiting>();

  constructor(k: Kernel) {
    this.k = k;
  }

  /** How many wait. */
  get size(): number {
    return this.waiting.size;
  }

  /** Forks `parent` with its descriptors. The cookie, or null: too many wait, or there is no room for a process. */
  fork(parent: Proc): Uint8Array | null {
    let n = 0;
    for (const w of this.waiting.values()) if (w.parent === parent) n++;
    if (n >= SP_MAXPREFORK) return null;
    const proc = this.k.procs.proc_create(parent.p_comm, parent.p_cred, parent);
    if (proc === null) return null;
    fd_copy(parent, proc);
    const cookie = new Uint8Array(SP_COOKIELEN);
    this.k.random_bytes(cookie);
    const key = cookie_key(cookie);
    const timer = callout_init(this.k);
    this.waiting.set(key, { proc, parent, timer });
    callout_reset(
      timer,
      SP_PREFORK_NS,
      (name: string) => {
        const w = this.take(name);
        if (w !== null) this.k.procs.proc_exit(w);
      },
      key,
    );
    return cookie;
  }

  /** The process that waits for `cookie`, which then waits no longer; null: none does. */
  claim(cookie: Uint8Array): Proc | null {
    return this.take(cookie_key(cookie));
  }

  /** Ends all. */
  clear(): void {
    for (const key of [...this.waiting.keys()]) {
      const p = this.take(key);
      if (p !== null) this.k.procs.proc_exit(p);
    }
  }

  private take(key: string): Proc | null {
    const w = this.waiting.get(key);
    if (w === undefined) return null;
    this.waiting.delete(key);
    callout_stop(w.timer);
    callout_destroy(w.timer);
    return w.proc;
  }
}

function cookie_key(cookie: Uint8Array): string {
  return Array.from(cookie, (b) => b.toString(16).padStart(2, "0")).join("");
}
