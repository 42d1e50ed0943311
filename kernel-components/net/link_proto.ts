/*
 * The link domain (PF_LINK): sockets whose only use is to read and change the hardware addresses of interfaces (`ifconfig tst0 link 02:..:01 active`).
 *
 * An interface has one active address, if_dl, first in if_addrlist, and maybe others that SIOCALIFADDR has added. The address the driver attached with is the
 * factory one: it comes back when the active one is deleted, and cannot be deleted itself.
 */
import { EADDRNOTAVAIL, EBUSY, EINVAL, EISCONN, ENOTTY, EOPNOTSUPP } from "../../hypercall/api/errno.ts";
import { Domain } from "../socket/domain.ts";
import { PR_ADDR, PR_ATOMIC, Protosw, PrUsrreqs } from "../socket/protosw.ts";
import { SOCK_DGRAM } from "../socket/socket_abi.ts";
import type { Socket } from "../socket/socketvar.ts";
import { ETHER_IS_MULTICAST, ether_addr_hi } from "../wire/ether.ts";
import { AF_LINK, mk_sockaddr_dl, sa_family, sdl_alen, sdl_lladdr, sockaddr_check } from "../wire/sockaddr.ts";
import { if_set_lladdr } from "./ether_attach.ts";
import { Ifaddr, type Ifnet } from "./if.ts";
import {
  abi_view,
  IFLR_ACTIVE,
  IFLR_ADDR,
  IFLR_FACTORY,
  IFLR_FLAGS,
  IFLR_PREFIX,
  IFLR_PREFIXLEN,
  SIOCALIFADDR,
  SIOCDLIFADDR,
  SIOCGLIFADDR,
  SIOCINITIFADDR,
  SIZEOF_IFALIASREQ,
  ifr_name_put,
  IFRA_ADDR,
} from "./if_abi.ts";
import { if_of_ref, ifa_insert, ifa_remove } from "./if_attach.ts";
import { AF_MAX, type Net } from "./net.ts";
import { RTM_CHGADDR, RTM_DELADDR, RTM_NEWADDR } from "./rtentry.ts";
import { rt_addrmsg } from "./rtsock_notify.ts";

/** Where the link domain keeps an interface's factory address in if_afdata: set when the active one first differs. */
function factory(ifp: Ifnet): Uint8Array {
  const kept = ifp.if_afdata[AF_LINK];
  return kept instanceof Uint8Array ? kept : ifp.if_lladdr;
}

/** The hardware address in a request, or null if it is not one that the interface could have. */
function request_lladdr(ifp: Ifnet, data: Uint8Array): Uint8Array | null {
  const sa = data.slice(IFLR_ADDR, IFLR_ADDR + 128);
  if (sa_family(sa) !== AF_LINK || sockaddr_check(sa) !== 0 || sdl_alen(sa) !== ifp.if_addrlen || ifp.if_addrlen === 0)
    return null;
  const ll = sdl_lladdr(sa);
  return ETHER_IS_MULTICAST(ether_addr_hi(ll)) ? null : ll;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((v, n) => v === b[n]);
}

/** The address of an interface with these bytes, or null. */
function find_lladdr(ifp: Ifnet, ll: Uint8Array): Ifaddr | null {
  return (
    ifp.if_addrlist.find((ifa) => sa_family(ifa.ifa_addr) === AF_LINK && same(sdl_lladdr(ifa.ifa_addr), ll)) ?? null
  );
}

/** Makes an address the one that frames carry. The driver hears of it (SIOCINITIFADDR with the address) and may refuse; protocols hear afterwards. */
function activate(ifp: Ifnet, ll: Uint8Array): number {
  const old = ifp.if_lladdr;
  if (same(old, ll)) return 0;
  if (!(ifp.if_afdata[AF_LINK] instanceof Uint8Array)) ifp.if_afdata[AF_LINK] = old;
  const up = ifp.if_flags;
  if_set_lladdr(ifp, ll);
  const req = new Uint8Array(SIZEOF_IFALIASREQ);
  ifr_name_put(req, 0, ifp.if_xname);
  req.set(mk_sockaddr_dl(0, 0, "", ll), IFRA_ADDR);
  const error = ifp.if_ioctl(ifp, SIOCINITIFADDR, req);
  if (error !== 0 && error !== ENOTTY) {
    if_set_lladdr(ifp, old);
    ifp.if_flags = up;
    return error;
  }
  if (ifp.if_dl !== null) rt_addrmsg(RTM_CHGADDR, ifp.if_dl);
  for (let af = 0; af < AF_MAX; af++) ifp.if_net.if_af[af]?.lladdr_change?.(ifp);
  return 0;
}

