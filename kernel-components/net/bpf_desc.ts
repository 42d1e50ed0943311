/*
 * An open bpf descriptor (struct bpf_d) and its buffers: store fills, hold waits for read, free is empty. Buffers rotate as in bpf(4).
 */
import { type Callout, callout_init, callout_stop } from "../kern/callout.ts";
import { POLLIN, POLLRDNORM, Selinfo, selnotify } from "../kern/select.ts";
import type { BpfIf } from "./bpf_if.ts";
import { bpf_update_tap } from "./bpf_if.ts";
import { ifpromisc } from "./if_promisc.ts";
import type { Net } from "./net.ts";
import type { BpfProgram } from "../wire/bpf_insn.ts";

/** bd_state: no read is waiting for a timeout. */
export const BPF_IDLE = 0;
/** bd_state: a read waits and its timeout runs. */
export const BPF_WAITING = 1;
/** bd_state: the timeout has passed. */
export const BPF_TIMED_OUT = 2;

/** A descriptor. */
export class Bpf {
  /** Layer. */
  readonly bd_net: Net;
  /** Attachment point; null before BIOCSETIF. */
  bd_bif: BpfIf | null = null;
  /** Bytes of each buffer; fixed by BIOCSETIF. */
  bd_bufsize: number;
  /** Store buffer. */
  bd_sbuf: Uint8Array | null = null;
  /** Bytes in it. */
  bd_slen = 0;
  /** Hold buffer: full, waiting for read. */
  bd_hbuf: Uint8Array | null = null;
  /** Bytes in it. */
  bd_hlen = 0;
  /** Free buffer. */
  bd_fbuf: Uint8Array | null = null;
  /** Read filter; null accepts everything. */
  bd_rfilter: BpfProgram | null = null;
  /** Write filter; null lets everything out. */
  bd_wfilter: BpfProgram | null = null;
  /** Holds promiscuous mode. */
  bd_promisc = false;
  /** A packet wakes the reader at once. */
  bd_immediate = false;
  /** Packets that we send are seen (BIOCSSEESENT). */
  bd_seesent = true;
  /** The link header's source address is as written. */
  bd_hdrcmplt = false;
  /** What is written comes back in. */
  bd_feedback = false;
  /** Read timeout in ns, 0 none. */
  bd_rtout_ns = 0;
  /** Packets received by the filter. */
  bd_rcount = 0;
  /** Packets dropped for want of room. */
  bd_dcount = 0;
  /** Packets accepted by the filter. */
  bd_ccount = 0;
  /** Readers and pollers. */
  readonly bd_sel: Selinfo = new Selinfo();
  /** Configuration is locked (BIOCLOCK). */
  bd_locked = false;
  /** The interface went away. */
  bd_gone = false;
  /** BPF_IDLE, BPF_WAITING, BPF_TIMED_OUT: the read timeout as poll sees it. */
  bd_state: number = BPF_IDLE;
  /** Runs the timeout for poll. */
  readonly bd_callout: Callout;
  /** Process. */
  readonly bd_pid: number;
  constructor(net: Net, pid: number, bufsize: number) {
    this.bd_net = net;
    this.bd_callout = callout_init(net.k);
    this.bd_pid = pid;
    this.bd_bufsize = bufsize;
  }
}

/** Detaches a descriptor from its interface; promiscuous mode is given back. */
export function bpf_detachd(d: Bpf): void {
  const bif = d.bd_bif;
  if (bif === null) return;
  d.bd_bif = null;
  const at = bif.bif_dlist.indexOf(d);
  if (at >= 0) bif.bif_dlist.splice(at, 1);
  bpf_update_tap(bif.bif_ifp);
  if (d.bd_promisc) {
    d.bd_promisc = false;
    ifpromisc(bif.bif_ifp, false);
  }
}

/** The interface of a descriptor goes away. */
export function bpf_if_gone(d: Bpf): void {
  bpf_detachd(d);
  d.bd_gone = true;
  selnotify(d.bd_sel, POLLIN | POLLRDNORM);
}

/** The store buffer becomes the hold buffer. Precondition: there is a free buffer. */
export function bpf_rotate(d: Bpf): void {
  d.bd_hbuf = d.bd_sbuf;
  d.bd_hlen = d.bd_slen;
  d.bd_sbuf = d.bd_fbuf;
  d.bd_slen = 0;
  d.bd_fbuf = null;
}

/** Empties the buffers and zeroes the counters (BIOCFLUSH, BIOCSETIF, BIOCSETF). */
export function bpf_reset(d: Bpf): void {
  if (d.bd_hbuf !== null) {
    d.bd_fbuf = d.bd_hbuf;
    d.bd_hbuf = null;
  }
  d.bd_slen = 0;
  d.bd_hlen = 0;
  d.bd_rcount = 0;
  d.bd_dcount = 0;
  d.bd_ccount = 0;
}

/** Somebody may read now. */
export function bpf_wakeup(d: Bpf): void {
  if (d.bd_state === BPF_WAITING) {
    callout_stop(d.bd_callout);
    d.bd_state = BPF_IDLE;
  }
  selnotify(d.bd_sel, POLLIN | POLLRDNORM);
}
