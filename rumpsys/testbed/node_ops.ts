/**
 * What a node of a testbed can be asked, wherever it runs: requests and answers are plain data, so that they also travel between processes.
 */
import type { RttSummary } from "./rtt_summary.ts";

/** A series of ICMP echo requests. */
export interface PingRequest {
  /** Whom. */
  readonly address: string;
  /** How many; 1 by default. */
  readonly count?: number;
  /** Bytes of data; 56 by default. */
  readonly size?: number;
  /** Between two requests in ms; 0 by default: the next one follows the answer. */
  readonly interval_ms?: number;
  /** How long an answer may take, in ms; 1000 by default. */
  readonly timeout_ms?: number;
  /** Time to live of the requests; the kernel's default if absent. */
  readonly ttl?: number;
}

/** What came of it. */
export interface PingResult {
  /** Requests sent. */
  readonly sent: number;
  /** Answers in time. */
  readonly received: number;
  /** The others. */
  readonly lost: number;
  /** Time to live of the last answer, 0 if there was none. */
  readonly ttl: number;
  /** Round-trip times. */
  readonly rtt_us: RttSummary;
  /** What came instead of answers: errno names of sends, ICMP errors as "type/code from address". */
  readonly errors: readonly string[];
}

/** A series of UDP datagrams that an echo server sends back. */
export interface EchoRequest {
  /** The server. */
  readonly address: string;
  /** Its port; 7 by default. */
  readonly port?: number;
  /** Bytes of a datagram, 4 or more; 64 by default. */
  readonly size?: number;
  /** Datagrams under way at a time; 1 by default. */
  readonly window?: number;
  /** Stop after so many echoes. */
  readonly count?: number;
  /** Stop after so many ms. One of count and duration_ms must be given. */
  readonly duration_ms?: number;
  /** Echoes that are not counted, at the beginning; 0 by default. */
  readonly warmup?: number;
  /** How long an echo may take, in ms; 1000 by default. */
  readonly timeout_ms?: number;
}

/** What came of it. */
export interface EchoResult {
  /** Datagrams sent, without the warm-up. */
  readonly sent: number;
  /** Echoes received of these. */
  readonly received: number;
  /** Those that did not come in time. */
  readonly lost: number;
  /** From the first to the last in ns. */
  readonly elapsed_ns: number;
  /** Time to live that an echo arrives with; 0 if none came. */
  readonly ttl: number;
  /** Echoes a second. */
  readonly pps: number;
  /** Round-trip times. */
  readonly rtt_us: RttSummary;
}

/** One step of a path. */
export interface Hop {
  /** Time to live of the probe. */
  readonly ttl: number;
  /** Who answered, or null. */
  readonly address: string | null;
  /** How long it took, 0 without an answer. */
  readonly rtt_us: number;
}

/** A request for a path. */
export interface TraceRequest {
  /** Whose. */
  readonly address: string;
  /** Longest path; 30 by default. */
  readonly max_hops?: number;
  /** How long an answer may take, in ms; 1000 by default. */
  readonly timeout_ms?: number;
}

/** An entry of the ARP table. */
export interface Neighbour {
  /** Its address. */
  readonly address: string;
  /** Its Ethernet address, or null while it is asked for. */
  readonly lladdr: string | null;
  /** Where it is. */
  readonly ifname: string;
}

/** An interface and what it has counted. */
export interface InterfaceStats {
  /** "shmif0". */
  readonly ifname: string;
  /** Its Ethernet address, "" without one. */
  readonly lladdr: string;
  /** Packets in. */
  readonly ipackets: number;
  /** Packets out. */
  readonly opackets: number;
  /** Packets in that were bad. */
  readonly ierrors: number;
  /** Packets out that could not be sent. */
  readonly oerrors: number;
  /** Packets in that there was no room for. */
  readonly iqdrops: number;
}

/** What a kernel has counted and holds. */
export interface NodeStats {
  /** mbufs in use. */
  readonly mbufs: number;
  /** Clusters in use. */
  readonly clusters: number;
  /** Event counters that are not zero, as "group.name". */
  readonly counters: Readonly<Record<string, number>>;
}

/** The operations: name, request, answer. */
export interface NodeOps {
  /** Pings. */
  ping(request: PingRequest): Promise<PingResult>;
  /** Starts a UDP echo server on a port, in a process of its own. */
  echo_server(port: number): Promise<void>;
  /** Sends datagrams to an echo server. */
  echo(request: EchoRequest): Promise<EchoResult>;
  /** Finds the path to an address. */
  traceroute(request: TraceRequest): Promise<Hop[]>;
  /** The ARP table. */
  arp(): Promise<Neighbour[]>;
  /** The interfaces. */
  interfaces(): Promise<InterfaceStats[]>;
  /** Counters. */
  stats(): Promise<NodeStats>;
  /** Sets or gets a sysctl by name. */
  sysctl(name: string, value?: number | string): Promise<number | string>;
  /** Ends all processes of the kernel and the kernel; what was not given back, "" if nothing. */
  shutdown(): Promise<string>;
}

/** Names of the operations, for those that pass them on. */
export const NODE_OPS: readonly (keyof NodeOps)[] = [
  "ping",
  "echo_server",
  "echo",
  "traceroute",
  "arp",
  "interfaces",
  "stats",
  "sysctl",
  "shutdown",
];
