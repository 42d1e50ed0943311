/*
 * net.inet.{ip,icmp,udp,arp,igmp,raw}: the values of IPv4 under NetBSD's names.
 */
import { EINVAL } from "../../hypercall/api/errno.ts";
import { rt_timer_queue_change } from "../net/rt_timer.ts";
import type { SysctlTree } from "../kern/sysctl.ts";
import { in_gen_bump } from "./in_ifinit.ts";
import { in_pcblist } from "./in_pcb_view.ts";
import type { Inet } from "./inet.ts";
import { ip_flow_flush } from "./ip_flow.ts";
import { IPPORT_RESERVED, IPPROTO_UDP } from "../wire/in.ts";
import { portalgo_names } from "./portalgo.ts";

/** Bytes of a bit for each port, words of 32 bits in little-endian order. */
const PORT_BITMAP_LEN = 65536 / 8;

/** The fields of T that are numbers. */
type NumberField<T> = { [K in keyof T]: T[K] extends number ? K : never }[keyof T];

/** A number kept in a field of `obj`, that may be set to min..max. */
function field<T>(
  tree: SysctlTree,
  path: string,
  obj: T,
  name: NumberField<T>,
  desc: string,
  min: number,
  max: number,
): void {
  tree.addInt(path, {
    desc,
    min,
    max,
    get: () => obj[name] as number,
    set: (v) => {
      (obj[name] as number) = v;
      return 0;
    },
  });
}

/** The bytes of a block of counters: u64 each, little endian, as netstat reads them. */
function stats_bytes(block: Float64Array): Uint8Array {
  const out = new Uint8Array(8 * block.length);
  const dv = new DataView(out.buffer);
  for (let i = 0; i < block.length; i++) dv.setBigUint64(8 * i, BigInt(Math.max(0, block[i])), true);
  return out;
}

function stats(tree: SysctlTree, path: string, desc: string, block: Float64Array): void {
  tree.addStruct(path, { desc, get: () => stats_bytes(block) });
}

/** Adds every node. */
export function inet_sysctl(inet: Inet, tree: SysctlTree): void {
  ip_sysctl(inet, tree);
  ip_port_sysctl(inet, tree);
  icmp_sysctl(inet, tree);
  udp_sysctl(inet, tree);
  arp_sysctl(inet, tree);
  stats(tree, "net.inet.igmp.stats", "IGMP statistics", inet.igmpstat);
}

function ip_sysctl(inet: Inet, tree: SysctlTree): void {
  const ip = "net.inet.ip.";
  tree.addInt(`${ip}forwarding`, {
    desc: "Enable forwarding of INET datagrams",
    min: 0,
    max: 1,
    get: () => inet.ip_forwarding,
    set: (v) => {
      inet.ip_forwarding = v;
      in_gen_bump(inet);
      return 0;
    },
  });
  field(tree, `${ip}redirect`, inet, "ip_sendredirects", "Enable sending of ICMP redirect messages", 0, 1);
  field(tree, `${ip}ttl`, inet, "ip_defttl", "Default TTL for an INET datagram", 1, 255);
  field(tree, `${ip}forwsrcrt`, inet, "ip_forwsrcrt", "Enable forwarding of source-routed datagrams", 0, 1);
  field(tree, `${ip}allowsrcrt`, inet, "ip_allowsrcrt", "Accept source-routed datagrams", 0, 1);
  field(tree, `${ip}directed-broadcast`, inet, "ip_directedbcast", "Enable forwarding of broadcast datagrams", 0, 1);
  tree.addInt(`${ip}checkinterface`, {
    desc: "Enable receive side of Strong ES model",
    min: 0,
    max: 1,
    get: () => inet.ip_checkinterface,
    set: (v) => {
      inet.ip_checkinterface = v;
      in_gen_bump(inet);
      return 0;
    },
  });
  field(tree, `${ip}mtudisc`, inet, "ip_mtudisc", "Use path MTU discovery", 0, 1);
  tree.addInt(`${ip}mtudisctimeout`, {
    desc: "Lifetime of a Path MTU Discovered route",
    get: () => inet.mtudisc_q.rtq_timeout,
    set: (v) => rt_timer_queue_change(inet.net, inet.mtudisc_q, v),
  });
  field(tree, `${ip}minmtu`, inet, "ip_minmtu", "Least path MTU that is believed", 68, 65535);
  field(tree, `${ip}dad_count`, inet, "ip_dad_count", "Number of Duplicate Address Detection probes to send", 0, 15);
  tree.addInt(`${ip}maxflows`, {
    desc: "Flows that are forwarded fast; 0 switches that off",
    min: 0,
    max: 65536,
    get: () => inet.ip_maxflows,
    set: (v) => {
      inet.ip_maxflows = v;
      ip_flow_flush(inet);
      return 0;
    },
  });
  field(
    tree,
    `${ip}maxfragpackets`,
    inet.reass,
    "maxfragpackets",
    "Maximum number of datagrams in reassembly",
    0,
    65536,
  );
  field(tree, `${ip}maxfrags`, inet.reass, "maxfrags", "Maximum number of fragments of all datagrams", 0, 65536);
  field(
    tree,
    `${ip}maxfragsperpacket`,
    inet.reass,
    "maxfragsperpacket",
    "Maximum number of fragments of one datagram",
    0,
    8192,
  );
  tree.addInt(`${ip}random_id`, { desc: "Identifications are random", get: () => 1 });
  stats(tree, `${ip}stats`, "IP statistics", inet.ipstat);
}

