// What the conformance suite needs from a host that is to be tested, beyond the contract itself: time that passes, and a second host.
import type { Host, Hyperup } from "../../../hypercall/api/host.ts";

/** One fresh place to run hosts in: a process, or a simulated world. */
export interface Subject {
  /** A new host that shares machine and slab with the others of this subject. */
  host(params?: Readonly<Record<string, string>>): Host;
  /** Let `ns` nanoseconds go by, and everything happen that is due in them. */
  pass(ns: number): Promise<void>;
  /** A name that is free in the host's name space of files, sockets and regions. */
  path(name: string): string;
  /** What the console of `host` has printed. */
  printed(host: Host): string;
  /** Names of two ports that are connected with each other, or null when this machine cannot make any now. */
  readonly wire: readonly [string, string] | null;
  /** Whether threads and blocking sleeps exist here. */
  readonly threads: boolean;
  /** Whether this host ties a background process to one that waits. */
  readonly daemons: boolean;
  /** End it, and throw if it holds anything back. */
  close(): void;
}

/** A kernel's side of the bracket, which counts. */
export class Bracket implements Hyperup {
  /** Nesting now. */
  depth = 0;
  /** Upcalls so far. */
  entries = 0;

  hyp_schedule(): void {
    this.depth++;
    this.entries++;
  }

  hyp_unschedule(): void {
    this.depth--;
  }
}
