/** shmif as an interface: configuration, link state, queues, death of neighbours. Kernels of one simulated world. */
import { expect } from "chai";
import { SHMIF_BUSBYTES_MIN } from "../../../drivers/shmif/shmif_layout.ts";
import { ShmifSoftc } from "../../../drivers/shmif/if_shmif.ts";
import { SHMIF_STALL_NS } from "../../../drivers/shmif/shmif_writer.ts";
import { EBUSY, ENXIO } from "../../../hypercall/api/errno.ts";
import { SimWorld } from "../../../hypercall/sim/sim_world.ts";
import { slab_create } from "../../../hypercall/slab/slab.ts";
import type { WasmSlab } from "../../../hypercall/slab/slab.ts";
import type { Ifnet } from "../../../kernel-components/net/if.ts";
import {
  ifdrv,
  ifmediareq,
  ifreq_int,
  IFLINKSTR_UNSET,
  SIOCGLINKSTR,
  SIOCSIFMEDIA,
  SIOCSLINKSTR,
} from "../../../kernel-components/net/if_abi.ts";
import { ifunit } from "../../../kernel-components/net/if_attach.ts";
import {
  IFD_IPACKETS,
  IFD_OQDROPS,
  IFF_OACTIVE,
  LINK_STATE_DOWN,
  LINK_STATE_UP,
} from "../../../kernel-components/net/if_flags.ts";
import { IFM_AUTO, IFM_ETHER, IFM_NONE } from "../../../kernel-components/net/if_media.ts";
import { NET_KEY } from "../../../kernel-components/net/net.ts";
import { PF_INET, SOCK_DGRAM } from "../../../kernel-components/socket/socket_abi.ts";
import {
  rump_pub_netconfig_ifcreate,
  rump_pub_netconfig_ifdestroy,
  rump_pub_netconfig_ifdown,
  rump_pub_netconfig_ifsetlinkstr,
  rump_pub_netconfig_ifup,
  rump_pub_netconfig_ipv4_ifaddr_cidr,
} from "../../../rumpsys/netconfig.ts";
import { rump_init_sync } from "../../../rumpsys/rump_init.ts";
import type { RumpKernel } from "../../../rumpsys/rump_kernel.ts";
import { codeOf } from "../../rumpsys/sim_rump.ts";

const DAD_NS = 10e9;
let slab: WasmSlab | null = null;

