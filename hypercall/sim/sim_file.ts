// Files in memory, one name space for the whole world, so that kernels can share a disk image or read each other's traces.
import { EBADF, EEXIST, EFAULT, EINVAL, EIO, EISDIR, ENOENT, ENOSPC } from "../api/errno.ts";
import {
  type FdResult,
  type FileInfo,
  type HyperFile,
  type IoResult,
  RUMPUSER_BIO_BLOCK,
  RUMPUSER_BIO_READ,
  RUMPUSER_BIO_SYNC,
  RUMPUSER_BIO_WRITE,
  RUMPUSER_FT_REG,
  RUMPUSER_IOV_NOSEEK,
  RUMPUSER_OPEN_ACCMODE,
  RUMPUSER_OPEN_BIO,
  RUMPUSER_OPEN_CREATE,
  RUMPUSER_OPEN_EXCL,
  RUMPUSER_OPEN_RDONLY,
  RUMPUSER_OPEN_WRONLY,
  RUMPUSER_SYNCFD_READ,
  RUMPUSER_SYNCFD_WRITE,
} from "../api/file.ts";
import type { SimTarget } from "./event_queue.ts";
import type { SimHost } from "./sim_host.ts";

/** Largest file. */
export const SIM_FILE_MAX: number = 64 * 1024 * 1024;
/** What a block transfer takes, in ns. */
export const SIM_BIO_NS = 100_000;

/** One file of the world. */
export class SimFile {
  /** Its contents; shorter than the array when it has been extended in advance. */
  data: Uint8Array;
  /** Its length. */
  size: number;

  constructor(data: Uint8Array) {
    this.data = data;
    this.size = data.length;
  }

  /** The contents, copied. */
  bytes(): Uint8Array {
    return this.data.slice(0, this.size);
  }

  /** Make room for `size` bytes, zeros between. @returns whether it may be that long. */
  extend(size: number): boolean {
    if (size > SIM_FILE_MAX) return false;
    if (size > this.data.length) {
      const bigger = new Uint8Array(Math.min(SIM_FILE_MAX, Math.max(size, this.data.length * 2)));
      bigger.set(this.data.subarray(0, this.size));
      this.data = bigger;
    }
    this.size = Math.max(this.size, size);
    return true;
  }
}

/** An open descriptor: the file, its mode, and the position of a stream. */
class OpenFile {
  readonly file: SimFile;
  readonly mode: number;
  position = 0;

  constructor(file: SimFile, mode: number) {
    this.file = file;
    this.mode = mode;
  }
}

/** A block transfer under way. */
class SimBio implements SimTarget {
  readonly sim_name: string;
  private readonly host: SimHost;
  private readonly transfer: () => number;
  private readonly done: (n: number, err: number) => void;

  constructor(host: SimHost, transfer: () => number, done: (n: number, err: number) => void) {
    this.sim_name = `${host.hostname}: bio`;
    this.host = host;
    this.transfer = transfer;
    this.done = done;
  }

  sim_fire(): void {
    if (!this.host.alive) return;
    const n = this.transfer();
    this.host.schedule();
    try {
      this.done(Math.max(n, 0), n < 0 ? -n : 0);
    } finally {
      this.host.unschedule();
    }
  }
}

/** The file hypercalls of one host. */
export class SimFiles implements HyperFile {
  private readonly host: SimHost;
  private readonly open: (OpenFile | null)[] = [];

  constructor(host: SimHost) {
    this.host = host;
  }

  /** See HyperFile. Directories do not exist; a name that ends in / is EISDIR. */
  rumpuser_open(name: string, mode: number, out: FdResult): number {
    out.fd = -1;
    const known = RUMPUSER_OPEN_ACCMODE | RUMPUSER_OPEN_CREATE | RUMPUSER_OPEN_EXCL | RUMPUSER_OPEN_BIO;
    if ((mode & RUMPUSER_OPEN_ACCMODE) === RUMPUSER_OPEN_ACCMODE || (mode & ~known) !== 0 || name === "") return EINVAL;
    if (name.endsWith("/")) return EISDIR;
    const files = this.host.world.files;
    let file = files.get(name);
    if (file === undefined) {
      if ((mode & RUMPUSER_OPEN_CREATE) === 0) return ENOENT;
      file = new SimFile(new Uint8Array(0));
      files.set(name, file);
    } else if ((mode & RUMPUSER_OPEN_CREATE) !== 0 && (mode & RUMPUSER_OPEN_EXCL) !== 0) return EEXIST;
    const free = this.open.indexOf(null);
    out.fd = free === -1 ? this.open.length : free;
    this.open[out.fd] = new OpenFile(file, mode);
    return 0;
  }

