/**
 * PF_LOCAL: names and connections. Source: NetBSD unix(4), connect(2).
 */
import {
  EADDRINUSE,
  EAFNOSUPPORT,
  ECONNREFUSED,
  ECONNRESET,
  EINVAL,
  ENOENT,
  EPROTOTYPE,
} from "../../hypercall/api/errno.ts";
import type { Lwp } from "../kern/proc.ts";
import { PR_CONNREQUIRED } from "./protosw.ts";
import { AF_LOCAL, SO_ACCEPTCONN, SOCK_DGRAM } from "./socket_abi.ts";
import { SS_ISCONNECTED } from "./socketvar.ts";
import type { SockaddrOut, Socket } from "./socketvar.ts";
import { soisconnected, soisconnecting, soisdisconnected, sonewconn } from "./uipc_socket2.ts";
import { SUN_PATHMAX, UNP_CONNWAIT, UNP_EIDSBIND, UNP_EIDSVALID, UNP_WANTCRED, sotounpcb } from "./unpcb.ts";
import type { UnpCbid, Unpcb } from "./unpcb.ts";

/** Where sun_path begins. */
const SUN_PATH = 2;

/** The path of a sockaddr_un up to its NUL, one character a byte; null if it is empty, too long, or not of this family. */
function sun_path(nam: Uint8Array): string | null {
  const end = nam[0];
  if (nam[1] !== AF_LOCAL || end > SUN_PATH + SUN_PATHMAX) return null;
  let s = "";
  for (let i = SUN_PATH; i < end && nam[i] !== 0; i++) s += String.fromCharCode(nam[i]);
  return s === "" ? null : s;
}

/** Notes who calls. */
export function unp_setid(id: UnpCbid, l: Lwp): void {
  id.unp_pid = l.l_proc.p_pid;
  id.unp_euid = l.l_proc.p_cred.cr_uid;
  id.unp_egid = l.l_proc.p_cred.cr_gid;
}

function unp_copyid(to: Unpcb, from: UnpCbid): void {
  to.unp_connid.unp_pid = from.unp_pid;
  to.unp_connid.unp_euid = from.unp_euid;
  to.unp_connid.unp_egid = from.unp_egid;
  to.unp_flags |= UNP_EIDSVALID;
}

/** bind(2). EINVAL (bound already, bad name), EAFNOSUPPORT, EADDRINUSE. */
export function unp_bind(so: Socket, nam: Uint8Array | null, l: Lwp): number {
  const unp = sotounpcb(so);
  if (nam === null || unp.unp_addr !== null) return EINVAL;
  if (nam[1] !== AF_LOCAL) return EAFNOSUPPORT;
  const path = sun_path(nam);
  if (path === null) return EINVAL;
  if (unp.unp_unix.names.has(path)) return EADDRINUSE;
  unp.unp_addr = nam.slice(0, nam[0]);
  unp.unp_name = path;
  unp.unp_unix.names.set(path, unp);
  unp_setid(unp.unp_connid, l);
  unp.unp_flags |= UNP_EIDSBIND;
  return 0;
}

/** connect(2), and sendto(2) of a datagram. ENOENT, ECONNREFUSED, EPROTOTYPE. */
export function unp_connect(so: Socket, nam: Uint8Array, l: Lwp): number {
  const unp = sotounpcb(so);
  if (nam[1] !== AF_LOCAL) return EAFNOSUPPORT;
  const path = sun_path(nam);
  if (path === null) return EINVAL;
  const unp2 = unp.unp_unix.names.get(path);
  if (unp2 === undefined) return ENOENT;
  const so2 = unp2.unp_socket;
  if (so.so_type !== so2.so_type) return EPROTOTYPE;
  if ((so.so_proto.pr_flags & PR_CONNREQUIRED) === 0) return unp_connect2(so, so2, false);
  if ((so2.so_options & SO_ACCEPTCONN) === 0) return ECONNREFUSED;
  const so3 = sonewconn(so2, 0);
  if (so3 === null) return ECONNREFUSED;
  const unp3 = sotounpcb(so3);
  if (unp2.unp_addr !== null) unp3.unp_addr = unp2.unp_addr.slice();
  unp3.unp_flags = unp2.unp_flags & (UNP_WANTCRED | UNP_CONNWAIT);
  unp_setid(unp3.unp_connid, l);
  unp3.unp_flags |= UNP_EIDSVALID;
  if ((unp2.unp_flags & UNP_EIDSBIND) !== 0) unp_copyid(unp, unp2.unp_connid);
  return unp_connect2(so, so3, true);
}

/** Ties two sockets; `wait`: the first may have to wait for accept(2). */
export function unp_connect2(so: Socket, so2: Socket, wait: boolean): number {
  if (so2.so_type !== so.so_type) return EPROTOTYPE;
  const unp = sotounpcb(so);
  const unp2 = sotounpcb(so2);
  unp.unp_conn = unp2;
  if (so.so_type === SOCK_DGRAM) {
    unp2.unp_refs.add(unp);
    soisconnected(so);
    return 0;
  }
  unp2.unp_conn = unp;
  if (wait && ((unp.unp_flags | unp2.unp_flags) & UNP_CONNWAIT) !== 0) soisconnecting(so);
  else soisconnected(so);
  soisconnected(so2);
  return 0;
}

/** The peer accepted: a connect(2) that waits for it is done. */
export function unp_accepted(unp: Unpcb): void {
  const peer = unp.unp_conn;
  if (peer === null) return;
  const waits = ((unp.unp_flags | peer.unp_flags) & UNP_CONNWAIT) !== 0;
  if (waits && (peer.unp_socket.so_state & SS_ISCONNECTED) === 0) soisconnected(peer.unp_socket);
}

/** Unties. Both ends of a stream are then disconnected; a datagram socket keeps working. */
export function unp_disconnect1(unp: Unpcb): void {
  const unp2 = unp.unp_conn;
  if (unp2 === null) return;
  unp.unp_conn = null;
  const so = unp.unp_socket;
  if (so.so_type === SOCK_DGRAM) {
    unp2.unp_refs.delete(unp);
    so.so_state &= ~SS_ISCONNECTED;
    return;
  }
  unp2.unp_conn = null;
  unp_uncharge(so);
  unp_uncharge(unp2.unp_socket);
  soisdisconnected(so);
  soisdisconnected(unp2.unp_socket);
}

/** The send buffer of a stream mirrors what the peer has not read; without a peer it is empty. */
function unp_uncharge(so: Socket): void {
  so.so_snd.sb_cc = 0;
  so.so_snd.sb_mbcnt = 0;
}

/** The other end vanished. */
export function unp_drop(unp: Unpcb): void {
  unp.unp_socket.so_error = ECONNRESET;
  unp_disconnect1(unp);
}

/** Puts an address (or the empty one) into `out`. */
export function unp_putaddr(addr: Uint8Array | null, out: SockaddrOut): void {
  if (addr === null) {
    out.sa[0] = SUN_PATH;
    out.sa[1] = AF_LOCAL;
    out.len = SUN_PATH;
    return;
  }
  out.sa.set(addr);
  out.len = addr.length;
}
