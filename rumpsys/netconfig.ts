/**
 * rump_pub_netconfig_*: configuring interfaces and routes without tools, as buildrump's libnetconfig does. Each returns 0 or an errno
 * and does its work by ioctl(2) and route(4), in the current process of the kernel.
 */
import { EADDRNOTAVAIL, EINVAL, ENOBUFS } from "../hypercall/api/errno.ts";
import {
  SIOCAIFADDR,
  SIOCDIFADDR,
  SIOCGIFFLAGS,
  SIOCIFCREATE,
  SIOCIFDESTROY,
  SIOCSIFFLAGS,
  SIOCSIFMTU,
  SIOCSLINKSTR,
  IFLINKSTR_UNSET,
  ifaliasreq,
  ifdrv,
  ifr_flags,
  ifreq,
  ifreq_addr,
  ifreq_flags,
  ifreq_int,
} from "../kernel-components/net/if_abi.ts";
import { IFF_UP } from "../kernel-components/net/if_flags.ts";
import {
  RTF_GATEWAY,
  RTF_HOST,
  RTF_STATIC,
  RTF_UP,
  RTM_ADD,
  RTM_DELETE,
  RtInfo,
} from "../kernel-components/net/rtentry.ts";
import {
  RTM_ERRNO_OFF,
  RTM_FLAGS_OFF,
  RTM_SEQ_OFF,
  RTM_ADDRS_OFF,
  SIZEOF_RT_MSGHDR,
  rt_msg_build,
} from "../kernel-components/net/rtsock_abi.ts";
import { AF_INET, PF_INET, PF_ROUTE, SOCK_DGRAM, SOCK_RAW } from "../kernel-components/socket/socket_abi.ts";
import { inet_pton4 } from "../kernel-components/wire/inet_addr.ts";
import { mk_sockaddr_in } from "../kernel-components/wire/sockaddr.ts";
import { rump_errno, rump_sys_socket, rump_sys_write } from "./rump_sys.ts";
import { rump_sys_close, rump_sys_ioctl } from "./rump_sys_fd.ts";
import type { RumpKernel } from "./rump_kernel.ts";

/** Does one ioctl on a fresh datagram socket. 0 or an errno. */
function ifioctl(rk: RumpKernel, cmd: number, data: Uint8Array): number {
  const fd = rump_sys_socket(rk, PF_INET, SOCK_DGRAM, 0);
  if (fd < 0) return rump_errno(rk);
  const error = rump_sys_ioctl(rk, fd, cmd, data) < 0 ? rump_errno(rk) : 0;
  rump_sys_close(rk, fd);
  return error;
}

/** Creates a cloned interface such as "shmif0". */
export function rump_pub_netconfig_ifcreate(rk: RumpKernel, ifname: string): number {
  return ifioctl(rk, SIOCIFCREATE, ifreq(ifname));
}

/** Destroys a cloned interface. */
export function rump_pub_netconfig_ifdestroy(rk: RumpKernel, ifname: string): number {
  return ifioctl(rk, SIOCIFDESTROY, ifreq(ifname));
}

function ifflags(rk: RumpKernel, ifname: string, set: number, clear: number): number {
  const req = ifreq(ifname);
  const error = ifioctl(rk, SIOCGIFFLAGS, req);
  if (error !== 0) return error;
  return ifioctl(rk, SIOCSIFFLAGS, ifreq_flags(ifname, (ifr_flags(req) & ~clear) | set));
}

/** Sets an interface up. */
export function rump_pub_netconfig_ifup(rk: RumpKernel, ifname: string): number {
  return ifflags(rk, ifname, IFF_UP, 0);
}

/** Sets an interface down. */
export function rump_pub_netconfig_ifdown(rk: RumpKernel, ifname: string): number {
  return ifflags(rk, ifname, 0, IFF_UP);
}

/** Plugs an interface into its bus, tap or wire; "" unplugs it. */
export function rump_pub_netconfig_ifsetlinkstr(rk: RumpKernel, ifname: string, linkstr: string): number {
  const text = new TextEncoder().encode(`${linkstr}\0`);
  return ifioctl(
    rk,
    SIOCSLINKSTR,
    linkstr === "" ? ifdrv(ifname, IFLINKSTR_UNSET, new Uint8Array(0)) : ifdrv(ifname, 0, text),
  );
}

/** Sets the MTU in bytes. */
export function rump_pub_netconfig_ifmtu(rk: RumpKernel, ifname: string, mtu: number): number {
  return ifioctl(rk, SIOCSIFMTU, ifreq_int(ifname, mtu));
}

