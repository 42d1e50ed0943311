/**
 * sysctl(3) over a connection. Names are looked up as sysctlbyname(3) does: node by node with CTL_QUERY, remembered per connection.
 */
import { ENOENT, ENOMEM } from "../../hypercall/api/errno.ts";
import { bytes_to_number, bytes_to_string } from "../../kernel-components/kern/sysctl_bytes.ts";
import {
  CTL_QUERY,
  CTLTYPE_BOOL,
  CTLTYPE_INT,
  CTLTYPE_NODE,
  CTLTYPE_QUAD,
  CTLTYPE_STRING,
} from "../../kernel-components/kern/sysctl_mib.ts";
import { SYSCTLNODE_NAME, SYSCTLNODE_NUM, SYSCTLNODE_SIZE } from "../../kernel-components/kern/sysctl_query.ts";
import { RumpError } from "../errors.ts";
import { sp_in, sp_out } from "../sp/sp_args.ts";
import { SYS_sysctl } from "../sp/sp_sysnum.ts";
import type { SysctlData } from "../sys_ops_misc.ts";
import { RemoteBase, sysctl_newp } from "./remote_base.ts";

/** Room for the first try; a longer value is asked for again. */
const FIRST_ROOM = 4096;
/** Room that is added because a table may grow between two tries. */
const GROWTH = 4096;
const TYPE_BITS = 0x0f;
const WRITABLE_BITS = 0x70;

/** A node as CTL_QUERY tells it. */
export interface SysctlInfo {
  /** Its whole name. */
  readonly name: string;
  /** Its MIB. */
  readonly mib: readonly number[];
  /** CTLTYPE_*. */
  readonly type: number;
  /** Whether it can be set. */
  readonly writable: boolean;
}

/** The nodes in the answer to a CTL_QUERY below `up`. */
export function sysctl_nodes(bytes: Uint8Array, up: SysctlInfo): SysctlInfo[] {
  const dv = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const list: SysctlInfo[] = [];
  for (let at = 0; at + SYSCTLNODE_SIZE <= bytes.length; at += SYSCTLNODE_SIZE) {
    const flags = dv.getUint32(at, true);
    const last = bytes_to_string(bytes.subarray(at + SYSCTLNODE_NAME, at + SYSCTLNODE_NAME + 32));
    list.push({
      name: up.name === "" ? last : `${up.name}.${last}`,
      mib: [...up.mib, dv.getInt32(at + SYSCTLNODE_NUM, true)],
      type: flags & TYPE_BITS,
      writable: (flags & WRITABLE_BITS) === WRITABLE_BITS,
    });
  }
  return list;
}

/** The root of the tree. */
export const SYSCTL_ROOT: SysctlInfo = { name: "", mib: [], type: CTLTYPE_NODE, writable: false };

/** sysctl. */
export class RemoteSysctl extends RemoteBase {
  private readonly known: Map<string, readonly SysctlInfo[]> = new Map<string, readonly SysctlInfo[]>();

  /** See RumpSys.sysctl. */
  async sysctl(mib: readonly number[], newp: Uint8Array | null = null): Promise<Uint8Array> {
    const name = new Uint8Array(Int32Array.from(mib).buffer);
    for (let room = FIRST_ROOM; ; ) {
      const old = sp_out(new Uint8Array(room));
      const r = await this.raw("sysctl", SYS_sysctl, [sp_in(name), old, sp_in(newp)]);
      if (r.error === 0) return old.buf.subarray(0, old.len);
      if (r.error !== ENOMEM || r.val <= room) throw new RumpError("sysctl", r.error, mib.join("."));
      room = r.val + GROWTH;
    }
  }

  /** See RumpSys.sysctlbyname. */
  async sysctlbyname(name: string, value?: SysctlData): Promise<SysctlData> {
    const node = await this.lookup(name);
    const size = node.type === CTLTYPE_INT ? 4 : node.type === CTLTYPE_QUAD ? 8 : node.type === CTLTYPE_BOOL ? 1 : 0;
    try {
      return sysctl_value(
        await this.sysctl(node.mib, value === undefined ? null : sysctl_newp(value, size, name)),
        node.type,
      );
    } catch (error) {
      throw error instanceof RumpError && error.syscall === "sysctl"
        ? new RumpError("sysctlbyname", error.errno, name)
        : error;
    }
  }

  private async lookup(name: string): Promise<SysctlInfo> {
    let node = SYSCTL_ROOT;
    for (const part of name.split(".")) {
      const below = await this.below(node);
      const whole = node.name === "" ? part : `${node.name}.${part}`;
      const next = below.find((c) => c.name === whole) ?? below.find((c) => String(c.mib.at(-1)) === part);
      if (next === undefined) throw new RumpError("sysctlbyname", ENOENT, name);
      node = next;
    }
    return node;
  }

  private async below(node: SysctlInfo): Promise<readonly SysctlInfo[]> {
    const old = this.known.get(node.name);
    if (old !== undefined) return old;
    if (node.type !== CTLTYPE_NODE) return [];
    const list = sysctl_nodes(await this.sysctl([...node.mib, CTL_QUERY]), node);
    this.known.set(node.name, list);
    return list;
  }

  /** Another kernel may be at the other end: forgets what it knows of names. */
  reconnected(): void {
    this.known.clear();
  }
}

/** A value in the type of its node. */
export function sysctl_value(bytes: Uint8Array, type: number): SysctlData {
  if (type === CTLTYPE_INT || type === CTLTYPE_QUAD || type === CTLTYPE_BOOL) return bytes_to_number(bytes);
  if (type === CTLTYPE_STRING) return bytes_to_string(bytes);
  return bytes;
}
