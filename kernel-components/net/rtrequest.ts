/*
 * Changing the routing tables: rtrequest, rtinit and what follows from them.
 */
import { EAFNOSUPPORT, EEXIST, EINVAL, ENETUNREACH, ENOBUFS, EOPNOTSUPP, ESRCH } from "../../hypercall/api/errno.ts";
import { AF_INET, AF_LINK, mk_sockaddr_dl, sa_family, sa_len, sin_addr } from "../wire/sockaddr.ts";
import type { Ifaddr, Ifnet } from "./if.ts";
import { IFA_ROUTE } from "./if.ts";
import { ifa_ifwithaddr, ifa_ifwithroute, ifaof_ifpforaddr, if_withsdl } from "./ifa.ts";
import type { Net } from "./net.ts";
import { rn_addroute, rn_delete, rn_key, rn_lookup, rn_maskkey, rn_masklen, type RadixHead } from "./radix.ts";
import { rt_generation_bump, rt_match, rt_table, rt_walktree } from "./route.ts";
import {
  PRESERVED_RTF,
  RTF_CLONED,
  RTF_CLONING,
  RTF_CONNECTED,
  RTF_DONTCHANGEIFA,
  RTF_GATEWAY,
  RTF_HOST,
  RTF_LOCAL,
  RTF_STATIC,
  RTF_UP,
  RTM_ADD,
  RTM_CHANGE,
  RTM_DELADDR,
  RTM_DELETE,
  RTM_GET,
  RTM_NEWADDR,
  RtInfo,
  RtOut,
  Rtentry,
} from "./rtentry.ts";
import { rt_timer_cancel, rt_timer_expire } from "./rt_timer.ts";
import { rt_addrmsg, rt_newmsg } from "./rtsock_notify.ts";

/** Most routes of one family that cloning may make, so that a scan of addresses cannot fill memory. */
export const RT_MAXCLONES = 65536;

/**
 * Adds, deletes, changes or finds a route (rtrequest1). out, if given, gets the route, referenced also when it was just deleted. EEXIST, ESRCH,
 * ENETUNREACH (no interface leads there), EAFNOSUPPORT, EINVAL (a mask that is not contiguous, or neither a mask nor RTF_HOST).
 */
export function rtrequest(net: Net, req: number, info: RtInfo, out: RtOut | null): number {
  const dst = info.rti_dst;
  if (dst === null) return EINVAL;
  const head = rt_table(net, sa_family(dst));
  if (head === null) return EAFNOSUPPORT;
  const bits = head.rnh_len * 8;
  const mask = (info.rti_flags & RTF_HOST) !== 0 ? null : info.rti_netmask;
  const plen = mask === null ? bits : rn_masklen(head, mask);
  if (plen < 0) return EINVAL;
  switch (req) {
    case RTM_ADD:
      if (mask === null && (info.rti_flags & RTF_HOST) === 0) return EINVAL;
      return rt_add(net, head, info, mask, plen, out);
    case RTM_DELETE:
    case RTM_GET:
    case RTM_CHANGE: {
      const key = rn_key(head, dst);
      rn_maskkey(key, plen);
      const rt = rn_lookup(head, key, plen);
      if (rt === null) return ESRCH;
      if (out !== null) {
        out.rt = rt;
        rt.rt_refcnt++;
      }
      if (req === RTM_DELETE) rt_delete(net, rt);
      return req === RTM_CHANGE ? rt_change(net, rt, info) : 0;
    }
    default:
      return EOPNOTSUPP;
  }
}

/** Finds the interface and address of a request, if it does not name them: ENETUNREACH if there are none. */
export function rt_getifa(net: Net, info: RtInfo): number {
  const dst = info.rti_dst;
  const gateway = info.rti_gateway;
  if (info.rti_ifp === null && info.rti_ifpaddr !== null) {
    info.rti_ifp = if_withsdl(net, info.rti_ifpaddr);
    if (info.rti_ifp === null && sa_family(info.rti_ifpaddr) !== AF_LINK)
      info.rti_ifp = ifa_ifwithaddr(net, info.rti_ifpaddr)?.ifa_ifp ?? null;
    if (info.rti_ifp === null) return ENETUNREACH;
  }
  if (info.rti_ifa === null && info.rti_ifaaddr !== null) info.rti_ifa = ifa_ifwithaddr(net, info.rti_ifaaddr);
  if (info.rti_ifa === null && dst !== null) {
    const gatewayed = (info.rti_flags & RTF_GATEWAY) !== 0;
    if (info.rti_ifp === null && gateway !== null && sa_family(gateway) === AF_LINK)
      info.rti_ifp = if_withsdl(net, gateway);
    const toward = gateway === null || sa_family(gateway) !== sa_family(dst) ? dst : gateway;
    if (info.rti_ifp !== null) info.rti_ifa = ifaof_ifpforaddr(toward, info.rti_ifp) ?? info.rti_ifp.if_dl;
    else info.rti_ifa = ifa_ifwithroute(net, gatewayed, dst, gateway ?? dst, (sa) => rt_match(net, sa));
  }
  if (info.rti_ifa === null) return ENETUNREACH;
  info.rti_ifp ??= info.rti_ifa.ifa_ifp;
  return 0;
}

