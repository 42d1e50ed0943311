// A line of kernels in one process: line.js NODES FOLDER. Boots and configures them, and pings from one end to the other. Seconds.
import { join } from "node:path";
import { AF_INET, SOCK_RAW } from "../../../kernel-components/socket/socket_abi.ts";
import { cksum } from "../../../kernel-components/wire/cksum.ts";
import { IPPROTO_ICMP } from "../../../kernel-components/wire/in.ts";
import { SHMIF_BUSBYTES_MIN } from "../../../drivers/shmif/shmif_layout.ts";
import {
  rump_pub_netconfig_ifcreate,
  rump_pub_netconfig_ifsetlinkstr,
  rump_pub_netconfig_ifup,
  rump_pub_netconfig_ipv4_ifaddr_cidr,
  rump_pub_netconfig_ipv4_route,
} from "../../../rumpsys/netconfig.ts";
import type { RumpKernel } from "../../../rumpsys/rump_kernel.ts";
import { boot, must, now_ns, say } from "./kit.ts";

const nodes = Number(process.argv[2]);
const folder = process.argv[3] ?? "";

/** Network of link n, between node n and node n + 1. */
function net(n: number): string {
  return `10.${n >> 8}.${n & 255}`;
}

function plug(rk: RumpKernel, ifname: string, link: number, host: number): void {
  must(rump_pub_netconfig_ifcreate(rk, ifname), `create ${ifname}`);
  must(rump_pub_netconfig_ifsetlinkstr(rk, ifname, join(folder, `bus${link}`)), `linkstr ${ifname}`);
  must(rump_pub_netconfig_ifup(rk, ifname), `up ${ifname}`);
  must(rump_pub_netconfig_ipv4_ifaddr_cidr(rk, ifname, `${net(link)}.${host}`, 24), `address ${ifname}`);
}

function node(n: number): RumpKernel {
  const rk = boot(`n${n}`);
  rk.rumpSys.sysctlbyname("net.link.shmif.busbytes", SHMIF_BUSBYTES_MIN);
  rk.rumpSys.sysctlbyname("net.inet.ip.forwarding", 1);
  rk.rumpSys.sysctlbyname("net.inet.ip.ttl", 255);
  if (n > 0) plug(rk, "shmif0", n - 1, 2);
  if (n < nodes - 1) plug(rk, "shmif1", n, 1);
  if (n > 1) must(rump_pub_netconfig_ipv4_route(rk, `${net(0)}.0`, 24, `${net(n - 1)}.1`), "route to the left");
  if (n < nodes - 2)
    must(rump_pub_netconfig_ipv4_route(rk, `${net(nodes - 2)}.0`, 24, `${net(n)}.2`), "route to the right");
  return rk;
}

/** Sends an echo request and waits for its answer. */
async function ping(rk: RumpKernel, address: string): Promise<void> {
  const sys = rk.rumpSys;
  const s = sys.socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
  const request = Uint8Array.of(8, 0, 0, 0, 0x12, 0x34, 0, 1);
  const dv = new DataView(request.buffer);
  dv.setUint16(2, cksum(dv, 0, request.length));
  const buf = new Uint8Array(256);
  const answer = sys.recvfrom(s, buf);
  await sys.sendto(s, request, 0, { family: "inet", address, port: 0 });
  const { length } = await answer;
  if (length !== 28 || buf[20] !== 0)
    throw new Error(`not an echo reply: ${Buffer.from(buf.subarray(0, length)).toString("hex")}`);
  await sys.close(s);
}

const start = now_ns();
const line: RumpKernel[] = [];
for (let n = 0; n < nodes; n++) line.push(node(n));
const booted = now_ns();
await ping(line[0]!, `${net(nodes - 2)}.2`);
const end = now_ns();
process.stderr.write(
  `${nodes} nodes: boot ${((booted - start) / 1e6).toFixed(0)} ms, first ping ${((end - booted) / 1e6).toFixed(0)} ms\n`,
);
say((end - start) / 1e9);
process.exit(0);
