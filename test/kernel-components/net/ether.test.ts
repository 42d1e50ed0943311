// Ethernet: which frames are taken, what each drop is counted as, how packets leave.
import { expect } from "chai";
import { EAFNOSUPPORT, ENETDOWN, EHOSTDOWN, EHOSTUNREACH, ENOBUFS, EWOULDBLOCK } from "../../../hypercall/api/errno.ts";
import { M_BCAST, M_MCAST, type Mbuf } from "../../../kernel-components/kern/mbuf.ts";
import { m_freem } from "../../../kernel-components/kern/mbuf_alloc.ts";
import { m_devget } from "../../../kernel-components/kern/mbuf_bytes.ts";
import { SysctlLen } from "../../../kernel-components/kern/sysctl_bytes.ts";
import {
  ifreq_addr,
  ifreq_flags,
  SIOCADDMULTI,
  SIOCDELMULTI,
  SIOCSIFFLAGS,
} from "../../../kernel-components/net/if_abi.ts";
import { if_transmit_queue } from "../../../kernel-components/net/if_attach.ts";
import {
  IFD_IERRORS,
  IFD_IMCASTS,
  IFD_IPACKETS,
  IFD_IQDROPS,
  IFD_NOPROTO,
  IFD_OMCASTS,
  IFD_OPACKETS,
  IFD_OQDROPS,
} from "../../../kernel-components/net/if_flags.ts";
import { IF_PURGE } from "../../../kernel-components/net/ifqueue.ts";
import { ifpromisc } from "../../../kernel-components/net/if_promisc.ts";
import {
  NETS_GIANT,
  NETS_IFDOWN,
  NETS_LLC,
  NETS_MCASTFILTER,
  NETS_NOPROTO,
  NETS_NOTFORUS,
  NETS_ODOWN,
  NETS_OREJECT,
  NETS_OWNSOURCE,
  NETS_PFIL,
  NETS_RUNT,
  NETS_VLAN,
} from "../../../kernel-components/net/net.ts";
import { Timespec } from "../../../hypercall/api/clock.ts";
import { if_down } from "../../../kernel-components/net/if_link.ts";
import { PFIL_IN, PFIL_OUT, pfil_add_ifhook, pfil_remove_ifhook } from "../../../kernel-components/net/pfil.ts";
import { RTF_BLACKHOLE, RTF_GATEWAY, RTF_REJECT, Rtentry } from "../../../kernel-components/net/rtentry.ts";
import { AF_INET, AF_INET6, AF_UNSPEC, mk_sockaddr_in } from "../../../kernel-components/wire/sockaddr.ts";
import { BCAST, frame, ip, NetWorld, PEER, type FakeEther } from "./net_world.ts";

const MCAST = [1, 0, 0x5e, 1, 2, 3];

function out(
  w: NetWorld,
  e: FakeEther,
  payload: Uint8Array,
  af: number,
  dst: number,
  rt: Rtentry | null = null,
  flags = 0,
): number {
  return w.in_kernel(() => {
    const m = m_devget(w.t.k.mb, payload, 32, null) as Mbuf;
    m.m_flags |= flags;
    return e.ifp.if_output(e.ifp, m, af, dst, rt);
  });
}

