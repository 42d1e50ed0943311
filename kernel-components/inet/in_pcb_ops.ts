/*
 * IPv4 control blocks: binding, connecting, finding (in_pcb.c).
 */
import {
  EACCES,
  EADDRINUSE,
  EADDRNOTAVAIL,
  EAFNOSUPPORT,
  EAGAIN,
  EHOSTUNREACH,
  EINVAL,
  ENETUNREACH,
} from "../../hypercall/api/errno.ts";
import { is_super } from "../kern/proc.ts";
import type { Lwp } from "../kern/proc.ts";
import { IFF_BROADCAST } from "../net/if_flags.ts";
import { rt_miss4, rtlookup4 } from "../net/route.ts";
import { PR_CONNREQUIRED } from "../socket/protosw.ts";
import { SO_ACCEPTCONN, SO_DONTROUTE, SO_REUSEADDR, SO_REUSEPORT } from "../socket/socket_abi.ts";
import type { Socket } from "../socket/socketvar.ts";
import { IN_MULTICAST, INADDR_ANY, INADDR_BROADCAST, IPPORT_RESERVED } from "../wire/in.ts";
import { AF_INET, sa_family, sa_len, sin_addr, sin_port, SOCKADDR_IN_LEN } from "../wire/sockaddr.ts";
import { halfsiphash3 } from "./halfsiphash.ts";
import { IP_PORTRANGE_LOW } from "./in.ts";
import { in_srccache, in_srccache_enter } from "./in_addr_cache.ts";
import { in_broadcast, in_ia_facing, in_ia_of_ifp, in_ifwithnet } from "./in_ifaddr.ts";
import { INP_ANONADDR, INP_ANONPORT, INP_ATTACHED, INP_BINDANY, INP_BOUND, INP_CONNECTED } from "./in_pcb.ts";
import type { Inpcb } from "./in_pcb.ts";
import type { InpcbTable } from "./in_pcb_table.ts";
import { IN_IFF_DUPLICATED, IN_IFF_NOTREADY } from "./in_var.ts";
import type { InIfaddr } from "./in_var.ts";
import type { Inet } from "./inet.ts";
import type { IpMoptions } from "./ip_var.ts";
import { portalgo_pick } from "./portalgo.ts";

/** The keyed hash of a connection. */
// hot
export function in_pcbhash(inet: Inet, faddr: number, fport: number, laddr: number, lport: number): number {
  return halfsiphash3(inet.hash_key, faddr, laddr, (fport << 16) | lport);
}

/** The block connected with exactly these, or null. */
// hot
export function in_pcblookup_connect(
  inet: Inet,
  t: InpcbTable,
  faddr: number,
  fport: number,
  laddr: number,
  lport: number,
): Inpcb | null {
  if (t.nconn === 0) return null;
  const hash = in_pcbhash(inet, faddr, fport, laddr, lport);
  let slot = t.conn_find(hash);
  while (slot >= 0) {
    const inp = t.conn_at(slot);
    if (inp.inp_faddr === faddr && inp.inp_fport === fport && inp.inp_laddr === laddr && inp.inp_lport === lport)
      return inp;
    slot = t.conn_next(hash, slot);
  }
  return null;
}

/** The block bound to the port and not connected: with this address, else with any; null if there is none. */
// hot
export function in_pcblookup_bind(t: InpcbTable, laddr: number, lport: number): Inpcb | null {
  let wild: Inpcb | null = null;
  for (let inp = t.port_first(lport); inp !== null; inp = inp.inp_port_next) {
    if (inp.inp_state === INP_CONNECTED) continue;
    if (inp.inp_laddr === laddr) return inp;
    if (inp.inp_laddr === INADDR_ANY && wild === null) wild = inp;
  }
  return wild;
}

/** The block whose local end is nearest to this one: exact first; with wild_okay also those that differ by a wildcard. */
function in_pcblookup_port(t: InpcbTable, laddr: number, lport: number, wild_okay: boolean): Inpcb | null {
  let match: Inpcb | null = null;
  let match_wild = 3;
  for (let inp = t.port_first(lport); inp !== null; inp = inp.inp_port_next) {
    let wild = inp.inp_faddr !== INADDR_ANY ? 1 : 0;
    if (inp.inp_laddr === INADDR_ANY) wild += laddr !== INADDR_ANY ? 1 : 0;
    else if (laddr === INADDR_ANY) wild++;
    else if (inp.inp_laddr !== laddr) continue;
    if (wild > 0 && !wild_okay) continue;
    if (wild < match_wild) {
      match = inp;
      match_wild = wild;
      if (wild === 0) break;
    }
  }
  return match;
}

/** Is this a sockaddr_in? 0, EINVAL or EAFNOSUPPORT. */
export function in_sockaddr_check(nam: Uint8Array): number {
  if (nam.length < 2 || sa_family(nam) !== AF_INET) return EAFNOSUPPORT;
  return nam.length < SOCKADDR_IN_LEN || sa_len(nam) !== SOCKADDR_IN_LEN ? EINVAL : 0;
}

