/*
 * Media of an interface (ifmedia(4)): the words a device supports, the one chosen, and what the link does.
 */
import { EINVAL } from "../../hypercall/api/errno.ts";
import type { Ifnet } from "./if.ts";

/** Media type: Ethernet. */
export const IFM_ETHER = 0x20;
/** Bits of the type. */
export const IFM_NMASK = 0xe0;
/** Subtype: choose by itself. */
export const IFM_AUTO = 0;
/** Subtype: by hand. */
export const IFM_MANUAL = 1;
/** Subtype: none; the link is down. */
export const IFM_NONE = 2;
/** Ethernet subtype: 10GBASE-T. */
export const IFM_10G_T = 30;
/** Bits of the subtype. */
export const IFM_TMASK = 0x1f;
/** Full duplex. */
export const IFM_FDX = 0x00100000;
/** ifm_status: the status below is valid. */
export const IFM_AVALID = 0x1;
/** ifm_status: the link is up. */
export const IFM_ACTIVE = 0x2;

/** The media of one interface. */
export class IfMedia {
  /** Words that may be chosen. */
  readonly ifm_list: number[] = [];
  /** The chosen word. */
  ifm_cur = 0;
  /** Bits that do not matter in a match. */
  ifm_mask = 0;
  /** Applies ifm_cur to the device; errno. */
  readonly ifm_change: (ifp: Ifnet) => number;
  /** What is active: fills ifm_active and ifm_status. */
  readonly ifm_stat: (ifp: Ifnet, ifm: IfMedia) => void;
  /** Active word. */
  ifm_active = 0;
  /** IFM_AVALID | IFM_ACTIVE. */
  ifm_status = 0;
  constructor(change: (ifp: Ifnet) => number, stat: (ifp: Ifnet, ifm: IfMedia) => void) {
    this.ifm_change = change;
    this.ifm_stat = stat;
  }
}

/** Adds a word. */
export function ifmedia_add(ifm: IfMedia, word: number): void {
  ifm.ifm_list.push(word);
}

/** Chooses a word without telling the device: at attach. */
export function ifmedia_set(ifm: IfMedia, word: number): void {
  ifm.ifm_cur = word;
}

/** SIOCSIFMEDIA: EINVAL if the device has no such word; the old word stays if the device refuses. */
export function ifmedia_change(ifp: Ifnet, ifm: IfMedia, word: number): number {
  const mask = ~ifm.ifm_mask;
  const found = ifm.ifm_list.find((w) => (w & mask) === (word & mask));
  if (found === undefined) return EINVAL;
  const old = ifm.ifm_cur;
  ifm.ifm_cur = found;
  const error = ifm.ifm_change(ifp);
  if (error !== 0) ifm.ifm_cur = old;
  return error;
}
