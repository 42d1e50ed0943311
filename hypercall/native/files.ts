// Files group: the host's own files by path. Descriptors are the host's; only those that this kernel has opened are accepted, so that a
// kernel cannot close or write what belongs to the program around it.
import { constants } from "node:fs";
import { EBADF, EFAULT, EINVAL } from "../api/errno.ts";
import {
  type FdResult,
  type FileInfo,
  type HyperFile,
  type IoResult,
  RUMPUSER_BIO_BLOCK,
  RUMPUSER_BIO_READ,
  RUMPUSER_BIO_SYNC,
  RUMPUSER_BIO_WRITE,
  RUMPUSER_FT_BLK,
  RUMPUSER_FT_CHR,
  RUMPUSER_FT_DIR,
  RUMPUSER_FT_OTHER,
  RUMPUSER_FT_REG,
  RUMPUSER_OPEN_ACCMODE,
  RUMPUSER_OPEN_BIO,
  RUMPUSER_OPEN_CREATE,
  RUMPUSER_OPEN_EXCL,
  RUMPUSER_SYNCFD_BARRIER,
  RUMPUSER_SYNCFD_READ,
  RUMPUSER_SYNCFD_SYNC,
  RUMPUSER_SYNCFD_WRITE,
} from "../api/file.ts";
import type { RegionHandle } from "./addon.ts";
import { errtrans } from "./errtrans.ts";
import type { NativeCtx } from "./native_ctx.ts";

const CREATE_MODE = 0o600;
/** Pieces of one call: the kernel of the host allows no more (UIO_MAXIOV). */
const IOV_LIMIT = 1024;
/** sync_file_range(2): wait for earlier writes, start writing. */
const SYNC_RANGE_BEFORE = 1;
const SYNC_RANGE_WRITE = 2;
const MODE_BITS = RUMPUSER_OPEN_ACCMODE | RUMPUSER_OPEN_CREATE | RUMPUSER_OPEN_EXCL | RUMPUSER_OPEN_BIO;

const FILE_TYPES: ReadonlyMap<number, number> = new Map([
  [constants.S_IFDIR, RUMPUSER_FT_DIR],
  [constants.S_IFREG, RUMPUSER_FT_REG],
  [constants.S_IFBLK, RUMPUSER_FT_BLK],
  [constants.S_IFCHR, RUMPUSER_FT_CHR],
]);

/** What is known of an open descriptor. */
class OpenFile {
  /** Block I/O under way. */
  busy = 0;
  /** Closed by the kernel; the host closes it when nothing is under way. */
  closing = false;
}

/** Files. */
export class NativeFile implements HyperFile {
  private readonly cx: NativeCtx;
  private readonly open: Map<number, OpenFile> = new Map<number, OpenFile>();
  private readonly pairs: Int32Array = new Int32Array(2 * IOV_LIMIT);
  private readonly ctl: RegionHandle;

  constructor(cx: NativeCtx) {
    this.cx = cx;
    this.ctl = cx.process.addon.slab_register(this.pairs);
  }

  rumpuser_open(name: string, mode: number, out: FdResult): number {
    const access = mode & RUMPUSER_OPEN_ACCMODE;
    if ((mode & ~MODE_BITS) !== 0 || access === RUMPUSER_OPEN_ACCMODE || name === "") return EINVAL;
    let flags = access | constants.O_NONBLOCK;
    if ((mode & RUMPUSER_OPEN_CREATE) !== 0) {
      flags |= constants.O_CREAT;
      if ((mode & RUMPUSER_OPEN_EXCL) !== 0) flags |= constants.O_EXCL;
    }
    const fd = this.cx.process.addon.fd_open(name, flags, CREATE_MODE);
    if (fd < 0) return errtrans(fd);
    this.open.set(fd, new OpenFile());
    out.fd = fd;
    return 0;
  }

  rumpuser_close(fd: number): number {
    const file = this.find(fd);
    if (file === null) return EBADF;
    file.closing = true;
    if (file.busy === 0) this.dispose(fd);
    return 0;
  }

