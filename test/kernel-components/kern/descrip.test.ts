// Descriptors: lowest number first, limits, dup and close, flags, ioctl and open, what a dying process leaves behind.
import { expect } from "chai";
import fc from "fast-check";
import { EBADF, EFAULT, EINVAL, EMFILE, ENOENT, ENOTTY, EWOULDBLOCK } from "../../../hypercall/api/errno.ts";
import { fd_alloc, fd_closeexec, fd_copy, fd_getfile, fd_setlimit } from "../../../kernel-components/kern/descrip.ts";
import { devsw_attach, devsw_detach } from "../../../kernel-components/kern/devsw.ts";
import {
  F_CLOSEM,
  F_DUPFD,
  F_DUPFD_CLOEXEC,
  F_GETFD,
  F_GETFL,
  F_MAXFD,
  F_SETFD,
  F_SETFL,
  FD_CLOEXEC,
  FNONBLOCK,
  FREAD,
  FWRITE,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDWR,
} from "../../../kernel-components/kern/fcntl.ts";
import { _IOWR, FIOCLEX, FIONBIO, IOCPARM_LEN } from "../../../kernel-components/kern/ioccom.ts";
import { KernelPanic } from "../../../kernel-components/kern/kernel.ts";
import { DTYPE_MISC, File, Ucred } from "../../../kernel-components/kern/proc.ts";
import type { Fileops, Lwp, Proc } from "../../../kernel-components/kern/proc.ts";
import { closef } from "../../../kernel-components/kern/descrip.ts";
import { sys_close, sys_dup, sys_dup2, sys_dup3, sys_fcntl } from "../../../kernel-components/kern/sys_descrip.ts";
import {
  sys_getpid,
  sys_ioctl,
  sys_open,
  sys_read,
  sys_readv,
  sys_write,
} from "../../../kernel-components/kern/sys_generic.ts";
import { RetVal, Uio, UIO_READ, UIO_WRITE, uiomove } from "../../../kernel-components/kern/uio.ts";
import { EWAIT } from "../../../kernel-components/kern/wakeup.ts";
import { bootKernel } from "../../support/kernel.ts";
import type { TestKernel } from "../../support/kernel.ts";

const DOUBLE = _IOWR("t", 1, 4);