function ip_port_sysctl(inet: Inet, tree: SysctlTree): void {
  const ip = "net.inet.ip.";
  const range = (
    name: string,
    desc: string,
    get: () => number,
    set: (v: number) => void,
    min: () => number,
    max: () => number,
  ): void => {
    tree.addInt(ip + name, {
      desc,
      get,
      set: (v) => {
        if (v < min() || v > max()) return EINVAL;
        set(v);
        return 0;
      },
    });
  };
  range(
    "anonportmin",
    "Lowest ephemeral port number to assign",
    () => inet.anonportmin,
    (v) => void (inet.anonportmin = v),
    () => IPPORT_RESERVED,
    () => inet.anonportmax - 1,
  );
  range(
    "anonportmax",
    "Highest ephemeral port number to assign",
    () => inet.anonportmax,
    (v) => void (inet.anonportmax = v),
    () => inet.anonportmin + 1,
    () => 65535,
  );
  range(
    "lowportmin",
    "Lowest privileged ephemeral port number to assign",
    () => inet.lowportmin,
    (v) => void (inet.lowportmin = v),
    () => 1,
    () => inet.lowportmax - 1,
  );
  range(
    "lowportmax",
    "Highest privileged ephemeral port number to assign",
    () => inet.lowportmax,
    (v) => void (inet.lowportmax = v),
    () => inet.lowportmin + 1,
    () => IPPORT_RESERVED - 1,
  );
  tree.addString(`${ip}anonportalgo.available`, { desc: "available algorithms", get: () => portalgo_names.join(" ") });
  tree.addStruct(`${ip}anonportalgo.reserve`, {
    desc: "bitmap of ports that are never chosen",
    get: () => {
      const map = new Uint8Array(PORT_BITMAP_LEN);
      for (const port of inet.anonport_reserved) map[port >> 3] |= 1 << (port & 7);
      return map;
    },
    set: (map) => {
      if (map.length !== PORT_BITMAP_LEN) return EINVAL;
      inet.anonport_reserved.clear();
      for (let port = 0; port < 8 * map.length; port++)
        if (((map[port >> 3] >> (port & 7)) & 1) !== 0) inet.anonport_reserved.add(port);
      return 0;
    },
  });
  tree.addString(`${ip}anonportalgo.selected`, {
    desc: "selected algorithm",
    get: () => portalgo_names[inet.portalgo.selected],
    set: (v) => {
      const at = portalgo_names.indexOf(v);
      if (at < 0) return EINVAL;
      inet.portalgo.selected = at;
      return 0;
    },
  });
}

