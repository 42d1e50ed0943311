// Questions about the sysctl tree itself, asked through it: CTL_QUERY lists the nodes below one, CTL_DESCRIBE their descriptions.
import { EISDIR, ENOTDIR, EOPNOTSUPP, EPERM } from "../../hypercall/api/errno.ts";
import { sysctl_copyout } from "./sysctl_bytes.ts";
import type { SysctlLen } from "./sysctl_bytes.ts";
import {
  CTL_DESCRIBE,
  CTL_QUERY,
  CTLFLAG_READWRITE,
  CTLTYPE_NODE,
  SYSCTL_NAMELEN,
  SYSCTL_VERSION,
} from "./sysctl_mib.ts";
import type { SysctlNode } from "./sysctl.ts";

/** Bytes of struct sysctlnode on a 64-bit NetBSD. */
export const SYSCTLNODE_SIZE = 96;
/** Offsets in struct sysctlnode: sysctl_num. */
export const SYSCTLNODE_NUM = 4;
/** Offsets in struct sysctlnode: sysctl_name. */
export const SYSCTLNODE_NAME = 8;
const SYSCTLNODE_VER = 40;
const SYSCTLNODE_CSIZE = 48;
const SYSCTLNODE_CLEN = 52;
const SYSCTLNODE_DATASIZE = 64;
/** Bytes of struct sysctldesc before its text: number, version, length. */
export const SYSCTLDESC_HDR = 12;

/** Answer the meta number `what` for `node`. Numbers that would change the tree are refused: components make it. */
export function sysctl_query(
  node: SysctlNode,
  what: number,
  oldp: Uint8Array | null,
  oldlenp: SysctlLen,
  newp: Uint8Array | null,
): number {
  if (what !== CTL_QUERY && what !== CTL_DESCRIBE) return EOPNOTSUPP;
  if (newp !== null && what === CTL_DESCRIBE) return EPERM;
  if (node.sysctl_type !== CTLTYPE_NODE) return ENOTDIR;
  if (node.handler !== null) return EISDIR;
  const parts = node.sysctl_child.map(what === CTL_QUERY ? node_bytes : desc_bytes);
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return sysctl_copyout(all, oldp, oldlenp);
}

function node_bytes(node: SysctlNode): Uint8Array {
  const out = new Uint8Array(SYSCTLNODE_SIZE);
  const dv = new DataView(out.buffer);
  const writable = node.value !== null && node.value.write !== null;
  dv.setUint32(0, SYSCTL_VERSION | (writable ? CTLFLAG_READWRITE : 0) | node.sysctl_type, true);
  dv.setInt32(SYSCTLNODE_NUM, node.sysctl_num, true);
  for (let i = 0; i < node.sysctl_name.length && i < SYSCTL_NAMELEN - 1; i++)
    out[SYSCTLNODE_NAME + i] = node.sysctl_name.charCodeAt(i);
  dv.setUint32(SYSCTLNODE_VER, 1, true);
  if (node.value === null) {
    dv.setUint32(SYSCTLNODE_CSIZE, node.sysctl_child.length, true);
    dv.setUint32(SYSCTLNODE_CLEN, node.sysctl_child.length, true);
    dv.setUint32(SYSCTLNODE_DATASIZE, SYSCTLNODE_SIZE, true);
  } else {
    dv.setUint32(SYSCTLNODE_DATASIZE, node.value.read().length, true);
  }
  return out;
}

function desc_bytes(node: SysctlNode): Uint8Array {
  const len = node.sysctl_desc.length + 1;
  const out = new Uint8Array((SYSCTLDESC_HDR + len + 3) & ~3);
  const dv = new DataView(out.buffer);
  dv.setInt32(0, node.sysctl_num, true);
  dv.setUint32(4, 1, true);
  dv.setUint32(8, len, true);
  for (let i = 0; i < len - 1; i++) out[SYSCTLDESC_HDR + i] = node.sysctl_desc.charCodeAt(i);
  return out;
}
