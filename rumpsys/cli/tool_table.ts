/** The tools of the command `rump`: their names, what they do in a line, and their form. */
import type { HostToolContext } from "./dumpbus.ts";
import type { Tool } from "./tool.ts";

/** A tool and how to speak of it. */
export interface ToolEntry<T> {
  readonly name: string;
  readonly about: string;
  /** Its arguments. */
  readonly usage: string;
  /** Loads it: a command pays for no other tool. */
  readonly load: () => Promise<T>;
}

/** A tool that needs no kernel. */
export type HostTool = (cx: HostToolContext, args: readonly string[]) => Promise<number>;

/** Tools that work on a kernel. */
export const KERNEL_TOOLS: readonly ToolEntry<Tool>[] = [
  {
    name: "ifconfig",
    about: "configure interfaces",
    usage: "[-alCbmsud] [-w secs] [-W secs] [IF [create|destroy|linkstr PATH|ADDR[/LEN]|up|down|mtu N|media M|...]]",
    load: async () => (await import("./ifconfig.ts")).ifconfig,
  },
  {
    name: "route",
    about: "change the routing table",
    usage:
      "[-nqv] add|delete|change|get|show|flush|monitor [-host|-net] [DEST] [GATEWAY] [-mtu N] [-blackhole] [-reject]",
    load: async () => (await import("./route.ts")).route,
  },
  {
    name: "arp",
    about: "show and change the ARP cache",
    usage: "[-n] -a | HOST | -d [-a] [HOST] | -s HOST ETHER [temp] [pub [proxy]] | -f FILE",
    load: async () => (await import("./arp.ts")).arp,
  },
  {
    name: "ping",
    about: "send ICMP echo requests",
    usage:
      "[-fLnoQqRrv] [-c count] [-g gateway] [-I source] [-i interval] [-l preload] [-p pattern] [-s size] [-T ttl] [-t tos] [-w maxwait] HOST",
    load: async () => (await import("./ping.ts")).ping,
  },
  {
    name: "traceroute",
    about: "show the way to a host",
    usage: "[-Inr] [-f first] [-m max] [-p port] [-q probes] [-s source] [-t tos] [-w secs] HOST [BYTES]",
    load: async () => (await import("./traceroute.ts")).traceroute,
  },
  {
    name: "netstat",
    about: "show sockets, routes, interfaces, counters",
    usage: "[-anLbd] [-r | -i | -I IF | -s [-p PROTO] | -m] [-f inet]",
    load: async () => (await import("./netstat.ts")).netstat,
  },
  {
    name: "sockstat",
    about: "show whose sockets there are",
    usage: "[-4clnu]",
    load: async () => (await import("./sockstat.ts")).sockstat,
  },
  {
    name: "sysctl",
    about: "get and set kernel state",
    usage: "[-dnqwx] -a | NAME... | NAME=VALUE...",
    load: async () => (await import("./sysctl.ts")).sysctl,
  },
  {
    name: "tcpdump",
    about: "capture what an interface sees",
    usage: "-i IF [-np] [-c count] [-w FILE|-]",
    load: async () => (await import("./tcpdump.ts")).tcpdump,
  },
];

/** Tools that need no kernel: on files, and on this machine. */
export const HOST_TOOLS: readonly ToolEntry<HostTool>[] = [
  {
    name: "dumpbus",
    about: "show a shmif bus, or write its frames as pcap",
    usage: "[-h] [-p FILE|-] BUS",
    load: async () => (await import("./dumpbus.ts")).dumpbus,
  },
  {
    name: "pcapin",
    about: "put the frames of a pcap file on a shmif bus",
    usage: "PCAP BUS",
    load: async () => (await import("./pcapin.ts")).pcapin,
  },
  {
    name: "build-native",
    about: "build the native host's addon for this machine",
    usage: "",
    load: async () => (await import("./build_native.ts")).build_native,
  },
  {
    name: "doctor",
    about: "say what works on this machine",
    usage: "",
    load: async () => (await import("./doctor.ts")).doctor,
  },
];
