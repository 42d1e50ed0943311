import { expect } from "chai";
import { BusInfo, type BusHandle } from "../../../hypercall/api/bus.ts";
import {
  EADDRINUSE,
  EBADF,
  EBUSY,
  ECONNREFUSED,
  ECONNRESET,
  EEXIST,
  EFAULT,
  EFTYPE,
  EINVAL,
  ENOENT,
  ENOMEM,
  ENOTSUP,
  ESRCH,
} from "../../../hypercall/api/errno.ts";
import {
  FdResult,
  FileInfo,
  IoResult,
  RUMPUSER_BIO_READ,
  RUMPUSER_BIO_WRITE,
  RUMPUSER_IOV_NOSEEK,
  RUMPUSER_OPEN_BIO,
  RUMPUSER_OPEN_CREATE,
  RUMPUSER_OPEN_EXCL,
  RUMPUSER_OPEN_RDONLY,
  RUMPUSER_OPEN_RDWR,
} from "../../../hypercall/api/file.ts";
import type { SpConn, SpConnUp } from "../../../hypercall/api/sp.ts";
import type { SimHost } from "../../../hypercall/sim/sim_host.ts";
import { type SimWorld, simWorld } from "../../../hypercall/sim/sim_world.ts";

const SLAB = 2 * 1024 * 1024;

describe("SimBus", () => {
  let w: SimWorld;
  const kicks: string[] = [];
  const open = (name: string, path: string, bytes: number, info: BusInfo = new BusInfo()): BusHandle => {
    const handle = w.host(name).bus.bus_open(path, bytes, { bus_kicked: () => void kicks.push(name) }, info);
    if (handle === null) throw new Error(info.text);
    return handle;
  };
  beforeEach(() => {
    w = simWorld({ slabBytes: SLAB });
    kicks.length = 0;
  });

  it("gives every host the same region by the same name, zeroed, with the creator's length", () => {
    const one = new BusInfo();
    const two = new BusInfo();
    open("a", "bus1", 100_000, one);
    w.slab.u8[one.off] = 7;
    open("b", "bus1", 5, two);
    expect([one.created, two.created]).to.deep.equal([true, false]);
    expect([two.off, two.len]).to.deep.equal([one.off, 100_000]);
    expect(one.off % 4096).to.equal(0);
    expect(w.slab.u8[two.off]).to.equal(7);
  });

  it("locks a port for one living holder; close and death give it back", () => {
    const a = open("a", "bus1", 4096);
    const b = open("b", "bus1", 4096);
    expect(a.lock_port(0)).to.equal(0);
    expect(a.lock_port(1)).to.equal(0);
    expect(b.lock_port(0)).to.equal(EBUSY);
    expect(a.lock_port(0)).to.equal(EBUSY);
    expect([b.test_port(0), b.test_port(5)]).to.deep.equal([EBUSY, 0]);
    b.unlock_port(0);
    expect(b.test_port(0)).to.equal(EBUSY);
    a.unlock_port(0);
    expect(b.lock_port(0)).to.equal(0);
    w.kill(w.host("a"));
    expect(b.test_port(1)).to.equal(0);
    expect(a.lock_port(2)).to.equal(EINVAL);
    expect(b.lock_port(-1)).to.equal(EINVAL);
    expect(b.lock_port(1e9)).to.equal(EINVAL);
  });

  it("wakes the holder of a port after the kick's time, once for several kicks", () => {
    const a = open("a", "bus1", 4096);
    const b = open("b", "bus1", 4096);
    expect(a.kick(3)).to.equal(ESRCH);
    b.lock_port(3);
    expect(a.kick(3)).to.equal(0);
    expect(a.kick(3)).to.equal(0);
    expect(kicks).to.deep.equal([]);
    w.advance(999);
    expect(kicks).to.deep.equal([]);
    w.advance(1);
    expect(kicks).to.deep.equal(["b"]);
    a.kick(3);
    b.close();
    w.advance(1e6);
    expect(kicks).to.deep.equal(["b"]);
  });

  it("refuses nonsense with a text that says what was wrong", () => {
    const info = new BusInfo();
    const up = { bus_kicked: (): void => undefined };
    const { bus } = w.host("a");
    expect(bus.bus_open("", 100, up, info)).to.equal(null);
    expect(info.err).to.equal(EINVAL);
    expect(bus.bus_open("x", -5, up, info)).to.equal(null);
    expect(info.text).to.match(/bus x: -5 bytes/);
    expect(bus.bus_open("x", 1e9, up, info)).to.equal(null);
    expect(info.err).to.equal(ENOMEM);
    expect(info.text).to.match(/slabBytes/);
    w.host("a").file.rumpuser_open("file", RUMPUSER_OPEN_RDWR | RUMPUSER_OPEN_CREATE, new FdResult());
    expect(bus.bus_open("file", 100, up, info)).to.equal(null);
    expect(info.err).to.equal(EFTYPE);
    expect(w.pages.used).to.equal(0);
  });

  it("keeps a region until it is removed, which nobody may have open", () => {
    const a = open("a", "bus1", 4096);
    expect(w.bus_remove("bus1")).to.equal(false);
    a.close();
    expect(w.pages.count).to.equal(1);
    expect(w.bus_remove("bus1")).to.equal(true);
    expect(w.pages.count).to.equal(0);
  });
});

