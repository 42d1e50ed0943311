/**
 * getsockopt(2) and setsockopt(2). What the layer does not know goes to the protocol; what nobody knows is ENOPROTOOPT.
 * Structures are those of a 64-bit little-endian NetBSD: int 4 bytes, `struct linger` two ints, `struct timeval` 16 bytes
 * (tv_sec i64, tv_usec i32, 4 bytes of padding).
 */
import { EDOM, EINVAL, ENOBUFS, ENOPROTOOPT } from "../../hypercall/api/errno.ts";
import {
  SO_ACCEPTCONN,
  SO_ACCEPTFILTER,
  SO_BROADCAST,
  SO_DEBUG,
  SO_DONTROUTE,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_NOSIGPIPE,
  SO_OOBINLINE,
  SO_OVERFLOWED,
  SO_RCVBUF,
  SO_RCVLOWAT,
  SO_RCVTIMEO,
  SO_RERROR,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SO_SNDBUF,
  SO_SNDLOWAT,
  SO_SNDTIMEO,
  SO_TIMESTAMP,
  SO_TYPE,
  SO_USELOOPBACK,
  SOL_SOCKET,
} from "./socket_abi.ts";
import { PRCO_GETOPT, PRCO_SETOPT } from "./protosw.ts";
import type { Sockbuf } from "./sockbuf.ts";
import { SB_AUTOSIZE } from "./sockbuf.ts";
import { sbreserve } from "./sockbuf_reserve.ts";
import type { Socket, Sockopt } from "./socketvar.ts";

/** sizeof(struct linger). */
export const LINGER_LEN = 8;
/** sizeof(struct timeval). */
export const TIMEVAL_LEN = 16;
/** Largest SO_LINGER time in seconds (a short in the kernel). */
const LINGER_MAX = 0x7fff;
/** Largest SO_RCVTIMEO/SO_SNDTIMEO in seconds. */
const TIMEO_MAX = 0x7fff_ffff;

/** An int value of a set. Preconditions: sopt_size was checked to be 4. */
export function sockopt_getint(sopt: Sockopt): number {
  const b = sopt.sopt_data;
  return b[0] | (b[1] << 8) | (b[2] << 16) | (b[3] << 24);
}

/** Puts an int as the result of a get. EINVAL if there is no room. */
export function sockopt_setint(sopt: Sockopt, v: number): number {
  if (sopt.sopt_size < 4) return EINVAL;
  put32(sopt.sopt_data, 0, v);
  sopt.sopt_size = 4;
  return 0;
}

/** Puts bytes as the result of a get, cut to the room there is. */
export function sockopt_set(sopt: Sockopt, bytes: Uint8Array): number {
  const n = Math.min(bytes.length, sopt.sopt_size);
  for (let i = 0; i < n; i++) sopt.sopt_data[i] = bytes[i];
  sopt.sopt_size = n;
  return 0;
}

/** Sets an option. */
export function sosetopt(so: Socket, sopt: Sockopt): number {
  const ctl = so.so_proto.pr_ctloutput;
  if (sopt.sopt_level !== SOL_SOCKET) return ctl === null ? ENOPROTOOPT : ctl(PRCO_SETOPT, so, sopt);
  const error = sosetopt1(so, sopt);
  if (ctl === null || (error !== 0 && error !== ENOPROTOOPT)) return error;
  const error2 = ctl(PRCO_SETOPT, so, sopt);
  if (error === 0) return error2 === ENOPROTOOPT || error2 === EINVAL ? 0 : error2;
  return error2;
}

/** Gets an option: sopt_size is the room, then the length. */
export function sogetopt(so: Socket, sopt: Sockopt): number {
  const ctl = so.so_proto.pr_ctloutput;
  if (sopt.sopt_level !== SOL_SOCKET) return ctl === null ? ENOPROTOOPT : ctl(PRCO_GETOPT, so, sopt);
  const error = sogetopt1(so, sopt);
  return error === ENOPROTOOPT && ctl !== null ? ctl(PRCO_GETOPT, so, sopt) : error;
}

/** Options that are a bit of so_options. */
function is_boolean(name: number): boolean {
  switch (name) {
    case SO_DEBUG:
    case SO_KEEPALIVE:
    case SO_DONTROUTE:
    case SO_USELOOPBACK:
    case SO_BROADCAST:
    case SO_REUSEADDR:
    case SO_REUSEPORT:
    case SO_OOBINLINE:
    case SO_TIMESTAMP:
    case SO_NOSIGPIPE:
    case SO_RERROR:
      return true;
    default:
      return false;
  }
}

function sosetopt1(so: Socket, sopt: Sockopt): number {
  const name = sopt.sopt_name;
  if (is_boolean(name)) {
    if (sopt.sopt_size !== 4) return EINVAL;
    if (sockopt_getint(sopt) !== 0) so.so_options |= name;
    else so.so_options &= ~name;
    return 0;
  }
  switch (name) {
    case SO_LINGER:
      return so_set_linger(so, sopt);
    case SO_SNDBUF:
    case SO_RCVBUF:
    case SO_SNDLOWAT:
    case SO_RCVLOWAT:
      return so_set_size(so, sopt);
    case SO_SNDTIMEO:
      return so_set_timeo(so.so_snd, sopt);
    case SO_RCVTIMEO:
      return so_set_timeo(so.so_rcv, sopt);
    case SO_ACCEPTFILTER:
      return EINVAL;
    default: // also options that can only be got
      return ENOPROTOOPT;
  }
}

