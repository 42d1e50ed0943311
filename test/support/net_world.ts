// What NetBSD's network tests stand on, for kernels of one process on simulated buses under the virtual clock: kernels by name, command
// lines run on them, the frames that passed on a bus, lines of the routing table.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { BusInfo } from "../../hypercall/api/bus.ts";
import { ShmifPort } from "../../drivers/shmif/shmif_port.ts";
import { ShmifReader } from "../../drivers/shmif/shmif_reader.ts";
import { PORTF_PROMISC, PORTF_UP } from "../../drivers/shmif/shmif_layout.ts";
import { SOCKET_LAYER } from "../../kernel-components/socket/socketvar.ts";
import { LINKTYPE_ETHERNET } from "../../kernel-components/wire/linktype.ts";
import { pcap_file_header, pcap_record } from "../../kernel-components/wire/pcap.ts";
import { trace_bytes } from "../../kernel-components/wire/trace.ts";
import { arp } from "../../rumpsys/cli/arp.ts";
import { ifconfig } from "../../rumpsys/cli/ifconfig.ts";
import { netstat } from "../../rumpsys/cli/netstat.ts";
import { ping } from "../../rumpsys/cli/ping.ts";
import { route } from "../../rumpsys/cli/route.ts";
import { sysctl } from "../../rumpsys/cli/sysctl.ts";
import type { Tool } from "../../rumpsys/cli/tool.ts";
import {
  rump_pub_netconfig_ifcreate,
  rump_pub_netconfig_ifsetlinkstr,
  rump_pub_netconfig_ifup,
  rump_pub_netconfig_ipv4_ifaddr_cidr,
} from "../../rumpsys/netconfig.ts";
import type { RumpKernel } from "../../rumpsys/rump_kernel.ts";
import type { RumpSys } from "../../rumpsys/rumpsys.ts";
import { ToolWorld } from "../rumpsys/cli/tool_world.ts";
import type { ToolRun } from "../rumpsys/cli/tool_world.ts";

/** One second of the virtual clock, in ns. */
const S = 1e9;

/** Size of a bus of these tests in bytes: 28 ports. */
const BUSBYTES = 4 << 20;

/** Frames that are kept for the capture of a failed test. */
const RECORDS_MAX = 2000;

/** A port of a bus that hears everything and says nothing. */
class BusEar {
  /** What nobody has asked for yet. */
  readonly frames: Uint8Array[] = [];
  /** The last ones of all, as records of a pcap file. */
  readonly records: Uint8Array[] = [];
  private readonly now: () => number;
  private readonly port: ShmifPort;
  private readonly reader: ShmifReader;

  constructor(tools: ToolWorld, bus: string) {
    const host = tools.world.host(`ear on ${bus}`);
    this.now = () => tools.world.now_ns;
    const info = new BusInfo();
    const handle = host.bus?.bus_open(bus, BUSBYTES, { bus_kicked: () => this.listen() }, info) ?? null;
    if (handle === null) throw new Error(`${bus}: ${info.text}`);
    this.port = new ShmifPort(tools.world.slab, handle, info.off, info.len);
    const error = this.port.attach(0x02ff, 0x7fff_ffff, PORTF_PROMISC | PORTF_UP, 0);
    if (error !== 0) throw new Error(`${bus}: errno ${error}`);
    this.reader = new ShmifReader(this.port);
    this.port.park();
  }

  /** Takes what is on the bus. */
  listen(): void {
    this.port.unpark();
    do {
      while (this.reader.next()) {
        const { off, len } = this.reader;
        const frame = this.port.slab.u8.slice(off, off + len);
        if (this.reader.done()) this.heard(frame);
      }
      this.port.park();
    } while (this.reader.next());
  }

  private heard(frame: Uint8Array): void {
    const now = this.now();
    this.frames.push(frame);
    this.records.push(pcap_record(Math.floor(now / S), now % S, frame, frame.length));
    if (this.records.length > RECORDS_MAX) this.records.shift();
  }
}

/** Kernels, buses and command lines. */
export class NetWorld {
  private readonly tools: ToolWorld = new ToolWorld();
  private readonly ears: Map<string, BusEar> = new Map<string, BusEar>();
  private readonly names: Set<string> = new Set<string>();

