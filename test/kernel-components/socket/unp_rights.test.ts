// Passing descriptors: SCM_RIGHTS, what is lost on the way, and descriptors that only messages can reach.
import { expect } from "chai";
import { F_GETFD, FD_CLOEXEC } from "../../../kernel-components/kern/fcntl.ts";
import { fd_setlimit } from "../../../kernel-components/kern/descrip.ts";
import {
  MSG_CMSG_CLOEXEC,
  MSG_CTRUNC,
  MSG_PEEK,
  PF_LOCAL,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
} from "../../../kernel-components/socket/socket_abi.ts";
import { UNP_MAXRIGHTS } from "../../../kernel-components/socket/unpcb.ts";
import { scm_rights, scm_rights_fds } from "../../../rumpsys/cmsgs.ts";
import { SimRump, bytes, codeOf, codeOfAsync, text } from "../../rumpsys/sim_rump.ts";

describe("SCM_RIGHTS", () => {
  let t: SimRump;
  const buf = new Uint8Array(100);
  const ROOM = 256;
  beforeEach(() => {
    t = new SimRump();
  });
  afterEach(() => {
    t.sys.fcntl(0, 10, 0);
    t.expectEmpty();
    expect(t.sys.sysctlbyname("net.local.inflight")).to.equal(0);
    t.end();
  });

  for (const [name, type] of [
    ["stream", SOCK_STREAM],
    ["datagram", SOCK_DGRAM],
    ["seqpacket", SOCK_SEQPACKET],
  ] as const) {
    it(`a descriptor travels over a ${name} socket and stays the same file (t_fdpass)`, async () => {
      const [a, b] = t.sys.socketpair(PF_LOCAL, type);
      const [x, y] = t.sys.socketpair(PF_LOCAL, SOCK_STREAM);
      await t.sys.sendmsg(a, { iov: bytes("fd"), control: [scm_rights([x])] });
      await t.sys.close(x);
      expect(t.sys.sysctlbyname("net.local.inflight")).to.equal(1);
      const got = await t.sys.recvmsg(b, { iov: buf, controllen: ROOM }, MSG_CMSG_CLOEXEC);
      expect([got.length, got.flags & MSG_CTRUNC]).to.deep.equal([2, 0]);
      const [fd] = scm_rights_fds(got.control) as [number];
      expect(t.sys.fcntl(fd, F_GETFD)).to.equal(FD_CLOEXEC);
      await t.sys.write(fd, bytes("through"));
      expect(text(buf, await t.sys.read(y, buf))).to.equal("through");
    });
  }

  it("is closed when the receiver reads without asking for it, or makes no room (MSG_CTRUNC)", async () => {
    const [a, b] = t.sys.socketpair(PF_LOCAL, SOCK_DGRAM);
    for (const how of [0, 8]) {
      const [x, y] = t.sys.socketpair(PF_LOCAL, SOCK_STREAM);
      await t.sys.sendmsg(a, { iov: bytes("1"), control: [scm_rights([x])] });
      await t.sys.close(x);
      const got = await t.sys.recvmsg(b, { iov: buf, controllen: how });
      expect(got.control).to.deep.equal([]);
      if (how > 0) expect(got.flags & MSG_CTRUNC).to.equal(MSG_CTRUNC);
      expect(await t.sys.read(y, buf)).to.equal(0); // the other end is gone
      await t.sys.close(y);
    }
  });

  it("does not leak with MSG_PEEK", async () => {
    const [a, b] = t.sys.socketpair(PF_LOCAL, SOCK_DGRAM);
    await t.sys.sendmsg(a, { iov: bytes("1"), control: [scm_rights([a])] });
    const peek = await t.sys.recvmsg(b, { iov: buf, controllen: ROOM }, MSG_PEEK);
    expect([peek.length, peek.control.length, peek.flags & MSG_CTRUNC]).to.deep.equal([1, 0, MSG_CTRUNC]);
    expect((await t.sys.recvmsg(b, { iov: buf, controllen: ROOM })).control.length).to.equal(1);
  });

  it("refuses bad messages and descriptors without sending anything", async () => {
    const [a, b] = t.sys.socketpair(PF_LOCAL, SOCK_DGRAM);
    const send = (control: Uint8Array): Promise<string> => codeOfAsync(t.sys.sendmsg(a, { iov: bytes("x"), control }));
    expect(await codeOfAsync(t.sys.sendmsg(a, { iov: bytes("x"), control: [scm_rights([a, 99])] }))).to.equal("EBADF");
    expect(await send(new Uint8Array(3))).to.equal("EINVAL");
    expect(await send(new Uint8Array([255, 255, 255, 255, 255, 255, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]))).to.equal("EINVAL");
    expect(await send(new Uint8Array([16, 0, 0, 0, 0xff, 0xff, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0]))).to.equal("EINVAL");
    expect(await send(new Uint8Array(5000))).to.equal("EMSGSIZE");
    expect(codeOf(() => t.sys.sync.recv(b, buf))).to.equal("EAGAIN");
  });

  it("EMSGSIZE when the receiver has no descriptor left; what came is closed", async () => {
    const [a, b] = t.sys.socketpair(PF_LOCAL, SOCK_DGRAM);
    const [x, y] = t.sys.socketpair(PF_LOCAL, SOCK_STREAM);
    await t.sys.sendmsg(a, { iov: bytes("1"), control: [scm_rights([x])] });
    await t.sys.close(x);
    fd_setlimit(t.rk.cx.proc, 2);
    expect(await codeOfAsync(t.sys.recvmsg(b, { iov: buf, controllen: ROOM }))).to.equal("EMSGSIZE");
    fd_setlimit(t.rk.cx.proc, 100);
    expect(await t.sys.read(y, buf)).to.equal(0);
  });

  it("collects sockets that hold each other in flight", async () => {
    const [a, b] = t.sys.socketpair(PF_LOCAL, SOCK_DGRAM);
    const [c, d] = t.sys.socketpair(PF_LOCAL, SOCK_DGRAM);
    await t.sys.sendmsg(a, { iov: bytes("d in b"), control: [scm_rights([d])] });
    await t.sys.sendmsg(c, { iov: bytes("b in d"), control: [scm_rights([b])] });
    await t.sys.close(b);
    await t.sys.close(d);
    expect(t.sys.sysctlbyname("net.local.inflight")).to.equal(2);
    await t.sys.close(a);
    await t.sys.close(c);
  });

  it("does not collect a socket that can still be received from a live one, also behind an accept queue", async () => {
    const [a, b] = t.sys.socketpair(PF_LOCAL, SOCK_DGRAM);
    const [x, y] = t.sys.socketpair(PF_LOCAL, SOCK_STREAM);
    await t.sys.sendmsg(a, { iov: bytes("x"), control: [scm_rights([x])] });
    await t.sys.close(x);
    const ls = t.sys.socket(PF_LOCAL, SOCK_STREAM);
    t.sys.bind(ls, { family: "local", path: "/l" });
    t.sys.listen(ls);
    const cl = t.sys.socket(PF_LOCAL, SOCK_STREAM);
    await t.sys.connect(cl, { family: "local", path: "/l" });
    const [p, q] = t.sys.socketpair(PF_LOCAL, SOCK_STREAM);
    await t.sys.sendmsg(cl, { iov: bytes("p"), control: [scm_rights([p])] });
    await t.sys.close(p);
    await t.sys.close(t.sys.socket(PF_LOCAL, SOCK_DGRAM)); // runs the collector
    const { fd } = await t.sys.accept(ls);
    const first = scm_rights_fds((await t.sys.recvmsg(b, { iov: buf, controllen: ROOM })).control);
    const second = scm_rights_fds((await t.sys.recvmsg(fd, { iov: buf, controllen: ROOM })).control);
    await t.sys.write(first[0] as number, bytes("1"));
    await t.sys.write(second[0] as number, bytes("2"));
    expect(await t.sys.read(y, buf)).to.equal(1);
    expect(await t.sys.read(q, buf)).to.equal(1);
  });

  it("a long chain of sockets inside sockets is closed without recursion", async () => {
    const [a0, b0] = t.sys.socketpair(PF_LOCAL, SOCK_STREAM);
    let outerA = a0;
    let outerB = b0;
    for (let i = 0; i < 1500; i++) {
      const [a, b] = t.sys.socketpair(PF_LOCAL, SOCK_STREAM);
      await t.sys.sendmsg(a, { iov: bytes("x"), control: [scm_rights([outerB])] });
      await t.sys.close(outerA);
      await t.sys.close(outerB);
      outerA = a;
      outerB = b;
    }
    await t.sys.close(outerA);
    await t.sys.close(outerB);
  });
});

describe("SCM_RIGHTS: sockets that only messages of their own can reach", () => {
  it("are collected at shutdown, and when the limit of descriptors in flight would refuse somebody else's message", async () => {
    const t = new SimRump();
    const cycle = async (): Promise<void> => {
      const [a, b] = t.sys.socketpair(PF_LOCAL, SOCK_DGRAM);
      await t.sys.sendmsg(a, { iov: bytes("both"), control: [scm_rights([a, b])] });
      await t.sys.close(a);
      await t.sys.close(b);
    };
    for (let n = 0; n < UNP_MAXRIGHTS / 2 + 2; n++) await cycle();
    expect(t.sys.sysctlbyname("net.local.inflight")).to.equal(4);
    t.end();
  });
});
