/*
 * NetBSD's socket addresses as raw bytes: sa_len, sa_family, then the family's own layout. Builders return a fresh Uint8Array;
 * accessors take bytes and an offset. Ports and addresses are in network order inside and in host order outside; sdl_index and
 * sin6_scope_id are in the byte order of the machine, which is little-endian here whatever the host, so that a capture of them means the same everywhere.
 */
import { ether_ntoa } from "./ether_text.ts";
import { inet_ntoa } from "./inet_addr.ts";
import { IN6_ADDR_LEN, inet_ntop6 } from "./inet6_addr.ts";
import { WIRE_ELEN, WIRE_ETRUNC, WIRE_ETYPE, WIRE_OK } from "./wire_error.ts";

/** Unspecified. */
export const AF_UNSPEC = 0;
/** Local to the kernel (UNIX domain). */
export const AF_LOCAL = 1;
/** IPv4. */
export const AF_INET = 2;
/** Link layer. */
export const AF_LINK = 18;
/** IPv6. */
export const AF_INET6 = 24;
/** Routing messages. */
export const AF_ROUTE = 34;

/** sizeof(struct sockaddr). */
export const SOCKADDR_LEN = 16;
/** sizeof(struct sockaddr_in). */
export const SOCKADDR_IN_LEN = 16;
/** sizeof(struct sockaddr_in6). */
export const SOCKADDR_IN6_LEN = 28;
/** sizeof(struct sockaddr_dl): room for a name and an address of 12 bytes together; more is allowed, up to 255. */
export const SOCKADDR_DL_LEN = 20;
/** offsetof(struct sockaddr_dl, sdl_data). */
export const SOCKADDR_DL_DATA = 8;
/** sizeof(struct sockaddr_un): the path may fill all of its 104 bytes and then has no NUL. */
export const SOCKADDR_UN_LEN = 106;
/** Bytes in sun_path. */
export const SUN_PATH_MAX = 104;
/** sizeof(struct sockaddr_storage): room for any address but the longest sockaddr_dl. */
export const SOCKADDR_STORAGE_LEN = 128;
/** Largest sa_len. */
export const SOCK_MAXADDRLEN = 255;

/** Length in bytes, as the address itself says. */
export function sa_len(sa: Uint8Array, off = 0): number {
  return sa[off];
}
/** Address family. */
export function sa_family(sa: Uint8Array, off = 0): number {
  return sa[off + 1];
}
/** Stores the length. */
export function sa_set_len(sa: Uint8Array, v: number, off = 0): void {
  sa[off] = v;
}
/** Stores the family. */
export function sa_set_family(sa: Uint8Array, v: number, off = 0): void {
  sa[off + 1] = v;
}

/** Port of a sockaddr_in. */
export function sin_port(sa: Uint8Array, off = 0): number {
  return (sa[off + 2] << 8) | sa[off + 3];
}
/** Address of a sockaddr_in, int32. */
export function sin_addr(sa: Uint8Array, off = 0): number {
  return (sa[off + 4] << 24) | (sa[off + 5] << 16) | (sa[off + 6] << 8) | sa[off + 7];
}
/** Stores the port of a sockaddr_in. */
export function sin_set_port(sa: Uint8Array, v: number, off = 0): void {
  sa[off + 2] = v >>> 8;
  sa[off + 3] = v;
}
/** Stores the address of a sockaddr_in. */
export function sin_set_addr(sa: Uint8Array, v: number, off = 0): void {
  sa[off + 4] = v >>> 24;
  sa[off + 5] = v >>> 16;
  sa[off + 6] = v >>> 8;
  sa[off + 7] = v;
}
/** Overwrites 16 bytes with a sockaddr_in. */
export function sin_init(sa: Uint8Array, addr: number, port: number, off = 0): void {
  sa.fill(0, off, off + SOCKADDR_IN_LEN);
  sin_put(sa, addr, port, off);
}
/** What is not zero of a sockaddr_in. */
function sin_put(sa: Uint8Array, addr: number, port: number, off: number): void {
  sa[off] = SOCKADDR_IN_LEN;
  sa[off + 1] = AF_INET;
  sin_set_port(sa, port, off);
  sin_set_addr(sa, addr, off);
}
/** A sockaddr_in of an int32 address and a port. */
export function mk_sockaddr_in(addr: number, port = 0): Uint8Array {
  const sa = new Uint8Array(SOCKADDR_IN_LEN);
  sin_put(sa, addr, port, 0);
  return sa;
}

