/**
 * Socket: the kernel object behind a socket descriptor, its state bits, and the per-kernel SocketLayer that all hang from.
 * Source: NetBSD socket(9).
 */
import type { Mbuf } from "../kern/mbuf.ts";
import type { Kernel } from "../kern/kernel.ts";
import { SoftcKey } from "../kern/kernel.ts";
import type { Lwp, Ucred } from "../kern/proc.ts";
import type { Domain } from "./domain.ts";
import type { Protosw } from "./protosw.ts";
import { SB_MAX, Sockbuf } from "./sockbuf.ts";
import { SOCK_MAXADDRLEN, SOMAXCONN } from "./socket_abi.ts";

/** No descriptor refers to the socket any more: the protocol frees it when it is done. */
export const SS_NOFDREF = 0x001;
/** Connected to a peer. */
export const SS_ISCONNECTED = 0x002;
/** Connecting. */
export const SS_ISCONNECTING = 0x004;
/** Disconnecting. */
export const SS_ISDISCONNECTING = 0x008;
/** shutdown(SHUT_WR), or the connection is gone: sends give EPIPE. */
export const SS_CANTSENDMORE = 0x010;
/** The peer finished, or shutdown(SHUT_RD): receives give end of file after the buffered data. */
export const SS_CANTRCVMORE = 0x020;
/** The next byte to be received is the one after the out-of-band mark. */
export const SS_RCVATMARK = 0x040;
/** The connection was aborted before accept(2) took it. */
export const SS_ISABORTING = 0x080;
/** A blocked call must return: the descriptor was closed. */
export const SS_RESTARTSYS = 0x100;
/** Was connected, is no more. */
export const SS_ISDISCONNECTED = 0x800;
/** FIONBIO or O_NONBLOCK. */
export const SS_NBIO = 0x1000;
/** FIOASYNC. */
export const SS_ASYNC = 0x2000;
/** sosend tells the protocol that more data follows at once. */
export const SS_MORETOCOME = 0x4000;

/** An address that a call hands out: `sa[0..len)` is the sockaddr. Owned by the caller, reusable. */
export class SockaddrOut {
  /** Room for any sockaddr. */
  readonly sa: Uint8Array = new Uint8Array(SOCK_MAXADDRLEN + 1);
  /** Length of the address in `sa`; 0 = none. */
  len = 0;
}

/** What a receive says besides data. Owned by the caller, reusable. */
export class RecvOut {
  /** Where the sender's address goes; null = not wanted. */
  nam: SockaddrOut | null = null;
  /** In: MSG_* of the call. Out: MSG_EOR, MSG_TRUNC, MSG_BCAST, MSG_MCAST added. */
  flags = 0;
  /** In: control messages are wanted. */
  want_control = false;
  /** Out: control messages, one an mbuf; the caller frees them. */
  control: Mbuf | null = null;
  /** Out: descriptors could not be handed over. */
  error = 0;
}

/** One get/setsockopt request. For a set, `sopt_data[0..sopt_size)` is the value; for a get, sopt_size is the room and then the length. */
export class Sockopt {
  /** SOL_SOCKET or a protocol number. */
  sopt_level = 0;
  /** Option. */
  sopt_name = 0;
  /** The value; belongs to the caller. */
  sopt_data: Uint8Array;
  /** Valid bytes (set), room then length (get). */
  sopt_size = 0;

  constructor(data: Uint8Array, size: number) {
    this.sopt_data = data;
    this.sopt_size = size;
  }
}

/** A queue of sockets, linked through so_qnext/so_qprev: constant-time removal from the middle. */
export class SoQueue {
  /** Oldest. */
  soq_first: Socket | null = null;
  /** Newest. */
  soq_last: Socket | null = null;
}

