// What a component says of a value that it offers in the sysctl tree.
import type { Lwp } from "./proc.ts";

/** How a value is got and set, in its binary form. */
export interface SysctlValue {
  /** The value as bytes. */
  read(): Uint8Array;
  /** Check and set; null: read only. */
  readonly write: ((bytes: Uint8Array, l: Lwp) => number) | null;
}

/** An int, quad or bool that the kernel offers. */
export interface SysctlNumber {
  /** What it is. */
  readonly desc: string;
  /** The value. */
  get(): number;
  /** Set it; an errno. Left out: read only. */
  set?(value: number): number;
  /** The least value that set is asked for. */
  readonly min?: number;
  /** The greatest. */
  readonly max?: number;
  /** Number in the MIB; the next free one from 1024 by default. */
  readonly num?: number;
}

/** A string that the kernel offers. */
export interface SysctlString {
  /** What it is. */
  readonly desc: string;
  /** The value. */
  get(): string;
  /** Set it; an errno. Left out: read only. */
  set?(value: string): number;
  /** Most bytes of a new value, without the NUL. */
  readonly max?: number;
  /** Number in the MIB. */
  readonly num?: number;
}

/** A structure that the kernel offers. */
export interface SysctlStruct {
  /** What it is. */
  readonly desc: string;
  /** The value. */
  get(): Uint8Array;
  /** Set it; an errno. Left out: read only. */
  set?(value: Uint8Array, l: Lwp): number;
  /** Number in the MIB. */
  readonly num?: number;
}
