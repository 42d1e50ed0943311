// Two kernels on one bus, as NetBSD's ARP tests have them.
import { expect } from "chai";
import { if_laddrreq, IFLR_ACTIVE, SIOCALIFADDR } from "../../../../kernel-components/net/if_abi.ts";
import { SOCK_DGRAM } from "../../../../kernel-components/socket/socket_abi.ts";
import { ether_aton } from "../../../../kernel-components/wire/ether_text.ts";
import { AF_LINK, mk_sockaddr_dl } from "../../../../kernel-components/wire/sockaddr.ts";
import type { NetWorld } from "../../../support/net_world.ts";

export const IP4SRC = "10.0.1.1";
export const IP4SRC2 = "10.0.1.5";
export const IP4DST = "10.0.1.2";

/** Kernels src and dst with addresses; `keep` is src's net.inet.arp.keep, 0 to leave it. */
export async function setup(w: NetWorld, keep: number = 0): Promise<void> {
  w.rump_server_start("src", "dst");
  await w.add_addr("dst", "shmif0", "bus1", `${IP4DST}/24`);
  if (keep !== 0) await w.ok("src", `sysctl -w net.inet.arp.keep=${keep} net.inet.arp.prune=1`);
  await w.add_addr("src", "shmif0", "bus1", `${IP4SRC}/24`);
  await no_entry(w, "src", IP4DST);
}

export async function no_entry(w: NetWorld, name: string, addr: string): Promise<void> {
  expect(await w.fails(name, `arp -n ${addr}`)).to.contain("no entry");
}

/** arp(8) about one address. */
export function arp_of(w: NetWorld, name: string, addr: string): Promise<string> {
  return w.ok(name, `arp -n ${addr}`);
}

/** What a request for `target` looks like; of 0.0.0.0 it is a probe, of the target itself an announcement. */
export function arpreq(target: string, sender: string): string[] {
  const what =
    sender === "0.0.0.0"
      ? `ARP, Probe who-has ${target}`
      : sender === target
        ? `ARP, Announcement ${target}`
        : `who-has ${target} tell ${sender}`;
  return ["> ff:ff:ff:ff:ff:ff", what];
}

/** ifconfig IF link MAC [active], by the ioctl under it. */
export function set_link(w: NetWorld, name: string, ifname: string, mac: string, active: boolean): void {
  const sys = w.sys(name);
  const addr = ether_aton(mac);
  if (!addr.ok) throw new Error(mac);
  const fd = sys.socket(AF_LINK, SOCK_DGRAM, 0);
  sys.ioctl(
    fd,
    SIOCALIFADDR,
    if_laddrreq(ifname, active ? IFLR_ACTIVE : 0, 48, mk_sockaddr_dl(0, 0, "", addr.addr), null),
  );
  sys.sync.close(fd);
}
