import { expect } from "chai";
import { EAFNOSUPPORT, EBUSY, EEXIST, EINVAL, EMSGSIZE, ENETDOWN, ENOBUFS } from "../../../hypercall/api/errno.ts";
import { PTP_MAXPACKET, PTP_QUEUE } from "../../../drivers/ptp/if_ptp.ts";
import { ptp_attach, ptpComponent, PtpError, type PtpPort } from "../../../drivers/ptp/ptp.component.ts";
import { m_freem } from "../../../kernel-components/kern/mbuf_alloc.ts";
import { m_devget, m_tobytes } from "../../../kernel-components/kern/mbuf_bytes.ts";
import {
  ifreq,
  ifreq_flags,
  ifreq_int,
  SIOCIFCREATE,
  SIOCIFDESTROY,
  SIOCSIFFLAGS,
  SIOCSIFMTU,
} from "../../../kernel-components/net/if_abi.ts";
import type { CaptureTap, Ifnet } from "../../../kernel-components/net/if.ts";
import {
  IFD_IBYTES,
  IFD_IPACKETS,
  IFD_IQDROPS,
  IFD_OERRORS,
  IFD_OPACKETS,
  IFD_OQDROPS,
  IFF_MULTICAST,
  IFF_POINTOPOINT,
  IFF_RUNNING,
  IFF_UP,
  LINK_STATE_DOWN,
  LINK_STATE_UP,
} from "../../../kernel-components/net/if_flags.ts";
import { ifioctl } from "../../../kernel-components/net/if_ioctl.ts";
import { netComponent } from "../../../kernel-components/net/net.component.ts";
import { type Net, NET_KEY, NETS_NOPROTO, NETS_OAF, register_ethertype } from "../../../kernel-components/net/net.ts";
import { PKTQ_MAXLEN } from "../../../kernel-components/net/pktqueue.ts";
import { socketComponent } from "../../../kernel-components/socket/socket.component.ts";
import { AF_INET, AF_INET6, AF_UNSPEC } from "../../../kernel-components/wire/sockaddr.ts";
import { bootKernel, type TestKernel } from "../../support/kernel.ts";

/** Bytes that look like an IPv4 (or other) packet of `len` bytes to everything that looks no further. */
function packet(len: number, version: number = 4): Uint8Array {
  const pkt = new Uint8Array(len).map((_, i) => i * 7);
  pkt[0] = (version << 4) | 5;
  return pkt;
}

