import { expect } from "chai";
import { EAGAIN, EBADF, EINTR, EMFILE, EPIPE, ESRCH } from "../../../hypercall/api/errno.ts";
import type { SpConn } from "../../../hypercall/api/sp.ts";
import { SimWorld } from "../../../hypercall/sim/sim_world.ts";
import { slab_create } from "../../../hypercall/slab/slab.ts";
import type { WasmSlab } from "../../../hypercall/slab/slab.ts";
import { local_components } from "../../../rumpsys/component_set.ts";
import { rump_init_sync } from "../../../rumpsys/rump_init.ts";
import type { RumpKernel } from "../../../rumpsys/rump_kernel.ts";
import { SPS_REFUSED, SPS_TOOMANY, SpServer } from "../../../rumpsys/server/sp_server.ts";
import type { SpArg } from "../../../rumpsys/sp/sp_args.ts";
import { sp_args_encode, sp_in, sp_int, sp_out, sp_result_decode } from "../../../rumpsys/sp/sp_args.ts";
import * as P from "../../../rumpsys/sp/sp_proto.ts";
import { SpReader } from "../../../rumpsys/sp/sp_reader.ts";
import * as n from "../../../rumpsys/sp/sp_sysnum.ts";

const PF_LOCAL = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0x1000_0000;
const URL = "unix://kernel";
let slab: WasmSlab | null = null;

/** A client that speaks frames by hand. */
class RawClient {
  banner = "";
  closed = false;
  readonly frames: P.SpFrame[] = [];
  conn: SpConn | null = null;
  private readonly reader = new SpReader();
  private readonly world: SimWorld;
  private reqno = 1;

  constructor(world: SimWorld, name: string) {
    this.world = world;
    world.host(name).sp.rumpuser_sp_connect(
      URL,
      {
        sp_data: (bytes) => this.data(bytes),
        sp_drained: () => undefined,
        sp_closed: () => {
          this.closed = true;
        },
      },
      (conn) => {
        this.conn = conn;
      },
    );
    this.settle();
  }

  private data(bytes: Uint8Array): void {
    let rest = bytes;
    if (!this.banner.endsWith("\n")) {
      const end = bytes.indexOf(10);
      this.banner += new TextDecoder().decode(end === -1 ? bytes : bytes.subarray(0, end + 1));
      rest = end === -1 ? new Uint8Array(0) : bytes.subarray(end + 1);
    }
    this.reader.push(rest, (f) => this.frames.push(f) > 0);
  }

  settle(ns: number = 1000): void {
    this.world.advance(ns);
  }

  send(bytes: Uint8Array): void {
    this.conn?.send(bytes);
    this.settle();
  }

  ask(type: number, info: number, payload: Uint8Array = new Uint8Array(0)): P.SpFrame | undefined {
    const reqno = this.reqno++;
    this.send(P.sp_frame(reqno, P.SP_REQ, type, info, payload));
    return this.frames.find((f) => f.reqno === reqno);
  }

  guest(name: string = "raw"): this {
    expect(this.ask(P.SP_HANDSHAKE, P.SP_HANDSHAKE_GUEST, new TextEncoder().encode(name))?.class).to.equal(P.SP_RESP);
    return this;
  }

  /** Starts a call; its request number. */
  start(sysnum: number, args: readonly SpArg[]): number {
    const frame = sp_args_encode(args) as Uint8Array;
    const reqno = this.reqno++;
    P.sp_header(frame, reqno, P.SP_REQ, P.SP_SYSCALL, sysnum);
    this.send(frame);
    return reqno;
  }

  answer(reqno: number, args: readonly SpArg[]): { error: number; val: number; val1: number } | null {
    const frame = this.frames.find((f) => f.reqno === reqno && f.class === P.SP_RESP);
    return frame === undefined ? null : sp_result_decode(frame.payload, args);
  }

  call(sysnum: number, ...args: SpArg[]): { error: number; val: number; val1: number } | null {
    return this.answer(this.start(sysnum, args), args);
  }

  get error(): number {
    return this.frames.find((f) => f.class === P.SP_ERROR)?.info ?? 0;
  }
}

