/** The sockets of a kernel, from net.inet.*.pcblist. */
import { PCBLIST_LEN } from "../../kernel-components/inet/in_pcb_view.ts";
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

/** All sockets of protocols that tell them. */
export async function pcblist(sys: RumpCalls): Promise<PcbView[]> {
  const list: PcbView[] = [];
  for (const proto of ["tcp", "udp", "raw"]) {
    let bytes: unknown;
    try {
      bytes = await sys.sysctlbyname(`net.inet.${proto}.pcblist`);
    } catch (error) {
      if (errno_of(error) === ENOENT) continue;
      throw error;
    }
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
