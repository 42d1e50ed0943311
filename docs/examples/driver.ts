// A driver: hole0 is an Ethernet interface that shows each frame it is to send and forgets it. Everything that a driver needs is here; a real one
// moves the bytes to its device where this one prints them, and gives what it receives to ifp.if_input.
import { simWorld } from "../../hypercall/sim/sim_world.ts";
import { RUMP_COMPONENT_NET_IF } from "../../kernel-components/kern/component.ts";
import type { RumpComponent } from "../../kernel-components/kern/component.ts";
import type { Kernel } from "../../kernel-components/kern/kernel.ts";
import { m_freem } from "../../kernel-components/kern/mbuf_alloc.ts";
import { m_tobytes } from "../../kernel-components/kern/mbuf_bytes.ts";
import { ether_ifattach, ether_ifdetach } from "../../kernel-components/net/ether_attach.ts";
import { Ifnet } from "../../kernel-components/net/if.ts";
import { if_attach, if_detach } from "../../kernel-components/net/if_attach.ts";
import { if_clone_attach } from "../../kernel-components/net/if_clone.ts";
import { IFF_OACTIVE, IFF_RUNNING, LINK_STATE_UP } from "../../kernel-components/net/if_flags.ts";
import { IF_DEQUEUE, IF_PURGE } from "../../kernel-components/net/ifqueue.ts";
import { NET_KEY } from "../../kernel-components/net/net.ts";
import { LINKTYPE_ETHERNET } from "../../kernel-components/wire/linktype.ts";
import { trace_bytes } from "../../kernel-components/wire/trace.ts";
import { rump_pub_netconfig_ifcreate, rump_pub_netconfig_ipv4_ifaddr_cidr } from "../../rumpsys/netconfig.ts";
import { rump_init } from "../../rumpsys/rump_init.ts";

/** `ifconfig hole0 create`: an ifnet with the driver's functions, attached, then made an Ethernet interface with an address. */
function hole_create(k: Kernel, unit: number): number {
  const ifp = new Ifnet(k.softc(NET_KEY), "hole", unit);
  ifp.if_link_state = LINK_STATE_UP;
  ifp.if_start = hole_start;
  ifp.if_init = () => {
    ifp.if_flags |= IFF_RUNNING;
    return 0;
  };
  ifp.if_stop = () => {
    ifp.if_flags &= ~(IFF_RUNNING | IFF_OACTIVE);
    IF_PURGE(ifp.if_snd);
  };
  const error = if_attach(ifp);
  return error !== 0 ? error : ether_ifattach(ifp, Uint8Array.of(0x02, 0, 0, 0, 0, unit));
}

function hole_destroy(ifp: Ifnet): number {
  ether_ifdetach(ifp);
  if_detach(ifp);
  return 0;
}

/** Frames wait in if_snd: the driver owns each from IF_DEQUEUE on. */
function hole_start(ifp: Ifnet): void {
  for (let m = IF_DEQUEUE(ifp.if_snd); m !== null; m = IF_DEQUEUE(ifp.if_snd)) {
    console.log(`${ifp.if_xname}: ${trace_bytes(m_tobytes(m), LINKTYPE_ETHERNET)}`);
    m_freem(m);
  }
}

const holeComponent: RumpComponent = {
  name: "hole",
  requires: ["net"],
  excludes: [],
  init: {
    [RUMP_COMPONENT_NET_IF]: (k) =>
      if_clone_attach(k.softc(NET_KEY), {
        name: "hole",
        create: (unit) => hole_create(k, unit),
        destroy: hole_destroy,
      }),
  },
};

const rump = await rump_init({ host: simWorld().host("hole"), add: [holeComponent] });
rump_pub_netconfig_ifcreate(rump, "hole0");
rump_pub_netconfig_ipv4_ifaddr_cidr(rump, "hole0", "10.0.0.1", 24);
const s = rump.rumpSys.socket(2, 2);
await rump.rumpSys.sendto(s, new Uint8Array(8), 0, { family: "inet", address: "10.0.0.2", port: 9 });
console.log(`not given back at shutdown: ${rump.shutdown().text || "nothing"}`);

//> hole0: 02:00:00:00:00:00 > ff:ff:ff:ff:ff:ff, ARP, Announcement 10.0.0.1
//> hole0: 02:00:00:00:00:00 > ff:ff:ff:ff:ff:ff, ARP, Request who-has 10.0.0.2 tell 10.0.0.1
//> not given back at shutdown: nothing
