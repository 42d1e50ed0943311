/** The ptp component: the cloner behind `ifconfig ptp0 create`, and ptp_attach, by which a program plugs itself in. */
import { EBUSY, EINVAL, ENETDOWN } from "../../hypercall/api/errno.ts";
import { errno_name } from "../../hypercall/api/errno_names.ts";
import { RUMP_COMPONENT_NET_IF, type RumpComponent } from "../../kernel-components/kern/component.ts";
import { type Kernel, SoftcKey } from "../../kernel-components/kern/kernel.ts";
import { bpfattach, DLT_RAW } from "../../kernel-components/net/bpf_if.ts";
import { ether_ioctl } from "../../kernel-components/net/ether_attach.ts";
import { Ifnet } from "../../kernel-components/net/if.ts";
import { if_attach, if_detach, if_of_ref, ifunit } from "../../kernel-components/net/if_attach.ts";
import { if_clone_attach, if_clone_detach, IF_MAXUNIT, type IfClone } from "../../kernel-components/net/if_clone.ts";
import {
  IFD_IQDROPS,
  IFF_MULTICAST,
  IFF_POINTOPOINT,
  IFT_PPP,
  LINK_STATE_DOWN,
} from "../../kernel-components/net/if_flags.ts";
import { raw_input } from "../../kernel-components/net/loop.ts";
import { NET_KEY, type Net } from "../../kernel-components/net/net.ts";
import { m_freem } from "../../kernel-components/kern/mbuf_alloc.ts";
import type { Mbuf, Mowner } from "../../kernel-components/kern/mbuf.ts";
import { PktQueue, pktq_destroy } from "../../kernel-components/net/pktqueue.ts";
import { PTP_MAXPACKET, PTP_MTU, type PtpPeer, PtpSoftc } from "./if_ptp.ts";

const MTU_MIN = 68;

/** A program could not be plugged in; the message names the interface and the reason. */
export class PtpError extends Error {
  override readonly name = "PtpError";
  /** NetBSD errno. */
  readonly errno: number;

  constructor(what: string, errno: number) {
    super(`${what}: ${errno_name(errno)}`);
    this.errno = errno;
  }
}

/** The program's end of a ptp interface. */
export class PtpPort {
  /** The interface. */
  readonly ifp: Ifnet;
  private readonly sc: PtpSoftc;

  constructor(sc: PtpSoftc) {
    this.sc = sc;
    this.ifp = sc.sc_ifp;
  }

  /**
   * Gives the kernel a packet, an IPv4 or IPv6 header first, as long as it likes up to PTP_MAXPACKET. It has been processed when this returns,
   * unless the caller is itself running inside the kernel (from output, for example): then soon.
   * @returns 0, ENETDOWN (not up, or the end of this port), EMSGSIZE (empty or too long), ENOBUFS (queue full or no mbufs)
   */
  inject(pkt: Uint8Array): number {
    const k = this.sc.sc_k;
    if (k.dead) return ENETDOWN;
    k.enter();
    const error = this.sc.inject(pkt);
    k.leave();
    return error;
  }

  /** Unplugs the program. The interface stays, its link goes down. */
  close(): void {
    const k = this.sc.sc_k;
    if (this.sc.sc_peer === null || k.dead) return;
    k.enter();
    this.sc.set_peer(null);
    k.leave();
  }
}

/** What the component keeps in a kernel. */
class Ptp {
  readonly units: Set<PtpSoftc> = new Set();
  readonly clone: IfClone;
  readonly rxq: PktQueue;
  private readonly k: Kernel;
  private readonly net: Net;
  private readonly mo: Mowner;

  constructor(k: Kernel, net: Net) {
    this.k = k;
    this.net = net;
    this.mo = k.mb.owner("ptp", "rx");
    this.rxq = new PktQueue(k, (m) => this.input(m));
    this.clone = { name: "ptp", create: (unit) => this.create(unit), destroy: (ifp) => this.destroy(ifp) };
  }

