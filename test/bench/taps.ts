// Host taps with a kernel, or a bare C program, at the other end. Everything lies in network namespaces of its own.
import type { Lab } from "./lab.ts";
import type { Program } from "./program.ts";

/** Address of the host's side of an echo tap. */
const HOST = "10.9.0.1";
/** Address that answers. */
export const ECHO = "10.9.0.2";

/** Who is behind the tap. */
export type Who = "us" | "c";

function start(
  lab: Lab,
  who: Who,
  role: "echo" | "forward",
  words: readonly string[],
  netns: string,
  cpus: string,
): Program {
  if (who === "us") return lab.node("tap", [role, ...words], { netns, cpus });
  const taps = role === "echo" ? words : [words[0]!, words[2]!];
  return lab.start([lab.c("tap"), role === "echo" ? "echo" : "copy", ...taps], { netns, cpus });
}

/** A tap whose other end answers ARP, ping and UDP echo at ECHO. */
export class EchoTap {
  /** Where the host's side is. */
  readonly netns: string;
  private readonly lab: Lab;
  private readonly program: Program;

  private constructor(lab: Lab, netns: string, program: Program) {
    this.lab = lab;
    this.netns = netns;
    this.program = program;
  }

  static async open(lab: Lab, who: Who, cpus: string): Promise<EchoTap> {
    lab.need_root();
    const netns = lab.netns();
    const program = start(lab, who, "echo", ["rkt0", ECHO], netns, cpus);
    await program.line();
    lab.ip(`-n ${netns} addr add ${HOST}/24 dev rkt0`);
    lab.ip(`-n ${netns} link set rkt0 up`);
    return new EchoTap(lab, netns, program);
  }

  async close(): Promise<void> {
    await this.lab.stop(this.program);
    this.lab.netns_delete(this.netns);
  }
}

/** Two taps with a router, or a copier, between them; the hosts on either side are namespaces 10.1.0.2 and 10.2.0.2. */
export class RoutedTaps {
  /** The namespace that sends. */
  readonly left: string;
  /** The namespace that receives. */
  readonly right: string;
  private readonly lab: Lab;
  private readonly program: Program;

  private constructor(lab: Lab, left: string, right: string, program: Program) {
    this.lab = lab;
    this.left = left;
    this.right = right;
    this.program = program;
  }

  static async open(lab: Lab, who: Who, cpus: string): Promise<RoutedTaps> {
    lab.need_root();
    const left = lab.netns();
    const right = lab.netns();
    const program = start(lab, who, "forward", ["rkt0", "10.1.0.1", "rkt1", "10.2.0.1"], left, cpus);
    await program.line();
    lab.ip(`-n ${left} link set rkt1 netns ${right}`);
    for (const [ns, dev, net] of [
      [left, "rkt0", 1],
      [right, "rkt1", 2],
    ] as const) {
      lab.ip(`-n ${ns} addr add 10.${net}.0.2/24 dev ${dev}`);
      if (who === "c") lab.ip(`-n ${ns} link set ${dev} address 02:00:00:00:00:0${net}`);
      lab.ip(`-n ${ns} link set ${dev} up`);
      lab.ip(`-n ${ns} route add default via 10.${net}.0.1`);
      // A copier answers no question: the router's address is the other side's.
      if (who === "c") lab.ip(`-n ${ns} neigh add 10.${net}.0.1 lladdr 02:00:00:00:00:0${3 - net} dev ${dev}`);
    }
    return new RoutedTaps(lab, left, right, program);
  }

  async close(): Promise<void> {
    await this.lab.stop(this.program);
    for (const ns of [this.left, this.right]) this.lab.netns_delete(ns);
  }
}
