/**
 * Protocol switch: what a protocol gives the sockets layer (user requests) and the layers below it (input, control input).
 * One class, function-valued fields: every call site sees one shape. Source: NetBSD protosw(9).
 */
import { EOPNOTSUPP } from "../../hypercall/api/errno.ts";
import type { IfnetRef, Mbuf } from "../kern/mbuf.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import type { Lwp } from "../kern/proc.ts";
import type { Domain } from "./domain.ts";
import type { Socket, SockaddrOut, Sockopt } from "./socketvar.ts";

/** Exchanges whole records only: one send is one record. */
export const PR_ATOMIC = 0x01;
/** Each record begins with the sender's address (MT_SONAME). */
export const PR_ADDR = 0x02;
/** Needs a connection before data. */
export const PR_CONNREQUIRED = 0x04;
/** Wants pr_rcvd when the receiver has taken data. */
export const PR_WANTRCVD = 0x08;
/** Passes descriptors. */
export const PR_RIGHTS = 0x10;
/** listen(2) works. */
export const PR_LISTEN = 0x20;
/** The last record stays at the front until it is all read. */
export const PR_LASTHDR = 0x40;
/** Aborts at accept(2) are reported. */
export const PR_ABRTACPTDIS = 0x80;
/** The socket is bound to a purged interface: wants pr_purgeif. */
export const PR_PURGEIF = 0x100;
/** A record may begin with an address. */
export const PR_ADDR_OPT = 0x200;

/** ctloutput: get an option. */
export const PRCO_GETOPT = 0;
/** ctloutput: set an option. */
export const PRCO_SETOPT = 1;

/** ctlinput: interface went down. */
export const PRC_IFDOWN = 0;
/** ctlinput: some route changed. */
export const PRC_ROUTEDEAD = 1;
/** ctlinput: an address became invalid. */
export const PRC_IFNEWADDR = 2;
/** ctlinput: slow down. */
export const PRC_QUENCH2 = 3;
/** ctlinput: slow down (ICMP source quench). */
export const PRC_QUENCH = 4;
/** ctlinput: message too big, path MTU is known. */
export const PRC_MSGSIZE = 5;
/** ctlinput: host is down. */
export const PRC_HOSTDEAD = 6;
/** ctlinput: host unreachable, deprecated. */
export const PRC_HOSTUNREACH = 7;
/** ctlinput: no route to the network. */
export const PRC_UNREACH_NET = 8;
/** ctlinput: no route to the host. */
export const PRC_UNREACH_HOST = 9;
/** ctlinput: protocol unreachable. */
export const PRC_UNREACH_PROTOCOL = 10;
/** ctlinput: port unreachable. */
export const PRC_UNREACH_PORT = 11;
/** ctlinput: source route failed. */
export const PRC_UNREACH_SRCFAIL = 13;
/** ctlinput: redirect for a network. */
export const PRC_REDIRECT_NET = 14;
/** ctlinput: redirect for a host. */
export const PRC_REDIRECT_HOST = 15;
/** ctlinput: redirect for a type of service and network. */
export const PRC_REDIRECT_TOSNET = 16;
/** ctlinput: redirect for a type of service and host. */
export const PRC_REDIRECT_TOSHOST = 17;
/** ctlinput: time to live exceeded in transit. */
export const PRC_TIMXCEED_INTRANS = 18;
/** ctlinput: reassembly time exceeded. */
export const PRC_TIMXCEED_REASS = 19;
/** ctlinput: bad parameter. */
export const PRC_PARAMPROB = 20;
/** Number of PRC_* codes. */
export const PRC_NCMDS = 21;

/** stat(2) of a socket, as far as a protocol knows it. */
export class SockStat {
  /** Best transfer size. */
  st_blksize = 0;
  /** Identity within the kernel. */
  st_ino = 0;
  /** Bytes that can be read. */
  st_size = 0;
  /** Credentials. */
  st_uid = 0;
  /** Credentials. */
  st_gid = 0;
}

/**
 * User requests, pr_usrreqs(9). Each returns 0 or an errno. Requests that are not given answer EOPNOTSUPP.
 * Addresses come as whole sockaddrs whose first byte is their length; they belong to the caller and are not kept.
 */