  create(unit: number): number {
    const ifp = new Ifnet(this.net, "ptp", unit);
    const sc = new PtpSoftc(this.k, ifp, this.mo, this.rxq);
    ifp.if_type = IFT_PPP;
    ifp.if_flags = IFF_POINTOPOINT | IFF_MULTICAST;
    ifp.if_mtu = PTP_MTU;
    ifp.if_mtu_min = MTU_MIN;
    ifp.if_mtu_max = PTP_MAXPACKET;
    ifp.if_link_state = LINK_STATE_DOWN;
    ifp.if_input = raw_input;
    ifp.if_ioctl = ether_ioctl; // nothing in it is Ethernet's own
    bpfattach(ifp, DLT_RAW, 0);
    const error = if_attach(ifp);
    if (error === 0) this.units.add(sc);
    else sc.destroy();
    return error;
  }

  destroy(ifp: Ifnet): number {
    const sc = ifp.if_softc;
    if (!(sc instanceof PtpSoftc) || !this.units.has(sc)) return EINVAL;
    if_detach(ifp);
    sc.destroy();
    this.units.delete(sc);
    return 0;
  }

  /** The softint: what a program injected comes in. */
  private input(m: Mbuf): void {
    const ifp = if_of_ref(this.net, m.m_rcvif);
    if (ifp === m.m_rcvif && ifp !== null) return ifp.if_input(ifp, m);
    if (ifp !== null) ifp.if_data[IFD_IQDROPS]++;
    return m_freem(m);
  }
}

const PTP_KEY: SoftcKey<Ptp> = new SoftcKey<Ptp>("ptp");

/**
 * Plugs a program into ptp`unit`, which is created if need be; the caller still gives it addresses and brings it up. `peer.output` gets what
 * the kernel sends, in order, after the code that sent it has returned. Throws PtpError: EINVAL for a unit or MTU that makes no sense, EBUSY
 * when a program is plugged in already.
 */
export function ptp_attach(k: Kernel, unit: number, peer: PtpPeer): PtpPort {
  const name = `ptp${unit}`;
  if (!Number.isInteger(unit) || unit < 0 || unit > IF_MAXUNIT)
    throw new PtpError(`${name} is no unit from 0 to ${IF_MAXUNIT}`, EINVAL);
  const mtu = peer.mtu ?? PTP_MTU;
  if (!Number.isInteger(mtu) || mtu < MTU_MIN || mtu > PTP_MAXPACKET)
    throw new PtpError(`${name}: an MTU of ${mtu} is not from ${MTU_MIN} to ${PTP_MAXPACKET}`, EINVAL);
  const ptp = k.softc(PTP_KEY);
  k.enter();
  try {
    const error = ifunit(k.softc(NET_KEY), name) === null ? ptp.create(unit) : 0;
    const sc = [...ptp.units].find((one) => one.sc_ifp.if_dunit === unit);
    if (error !== 0 || sc === undefined) throw new PtpError(`cannot create ${name}`, error);
    if (sc.sc_peer !== null) throw new PtpError(`${name} has a program already`, EBUSY);
    if (peer.mtu !== undefined) sc.sc_ifp.if_mtu = mtu;
    sc.set_peer(peer);
    return new PtpPort(sc);
  } finally {
    k.leave();
  }
}

/** Point-to-point interfaces whose other end is a program. */
export const ptpComponent: RumpComponent = {
  name: "ptp",
  requires: ["net"],
  excludes: [],
  init: {
    [RUMP_COMPONENT_NET_IF](k) {
      const ptp = new Ptp(k, k.softc(NET_KEY));
      k.softc_set(PTP_KEY, ptp);
      return if_clone_attach(k.softc(NET_KEY), ptp.clone);
    },
  },
  fini: {
    [RUMP_COMPONENT_NET_IF](k) {
      const ptp = k.softc(PTP_KEY);
      for (const sc of [...ptp.units]) ptp.destroy(sc.sc_ifp);
      if_clone_detach(k.softc(NET_KEY), ptp.clone);
      pktq_destroy(ptp.rxq);
    },
  },
};
