/*
 * pktqueue: packets that wait for a softint, so that a packet sent to lo0 is not received inside the call that sent it.
 */
import type { Kernel } from "../kern/kernel.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { SOFTINT_NET, softint_disestablish, softint_establish, softint_schedule } from "../kern/softint.ts";
import { IF_DEQUEUE, IF_ENQUEUE, IF_PURGE, IF_QFULL, Ifqueue } from "./ifqueue.ts";

/** Packets taken from the queue by one run of the softint: others get their turn in between. */
export const PKTQ_BATCH = 64;
/** Most packets that may wait. */
export const PKTQ_MAXLEN = 2048;

/** A queue with its softint. */
export class PktQueue {
  /** The packets; m_rcvif says whose. */
  readonly pq_q: Ifqueue = new Ifqueue();
  /** Kernel. */
  readonly pq_k: Kernel;
  /** Takes a packet (owns it). */
  readonly pq_intr: (m: Mbuf) => void;
  /** The softint. */
  readonly pq_sih: number;
  constructor(k: Kernel, intr: (m: Mbuf) => void) {
    this.pq_k = k;
    this.pq_intr = intr;
    this.pq_q.ifq_maxlen = PKTQ_MAXLEN;
    this.pq_sih = softint_establish(k, SOFTINT_NET, pktq_run, this);
  }
}

/** Queues a packet. False: the queue is full, the caller still owns m (pq_q.ifq_drops has counted). */
export function pktq_enqueue(pq: PktQueue, m: Mbuf): boolean {
  if (IF_QFULL(pq.pq_q)) {
    pq.pq_q.ifq_drops++;
    return false;
  }
  IF_ENQUEUE(pq.pq_q, m);
  softint_schedule(pq.pq_k, pq.pq_sih);
  return true;
}

function pktq_run(pq: PktQueue): void {
  for (let n = 0; n < PKTQ_BATCH; n++) {
    const m = IF_DEQUEUE(pq.pq_q);
    if (m === null) return;
    pq.pq_intr(m);
  }
  if (pq.pq_q.ifq_head !== null) softint_schedule(pq.pq_k, pq.pq_sih);
}

/** Frees the packets and the softint. */
export function pktq_destroy(pq: PktQueue): void {
  IF_PURGE(pq.pq_q);
  softint_disestablish(pq.pq_k, pq.pq_sih);
}