/** Port of a sockaddr_in6. */
export function sin6_port(sa: Uint8Array, off = 0): number {
  return sin_port(sa, off);
}
/** Flow information of a sockaddr_in6, int32 in host order. */
export function sin6_flowinfo(sa: Uint8Array, off = 0): number {
  return sin_addr(sa, off);
}
/** The 16 bytes of a sockaddr_in6's address, copied. */
export function sin6_addr(sa: Uint8Array, off = 0): Uint8Array {
  return sa.slice(off + 8, off + 8 + IN6_ADDR_LEN);
}
/** Scope (interface index) of a sockaddr_in6. */
export function sin6_scope_id(sa: Uint8Array, off = 0): number {
  return sa[off + 24] | (sa[off + 25] << 8) | (sa[off + 26] << 16) | (sa[off + 27] << 24);
}
/** A sockaddr_in6 of the 16 bytes of an address. */
export function mk_sockaddr_in6(addr: Uint8Array, port = 0, scope_id = 0, flowinfo = 0): Uint8Array {
  const sa = new Uint8Array(SOCKADDR_IN6_LEN);
  sa[0] = SOCKADDR_IN6_LEN;
  sa[1] = AF_INET6;
  sin_set_port(sa, port);
  sin_set_addr(sa, flowinfo);
  sa.set(addr.subarray(0, IN6_ADDR_LEN), 8);
  for (let i = 0; i < 4; i++) sa[24 + i] = scope_id >>> (8 * i);
  return sa;
}

/** Interface index of a sockaddr_dl; 0 if it names none. */
export function sdl_index(sa: Uint8Array, off = 0): number {
  return sa[off + 2] | (sa[off + 3] << 8);
}
/** Interface type (IFT_*) of a sockaddr_dl. */
export function sdl_type(sa: Uint8Array, off = 0): number {
  return sa[off + 4];
}
/** Length of the interface name in a sockaddr_dl. */
export function sdl_nlen(sa: Uint8Array, off = 0): number {
  return sa[off + 5];
}
/** Length of the link-layer address in a sockaddr_dl. */
export function sdl_alen(sa: Uint8Array, off = 0): number {
  return sa[off + 6];
}
/** Length of the selector in a sockaddr_dl. */
export function sdl_slen(sa: Uint8Array, off = 0): number {
  return sa[off + 7];
}
/** Interface name in a sockaddr_dl; what of it lies inside the bytes. */
export function sdl_name(sa: Uint8Array, off = 0): string {
  return latin1_of(sa, off + SOCKADDR_DL_DATA, off + SOCKADDR_DL_DATA + sdl_nlen(sa, off));
}
/** The bytes of the link-layer address in a sockaddr_dl, copied (LLADDR). */
export function sdl_lladdr(sa: Uint8Array, off = 0): Uint8Array {
  const at = off + SOCKADDR_DL_DATA + sdl_nlen(sa, off);
  return sa.slice(at, at + sdl_alen(sa, off));
}
/**
 * A sockaddr_dl. sa_len counts what is used, as sockaddr_dl_init() has it: 8 bytes, name, address. Programs that want sizeof(struct sockaddr_dl) bytes
 * may pad with zeros; readers here accept both.
 */
export function mk_sockaddr_dl(index: number, type: number, name = "", lladdr: Uint8Array | null = null): Uint8Array {
  const alen = lladdr?.length ?? 0;
  const nlen = Math.min(name.length, SOCK_MAXADDRLEN - SOCKADDR_DL_DATA - alen);
  const sa = new Uint8Array(SOCKADDR_DL_DATA + nlen + alen);
  sa[0] = sa.length;
  sa[1] = AF_LINK;
  sa[2] = index;
  sa[3] = index >>> 8;
  sa[4] = type;
  sa[5] = nlen;
  sa[6] = alen;
  for (let i = 0; i < nlen; i++) sa[SOCKADDR_DL_DATA + i] = name.charCodeAt(i);
  if (lladdr !== null) sa.set(lladdr, SOCKADDR_DL_DATA + nlen);
  return sa;
}

