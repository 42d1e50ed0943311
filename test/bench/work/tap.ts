// A kernel on host taps: tap.js echo TAP ADDRESS, or tap.js forward TAP ADDRESS TAP ADDRESS. Says "ready"; ends with its standard input.
import { AF_INET, MSG_DONTWAIT, SOCK_DGRAM } from "../../../kernel-components/socket/socket_abi.ts";
import { SockaddrOut } from "../../../kernel-components/socket/socketvar.ts";
import { POLLIN } from "../../../kernel-components/kern/select.ts";
import {
  rump_pub_netconfig_ifcreate,
  rump_pub_netconfig_ifsetlinkstr,
  rump_pub_netconfig_ifup,
  rump_pub_netconfig_ipv4_ifaddr_cidr,
} from "../../../rumpsys/netconfig.ts";
import type { RumpKernel } from "../../../rumpsys/rump_kernel.ts";
import { rump_sys_recvfrom, rump_sys_sendto } from "../../../rumpsys/rump_sys.ts";
import { boot, must } from "./kit.ts";

/** Port of the UDP echo. */
const PORT = 7;
/** Largest datagram. */
const MAXLEN = 65536;
/** Bytes of a sockaddr_in. */
const SA_IN = 16;
/** Datagrams echoed in one entry into the kernel, which sends them as one batch. */
const BURST = 64;

function plug(rk: RumpKernel, unit: number, tap: string, address: string): void {
  const name = `virt${unit}`;
  must(rump_pub_netconfig_ifcreate(rk, name), `create ${name}`);
  must(rump_pub_netconfig_ifsetlinkstr(rk, name, tap), `linkstr ${name} ${tap}`);
  must(rump_pub_netconfig_ifup(rk, name), `up ${name}`);
  must(rump_pub_netconfig_ipv4_ifaddr_cidr(rk, name, address, 24), `address ${name}`);
}

/** Echoes UDP: whatever has come is answered in bursts. */
async function echo(rk: RumpKernel): Promise<void> {
  const sys = rk.rumpSys;
  const s = sys.socket(AF_INET, SOCK_DGRAM);
  sys.bind(s, { family: "inet", address: "0.0.0.0", port: PORT });
  const buf = new Uint8Array(MAXLEN);
  const from = new SockaddrOut();
  const to = from.sa.subarray(0, SA_IN);
  const wanted = [{ fd: s, events: POLLIN, revents: 0 }];
  for (;;) {
    await sys.poll(wanted);
    for (let n = 0; n >= 0; ) {
      rk.k.enter();
      for (let i = 0; i < BURST && n >= 0; i++) {
        n = rump_sys_recvfrom(rk, s, buf, MAXLEN, MSG_DONTWAIT, from);
        if (n >= 0) rump_sys_sendto(rk, s, buf, n, 0, to);
      }
      rk.k.leave();
    }
  }
}

const [role, ...words] = process.argv.slice(2);
const rk = boot("tap");
for (let unit = 0; 2 * unit < words.length; unit++) plug(rk, unit, words[2 * unit] ?? "", words[2 * unit + 1] ?? "");
if (role === "forward") rk.rumpSys.sysctlbyname("net.inet.ip.forwarding", 1);
else void echo(rk);
process.stdout.write("ready\n");
process.stdin.on("end", () => process.exit(0)).resume();
