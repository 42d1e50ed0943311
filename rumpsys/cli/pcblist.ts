/** The sockets of a kernel, from net.inet.*.pcblist. */
import { PCBLIST_LEN } from "../../kernel-components/inet/in_pcb_view.ts";
import { UNPCBLIST_LEN, UNPCBLIST_NAME } from "../../kernel-components/socket/unp_view.ts";
import { inet_ntoa } from "../../kernel-components/wire/inet_addr.ts";
import { sin_addr, sin_port } from "../../kernel-components/wire/sockaddr.ts";
import type { RumpCalls } from "../client/rump_calls.ts";
import { ENOENT } from "../../hypercall/api/errno.ts";
import { errno_of } from "./tool.ts";

/** A socket. */
export interface PcbView {
  /** "udp", "raw". */
  readonly proto: string;
  /** IP protocol number. */
  readonly protocol: number;
  readonly recvq: number;
  readonly sendq: number;
  readonly pid: number;
  readonly uid: number;
  readonly laddr: number;
  readonly lport: number;
  readonly faddr: number;
  readonly fport: number;
}

/** A list, or null if the kernel has no such protocol. */
async function list_bytes(sys: RumpCalls, name: string): Promise<unknown> {
  try {
    return await sys.sysctlbyname(name);
  } catch (error) {
    if (errno_of(error) === ENOENT) return null;
    throw error;
  }
}

/** All sockets of protocols that tell them. */
export async function pcblist(sys: RumpCalls): Promise<PcbView[]> {
  const list: PcbView[] = [];
  for (const proto of ["tcp", "udp", "raw"]) {
    const bytes = await list_bytes(sys, `net.inet.${proto}.pcblist`);
    if (!(bytes instanceof Uint8Array)) continue;
    const dv = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at + PCBLIST_LEN <= bytes.length; at += PCBLIST_LEN) {
      const u = (i: number): number => dv.getUint32(at + 4 * i, true);
      list.push({
        proto,
        protocol: u(6),
        recvq: u(2),
        sendq: u(3),
        pid: u(7),
        uid: u(8),
        laddr: sin_addr(bytes, at + 40),
        lport: sin_port(bytes, at + 40),
        faddr: sin_addr(bytes, at + 56),
        fport: sin_port(bytes, at + 56),
      });
    }
  }
  return list;
}

/** A PF_LOCAL socket. */
export interface UnpcbView {
  /** "stream", "dgram", "seqpacket". */
  readonly proto: string;
  /** Its number, 1 and up, at the moment of the list. */
  readonly id: number;
  /** Number of the socket that it is connected to, 0 none. */
  readonly peer: number;
  readonly recvq: number;
  readonly sendq: number;
  readonly pid: number;
  readonly uid: number;
  /** Does it wait for connections? */
  readonly listens: boolean;
  /** Its name, "" if it has none. */
  readonly path: string;
}

/** All PF_LOCAL sockets, from net.local.*.pcblist. */
export async function unpcblist(sys: RumpCalls): Promise<UnpcbView[]> {
  const list: UnpcbView[] = [];
  for (const proto of ["stream", "dgram", "seqpacket"]) {
    const bytes = await list_bytes(sys, `net.local.${proto}.pcblist`);
    if (!(bytes instanceof Uint8Array)) continue;
    const dv = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at + UNPCBLIST_LEN <= bytes.length; at += UNPCBLIST_LEN) {
      const u = (i: number): number => dv.getUint32(at + 4 * i, true);
      const name = at + UNPCBLIST_NAME;
      const sun = bytes.subarray(name + 2, name + Math.max(2, bytes[name] ?? 0));
      const end = sun.indexOf(0);
      const path = new TextDecoder("latin1").decode(end < 0 ? sun : sun.subarray(0, end));
      list.push({
        proto,
        id: u(6),
        peer: u(7),
        recvq: u(2),
        sendq: u(3),
        pid: u(8),
        uid: u(9),
        listens: u(10) === 1,
        path,
      });
    }
  }
  return list;
}

/** 10.0.0.1.53 and *.*, as NetBSD writes them. */
export function addr_port(addr: number, port: number): string {
  return `${addr === 0 ? "*" : inet_ntoa(addr)}.${port === 0 ? "*" : port}`;
}

/** A socket as JSON. */
export function pcb_json(p: PcbView): object {
  return {
    proto: p.proto,
    protocol: p.protocol,
    recvq: p.recvq,
    sendq: p.sendq,
    pid: p.pid,
    uid: p.uid,
    local: { address: inet_ntoa(p.laddr), port: p.lport },
    foreign: { address: inet_ntoa(p.faddr), port: p.fport },
  };
}
