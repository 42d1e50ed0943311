/*
 * The send queue of an interface (struct ifqueue): packets waiting for if_start, linked by m_nextpkt.
 *
 * A full queue refuses a packet: ifq_drops and the interface's IFD_OQDROPS count it. The limit is net.interfaces.<if>.sndq.maxlen.
 */
import { m_freem } from "../kern/mbuf_alloc.ts";
import type { Mbuf } from "../kern/mbuf.ts";

/** Default limit of a send queue (NetBSD's IFQ_MAXLEN). */
export const IFQ_MAXLEN = 256;

/** A queue of packets. */
export class Ifqueue {
  /** First packet. */
  ifq_head: Mbuf | null = null;
  /** Last packet. */
  ifq_tail: Mbuf | null = null;
  /** Packets waiting. */
  ifq_len = 0;
  /** Most packets that may wait. */
  ifq_maxlen: number = IFQ_MAXLEN;
  /** Packets refused because the queue was full. */
  ifq_drops = 0;
}

/** Is the queue full? // hot */
export function IF_QFULL(q: Ifqueue): boolean {
  return q.ifq_len >= q.ifq_maxlen;
}

/** Appends a packet (queue owns it); the caller has checked IF_QFULL. // hot */
export function IF_ENQUEUE(q: Ifqueue, m: Mbuf): void {
  m.m_nextpkt = null;
  const tail = q.ifq_tail;
  if (tail === null) q.ifq_head = m;
  else tail.m_nextpkt = m;
  q.ifq_tail = m;
  q.ifq_len = (q.ifq_len + 1) | 0;
}

/** Takes the first packet (caller owns it), or null. // hot */
export function IF_DEQUEUE(q: Ifqueue): Mbuf | null {
  const m = q.ifq_head;
  if (m === null) return null;
  q.ifq_head = m.m_nextpkt;
  if (q.ifq_head === null) q.ifq_tail = null;
  m.m_nextpkt = null;
  q.ifq_len = (q.ifq_len - 1) | 0;
  return m;
}

/** Frees every packet waiting; how many there were. */
export function IF_PURGE(q: Ifqueue): number {
  let n = 0;
  for (let m = IF_DEQUEUE(q); m !== null; m = IF_DEQUEUE(q)) {
    m_freem(m);
    n++;
  }
  return n;
}
