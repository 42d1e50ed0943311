import { expect } from "chai";
import { IP_ERRORMTU } from "../../../kernel-components/inet/in.ts";
import { rtlookup4 } from "../../../kernel-components/net/route.ts";
import {
  RtInfo,
  RtOut,
  RTF_DYNAMIC,
  RTF_GATEWAY,
  RTF_HOST,
  RTF_MODIFIED,
  RTF_STATIC,
  RTF_UP,
  RTM_ADD,
  type Rtentry,
} from "../../../kernel-components/net/rtentry.ts";
import { rtrequest } from "../../../kernel-components/net/rtrequest.ts";
import { RTV_MTU } from "../../../kernel-components/net/rtsock_abi.ts";
import { SockaddrOut } from "../../../kernel-components/socket/socketvar.ts";
import { IPPROTO_IP } from "../../../kernel-components/wire/in.ts";
import { mk_sockaddr_in, sin_port } from "../../../kernel-components/wire/sockaddr.ts";
import { rump_sys_getsockname, rump_sys_getsockopt } from "../../../rumpsys/rump_sys.ts";
import { bytes, InetWorld, ip4, MS, type Node, pair, S, type Station, udp_bytes } from "./inet_world.ts";

const DST = "172.16.0.1";

/** k with a default route by the station, which also speaks for 10.0.0.9. */
function routed(w: InetWorld): { k: Node; st: Station; fd: number } {
  const { k, st } = pair(w);
  k.gw("10.0.0.2");
  st.also.add(ip4("10.0.0.9"));
  const fd = k.socket();
  expect(k.connect(fd, DST, 9)).to.equal(0);
  return { k, st, fd };
}

/** The packet of k that an error quotes. */
function quote(k: Node, st: Station, fd: number, len = 36): Uint8Array {
  const out = new SockaddrOut();
  rump_sys_getsockname(k.rk, fd, out);
  const b = st.packet(DST, 17, udp_bytes(0, 0, sin_port(out.sa), 9, bytes(8)), { ip_src: ip4("10.0.0.1") });
  b[2] = len >> 8;
  b[3] = len & 255;
  return b;
}

function gw_of(k: Node): number {
  return rtlookup4(k.inet.net, ip4(DST))?.rt_gw4 ?? 0;
}

describe("icmp_redirect (RFC 1122 §3.2.2.2)", () => {
  it("icmp_redirect, icmp_redirect_timeout: makes a host route that ends in its time", () => {
    const w = new InetWorld();
    const { k, st, fd } = routed(w);
    k.sysctl("net.inet.icmp.redirtimeout", 3);
    st.icmp("10.0.0.1", 5, 1, ip4("10.0.0.9"), quote(k, st, fd));
    w.run(MS);
    const rt = rtlookup4(k.inet.net, ip4(DST))!;
    expect(rt.rt_gw4).to.equal(ip4("10.0.0.9"));
    expect(rt.rt_flags & (RTF_DYNAMIC | RTF_HOST)).to.equal(RTF_DYNAMIC | RTF_HOST);
    expect(rt.rt_refcnt).to.equal(0);
    w.run(4 * S);
    expect(gw_of(k)).to.equal(ip4("10.0.0.2"));
    k.close(fd);
    w.end();
  });

  it("icmp_redirect_ignored: believes only its first hop, gateways on the link, and only if told to", () => {
    const w = new InetWorld();
    const { k, st, fd } = routed(w);
    const q = quote(k, st, fd);
    const redirect = (gw: string, change = {}): void => {
      st.icmp("10.0.0.1", 5, 1, ip4(gw), q, change);
      w.run(MS);
      expect(gw_of(k), gw).to.equal(ip4("10.0.0.2"));
    };
    redirect("10.0.0.9", { ip_src: ip4("10.0.0.66") });
    redirect("192.168.1.1");
    redirect("10.0.0.1");
    st.icmp("10.0.0.1", 5, 9, ip4("10.0.0.9"), q);
    k.sysctl("net.inet.icmp.rediraccept", 0);
    redirect("10.0.0.9");
    k.sysctl("net.inet.icmp.rediraccept", 1);
    k.sysctl("net.inet.ip.forwarding", 1);
    redirect("10.0.0.9");
    expect(k.stat("icmp", "badredirect")).to.equal(5);
    expect(k.stat("icmp", "badcode")).to.equal(1);
    k.close(fd);
    w.end();
  });
});

