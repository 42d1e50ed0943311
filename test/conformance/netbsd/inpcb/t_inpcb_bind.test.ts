// NetBSD tests/net/inpcb: who may bind to what when somebody else already has.
import { expect } from "chai";
import { IP_ADD_MEMBERSHIP } from "../../../../kernel-components/inet/in.ts";
import {
  PF_INET,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCK_DGRAM,
  SOCK_RAW,
  SOL_SOCKET,
} from "../../../../kernel-components/socket/socket_abi.ts";
import { IPPROTO_IP } from "../../../../kernel-components/wire/in.ts";
import type { RumpSys } from "../../../../rumpsys/rumpsys.ts";
import { net_case } from "../../../support/net_world.ts";
import { codeOf } from "../../../rumpsys/sim_rump.ts";

const LOCAL = "10.0.0.1";
const ANY = "0.0.0.0";
const GROUP = "239.0.0.1";
const PORT = 10000;
/** struct ip_mreq: 239.0.0.1 on 10.0.0.1. */
const MREQ = Uint8Array.of(239, 0, 0, 1, 10, 0, 0, 1);
const USE = "EADDRINUSE";

/** Address, SO_REUSEADDR, SO_REUSEPORT, and the error ("" for none). */
type Step = readonly [string, 0 | 1, 0 | 1, string];

/** Binds one socket after the other, and closes them all. */
function suite(sys: RumpSys, name: string, steps: readonly Step[]): void {
  const fds = steps.map(([address, reuseaddr, reuseport, want], at) => {
    const fd = sys.socket(PF_INET, SOCK_DGRAM);
    if (reuseaddr === 1) sys.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (reuseport === 1) sys.setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (address === GROUP) sys.setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, MREQ);
    expect(
      codeOf(() => sys.bind(fd, { family: "inet", address, port: PORT })),
      `${name}, socket ${at}`,
    ).to.equal(want);
    return fd;
  });
  for (const fd of fds) sys.sync.close(fd);
}

describe("net/inpcb/t_inpcb_bind", () => {
  net_case("inpcb_bind_ipv4", (w) => {
    w.netcfg_rump_if("host", "shmif0", "bus1", `${LOCAL}/24`);
    const sys = w.sys("host");
    suite(sys, "unicast 1", [
      [LOCAL, 0, 0, ""],
      [ANY, 0, 0, USE],
      [ANY, 1, 0, ""],
    ]);
    suite(sys, "unicast 2", [
      [ANY, 0, 0, ""],
      [LOCAL, 0, 0, USE],
      [LOCAL, 1, 0, ""],
    ]);
    suite(sys, "unicast 3", [
      [LOCAL, 0, 1, ""],
      [LOCAL, 0, 1, ""],
      [LOCAL, 1, 0, USE],
      [LOCAL, 0, 0, USE],
    ]);
    suite(sys, "unicast 4", [
      [ANY, 0, 1, ""],
      [ANY, 0, 1, ""],
      [ANY, 1, 0, USE],
      [ANY, 0, 0, USE],
    ]);
    suite(sys, "unicast 5", [
      [LOCAL, 1, 0, ""],
      [LOCAL, 1, 0, USE],
      [LOCAL, 0, 1, USE],
    ]);
    suite(sys, "unicast 6", [
      [ANY, 1, 0, ""],
      [ANY, 1, 0, USE],
      [ANY, 0, 1, USE],
    ]);
    suite(sys, "multicast 1", [
      [GROUP, 0, 0, ""],
      [GROUP, 1, 0, USE],
      [GROUP, 0, 1, USE],
      [GROUP, 1, 1, USE],
    ]);
    suite(sys, "multicast 2", [
      [GROUP, 0, 1, ""],
      [GROUP, 0, 0, USE],
      [GROUP, 0, 1, ""],
      [GROUP, 1, 0, ""],
      [GROUP, 1, 1, ""],
    ]);
    suite(sys, "multicast 3", [
      [GROUP, 1, 0, ""],
      [GROUP, 0, 0, USE],
      [GROUP, 1, 0, ""],
      [GROUP, 0, 1, ""],
      [GROUP, 1, 1, ""],
    ]);
    suite(sys, "multicast 4", [
      [GROUP, 1, 1, ""],
      [GROUP, 0, 0, USE],
      [GROUP, 0, 1, ""],
      [GROUP, 1, 0, ""],
      [GROUP, 1, 1, ""],
    ]);
  });
});

describe("net/inpcb/t_broadcast_bind", () => {
  net_case("broadcast_bind_basic", (w) => {
    // NetBSD's case tries stream sockets too; they come with TCP.
    w.netcfg_rump_if("host", "shmif0", "bus1", `${LOCAL}/24`);
    const sys = w.sys("host");
    for (const type of [SOCK_DGRAM, SOCK_RAW]) {
      for (const [address, want] of [
        [LOCAL, ""],
        ["10.0.0.99", "EADDRNOTAVAIL"],
        ["10.0.0.255", ""],
      ] as const) {
        const fd = sys.socket(PF_INET, type, type === SOCK_RAW ? 99 : 0);
        expect(
          codeOf(() => sys.bind(fd, { family: "inet", address, port: 30000 })),
          address,
        ).to.equal(want);
        sys.sync.close(fd);
      }
    }
  });
});