export interface PrUsrreqsInit {
  pr_attach(so: Socket, proto: number): number;
  pr_detach(so: Socket): void;
  pr_accept?(so: Socket, nam: SockaddrOut): number;
  pr_bind?(so: Socket, nam: Uint8Array | null, l: Lwp): number;
  pr_listen?(so: Socket, l: Lwp): number;
  pr_connect?(so: Socket, nam: Uint8Array, l: Lwp): number;
  pr_connect2?(so: Socket, so2: Socket): number;
  pr_disconnect?(so: Socket): number;
  pr_shutdown?(so: Socket): number;
  pr_abort?(so: Socket): number;
  pr_ioctl?(so: Socket, cmd: number, data: Uint8Array, ifp: IfnetRef | null): number;
  pr_stat?(so: Socket, st: SockStat): number;
  pr_peeraddr?(so: Socket, nam: SockaddrOut): number;
  pr_sockaddr?(so: Socket, nam: SockaddrOut): number;
  pr_rcvd?(so: Socket, flags: number, l: Lwp): number;
  pr_recvoob?(so: Socket, m: Mbuf, flags: number): number;
  pr_send?(so: Socket, m: Mbuf, nam: Uint8Array | null, control: Mbuf | null, l: Lwp): number;
  pr_sendoob?(so: Socket, m: Mbuf, control: Mbuf | null): number;
  pr_purgeif?(so: Socket, ifp: IfnetRef): number;
}

const notsupp = (): number => EOPNOTSUPP;

function notsupp_send(_so: Socket, m: Mbuf, _nam: Uint8Array | null, control: Mbuf | null): number {
  m_freem(m);
  m_freem(control);
  return EOPNOTSUPP;
}

function notsupp_sendoob(_so: Socket, m: Mbuf, control: Mbuf | null): number {
  m_freem(m);
  m_freem(control);
  return EOPNOTSUPP;
}

/** The user requests of a protocol: {@link PrUsrreqsInit} with every field filled. */
export class PrUsrreqs {
  /** Makes the control block and reserves buffers. */
  pr_attach: (so: Socket, proto: number) => number;
  /** Drops the control block; so_pcb becomes null. */
  pr_detach: (so: Socket) => void;
  /** The address of an accepted peer. */
  pr_accept: (so: Socket, nam: SockaddrOut) => number;
  /** Binds; null = any. */
  pr_bind: (so: Socket, nam: Uint8Array | null, l: Lwp) => number;
  /** Makes it listen. */
  pr_listen: (so: Socket, l: Lwp) => number;
  /** Starts to connect: soisconnecting or soisconnected. */
  pr_connect: (so: Socket, nam: Uint8Array, l: Lwp) => number;
  /** Connects two sockets of this kernel (socketpair). */
  pr_connect2: (so: Socket, so2: Socket) => number;
  /** Starts to disconnect. */
  pr_disconnect: (so: Socket) => number;
  /** No more sends: socantsendmore and what the protocol does. */
  pr_shutdown: (so: Socket) => number;
  /** Drops the connection at once (pending connections of a closed listener). */
  pr_abort: (so: Socket) => number;
  /** ioctl that the sockets layer and net did not take. */
  pr_ioctl: (so: Socket, cmd: number, data: Uint8Array, ifp: IfnetRef | null) => number;
  /** stat(2). */
  pr_stat: (so: Socket, st: SockStat) => number;
  /** getpeername(2). */
  pr_peeraddr: (so: Socket, nam: SockaddrOut) => number;
  /** getsockname(2). */
  pr_sockaddr: (so: Socket, nam: SockaddrOut) => number;
  /** The receiver took data (PR_WANTRCVD). */
  pr_rcvd: (so: Socket, flags: number, l: Lwp) => number;
  /** Copies out-of-band data into m (empty, with trailing space). */
  pr_recvoob: (so: Socket, m: Mbuf, flags: number) => number;
  /** Sends; consumes m and control, also on error. */
  pr_send: (so: Socket, m: Mbuf, nam: Uint8Array | null, control: Mbuf | null, l: Lwp) => number;
  /** Sends out of band; consumes m and control, also on error. */
  pr_sendoob: (so: Socket, m: Mbuf, control: Mbuf | null) => number;
  /** Forget what refers to an interface that goes away. */
  pr_purgeif: (so: Socket, ifp: IfnetRef) => number;

