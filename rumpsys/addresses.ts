/**
 * Socket addresses of the object facade: typed objects outside, BSD sockaddr bytes inside. Raw bytes are taken as they are.
 */
import { EAFNOSUPPORT, EINVAL } from "../hypercall/api/errno.ts";
import { inet_ntoa, inet_pton4 } from "../kernel-components/wire/inet_addr.ts";
import { inet_ntop6, inet_pton6 } from "../kernel-components/wire/inet6_addr.ts";
import {
  AF_INET,
  AF_INET6,
  AF_LINK,
  AF_LOCAL,
  AF_UNSPEC,
  mk_sockaddr_dl,
  mk_sockaddr_in,
  mk_sockaddr_in6,
  sdl_index,
  sdl_lladdr,
  sdl_name,
  sdl_type,
  sin6_flowinfo,
  sin6_port,
  sin6_scope_id,
  sin_addr,
  sin_port,
} from "../kernel-components/wire/sockaddr.ts";
import { RumpError } from "./errors.ts";

/** IPv4 address and port. */
export interface InetAddress {
  readonly family: "inet";
  /** Dotted quad, "10.0.0.1"; "0.0.0.0" is any. */
  readonly address: string;
  /** 0..65535; 0 lets the kernel choose. */
  readonly port: number;
}

/** IPv6 address and port. */
export interface Inet6Address {
  readonly family: "inet6";
  /** As inet_pton(3) reads it, without zone. */
  readonly address: string;
  /** 0..65535. */
  readonly port: number;
  /** Interface index of a link-local address. */
  readonly scopeid?: number;
  /** Flow information, 32 bits. */
  readonly flowinfo?: number;
}

/** PF_LOCAL name. */
export interface LocalAddress {
  readonly family: "local";
  /** Up to 253 characters, one byte each; "" is the unnamed address. */
  readonly path: string;
}

/** Link-layer address. */
export interface LinkAddress {
  readonly family: "link";
  /** Interface index, 0 = none. */
  readonly index: number;
  /** Interface type (IFT_*). */
  readonly type: number;
  /** Interface name, "" = none. */
  readonly name: string;
  /** Hardware address. */
  readonly lladdr: Uint8Array;
}

/** No address: connect(2) with it dissolves a datagram socket's connection. */
export interface UnspecAddress {
  readonly family: "unspec";
}

/** An address that the facade hands out. Families it has no type for come as raw bytes. */
export type SocketAddress =
  | InetAddress
  | Inet6Address
  | LocalAddress
  | LinkAddress
  | UnspecAddress
  | { readonly family: number; readonly bytes: Uint8Array };

/** An address that the facade takes: typed, or a whole sockaddr as bytes (which must begin with sa_len and sa_family). */
export type AddressArgument = InetAddress | Inet6Address | LocalAddress | LinkAddress | UnspecAddress | Uint8Array;

/** Longest PF_LOCAL path: sun_len is one byte. */
const SUN_PATH_LONGEST = 253;

/** The sockaddr of an address. Throws RumpError EINVAL that names what is wrong; `syscall` is for the message. */
export function sockaddr_of(a: AddressArgument, syscall: string): Uint8Array {
  if (a instanceof Uint8Array) return a;
  // A program in JavaScript may pass anything.
  if (typeof a !== "object" || a === null) throw new RumpError(syscall, EINVAL, String(a), undefined, "not an address");
  switch (a.family) {
    case "inet": {
      check_port(a.address, a.port, syscall);
      const r = inet_pton4(a.address);
      if (!r.ok) throw new RumpError(syscall, EINVAL, String(a.address), a.port, "not an IPv4 address");
      return mk_sockaddr_in(r.addr, a.port);
    }
    case "inet6": {
      check_port(a.address, a.port, syscall);
      const r = inet_pton6(a.address);
      if (!r.ok) throw new RumpError(syscall, EINVAL, String(a.address), a.port, "not an IPv6 address");
      return mk_sockaddr_in6(r.addr, a.port, a.scopeid ?? 0, a.flowinfo ?? 0);
    }
    case "local":
      return mk_local(a.path, syscall);
    case "link":
      return mk_sockaddr_dl(a.index, a.type, a.name, a.lladdr);
    case "unspec":
      return new Uint8Array([16, AF_UNSPEC, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    default:
      throw new RumpError(
        syscall,
        EAFNOSUPPORT,
        String((a as { family: unknown }).family),
        undefined,
        "unknown address family",
      );
  }
}

function check_port(address: string, port: number, syscall: string): void {
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new RumpError(syscall, EINVAL, String(address), port, "not a port number");
}

function mk_local(path: string, syscall: string): Uint8Array {
  if (path.length > SUN_PATH_LONGEST)
    throw new RumpError(syscall, EINVAL, path, undefined, `path longer than ${SUN_PATH_LONGEST} characters`);
  const sa = new Uint8Array(2 + path.length);
  sa[0] = sa.length;
  sa[1] = AF_LOCAL;
  for (let i = 0; i < path.length; i++) {
    const c = path.charCodeAt(i);
    if (c === 0 || c > 255)
      throw new RumpError(syscall, EINVAL, path, undefined, "path has a character that is not one byte");
    sa[2 + i] = c;
  }
  return sa;
}

/** The typed form of `len` bytes of a sockaddr; null if len is 0. Never throws. */
export function address_of(sa: Uint8Array, len: number): SocketAddress | null {
  if (len < 2) return null;
  switch (sa[1]) {
    case AF_UNSPEC:
      return { family: "unspec" };
    case AF_INET:
      if (len >= 8) return { family: "inet", address: inet_ntoa(sin_addr(sa)), port: sin_port(sa) };
      break;
    case AF_INET6:
      if (len >= 28) return inet6_of(sa);
      break;
    case AF_LOCAL:
      return { family: "local", path: path_of(sa, len) };
    case AF_LINK:
      if (len >= 8)
        return { family: "link", index: sdl_index(sa), type: sdl_type(sa), name: sdl_name(sa), lladdr: sdl_lladdr(sa) };
      break;
    default:
  }
  return { family: sa[1] as number, bytes: sa.slice(0, len) };
}

function inet6_of(sa: Uint8Array): Inet6Address {
  const scopeid = sin6_scope_id(sa);
  const flowinfo = sin6_flowinfo(sa);
  return {
    family: "inet6",
    address: inet_ntop6(sa, 8),
    port: sin6_port(sa),
    ...(scopeid !== 0 ? { scopeid } : {}),
    ...(flowinfo !== 0 ? { flowinfo } : {}),
  };
}

function path_of(sa: Uint8Array, len: number): string {
  let s = "";
  for (let i = 2; i < len && sa[i] !== 0; i++) s += String.fromCharCode(sa[i] as number);
  return s;
}

/** Address and port for the message of an error. */
export function describe_address(a: AddressArgument): { address?: string; port?: number } {
  const typed = a instanceof Uint8Array ? address_of(a, a.length) : a;
  if (typed === null) return {};
  if ("port" in typed) return { address: typed.address, port: typed.port };
  if ("path" in typed) return { address: typed.path };
  return {};
}
