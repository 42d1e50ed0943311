// The plain face (-1 and errno, nothing allocated), and processes of local clients (t_lwproc).
import { expect } from "chai";
import { EAGAIN, EBADF, EINVAL, ENOENT, ESRCH } from "../../hypercall/api/errno.ts";
import { KernelPanic } from "../../kernel-components/kern/kernel.ts";
import { POLLIN } from "../../kernel-components/kern/select.ts";
import { Pollfd } from "../../kernel-components/kern/sys_poll.ts";
import { PF_LOCAL, SO_TYPE, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET } from "../../kernel-components/socket/socket_abi.ts";
import { SockaddrOut } from "../../kernel-components/socket/socketvar.ts";
import { Msghdr } from "../../kernel-components/socket/uipc_syscalls_msg.ts";
import { sockaddr_of } from "../../rumpsys/addresses.ts";
import {
  RUMP_RFCFDG,
  RUMP_RFFDG,
  rump_pub_lwproc_curlwp,
  rump_pub_lwproc_newlwp,
  rump_pub_lwproc_releaselwp,
  rump_pub_lwproc_rfork,
  rump_pub_lwproc_switch,
} from "../../rumpsys/lwproc.ts";
import type { RumpKernel } from "../../rumpsys/rump_kernel.ts";
import {
  rump_errno,
  rump_sys_accept,
  rump_sys_bind,
  rump_sys_connect,
  rump_sys_getsockname,
  rump_sys_getsockopt,
  rump_sys_listen,
  rump_sys_read,
  rump_sys_recvfrom,
  rump_sys_recvmsg,
  rump_sys_sendmsg,
  rump_sys_sendto,
  rump_sys_socket,
  rump_sys_socketpair,
  rump_sys_write,
} from "../../rumpsys/rump_sys.ts";
import {
  rump_sys_close,
  rump_sys_dup2,
  rump_sys_fcntl,
  rump_sys_getpid,
  rump_sys_open,
  rump_sys_poll,
} from "../../rumpsys/rump_sys_fd.ts";
import { SimRump, bytes, text } from "./sim_rump.ts";

