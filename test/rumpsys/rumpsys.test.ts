// The object facade: errors like Node's, promises and their immediate twins, addresses, sysctl, the end of processes and kernels.
import { expect } from "chai";
import { FIOASYNC, FIOSETOWN } from "../../kernel-components/kern/ioccom.ts";
import {
  MSG_NOSIGNAL,
  PF_LOCAL,
  SCM_RIGHTS,
  SO_NOSIGPIPE,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
} from "../../kernel-components/socket/socket_abi.ts";
import { address_of, sockaddr_of } from "../../rumpsys/addresses.ts";
import type { AddressArgument } from "../../rumpsys/addresses.ts";
import { cmsgs_decode, cmsgs_encode, scm_rights } from "../../rumpsys/cmsgs.ts";
import { RumpError } from "../../rumpsys/errors.ts";
import { RumpInitError } from "../../kernel-components/kern/component.ts";
import { SimWorld } from "../../hypercall/sim/sim_world.ts";
import { localComponent } from "../../kernel-components/socket/socket.component.ts";
import { SIGIO, SIGPIPE } from "../../rumpsys/rump_kernel.ts";
import { rump_init, rump_init_sync } from "../../rumpsys/rump_init.ts";
import { SimRump, bytes, codeOf, codeOfAsync, settled } from "./sim_rump.ts";

