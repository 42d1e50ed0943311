/*
 * The control block of a routing socket.
 */
import type { Socket } from "../socket/socketvar.ts";

/** One routing socket. */
export class RawCb {
  /** The socket. */
  readonly rcb_so: Socket;
  /** Protocol: an address family whose messages it wants, 0 for all. */
  readonly rcb_proto: number;
  /** RO_MSGFILTER: bit n set means messages of type n are wanted. */
  rcb_msgfilter = -1;
  /** RO_MISSFILTER: only RTM_MISS for these destinations (sockaddrs); empty for all. */
  rcb_missfilter: Uint8Array[] = [];
  constructor(so: Socket, proto: number) {
    this.rcb_so = so;
    this.rcb_proto = proto;
  }
}
