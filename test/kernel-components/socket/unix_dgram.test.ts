// PF_LOCAL datagrams and sequenced packets: records.
import { expect } from "chai";
import {
  LOCAL_CREDS,
  MSG_PEEK,
  MSG_TRUNC,
  PF_LOCAL,
  SCM_CREDS,
  SO_OVERFLOWED,
  SO_RCVBUF,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOL_LOCAL,
  SOL_SOCKET,
} from "../../../kernel-components/socket/socket_abi.ts";
import { SimRump, bytes, codeOf, codeOfAsync, settled, text } from "../../rumpsys/sim_rump.ts";

const SERVER = { family: "local", path: "/d/server" } as const;
const CLIENT = { family: "local", path: "/d/client" } as const;

describe("PF_LOCAL datagrams", () => {
  let t: SimRump;
  let s: number;
  let c: number;
  const buf = new Uint8Array(70_000);
  beforeEach(() => {
    t = new SimRump();
    s = t.sys.socket(PF_LOCAL, SOCK_DGRAM);
    c = t.sys.socket(PF_LOCAL, SOCK_DGRAM);
    t.sys.bind(s, SERVER);
  });
  afterEach(() => t.end());

  it("keeps datagrams apart and tells who sent them", async () => {
    t.sys.bind(c, CLIENT);
    await t.sys.sendto(c, bytes("one"), 0, SERVER);
    await t.sys.sendto(c, new Uint8Array(0), 0, SERVER);
    await t.sys.sendto(c, bytes("three"), 0, SERVER);
    expect(await t.sys.recvfrom(s, buf)).to.deep.equal({ length: 3, from: CLIENT });
    expect(await t.sys.recvfrom(s, buf)).to.deep.equal({ length: 0, from: CLIENT });
    expect(await t.sys.recvfrom(s, buf)).to.deep.equal({ length: 5, from: CLIENT });
    expect(text(buf, 5)).to.equal("three");
    await t.sys.sendto(s, bytes("back"), 0, CLIENT);
    expect(await t.sys.recv(c, buf)).to.equal(4);
  });

  it("cuts what does not fit and says so: MSG_TRUNC, with and without MSG_PEEK", async () => {
    await t.sys.sendto(c, bytes("0123456789"), 0, SERVER);
    await t.sys.sendto(c, bytes("next"), 0, SERVER);
    const small = new Uint8Array(4);
    expect((await t.sys.recvmsg(s, { iov: small }, MSG_PEEK)).flags & MSG_TRUNC).to.equal(MSG_TRUNC);
    const got = await t.sys.recvmsg(s, { iov: small });
    expect([got.length, got.flags, text(small, 4)]).to.deep.equal([4, MSG_TRUNC, "0123"]);
    expect((await t.sys.recvmsg(s, { iov: [small, buf] })).flags).to.equal(0);
  });

  it("sends from and receives into several buffers", async () => {
    await t.sys.sendmsg(c, { name: SERVER, iov: [bytes("ab"), new Uint8Array(0), bytes("cde")] });
    const one = new Uint8Array(1);
    const { length } = await t.sys.recvmsg(s, { iov: [one, buf] });
    expect(length).to.equal(5);
    expect(text(one, 1) + text(buf, 4)).to.equal("abcde");
  });

  it("carries any size up to the send buffer; more is EMSGSIZE", async () => {
    for (const size of [0, 1, 127, 128, 129, 1919, 1920, 1921, 4097, 16_384]) {
      const data = Uint8Array.from({ length: size }, (_, i) => (i * 13) & 255);
      expect(await t.sys.sendto(c, data, 0, SERVER)).to.equal(size);
      expect(await t.sys.recv(s, buf)).to.equal(size);
      expect(buf.subarray(0, size)).to.deep.equal(data);
    }
    expect(await codeOfAsync(t.sys.sendto(c, new Uint8Array(16_385), 0, SERVER))).to.equal("EMSGSIZE");
  });

  it("drops and counts what the receive buffer cannot hold: ENOBUFS, SO_OVERFLOWED", async () => {
    t.sys.setsockopt(s, SOL_SOCKET, SO_RCVBUF, 1000);
    const codes: string[] = [];
    for (let i = 0; i < 12; i++) codes.push(await codeOfAsync(t.sys.sendto(c, new Uint8Array(98), 0, SERVER)));
    expect(codes.filter((e) => e === "").length).to.equal(4); // name and data take an mbuf of 256 bytes each, 2000 are allowed
    expect(codes.filter((e) => e === "ENOBUFS").length).to.equal(8);
    expect(t.sys.getsockopt(s, SOL_SOCKET, SO_OVERFLOWED)).to.equal(8);
  });

  it("connect notes the peer; errors of addresses", async () => {
    expect(codeOf(() => t.sys.sync.send(c, bytes("x")))).to.equal("EDESTADDRREQ");
    await t.sys.connect(c, SERVER);
    expect(await codeOfAsync(t.sys.sendto(c, bytes("x"), 0, SERVER))).to.equal("EISCONN");
    expect(await t.sys.send(c, bytes("x"))).to.equal(1);
    await t.sys.connect(c, { family: "unspec" });
    expect(codeOf(() => t.sys.sync.send(c, bytes("x")))).to.equal("EDESTADDRREQ");
    await t.sys.connect(c, SERVER);
    await t.sys.close(s);
    expect(await codeOfAsync(t.sys.send(c, bytes("x")))).to.equal("ECONNRESET");
    expect(codeOf(() => t.sys.sync.send(c, bytes("x")))).to.equal("EDESTADDRREQ");
  });

  it("LOCAL_CREDS puts the sender's credentials in front of each datagram", async () => {
    const p = t.rk.process("peer", 11, 12);
    t.sys.setsockopt(s, SOL_LOCAL, LOCAL_CREDS, 1);
    const pc = p.rumpSys.socket(PF_LOCAL, SOCK_DGRAM);
    for (let i = 0; i < 2; i++) {
      await p.rumpSys.sendto(pc, bytes("who"), 0, SERVER);
      const { control, length } = await t.sys.recvmsg(s, { iov: buf, controllen: 200 });
      expect([length, control.length, control[0]?.type]).to.deep.equal([3, 1, SCM_CREDS]);
      const cred = [...new Uint32Array((control[0]?.data ?? new Uint8Array(0)).slice(0, 24).buffer)];
      expect(cred).to.deep.equal([p.pid, 11, 11, 12, 12, 0]);
    }
    p.exit();
  });

  it("wakes a receiver that waits", async () => {
    const r = t.sys.recvfrom(s, buf);
    expect(await settled(r)).to.equal(false);
    await t.sys.sendto(c, bytes("x"), 0, SERVER);
    expect(await r).to.deep.equal({ length: 1, from: { family: "local", path: "" } });
  });
});

describe("PF_LOCAL sequenced packets", () => {
  let t: SimRump;
  afterEach(() => t.end());

  it("are a connection that keeps records apart", async () => {
    t = new SimRump();
    const [a, b] = t.sys.socketpair(PF_LOCAL, SOCK_SEQPACKET);
    const buf = new Uint8Array(100);
    await t.sys.send(a, bytes("one"));
    await t.sys.send(a, bytes("second"));
    await t.sys.send(a, new Uint8Array(0));
    expect(await t.sys.recv(b, buf)).to.equal(3);
    const cut = await t.sys.recvmsg(b, { iov: buf.subarray(0, 2) });
    expect([cut.length, cut.flags & MSG_TRUNC]).to.deep.equal([2, MSG_TRUNC]);
    expect(await t.sys.recv(b, buf)).to.equal(0);
    expect(codeOf(() => t.sys.sync.recv(b, buf))).to.equal("EAGAIN");
    expect(await codeOfAsync(t.sys.send(a, new Uint8Array(1 << 20)))).to.equal("EMSGSIZE");
    const r = t.sys.recv(b, buf);
    await t.sys.close(a);
    expect(await r).to.equal(0);
    await t.sys.close(b);
    t.expectEmpty();
  });
});
