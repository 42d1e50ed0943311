/**
 * Passing descriptors, SCM_RIGHTS. In a message they are slot numbers of a table that holds the files; a collector finds sockets that
 * are only reachable through their own messages. Source: NetBSD unix(4), recv(2).
 */
import { EBADF, EINVAL, EMSGSIZE, ENFILE } from "../../hypercall/api/errno.ts";
import { closef, fd_alloc, fd_close, fd_getfile, fd_room } from "../kern/descrip.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { MT_CONTROL } from "../kern/mbuf.ts";
import { DTYPE_SOCKET } from "../kern/proc.ts";
import type { File, Lwp } from "../kern/proc.ts";
import { CMSG_HDRLEN, CMSG_ALIGN, cmsg_is_rights, cmsg_len, cmsg_valid } from "./cmsg.ts";
import { AF_LOCAL, MSG_CMSG_CLOEXEC } from "./socket_abi.ts";
import { SOS_UNPGC } from "./socketvar.ts";
import type { Socket } from "./socketvar.ts";
import { sorflush } from "./sofree.ts";
import { UNP_MAXRIGHTS } from "./unpcb.ts";
import type { UnixDomain } from "./unpcb.ts";

/** Number of descriptors in an SCM_RIGHTS message. */
function rights_count(m: Mbuf): number {
  return (cmsg_len(m.m_pool, m.m_off) - CMSG_HDRLEN) >> 2;
}

/**
 * Turns the descriptors of a program's message into slots. EINVAL if the control buffer is anything but one SCM_RIGHTS message,
 * EBADF, ENFILE. On an error nothing was changed.
 */
export function unp_internalize(unix: UnixDomain, m: Mbuf, l: Lwp): number {
  if (!cmsg_valid(m, m.m_off) || !cmsg_is_rights(m)) return EINVAL;
  const len = cmsg_len(m.m_pool, m.m_off);
  if (CMSG_ALIGN(len) < m.m_len || (len - CMSG_HDRLEN) % 4 !== 0) return EINVAL;
  const n = rights_count(m);
  const dv = m.m_pool.dv;
  const at = m.m_off + CMSG_HDRLEN;
  for (let i = 0; i < n; i++) if (fd_getfile(l.l_proc, dv.getInt32(at + 4 * i, true)) === null) return EBADF;
  // What nobody can receive any more must not keep others from sending.
  if (unix.unp_rights + n > UNP_MAXRIGHTS) unp_gc(unix);
  if (unix.unp_rights + n > UNP_MAXRIGHTS) return ENFILE;
  for (let i = 0; i < n; i++) {
    const fp = fd_getfile(l.l_proc, dv.getInt32(at + 4 * i, true)) as File;
    dv.setInt32(at + 4 * i, slot_put(unix, fp), true);
  }
  return 0;
}

function slot_put(unix: UnixDomain, fp: File): number {
  fp.f_count++;
  unix.unp_rights++;
  unix.msgcount.set(fp, (unix.msgcount.get(fp) ?? 0) + 1);
  const slot = unix.freeslots.pop() ?? unix.slots.length;
  unix.slots[slot] = fp;
  return slot;
}

/** Takes a file out of its slot; the caller has the slot's reference. */
function slot_take(unix: UnixDomain, slot: number): File {
  const fp = unix.slots[slot] as File;
  unix.slots[slot] = null;
  unix.freeslots.push(slot);
  unix.unp_rights--;
  const left = (unix.msgcount.get(fp) ?? 1) - 1;
  if (left === 0) unix.msgcount.delete(fp);
  else unix.msgcount.set(fp, left);
  return fp;
}

/** Turns slots into descriptors of l's process. EMSGSIZE if it has no room for them: they are closed. */
export function unp_externalize(unix: UnixDomain, m: Mbuf, l: Lwp, flags: number): number {
  const n = rights_count(m);
  if (!fd_room(l.l_proc, n)) {
    unp_dispose(unix, m);
    return EMSGSIZE;
  }
  const dv = m.m_pool.dv;
  const at = m.m_off + CMSG_HDRLEN;
  for (let i = 0; i < n; i++) {
    const fp = slot_take(unix, dv.getInt32(at + 4 * i, true));
    const fd = fd_alloc(l.l_proc, fp, 0, (flags & MSG_CMSG_CLOEXEC) !== 0);
    dv.setInt32(at + 4 * i, fd, true);
    closef(l, fp);
  }
  return 0;
}

