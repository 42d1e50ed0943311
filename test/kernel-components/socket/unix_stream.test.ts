// PF_LOCAL streams: what a stream socket must do, without a network in between.
import { expect } from "chai";
import {
  LOCAL_CONNWAIT,
  LOCAL_PEEREID,
  MSG_DONTWAIT,
  MSG_PEEK,
  MSG_WAITALL,
  PF_LOCAL,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SO_RCVLOWAT,
  SO_RCVTIMEO,
  SO_SNDBUF,
  SO_SNDTIMEO,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_LOCAL,
  SOL_SOCKET,
} from "../../../kernel-components/socket/socket_abi.ts";
import { FIONREAD, FIONWRITE } from "../../../kernel-components/kern/ioccom.ts";
import { SimRump, bytes, codeOf, codeOfAsync, settled, text, timeval } from "../../rumpsys/sim_rump.ts";

describe("PF_LOCAL stream", () => {
  let t: SimRump;
  let a: number;
  let b: number;
  const buf = new Uint8Array(70_000);
  beforeEach(() => {
    t = new SimRump();
    [a, b] = t.sys.socketpair(PF_LOCAL, SOCK_STREAM);
  });
  afterEach(() => t.end());

  const intOf = (fd: number, cmd: number): number => {
    const d = new Uint8Array(4);
    t.sys.ioctl(fd, cmd, d);
    return new DataView(d.buffer).getInt32(0, true);
  };

  it("keeps bytes in order across writes and reads of odd sizes, and gives everything back", async () => {
    const all = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) & 255);
    const writing = (async () => {
      for (let at = 0, n = 1; at < all.length; at += n, n = (n * 7 + 3) % 20_011)
        await t.sys.write(a, all.subarray(at, at + n));
      t.sys.shutdown(a, SHUT_WR);
    })();
    const got: number[] = [];
    for (;;) {
      const n = await t.sys.read(b, buf.subarray(0, 1 + (got.length % 9973)));
      if (n === 0) break;
      for (let i = 0; i < n; i++) got.push(buf[i] as number);
    }
    await writing;
    expect(got.length).to.equal(all.length);
    expect(got.every((v, i) => v === all[i])).to.equal(true);
    await t.sys.close(a);
    await t.sys.close(b);
    t.expectEmpty();
  });

  it("merges small writes instead of pinning an mbuf for each", async () => {
    for (let i = 0; i < 1000; i++) expect(t.sys.sync.write(a, bytes("abcd"))).to.equal(4);
    expect(t.rk.k.mb.in_use().mbufs).to.be.below(1000 / 16);
    expect(intOf(b, FIONREAD)).to.equal(4000);
    expect(intOf(a, FIONWRITE)).to.equal(4000);
    expect(t.sys.sync.read(b, buf)).to.equal(4000);
    expect(intOf(a, FIONWRITE)).to.equal(0);
  });

  it("holds the sender back by what was not read, and lets it go on", async () => {
    const n = t.sys.sync.write(a, buf);
    expect(n).to.be.within(8192, 16384);
    expect(codeOf(() => t.sys.sync.write(a, bytes("x")))).to.equal("EAGAIN");
    const more = t.sys.write(a, bytes("x"));
    expect(await settled(more)).to.equal(false);
    t.sys.sync.read(b, new Uint8Array(4096));
    expect(await more).to.equal(1);
  });

  it("does not mix two writers that both have to wait", async () => {
    const w1 = t.sys.write(a, new Uint8Array(40_000).fill(1));
    const w2 = t.sys.write(a, new Uint8Array(40_000).fill(2));
    const seen: number[] = [];
    for (let total = 0; total < 80_000; ) {
      const n = await t.sys.read(b, buf.subarray(0, 3001));
      for (let i = 0; i < n; i++) if (seen[seen.length - 1] !== buf[i]) seen.push(buf[i] as number);
      total += n;
    }
    await Promise.all([w1, w2]);
    expect(seen).to.deep.equal([1, 2]);
  });

  it("does not stall others when a blocked writer is gone", async () => {
    const p = t.rk.process("writer");
    t.rk.lwproc.switch(null);
    const dead = p.rumpSys.write(a, buf);
    expect(await codeOfAsync(dead)).to.equal("EBADF"); // another process does not have this descriptor
    const w1 = t.sys.write(a, buf);
    t.rk.cx.abort_all();
    expect(await codeOfAsync(w1)).to.equal("EINTR");
    t.sys.sync.read(b, buf);
    expect(t.sys.sync.write(a, bytes("next"))).to.equal(4);
    p.exit();
  });

  it("ends with 0 after shutdown(SHUT_WR) by the peer, and the other direction still works", async () => {
    await t.sys.write(a, bytes("last"));
    t.sys.shutdown(a, SHUT_WR);
    expect(codeOf(() => t.sys.sync.write(a, bytes("x")))).to.equal("EPIPE");
    expect(await t.sys.read(b, buf)).to.equal(4);
    expect(await t.sys.read(b, buf)).to.equal(0);
    expect(await t.sys.read(b, buf)).to.equal(0);
    await t.sys.write(b, bytes("back"));
    expect(text(buf, await t.sys.read(a, buf))).to.equal("back");
  });

  it("gives EPIPE and end of file when the peer closes, with what was sent before still readable", async () => {
    await t.sys.write(a, bytes("tail"));
    await t.sys.close(a);
    expect(codeOf(() => t.sys.sync.write(b, bytes("x")))).to.equal("EPIPE");
    expect(await t.sys.read(b, buf)).to.equal(4);
    expect(await t.sys.read(b, buf)).to.equal(0);
    expect(codeOf(() => t.sys.getpeername(b))).to.equal("ENOTCONN");
  });

  it("shutdown(SHUT_RD) throws away what was received", async () => {
    await t.sys.write(a, bytes("lost"));
    t.sys.shutdown(b, SHUT_RD);
    expect(await t.sys.read(b, buf)).to.equal(0);
    expect(intOf(a, FIONWRITE)).to.equal(0);
    expect(codeOf(() => t.sys.sync.write(a, bytes("x")))).to.equal("EPIPE");
    t.sys.shutdown(b, SHUT_RDWR);
    expect(codeOf(() => t.sys.shutdown(b, 7))).to.equal("EINVAL");
  });

  it("MSG_PEEK leaves the data, MSG_DONTWAIT does not wait", async () => {
    expect(await codeOfAsync(t.sys.recv(b, buf, MSG_DONTWAIT))).to.equal("EAGAIN");
    await t.sys.write(a, bytes("peek"));
    expect(text(buf, await t.sys.recv(b, buf, MSG_PEEK))).to.equal("peek");
    expect(await t.sys.recv(b, buf.subarray(0, 2), MSG_PEEK)).to.equal(2);
    expect(text(buf, await t.sys.recv(b, buf))).to.equal("peek");
  });

  it("MSG_WAITALL waits for all, also for more than the buffer can hold, and settles for less at the end", async () => {
    const big = new Uint8Array(50_000);
    const r = t.sys.recv(b, big, MSG_WAITALL);
    await t.sys.write(a, new Uint8Array(49_999).fill(5));
    expect(await settled(r)).to.equal(false);
    await t.sys.write(a, bytes("!"));
    expect(await r).to.equal(50_000);
    expect(big[49_998]).to.equal(5);
    expect(big[49_999]).to.equal(33);
    const short = t.sys.recv(b, big, MSG_WAITALL);
    await t.sys.write(a, bytes("abc"));
    await t.sys.close(a);
    expect(await short).to.equal(3);
  });

  it("SO_RCVLOWAT makes a blocking read wait for so much", async () => {
    t.sys.setsockopt(b, SOL_SOCKET, SO_RCVLOWAT, 10);
    const r = t.sys.read(b, buf);
    await t.sys.write(a, bytes("12345"));
    expect(await settled(r)).to.equal(false);
    await t.sys.write(a, bytes("67890"));
    expect(await r).to.equal(10);
  });

  it("SO_RCVTIMEO and SO_SNDTIMEO end the waiting with EAGAIN when their time has passed, not before", async () => {
    t.sys.setsockopt(b, SOL_SOCKET, SO_RCVTIMEO, timeval(1500));
    const r = t.sys.read(b, buf);
    t.ms(1490);
    expect(await settled(r)).to.equal(false);
    t.ms(20);
    expect(await codeOfAsync(r)).to.equal("EAGAIN");
    t.sys.setsockopt(a, SOL_SOCKET, SO_SNDTIMEO, timeval(100));
    const w = t.sys.write(a, buf);
    t.ms(110);
    expect(await w).to.be.within(8192, 16384); // a short count is a success
  });

  it("a waiting read ends with EBADF when its descriptor is closed, even if the number is used again", async () => {
    const r = t.sys.read(b, buf);
    const dup = t.sys.dup(b);
    await t.sys.close(b);
    expect(t.sys.socket(PF_LOCAL, SOCK_DGRAM)).to.equal(b);
    expect(await codeOfAsync(r)).to.equal("EBADF");
    await t.sys.close(dup);
  });

  it("SO_SNDBUF sets the room, within kern.sbmax", async () => {
    t.sys.setsockopt(a, SOL_SOCKET, SO_SNDBUF, 2000);
    expect(t.sys.getsockopt(a, SOL_SOCKET, SO_SNDBUF)).to.equal(2000);
    expect(t.sys.sync.write(a, buf)).to.equal(2000);
    expect(codeOf(() => t.sys.setsockopt(a, SOL_SOCKET, SO_SNDBUF, 1 << 30))).to.equal("ENOBUFS");
    expect(t.sys.getsockopt(a, SOL_SOCKET, SO_SNDBUF)).to.equal(2000);
  });
});

