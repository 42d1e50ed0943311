/*
 * ifioctl: what ioctl(2) on any socket does to interfaces. Address ioctls go to the protocol of the socket, device ioctls to the driver.
 */
import { EFAULT, EINVAL, ENOTTY, ENXIO, EOPNOTSUPP, EPERM } from "../../hypercall/api/errno.ts";
import { IOCPARM_LEN } from "../kern/ioccom.ts";
import { is_super, type Lwp } from "../kern/proc.ts";
import type { Socket } from "../socket/socketvar.ts";
import { AF_LINK, sa_family } from "../wire/sockaddr.ts";
import type { Ifnet } from "./if.ts";
import {
  ifr_flags,
  ifr_int,
  ifr_name,
  ifr_name_put,
  IFR_IFRU,
  IFRA_ADDR,
  IFLR_ADDR,
  OOSIOCGIFBRDADDR,
  SIOCADDMULTI,
  SIOCAIFADDR,
  SIOCALIFADDR,
  SIOCDELMULTI,
  SIOCDIFADDR,
  SIOCDLIFADDR,
  SIOCGIFADDR,
  SIOCGIFAFLAG_IN,
  SIOCGIFALIAS,
  SIOCGIFBRDADDR,
  SIOCGIFCAP,
  SIOCGIFCONF,
  SIOCGIFDATA,
  SIOCGIFDLT,
  SIOCGIFDSTADDR,
  SIOCGIFFLAGS,
  SIOCGIFINDEX,
  SIOCGIFMEDIA,
  SIOCGIFMETRIC,
  SIOCGIFMTU,
  SIOCGIFNETMASK,
  SIOCGLIFADDR,
  SIOCIFCREATE,
  SIOCIFDESTROY,
  SIOCIFGCLONERS,
  SIOCSDRVSPEC,
  SIOCSIFADDR,
  SIOCSIFBRDADDR,
  SIOCSIFCAP,
  SIOCSIFDSTADDR,
  SIOCSIFFLAGS,
  SIOCSIFMEDIA,
  SIOCSIFMETRIC,
  SIOCSIFMTU,
  SIOCSIFNETMASK,
  SIOCSLINKSTR,
  SIOCZIFDATA,
  SIZEOF_IFREQ,
  abi_view,
} from "./if_abi.ts";
import { ifunit } from "./if_attach.ts";
import { if_clone_create, if_clone_destroy } from "./if_clone.ts";
import { if_clone_list, ifconf_ioctl } from "./if_conf.ts";
import { if_getcap, if_getdata, if_getmedia, if_setcap, if_setflags, if_setmtu } from "./if_ioctl_common.ts";
import { IFF_UP } from "./if_flags.ts";
import { if_up } from "./if_link.ts";
import { if_multi_ioctl } from "./if_promisc.ts";
import { ifmedia_change } from "./if_media.ts";
import { link_control } from "./link_proto.ts";
import type { Net } from "./net.ts";

/** Requests that only the superuser may make. */
const ROOT_ONLY: ReadonlySet<number> = new Set([
  SIOCSIFADDR,
  SIOCSIFDSTADDR,
  SIOCSIFBRDADDR,
  SIOCSIFNETMASK,
  SIOCAIFADDR,
  SIOCDIFADDR,
  SIOCALIFADDR,
  SIOCDLIFADDR,
  SIOCSIFFLAGS,
  SIOCSIFMETRIC,
  SIOCSIFMTU,
  SIOCSIFCAP,
  SIOCSIFMEDIA,
  SIOCADDMULTI,
  SIOCDELMULTI,
  SIOCIFCREATE,
  SIOCIFDESTROY,
  SIOCZIFDATA,
  SIOCSDRVSPEC,
  SIOCSLINKSTR,
]);
/** Requests about addresses in a struct ifreq, struct ifaliasreq or struct if_laddrreq: the protocol's. */
const ADDRESS: ReadonlySet<number> = new Set([
  SIOCSIFADDR,
  SIOCGIFADDR,
  SIOCSIFDSTADDR,
  SIOCGIFDSTADDR,
  SIOCSIFBRDADDR,
  SIOCGIFBRDADDR,
  SIOCSIFNETMASK,
  SIOCGIFNETMASK,
  SIOCAIFADDR,
  SIOCDIFADDR,
  SIOCGIFALIAS,
  SIOCALIFADDR,
  SIOCGLIFADDR,
  SIOCDLIFADDR,
  SIOCGIFAFLAG_IN,
]);

/**
 * One interface ioctl. so names the protocol of address requests; without it (the kernel's own configuration) the family of the address in the request
 * does. ENXIO: no such interface. EPERM: not root. ENOTTY: nobody knows the request.
 */