  rumpuser_getfileinfo(name: string, out: FileInfo): number {
    const stat = this.cx.process.addon.path_stat(name);
    if (typeof stat === "number") return errtrans(stat);
    out.size = stat.size;
    out.type = FILE_TYPES.get(stat.type) ?? RUMPUSER_FT_OTHER;
    return 0;
  }

  rumpuser_bio(
    fd: number,
    op: number,
    off: number,
    len: number,
    fileoff: number,
    done: (n: number, err: number) => void,
  ): void {
    const file = this.find(fd);
    const error = file === null ? EBADF : this.bio_start(fd, file, op, off, len, fileoff, done);
    if (error !== 0) this.cx.defer_upcall(() => done(0, error));
  }

  rumpuser_iovread(fd: number, iov: Int32Array, n: number, fileoff: number, out: IoResult): number {
    return this.iov(fd, iov, n, fileoff, out, this.cx.process.addon.iov_read);
  }

  rumpuser_iovwrite(fd: number, iov: Int32Array, n: number, fileoff: number, out: IoResult): number {
    return this.iov(fd, iov, n, fileoff, out, this.cx.process.addon.iov_write);
  }

  rumpuser_syncfd(fd: number, flags: number, start: number, len: number): number {
    if (this.find(fd) === null) return EBADF;
    if ((flags & (RUMPUSER_SYNCFD_READ | RUMPUSER_SYNCFD_WRITE)) === 0 || start < 0 || len < 0) return EINVAL;
    // The host's page cache is one for all readers: there is nothing stale to throw away for READ.
    if ((flags & RUMPUSER_SYNCFD_WRITE) === 0) return 0;
    const stable = (flags & RUMPUSER_SYNCFD_SYNC) !== 0;
    const before = (flags & RUMPUSER_SYNCFD_BARRIER) !== 0 ? SYNC_RANGE_BEFORE : 0;
    return errtrans(this.cx.process.addon.fd_sync(fd, stable ? 0 : SYNC_RANGE_WRITE | before, start, len));
  }

  /** Close everything, when the host ends. */
  close_all(): void {
    for (const [fd, file] of this.open) {
      file.closing = true;
      if (file.busy === 0) this.dispose(fd);
    }
    this.cx.process.addon.slab_release(this.ctl);
  }

  private find(fd: number): OpenFile | null {
    const file = this.open.get(fd);
    return file === undefined || file.closing ? null : file;
  }

  private dispose(fd: number): void {
    this.open.delete(fd);
    this.cx.process.addon.fd_close(fd);
  }

  private bio_start(
    fd: number,
    file: OpenFile,
    op: number,
    off: number,
    len: number,
    fileoff: number,
    done: (n: number, err: number) => void,
  ): number {
    const write = op === RUMPUSER_BIO_WRITE || op === (RUMPUSER_BIO_WRITE | RUMPUSER_BIO_SYNC);
    if ((op !== RUMPUSER_BIO_READ && !write) || !(len > 0) || len % RUMPUSER_BIO_BLOCK !== 0) return EINVAL;
    if (!(fileoff >= 0) || fileoff % RUMPUSER_BIO_BLOCK !== 0) return EINVAL;
    if (!(off >= 0) || off + len > this.cx.process.slab.u8.length) return EFAULT;
    const { addon, region } = this.cx.process;
    const refused = addon.bio(fd, op, region, off, len, fileoff, (bytes, error) => {
      file.busy--;
      if (file.closing && file.busy === 0) this.dispose(fd);
      this.cx.upcall(() => done(bytes, errtrans(error)));
    });
    if (refused < 0) return errtrans(refused);
    file.busy++;
    return 0;
  }

  private iov(
    fd: number,
    iov: Int32Array,
    n: number,
    fileoff: number,
    out: IoResult,
    call: (fd: number, slab: number, ctl: number, first: number, pairs: number, fileoff: number) => number,
  ): number {
    out.n = 0;
    if (this.find(fd) === null) return EBADF;
    if (!(n > 0) || n > IOV_LIMIT || iov.length < 2 * n) return EINVAL;
    this.pairs.set(iov.subarray(0, 2 * n));
    const moved = call(fd, this.cx.process.region, this.ctl, 0, n, fileoff);
    if (moved < 0) return errtrans(moved);
    out.n = moved;
    return 0;
  }
}
