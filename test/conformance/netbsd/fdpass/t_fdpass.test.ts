// NetBSD tests/net/fdpass: a descriptor goes from one process to another. (The cases about programs of another ABI are not for us.)
import { expect } from "chai";
import { PF_INET, PF_LOCAL, SOCK_DGRAM, SOCK_STREAM } from "../../../../kernel-components/socket/socket_abi.ts";
import { scm_rights, scm_rights_fds } from "../../../../rumpsys/cmsgs.ts";
import { net_case } from "../../../support/net_world.ts";
import { bytes, text } from "../../../rumpsys/sim_rump.ts";

describe("net/fdpass/t_fdpass", () => {
  net_case("fdpass_normal", (w) => {
    const rk = w.kernel("a");
    const [parent, child] = [rk.process("parent"), rk.process("child")];
    const name = { family: "local", path: "/fdpass" } as const;
    const ls = parent.rumpSys.socket(PF_LOCAL, SOCK_STREAM);
    parent.rumpSys.bind(ls, name);
    parent.rumpSys.listen(ls);
    const c = child.rumpSys.socket(PF_LOCAL, SOCK_STREAM);
    child.rumpSys.sync.connect(c, name);
    const { fd } = parent.rumpSys.sync.accept(ls);
    const udp = parent.rumpSys.socket(PF_INET, SOCK_DGRAM);
    parent.rumpSys.bind(udp, { family: "inet", address: "127.0.0.1", port: 4001 });
    parent.rumpSys.sync.sendmsg(fd, { iov: bytes("here"), control: [scm_rights([udp])] });
    parent.rumpSys.sync.close(udp);
    const buf = new Uint8Array(32);
    const got = child.rumpSys.sync.recvmsg(c, { iov: buf, controllen: 64 });
    expect(text(buf, got.length)).to.equal("here");
    const [theirs] = scm_rights_fds(got.control) as [number];
    expect(child.rumpSys.getsockname(theirs)).to.include({ port: 4001 });
    child.rumpSys.sync.sendto(theirs, bytes("to myself"), 0, { family: "inet", address: "127.0.0.1", port: 4001 });
    w.sleep(0.01);
    expect(text(buf, child.rumpSys.sync.recv(theirs, buf))).to.equal("to myself");
    for (const p of [parent, child]) p.exit();
  });
});
