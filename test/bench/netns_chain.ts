// The peer that runs in the kernel: client, router and server as three network namespaces of Linux, joined by veth pairs.
import type { Lab } from "./lab.ts";
import type { Program } from "./program.ts";

/** Three namespaces with an echo server in the last and a client in the first. */
export class NetnsChain {
  private readonly lab: Lab;
  private readonly names: string[] = [];
  private server: Program | null = null;
  private client: Program | null = null;

  constructor(lab: Lab) {
    lab.need_root();
    this.lab = lab;
  }

  /** Makes them; the client's and the server's CPU. */
  async start(count: number, client_cpu: string, server_cpu: string): Promise<void> {
    const { lab } = this;
    const [c, r, s] = [lab.netns(), lab.netns(), lab.netns()];
    this.names.push(c, r, s);
    lab.ip(`link add v0 netns ${c} type veth peer name v1 netns ${r}`);
    lab.ip(`link add v2 netns ${r} type veth peer name v3 netns ${s}`);
    for (const [ns, dev, addr] of [
      [c, "v0", "10.1.0.2"],
      [r, "v1", "10.1.0.1"],
      [r, "v2", "10.2.0.1"],
      [s, "v3", "10.2.0.2"],
    ]) {
      lab.ip(`-n ${ns} addr add ${addr}/24 dev ${dev}`);
      lab.ip(`-n ${ns} link set ${dev} up`);
    }
    lab.ip(`-n ${c} route add default via 10.1.0.1`);
    lab.ip(`-n ${s} route add default via 10.2.0.1`);
    lab.ip(`netns exec ${r} sh -c`, "echo 1 >/proc/sys/net/ipv4/ip_forward");
    const program = lab.c("udp_rr");
    this.server = lab.start([program, "echo", "10.2.0.2", "7"], { netns: s, cpus: server_cpu });
    await this.server.line();
    this.client = lab.start([program, "ping", "10.2.0.2", "7", String(count)], { netns: c, cpus: client_cpu });
    await this.client.line();
  }

  /** The median round trip in us. */
  measure(): Promise<number> {
    this.client!.say("go");
    return this.client!.number();
  }

  /** Removes everything. */
  async stop(): Promise<void> {
    for (const program of [this.client, this.server]) if (program !== null) await this.lab.stop(program);
    for (const name of this.names.splice(0)) this.lab.netns_delete(name);
  }
}
