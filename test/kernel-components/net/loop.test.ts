// Loopback: what is sent comes in from a softint, never inside the call that sent it.
import { expect } from "chai";
import { EAFNOSUPPORT, ENETDOWN, ENOBUFS } from "../../../hypercall/api/errno.ts";
import { M_CSUM_OK, M_CSUM_UDPv4, M_LOOP, type Mbuf } from "../../../kernel-components/kern/mbuf.ts";
import { m_freem } from "../../../kernel-components/kern/mbuf_alloc.ts";
import { m_devget } from "../../../kernel-components/kern/mbuf_bytes.ts";
import {
  ifreq,
  ifreq_flags,
  SIOCIFCREATE,
  SIOCIFDESTROY,
  SIOCSIFFLAGS,
} from "../../../kernel-components/net/if_abi.ts";
import { ifunit } from "../../../kernel-components/net/if_attach.ts";
import type { Ifnet } from "../../../kernel-components/net/if.ts";
import { IFD_IPACKETS, IFD_OPACKETS } from "../../../kernel-components/net/if_flags.ts";
import { LOMTU } from "../../../kernel-components/net/loop.ts";
import { NETS_IFDOWN, NETS_LOQDROP, NETS_NOPROTO, register_ethertype } from "../../../kernel-components/net/net.ts";
import { PKTQ_MAXLEN } from "../../../kernel-components/net/pktqueue.ts";
import { AF_INET } from "../../../kernel-components/wire/sockaddr.ts";
import { NetWorld } from "./net_world.ts";

const V4 = new Uint8Array(28).fill(0x45);

function send(w: NetWorld, ifp: Ifnet, bytes: Uint8Array, af = AF_INET): number {
  const m = m_devget(w.t.k.mb, bytes, 0, null) as Mbuf;
  m.m_csum_flags = M_CSUM_UDPv4;
  return ifp.if_output(ifp, m, af, 0, null);
}

describe("loop", () => {
  it("delivers after the call, marked as never having left, and counts both directions", () => {
    const w = new NetWorld();
    expect(w.ioctl(SIOCSIFFLAGS, ifreq_flags("lo0", 1))).to.equal(0);
    const lo = w.net.lo0ifp as Ifnet;
    expect(lo.if_mtu).to.equal(LOMTU);
    const marks: number[] = [];
    let depth = 0;
    register_ethertype(w.net, 0x0800, (ifp, m) => {
      expect([ifp === lo, depth, m.m_flags & M_LOOP]).to.deep.equal([true, 0, M_LOOP]);
      marks.push(m.m_csum_flags);
      m_freem(m);
      depth++;
      if (marks.length < 100) send(w, lo, V4);
      depth--;
    });
    w.in_kernel(() => {
      depth++;
      expect(send(w, lo, V4)).to.equal(0);
      depth--;
      expect(marks.length).to.equal(0);
    });
    expect([marks.length, marks.every((f) => f === M_CSUM_OK)]).to.deep.equal([100, true]);
    expect([lo.if_data[IFD_OPACKETS], lo.if_data[IFD_IPACKETS]]).to.deep.equal([100, 100]);
    w.end();
  });

  it("drops and counts: down, a family it does not carry, a full queue, no protocol, gone meanwhile", () => {
    const w = new NetWorld();
    const lo = w.net.lo0ifp as Ifnet;
    expect(w.in_kernel(() => send(w, lo, V4))).to.equal(ENETDOWN);
    w.ioctl(SIOCSIFFLAGS, ifreq_flags("lo0", 1));
    expect(w.in_kernel(() => send(w, lo, V4, 18))).to.equal(EAFNOSUPPORT);
    w.in_kernel(() => {
      let error = 0;
      for (let n = 0; n < PKTQ_MAXLEN; n++) error = error || send(w, lo, V4);
      expect(error).to.equal(0);
      expect(send(w, lo, V4)).to.equal(ENOBUFS);
    });
    expect([w.net.netstat[NETS_LOQDROP], w.net.netstat[NETS_NOPROTO]]).to.deep.equal([1, PKTQ_MAXLEN]);
    expect(w.ioctl(SIOCIFCREATE, ifreq("lo1"))).to.equal(0);
    w.ioctl(SIOCSIFFLAGS, ifreq_flags("lo1", 1));
    w.in_kernel(() => {
      expect(send(w, ifunit(w.net, "lo1") as Ifnet, V4)).to.equal(0);
      w.ioctl(SIOCIFDESTROY, ifreq("lo1"));
    });
    expect(w.net.netstat[NETS_IFDOWN]).to.equal(1);
    w.end();
  });
});
