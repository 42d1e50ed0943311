/*
 * Options of IPv4 sockets at level IPPROTO_IP (ip(4)).
 */
import { EINVAL, ENOPROTOOPT, EPERM } from "../../hypercall/api/errno.ts";
import { is_super } from "../kern/proc.ts";
import { PRCO_GETOPT } from "../socket/protosw.ts";
import { sockopt_getint, sockopt_set, sockopt_setint } from "../socket/sockopt.ts";
import type { Socket, Sockopt } from "../socket/socketvar.ts";
import { IPPROTO_IP } from "../wire/in.ts";
import { IPOPT_EOL, IPOPT_LSRR, IPOPT_MINOFF, IPOPT_NOP, IPOPT_SSRR, MAX_IPOPTLEN } from "../wire/ip_options.ts";
import {
  IP_BINDANY,
  IP_ERRORMTU,
  IP_MINTTL,
  IP_OPTIONS,
  IP_PKTINFO,
  IP_PORTALGO,
  IP_PORTRANGE,
  IP_PORTRANGE_LOW,
  IP_RECVDSTADDR,
  IP_RECVIF,
  IP_RECVOPTS,
  IP_RECVPKTINFO,
  IP_RECVRETOPTS,
  IP_RECVTTL,
  IP_RETOPTS,
  IP_TOS,
  IP_TTL,
} from "./in.ts";
import {
  INP_BINDANY,
  INP_RECVDSTADDR,
  INP_RECVIF,
  INP_RECVOPTS,
  INP_RECVPKTINFO,
  INP_RECVRETOPTS,
  INP_RECVTTL,
} from "./in_pcb.ts";
import type { Inpcb } from "./in_pcb.ts";
import type { Inet } from "./inet.ts";
import { ip_getmoptions, ip_is_moption, ip_setmoptions } from "./ip_moptions.ts";
import { IpMoptions, IpOptions } from "./ip_var.ts";
import { portalgo_names } from "./portalgo.ts";

/** The flag that an option of the receiving side sets, 0 if it is not one. */
function recv_flag(name: number): number {
  switch (name) {
    case IP_RECVOPTS:
      return INP_RECVOPTS;
    case IP_RECVRETOPTS:
      return INP_RECVRETOPTS;
    case IP_RECVDSTADDR:
      return INP_RECVDSTADDR;
    case IP_RECVIF:
      return INP_RECVIF;
    case IP_RECVTTL:
      return INP_RECVTTL;
    case IP_RECVPKTINFO:
      return INP_RECVPKTINFO;
    default:
      return 0;
  }
}

/** get/setsockopt(2) at level IPPROTO_IP. ENOPROTOOPT: not an option of IPv4. */
export function ip_ctloutput(inet: Inet, op: number, so: Socket, sopt: Sockopt): number {
  if (sopt.sopt_level !== IPPROTO_IP || so.so_pcb === null) return ENOPROTOOPT;
  const inp = so.so_pcb as Inpcb;
  return op === PRCO_GETOPT ? ip_getopt(inp, sopt) : ip_setopt(inet, so, inp, sopt);
}

function ip_setopt(inet: Inet, so: Socket, inp: Inpcb, sopt: Sockopt): number {
  const name = sopt.sopt_name;
  if (name === IP_OPTIONS || name === IP_RETOPTS) return ip_pcbopts(inp, sopt);
  if (ip_is_moption(name)) {
    inp.inp_moptions ??= new IpMoptions();
    return ip_setmoptions(inet, inp.inp_moptions, sopt);
  }
  const flag = recv_flag(name);
  if (flag === 0 && !ip_is_intopt(name)) return ENOPROTOOPT;
  if (sopt.sopt_size !== 4) return EINVAL;
  const v = sockopt_getint(sopt);
  if (flag !== 0) {
    inp.inp_flags = v !== 0 ? inp.inp_flags | flag : inp.inp_flags & ~flag;
    return 0;
  }
  switch (name) {
    case IP_TOS:
      if (v < 0 || v > 255) return EINVAL;
      inp.inp_tos = v;
      return 0;
    case IP_TTL:
      if (v < 1 || v > 255) return EINVAL;
      inp.inp_ttl = v;
      return 0;
    case IP_MINTTL:
      if (v < 0 || v > 255) return EINVAL;
      inp.inp_ip_minttl = v;
      return 0;
    case IP_PORTRANGE:
      if (v < 0 || v > IP_PORTRANGE_LOW) return EINVAL;
      inp.inp_portrange = v;
      return 0;
    case IP_PORTALGO:
      if (v < 0 || v >= portalgo_names.length) return EINVAL;
      inp.inp_portalgo = v;
      return 0;
    case IP_BINDANY:
      if (so.so_cred !== null && !is_super(so.so_cred)) return EPERM;
      inp.inp_flags = v !== 0 ? inp.inp_flags | INP_BINDANY : inp.inp_flags & ~INP_BINDANY;
      return 0;
    default:
      return EINVAL;
  }
}

