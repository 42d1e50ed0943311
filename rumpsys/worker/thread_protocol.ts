/**
 * What a caller's thread and a kernel's thread say to each other. A request goes by MessagePort; the caller then sleeps on a word of
 * shared memory until the reply lies in its port, and takes it from there without an event loop (worker_threads.receiveMessageOnPort).
 */
import type { MessagePort } from "node:worker_threads";

/** Word of the cell: no reply yet. */
export const CELL_WAITING = 0;
/** Word of the cell: the reply lies in the port. */
export const CELL_REPLY = 1;
/** Word of the cell: the kernel's thread has ended. */
export const CELL_DEAD = 2;

/** One caller's line to a kernel thread. May be sent to another thread (transfer `port`), and is then that thread's. */
export interface RumpChannel {
  /** Requests out, replies in. */
  readonly port: MessagePort;
  /** One Int32 of shared memory, CELL_*. */
  readonly cell: SharedArrayBuffer;
}

/** A system call by the name of its rumpSys method. */
export interface ThreadRequest {
  /** Method of RumpSys, or a `rump_pub_netconfig_*` name. */
  readonly name: string;
  /** Its arguments; buffers that are filled are given by their lengths. */
  readonly args: readonly unknown[];
}

/** What comes back. */
export interface ThreadReply {
  /** The result. */
  readonly value?: unknown;
  /** The error of a RumpError. */
  readonly error?: {
    readonly syscall: string;
    readonly errno: number;
    readonly address?: string | undefined;
    readonly port?: number | undefined;
  };
  /** What else went wrong, in words. */
  readonly failure?: string;
}

/** How a kernel thread begins. */
export interface ThreadOptions {
  /** "inet" (everything for IPv4, the default) or "local" (no network). */
  readonly components?: "inet" | "local";
  /** URL of a module whose `main(rk: RumpKernel)` runs in the kernel's thread after the boot, for configuration. */
  readonly setup?: string;
  /** Parameters of the native host, such as RUMP_VERBOSE. */
  readonly params?: Readonly<Record<string, string>>;
}

/** To the kernel thread: a new caller. */
export interface ThreadAttach {
  readonly what: "attach";
  readonly channel: RumpChannel;
  /** A process of its own instead of process 1. */
  readonly own_process: boolean;
}

/** To the kernel thread: end. */
export interface ThreadShutdown {
  readonly what: "shutdown";
}

/** From the kernel thread: what the shutdown found, or why the boot failed. */
export interface ThreadReport {
  readonly what: "up" | "failed" | "down";
  /** Leaks, or the error; "" = none. */
  readonly text: string;
}