/** A socket. Made by socreate or sonewconn; freed by sofree when neither descriptor nor protocol need it. */
export class Socket {
  /** The sockets layer of the kernel. */
  readonly so_layer: SocketLayer;
  /** SOCK_*. */
  so_type = 0;
  /** SO_* bits that are kept (SO_DEBUG .. SO_RERROR). */
  so_options = 0;
  /** SO_LINGER time in seconds. */
  so_linger = 0;
  /** SS_* bits. */
  so_state = 0;
  /** The protocol's control block. */
  so_pcb: object | null = null;
  /** The protocol. */
  so_proto: Protosw;
  /** The listening socket this connection waits on, until accepted. */
  so_head: Socket | null = null;
  /** The queue of so_head it is on. */
  so_onq: SoQueue | null = null;
  /** Next on so_onq. */
  so_qnext: Socket | null = null;
  /** Previous on so_onq. */
  so_qprev: Socket | null = null;
  /** Listening: connections that are not complete. */
  readonly so_q0: SoQueue = new SoQueue();
  /** Listening: connections to be accepted. */
  readonly so_q: SoQueue = new SoQueue();
  /** Length of so_q0. */
  so_q0len = 0;
  /** Length of so_q. */
  so_qlen = 0;
  /** Backlog of listen(2), at most kern.somaxconn. */
  so_qlimit = 0;
  /** Pending error, reported once. */
  so_error = 0;
  /** Pending receive-overflow error (SO_RERROR), reported once. */
  so_rerror = 0;
  /** Bytes before the out-of-band mark in so_rcv; 0 = none. */
  so_oobmark = 0;
  /** Receive direction. */
  readonly so_rcv: Sockbuf;
  /** Send direction. */
  readonly so_snd: Sockbuf;
  /** Called on events instead of waking a process, when SB_UPCALL is set: events is POLLIN or POLLOUT. */
  so_upcall: ((so: Socket, arg: unknown, events: number) => void) | null = null;
  /** Argument of so_upcall. */
  so_upcallarg: unknown = null;
  /** Credentials of who made it. */
  so_cred: Ucred | null = null;
  /** Process group or process of SIGIO/SIGURG (FIOSETOWN); 0 = none. */
  so_pgid = 0;
  /** sofree is done with it. */
  so_freed = false;
  /** Process that made the socket. */
  so_cpid = 0;

  constructor(layer: SocketLayer, proto: Protosw, type: number) {
    this.so_layer = layer;
    this.so_proto = proto;
    this.so_type = type;
    this.so_rcv = new Sockbuf(this);
    this.so_snd = new Sockbuf(this);
  }
}

/** Sockets created. */
export const SOS_CREATED = 0;
/** Sockets freed. */
export const SOS_FREED = 1;
/** Connections refused because the accept queue was full. */
export const SOS_QFULL = 2;
/** Records dropped because a receive buffer was full. */
export const SOS_RCVFULL = 3;
/** Calls that failed for lack of mbufs. */
export const SOS_NOBUFS = 4;
/** Files reclaimed by the collector of descriptors in flight. */
export const SOS_UNPGC = 5;
/** Names of the counters, in order. */
export const sostat_names: readonly string[] = [
  "sockets created",
  "sockets freed",
  "connections dropped due to full accept queue",
  "records dropped due to full receive buffer",
  "operations failed for lack of mbufs",
  "in-flight files reclaimed",
];

/** State of the sockets layer of one kernel. */
export class SocketLayer {
  /** The kernel. */
  readonly k: Kernel;
  /** Attached domains, in order. */
  readonly domains: Domain[] = [];
  /** kern.sbmax. */
  sb_max: number = SB_MAX;
  /** kern.somaxkva: most bytes of memory that sockets together may reserve (sum of sb_mbmax). */
  somaxkva = 0;
  /** Bytes reserved now. */
  sockva = 0;
  /** kern.somaxconn. */
  somaxconn: number = SOMAXCONN;
  /** Live sockets. */
  nsockets = 0;
  /** Counters, SOS_*. */
  readonly sostat: Float64Array = new Float64Array(sostat_names.length);
  /** Interface ioctls, set by net. */
  ifioctl: ((so: Socket, cmd: number, data: Uint8Array, l: Lwp) => number) | null = null;
  /** Set by net: routing-table ioctls ('r'). */
  rtioctl: ((cmd: number, data: Uint8Array, l: Lwp) => number) | null = null;
  /** Where SIGIO and SIGURG go; null = nobody listens. */
  ownsignal: ((pgid: number, events: number, so: Socket) => void) | null = null;

  /** Where SIGPIPE goes; null = nobody listens. */
  sigpipe: ((pid: number) => void) | null = null;
  /** Set by PF_LOCAL: closes the descriptors an externalised SCM_RIGHTS message names. */
  rights_close: ((m: Mbuf, l: Lwp) => void) | null = null;
  private readonly rcv_pool: RecvOut[] = [];

  constructor(k: Kernel) {
    this.k = k;
  }

  /** A RecvOut to use within one call; give it back with rcv_put. hot */
  rcv_get(): RecvOut {
    return this.rcv_pool.pop() ?? new RecvOut();
  }

  /** hot */
  rcv_put(out: RecvOut): void {
    out.nam = null;
    out.control = null;
    this.rcv_pool.push(out);
  }
}

/** `k.softc(SOCKET_LAYER)` is the kernel's SocketLayer. */
export const SOCKET_LAYER: SoftcKey<SocketLayer> = new SoftcKey<SocketLayer>("socket");