describe("SimFiles", () => {
  const setup = (): { w: SimWorld; host: SimHost; off: number; fd: number } => {
    const w = simWorld({ slabBytes: SLAB });
    const host = w.host("a");
    const out = new FdResult();
    expect(
      host.file.rumpuser_open("disk", RUMPUSER_OPEN_RDWR | RUMPUSER_OPEN_CREATE | RUMPUSER_OPEN_BIO, out),
    ).to.equal(0);
    return { w, host, off: host.memory.rumpuser_malloc(65_536, 4096), fd: out.fd };
  };

  it("opens, creates, and refuses", () => {
    const { w, host } = setup();
    const out = new FdResult();
    expect(host.file.rumpuser_open("none", RUMPUSER_OPEN_RDONLY, out)).to.equal(ENOENT);
    expect(
      host.file.rumpuser_open("disk", RUMPUSER_OPEN_RDWR | RUMPUSER_OPEN_CREATE | RUMPUSER_OPEN_EXCL, out),
    ).to.equal(EEXIST);
    expect(host.file.rumpuser_open("disk", 3, out)).to.equal(EINVAL);
    expect(out.fd).to.equal(-1);
    expect(w.host("b").file.rumpuser_open("disk", RUMPUSER_OPEN_RDONLY, out)).to.equal(0);
    expect(host.file.rumpuser_close(99)).to.equal(EBADF);
  });

  it("writes and reads pieces, by position and as a stream", () => {
    const { w, host, off, fd } = setup();
    const out = new IoResult();
    w.slab.u8.set([1, 2, 3, 4, 5, 6], off);
    const iov = Int32Array.of(off, 2, off + 4, 2);
    expect(host.file.rumpuser_iovwrite(fd, iov, 2, 10, out)).to.equal(0);
    expect(out.n).to.equal(4);
    expect(host.file.rumpuser_iovread(fd, Int32Array.of(off + 100, 50), 1, 8, out)).to.equal(0);
    expect(out.n).to.equal(6);
    expect([...w.slab.u8.subarray(off + 100, off + 106)]).to.deep.equal([0, 0, 1, 2, 5, 6]);
    host.file.rumpuser_iovread(fd, Int32Array.of(off, 11), 1, RUMPUSER_IOV_NOSEEK, out);
    host.file.rumpuser_iovread(fd, Int32Array.of(off, 11), 1, RUMPUSER_IOV_NOSEEK, out);
    expect(out.n).to.equal(3);
    expect(host.file.rumpuser_iovread(fd, Int32Array.of(SLAB - 1, 2), 1, 0, out)).to.equal(EFAULT);
    expect(host.file.rumpuser_iovread(fd, iov, 9, 0, out)).to.equal(EINVAL);
    const info = new FileInfo();
    expect(host.file.rumpuser_getfileinfo("disk", info)).to.equal(0);
    expect(info.size).to.equal(14);
  });

  it("does block I/O later, in whole blocks, and completes each exactly once", () => {
    const { w, host, off, fd } = setup();
    const results: [number, number][] = [];
    const note = (n: number, err: number): void => void results.push([n, err]);
    w.slab.u8.fill(9, off, off + 1024);
    host.file.rumpuser_bio(fd, RUMPUSER_BIO_WRITE, off, 1024, 512, note);
    host.file.rumpuser_bio(fd, RUMPUSER_BIO_READ, off + 4096, 512, 512, note);
    host.file.rumpuser_bio(fd, RUMPUSER_BIO_READ, off, 100, 0, note);
    host.file.rumpuser_bio(fd, RUMPUSER_BIO_READ, SLAB, 512, 0, note);
    host.file.rumpuser_bio(77, RUMPUSER_BIO_READ, off, 512, 0, note);
    expect(results).to.deep.equal([]);
    w.advance(1e9);
    expect(results).to.deep.equal([
      [1024, 0],
      [512, 0],
      [0, EINVAL],
      [0, EFAULT],
      [0, EBADF],
    ]);
    expect(w.slab.u8[off + 4096 + 511]).to.equal(9);
  });
});