/** A sockaddr of the table's family with these address bytes: the form in which keys are kept. */
function key_sockaddr(head: RadixHead<Rtentry>, dst: Uint8Array, key: Uint8Array): Uint8Array {
  const sa = new Uint8Array(Math.max(16, head.rnh_off + head.rnh_len + (head.rnh_len === 16 ? 4 : 0)));
  sa[0] = sa.length;
  sa[1] = sa_family(dst);
  sa.set(key, head.rnh_off);
  return sa;
}

/** A mask of plen bits as a sockaddr. */
export function rt_mask_of(head: RadixHead<Rtentry>, af: number, plen: number): Uint8Array {
  const key = new Uint8Array(head.rnh_len).fill(0xff);
  rn_maskkey(key, plen);
  return key_sockaddr(head, Uint8Array.of(0, af), key);
}

function rt_add(
  net: Net,
  head: RadixHead<Rtentry>,
  info: RtInfo,
  mask: Uint8Array | null,
  plen: number,
  out: RtOut | null,
): number {
  const error = rt_getifa(net, info);
  const dst = info.rti_dst;
  const ifa = info.rti_ifa;
  const ifp = info.rti_ifp;
  if (error !== 0) return error;
  if (dst === null || ifa === null || ifp === null) return EINVAL;
  const key = rn_key(head, dst);
  rn_maskkey(key, plen);
  const old = rn_lookup(head, key, plen);
  if (old !== null) {
    if ((old.rt_flags & RTF_CLONED) === 0 || (info.rti_flags & RTF_CLONED) !== 0) return EEXIST;
    rt_delete(net, old);
  }
  const gateway = info.rti_gateway ?? link_gateway(ifp);
  const flags = (info.rti_flags & ~RTF_DONTCHANGEIFA) | RTF_UP;
  const rt = new Rtentry(
    key_sockaddr(head, dst, key),
    mask === null ? null : rt_mask_of(head, sa_family(dst), plen),
    gateway.slice(),
    flags,
    ifa,
    ifp,
  );
  rt.rt_plen = plen;
  rt.rt_dst4 = sa_family(dst) === AF_INET ? sin_addr(rt.rt_key) : 0;
  rt.rt_tag = info.rti_tag?.slice() ?? null;
  const gw_error = rt_setgate(net, rt, gateway);
  if (gw_error !== 0) return gw_error;
  rt.rt_node = rn_addroute(head, key, plen, rt);
  if (rt.rt_node === null) return ENOBUFS;
  ifa.ifa_refcnt++;
  rt_generation_bump(net);
  if (ifa.ifa_rtrequest !== null) ifa.ifa_rtrequest(RTM_ADD, rt);
  if (out !== null) {
    out.rt = rt;
    rt.rt_refcnt++;
  }
  return 0;
}

/** sockaddr_dl of an interface without name and address: "link#2". */
export function link_gateway(ifp: Ifnet): Uint8Array {
  return mk_sockaddr_dl(ifp.if_index, ifp.if_type);
}

/** Sets the gateway. EINVAL: a gateway of another family than the destination, or the destination itself as its own gateway. */
export function rt_setgate(net: Net, rt: Rtentry, gateway: Uint8Array): number {
  const af = sa_family(rt.rt_key);
  if ((rt.rt_flags & RTF_GATEWAY) !== 0) {
    if (sa_family(gateway) !== af || sa_len(gateway) > gateway.length) return EINVAL;
    if (af === AF_INET && (rt.rt_flags & RTF_HOST) !== 0 && sin_addr(gateway) === rt.rt_dst4) return EINVAL;
  }
  rt.rt_gateway = gateway.slice();
  rt.rt_gw4 = (rt.rt_flags & RTF_GATEWAY) !== 0 && af === AF_INET ? sin_addr(gateway) : 0;
  rt.rt_gwroute = null;
  rt.rt_gwgen = 0;
  rt_generation_bump(net);
  return 0;
}