describe("ether_input", () => {
  it("takes its own, broadcast and joined groups, and counts every other frame under one reason", () => {
    const w = new NetWorld();
    const e = w.ether().up();
    w.receive(0x0800);
    const own = [...e.ifp.if_lladdr];
    const bytes = Uint8Array.from({ length: 47 }, (_, i) => i);
    e.rx(frame(own, PEER, 0x0800, bytes));
    e.rx(frame(BCAST, PEER, 0x0800));
    e.rx(frame(MCAST, PEER, 0x0800));
    expect(w.ioctl(SIOCADDMULTI, ifreq_addr("tst0", mk_sockaddr_in(ip("224.1.2.3"))))).to.equal(0);
    e.rx(frame(MCAST, PEER, 0x0800));
    expect(w.got.map((g) => g.flags & (M_BCAST | M_MCAST))).to.deep.equal([0, M_BCAST, M_MCAST]);
    expect(w.got[0]?.bytes).to.deep.equal(bytes);
    expect(w.ioctl(SIOCDELMULTI, ifreq_addr("tst0", mk_sockaddr_in(ip("224.1.2.3"))))).to.equal(0);
    e.rx(frame(MCAST, PEER, 0x0800));
    e.rx(frame(PEER, PEER, 0x0800));
    e.rx(frame(BCAST, own, 0x0800));
    e.rx(frame(own, PEER, 0x8100));
    e.rx(frame(own, PEER, 0x0805));
    e.rx(frame(own, PEER, 46));
    e.rx(new Uint8Array(13));
    e.rx(frame(own, PEER, 0x0800, new Uint8Array(1505)));
    e.rx(frame(own, PEER, 0x0806));
    const s = w.net.netstat;
    const counted = [
      NETS_MCASTFILTER,
      NETS_NOTFORUS,
      NETS_OWNSOURCE,
      NETS_VLAN,
      NETS_NOPROTO,
      NETS_LLC,
      NETS_RUNT,
      NETS_GIANT,
    ].map((n) => s[n]);
    expect(counted).to.deep.equal([2, 1, 1, 1, 2, 1, 1, 1]);
    const d = e.ifp.if_data;
    expect([d[IFD_IPACKETS], d[IFD_IERRORS], d[IFD_IQDROPS], d[IFD_NOPROTO], d[IFD_IMCASTS]]).to.deep.equal([
      11, 2, 4, 4, 5,
    ]);
    expect(w.got.length).to.equal(3);
    w.end();
  });

  it("drops unicast frames to others also in promiscuous mode, and everything while down", () => {
    const w = new NetWorld();
    const e = w.ether().up();
    w.receive(0x0800);
    expect(w.in_kernel(() => ifpromisc(e.ifp, true))).to.equal(0);
    e.rx(frame(PEER, BCAST, 0x0800));
    expect(w.net.netstat[NETS_NOTFORUS]).to.equal(1);
    w.in_kernel(() => ifpromisc(e.ifp, false));
    expect(w.ioctl(SIOCSIFFLAGS, ifreq_flags("tst0", 0))).to.equal(0);
    e.rx(frame(BCAST, PEER, 0x0800));
    expect(w.net.netstat[NETS_IFDOWN]).to.equal(1);
    expect(w.got.length).to.equal(0);
    w.end();
  });

  it("lets hooks of the interface drop and replace frames in both directions", () => {
    const w = new NetWorld();
    const e = w.ether().up();
    w.fake_inet();
    w.receive(0x0800);
    const seen: number[] = [];
    const hook = (m: Mbuf, _ifp: unknown, dir: number): Mbuf | null => {
      seen.push(dir);
      if (seen.length % 2 === 1) return m;
      m_freem(m);
      return null;
    };
    pfil_add_ifhook(e.ifp, hook, PFIL_IN | PFIL_OUT);
    e.rx(frame(BCAST, PEER, 0x0800));
    e.rx(frame(BCAST, PEER, 0x0800));
    out(w, e, new Uint8Array(20), AF_INET, 1);
    out(w, e, new Uint8Array(20), AF_INET, 1);
    expect([w.got.length, e.sent.length, w.net.netstat[NETS_PFIL]]).to.deep.equal([1, 1, 2]);
    pfil_remove_ifhook(e.ifp, hook, PFIL_IN | PFIL_OUT);
    expect(e.ifp.if_pfil).to.equal(null);
    w.end();
  });
});

