/** The virtif component: the cloner behind `ifconfig virt0 create`. */
import { EINVAL, ENOMEM, ENOTTY } from "../../hypercall/api/errno.ts";
import { RUMP_COMPONENT_NET_IF, type RumpComponent } from "../../kernel-components/kern/component.ts";
import { type Kernel, SoftcKey } from "../../kernel-components/kern/kernel.ts";
import type { Mowner } from "../../kernel-components/kern/mbuf.ts";
import { ether_ifattach, ether_ifdetach, ether_ioctl } from "../../kernel-components/net/ether_attach.ts";
import { Ifnet } from "../../kernel-components/net/if.ts";
import { SIOCSIFCAP } from "../../kernel-components/net/if_abi.ts";
import { if_attach, if_detach, if_transmit_queue } from "../../kernel-components/net/if_attach.ts";
import { if_clone_attach, if_clone_detach, type IfClone } from "../../kernel-components/net/if_clone.ts";
import { if_linkstr_attach, if_linkstr_ioctl } from "../../kernel-components/net/if_linkstr.ts";
import { NET_KEY, type Net } from "../../kernel-components/net/net.ts";
import { VirtSoftc } from "./if_virt.ts";
import { virt_apply_caps } from "./virt_caps.ts";

/** First two bytes of a virt address, as NetBSD's: locally administered. */
const VIRT_MAC_PREFIX = 0xb20a;
/** Slab bytes of each unit for looking at bytes that are not contiguous. */
const SCRATCH = 64;

/** What the component keeps in a kernel. */
class Virtif {
  readonly units: Map<VirtSoftc, number> = new Map();
  readonly clone: IfClone;
  private readonly k: Kernel;
  private readonly net: Net;
  private readonly mo: Mowner;

  constructor(k: Kernel, net: Net) {
    this.k = k;
    this.net = net;
    this.mo = k.mb.owner("virt", "rx");
    this.clone = {
      name: "virt",
      create: (unit) => this.create(unit),
      destroy: (ifp) => this.destroy(ifp),
    };
  }

  private create(unit: number): number {
    const scratch = this.k.host.memory.rumpuser_malloc(SCRATCH, 8);
    if (scratch === 0) return ENOMEM;
    const ifp = new Ifnet(this.net, "virt", unit);
    const sc = new VirtSoftc(this.k, ifp, this.mo, scratch);
    ifp.if_softc = sc;
    ifp.if_transmit = if_transmit_queue;
    ifp.if_start = () => sc.start();
    ifp.if_init = () => sc.init();
    ifp.if_stop = () => sc.stop();
    ifp.if_ioctl = (_ifp, cmd, data) => virt_ioctl(sc, cmd, data);
    const error = if_attach(ifp);
    if (error !== 0) {
      sc.destroy();
      this.k.host.memory.rumpuser_free(scratch, SCRATCH);
      return error;
    }
    ether_ifattach(ifp, virt_mac(this.k, unit));
    if_linkstr_attach(ifp, () => sc.sc_text);
    this.units.set(sc, scratch);
    return 0;
  }

  private destroy(ifp: Ifnet): number {
    const sc = ifp.if_softc;
    const scratch = sc instanceof VirtSoftc ? this.units.get(sc) : undefined;
    if (!(sc instanceof VirtSoftc) || scratch === undefined) return EINVAL;
    ether_ifdetach(ifp);
    if_detach(ifp);
    sc.destroy();
    this.units.delete(sc);
    this.k.host.memory.rumpuser_free(scratch, SCRATCH);
    return 0;
  }

  /** Takes every interface away. */
  destroy_all(): void {
    for (const sc of [...this.units.keys()]) this.destroy(sc.sc_ifp);
  }
}

const VIRTIF_KEY: SoftcKey<Virtif> = new SoftcKey<Virtif>("virtif");

/** b2:0a, a random byte, 0b:0e and the unit. */
function virt_mac(k: Kernel, unit: number): Uint8Array {
  return Uint8Array.of(VIRT_MAC_PREFIX >> 8, VIRT_MAC_PREFIX & 0xff, k.random32() & 0xff, 0x0b, 0x0e, unit & 0xff);
}

/** The interface's ioctls beyond Ethernet's. */
function virt_ioctl(sc: VirtSoftc, cmd: number, data: Uint8Array): number {
  const error = if_linkstr_ioctl(cmd, data, sc);
  if (error !== ENOTTY) return error;
  const answer = ether_ioctl(sc.sc_ifp, cmd, data);
  if (cmd === SIOCSIFCAP && answer === 0) virt_apply_caps(sc.sc_ifp);
  return answer;
}

/** Interfaces on host taps and simulated wires. */
export const virtifComponent: RumpComponent = {
  name: "virtif",
  requires: ["net"],
  excludes: [],
  init: {
    [RUMP_COMPONENT_NET_IF](k) {
      const net = k.softc(NET_KEY);
      const virtif = new Virtif(k, net);
      k.softc_set(VIRTIF_KEY, virtif);
      return if_clone_attach(net, virtif.clone);
    },
  },
  fini: {
    [RUMP_COMPONENT_NET_IF](k) {
      const virtif = k.softc(VIRTIF_KEY);
      virtif.destroy_all();
      if_clone_detach(k.softc(NET_KEY), virtif.clone);
    },
  },
};
