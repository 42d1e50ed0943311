/**
 * Control messages of the object facade, and their bytes in NetBSD's layout (kernel-components/socket/cmsg.ts).
 */
import { CMSG_ALIGN, CMSG_HDRLEN, CMSG_LEN, CMSG_SPACE } from "../kernel-components/socket/cmsg.ts";
import { SCM_RIGHTS, SOL_SOCKET } from "../kernel-components/socket/socket_abi.ts";

/** A control message. */
export interface Cmsg {
  /** SOL_SOCKET, IPPROTO_IP, ... */
  readonly level: number;
  /** SCM_RIGHTS, IP_PKTINFO, ... */
  readonly type: number;
  /** Its data, without header and padding. */
  readonly data: Uint8Array;
}

/** Bytes of several control messages. */
export function cmsgs_encode(list: readonly Cmsg[]): Uint8Array {
  let n = 0;
  for (const c of list) n += CMSG_SPACE(c.data.length);
  const out = new Uint8Array(n);
  const dv = new DataView(out.buffer);
  let at = 0;
  for (const c of list) {
    dv.setUint32(at, CMSG_LEN(c.data.length), true);
    dv.setInt32(at + 4, c.level, true);
    dv.setInt32(at + 8, c.type, true);
    out.set(c.data, at + CMSG_HDRLEN);
    at += CMSG_SPACE(c.data.length);
  }
  return out;
}

/** The messages in `len` bytes; a cut or impossible one ends the list. */
export function cmsgs_decode(bytes: Uint8Array, len: number): Cmsg[] {
  const dv = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = Math.min(len, bytes.length);
  const out: Cmsg[] = [];
  for (let at = 0; at + CMSG_HDRLEN <= end; ) {
    const n = dv.getUint32(at, true);
    if (n < CMSG_HDRLEN || at + n > end) break;
    out.push({
      level: dv.getInt32(at + 4, true),
      type: dv.getInt32(at + 8, true),
      data: bytes.slice(at + CMSG_HDRLEN, at + n),
    });
    at += CMSG_ALIGN(n);
  }
  return out;
}

/** SCM_RIGHTS with these descriptors. */
export function scm_rights(fds: readonly number[]): Cmsg {
  return { level: SOL_SOCKET, type: SCM_RIGHTS, data: new Uint8Array(Int32Array.from(fds).buffer) };
}

/** The descriptors of all SCM_RIGHTS messages in a list. */
export function scm_rights_fds(list: readonly Cmsg[]): number[] {
  const fds: number[] = [];
  for (const c of list) {
    if (c.level !== SOL_SOCKET || c.type !== SCM_RIGHTS) continue;
    const dv = new DataView(c.data.buffer, c.data.byteOffset, c.data.byteLength);
    for (let i = 0; i + 4 <= c.data.length; i += 4) fds.push(dv.getInt32(i, true));
  }
  return fds;
}
