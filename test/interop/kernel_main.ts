// A kernel in a process of its own, captured: what the tests of this folder start inside a network namespace.
//   node kernel_main.js '{"url": "unix:///tmp/x/k", "pcap": "/tmp/x/k.pcapng", "forward": false, "ifs": [...], "gateway": "10.0.0.1"}'
// Prints "ready". SIGTERM ends it: status 0 if nothing leaked and the capture is whole.
import { constants } from "node:os";
import { pcapFile } from "../../drivers/pcap/host/pcap_file.ts";
import { pcap_open } from "../../drivers/pcap/pcap.component.ts";
import { nativeHost } from "../../hypercall/native/native_host.ts";
import {
  rump_pub_netconfig_ifcreate,
  rump_pub_netconfig_ifmtu,
  rump_pub_netconfig_ifsetlinkstr,
  rump_pub_netconfig_ifup,
  rump_pub_netconfig_ipv4_gw,
  rump_pub_netconfig_ipv4_ifaddr_cidr,
} from "../../rumpsys/netconfig.ts";
import { rump_init_sync } from "../../rumpsys/rump_init.ts";
import { rump_init_server } from "../../rumpsys/server/sp_server.ts";

/** An interface of the kernel. */
export interface KernelIf {
  readonly name: string;
  /** Name of the tap, or path of the bus. */
  readonly link: string;
  readonly address: string;
  readonly prefix: number;
  readonly mtu?: number;
}

/** What to boot. */
export interface KernelPlan {
  readonly url: string;
  /** Where the capture goes; null: none. */
  readonly pcap: string | null;
  readonly ifs: readonly KernelIf[];
  readonly gateway?: string;
  readonly forward?: boolean;
}

async function main(plan: KernelPlan): Promise<void> {
  const host = nativeHost();
  host.process.addon.pdeathsig(constants.signals.SIGKILL);
  const rk = rump_init_sync(host);
  const file = plan.pcap === null ? null : pcapFile(plan.pcap);
  for (const { name } of plan.ifs) must(name, rump_pub_netconfig_ifcreate(rk, name));
  const names = plan.ifs.map(({ name }) => name);
  const capture = file === null ? null : pcap_open(rk.k, file.sink, names, { bufsize: 8 << 20 });
  for (const { name, link, address, prefix, mtu } of plan.ifs) {
    must(name, rump_pub_netconfig_ifsetlinkstr(rk, name, link));
    if (mtu !== undefined) must(`${name} mtu ${mtu}`, rump_pub_netconfig_ifmtu(rk, name, mtu));
    must(address, rump_pub_netconfig_ipv4_ifaddr_cidr(rk, name, address, prefix));
    must(name, rump_pub_netconfig_ifup(rk, name));
  }
  if (plan.gateway !== undefined) must(plan.gateway, rump_pub_netconfig_ipv4_gw(rk, plan.gateway));
  if (plan.forward === true) rk.rumpSys.sysctlbyname("net.inet.ip.forwarding", 1);
  await rump_init_server(rk.k, plan.url);
  const ended = new Promise<void>((resolve) => process.once("SIGTERM", () => resolve()));
  process.stdout.write("ready\n");
  await ended;
  const error = capture?.close() ?? 0;
  const lost = capture?.lost ?? 0;
  file?.close();
  const { text } = rk.shutdown();
  host.close();
  if (text !== "") process.stderr.write(`leaked: ${text}\n`);
  if (error !== 0 || lost > 0) process.stderr.write(`capture: errno ${error}, ${lost} lost\n`);
  process.exitCode = text === "" && error === 0 && lost === 0 ? 0 : 1;
}

function must(what: string, error: number): void {
  if (error !== 0) throw new Error(`${what}: errno ${error}`);
}

await main(JSON.parse(process.argv[2] ?? "") as KernelPlan);
