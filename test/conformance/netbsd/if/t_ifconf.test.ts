// NetBSD tests/net/if/t_ifconf and t_compat: ioctls that list and that are old.
import { expect } from "chai";
import {
  ifconf,
  ifreq,
  OOSIOCGIFBRDADDR,
  SIOCGIFCONF,
  SIZEOF_IFREQ,
  SIZEOF_OIFREQ,
} from "../../../../kernel-components/net/if_abi.ts";
import { PF_INET, SOCK_DGRAM } from "../../../../kernel-components/socket/socket_abi.ts";
import { net_case } from "../../../support/net_world.ts";

describe("net/if/t_ifconf", () => {
  net_case("basic", (w) => {
    const sys = w.sys("a");
    const fd = sys.socket(PF_INET, SOCK_DGRAM);
    const list = (room: number): string[] => {
      const req = ifconf(room);
      sys.ioctl(fd, SIOCGIFCONF, req);
      const len = new DataView(req.buffer).getInt32(0, true);
      expect(len % SIZEOF_IFREQ).to.equal(0);
      const names: string[] = [];
      for (let at = req.length - room; names.length < Math.min(len, room) / SIZEOF_IFREQ; at += SIZEOF_IFREQ) {
        names.push(new TextDecoder().decode(req.subarray(at, at + req.subarray(at).indexOf(0))));
      }
      return names;
    };
    const room = 64 * SIZEOF_IFREQ;
    expect(new Set(list(room))).to.deep.equal(new Set(["lo0"]));
    for (let i = 0; i < 4; i++) w.netcfg_rump_if("a", `shmif${i}`, `bus${i}`, `10.0.${i}.1/24`);
    const all = list(room);
    expect(new Set(all)).to.deep.equal(new Set(["lo0", "shmif0", "shmif1", "shmif2", "shmif3"]));
    // Too little room gives what fits.
    expect(list(2 * SIZEOF_IFREQ)).to.deep.equal(all.slice(0, 2));
    sys.sync.close(fd);
  });
});

describe("net/if/t_compat", () => {
  net_case("OOSIOCGIFBRDADDR", (w) => {
    w.netcfg_rump_if("a", "shmif0", "bus1", "1.7.64.10/16");
    const sys = w.sys("a");
    const fd = sys.socket(PF_INET, SOCK_DGRAM);
    const req = ifreq("shmif0").slice(0, SIZEOF_OIFREQ);
    sys.ioctl(fd, OOSIOCGIFBRDADDR, req);
    expect([...req.subarray(20, 24)]).to.deep.equal([1, 7, 255, 255]);
    sys.sync.close(fd);
  });
});