/** Closes the descriptors that an externalised message names. */
export function unp_rights_close(m: Mbuf, l: Lwp): void {
  const n = rights_count(m);
  for (let i = 0; i < n; i++) fd_close(l, m.m_pool.dv.getInt32(m.m_off + CMSG_HDRLEN + 4 * i, true));
}

/** Lets go of the files that the messages of a chain of mbufs hold. The mbufs stay. */
export function unp_dispose(unix: UnixDomain, chain: Mbuf | null): void {
  for (let m = chain; m !== null; m = m.m_next) {
    if (m.m_type !== MT_CONTROL || !cmsg_is_rights(m)) continue;
    const n = rights_count(m);
    for (let i = 0; i < n; i++) {
      unix.deferred.push(slot_take(unix, m.m_pool.dv.getInt32(m.m_off + CMSG_HDRLEN + 4 * i, true)));
    }
  }
  unp_drain_deferred(unix);
}

function unp_drain_deferred(unix: UnixDomain): void {
  if (unix.draining) return;
  unix.draining = true;
  for (let fp = unix.deferred.pop(); fp !== undefined; fp = unix.deferred.pop()) closef(unix.layer.k.procs.lwp0, fp);
  unix.draining = false;
}

/** Is this the file of a PF_LOCAL socket? Its socket, or null. */
function local_socket(fp: File): Socket | null {
  if (fp.f_type !== DTYPE_SOCKET || fp.f_data === null) return null;
  const so = fp.f_data as Socket;
  return so.so_proto.pr_domain?.dom_family === AF_LOCAL ? so : null;
}

/**
 * Closes sockets that no process can reach: all references to them are in messages that wait in sockets of the same kind.
 * Run when a socket goes away while descriptors are in flight.
 */
export function unp_gc(unix: UnixDomain): void {
  if (unix.collecting || unix.unp_rights === 0) return;
  unix.collecting = true;
  const flying = new Map<Socket, File>();
  for (const fp of unix.msgcount.keys()) {
    const so = local_socket(fp);
    if (so !== null) flying.set(so, fp);
  }
  const reached = new Set<Socket>();
  const todo: Socket[] = [];
  for (const unp of unix.unpcbs) {
    const so = unp.unp_socket;
    const fp = flying.get(so);
    const root = fp === undefined ? so.so_head === null : fp.f_count > (unix.msgcount.get(fp) ?? 0);
    if (root) unp_mark(so, reached, todo);
  }
  for (let so = todo.pop(); so !== undefined; so = todo.pop()) unp_scan(unix, so, reached, todo);
  const garbage: [Socket, File][] = [];
  for (const entry of flying) if (!reached.has(entry[0])) garbage.push(entry);
  for (const [, fp] of garbage) fp.f_count++;
  for (const [so] of garbage) sorflush(so);
  for (const [, fp] of garbage) closef(unix.layer.k.procs.lwp0, fp);
  unix.layer.sostat[SOS_UNPGC] += garbage.length;
  unix.collecting = false;
}

function unp_mark(so: Socket, reached: Set<Socket>, todo: Socket[]): void {
  if (reached.has(so)) return;
  reached.add(so);
  todo.push(so);
}

/** Marks what a reachable socket holds: connections that wait to be accepted, and files in messages. */
function unp_scan(unix: UnixDomain, so: Socket, reached: Set<Socket>, todo: Socket[]): void {
  for (let q = so.so_q0.soq_first; q !== null; q = q.so_qnext) unp_mark(q, reached, todo);
  for (let q = so.so_q.soq_first; q !== null; q = q.so_qnext) unp_mark(q, reached, todo);
  for (let rec = so.so_rcv.sb_mb; rec !== null; rec = rec.m_nextpkt) {
    for (let m: Mbuf | null = rec; m !== null; m = m.m_next) {
      if (m.m_type !== MT_CONTROL || !cmsg_is_rights(m)) continue;
      const n = rights_count(m);
      for (let i = 0; i < n; i++) {
        const fp = unix.slots[m.m_pool.dv.getInt32(m.m_off + CMSG_HDRLEN + 4 * i, true)];
        const inner = fp === null ? null : local_socket(fp);
        if (inner !== null) unp_mark(inner, reached, todo);
      }
    }
  }
}
