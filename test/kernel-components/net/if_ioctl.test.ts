// Interface ioctls with NetBSD's structures: what they answer, who may, what the driver and the protocols hear.
import { expect } from "chai";
import fc from "fast-check";
import { EEXIST, EFAULT, EINVAL, ENOTTY, ENXIO, EOPNOTSUPP, EPERM } from "../../../hypercall/api/errno.ts";
import { IOCPARM_LEN } from "../../../kernel-components/kern/ioccom.ts";
import {
  ifaliasreq,
  ifcapreq,
  ifconf,
  ifdatareq,
  ifdrv,
  if_clonereq,
  ifmediareq,
  ifr_flags,
  ifr_int,
  ifr_name,
  ifreq,
  ifreq_addr,
  ifreq_flags,
  ifreq_int,
  IFRA_ADDR,
  OOSIOCGIFBRDADDR,
  SIOCADDMULTI,
  SIOCAIFADDR,
  SIOCDELMULTI,
  SIOCGIFADDR,
  SIOCGIFCAP,
  SIOCGIFCONF,
  SIOCGIFDATA,
  SIOCGIFDLT,
  SIOCGIFFLAGS,
  SIOCGIFINDEX,
  SIOCGIFMEDIA,
  SIOCGIFMETRIC,
  SIOCGIFMTU,
  SIOCIFCREATE,
  SIOCIFDESTROY,
  SIOCIFGCLONERS,
  SIOCSIFCAP,
  SIOCSIFFLAGS,
  SIOCSIFMEDIA,
  SIOCSIFMETRIC,
  SIOCSIFMTU,
  SIOCSLINKSTR,
  SIOCZIFDATA,
  SIZEOF_IFCONF,
  SIZEOF_IFREQ,
  SIZEOF_OIFREQ,
  ifr_name_put,
} from "../../../kernel-components/net/if_abi.ts";
import { ifunit } from "../../../kernel-components/net/if_attach.ts";
import {
  IFCAP_CSUM_UDPv4_Tx,
  IFCAP_TSOv4,
  IFF_ALLMULTI,
  IFF_BROADCAST,
  IFF_LINK0,
  IFF_MULTICAST,
  IFF_PROMISC,
  IFF_RUNNING,
  IFF_SIMPLEX,
  IFF_UP,
} from "../../../kernel-components/net/if_flags.ts";
import {
  IFM_ACTIVE,
  IFM_AUTO,
  IFM_AVALID,
  IFM_ETHER,
  IFM_NONE,
  IfMedia,
  ifmedia_add,
  ifmedia_set,
} from "../../../kernel-components/net/if_media.ts";
import { if_clone_attach, if_name2unit } from "../../../kernel-components/net/if_clone.ts";
import { M_CSUM_UDPv4 } from "../../../kernel-components/kern/mbuf.ts";
import {
  AF_INET,
  AF_LINK,
  mk_sockaddr_dl,
  mk_sockaddr_in,
  sin_addr,
} from "../../../kernel-components/wire/sockaddr.ts";
import { BCAST, frame, ip, NetWorld, PEER } from "./net_world.ts";

const M24 = 0xffffff00 | 0;

