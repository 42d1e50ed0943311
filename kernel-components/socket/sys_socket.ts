/**
 * A socket as a file: read, write, ioctl, poll, close, stat, fcntl. Source: NetBSD ioctl(2), socket(2).
 */
import { ENOTTY, EOPNOTSUPP, EPIPE } from "../../hypercall/api/errno.ts";
import { F_SETFL, FASYNC, FNONBLOCK, FNOSIGPIPE } from "../kern/fcntl.ts";
import {
  FIOASYNC,
  FIOGETOWN,
  FIONBIO,
  FIONREAD,
  FIONSPACE,
  FIONWRITE,
  FIOSETOWN,
  IOCGROUP,
  _IOR,
  _IOW,
} from "../kern/ioccom.ts";
import type { File, Fileops, Lwp, Stat } from "../kern/proc.ts";
import { S_IFSOCK } from "../kern/proc.ts";
import type { RetVal, Uio } from "../kern/uio.ts";
import { SockStat } from "./protosw.ts";
import { SO_NOSIGPIPE } from "./socket_abi.ts";
import { SB_ASYNC, sbspace } from "./sockbuf.ts";
import { SS_ASYNC, SS_CANTRCVMORE, SS_CANTSENDMORE, SS_NBIO, SS_RCVATMARK } from "./socketvar.ts";
import type { Socket } from "./socketvar.ts";
import { sopoll } from "./sopoll.ts";
import { soreceive } from "./soreceive.ts";
import { sosend } from "./sosend.ts";
import { soclose, sopr } from "./uipc_socket.ts";

/** Is the next byte at the out-of-band mark? int. */
export const SIOCATMARK: number = _IOR("s", 7, 4);
/** Sets the process (> 0) or process group (< 0) of SIGIO and SIGURG; int. */
export const SIOCSPGRP: number = _IOW("s", 8, 4);
/** Gets it; int. */
export const SIOCGPGRP: number = _IOR("s", 9, 4);

const GROUP_INTERFACE = 0x69; // 'i'
const GROUP_ROUTE = 0x72; // 'r'

/** The socket behind a file of type DTYPE_SOCKET. hot */
export function fp_so(fp: File): Socket {
  return fp.f_data as Socket;
}

/** read(2). hot */
function soo_read(l: Lwp, fp: File, uio: Uio, _rv: RetVal): number {
  const so = fp_so(fp);
  const out = so.so_layer.rcv_get();
  out.nam = null;
  out.flags = 0;
  out.want_control = false;
  out.control = null;
  const error = soreceive(so, uio, out, l);
  so.so_layer.rcv_put(out);
  return error;
}

/** write(2). hot */
function soo_write(l: Lwp, fp: File, uio: Uio, _rv: RetVal): number {
  const so = fp_so(fp);
  const error = sosend(so, null, uio, null, null, 0, l);
  if (error === EPIPE && ((fp.f_flag & FNOSIGPIPE) | (so.so_options & SO_NOSIGPIPE)) === 0)
    so.so_layer.sigpipe?.(l.l_proc.p_pid);
  return error;
}

function get_int(data: Uint8Array): number {
  return data[0] | (data[1] << 8) | (data[2] << 16) | (data[3] << 24);
}

function put_int(data: Uint8Array, v: number): number {
  for (let i = 0; i < 4; i++) data[i] = v >> (8 * i);
  return 0;
}

/** ioctl(2): the layer's own, then interfaces and routes (hooks of net), then the protocol's. ENOTTY if nobody knows it. */
function soo_ioctl(l: Lwp, fp: File, cmd: number, data: Uint8Array): number {
  const so = fp_so(fp);
  switch (cmd) {
    case FIONBIO:
      so_setflag(so, SS_NBIO, get_int(data) !== 0);
      return 0;
    case FIOASYNC:
      so_setasync(so, get_int(data) !== 0);
      return 0;
    case FIONREAD:
      return put_int(data, so.so_rcv.sb_cc);
    case FIONWRITE:
      return put_int(data, so.so_snd.sb_cc);
    case FIONSPACE:
      return put_int(data, Math.max(sbspace(so.so_snd), 0));
    case SIOCSPGRP:
    case FIOSETOWN:
      so.so_pgid = get_int(data);
      return 0;
    case SIOCGPGRP:
    case FIOGETOWN:
      return put_int(data, so.so_pgid);
    case SIOCATMARK:
      return put_int(data, (so.so_state & SS_RCVATMARK) !== 0 ? 1 : 0);
    default:
      return soo_ioctl_other(so, cmd, data, l);
  }
}

function soo_ioctl_other(so: Socket, cmd: number, data: Uint8Array, l: Lwp): number {
  const layer = so.so_layer;
  const group = IOCGROUP(cmd);
  if (group === GROUP_INTERFACE) return layer.ifioctl === null ? ENOTTY : layer.ifioctl(so, cmd, data, l);
  if (group === GROUP_ROUTE && layer.rtioctl !== null) return layer.rtioctl(cmd, data, l);
  const error = sopr(so).pr_ioctl(so, cmd, data, null);
  return error === EOPNOTSUPP ? ENOTTY : error;
}

function so_setflag(so: Socket, flag: number, on: boolean): void {
  if (on) so.so_state |= flag;
  else so.so_state &= ~flag;
}

function so_setasync(so: Socket, on: boolean): void {
  so_setflag(so, SS_ASYNC, on);
  for (const sb of [so.so_rcv, so.so_snd]) {
    if (on) sb.sb_flags |= SB_ASYNC;
    else sb.sb_flags &= ~SB_ASYNC;
  }
}

function soo_poll(l: Lwp, fp: File, events: number): number {
  return sopoll(fp_so(fp), events, l);
}

function soo_close(_l: Lwp, fp: File): number {
  const so = fp.f_data as Socket | null;
  fp.f_data = null;
  return so === null ? 0 : soclose(so);
}

function soo_stat(_l: Lwp, fp: File, st: Stat): number {
  const so = fp_so(fp);
  const rw = 0o666;
  st.st_mode = S_IFSOCK | rw;
  if ((so.so_state & SS_CANTRCVMORE) !== 0 && so.so_rcv.sb_cc === 0) st.st_mode &= ~0o444;
  if ((so.so_state & SS_CANTSENDMORE) !== 0) st.st_mode &= ~0o222;
  const ss = new SockStat();
  ss.st_size = so.so_rcv.sb_cc;
  const error = sopr(so).pr_stat(so, ss);
  st.st_size = ss.st_size;
  st.st_blksize = ss.st_blksize;
  st.st_uid = so.so_cred?.cr_uid ?? 0;
  st.st_gid = so.so_cred?.cr_gid ?? 0;
  return error;
}

function soo_fcntl(_l: Lwp, fp: File, cmd: number, _arg: number): number {
  if (cmd !== F_SETFL) return 0;
  const so = fp_so(fp);
  so_setflag(so, SS_NBIO, (fp.f_flag & FNONBLOCK) !== 0);
  so_setasync(so, (fp.f_flag & FASYNC) !== 0);
  return 0;
}

/** The file operations of sockets. */
export const socketops: Fileops = {
  fo_name: "socket",
  fo_read: soo_read,
  fo_write: soo_write,
  fo_ioctl: soo_ioctl,
  fo_poll: soo_poll,
  fo_close: soo_close,
  fo_stat: soo_stat,
  fo_fcntl: soo_fcntl,
};