/** bind(2). nam null: any address, any port. */
export function in_pcbbind(inet: Inet, inp: Inpcb, nam: Uint8Array | null, l: Lwp | null): number {
  if (inp.inp_lport !== 0 || inp.inp_laddr !== INADDR_ANY) return EINVAL;
  if (nam === null) return in_pcbsetport(inet, inp, INADDR_ANY, l);
  const bad = in_sockaddr_check(nam);
  if (bad !== 0) return bad;
  const addr = sin_addr(nam);
  const error = in_pcbbind_addr(inet, inp, addr);
  if (error !== 0) return error;
  const port = sin_port(nam);
  if (port === 0) return in_pcbsetport(inet, inp, addr, l);
  const perror = in_pcbbind_port(inp, addr, port, l);
  return perror !== 0 ? perror : in_pcbsetlocal(inp, addr, port);
}

/** May a socket be bound to this address? Ours, a broadcast address of ours, a group, or anything with IP_BINDANY. */
export function in_pcbbind_addr(inet: Inet, inp: Inpcb, addr: number): number {
  if (addr === INADDR_ANY || IN_MULTICAST(addr) || (inp.inp_flags & INP_BINDANY) !== 0) return 0;
  const ia = inet.in_ifaddrhash.get(addr);
  if (ia !== undefined) return (ia.ia_flags & IN_IFF_DUPLICATED) !== 0 ? EADDRNOTAVAIL : 0;
  for (const other of inet.in_ifaddrhead)
    if (addr === other.ia_broadaddr && in_broadcast(addr, other.ifa_ifp)) return 0;
  return EADDRNOTAVAIL;
}

/** May the socket have this port with this address (SO_REUSEADDR, SO_REUSEPORT)? */
function in_pcbbind_port(inp: Inpcb, addr: number, port: number, l: Lwp | null): number {
  const so = inp.inp_socket;
  if (port < IPPORT_RESERVED && l !== null && !is_super(l.l_proc.p_cred)) return EACCES;
  let reuse = so.so_options & SO_REUSEPORT;
  // Either option lets several sockets listen to a group.
  if (IN_MULTICAST(addr) && (so.so_options & (SO_REUSEADDR | SO_REUSEPORT)) !== 0) reuse = SO_REUSEADDR | SO_REUSEPORT;
  if (reuse !== 0 && l !== null && !IN_MULTICAST(addr)) {
    // Nobody takes datagrams away from another user's socket.
    const other = in_pcblookup_port(inp.inp_table, addr, port, true);
    if (
      other !== null &&
      other.inp_socket.so_cred !== null &&
      other.inp_socket.so_cred.cr_uid !== l.l_proc.p_cred.cr_uid
    )
      return EADDRINUSE;
  }
  const t = in_pcblookup_port(inp.inp_table, addr, port, in_pcbwild(so));
  return t !== null && (reuse & t.inp_socket.so_options) === 0 ? EADDRINUSE : 0;
}

/** Do wildcards conflict with this socket's port? */
function in_pcbwild(so: Socket): boolean {
  if ((so.so_options & (SO_REUSEADDR | SO_REUSEPORT)) !== 0) return false;
  return (so.so_proto.pr_flags & PR_CONNREQUIRED) === 0 || (so.so_options & SO_ACCEPTCONN) === 0;
}

function in_pcbsetlocal(inp: Inpcb, addr: number, port: number): number {
  inp.inp_laddr = addr;
  inp.inp_lport = port;
  inp.inp_state = INP_BOUND;
  inp.inp_table.port_insert(inp);
  return 0;
}

/** Gives the socket a port of the system's choice (RFC 6056). EAGAIN: all are taken; EACCES: privileged ones were asked for. */
export function in_pcbsetport(inet: Inet, inp: Inpcb, addr: number, l: Lwp | null, faddr = 0, fport = 0): number {
  let min = inet.anonportmin;
  let max = inet.anonportmax;
  if (inp.inp_portrange === IP_PORTRANGE_LOW) {
    if (l !== null && !is_super(l.l_proc.p_cred)) return EACCES;
    min = inet.lowportmin;
    max = inet.lowportmax;
  }
  const wild = in_pcbwild(inp.inp_socket);
  const algo = inp.inp_portalgo >= 0 ? inp.inp_portalgo : inet.portalgo.selected;
  const port = portalgo_pick(inet.k, inet.portalgo, inet.port_key, algo, min, max, addr, faddr, fport, (p) => {
    return !inet.anonport_reserved.has(p) && in_pcblookup_port(inp.inp_table, addr, p, wild) === null;
  });
  if (port === 0) return EAGAIN;
  inp.inp_flags |= INP_ANONPORT;
  return in_pcbsetlocal(inp, addr, port);
}

/** Where in_selectsrc leaves the address. */
export class InSrc {
  /** Source address. */
  addr = 0;
}

