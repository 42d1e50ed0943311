// The sysctl tree: nodes with NetBSD's names and numbers, found by name or by MIB, read and written as sysctl(3) does.
import { EINVAL, EISDIR, ENOENT, ENOTDIR, EPERM } from "../../hypercall/api/errno.ts";
import type { Lwp } from "./proc.ts";
import { is_super } from "./proc.ts";
import type { SysctlNumber, SysctlString, SysctlStruct, SysctlValue } from "./sysctl_spec.ts";
import { bytes_to_number, bytes_to_string, number_to_bytes, string_to_bytes, sysctl_copyout } from "./sysctl_bytes.ts";
import type { SysctlLen } from "./sysctl_bytes.ts";
import { sysctl_query } from "./sysctl_query.ts";
import {
  CTL_CREATE_BASE,
  CTL_DEBUG,
  CTL_HW,
  CTL_KERN,
  CTL_MAXNAME,
  CTL_NET,
  CTLTYPE_BOOL,
  CTLTYPE_INT,
  CTLTYPE_NODE,
  CTLTYPE_QUAD,
  CTLTYPE_STRING,
  CTLTYPE_STRUCT,
} from "./sysctl_mib.ts";

/** A function that answers for a node and all that lies below it, such as net.route. `name` is the rest of the MIB. */
export type SysctlHandler = (
  name: readonly number[],
  oldp: Uint8Array | null,
  oldlenp: SysctlLen,
  newp: Uint8Array | null,
  l: Lwp,
) => number;

/** One node. */
export class SysctlNode {
  /** Last part of its name. */
  readonly sysctl_name: string;
  /** Last part of its MIB. */
  sysctl_num: number;
  /** CTLTYPE_*. */
  readonly sysctl_type: number;
  /** What it is, for people. */
  sysctl_desc: string;
  /** The node above, null at the root. */
  readonly sysctl_parent: SysctlNode | null;
  /** Nodes below, in order of creation. */
  readonly sysctl_child: SysctlNode[] = [];
  /** Its value; for a node none. */
  value: SysctlValue | null = null;
  /** Answers instead of a value. */
  handler: SysctlHandler | null = null;

  constructor(parent: SysctlNode | null, name: string, num: number, type: number, desc: string) {
    this.sysctl_parent = parent;
    this.sysctl_name = name;
    this.sysctl_num = num;
    this.sysctl_type = type;
    this.sysctl_desc = desc;
  }

  /** Its whole name, such as "net.inet.ip.ttl". */
  path(): string {
    const up = this.sysctl_parent;
    return up === null || up.sysctl_parent === null ? this.sysctl_name : `${up.path()}.${this.sysctl_name}`;
  }

  /** Its MIB. */
  mib(): number[] {
    return this.sysctl_parent === null ? [] : [...this.sysctl_parent.mib(), this.sysctl_num];
  }
}

/** The nodes that every tree has, so that components find them with their numbers. */
const TOP: readonly (readonly [string, number, string])[] = [
  ["kern", CTL_KERN, "High kernel"],
  ["net", CTL_NET, "Network"],
  ["hw", CTL_HW, "Generic CPU, I/O"],
  ["debug", CTL_DEBUG, "Debugging"],
];

/** The tree of one kernel. */
export class SysctlTree {
  /** The root. */
  readonly root: SysctlNode = new SysctlNode(null, "", 0, CTLTYPE_NODE, "");
  private lazy: ((tree: SysctlTree) => void)[] = [];

  constructor() {
    for (const [name, num, desc] of TOP) add_child(this.root, name, num, CTLTYPE_NODE, desc);
  }

  /** Let `fill` add nodes when the tree is first looked at. Keeps the boot short. */
  provide(fill: (tree: SysctlTree) => void): void {
    this.lazy.push(fill);
  }

  /** A node to put others below. The path above it must exist or is made with numbers of its own. */
  addNode(path: string, desc: string, num?: number): SysctlNode {
    return this.create(path, CTLTYPE_NODE, desc, num);
  }