  /** See HyperFile. */
  rumpuser_close(fd: number): number {
    if (this.find(fd) === null) return EBADF;
    this.open[fd] = null;
    return 0;
  }

  /** See HyperFile. */
  rumpuser_getfileinfo(name: string, out: FileInfo): number {
    const file = this.host.world.files.get(name);
    if (file === undefined) return ENOENT;
    out.size = file.size;
    out.type = RUMPUSER_FT_REG;
    return 0;
  }

  /** See HyperFile. Takes SIM_BIO_NS of the world's time. */
  rumpuser_bio(
    fd: number,
    op: number,
    off: number,
    len: number,
    fileoff: number,
    done: (n: number, err: number) => void,
  ): void {
    const of = this.find(fd);
    const write = (op & RUMPUSER_BIO_WRITE) !== 0;
    const error = of === null ? EBADF : this.bio_error(of, op, off, len, fileoff);
    const transfer = (): number => {
      if (error !== 0 || of === null) return -error;
      return write ? this.put(of.file, off, len, fileoff) : this.get(of.file, off, len, fileoff);
    };
    const world = this.host.world;
    world.at(world.now_ns + SIM_BIO_NS, new SimBio(this.host, transfer, done), 0);
  }

  /** See HyperFile. */
  rumpuser_iovread(fd: number, iov: Int32Array, n: number, fileoff: number, out: IoResult): number {
    return this.iov(fd, iov, n, fileoff, out, false);
  }

  /** See HyperFile. */
  rumpuser_iovwrite(fd: number, iov: Int32Array, n: number, fileoff: number, out: IoResult): number {
    return this.iov(fd, iov, n, fileoff, out, true);
  }

  /** See HyperFile. Memory is always in step with itself. */
  rumpuser_syncfd(fd: number, flags: number): number {
    if (this.find(fd) === null) return EBADF;
    return (flags & (RUMPUSER_SYNCFD_READ | RUMPUSER_SYNCFD_WRITE)) === 0 ? EINVAL : 0;
  }

  private find(fd: number): OpenFile | null {
    return this.host.alive ? (this.open[fd] ?? null) : null;
  }

  private bio_error(of: OpenFile, op: number, off: number, len: number, fileoff: number): number {
    const kind = op & ~RUMPUSER_BIO_SYNC;
    if (kind !== RUMPUSER_BIO_READ && kind !== RUMPUSER_BIO_WRITE) return EINVAL;
    if (!(len > 0 && fileoff >= 0) || len % RUMPUSER_BIO_BLOCK !== 0 || fileoff % RUMPUSER_BIO_BLOCK !== 0)
      return EINVAL;
    if (!this.host.world.in_slab(off, len)) return EFAULT;
    if ((of.mode & RUMPUSER_OPEN_BIO) === 0) return EINVAL;
    return allowed(of.mode, kind === RUMPUSER_BIO_WRITE) ? 0 : EBADF;
  }

  private iov(fd: number, iov: Int32Array, n: number, fileoff: number, out: IoResult, write: boolean): number {
    out.n = 0;
    const of = this.find(fd);
    if (of === null || !allowed(of.mode, write)) return EBADF;
    if (!Number.isInteger(n) || n < 0 || n * 2 > iov.length || fileoff < RUMPUSER_IOV_NOSEEK) return EINVAL;
    for (let i = 0; i < n; i++) if (!this.host.world.in_slab(iov[2 * i] >>> 0, iov[2 * i + 1])) return EFAULT;
    let at = fileoff === RUMPUSER_IOV_NOSEEK ? of.position : fileoff;
    for (let i = 0; i < n; i++) {
      const len = iov[2 * i + 1];
      const moved = write ? this.put(of.file, iov[2 * i] >>> 0, len, at) : this.get(of.file, iov[2 * i] >>> 0, len, at);
      if (moved < 0) return out.n > 0 ? 0 : -moved;
      at += moved;
      out.n += moved;
      if (moved < len) break;
    }
    if (fileoff === RUMPUSER_IOV_NOSEEK) of.position = at;
    return 0;
  }

  private put(file: SimFile, off: number, len: number, at: number): number {
    if (!file.extend(at + len)) return -ENOSPC;
    file.data.set(this.host.world.slab.u8.subarray(off, off + len), at);
    return len;
  }

  private get(file: SimFile, off: number, len: number, at: number): number {
    if (at < 0) return -EIO;
    const n = Math.max(0, Math.min(len, file.size - at));
    this.host.world.slab.u8.set(file.data.subarray(at, at + n), off);
    return n;
  }
}

function allowed(mode: number, write: boolean): boolean {
  const access = mode & RUMPUSER_OPEN_ACCMODE;
  return write ? access !== RUMPUSER_OPEN_RDONLY : access !== RUMPUSER_OPEN_WRONLY;
}
