// What goes on in the kernel between two bursts of frames: time, system calls, interfaces up and down, routes, addresses, sysctls.
import { SOCK_DGRAM } from "../../kernel-components/socket/socket_abi.ts";
import {
  rump_pub_netconfig_ifmtu,
  rump_pub_netconfig_ipv4_gw,
  rump_pub_netconfig_ipv4_ifaddr_cidr,
  rump_pub_netconfig_ipv4_ifdel,
  rump_pub_netconfig_ipv4_route,
  rump_pub_netconfig_ipv4_routedel,
} from "../../rumpsys/netconfig.ts";
import { rump_sys_connect, rump_sys_setsockopt } from "../../rumpsys/rump_sys.ts";
import { rump_sys_close } from "../../rumpsys/rump_sys_fd.ts";
import { mk_sockaddr_in } from "../../kernel-components/wire/sockaddr.ts";
import type { FuzzKernel } from "./fuzz_kernel.ts";
import type { Rng } from "./rng.ts";

const MS = 1e6;
const S = 1e9;
const IFS: readonly string[] = ["virt0", "virt1", "ptp0"];
const DSTS: readonly number[] = [
  0x0a000002, 0x0a000003, 0x0a010007, 0x0a020002, 0xe00000fb, 0x0a0000ff, 0xc0000201, 0xc6336401, 0x7f000001,
  0x0a000001, 0x08080808,
];
const SWITCHES: readonly string[] = [
  "ip.forwarding",
  "ip.redirect",
  "ip.allowsrcrt",
  "ip.forwsrcrt",
  "ip.directed-broadcast",
  "ip.checkinterface",
  "ip.mtudisc",
  "icmp.maskrepl",
  "icmp.rediraccept",
  "icmp.bmcastecho",
  "udp.checksum",
];

/** Does one thing at random. */
export function disturb(fk: FuzzKernel, r: Rng): void {
  const v = r.next();
  fk.world.advance((v & 7) === 0 ? 20 * MS : MS);
  fk.answers = (v & 0x300) !== 0;
  switch ((v >>> 10) & 31) {
    case 0:
      return fk.world.advance(r.below(40) * S);
    case 1:
      return flap(fk, r);
    case 2:
      return routes(fk, r);
    case 3:
      return addresses(fk, r);
    case 4:
      return switches(fk, r);
    case 5:
      return sockets(fk, r);
    case 6:
      return void rump_sys_setsockopt(
        fk.rk,
        r.pick(fk.fds),
        r.pick([0, 0, 17, 0xffff]),
        r.one_in(2) ? r.below(32) : 1 << r.below(13),
        r.bytes(r.pick([1, 4, 4, 8, 16])),
      );
    case 7:
    case 8:
    case 9:
      return fk.drain();
    default:
      for (let n = r.below(6); n > 0; n--) fk.send(r.pick(fk.fds), r.pick(DSTS) | 0, r.below(3000), payload(r));
  }
}

/** Data; what a socket with IP_HDRINCL takes as a packet, at times. */
function payload(r: Rng): Uint8Array {
  const b = r.bytes(r.one_in(16) ? r.below(9000) : r.below(60));
  if (b.length < 20 || r.one_in(2)) return b;
  const dv = new DataView(b.buffer);
  b[0] = 0x40 | (r.one_in(8) ? r.below(16) : 5);
  dv.setUint16(2, r.one_in(8) ? r.wild() : b.length);
  dv.setUint16(6, r.one_in(4) ? r.wild() : 0);
  dv.setInt32(12, r.one_in(2) ? 0 : r.pick(DSTS));
  dv.setInt32(16, r.pick(DSTS));
  return b;
}

function flap(fk: FuzzKernel, r: Rng): void {
  const ifname = r.pick(IFS);
  const down = r.one_in(3);
  if (down) fk.down(ifname);
  if (r.one_in(3)) rump_pub_netconfig_ifmtu(fk.rk, ifname, r.pick([68, 296, 576, 1280, 1500, 9000]));
  if (down && r.one_in(2)) fk.world.advance(2 * S);
  for (const name of IFS) fk.up(name);
}

function routes(fk: FuzzKernel, r: Rng): void {
  if (r.one_in(4)) {
    rump_pub_netconfig_ipv4_routedel(fk.rk, "0.0.0.0", 0);
    if (r.one_in(2)) return;
    rump_pub_netconfig_ipv4_gw(fk.rk, "10.0.0.254");
  }
  const dst = `198.51.${r.below(4)}.0`;
  if (r.one_in(2))
    rump_pub_netconfig_ipv4_route(fk.rk, dst, 24, r.pick(["10.0.0.9", "10.1.0.9", "10.2.0.2", "10.0.0.2"]));
  else rump_pub_netconfig_ipv4_routedel(fk.rk, dst, 24);
}

function addresses(fk: FuzzKernel, r: Rng): void {
  const unit = r.below(2);
  const addr = `10.${unit}.0.${200 + r.below(4)}`;
  if (r.one_in(2)) rump_pub_netconfig_ipv4_ifaddr_cidr(fk.rk, `virt${unit}`, addr, 24);
  else rump_pub_netconfig_ipv4_ifdel(fk.rk, `virt${unit}`, addr);
}

function switches(fk: FuzzKernel, r: Rng): void {
  fk.rk.rumpSys.sysctlbyname(`net.inet.${r.pick(SWITCHES)}`, r.below(2));
  if (r.one_in(2)) fk.rk.rumpSys.sysctlbyname("net.inet.ip.forwarding", 1);
}

/** A socket comes or goes; the first ones stay. */
function sockets(fk: FuzzKernel, r: Rng): void {
  const extra = fk.fds.length - 1;
  if (fk.fds.length > 24 && r.one_in(2)) {
    rump_sys_close(fk.rk, fk.fds[extra] as number);
    fk.fds.length = extra;
  } else if (fk.fds.length < 40)
    rump_sys_connect(fk.rk, fk.socket(SOCK_DGRAM, 0), mk_sockaddr_in(r.pick(DSTS) | 0, 1 + r.below(2000)));
}
