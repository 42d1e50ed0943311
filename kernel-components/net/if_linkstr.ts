/*
 * SIOCSLINKSTR and SIOCGLINKSTR for the drivers that have a link string: the name of what an interface is plugged into (a bus, a host tap, a wire).
 */
import { EFAULT, EINVAL, ENAMETOOLONG, ENOENT, ENOTTY } from "../../hypercall/api/errno.ts";
import { printf } from "../kern/console.ts";
import type { Ifnet } from "./if.ts";
import {
  abi_buffer,
  abi_get_u64,
  abi_put_u64,
  abi_view,
  IFLINKSTR_QUERYLEN,
  IFLINKSTR_UNSET,
  SIOCGLINKSTR,
  SIOCSLINKSTR,
  SIZEOF_IFDRV,
} from "./if_abi.ts";

/** Longest link string in bytes, without its NUL. */
export const LINKSTR_MAX = 1023;

/** A driver whose interface is plugged into something that has a name. */
export interface LinkstrOwner {
  /** The name now; "" when nothing is set. */
  readonly sc_linkstr: string;
  /** Sets the name, or unsets it with "". Returns an errno (EBUSY while up, or when one is set). */
  set_linkstr(name: string): number;
}

/**
 * Makes the reason of the last refusal known: net.interfaces.<if>.linkerror, "" while there is none. It names what was wrong and what cures it, which the errno
 * of the ioctl cannot. The node goes with the interface.
 */
export function if_linkstr_attach(ifp: Ifnet, why: () => string): void {
  ifp.if_net.k.sysctl.addString(`net.interfaces.${ifp.if_xname}.linkerror`, {
    desc: "Why the last link string was refused",
    get: why,
  });
}

/** A link string was refused: says why on the console. Returns the text. */
export function if_linkstr_refused(ifp: Ifnet, text: string): string {
  if (text !== "") printf(ifp.if_net.k, `${ifp.if_xname}: ${text}\n`);
  return text;
}

const IFD_CMD = 16;
const IFD_LEN = 24;
const IFD_DATA = 32;

/**
 * Carries out the two ioctls.
 * @returns ENOTTY for any other; EFAULT for a buffer outside the request; EINVAL without a terminating NUL or for an unknown ifd_cmd;
 * ENOENT when the string asked for is not set; ENAMETOOLONG; else the driver's answer
 */
export function if_linkstr_ioctl(cmd: number, data: Uint8Array, sc: LinkstrOwner): number {
  if (cmd !== SIOCSLINKSTR && cmd !== SIOCGLINKSTR) return ENOTTY;
  if (data.length < SIZEOF_IFDRV) return EFAULT;
  return cmd === SIOCSLINKSTR ? linkstr_set(data, sc) : linkstr_get(data, sc);
}

function linkstr_set(data: Uint8Array, sc: LinkstrOwner): number {
  const dv = abi_view(data);
  const how = abi_get_u64(dv, IFD_CMD);
  if (how === IFLINKSTR_UNSET) return sc.set_linkstr("");
  if (how !== 0) return EINVAL;
  const len = abi_get_u64(dv, IFD_LEN);
  if (len > LINKSTR_MAX + 1) return ENAMETOOLONG;
  const at = abi_buffer(data, dv, IFD_DATA, SIZEOF_IFDRV, len);
  if (at < 0) return EFAULT;
  const end = data.indexOf(0, at);
  if (len < 2 || end < 0 || end >= at + len || end === at) return EINVAL;
  let name = "";
  for (let i = at; i < end; i++) name += String.fromCharCode(data[i]);
  return sc.set_linkstr(utf8_decode(name));
}

function linkstr_get(data: Uint8Array, sc: LinkstrOwner): number {
  const dv = abi_view(data);
  if (sc.sc_linkstr === "") return ENOENT;
  const bytes = utf8_encode(sc.sc_linkstr);
  const query = abi_get_u64(dv, IFD_CMD) === IFLINKSTR_QUERYLEN;
  if (!query) {
    const len = abi_get_u64(dv, IFD_LEN);
    if (len < bytes.length + 1) return EINVAL;
    const at = abi_buffer(data, dv, IFD_DATA, SIZEOF_IFDRV, len);
    if (at < 0) return EFAULT;
    data.set(bytes, at);
    data[at + bytes.length] = 0;
  }
  abi_put_u64(dv, IFD_LEN, bytes.length + 1);
  return 0;
}

/** The bytes of a string in UTF-8. */
export function utf8_encode(text: string): Uint8Array {
  const escaped = encodeURIComponent(text);
  const out: number[] = [];
  for (let i = 0; i < escaped.length; i++) {
    if (escaped[i] === "%") {
      out.push(Number.parseInt(escaped.slice(i + 1, i + 3), 16));
      i += 2;
    } else out.push(escaped.charCodeAt(i));
  }
  return Uint8Array.from(out);
}

/** A string of one character a byte as UTF-8; unchanged when it isn't UTF-8. */
function utf8_decode(bytes: string): string {
  let escaped = "";
  for (let i = 0; i < bytes.length; i++) escaped += `%${bytes.charCodeAt(i).toString(16).padStart(2, "0")}`;
  try {
    return decodeURIComponent(escaped);
  } catch {
    return bytes;
  }
}
