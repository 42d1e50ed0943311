/** The tools of the command `rump`: their names, what they do in a line, and their form. */
import { arp } from "./arp.ts";
import { dumpbus } from "./dumpbus.ts";
import type { HostToolContext } from "./dumpbus.ts";
import { ifconfig } from "./ifconfig.ts";
import { netstat } from "./netstat.ts";
import { pcapin } from "./pcapin.ts";
import { ping } from "./ping.ts";
import { route } from "./route.ts";
import { sockstat } from "./sockstat.ts";
import { sysctl } from "./sysctl.ts";
import { tcpdump } from "./tcpdump.ts";
import type { Tool } from "./tool.ts";
import { traceroute } from "./traceroute.ts";

/** A tool and how to speak of it. */
export interface ToolEntry<T> {
  readonly name: string;
  readonly about: string;
  /** Its arguments. */
  readonly usage: string;
  readonly run: T;
}

/** A tool that needs no kernel. */
export type HostTool = (cx: HostToolContext, args: readonly string[]) => Promise<number>;

/** Tools that work on a kernel. */
export const KERNEL_TOOLS: readonly ToolEntry<Tool>[] = [
  {
    name: "ifconfig",
    about: "configure interfaces",
    usage: "[-alCmsud] [-w secs] [-W secs] [IF [create|destroy|linkstr PATH|ADDR[/LEN]|up|down|mtu N|media M|...]]",
    run: ifconfig,
  },
  {
    name: "route",
    about: "change the routing table",
    usage:
      "[-nqv] add|delete|change|get|show|flush|monitor [-host|-net] [DEST] [GATEWAY] [-mtu N] [-blackhole] [-reject]",
    run: route,
  },
  {
    name: "arp",
    about: "show and change the ARP cache",
    usage: "[-n] -a | HOST | -d [-a] [HOST] | -s HOST ETHER [temp] [pub [proxy]] | -f FILE",
    run: arp,
  },
  {
    name: "ping",
    about: "send ICMP echo requests",
    usage:
      "[-fLnoQqRrv] [-c count] [-g gateway] [-I source] [-i interval] [-l preload] [-p pattern] [-s size] [-T ttl] [-t tos] [-w maxwait] HOST",
    run: ping,
  },
  {
    name: "traceroute",
    about: "show the way to a host",
    usage: "[-Inr] [-f first] [-m max] [-p port] [-q probes] [-s source] [-t tos] [-w secs] HOST [BYTES]",
    run: traceroute,
  },
  {
    name: "netstat",
    about: "show sockets, routes, interfaces, counters",
    usage: "[-anLbd] [-r | -i | -I IF | -s [-p PROTO] | -m] [-f inet]",
    run: netstat,
  },
  { name: "sockstat", about: "show whose sockets there are", usage: "[-4cln]", run: sockstat },
  { name: "sysctl", about: "get and set kernel state", usage: "[-dnqwx] -a | NAME... | NAME=VALUE...", run: sysctl },
  {
    name: "tcpdump",
    about: "capture what an interface sees",
    usage: "-i IF [-np] [-c count] [-w FILE|-]",
    run: tcpdump,
  },
];

/** Tools that work on files. */
export const HOST_TOOLS: readonly ToolEntry<HostTool>[] = [
  {
    name: "dumpbus",
    about: "show a shmif bus, or write its frames as pcap",
    usage: "[-h] [-p FILE|-] BUS",
    run: dumpbus,
  },
  { name: "pcapin", about: "put the frames of a pcap file on a shmif bus", usage: "PCAP BUS", run: pcapin },
];
