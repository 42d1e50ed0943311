// Options of the socket level, readiness, and creation errors.
import { expect } from "chai";
import { POLLIN, POLLNVAL, POLLOUT, POLLRDNORM } from "../../../kernel-components/kern/select.ts";
import { POLLRDHUP } from "../../../kernel-components/socket/sopoll.ts";
import { F_GETFL, F_SETFL, O_NONBLOCK, O_RDWR } from "../../../kernel-components/kern/fcntl.ts";
import { FIONBIO } from "../../../kernel-components/kern/ioccom.ts";
import {
  PF_INET,
  PF_LOCAL,
  SHUT_WR,
  SO_ACCEPTCONN,
  SO_ACCEPTFILTER,
  SO_BROADCAST,
  SO_DEBUG,
  SO_DONTROUTE,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_NOHEADER,
  SO_NOSIGPIPE,
  SO_OOBINLINE,
  SO_OVERFLOWED,
  SO_RCVBUF,
  SO_RCVLOWAT,
  SO_RCVTIMEO,
  SO_RERROR,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SO_SNDBUF,
  SO_SNDLOWAT,
  SO_SNDTIMEO,
  SO_TIMESTAMP,
  SO_TYPE,
  SO_USELOOPBACK,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOCK_STREAM,
  SOL_LOCAL,
  SOL_SOCKET,
} from "../../../kernel-components/socket/socket_abi.ts";
import { SimRump, bytes, codeOf, codeOfAsync, settled, timeval } from "../../rumpsys/sim_rump.ts";