describe("rumpsys/server", () => {
  let world: SimWorld;
  let rk: RumpKernel;
  let server: SpServer;
  let halts: number;
  let procs: number;

  beforeEach(() => {
    slab ??= slab_create(64 * 1024 * 1024);
    world = new SimWorld({ slab });
    rk = rump_init_sync(world.host("kernel"), local_components());
    halts = 0;
    procs = rk.k.procs.list().length;
    server = new SpServer(rk.k, { halt: () => halts++ });
    rk.k.host.sp.rumpuser_sp_init(URL, server, (err) => expect(err).to.equal(0));
    world.advance(1000);
  });

  afterEach(() => {
    const report = rk.shutdown();
    expect(report.text).to.equal("");
    expect(server.clients.size).to.equal(0);
  });

  function pair(c: RawClient): [number, number] {
    const r = c.call(n.SYS_socketpair, sp_int(PF_LOCAL), sp_int(SOCK_STREAM), sp_int(0));
    return [r?.val ?? -1, r?.val1 ?? -1];
  }

  it("says what it is, and makes each client a process", () => {
    const a = new RawClient(world, "a").guest("prog");
    const b = new RawClient(world, "b").guest();
    expect(P.sp_banner_fault(a.banner.trim())).to.equal("");
    expect(rk.k.procs.list().map((p) => p.p_comm)).to.include.members(["prog", "raw"]);
    expect(a.call(n.SYS_getpid)?.val).not.to.equal(b.call(n.SYS_getpid)?.val);
  });

  it("lets a waiting call stand in nobody's way, and wakes it", () => {
    const c = new RawClient(world, "a").guest();
    const [x, y] = pair(c);
    const buf = sp_out(new Uint8Array(8));
    const args = [sp_int(x), buf];
    const read = c.start(n.SYS_read, args);
    expect(c.answer(read, args)).to.equal(null);
    expect(c.call(n.SYS_getpid)?.error).to.equal(0);
    expect(c.call(n.SYS_write, sp_int(y), sp_in(new Uint8Array([1, 2, 3])))?.val).to.equal(3);
    expect(c.answer(read, args)?.val).to.equal(3);
    expect([...buf.buf.subarray(0, buf.len)]).to.deep.equal([1, 2, 3]);
  });

  it("ends a call that waits for a descriptor when that is closed, and one that is cancelled", () => {
    const c = new RawClient(world, "a").guest();
    const [x, y] = pair(c);
    const args = [sp_int(x), sp_out(new Uint8Array(8))];
    const one = c.start(n.SYS_read, args);
    c.call(n.SYS_close, sp_int(x));
    expect(c.answer(one, args)?.error).to.equal(EBADF);
    const [z] = pair(c);
    const again = [sp_int(z), sp_out(new Uint8Array(8))];
    const two = c.start(n.SYS_read, again);
    c.send(P.sp_frame(two, P.SP_REQ, P.SP_CANCEL, 0, new Uint8Array(0)));
    expect(c.answer(two, again)?.error).to.equal(EINTR);
    expect(c.call(n.SYS_write, sp_int(y), sp_in(new Uint8Array(1)))?.error).to.equal(EPIPE);
  });

  it("kills the process of a client that goes away in mid-call", () => {
    const c = new RawClient(world, "a").guest();
    const [x] = pair(c);
    c.start(n.SYS_read, [sp_int(x), sp_out(new Uint8Array(8))]);
    expect(rk.k.procs.list().length).to.equal(procs + 1);
    c.conn?.destroy();
    c.settle();
    expect(rk.k.procs.list().length).to.equal(procs);
    expect(server.clients.size).to.equal(0);
    expect(rk.rumpSys.sysctlbyname("kern.nsockets")).to.equal(0);
  });

  const hostile: readonly [string, (c: RawClient) => void, number][] = [
    ["a call before the handshake", (c) => void c.ask(P.SP_SYSCALL, n.SYS_getpid), P.SP_ERR_AUTH],
    [
      "a second handshake",
      (c) => void c.guest().ask(P.SP_HANDSHAKE, P.SP_HANDSHAKE_GUEST, new Uint8Array([65])),
      P.SP_ERR_AUTH,
    ],
    ["a length of zero", (c) => c.guest().send(new Uint8Array(24)), P.SP_ERR_MALFORMED],
    [
      "a frame beyond the limit",
      (c) => c.guest().send(Uint8Array.from([0, 0, 0, 0xff, ...new Array<number>(20).fill(0)])),
      P.SP_ERR_MALFORMED,
    ],
    [
      "a response",
      (c) => c.guest().send(P.sp_frame(1, P.SP_RESP, P.SP_SYSCALL, 0, new Uint8Array(0))),
      P.SP_ERR_MALFORMED,
    ],
    ["an unknown type", (c) => void c.guest().ask(77, 0), P.SP_ERR_MALFORMED],
    ["an unknown system call", (c) => void c.guest().ask(P.SP_SYSCALL, 9999), P.SP_ERR_MALFORMED],
    [
      "arguments of another call",
      (c) => void c.guest().ask(P.SP_SYSCALL, n.SYS_socket, new Uint8Array(16)),
      P.SP_ERR_MALFORMED,
    ],
    [
      "a name with control characters",
      (c) => void c.ask(P.SP_HANDSHAKE, P.SP_HANDSHAKE_GUEST, new Uint8Array([10])),
      P.SP_ERR_MALFORMED,
    ],
    [
      "a name that is too long",
      (c) => void c.ask(P.SP_HANDSHAKE, P.SP_HANDSHAKE_GUEST, new Uint8Array(65).fill(65)),
      P.SP_ERR_MALFORMED,
    ],
    [
      "a forged cookie",
      (c) => void c.ask(P.SP_HANDSHAKE, P.SP_HANDSHAKE_FORK, new Uint8Array(16)),
      P.SP_ERR_INVALID_PREFORK,
    ],
  ];
  for (const [what, act, error] of hostile) {
    it(`drops a client for ${what}, and nobody else notices`, () => {
      const good = new RawClient(world, "good").guest();
      const bad = new RawClient(world, "bad");
      act(bad);
      bad.settle(2e9);
      expect(bad.error).to.equal(error);
      expect(bad.closed).to.equal(true);
      expect(server.spstat[SPS_REFUSED]).to.equal(1);
      expect(server.clients.size).to.equal(1);
      expect(good.call(n.SYS_getpid)?.error).to.equal(0);
      expect(rk.k.procs.list().length).to.equal(procs + 1);
    });
  }

  it("drops who connects and says nothing", () => {
    const c = new RawClient(world, "mute");
    c.settle(P.SP_HANDSHAKE_NS + 2e9);
    expect(c.closed).to.equal(true);
    expect(server.clients.size).to.equal(0);
  });

  it("turns away more clients than it has room for", () => {
    const all = Array.from({ length: P.SP_MAXCLIENTS }, (_, i) => new RawClient(world, `c${i}`));
    const more = new RawClient(world, "more");
    more.settle(2e9);
    expect(more.error).to.equal(P.SP_ERR_TRYAGAIN);
    expect(more.closed).to.equal(true);
    expect(server.spstat[SPS_TOOMANY]).to.equal(1);
    expect(all.every((c) => !c.closed)).to.equal(true);
  });

  it("carries out so many calls of a client at once and no more", () => {
    const c = new RawClient(world, "a").guest();
    const [x] = pair(c);
    const read = (): number => c.start(n.SYS_read, [sp_int(x), sp_out(new Uint8Array(8))]);
    for (let i = 0; i < P.SP_MAXCALLS; i++) read();
    const over = read();
    const refused = c.frames.find((f) => f.reqno === over);
    expect(refused?.class).to.equal(P.SP_ERROR);
    expect(P.sp_errno(refused?.info ?? 0)).to.equal(EAGAIN);
    expect(c.closed).to.equal(false);
  });

  it("forks a process for a client to come, who inherits the descriptors", () => {
    const parent = new RawClient(world, "parent").guest("sh");
    const [x, y] = pair(parent);
    const cookie = parent.ask(P.SP_PREFORK, 0)?.payload ?? new Uint8Array(0);
    expect(cookie.length).to.equal(P.SP_COOKIELEN);
    const child = new RawClient(world, "child");
    expect(child.ask(P.SP_HANDSHAKE, P.SP_HANDSHAKE_FORK, cookie)?.class).to.equal(P.SP_RESP);
    expect(child.call(n.SYS_write, sp_int(x), sp_in(new Uint8Array([9])))?.val).to.equal(1);
    const buf = sp_out(new Uint8Array(4));
    expect(parent.call(n.SYS_read, sp_int(y), buf)?.val).to.equal(1);
    const thief = new RawClient(world, "thief");
    thief.ask(P.SP_HANDSHAKE, P.SP_HANDSHAKE_FORK, cookie);
    expect(P.sp_errno(thief.error)).to.equal(ESRCH);
  });

  it("ends a preforked process that nobody claims, and limits their number", () => {
    const c = new RawClient(world, "a").guest();
    for (let i = 0; i < P.SP_MAXPREFORK; i++) expect(c.ask(P.SP_PREFORK, 0)?.class).to.equal(P.SP_RESP);
    expect(c.ask(P.SP_PREFORK, 0)?.info).to.equal(P.SP_ERR_RFORK_FAILED);
    expect(rk.k.procs.list().length).to.equal(procs + 1 + P.SP_MAXPREFORK);
    c.settle(P.SP_PREFORK_NS + 1e9);
    expect(rk.k.procs.list().length).to.equal(procs + 1);
  });

  it("keeps the process at exec: its name changes, calls that wait end, close-on-exec descriptors go", () => {
    const c = new RawClient(world, "a").guest("before");
    const [x] = pair(c);
    const kept = c.call(n.SYS_dup, sp_int(x))?.val ?? -1;
    const gone = c.call(n.SYS_socket, sp_int(PF_LOCAL), sp_int(SOCK_STREAM | SOCK_CLOEXEC), sp_int(0))?.val ?? -1;
    const args = [sp_int(x), sp_out(new Uint8Array(8))];
    const read = c.start(n.SYS_read, args);
    const pid = c.call(n.SYS_getpid)?.val;
    c.ask(P.SP_HANDSHAKE, P.SP_HANDSHAKE_EXEC, new TextEncoder().encode("after"));
    expect(c.answer(read, args)?.error).to.equal(EINTR);
    expect(c.call(n.SYS_getpid)?.val).to.equal(pid);
    expect(rk.k.procs.find(pid ?? -1)?.p_comm).to.equal("after");
    expect(c.call(n.SYS_fcntl, sp_int(gone), sp_int(1), sp_int(0))?.error).to.equal(EBADF);
    expect(c.call(n.SYS_fcntl, sp_int(kept), sp_int(1), sp_int(0))?.error).to.equal(0);
  });

  it("answers a request to end the kernel before it ends", () => {
    const c = new RawClient(world, "a").guest();
    expect(c.call(n.SYS_reboot, sp_int(n.RB_HALT))?.error).to.equal(0);
    expect(halts).to.equal(1);
  });

  it("does not read a client that does not read its answers", () => {
    const seen: string[] = [];
    let queued = 0;
    const up = server.sp_accept({
      peer: { pid: 1, uid: 0, gid: 0 },
      send: () => queued,
      pause: () => void seen.push("pause"),
      resume: () => void seen.push("resume"),
      close: () => void seen.push("close"),
      destroy: () => undefined,
    });
    const ask = (type: number, info: number, payload: Uint8Array): void =>
      up?.sp_data(P.sp_frame(1, P.SP_REQ, type, info, payload));
    ask(P.SP_HANDSHAKE, P.SP_HANDSHAKE_GUEST, new Uint8Array([65]));
    ask(P.SP_SYSCALL, n.SYS_getpid, new Uint8Array(0));
    expect(seen).to.deep.equal([]);
    queued = P.SP_SENDQ_HIGH;
    ask(P.SP_SYSCALL, n.SYS_getpid, new Uint8Array(0));
    expect(seen).to.deep.equal(["pause"]);
    up?.sp_drained();
    expect(seen).to.deep.equal(["pause", "resume"]);
    up?.sp_closed(0);
    expect(server.clients.size).to.equal(0);
  });

  it("holds a client to its limit of descriptors", () => {
    const c = new RawClient(world, "a").guest();
    let error = 0;
    for (let i = 0; i < 1100 && error === 0; i++)
      error = c.call(n.SYS_socket, sp_int(PF_LOCAL), sp_int(SOCK_STREAM), sp_int(0))?.error ?? -1;
    expect(error).to.equal(EMFILE);
  });
});
