/**
 * What every tool is: a function of a context and arguments that prints and gives an exit status. Tests and programs call the functions;
 * the command `rump` (rump.ts) calls them for people.
 */
import { RUMPUSER_CLOCK_RELWALL, Timespec } from "../../hypercall/api/clock.ts";
import type { Host } from "../../hypercall/api/host.ts";
import { RumpError } from "../errors.ts";
import type { RumpCalls } from "../client/rump_calls.ts";

/** Exit status: done. */
export const EXIT_OK = 0;
/** Exit status: it did not work, such as no answer, no route. */
export const EXIT_FAILURE = 1;
/** Exit status: wrong arguments. */
export const EXIT_USAGE = 2;
/** Exit status: this machine or the kernel is not there to do it. */
export const EXIT_ENVIRONMENT = 3;

/** A clock for tools: the host's, or a simulation's. */
export interface ToolClock {
  /** Monotonic time in ns. */
  now_ns(): number;
  /** Wall clock time in s, with its fraction. */
  wall_s(): number;
}

/** The clock of the host that a kernel of this process runs on. */
export function host_clock(host: Host): ToolClock {
  const ts = new Timespec();
  return {
    now_ns: () => host.clock.rumpuser_clock_mono(),
    wall_s: () => {
      host.clock.rumpuser_clock_gettime(RUMPUSER_CLOCK_RELWALL, ts);
      return ts.sec + ts.nsec / 1e9;
    },
  };
}

/** Where a tool works. */
export interface ToolContext {
  /** The kernel. */
  readonly sys: RumpCalls;
  /** Prints a line. */
  readonly out: (line: string) => void;
  /** Writes bytes to standard output. */
  readonly out_bytes: (bytes: Uint8Array) => void;
  /** Prints a line about something wrong. */
  readonly err: (line: string) => void;
  /** Print JSON instead of text. */
  readonly json: boolean;
  /** Time. */
  readonly clock: ToolClock;
  /** Aborted when the user interrupts: what runs for ever ends and prints its summary. */
  readonly signal: AbortSignal;
}

/** A tool. The result is the exit status. */
export type Tool = (cx: ToolContext, args: readonly string[]) => Promise<number>;

/** A tool cannot go on: the message says why. */
export class ToolError extends Error {
  override readonly name: string = "ToolError";
  /** Exit status. */
  readonly status: number;

  constructor(message: string, status: number = EXIT_FAILURE) {
    super(message);
    this.status = status;
  }
}

/** Wrong arguments: the message names them. */
export class UsageError extends ToolError {
  override readonly name = "UsageError";

  constructor(message: string) {
    super(message, EXIT_USAGE);
  }
}

/** A context over `sys` that collects what is printed; for tests and programs. */
export class ToolOutput implements ToolContext {
  readonly sys: RumpCalls;
  readonly json: boolean;
  readonly clock: ToolClock;
  /** Lines printed. */
  readonly lines: string[] = [];
  /** Bytes written. */
  readonly bytes: Uint8Array[] = [];
  /** Lines about what was wrong. */
  readonly errors: string[] = [];
  /** Interrupts the tool. */
  readonly interrupt: AbortController = new AbortController();

  constructor(sys: RumpCalls, clock: ToolClock, json: boolean = false) {
    this.sys = sys;
    this.clock = clock;
    this.json = json;
  }

  get signal(): AbortSignal {
    return this.interrupt.signal;
  }

  readonly out = (line: string): void => {
    this.lines.push(line);
  };
  readonly out_bytes = (bytes: Uint8Array): void => {
    this.bytes.push(bytes.slice());
  };
  readonly err = (line: string): void => {
    this.errors.push(line);
  };

  /** Everything printed, as one text. */
  text(): string {
    return this.lines.map((line) => `${line}\n`).join("");
  }
}

/** Runs a tool: what it throws becomes a message (with `usage` after wrong arguments) and an exit status. */
export async function run_tool(
  name: string,
  tool: Tool,
  cx: ToolContext,
  args: readonly string[],
  usage: string = "",
): Promise<number> {
  try {
    return await tool(cx, args);
  } catch (error) {
    if (error instanceof ToolError) {
      cx.err(`${name}: ${error.message}`);
      if (error instanceof UsageError && usage !== "") cx.err(`usage: rump ${usage}`);
      return error.status;
    }
    if (error instanceof RumpError) {
      cx.err(`${name}: ${error_text(error)}`);
      return EXIT_FAILURE;
    }
    throw error;
  }
}

/** An error of the kernel for people: what failed and what the errno means. */
export function error_text(error: RumpError): string {
  const text = error.message.includes(error.describe()) ? error.message : `${error.message}: ${error.describe()}`;
  return text;
}

/** The errno of whatever was thrown, 0 if it is no RumpError. */
export function errno_of(error: unknown): number {
  return error instanceof RumpError ? error.errno : 0;
}
