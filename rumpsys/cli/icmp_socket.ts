/** A raw ICMP socket for ping and traceroute: echo requests out, whatever comes back in. */
import { EAGAIN } from "../../hypercall/api/errno.ts";
import { POLLIN } from "../../kernel-components/kern/select.ts";
import {
  MSG_DONTWAIT,
  PF_INET,
  SO_RCVBUF,
  SO_SNDBUF,
  SOCK_RAW,
  SOL_SOCKET,
} from "../../kernel-components/socket/socket_abi.ts";
import { cksum } from "../../kernel-components/wire/cksum.ts";
import {
  ICMP_ECHO,
  ICMP_MINLEN,
  icmp_code,
  icmp_id,
  icmp_quotes,
  icmp_seq,
  icmp_set_cksum,
  icmp_set_id,
  icmp_set_seq,
  icmp_set_type,
  icmp_type,
} from "../../kernel-components/wire/icmp.ts";
import { IPPROTO_ICMP } from "../../kernel-components/wire/in.ts";
import { IP_HDRLEN, ip_dst, ip_hlen, ip_p, ip_src, ip_ttl } from "../../kernel-components/wire/ipv4.ts";
import { inet_ntoa } from "../../kernel-components/wire/inet_addr.ts";
import type { RumpCalls } from "../client/rump_calls.ts";
import { errno_of } from "./tool.ts";

/** Receive buffer: room for some large replies. */
const RCVBUF = 220 * 1024;
const MAXPACKET = 65_535;

/** A packet that came in. */
export interface IcmpSeen {
  /** Sender. */
  readonly from: number;
  readonly ttl: number;
  /** Bytes of options in its IP header. */
  readonly options: Uint8Array;
  readonly type: number;
  readonly code: number;
  readonly id: number;
  readonly seq: number;
  /** Bytes of the ICMP message. */
  readonly length: number;
  /** The message. */
  readonly message: Uint8Array;
  /** An error's quoted packet: its destination, protocol, and what follows its IP header; null for other messages. */
  readonly quoted: { readonly dst: number; readonly proto: number; readonly payload: Uint8Array } | null;
}

/** A raw socket. */
export class IcmpSocket {
  /** Its descriptor. */
  readonly fd: number;
  private readonly sys: RumpCalls;
  private readonly buf: Uint8Array = new Uint8Array(MAXPACKET);

  private constructor(sys: RumpCalls, fd: number) {
    this.sys = sys;
    this.fd = fd;
  }

  /** Opens one. */
  static async open(sys: RumpCalls): Promise<IcmpSocket> {
    const fd = await sys.socket(PF_INET, SOCK_RAW, IPPROTO_ICMP);
    await sys.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, RCVBUF);
    await sys.setsockopt(fd, SOL_SOCKET, SO_SNDBUF, MAXPACKET);
    return new IcmpSocket(sys, fd);
  }

  /** Waits at most `ms` for a packet. */
  async wait(ms: number): Promise<boolean> {
    return (await this.sys.poll([{ fd: this.fd, events: POLLIN }], ms)) > 0;
  }

  /** The next packet, null when there is none now. What cannot be read is passed over. */
  async next(): Promise<IcmpSeen | null> {
    for (;;) {
      try {
        const { length } = await this.sys.recvfrom(this.fd, this.buf, MSG_DONTWAIT);
        const seen = icmp_seen(this.buf.slice(0, length));
        if (seen !== null) return seen;
      } catch (error) {
        if (errno_of(error) === EAGAIN) return null;
        throw error;
      }
    }
  }

  /** Sends an echo request. */
  async echo(dst: number, id: number, seq: number, payload: Uint8Array, flags: number = 0): Promise<void> {
    const packet = new Uint8Array(ICMP_MINLEN + payload.length);
    const dv = new DataView(packet.buffer);
    icmp_set_type(dv, 0, ICMP_ECHO);
    icmp_set_id(dv, 0, id);
    icmp_set_seq(dv, 0, seq & 0xffff);
    packet.set(payload, ICMP_MINLEN);
    icmp_set_cksum(dv, 0, 0);
    icmp_set_cksum(dv, 0, cksum(dv, 0, packet.length));
    await this.sys.sendto(this.fd, packet, flags, { family: "inet", address: inet_ntoa(dst), port: 0 });
  }

  /** Closes it. */
  async close(): Promise<void> {
    await this.sys.close(this.fd);
  }
}

/** Takes a packet apart; null if it is no ICMP message. */
export function icmp_seen(packet: Uint8Array): IcmpSeen | null {
  const dv = new DataView(packet.buffer, packet.byteOffset, packet.length);
  if (packet.length < IP_HDRLEN) return null;
  const hlen = ip_hlen(dv, 0);
  if (hlen < IP_HDRLEN || packet.length < hlen + ICMP_MINLEN) return null;
  const type = icmp_type(dv, hlen);
  return {
    from: ip_src(dv, 0),
    ttl: ip_ttl(dv, 0),
    options: packet.slice(IP_HDRLEN, hlen),
    type,
    code: icmp_code(dv, hlen),
    id: icmp_id(dv, hlen),
    seq: icmp_seq(dv, hlen),
    length: packet.length - hlen,
    message: packet.subarray(hlen),
    quoted: icmp_quotes(type) ? quoted(packet, dv, hlen + ICMP_MINLEN) : null,
  };
}

function quoted(packet: Uint8Array, dv: DataView, at: number): IcmpSeen["quoted"] {
  if (packet.length < at + IP_HDRLEN) return null;
  const hlen = ip_hlen(dv, at);
  if (hlen < IP_HDRLEN || packet.length < at + hlen) return null;
  return { dst: ip_dst(dv, at), proto: ip_p(dv, at), payload: packet.slice(at + hlen) };
}