describe("descriptors", () => {
  let t: TestKernel;
  let p: Proc;
  let l: Lwp;
  let closed: string[];
  const rv = new RetVal();
  beforeEach(() => {
    t = bootKernel();
    p = t.k.procs.proc_create("test", new Ucred(0, 0)) as Proc;
    l = t.k.procs.lwp_create(p);
    closed = [];
  });
  afterEach(() => {
    t.k.procs.proc_exit(p);
    t.end();
  });

  const ops: Fileops = {
    fo_name: "fake",
    fo_read: (_l, _fp, uio) => uiomove({ u8: new Uint8Array([1, 2, 3]) }, 0, 3, uio),
    fo_write: (_l, fp, uio) => {
      if ((fp.f_flag & FNONBLOCK) !== 0) return EWOULDBLOCK;
      return uiomove({ u8: new Uint8Array(2) }, 0, 2, uio) || (uio.uio_resid > 0 ? EWAIT : 0);
    },
    fo_ioctl: (_l, _fp, cmd, data) => {
      if (cmd === FIONBIO) return 0;
      if (cmd !== DOUBLE) return ENOTTY;
      data[0] = (data[0] as number) * 2;
      return 0;
    },
    fo_poll: () => 0,
    fo_close: (_l, fp) => (closed.push(String(fp.f_data)), 0),
    fo_stat: () => 0,
    fo_fcntl: () => 0,
  };
  const file = (name: string, flag: number = FREAD | FWRITE): File => new File(DTYPE_MISC, flag, ops, name, p.p_cred);
  const open = (name: string): number => fd_alloc(p, file(name), 0, false);

  it("the lowest free number, EMFILE at the limit, and numbers come back", () => {
    expect(fd_setlimit(p, 4)).to.equal(0);
    expect([open("a"), open("b"), open("c"), open("d"), open("e")]).to.deep.equal([0, 1, 2, 3, -EMFILE]);
    expect([sys_close(l, 1), sys_close(l, 1), closed]).to.deep.equal([0, EBADF, ["b"]]);
    expect(sys_dup(l, 3, rv)).to.equal(0);
    expect([rv.val, sys_dup(l, 0, rv)]).to.deep.equal([1, EMFILE]);
    expect([fd_setlimit(p, -1), fd_setlimit(p, 1.5)]).to.deep.equal([EINVAL, EINVAL]);
  });

  it("agrees with a model of numbers under any opens, dups and closes", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3), fc.nat(20), fc.nat(20)), { maxLength: 60 }), (steps) => {
        const proc = t.k.procs.proc_create("model", new Ucred(0, 0)) as Proc;
        const lwp = t.k.procs.lwp_create(proc);
        fd_setlimit(proc, 12);
        const model = new Map<number, File>();
        for (const [op, a, b] of steps) {
          const lowest = (min: number): number => {
            let fd = min;
            while (model.has(fd)) fd++;
            return fd;
          };
          if (op === 0) {
            const fp = file("m");
            const fd = fd_alloc(proc, fp, 0, false);
            const want = lowest(0);
            expect(fd).to.equal(want < 12 ? want : -EMFILE);
            if (fd >= 0) model.set(fd, fp);
          } else if (op === 1) {
            expect(sys_close(lwp, a)).to.equal(model.delete(a) ? 0 : EBADF);
          } else if (op === 2) {
            const error = sys_dup2(lwp, a, b, rv);
            expect(error).to.equal(model.has(a) && b < 12 ? 0 : EBADF);
            if (error === 0) model.set(b, model.get(a) as File);
          } else {
            const error = sys_fcntl(lwp, a, F_DUPFD, b, rv);
            const want = lowest(b);
            expect(error).to.equal(!model.has(a) ? EBADF : b >= 12 ? EINVAL : want >= 12 ? EMFILE : 0);
            if (error === 0) {
              expect(rv.val).to.equal(want);
              model.set(want, model.get(a) as File);
            }
          }
          for (let fd = 0; fd < 14; fd++) expect(fd_getfile(proc, fd)).to.equal(model.get(fd) ?? null);
        }
        t.k.procs.proc_exit(proc);
        for (const fp of model.values()) expect(fp.f_count).to.equal(0);
      }),
      { numRuns: 60 },
    );
  });

  it("a file is closed with its last descriptor, also across processes", () => {
    open("x");
    const child = t.k.procs.proc_create("child", p.p_cred, p) as Proc;
    fd_copy(p, child);
    sys_close(l, 0);
    expect(closed).to.deep.equal([]);
    expect(t.k.procs.proc_exit(child)).to.equal(1);
    expect([closed, t.k.procs.find(child.p_pid)]).to.deep.equal([["x"], null]);
  });

  it("dup2 to itself keeps the file open, dup2 over another closes that, dup3 sets flags", () => {
    open("a");
    open("b");
    expect([sys_dup2(l, 0, 0, rv), rv.val, sys_dup2(l, 0, 1, rv), rv.val]).to.deep.equal([0, 0, 0, 1]);
    expect(closed).to.deep.equal(["b"]);
    expect([sys_dup2(l, 7, 1, rv), sys_dup2(l, 0, -1, rv), sys_dup2(l, 0, 1024, rv)]).to.deep.equal([
      EBADF,
      EBADF,
      EBADF,
    ]);
    expect([sys_dup3(l, 0, 5, O_CLOEXEC | O_NONBLOCK, rv), sys_dup3(l, 0, 5, 1, rv)]).to.deep.equal([0, EINVAL]);
    sys_fcntl(l, 5, F_GETFD, 0, rv);
    expect(rv.val).to.equal(FD_CLOEXEC);
  });

  it("fcntl: flags of the descriptor and of the file, F_CLOSEM, F_MAXFD", () => {
    open("a");
    expect([sys_fcntl(l, 0, F_SETFD, FD_CLOEXEC, rv), sys_fcntl(l, 0, F_GETFD, 0, rv), rv.val]).to.deep.equal([
      0,
      0,
      FD_CLOEXEC,
    ]);
    expect([sys_fcntl(l, 0, F_SETFL, O_NONBLOCK, rv), sys_fcntl(l, 0, F_GETFL, 0, rv), rv.val]).to.deep.equal([
      0,
      0,
      O_RDWR | O_NONBLOCK,
    ]);
    expect([sys_fcntl(l, 0, F_DUPFD_CLOEXEC, 9, rv), rv.val, sys_fcntl(l, 0, F_MAXFD, 0, rv), rv.val]).to.deep.equal([
      0, 9, 0, 9,
    ]);
    expect([sys_fcntl(l, 3, F_CLOSEM, 0, rv), fd_getfile(p, 9)]).to.deep.equal([0, null]);
    fd_closeexec(l);
    expect(closed).to.deep.equal(["a"]);
  });

  it("ioctl: sizes are checked, FIOCLEX and FIONBIO are the descriptor's own, the rest is the file's", () => {
    open("a");
    const data = new Uint8Array([21, 0, 0, 0]);
    expect([IOCPARM_LEN(DOUBLE), sys_ioctl(l, 0, DOUBLE, data, rv), data[0]]).to.deep.equal([4, 0, 42]);
    expect(sys_ioctl(l, 0, DOUBLE, new Uint8Array(3), rv)).to.equal(EFAULT);
    expect(sys_ioctl(l, 0, DOUBLE >>> 0, data, rv), "as an unsigned number").to.equal(0);
    expect([sys_ioctl(l, 0, 0x1234, data, rv), sys_ioctl(l, 4, DOUBLE, data, rv)]).to.deep.equal([ENOTTY, EBADF]);
    expect([sys_ioctl(l, 0, FIOCLEX, data, rv), p.p_fd.fd_exclose[0]]).to.deep.equal([0, true]);
    expect([sys_ioctl(l, 0, FIONBIO, data, rv), (fd_getfile(p, 0)?.f_flag ?? 0) & FNONBLOCK]).to.deep.equal([
      0,
      FNONBLOCK,
    ]);
  });

  it("read and write: modes are checked, what was moved counts", () => {
    open("a");
    const into = [new Uint8Array(2), new Uint8Array(5)];
    expect([
      sys_read(l, 0, new Uio(UIO_READ, into), rv),
      rv.val,
      [...(into[0] as Uint8Array)],
      into[1]?.[0],
    ]).to.deep.equal([0, 3, [1, 2], 3]);
    const uio = new Uio(UIO_WRITE, [new Uint8Array(5)]);
    expect([sys_write(l, 0, uio, rv), uio.uio_resid, sys_write(l, 0, uio, rv), uio.uio_resid]).to.deep.equal([
      EWAIT,
      3,
      EWAIT,
      1,
    ]);
    (fd_getfile(p, 0) as File).f_flag |= FNONBLOCK;
    expect([sys_write(l, 0, uio, rv), rv.val], "the part that was written").to.deep.equal([0, 4]);
    expect(sys_write(l, 0, new Uio(UIO_WRITE, [new Uint8Array(1)]), rv)).to.equal(EWOULDBLOCK);
    expect(sys_readv(l, 0, new Uio(UIO_READ, []), rv)).to.equal(EINVAL);
    const ro = fd_alloc(p, file("ro", FREAD), 0, false);
    expect(sys_write(l, ro, new Uio(UIO_WRITE, into), rv)).to.equal(EBADF);
    for (const fd of [-1, 99, 0.5, Number.NaN]) expect(sys_read(l, fd, new Uio(UIO_READ, into), rv)).to.equal(EBADF);
  });

  it("open finds device nodes, and closes what it cannot put into a full table", () => {
    devsw_attach(t.k, "/dev/fake", (_l, path, _flags, out) => ((out.fp = file(path)), 0));
    expect([sys_open(l, "/dev/none", O_RDWR, rv), sys_open(l, "/dev/fake", 3, rv)]).to.deep.equal([ENOENT, EINVAL]);
    expect([sys_open(l, "/dev/fake", O_RDWR, rv), rv.val]).to.deep.equal([0, 0]);
    fd_setlimit(p, 1);
    expect([sys_open(l, "/dev/fake", O_RDWR, rv), closed]).to.deep.equal([EMFILE, ["/dev/fake"]]);
    expect([devsw_detach(t.k, "/dev/fake"), sys_open(l, "/dev/fake", O_RDWR, rv)]).to.deep.equal([0, ENOENT]);
  });

  it("closing a file more often than it was opened is a panic", () => {
    const other = bootKernel();
    const q = other.k.procs.proc_create("q", new Ucred(0, 0)) as Proc;
    const lq = other.k.procs.lwp_create(q);
    expect(() => closef(lq, file("x"))).to.throw(KernelPanic, "closed twice");
  });

  it("getpid tells the process and its parent", () => {
    sys_getpid(l, rv);
    expect([rv.val, rv.val1]).to.deep.equal([p.p_pid, 0]);
  });
});