  /** Kernel `name`, booted when it is asked for first; it probes for its addresses as NetBSD's does by default. */
  kernel(name: string): RumpKernel {
    const rk = this.tools.kernel(name);
    if (this.names.has(name)) return rk;
    this.names.add(name);
    rk.rumpSys.sysctlbyname("net.inet.ip.dad_count", 3);
    return rk;
  }

  /** Its system calls. */
  sys(name: string): RumpSys {
    return this.kernel(name).rumpSys;
  }

  /** Boots kernels. */
  rump_server_start(...names: string[]): void {
    for (const name of names) this.kernel(name);
  }

  /** Creates an interface and plugs it into a bus. */
  async rump_server_add_iface(name: string, ifname: string, bus: string): Promise<void> {
    this.listen(bus);
    await this.ok(name, `ifconfig ${ifname} create`);
    await this.ok(name, `ifconfig ${ifname} linkstr ${bus}`);
  }

  /** netcfg_rump_if: creates, plugs and addresses an interface at once, without probing for the address. */
  netcfg_rump_if(name: string, ifname: string, bus: string, cidr: string): void {
    const rk = this.kernel(name);
    rk.rumpSys.sysctlbyname("net.inet.ip.dad_count", 0);
    this.listen(bus);
    const [addr, len] = cidr.split("/");
    expect(rump_pub_netconfig_ifcreate(rk, ifname), "create").to.equal(0);
    expect(rump_pub_netconfig_ifsetlinkstr(rk, ifname, bus), "linkstr").to.equal(0);
    expect(rump_pub_netconfig_ipv4_ifaddr_cidr(rk, ifname, addr as string, Number(len)), "address").to.equal(0);
    expect(rump_pub_netconfig_ifup(rk, ifname), "up").to.equal(0);
  }

  /** The same with an address; waits until it has been found unique. */
  async add_addr(name: string, ifname: string, bus: string, cidr: string): Promise<void> {
    await this.rump_server_add_iface(name, ifname, bus);
    await this.ok(name, `ifconfig ${ifname} inet ${cidr} up`);
    await this.ok(name, "ifconfig -w 10");
  }

  /** Destroys all interfaces of all kernels that can be. */
  async rump_server_destroy_ifaces(): Promise<void> {
    for (const name of this.names) {
      for (const ifname of (await this.ok(name, "ifconfig -l")).trim().split(" ")) {
        if (ifname !== "lo0") await this.ok(name, `ifconfig ${ifname} destroy`);
      }
    }
  }

  /** Runs a command line, its first word a tool of `rump`. */
  run(name: string, command: string, json: boolean = false): Promise<ToolRun> {
    this.kernel(name);
    const [word, ...rest] = command.split(" ");
    return this.tools.run(name, tool_named(word as string), rest.join(" "), json);
  }

  /** A command that must succeed; what it printed. */
  async ok(name: string, command: string): Promise<string> {
    const r = await this.run(name, command);
    expect(r.status, `${name}: ${command}: ${r.err}${r.out}`).to.equal(0);
    return r.out;
  }

  /** A command that must fail; what it printed and complained. */
  async fails(name: string, command: string): Promise<string> {
    const r = await this.run(name, command);
    expect(r.status, `${name}: ${command}: ${r.out}`).to.not.equal(0);
    return `${r.out}${r.err}`;
  }

  /** One ping that must be answered. */
  async ping(name: string, rest: string): Promise<void> {
    await this.ok(name, `ping -n -w 1 -c 1 ${rest}`);
  }

  /** One ping that must not be answered. */
  ping_fails(name: string, rest: string): Promise<string> {
    return this.fails(name, `ping -n -w 1 -c 1 ${rest}`);
  }

  /** Lets seconds pass. */
  sleep(seconds: number): void {
    this.tools.world.advance(seconds * S);
  }

  /** Lets time pass until the promise is settled. */
  settle<T>(promise: Promise<T>): Promise<T> {
    return this.tools.settle(promise);
  }

  /** Begins to hear a bus. */
  listen(bus: string): void {
    if (!this.ears.has(bus)) this.ears.set(bus, new BusEar(this.tools, bus));
  }

  /** Frames that passed since the last call. */
  frames(bus: string): Uint8Array[] {
    this.listen(bus);
    return (this.ears.get(bus) as BusEar).frames.splice(0);
  }

