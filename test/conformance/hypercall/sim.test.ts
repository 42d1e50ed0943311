import type { Host } from "../../../hypercall/api/host.ts";
import type { SimHost } from "../../../hypercall/sim/sim_host.ts";
import { type SimWorld, simWorld } from "../../../hypercall/sim/sim_world.ts";
import { hypercallConformance } from "./hypercall.ts";
import type { Subject } from "./subject.ts";

const SLAB = 16 * 1024 * 1024;

class SimSubject implements Subject {
  readonly threads = false;
  readonly daemons = false;
  private readonly world: SimWorld = simWorld({ slabBytes: SLAB });
  private readonly hosts: SimHost[] = [];

  host(params: Readonly<Record<string, string>> = {}): Host {
    const host = this.world.host(`h${this.hosts.length}`, { params });
    this.hosts.push(host);
    return host;
  }

  pass(ns: number): Promise<void> {
    this.world.advance(ns);
    return Promise.resolve();
  }

  path(name: string): string {
    return name;
  }

  printed(host: Host): string {
    return this.hosts.find((h) => h === host)?.console.text ?? "";
  }

  get wire(): readonly [string, string] {
    this.world.wire("w0");
    return ["w0", "w0"];
  }

  close(): void {
    for (const host of this.hosts) this.world.kill(host);
    for (const name of [...this.world.regions.keys()]) this.world.bus_remove(name);
    if (this.world.frames.in_use > 0) throw new Error(`${this.world.frames.in_use} frames were not given back`);
  }
}

hypercallConformance("sim", () => new SimSubject());