  /** An int of 4 bytes. */
  addInt(path: string, spec: SysctlNumber): SysctlNode {
    return this.number(path, CTLTYPE_INT, spec, -(2 ** 31), 2 ** 31 - 1);
  }

  /** A quad of 8 bytes; exact to 2^53. */
  addQuad(path: string, spec: SysctlNumber): SysctlNode {
    return this.number(path, CTLTYPE_QUAD, spec, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  }

  /** A bool of 1 byte. */
  addBool(path: string, spec: SysctlNumber): SysctlNode {
    return this.number(path, CTLTYPE_BOOL, spec, 0, 1);
  }

  /** A string, NUL-terminated in binary form. */
  addString(path: string, spec: SysctlString): SysctlNode {
    const node = this.create(path, CTLTYPE_STRING, spec.desc, spec.num);
    const max = spec.max ?? 255;
    const set = spec.set?.bind(spec);
    node.value = {
      read: () => string_to_bytes(spec.get()),
      write:
        set === undefined
          ? null
          : (bytes) => {
              const nul = bytes.indexOf(0);
              const text = nul === -1 ? bytes : bytes.subarray(0, nul);
              return text.length > max ? EINVAL : set(bytes_to_string(text));
            },
    };
    return node;
  }

  /** A structure. */
  addStruct(path: string, spec: SysctlStruct): SysctlNode {
    const node = this.create(path, CTLTYPE_STRUCT, spec.desc, spec.num);
    const set = spec.set?.bind(spec);
    node.value = { read: () => spec.get(), write: set === undefined ? null : (bytes, l) => set(bytes, l) };
    return node;
  }

  /** A node whose subtree a function answers for. */
  addHandler(path: string, desc: string, handler: SysctlHandler, num?: number): SysctlNode {
    const node = this.create(path, CTLTYPE_NODE, desc, num);
    node.handler = handler;
    return node;
  }

  /** Remove a node and all below it. False: there is none. */
  remove(path: string): boolean {
    const node = this.byName(path);
    if (node === null || node.sysctl_parent === null) return false;
    const list = node.sysctl_parent.sysctl_child;
    list.splice(list.indexOf(node), 1);
    return true;
  }

  /** The node with a name such as "kern.hostname". A part may be a number. */
  byName(path: string): SysctlNode | null {
    this.fill();
    return this.walk(path.split("."));
  }

  /** The node with a MIB. */
  byMib(mib: readonly number[]): SysctlNode | null {
    this.fill();
    let node = this.root;
    for (const num of mib) {
      const next = node.sysctl_child.find((c) => c.sysctl_num === num);
      if (next === undefined) return null;
      node = next;
    }
    return node;
  }

  /** All nodes that have values, below `path` or all, in the order of creation. */
  list(path = ""): SysctlNode[] {
    const top = path === "" ? this.root : this.byName(path);
    this.fill();
    const out: SysctlNode[] = [];
    const visit = (node: SysctlNode): void => {
      if (node.value !== null) out.push(node);
      for (const c of node.sysctl_child) visit(c);
    };
    if (top !== null) visit(top);
    return out;
  }

  /**
   * sysctl(3). `oldp` null asks for the size only; a short `oldp` is filled as far as it goes and gives ENOMEM. The new value is set only
   * when the old one could be told. Errors: EINVAL, ENOENT, ENOTDIR, EISDIR, EPERM, ENOMEM.
   */
  sysctl(mib: readonly number[], oldp: Uint8Array | null, oldlenp: SysctlLen, newp: Uint8Array | null, l: Lwp): number {
    this.fill();
    if (mib.length < 1 || mib.length > CTL_MAXNAME || !(oldlenp.len >= 0)) return EINVAL;
    let node = this.root;
    for (let i = 0; i < mib.length; i++) {
      if (mib[i] < 0 && i === mib.length - 1) return sysctl_query(node, mib[i], oldp, oldlenp, newp);
      const next = node.sysctl_child.find((c) => c.sysctl_num === mib[i]);
      if (next === undefined) return node.sysctl_type === CTLTYPE_NODE ? ENOENT : ENOTDIR;
      node = next;
      if (node.handler !== null) return node.handler(mib.slice(i + 1), oldp, oldlenp, newp, l);
    }
    const value = node.value;
    if (value === null) return EISDIR;
    if (newp !== null && (value.write === null || !is_super(l.l_proc.p_cred))) return EPERM;
    const error = sysctl_copyout(value.read(), oldp, oldlenp);
    if (error !== 0 || newp === null || value.write === null) return error;
    return value.write(newp, l);
  }

  /** The MIB of a name, or null: ENOENT. */
  sysctlnametomib(path: string): number[] | null {
    return this.byName(path)?.mib() ?? null;
  }

  /** As sysctl by name. */
  sysctlbyname(path: string, oldp: Uint8Array | null, oldlenp: SysctlLen, newp: Uint8Array | null, l: Lwp): number {
    const mib = this.sysctlnametomib(path);
    return mib === null ? ENOENT : this.sysctl(mib, oldp, oldlenp, newp, l);
  }

  private fill(): void {
    while (this.lazy.length > 0) {
      const fills = this.lazy;
      this.lazy = [];
      for (const fn of fills) fn(this);
    }
  }

  private walk(parts: readonly string[]): SysctlNode | null {
    let node = this.root;
    for (const part of parts) {
      const next =
        node.sysctl_child.find((c) => c.sysctl_name === part) ??
        node.sysctl_child.find((c) => String(c.sysctl_num) === part);
      if (next === undefined) return null;
      node = next;
    }
    return node;
  }

  private create(path: string, type: number, desc: string, num: number | undefined): SysctlNode {
    const parts = path.split(".");
    const name = parts.pop() ?? "";
    let up = this.root;
    for (const part of parts) {
      const next = up.sysctl_child.find((c) => c.sysctl_name === part);
      up = next ?? add_child(up, part, undefined, CTLTYPE_NODE, "");
    }
    const old = up.sysctl_child.find((c) => c.sysctl_name === name);
    if (old !== undefined && type === CTLTYPE_NODE && old.sysctl_type === CTLTYPE_NODE)
      return name_node(old, desc, num);
    if (old !== undefined) throw new RangeError(`sysctl ${path} exists already`);
    return add_child(up, name, num, type, desc);
  }

  private number(path: string, type: number, spec: SysctlNumber, lowest: number, highest: number): SysctlNode {
    const node = this.create(path, type, spec.desc, spec.num);
    const size = type === CTLTYPE_INT ? 4 : type === CTLTYPE_QUAD ? 8 : 1;
    const min = spec.min ?? lowest;
    const max = spec.max ?? highest;
    const set = spec.set?.bind(spec);
    node.value = {
      read: () => number_to_bytes(spec.get(), size),
      write:
        set === undefined
          ? null
          : (bytes) => {
              if (bytes.length !== size) return EINVAL;
              const v = bytes_to_number(bytes);
              return v < min || v > max ? EINVAL : set(v);
            },
    };
    return node;
  }
}

/** Give a node that was made on the way to another its own number and description. */
function name_node(node: SysctlNode, desc: string, num: number | undefined): SysctlNode {
  if (node.sysctl_desc !== "") return node;
  node.sysctl_desc = desc;
  if (num === undefined || num === node.sysctl_num) return node;
  if (node.sysctl_parent?.sysctl_child.some((c) => c.sysctl_num === num) === true) {
    throw new RangeError(`sysctl ${node.path()}: number ${num} is taken`);
  }
  node.sysctl_num = num;
  return node;
}

function add_child(up: SysctlNode, name: string, num: number | undefined, type: number, desc: string): SysctlNode {
  let n = num;
  if (n === undefined) {
    n = CTL_CREATE_BASE;
    for (const c of up.sysctl_child) if (c.sysctl_num >= n) n = c.sysctl_num + 1;
  } else if (up.sysctl_child.some((c) => c.sysctl_num === n)) {
    throw new RangeError(`sysctl ${up.path()}.${name}: number ${n} is taken`);
  }
  const node = new SysctlNode(up, name, n, type, desc);
  up.sysctl_child.push(node);
  return node;
}
