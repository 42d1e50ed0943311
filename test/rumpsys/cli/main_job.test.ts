// npm start as a program: what it prints, how it ends, and that nothing is left however it ends.
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { main_job_args } from "../../../rumpsys/cli/main_job_args.ts";
import { Printer, grouped, rtt_text } from "../../../rumpsys/cli/main_job_print.ts";
import { ROOT } from "../../repo/source_tree.ts";
import { needNative, needTap } from "../../support/need.ts";
import { running } from "../testbed/testbed_cases.ts";

const PROGRAM = join(ROOT, "build/rumpsys/cli/main_job.js");

/** A run of the program. */
class Run {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  readonly ended: Promise<number | string>;

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.child = spawn(process.execPath, [PROGRAM, ...args], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child.stdout?.on("data", (data: Buffer) => (this.stdout += data.toString()));
    this.child.stderr?.on("data", (data: Buffer) => (this.stderr += data.toString()));
    this.ended = new Promise((resolve) => this.child.once("close", (code, signal) => resolve(code ?? signal ?? "")));
  }

  /** Waits for a piece of output. */
  async says(text: string): Promise<void> {
    while (!this.stdout.includes(text)) {
      if (this.child.exitCode !== null) throw new Error(`ended without saying ${text}: ${this.stdout}${this.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Its nodes' processes. */
  nodes(): number[] {
    const pids = /pid (\d+), (\d+), (\d+)/.exec(this.stdout)?.slice(1).map(Number) ?? [];
    expect(pids).to.have.length(3);
    return pids;
  }
}

async function all_gone(pids: readonly number[]): Promise<void> {
  const until = performance.now() + 3000;
  while (pids.some(running) && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(pids.filter(running)).to.deep.equal([]);
}

describe("main job: arguments and lines", () => {
  it("takes what it knows and names what it does not", () => {
    expect(main_job_args([])).to.deep.equal({ json: false, tap: false, help: false });
    expect(main_job_args(["--json"])).to.include({ json: true });
    expect(main_job_args(["--json", "--tap"])).to.equal("--json and --tap exclude each other");
    expect(main_job_args(["--jsn"])).to.match(/--jsn/);
    expect(main_job_args(["fast"])).to.match(/'fast'/);
    expect(main_job_args(["--json=yes"])).to.match(/--json/);
  });

  it("prints plain lines, and lines that change only where they can", () => {
    const written: string[] = [];
    const print = (live: boolean, color: boolean): string => {
      written.length = 0;
      const p = new Printer({ live, color, write: (text) => written.push(text) });
      p.progress("rate", "half");
      p.item("rate", "done");
      p.item("rate", "more");
      return written.join("");
    };
    expect(print(false, false)).to.equal("rate          done\n              more\n");
    expect(print(true, false)).to.equal(
      "\r\u001b[Krate          half\r\u001b[Krate          done\n              more\n",
    );
    expect(print(false, true)).to.contain("\u001b[36mrate");
    expect(rtt_text({ min: 1.25, p50: 2, avg: 3, p99: 4000.6, max: 5e4 })).to.equal(
      "min/avg/max/p50/p99 = 1.3/3.0/50000/2.0/4001 us",
    );
    expect(["7", "1,234", "1,234,567"]).to.deep.equal([7, 1234, 1_234_567].map(grouped));
  });
});

describe("main job", function () {
  this.timeout(30_000);

  before(function () {
    needNative(this);
  });

  it("--json prints one object: rtt_us, pps, ttl", async () => {
    const run = new Run(["--json"]);
    expect(await run.ended, run.stderr).to.equal(0);
    expect(run.stdout.trimEnd()).to.not.contain("\n");
    const result = JSON.parse(run.stdout) as { rtt_us: Record<string, number>; pps: number; ttl: number };
    expect(Object.keys(result)).to.deep.equal(["rtt_us", "pps", "ttl"]);
    expect(Object.keys(result.rtt_us)).to.deep.equal(["min", "p50", "avg", "p99", "max"]);
    const { min = 0, p50 = 0, p99 = 0, max = 0 } = result.rtt_us;
    expect(0 < min && min <= p50 && p50 <= p99 && p99 <= max, run.stdout).to.equal(true);
    expect(result.pps).to.be.greaterThan(1000);
    expect(result.ttl).to.equal(63);
  });

  it("prints path, neighbours, times and rate in plain lines when it is no terminal", async () => {
    const run = new Run([], { NO_COLOR: "1" });
    expect(await run.ended, run.stderr).to.equal(0);
    expect(run.stdout).to.not.contain("\u001b");
    for (const part of [
      /^network +a 10\.0\.1\.2 -- bus1 -- 10\.0\.1\.1 r 10\.0\.2\.1 -- bus2 -- 10\.0\.2\.2 b$/m,
      /ttl 254/,
      /^path +1 +10\.0\.1\.1 /m,
      /^ +2 +10\.0\.2\.2 /m,
      /r: 10\.0\.1\.2 is b2:a0:/,
      /on one CPU: min\/avg\/max\/p50\/p99 = /,
      /packets\/s/,
      /packets forwarded by r/,
    ])
      expect(run.stdout).to.match(part);
    await all_gone(run.nodes());
  });

  it("ends with status 2 and the usage for wrong arguments", async () => {
    const run = new Run(["--fast"]);
    expect(await run.ended).to.equal(2);
    expect(run.stdout).to.equal("");
    expect(run.stderr)
      .to.match(/^rumpkit: .*--fast/)
      .and.to.contain("usage: npm start");
  });

  it("ends with status 3 and the cure without the addon", async () => {
    const run = new Run([], { RUMPKIT_ADDON: "/nonexistent/rumpuser.node" });
    expect(await run.ended).to.equal(3);
    expect(run.stderr).to.contain("/nonexistent/rumpuser.node: not there").and.to.contain("cure: ");
  });

  for (const [signal, status] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    it(`ends with status ${status} on ${signal}, and takes its nodes along`, async () => {
      const run = new Run([]);
      await run.says("boot ");
      run.child.kill(signal);
      expect(await run.ended, run.stderr).to.equal(status);
      expect(run.stderr).to.equal("");
      await all_gone(run.nodes());
    });
  }

  it("takes its nodes along when it is killed itself", async () => {
    const run = new Run([]);
    await run.says("boot ");
    run.child.kill("SIGKILL");
    expect(await run.ended).to.equal("SIGKILL");
    await all_gone(run.nodes());
  });

  it("says which node was killed, and takes the others down", async () => {
    const run = new Run([]);
    await run.says("boot ");
    const nodes = run.nodes();
    process.kill(nodes[1] as number, "SIGKILL");
    expect(await run.ended).to.equal(1);
    expect(run.stderr).to.equal("rumpkit: node r: its process has ended (SIGKILL)\n");
    await all_gone(nodes);
  });

  it("ends quietly when nobody reads on", async () => {
    const run = new Run([]);
    await run.says("network");
    run.child.stdout?.destroy();
    expect(await run.ended).to.be.oneOf([0, 141]);
    expect(run.stderr).to.equal("");
  });

  it("--tap: the host's ping and traceroute reach the kernels, and no interface or route is left", async function () {
    needTap(this);
    const state = (): string =>
      readdirSync("/sys/class/net").join() +
      readFileSync("/proc/net/route", "utf8")
        .split("\n")
        .map((line) => line.slice(0, 40))
        .join();
    const before = state();
    const run = new Run(["--tap"]);
    expect(await run.ended, run.stderr).to.equal(0);
    expect(run.stdout).to.match(/tap +host 10\.\d+\.255\.1 -- rumptap\d+ -- 10\.\d+\.255\.2 a/);
    if (!run.stdout.includes("$ ping        is missing"))
      expect(run.stdout).to.match(/3 packets transmitted, 3 received, 0% packet loss/);
    expect(state()).to.equal(before);
  });
});
