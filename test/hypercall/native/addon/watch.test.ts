import { constants } from "node:os";
import { expect } from "chai";
import { loadAddon, POLL_READABLE, type RumpuserAddon } from "../../../../hypercall/native/addon.ts";
import { needNative } from "../../../support/need.ts";

const { EADDRINUSE, EAGAIN, EBADF, ECONNREFUSED, EINVAL, EPIPE } = constants.errno;
const MS = 1e6;

describe("addon: timer, readiness and kicks", () => {
  let a: RumpuserAddon;
  before(function () {
    needNative(this);
    a = loadAddon();
  });

  it("fires a timer once, never early, and at once for a time that has passed", async () => {
    const times: number[] = [];
    let fired: () => void = () => {};
    const timer = a.timer_open((expirations) => {
      times.push(a.clock_monotonic());
      expect(expirations).to.equal(1);
      fired();
    });
    a.watch_ref(timer, 1);
    for (const delay of [2 * MS, -5 * MS, 0]) {
      const deadline = a.clock_monotonic() + delay;
      const done = new Promise<void>((resolve) => (fired = resolve));
      expect(a.timer_arm(timer, deadline)).to.equal(0);
      await done;
      expect(times.pop()).to.be.at.least(deadline);
    }
    expect(times).to.deep.equal([]);
    expect(a.watch_close(timer)).to.equal(0);
    expect(a.timer_arm(timer, 1)).to.equal(-EBADF);
  });

  it("does not fire a timer that was disarmed", async () => {
    let fired = 0;
    const timer = a.timer_open(() => fired++);
    a.timer_arm(timer, a.clock_monotonic() + 2 * MS);
    a.timer_arm(timer, -1);
    await new Promise((later) => setTimeout(later, 10));
    expect(fired).to.equal(0);
    expect(a.timer_arm(timer, Number.NaN)).to.equal(-EINVAL);
    a.watch_close(timer);
  });

  it("wakes the holder of a name once for many kicks, and tells when nobody holds it", async () => {
    const name = `rumpkit-test-${process.pid}`;
    const mine = a.kick_open(name);
    const sender = a.kick_open("");
    expect(a.kick_open(name)).to.equal(-EADDRINUSE);
    let woken = 0;
    const watch = a.poll_open(mine, () => woken++, true);
    expect(a.poll_start(watch, POLL_READABLE)).to.equal(0);
    for (let i = 0; i < 1000; i++) expect(a.kick_send(sender, name)).to.equal(0);
    await new Promise((later) => setTimeout(later, 20));
    expect(woken).to.equal(1);
    a.watch_close(watch);
    a.fd_close(mine);
    expect(a.kick_send(sender, name)).to.equal(-ECONNREFUSED);
    a.fd_close(sender);
    expect(a.kick_send(sender, "x".repeat(200))).to.be.below(0);
  });

  it("goes on by a pipe after the first kick, which breaks when either end closes", async () => {
    const name = `rumpkit-pipe-${process.pid}`;
    const mine = a.kick_open(name);
    const sender = a.kick_open("");
    const later = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 10));
    const writing = a.kick_pipe(sender, name);
    const reading = a.kick_take(mine);
    expect(Math.min(writing, reading)).to.be.greaterThan(2);
    expect(a.kick_take(mine)).to.equal(-EAGAIN);
    const events: number[] = [];
    const watch = a.pipe_open(reading, (e) => {
      events.push(e);
      if (e < 0) a.poll_stop(watch);
    });
    expect(a.poll_start(watch, POLL_READABLE)).to.equal(0);
    for (let i = 0; i < 100; i++) expect(a.kick_write(writing)).to.equal(0);
    await later();
    expect(events).to.deep.equal([POLL_READABLE]);
    a.fd_close(writing);
    await later();
    expect(events).to.deep.equal([POLL_READABLE, -EPIPE]);
    a.watch_close(watch);
    a.fd_close(reading);

    const lonely = a.kick_pipe(sender, name);
    a.fd_close(mine); // the pipe was on its way
    expect(a.kick_write(lonely)).to.equal(-EPIPE);
    expect(a.kick_pipe(sender, name)).to.equal(-ECONNREFUSED);
    for (const fd of [lonely, sender]) a.fd_close(fd);
  });

  it("lets a callback close its own watcher, and reports what it throws", async () => {
    const seen: unknown[] = [];
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.once("uncaughtException", (error) => seen.push(error));
    const timer = a.timer_open(() => {
      a.watch_close(timer);
      throw new Error("from a callback");
    });
    a.watch_ref(timer, 1);
    a.timer_arm(timer, 0);
    await new Promise((later) => setTimeout(later, 20));
    for (const listener of others) process.on("uncaughtException", listener);
    expect(seen).to.have.length(1);
    expect(String(seen[0])).to.contain("from a callback");
  });

  it("refuses handles and events that make no sense", () => {
    expect(a.watch_close(9999)).to.equal(-EBADF);
    expect(a.poll_open(-1, () => {})).to.be.below(0);
    const fd = a.kick_open("");
    const watch = a.poll_open(fd, () => {});
    expect(a.poll_start(watch, 0)).to.equal(-EINVAL);
    expect(a.poll_start(watch, 64)).to.equal(-EINVAL);
    a.watch_close(watch);
    a.fd_close(fd);
    expect(() => a.timer_open(3 as unknown as () => void)).to.throw(TypeError, /callback must be a function/);
  });
});
