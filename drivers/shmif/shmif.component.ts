/** The shmif component: the cloner behind `ifconfig shmif0 create`, and its settings. */
import { EINVAL, ENOTTY } from "../../hypercall/api/errno.ts";
import { RUMP_COMPONENT_NET_IF } from "../../kernel-components/kern/component.ts";
import type { RumpComponent } from "../../kernel-components/kern/component.ts";
import type { Kernel } from "../../kernel-components/kern/kernel.ts";
import { SoftcKey } from "../../kernel-components/kern/kernel.ts";
import { ether_ifattach, ether_ifdetach, ether_ioctl } from "../../kernel-components/net/ether_attach.ts";
import { Ifnet } from "../../kernel-components/net/if.ts";
import { SIOCADDMULTI, SIOCDELMULTI, SIOCINITIFADDR, SIOCSIFFLAGS } from "../../kernel-components/net/if_abi.ts";
import { if_attach, if_detach, if_transmit_queue } from "../../kernel-components/net/if_attach.ts";
import { if_clone_attach, if_clone_detach } from "../../kernel-components/net/if_clone.ts";
import type { IfClone } from "../../kernel-components/net/if_clone.ts";
import {
  IFF_BROADCAST,
  IFF_MULTICAST,
  IFF_SIMPLEX,
  LINK_STATE_DOWN,
  LINK_STATE_UP,
} from "../../kernel-components/net/if_flags.ts";
import { if_csum_update } from "../../kernel-components/net/if_ioctl_common.ts";
import { if_link_state_change } from "../../kernel-components/net/if_link.ts";
import { if_linkstr_attach, if_linkstr_ioctl } from "../../kernel-components/net/if_linkstr.ts";
import {
  IFM_ACTIVE,
  IFM_AUTO,
  IFM_AVALID,
  IFM_ETHER,
  IFM_NONE,
  IfMedia,
  ifmedia_add,
  ifmedia_set,
} from "../../kernel-components/net/if_media.ts";
import { NET_KEY } from "../../kernel-components/net/net.ts";
import type { Net } from "../../kernel-components/net/net.ts";
import { ShmifConfig, ShmifSoftc } from "./if_shmif.ts";
import { SHMIF_CAPS } from "./shmif_offload.ts";
import { shmif_size_ok } from "./shmif_layout.ts";

/** First two bytes of a shmif address, as NetBSD's: locally administered. */
const SHMIF_MAC_PREFIX = 0xb2a0;

/** What the component keeps in a kernel. */
class Shmif {
  readonly config: ShmifConfig = new ShmifConfig();
  readonly units: Set<ShmifSoftc> = new Set();
  readonly clone: IfClone;

  constructor(k: Kernel, net: Net) {
    this.clone = {
      name: "shmif",
      create: (unit) => this.create(k, net, unit),
      destroy: (ifp) => this.destroy(ifp),
    };
  }

  private create(k: Kernel, net: Net, unit: number): number {
    const ifp = new Ifnet(net, "shmif", unit);
    const sc = new ShmifSoftc(k, ifp, this.config);
    ifp.if_softc = sc;
    ifp.if_flags = IFF_BROADCAST | IFF_SIMPLEX | IFF_MULTICAST;
    ifp.if_link_state = LINK_STATE_UP;
    ifp.if_transmit = if_transmit_queue;
    ifp.if_start = () => sc.start();
    ifp.if_init = () => sc.init();
    ifp.if_stop = () => sc.stop();
    ifp.if_ioctl = (_ifp, cmd, data) => shmif_ioctl(sc, cmd, data);
    const error = if_attach(ifp);
    if (error !== 0) {
      sc.destroy();
      return error;
    }
    ether_ifattach(ifp, shmif_mac(k));
    if_linkstr_attach(ifp, () => sc.sc_text);
    ifp.if_capabilities = SHMIF_CAPS;
    ifp.if_capenable = SHMIF_CAPS;
    if_csum_update(ifp);
    ifp.if_media = shmif_media(sc);
    this.units.add(sc);
    return 0;
  }

  private destroy(ifp: Ifnet): number {
    const sc = ifp.if_softc;
    if (!(sc instanceof ShmifSoftc)) return EINVAL;
    ether_ifdetach(ifp);
    if_detach(ifp);
    sc.destroy();
    this.units.delete(sc);
    return 0;
  }

  /** Takes every interface away. */
  destroy_all(): void {
    for (const sc of [...this.units]) this.destroy(sc.sc_ifp);
  }
}

const SHMIF_KEY: SoftcKey<Shmif> = new SoftcKey<Shmif>("shmif");

/** b2:a0 and four random bytes. */
function shmif_mac(k: Kernel): Uint8Array {
  const mac = new Uint8Array(6);
  k.random_bytes(mac);
  mac[0] = SHMIF_MAC_PREFIX >> 8;
  mac[1] = SHMIF_MAC_PREFIX & 0xff;
  return mac;
}

/** Media as in NetBSD: "auto" is link up, "none" pulls the cable out. */
function shmif_media(sc: ShmifSoftc): IfMedia {
  const change = (ifp: Ifnet): number => {
    if_link_state_change(ifp, media.ifm_cur === (IFM_ETHER | IFM_NONE) ? LINK_STATE_DOWN : LINK_STATE_UP);
    sc.reconfigure();
    return 0;
  };
  const media = new IfMedia(change, (ifp, ifm) => {
    ifm.ifm_active = ifm.ifm_cur;
    ifm.ifm_status = IFM_AVALID | (ifp.if_link_state === LINK_STATE_DOWN ? 0 : IFM_ACTIVE);
  });
  ifmedia_add(media, IFM_ETHER | IFM_AUTO);
  ifmedia_add(media, IFM_ETHER | IFM_NONE);
  ifmedia_set(media, IFM_ETHER | IFM_AUTO);
  return media;
}

/** The interface's ioctls beyond Ethernet's. */
function shmif_ioctl(sc: ShmifSoftc, cmd: number, data: Uint8Array): number {
  if (cmd === SIOCADDMULTI || cmd === SIOCDELMULTI) return 0;
  const error = if_linkstr_ioctl(cmd, data, sc);
  if (error !== ENOTTY) return error;
  const answer = ether_ioctl(sc.sc_ifp, cmd, data);
  if ((cmd === SIOCSIFFLAGS || cmd === SIOCINITIFADDR) && answer === 0) sc.reconfigure();
  return answer;
}

/** Interfaces on shared-memory buses. */
export const shmifComponent: RumpComponent = {
  name: "shmif",
  requires: ["net"],
  excludes: [],
  init: {
    [RUMP_COMPONENT_NET_IF](k) {
      const net = k.softc(NET_KEY);
      const shmif = new Shmif(k, net);
      k.softc_set(SHMIF_KEY, shmif);
      k.sysctl.addInt("net.link.shmif.busbytes", {
        desc: "size in bytes of a bus that this kernel creates",
        get: () => shmif.config.busbytes,
        set(bytes) {
          if (!shmif_size_ok(bytes)) return EINVAL;
          shmif.config.busbytes = bytes;
          return 0;
        },
      });
      return if_clone_attach(net, shmif.clone);
    },
  },
  fini: {
    [RUMP_COMPONENT_NET_IF](k) {
      const shmif = k.softc(SHMIF_KEY);
      shmif.destroy_all();
      if_clone_detach(k.softc(NET_KEY), shmif.clone);
    },
  },
};