describe("rumpSys", () => {
  let t: SimRump;
  beforeEach(() => {
    t = new SimRump();
  });
  afterEach(() => t.end());

  it("throws errors shaped like Node's", async () => {
    const s = t.sys.socket(PF_LOCAL, SOCK_DGRAM);
    t.sys.bind(s, { family: "local", path: "/a" });
    const error = await t.sys.connect(s, { family: "local", path: "/none" }).catch((e: unknown) => e);
    expect(error).to.be.instanceOf(RumpError).and.instanceOf(Error);
    expect(error).to.include({ code: "ENOENT", errno: 2, syscall: "connect", address: "/none", port: undefined });
    expect((error as Error).message).to.equal("connect ENOENT /none");
    const busy = t.sys.socket(PF_LOCAL, SOCK_DGRAM);
    expect(() => t.sys.bind(busy, { family: "local", path: "/a" })).to.throw("bind EADDRINUSE /a");
    expect(() => t.sys.sync.recv(s, new Uint8Array(1))).to.throw("recv EAGAIN");
    expect(new RumpError("bind", 48, "10.0.0.1", 53).message).to.equal("bind EADDRINUSE 10.0.0.1:53");
    expect(new RumpError("connect", 61, "fe80::1", 53).message).to.equal("connect ECONNREFUSED [fe80::1]:53");
  });

  it("names what is wrong with an address", async () => {
    const s = t.sys.socket(PF_LOCAL, SOCK_DGRAM);
    const bad: [AddressArgument, string][] = [
      [null as unknown as AddressArgument, "bind EINVAL null: not an address"],
      ["10.0.0.1" as unknown as AddressArgument, "bind EINVAL 10.0.0.1: not an address"],
      [{ family: "inet", address: "10.0.0.300", port: 53 }, "bind EINVAL 10.0.0.300:53: not an IPv4 address"],
      [{ family: "inet", address: "10.0.0.1", port: 65536 }, "bind EINVAL 10.0.0.1:65536: not a port number"],
      [{ family: "inet6", address: "::g", port: 1 }, "bind EINVAL [::g]:1: not an IPv6 address"],
      [{ family: "local", path: "a\0b" }, "bind EINVAL a\0b: path has a character that is not one byte"],
      [{ family: "ipx" } as unknown as AddressArgument, "bind EAFNOSUPPORT ipx: unknown address family"],
    ];
    for (const [a, message] of bad) expect(() => t.sys.bind(s, a)).to.throw(message);
    expect(await codeOfAsync(t.sys.sendto(s, bytes("x"), 0, { family: "inet", address: "x", port: 1 }))).to.equal(
      "EINVAL",
    );
  });

  it("addresses survive the way to bytes and back", () => {
    const all: AddressArgument[] = [
      { family: "inet", address: "192.0.2.1", port: 65535 },
      { family: "inet6", address: "fe80::1", port: 1, scopeid: 2, flowinfo: 3 },
      { family: "local", path: "/tmp/x" },
      { family: "link", index: 3, type: 6, name: "shmif0", lladdr: Uint8Array.of(2, 0, 0, 0, 0, 1) },
      { family: "unspec" },
    ];
    for (const a of all) {
      const sa = sockaddr_of(a, "bind");
      expect(address_of(sa, sa.length)).to.deep.equal(a);
    }
    expect(address_of(new Uint8Array(8), 0)).to.equal(null);
    expect(address_of(Uint8Array.of(3, 77, 5), 3)).to.deep.equal({ family: 77, bytes: Uint8Array.of(3, 77, 5) });
  });

  it("control messages survive the way to bytes and back; garbage ends the list", () => {
    const list = [scm_rights([3, 4]), { level: 0, type: 7, data: Uint8Array.of(1) }];
    const b = cmsgs_encode(list);
    expect(b.length).to.equal(16 + 8 + 16 + 8);
    expect(cmsgs_decode(b, b.length)).to.deep.equal(list);
    expect(list[0]).to.include({ level: SOL_SOCKET, type: SCM_RIGHTS });
    expect(cmsgs_decode(b, 30).length).to.equal(1);
    expect(cmsgs_decode(new Uint8Array(40), 40)).to.deep.equal([]);
  });

  it("tries a call before it returns, so order is as written", async () => {
    const [a, b] = t.sys.socketpair(PF_LOCAL, SOCK_STREAM);
    const buf = new Uint8Array(4);
    void t.sys.write(a, bytes("1234"));
    expect(t.sys.sync.read(b, buf)).to.equal(4);
    const results: string[] = [];
    const first = t.sys.read(b, buf).then(() => results.push("first"));
    const second = t.sys.read(b, buf).then(() => results.push("second"));
    await t.sys.write(a, bytes("1234"));
    await first;
    expect(await settled(second)).to.equal(false);
    await t.sys.write(a, bytes("1234"));
    await second;
    expect(results).to.deep.equal(["first", "second"]);
  });

  it("SIGPIPE, SIGIO: told to who asks, unless the socket or the call says otherwise", () => {
    const got: number[][] = [];
    t.rk.onsignal = (pid, signo) => got.push([pid, signo]);
    const broken = (): number => {
      const [a, b] = t.sys.socketpair(PF_LOCAL, SOCK_STREAM);
      t.sys.sync.close(b);
      return a;
    };
    const me = t.sys.getpid();
    const a = broken();
    expect(codeOf(() => t.sys.sync.write(a, bytes("x")))).to.equal("EPIPE");
    expect(codeOf(() => t.sys.sync.send(a, bytes("x")))).to.equal("EPIPE");
    expect(got.splice(0)).to.deep.equal([
      [me, SIGPIPE],
      [me, SIGPIPE],
    ]);
    expect(codeOf(() => t.sys.sync.send(a, bytes("x"), MSG_NOSIGNAL))).to.equal("EPIPE");
    t.sys.setsockopt(a, SOL_SOCKET, SO_NOSIGPIPE, 1);
    expect(codeOf(() => t.sys.sync.write(a, bytes("x")))).to.equal("EPIPE");
    expect(got).to.deep.equal([]);
    const [c, d] = t.sys.socketpair(PF_LOCAL, SOCK_STREAM);
    t.sys.ioctl(c, FIOASYNC, Uint8Array.of(1, 0, 0, 0));
    t.sys.ioctl(c, FIOSETOWN, Uint8Array.of(7, 0, 0, 0));
    t.sys.sync.write(d, bytes("x"));
    expect(got).to.deep.equal([[7, SIGIO]]);
    for (const fd of [a, c, d]) t.sys.sync.close(fd);
    t.rk.onsignal = null;
    t.expectEmpty();
  });

  it("the end of a process rejects its waiting calls with EINTR and frees its files", async () => {
    const p = t.rk.process("client");
    const [a] = p.rumpSys.socketpair(PF_LOCAL, SOCK_STREAM);
    const r = p.rumpSys.read(a, new Uint8Array(1));
    expect(p.rumpSys.getpid()).to.equal(p.pid);
    expect(await settled(r)).to.equal(false);
    p.exit();
    expect(await codeOfAsync(r)).to.equal("EINTR");
    expect(codeOf(() => t.rk.process_find(p.pid))).to.equal("ESRCH");
    t.expectEmpty();
  });

  it("sysctl by name and number: types, EPERM, ENOENT, wrong types", () => {
    expect(t.sys.sysctlbyname("kern.somaxconn", 7)).to.equal(128);
    expect(t.sys.sysctlbyname("kern.somaxconn")).to.equal(7);
    expect(t.sys.sysctlbyname("kern.hostname")).to.equal("test");
    const mib = t.rk.k.sysctl.sysctlnametomib("kern.somaxconn") as number[];
    expect([...t.sys.sysctl(mib)]).to.deep.equal([7, 0, 0, 0]);
    expect(() => t.sys.sysctlbyname("kern.nothing")).to.throw("sysctlbyname ENOENT kern.nothing");
    expect(codeOf(() => t.sys.sysctlbyname("kern.somaxconn", "x"))).to.equal("EINVAL");
    expect(codeOf(() => t.sys.sysctlbyname("kern.somaxconn", 0))).to.equal("EINVAL");
    expect(codeOf(() => t.sys.sysctlbyname("kern.somaxconn", 1.5))).to.equal("EINVAL");
    expect(codeOf(() => t.sys.sysctlbyname("kern.nsockets", 1))).to.equal("EPERM");
    const user = t.rk.process("user", 1000, 1000);
    expect(codeOf(() => user.rumpSys.sysctlbyname("kern.somaxconn", 5))).to.equal("EPERM");
    user.exit();
  });

  it("dup2 ends calls that wait for the descriptor it replaces", async () => {
    const [a, b] = t.sys.socketpair(PF_LOCAL, SOCK_STREAM);
    const r = t.sys.read(b, new Uint8Array(1));
    t.sys.dup2(a, b);
    expect(await codeOfAsync(r)).to.equal("EBADF");
  });
});

