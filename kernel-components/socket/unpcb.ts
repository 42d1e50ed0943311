/**
 * PF_LOCAL, unix(4): control blocks, the name space of one kernel, and the table of descriptors in flight.
 * NetBSD: names live in a table of the kernel instead of the file system, so a name disappears with its socket (there is no stale
 * socket file, and nothing to unlink).
 */
import type { File } from "../kern/proc.ts";
import type { Domain } from "./domain.ts";
import type { Socket, SocketLayer } from "./socketvar.ts";

/** The receiver wants credentials with the next message (stream) or each message (datagram). */
export const UNP_WANTCRED: number = 0x0001;
/** connect(2) waits for accept(2). */
export const UNP_CONNWAIT: number = 0x0002;
/** unp_connid is known. */
export const UNP_EIDSVALID: number = 0x0004;
/** unp_connid was noted by bind(2). */
export const UNP_EIDSBIND: number = 0x0008;

/** Default of net.local.*.sendspace and recvspace for streams. */
export const UNP_STREAM_SPACE: number = 16 * 1024;
/** Default of net.local.dgram.sendspace: the largest datagram. */
export const UNP_DGRAM_SENDSPACE: number = 16 * 1024;
/** Default of net.local.dgram.recvspace. */
export const UNP_DGRAM_RECVSPACE: number = 64 * 1024;
/** Most descriptors in flight; more give ENFILE. */
export const UNP_MAXRIGHTS: number = 16_384;
/** Longest path: sun_len is one byte, and two go in front. */
export const SUN_PATHMAX = 253;

/** Who is at the other end, `struct unpcbid`. */
export class UnpCbid {
  /** Process. */
  unp_pid = 0;
  /** Effective user. */
  unp_euid = 0;
  /** Effective group. */
  unp_egid = 0;
}

/** Control block of a PF_LOCAL socket. */
export class Unpcb {
  /** The socket. */
  readonly unp_socket: Socket;
  /** The state of the domain. */
  readonly unp_unix: UnixDomain;
  /** Connected to. */
  unp_conn: Unpcb | null = null;
  /** Datagram sockets connected to this one. */
  readonly unp_refs: Set<Unpcb> = new Set<Unpcb>();
  /** Bound address, a whole sockaddr_un. */
  unp_addr: Uint8Array | null = null;
  /** Bound name in the name space. */
  unp_name: string | null = null;
  /** UNP_* bits. */
  unp_flags = 0;
  /** Credentials of the peer, or of the binder. */
  unp_connid: UnpCbid = new UnpCbid();

  constructor(so: Socket, unix: UnixDomain) {
    this.unp_socket = so;
    this.unp_unix = unix;
  }
}

/** PF_LOCAL of one kernel. */
export class UnixDomain {
  /** The sockets layer. */
  readonly layer: SocketLayer;
  /** The domain. */
  dom: Domain | null = null;
  /** Bound names. */
  readonly names: Map<string, Unpcb> = new Map<string, Unpcb>();
  /** All control blocks. */
  readonly unpcbs: Set<Unpcb> = new Set<Unpcb>();
  /** net.local.stream.sendspace. */
  st_sendspace: number = UNP_STREAM_SPACE;
  /** net.local.stream.recvspace. */
  st_recvspace: number = UNP_STREAM_SPACE;
  /** net.local.dgram.sendspace. */
  dg_sendspace: number = UNP_DGRAM_SENDSPACE;
  /** net.local.dgram.recvspace. */
  dg_recvspace: number = UNP_DGRAM_RECVSPACE;
  /** Files in flight: a message holds slot numbers, 4 bytes each like the descriptors they came from. */
  readonly slots: (File | null)[] = [];
  /** Free slots. */
  readonly freeslots: number[] = [];
  /** How many messages refer to each file in flight. */
  readonly msgcount: Map<File, number> = new Map<File, number>();
  /** Descriptors in flight (net.local.inflight). */
  unp_rights = 0;
  /** Files to be closed once the current close is done, so that a chain of sockets in sockets does not recurse. */
  readonly deferred: File[] = [];
  /** The deferred files are being closed. */
  draining = false;
  /** The collector is running. */
  collecting = false;

  constructor(layer: SocketLayer) {
    this.layer = layer;
  }
}

/** The control block of a PF_LOCAL socket. */
export function sotounpcb(so: Socket): Unpcb {
  return so.so_pcb as Unpcb;
}
