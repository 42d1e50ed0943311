// Files and block I/O: disks, traces, configuration. The name space is the host's own; a simulated host has files in memory.

/** Mode of rumpuser_open: read. */
export const RUMPUSER_OPEN_RDONLY = 0;
/** Mode of rumpuser_open: write. */
export const RUMPUSER_OPEN_WRONLY = 1;
/** Mode of rumpuser_open: read and write. */
export const RUMPUSER_OPEN_RDWR = 2;
/** The bits of the mode that say how it is accessed. */
export const RUMPUSER_OPEN_ACCMODE = 3;
/** Mode bit: create the file (mode 0600 on a host that has modes) if it does not exist. */
export const RUMPUSER_OPEN_CREATE = 4;
/** Mode bit: with CREATE, fail with EEXIST if it exists. */
export const RUMPUSER_OPEN_EXCL = 8;
/** Mode bit: the descriptor will be used with rumpuser_bio. */
export const RUMPUSER_OPEN_BIO = 0x10;

/** FileInfo.type: none of the others. */
export const RUMPUSER_FT_OTHER = 0;
/** FileInfo.type: directory. */
export const RUMPUSER_FT_DIR = 1;
/** FileInfo.type: regular file. */
export const RUMPUSER_FT_REG = 2;
/** FileInfo.type: block device. */
export const RUMPUSER_FT_BLK = 3;
/** FileInfo.type: character device. */
export const RUMPUSER_FT_CHR = 4;

/** Operation of rumpuser_bio: read. */
export const RUMPUSER_BIO_READ = 1;
/** Operation of rumpuser_bio: write. */
export const RUMPUSER_BIO_WRITE = 2;
/** Bit beside RUMPUSER_BIO_WRITE: complete only when the data is on stable storage. */
export const RUMPUSER_BIO_SYNC = 4;
/** Block I/O is in multiples of this many bytes. */
export const RUMPUSER_BIO_BLOCK = 512;

/** `fileoff` of rumpuser_iovread and rumpuser_iovwrite for a stream, which has no position. */
export const RUMPUSER_IOV_NOSEEK = -1;

/** Flag of rumpuser_syncfd: throw away cached data, so that the next read sees the file. */
export const RUMPUSER_SYNCFD_READ = 1;
/** Flag of rumpuser_syncfd: start writing cached data out. */
export const RUMPUSER_SYNCFD_WRITE = 2;
/** Flag of rumpuser_syncfd: writes before this call come before writes after it. */
export const RUMPUSER_SYNCFD_BARRIER = 4;
/** Flag of rumpuser_syncfd: return only when the data is on stable storage. The one call here that may block, for as long as the disk takes. */
export const RUMPUSER_SYNCFD_SYNC = 8;

/** Where rumpuser_open leaves the descriptor. */
export class FdResult {
  /** The descriptor, or -1. */
  fd = -1;
}

/** Where rumpuser_getfileinfo leaves its answer. */
export class FileInfo {
  /** Size in bytes; of a block device, its capacity. */
  size = 0;
  /** RUMPUSER_FT_*. */
  type: number = RUMPUSER_FT_OTHER;
}

/** Where rumpuser_iovread and rumpuser_iovwrite leave the number of bytes. */
export class IoResult {
  /** Bytes moved; less than asked for at the end of the file. */
  n = 0;
}

/** Files. */
export interface HyperFile {
  /**
   * Open `name`.
   * @returns 0 with out.fd set, owned by the kernel until rumpuser_close; ENOENT, EEXIST, EISDIR, EACCES, EMFILE, EINVAL (bad mode), ...
   * Source: rumpuser_open(3).
   */
  rumpuser_open(name: string, mode: number, out: FdResult): number;

  /** Give `fd` back. Block I/O under way still completes. @returns 0 or EBADF. Source: rumpuser_close(3). */
  rumpuser_close(fd: number): number;

  /** Size and type of `name`. @returns 0, ENOENT, EACCES, ... Source: rumpuser_getfileinfo(3). */
  rumpuser_getfileinfo(name: string, out: FileInfo): number;

  /**
   * Start block I/O of `len` bytes between slab offset `off` and offset `fileoff` of the file. The range belongs to the host until `done`,
   * which is called exactly once, within the kernel's bracket and never inside this call, with the bytes moved and 0 or an errno: EBADF, EIO,
   * EINVAL (len or fileoff not a multiple of 512, unknown operation), EFAULT (range outside the slab). Source: rumpuser_bio(3).
   */
  rumpuser_bio(
    fd: number,
    op: number,
    off: number,
    len: number,
    fileoff: number,
    done: (n: number, err: number) => void,
  ): void;

  /**
   * Read into `n` pieces of the slab; iov holds their (offset, length) pairs. `fileoff` in bytes or RUMPUSER_IOV_NOSEEK.
   * @returns 0 with out.n set; EBADF, EFAULT, EINVAL, EIO; EAGAIN for a stream that has nothing. Source: rumpuser_iovread(3).
   */
  rumpuser_iovread(fd: number, iov: Int32Array, n: number, fileoff: number, out: IoResult): number;

  /** Write `n` pieces of the slab. As rumpuser_iovread; ENOSPC, EFBIG. Source: rumpuser_iovwrite(3). */
  rumpuser_iovwrite(fd: number, iov: Int32Array, n: number, fileoff: number, out: IoResult): number;

  /**
   * Order or flush `len` bytes from `start` (len 0: to the end), as `flags` say. Blocks only with RUMPUSER_SYNCFD_SYNC.
   * @returns 0, EBADF, EIO, or EINVAL without READ or WRITE. Source: rumpuser_syncfd(3).
   */
  rumpuser_syncfd(fd: number, flags: number, start: number, len: number): number;
}