describe("ptp", () => {
  let t: TestKernel;
  let net: Net;
  let port: PtpPort;
  let ifp: Ifnet;
  const out: { pkt: Uint8Array; at: number }[] = [];
  const got: Uint8Array[] = [];
  let on_output: () => void;
  let on_input: () => void;

  const ioctl = (cmd: number, data: Uint8Array): number => t.in_kernel(() => ifioctl(net, null, cmd, data, null));
  const set_up = (up: boolean): number => ioctl(SIOCSIFFLAGS, ifreq_flags("ptp0", up ? IFF_UP : 0));
  const send = (pkt: Uint8Array, af: number = AF_INET): number =>
    t.in_kernel(() => {
      const m = m_devget(t.k.mb, pkt, 0, null);
      return m === null ? ENOBUFS : ifp.if_output(ifp, m, af, 0x0a000001, null);
    });

  beforeEach(() => {
    out.length = got.length = 0;
    on_output = on_input = () => undefined;
    t = bootKernel([socketComponent, netComponent, ptpComponent]);
    net = t.k.softc(NET_KEY);
    register_ethertype(net, 0x0800, (_ifp, m) => {
      got.push(m_tobytes(m));
      m_freem(m);
      on_input();
    });
    port = ptp_attach(t.k, 0, {
      output(pkt, at) {
        out.push({ pkt, at });
        on_output();
      },
    });
    ifp = port.ifp;
    expect(set_up(true)).to.equal(0);
  });
  afterEach(() => t.end());

  it("is point-to-point, multicast, without link header, and its link is up while a program is there", () => {
    expect(ifp.if_xname).to.equal("ptp0");
    expect(ifp.if_flags).to.equal(IFF_POINTOPOINT | IFF_MULTICAST | IFF_UP | IFF_RUNNING);
    expect([ifp.if_hdrlen, ifp.if_addrlen, ifp.if_mtu, ifp.if_link_state]).to.deep.equal([0, 0, 1500, LINK_STATE_UP]);
    port.close();
    expect(ifp.if_link_state).to.equal(LINK_STATE_DOWN);
  });

  it("gives the program every packet, in order, unchanged, with the kernel's time", () => {
    t.run(123);
    for (const len of [20, 21, 100, 1500, 9000, 65_535]) expect(send(packet(len))).to.equal(0);
    expect(send(packet(40, 6), AF_INET6)).to.equal(0);
    expect(out.map((o) => o.pkt)).to.deep.equal(
      [20, 21, 100, 1500, 9000, 65_535].map((n) => packet(n)).concat([packet(40, 6)]),
    );
    expect(new Set(out.map((o) => o.at))).to.deep.equal(new Set([t.now()]));
    expect(ifp.if_data[IFD_OPACKETS]).to.equal(7);
  });

  it("receives what the program injects, also before inject returns, and copies it", () => {
    const pkt = packet(60);
    expect(port.inject(pkt)).to.equal(0);
    pkt.fill(0);
    expect(got).to.deep.equal([packet(60)]);
    expect([ifp.if_data[IFD_IPACKETS], ifp.if_data[IFD_IBYTES]]).to.deep.equal([1, 60]);
  });

  it("never runs program and protocol inside each other: an answer from output comes in after the sender is done", () => {
    const order: string[] = [];
    on_output = () => {
      order.push("output");
      if (out.length < 3) expect(port.inject(packet(50))).to.equal(0);
      order.push("injected");
    };
    on_input = () => {
      order.push("input");
      const m = m_devget(t.k.mb, packet(30), 0, null)!;
      ifp.if_output(ifp, m, AF_INET, 0, null);
      order.push("sent");
    };
    send(packet(20));
    const once = ["output", "injected", "input", "sent"];
    expect(order).to.deep.equal([...once, ...once, "output", "injected"]);
  });

  it("goes on with the next packet when the program throws", () => {
    on_output = () => {
      if (out.length === 1) throw new Error("program");
    };
    expect(() =>
      t.in_kernel(() => {
        for (const n of [20, 30]) ifp.if_output(ifp, m_devget(t.k.mb, packet(n), 0, null)!, AF_INET, 0, null);
      }),
    ).to.throw("program");
    t.run(1000);
    expect(out.map((o) => o.pkt.length)).to.deep.equal([20, 30]);
  });

  it("refuses what makes no sense and counts what it drops, each under one reason, seen by the capture", () => {
    const seen: string[] = [];
    const tap: CaptureTap = {
      in: () => seen.push("in"),
      out: () => seen.push("out"),
      drop: (_m, why) => seen.push(why),
    };
    ifp.if_capture = tap;
    expect(port.inject(new Uint8Array(0))).to.equal(EMSGSIZE);
    expect(port.inject(new Uint8Array(PTP_MAXPACKET + 1))).to.equal(EMSGSIZE);
    expect(port.inject(packet(20, 9))).to.equal(0);
    expect(net.netstat[NETS_NOPROTO]).to.equal(1);
    expect(send(packet(20), AF_UNSPEC)).to.equal(EAFNOSUPPORT);
    expect(net.netstat[NETS_OAF]).to.equal(1);
    port.close();
    expect(send(packet(20))).to.equal(ENETDOWN);
    expect(set_up(false)).to.equal(0);
    expect(port.inject(packet(20))).to.equal(ENETDOWN);
    expect(send(packet(20))).to.equal(ENETDOWN);
    expect(ifp.if_data[IFD_OERRORS]).to.equal(3);
    expect(seen).to.deep.equal(["in", "noproto", "out", "no_program", "if_down_out"]);
  });

  it("bounds what waits, both ways, and counts the rest", () => {
    t.in_kernel(() => {
      for (let i = 0; i < PKTQ_MAXLEN; i++) expect(port.inject(packet(20))).to.equal(0);
      expect(port.inject(packet(20))).to.equal(ENOBUFS);
    });
    t.run(0);
    expect(got.length).to.equal(PKTQ_MAXLEN);
    expect(ifp.if_data[IFD_IQDROPS]).to.equal(1);
    t.in_kernel(() => {
      for (let i = 0; i < PTP_QUEUE; i++) ifp.if_output(ifp, m_devget(t.k.mb, packet(20), 0, null)!, AF_INET, 0, null);
      expect(ifp.if_output(ifp, m_devget(t.k.mb, packet(20), 0, null)!, AF_INET, 0, null)).to.equal(ENOBUFS);
    });
    expect(out.length).to.equal(PTP_QUEUE);
    expect(ifp.if_data[IFD_OQDROPS]).to.equal(1);
  });

  it("counts what waited when the interface goes down", () => {
    t.in_kernel(() => {
      ifp.if_output(ifp, m_devget(t.k.mb, packet(20), 0, null)!, AF_INET, 0, null);
      port.close();
    });
    expect(out.length).to.equal(0);
    expect(ifp.if_data[IFD_OQDROPS]).to.equal(1);
  });

  it("is created and destroyed by name too; a port of a destroyed unit answers ENETDOWN", () => {
    expect(ioctl(SIOCIFCREATE, ifreq("ptp7"))).to.equal(0);
    expect(ioctl(SIOCIFCREATE, ifreq("ptp7"))).to.equal(EEXIST);
    expect(ptp_attach(t.k, 7, { mtu: 9000, output: () => undefined }).ifp.if_mtu).to.equal(9000);
    expect(ioctl(SIOCSIFMTU, ifreq_int("ptp7", 60))).to.equal(EINVAL);
    expect(ioctl(SIOCIFDESTROY, ifreq("ptp0"))).to.equal(0);
    expect(port.inject(packet(20))).to.equal(ENETDOWN);
    port.close();
  });

  it("says what is wrong with an attachment", () => {
    const peer = { output: (): void => undefined };
    for (const [unit, more, errno, text] of [
      [0, {}, EBUSY, /ptp0 has a program already: EBUSY/],
      [-1, {}, EINVAL, /ptp-1 is no unit/],
      [1, { mtu: 1.5 }, EINVAL, /ptp1: an MTU of 1.5/],
      [1, { mtu: 67 }, EINVAL, /from 68/],
    ] as const)
      expect(() => ptp_attach(t.k, unit, { ...peer, ...more }))
        .to.throw(PtpError, text)
        .with.property("errno", errno);
  });
});