/** Is the option one whose value is an int? IP_PKTINFO and IP_ERRORMTU cannot be set: NetBSD takes IP_PKTINFO with an int for IP_RECVPKTINFO, so do we. */
function ip_is_intopt(name: number): boolean {
  return (
    name === IP_TOS ||
    name === IP_TTL ||
    name === IP_MINTTL ||
    name === IP_PORTRANGE ||
    name === IP_PORTALGO ||
    name === IP_BINDANY
  );
}

function ip_getopt(inp: Inpcb, sopt: Sockopt): number {
  const name = sopt.sopt_name;
  if (name === IP_OPTIONS || name === IP_RETOPTS) {
    const o = inp.inp_options;
    if (o === null) {
      sopt.sopt_size = 0;
      return 0;
    }
    const out = new Uint8Array(4 + o.ipopt_len);
    for (let i = 0; i < 4; i++) out[i] = o.ipopt_dst >>> (24 - 8 * i);
    out.set(o.ipopt_list.subarray(0, o.ipopt_len), 4);
    return sockopt_set(sopt, o.ipopt_dst === 0 ? out.subarray(4) : out);
  }
  if (ip_is_moption(name)) return ip_getmoptions(inp.inp_moptions, sopt);
  const flag = recv_flag(name);
  if (flag !== 0) return sockopt_setint(sopt, (inp.inp_flags & flag) !== 0 ? 1 : 0);
  switch (name) {
    case IP_TOS:
      return sockopt_setint(sopt, inp.inp_tos);
    case IP_TTL:
      return sockopt_setint(sopt, inp.inp_ttl < 0 ? 64 : inp.inp_ttl);
    case IP_MINTTL:
      return sockopt_setint(sopt, inp.inp_ip_minttl);
    case IP_ERRORMTU:
      return sockopt_setint(sopt, inp.inp_errormtu);
    case IP_PORTRANGE:
      return sockopt_setint(sopt, inp.inp_portrange);
    case IP_PORTALGO:
      return sockopt_setint(sopt, Math.max(0, inp.inp_portalgo));
    case IP_BINDANY:
      return sockopt_setint(sopt, (inp.inp_flags & INP_BINDANY) !== 0 ? 1 : 0);
    case IP_PKTINFO:
      return sockopt_setint(sopt, (inp.inp_flags & INP_RECVPKTINFO) !== 0 ? 1 : 0);
    default:
      return ENOPROTOOPT;
  }
}

/** IP_OPTIONS: checks and keeps what will be put into every header; nothing at all takes it away. Of a source route the first hop is kept apart. */
function ip_pcbopts(inp: Inpcb, sopt: Sockopt): number {
  const n = sopt.sopt_size;
  if (n === 0) {
    inp.inp_options = null;
    return 0;
  }
  if (n > MAX_IPOPTLEN || (n & 3) !== 0) return EINVAL;
  const out = new IpOptions();
  const b = sopt.sopt_data;
  let len = 0;
  for (let i = 0; i < n; ) {
    const opt = b[i];
    if (opt === IPOPT_EOL) break;
    const optlen = opt === IPOPT_NOP ? 1 : i + 1 < n ? b[i + 1] : 0;
    if ((opt !== IPOPT_NOP && optlen < 2) || i + optlen > n) return EINVAL;
    let from = i;
    let keep = optlen;
    if (opt === IPOPT_LSRR || opt === IPOPT_SSRR) {
      // The list holds the hops, the final destination is the packet's: the first hop leaves the list.
      if (out.ipopt_dst !== 0 || optlen < IPOPT_MINOFF - 1 + 4 || ((optlen - 3) & 3) !== 0) return EINVAL;
      out.ipopt_dst = (b[i + 3] << 24) | (b[i + 4] << 16) | (b[i + 5] << 8) | b[i + 6];
      out.ipopt_list[len] = opt;
      out.ipopt_list[len + 1] = optlen - 4;
      out.ipopt_list[len + 2] = b[i + 2];
      len += 3;
      from = i + 7;
      keep = optlen - 7;
    }
    for (let j = 0; j < keep; j++) out.ipopt_list[len++] = b[from + j];
    i += optlen;
  }
  while ((len & 3) !== 0) out.ipopt_list[len++] = IPOPT_EOL;
  out.ipopt_len = len;
  inp.inp_options = len > 0 ? out : null;
  return 0;
}
