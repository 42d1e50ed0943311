import { expect } from "chai";
import { EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL, ENXIO } from "../../../hypercall/api/errno.ts";
import {
  ifaliasreq,
  IFR_IFRU,
  IFRA_DSTADDR,
  IFRA_MASK,
  ifreq,
  ifreq_addr,
  SIOCAIFADDR,
  SIOCDIFADDR,
  SIOCGIFADDR,
  SIOCGIFAFLAG_IN,
  SIOCGIFALIAS,
  SIOCGIFBRDADDR,
  SIOCGIFDSTADDR,
  SIOCGIFNETMASK,
  SIOCSIFADDR,
  SIOCSIFBRDADDR,
  SIOCSIFNETMASK,
} from "../../../kernel-components/net/if_abi.ts";
import { rt_count, rtlookup4 } from "../../../kernel-components/net/route.ts";
import { RTF_CONNECTED, RTF_LOCAL } from "../../../kernel-components/net/rtentry.ts";
import { sin_addr } from "../../../kernel-components/wire/sockaddr.ts";
import { rump_errno } from "../../../rumpsys/rump_sys.ts";
import { rump_sys_ioctl } from "../../../rumpsys/rump_sys_fd.ts";
import { InetWorld, ip4, MS, type Node, pair, sockaddr } from "./inet_world.ts";

function ioctl(k: Node, fd: number, cmd: number, data: Uint8Array): number {
  return rump_sys_ioctl(k.rk, fd, cmd, data) < 0 ? rump_errno(k.rk) : 0;
}

/** The addresses of virt0 in order, with the one that has the route. */
function addrs(k: Node): string[] {
  return k.inet.in_ifaddrhead
    .filter((ia) => ia.ifa_ifp.if_xname === "virt0")
    .map((ia) => `${ia.ia_addr4 & 255}${(ia.ifa_flags & 1) !== 0 ? "*" : ""}`);
}

