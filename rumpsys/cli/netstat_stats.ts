/** netstat -s: every counter of every protocol, in words where NetBSD has words for it. netstat -m: what mbufs are in use. */
import * as I from "../../kernel-components/wire/icmp.ts";
import { evcnt_groups, evcnts } from "./evcnts.ts";
import { EXIT_OK, UsageError } from "./tool.ts";
import type { ToolContext } from "./tool.ts";

/** Words for counters: group, then name. What has none is shown by its name. */
const WORDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ip: {
    total: "total packets received",
    badsum: "bad header checksums",
    toosmall: "with size smaller than minimum",
    tooshort: "with data size < data length",
    toolong: "with length > max ip packet size",
    badhlen: "with header length < data size",
    badlen: "with data length < header length",
    badoptions: "with bad options",
    badvers: "with incorrect version number",
    fragments: "fragments received",
    fragdropped: "fragments dropped (dup or out of space)",
    rcvmemdrop: "fragments dropped (out of ipqent)",
    badfrags: "malformed fragments dropped",
    fragtimeout: "fragments dropped after timeout",
    reassembled: "packets reassembled ok",
    delivered: "packets for this host",
    noproto: "packets for unknown/unsupported protocol",
    forward: "packets forwarded",
    fastforward: "packets fast forwarded",
    cantforward: "packets not forwardable",
    redirectsent: "redirects sent",
    nogif: "packets no matching gif found",
    localout: "packets sent from this host",
    rawout: "packets sent with fabricated ip header",
    odropped: "output packets dropped due to no bufs, etc.",
    noroute: "output packets discarded due to no route",
    fragmented: "output datagrams fragmented",
    ofragments: "fragments created",
    cantfrag: "datagrams that can't be fragmented",
    badaddr: "datagrams with bad address in header",
    overlapfrags: "datagrams refused for overlapping fragments",
    ttlexpired: "datagrams whose time to live ran out here",
  },
  icmp: {
    error: "calls to icmp_error",
    oldicmp: "errors not generated because old message was icmp",
    badcode: "messages with bad code fields",
    tooshort: "messages < minimum length",
    checksum: "bad checksums",
    badlen: "messages with bad length",
    bmcastecho: "multicast echo requests ignored",
    bmcasttstamp: "multicast timestamp requests ignored",
    reflect: "message responses generated",
    pmtuchg: "path MTU changes",
    throttled: "errors not generated because of rate limitation",
  },
  udp: {
    ipackets: "datagrams received",
    hdrops: "with incomplete header",
    badlen: "with bad data length field",
    badsum: "with bad checksum",
    noport: "dropped due to no socket",
    noportbcast: "broadcast/multicast datagrams dropped due to no socket",
    fullsock: "dropped due to full socket buffers",
    pcbhashmiss: "PCB hash misses",
    opackets: "datagrams output",
  },
  igmp: {
    rcv_total: "messages received",
    rcv_tooshort: "messages received with too few bytes",
    rcv_badsum: "messages received with bad checksum",
    rcv_queries: "membership queries received",
    rcv_badqueries: "membership queries received with invalid field(s)",
    rcv_reports: "membership reports received",
    rcv_badreports: "membership reports received with invalid field(s)",
    rcv_ourreports: "membership reports received for groups to which we belong",
    snd_reports: "membership reports sent",
  },
  arp: {
    sndtotal: "packets sent",
    sndreply: "reply packets",
    sendrequest: "request packets",
    rcvtotal: "packets received",
    rcvreply: "valid reply packets",
    rcvrequest: "valid request packets",
    rcvmcast: "broadcast/multicast packets",
    rcvbadproto: "packets with unknown protocol type",
    rcvbadlen: "packets with bad (short) length",
    rcvzerotpa: "packets with null target IP address",
    rcvzerospa: "packets with null source IP address",
    rcvnoint: "could not be mapped to an interface",
    rcvlocalsha: "packets sourced from a local hardware address",
    rcvbcastsha: "packets with a broadcast source hardware address",
    rcvlocalspa: "duplicates for a local IP address",
    rcvoverperm: "attempts to overwrite a static entry",
    rcvoverint: "packets received on wrong interface",
    rcvover: "entrys overwritten",
    rcvlenchg: "changes in hardware address length",
    dfrtotal: "packets deferred pending ARP resolution",
    dfrsent: "sent",
    dfrdropped: "dropped",
    allocfail: "failures to allocate llinfo",
  },
};

