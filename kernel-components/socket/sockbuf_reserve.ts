/**
 * Sizes of socket buffers. The sum of all buffers' memory limits is bounded by kern.somaxkva, a single one by kern.sbmax.
 * Source: NetBSD sysctl(7), uipc_socket2(9).
 */
import { EINVAL, ENOBUFS } from "../../hypercall/api/errno.ts";
import { MCLBYTES, MSIZE } from "../kern/mbuf.ts";
import type { Sockbuf } from "./sockbuf.ts";
import type { Socket, SocketLayer } from "./socketvar.ts";

/** Memory that may stand behind a byte of data: an mbuf with a small packet in a cluster. */
const SB_EFFICIENCY = 2;
/** Smallest kern.sbmax. */
const SB_MAX_MIN = 16 * 1024;

/** The largest sb_hiwat that fits kern.sbmax when each cluster brings an mbuf along. */
export function sb_max_adj(layer: SocketLayer): number {
  return Math.floor((layer.sb_max * MCLBYTES) / (MSIZE + MCLBYTES));
}

/** Sets kern.sbmax. EINVAL if it is too small to be useful. */
export function sb_max_set(layer: SocketLayer, v: number): number {
  if (v < SB_MAX_MIN || v > 0x7fff_ffff) return EINVAL;
  layer.sb_max = v;
  return 0;
}

/** Sets the high water mark. ENOBUFS if cc is 0, above kern.sbmax, or the sum of all buffers would pass kern.somaxkva. */
export function sbreserve(sb: Sockbuf, cc: number): number {
  const layer = sb.sb_so.so_layer;
  if (cc <= 0 || cc > sb_max_adj(layer)) return ENOBUFS;
  const mbmax = Math.min(cc * SB_EFFICIENCY, layer.sb_max);
  const va = layer.sockva + mbmax - sb.sb_mbreserved;
  if (va > layer.somaxkva) return ENOBUFS;
  layer.sockva = va;
  sb.sb_mbreserved = mbmax;
  sb.sb_hiwat = cc;
  sb.sb_mbmax = mbmax;
  if (sb.sb_lowat > cc) sb.sb_lowat = cc;
  return 0;
}

/** Gives a buffer's reservation back. */
export function sbrelease(sb: Sockbuf): void {
  sb.sb_so.so_layer.sockva -= sb.sb_mbreserved;
  sb.sb_mbreserved = 0;
  sb.sb_hiwat = 0;
  sb.sb_mbmax = 0;
}

/** Reserves both directions of a socket, as a protocol's pr_attach does; sets the low water marks if they are not set. */
export function soreserve(so: Socket, sndcc: number, rcvcc: number): number {
  if (sbreserve(so.so_snd, sndcc) !== 0) return ENOBUFS;
  if (sbreserve(so.so_rcv, rcvcc) !== 0) {
    sbrelease(so.so_snd);
    return ENOBUFS;
  }
  if (so.so_rcv.sb_lowat === 0) so.so_rcv.sb_lowat = 1;
  if (so.so_snd.sb_lowat === 0) so.so_snd.sb_lowat = MCLBYTES;
  if (so.so_snd.sb_lowat > so.so_snd.sb_hiwat) so.so_snd.sb_lowat = so.so_snd.sb_hiwat;
  return 0;
}
