/*
 * Routing sockets (PF_ROUTE): a program reads what happens to the routing tables and writes messages that change them.
 */
import { EINVAL, EISCONN, ENOBUFS, ENOTCONN, EPROTONOSUPPORT } from "../../hypercall/api/errno.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import { m_tobytes } from "../kern/mbuf_bytes.ts";
import { type Lwp } from "../kern/proc.ts";
import { Domain } from "../socket/domain.ts";
import { PR_ADDR, PR_ATOMIC, PRCO_GETOPT, Protosw, PrUsrreqs } from "../socket/protosw.ts";
import { soreserve } from "../socket/sockbuf_reserve.ts";
import { SO_USELOOPBACK, SOCK_RAW } from "../socket/socket_abi.ts";
import { sockopt_getint, sockopt_set, sockopt_setint } from "../socket/sockopt.ts";
import type { Socket, SockaddrOut, Sockopt } from "../socket/socketvar.ts";
import { socantsendmore, soisconnected } from "../socket/uipc_socket2.ts";
import { AF_ROUTE } from "../wire/sockaddr.ts";
import { AF_MAX, type Net } from "./net.ts";
import { route_output } from "./rtsock_output.ts";
import { RawCb } from "./raw_cb.ts";

/** Option (level AF_ROUTE): an int with a bit for each message type that is wanted. */
export const RO_MSGFILTER = 1;
/** Option: sockaddrs for which RTM_MISS is wanted. */
export const RO_MISSFILTER = 2;
/** Most bytes of RO_MISSFILTER. */
export const RO_FILTSA_MAX: number = 30 * 28;
/** Bytes of a routing socket's send buffer: the longest message is shorter. */
export const ROUTESNDQ = 8192;
/** Bytes of a routing socket's receive buffer. */
export const ROUTERCVQ = 65536;

function rcb_of(net: Net, so: Socket): RawCb | null {
  return net.rawcbs.find((rcb) => rcb.rcb_so === so) ?? null;
}

function route_attach(net: Net, so: Socket, proto: number): number {
  if (so.so_pcb !== null) return EISCONN;
  if (proto < 0 || proto >= AF_MAX) return EPROTONOSUPPORT;
  const error = soreserve(so, ROUTESNDQ, ROUTERCVQ);
  if (error !== 0) return error;
  const rcb = new RawCb(so, proto);
  so.so_pcb = rcb;
  net.rawcbs.push(rcb);
  net.route_cb_count++;
  so.so_options |= SO_USELOOPBACK;
  soisconnected(so);
  return 0;
}

function route_detach(net: Net, so: Socket): void {
  const at = net.rawcbs.findIndex((rcb) => rcb.rcb_so === so);
  if (at < 0) return;
  net.rawcbs.splice(at, 1);
  net.route_cb_count--;
  so.so_pcb = null;
}

function route_send(net: Net, so: Socket, m: Mbuf, nam: Uint8Array | null, control: Mbuf | null, l: Lwp): number {
  const rcb = rcb_of(net, so);
  const msg = m_tobytes(m);
  m_freem(m);
  m_freem(control);
  if (rcb === null) return ENOTCONN;
  if (nam !== null) return EISCONN;
  if (control !== null) return EINVAL;
  return route_output(net, rcb, msg, l);
}

/** The name of either end of a routing socket: the family alone. */
function route_name(nam: SockaddrOut): number {
  nam.sa[0] = 2;
  nam.sa[1] = AF_ROUTE;
  nam.len = 2;
  return 0;
}

function route_ctloutput(net: Net, op: number, so: Socket, sopt: Sockopt): number {
  const rcb = rcb_of(net, so);
  if (rcb === null || sopt.sopt_level !== AF_ROUTE) return EINVAL;
  if (sopt.sopt_name === RO_MSGFILTER) {
    if (op === PRCO_GETOPT) return sockopt_setint(sopt, rcb.rcb_msgfilter);
    if (sopt.sopt_size !== 4) return EINVAL;
    rcb.rcb_msgfilter = sockopt_getint(sopt);
    return 0;
  }
  if (sopt.sopt_name !== RO_MISSFILTER) return EINVAL;
  return op === PRCO_GETOPT ? get_missfilter(rcb, sopt) : set_missfilter(rcb, sopt);
}

function get_missfilter(rcb: RawCb, sopt: Sockopt): number {
  const all: number[] = [];
  for (const sa of rcb.rcb_missfilter) all.push(...sa);
  return sockopt_set(sopt, Uint8Array.from(all));
}

function set_missfilter(rcb: RawCb, sopt: Sockopt): number {
  const list: Uint8Array[] = [];
  if (sopt.sopt_size > RO_FILTSA_MAX) return ENOBUFS;
  for (let at = 0; at < sopt.sopt_size; ) {
    const len = sopt.sopt_data[at];
    if (len < 8 || at + len > sopt.sopt_size) return EINVAL;
    const sa = new Uint8Array(Math.max(len, 28));
    sa.set(sopt.sopt_data.subarray(at, at + len));
    list.push(sa.subarray(0, len));
    at += len;
  }
  rcb.rcb_missfilter = list;
  return 0;
}

/** PF_ROUTE for one kernel. */
export function routedomain(net: Net): Domain {
  const usrreqs = new PrUsrreqs({
    pr_attach: (so, proto) => route_attach(net, so, proto),
    pr_detach: (so) => route_detach(net, so),
    pr_disconnect: () => ENOTCONN,
    pr_shutdown: (so) => {
      socantsendmore(so);
      return 0;
    },
    pr_peeraddr: (_so, nam) => route_name(nam),
    pr_sockaddr: (_so, nam) => route_name(nam),
    pr_send: (so, m, nam, control, l) => route_send(net, so, m, nam, control, l),
  });
  const pr = new Protosw({
    pr_type: SOCK_RAW,
    pr_protocol: 0,
    pr_flags: PR_ATOMIC | PR_ADDR,
    pr_usrreqs: usrreqs,
    pr_ctloutput: (op, so, sopt) => route_ctloutput(net, op, so, sopt),
  });
  return new Domain({ dom_family: AF_ROUTE, dom_name: "route", dom_protosw: [pr] });
}
