/**
 * `npm start -- --tap`: the host joins the testbed. Node a has a tap interface; the host gets an address on it and routes to the buses, and its own
 * programs talk to the kernels. Interface, address and routes go with the process that holds the tap.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { hostSideUp } from "../../drivers/virtif/host/host_side.ts";
import { NativeHostError } from "../../hypercall/native/addon.ts";
import { inet_pton4 } from "../../kernel-components/wire/inet_addr.ts";
import type { TapSpec } from "../testbed/spec.ts";
import type { Testbed } from "../testbed/testbed.ts";
import type { MainNode } from "./main_job_run.ts";

const TUN = "/dev/net/tun";
const PREFIX = 24;
/** Networks 10.FIRST to 10.LAST are tried. */
const FIRST_NET = 77;
const LAST_NET = 250;
/** Folders of programs that an ordinary PATH may lack. */
const SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin";

/** The host's side of the tap. */
export class TapHost {
  /** First two bytes of all addresses: a network that the host does not use. */
  readonly base: string;
  /** Name of the host's interface. */
  readonly name: string;
  private running: ChildProcess | null = null;
  private stopped = false;

  /** Looks for a free name and network. Throws NativeHostError that names the cure, without root or /dev/net/tun. */
  constructor() {
    if (process.geteuid?.() !== 0)
      throw new NativeHostError("--tap makes a network interface and needs root; cure: sudo npm start -- --tap");
    try {
      accessSync(TUN, constants.R_OK | constants.W_OK);
    } catch {
      throw new NativeHostError(
        `--tap needs ${TUN}; cure: modprobe tun, in a container --device ${TUN} --cap-add NET_ADMIN`,
      );
    }
    this.base = free_base();
    this.name = free_name();
  }

  /** The tap as node a sees it. */
  node_side(): TapSpec {
    return { name: this.name, address: `${this.base}.255.2`, prefixlen: PREFIX };
  }

  /** Configures the host's end and runs the host's programs. */
  async demonstrate(tb: Testbed<MainNode>, item: (label: string, text: string) => void): Promise<void> {
    const host = `${this.base}.255.1`;
    hostSideUp({ name: this.name, address: host, prefix: PREFIX });
    item("tap", `host ${host} -- ${this.name} -- ${this.node_side().address} a`);
    const routed = this.add_routes(item);
    const far = routed ? tb.address("b") : this.node_side().address;
    await this.show("ping", ["-n", "-c", "3", "-i", "0.2", far], "iputils-ping", item);
    await this.show("arping", ["-c", "2", "-I", this.name, this.node_side().address], "iputils-arping", item);
    await this.show("traceroute", ["-n", "-q", "1", "-w", "2", far], "traceroute", item);
  }

  /** Ends the program that runs. */
  stop(): void {
    this.stopped = true;
    this.running?.kill("SIGKILL");
  }

  private add_routes(item: (label: string, text: string) => void): boolean {
    for (const net of [1, 2]) {
      const dst = `${this.base}.${net}.0/${PREFIX}`;
      const run = spawnSync("ip", ["route", "add", dst, "via", this.node_side().address], {
        env: system_env(),
        encoding: "utf8",
      });
      if (run.status === 0) continue;
      item(
        "tap",
        `no route to ${dst}: ${run.error === undefined ? run.stderr.trim() : "ip is missing (apt-get install iproute2)"}`,
      );
      return false;
    }
    return true;
  }

  /** Runs one of the host's programs and prints what it says. */
  private show(
    program: string,
    args: readonly string[],
    debian: string,
    item: (label: string, text: string) => void,
  ): Promise<void> {
    if (this.stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const child = spawn(program, args, { env: system_env(), stdio: ["ignore", "pipe", "pipe"] });
      this.running = child;
      let output = "";
      const collect = (data: Buffer): void => {
        output += data.toString();
      };
      child.stdout.on("data", collect);
      child.stderr.on("data", collect);
      child.once("error", () => {
        item(program, `is missing (apt-get install ${debian})`);
        resolve();
      });
      child.once("close", () => {
        this.running = null;
        for (const line of output.split("\n")) if (line.trim() !== "") item(`$ ${program}`, line.trimEnd());
        resolve();
      });
    });
  }
}

function system_env(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env["PATH"] ?? ""}:${SYSTEM_PATH}`, LC_ALL: "C" };
}

function free_name(): string {
  for (let i = 0; i < 1000; i++) if (!existsSync(`/sys/class/net/rumptap${i}`)) return `rumptap${i}`;
  throw new NativeHostError("a thousand rumptap interfaces exist already");
}

/** "10.n" that overlaps no address and no route of the host. */
function free_base(): string {
  const used = new Set<number>();
  for (const list of Object.values(networkInterfaces())) {
    for (const { address } of list ?? []) note(used, inet_pton4(address));
  }
  for (const line of readFileSync("/proc/net/route", "utf8").split("\n").slice(1)) {
    const dst = /^\S+\s+([0-9A-F]{8})/.exec(line)?.[1];
    if (dst !== undefined) note(used, { ok: true, addr: Buffer.from(dst, "hex").readInt32LE(0) });
  }
  for (let n = FIRST_NET; n <= LAST_NET; n++) if (!used.has(n)) return `10.${n}`;
  throw new NativeHostError("every network 10.77 to 10.250 is in use on this machine");
}

function note(used: Set<number>, { ok, addr }: { readonly ok: boolean; readonly addr: number }): void {
  if (ok && addr >>> 24 === 10) used.add((addr >>> 16) & 255);
}
