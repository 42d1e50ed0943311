// NetBSD tests/net/if_loop/t_pr and t_basic.
import { expect } from "chai";
import { ifr_name, ifreq_int, SIOCSIFMTU } from "../../../../kernel-components/net/if_abi.ts";
import {
  PF_INET,
  SO_SNDBUF,
  SOCK_DGRAM,
  SOCK_RAW,
  SOL_SOCKET,
} from "../../../../kernel-components/socket/socket_abi.ts";
import { IPPROTO_UDP } from "../../../../kernel-components/wire/in.ts";
import { net_case } from "../../../support/net_world.ts";
import type { NetWorld } from "../../../support/net_world.ts";

/** Sends packets larger than lo0's MTU. */
function loopmtu(w: NetWorld, size: number): void {
  const sys = w.sys("a");
  const fd = sys.socket(PF_INET, SOCK_DGRAM);
  const server = sys.socket(PF_INET, SOCK_DGRAM);
  sys.bind(server, { family: "inet", address: "127.0.0.1", port: 12345 });
  sys.setsockopt(fd, SOL_SOCKET, SO_SNDBUF, 200_000);
  const req = ifreq_int("lo0", 1300);
  expect(ifr_name(req)).to.equal("lo0");
  sys.ioctl(fd, SIOCSIFMTU, req);
  const data = Uint8Array.from({ length: size }, (_, i) => i * 7);
  sys.sync.sendto(fd, data, 0, { family: "inet", address: "127.0.0.1", port: 12345 });
  w.sleep(0.1);
  const buf = new Uint8Array(size + 1);
  expect(sys.sync.recv(server, buf)).to.equal(size);
  expect(buf.subarray(0, size)).to.deep.equal(data);
  for (const s of [fd, server]) sys.sync.close(s);
}

describe("net/if_loop/t_basic", () => {
  net_case("loop_create_destroy", async (w) => {
    await w.ok("a", "ifconfig lo1 create");
    await w.ok("a", "ifconfig lo1 inet 10.9.9.1/32 up");
    await w.ping("a", "10.9.9.1");
    await w.ok("a", "ifconfig lo1 destroy");
    expect(await w.ok("a", "ifconfig -l")).to.equal("lo0\n");
    await w.ping_fails("a", "10.9.9.1");
    await w.fails("a", "ifconfig lo0 destroy");
  });
});

describe("net/if_loop/t_pr", () => {
  net_case("loopmtu", (w) => loopmtu(w, 2000));

  net_case("loopmtu_csum", (w) => {
    // Checksums on, as by `ifconfig lo0 ip4csum udp4csum`: none is wrong on the receiving side, whatever the size.
    const sys = w.sys("a");
    const raw = sys.socket(PF_INET, SOCK_RAW, IPPROTO_UDP);
    for (const size of [1, 1271, 1273, 2001, 9000]) loopmtu(w, size);
    for (const [group, name] of [
      ["ip", "badsum"],
      ["udp", "badsum"],
    ] as const)
      expect(w.stat("a", group, name)).to.equal(0);
    sys.sync.close(raw);
  });
});