  constructor(init: PrUsrreqsInit) {
    this.pr_attach = init.pr_attach;
    this.pr_detach = init.pr_detach;
    this.pr_accept = init.pr_accept ?? notsupp;
    this.pr_bind = init.pr_bind ?? notsupp;
    this.pr_listen = init.pr_listen ?? notsupp;
    this.pr_connect = init.pr_connect ?? notsupp;
    this.pr_connect2 = init.pr_connect2 ?? notsupp;
    this.pr_disconnect = init.pr_disconnect ?? notsupp;
    this.pr_shutdown = init.pr_shutdown ?? notsupp;
    this.pr_abort = init.pr_abort ?? notsupp;
    this.pr_ioctl = init.pr_ioctl ?? notsupp;
    this.pr_stat = init.pr_stat ?? ((): number => 0);
    this.pr_peeraddr = init.pr_peeraddr ?? notsupp;
    this.pr_sockaddr = init.pr_sockaddr ?? notsupp;
    this.pr_rcvd = init.pr_rcvd ?? notsupp;
    this.pr_recvoob = init.pr_recvoob ?? notsupp;
    this.pr_send = init.pr_send ?? notsupp_send;
    this.pr_sendoob = init.pr_sendoob ?? notsupp_sendoob;
    this.pr_purgeif = init.pr_purgeif ?? ((): number => 0);
  }
}

/** What a Protosw is made of; see the fields of {@link Protosw}. */
export interface ProtoswInit {
  pr_type: number;
  pr_protocol: number;
  pr_flags: number;
  pr_input?: (m: Mbuf, off: number, proto: number) => void;
  pr_ctlinput?: (cmd: number, sa: Uint8Array | null, arg: unknown) => void;
  pr_ctloutput?: (op: number, so: Socket, sopt: Sockopt) => number;
  pr_usrreqs?: PrUsrreqs;
  pr_init?: () => void;
  pr_fini?: () => void;
  pr_drain?: () => void;
}

/** One protocol of a domain. Belongs to one kernel: its functions are made by the domain's factory with that kernel's state. */
export class Protosw {
  /** SOCK_*; 0 = not for sockets. */
  readonly pr_type: number;
  /** The domain; set by domain_attach. */
  pr_domain: Domain | null = null;
  /** Protocol number; 0 = default of its type. */
  readonly pr_protocol: number;
  /** PR_* bits. */
  readonly pr_flags: number;
  /** Takes a packet from the layer below: m begins at the network header, `off` bytes long. Consumes m. */
  readonly pr_input: ((m: Mbuf, off: number, proto: number) => void) | null;
  /** Is told of an error (PRC_*) that concerns a destination; `arg` is the family's own. */
  readonly pr_ctlinput: ((cmd: number, sa: Uint8Array | null, arg: unknown) => void) | null;
  /** Options of levels other than SOL_SOCKET, and SOL_SOCKET options the layer does not know. */
  readonly pr_ctloutput: ((op: number, so: Socket, sopt: Sockopt) => number) | null;
  /** User requests; null = no sockets. */
  readonly pr_usrreqs: PrUsrreqs | null;
  /** Called once by domain_attach. */
  readonly pr_init: (() => void) | null;
  /** Called at shutdown. */
  readonly pr_fini: (() => void) | null;
  /** Memory is short: give back what can be spared. */
  readonly pr_drain: (() => void) | null;

  constructor(init: ProtoswInit) {
    this.pr_type = init.pr_type;
    this.pr_protocol = init.pr_protocol;
    this.pr_flags = init.pr_flags;
    this.pr_input = init.pr_input ?? null;
    this.pr_ctlinput = init.pr_ctlinput ?? null;
    this.pr_ctloutput = init.pr_ctloutput ?? null;
    this.pr_usrreqs = init.pr_usrreqs ?? null;
    this.pr_init = init.pr_init ?? null;
    this.pr_fini = init.pr_fini ?? null;
    this.pr_drain = init.pr_drain ?? null;
  }
}