export function ifioctl(net: Net, so: Socket | null, cmd0: number, data: Uint8Array, l: Lwp | null): number {
  const cmd = cmd0 | 0;
  if (data.length < IOCPARM_LEN(cmd)) return EFAULT;
  if (ROOT_ONLY.has(cmd) && l !== null && !is_super(l.l_proc.p_cred)) return EPERM;
  if (cmd === SIOCGIFCONF) return ifconf_ioctl(net, data);
  if (cmd === SIOCIFGCLONERS) return if_clone_list(net, data);
  if (cmd === OOSIOCGIFBRDADDR) return oifreq_ioctl(net, so, data, l);
  if (data.length < IFR_IFRU) return so === null ? ENOTTY : if_proto_ioctl(net, so, cmd, data, null, l);
  const name = ifr_name(data);
  if (cmd === SIOCIFCREATE) return if_clone_create(net, name);
  const ifp = ifunit(net, name);
  if (ifp === null)
    return ADDRESS.has(cmd) && name === "" && so !== null ? if_proto_ioctl(net, so, cmd, data, null, l) : ENXIO;
  if (cmd === SIOCIFDESTROY) return if_clone_destroy(net, ifp);
  if (ADDRESS.has(cmd)) return if_address_ioctl(net, so, cmd, data, ifp, l);
  const error = if_common_ioctl(ifp, cmd, data);
  if (error !== ENOTTY) return error;
  const from_driver = ifp.if_ioctl(ifp, cmd, data);
  if (from_driver !== ENOTTY || so === null) return from_driver;
  const from_proto = if_proto_ioctl(net, so, cmd, data, ifp, l);
  return from_proto === EOPNOTSUPP ? ENOTTY : from_proto;
}

/** The first address of an interface brings it up: the families hear of it as of `ifconfig up`. */
function if_address_ioctl(
  net: Net,
  so: Socket | null,
  cmd: number,
  data: Uint8Array,
  ifp: Ifnet,
  l: Lwp | null,
): number {
  const was_up = (ifp.if_flags & IFF_UP) !== 0;
  const error = if_proto_ioctl(net, so, cmd, data, ifp, l);
  if (!was_up && ifp.if_attached && (ifp.if_flags & IFF_UP) !== 0) if_up(ifp);
  return error;
}

/** To the protocol of the socket, or of the address. */
function if_proto_ioctl(
  net: Net,
  so: Socket | null,
  cmd: number,
  data: Uint8Array,
  ifp: Ifnet | null,
  l: Lwp | null,
): number {
  if (so !== null)
    return so.so_proto.pr_usrreqs === null ? EOPNOTSUPP : so.so_proto.pr_usrreqs.pr_ioctl(so, cmd, data, ifp);
  const laddr = cmd === SIOCALIFADDR || cmd === SIOCGLIFADDR || cmd === SIOCDLIFADDR;
  const family = sa_family(data, laddr ? IFLR_ADDR : IFRA_ADDR);
  if (family === AF_LINK && ifp !== null) return link_control(ifp, cmd, data);
  const control = net.if_af[family]?.control;
  return control === undefined ? EINVAL : control(cmd, data, ifp, l);
}

/** What every interface answers by itself. ENOTTY: not of these. */
function if_common_ioctl(ifp: Ifnet, cmd: number, data: Uint8Array): number {
  const dv = abi_view(data);
  switch (cmd) {
    case SIOCGIFFLAGS:
      dv.setUint16(IFR_IFRU, ifp.if_flags & 0xffff, true);
      return 0;
    case SIOCSIFFLAGS:
      return if_setflags(ifp, ifr_flags(data));
    case SIOCGIFMTU:
      dv.setInt32(IFR_IFRU, ifp.if_mtu, true);
      return 0;
    case SIOCSIFMTU:
      return if_setmtu(ifp, data);
    case SIOCGIFMETRIC:
      dv.setInt32(IFR_IFRU, ifp.if_metric, true);
      return 0;
    case SIOCSIFMETRIC:
      if (ifr_int(data) < 0) return EINVAL;
      ifp.if_metric = ifr_int(data);
      return 0;
    case SIOCGIFINDEX:
      dv.setInt32(IFR_IFRU, ifp.if_index, true);
      return 0;
    case SIOCGIFDLT:
      if (ifp.if_bpflist.length === 0) return EOPNOTSUPP;
      dv.setInt32(IFR_IFRU, ifp.if_bpflist[0].bif_dlt, true);
      return 0;
    case SIOCGIFDATA:
    case SIOCZIFDATA:
      return if_getdata(ifp, dv, cmd === SIOCZIFDATA);
    case SIOCADDMULTI:
    case SIOCDELMULTI:
      return if_multi_ioctl(ifp, cmd === SIOCADDMULTI, data.subarray(IFR_IFRU));
    case SIOCGIFCAP:
      return if_getcap(ifp, dv);
    case SIOCSIFCAP:
      return if_setcap(ifp, dv, data);
    case SIOCGIFMEDIA:
      return ifp.if_media === null ? ENOTTY : if_getmedia(ifp, ifp.if_media, data, dv);
    case SIOCSIFMEDIA:
      return ifp.if_media === null ? ENOTTY : ifmedia_change(ifp, ifp.if_media, ifr_int(data));
    default:
      return ENOTTY;
  }
}

/** SIOCGIFBRDADDR with struct oifreq, whose sockaddr has a 16-bit family and no length. */
function oifreq_ioctl(net: Net, so: Socket | null, data: Uint8Array, l: Lwp | null): number {
  const req = new Uint8Array(SIZEOF_IFREQ);
  ifr_name_put(req, 0, ifr_name(data));
  req.set(data.subarray(IFR_IFRU, IFR_IFRU + 16), IFR_IFRU);
  if (so === null) req[IFR_IFRU + 1] = data[IFR_IFRU];
  const error = ifioctl(net, so, SIOCGIFBRDADDR, req, l);
  if (error !== 0) return error;
  data.set(req.subarray(IFR_IFRU, IFR_IFRU + 16), IFR_IFRU);
  data[IFR_IFRU] = req[IFR_IFRU + 1];
  data[IFR_IFRU + 1] = 0;
  return 0;
}