describe("shmif", () => {
  let world: SimWorld;
  let kernels: RumpKernel[] = [];

  beforeEach(() => {
    slab ??= slab_create(64 << 20);
    world = new SimWorld({ slab });
    kernels = [];
  });

  afterEach(() => {
    for (const rk of kernels) expect(rk.shutdown().text).to.equal("");
  });

  const boot = (name: string): RumpKernel => {
    const rk = rump_init_sync(world.host(name));
    rk.rumpSys.sysctlbyname("net.link.shmif.busbytes", SHMIF_BUSBYTES_MIN + 151_552 * 6);
    kernels.push(rk);
    return rk;
  };
  const station = (name: string, addr: string): RumpKernel => {
    const rk = boot(name);
    expect(rump_pub_netconfig_ifcreate(rk, "shmif0")).to.equal(0);
    expect(rump_pub_netconfig_ifsetlinkstr(rk, "shmif0", "bus")).to.equal(0);
    expect(rump_pub_netconfig_ipv4_ifaddr_cidr(rk, "shmif0", addr, 24)).to.equal(0);
    expect(rump_pub_netconfig_ifup(rk, "shmif0")).to.equal(0);
    return rk;
  };
  const ifp = (rk: RumpKernel): Ifnet => {
    const found = ifunit(rk.k.softc(NET_KEY), "shmif0");
    if (found === null) throw new Error("no shmif0");
    return found;
  };
  const send = (rk: RumpKernel, to: string, n: number): number => {
    const s = rk.rumpSys.socket(PF_INET, SOCK_DGRAM);
    let sent = 0;
    for (let i = 0; i < n; i++) {
      if (
        codeOf(() => rk.rumpSys.sync.sendto(s, new Uint8Array(1000), 0, { family: "inet", address: to, port: 9 })) ===
        ""
      )
        sent++;
    }
    rk.rumpSys.sync.close(s);
    return sent;
  };
  const ioctl = (rk: RumpKernel, cmd: number, data: Uint8Array): string => {
    const s = rk.rumpSys.socket(PF_INET, SOCK_DGRAM);
    const code = codeOf(() => rk.rumpSys.ioctl(s, cmd, data));
    rk.rumpSys.sync.close(s);
    return code;
  };

  it("takes and gives its link string: EBUSY when set or up, ENXIO up without one, ENOENT when none, errors for bad requests", () => {
    const a = boot("a");
    rump_pub_netconfig_ifcreate(a, "shmif0");
    expect(rump_pub_netconfig_ifup(a, "shmif0")).to.equal(ENXIO);
    rump_pub_netconfig_ifdown(a, "shmif0");
    expect(ioctl(a, SIOCGLINKSTR, ifdrv("shmif0", 0, new Uint8Array(100)))).to.equal("ENOENT");
    expect(rump_pub_netconfig_ifsetlinkstr(a, "shmif0", "bus")).to.equal(0);
    expect(rump_pub_netconfig_ifsetlinkstr(a, "shmif0", "other")).to.equal(EBUSY);
    const query = ifdrv("shmif0", 0, new Uint8Array(100));
    expect(ioctl(a, SIOCGLINKSTR, query)).to.equal("");
    expect(String.fromCharCode(...query.subarray(40, 44))).to.equal("bus\0");
    expect(rump_pub_netconfig_ifup(a, "shmif0")).to.equal(0);
    expect(ioctl(a, SIOCSLINKSTR, ifdrv("shmif0", IFLINKSTR_UNSET, new Uint8Array(0)))).to.equal("EBUSY");
    rump_pub_netconfig_ifdown(a, "shmif0");
    expect(ioctl(a, SIOCSLINKSTR, ifdrv("shmif0", IFLINKSTR_UNSET, new Uint8Array(0)))).to.equal("");
    expect(ioctl(a, SIOCSLINKSTR, ifdrv("shmif0", 0, Uint8Array.from([65, 66])))).to.equal("EINVAL");
    expect(ioctl(a, SIOCSLINKSTR, ifdrv("shmif0", 7, Uint8Array.from([65, 0])))).to.equal("EINVAL");
    expect(rump_pub_netconfig_ifdestroy(a, "shmif0")).to.equal(0);
  });

  it("can be destroyed while up, and created again on the same bus", () => {
    const [a, b] = [station("a", "10.0.0.1"), station("b", "10.0.0.2")];
    world.advance(DAD_NS);
    expect(rump_pub_netconfig_ifdestroy(b, "shmif0")).to.equal(0);
    send(a, "10.0.0.2", 3);
    world.advance(DAD_NS);
    rump_pub_netconfig_ifcreate(b, "shmif0");
    rump_pub_netconfig_ifsetlinkstr(b, "shmif0", "bus");
    rump_pub_netconfig_ipv4_ifaddr_cidr(b, "shmif0", "10.0.0.2", 24);
    rump_pub_netconfig_ifup(b, "shmif0");
    world.advance(DAD_NS);
    const before = ifp(b).if_data[IFD_IPACKETS]!;
    send(a, "10.0.0.2", 1);
    world.advance(1e9);
    expect(ifp(b).if_data[IFD_IPACKETS]).to.be.greaterThan(before);
  });

  it("is link down with media none: nothing is sent or received; and up again with auto (shmif_linkstate)", () => {
    const [a, b] = [station("a", "10.0.0.1"), station("b", "10.0.0.2")];
    world.advance(DAD_NS);
    send(a, "10.0.0.2", 1);
    world.advance(1e9);
    const seen = ifp(b).if_data[IFD_IPACKETS]!;
    expect(seen).to.be.greaterThan(0);
    expect(ioctl(b, SIOCSIFMEDIA, ifreq_int("shmif0", IFM_ETHER | IFM_NONE))).to.equal("");
    expect(ifp(b).if_link_state).to.equal(LINK_STATE_DOWN);
    send(a, "10.0.0.2", 5);
    world.advance(1e9);
    expect(ifp(b).if_data[IFD_IPACKETS]).to.equal(seen);
    expect(ioctl(b, SIOCSIFMEDIA, ifreq_int("shmif0", IFM_ETHER | IFM_AUTO))).to.equal("");
    expect(ifp(b).if_link_state).to.equal(LINK_STATE_UP);
    world.advance(DAD_NS);
    send(a, "10.0.0.2", 1);
    world.advance(1e9);
    expect(ifp(b).if_data[IFD_IPACKETS]).to.be.greaterThan(seen);
    expect(ioctl(b, SIOCSIFMEDIA, ifreq_int("shmif0", 12345))).to.equal("EINVAL");
    expect(ifmediareq("shmif0", 4).length).to.equal(48 + 16);
  });

  it("queues while a reader that does not run is behind, then drops, counted; and goes on without it after the stall time", () => {
    const [a, b] = [station("a", "10.0.0.1"), station("b", "10.0.0.2")];
    world.advance(DAD_NS);
    send(a, "10.0.0.2", 1);
    world.advance(1e9);
    const sc = ifp(b).if_softc;
    if (!(sc instanceof ShmifSoftc)) throw new Error("not shmif");
    sc.kicked = () => {}; // the reader hangs, but lives
    const sent = send(a, "10.0.0.2", 1000);
    expect(sent).to.be.lessThan(1000);
    expect(ifp(a).if_flags & IFF_OACTIVE).to.not.equal(0);
    expect(ifp(a).if_data[IFD_OQDROPS]).to.equal(1000 - sent);
    world.advance(SHMIF_STALL_NS * 3);
    expect(ifp(a).if_flags & IFF_OACTIVE).to.equal(0);
    expect(send(a, "10.0.0.2", 200)).to.equal(200);
  });

  it("outlives a neighbour that is killed, and gives its port to the next", () => {
    const [a, b] = [station("a", "10.0.0.1"), station("b", "10.0.0.2")];
    world.advance(DAD_NS);
    send(a, "10.0.0.2", 1);
    world.advance(1e9);
    kernels.splice(kernels.indexOf(b), 1);
    world.kill(world.host("b"));
    send(a, "10.0.0.2", 900);
    world.advance(1e9);
    const c = station("c", "10.0.0.2");
    world.advance(DAD_NS);
    send(a, "10.0.0.2", 1);
    world.advance(3e9);
    expect(ifp(c).if_data[IFD_IPACKETS]).to.be.greaterThan(0);
  });
});
