// NetBSD tests/net/net: t_udp, t_pktinfo and t_bind, the IPv4 cases; they use plain system calls, here of a kernel.
import { expect } from "chai";
import { IP_BINDANY, IP_PKTINFO, IP_RECVPKTINFO } from "../../../../kernel-components/inet/in.ts";
import { PF_INET, SOCK_DGRAM } from "../../../../kernel-components/socket/socket_abi.ts";
import { IPPROTO_IP } from "../../../../kernel-components/wire/in.ts";
import { net_case } from "../../../support/net_world.ts";
import { bytes, codeOf, text } from "../../../rumpsys/sim_rump.ts";

const SERVER = { family: "inet", address: "127.0.0.1", port: 4000 } as const;

describe("net/net/t_udp", () => {
  net_case("udp4_send", (w) => {
    const { sync } = w.sys("a");
    const sys = w.sys("a");
    const [server, fd] = [sys.socket(PF_INET, SOCK_DGRAM), sys.socket(PF_INET, SOCK_DGRAM)];
    sys.bind(server, SERVER);
    const buf = new Uint8Array(64);
    const got = (): string => {
      w.sleep(0.01);
      return text(buf, sync.recv(server, buf));
    };
    // Unconnected: only with an address. Connected: only without.
    expect(codeOf(() => sync.send(fd, bytes("nobody")))).to.be.oneOf(["EDESTADDRREQ", "ENOTCONN"]);
    sync.sendto(fd, bytes("to an address"), 0, SERVER);
    expect(got()).to.equal("to an address");
    sync.connect(fd, SERVER);
    sync.send(fd, bytes("connected"));
    expect(got()).to.equal("connected");
    sync.sendto(fd, bytes("connected, no address"), 0, null);
    expect(got()).to.equal("connected, no address");
    expect(codeOf(() => sync.sendto(fd, bytes("both"), 0, SERVER))).to.equal("EISCONN");
    sync.connect(fd, { family: "unspec" });
    expect(codeOf(() => sync.send(fd, bytes("nobody")))).to.be.oneOf(["EDESTADDRREQ", "ENOTCONN"]);
    for (const s of [fd, server]) sync.close(s);
  });
});

describe("net/net/t_pktinfo", () => {
  net_case("pktinfo", (w) => {
    const sys = w.sys("a");
    const [server, fd] = [sys.socket(PF_INET, SOCK_DGRAM), sys.socket(PF_INET, SOCK_DGRAM)];
    sys.bind(server, SERVER);
    sys.setsockopt(server, IPPROTO_IP, IP_RECVPKTINFO, 1);
    expect(sys.getsockopt(server, IPPROTO_IP, IP_RECVPKTINFO)).to.equal(1);
    sys.sync.sendto(fd, bytes("x"), 0, SERVER);
    w.sleep(0.01);
    const { control } = sys.sync.recvmsg(server, { iov: new Uint8Array(8), controllen: 128 });
    // struct in_pktinfo: address, then the index of lo0.
    expect(control.map(({ level, type, data }) => [level, type, [...data]])).to.deep.equal([
      [IPPROTO_IP, IP_PKTINFO, [127, 0, 0, 1, 1, 0, 0, 0]],
    ]);
    for (const s of [fd, server]) sys.sync.close(s);
  });
});

describe("net/net/t_bind", () => {
  net_case("bindany_4", (w) => {
    const sys = w.sys("a");
    const fd = sys.socket(PF_INET, SOCK_DGRAM);
    const foreign = { family: "inet", address: "199.188.177.166", port: 0 } as const;
    expect(codeOf(() => sys.bind(fd, foreign))).to.equal("EADDRNOTAVAIL");
    sys.setsockopt(fd, IPPROTO_IP, IP_BINDANY, 1);
    sys.bind(fd, foreign);
    expect(sys.getsockname(fd)).to.include({ address: foreign.address });
    sys.sync.close(fd);
  });
});
