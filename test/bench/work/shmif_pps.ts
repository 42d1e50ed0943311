// Frames over a shmif bus from one process to another: shmif_pps.js send|receive BUS [BYTES MS]. The sender waits for a line, sends for MS ms, and says
// "sent". The receiver answers each line with the number of frames that it has got.
import { createInterface } from "node:readline";
import { MT_DATA } from "../../../kernel-components/kern/mbuf.ts";
import { m_freem, m_getcl } from "../../../kernel-components/kern/mbuf_alloc.ts";
import { if_transmit_lock, ifunit } from "../../../kernel-components/net/if_attach.ts";
import type { Ifnet } from "../../../kernel-components/net/if.ts";
import { IFF_OACTIVE } from "../../../kernel-components/net/if_flags.ts";
import { NET_KEY } from "../../../kernel-components/net/net.ts";
import {
  rump_pub_netconfig_ifcreate,
  rump_pub_netconfig_ifsetlinkstr,
  rump_pub_netconfig_ifup,
} from "../../../rumpsys/netconfig.ts";
import { boot, must, now_ns, say } from "./kit.ts";

/** Frames sent in one entry into the kernel. */
const BURST = 64;
const ETHER_ALIGN = 2;

const [role = "", bus = "", bytes = "64", ms = "500"] = process.argv.slice(2);
const rk = boot(role);
const { k } = rk;
must(rump_pub_netconfig_ifcreate(rk, "shmif0"), "create");
must(rump_pub_netconfig_ifsetlinkstr(rk, "shmif0", bus), "linkstr");
must(rump_pub_netconfig_ifup(rk, "shmif0"), "up");
const ifp = ifunit(k.softc(NET_KEY), "shmif0");
if (ifp === null) throw new Error("no shmif0");
let got = 0;
ifp.if_input = (_ifp, m) => {
  got++;
  m_freem(m);
};

/** Sends a burst to the broadcast address; how many were taken. hot */
function burst(i: Ifnet, len: number): number {
  let n = 0;
  k.enter();
  while (n < BURST && (i.if_flags & IFF_OACTIVE) === 0) {
    const m = m_getcl(k.mb, MT_DATA, true);
    if (m === null) break;
    m.m_off += ETHER_ALIGN;
    m.m_len = len;
    m.m_pkthdr_len = len;
    k.dv.setUint16(m.m_off, 0xffff);
    k.dv.setInt32(m.m_off + 2, -1);
    n++;
    if (if_transmit_lock(i, m) !== 0) break;
  }
  k.leave();
  return n;
}

/** Sends as fast as the bus takes it until `end`; the event loop gets a turn when it is full. */
function blast(i: Ifnet, len: number, end: number): void {
  for (let turn = 0; turn < 64; turn++) if (burst(i, len) < BURST) break;
  if (now_ns() < end) setImmediate(() => blast(i, len, end));
  else process.stdout.write("sent\n");
}

process.stdout.write("ready\n");
const orders = createInterface({ input: process.stdin });
orders.on("close", () => process.exit(0));
orders.on("line", () => {
  if (role === "send") blast(ifp, Number(bytes), now_ns() + Number(ms) * 1e6);
  else say(got);
});
