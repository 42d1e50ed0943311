/*
 * The protocol control block of an Internet socket: who it is bound and connected to and what was asked of it. One class for UDP, raw sockets and TCP, and for both
 * families: what differs is behind inp_af (inet_af.ts).
 */
import type { Socket } from "../socket/socketvar.ts";
import type { InetAf } from "./inet_af.ts";
import type { InpcbTable } from "./in_pcb_table.ts";
import type { IpMoptions, IpOptions } from "./ip_var.ts";
import { IP_PORTRANGE_DEFAULT } from "./in.ts";

/** inp_state: no local port. */
export const INP_ATTACHED = 0;
/** inp_state: a local port, no peer. */
export const INP_BOUND = 1;
/** inp_state: a peer. */
export const INP_CONNECTED = 2;

/** inp_flags: IP_RECVOPTS. */
export const INP_RECVOPTS = 0x0001;
/** inp_flags: IP_RECVRETOPTS. */
export const INP_RECVRETOPTS = 0x0002;
/** inp_flags: IP_RECVDSTADDR. */
export const INP_RECVDSTADDR = 0x0004;
/** inp_flags: IP_HDRINCL. */
export const INP_HDRINCL = 0x0008;
/** inp_flags: the local port came from the port selection. */
export const INP_ANONPORT = 0x0040;
/** inp_flags: IP_RECVIF. */
export const INP_RECVIF = 0x0080;
/** inp_flags: IP_RECVTTL. */
export const INP_RECVTTL = 0x0400;
/** inp_flags: IP_RECVPKTINFO. */
export const INP_RECVPKTINFO = 0x0800;
/** inp_flags: IP_BINDANY. */
export const INP_BINDANY = 0x1000;
/** inp_flags: bound by connect, so disconnect forgets the address. */
export const INP_ANONADDR = 0x2000;
/** inp_flags: the control data that a received packet must be given. */
export const INP_CONTROLOPTS: number =
  INP_RECVOPTS | INP_RECVRETOPTS | INP_RECVDSTADDR | INP_RECVIF | INP_RECVTTL | INP_RECVPKTINFO;

/** A protocol control block. Every field is set here and none is added: the packet path depends on one hidden class. */
export class Inpcb {
  /** The address family it was made for. */
  readonly inp_af: InetAf;
  /** Its socket. */
  readonly inp_socket: Socket;
  /** The table it is in. */
  readonly inp_table: InpcbTable;
  /** INP_ATTACHED, INP_BOUND or INP_CONNECTED. */
  inp_state: number = INP_ATTACHED;
  /** INP_* flags. */
  inp_flags = 0;
  /** Local IPv4 address, 0 for any. */
  inp_laddr = 0;
  /** Peer's IPv4 address, 0 for none. */
  inp_faddr = 0;
  /** Local port, host order. */
  inp_lport = 0;
  /** Peer's port, host order. */
  inp_fport = 0;
  /** Time to live of what it sends; -1 for the system's (net.inet.ip.ttl). */
  inp_ttl = -1;
  /** Type of service of what it sends. */
  inp_tos = 0;
  /** Least time to live of what it accepts. */
  inp_ip_minttl = 0;
  /** Protocol number of a raw socket, or 0 for all. */
  inp_proto = 0;
  /** IP_ERRORMTU: MTU that the last packet exceeded. */
  inp_errormtu = 0;
  /** IP_PORTRANGE. */
  inp_portrange: number = IP_PORTRANGE_DEFAULT;
  /** IP_PORTALGO, -1 for the protocol's default. */
  inp_portalgo = -1;
  /** Options to put in what it sends. */
  inp_options: IpOptions | null = null;
  /** Multicast state. */
  inp_moptions: IpMoptions | null = null;
  /** What the protocol above keeps (a Tcpcb). */
  inp_ppcb: object | null = null;
  /** Keyed hash of addresses and ports while in the connection table. */
  inp_hash = 0;
  /** Is it in the connection table? */
  inp_inconn = false;
  /** The next control block on the same local port. */
  inp_port_next: Inpcb | null = null;
  /** Place in the table's list of all. */
  inp_index = -1;

  constructor(af: InetAf, so: Socket, table: InpcbTable) {
    this.inp_af = af;
    this.inp_socket = so;
    this.inp_table = table;
  }
}