describe("routes that somebody else made", () => {
  const host_route = (k: Node): Rtentry => {
    const info = new RtInfo();
    info.rti_dst = mk_sockaddr_in(ip4(DST));
    info.rti_gateway = mk_sockaddr_in(ip4("10.0.0.2"));
    info.rti_flags = RTF_UP | RTF_GATEWAY | RTF_HOST | RTF_STATIC;
    const out = new RtOut();
    expect(k.in_kernel(() => rtrequest(k.inet.net, RTM_ADD, info, out))).to.equal(0);
    out.rt!.rt_refcnt--;
    return out.rt!;
  };

  it("a redirect changes a static host route, and does not delete it later", () => {
    const w = new InetWorld();
    const { k, st, fd } = routed(w);
    const rt = host_route(k);
    k.sysctl("net.inet.icmp.redirtimeout", 3);
    st.icmp("10.0.0.1", 5, 1, ip4("10.0.0.9"), quote(k, st, fd));
    w.run(10 * S);
    expect(rtlookup4(k.inet.net, ip4(DST))).to.equal(rt);
    expect([rt.rt_gw4, rt.rt_flags & RTF_MODIFIED]).to.deep.equal([ip4("10.0.0.9"), RTF_MODIFIED]);
    k.close(fd);
    w.end();
  });

  it("the MTU that was learned for a static host route is forgotten in its time, and a locked one is never touched", () => {
    const w = new InetWorld();
    const { k, st, fd } = routed(w);
    const rt = host_route(k);
    k.sysctl("net.inet.ip.mtudisctimeout", 5);
    st.icmp("10.0.0.1", 3, 4, 1280, quote(k, st, fd, 1500));
    w.run(MS);
    expect(rt.rt_rmx.rmx_mtu).to.equal(1280);
    w.run(6 * S);
    expect([rt.rt_rmx.rmx_mtu, rtlookup4(k.inet.net, ip4(DST))]).to.deep.equal([0, rt]);
    rt.rt_rmx.rmx_mtu = 1400;
    rt.rt_rmx.rmx_locks = RTV_MTU;
    st.icmp("10.0.0.1", 3, 4, 1280, quote(k, st, fd, 1500));
    w.run(6 * S);
    expect(rt.rt_rmx.rmx_mtu).to.equal(1400);
    k.close(fd);
    w.end();
  });
});

describe("ip_pmtu: path MTU discovery (RFC 1191)", () => {
  const needfrag = (w: InetWorld, k: Node, st: Station, fd: number, mtu: number, len = 1500): void => {
    st.icmp("10.0.0.1", 3, 4, mtu, quote(k, st, fd, len));
    w.run(MS);
  };
  const mtu_of = (k: Node): number => rtlookup4(k.inet.net, ip4(DST))?.rt_rmx.rmx_mtu ?? -1;

  it("mtudisc_basic, mtudisc_timeout: lowers the MTU of the route, which ends in its time", () => {
    const w = new InetWorld();
    const { k, st, fd } = routed(w);
    k.sysctl("net.inet.ip.mtudisctimeout", 5);
    needfrag(w, k, st, fd, 1280);
    expect(mtu_of(k)).to.equal(1280);
    const out = new Uint8Array(4);
    rump_sys_getsockopt(k.rk, fd, IPPROTO_IP, IP_ERRORMTU, out);
    expect(out[0]! | (out[1]! << 8)).to.equal(1280);
    needfrag(w, k, st, fd, 1400);
    expect(mtu_of(k)).to.equal(1280);
    k.send(fd, bytes(3));
    w.run(MS);
    st.take();
    k.send(fd, bytes(1400));
    w.run(MS);
    expect(st.take().map((p) => p.ip.ip_len)).to.deep.equal([1276, 172]);
    w.run(6 * S);
    expect(mtu_of(k)).to.equal(0);
    k.close(fd);
    w.end();
  });

  it("pmtu_blind_spoof: keeps to a floor, guesses for old routers, and ignores what no socket sent", () => {
    const w = new InetWorld();
    const { k, st, fd } = routed(w);
    const other = quote(k, st, fd, 1500);
    other[20]! ^= 1;
    st.icmp("10.0.0.1", 3, 4, 1000, other);
    w.run(MS);
    expect(mtu_of(k)).to.equal(0);
    needfrag(w, k, st, fd, 0, 1500);
    expect(mtu_of(k)).to.equal(1492);
    needfrag(w, k, st, fd, 68);
    expect(mtu_of(k)).to.equal(552);
    expect(k.stat("icmp", "badpmtu")).to.equal(1);
    k.sysctl("net.inet.ip.mtudisc", 0);
    needfrag(w, k, st, fd, 600);
    expect(mtu_of(k)).to.equal(552);
    k.close(fd);
    w.end();
  });
});
