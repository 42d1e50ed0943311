/**
 * Control messages, `struct cmsghdr` as NetBSD lays it out on a 64-bit little-endian machine: cmsg_len (u32, header included),
 * cmsg_level (i32), cmsg_type (i32), 4 bytes of padding, data; messages begin at multiples of 8 (__ALIGNBYTES = 7).
 */
import { ENOBUFS } from "../../hypercall/api/errno.ts";
import { MCLBYTES, MLEN, MT_CONTROL } from "../kern/mbuf.ts";
import type { Mbuf, MbufPools } from "../kern/mbuf.ts";
import { m_get, m_getcl } from "../kern/mbuf_alloc.ts";
import { SCM_RIGHTS, SOL_SOCKET } from "./socket_abi.ts";

/** Bytes of a header, padding to the data included. */
export const CMSG_HDRLEN = 16;

/** Rounds up to the alignment of control messages. */
export function CMSG_ALIGN(n: number): number {
  return (n + 7) & ~7;
}

/** cmsg_len of a message with n bytes of data. */
export function CMSG_LEN(n: number): number {
  return CMSG_HDRLEN + n;
}

/** Bytes that a message with n bytes of data takes in a buffer. */
export function CMSG_SPACE(n: number): number {
  return CMSG_HDRLEN + CMSG_ALIGN(n);
}

/** An MT_CONTROL mbuf that can hold n bytes, or null. */
export function m_getcontrol(mb: MbufPools, n: number): Mbuf | null {
  if (n > MCLBYTES) return null;
  const m = n <= MLEN ? m_get(mb, MT_CONTROL) : m_getcl(mb, MT_CONTROL, false);
  if (m !== null) m.m_len = n;
  return m;
}

/** A control message in its own mbuf, data still to be filled at m_off + CMSG_HDRLEN; null without memory. */
export function sballoccontrol(mb: MbufPools, size: number, type: number, level: number): Mbuf | null {
  const m = m_getcontrol(mb, CMSG_SPACE(size));
  if (m === null) return null;
  mb.u8.fill(0, m.m_off, m.m_off + m.m_len);
  mb.dv.setUint32(m.m_off, CMSG_LEN(size), true);
  mb.dv.setInt32(m.m_off + 4, level, true);
  mb.dv.setInt32(m.m_off + 8, type, true);
  return m;
}

/** A control message with the given data; null without memory. */
export function sbcreatecontrol(
  mb: MbufPools,
  data: Uint8Array,
  size: number,
  type: number,
  level: number,
): Mbuf | null {
  const m = sballoccontrol(mb, size, type, level);
  if (m === null) return null;
  const at = m.m_off + CMSG_HDRLEN;
  for (let i = 0; i < size; i++) mb.u8[at + i] = data[i];
  return m;
}

/** cmsg_len of the message at slab offset `off`. */
export function cmsg_len(mb: MbufPools, off: number): number {
  return mb.dv.getUint32(off, true);
}

/** cmsg_level of the message at slab offset `off`. */
export function cmsg_level(mb: MbufPools, off: number): number {
  return mb.dv.getInt32(off + 4, true);
}

/** cmsg_type of the message at slab offset `off`. */
export function cmsg_type(mb: MbufPools, off: number): number {
  return mb.dv.getInt32(off + 8, true);
}

/**
 * The first message of a control mbuf is at m_off; this gives the slab offset of the one after `off`, 0 at the end, -1 if a header
 * is cut off or its length impossible.
 */
export function cmsg_next(m: Mbuf, off: number): number {
  const end = m.m_off + m.m_len;
  const next = off + CMSG_ALIGN(cmsg_len(m.m_pool, off));
  if (next >= end) return 0;
  return cmsg_valid(m, next) ? next : -1;
}

/** Is there a whole message at slab offset `off` of m? */
export function cmsg_valid(m: Mbuf, off: number): boolean {
  const left = m.m_off + m.m_len - off;
  if (left < CMSG_HDRLEN) return false;
  const len = cmsg_len(m.m_pool, off);
  return len >= CMSG_HDRLEN && len <= left;
}

/** Does m hold an SCM_RIGHTS message? */
export function cmsg_is_rights(m: Mbuf): boolean {
  if (m.m_type !== MT_CONTROL || m.m_len < CMSG_HDRLEN) return false;
  return cmsg_type(m.m_pool, m.m_off) === SCM_RIGHTS && cmsg_level(m.m_pool, m.m_off) === SOL_SOCKET;
}

/** Copies a program's control buffer into one mbuf (sockargs). 0, or ENOBUFS with out.m null. */
export function sockargs_control(mb: MbufPools, buf: Uint8Array, len: number, out: MbufOut): number {
  const m = m_getcontrol(mb, len);
  out.m = m;
  if (m === null) return ENOBUFS;
  for (let i = 0; i < len; i++) mb.u8[m.m_off + i] = buf[i];
  return 0;
}

/** Where a function leaves an mbuf. */
export class MbufOut {
  /** The mbuf, owned by the caller. */
  m: Mbuf | null = null;
}
