/**
 * Sockbuf: one direction of a socket's buffering. Records are chained by m_nextpkt, the mbufs of a record by m_next.
 * A record is [MT_SONAME] [MT_CONTROL...] data...; a stream is one record that grows. `sb_cc` counts bytes, `sb_mbcnt` the
 * memory that holds them, so that a sender of tiny packets cannot pin unbounded memory behind a small `sb_cc`.
 * Source: NetBSD uipc_socket2(9), socket(9).
 */
import type { Mbuf } from "../kern/mbuf.ts";
import { Selinfo } from "../kern/select.ts";
import type { Lwp } from "../kern/proc.ts";
import type { Socket } from "./socketvar.ts";

/** Default of kern.sbmax: the largest sb_hiwat, in bytes. */
export const SB_MAX: number = 256 * 1024;

/** SIGIO wanted (FIOASYNC); delivered as so_async_events. */
export const SB_ASYNC = 0x10;
/** so_upcall wanted. */
export const SB_UPCALL = 0x20;
/** The protocol may grow the buffer. */
export const SB_AUTOSIZE = 0x800;

/** One direction of a socket. Every field is set for life; the Mbuf fields own what they point to. */
export class Sockbuf {
  /** Who waits for data or space. */
  readonly sb_sel: Selinfo = new Selinfo();
  /** Bytes in the buffer, names and control messages included. */
  sb_cc = 0;
  /** Most bytes. */
  sb_hiwat = 0;
  /** Bytes of memory behind the mbufs. */
  sb_mbcnt = 0;
  /** Most bytes of memory. */
  sb_mbmax = 0;
  /** What of kern.somaxkva this buffer holds. */
  sb_mbreserved = 0;
  /** Receive: bytes that make it readable. Send: free bytes that make it writable. */
  sb_lowat = 0;
  /** First record. */
  sb_mb: Mbuf | null = null;
  /** Last mbuf of the last record. */
  sb_mbtail: Mbuf | null = null;
  /** First mbuf of the last record. */
  sb_lastrecord: Mbuf | null = null;
  /** SB_* bits. */
  sb_flags = 0;
  /** Time limit of a blocked call in nanoseconds; 0 = none. */
  sb_timeo_ns = 0;
  /** Records dropped because there was no room. */
  sb_overflowed = 0;
  /** The lwp in the middle of a partial transfer, which others must not cut into: valid while its l_syscall is this buffer. */
  sb_lock: Lwp | null = null;
  /** The socket this is a direction of. */
  readonly sb_so: Socket;

  constructor(so: Socket) {
    this.sb_so = so;
  }
}

/** Free bytes: the smaller of what sb_hiwat and sb_mbmax leave; negative when overcommitted. */
export function sbspace(sb: Sockbuf): number {
  const bytes = sb.sb_hiwat - sb.sb_cc;
  const memory = sb.sb_mbmax - sb.sb_mbcnt;
  return bytes < memory ? bytes : memory;
}
