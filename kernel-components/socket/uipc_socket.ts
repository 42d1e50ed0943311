/**
 * Life of a socket: creation, names, connection, shutdown, close. All return 0 or an errno. Source: NetBSD socket(9).
 */
import {
  EAFNOSUPPORT,
  EALREADY,
  ECONNABORTED,
  EINVAL,
  EISCONN,
  ENOTCONN,
  EOPNOTSUPP,
} from "../../hypercall/api/errno.ts";
import { KASSERT } from "../kern/kernel.ts";
import type { Lwp } from "../kern/proc.ts";
import { pffindproto, pffindtype, pfwhynot } from "./domain.ts";
import type { Protosw, PrUsrreqs } from "./protosw.ts";
import { PR_ABRTACPTDIS, PR_CONNREQUIRED, PR_LISTEN, PR_WANTRCVD } from "./protosw.ts";
import { AF_UNSPEC, SHUT_RD, SHUT_RDWR, SHUT_WR, SO_ACCEPTCONN } from "./socket_abi.ts";
import type { SockaddrOut, SocketLayer } from "./socketvar.ts";
import {
  SOS_CREATED,
  SS_ISABORTING,
  SS_ISCONNECTED,
  SS_ISCONNECTING,
  SS_ISDISCONNECTED,
  SS_ISDISCONNECTING,
  SS_NOFDREF,
  Socket,
} from "./socketvar.ts";
import { sofree, sorflush } from "./sofree.ts";
import { soqremque } from "./soqueue.ts";
import { sorwakeup, sowwakeup } from "./uipc_socket2.ts";

/** Where socreate leaves its result. */
export class SocketOut {
  /** The socket. */
  so: Socket | null = null;
}

/** The user requests of a socket's protocol. A socket always has them: socreate sees to it. hot */
export function sopr(so: Socket): PrUsrreqs {
  return so.so_proto.pr_usrreqs as PrUsrreqs;
}

/** Makes a socket of a domain, type and protocol (0 = default). EAFNOSUPPORT, EPROTONOSUPPORT, EPROTOTYPE, or what pr_attach says. */
export function socreate(layer: SocketLayer, dom: number, out: SocketOut, type: number, proto: number, l: Lwp): number {
  const pr = proto !== 0 ? pffindproto(layer, dom, proto, type) : pffindtype(layer, dom, type);
  if (pr === null || pr.pr_usrreqs === null) return pfwhynot(layer, dom, proto, type);
  const so = soalloc(layer, pr, type, l);
  const error = pr.pr_usrreqs.pr_attach(so, proto);
  if (error !== 0) {
    sofree(so);
    return error;
  }
  so.so_state &= ~SS_NOFDREF;
  out.so = so;
  return 0;
}

function soalloc(layer: SocketLayer, pr: Protosw, type: number, l: Lwp): Socket {
  const so = new Socket(layer, pr, type);
  so.so_state = SS_NOFDREF;
  so.so_cred = l.l_proc.p_cred;
  so.so_cpid = l.l_proc.p_pid;
  layer.nsockets++;
  layer.sostat[SOS_CREATED]++;
  return so;
}

/** bind(2). `nam` is a sockaddr whose first byte is its length. */
export function sobind(so: Socket, nam: Uint8Array | null, l: Lwp): number {
  return sopr(so).pr_bind(so, nam, l);
}

/** listen(2). A backlog below 0 counts as 0; above kern.somaxconn as that. */
export function solisten(so: Socket, backlog: number, l: Lwp): number {
  if ((so.so_state & (SS_ISCONNECTED | SS_ISCONNECTING | SS_ISDISCONNECTING)) !== 0) return EINVAL;
  if ((so.so_proto.pr_flags & PR_LISTEN) === 0) return EOPNOTSUPP;
  const error = sopr(so).pr_listen(so, l);
  if (error !== 0) return error;
  if (so.so_qlen === 0) so.so_options |= SO_ACCEPTCONN;
  so.so_qlimit = Math.min(Math.max(backlog, 0), so.so_layer.somaxconn);
  return 0;
}

/**
 * The address of a connection that accept(2) took off the queue. ECONNABORTED if it is gone already; whether that is reported
 * is the protocol's choice (PR_ABRTACPTDIS).
 */