describe("PF_LOCAL connections", () => {
  let t: SimRump;
  let ls: number;
  const buf = new Uint8Array(100);
  const name = { family: "local", path: "/tmp/server" } as const;
  beforeEach(() => {
    t = new SimRump();
    ls = t.sys.socket(PF_LOCAL, SOCK_STREAM);
    t.sys.bind(ls, name);
    t.sys.listen(ls, 4);
  });
  afterEach(() => t.end());

  it("connect, accept, names on both ends", async () => {
    const c = t.sys.socket(PF_LOCAL, SOCK_STREAM);
    const accepting = t.sys.accept(ls);
    expect(await settled(accepting)).to.equal(false);
    await t.sys.connect(c, name);
    const { fd, address } = await accepting;
    expect(address).to.deep.equal({ family: "local", path: "" });
    expect(t.sys.getpeername(c)).to.deep.equal(name);
    expect(t.sys.getsockname(fd)).to.deep.equal(name);
    await t.sys.write(c, bytes("hi"));
    expect(text(buf, await t.sys.read(fd, buf))).to.equal("hi");
    expect(await codeOfAsync(t.sys.connect(c, name))).to.equal("EISCONN");
  });

  it("refuses more connections than wait for accept, and counts them", async () => {
    const results: string[] = [];
    for (let i = 0; i < 10; i++)
      results.push(await codeOfAsync(t.sys.connect(t.sys.socket(PF_LOCAL, SOCK_STREAM), name)));
    expect(results.filter((r) => r === "").length).to.equal(7); // backlog 4: one more than 3/2 of it
    expect(results.filter((r) => r === "ECONNREFUSED").length).to.equal(3);
    expect(t.layer.sostat[2]).to.equal(3);
  });

  it("a closed listener drops the connections that wait, and its name", async () => {
    const c = t.sys.socket(PF_LOCAL, SOCK_STREAM);
    await t.sys.connect(c, name);
    await t.sys.write(c, bytes("never read"));
    await t.sys.close(ls);
    expect(await codeOfAsync(t.sys.write(c, bytes("x")))).to.equal("EPIPE");
    expect(await codeOfAsync(t.sys.connect(t.sys.socket(PF_LOCAL, SOCK_STREAM), name))).to.equal("ENOENT");
  });

  it("accepts a connection whose client is gone, then reads the end (t_unix sockaddr_un_closed)", async () => {
    const c = t.sys.socket(PF_LOCAL, SOCK_STREAM);
    await t.sys.connect(c, name);
    await t.sys.write(c, bytes("bye"));
    await t.sys.close(c);
    const { fd } = await t.sys.accept(ls);
    expect(await t.sys.read(fd, buf)).to.equal(3);
    expect(await t.sys.read(fd, buf)).to.equal(0);
  });

  it("says what is wrong: EADDRINUSE, EINVAL, ENOENT, EPROTOTYPE, EOPNOTSUPP, EAFNOSUPPORT", async () => {
    const s = t.sys.socket(PF_LOCAL, SOCK_STREAM);
    expect(codeOf(() => t.sys.bind(s, name))).to.equal("EADDRINUSE");
    expect(codeOf(() => t.sys.bind(ls, { family: "local", path: "/other" }))).to.equal("EINVAL");
    expect(codeOf(() => t.sys.listen(s))).to.equal("EINVAL");
    expect(codeOf(() => t.sys.sync.accept(s))).to.equal("EINVAL");
    expect(codeOf(() => t.sys.sync.accept(ls))).to.equal("EAGAIN");
    expect(await codeOfAsync(t.sys.connect(s, { family: "local", path: "/none" }))).to.equal("ENOENT");
    expect(await codeOfAsync(t.sys.connect(s, { family: "inet", address: "1.2.3.4", port: 5 }))).to.equal(
      "EAFNOSUPPORT",
    );
    const d = t.sys.socket(PF_LOCAL, SOCK_DGRAM);
    expect(await codeOfAsync(t.sys.connect(d, name))).to.equal("EPROTOTYPE");
    expect(codeOf(() => t.sys.listen(d))).to.equal("EOPNOTSUPP");
    expect(codeOf(() => t.sys.sync.accept(d))).to.equal("EOPNOTSUPP");
    expect(await codeOfAsync(t.sys.connect(ls, name))).to.equal("EOPNOTSUPP");
    expect(codeOf(() => t.sys.bind(s, new Uint8Array([1])))).to.equal("EINVAL");
  });

  it("a path of 253 bytes works, 254 do not (t_unix sockaddr_un_len_max, len_exceed)", () => {
    const s = t.sys.socket(PF_LOCAL, SOCK_STREAM);
    expect(codeOf(() => t.sys.bind(s, { family: "local", path: "x".repeat(254) }))).to.equal("EINVAL");
    expect(codeOf(() => t.sys.bind(s, new Uint8Array(256).fill(65)))).to.equal("EINVAL");
    t.sys.bind(s, { family: "local", path: "x".repeat(253) });
    expect(t.sys.getsockname(s)).to.deep.equal({ family: "local", path: "x".repeat(253) });
  });

  it("LOCAL_PEEREID tells who the peer is on both ends (t_unix sockaddr_un_local_peereid)", async () => {
    const client = t.rk.process("client", 7, 8);
    const c = client.rumpSys.socket(PF_LOCAL, SOCK_STREAM);
    await client.rumpSys.connect(c, name);
    const { fd } = await t.sys.accept(ls);
    const idOf = (b: Uint8Array): number[] => [...new Uint32Array(b.slice().buffer)];
    expect(idOf(t.sys.getsockoptBytes(fd, SOL_LOCAL, LOCAL_PEEREID))).to.deep.equal([client.pid, 7, 8]);
    expect(idOf(client.rumpSys.getsockoptBytes(c, SOL_LOCAL, LOCAL_PEEREID))).to.deep.equal([t.sys.getpid(), 0, 0]);
    expect(codeOf(() => t.sys.getsockopt(ls, SOL_LOCAL, LOCAL_PEEREID))).to.equal("ENOTCONN");
    client.exit();
  });

  it("LOCAL_CONNWAIT makes connect wait for accept", async () => {
    const c = t.sys.socket(PF_LOCAL, SOCK_STREAM);
    t.sys.setsockopt(c, SOL_LOCAL, LOCAL_CONNWAIT, 1);
    const connecting = t.sys.connect(c, name);
    expect(await settled(connecting)).to.equal(false);
    await t.sys.accept(ls);
    await connecting;
  });
});
