// The chain client - router - server as processes: ours, lwIP's, gVisor's, and three kernels in one process.
import { mkdirSync } from "node:fs";
import { Missing, type Lab } from "./lab.ts";
import type { Program } from "./program.ts";

/** Where the three parts run; "0" on one CPU. */
export interface Placement {
  readonly client: string;
  readonly router: string;
  readonly server: string;
}

/** Everything on one CPU. */
export const SAME: Placement = { client: "0", router: "0", server: "0" };
/** Client alone on one CPU: each way wakes the other CPU once, as it does between namespaces. */
export const CROSS: Placement = { client: "0", router: "1", server: "1" };

/** Running programs, the last of which is the client. */
export class Chain {
  private readonly lab: Lab;
  private readonly programs: readonly Program[];

  constructor(lab: Lab, programs: readonly Program[]) {
    this.lab = lab;
    this.programs = programs;
  }

  /** Waits until all are configured. */
  async ready(): Promise<this> {
    for (const program of this.programs) await program.line();
    return this;
  }

  /** The median round trip in us. */
  measure(): Promise<number> {
    const client = this.programs.at(-1)!;
    client.say("go");
    return client.number();
  }

  /** Ends all. */
  async stop(): Promise<void> {
    for (const program of this.programs) await this.lab.stop(program);
  }
}

/** Three of our kernels, each in a process; the client, whose CPU is its own, may look for the answer for `spin_us` before it sleeps. */
export function ourChain(lab: Lab, count: number, at: Placement, spin_us = 0): Promise<Chain> {
  const folder = lab.file("chain");
  mkdirSync(folder);
  const router = lab.node("chain", ["r", folder], { cpus: at.router });
  const server = lab.node("chain", ["s", folder], { cpus: at.server });
  const client = lab.node("chain", ["c", folder, count], { cpus: at.client, env: { RUMP_SPIN_US: String(spin_us) } });
  return new Chain(lab, [router, server, client]).ready();
}

/** Three of our kernels in one process. */
export function ourProcess(lab: Lab, count: number): Promise<Chain> {
  const folder = lab.file("chain");
  mkdirSync(folder);
  return new Chain(lab, [lab.node("chain", ["crs", folder, count], { cpus: "0" })]).ready();
}

/** Three lwIP processes. Missing without the package. */
export function lwipChain(lab: Lab, count: number, at: Placement): Promise<Chain> {
  const program = lab.c(
    "lwip_chain",
    ["-I/usr/include/lwip", "-llwip", "-lpthread"],
    "lwIP (apt-get install liblwip-dev)",
  );
  const name = `rkbench-${process.pid}-${lab.file("").split(".").pop()}`;
  const router = lab.start([program, "router", name], { cpus: at.router });
  const server = lab.start([program, "server", name], { cpus: at.server });
  const client = lab.start([program, "client", name, String(count)], { cpus: at.client });
  return new Chain(lab, [router, server, client]).ready();
}

/** Three stacks of gVisor in one process. Missing without the package. */
export function gvisorProcess(lab: Lab, count: number): Promise<Chain> {
  const env = { GO111MODULE: "off", GOPATH: "/usr/share/gocode", GOCACHE: lab.cache("go"), GOFLAGS: "" };
  const cure = "Go and gVisor (apt-get install golang-go golang-gvisor-gvisor-dev)";
  const program = lab.compiled(
    "gvisor_chain",
    lab.peer("gvisor_chain.go"),
    (out) => ["go", "build", "-o", out, lab.peer("gvisor_chain.go")],
    cure,
    env,
  );
  return new Chain(lab, [lab.start([program, String(count)], { cpus: "0" })]).ready();
}

/** `make`, or null with a line that says why when something is missing. */
export async function orNothing<T>(what: string, make: () => Promise<T>): Promise<T | null> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    process.stderr.write(`${what}: no peer: ${error.message}\n`);
    return null;
  }
}