/** ICMP types in words. */
const ICMP_TYPES: ReadonlyMap<number, string> = new Map([
  [I.ICMP_ECHOREPLY, "echo reply"],
  [I.ICMP_UNREACH, "destination unreachable"],
  [I.ICMP_SOURCEQUENCH, "source quench"],
  [I.ICMP_REDIRECT, "routing redirect"],
  [I.ICMP_ECHO, "echo"],
  [I.ICMP_ROUTERADVERT, "router advertisement"],
  [I.ICMP_ROUTERSOLICIT, "router solicitation"],
  [I.ICMP_TIMXCEED, "time exceeded"],
  [I.ICMP_PARAMPROB, "parameter problem"],
  [I.ICMP_TSTAMP, "time stamp"],
  [I.ICMP_TSTAMPREPLY, "time stamp reply"],
  [I.ICMP_IREQ, "information request"],
  [I.ICMP_IREQREPLY, "information request reply"],
  [I.ICMP_MASKREQ, "address mask request"],
  [I.ICMP_MASKREPLY, "address mask reply"],
]);

/** A counter in words. */
function words_of(group: string, name: string): string {
  const hist = group === "icmp" ? /^(in|out)hist_(\d+)$/.exec(name) : null;
  if (hist === null) return WORDS[group]?.[name] ?? name;
  return `${ICMP_TYPES.get(Number(hist[2])) ?? `type ${hist[2]}`} ${hist[1] === "in" ? "received" : "sent"}`;
}

function line(group: string, name: string, count: number): string {
  return `\t${count} ${words_of(group, name)}`;
}

/** netstat -s [-p GROUP]: counters that are 0 and have no words are left out. */
export async function netstat_stats(cx: ToolContext, only: string | undefined): Promise<number> {
  const groups = evcnt_groups(await evcnts(cx.sys));
  if (only !== undefined && !groups.has(only))
    throw new UsageError(`${only}: unknown protocol; there are ${[...groups.keys()].join(", ")}`);
  const shown = [...groups].filter(([name]) => only === undefined || name === only);
  if (cx.json) {
    cx.out(JSON.stringify(Object.fromEntries(shown.map(([name, counters]) => [name, Object.fromEntries(counters)]))));
    return EXIT_OK;
  }
  for (const [name, counters] of shown) {
    const lines = [...counters]
      .filter(([n, count]) => count !== 0 || WORDS[name]?.[n] !== undefined)
      .map(([n, count]) => line(name, n, count));
    if (lines.length === 0 && only === undefined) continue;
    cx.out(`${name}:`);
    for (const l of lines) cx.out(l);
  }
  return EXIT_OK;
}

/** netstat -m. */
export async function netstat_mbufs(cx: ToolContext): Promise<number> {
  const names = ["msize", "mclbytes", "mjumbytes", "nmbufs", "nmbclusters", "nmbjumbo", "bytes"];
  const values = await Promise.all(
    names.map(async (n) => [n, Number(await cx.sys.sysctlbyname(`kern.mbuf.${n}`))] as const),
  );
  const limit = new Map(values);
  const counters = evcnt_groups(await evcnts(cx.sys)).get("mbuf") ?? new Map<string, number>();
  if (cx.json) {
    cx.out(JSON.stringify({ ...Object.fromEntries(values), counters: Object.fromEntries(counters) }));
    return EXIT_OK;
  }
  cx.out(`mbufs of ${limit.get("msize")} bytes, at most ${limit.get("nmbufs")}`);
  cx.out(`clusters of ${limit.get("mclbytes")} bytes, at most ${limit.get("nmbclusters")}`);
  cx.out(`jumbo clusters of ${limit.get("mjumbytes")} bytes, at most ${limit.get("nmbjumbo")}`);
  cx.out(`${Math.ceil((limit.get("bytes") ?? 0) / 1024)} Kbytes allocated to network`);
  for (const [name, count] of counters) if (count !== 0) cx.out(`\t${count} ${name}`);
  return EXIT_OK;
}
