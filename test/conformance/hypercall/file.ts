// Conformance: files and block I/O.
import { expect } from "chai";
import { EBADF, EEXIST, EFAULT, EINVAL, EISDIR, ENOENT } from "../../../hypercall/api/errno.ts";
import {
  FdResult,
  FileInfo,
  IoResult,
  RUMPUSER_BIO_READ,
  RUMPUSER_BIO_SYNC,
  RUMPUSER_BIO_WRITE,
  RUMPUSER_FT_REG,
  RUMPUSER_OPEN_BIO,
  RUMPUSER_OPEN_CREATE,
  RUMPUSER_OPEN_EXCL,
  RUMPUSER_OPEN_RDONLY,
  RUMPUSER_OPEN_RDWR,
  RUMPUSER_SYNCFD_BARRIER,
  RUMPUSER_SYNCFD_READ,
  RUMPUSER_SYNCFD_SYNC,
  RUMPUSER_SYNCFD_WRITE,
} from "../../../hypercall/api/file.ts";
import { HYPERCALL_VERSION, type Host } from "../../../hypercall/api/host.ts";
import { Bracket, type Subject } from "./subject.ts";

const SIZE = 8192;

function create(subject: Subject, host: Host, name: string): number {
  const out = new FdResult();
  const mode = RUMPUSER_OPEN_RDWR | RUMPUSER_OPEN_CREATE | RUMPUSER_OPEN_BIO;
  expect(host.file.rumpuser_open(subject.path(name), mode, out)).to.equal(0);
  return out.fd;
}

