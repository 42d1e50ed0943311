// A network namespace of its own for a test: kernels behind taps in it, the host's programs in it, and captures of it all that are
// read back when it ends. Nothing is left of it.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Rumpclient, rumpclient_init } from "../../rumpsys/client/rumpclient.ts";
import { needNative, needNetns, needProgram, needTap } from "../support/need.ts";
import { type Ended, RUMP } from "../support/rump_process.ts";
import type { KernelIf } from "./kernel_main.ts";

const KERNEL_MAIN = fileURLToPath(new URL("kernel_main.js", import.meta.url));
/** The programs for the host's side, sources that python3 runs. */
const HOST = fileURLToPath(new URL("../../../test/interop/host", import.meta.url));
const RUN_MS = 60_000;

let made = 0;

/** Skips the test unless everything that namespaces and captures need is there. */
export function needNamespace(test: Mocha.Context): void {
  needNetns(test);
  needNative(test);
  needTap(test);
  needProgram(test, "python3");
  needProgram(test, "tshark");
  needProgram(test, "tcpdump");
}

/** A program that runs. */
export class Program {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = "";
  stderr = "";

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd?: string) {
    this.child = spawn(command, args, {
      stdio: ["pipe", "pipe", "pipe"],
      env: {
        ...process.env,
        LC_ALL: "C",
        RUMP_SERVER: "",
        PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`,
        ...env,
      },
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.child.stdin?.on("error", () => {}); // it may have ended
    this.child.stdout?.on("data", (b: Buffer) => (this.stdout += b.toString()));
    this.child.stderr?.on("data", (b: Buffer) => (this.stderr += b.toString()));
    this.ended = new Promise((resolve) => {
      this.child.once("error", (e) => (this.stderr += e.message));
      this.child.once("close", (status, signal) =>
        resolve({ status, signal, stdout: this.stdout, stderr: this.stderr }),
      );
    });
  }

  /** Waits until it has printed this; what it has printed. */
  async says(text: string | RegExp): Promise<string> {
    const until = performance.now() + RUN_MS;
    while (this.stdout.search(text) < 0) {
      if (this.child.exitCode !== null || this.child.signalCode !== null || performance.now() > until) {
        throw new Error(`did not say ${text}: ${this.stdout}${this.stderr}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return this.stdout;
  }

  /** Ends it with a signal, if it has not ended. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Ended> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    return this.ended;
  }
}

/** A kernel in the namespace. */
export class NsKernel {
  readonly url: string;
  readonly client: Rumpclient;
  readonly program: Program;

  constructor(url: string, client: Rumpclient, program: Program) {
    this.url = url;
    this.client = client;
    this.program = program;
  }

  /** Runs `rump ARGS` on it. */
  async rump(...args: readonly string[]): Promise<Ended> {
    return new Program(process.execPath, [RUMP, ...args], { RUMP_SERVER: this.url }).ended;
  }

  /** One of its counters, such as "ip", "reassembled". */
  async counter(protocol: string, name: string): Promise<number> {
    const { stdout } = await this.rump("netstat", "-s", "-p", protocol, "--json");
    const all = JSON.parse(stdout) as Record<string, Record<string, number>>;
    const value = all[protocol]?.[name];
    if (value === undefined) throw new Error(`no counter ${protocol}.${name}: ${stdout}`);
    return value;
  }
}

/** Options of a kernel. */
export interface KernelMore {
  readonly gateway?: string;
  readonly forward?: boolean;
  /** Whether what passes its interfaces is captured, and read back at the end: yes, unless it is too much. */
  readonly capture?: boolean;
}

/** A namespace. `after` hooks call end(). */
export class Namespace {
  readonly name: string = `rki-${process.pid}-${made++}`;
  readonly dir: string = mkdtempSync(join(tmpdir(), "rki-"));
  private readonly kernels: NsKernel[] = [];
  private readonly programs: Set<Program> = new Set();
  private readonly others: string[] = [];
  private readonly emergency = (): void => this.remove();

  constructor() {
    must_run("ip", ["netns", "add", this.name]);
    process.once("exit", this.emergency);
    this.now("ip link set lo up");
  }

  /** Runs shell words in it now, as configuration: they must succeed. */
  now(words: string): string {
    return must_run("ip", ["netns", "exec", this.name, ...words.split(" ")]);
  }

  /** The processes in it. */
  pids(): string {
    return must_run("ip", ["netns", "pids", this.name]).trim();
  }

  /** Makes another namespace, NAME-suffix, that goes with this one. */
  behind(suffix: string): string {
    const name = `${this.name}-${suffix}`;
    must_run("ip", ["netns", "add", name]);
    this.others.push(name);
    return name;
  }

  /** Path of one of the host's programs of this folder. */
  source(program: string): string {
    return join(HOST, program);
  }

  /** Starts a program in it. */
  start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd?: string): Program {
    const program = new Program("ip", ["netns", "exec", this.name, command, ...args], env, cwd);
    this.programs.add(program);
    void program.ended.then(() => this.programs.delete(program));
    return program;
  }

  /** Runs a program in it to its end. */
  async run(command: string, ...args: readonly string[]): Promise<Ended> {
    return this.start(command, args).ended;
  }

  /** Starts one of the host's programs of this folder. */
  python(program: string, ...args: readonly (string | number)[]): Program {
    return this.start("python3", ["-B", "-u", this.source(program), ...args.map(String)]);
  }

  /** Runs one of them to its end, which must be good; the last line it prints. */
  async py(program: string, ...args: readonly (string | number)[]): Promise<string> {
    const e = await this.python(program, ...args).ended;
    if (e.status !== 0) throw new Error(`${program} ${args.join(" ").slice(0, 200)}: ${e.stdout}${e.stderr}`);
    return e.stdout.trim().split("\n").pop() ?? "";
  }

  /** Boots a kernel with these interfaces. */
  async kernel(name: string, ifs: readonly KernelIf[], more: KernelMore = {}): Promise<NsKernel> {
    const url = `unix://${join(this.dir, name)}`;
    const { capture = true, ...rest } = more;
    const pcap = capture ? join(this.dir, `${name}.pcapng`) : null;
    const program = this.start(process.execPath, [KERNEL_MAIN, JSON.stringify({ url, pcap, ifs, ...rest })]);
    await program.says("ready");
    const client = await rumpclient_init(url, { retry: "once" });
    const kernel = new NsKernel(url, client, program);
    this.kernels.push(kernel);
    return kernel;
  }

  /** A kernel behind a tap whose host side is 10.99.1.1/24; the kernel is 10.99.1.2. */
  async tapped(more: KernelMore = {}): Promise<NsKernel> {
    const kernel = await this.kernel("k", [{ name: "virt0", link: "tap0", address: "10.99.1.2", prefix: 24 }], more);
    this.now("ip address add 10.99.1.1/24 broadcast + dev tap0");
    this.now("ip link set tap0 up");
    return kernel;
  }

  /** Halts the kernels, reads all captures back, and removes everything. What was wrong, a line each. */
  async end(): Promise<string[]> {
    const faults: string[] = [];
    for (const kernel of this.kernels) {
      kernel.client.close();
      const e = await kernel.program.stop();
      if (e.status !== 0) faults.push(`kernel ended with ${e.status ?? e.signal}: ${e.stderr}`);
    }
    for (const program of this.programs) {
      faults.push(`still running: ${program.child.spawnargs.join(" ").slice(0, 200)}`);
      await program.stop("SIGKILL");
    }
    for (const file of readdirSync(this.dir)) {
      if (file.includes(".pcap")) faults.push(...(await capture_faults(join(this.dir, file))));
      else faults.push(`left behind: ${file}`);
    }
    for (const pid of this.pids().split("\n")) if (pid !== "") faults.push(`process ${pid} is left`);
    const left = this.now("ip -brief link")
      .split("\n")
      .filter((line) => line.startsWith("tap"));
    faults.push(...left.map((line) => `left behind: ${line}`));
    process.off("exit", this.emergency);
    this.remove();
    if (faults.length > 0 && process.env["RUMPKIT_KEEP"] !== undefined) console.log(`      kept: ${this.dir}`);
    else rmSync(this.dir, { recursive: true });
    for (const name of [this.name, ...this.others]) {
      if (existsSync(`/var/run/netns/${name}`)) faults.push(`${name} is not removed`);
    }
    return faults;
  }

  private remove(): void {
    for (const program of this.programs) program.child.kill("SIGKILL");
    for (const name of [...this.others, this.name]) spawnSync("ip", ["netns", "delete", name]);
  }
}

/** What tshark and tcpdump have against a capture: malformed packets, bad checksums, packets that one of them does not see. */
export async function capture_faults(path: string): Promise<string[]> {
  const checks = ["ip", "udp", "tcp"].flatMap((p) => ["-o", `${p}.check_checksum:TRUE`]);
  // What an ICMP error quotes may have an open checksum: Linux quotes what came over the tap as it came, with the sum left to the interface.
  const own = ["ip", "icmp", "igmp"].map((p) => `${p}.checksum.status == "Bad"`);
  const bad = [...own, '(!icmp && (udp.checksum.status == "Bad" || tcp.checksum.status == "Bad"))'].join(" || ");
  const shark = new Program("tshark", [
    ...["-n", "-r", path, ...checks, "-Y", `_ws.malformed || ${bad}`],
    ...["-z", "io,stat,0", "-q", "-P"],
  ]).ended;
  const dump = new Program("tcpdump", ["-n", "-t", "-q", "-r", path]).ended;
  const [s, d] = await Promise.all([shark, dump]);
  const faults: string[] = [];
  const lines = s.stdout.split("\n");
  const table = lines.findIndex((line) => line.startsWith("===="));
  const found = lines.slice(0, Math.max(table, 0)).filter((line) => line.trim() !== "");
  faults.push(...found.slice(0, 10).map((line) => `${path}: ${line}`));
  const seen = Number(/<>\s*\d+[^|]*\|\s*(\d+)/.exec(s.stdout)?.[1] ?? -1);
  if (s.status !== 0 || seen < 0) faults.push(`${path}: tshark: ${s.status} ${s.stderr} ${s.stdout}`);
  const read = d.stdout.split("\n").filter((line) => line !== "").length;
  if (d.status !== 0 || read === 0) faults.push(`${path}: tcpdump: ${d.status} ${d.stderr}`);
  return faults;
}

function must_run(command: string, args: readonly string[]): string {
  const run = spawnSync(command, args, { encoding: "utf8" });
  if (run.status !== 0) throw new Error(`${command} ${args.join(" ")}: ${run.stderr}`);
  return run.stdout;
}
