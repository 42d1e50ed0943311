/*
 * bpf attachment points: one for each interface and data link type. The packet path knows only bpf_mtap, behind a null check of ifp.if_bpf.
 */
import type { Mbuf } from "../kern/mbuf.ts";
import { bpf_deliver } from "./bpf_tap.ts";
import type { Bpf } from "./bpf_desc.ts";
import type { Ifnet } from "./if.ts";
import { bpf_if_gone } from "./bpf_desc.ts";

/** Data link type: no link header; the first 4 bytes are the address family. */
export const DLT_NULL = 0;
/** Data link type: Ethernet. */
export const DLT_EN10MB = 1;
/** Data link type: a bare IP packet. */
export const DLT_RAW = 12;

/** Direction of a tapped packet: received. */
export const BPF_D_IN = 1;
/** Direction of a tapped packet: sent. */
export const BPF_D_OUT = 2;

/** An attachment point. */
export class BpfIf {
  /** Interface. */
  readonly bif_ifp: Ifnet;
  /** Data link type. */
  readonly bif_dlt: number;
  /** Bytes of its link header. */
  readonly bif_hdrlen: number;
  /** Listening descriptors. */
  readonly bif_dlist: Bpf[] = [];
  constructor(ifp: Ifnet, dlt: number, hdrlen: number) {
    this.bif_ifp = ifp;
    this.bif_dlt = dlt;
    this.bif_hdrlen = hdrlen;
  }
}

/** Makes an interface visible to bpf: a driver (or ether_ifattach) calls it once for each data link type. */
export function bpfattach(ifp: Ifnet, dlt: number, hdrlen: number): void {
  const bif = new BpfIf(ifp, dlt, hdrlen);
  ifp.if_bpflist.push(bif);
  ifp.if_net.bpf_iflist.push(bif);
}

/** The interface goes: its descriptors are detached and their readers woken with ENXIO. */
export function bpfdetach(ifp: Ifnet): void {
  const net = ifp.if_net;
  for (const bif of ifp.if_bpflist) {
    for (const d of bif.bif_dlist.slice()) bpf_if_gone(d);
    const at = net.bpf_iflist.indexOf(bif);
    if (at >= 0) net.bpf_iflist.splice(at, 1);
  }
  ifp.if_bpflist.length = 0;
  ifp.if_bpf = null;
}

/** Sets if_bpf to the first attachment point with listeners: the packet path taps only then. */
export function bpf_update_tap(ifp: Ifnet): void {
  ifp.if_bpf = null;
  for (const bif of ifp.if_bpflist) {
    if (bif.bif_dlist.length > 0) {
      ifp.if_bpf = bif;
      return;
    }
  }
}

/**
 * Shows a packet to the listeners of an interface. The mbuf is borrowed. m begins with the link header of the interface's native type; a listener on
 * DLT_NULL of an interface without link header gets the family (host order, little-endian) prepended.
 * Precondition: ifp.if_bpf is not null (the caller's one check).
 */
export function bpf_mtap(ifp: Ifnet, m: Mbuf, direction: number): void {
  for (let n = 0; n < ifp.if_bpflist.length; n++) {
    const bif = ifp.if_bpflist[n];
    const list = bif.bif_dlist;
    for (let j = 0; j < list.length; j++) bpf_deliver(list[j], bif, m, direction);
  }
}