  /** A line for each frame that passed since the last call. */
  extract_new_packets(bus: string): string[] {
    return this.frames(bus).map((f) => trace_bytes(f, LINKTYPE_ETHERNET));
  }

  /** The hardware address of an interface. */
  async get_macaddr(name: string, ifname: string): Promise<string> {
    return /address: ([0-9a-f:]{17})/.exec(await this.ok(name, `ifconfig ${ifname}`))?.[1] ?? "";
  }

  /** The words of the line of the routing table about a destination, or undefined. */
  async route_line(name: string, dst: string): Promise<string[] | undefined> {
    const table = await this.ok(name, "netstat -rn");
    return table
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .find(([first]) => first === dst);
  }

  /** The routing table has the destination with these flags (and gateway, and interface). */
  async check_route(name: string, dst: string, gw: string, flags: string, ifname: string = ""): Promise<void> {
    const line = await this.route_line(name, dst);
    expect(line, `a route to ${dst}`).to.not.equal(undefined);
    if (gw !== "") expect(line?.[1], `gateway to ${dst}`).to.equal(gw);
    expect(line?.[2], `flags of the route to ${dst}`).to.equal(flags);
    if (ifname !== "") expect(line?.at(-1), `interface to ${dst}`).to.equal(ifname);
  }

  /** The routing table does not have it. */
  async check_route_no_entry(name: string, dst: string): Promise<void> {
    expect(await this.route_line(name, dst), `a route to ${dst}`).to.equal(undefined);
  }

  /** A counter. */
  stat(name: string, group: string, counter: string): number {
    const v = this.kernel(name).k.evcnts.value(group, counter);
    if (v === null) throw new Error(`no counter ${group} ${counter}`);
    return v;
  }

  /** Sets an int of the sysctl tree. */
  sysctl(name: string, node: string, v: number): void {
    this.sys(name).sysctlbyname(node, v);
  }

  /** Writes what passed on each bus, for a person to look at; the paths. */
  write_captures(test: string): string[] {
    const dir = mkdtempSync(join(tmpdir(), `rumpkit-${test}-`));
    return [...this.ears].map(([bus, ear]) => {
      const path = join(dir, `${bus.replace(/\W/g, "_")}.pcap`);
      writeFileSync(path, Buffer.concat([pcap_file_header(LINKTYPE_ETHERNET), ...ear.records]));
      return path;
    });
  }

  /** Ends all kernels. No socket, file or mbuf may be left, before nor after. */
  end(): void {
    for (const name of this.names) {
      const { k } = this.tools.kernel(name);
      expect(k.softc(SOCKET_LAYER).nsockets, `${name}: sockets`).to.equal(0);
    }
    this.tools.end();
  }
}

const TOOLS: Readonly<Record<string, Tool>> = { arp, ifconfig, netstat, ping, route, sysctl };

function tool_named(word: string): Tool {
  const tool = TOOLS[word];
  if (tool === undefined) throw new Error(`no tool ${word}`);
  return tool;
}

/**
 * src 10.0.1.2 -- 10.0.1.1 fwd 10.0.2.1 -- 10.0.2.2 dst on bus1 and bus2, with default routes; fwd does not forward yet.
 * The addresses have been probed for.
 */
export async function three_kernels(w: NetWorld): Promise<void> {
  w.rump_server_start("src", "fwd", "dst");
  await w.add_addr("src", "shmif0", "bus1", "10.0.1.2/24");
  await w.ok("src", "route add default 10.0.1.1");
  await w.add_addr("dst", "shmif0", "bus2", "10.0.2.2/24");
  await w.ok("dst", "route add default 10.0.2.1");
  await w.add_addr("fwd", "shmif0", "bus1", "10.0.1.1/24");
  await w.add_addr("fwd", "shmif1", "bus2", "10.0.2.1/24");
}

/** Has a line that holds all of the pieces. */
export function has_line(lines: readonly string[], ...pieces: string[]): boolean {
  return lines.some((line) => pieces.every((piece) => line.includes(piece)));
}

/** A test on a world of its own, which is ended and counted afterwards. When it fails it leaves a capture of each bus. */
export function net_case(name: string, body: (w: NetWorld) => Promise<void> | void): void {
  it(name, async () => {
    const w = new NetWorld();
    try {
      await body(w);
    } catch (error) {
      console.log(`      frames: ${w.write_captures(name).join(" ")}`);
      throw error;
    }
    w.end();
  });
}