/** The source address for packets to dst: the interface's that the route (or IP_MULTICAST_IF) leads to. */
export function in_selectsrc(inet: Inet, dst: number, so: Socket, imo: IpMoptions | null, out: InSrc): number {
  const plain = imo === null && (so.so_options & SO_DONTROUTE) === 0;
  if (plain) {
    out.addr = in_srccache(inet, dst);
    if (out.addr !== INADDR_ANY) return 0;
  }
  let ia: InIfaddr | null = null;
  if (IN_MULTICAST(dst) && imo !== null && imo.imo_multicast_ifp !== null) {
    ia = in_ia_of_ifp(imo.imo_multicast_ifp);
    if (ia === null) return EADDRNOTAVAIL;
  } else if ((so.so_options & SO_DONTROUTE) !== 0) {
    ia = in_ifwithnet(inet, dst);
    if (ia === null) return ENETUNREACH;
  } else {
    const own = inet.in_ifaddrhash.get(dst);
    const rt = own !== undefined ? null : rtlookup4(inet.net, dst);
    if (own !== undefined) ia = own;
    else if (rt !== null)
      ia =
        in_ia_facing(rt.rt_ifp, rt.rt_gw4 !== 0 ? rt.rt_gw4 : dst) ??
        inet.in_ifaddrhash.get(sin_addr(rt.rt_ifa.ifa_addr)) ??
        null;
    else if (IN_MULTICAST(dst) || dst === INADDR_BROADCAST) ia = in_default_ia(inet);
    if (ia === null) {
      if (rt !== null || own !== undefined) return EADDRNOTAVAIL;
      rt_miss4(inet.net, dst);
      return EHOSTUNREACH;
    }
  }
  if ((ia.ia_flags & IN_IFF_NOTREADY) !== 0) return EADDRNOTAVAIL;
  out.addr = ia.ia_addr4;
  if (plain) in_srccache_enter(inet, dst, ia.ia_addr4);
  return 0;
}

/** The first usable address that is not the loopback's. */
function in_default_ia(inet: Inet): InIfaddr | null {
  for (const ia of inet.in_ifaddrhead)
    if (ia.ia_addr4 >>> 24 !== 127 && (ia.ia_flags & IN_IFF_NOTREADY) === 0) return ia;
  return null;
}

/** connect(2): fixes the peer, and the local end if it was open. */
export function in_pcbconnect(inet: Inet, inp: Inpcb, nam: Uint8Array, l: Lwp | null): number {
  const bad = in_sockaddr_check(nam);
  if (bad !== 0) return bad;
  const fport = sin_port(nam);
  let faddr = sin_addr(nam);
  if (fport === 0) return EADDRNOTAVAIL;
  if (IN_MULTICAST(faddr) && (inp.inp_socket.so_proto.pr_flags & PR_CONNREQUIRED) !== 0) return EADDRNOTAVAIL;
  if (faddr === INADDR_ANY && inet.in_ifaddrhead.length > 0) faddr = inet.in_ifaddrhead[0].ia_addr4;
  else if (faddr === INADDR_BROADCAST) {
    const ia = inet.in_ifaddrhead.find((a) => (a.ifa_ifp.if_flags & IFF_BROADCAST) !== 0);
    if (ia !== undefined) faddr = ia.ia_broadaddr;
  }
  let laddr = inp.inp_laddr;
  if (laddr === INADDR_ANY) {
    const src = new InSrc();
    const error = in_selectsrc(inet, faddr, inp.inp_socket, inp.inp_moptions, src);
    if (error !== 0) return error;
    laddr = src.addr;
  }
  if (inp.inp_lport !== 0 && in_pcblookup_connect(inet, inp.inp_table, faddr, fport, laddr, inp.inp_lport) !== null)
    return EADDRINUSE;
  if (inp.inp_lport === 0) {
    const error = in_pcbsetport(inet, inp, INADDR_ANY, l, faddr, fport);
    if (error !== 0) return error;
  }
  if (inp.inp_laddr === INADDR_ANY) inp.inp_flags |= INP_ANONADDR;
  inp.inp_laddr = laddr;
  inp.inp_faddr = faddr;
  inp.inp_fport = fport;
  inp.inp_state = INP_CONNECTED;
  inp.inp_hash = in_pcbhash(inet, faddr, fport, laddr, inp.inp_lport);
  inp.inp_table.conn_insert(inp);
  return 0;
}

/** Forgets the peer, and the local address if connect had chosen it. */
export function in_pcbdisconnect(inp: Inpcb): void {
  if (inp.inp_inconn) inp.inp_table.conn_remove(inp);
  inp.inp_faddr = INADDR_ANY;
  inp.inp_fport = 0;
  if ((inp.inp_flags & INP_ANONADDR) !== 0) {
    inp.inp_laddr = INADDR_ANY;
    inp.inp_flags &= ~INP_ANONADDR;
  }
  inp.inp_state = inp.inp_lport !== 0 ? INP_BOUND : INP_ATTACHED;
}

/** Takes the block out of every table. */
export function in_pcbunhash(inp: Inpcb): void {
  if (inp.inp_inconn) inp.inp_table.conn_remove(inp);
  if (inp.inp_lport !== 0) inp.inp_table.port_remove(inp);
  inp.inp_lport = 0;
  inp.inp_state = INP_ATTACHED;
  if (inp.inp_index >= 0) inp.inp_table.remove(inp);
}