/** file. */
export function fileConformance(get: () => Subject): void {
  it("creates a file once, tells its size and type, and knows no other", () => {
    const { file } = get().host();
    const out = new FdResult();
    const info = new FileInfo();
    const path = get().path("file");
    expect(file.rumpuser_open(path, RUMPUSER_OPEN_RDONLY, out)).to.equal(ENOENT);
    expect(file.rumpuser_getfileinfo(path, info)).to.equal(ENOENT);
    const excl = RUMPUSER_OPEN_RDWR | RUMPUSER_OPEN_CREATE | RUMPUSER_OPEN_EXCL;
    expect(file.rumpuser_open(path, excl, out)).to.equal(0);
    expect(file.rumpuser_getfileinfo(path, info)).to.equal(0);
    expect([info.size, info.type]).to.deep.equal([0, RUMPUSER_FT_REG]);
    expect(file.rumpuser_open(path, excl, new FdResult())).to.equal(EEXIST);
    expect(file.rumpuser_open(path, 3, new FdResult())).to.equal(EINVAL);
    expect(file.rumpuser_open(path, 0x4000, new FdResult())).to.equal(EINVAL);
    expect(file.rumpuser_close(out.fd)).to.equal(0);
    expect(file.rumpuser_close(out.fd)).to.equal(EBADF);
  });

  it("refuses descriptors that this kernel has not opened, and directories for writing", () => {
    const [one, two] = [get().host(), get().host()];
    const fd = create(get(), one, "mine");
    const io = new IoResult();
    expect(two.file.rumpuser_close(fd)).to.equal(EBADF);
    expect(two.file.rumpuser_iovread(fd, new Int32Array(2), 1, 0, io)).to.equal(EBADF);
    expect(two.file.rumpuser_syncfd(fd, RUMPUSER_SYNCFD_WRITE, 0, 0)).to.equal(EBADF);
    expect(one.file.rumpuser_open(get().path("."), RUMPUSER_OPEN_RDWR, new FdResult())).to.be.oneOf([EISDIR, ENOENT]);
    one.file.rumpuser_close(fd);
  });

  it("scatters and gathers, short at the end of the file", () => {
    const host = get().host();
    const { u8 } = host.memory.slab;
    const off = host.memory.rumpuser_malloc(SIZE, 8);
    const fd = create(get(), host, "iov");
    const io = new IoResult();
    for (let i = 0; i < 100; i++) u8[off + i] = i;
    const pieces = Int32Array.of(off + 50, 10, off, 5, off + 99, 0);
    expect(host.file.rumpuser_iovwrite(fd, pieces, 3, 7, io)).to.equal(0);
    expect(io.n).to.equal(15);
    expect(host.file.rumpuser_iovread(fd, Int32Array.of(off + 1000, 8, off + 2000, 100), 2, 5, io)).to.equal(0);
    expect(io.n).to.equal(17);
    expect([...u8.subarray(off + 1000, off + 1008)]).to.deep.equal([0, 0, 50, 51, 52, 53, 54, 55]);
    expect([...u8.subarray(off + 2000, off + 2009)]).to.deep.equal([56, 57, 58, 59, 0, 1, 2, 3, 4]);
    expect(host.file.rumpuser_iovread(fd, Int32Array.of(off, 8), 1, 1000, io)).to.equal(0);
    expect(io.n).to.equal(0);
    expect(host.file.rumpuser_iovread(fd, Int32Array.of(u8.length - 4, 8), 1, 0, io)).to.equal(EFAULT);
    expect(host.file.rumpuser_iovread(fd, Int32Array.of(off, 8), 2, 0, io)).to.equal(EINVAL);
    host.file.rumpuser_close(fd);
    expect(host.file.rumpuser_iovread(fd, pieces, 1, 0, io)).to.equal(EBADF);
    host.memory.rumpuser_free(off, SIZE);
  });

  it("completes block I/O later, once, within the bracket, even when the descriptor is closed meanwhile", async () => {
    const host = get().host();
    const up = new Bracket();
    host.rumpuser_init(HYPERCALL_VERSION, up);
    const off = host.memory.rumpuser_malloc(SIZE, 8);
    const fd = create(get(), host, "disk");
    const results: string[] = [];
    const bio = (label: string, op: number, from: number, len: number, at: number): void =>
      host.file.rumpuser_bio(fd, op, from, len, at, (n, err) => {
        expect(up.depth).to.equal(1);
        results.push(`${label} ${n} ${err}`);
      });
    host.memory.slab.u8.fill(9, off, off + 1024);
    bio("write", RUMPUSER_BIO_WRITE | RUMPUSER_BIO_SYNC, off, 1024, 512);
    expect(results).to.deep.equal([]);
    await get().pass(50e6);
    bio("read", RUMPUSER_BIO_READ, off + 4096, 2048, 512);
    bio("odd", RUMPUSER_BIO_READ, off, 500, 0);
    bio("place", RUMPUSER_BIO_READ, off, 512, 100);
    bio("op", 64, off, 512, 0);
    bio("range", RUMPUSER_BIO_READ, host.memory.slab.u8.length - 100, 512, 0);
    expect(host.file.rumpuser_close(fd)).to.equal(0);
    bio("closed", RUMPUSER_BIO_READ, off, 512, 0);
    expect(results).to.deep.equal(["write 1024 0"]);
    await get().pass(50e6);
    expect(results.slice(1).sort()).to.deep.equal(
      [
        "read 1024 0",
        `odd 0 ${EINVAL}`,
        `place 0 ${EINVAL}`,
        `op 0 ${EINVAL}`,
        `range 0 ${EFAULT}`,
        `closed 0 ${EBADF}`,
      ].sort(),
    );
    expect(host.memory.slab.u8[off + 4096 + 1023]).to.equal(9);
    host.memory.rumpuser_free(off, SIZE);
  });

  it("orders and flushes what is asked for, and wants to be told which", () => {
    const host = get().host();
    const fd = create(get(), host, "sync");
    expect(host.file.rumpuser_syncfd(fd, RUMPUSER_SYNCFD_SYNC, 0, 0)).to.equal(EINVAL);
    expect(host.file.rumpuser_syncfd(fd, RUMPUSER_SYNCFD_READ, 0, 0)).to.equal(0);
    expect(host.file.rumpuser_syncfd(fd, RUMPUSER_SYNCFD_WRITE | RUMPUSER_SYNCFD_BARRIER, 0, 512)).to.equal(0);
    expect(host.file.rumpuser_syncfd(fd, RUMPUSER_SYNCFD_WRITE | RUMPUSER_SYNCFD_SYNC, 0, 0)).to.equal(0);
    host.file.rumpuser_close(fd);
  });
}