describe("rump_init", () => {
  it("says which component is missing", async () => {
    const host = new SimWorld({}).host("x");
    const error = await rump_init({ host, components: [localComponent] }).catch((e: unknown) => e);
    expect(error).to.be.instanceOf(RumpInitError);
    expect((error as Error).message).to.contain("local requires component socket");
  });

  it("two kernels live side by side and share nothing but the slab", async () => {
    const world = new SimWorld({});
    const one = rump_init_sync(world.host("one"));
    const two = rump_init_sync(world.host("two"));
    const s1 = one.rumpSys.socket(PF_LOCAL, SOCK_DGRAM);
    const s2 = two.rumpSys.socket(PF_LOCAL, SOCK_DGRAM);
    expect([s1, s2]).to.deep.equal([0, 0]);
    one.rumpSys.bind(s1, { family: "local", path: "/same" });
    two.rumpSys.bind(s2, { family: "local", path: "/same" });
    one.rumpSys.sysctlbyname("kern.somaxconn", 3);
    expect(two.rumpSys.sysctlbyname("kern.somaxconn")).to.equal(128);
    const waiting = two.rumpSys.recv(s2, new Uint8Array(1));
    expect(one.shutdown().text).to.equal("");
    expect(await settled(waiting)).to.equal(false);
    expect(two.shutdown().text).to.equal("");
    expect(await codeOfAsync(waiting)).to.equal("EINTR");
  });
});