export function soaccept(so: Socket, nam: SockaddrOut): number {
  KASSERT((so.so_state & SS_NOFDREF) !== 0, "soaccept: socket is in use");
  so.so_state &= ~SS_NOFDREF;
  if ((so.so_state & SS_ISDISCONNECTED) === 0 || (so.so_proto.pr_flags & PR_ABRTACPTDIS) === 0) {
    return sopr(so).pr_accept(so, nam);
  }
  return ECONNABORTED;
}

/**
 * connect(2): starts it; soisconnected or so_error tells the end. A datagram socket that is connected is disconnected first; an
 * address of family AF_UNSPEC only does that.
 */
export function soconnect(so: Socket, nam: Uint8Array, l: Lwp): number {
  if ((so.so_options & SO_ACCEPTCONN) !== 0) return EOPNOTSUPP;
  if ((so.so_state & (SS_ISCONNECTED | SS_ISCONNECTING)) !== 0) {
    if ((so.so_proto.pr_flags & PR_CONNREQUIRED) !== 0) return EISCONN;
    if (sodisconnect(so) !== 0) return EISCONN;
  }
  const family = nam[1];
  if (family !== so.so_proto.pr_domain?.dom_family) {
    if (family === AF_UNSPEC && (so.so_proto.pr_flags & PR_CONNREQUIRED) === 0) return 0;
    return EAFNOSUPPORT;
  }
  return sopr(so).pr_connect(so, nam, l);
}

/** Connects two sockets of one protocol to each other. */
export function soconnect2(so1: Socket, so2: Socket): number {
  return sopr(so1).pr_connect2(so1, so2);
}

/** Disconnects. ENOTCONN, EALREADY. */
export function sodisconnect(so: Socket): number {
  if ((so.so_state & SS_ISCONNECTED) === 0) return ENOTCONN;
  if ((so.so_state & SS_ISDISCONNECTING) !== 0) return EALREADY;
  return sopr(so).pr_disconnect(so);
}

/** shutdown(2). EINVAL for a `how` other than SHUT_RD, SHUT_WR, SHUT_RDWR. */
export function soshutdown(so: Socket, how: number): number {
  if (how !== SHUT_RD && how !== SHUT_WR && how !== SHUT_RDWR) return EINVAL;
  if (how !== SHUT_WR) {
    sorflush(so);
    if ((so.so_proto.pr_flags & PR_WANTRCVD) !== 0 && so.so_pcb !== null)
      sopr(so).pr_rcvd(so, 0, so.so_layer.k.procs.lwp0);
    sorwakeup(so);
  }
  if (how !== SHUT_RD) return sopr(so).pr_shutdown(so);
  return 0;
}

/**
 * The last descriptor is closed. A listener's pending connections are aborted; a connection is disconnected and its protocol
 * finishes alone. Never blocks: see solinger for SO_LINGER.
 */
export function soclose(so: Socket): number {
  let error = 0;
  so.so_upcall = null;
  if ((so.so_options & SO_ACCEPTCONN) !== 0) soclose_queues(so);
  if (so.so_pcb !== null) {
    if ((so.so_state & SS_ISCONNECTED) !== 0 && (so.so_state & SS_ISDISCONNECTING) === 0) error = sodisconnect(so);
    if (so.so_pcb !== null) sopr(so).pr_detach(so);
  }
  KASSERT((so.so_state & SS_NOFDREF) === 0, "soclose: no descriptor refers to the socket");
  so.so_state |= SS_NOFDREF;
  sowwakeup(so);
  sorwakeup(so);
  sofree(so);
  return error === ENOTCONN ? 0 : error;
}

function soclose_queues(so: Socket): void {
  so.so_options &= ~SO_ACCEPTCONN;
  for (let so2 = so.so_q0.soq_first; so2 !== null; so2 = so.so_q0.soq_first) {
    soqremque(so2);
    soabort(so2);
  }
  for (let so2 = so.so_q.soq_first; so2 !== null; so2 = so.so_q.soq_first) {
    soqremque(so2);
    soabort(so2);
  }
}

/** Drops a connection that nobody has accepted. It must be off its queue. */
export function soabort(so: Socket): number {
  so.so_state |= SS_ISABORTING;
  const error = so.so_pcb === null ? 0 : sopr(so).pr_abort(so);
  sofree(so);
  return error;
}
