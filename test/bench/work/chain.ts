// Parts of a chain client - router - server on two buses, in one process or in three: chain.js PARTS FOLDER [COUNT]. PARTS is some of "crs".
// Says "ready" when its parts are configured. The client then waits for a line, and says the median round trip in us.
import { createInterface } from "node:readline";
import { join } from "node:path";
import { AF_INET, SOCK_DGRAM } from "../../../kernel-components/socket/socket_abi.ts";
import {
  rump_pub_netconfig_ifcreate,
  rump_pub_netconfig_ifsetlinkstr,
  rump_pub_netconfig_ifup,
  rump_pub_netconfig_ipv4_gw,
  rump_pub_netconfig_ipv4_ifaddr_cidr,
} from "../../../rumpsys/netconfig.ts";
import type { RumpKernel } from "../../../rumpsys/rump_kernel.ts";
import { boot, must, now_ns, say } from "./kit.ts";

/** Bytes of a datagram. */
const PAYLOAD = 64;
/** Port of the echo. */
const PORT = 7;
/** Round trips before those that count. */
const WARM = 3000;

const parts = process.argv[2] ?? "";
const folder = process.argv[3] ?? "";
const count = Number(process.argv[4] ?? 1000);

function plug(rk: RumpKernel, unit: number, bus: string, address: string): void {
  const name = `shmif${unit}`;
  must(rump_pub_netconfig_ifcreate(rk, name), `create ${name}`);
  must(rump_pub_netconfig_ifsetlinkstr(rk, name, join(folder, bus)), `linkstr ${name}`);
  must(rump_pub_netconfig_ifup(rk, name), `up ${name}`);
  must(rump_pub_netconfig_ipv4_ifaddr_cidr(rk, name, address, 24), `address ${name}`);
}

function client(): RumpKernel {
  const rk = boot("client");
  plug(rk, 0, "bus1", "10.1.0.2");
  must(rump_pub_netconfig_ipv4_gw(rk, "10.1.0.1"), "default route");
  return rk;
}

function router(): void {
  const rk = boot("router");
  rk.rumpSys.sysctlbyname("net.inet.ip.forwarding", 1);
  plug(rk, 0, "bus1", "10.1.0.1");
  plug(rk, 1, "bus2", "10.2.0.1");
}

async function server(): Promise<void> {
  const rk = boot("server");
  plug(rk, 0, "bus2", "10.2.0.2");
  must(rump_pub_netconfig_ipv4_gw(rk, "10.2.0.1"), "default route");
  const sys = rk.rumpSys;
  const s = sys.socket(AF_INET, SOCK_DGRAM);
  sys.bind(s, { family: "inet", address: "0.0.0.0", port: PORT });
  const buf = new Uint8Array(2048);
  for (;;) {
    const { length, from } = await sys.recvfrom(s, buf);
    if (from !== null && from.family === "inet") sys.sync.sendto(s, buf.subarray(0, length), 0, from);
  }
}

/** The median round trip of `count` datagrams, in us. */
async function measure(rk: RumpKernel): Promise<number> {
  const sys = rk.rumpSys;
  const s = sys.socket(AF_INET, SOCK_DGRAM);
  await sys.connect(s, { family: "inet", address: "10.2.0.2", port: PORT });
  const out = new Uint8Array(PAYLOAD).fill(0x5a);
  const back = new Uint8Array(2048);
  const took = new Float64Array(count);
  for (let n = -WARM; n < count; n++) {
    const t = now_ns();
    const answer = sys.recv(s, back);
    sys.sync.send(s, out);
    if ((await answer) !== PAYLOAD) throw new Error("an answer of another length");
    if (n >= 0) took[n] = now_ns() - t;
  }
  await sys.close(s);
  return took.sort()[count >> 1]! / 1000;
}

const rk = parts.includes("c") ? client() : null;
if (parts.includes("r")) router();
if (parts.includes("s")) void server();
process.stdout.write("ready\n");
const orders = createInterface({ input: process.stdin });
orders.on("close", () => process.exit(0));
orders.on("line", () => {
  if (rk !== null) void measure(rk).then(say);
});
