/**
 * The end of a socket: sofree gives it back when neither a descriptor nor the protocol needs it any more, sorflush empties its
 * receive side.
 */
import type { Mbuf } from "../kern/mbuf.ts";
import { seldestroy } from "../kern/select.ts";
import type { Domain } from "./domain.ts";
import { PR_RIGHTS } from "./protosw.ts";
import { m_freerecords, sbdetach, sbflush } from "./sockbuf_drop.ts";
import { sbrelease } from "./sockbuf_reserve.ts";
import { soqremque } from "./soqueue.ts";
import { SOS_FREED, SS_CANTRCVMORE, SS_NOFDREF } from "./socketvar.ts";
import type { Socket } from "./socketvar.ts";

/**
 * Frees so unless it still has a protocol control block or a descriptor. An incomplete connection leaves its queue; a complete one
 * stays until accept(2) takes it and learns that it is gone (ECONNABORTED).
 */
export function sofree(so: Socket): void {
  if (so.so_pcb !== null || (so.so_state & SS_NOFDREF) === 0) return;
  if (so.so_head !== null) {
    if (so.so_onq === so.so_head.so_q) return;
    soqremque(so);
  }
  if (so.so_freed) return;
  so.so_freed = true;
  sbflush(so.so_snd);
  sorflush(so);
  sbrelease(so.so_snd);
  sbrelease(so.so_rcv);
  seldestroy(so.so_snd.sb_sel);
  seldestroy(so.so_rcv.sb_sel);
  so.so_layer.nsockets--;
  so.so_layer.sostat[SOS_FREED]++;
}

/** Throws away what was received and not read, also descriptors in it. */
export function sorflush(so: Socket): void {
  so.so_state |= SS_CANTRCVMORE;
  const records = sbdetach(so.so_rcv);
  const dom = so.so_proto.pr_domain;
  if (dom !== null && (so.so_proto.pr_flags & PR_RIGHTS) !== 0) dispose_all(dom, records);
  m_freerecords(records);
}

function dispose_all(dom: Domain, records: Mbuf | null): void {
  if (dom.dom_dispose === null) return;
  for (let rec = records; rec !== null; rec = rec.m_nextpkt) dom.dom_dispose(rec);
}
