// Every frame in is accounted for: at each layer what came in is what went up, what was answered there, and what was dropped, each under one name.
import { expect } from "chai";
import { IFD_IPACKETS } from "../../kernel-components/net/if_flags.ts";
import type { FuzzKernel } from "./fuzz_kernel.ts";

/** Outcomes of a received IP packet. `fragments` less `reassembled` are those that wait, were dropped, or became part of another. */
const IP_OUTCOMES: readonly string[] = [
  "forward",
  "delivered",
  "fragments",
  "badsum",
  "tooshort",
  "toosmall",
  "badhlen",
  "badlen",
  "badvers",
  "cantforward",
  "noproto",
  "badoptions",
  "ttlexpired",
  "llbcast",
  "dirbcast",
  "notmember",
  "srcroute",
  "badsrcroute",
  "noif",
  "pfildrop_in",
];
/** Those that packets on their way out are dropped under, too. */
const IP_SHARED: readonly string[] = ["badaddr", "cantfrag"];
/** Frames that Ethernet drops after it has counted them in. */
const ETHER_DROPS: readonly string[] = [
  "vlan_unsupported",
  "not_for_us",
  "mcast_filtered",
  "own_source",
  "noproto",
  "llc",
];
const ARP_OUTCOMES: readonly string[] = ["rcvbadproto", "rcvbadlen", "rcvnoif", "rcvbadop", "rcvrequest", "rcvreply"];

/** Compares the counters. */
export function accounted(fk: FuzzKernel, more: readonly string[] = []): void {
  const sum = (group: string, names: readonly string[]): number =>
    names.reduce((n, name) => n + fk.stat(group, name), 0);
  const ip = fk.stat("ip", "total") + fk.stat("ip", "reassembled") - sum("ip", IP_OUTCOMES);
  expect(ip, "IP packets that are under no name, or under two").to.be.within(0, sum("ip", IP_SHARED));
  let ipackets = 0;
  for (const ifname of ["lo0", "ptp0", "virt0", "virt1", ...more])
    ipackets += fk.ifp(ifname).if_data[IFD_IPACKETS] as number;
  const up = fk.stat("ip", "total") + fk.stat("arp", "rcvtotal") + sum("net", ETHER_DROPS);
  // Copies of groups and broadcasts that the kernel sends itself come in again without being counted at an interface.
  expect(up - ipackets, "packets that no interface took").to.be.within(
    0,
    fk.stat("ip", "localout") + fk.stat("ip", "forward"),
  );
  expect(fk.stat("arp", "rcvtotal"), "ARP packets").to.equal(sum("arp", ARP_OUTCOMES));
  for (const [i, port] of fk.ports.entries()) {
    const { wire } = port;
    const lost = wire.drops.reduce((a, b) => a + b, 0);
    expect(wire.sent, `wire ${i}: ${wire.report()}`).to.equal(wire.received + wire.in_flight + lost);
  }
}
