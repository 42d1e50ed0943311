// What the rows of the benchmark share: programs, compiled peers, network namespaces, temporary files; all of it is gone after close().
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Program, type ProgramOptions } from "./program.ts";
import { median } from "./result.ts";

/** The folder that the repository is in. */
const ROOT: string = fileURLToPath(new URL("../../../", import.meta.url));
/** Sources of the peers. */
const PEERS: string = join(ROOT, "test/bench/peers");
/** Where compiled peers go. */
const OUT: string = join(ROOT, "build/bench");

/** Something that a row needs is not on this machine. */
export class Missing extends Error {}

/** How long a benchmark runs. */
export interface LabOptions {
  /** Rounds of us and the peer in turn. */
  readonly rounds: number;
  /** Factor of all numbers of iterations. */
  readonly scale: number;
}

/** The workshop of one run. */
export class Lab {
  readonly rounds: number;
  readonly scale: number;
  /** A folder for buses and sockets. */
  readonly dir: string = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "rumpkit-bench-"));
  private readonly programs: Set<Program> = new Set<Program>();
  private readonly namespaces: Set<string> = new Set<string>();
  private serial = 0;

  constructor(options: LabOptions) {
    this.rounds = options.rounds;
    this.scale = options.scale;
  }

  /** A whole number of iterations, by the run's scale. */
  count(n: number): number {
    return Math.max(1, Math.round(n * this.scale));
  }

  /** A new file name. */
  file(name: string): string {
    return join(this.dir, `${name}.${this.serial++}`);
  }

  /** Starts a compiled TypeScript program of test/bench/work. */
  node(program: string, args: readonly (string | number)[] = [], options: ProgramOptions = {}): Program {
    const flags = ["--min-semi-space-size=16", "--max-semi-space-size=16", "--expose-gc"];
    return this.start(
      [process.execPath, ...flags, join(ROOT, "build/test/bench/work", `${program}.js`), ...args.map(String)],
      options,
    );
  }

  /** Starts any program. */
  start(argv: readonly string[], options: ProgramOptions = {}): Program {
    const program = new Program(argv, options);
    this.programs.add(program);
    return program;
  }

  /** Runs a program to its end; the number that it prints. */
  async number(program: Program): Promise<number> {
    const value = await program.number();
    await this.stop(program);
    return value;
  }

  /** Ends a program. */
  async stop(program: Program): Promise<void> {
    await program.stop();
    this.programs.delete(program);
  }

  /** Measures two things in turn, several rounds: the medians. */
  async alternate(us: () => Promise<number>, peer: (() => Promise<number>) | null): Promise<[number, number | null]> {
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let n = 0; n < this.rounds; n++) {
      ours.push(await us());
      if (peer !== null) theirs.push(await peer());
    }
    return [median(ours), peer === null ? null : median(theirs)];
  }

  /** The path of a C peer, compiled when it is older than its source. Missing: no compiler, or a library is not there. */
  c(name: string, libraries: readonly string[] = [], cure: string = "a C compiler (apt-get install gcc)"): string {
    const source = this.peer(`${name}.c`);
    return this.compiled(name, source, (out) => ["cc", "-O2", "-Wall", "-o", out, source, ...libraries], cure);
  }

  /** A folder for a compiler's cache. */
  cache(name: string): string {
    return join(OUT, "cache", name);
  }

  /** The path of a peer's source. */
  peer(file: string): string {
    return join(PEERS, file);
  }

  /** Makes build/bench/name out of source unless it is there and newer. */
  compiled(
    name: string,
    source: string,
    command: (out: string) => readonly string[],
    cure: string,
    env: Readonly<Record<string, string>> = {},
  ): string {
    const out = join(OUT, name);
    if (existsSync(out) && statSync(out).mtimeMs > statSync(source).mtimeMs) return out;
    mkdirSync(OUT, { recursive: true });
    const argv = command(out);
    const run = spawnSync(argv[0]!, argv.slice(1), { encoding: "utf8", env: { ...process.env, ...env } });
    if (run.error !== undefined) throw new Missing(`${name} needs ${cure}`);
    if (run.status !== 0)
      throw new Missing(`${name} does not compile, it needs ${cure}: ${run.stderr.split("\n").slice(0, 3).join("; ")}`);
    return out;
  }

  /** Throws Missing unless this is root on a machine with network namespaces and taps. */
  need_root(): void {
    if (process.geteuid?.() !== 0) throw new Missing("it needs root");
    if (!existsSync("/dev/net/tun")) throw new Missing("it needs /dev/net/tun (modprobe tun)");
  }

  /** Throws Missing unless there are two CPUs. */
  need_two_cpus(): void {
    if (availableParallelism() < 2) throw new Missing("it needs two CPUs");
  }

  /** Runs `ip` with words split at spaces, `more` behind them. */
  ip(words: string, ...more: string[]): void {
    const run = spawnSync("ip", [...words.split(" "), ...more], { encoding: "utf8" });
    if (run.error !== undefined) throw new Missing("it needs the program ip (apt-get install iproute2)");
    if (run.status !== 0) throw new Error(`ip ${words}: ${run.stderr.trim()}`);
  }

  /** A new network namespace with lo up. */
  netns(): string {
    const name = `rkbench${process.pid}x${this.serial++}`;
    this.ip(`netns add ${name}`);
    this.namespaces.add(name);
    this.ip(`-n ${name} link set lo up`);
    return name;
  }

  /** Removes a namespace and what is in it. */
  netns_delete(name: string): void {
    if (this.namespaces.delete(name)) this.ip(`netns del ${name}`);
  }

  /** Ends and removes everything. */
  close(): void {
    for (const program of this.programs) program.kill();
    this.programs.clear();
    for (const name of this.namespaces) spawnSync("ip", ["netns", "del", name]);
    this.namespaces.clear();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