/** SIOCALIFADDR, SIOCDLIFADDR, SIOCGLIFADDR on hardware addresses. The caller has checked for root. */
export function link_control(ifp: Ifnet, cmd: number, data: Uint8Array): number {
  const dv = abi_view(data);
  const flags = dv.getUint32(IFLR_FLAGS, true);
  switch (cmd) {
    case SIOCALIFADDR:
      return (flags & IFLR_FACTORY) !== 0 ? EINVAL : link_add(ifp, data, (flags & IFLR_ACTIVE) !== 0);
    case SIOCDLIFADDR:
      return link_delete(ifp, data);
    case SIOCGLIFADDR:
      return link_get(ifp, data, dv, (flags & IFLR_PREFIX) !== 0);
    default:
      return EOPNOTSUPP;
  }
}

function link_add(ifp: Ifnet, data: Uint8Array, active: boolean): number {
  const ll = request_lladdr(ifp, data);
  if (ll === null) return EINVAL;
  const old_active = ifp.if_lladdr;
  let ifa = find_lladdr(ifp, ll);
  if (ifa === null && !active) {
    ifa = new Ifaddr(ifp, mk_sockaddr_dl(ifp.if_index, ifp.if_type, ifp.if_xname, ll));
    ifa_insert(ifp, ifa);
    rt_addrmsg(RTM_NEWADDR, ifa);
  }
  if (!active || same(old_active, ll)) return 0;
  const error = activate(ifp, ll);
  if (error !== 0) return error;
  if (ifa !== null) ifa_remove(ifp, ifa);
  ifa_insert(ifp, new Ifaddr(ifp, mk_sockaddr_dl(ifp.if_index, ifp.if_type, ifp.if_xname, old_active)));
  return 0;
}

function link_delete(ifp: Ifnet, data: Uint8Array): number {
  const ll = request_lladdr(ifp, data);
  if (ll === null) return EINVAL;
  const ifa = find_lladdr(ifp, ll);
  if (ifa === null) return EADDRNOTAVAIL;
  const own = factory(ifp);
  if (same(own, ll)) return EBUSY;
  if (ifa === ifp.if_dl) {
    const error = activate(ifp, own);
    if (error !== 0) return error;
    const spare = ifp.if_addrlist.find(
      (a) => a !== ifp.if_dl && sa_family(a.ifa_addr) === AF_LINK && same(sdl_lladdr(a.ifa_addr), own),
    );
    if (spare !== undefined) ifa_remove(ifp, spare);
    return 0;
  }
  rt_addrmsg(RTM_DELADDR, ifa);
  ifa_remove(ifp, ifa);
  return 0;
}

/** The active address, or with IFLR_PREFIX the first that begins with the bits given. */
function link_get(ifp: Ifnet, data: Uint8Array, dv: DataView, by_prefix: boolean): number {
  let ifa = ifp.if_dl;
  if (by_prefix) {
    const ll = sdl_lladdr(data.slice(IFLR_ADDR, IFLR_ADDR + 128));
    const bits = dv.getUint32(IFLR_PREFIXLEN, true);
    if (bits > ll.length * 8) return EINVAL;
    ifa =
      ifp.if_addrlist.find((a) => sa_family(a.ifa_addr) === AF_LINK && has_prefix(sdl_lladdr(a.ifa_addr), ll, bits)) ??
      null;
  }
  if (ifa === null || ifp.if_addrlen === 0) return EADDRNOTAVAIL;
  const is_factory = same(sdl_lladdr(ifa.ifa_addr), factory(ifp));
  dv.setUint32(IFLR_FLAGS, ((ifa === ifp.if_dl ? IFLR_ACTIVE : 0) | (is_factory ? IFLR_FACTORY : 0)) >>> 0, true);
  dv.setUint32(IFLR_PREFIXLEN, ifp.if_addrlen * 8, true);
  data.fill(0, IFLR_ADDR, IFLR_ADDR + 128);
  data.set(ifa.ifa_addr.subarray(0, 128), IFLR_ADDR);
  return 0;
}

function has_prefix(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  if (a.length * 8 < bits) return false;
  for (let n = 0; n < bits; n++) if ((((a[n >> 3] ^ b[n >> 3]) >> (7 - (n & 7))) & 1) !== 0) return false;
  return true;
}

/** The control block of a link socket: only that there is one. */
class LinkPcb {
  readonly lp_so: Socket;
  constructor(so: Socket) {
    this.lp_so = so;
  }
}

/** PF_LINK for one kernel. */
export function linkdomain(net: Net): Domain {
  const usrreqs = new PrUsrreqs({
    pr_attach: (so) => {
      if (so.so_pcb !== null) return EISCONN;
      so.so_pcb = new LinkPcb(so);
      return 0;
    },
    pr_detach: (so) => {
      so.so_pcb = null;
    },
    pr_ioctl: (_so, cmd, data, ref) => {
      const ifp = if_of_ref(net, ref);
      return ifp === null ? EOPNOTSUPP : link_control(ifp, cmd, data);
    },
  });
  const pr = new Protosw({ pr_type: SOCK_DGRAM, pr_protocol: 0, pr_flags: PR_ATOMIC | PR_ADDR, pr_usrreqs: usrreqs });
  return new Domain({ dom_family: AF_LINK, dom_name: "link", dom_protosw: [pr] });
}
