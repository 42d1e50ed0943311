/*
 * A routing table: a binary trie over the address bytes of a sockaddr, with every chain of single branches compressed to one node.
 *
 * A node stands for a prefix (rn_key, rn_plen). It holds an item, or has two children, or both; a node without item and with one child does not exist.
 * Addresses of four bytes are also kept as an int32 and matched without touching byte arrays (rn_match4).
 */

/** A prefix. */
export class RadixNode<T> {
  /** Address bytes of the prefix, zero behind it. */
  readonly rn_key: Uint8Array;
  /** The first four bytes as an int32. */
  readonly rn_key4: number;
  /** Bits of the prefix. */
  readonly rn_plen: number;
  /** Mask of rn_key4: the first min(32, rn_plen) bits. */
  readonly rn_mask4: number;
  /** What is stored, or null for a branching point. */
  rn_item: T | null = null;
  /** Node above. */
  rn_parent: RadixNode<T> | null = null;
  /** Child whose next bit is 0. */
  rn_left: RadixNode<T> | null = null;
  /** Child whose next bit is 1. */
  rn_right: RadixNode<T> | null = null;
  constructor(key: Uint8Array, plen: number) {
    this.rn_key = key;
    this.rn_plen = plen;
    this.rn_key4 = (key[0] << 24) | (key[1] << 16) | (key[2] << 8) | key[3];
    this.rn_mask4 = plen === 0 ? 0 : plen >= 32 ? -1 : -1 << (32 - plen);
  }
}

/** A table. */
export class RadixHead<T> {
  /** Where the address starts in a sockaddr. */
  readonly rnh_off: number;
  /** Bytes of an address. */
  readonly rnh_len: number;
  /** The node above all. */
  rnh_root: RadixNode<T> | null = null;
  /** Items stored. */
  rnh_count = 0;
  constructor(off: number, len: number) {
    this.rnh_off = off;
    this.rnh_len = len;
  }
}

/** The address bytes of a sockaddr; bytes that a short sockaddr leaves out are zero. */
export function rn_key(head: RadixHead<unknown>, sa: Uint8Array): Uint8Array {
  const key = new Uint8Array(head.rnh_len);
  const end = Math.min(sa.length, sa[0]);
  for (let i = 0; i < head.rnh_len && head.rnh_off + i < end; i++) key[i] = sa[head.rnh_off + i];
  return key;
}

/** Bits of a mask, a sockaddr that may be cut short (the rest is zero); -1 if it is not contiguous. sa_len 0 is the mask of everything. */
export function rn_masklen(head: RadixHead<unknown>, mask: Uint8Array): number {
  const m = rn_key(head, mask);
  let n = 0;
  while (n < m.length && m[n] === 0xff) n++;
  let plen = n * 8;
  if (n === m.length) return plen;
  for (let b = m[n]; (b & 0x80) !== 0; b = (b << 1) & 0xff) plen++;
  const rest = plen - n * 8;
  if (m[n] !== (rest === 0 ? 0 : (0xff00 >> rest) & 0xff)) return -1;
  for (let i = n + 1; i < m.length; i++) if (m[i] !== 0) return -1;
  return plen;
}

/** Clears the bits of a key behind `plen`. */
export function rn_maskkey(key: Uint8Array, plen: number): void {
  for (let i = 0; i < key.length; i++) {
    const keep = plen - i * 8;
    if (keep < 8) key[i] = keep <= 0 ? 0 : key[i] & (0xff00 >> keep);
  }
}

/** Adds an item under a prefix (key already masked, kept). The node, or null if the prefix is taken. */
export function rn_addroute<T>(head: RadixHead<T>, key: Uint8Array, plen: number, item: T): RadixNode<T> | null {
  let parent: RadixNode<T> | null = null;
  let node = head.rnh_root;
  while (node !== null) {
    const common = common_bits(key, node.rn_key, Math.min(plen, node.rn_plen));
    if (common < node.rn_plen) return rn_split(head, node, common, key, plen, item);
    if (plen === node.rn_plen) {
      if (node.rn_item !== null) return null;
      node.rn_item = item;
      head.rnh_count++;
      return node;
    }
    parent = node;
    node = key_bit(key, node.rn_plen) === 0 ? node.rn_left : node.rn_right;
  }
  const leaf = new RadixNode<T>(key, plen);
  leaf.rn_item = item;
  rn_link(head, parent, leaf);
  head.rnh_count++;
  return leaf;
}