describe("SimSp", () => {
  class Ear implements SpConnUp {
    text = "";
    closed = -1;
    drained = 0;
    sp_data(bytes: Uint8Array): void {
      this.text += String.fromCharCode(...bytes);
    }
    sp_drained(): void {
      this.drained++;
    }
    sp_closed(err: number): void {
      this.closed = err;
    }
  }
  const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
  const setup = (): { w: SimWorld; ear: Ear; server: Ear; conns: SpConn[]; client: SpConn } => {
    const w = simWorld({ slabBytes: SLAB });
    const server = new Ear();
    const conns: SpConn[] = [];
    const up = {
      sp_accept: (conn: SpConn) => (conns.push(conn), server),
      sp_failed: (): void => undefined,
    };
    w.host("k").sp.rumpuser_sp_init("unix://k", up, (err) => expect(err).to.equal(0));
    const ear = new Ear();
    let client: SpConn | null = null;
    w.host("c").sp.rumpuser_sp_connect("unix://k", ear, (conn) => (client = conn));
    expect(client).to.equal(null);
    w.advance(0);
    if (client === null) throw new Error("not connected");
    return { w, ear, server, conns, client };
  };

  it("carries bytes both ways in order, pauses, and says when all has gone", () => {
    const { w, ear, server, conns, client } = setup();
    client.send(bytes("one "));
    client.send(bytes("two"));
    expect(server.text).to.equal("");
    w.advance(0);
    expect(server.text).to.equal("one two");
    expect(ear.drained).to.equal(1);
    client.pause();
    expect(conns[0]!.send(bytes("wait"))).to.equal(4);
    w.advance(1e9);
    expect(ear.text).to.equal("");
    client.resume();
    w.advance(0);
    expect(ear.text).to.equal("wait");
  });

  it("closes in order after what was sent, and at once when destroyed", () => {
    const one = setup();
    one.client.send(bytes("bye"));
    one.client.close();
    one.w.advance(0);
    expect([one.server.text, one.server.closed, one.ear.closed]).to.deep.equal(["bye", 0, 0]);
    expect(one.client.send(bytes("x"))).to.equal(-1);
    const two = setup();
    two.client.send(bytes("lost"));
    two.client.destroy();
    two.w.advance(0);
    expect([two.server.text, two.server.closed]).to.deep.equal(["", ECONNRESET]);
  });

  it("tells the other end when a kernel dies, and frees its name", () => {
    const { w, ear, server } = setup();
    w.kill(w.host("k"));
    w.advance(0);
    expect([ear.closed, server.closed]).to.deep.equal([ECONNRESET, -1]);
    let err = -1;
    w.host("c").sp.rumpuser_sp_connect("unix://k", new Ear(), (_conn, e) => (err = e));
    w.advance(0);
    expect(err).to.equal(ENOENT);
  });

  it("refuses bad URLs, a second server and clients that are turned away", () => {
    const w = simWorld({ slabBytes: SLAB });
    const errs: number[] = [];
    const up = { sp_accept: () => null, sp_failed: (): void => undefined };
    const note = (err: number): void => void errs.push(err);
    w.host("a").sp.rumpuser_sp_init("tcp://1.2.3.4:5", up, note);
    w.host("a").sp.rumpuser_sp_init("unix://", up, note);
    w.host("a").sp.rumpuser_sp_init("unix://a", up, note);
    w.host("a").sp.rumpuser_sp_init("unix://b", up, note);
    w.host("b").sp.rumpuser_sp_init("unix://a", up, note);
    w.host("c").sp.rumpuser_sp_connect("unix://a", new Ear(), (_conn, err) => note(err));
    w.advance(0);
    expect(errs).to.deep.equal([EINVAL, EINVAL, 0, EBUSY, EADDRINUSE, ECONNREFUSED]);
    w.host("a").sp.rumpuser_sp_fini();
    w.host("b").sp.rumpuser_sp_init("unix://a", up, note);
    w.advance(0);
    expect(errs.pop()).to.equal(0);
  });
});

describe("SimHost, the small groups", () => {
  it("captures the console, line by line if asked, apart from debug output", () => {
    const { console: cons } = simWorld({ slabBytes: SLAB }).host("a");
    const lines: string[] = [];
    cons.on_line = (line) => void lines.push(line);
    for (const c of bytes_of("one\ntwo\nthr")) cons.rumpuser_putchar(c);
    cons.rumpuser_dprintf("debug");
    expect([cons.text, cons.debug, lines]).to.deep.equal(["one\ntwo\nthr", "debug", ["one", "two"]]);
  });

  it("has the mandatory parameters and those it was given", () => {
    const { param } = simWorld({ slabBytes: SLAB }).host("a", { params: { RUMP_VERBOSE: "1" } });
    const names = ["_RUMPUSER_NCPU", "_RUMPUSER_HOSTNAME", "RUMP_VERBOSE", "OTHER", "constructor"];
    expect(names.map((name) => param.rumpuser_getparam(name))).to.deep.equal(["1", "a", "1", null, null]);
  });

  it("refuses unknown random flags, threads, and a daemonize_done without begin", () => {
    const host = simWorld({ slabBytes: SLAB }).host("a");
    expect(host.random.rumpuser_getrandom(new Uint8Array(4), 8)).to.equal(EINVAL);
    expect(host.thread.rumpuser_cv_wait()).to.equal(ENOTSUP);
    expect(host.daemon.rumpuser_daemonize_done(0)).to.equal(EINVAL);
    expect(host.daemon.rumpuser_daemonize_begin()).to.equal(0);
    expect(host.daemon.rumpuser_daemonize_done(5)).to.equal(0);
    expect(host.daemon.status).to.equal(5);
    host.errno.rumpuser_seterrno(13);
    expect(host.errno.rumpuser_geterrno()).to.equal(13);
  });
});

function bytes_of(text: string): number[] {
  return Array.from(text, (c) => c.charCodeAt(0));
}
