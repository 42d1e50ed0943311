import { spawn } from "node:child_process";
import { constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants as osConstants, tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { addonPlaces, loadAddon, type RegionHandle, type RumpuserAddon } from "../../../../hypercall/native/addon.ts";
import { slab_create } from "../../../../hypercall/slab/slab.ts";
import { WASM_PAGE } from "../../../../hypercall/slab/wasm.ts";
import { needNative } from "../../../support/need.ts";

const { EAGAIN, EBADF, EFAULT, EINVAL } = osConstants.errno;

describe("addon: files, block I/O and locks", () => {
  let a: RumpuserAddon;
  let dir: string;
  let memory: Uint8Array;
  let slab: RegionHandle;
  const ctl = new Int32Array(64);
  let block: RegionHandle;
  before(function () {
    needNative(this);
    a = loadAddon();
    dir = mkdtempSync(join(tmpdir(), "rumpkit-files-"));
    memory = slab_create(WASM_PAGE).u8;
    slab = a.slab_register(memory);
    block = a.slab_register(ctl);
  });
  after(() => {
    if (dir === undefined) return;
    rmSync(dir, { recursive: true });
    expect(a.slab_release(slab)).to.equal(0);
    expect(a.slab_release(block)).to.equal(0);
  });

  it("scatters and gathers at an offset and at the descriptor's position", () => {
    const path = join(dir, "iov");
    writeFileSync(path, "abcdefghij");
    const fd = a.fd_open(path, constants.O_RDWR, 0);
    ctl.set([100, 2, 200, 3], 10);
    expect(a.iov_read(fd, slab, block, 10, 2, 4)).to.equal(5);
    expect(Buffer.from(memory.subarray(100, 102)).toString()).to.equal("ef");
    expect(Buffer.from(memory.subarray(200, 203)).toString()).to.equal("ghi");
    expect(a.iov_write(fd, slab, block, 10, 2, -1)).to.equal(5);
    expect(readFileSync(path, "utf8")).to.equal("efghifghij");
    ctl.set([65535, 2], 10);
    expect(a.iov_read(fd, slab, block, 10, 1, 0)).to.equal(-EFAULT);
    expect(a.iov_read(fd, slab, block, 63, 1, 0)).to.equal(-EINVAL);
    a.fd_close(fd);
    expect(a.iov_read(fd, slab, block, 10, 1, 0)).to.be.oneOf([-EBADF, -EFAULT]);
  });

  it("moves blocks on the thread pool, keeps the memory registered meanwhile, and stops at the end of the file", async () => {
    const fd = a.fd_open(join(dir, "bio"), constants.O_RDWR | constants.O_CREAT, 0o600);
    memory.fill(7, 4096, 4096 + 1024);
    const run = (op: number, off: number, len: number): Promise<[number, number]> =>
      new Promise((done) => expect(a.bio(fd, op, slab, off, len, 0, (n, error) => done([n, error]))).to.equal(0));
    const write = run(2 | 4, 4096, 1024);
    expect(a.slab_release(slab)).to.be.below(0);
    expect(await write).to.deep.equal([1024, 0]);
    expect(await run(1, 8192, 2048)).to.deep.equal([1024, 0]);
    expect(memory[8192 + 1023]).to.equal(7);
    expect(await run(4, 0, 0)).to.deep.equal([0, 0]);
    expect(a.bio(fd, 1, slab, 0, 511, 0, () => {})).to.equal(-EINVAL);
    expect(a.bio(fd, 3, slab, 0, 512, 0, () => {})).to.equal(-EINVAL);
    expect(a.bio(fd, 1, slab, 65536 - 511, 512, 0, () => {})).to.be.below(0);
    a.fd_close(fd);
  });

  it("gives a lock to one open file description at a time, and takes it back from a killed process", async () => {
    const path = join(dir, "locks");
    writeFileSync(path, "");
    const mine = a.fd_open(path, constants.O_RDWR, 0);
    const other = a.fd_open(path, constants.O_RDWR, 0);
    expect(a.ofd_trylock(mine, 7, 1)).to.equal(0);
    expect(a.ofd_trylock(other, 7, 1)).to.equal(-EAGAIN);
    expect([a.ofd_test(other, 7, 1), a.ofd_test(mine, 7, 1), a.ofd_test(other, 8, 1)]).to.deep.equal([1, 0, 0]);
    expect(a.ofd_unlock(mine, 7, 1)).to.equal(0);
    const code = `
      const a = require(process.argv[1]);
      if (a.ofd_trylock(a.fd_open(process.argv[2], 2, 0), 7, 1) === 0) console.log("locked");
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["-e", code, addonPlaces(process.env).find(exists) ?? "", path]);
    await new Promise((locked) => child.stdout.once("data", locked));
    expect(a.ofd_test(mine, 7, 1)).to.equal(1);
    const gone = new Promise((exit) => child.once("exit", exit));
    child.kill("SIGKILL");
    await gone;
    expect(a.ofd_trylock(other, 7, 1)).to.equal(0);
    a.fd_close(mine);
    a.fd_close(other);
  });
});

function exists(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}