/** Takes a route out of its table, with the routes cloned from it, and tells the link layer. */
export function rt_delete(net: Net, rt: Rtentry): void {
  const head = rt_table(net, sa_family(rt.rt_key));
  if (head === null || rt.rt_node === null) return;
  rn_delete(head, rt.rt_node);
  rt.rt_node = null;
  rt.rt_flags &= ~RTF_UP;
  rt_timer_cancel(net, rt);
  rt_generation_bump(net);
  if ((rt.rt_flags & RTF_CLONING) !== 0) {
    rt_walktree(net, sa_family(rt.rt_key), (child) => {
      if (child.rt_parent === rt) rt_delete(net, child);
      return 0;
    });
  }
  if (rt.rt_ifa.ifa_rtrequest !== null) rt.rt_ifa.ifa_rtrequest(RTM_DELETE, rt);
  rt.rt_ifa.ifa_refcnt--;
  rt.rt_gwroute = null;
  rt.rt_parent = null;
}

/** Deletes a route whose time has come. */
export function rt_expired(net: Net, rt: Rtentry): void {
  rt_delete(net, rt);
  rt_newmsg(net, RTM_DELETE, rt);
}

/** RTM_CHANGE: exactly the fields that the request names are changed. */
export function rt_change(net: Net, rt: Rtentry, info: RtInfo): number {
  const gateway = info.rti_gateway;
  if (
    gateway !== null ||
    info.rti_ifpaddr !== null ||
    info.rti_ifaaddr !== null ||
    info.rti_ifa !== null ||
    info.rti_ifp !== null
  ) {
    const want = new RtInfo();
    want.rti_dst = rt.rt_key;
    want.rti_gateway = gateway ?? ((rt.rt_flags & RTF_GATEWAY) !== 0 ? rt.rt_gateway : null);
    want.rti_flags = gateway === null ? rt.rt_flags : info.rti_flags;
    want.rti_ifpaddr = info.rti_ifpaddr;
    want.rti_ifaaddr = info.rti_ifaaddr;
    want.rti_ifa = info.rti_ifa;
    want.rti_ifp = info.rti_ifp;
    const error = rt_getifa(net, want);
    if (error !== 0) return error;
    if (want.rti_ifa === null || want.rti_ifp === null) return ENETUNREACH;
    const old_flags = rt.rt_flags;
    if (gateway !== null) {
      rt.rt_flags = (rt.rt_flags & ~RTF_GATEWAY) | (sa_family(gateway) === AF_LINK ? 0 : info.rti_flags & RTF_GATEWAY);
      const gw_error = rt_setgate(net, rt, gateway);
      if (gw_error !== 0) {
        rt.rt_flags = old_flags;
        return gw_error;
      }
    }
    const moved = want.rti_ifp !== rt.rt_ifp;
    if ((info.rti_flags & RTF_DONTCHANGEIFA) === 0 || info.rti_ifaaddr !== null) rt_replace_ifa(rt, want.rti_ifa);
    rt.rt_ifp = want.rti_ifp;
    if (moved && gateway === null && (rt.rt_flags & RTF_GATEWAY) === 0 && sa_family(rt.rt_gateway) === AF_LINK)
      rt.rt_gateway = link_gateway(rt.rt_ifp);
  }
  if (info.rti_tag !== null) rt.rt_tag = info.rti_tag.slice();
  rt.rt_flags = (info.rti_flags & ~(PRESERVED_RTF | RTF_DONTCHANGEIFA)) | (rt.rt_flags & PRESERVED_RTF);
  rt_generation_bump(net);
  if (rt.rt_ifa.ifa_rtrequest !== null) rt.rt_ifa.ifa_rtrequest(RTM_CHANGE, rt);
  return 0;
}

/** Gives a route another address of an interface; both link layers hear of it. */
export function rt_replace_ifa(rt: Rtentry, ifa: Ifaddr): void {
  if (rt.rt_ifa === ifa) return;
  rt.rt_ifa.ifa_rtrequest?.(RTM_DELETE, rt);
  rt.rt_ifa.ifa_refcnt--;
  ifa.ifa_refcnt++;
  rt.rt_ifa = ifa;
}

/** The host route that a RTF_CLONING route makes for a destination, or null if there are too many. */
export function rt_clone(net: Net, parent: Rtentry, dst: Uint8Array): Rtentry | null {
  const head = rt_table(net, sa_family(dst));
  if (head === null || head.rnh_count >= RT_MAXCLONES) return null;
  const info = new RtInfo();
  const out = new RtOut();
  info.rti_dst = dst;
  info.rti_gateway = parent.rt_gateway;
  info.rti_flags = (parent.rt_flags & ~(RTF_CLONING | RTF_STATIC | RTF_CONNECTED)) | RTF_HOST | RTF_CLONED;
  info.rti_ifa = parent.rt_ifa;
  info.rti_ifp = parent.rt_ifp;
  if (rtrequest(net, RTM_ADD, info, out) !== 0 || out.rt === null) return null;
  const rt = out.rt;
  rt.rt_refcnt--;
  rt.rt_parent = parent;
  rt.rt_rmx.rmx_mtu = parent.rt_rmx.rmx_mtu;
  rt_newmsg(net, RTM_ADD, rt);
  return rt;
}

