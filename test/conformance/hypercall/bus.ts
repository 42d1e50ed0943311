// Conformance: shared regions, their locks and kicks.
import { expect } from "chai";
import { BUS_MAXPORTS, BusInfo, type BusHandle } from "../../../hypercall/api/bus.ts";
import { EBUSY, EINVAL, ENOMEM, ESRCH } from "../../../hypercall/api/errno.ts";
import { HYPERCALL_VERSION, type Host } from "../../../hypercall/api/host.ts";
import { Bracket, type Subject } from "./subject.ts";

const BYTES = 65_536;
const SOON = 5e6;

/** A kernel on a bus. */
class Member {
  readonly bracket: Bracket = new Bracket();
  readonly info: BusInfo = new BusInfo();
  readonly host: Host;
  readonly handle: BusHandle | null;
  kicks = 0;

  constructor(subject: Subject, path: string, bytes: number = BYTES) {
    this.host = subject.host();
    this.host.rumpuser_init(HYPERCALL_VERSION, this.bracket);
    const up = {
      bus_kicked: (): void => {
        expect(this.bracket.depth).to.equal(1);
        this.kicks++;
      },
    };
    this.handle = this.host.bus!.bus_open(path, bytes, up, this.info);
  }

  get bus(): BusHandle {
    if (this.handle === null) throw new Error(this.info.text);
    return this.handle;
  }

  byte(at: number): number {
    return this.host.memory.slab.u8[this.info.off + at]!;
  }
}

/** bus. */
export function busConformance(get: () => Subject): void {
  it("creates a region of zeros that all who open it share; its length is the creator's", () => {
    const path = get().path("bus");
    const a = new Member(get(), path);
    expect([a.info.err, a.info.created, a.info.len]).to.deep.equal([0, true, BYTES]);
    for (let i = 0; i < BYTES; i += 97) expect(a.byte(i)).to.equal(0);
    const b = new Member(get(), path, 2 * BYTES);
    expect([b.info.err, b.info.created, b.info.len]).to.deep.equal([0, false, BYTES]);
    a.host.memory.slab.u8[a.info.off + BYTES - 1] = 42;
    expect(b.byte(BYTES - 1)).to.equal(42);
    const other = new Member(get(), get().path("bus2"));
    expect(other.byte(BYTES - 1)).to.equal(0);
    for (const m of [a, b, other]) m.bus.close();
    a.bus.close();
    const later = new Member(get(), path);
    if (!later.info.created) expect(later.byte(BYTES - 1)).to.equal(42);
    later.bus.close();
  });

  it("gives each port to one holder, and takes it back by unlock and by close", () => {
    const path = get().path("bus");
    const [a, b] = [new Member(get(), path), new Member(get(), path)];
    expect(a.bus.lock_port(0)).to.equal(0);
    expect(a.bus.lock_port(0)).to.equal(EBUSY);
    expect(b.bus.lock_port(0)).to.equal(EBUSY);
    expect([a.bus.test_port(0), b.bus.test_port(0), b.bus.test_port(1)]).to.deep.equal([EBUSY, EBUSY, 0]);
    b.bus.unlock_port(0);
    expect(b.bus.lock_port(0)).to.equal(EBUSY);
    a.bus.unlock_port(0);
    expect(b.bus.lock_port(0)).to.equal(0);
    expect(b.bus.lock_port(BUS_MAXPORTS - 1)).to.equal(0);
    b.bus.close();
    expect([a.bus.test_port(0), a.bus.test_port(BUS_MAXPORTS - 1)]).to.deep.equal([0, 0]);
    expect(a.bus.lock_port(BUS_MAXPORTS - 1)).to.equal(0);
    a.bus.close();
  });

  it("wakes the holder of a port within its bracket and never inside the call; many kicks may be one", async () => {
    const path = get().path("bus");
    const [a, b] = [new Member(get(), path), new Member(get(), path)];
    expect(a.bus.kick(1)).to.equal(ESRCH);
    expect(b.bus.lock_port(1)).to.equal(0);
    for (let i = 0; i < 100; i++) expect(a.bus.kick(1)).to.equal(0);
    expect(b.kicks).to.equal(0);
    await get().pass(SOON);
    expect(b.kicks).to.be.within(1, 100);
    expect(a.kicks).to.equal(0);
    const before = b.kicks;
    a.bus.kick(1);
    await get().pass(SOON);
    expect(b.kicks).to.equal(before + 1);
    b.bus.unlock_port(1);
    expect(a.bus.kick(1)).to.equal(ESRCH);
    await get().pass(SOON);
    expect(b.kicks).to.equal(before + 1);
    for (const m of [a, b]) m.bus.close();
  });

  it("refuses numbers out of range, sizes that are none, and everything after close", () => {
    const path = get().path("bus");
    const a = new Member(get(), path);
    for (const port of [-1, BUS_MAXPORTS, 1.5]) {
      expect([a.bus.lock_port(port), a.bus.test_port(port), a.bus.kick(port)]).to.deep.equal([EINVAL, EINVAL, EINVAL]);
    }
    a.bus.close();
    expect(a.bus.lock_port(0)).to.equal(EINVAL);
    for (const bytes of [0, -1, 0.5]) expect(new Member(get(), get().path("bus2"), bytes).info.err).to.equal(EINVAL);
    const huge = new Member(get(), get().path("huge"), 2 ** 32);
    expect(huge.handle).to.equal(null);
    expect(huge.info.err).to.equal(ENOMEM);
    expect(huge.info.text).to.not.equal("");
  });
}
