/*
 * What an ICMP error tells the protocol above (the third argument of pr_ctlinput): the quoted header and what could be read behind it.
 */
import { ECONNREFUSED, EHOSTDOWN, EHOSTUNREACH, EMSGSIZE, ENOPROTOOPT } from "../../hypercall/api/errno.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { m_copydata_slab } from "../kern/mbuf_copy.ts";
import { ip_dst, ip_hlen, ip_len, ip_p, ip_src, IP_MAXHDRLEN } from "../wire/ipv4.ts";
import type { Inet } from "./inet.ts";

/** A quoted packet. One object serves a kernel: it is good for the one call that it is passed to. */
export class IcmpCtl {
  /** Our address: the source of the quoted packet. */
  src = 0;
  /** The peer: its destination. */
  dst = 0;
  /** Protocol. */
  p = 0;
  /** Length of the quoted packet, as it says. */
  len = 0;
  /** First two bytes behind the quoted header: our port. */
  sport = 0;
  /** The next two: the peer's port. */
  dport = 0;
  /** The four bytes after these: a TCP sequence number, int32. */
  seq = 0;
  /** Type of the error. */
  icmp_type = 0;
  /** Code of the error. */
  icmp_code = 0;
  /** MTU of the next hop (ICMP_UNREACH_NEEDFRAG). */
  nextmtu = 0;

  /** Reads the packet that is quoted at `off` of m. Preconditions: its header and 8 bytes more are there. */
  set(inet: Inet, m: Mbuf, off: number, type: number, code: number, nextmtu: number): void {
    const dv = inet.dv;
    const n = Math.min(IP_MAXHDRLEN + 8, m.m_pkthdr_len - off);
    m_copydata_slab(m, off, n, inet.scratch);
    const q = inet.scratch;
    this.src = ip_src(dv, q);
    this.dst = ip_dst(dv, q);
    this.p = ip_p(dv, q);
    this.len = ip_len(dv, q);
    const th = q + ip_hlen(dv, q);
    this.sport = dv.getUint16(th);
    this.dport = dv.getUint16(th + 2);
    this.seq = dv.getInt32(th + 4);
    this.icmp_type = type;
    this.icmp_code = code;
    this.nextmtu = nextmtu;
  }
}

/** The errno of each PRC_*, 0 where a connection is told nothing (inetctlerrmap). */
export const inetctlerrmap: readonly number[] = [
  0,
  0,
  0,
  0,
  0,
  EMSGSIZE,
  EHOSTDOWN,
  EHOSTUNREACH,
  EHOSTUNREACH,
  EHOSTUNREACH,
  ECONNREFUSED,
  ECONNREFUSED,
  EMSGSIZE,
  EHOSTUNREACH,
  0,
  0,
  0,
  0,
  EHOSTUNREACH,
  0,
  ENOPROTOOPT,
];
