// A child process of a benchmark: a node program or a compiled one, pinned to CPUs, that speaks lines.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** How to start it. */
export interface ProgramOptions {
  /** CPUs it may use, as taskset takes them; any if absent. */
  readonly cpus?: string;
  /** Network namespace to run in; the current one if absent. */
  readonly netns?: string;
  /** Environment variables besides ours. */
  readonly env?: Readonly<Record<string, string>>;
}

/** How long a program may take to say something. */
const SILENCE_MS = 60_000;

/** A running child. */
export class Program {
  private readonly child: ChildProcess;
  private readonly title: string;
  private readonly lines: string[] = [];
  private readonly waiting: ((line: string | null) => void)[] = [];
  private ended = false;
  private errors = "";
  private readonly exit: Promise<number>;

  constructor(argv: readonly string[], options: ProgramOptions) {
    const command = [...prefix(options), ...argv];
    this.title = argv
      .slice(0, 2)
      .map((word) => word.split("/").pop())
      .join(" ");
    this.child = spawn(command[0]!, command.slice(1), {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, ...options.env },
    });
    this.exit = new Promise((resolve) => {
      this.child.on("error", (error) => {
        this.errors += error.message;
        this.end();
        resolve(127);
      });
      this.child.on("close", (code, signal) => {
        this.end();
        resolve(code ?? (signal === null ? 1 : 128));
      });
    });
    this.child.stderr?.on("data", (data: Buffer) => (this.errors += data.toString()));
    this.child.stdin?.on("error", () => {});
    createInterface({ input: this.child.stdout! }).on("line", (line) => {
      const next = this.waiting.shift();
      if (next === undefined) this.lines.push(line);
      else next(line);
    });
  }

  private end(): void {
    this.ended = true;
    for (const next of this.waiting.splice(0)) next(null);
  }

  /** The next line that it prints. Rejects if it ends, or says nothing for a minute. */
  async line(): Promise<string> {
    const line = this.lines.shift() ?? (await this.next_line());
    if (line === null) throw new Error(`${this.title} ended without an answer: ${this.errors.trim() || "no message"}`);
    return line;
  }

  private next_line(): Promise<string | null> {
    if (this.ended) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${this.title} says nothing`)), SILENCE_MS);
      this.waiting.push((line) => {
        clearTimeout(timer);
        resolve(line);
      });
    });
  }

  /** The number in the next line. */
  async number(): Promise<number> {
    const line = await this.line();
    const value = Number(line);
    if (line === "" || !Number.isFinite(value))
      throw new Error(`${this.title} said ${JSON.stringify(line)} ${this.errors.trim()}`);
    return value;
  }

  /** Writes a line to its standard input. */
  say(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  /** Ends it: its standard input is closed; it is killed when that does not help. */
  async stop(): Promise<void> {
    this.child.stdin?.end();
    const timer = setTimeout(() => this.child.kill("SIGKILL"), 1500);
    await this.exit;
    clearTimeout(timer);
  }

  /** Kills it at once. */
  kill(): void {
    this.child.kill("SIGKILL");
  }
}

function prefix(options: ProgramOptions): string[] {
  const netns = options.netns === undefined ? [] : ["ip", "netns", "exec", options.netns];
  const cpus = options.cpus === undefined ? [] : ["taskset", "-c", options.cpus];
  return [...netns, ...cpus];
}
