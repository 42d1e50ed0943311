// Hardware addresses by SIOCALIFADDR, SIOCDLIFADDR and SIOCGLIFADDR on a PF_LINK socket.
import { expect } from "chai";
import { EADDRNOTAVAIL, EBUSY, EINVAL, ENXIO, EPERM } from "../../../hypercall/api/errno.ts";
import type { Lwp } from "../../../kernel-components/kern/proc.ts";
import { RetVal } from "../../../kernel-components/kern/uio.ts";
import {
  if_laddrreq,
  IFLR_ACTIVE,
  IFLR_ADDR,
  IFLR_FACTORY,
  IFLR_FLAGS,
  IFLR_PREFIX,
  SIOCALIFADDR,
  SIOCDLIFADDR,
  SIOCGLIFADDR,
  SIOCINITIFADDR,
} from "../../../kernel-components/net/if_abi.ts";
import { RTM_CHGADDR, RTM_NEWADDR } from "../../../kernel-components/net/rtentry.ts";
import { SOCK_DGRAM } from "../../../kernel-components/socket/socket_abi.ts";
import { sys_socket } from "../../../kernel-components/socket/uipc_syscalls.ts";
import { AF_LINK, mk_sockaddr_dl, sdl_lladdr } from "../../../kernel-components/wire/sockaddr.ts";
import { Fd, frame, NetWorld, PEER, route_socket } from "./net_world.ts";

function link_socket(w: NetWorld, l: Lwp): Fd {
  const rv = new RetVal();
  expect(w.in_kernel(() => sys_socket(l, AF_LINK, SOCK_DGRAM, 0, rv))).to.equal(0);
  return new Fd(w, rv.val, l);
}

const A = [2, 0, 0, 0, 0, 1];
const B = [2, 0, 0, 0, 0, 0x77];

function req(flags: number, mac: readonly number[], prefixlen = 48): Uint8Array {
  return if_laddrreq("tst0", flags, prefixlen, mk_sockaddr_dl(0, 0, "", Uint8Array.from(mac)), null);
}

function active(s: Fd): [number[], number] {
  const d = req(0, A);
  expect(s.ioctl(SIOCGLIFADDR, d)).to.equal(0);
  return [Array.from(sdl_lladdr(d.slice(IFLR_ADDR))), new DataView(d.buffer).getUint32(IFLR_FLAGS, true)];
}

describe("link domain", () => {
  it("makes another address active, takes frames for it only, and falls back on the factory's", () => {
    const w = new NetWorld();
    const e = w.ether().up();
    const heard: string[] = [];
    w.fake_inet({ lladdr_change: (ifp) => heard.push(Array.from(ifp.if_lladdr).join(":")) });
    w.receive(0x0800);
    const s = link_socket(w, w.root);
    const rs = route_socket(w);
    expect(active(s)).to.deep.equal([A, (IFLR_ACTIVE | IFLR_FACTORY) >>> 0]);
    expect(s.ioctl(SIOCALIFADDR, req(0, B))).to.equal(0);
    expect(active(s)[0]).to.deep.equal(A);
    expect(s.ioctl(SIOCALIFADDR, req(IFLR_ACTIVE, B))).to.equal(0);
    expect(active(s)).to.deep.equal([B, IFLR_ACTIVE]);
    expect([(rs.read(2048) as Uint8Array)[3], (rs.read(2048) as Uint8Array)[3]]).to.deep.equal([
      RTM_NEWADDR,
      RTM_CHGADDR,
    ]);
    e.rx(frame(A, PEER, 0x0800));
    e.rx(frame(B, PEER, 0x0800));
    expect([w.got.length, e.ioctls.filter((c) => c === SIOCINITIFADDR).length]).to.deep.equal([1, 1]);
    expect(s.ioctl(SIOCDLIFADDR, req(0, A)), "the factory's stays").to.equal(EBUSY);
    expect(s.ioctl(SIOCDLIFADDR, req(0, B))).to.equal(0);
    expect(active(s)).to.deep.equal([A, (IFLR_ACTIVE | IFLR_FACTORY) >>> 0]);
    expect([heard, e.ifp.if_addrlist.length]).to.deep.equal([["2:0:0:0:0:119", "2:0:0:0:0:1"], 1]);
    w.end();
  });

  it("finds by prefix and says what is wrong", () => {
    const w = new NetWorld();
    w.ether().up();
    const s = link_socket(w, w.root);
    s.ioctl(SIOCALIFADDR, req(0, [6, 1, 1, 1, 1, 1]));
    const by = req(IFLR_PREFIX, [6, 0, 0, 0, 0, 0], 8);
    expect([s.ioctl(SIOCGLIFADDR, by), Array.from(sdl_lladdr(by.slice(IFLR_ADDR)))]).to.deep.equal([
      0,
      [6, 1, 1, 1, 1, 1],
    ]);
    expect(s.ioctl(SIOCGLIFADDR, req(IFLR_PREFIX, [6, 9, 0, 0, 0, 0], 16))).to.equal(EADDRNOTAVAIL);
    expect(s.ioctl(SIOCALIFADDR, req(0, [1, 1, 1, 1, 1, 1])), "a group").to.equal(EINVAL);
    expect(s.ioctl(SIOCALIFADDR, req(0, [2, 1, 1, 1, 1])), "five bytes").to.equal(EINVAL);
    expect(s.ioctl(SIOCALIFADDR, req(IFLR_FACTORY, B))).to.equal(EINVAL);
    expect(s.ioctl(SIOCDLIFADDR, req(0, B))).to.equal(EADDRNOTAVAIL);
    expect(link_socket(w, w.nobody).ioctl(SIOCALIFADDR, req(0, B))).to.equal(EPERM);
    const nobody = req(0, A);
    nobody[3] = 0x39;
    expect(s.ioctl(SIOCGLIFADDR, nobody)).to.equal(ENXIO);
    w.end();
  });
});
