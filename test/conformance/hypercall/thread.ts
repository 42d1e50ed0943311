// Conformance: threads and sleeping in them.
import { expect } from "chai";
import { ENOENT, ENOTSUP, EIO, ETIMEDOUT } from "../../../hypercall/api/errno.ts";
import { HYPERCALL_VERSION } from "../../../hypercall/api/host.ts";
import { ThreadResult } from "../../../hypercall/api/thread.ts";
import { Bracket, type Subject } from "./subject.ts";

const GOOD = "data:text/javascript,export function main(a){Atomics.add(a,0,5);Atomics.notify(a,0)}";
const BAD = "data:text/javascript,export function main(){throw new Error('no')}";

/** thread. */
export function threadConformance(get: () => Subject): void {
  it("starts a thread on a module and tells how it ended, or says that there are none", async () => {
    const host = get().host();
    const up = new Bracket();
    host.rumpuser_init(HYPERCALL_VERSION, up);
    const out = new ThreadResult();
    const cell = new Int32Array(new SharedArrayBuffer(16));
    if (!get().threads) {
      expect(host.thread.rumpuser_thread_create(GOOD, cell, "t", out)).to.equal(ENOTSUP);
      return;
    }
    const ends: number[] = [];
    const join = (entry: string): Promise<void> =>
      new Promise((resolve) => {
        expect(host.thread.rumpuser_thread_create(entry, cell, "t", out)).to.equal(0);
        host.thread.rumpuser_thread_join(out.thread!, (err) => {
          expect(up.depth).to.equal(1);
          ends.push(err);
          resolve();
        });
      });
    await join(GOOD);
    expect(cell[0]).to.equal(5);
    await join(BAD);
    expect(ends).to.deep.equal([0, EIO]);
    expect(host.thread.rumpuser_thread_create("/no/such/module.js", cell, "t", out)).to.equal(ENOENT);
    expect(out.text).to.contain("/no/such/module.js");
  });

  it("sleeps on a word that has not changed, not on one that has, and not for longer than asked", () => {
    const { thread } = get().host();
    const cell = new Int32Array(new SharedArrayBuffer(16));
    if (!get().threads) {
      expect(thread.rumpuser_cv_wait(cell, 0, 0)).to.equal(ENOTSUP);
      expect(thread.rumpuser_cv_timedwait(cell, 0, 0, 1)).to.equal(ENOTSUP);
      return;
    }
    expect(thread.rumpuser_cv_wait(cell, 0, 1)).to.equal(0);
    expect(thread.rumpuser_cv_timedwait(cell, 0, 0, 1e6)).to.equal(ETIMEDOUT);
    expect(thread.rumpuser_cv_signal(cell, 0, 1)).to.equal(0);
  });
}
