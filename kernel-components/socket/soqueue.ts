/**
 * The accept queues of a listening socket: so_q0 for connections that are not complete, so_q for those that accept(2) may take.
 */
import type { SoQueue, Socket } from "./socketvar.ts";

/** Puts so at the end of head's q0 (q = 0) or q (q = 1). */
export function soqinsque(head: Socket, so: Socket, q: number): void {
  const queue = q === 0 ? head.so_q0 : head.so_q;
  so.so_head = head;
  so.so_onq = queue;
  so.so_qprev = queue.soq_last;
  so.so_qnext = null;
  if (queue.soq_last === null) queue.soq_first = so;
  else queue.soq_last.so_qnext = so;
  queue.soq_last = so;
  if (q === 0) head.so_q0len++;
  else head.so_qlen++;
}

/** Takes so off the queue it is on. False if it is on none. */
export function soqremque(so: Socket): boolean {
  const head = so.so_head;
  const queue: SoQueue | null = so.so_onq;
  if (head === null || queue === null) return false;
  if (so.so_qprev === null) queue.soq_first = so.so_qnext;
  else so.so_qprev.so_qnext = so.so_qnext;
  if (so.so_qnext === null) queue.soq_last = so.so_qprev;
  else so.so_qnext.so_qprev = so.so_qprev;
  if (queue === head.so_q0) head.so_q0len--;
  else head.so_qlen--;
  so.so_head = null;
  so.so_onq = null;
  so.so_qnext = null;
  so.so_qprev = null;
  return true;
}
