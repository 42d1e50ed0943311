// Many calls in one entry into the kernel: what they send reaches the device as one batch, whatever the way it was asked for.
import { expect } from "chai";
import { EAGAIN, EBADF, EMSGSIZE } from "../../hypercall/api/errno.ts";
import type { FramePort } from "../../hypercall/api/frames.ts";
import { SimWorld } from "../../hypercall/sim/sim_world.ts";
import { slab_create } from "../../hypercall/slab/slab.ts";
import { AF_INET, SO_BROADCAST, SOCK_DGRAM, SOL_SOCKET } from "../../kernel-components/socket/socket_abi.ts";
import { SockaddrOut } from "../../kernel-components/socket/socketvar.ts";
import { sin_port } from "../../kernel-components/wire/sockaddr.ts";
import {
  rump_pub_netconfig_ifcreate,
  rump_pub_netconfig_ifsetlinkstr,
  rump_pub_netconfig_ifup,
  rump_pub_netconfig_ipv4_ifaddr_cidr,
} from "../../rumpsys/netconfig.ts";
import { RumpError } from "../../rumpsys/errors.ts";
import { rump_init_sync } from "../../rumpsys/rump_init.ts";
import type { RumpKernel } from "../../rumpsys/rump_kernel.ts";
import { rump_schedule, rump_unschedule } from "../../rumpsys/rump_schedule.ts";
import { rump_errno, rump_sys_send } from "../../rumpsys/rump_sys.ts";
import { Mmsghdr, rump_sys_recvmmsg, rump_sys_sendmmsg } from "../../rumpsys/rump_sys_mmsg.ts";
import { bytes, text } from "./sim_rump.ts";

describe("batches of system calls", () => {
  let rk: RumpKernel;
  let s: number;
  /** Frames of each batch that the device got. */
  let sent: number[];

  beforeEach(() => {
    const world = new SimWorld({ slab: slab_create(64 << 20) });
    world.wire("wire");
    const host = world.host("a");
    const frames = host.frames as { frames_open: (...args: never[]) => FramePort | null };
    const open = frames.frames_open.bind(frames);
    frames.frames_open = (...args) => {
      const port = open(...args) as FramePort;
      const tx = port.tx.bind(port);
      port.tx = (ctl, n) => {
        sent.push(n);
        return tx(ctl, n);
      };
      return port;
    };
    rk = rump_init_sync(host);
    rk.rumpSys.sysctlbyname("net.inet.ip.dad_count", 0);
    sent = [];
    rump_pub_netconfig_ifcreate(rk, "virt0");
    rump_pub_netconfig_ifsetlinkstr(rk, "virt0", "wire");
    rump_pub_netconfig_ifup(rk, "virt0");
    rump_pub_netconfig_ipv4_ifaddr_cidr(rk, "virt0", "10.0.0.1", 24);
    s = rk.rumpSys.socket(AF_INET, SOCK_DGRAM);
    rk.rumpSys.setsockopt(s, SOL_SOCKET, SO_BROADCAST, true);
    rk.rumpSys.sync.connect(s, { family: "inet", address: "10.0.0.255", port: 9 });
    sent = [];
  });

  afterEach(() => {
    rk.rumpSys.sync.close(s);
    expect(rk.shutdown().text).to.equal("");
  });

  const datagram = bytes("x");
  const send3 = (): void => {
    for (let i = 0; i < 3; i++) rk.rumpSys.sync.send(s, datagram);
  };

  it("one call is one batch; calls within batch are one, and its result is theirs", () => {
    send3();
    expect(sent).to.deep.equal([1, 1, 1]);
    expect(rk.rumpSys.batch(() => rk.rumpSys.batch(send3) ?? sent.length)).to.equal(3);
    expect(sent).to.deep.equal([1, 1, 1, 3]);
  });

  it("what was sent leaves also when the batch ends by an error", () => {
    const failing = (): void => {
      send3();
      rk.rumpSys.sync.recv(99, datagram);
    };
    expect(() => rk.rumpSys.batch(failing)).to.throw("EBADF");
    expect(sent).to.deep.equal([3]);
    expect(rk.k.entered()).to.equal(false);
  });

  it("rump_schedule and rump_unschedule do so for the plain face", () => {
    rump_schedule(rk);
    for (let i = 0; i < 3; i++) expect(rump_sys_send(rk, s, datagram, 1, 0)).to.equal(1);
    expect(sent).to.deep.equal([]);
    rump_unschedule(rk);
    expect(sent).to.deep.equal([3]);
  });

  it("sendmmsg sends up to the first that cannot be sent; recvmmsg receives what is there", () => {
    const r = rk.rumpSys.socket(AF_INET, SOCK_DGRAM);
    rk.rumpSys.bind(r, { family: "inet", address: "0.0.0.0", port: 9 });
    const out = ["a", "bc", "", "late"].map((word) => {
      const m = new Mmsghdr();
      m.msg_iov = [bytes(word)];
      return m;
    });
    out[3]!.msg_iov = [new Uint8Array(70_000)];
    expect(rump_sys_sendmmsg(rk, s, out, 9, 0)).to.equal(3);
    expect(sent).to.deep.equal([3]);
    expect(out.map((m) => m.msg_len)).to.deep.equal([1, 2, 0, 0]);
    expect(rump_sys_sendmmsg(rk, s, out.slice(3), 1, 0)).to.equal(-1);
    expect(rump_errno(rk)).to.equal(EMSGSIZE);
    const into = [0, 1, 2, 3].map(() => {
      const m = new Mmsghdr();
      m.msg_hdr.msg_nameout = new SockaddrOut();
      m.msg_iov = [new Uint8Array(8)];
      return m;
    });
    expect(rump_sys_recvmmsg(rk, r, into, 2, 0)).to.equal(2);
    expect(rump_sys_recvmmsg(rk, r, into.slice(2), 2, 0)).to.equal(1);
    expect(into.slice(0, 3).map((m) => text(m.msg_iov[0]!, m.msg_len))).to.deep.equal(["a", "bc", ""]);
    const { sa } = into[1]!.msg_hdr.msg_nameout!;
    expect(sin_port(sa)).to.equal((rk.rumpSys.getsockname(s) as { port: number }).port);
    expect([rump_sys_recvmmsg(rk, r, into, 4, 0), rump_errno(rk)]).to.deep.equal([-1, EAGAIN]);
    expect([rump_sys_recvmmsg(rk, 99, into, 4, 0), rump_errno(rk)]).to.deep.equal([-1, EBADF]);
    expect(rump_sys_recvmmsg(rk, r, into, 0, 0)).to.equal(0);
    rk.rumpSys.sync.close(r);
  });

  it("EAGAIN is an error like others, but has no stack; the depth of others' stacks is left alone", () => {
    const caught = (fd: number): RumpError => {
      try {
        rk.rumpSys.sync.recv(fd, datagram);
      } catch (error) {
        if (error instanceof RumpError) return error;
      }
      throw new Error("no RumpError");
    };
    const again = caught(s);
    expect(again).to.include({ code: "EAGAIN", errno: EAGAIN, syscall: "recv", message: "recv EAGAIN" });
    expect(again.stack).to.not.include("\n");
    expect(caught(99).stack).to.include("batch.test");
  });
});