describe("ether_output", () => {
  it("asks the resolver, maps groups, and loops back the broadcast that a simplex interface does not hear", () => {
    const w = new NetWorld();
    const e = w.ether().up();
    w.fake_inet();
    w.receive(0x0800);
    const pkt = Uint8Array.from([0x45, ...new Array<number>(27).fill(7)]);
    expect(out(w, e, pkt, AF_INET, ip("10.0.0.9"))).to.equal(0);
    expect(out(w, e, pkt, AF_INET, ip("239.129.2.3"), null, M_MCAST)).to.equal(0);
    expect(out(w, e, pkt, AF_INET, -1, null, M_BCAST)).to.equal(0);
    const own = [...e.ifp.if_lladdr];
    expect(e.sent).to.deep.equal([
      frame([2, 0, 10, 0, 0, 9], own, 0x0800, pkt),
      frame([1, 0, 0x5e, 1, 2, 3], own, 0x0800, pkt),
      frame(BCAST, own, 0x0800, pkt),
    ]);
    expect(w.got.map((g) => [g.ifp === e.ifp, g.bytes.length])).to.deep.equal([[true, 28]]);
    expect([e.ifp.if_data[IFD_OPACKETS], e.ifp.if_data[IFD_OMCASTS]]).to.deep.equal([3, 2]);
    w.end();
  });

  it("reports success for a packet that waits for its neighbour, and the resolver's errors", () => {
    const w = new NetWorld();
    const e = w.ether().up();
    const held: Mbuf[] = [];
    w.fake_inet({
      resolve(_ifp, m, dst) {
        if (dst === 1) held.push(m);
        else m_freem(m);
        return dst === 1 ? EWOULDBLOCK : EHOSTUNREACH;
      },
    });
    expect(out(w, e, new Uint8Array(20), AF_INET, 1)).to.equal(0);
    expect(out(w, e, new Uint8Array(20), AF_INET, 2)).to.equal(EHOSTUNREACH);
    expect(out(w, e, new Uint8Array(20), AF_INET6, 2)).to.equal(EAFNOSUPPORT);
    expect([e.sent.length, held.length]).to.deep.equal([0, 1]);
    m_freem(held[0] as Mbuf);
    w.end();
  });

  it("refuses by reject and blackhole routes and while down", () => {
    const w = new NetWorld();
    const e = w.ether().up();
    w.fake_inet();
    const ifa = w.addr(e.ifp, ip("10.0.0.1"), ip("255.0.0.0"));
    const rt = (flags: number): Rtentry => new Rtentry(ifa.ifa_addr, null, ifa.ifa_addr, flags, ifa, e.ifp);
    expect(out(w, e, new Uint8Array(20), AF_INET, 1, rt(RTF_REJECT | RTF_GATEWAY))).to.equal(EHOSTUNREACH);
    expect(out(w, e, new Uint8Array(20), AF_INET, 1, rt(RTF_REJECT))).to.equal(EHOSTDOWN);
    expect(out(w, e, new Uint8Array(20), AF_INET, 1, rt(RTF_BLACKHOLE))).to.equal(0);
    expect(w.ioctl(SIOCSIFFLAGS, ifreq_flags("tst0", 0))).to.equal(0);
    expect(out(w, e, new Uint8Array(20), AF_INET, 1)).to.equal(ENETDOWN);
    expect([w.net.netstat[NETS_OREJECT], w.net.netstat[NETS_ODOWN], e.sent.length]).to.deep.equal([3, 1, 0]);
    w.end();
  });

  it("sends a header that is ready with its own source address", () => {
    const w = new NetWorld();
    const e = w.ether().up();
    w.net.bpf_hdr.set(frame(MCAST, PEER, 0x88cc, new Uint8Array(0)));
    expect(out(w, e, new Uint8Array(20), AF_UNSPEC, 0)).to.equal(0);
    expect(e.sent[0]).to.deep.equal(frame(MCAST, [...e.ifp.if_lladdr], 0x88cc, new Uint8Array(20)));
    expect(e.ifp.if_data[IFD_OMCASTS]).to.equal(1);
    w.end();
  });

  it("drops at a full send queue, counts it, and obeys net.interfaces.tst0.sndq.maxlen", () => {
    const w = new NetWorld();
    const e = w.ether().up();
    w.fake_inet();
    e.ifp.if_transmit = if_transmit_queue;
    const set = new Uint8Array(4);
    new DataView(set.buffer).setInt32(0, 3, true);
    expect(w.t.k.sysctl.sysctlbyname("net.interfaces.tst0.sndq.maxlen", null, new SysctlLen(0), set, w.root)).to.equal(
      0,
    );
    const errors = [1, 2, 3, 4, 5].map((n) => out(w, e, new Uint8Array(20), AF_INET, n));
    expect(errors).to.deep.equal([0, 0, 0, ENOBUFS, ENOBUFS]);
    expect([
      e.ifp.if_snd.ifq_len,
      e.ifp.if_snd.ifq_drops,
      e.ifp.if_data[IFD_OQDROPS],
      e.ifp.if_data[IFD_OPACKETS],
    ]).to.deep.equal([3, 2, 2, 3]);
    expect(IF_PURGE(e.ifp.if_snd)).to.equal(3);
    w.end();
  });

  it("counts what waits in the send queue of an interface that goes down, and stamps the change with the time of day", () => {
    const w = new NetWorld();
    const e = w.ether().up();
    w.fake_inet();
    e.ifp.if_transmit = if_transmit_queue;
    for (let n = 1; n <= 3; n++) out(w, e, new Uint8Array(20), AF_INET, n);
    w.in_kernel(() => if_down(e.ifp));
    expect([e.ifp.if_snd.ifq_len, e.ifp.if_snd.ifq_drops, e.ifp.if_data[IFD_OQDROPS]]).to.deep.equal([0, 3, 3]);
    const now = new Timespec();
    w.t.k.wall(now);
    expect(e.ifp.if_lastchange_sec).to.equal(now.sec);
    w.end();
  });
});
