// Kernels a -- r -- b on simulated buses, and tools run on them under the virtual clock.
import { expect } from "chai";
import { SimWorld } from "../../../hypercall/sim/sim_world.ts";
import { slab_create } from "../../../hypercall/slab/slab.ts";
import type { WasmSlab } from "../../../hypercall/slab/slab.ts";
import { rump_calls } from "../../../rumpsys/client/rump_calls.ts";
import { host_clock, run_tool, ToolOutput } from "../../../rumpsys/cli/tool.ts";
import type { Tool } from "../../../rumpsys/cli/tool.ts";
import { ifconfig } from "../../../rumpsys/cli/ifconfig.ts";
import { route } from "../../../rumpsys/cli/route.ts";
import { sysctl } from "../../../rumpsys/cli/sysctl.ts";
import { rump_init_sync } from "../../../rumpsys/rump_init.ts";
import type { RumpKernel } from "../../../rumpsys/rump_kernel.ts";

const STEP_NS = 1e6;
const STEPS_MAX = 200_000;
/** Steps in which a tool that follows events catches up. */
const QUIET_STEPS = 50;
let shared: WasmSlab | null = null;

/** What a tool did. */
export interface ToolRun {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** The kernels of a test. */
export class ToolWorld {
  readonly world: SimWorld;
  private readonly kernels: Map<string, RumpKernel> = new Map<string, RumpKernel>();

  constructor() {
    shared ??= slab_create(64 * 1024 * 1024);
    this.world = new SimWorld({ slab: shared });
  }

  /** Kernel `name`, booted when it is asked for first. */
  kernel(name: string): RumpKernel {
    const had = this.kernels.get(name);
    if (had !== undefined) return had;
    const rk = rump_init_sync(this.world.host(name));
    this.kernels.set(name, rk);
    return rk;
  }

  /** Runs a tool on kernel `name`; time passes while it waits. */
  async run(name: string, tool: Tool, args: string, json: boolean = false): Promise<ToolRun> {
    const rk = this.kernel(name);
    const cx = new ToolOutput(rump_calls(rk.rumpSys), host_clock(rk.host), json);
    const words = args === "" ? [] : args.split(" ");
    const status = await this.settle(run_tool(tool.name, tool, cx, words));
    return { status, out: cx.text(), err: cx.errors.join("\n") };
  }

  /** Starts a tool that runs until it is interrupted; interrupts it after `meanwhile`. Its lines. */
  async during(name: string, tool: Tool, args: string, meanwhile: () => Promise<unknown>): Promise<string[]> {
    const rk = this.kernel(name);
    const cx = new ToolOutput(rump_calls(rk.rumpSys), host_clock(rk.host));
    const running = run_tool(tool.name, tool, cx, args.split(" "));
    await meanwhile();
    for (let i = 0; i < QUIET_STEPS; i++) {
      this.world.advance(STEP_NS);
      for (let t = 0; t < 50; t++) await Promise.resolve();
    }
    cx.interrupt.abort();
    expect(await this.settle(running)).to.equal(0);
    return cx.lines;
  }

  /** Runs a tool, which must succeed; what it printed. */
  async ok(name: string, tool: Tool, args: string): Promise<string> {
    const r = await this.run(name, tool, args);
    expect(r, `${tool.name} ${args}`).to.include({ status: 0, err: "" });
    return r.out;
  }

  /** Its JSON. */
  async json<T>(name: string, tool: Tool, args: string): Promise<T> {
    return JSON.parse((await this.run(name, tool, args, true)).out) as T;
  }

  /** Lets time pass until `promise` is settled. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let done = false;
    const mark = (): void => {
      done = true;
    };
    promise.then(mark, mark);
    for (let i = 0; i < STEPS_MAX; i++) {
      for (let t = 0; t < 50 && !done; t++) await Promise.resolve();
      if (done) break;
      this.world.advance(STEP_NS);
    }
    expect(done, "the tool ends").to.equal(true);
    return promise;
  }

  /** a 10.0.1.2 -- 10.0.1.1 r 10.0.2.1 -- 10.0.2.2 b, forwarding on, default routes set. */
  async routed(): Promise<this> {
    const ifs: readonly [string, string, string, string][] = [
      ["a", "shmif0", "bus1", "10.0.1.2/24"],
      ["r", "shmif0", "bus1", "10.0.1.1/24"],
      ["r", "shmif1", "bus2", "10.0.2.1/24"],
      ["b", "shmif0", "bus2", "10.0.2.2/24"],
    ];
    for (const [name, ifname, bus, addr] of ifs) {
      await this.ok(name, ifconfig, `${ifname} create linkstr ${bus}`);
      await this.ok(name, ifconfig, `-w 10 ${ifname} inet ${addr}`);
    }
    await this.ok("a", route, "add default 10.0.1.1");
    await this.ok("b", route, "add default 10.0.2.1");
    await this.ok("r", sysctl, "-w net.inet.ip.forwarding=1");
    return this;
  }

  /** Ends all kernels: nothing may be left. */
  end(): void {
    for (const [name, rk] of this.kernels) {
      const report = rk.shutdown();
      expect(report.text, name).to.equal("");
      expect(report.files, `${name}: files`).to.equal(0);
    }
  }
}