describe("socket options", () => {
  let t: SimRump;
  let s: number;
  beforeEach(() => {
    t = new SimRump();
    s = t.sys.socket(PF_LOCAL, SOCK_STREAM);
  });
  afterEach(() => t.end());

  it("booleans are off, can be set and cleared, and want an int", () => {
    const names = [
      SO_DEBUG,
      SO_REUSEADDR,
      SO_KEEPALIVE,
      SO_DONTROUTE,
      SO_BROADCAST,
      SO_USELOOPBACK,
      SO_OOBINLINE,
      SO_REUSEPORT,
      SO_NOSIGPIPE,
      SO_TIMESTAMP,
      SO_RERROR,
    ];
    for (const name of names) {
      expect(t.sys.getsockopt(s, SOL_SOCKET, name), `${name}`).to.equal(0);
      t.sys.setsockopt(s, SOL_SOCKET, name, 42);
      expect(t.sys.getsockopt(s, SOL_SOCKET, name)).to.equal(1);
      t.sys.setsockopt(s, SOL_SOCKET, name, false);
      expect(t.sys.getsockopt(s, SOL_SOCKET, name)).to.equal(0);
      expect(codeOf(() => t.sys.setsockopt(s, SOL_SOCKET, name, new Uint8Array(2)))).to.equal("EINVAL");
    }
  });

  it("unknown options, and options that can only be read, are ENOPROTOOPT; accept filters EINVAL", () => {
    for (const name of [SO_NOHEADER, 0x1234, 0x8000, 0]) {
      expect(
        codeOf(() => t.sys.getsockopt(s, SOL_SOCKET, name)),
        `${name}`,
      ).to.equal("ENOPROTOOPT");
      expect(
        codeOf(() => t.sys.setsockopt(s, SOL_SOCKET, name, 1)),
        `${name}`,
      ).to.equal("ENOPROTOOPT");
    }
    for (const name of [SO_TYPE, SO_ERROR, SO_OVERFLOWED, SO_ACCEPTCONN]) {
      expect(
        codeOf(() => t.sys.setsockopt(s, SOL_SOCKET, name, 1)),
        `${name}`,
      ).to.equal("ENOPROTOOPT");
    }
    expect(codeOf(() => t.sys.setsockopt(s, 6, 1, 1))).to.equal("ENOPROTOOPT");
    expect(codeOf(() => t.sys.setsockopt(s, SOL_LOCAL, 99, 1))).to.equal("ENOPROTOOPT");
    expect(codeOf(() => t.sys.setsockopt(s, SOL_SOCKET, SO_ACCEPTFILTER, 1))).to.equal("EINVAL");
  });

  it("linger: two ints, its time is a short", () => {
    const linger = (on: number, secs: number): Uint8Array => new Uint8Array(Int32Array.of(on, secs).buffer);
    t.sys.setsockopt(s, SOL_SOCKET, SO_LINGER, linger(1, 7));
    expect(t.sys.getsockoptBytes(s, SOL_SOCKET, SO_LINGER)).to.deep.equal(linger(1, 7));
    expect(codeOf(() => t.sys.setsockopt(s, SOL_SOCKET, SO_LINGER, linger(1, -1)))).to.equal("EDOM");
    expect(codeOf(() => t.sys.setsockopt(s, SOL_SOCKET, SO_LINGER, 1))).to.equal("EINVAL");
    expect(codeOf(() => t.sys.getsockoptBytes(s, SOL_SOCKET, SO_LINGER, 4))).to.equal("EINVAL");
  });

  it("times come back as they were set; impossible ones are EDOM", () => {
    for (const name of [SO_SNDTIMEO, SO_RCVTIMEO]) {
      expect(t.sys.getsockoptBytes(s, SOL_SOCKET, name)).to.deep.equal(timeval(0));
      t.sys.setsockopt(s, SOL_SOCKET, name, timeval(1234));
      expect(t.sys.getsockoptBytes(s, SOL_SOCKET, name)).to.deep.equal(timeval(1234));
      const bad = timeval(0);
      new DataView(bad.buffer).setInt32(8, 1_000_000, true);
      expect(codeOf(() => t.sys.setsockopt(s, SOL_SOCKET, name, bad))).to.equal("EDOM");
      expect(codeOf(() => t.sys.setsockopt(s, SOL_SOCKET, name, timeval(5).fill(255)))).to.equal("EDOM");
      expect(codeOf(() => t.sys.setsockopt(s, SOL_SOCKET, name, 5))).to.equal("EINVAL");
    }
  });

  it("buffer sizes obey kern.sbmax and kern.somaxkva, low water marks the buffer", () => {
    for (const name of [SO_SNDBUF, SO_RCVBUF]) {
      t.sys.setsockopt(s, SOL_SOCKET, name, 3000);
      expect(t.sys.getsockopt(s, SOL_SOCKET, name)).to.equal(3000);
      for (const bad of [0, -1]) expect(codeOf(() => t.sys.setsockopt(s, SOL_SOCKET, name, bad))).to.equal("EINVAL");
      expect(codeOf(() => t.sys.setsockopt(s, SOL_SOCKET, name, 260_000))).to.equal("ENOBUFS");
    }
    t.sys.sysctlbyname("kern.sbmax", 1 << 20);
    t.sys.setsockopt(s, SOL_SOCKET, SO_SNDBUF, 260_000);
    t.sys.setsockopt(s, SOL_SOCKET, SO_SNDLOWAT, 500);
    expect(t.sys.getsockopt(s, SOL_SOCKET, SO_SNDLOWAT)).to.equal(500);
    t.sys.setsockopt(s, SOL_SOCKET, SO_RCVLOWAT, 5000);
    expect(t.sys.getsockopt(s, SOL_SOCKET, SO_RCVLOWAT)).to.equal(3000);
    expect(codeOf(() => t.sys.sysctlbyname("kern.sbmax", 100))).to.equal("EINVAL");
    t.sys.sysctlbyname("kern.somaxkva", 1 << 20);
    const codes = new Set<string>();
    for (let i = 0; i < 50; i++) codes.add(codeOf(() => t.sys.socket(PF_LOCAL, SOCK_STREAM)));
    expect([...codes]).to.deep.equal(["", "ENOBUFS"]);
  });

  it("SO_TYPE, SO_ACCEPTCONN, SO_ERROR", () => {
    expect(t.sys.getsockopt(s, SOL_SOCKET, SO_TYPE)).to.equal(SOCK_STREAM);
    expect(t.sys.getsockopt(s, SOL_SOCKET, SO_ACCEPTCONN)).to.equal(0);
    t.sys.bind(s, { family: "local", path: "/x" });
    t.sys.listen(s);
    expect(t.sys.getsockopt(s, SOL_SOCKET, SO_ACCEPTCONN)).to.equal(1);
    expect(t.sys.getsockopt(s, SOL_SOCKET, SO_ERROR)).to.equal(0);
  });

  it("socket(2) says which part is not there", () => {
    expect(codeOf(() => t.sys.socket(PF_INET, SOCK_DGRAM))).to.equal("EAFNOSUPPORT");
    expect(codeOf(() => t.sys.socket(99, SOCK_DGRAM))).to.equal("EAFNOSUPPORT");
    expect(codeOf(() => t.sys.socket(PF_LOCAL, SOCK_RAW))).to.equal("EPROTOTYPE");
    expect(codeOf(() => t.sys.socket(PF_LOCAL, SOCK_STREAM, 17))).to.equal("EPROTONOSUPPORT");
    expect(codeOf(() => t.sys.bind(77, { family: "local", path: "/x" }))).to.equal("EBADF");
  });

  it("SOCK_NONBLOCK and SOCK_CLOEXEC, FIONBIO and O_NONBLOCK agree (t_socketpair nonblock, cloexec)", async () => {
    const [a] = t.sys.socketpair(PF_LOCAL, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
    expect(t.sys.fcntl(a, F_GETFL)).to.equal(O_RDWR | O_NONBLOCK);
    expect(t.sys.fcntl(a, 1)).to.equal(1);
    expect(await codeOfAsync(t.sys.read(a, new Uint8Array(1)))).to.equal("EAGAIN");
    t.sys.fcntl(a, F_SETFL, 0);
    const r = t.sys.read(a, new Uint8Array(1));
    expect(await settled(r)).to.equal(false);
    t.rk.cx.abort_all();
    expect(await codeOfAsync(r)).to.equal("EINTR");
    t.sys.ioctl(a, FIONBIO, new Uint8Array([1, 0, 0, 0]));
    expect(await codeOfAsync(t.sys.read(a, new Uint8Array(1)))).to.equal("EAGAIN");
    expect(t.sys.fcntl(a, F_GETFL) & O_NONBLOCK).to.equal(O_NONBLOCK);
  });
});

describe("poll and select", () => {
  let t: SimRump;
  let a: number;
  let b: number;
  const ready = (fd: number, events: number): number => {
    const p = { fd, events, revents: 0 };
    t.sys.sync.poll([p]);
    return p.revents;
  };
  beforeEach(() => {
    t = new SimRump();
    [a, b] = t.sys.socketpair(PF_LOCAL, SOCK_STREAM);
  });
  afterEach(() => t.end());

  it("a fresh pair can be written; data makes it readable; a full one cannot be written", () => {
    expect(ready(a, POLLIN | POLLOUT)).to.equal(POLLOUT);
    t.sys.sync.write(b, bytes("x"));
    expect(ready(a, POLLIN | POLLRDNORM | POLLOUT)).to.equal(POLLIN | POLLRDNORM | POLLOUT);
    t.sys.sync.write(b, new Uint8Array(60_000));
    expect(ready(b, POLLOUT)).to.equal(0);
    expect(ready(55, POLLIN)).to.equal(POLLNVAL);
    expect(ready(-1, POLLIN)).to.equal(0);
  });

  it("the end of the peer reads as POLLIN; POLLRDHUP only if asked for (t_socket_afinet poll_rdhup)", () => {
    t.sys.sync.write(b, bytes("xx"));
    expect(ready(a, POLLIN | POLLOUT | POLLRDHUP)).to.equal(POLLIN | POLLOUT);
    t.sys.shutdown(b, SHUT_WR);
    expect(ready(a, POLLIN)).to.equal(POLLIN);
    expect(ready(a, POLLRDHUP)).to.equal(POLLRDHUP);
    t.sys.sync.close(b);
    expect(ready(a, POLLIN | POLLOUT)).to.equal(POLLIN | POLLOUT);
  });

  it("waits for the first that is ready, or for the time", async () => {
    const [c, d] = t.sys.socketpair(PF_LOCAL, SOCK_STREAM);
    const fds = [
      { fd: a, events: POLLIN, revents: 0 },
      { fd: c, events: POLLIN, revents: 0 },
    ];
    const p = t.sys.poll(fds, 1000);
    t.ms(500);
    expect(await settled(p)).to.equal(false);
    t.sys.sync.write(d, bytes("x"));
    expect(await p).to.equal(1);
    expect(fds.map((f) => f.revents)).to.deep.equal([0, POLLIN]);
    const q = t.sys.poll([{ fd: a, events: POLLIN }], 1000);
    t.ms(999);
    expect(await settled(q)).to.equal(false);
    t.ms(2);
    expect(await q).to.equal(0);
  });

  it("select wakes up too, and refuses closed descriptors", async () => {
    const s = t.sys.select({ read: [a], except: [a] });
    expect(await settled(s)).to.equal(false);
    t.sys.sync.write(b, bytes("x"));
    expect(await s).to.deep.equal({ read: [a], write: [], except: [] });
    expect(t.sys.sync.select({ read: [a, b], write: [b] })).to.deep.equal({ read: [a], write: [b], except: [] });
    expect(await codeOfAsync(t.sys.select({ read: [60] }))).to.equal("EBADF");
  });

  it("a listener is readable when a connection waits", async () => {
    const ls = t.sys.socket(PF_LOCAL, SOCK_STREAM);
    t.sys.bind(ls, { family: "local", path: "/l" });
    t.sys.listen(ls);
    expect(ready(ls, POLLIN)).to.equal(0);
    const p = t.sys.poll([{ fd: ls, events: POLLIN }]);
    const c = t.sys.socket(PF_LOCAL, SOCK_STREAM);
    expect(ready(c, POLLOUT)).to.equal(0);
    await t.sys.connect(c, { family: "local", path: "/l" });
    expect(await p).to.equal(1);
  });
});
