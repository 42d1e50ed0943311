import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { BusInfo } from "../../../hypercall/api/bus.ts";
import { EBUSY, EFTYPE, EISDIR, ENOENT, ENOSPC, ENOTDIR, ESRCH } from "../../../hypercall/api/errno.ts";
import { type NativeHost, nativeHost } from "../../../hypercall/native/native_host.ts";
import { needNative, needProgram, needRoot } from "../../support/need.ts";
import { HostChild } from "./child.ts";

const BYTES = 65_536;
const QUIET = { bus_kicked: (): void => {} };

describe("native bus between processes", () => {
  let dir: string;
  let host: NativeHost;
  const children: HostChild[] = [];
  before(function () {
    needNative(this);
  });
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "rumpkit-bus-"));
    host = nativeHost();
  });
  afterEach(async () => {
    for (const child of children.splice(0)) await child.kill();
    host.close();
    rmSync(dir, { recursive: true });
  });
  const child = (code: string): HostChild => {
    const made = new HostChild(
      `const path = ${JSON.stringify(join(dir, "bus"))};
       const info = { err: 0, text: "", off: 0, len: 0, created: false };
       const i32 = host.memory.slab.i32;
       ${code}`,
    );
    children.push(made);
    return made;
  };

  it("shares words and kicks, and a killed holder's port is free at once", async () => {
    const info = new BusInfo();
    let kicked: () => void = () => {};
    const bus = host.bus.bus_open(join(dir, "bus"), BYTES, { bus_kicked: () => kicked() }, info);
    expect(bus, info.text).to.not.equal(null);
    expect(bus!.lock_port(0)).to.equal(0);
    const other = child(`
      const bus = host.bus.bus_open(path, 4096, { bus_kicked() { i32[info.off / 4] += 1; bus.kick(0); } }, info);
      if (bus.lock_port(5) === 0 && bus.test_port(0) !== 0) say("ready " + info.created + info.len);`);
    expect(await other.hears("ready")).to.equal(`ready false${BYTES}`);
    const word = info.off / 4;
    for (let round = 1; round <= 3; round++) {
      const answered = new Promise<void>((resolve) => (kicked = resolve));
      expect(bus!.kick(5)).to.equal(0);
      await answered;
      expect(host.memory.slab.i32[word]).to.equal(round);
    }
    expect(bus!.test_port(5)).to.equal(EBUSY);
    await other.kill();
    expect(bus!.test_port(5)).to.equal(0);
    expect(bus!.kick(5)).to.equal(ESRCH);
    expect(bus!.lock_port(5)).to.equal(0);
  });

  it("is created by exactly one of many who open it at once", async () => {
    const racers = Array.from({ length: 5 }, () =>
      child(`
        process.stdin.once("data", () => {
          const bus = host.bus.bus_open(path, ${BYTES}, { bus_kicked() {} }, info);
          say("opened " + (bus === null ? info.text : String(info.created) + " " + info.len));
        });
        say("ready");`),
    );
    for (const racer of racers) await racer.hears("ready");
    for (const racer of racers) racer.process.stdin.write("go\n");
    const said = await Promise.all(racers.map((racer) => racer.hears("opened")));
    expect(said.filter((line) => line === `opened true ${BYTES}`)).to.have.length(1);
    expect(said.filter((line) => line === `opened false ${BYTES}`)).to.have.length(4);
    expect(statSync(join(dir, "bus")).mode & 0o777).to.equal(0o600);
  });

  it("maps a region once for all kernels of a process", () => {
    const [a, b] = [new BusInfo(), new BusInfo()];
    const second = nativeHost();
    const one = host.bus.bus_open(join(dir, "bus"), BYTES, QUIET, a);
    const two = second.bus.bus_open(join(dir, "bus"), BYTES, QUIET, b);
    expect(a.off).to.equal(b.off);
    expect(one!.lock_port(1)).to.equal(0);
    expect(two!.lock_port(1)).to.equal(EBUSY);
    second.close();
    host.memory.slab.u8[a.off] = 1;
    expect(one!.test_port(1)).to.equal(EBUSY);
  });

  it("refuses what is no bus, and says what it is", () => {
    const open = (path: string, bytes = BYTES): BusInfo => {
      const info = new BusInfo();
      expect(host.bus.bus_open(path, bytes, QUIET, info)).to.equal(null);
      expect(info.text).to.contain(path);
      return info;
    };
    writeFileSync(join(dir, "odd"), "not whole pages");
    expect(open(join(dir, "odd")).err).to.equal(EFTYPE);
    expect(open(dir).err).to.equal(EISDIR);
    expect(open("/dev/null").err).to.equal(EFTYPE);
    expect(open(join(dir, "no/such")).err).to.equal(ENOENT);
    expect(open(join(dir, "odd/such")).err).to.equal(ENOTDIR);
  });

  it("reports a full disk instead of dying of it later", function () {
    needRoot(this);
    needProgram(this, "mount");
    const small = join(dir, "small");
    execFileSync("mkdir", [small]);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=32k", "tmpfs", small]);
    try {
      const info = new BusInfo();
      expect(host.bus.bus_open(join(small, "bus"), 16 * BYTES, QUIET, info)).to.equal(null);
      expect(info.err).to.equal(ENOSPC);
      const fits = new BusInfo();
      const bus = host.bus.bus_open(join(small, "bus"), 16_384, QUIET, fits);
      expect([fits.err, fits.created]).to.deep.equal([0, true]);
      bus!.close();
    } finally {
      execFileSync("umount", [small]);
    }
  });
});
