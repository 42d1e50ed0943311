// NetBSD tests/net/net/t_unix: addresses of PF_LOCAL sockets at their limits, and who the peer is.
import { expect } from "chai";
import { LOCAL_PEEREID, PF_LOCAL, SOCK_STREAM, SOL_LOCAL } from "../../../../kernel-components/socket/socket_abi.ts";
import type { RumpSys } from "../../../../rumpsys/rumpsys.ts";
import { net_case } from "../../../support/net_world.ts";
import { codeOf } from "../../../rumpsys/sim_rump.ts";

/** Bytes of a path that a sockaddr_un can hold, as its length is one byte. */
const PATH_MAX = 253;

/** pid, uid, gid of the peer. */
function peereid(sys: RumpSys, fd: number): number[] {
  return [...new Uint32Array(sys.getsockoptBytes(fd, SOL_LOCAL, LOCAL_PEEREID).slice().buffer)];
}

/** A server with a name of `len` bytes and a client, which may be closed before it is accepted. */
function test(sys: RumpSys, closeit: boolean, len: number): void {
  const name = { family: "local", path: "a".repeat(len) } as const;
  const server = sys.socket(PF_LOCAL, SOCK_STREAM);
  sys.bind(server, name);
  sys.listen(server);
  const client = sys.socket(PF_LOCAL, SOCK_STREAM);
  sys.sync.connect(client, name);
  expect(peereid(sys, client).slice(1)).to.deep.equal([0, 0]);
  if (closeit) sys.sync.close(client);
  const { fd, address } = sys.sync.accept(server);
  expect(address).to.deep.equal({ family: "local", path: "" });
  expect(sys.getsockname(server)).to.deep.equal(name);
  for (const s of closeit ? [fd, server] : [fd, server, client]) sys.sync.close(s);
}

describe("net/net/t_unix", () => {
  net_case("sockaddr_un_len_exceed", (w) => {
    const sys = w.sys("a");
    const fd = sys.socket(PF_LOCAL, SOCK_STREAM);
    expect(codeOf(() => sys.bind(fd, { family: "local", path: "a".repeat(PATH_MAX + 1) }))).to.equal("EINVAL");
    sys.sync.close(fd);
  });

  net_case("sockaddr_un_len_max", (w) => test(w.sys("a"), false, PATH_MAX));

  net_case("sockaddr_un_closed", (w) => test(w.sys("a"), true, 100));

  net_case("sockaddr_un_local_peereid", (w) => {
    const sys = w.sys("a");
    const client = w.kernel("a").process("client", 7, 8);
    const name = { family: "local", path: "/peereid" } as const;
    const server = sys.socket(PF_LOCAL, SOCK_STREAM);
    sys.bind(server, name);
    sys.listen(server);
    const c = client.rumpSys.socket(PF_LOCAL, SOCK_STREAM);
    client.rumpSys.sync.connect(c, name);
    const { fd } = sys.sync.accept(server);
    expect(peereid(sys, fd)).to.deep.equal([client.pid, 7, 8]);
    expect(peereid(client.rumpSys, c)).to.deep.equal([sys.getpid(), 0, 0]);
    client.exit();
    for (const s of [fd, server]) sys.sync.close(s);
  });

  net_case("sockaddr_un_fstat", (w) => {
    const sys = w.sys("a");
    const fd = sys.socket(PF_LOCAL, SOCK_STREAM);
    sys.bind(fd, { family: "local", path: "/fstat" });
    for (let i = 0; i < 2; i++) expect(sys.fstat(fd)).to.not.equal(null);
    sys.sync.close(fd);
  });
});