describe("ifioctl", () => {
  it("has NetBSD's numbers", () => {
    const hex = (n: number): string => (n >>> 0).toString(16);
    expect(
      [SIOCAIFADDR, SIOCSIFFLAGS, SIOCGIFFLAGS, SIOCGIFCONF, SIOCIFCREATE, SIOCSLINKSTR, OOSIOCGIFBRDADDR].map(hex),
    ).to.deep.equal(["8040691a", "80906910", "c0906911", "c0106926", "8090697a", "80286988", "c0206912"]);
  });

  it("goes up through the driver first, and stays as it was if the driver refuses", () => {
    const w = new NetWorld();
    const e = w.ether();
    const heard: string[] = [];
    w.fake_inet({ if_up: () => heard.push(`up ${e.ifp.if_flags & IFF_RUNNING}`), if_down: () => heard.push("down") });
    const fixed = IFF_BROADCAST | IFF_SIMPLEX | IFF_MULTICAST;
    e.init_error = ENXIO;
    expect([w.ioctl(SIOCSIFFLAGS, ifreq_flags("tst0", IFF_UP)), e.ifp.if_flags]).to.deep.equal([ENXIO, fixed]);
    e.init_error = 0;
    expect(w.ioctl(SIOCSIFFLAGS, ifreq_flags("tst0", IFF_UP | IFF_LINK0 | IFF_PROMISC | IFF_ALLMULTI))).to.equal(0);
    const get = ifreq("tst0");
    expect([w.ioctl(SIOCGIFFLAGS, get), ifr_flags(get)]).to.deep.equal([0, fixed | IFF_UP | IFF_RUNNING | IFF_LINK0]);
    expect(w.ioctl(SIOCSIFFLAGS, ifreq_flags("tst0", 0))).to.equal(0);
    expect([e.ifp.if_flags, heard]).to.deep.equal([fixed, [`up ${IFF_RUNNING}`, "down"]]);
    w.end();
  });

  it("is refused to others than root, before anything happens; looking is free", () => {
    const w = new NetWorld();
    w.ether();
    const changes: [number, Uint8Array][] = [
      [SIOCSIFFLAGS, ifreq_flags("tst0", IFF_UP)],
      [SIOCSIFMTU, ifreq_int("tst0", 1400)],
      [SIOCIFCREATE, ifreq("lo1")],
      [SIOCIFDESTROY, ifreq("lo0")],
      [SIOCAIFADDR, ifaliasreq("tst0", mk_sockaddr_in(1), null, null)],
      [SIOCADDMULTI, ifreq_addr("tst0", mk_sockaddr_in(ip("224.0.0.5")))],
      [SIOCSIFCAP, ifcapreq("tst0", 0)],
      [SIOCZIFDATA, ifdatareq("tst0")],
      [SIOCSLINKSTR, ifdrv("tst0", 0, Uint8Array.of(65, 0))],
      [SIOCSIFMETRIC, ifreq_int("tst0", 1)],
    ];
    for (const [cmd, data] of changes) expect(w.ioctl(cmd, data, w.nobody)).to.equal(EPERM);
    expect(w.ioctl(SIOCGIFFLAGS, ifreq("tst0"), w.nobody)).to.equal(0);
    w.end();
  });

  it("sets MTU and metric within limits and tells the families", () => {
    const w = new NetWorld();
    const e = w.ether();
    let told = 0;
    w.fake_inet({ if_mtu: () => told++ });
    const mtu = (v: number): number => w.ioctl(SIOCSIFMTU, ifreq_int("tst0", v));
    expect([mtu(1280), mtu(1280), mtu(67), mtu(65522), mtu(-1), e.ifp.if_mtu, told]).to.deep.equal([
      0,
      0,
      EINVAL,
      EINVAL,
      EINVAL,
      1280,
      1,
    ]);
    const get = ifreq("tst0");
    expect([w.ioctl(SIOCGIFMTU, get), ifr_int(get)]).to.deep.equal([0, 1280]);
    expect([
      w.ioctl(SIOCSIFMETRIC, ifreq_int("tst0", 3)),
      w.ioctl(SIOCSIFMETRIC, ifreq_int("tst0", -3)),
      w.ioctl(SIOCGIFMETRIC, get),
      ifr_int(get),
    ]).to.deep.equal([0, EINVAL, 0, 3]);
    expect([w.ioctl(SIOCGIFINDEX, get), ifr_int(get), w.ioctl(SIOCGIFDLT, get), ifr_int(get)]).to.deep.equal([
      0, 2, 0, 1,
    ]);
    expect([w.ioctl(SIOCSIFMTU, ifreq_int("lo0", 65535)), w.ioctl(SIOCSIFMTU, ifreq_int("lo0", 65536))]).to.deep.equal([
      0,
      EINVAL,
    ]);
    expect([
      w.ioctl(SIOCGIFMTU, ifreq("tst9")),
      w.ioctl(SIOCGIFMTU, new Uint8Array(20)),
      w.ioctl(0x12345678, ifreq("tst0")),
    ]).to.deep.equal([ENXIO, EFAULT, EFAULT]);
    w.end();
  });

  it("lists interfaces and addresses (SIOCGIFCONF): counts, fills, and never beyond the buffer", () => {
    const w = new NetWorld();
    const e = w.ether();
    w.addr(e.ifp, ip("10.0.0.1"), M24);
    w.addr(e.ifp, ip("10.0.1.1"), M24);
    const len = (d: Uint8Array): number => new DataView(d.buffer).getInt32(0, true);
    const ask = ifconf(0);
    ask.fill(0, 8);
    expect([w.ioctl(SIOCGIFCONF, ask), len(ask)]).to.deep.equal([0, 4 * SIZEOF_IFREQ]);
    const full = ifconf(10 * SIZEOF_IFREQ);
    expect([w.ioctl(SIOCGIFCONF, full), len(full)]).to.deep.equal([0, 4 * SIZEOF_IFREQ]);
    const entries = [0, 1, 2, 3].map((n) => full.subarray(SIZEOF_IFCONF + n * SIZEOF_IFREQ));
    expect(entries.map((d) => [ifr_name(d), d[17]])).to.deep.equal([
      ["lo0", AF_LINK],
      ["tst0", AF_LINK],
      ["tst0", AF_INET],
      ["tst0", AF_INET],
    ]);
    expect(sin_addr(entries[3] as Uint8Array, 16)).to.equal(ip("10.0.1.1"));
    const short = ifconf(3 * SIZEOF_IFREQ - 1);
    short.fill(0xee, SIZEOF_IFCONF);
    expect([w.ioctl(SIOCGIFCONF, short), len(short)]).to.deep.equal([0, 2 * SIZEOF_IFREQ]);
    expect(short.subarray(SIZEOF_IFCONF + 2 * SIZEOF_IFREQ).every((b) => b === 0xee)).to.equal(true);
    const lying = ifconf(SIZEOF_IFREQ);
    new DataView(lying.buffer).setInt32(0, 2 * SIZEOF_IFREQ, true);
    expect(w.ioctl(SIOCGIFCONF, lying)).to.equal(EFAULT);
    w.end();
  });

  it("clones: creates, lists, destroys; lo0 stays", () => {
    const w = new NetWorld();
    expect([
      w.ioctl(SIOCIFCREATE, ifreq("lo1")),
      w.ioctl(SIOCIFCREATE, ifreq("lo1")),
      w.ioctl(SIOCIFCREATE, ifreq("no0")),
    ]).to.deep.equal([0, EEXIST, EINVAL]);
    for (const bad of ["lo", "lo01", "lo-1", "lo99999", "", "1"])
      expect(w.ioctl(SIOCIFCREATE, ifreq(bad)), bad).to.equal(EINVAL);
    expect(["a7", "ab_c32767", "a32768", "lo1x"].map((n) => if_name2unit(n))).to.deep.equal([7, 32767, -1, -1]);
    if_clone_attach(w.net, { name: "zz", create: () => 0, destroy: () => 0 });
    const list = if_clonereq(5);
    expect([w.ioctl(SIOCIFGCLONERS, list), list[0], ifr_name(list, 16), ifr_name(list, 32)]).to.deep.equal([
      0,
      2,
      "lo",
      "zz",
    ]);
    const one = if_clonereq(1);
    expect([w.ioctl(SIOCIFGCLONERS, one), one[0], ifr_name(one, 16)]).to.deep.equal([0, 2, "lo"]);
    expect([
      w.ioctl(SIOCIFDESTROY, ifreq("lo0")),
      w.ioctl(SIOCIFDESTROY, ifreq("lo1")),
      ifunit(w.net, "lo1"),
    ]).to.deep.equal([EPERM, 0, null]);
    w.ether();
    expect(w.ioctl(SIOCIFDESTROY, ifreq("tst0"))).to.equal(EOPNOTSUPP);
    w.end();
  });

  it("reads counters, and reads and zeroes them", () => {
    const w = new NetWorld();
    const e = w.ether().up();
    e.rx(frame(BCAST, PEER, 0x0800, new Uint8Array(50)));
    const d = ifdatareq("tst0");
    const at = (n: number): number => Number(new DataView(d.buffer).getBigUint64(16 + n, true));
    expect(w.ioctl(SIOCZIFDATA, d)).to.equal(0);
    expect([at(32), at(72), at(88), at(112), at(8)]).to.deep.equal([1, 64, 1, 1, 1500]);
    expect([w.ioctl(SIOCGIFDATA, d), at(32), at(72)]).to.deep.equal([0, 0, 0]);
    w.end();
  });

  it("switches capabilities that the device has, and media that it has", () => {
    const w = new NetWorld();
    const e = w.ether();
    e.ifp.if_capabilities = IFCAP_CSUM_UDPv4_Tx | IFCAP_TSOv4;
    expect([w.ioctl(SIOCSIFCAP, ifcapreq("tst0", IFCAP_CSUM_UDPv4_Tx)), e.ifp.if_csum_flags_tx]).to.deep.equal([
      0,
      M_CSUM_UDPv4,
    ]);
    expect(w.ioctl(SIOCSIFCAP, ifcapreq("tst0", 0x400))).to.equal(EINVAL);
    const cap = ifcapreq("tst0", 0);
    expect([
      w.ioctl(SIOCGIFCAP, cap),
      new DataView(cap.buffer).getUint32(16, true),
      new DataView(cap.buffer).getUint32(24, true),
    ]).to.deep.equal([0, IFCAP_CSUM_UDPv4_Tx | IFCAP_TSOv4, IFCAP_CSUM_UDPv4_Tx]);
    expect(w.ioctl(SIOCGIFMEDIA, ifmediareq("tst0", 0))).to.equal(ENOTTY);
    let refuse = 0;
    const ifm = new IfMedia(
      () => refuse,
      (_i, m) => {
        m.ifm_active = m.ifm_cur;
        m.ifm_status = IFM_AVALID | IFM_ACTIVE;
      },
    );
    ifmedia_add(ifm, IFM_ETHER | IFM_AUTO);
    ifmedia_add(ifm, IFM_ETHER | IFM_NONE);
    ifmedia_set(ifm, IFM_ETHER | IFM_AUTO);
    e.ifp.if_media = ifm;
    expect([
      w.ioctl(SIOCSIFMEDIA, ifreq_int("tst0", IFM_ETHER | IFM_NONE)),
      w.ioctl(SIOCSIFMEDIA, ifreq_int("tst0", IFM_ETHER | 7)),
    ]).to.deep.equal([0, EINVAL]);
    refuse = ENXIO;
    expect([w.ioctl(SIOCSIFMEDIA, ifreq_int("tst0", IFM_ETHER | IFM_AUTO)), ifm.ifm_cur]).to.deep.equal([
      ENXIO,
      IFM_ETHER | IFM_NONE,
    ]);
    const m = ifmediareq("tst0", 4);
    const dv = new DataView(m.buffer);
    expect([
      w.ioctl(SIOCGIFMEDIA, m),
      dv.getInt32(16, true),
      dv.getInt32(24, true),
      dv.getInt32(32, true),
      dv.getInt32(52, true),
    ]).to.deep.equal([0, IFM_ETHER | IFM_NONE, 3, 2, IFM_ETHER | IFM_NONE]);
    w.end();
  });

  it("counts users of a group and tells the driver of the first and last only", () => {
    const w = new NetWorld();
    const e = w.ether();
    const mac = mk_sockaddr_dl(0, 0, "", Uint8Array.of(1, 0, 0x5e, 0, 0, 5));
    const by_mac = ifreq_addr("tst0", mac);
    const by_ip = ifreq_addr("tst0", mk_sockaddr_in(ip("224.0.0.5")));
    const before = e.ioctls.length;
    expect([
      w.ioctl(SIOCADDMULTI, by_mac),
      w.ioctl(SIOCADDMULTI, by_ip),
      w.ioctl(SIOCDELMULTI, by_mac),
      w.ioctl(SIOCDELMULTI, by_ip),
    ]).to.deep.equal([0, 0, 0, 0]);
    expect(e.ioctls.slice(before)).to.deep.equal([SIOCADDMULTI, SIOCDELMULTI]);
    expect(w.ioctl(SIOCDELMULTI, by_ip)).to.be.greaterThan(0);
    expect(w.ioctl(SIOCADDMULTI, ifreq_addr("tst0", mk_sockaddr_in(ip("10.0.0.1"))))).to.equal(EINVAL);
    expect(e.ifp.if_multiaddrs.length).to.equal(0);
    w.end();
  });

  it("passes address requests to the protocol, and the old broadcast request in its old form", () => {
    const w = new NetWorld();
    const e = w.ether();
    const cmds: number[] = [];
    w.fake_inet({
      control(cmd, data, ifp) {
        cmds.push(cmd);
        expect(ifp).to.equal(e.ifp);
        if (cmd !== SIOCAIFADDR) data.set(mk_sockaddr_in(ip("10.0.0.255")), 16);
        return 0;
      },
    });
    expect(
      w.ioctl(SIOCAIFADDR, ifaliasreq("tst0", mk_sockaddr_in(ip("10.0.0.1")), null, mk_sockaddr_in(M24))),
    ).to.equal(0);
    const old = new Uint8Array(SIZEOF_OIFREQ);
    ifr_name_put(old, 0, "tst0");
    old[16] = AF_INET;
    expect([w.ioctl(OOSIOCGIFBRDADDR, old), old[16], old[17], sin_addr(old, 16)]).to.deep.equal([
      0,
      AF_INET,
      0,
      ip("10.0.0.255"),
    ]);
    const nobody = ifreq_addr("tst0", mk_sockaddr_in(0));
    nobody[17] = 99 % 38;
    expect(w.ioctl(SIOCGIFADDR, nobody)).to.equal(EINVAL);
    expect([cmds.length, IFRA_ADDR]).to.deep.equal([2, 16]);
    w.end();
  });

  it("survives any request of any bytes (fast-check)", () => {
    const w = new NetWorld();
    w.ether();
    w.fake_inet({ control: () => ENOTTY });
    const all = [
      SIOCAIFADDR,
      SIOCGIFCONF,
      SIOCIFGCLONERS,
      SIOCGIFMEDIA,
      SIOCSIFCAP,
      SIOCADDMULTI,
      SIOCDELMULTI,
      SIOCGIFDATA,
      SIOCSIFMTU,
      OOSIOCGIFBRDADDR,
      SIOCSIFFLAGS,
    ];
    fc.assert(
      fc.property(fc.constantFrom(...all), fc.uint8Array({ maxLength: 200 }), fc.boolean(), (cmd, bytes, named) => {
        const data = new Uint8Array(Math.max(IOCPARM_LEN(cmd), bytes.length));
        data.set(bytes);
        if (named) ifr_name_put(data, 0, "tst0");
        expect(w.ioctl(cmd, data)).to.be.at.least(0);
      }),
      { numRuns: 500 },
    );
    w.end();
  });
});
