/*
 * Cloned interfaces: `ifconfig shmif0 create` finds the cloner "shmif" and makes unit 0.
 */
import { EEXIST, EINVAL, EOPNOTSUPP } from "../../hypercall/api/errno.ts";
import type { Ifnet } from "./if.ts";
import { IFNAMSIZ } from "./if_flags.ts";
import type { Net } from "./net.ts";

/** Largest unit number of a clone. */
export const IF_MAXUNIT = 0x7fff;

/** What makes and destroys the interfaces of one kind. */
export interface IfClone {
  /** Driver name: "lo", "shmif". */
  readonly name: string;
  /** Makes a unit, attached. Returns an errno. */
  create(unit: number): number;
  /** Detaches and frees a unit. Returns an errno (EBUSY, EPERM). */
  destroy(ifp: Ifnet): number;
}

/** Adds a cloner. EEXIST if the name is taken. */
export function if_clone_attach(net: Net, ifc: IfClone): number {
  for (const c of net.if_cloners) if (c.name === ifc.name) return EEXIST;
  net.if_cloners.push(ifc);
  return 0;
}

/** Removes a cloner; its interfaces must be gone. */
export function if_clone_detach(net: Net, ifc: IfClone): void {
  const at = net.if_cloners.indexOf(ifc);
  if (at >= 0) net.if_cloners.splice(at, 1);
}

/** The unit in a name "driver7", or -1: no leading zeros, no sign, at most IF_MAXUNIT. */
export function if_name2unit(name: string): number {
  const m = /^[a-z][a-z_]*?(0|[1-9][0-9]{0,4})$/i.exec(name);
  if (m === null || name.length >= IFNAMSIZ) return -1;
  const unit = Number(m[1]);
  return unit <= IF_MAXUNIT ? unit : -1;
}

/** The cloner for a name, or null. */
export function if_clone_lookup(net: Net, name: string): IfClone | null {
  const unit = if_name2unit(name);
  if (unit < 0) return null;
  const dname = name.slice(0, name.length - String(unit).length);
  for (const c of net.if_cloners) if (c.name === dname) return c;
  return null;
}

/** Makes an interface by name. EINVAL: no such cloner or a bad unit; EEXIST. */
export function if_clone_create(net: Net, name: string): number {
  const ifc = if_clone_lookup(net, name);
  if (ifc === null) return EINVAL;
  for (const ifp of net.ifnet_list) if (ifp.if_xname === name) return EEXIST;
  return ifc.create(if_name2unit(name));
}

/** Destroys a cloned interface. EOPNOTSUPP: it is not a clone. */
export function if_clone_destroy(net: Net, ifp: Ifnet): number {
  for (const c of net.if_cloners) if (c.name === ifp.if_dname) return c.destroy(ifp);
  return EOPNOTSUPP;
}