function icmp_sysctl(inet: Inet, tree: SysctlTree): void {
  const icmp = "net.inet.icmp.";
  field(tree, `${icmp}maskrepl`, inet, "icmpmaskrepl", "Respond to ICMP_MASKREQ messages", 0, 1);
  field(
    tree,
    `${icmp}returndatabytes`,
    inet,
    "icmpreturndatabytes",
    "Number of bytes to return in an ICMP error message",
    8,
    512,
  );
  field(
    tree,
    `${icmp}errppslimit`,
    inet,
    "icmperrppslim",
    "Maximum number of outgoing ICMP error messages per second",
    -1,
    1 << 30,
  );
  field(tree, `${icmp}rediraccept`, inet, "icmp_rediraccept", "Accept ICMP_REDIRECT messages", 0, 1);
  tree.addInt(`${icmp}redirtimeout`, {
    desc: "Lifetime of ICMP_REDIRECT generated routes",
    get: () => inet.redirect_q.rtq_timeout,
    set: (v) => rt_timer_queue_change(inet.net, inet.redirect_q, v),
  });
  field(
    tree,
    `${icmp}bmcastecho`,
    inet,
    "icmp_bmcastecho",
    "Respond to ICMP_ECHO or ICMP_TIMESTAMP message to the broadcast or multicast",
    0,
    1,
  );
  stats(tree, `${icmp}stats`, "ICMP statistics", inet.icmpstat);
}

function udp_sysctl(inet: Inet, tree: SysctlTree): void {
  field(tree, "net.inet.udp.checksum", inet, "udpcksum", "Compute UDP checksums", 0, 1);
  field(tree, "net.inet.udp.sendspace", inet, "udp_sendspace", "Default UDP send buffer size", 1, 1 << 24);
  field(tree, "net.inet.udp.recvspace", inet, "udp_recvspace", "Default UDP receive buffer size", 1, 1 << 24);
  tree.addStruct("net.inet.udp.pcblist", {
    desc: "UDP protocol control block list",
    get: () => in_pcblist(inet.udbtable, IPPROTO_UDP),
  });
  stats(tree, "net.inet.udp.stats", "UDP statistics", inet.udpstat);
  field(tree, "net.inet.raw.sendspace", inet, "rip_sendspace", "Default raw send buffer size", 1, 1 << 24);
  field(tree, "net.inet.raw.recvspace", inet, "rip_recvspace", "Default raw receive buffer size", 1, 1 << 24);
  tree.addStruct("net.inet.raw.pcblist", {
    desc: "Raw IPv4 control block list",
    get: () => in_pcblist(inet.rawcbtable, 0),
  });
}

function arp_sysctl(inet: Inet, tree: SysctlTree): void {
  const arp = "net.inet.arp.";
  const day = 86_400;
  field(tree, `${arp}keep`, inet.arp, "arpt_keep", "Seconds that an ARP entry is valid", 1, day);
  field(tree, `${arp}prune`, inet.arp, "arpt_prune", "Seconds until an expired ARP entry is deleted", 1, day);
  field(tree, `${arp}down`, inet.arp, "arpt_down", "Seconds to wait after a neighbour did not answer", 0, day);
  field(
    tree,
    `${arp}refresh`,
    inet.arp,
    "arpt_refresh",
    "Seconds before its end at which an ARP entry in use is refreshed",
    0,
    day,
  );
  field(tree, `${arp}maxtries`, inet.arp, "arp_maxtries", "Requests before a neighbour is given up", 1, 100);
  field(tree, `${arp}maxhold`, inet.arp, "arp_maxhold", "Packets that wait for one neighbour", 1, 1024);
  field(tree, `${arp}maxheld`, inet.arp, "arp_maxheld", "Packets that wait for all neighbours together", 1, 1 << 16);
  field(tree, `${arp}maxentries`, inet.arp, "arp_maxentries", "Neighbours", 1, 1 << 20);
  field(
    tree,
    `${arp}log_movements`,
    inet.arp,
    "log_movements",
    "log ARP replies from MACs different than the one in the cache",
    0,
    1,
  );
  field(
    tree,
    `${arp}log_permanent_modify`,
    inet.arp,
    "log_permanent_modify",
    "log ARP replies from MACs different than the one in the permanent arp entry",
    0,
    1,
  );
  field(
    tree,
    `${arp}log_wrong_iface`,
    inet.arp,
    "log_wrong_iface",
    "log ARP packets arriving on the wrong interface",
    0,
    1,
  );
  field(
    tree,
    `${arp}log_unknown_network`,
    inet.arp,
    "log_unknown_network",
    "log ARP packets from non-local network",
    0,
    1,
  );
  stats(tree, `${arp}stats`, "ARP statistics", inet.arpstat);
}
