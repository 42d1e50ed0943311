// NetBSD tests/net/sys: t_socketpair and t_rfc6056; they use plain system calls, here of a kernel.
import { expect } from "chai";
import { F_GETFD, F_GETFL, FD_CLOEXEC, O_NONBLOCK } from "../../../../kernel-components/kern/fcntl.ts";
import { IP_PORTALGO } from "../../../../kernel-components/inet/in.ts";
import {
  PF_INET,
  PF_LOCAL,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
} from "../../../../kernel-components/socket/socket_abi.ts";
import { IPPROTO_IP } from "../../../../kernel-components/wire/in.ts";
import { portalgo_names } from "../../../../kernel-components/inet/portalgo.ts";
import { net_case } from "../../../support/net_world.ts";
import type { NetWorld } from "../../../support/net_world.ts";

function run(w: NetWorld, flags: number): void {
  const sys = w.sys("a");
  for (let i = 0; i < 2; i++) {
    const pair = sys.socketpair(PF_LOCAL, SOCK_DGRAM | flags);
    for (const fd of pair) {
      expect((sys.fcntl(fd, F_GETFD) & FD_CLOEXEC) !== 0, "close on exec").to.equal((flags & SOCK_CLOEXEC) !== 0);
      expect((sys.fcntl(fd, F_GETFL) & O_NONBLOCK) !== 0, "non-blocking").to.equal((flags & SOCK_NONBLOCK) !== 0);
    }
    for (const fd of pair) sys.sync.close(fd);
  }
}

describe("net/sys/t_socketpair", () => {
  net_case("socketpair_basic", (w) => run(w, 0));

  net_case("socketpair_nonblock", (w) => run(w, SOCK_NONBLOCK));

  net_case("socketpair_cloexec", (w) => run(w, SOCK_CLOEXEC));
});

describe("net/sys/t_rfc6056", () => {
  net_case("inet4", (w) => {
    const sys = w.sys("a");
    const port_of = (fd: number): number => {
      const name = sys.getsockname(fd);
      return name?.family === "inet" ? name.port : 0;
    };
    // Every algorithm, by socket and by sysctl, gives ports of the range, and no two alike.
    for (const [algo, name] of portalgo_names.entries()) {
      sys.sysctlbyname("net.inet.ip.anonportalgo.selected", name);
      const fds = Array.from({ length: 32 }, (_, i) => {
        const fd = sys.socket(PF_INET, SOCK_DGRAM);
        if (i % 2 === 0) sys.setsockopt(fd, IPPROTO_IP, IP_PORTALGO, algo);
        if (i % 4 < 2) sys.sync.connect(fd, { family: "inet", address: "127.0.0.1", port: 9 });
        else sys.bind(fd, { family: "inet", address: "0.0.0.0", port: 0 });
        return fd;
      });
      const ports = fds.map(port_of);
      expect(new Set(ports).size, name).to.equal(ports.length);
      for (const port of ports) expect(port, name).to.be.within(49_152, 65_535);
      for (const fd of fds) sys.sync.close(fd);
    }
  });
});
