// Waiting: selrecord and selnotify, EWAIT and its timeout, poll over several files, and lwps that go away while they wait.
import { expect } from "chai";
import { EINVAL } from "../../../hypercall/api/errno.ts";
import { fd_alloc } from "../../../kernel-components/kern/descrip.ts";
import { FREAD } from "../../../kernel-components/kern/fcntl.ts";
import { lwp_block } from "../../../kernel-components/kern/lwp_block.ts";
import { DTYPE_MISC, File, Ucred } from "../../../kernel-components/kern/proc.ts";
import type { Fileops, Lwp, Proc } from "../../../kernel-components/kern/proc.ts";
import {
  lwp_wait_done,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  Selinfo,
  selnotify,
  selrecord,
} from "../../../kernel-components/kern/select.ts";
import { INFTIM, Pollfd, sys_poll } from "../../../kernel-components/kern/sys_poll.ts";
import { RetVal } from "../../../kernel-components/kern/uio.ts";
import { EWAIT } from "../../../kernel-components/kern/wakeup.ts";
import { bootKernel } from "../../support/kernel.ts";
import type { TestKernel } from "../../support/kernel.ts";

const MS = 1e6;

/** A file that is ready when told. */
class Box {
  ready = 0;
  readonly sel: Selinfo = new Selinfo();
}

const ops: Fileops = {
  fo_name: "box",
  fo_read: () => 0,
  fo_write: () => 0,
  fo_ioctl: () => 0,
  fo_poll: (l, fp, events) => {
    const box = fp.f_data as Box;
    const now = box.ready & events;
    if (now === 0) selrecord(l, box.sel);
    return now;
  },
  fo_close: () => 0,
  fo_stat: () => 0,
  fo_fcntl: () => 0,
};

describe("poll and waiting", () => {
  let t: TestKernel;
  let p: Proc;
  let l: Lwp;
  const rv = new RetVal();
  beforeEach(() => {
    t = bootKernel();
    p = t.k.procs.proc_create("poller", new Ucred(0, 0)) as Proc;
    l = t.k.procs.lwp_create(p);
  });
  afterEach(() => {
    t.k.procs.proc_exit(p);
    t.end();
  });
  const box = (): Box => {
    const b = new Box();
    fd_alloc(p, new File(DTYPE_MISC, FREAD, ops, b, p.p_cred), 0, false);
    return b;
  };

  /** Poll as a caller does that really waits; `done` gets the result. */
  const wait = (fds: Pollfd[], ms: number, done: (n: number) => void): void => {
    const attempt = (): void => {
      const error = t.in_kernel(() => sys_poll(l, fds, ms, rv));
      if (error === EWAIT) {
        lwp_block(l, attempt);
        return;
      }
      expect(error).to.equal(0);
      lwp_wait_done(l);
      done(rv.val);
    };
    attempt();
  };

  it("tells at once what is ready, what is not open, and ignores negative descriptors", () => {
    const a = box();
    a.ready = POLLIN;
    const fds = [
      new Pollfd(0, POLLIN | POLLOUT),
      new Pollfd(-1, POLLIN),
      new Pollfd(44, POLLIN),
      new Pollfd(0, POLLOUT),
    ];
    expect(sys_poll(l, fds, 0, rv)).to.equal(0);
    expect([rv.val, ...fds.map((f) => f.revents)]).to.deep.equal([2, POLLIN, 0, POLLNVAL, 0]);
    expect(a.sel.sel_lwps, "nobody is left recorded").to.deep.equal([]);
    expect(sys_poll(l, fds, -2, rv)).to.equal(EINVAL);
  });

  it("waits, is woken once when the kernel is left, and leaves no record anywhere", () => {
    const [a, b] = [box(), box()];
    const results: number[] = [];
    wait([new Pollfd(0, POLLIN), new Pollfd(1, POLLIN)], INFTIM, (n) => results.push(n));
    t.in_kernel(() => {
      b.ready = POLLIN;
      selnotify(b.sel, POLLIN);
      selnotify(a.sel, POLLIN);
      expect(results, "not inside the notifying call").to.deep.equal([]);
    });
    expect(results).to.deep.equal([1]);
    expect([a.sel.sel_lwps, b.sel.sel_lwps, l.l_sels, l.l_wakeup]).to.deep.equal([[], [], [], null]);
  });

  it("goes on waiting after a wake-up for nothing, without starting its time again", () => {
    const a = box();
    const results: [number, number][] = [];
    wait([new Pollfd(0, POLLIN)], 100, (n) => results.push([n, t.now()]));
    const start = t.now();
    t.run(60 * MS);
    t.in_kernel(() => selnotify(a.sel, POLLIN));
    t.run(39 * MS);
    expect(results).to.deep.equal([]);
    t.run(10 * MS);
    expect(results).to.deep.equal([[0, start + 100 * MS]]);
    expect(a.sel.sel_lwps).to.deep.equal([]);
  });

  it("an lwp that exits while it waits is never woken", () => {
    const a = box();
    let woken = false;
    wait([new Pollfd(0, POLLIN)], INFTIM, () => (woken = true));
    t.k.procs.lwp_exit(l);
    t.in_kernel(() => {
      a.ready = POLLIN;
      selnotify(a.sel, POLLIN);
    });
    expect([woken, a.sel.sel_lwps]).to.deep.equal([false, []]);
  });

  it("several lwps wait for one thing, one lwp for several, each woken once", () => {
    const s = new Selinfo();
    const woken: number[] = [];
    const lwps = [0, 1, 2].map((i) => {
      const one = t.k.procs.lwp_create(p);
      one.l_wakeup = () => woken.push(i);
      return one;
    });
    for (const one of lwps) {
      selrecord(one, s);
      selrecord(one, s);
    }
    t.in_kernel(() => {
      selnotify(s, POLLIN);
      selnotify(s, POLLIN);
    });
    expect(woken.sort((a, b) => a - b)).to.deep.equal([0, 1, 2]);
  });
});
