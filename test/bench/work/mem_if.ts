// mem0, mem1: Ethernet interfaces whose wire is this program: frames go in as bytes, what comes out is counted.
import type { Kernel } from "../../../kernel-components/kern/kernel.ts";
import { MT_DATA } from "../../../kernel-components/kern/mbuf.ts";
import type { Mbuf } from "../../../kernel-components/kern/mbuf.ts";
import { m_freem, m_getcl } from "../../../kernel-components/kern/mbuf_alloc.ts";
import { ether_ifattach, ether_ioctl } from "../../../kernel-components/net/ether_attach.ts";
import { Ifnet } from "../../../kernel-components/net/if.ts";
import { if_attach } from "../../../kernel-components/net/if_attach.ts";
import { IFF_RUNNING } from "../../../kernel-components/net/if_flags.ts";
import { NET_KEY } from "../../../kernel-components/net/net.ts";

/** Bytes in front of a frame, so that its IP header is aligned. */
export const ETHER_ALIGN = 2;

/** One interface. */
export class MemIf {
  readonly ifp: Ifnet;
  /** Frames sent. */
  sent = 0;
  /** The last frame sent is kept here when set. */
  keep: Uint8Array | null = null;
  private readonly k: Kernel;

  constructor(k: Kernel, unit: number) {
    this.k = k;
    const ifp = new Ifnet(k.softc(NET_KEY), "mem", unit);
    this.ifp = ifp;
    ifp.if_transmit = (_ifp, m) => this.transmit(m);
    ifp.if_init = () => {
      ifp.if_flags |= IFF_RUNNING;
      return 0;
    };
    ifp.if_ioctl = (i, cmd, data) => ether_ioctl(i, cmd, data);
    k.enter();
    const error = if_attach(ifp);
    if (error !== 0) throw new Error(`if_attach: errno ${error}`);
    ether_ifattach(ifp, Uint8Array.of(2, 0, 0, 0, 0, unit + 1));
    k.leave();
  }

  // hot
  private transmit(m: Mbuf): number {
    this.sent++;
    if (this.keep !== null) this.keep.set(this.k.u8.subarray(m.m_off, m.m_off + Math.min(m.m_len, this.keep.length)));
    m_freem(m);
    return 0;
  }

  /** A frame of `len` bytes at slab offset `off` (2 modulo 4) arrives: it is copied by words, as a device writes memory. hot */
  rx(off: number, len: number): void {
    const m = m_getcl(this.k.mb, MT_DATA, true);
    if (m === null) throw new Error("no mbufs");
    m.m_off += ETHER_ALIGN;
    const { i32 } = this.k;
    const words = (ETHER_ALIGN + len + 3) >>> 2;
    const from = off >>> 2;
    const to = m.m_off >>> 2;
    for (let w = 0; w < words; w++) i32[to + w] = i32[from + w]!;
    m.m_len = len;
    m.m_pkthdr_len = len;
    this.ifp.if_input(this.ifp, m);
  }
}
