// User I/O: the caller's buffers of a read or write, with progress (uiomove(9)).
import { EFAULT } from "../../hypercall/api/errno.ts";

/** uio_rw: from the kernel to the caller. */
export const UIO_READ = 0;
/** uio_rw: from the caller to the kernel. */
export const UIO_WRITE = 1;
/**
 * Copying 16 / 64 / 256 bytes takes 23 / 56 / 210 ns in a loop of bytes, 50 ns at any size through a view that must be made (and is
 * garbage), 15 / 28 / 97 ns in words through views that are there already (Node 20.20, busy machine).
 */
const UIO_LOOP = 32;
/** Up to this many bytes words beat a new view. */
const UIO_WORDS = 128;

/** Results of a system call (C's register_t retval[2]). */
export class RetVal {
  /** The result. */
  val = 0;
  /** The second result of calls that have two, such as socketpair. */
  val1 = 0;
}

/** Buffers of one read or write. Kernel functions consume it from the front, so a call that is repeated goes on where it was. */
export class Uio {
  /** The buffers. */
  uio_iov: readonly Uint8Array[];
  /** Bytes not moved yet. */
  uio_resid: number;
  /** Bytes when the call began: what was moved is the difference. */
  uio_total: number;
  /** UIO_READ or UIO_WRITE. */
  uio_rw: number;
  /** Position in the file; sockets ignore it. */
  uio_offset = 0;
  /** Index of the current buffer. */
  uio_iovidx = 0;
  /** Position in the current buffer. */
  uio_iovpos = 0;
  private rbuf: Uint8Array | null = null;
  private rview: DataView | null = null;
  private wbuf: Uint8Array | null = null;
  private wview: DataView | null = null;

  constructor(rw: number, iov: readonly Uint8Array[]) {
    this.uio_rw = rw;
    this.uio_iov = iov;
    this.uio_resid = 0;
    this.uio_total = 0;
    this.reset(rw, iov);
  }

  /** Use the object again for another call. */
  reset(rw: number, iov: readonly Uint8Array[]): void {
    let n = 0;
    for (let i = 0; i < iov.length; i++) n += iov[i].length;
    this.uio_rw = rw;
    this.uio_iov = iov;
    this.uio_resid = n;
    this.uio_total = n;
    this.uio_offset = 0;
    this.uio_iovidx = 0;
    this.uio_iovpos = 0;
  }

  /**
   * A view of a buffer that was used in the same direction the last time, or null. A program that uses its buffers again gets copies
   * in words; one that does not pays nothing. The last buffers stay referenced until others are used. hot
   */
  view(buf: Uint8Array): DataView | null {
    if (this.uio_rw === UIO_READ) {
      if (this.rbuf === buf) return (this.rview ??= new DataView(buf.buffer, buf.byteOffset, buf.byteLength));
      this.rbuf = buf;
      this.rview = null;
    } else {
      if (this.wbuf === buf) return (this.wview ??= new DataView(buf.buffer, buf.byteOffset, buf.byteLength));
      this.wbuf = buf;
      this.wview = null;
    }
    return null;
  }
}

/** What uiomove needs of a kernel. */
export interface UioSlab {
  /** The slab's bytes. */
  readonly u8: Uint8Array;
  /** The slab as a view, for copies in words; they are made in bytes without it. */
  readonly dv?: DataView;
}

/**
 * Move `n` bytes between the slab at `off` and `uio`, in the uio's direction. Moves less only when the uio ends first:
 * uio_resid tells. hot
 */
export function uiomove(k: UioSlab, off: number, n: number, uio: Uio): number {
  const u8 = k.u8;
  let left = n < uio.uio_resid ? n : uio.uio_resid;
  let at = off;
  while (left > 0) {
    if (uio.uio_iovidx >= uio.uio_iov.length) return EFAULT;
    const iov = uio.uio_iov[uio.uio_iovidx];
    const pos = uio.uio_iovpos;
    const room = iov.length - pos;
    const c = room < left ? room : left;
    if (c > 0) {
      const slab = c <= UIO_WORDS ? k.dv : undefined;
      const view = slab === undefined ? null : uio.view(iov);
      if (view !== null && slab !== undefined) {
        if (uio.uio_rw === UIO_READ) copy_words(slab, at, view, pos, c);
        else copy_words(view, pos, slab, at, c);
      } else if (uio.uio_rw === UIO_READ) {
        copy_bytes(u8, at, iov, pos, c);
      } else {
        copy_bytes(iov, pos, u8, at, c);
      }
    }
    if (c === room) {
      uio.uio_iovidx++;
      uio.uio_iovpos = 0;
    } else {
      uio.uio_iovpos = pos + c;
    }
    uio.uio_resid -= c;
    uio.uio_offset += c;
    at += c;
    left -= c;
  }
  return 0;
}

/** Move bytes between an ordinary array (a control structure) and `uio`; the result is how many. */
export function uiomove_bytes(bytes: Uint8Array, from: number, n: number, uio: Uio): number {
  const before = uio.uio_resid;
  uiomove({ u8: bytes }, from, n, uio);
  return before - uio.uio_resid;
}

function copy_words(src: DataView, soff: number, dst: DataView, doff: number, n: number): void {
  let i = 0;
  for (; i + 16 <= n; i += 16) {
    dst.setInt32(doff + i, src.getInt32(soff + i));
    dst.setInt32(doff + i + 4, src.getInt32(soff + i + 4));
    dst.setInt32(doff + i + 8, src.getInt32(soff + i + 8));
    dst.setInt32(doff + i + 12, src.getInt32(soff + i + 12));
  }
  for (; i + 4 <= n; i += 4) dst.setInt32(doff + i, src.getInt32(soff + i));
  for (; i < n; i++) dst.setUint8(doff + i, src.getUint8(soff + i));
}

function copy_bytes(src: Uint8Array, soff: number, dst: Uint8Array, doff: number, n: number): void {
  if (n < UIO_LOOP) {
    for (let i = 0; i < n; i++) dst[doff + i] = src[soff + i];
  } else if (n === src.length) {
    dst.set(src, doff);
  } else {
    dst.set(src.subarray(soff, soff + n), doff);
  }
}