/** Adds an IPv4 address with a mask, both dotted quads. EINVAL if one is not. */
export function rump_pub_netconfig_ipv4_ifaddr(rk: RumpKernel, ifname: string, addr: string, mask: string): number {
  const a = inet_pton4(addr);
  const m = inet_pton4(mask);
  if (!a.ok || !m.ok) return EINVAL;
  return ipv4_add(rk, ifname, a.addr, m.addr);
}

/** Adds an IPv4 address with a prefix length, 0..32. */
export function rump_pub_netconfig_ipv4_ifaddr_cidr(
  rk: RumpKernel,
  ifname: string,
  addr: string,
  prefixlen: number,
): number {
  const a = inet_pton4(addr);
  if (!a.ok || !Number.isInteger(prefixlen) || prefixlen < 0 || prefixlen > 32) return EINVAL;
  return ipv4_add(rk, ifname, a.addr, prefix_mask(prefixlen));
}

function prefix_mask(prefixlen: number): number {
  return prefixlen === 0 ? 0 : (-1 << (32 - prefixlen)) | 0;
}

function ipv4_add(rk: RumpKernel, ifname: string, addr: number, mask: number): number {
  const broadcast = mk_sockaddr_in(addr | ~mask);
  return ifioctl(rk, SIOCAIFADDR, ifaliasreq(ifname, mk_sockaddr_in(addr), broadcast, mk_sockaddr_in(mask)));
}

/** Removes an IPv4 address. EADDRNOTAVAIL if the interface does not have it. */
export function rump_pub_netconfig_ipv4_ifdel(rk: RumpKernel, ifname: string, addr: string): number {
  const a = inet_pton4(addr);
  return a.ok ? ifioctl(rk, SIOCDIFADDR, ifreq_addr(ifname, mk_sockaddr_in(a.addr))) : EADDRNOTAVAIL;
}

/** Sets the default route. EEXIST if there is one. */
export function rump_pub_netconfig_ipv4_gw(rk: RumpKernel, gateway: string): number {
  return rump_pub_netconfig_ipv4_route(rk, "0.0.0.0", 0, gateway);
}

/** Adds a route to a network (prefix length 32: to a host) by a gateway. */
export function rump_pub_netconfig_ipv4_route(rk: RumpKernel, dst: string, prefixlen: number, gateway: string): number {
  return route_message(rk, RTM_ADD, dst, prefixlen, gateway);
}

/** Removes a route. ESRCH if there is none. */
export function rump_pub_netconfig_ipv4_routedel(rk: RumpKernel, dst: string, prefixlen: number): number {
  return route_message(rk, RTM_DELETE, dst, prefixlen, null);
}

function route_message(rk: RumpKernel, type: number, dst: string, prefixlen: number, gateway: string | null): number {
  const d = inet_pton4(dst);
  const g = inet_pton4(gateway ?? "0.0.0.0");
  if (!d.ok || !g.ok || !Number.isInteger(prefixlen) || prefixlen < 0 || prefixlen > 32) return EINVAL;
  const info = new RtInfo();
  info.rti_dst = mk_sockaddr_in(d.addr);
  if (gateway !== null) info.rti_gateway = mk_sockaddr_in(g.addr);
  if (prefixlen < 32) info.rti_netmask = mk_sockaddr_in(prefix_mask(prefixlen));
  const msg = rt_msg_build(type, SIZEOF_RT_MSGHDR, info);
  const dv = new DataView(msg.buffer);
  const flags = RTF_UP | RTF_STATIC | (gateway !== null ? RTF_GATEWAY : 0) | (prefixlen === 32 ? RTF_HOST : 0);
  dv.setInt32(RTM_FLAGS_OFF, flags, true);
  dv.setInt32(RTM_ADDRS_OFF, info.rti_addrs, true);
  dv.setInt32(RTM_SEQ_OFF, 1, true);
  dv.setInt32(RTM_ERRNO_OFF, 0, true);
  return route_write(rk, msg);
}

function route_write(rk: RumpKernel, msg: Uint8Array): number {
  const fd = rump_sys_socket(rk, PF_ROUTE, SOCK_RAW, AF_INET);
  if (fd < 0) return rump_errno(rk);
  const n = rump_sys_write(rk, fd, msg, msg.length);
  const error = n === msg.length ? 0 : n < 0 ? rump_errno(rk) : ENOBUFS;
  rump_sys_close(rk, fd);
  return error;
}
