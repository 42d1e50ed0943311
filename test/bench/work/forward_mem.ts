// IPv4 forwarding through the whole stack: frames of 64 bytes to 64 destinations enter mem0, are routed, and leave mem1. ns a packet.
import {
  arp_set_ether,
  ar_set_sha,
  ar_set_spa,
  ar_set_tpa,
  ARP_ETHER_LEN,
  ARPOP_REPLY,
} from "../../../kernel-components/wire/arp.ts";
import { cksum } from "../../../kernel-components/wire/cksum.ts";
import {
  rump_pub_netconfig_ifup,
  rump_pub_netconfig_ipv4_ifaddr_cidr,
  rump_pub_netconfig_ipv4_route,
} from "../../../rumpsys/netconfig.ts";
import { boot, must, ns_per_op, say } from "./kit.ts";
import { ETHER_ALIGN, MemIf } from "./mem_if.ts";

/** Frames that a device hands over at once. */
const BATCH = 64;
/** Bytes of a frame without its check sequence. */
const FRAME = 60;
/** Room for one frame. */
const STRIDE = 64;

const rk = boot("router");
const { k } = rk;
rk.rumpSys.sysctlbyname("net.inet.ip.dad_count", 0);
rk.rumpSys.sysctlbyname("net.inet.ip.forwarding", 1);
const in0 = new MemIf(k, 0);
const out1 = new MemIf(k, 1);
for (const [n, name] of ["mem0", "mem1"].entries()) {
  must(rump_pub_netconfig_ifup(rk, name), `${name} up`);
  must(rump_pub_netconfig_ipv4_ifaddr_cidr(rk, name, `10.0.${n}.1`, 24), `${name} address`);
}
must(rump_pub_netconfig_ipv4_route(rk, "10.2.0.0", 16, "10.0.1.2"), "route");

const frames = k.host.memory.rumpuser_malloc(BATCH * STRIDE, 64) + ETHER_ALIGN;
const { dv } = k;
for (let n = 0; n < BATCH; n++) packet(frames + n * STRIDE, (10 << 24) | (2 << 16) | (n << 8) | 5);

function packet(f: number, dst: number): void {
  k.u8.fill(0, f, f + FRAME);
  ether(f, 1, 0x0800);
  const ip = f + 14;
  dv.setUint16(ip, 0x4500);
  dv.setUint16(ip + 2, FRAME - 14);
  dv.setUint16(ip + 8, 0x4011);
  dv.setInt32(ip + 12, (10 << 24) | 2);
  dv.setInt32(ip + 16, dst);
  dv.setUint16(ip + 10, cksum(dv, ip, 20));
}

/** Destination is interface `to` - 1, source a neighbour. */
function ether(f: number, to: number, type: number): void {
  dv.setUint16(f, 0x0200);
  dv.setInt32(f + 2, to);
  dv.setUint16(f + 6, 0x0200);
  dv.setInt32(f + 8, 0x99);
  dv.setUint16(f + 12, type);
}

/** The answer to the router's question who has 10.0.1.2. */
function arp_answer(): void {
  const f = k.host.memory.rumpuser_malloc(STRIDE, 64) + ETHER_ALIGN;
  ether(f, 2, 0x0806);
  arp_set_ether(dv, f + 14, ARPOP_REPLY);
  ar_set_sha(dv, f + 14, 0x0200, 0x99);
  ar_set_spa(dv, f + 14, (10 << 24) | (1 << 8) | 2);
  ar_set_tpa(dv, f + 14, (10 << 24) | (1 << 8) | 1);
  k.enter();
  out1.rx(f, 14 + ARP_ETHER_LEN);
  k.leave();
}

function forward(n: number): void {
  for (let done = 0; done < n; done += BATCH) {
    k.enter();
    for (let i = 0; i < BATCH; i++) in0.rx(frames + i * STRIDE, FRAME);
    k.leave();
  }
}

/** One packet, looked at: the right bytes must come out. */
function check(): void {
  forward(1);
  arp_answer();
  out1.keep = new Uint8Array(FRAME);
  const before = out1.sent;
  forward(BATCH);
  const seen = new DataView(out1.keep.buffer);
  const good =
    out1.sent - before === BATCH && seen.getInt32(2) === 0x99 && seen.getUint8(22) === 63 && cksum(seen, 14, 20) === 0;
  if (!good)
    throw new Error(
      `the stack does not forward: ${out1.sent - before} frames, ${Buffer.from(out1.keep).toString("hex")}`,
    );
  out1.keep = null;
}

check();
const before = out1.sent;
let asked = 0;
const ns = ns_per_op((n) => {
  const rounded = Math.ceil(n / BATCH) * BATCH;
  asked += rounded;
  forward(rounded);
});
if (out1.sent - before !== asked) throw new Error(`${asked} packets in, ${out1.sent - before} out`);
say(ns);
process.exit(0);
