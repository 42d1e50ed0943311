/*
 * What a transport protocol needs of an address family: the table over which UDP (and TCP) are written once. inet_af4.ts fills it for IPv4.
 *
 * Transport code never looks into an IP header nor at inp_laddr: it asks here. Addresses pass through a Flow, which the family fills and reads.
 */
import type { Mbuf } from "../kern/mbuf.ts";
import type { Lwp } from "../kern/proc.ts";
import type { Socket, SockaddrOut, Sockopt } from "../socket/socketvar.ts";
import type { Inpcb } from "./in_pcb.ts";
import type { InpcbTable } from "./in_pcb_table.ts";
import type { IpMoptions } from "./ip_var.ts";

/** Both ends of one packet to be sent, and what its control data asked for. One object a family and kernel, good for one send. */
export class InetFlow {
  /** Our port. */
  lport = 0;
  /** The peer's port. */
  fport = 0;
  /** Our IPv4 address. */
  laddr4 = 0;
  /** The peer's IPv4 address. */
  faddr4 = 0;
  /** Multicast state to send with. */
  imo: IpMoptions | null = null;
}

/** An address family as transport protocols see it. */
export interface InetAf {
  /** AF_*. */
  readonly af: number;
  /** Bytes of the header that output puts in front; there may be more with options. */
  readonly hdrlen: number;
  /** Largest payload of one packet, the transport header included. */
  readonly maxpayload: number;
  /** M_CSUM_* that asks the interface for a UDP checksum. */
  readonly csum_udp: number;
  /** M_CSUM_* that asks the interface for a TCP checksum. */
  readonly csum_tcp: number;

  /** A new control block for so, in `table`. */
  pcballoc(so: Socket, table: InpcbTable): Inpcb;
  /** Ends a control block: out of the tables, groups left, options freed. */
  pcbdetach(inp: Inpcb): void;
  /** bind(2); nam null: anything. */
  pcbbind(inp: Inpcb, nam: Uint8Array | null, l: Lwp | null): number;
  /** connect(2). */
  pcbconnect(inp: Inpcb, nam: Uint8Array, l: Lwp | null): number;
  /** Forgets the peer. */
  pcbdisconnect(inp: Inpcb): void;
  /** Our end as a sockaddr. */
  setsockaddr(inp: Inpcb, out: SockaddrOut): void;
  /** The peer as a sockaddr. */
  setpeeraddr(inp: Inpcb, out: SockaddrOut): void;
  /** Options at the family's level. */
  ctloutput(op: number, so: Socket, sopt: Sockopt): number;

  /** Bytes behind the IP header of hlen bytes, by the packet's own length. */
  payload_len(m: Mbuf, hlen: number): number;
  /** Partial sum of the pseudo-header of a received packet. */
  phdr_in(m: Mbuf, proto: number, len: number): number;
  /** May a packet from this source be answered or delivered at all (not from a group, not from nowhere)? */
  source_ok(m: Mbuf): boolean;
  /** Is the packet for a group or everybody? */
  dst_multi(m: Mbuf): boolean;
  /** The block that a received packet belongs to, connected first; null if none. */
  pcblookup(table: InpcbTable, m: Mbuf, sport: number, dport: number): Inpcb | null;
  /** Does a multicast or broadcast packet belong to this block too? */
  pcbmatch_multi(inp: Inpcb, m: Mbuf, sport: number): boolean;
  /** Does the packet's time to live satisfy IP_MINTTL? */
  minttl_ok(inp: Inpcb, m: Mbuf): boolean;
  /** The control data that the socket asked for, null if none (or no memory: then it is lost). */
  savecontrol(inp: Inpcb, m: Mbuf): Mbuf | null;
  /** Appends the data m, whose IP header is at slab offset `ip`, with its sender's address. False: no room, nothing taken. */
  sbappend(inp: Inpcb, ip: number, sport: number, m: Mbuf, control: Mbuf | null): boolean;
  /** Nobody listens: says so, if it may be said. Consumes m. */
  unreach_port(m: Mbuf): void;

  /** The flow of the next send of inp: destination from nam or the peer, source from the control data, the block, or the route; binds if need be. */
  flow_setup(inp: Inpcb, nam: Uint8Array | null, control: Mbuf | null, l: Lwp | null): number;
  /** The flow that flow_setup filled. */
  readonly flow: InetFlow;
  /** Partial sum of the pseudo-header of a packet to be sent. */
  phdr_out(proto: number, len: number): number;
  /** Writes the IP header into the first hdrlen bytes of m and sends it along the flow. Consumes m. */
  flow_output(inp: Inpcb, m: Mbuf, proto: number): number;
}