/** Puts a new prefix above `node`, with which it shares `common` bits (fewer than node's). */
function rn_split<T>(
  head: RadixHead<T>,
  node: RadixNode<T>,
  common: number,
  key: Uint8Array,
  plen: number,
  item: T,
): RadixNode<T> {
  const above = node.rn_parent;
  const leaf = new RadixNode<T>(key, plen);
  leaf.rn_item = item;
  head.rnh_count++;
  if (common === plen) {
    rn_link(head, above, leaf);
    rn_link(head, leaf, node);
    return leaf;
  }
  const bkey = key.slice();
  rn_maskkey(bkey, common);
  const branch = new RadixNode<T>(bkey, common);
  rn_link(head, above, branch);
  rn_link(head, branch, node);
  rn_link(head, branch, leaf);
  return leaf;
}

/** Hangs a node under its parent (null: the root), in the place of whatever was on that side. */
function rn_link<T>(head: RadixHead<T>, parent: RadixNode<T> | null, node: RadixNode<T>): void {
  node.rn_parent = parent;
  if (parent === null) head.rnh_root = node;
  else if (key_bit(node.rn_key, parent.rn_plen) === 0) parent.rn_left = node;
  else parent.rn_right = node;
}

/** Removes the item of a node, and the nodes that are no longer needed. */
export function rn_delete<T>(head: RadixHead<T>, node: RadixNode<T>): void {
  node.rn_item = null;
  head.rnh_count--;
  let n: RadixNode<T> | null = node;
  while (n !== null && n.rn_item === null && (n.rn_left === null || n.rn_right === null)) {
    const parent: RadixNode<T> | null = n.rn_parent;
    const child = n.rn_left ?? n.rn_right;
    if (child !== null) {
      rn_link(head, parent, child);
    } else if (parent === null) {
      head.rnh_root = null;
    } else if (parent.rn_left === n) {
      parent.rn_left = null;
    } else {
      parent.rn_right = null;
    }
    n.rn_parent = null;
    n = parent;
  }
}

/** The item of exactly this prefix, or null. */
export function rn_lookup<T>(head: RadixHead<T>, key: Uint8Array, plen: number): T | null {
  let node = head.rnh_root;
  while (node !== null && node.rn_plen <= plen) {
    if (common_bits(key, node.rn_key, node.rn_plen) < node.rn_plen) return null;
    if (node.rn_plen === plen) return node.rn_item;
    node = key_bit(key, node.rn_plen) === 0 ? node.rn_left : node.rn_right;
  }
  return null;
}

/** The item of the longest prefix of `key` that is not longer than `maxlen` bits, or null. */
export function rn_match<T>(head: RadixHead<T>, key: Uint8Array, maxlen: number): T | null {
  let best: T | null = null;
  let node = head.rnh_root;
  const bits = head.rnh_len * 8;
  while (node !== null && node.rn_plen <= maxlen) {
    if (common_bits(key, node.rn_key, node.rn_plen) < node.rn_plen) break;
    if (node.rn_item !== null) best = node.rn_item;
    if (node.rn_plen === bits) break;
    node = key_bit(key, node.rn_plen) === 0 ? node.rn_left : node.rn_right;
  }
  return best;
}

/** rn_match for an address of four bytes. // hot (on a miss of the cache) */
export function rn_match4<T>(head: RadixHead<T>, addr: number): T | null {
  let best: T | null = null;
  let node = head.rnh_root;
  while (node !== null) {
    if (((addr ^ node.rn_key4) & node.rn_mask4) !== 0) break;
    if (node.rn_item !== null) best = node.rn_item;
    const plen = node.rn_plen;
    if (plen >= 32) break;
    node = ((addr << plen) & 0x80000000) === 0 ? node.rn_left : node.rn_right;
  }
  return best;
}

/** Calls fn for every item in order of address, shorter prefix first; stops at the first non-zero answer and returns it. The table may change meanwhile: items are those at the start. */
export function rn_walktree<T>(head: RadixHead<T>, fn: (item: T) => number): number {
  const items: T[] = [];
  let node = head.rnh_root;
  while (node !== null) {
    if (node.rn_item !== null) items.push(node.rn_item);
    node = node.rn_left ?? node.rn_right ?? rn_next_up(node);
  }
  for (const item of items) {
    const error = fn(item);
    if (error !== 0) return error;
  }
  return 0;
}

/** The node after a whole subtree. */
function rn_next_up<T>(from: RadixNode<T>): RadixNode<T> | null {
  let n = from;
  for (let p = n.rn_parent; p !== null; p = n.rn_parent) {
    if (p.rn_left === n && p.rn_right !== null) return p.rn_right;
    n = p;
  }
  return null;
}

function key_bit(key: Uint8Array, bit: number): number {
  return (key[bit >>> 3] >>> (7 - (bit & 7))) & 1;
}

/** How many of the first `max` bits are equal. */
function common_bits(a: Uint8Array, b: Uint8Array, max: number): number {
  for (let n = 0; n < max; n += 8) {
    const x = a[n >>> 3] ^ b[n >>> 3];
    if (x !== 0) return Math.min(max, n + Math.clz32(x) - 24);
  }
  return max;
}