function so_set_linger(so: Socket, sopt: Sockopt): number {
  if (sopt.sopt_size !== LINGER_LEN) return EINVAL;
  const onoff = sockopt_getint(sopt);
  const secs = get32(sopt.sopt_data, 4);
  if (secs < 0 || secs > LINGER_MAX) return EDOM;
  so.so_linger = secs;
  if (onoff !== 0) so.so_options |= SO_LINGER;
  else so.so_options &= ~SO_LINGER;
  return 0;
}

function so_set_size(so: Socket, sopt: Sockopt): number {
  if (sopt.sopt_size !== 4) return EINVAL;
  const v = sockopt_getint(sopt);
  if (v < 1) return EINVAL;
  switch (sopt.sopt_name) {
    case SO_SNDBUF:
      so.so_snd.sb_flags &= ~SB_AUTOSIZE;
      return sbreserve(so.so_snd, v) === 0 ? 0 : ENOBUFS;
    case SO_RCVBUF:
      so.so_rcv.sb_flags &= ~SB_AUTOSIZE;
      return sbreserve(so.so_rcv, v) === 0 ? 0 : ENOBUFS;
    case SO_SNDLOWAT:
      so.so_snd.sb_lowat = Math.min(v, so.so_snd.sb_hiwat);
      return 0;
    default:
      so.so_rcv.sb_lowat = Math.min(v, so.so_rcv.sb_hiwat);
      return 0;
  }
}

function so_set_timeo(sb: Sockbuf, sopt: Sockopt): number {
  if (sopt.sopt_size !== TIMEVAL_LEN) return EINVAL;
  const lo = get32(sopt.sopt_data, 0) >>> 0;
  const hi = get32(sopt.sopt_data, 4);
  const usec = get32(sopt.sopt_data, 8);
  if (hi !== 0 || lo > TIMEO_MAX || usec < 0 || usec >= 1_000_000) return EDOM;
  sb.sb_timeo_ns = lo * 1e9 + usec * 1000;
  return 0;
}

function sogetopt1(so: Socket, sopt: Sockopt): number {
  const name = sopt.sopt_name;
  if (is_boolean(name) || name === SO_ACCEPTCONN) return sockopt_setint(sopt, (so.so_options & name) !== 0 ? 1 : 0);
  switch (name) {
    case SO_LINGER:
      return so_get_linger(so, sopt);
    case SO_TYPE:
      return sockopt_setint(sopt, so.so_type);
    case SO_ERROR:
      return so_get_error(so, sopt);
    case SO_SNDBUF:
      return sockopt_setint(sopt, so.so_snd.sb_hiwat);
    case SO_RCVBUF:
      return sockopt_setint(sopt, so.so_rcv.sb_hiwat);
    case SO_SNDLOWAT:
      return sockopt_setint(sopt, so.so_snd.sb_lowat);
    case SO_RCVLOWAT:
      return sockopt_setint(sopt, so.so_rcv.sb_lowat);
    case SO_SNDTIMEO:
      return so_get_timeo(so.so_snd, sopt);
    case SO_RCVTIMEO:
      return so_get_timeo(so.so_rcv, sopt);
    case SO_OVERFLOWED:
      return sockopt_setint(sopt, so.so_rcv.sb_overflowed | 0);
    case SO_ACCEPTFILTER:
      return EINVAL;
    default:
      return ENOPROTOOPT;
  }
}

function so_get_error(so: Socket, sopt: Sockopt): number {
  const error = so.so_error !== 0 ? so.so_error : so.so_rerror;
  const result = sockopt_setint(sopt, error);
  if (result !== 0) return result;
  if (so.so_error !== 0) so.so_error = 0;
  else so.so_rerror = 0;
  return 0;
}

function so_get_linger(so: Socket, sopt: Sockopt): number {
  if (sopt.sopt_size < LINGER_LEN) return EINVAL;
  put32(sopt.sopt_data, 0, (so.so_options & SO_LINGER) !== 0 ? 1 : 0);
  put32(sopt.sopt_data, 4, so.so_linger);
  sopt.sopt_size = LINGER_LEN;
  return 0;
}

function so_get_timeo(sb: Sockbuf, sopt: Sockopt): number {
  if (sopt.sopt_size < TIMEVAL_LEN) return EINVAL;
  const secs = Math.floor(sb.sb_timeo_ns / 1e9);
  put32(sopt.sopt_data, 0, secs);
  put32(sopt.sopt_data, 4, 0);
  put32(sopt.sopt_data, 8, Math.floor((sb.sb_timeo_ns - secs * 1e9) / 1000));
  put32(sopt.sopt_data, 12, 0);
  sopt.sopt_size = TIMEVAL_LEN;
  return 0;
}

function get32(b: Uint8Array, i: number): number {
  return b[i] | (b[i + 1] << 8) | (b[i + 2] << 16) | (b[i + 3] << 24);
}

function put32(b: Uint8Array, i: number, v: number): void {
  b[i] = v;
  b[i + 1] = v >> 8;
  b[i + 2] = v >> 16;
  b[i + 3] = v >> 24;
}