describe("in_control: addresses (SIOCAIFADDR and the rest)", () => {
  it("adds, changes and deletes aliases; the route of a prefix passes to the next address", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.socket();
    const routes = rt_count(k.inet.net);
    k.addr("virt0", "10.0.0.5/24");
    k.addr("virt0", "10.0.0.6/24");
    expect(addrs(k)).to.deep.equal(["1*", "5", "6"]);
    expect(rt_count(k.inet.net)).to.equal(routes + 2);
    expect(rtlookup4(k.inet.net, ip4("10.0.0.5"))!.rt_flags & RTF_LOCAL).to.equal(RTF_LOCAL);
    expect(ioctl(k, fd, SIOCDIFADDR, ifreq_addr("virt0", sockaddr("10.0.0.1", 0)))).to.equal(0);
    expect(addrs(k)).to.deep.equal(["5*", "6"]);
    const rt = rtlookup4(k.inet.net, ip4("10.0.0.77"))!;
    expect(rt.rt_flags & RTF_CONNECTED).to.equal(RTF_CONNECTED);
    w.run(MS);
    st.frames.length = 0;
    st.echo("10.0.0.1");
    st.echo("10.0.0.6");
    w.run(10 * MS);
    expect(st.take().map((p) => p.ip.ip_src)).to.deep.equal([ip4("10.0.0.6")]);
    expect(ioctl(k, fd, SIOCDIFADDR, ifreq_addr("virt0", sockaddr("10.0.0.1", 0)))).to.equal(EADDRNOTAVAIL);
    for (const a of ["10.0.0.5", "10.0.0.6"]) ioctl(k, fd, SIOCDIFADDR, ifreq_addr("virt0", sockaddr(a, 0)));
    expect(rtlookup4(k.inet.net, ip4("10.0.0.77"))).to.equal(null);
    expect(rt_count(k.inet.net)).to.equal(routes - 2);
    k.close(fd);
    w.end();
  });

  it("ipaddr_same_address: adding and deleting one address again and again leaves the same routes", () => {
    const w = new InetWorld();
    const { k } = pair(w);
    const fd = k.socket();
    const routes = rt_count(k.inet.net);
    for (let i = 0; i < 3; i++) {
      k.addr("virt0", "10.0.0.1/24");
      expect(rt_count(k.inet.net)).to.equal(routes);
      expect(ioctl(k, fd, SIOCDIFADDR, ifreq_addr("virt0", sockaddr("10.0.0.1", 0)))).to.equal(0);
      expect(rt_count(k.inet.net)).to.equal(routes - 2);
      k.addr("virt0", "10.0.0.1/24");
    }
    k.close(fd);
    w.end();
  });

  it("tells everything about an address", () => {
    const w = new InetWorld();
    const { k } = pair(w);
    const fd = k.socket();
    const get = (cmd: number): number => {
      const r = ifreq("virt0");
      expect(ioctl(k, fd, cmd, r)).to.equal(0);
      return sin_addr(r, IFR_IFRU);
    };
    expect(get(SIOCGIFADDR)).to.equal(ip4("10.0.0.1"));
    expect(get(SIOCGIFNETMASK)).to.equal(ip4("255.255.255.0"));
    expect(get(SIOCGIFBRDADDR)).to.equal(ip4("10.0.0.255"));
    expect(ioctl(k, fd, SIOCGIFDSTADDR, ifreq("virt0"))).to.equal(EINVAL);
    const alias = ifaliasreq("virt0", sockaddr("10.0.0.1", 0), null, null);
    expect(ioctl(k, fd, SIOCGIFALIAS, alias)).to.equal(0);
    expect([sin_addr(alias, IFRA_MASK), sin_addr(alias, IFRA_DSTADDR)]).to.deep.equal([
      ip4("255.255.255.0"),
      ip4("10.0.0.255"),
    ]);
    const flag = ifreq_addr("virt0", sockaddr("10.0.0.1", 0));
    expect(ioctl(k, fd, SIOCGIFAFLAG_IN, flag)).to.equal(0);
    expect(flag[IFR_IFRU]).to.equal(0);
    expect(ioctl(k, fd, SIOCGIFAFLAG_IN, ifreq_addr("virt0", sockaddr("10.0.0.9", 0)))).to.equal(EADDRNOTAVAIL);
    expect(ioctl(k, fd, SIOCGIFADDR, ifreq("virt7"))).to.equal(ENXIO);
    k.close(fd);
    w.end();
  });

  it("sets address, mask and broadcast address the old way", () => {
    const w = new InetWorld();
    const { k } = pair(w);
    const fd = k.socket();
    expect(ioctl(k, fd, SIOCSIFADDR, ifreq_addr("virt0", sockaddr("192.168.7.1", 0)))).to.equal(0);
    const ia = k.inet.in_ifaddrhead.find((a) => a.ifa_ifp.if_xname === "virt0")!;
    expect([ia.ia_addr4, ia.ia_subnetmask, ia.ia_broadaddr]).to.deep.equal([
      ip4("192.168.7.1"),
      ip4("255.255.255.0"),
      ip4("192.168.7.255"),
    ]);
    expect(ioctl(k, fd, SIOCSIFNETMASK, ifreq_addr("virt0", sockaddr("255.255.0.0", 0)))).to.equal(0);
    expect(ioctl(k, fd, SIOCSIFBRDADDR, ifreq_addr("virt0", sockaddr("192.168.0.255", 0)))).to.equal(0);
    const now = k.inet.in_ifaddrhead.find((a) => a.ifa_ifp.if_xname === "virt0")!;
    expect([now.ia_subnetmask, now.ia_broadaddr]).to.deep.equal([ip4("255.255.0.0"), ip4("192.168.0.255")]);
    expect(rtlookup4(k.inet.net, ip4("192.168.200.1"))?.rt_plen).to.equal(16);
    k.close(fd);
    w.end();
  });

  it("refuses what cannot be: groups, masks with holes, other families, ordinary users; nothing is changed", () => {
    const w = new InetWorld();
    const { k } = pair(w);
    const fd = k.socket();
    const before = rt_count(k.inet.net);
    const add = (addr: string, mask: string): number =>
      ioctl(k, fd, SIOCAIFADDR, ifaliasreq("virt0", sockaddr(addr, 0), null, sockaddr(mask, 0)));
    expect(add("224.0.0.1", "255.255.255.0")).to.equal(EINVAL);
    expect(add("255.255.255.255", "255.255.255.0")).to.equal(EINVAL);
    expect(add("10.5.0.1", "255.0.255.0")).to.equal(EINVAL);
    const six = new Uint8Array(16);
    six.set([16, 24]);
    expect(ioctl(k, fd, SIOCAIFADDR, ifaliasreq("virt0", six, null, sockaddr("255.0.0.0", 0)))).to.equal(EAFNOSUPPORT);
    const user = k.rk.process("user", 1000, 1000);
    const ufd = user.rumpSys.socket(2, 2, 0);
    expect(() =>
      user.rumpSys.ioctl(ufd, SIOCAIFADDR, ifaliasreq("virt0", sockaddr("10.5.0.1", 0), null, null)),
    ).to.throw(/EPERM/);
    user.exit();
    expect(rt_count(k.inet.net)).to.equal(before);
    k.close(fd);
    w.end();
  });

  it("brings lo0 up with 127.0.0.1/8 at boot, and gives it back", () => {
    const w = new InetWorld();
    const k = w.node("k");
    const ia = k.inet.in_ifaddrhash.get(ip4("127.0.0.1"))!;
    expect([ia.ifa_ifp.if_xname, ia.ia_subnetmask]).to.deep.equal(["lo0", ip4("255.0.0.0")]);
    w.end();
  });
});
