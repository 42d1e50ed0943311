/*
 * Packet filter hooks (pfil(9)): functions that see, change or drop packets at an address family or an interface.
 *
 * A point without hooks costs the packet path one null check: net.inet_pfil_hook and ifp.if_pfil are null until a hook is added.
 */
import { AF_INET } from "../wire/sockaddr.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import type { Ifnet } from "./if.ts";
import type { Net } from "./net.ts";

/** On input. */
export const PFIL_IN = 0x1;
/** On output. */
export const PFIL_OUT = 0x2;

/** A hook. It owns m; it gives back the packet to go on with, or null if it consumed (and counted) it. */
export type PfilFn = (m: Mbuf, ifp: Ifnet | null, dir: number) => Mbuf | null;

/** The hooks of one point. */
export class PfilHead {
  /** AF_ number, or 0 for an interface. */
  readonly ph_af: number;
  /** Called on input, first to last. */
  readonly ph_in: PfilFn[] = [];
  /** Called on output. */
  readonly ph_out: PfilFn[] = [];
  constructor(af: number) {
    this.ph_af = af;
  }
}

/** The hooks of an address family, made when first asked for. */
export function pfil_head_get(net: Net, af: number): PfilHead {
  const ph = net.pfil_af[af] ?? new PfilHead(af);
  net.pfil_af[af] = ph;
  return ph;
}

/** Adds a hook to a family: last on input, first on output, so that it nests. */
export function pfil_add_hook(net: Net, fn: PfilFn, flags: number, ph: PfilHead): void {
  if ((flags & PFIL_IN) !== 0) ph.ph_in.push(fn);
  if ((flags & PFIL_OUT) !== 0) ph.ph_out.unshift(fn);
  if (ph.ph_af === AF_INET) net.inet_pfil_hook = ph;
}

/** Removes a hook. */
export function pfil_remove_hook(net: Net, fn: PfilFn, flags: number, ph: PfilHead): void {
  if ((flags & PFIL_IN) !== 0) list_remove(ph.ph_in, fn);
  if ((flags & PFIL_OUT) !== 0) list_remove(ph.ph_out, fn);
  if (ph.ph_af === AF_INET && ph.ph_in.length + ph.ph_out.length === 0) net.inet_pfil_hook = null;
}

/** Adds a hook to an interface: it sees whole frames, with the link header. */
export function pfil_add_ifhook(ifp: Ifnet, fn: PfilFn, flags: number): void {
  const ph = ifp.if_pfil ?? new PfilHead(0);
  if ((flags & PFIL_IN) !== 0) ph.ph_in.push(fn);
  if ((flags & PFIL_OUT) !== 0) ph.ph_out.unshift(fn);
  ifp.if_pfil = ph;
}

/** Removes a hook from an interface. */
export function pfil_remove_ifhook(ifp: Ifnet, fn: PfilFn, flags: number): void {
  const ph = ifp.if_pfil;
  if (ph === null) return;
  if ((flags & PFIL_IN) !== 0) list_remove(ph.ph_in, fn);
  if ((flags & PFIL_OUT) !== 0) list_remove(ph.ph_out, fn);
  if (ph.ph_in.length + ph.ph_out.length === 0) ifp.if_pfil = null;
}

/** Runs the hooks of one direction; null: a hook consumed the packet. The caller has checked that there is a head. */
export function pfil_run_hooks(ph: PfilHead, m: Mbuf, ifp: Ifnet | null, dir: number): Mbuf | null {
  const hooks = dir === PFIL_IN ? ph.ph_in : ph.ph_out;
  let mm: Mbuf | null = m;
  for (let n = 0; n < hooks.length && mm !== null; n++) mm = hooks[n](mm, ifp, dir);
  return mm;
}

function list_remove(list: PfilFn[], fn: PfilFn): void {
  const at = list.indexOf(fn);
  if (at >= 0) list.splice(at, 1);
}
