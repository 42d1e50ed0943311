// The command `rump` and kernels behind URLs as real processes, for tests. Whatever a test starts ends with it: servers die with this
// process, and end() halts them, waits, and removes the folder.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rumpclient_init } from "../../rumpsys/client/rumpclient.ts";

/** The built command. */
export const RUMP: string = fileURLToPath(new URL("../../rumpsys/cli/rump.js", import.meta.url));
/** Seconds that a kernel may take to boot on a busy machine. */
const BOOT_S = 20;

/** How a process ended and what it printed. */
export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running process and its end. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Starts `node args...`. */
export function start_node(args: readonly string[], env: Readonly<Record<string, string>> = {}, cwd?: string): Running {
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, RUMP_SERVER: "", ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (b: Buffer) => (stdout += b.toString()));
  child.stderr?.on("data", (b: Buffer) => (stderr += b.toString()));
  const ended = new Promise<Ended>((resolve) =>
    child.on("close", (status, signal) => resolve({ status, signal, stdout, stderr })),
  );
  return { child, ended };
}

/** A folder with kernels in it. */
export class RumpProcesses {
  /** The folder. */
  readonly dir: string = mkdtempSync(join(tmpdir(), "rump-"));
  private readonly servers: Map<string, Running> = new Map<string, Running>();

  /** The URL of kernel `name`. */
  url(name: string): string {
    return `unix://${this.dir}/${name}`;
  }

  /** Boots kernel `name` in the foreground of a process of its own and waits until it serves. */
  async server(name: string, ...options: readonly string[]): Promise<Running> {
    const running = start_node(
      [RUMP, "server", "-s", "-v", "--with-parent", "--name", name, ...options, this.url(name)],
      {},
      this.dir,
    );
    this.servers.set(name, running);
    const early = running.ended.then((e) =>
      Promise.reject(new Error(`server ${name} ended with ${e.status}: ${e.stderr}`)),
    );
    early.catch(() => undefined);
    for (let tries = 0; ; tries++) {
      try {
        (await Promise.race([early, rumpclient_init(this.url(name), { retry: "once" })])).close();
        return running;
      } catch (error) {
        if (running.child.exitCode !== null || tries > BOOT_S * 50) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  /** Runs `rump ARGS` against kernel `name` ("": none) and waits for its end. */
  run(name: string, ...args: readonly string[]): Promise<Ended> {
    return start_node([RUMP, ...args], name === "" ? {} : { RUMP_SERVER: this.url(name) }, this.dir).ended;
  }

  /** Halts kernel `name`; how it ended. */
  async halt(name: string): Promise<Ended> {
    const running = this.servers.get(name);
    if (running === undefined) throw new Error(`no server ${name}`);
    this.servers.delete(name);
    running.child.kill("SIGTERM");
    return running.ended;
  }

  /** Kills kernel `name` without warning. */
  async kill(name: string): Promise<void> {
    const running = this.servers.get(name);
    this.servers.delete(name);
    running?.child.kill("SIGKILL");
    await running?.ended;
  }

  /** Halts all kernels and removes the folder; what they said was leaked, and the sockets they left. */
  async end(): Promise<string[]> {
    const faults: string[] = [];
    for (const name of [...this.servers.keys()]) {
      const e = await this.halt(name);
      if (e.status !== 0 || !e.stderr.includes("nothing leaked"))
        faults.push(`${name}: ${e.status ?? e.signal}: ${e.stderr}`);
      if (existsSync(join(this.dir, name))) faults.push(`${name}: left its socket`);
    }
    for (const file of readdirSync(this.dir)) if (file.endsWith(".dead")) faults.push(file);
    rmSync(this.dir, { recursive: true });
    return faults;
  }
}
