// Routing messages as the tests write and read them.
import { expect } from "chai";
import { EWOULDBLOCK } from "../../../hypercall/api/errno.ts";
import { Timespec } from "../../../hypercall/api/clock.ts";
import {
  RTF_CONNECTED,
  RTF_UP,
  RTM_ADD,
  RTM_IFANNOUNCE,
  RTM_LLINFO_UPD,
  RtInfo,
} from "../../../kernel-components/net/rtentry.ts";
import { rtinit } from "../../../kernel-components/net/rtrequest.ts";
import {
  rt_msg_build,
  rt_xaddrs,
  RTA_IFP,
  RTM_ADDRS_OFF,
  RTM_FLAGS_OFF,
  RTM_RMX_OFF,
  RTM_SEQ_OFF,
  SIZEOF_RT_MSGHDR,
} from "../../../kernel-components/net/rtsock_abi.ts";
import { mk_sockaddr_dl, mk_sockaddr_in } from "../../../kernel-components/wire/sockaddr.ts";
import { type Fd, type FakeEther, ip, NetWorld } from "./net_world.ts";

/** A mask of 24 bits. */
export const M24: number = 0xffffff00 | 0;
/** A read that would block. */
export const NOTHING: number = -EWOULDBLOCK;

export class Rtm {
  readonly bytes: Uint8Array;
  readonly dv: DataView;
  readonly info: RtInfo = new RtInfo();
  constructor(bytes: Uint8Array | number) {
    if (typeof bytes === "number") throw new Error(`read gave errno ${-bytes}`);
    this.bytes = bytes;
    this.dv = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    expect(this.dv.getUint16(0, true)).to.equal(bytes.length);
    expect(bytes[2]).to.equal(4);
    if (this.type < RTM_IFANNOUNCE || this.type === RTM_LLINFO_UPD)
      expect(rt_xaddrs(bytes, SIZEOF_RT_MSGHDR, this.int(RTM_ADDRS_OFF), this.info)).to.equal(0);
  }
  get type(): number {
    return this.bytes[3] as number;
  }
  int(off: number): number {
    return this.dv.getInt32(off, true);
  }
  mtu(): number {
    return Number(this.dv.getBigUint64(RTM_RMX_OFF + 8, true));
  }
}

export function message(
  type: number,
  flags: number,
  dst: string | null,
  mask: number | null,
  gw: Uint8Array | null,
  addrs = 0,
): Uint8Array {
  const info = new RtInfo();
  if (dst !== null) info.rti_dst = mk_sockaddr_in(ip(dst));
  if (mask !== null) info.rti_netmask = mk_sockaddr_in(mask);
  info.rti_gateway = gw;
  if ((addrs & RTA_IFP) !== 0) info.rti_ifpaddr = mk_sockaddr_dl(0, 0);
  const msg = rt_msg_build(type, SIZEOF_RT_MSGHDR, info);
  const dv = new DataView(msg.buffer);
  dv.setInt32(RTM_FLAGS_OFF, flags, true);
  dv.setInt32(RTM_ADDRS_OFF, info.rti_addrs, true);
  dv.setInt32(RTM_SEQ_OFF, 77, true);
  return msg;
}

export const via = (a: string): Uint8Array => mk_sockaddr_in(ip(a));

export class RtsockWorld extends NetWorld {
  /** Wall clock, seconds. */
  wall(): number {
    const ts = new Timespec();
    this.t.k.wall(ts);
    return ts.sec;
  }
  readonly e: FakeEther = this.ether().up();
  constructor() {
    super();
    const ifa = this.addr(this.e.ifp, ip("10.0.0.1"), M24);
    this.in_kernel(() => rtinit(ifa, RTM_ADD, RTF_UP | RTF_CONNECTED));
  }
}

/** Writes a message: the errno and the answer. */
export function ask(s: Fd, msg: Uint8Array): [number, Rtm] {
  const error = s.write(msg);
  return [error, new Rtm(s.read(2048))];
}