/** Path of a sockaddr_un: up to the first NUL, the end of the address or of sun_path. Bytes are taken one to one (latin-1). */
export function sun_path(sa: Uint8Array, off = 0): string {
  const end = Math.min(sa.length, off + Math.max(2, Math.min(sa_len(sa, off), SOCKADDR_UN_LEN)));
  let nul = off + 2;
  while (nul < end && sa[nul] !== 0) nul++;
  return latin1_of(sa, off + 2, nul);
}
/** A sockaddr_un of a path of up to 104 latin-1 characters; a longer one is cut, so check first (SUN_PATH_MAX). sa_len is SUN_LEN: 2 and the path. */
export function mk_sockaddr_un(path: string): Uint8Array {
  const n = Math.min(path.length, SUN_PATH_MAX);
  const sa = new Uint8Array(2 + n);
  sa[0] = sa.length;
  sa[1] = AF_LOCAL;
  for (let i = 0; i < n; i++) sa[2 + i] = path.charCodeAt(i);
  return sa;
}

/** Is this a whole address of its family? WIRE_OK, WIRE_ETRUNC, WIRE_ELEN (sa_len wrong for the family, or beyond the bytes) or WIRE_ETYPE. */
export function sockaddr_check(sa: Uint8Array, off = 0): number {
  if (sa.length - off < 2) return WIRE_ETRUNC;
  const len = sa_len(sa, off);
  if (len < 2 || len > sa.length - off) return WIRE_ELEN;
  switch (sa_family(sa, off)) {
    case AF_INET:
      return len === SOCKADDR_IN_LEN ? WIRE_OK : WIRE_ELEN;
    case AF_INET6:
      return len === SOCKADDR_IN6_LEN ? WIRE_OK : WIRE_ELEN;
    case AF_LOCAL:
      return len <= SOCKADDR_UN_LEN ? WIRE_OK : WIRE_ELEN;
    case AF_LINK:
      if (len < SOCKADDR_DL_DATA) return WIRE_ELEN;
      return SOCKADDR_DL_DATA + sdl_nlen(sa, off) + sdl_alen(sa, off) + sdl_slen(sa, off) <= len ? WIRE_OK : WIRE_ELEN;
    default:
      return WIRE_ETYPE;
  }
}

/** Same length and same bytes? */
export function sockaddr_equal(a: Uint8Array, b: Uint8Array): boolean {
  const n = sa_len(a);
  if (n !== sa_len(b) || n > a.length || n > b.length) return false;
  for (let i = 1; i < n; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** An address for people: "10.0.0.1:53", "[::1]:53", "link#2 shmif0 02:00:00:00:00:01", "/tmp/x". Never throws. */
export function sockaddr_ntoa(sa: Uint8Array, off = 0): string {
  if (sockaddr_check(sa, off) !== WIRE_OK) return `<bad sockaddr of ${sa.length - off} bytes>`;
  switch (sa_family(sa, off)) {
    case AF_INET:
      return `${inet_ntoa(sin_addr(sa, off))}:${sin_port(sa, off)}`;
    case AF_INET6: {
      const scope = sin6_scope_id(sa, off);
      return `[${inet_ntop6(sa, off + 8)}${scope === 0 ? "" : `%${scope}`}]:${sin6_port(sa, off)}`;
    }
    case AF_LINK: {
      const ll = sdl_lladdr(sa, off);
      const hex = ll.length === 6 ? ether_ntoa(ll) : Array.from(ll, (b) => b.toString(16).padStart(2, "0")).join(":");
      return [`link#${sdl_index(sa, off)}`, sdl_name(sa, off), hex].filter((s) => s !== "").join(" ");
    }
    default:
      return sun_path(sa, off);
  }
}

/** Bytes [from, to) as characters of the same number, cut at the end of the array. */
function latin1_of(a: Uint8Array, from: number, to: number): string {
  let s = "";
  for (let i = from; i < to && i < a.length; i++) s += String.fromCharCode(a[i]);
  return s;
}