/** Sets when a route dies (uptime second, 0 never), and its timer. */
export function rt_set_expire(net: Net, rt: Rtentry, expire: number): void {
  rt.rt_rmx.rmx_expire = expire;
  rt_timer_expire(net, rt, rt_expired);
}

/**
 * Adds or deletes the route that belongs to an interface address: to its net (RTF_CONNECTED for a broadcast link), or with RTF_HOST to its peer.
 * Routing sockets hear of the route, not of the address (rt_addrmsg).
 */
export function rtinit(ifa: Ifaddr, cmd: number, flags: number): number {
  const net = ifa.ifa_ifp.if_net;
  const info = new RtInfo();
  const out = new RtOut();
  info.rti_flags = flags | (ifa.ifa_flags & ~(IFA_ROUTE | 0x02));
  info.rti_dst = (flags & RTF_HOST) !== 0 && ifa.ifa_dstaddr !== null ? ifa.ifa_dstaddr : ifa.ifa_addr;
  info.rti_netmask = (flags & RTF_HOST) !== 0 ? null : ifa.ifa_netmask;
  info.rti_gateway = (flags & RTF_CONNECTED) !== 0 ? link_gateway(ifa.ifa_ifp) : ifa.ifa_addr;
  info.rti_ifa = ifa;
  info.rti_ifp = ifa.ifa_ifp;
  if (cmd === RTM_DELETE) {
    const probe = rtrequest(net, RTM_GET, info, out);
    if (probe !== 0 || out.rt === null) return probe;
    out.rt.rt_refcnt--;
    if (out.rt.rt_ifa !== ifa) return ESRCH;
    out.rt = null;
  }
  const error = rtrequest(net, cmd, info, out);
  if (error !== 0 || out.rt === null) return error;
  out.rt.rt_refcnt--;
  if (cmd === RTM_ADD) ifa.ifa_flags |= IFA_ROUTE;
  else if (cmd === RTM_DELETE) ifa.ifa_flags &= ~IFA_ROUTE;
  rt_newmsg(net, cmd, out.rt);
  return 0;
}

/** Adds the route by which we reach our own address: a host route over lo0, RTF_LOCAL. Tells routing sockets of the route and of RTM_NEWADDR. */
export function rt_ifa_addlocal(ifa: Ifaddr): number {
  const error = rt_ifa_local(ifa, RTM_ADD);
  rt_addrmsg(RTM_NEWADDR, ifa);
  return error === EEXIST ? 0 : error;
}

/** Removes it, or hands it to another address with the same value. Tells of RTM_DELADDR. */
export function rt_ifa_remlocal(ifa: Ifaddr, alt: Ifaddr | null): number {
  rt_addrmsg(RTM_DELADDR, ifa);
  const net = ifa.ifa_ifp.if_net;
  const head = rt_table(net, sa_family(ifa.ifa_addr));
  if (head === null) return EAFNOSUPPORT;
  const rt = rn_lookup(head, rn_key(head, ifa.ifa_addr), head.rnh_len * 8);
  if (rt === null || (rt.rt_flags & RTF_LOCAL) === 0) return ESRCH;
  if (alt === null) return rt_ifa_local(ifa, RTM_DELETE);
  rt_replace_ifa(rt, alt);
  rt_generation_bump(net);
  return 0;
}

function rt_ifa_local(ifa: Ifaddr, cmd: number): number {
  const net = ifa.ifa_ifp.if_net;
  const info = new RtInfo();
  const out = new RtOut();
  info.rti_flags = RTF_HOST | RTF_LOCAL;
  info.rti_dst = ifa.ifa_addr;
  info.rti_gateway = link_gateway(ifa.ifa_ifp);
  info.rti_ifa = ifa;
  info.rti_ifp = net.lo0ifp ?? ifa.ifa_ifp;
  const error = rtrequest(net, cmd, info, out);
  if (error !== 0 || out.rt === null) return error;
  out.rt.rt_refcnt--;
  rt_newmsg(net, cmd, out.rt);
  return 0;
}

/** Deletes every route that goes over an interface or uses one of its addresses. */
export function rt_purge_ifp(net: Net, ifp: Ifnet): void {
  rt_walktree(net, 0, (rt) => {
    if (rt.rt_node === null || (rt.rt_ifp !== ifp && rt.rt_ifa.ifa_ifp !== ifp)) return 0;
    rt_delete(net, rt);
    rt_newmsg(net, RTM_DELETE, rt);
    return 0;
  });
}

/** Deletes every route that uses an address, which is going away. */
export function rt_purge_ifa(net: Net, ifa: Ifaddr): void {
  rt_walktree(net, 0, (rt) => {
    if (rt.rt_node === null || rt.rt_ifa !== ifa) return 0;
    rt_delete(net, rt);
    rt_newmsg(net, RTM_DELETE, rt);
    return 0;
  });
}
