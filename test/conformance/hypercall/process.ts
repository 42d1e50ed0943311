// Conformance: the first call, parameters, console, random, errno, background.
import { expect } from "chai";
import { EBUSY, EINVAL, ENOENT, ENOTSUP, EPROGMISMATCH } from "../../../hypercall/api/errno.ts";
import { HYPERCALL_VERSION } from "../../../hypercall/api/host.ts";
import { RUMPUSER_PARAM_HOSTNAME, RUMPUSER_PARAM_NCPU } from "../../../hypercall/api/param.ts";
import { RUMPUSER_RANDOM_HARD, RUMPUSER_RANDOM_NOWAIT } from "../../../hypercall/api/random.ts";
import { Bracket, type Subject } from "./subject.ts";

/** init, param, console, random, errno, daemon. */
export function processConformance(get: () => Subject): void {
  it("takes a kernel of exactly its own version, and only one", () => {
    const host = get().host();
    expect(host.rumpuser_init(HYPERCALL_VERSION + 1, new Bracket())).to.equal(EPROGMISMATCH);
    expect(host.rumpuser_init(HYPERCALL_VERSION, new Bracket())).to.equal(0);
    expect(host.rumpuser_init(HYPERCALL_VERSION, new Bracket())).to.equal(EBUSY);
  });

  it("knows the mandatory parameters, the given ones and no others", () => {
    const { param } = get().host({ RUMPKIT_TEST: "yes" });
    expect(param.rumpuser_getparam(RUMPUSER_PARAM_NCPU)).to.equal("1");
    expect(param.rumpuser_getparam(RUMPUSER_PARAM_HOSTNAME)).to.match(/^\S+$/);
    expect(param.rumpuser_getparam("RUMPKIT_TEST")).to.equal("yes");
    expect(param.rumpuser_getparam("RUMPKIT_NOT_GIVEN")).to.equal(null);
  });

  it("prints bytes in order, the unfinished line too", async () => {
    const host = get().host();
    for (const c of Buffer.from("one\ntwo")) host.console.rumpuser_putchar(c);
    await get().pass(1e6);
    expect(get().printed(host)).to.equal("one\ntwo");
  });

  it("fills a buffer with random bytes and knows its flags", () => {
    const { random } = get().host();
    const a = new Uint8Array(64);
    const b = new Uint8Array(64);
    expect(random.rumpuser_getrandom(a, RUMPUSER_RANDOM_HARD | RUMPUSER_RANDOM_NOWAIT)).to.equal(0);
    expect(random.rumpuser_getrandom(b, 0)).to.equal(0);
    expect(new Set(a).size).to.be.greaterThan(16);
    expect(a).to.not.deep.equal(b);
    expect(random.rumpuser_getrandom(a, 8)).to.equal(EINVAL);
  });

  it("keeps an errno for each host", () => {
    const [one, two] = [get().host().errno, get().host().errno];
    expect(one.rumpuser_geterrno()).to.equal(0);
    one.rumpuser_seterrno(ENOENT);
    expect([one.rumpuser_geterrno(), two.rumpuser_geterrno()]).to.deep.equal([ENOENT, 0]);
  });

  it("does not pretend to be in the background when nobody waits", () => {
    const { daemon } = get().host();
    expect(daemon.rumpuser_daemonize_done(0)).to.equal(EINVAL);
    if (get().daemons) expect(daemon.rumpuser_daemonize_begin()).to.equal(ENOTSUP);
  });

  it("refuses a signal that does not exist", () => {
    expect(get().host().exit.rumpuser_kill(-1, 999)).to.equal(EINVAL);
  });
}
