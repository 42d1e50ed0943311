import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { loadAddon, type RumpuserAddon } from "../../../../hypercall/native/addon.ts";
import { slab_create } from "../../../../hypercall/slab/slab.ts";
import { WASM_PAGE } from "../../../../hypercall/slab/wasm.ts";
import { needNative } from "../../../support/need.ts";

const { EBADF, EINVAL, ENXIO } = constants.errno;
const PAGE = 4096;

describe("addon: memory", () => {
  let a: RumpuserAddon;
  let dir: string;
  before(function () {
    needNative(this);
    a = loadAddon();
    dir = mkdtempSync(join(tmpdir(), "rumpkit-slab-"));
  });
  after(() => {
    if (dir !== undefined) rmSync(dir, { recursive: true });
  });

  it("maps one file into two slabs that then share bytes, and gives zero pages back", () => {
    const fd = openSync(join(dir, "bus"), "w+");
    ftruncateSync(fd, 4 * PAGE);
    const slabs = [slab_create(2 * WASM_PAGE), slab_create(2 * WASM_PAGE)];
    const views = slabs.map((slab) => slab.u8);
    const handles = slabs.map((slab) => a.slab_register(slab.buffer));
    for (const h of handles) expect(a.slab_mapfile(h, 8 * PAGE, fd, PAGE, 2 * PAGE)).to.equal(0);
    views[0]![8 * PAGE + 5] = 77;
    expect(views[1]![8 * PAGE + 5]).to.equal(77);
    expect(readFileSync(join(dir, "bus"))[PAGE + 5]).to.equal(77);
    expect(a.slab_unmap(handles[0]!, 8 * PAGE, 2 * PAGE)).to.equal(0);
    expect(views[0]![8 * PAGE + 5]).to.equal(0);
    expect(views[1]![8 * PAGE + 5]).to.equal(77);
    for (const h of handles) expect(a.slab_release(h)).to.equal(0);
    closeSync(fd);
  });

  it("refuses what would overrun the slab, the page grid or the file", () => {
    const fd = openSync(join(dir, "short"), "w+");
    ftruncateSync(fd, PAGE);
    const h = a.slab_register(slab_create(WASM_PAGE).buffer);
    expect(a.slab_mapfile(h, 0, fd, 0, 2 * PAGE)).to.equal(-ENXIO);
    expect(a.slab_mapfile(h, 100, fd, 0, PAGE)).to.equal(-EINVAL);
    expect(a.slab_mapfile(h, 16 * PAGE, fd, 0, PAGE)).to.equal(-EINVAL);
    expect(a.slab_mapfile(h, 0, fd, 0, 0)).to.equal(-EINVAL);
    expect(a.slab_mapfile(h, 0, -1, 0, PAGE)).to.equal(-EBADF);
    expect(a.slab_unmap(h, 0, 17 * PAGE)).to.equal(-EINVAL);
    expect(a.slab_release(h)).to.equal(0);
    expect(a.slab_release(h)).to.equal(-EBADF);
    expect(a.slab_unmap(h, 0, PAGE)).to.equal(-EINVAL);
    closeSync(fd);
  });

  it("takes a view of shared memory, and nothing that is no memory", () => {
    const h = a.slab_register(new Uint8Array(new SharedArrayBuffer(64)));
    expect(a.slab_release(h)).to.equal(0);
    expect(() => a.slab_register("slab" as unknown as ArrayBuffer)).to.throw(TypeError, /ArrayBuffer/);
  });
});
