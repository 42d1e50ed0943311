// Packet headers: moving, copying and removing them.
import { M_COPYFLAGS, M_EXT, M_PKTHDR, M_RDONLY } from "./mbuf.ts";
import type { Mbuf } from "./mbuf.ts";
import { m_tag_copy_chain } from "./mbuf_tag.ts";

/** Move the packet header from `from` to `to`, tags and all; `from` has none any more. hot */
export function m_move_pkthdr(to: Mbuf, from: Mbuf): void {
  pkthdr_fields(to, from);
  to.m_tags = from.m_tags;
  from.m_tags = null;
  from.m_rcvif = null;
  from.m_flags &= ~M_PKTHDR;
}

/** Copy the packet header from `from` to `to`, with copies of the tags. */
export function m_copy_pkthdr(to: Mbuf, from: Mbuf): void {
  pkthdr_fields(to, from);
  if (from.m_tags === null) to.m_tags = null;
  else m_tag_copy_chain(to, from);
}

/** Make a packet's first mbuf an ordinary one. */
export function m_remove_pkthdr(m: Mbuf): void {
  m.m_tags = null;
  m.m_rcvif = null;
  m.m_flags &= ~M_PKTHDR;
}

function pkthdr_fields(to: Mbuf, from: Mbuf): void {
  to.m_flags = (from.m_flags & M_COPYFLAGS) | (to.m_flags & (M_EXT | M_RDONLY));
  to.m_pkthdr_len = from.m_pkthdr_len;
  to.m_rcvif = from.m_rcvif;
  to.m_csum_flags = from.m_csum_flags;
  to.m_csum_start = from.m_csum_start;
  to.m_csum_offset = from.m_csum_offset;
  to.m_gso_type = from.m_gso_type;
  to.m_gso_size = from.m_gso_size;
  to.m_hdr_len = from.m_hdr_len;
  to.m_vlan = from.m_vlan;
  to.m_flowid = from.m_flowid;
  to.m_pktid = from.m_pktid;
  to.m_ts_ns = from.m_ts_ns;
}
