// Packet tags (m_tag(9)).
import { Mtag } from "./mbuf.ts";
import type { Mbuf } from "./mbuf.ts";

/** A new tag with `len` zero bytes, in no packet yet. */
export function m_tag_get(type: number, len: number): Mtag {
  return new Mtag(type, len);
}

/** Put a tag in front of the packet's tags. */
export function m_tag_prepend(m: Mbuf, t: Mtag): void {
  t.m_tag_next = m.m_tags;
  m.m_tags = t;
}

/** The first tag of `type` after `after` (null: from the start), or null. */
export function m_tag_find(m: Mbuf, type: number, after: Mtag | null = null): Mtag | null {
  for (let t = after === null ? m.m_tags : after.m_tag_next; t !== null; t = t.m_tag_next)
    if (t.m_tag_id === type) return t;
  return null;
}

/** Remove a tag from its packet. */
export function m_tag_delete(m: Mbuf, t: Mtag): void {
  if (m.m_tags === t) {
    m.m_tags = t.m_tag_next;
  } else {
    for (let p = m.m_tags; p !== null; p = p.m_tag_next) {
      if (p.m_tag_next !== t) continue;
      p.m_tag_next = t.m_tag_next;
      break;
    }
  }
  t.m_tag_next = null;
}

/** Remove all tags. */
export function m_tag_delete_chain(m: Mbuf): void {
  m.m_tags = null;
}

/** A copy of a tag, in no packet yet. */
export function m_tag_copy(t: Mtag): Mtag {
  const n = new Mtag(t.m_tag_id, t.m_tag_data.length);
  n.m_tag_data.set(t.m_tag_data);
  return n;
}

/** Give `to` copies of the tags of `from`, in the same order, instead of its own. */
export function m_tag_copy_chain(to: Mbuf, from: Mbuf): void {
  to.m_tags = null;
  let last: Mtag | null = null;
  for (let t = from.m_tags; t !== null; t = t.m_tag_next) {
    const n = m_tag_copy(t);
    if (last === null) to.m_tags = n;
    else last.m_tag_next = n;
    last = n;
  }
}