describe("rump_sys_*", () => {
  let t: SimRump;
  let rk: RumpKernel;
  const buf = new Uint8Array(64);
  const out = new SockaddrOut();
  beforeEach(() => {
    t = new SimRump();
    rk = t.rk;
  });
  afterEach(() => t.end());

  it("returns results, or -1 and errno", () => {
    const s = rump_sys_socket(rk, PF_LOCAL, SOCK_DGRAM, 0);
    expect(s).to.equal(0);
    expect(rump_sys_recvfrom(rk, s, buf, 64, 0, null)).to.equal(-1);
    expect(rump_errno(rk)).to.equal(EAGAIN);
    expect(rump_sys_write(rk, 17, buf, 4)).to.equal(-1);
    expect(rump_errno(rk)).to.equal(EBADF);
    expect(rump_sys_open(rk, "/dev/none", 0)).to.equal(-1);
    expect(rump_errno(rk)).to.equal(ENOENT);
    const path = sockaddr_of({ family: "local", path: "/p" }, "bind");
    expect(rump_sys_bind(rk, s, path)).to.equal(0);
    expect(rump_sys_getsockname(rk, s, out)).to.equal(0);
    expect([...out.sa.subarray(0, out.len)]).to.deep.equal([...path]);
    const c = rump_sys_socket(rk, PF_LOCAL, SOCK_DGRAM, 0);
    expect(rump_sys_sendto(rk, c, bytes("hello"), 4, 0, path)).to.equal(4);
    const p = [new Pollfd(s, POLLIN)];
    expect([rump_sys_poll(rk, p), p[0]?.revents]).to.deep.equal([1, POLLIN]);
    expect(rump_sys_recvfrom(rk, s, buf, 2, 0, out)).to.equal(2);
    expect(text(buf, 2)).to.equal("he");
    expect(rump_sys_getsockopt(rk, s, SOL_SOCKET, SO_TYPE, buf)).to.equal(4);
    expect(buf[0]).to.equal(SOCK_DGRAM);
    expect(rump_sys_dup2(rk, s, 9)).to.equal(9);
    expect(rump_sys_close(rk, 9)).to.equal(0);
    expect(rump_sys_fcntl(rk, 9, 1, 0)).to.equal(-1);
  });

  it("sendmsg and recvmsg, streams with short counts, accept", () => {
    const msg = new Msghdr();
    const sv = [0, 0];
    expect(rump_sys_socketpair(rk, PF_LOCAL, SOCK_STREAM, 0, sv)).to.equal(0);
    const [a, b] = sv as [number, number];
    expect(rump_sys_sendmsg(rk, a, [bytes("ab"), bytes("c")], msg, 0)).to.equal(3);
    expect(rump_sys_recvmsg(rk, b, [buf], msg, 0)).to.equal(3);
    expect(rump_sys_write(rk, a, new Uint8Array(100_000), 100_000)).to.be.within(8192, 16384);
    expect(rump_sys_write(rk, a, buf, 1)).to.equal(-1);
    const ls = rump_sys_socket(rk, PF_LOCAL, SOCK_STREAM, 0);
    const path = sockaddr_of({ family: "local", path: "/l" }, "bind");
    rump_sys_bind(rk, ls, path);
    expect(rump_sys_listen(rk, ls, 1)).to.equal(0);
    expect(rump_sys_accept(rk, ls, null)).to.equal(-1);
    const c = rump_sys_socket(rk, PF_LOCAL, SOCK_STREAM, 0);
    expect(rump_sys_connect(rk, c, path)).to.equal(0);
    const fd = rump_sys_accept(rk, ls, out);
    expect(rump_sys_write(rk, c, bytes("x"), 1)).to.equal(1);
    expect(rump_sys_read(rk, fd, buf, 64)).to.equal(1);
  });

  it("takes nothing from the heap that stays: frames and mbufs are used again", () => {
    const sv = [0, 0];
    rump_sys_socketpair(rk, PF_LOCAL, SOCK_DGRAM, 0, sv);
    const [a, b] = sv as [number, number];
    const lwps = rk.cx.proc.p_lwps.length;
    const before = rk.k.mb.mem.bytes;
    for (let i = 0; i < 5000; i++) {
      rump_sys_sendto(rk, a, buf, 64, 0, null);
      rump_sys_recvfrom(rk, b, buf, 64, 0, out);
    }
    expect([rk.cx.proc.p_lwps.length, rk.k.mb.mem.bytes - before]).to.deep.equal([
      lwps,
      before === 0 ? rk.k.mb.mem.bytes : 0,
    ]);
  });

  describe("lwproc", () => {
    it("rfork makes a process; its descriptors are copied, absent, or shared (rfork)", () => {
      const fd = rump_sys_socket(rk, PF_LOCAL, SOCK_DGRAM, 0);
      expect(rump_pub_lwproc_rfork(rk, RUMP_RFFDG | RUMP_RFCFDG)).to.equal(EINVAL);
      expect(rump_pub_lwproc_rfork(rk, RUMP_RFFDG)).to.equal(0);
      expect(rump_sys_getpid(rk)).to.not.equal(1);
      expect(rump_sys_fcntl(rk, fd, 1, 0)).to.equal(0);
      expect(rump_sys_close(rk, fd)).to.equal(0);
      rump_pub_lwproc_releaselwp(rk);
      expect(rump_sys_fcntl(rk, fd, 1, 0)).to.equal(0);
      expect(rump_pub_lwproc_rfork(rk, RUMP_RFCFDG)).to.equal(0);
      expect(rump_sys_fcntl(rk, fd, 1, 0)).to.equal(-1);
      rump_pub_lwproc_releaselwp(rk);
      expect(rump_pub_lwproc_rfork(rk, 0)).to.equal(0);
      expect(rump_sys_close(rk, fd)).to.equal(0);
      const inner = rump_sys_socket(rk, PF_LOCAL, SOCK_DGRAM, 0);
      rump_pub_lwproc_releaselwp(rk);
      expect(rump_sys_fcntl(rk, inner, 1, 0)).to.equal(0);
    });

    it("newlwp, switch and curlwp choose who calls (makelwp, lwps, nullswitch)", () => {
      expect(rump_pub_lwproc_curlwp(rk)).to.equal(null);
      expect(rump_sys_getpid(rk)).to.equal(1);
      expect(rump_pub_lwproc_newlwp(rk, 37)).to.equal(ESRCH);
      rump_pub_lwproc_rfork(rk, RUMP_RFCFDG);
      const first = rump_pub_lwproc_curlwp(rk);
      const pid = rump_sys_getpid(rk);
      expect(rump_pub_lwproc_newlwp(rk, pid)).to.equal(0);
      const second = rump_pub_lwproc_curlwp(rk);
      expect(second).to.not.equal(first);
      expect(rump_sys_getpid(rk)).to.equal(pid);
      rump_pub_lwproc_switch(rk, null);
      expect(rump_sys_getpid(rk)).to.equal(1);
      rump_pub_lwproc_switch(rk, first);
      rump_pub_lwproc_releaselwp(rk);
      expect(rump_pub_lwproc_newlwp(rk, pid)).to.equal(0); // the process lives while it has an lwp
      rump_pub_lwproc_releaselwp(rk);
      rump_pub_lwproc_switch(rk, second);
      rump_pub_lwproc_releaselwp(rk);
      expect(rump_pub_lwproc_newlwp(rk, pid)).to.equal(ESRCH);
    });

    it("a new process inherits credentials (inherit, proccreds)", () => {
      rump_pub_lwproc_rfork(rk, RUMP_RFCFDG);
      expect(rk.cx.proc.p_cred.cr_uid).to.equal(0);
      rump_pub_lwproc_releaselwp(rk);
    });
  });
});

describe("lwproc misuse", () => {
  it("panics: release without an lwp, switch to a released one (nolwprelease, nolwp)", () => {
    const one = new SimRump();
    expect(() => rump_pub_lwproc_releaselwp(one.rk)).to.throw(KernelPanic);
    const two = new SimRump();
    rump_pub_lwproc_rfork(two.rk, RUMP_RFCFDG);
    const l = rump_pub_lwproc_curlwp(two.rk);
    rump_pub_lwproc_releaselwp(two.rk);
    expect(() => rump_pub_lwproc_switch(two.rk, l)).to.throw(KernelPanic);
  });
});
