import { execFileSync } from "node:child_process";
import { accessSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type NativeHost, nativeHost, nativeProcess } from "../../../hypercall/native/native_host.ts";
import type { Host } from "../../../hypercall/api/host.ts";
import { needNative } from "../../support/need.ts";
import { hypercallConformance } from "./hypercall.ts";
import type { Subject } from "./subject.ts";

const SLAB = 32 * 1024 * 1024;
/** A machine whose other CPU is busy may be late by this much. */
const SLACK_MS = 4;

class NativeSubject implements Subject {
  readonly threads = true;
  readonly daemons = true;
  private readonly dir: string = mkdtempSync(join(tmpdir(), "rumpkit-conf-"));
  private readonly hosts: Map<Host, string[]> = new Map<Host, string[]>();
  private readonly used_before: number = nativeProcess(SLAB).pages.used;
  private taps: readonly [string, string] | null | undefined;

  host(params: Readonly<Record<string, string>> = {}): Host {
    const lines: string[] = [];
    const console = { line: (b: Uint8Array) => lines.push(Buffer.from(b).toString()), debug: () => {} };
    const host: NativeHost = nativeHost({ params, console });
    this.hosts.set(host, lines);
    return host;
  }

  pass(ns: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ns / 1e6 + SLACK_MS));
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  printed(host: Host): string {
    return (this.hosts.get(host) ?? []).join("");
  }

  get wire(): readonly [string, string] | null {
    this.taps ??= canBridge() ? bridge() : null;
    return this.taps;
  }

  close(): void {
    for (const host of this.hosts.keys()) (host as NativeHost).close();
    rmSync(this.dir, { recursive: true });
    if (this.taps) unbridge(this.taps);
    const held = nativeProcess().pages.used - this.used_before;
    if (held !== 0) throw new Error(`${held} bytes of slab were not given back`);
  }
}

const BRIDGE = `rkb${process.pid}`;

function canBridge(): boolean {
  try {
    accessSync("/dev/net/tun");
    execFileSync("ip", ["-V"]);
    return process.geteuid?.() === 0;
  } catch {
    return false;
  }
}

function ip(...args: string[]): void {
  execFileSync("ip", args);
}

/** Two taps on a host bridge. IPv6 is off on all three, or the host would talk on its own. */
function bridge(): readonly [string, string] {
  const taps = [`rka${process.pid}`, `rkz${process.pid}`] as const;
  ip("link", "add", BRIDGE, "type", "bridge");
  for (const tap of taps) ip("tuntap", "add", "dev", tap, "mode", "tap");
  for (const name of [BRIDGE, ...taps]) writeFileSync(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, "1");
  for (const tap of taps) ip("link", "set", tap, "master", BRIDGE, "up");
  ip("link", "set", BRIDGE, "up");
  return taps;
}

function unbridge(taps: readonly [string, string]): void {
  for (const name of [...taps, BRIDGE]) ip("link", "del", name);
}

hypercallConformance("native", () => new NativeSubject(), needNative);
