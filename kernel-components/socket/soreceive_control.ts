/**
 * The less common parts of soreceive: control messages in front of a record, and out-of-band data kept by the protocol.
 */
import { ENOBUFS } from "../../hypercall/api/errno.ts";
import type { Lwp } from "../kern/proc.ts";
import { MT_CONTROL, MT_DATA } from "../kern/mbuf.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { m_free, m_freem, m_get } from "../kern/mbuf_alloc.ts";
import { m_dup } from "../kern/mbuf_copy.ts";
import type { Uio } from "../kern/uio.ts";
import { uiomove } from "../kern/uio.ts";
import { cmsg_is_rights } from "./cmsg.ts";
import { MSG_CTRUNC, MSG_PEEK } from "./socket_abi.ts";
import { sbfree } from "./sockbuf_append.ts";
import { sbsethead } from "./sockbuf_drop.ts";
import type { RecvOut, Socket } from "./socketvar.ts";
import { sopr } from "./uipc_socket.ts";

/**
 * Takes the control messages at the front m of a record, into out.control if they are wanted; returns what follows. Descriptors are
 * handed to l's process, or closed if control messages are not wanted. With MSG_PEEK messages are copied, descriptors left out.
 */
export function rcv_control(so: Socket, first: Mbuf, next: Mbuf | null, out: RecvOut, l: Lwp): Mbuf | null {
  let m: Mbuf | null = first;
  let tail = out.control;
  while (m !== null && m.m_type === MT_CONTROL) {
    const rest: Mbuf | null = m.m_next;
    const cm = (out.flags & MSG_PEEK) !== 0 ? rcv_control_peek(m, out) : rcv_control_take(so, m, next, out, l);
    if (cm !== null) {
      if (tail === null) out.control = cm;
      else tail.m_next = cm;
      tail = cm;
    }
    m = rest;
  }
  return m;
}

function rcv_control_peek(m: Mbuf, out: RecvOut): Mbuf | null {
  if (!out.want_control) return null;
  const cm = cmsg_is_rights(m) ? null : m_dup(m, 0, m.m_len);
  if (cm === null) out.flags |= MSG_CTRUNC;
  return cm;
}

function rcv_control_take(so: Socket, m: Mbuf, next: Mbuf | null, out: RecvOut, l: Lwp): Mbuf | null {
  const sb = so.so_rcv;
  const dom = so.so_proto.pr_domain;
  sbfree(sb, m);
  const rest = m.m_next;
  m.m_next = null;
  m.m_nextpkt = null;
  sbsethead(sb, rest, next);
  if (out.want_control) {
    if (cmsg_is_rights(m) && dom !== null && dom.dom_externalize !== null) {
      const error = dom.dom_externalize(m, l, out.flags);
      if (error !== 0) {
        out.error = error;
        m_freem(m);
        return null;
      }
    }
    return m;
  }
  if (cmsg_is_rights(m)) dom?.dom_dispose?.(m);
  m_freem(m);
  return null;
}

/** recv(2) with MSG_OOB: the protocol hands over what it keeps apart. EINVAL if there is none. */
export function soreceive_oob(so: Socket, uio: Uio, flags: number): number {
  const first = m_get(so.so_layer.k.mb, MT_DATA);
  if (first === null) return ENOBUFS;
  const error = sopr(so).pr_recvoob(so, first, flags & MSG_PEEK);
  let m: Mbuf | null = first;
  while (error === 0 && m !== null && uio.uio_resid > 0) {
    uiomove(so.so_layer.k.mb, m.m_off, Math.min(m.m_len, uio.uio_resid), uio);
    m = m_free(m);
  }
  m_freem(m);
  return error;
}
