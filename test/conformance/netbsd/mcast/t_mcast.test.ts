// NetBSD tests/net/mcast/t_mcast, the IPv4 cases: ten messages to a group, between processes of one kernel and between kernels.
import { expect } from "chai";
import { IP_ADD_MEMBERSHIP } from "../../../../kernel-components/inet/in.ts";
import { PF_INET, SOCK_DGRAM } from "../../../../kernel-components/socket/socket_abi.ts";
import { IPPROTO_IP } from "../../../../kernel-components/wire/in.ts";
import { net_case } from "../../../support/net_world.ts";
import type { NetWorld } from "../../../support/net_world.ts";

const TOTAL = 10;
const TO = { family: "inet", address: "239.1.1.1", port: 6666 } as const;
/** struct ip_mreq with any interface. */
const MREQ = Uint8Array.of(239, 1, 1, 1, 0, 0, 0, 0);

function run(w: NetWorld, conn: boolean): void {
  w.netcfg_rump_if("a", "shmif0", "bus1", "10.0.0.1/24");
  w.netcfg_rump_if("b", "shmif0", "bus1", "10.0.0.2/24");
  const receivers = ["a", "b"].map((name) => {
    const sys = w.sys(name);
    const fd = sys.socket(PF_INET, SOCK_DGRAM);
    sys.bind(fd, TO);
    sys.setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, MREQ);
    return { sys, fd };
  });
  const a = w.sys("a");
  const sender = a.socket(PF_INET, SOCK_DGRAM);
  if (conn) a.sync.connect(sender, TO);
  else a.setsockopt(sender, IPPROTO_IP, IP_ADD_MEMBERSHIP, MREQ);
  for (let seq = 0; seq < TOTAL; seq++) {
    if (conn) a.sync.send(sender, Uint8Array.of(seq));
    else a.sync.sendto(sender, Uint8Array.of(seq), 0, TO);
    w.sleep(0.0001);
  }
  w.sleep(0.1);
  const buf = new Uint8Array(8);
  for (const { sys, fd } of receivers) {
    for (let seq = 0; seq < TOTAL; seq++) {
      expect(sys.sync.recv(fd, buf)).to.equal(1);
      expect(buf[0]).to.equal(seq);
    }
    sys.sync.close(fd);
  }
  a.sync.close(sender);
}

describe("net/mcast/t_mcast", () => {
  net_case("mcast_conninet4", (w) => run(w, true));

  net_case("mcast_unconninet4", (w) => run(w, false));
});
