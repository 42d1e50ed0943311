// Memory. The packet path lives in one fixed block, the slab; an address is an offset into it and 0 is null.

/**
 * The memory that every kernel of a process shares. It never grows or moves, so the views stay valid for the life of the process. It is the
 * buffer of a WebAssembly.Memory, which is why the checksum can run over it in SIMD and the native host can map files into it.
 */
export interface Slab {
  /** The bytes. Never detached. */
  readonly buffer: ArrayBuffer;
  /** Bytes. */
  readonly u8: Uint8Array;
  /** For access at any alignment and byte order. */
  readonly dv: DataView;
  /** Words of the host's byte order; the view for Atomics. */
  readonly i32: Int32Array;

  /**
   * The internet checksum of `len` bytes from offset `off`: big-endian 16-bit words added in ones' complement and folded to 16 bits, not
   * inverted; an odd last byte counts as the high half of a word (RFC 1071 §1). 0 for `len` 0.
   * Preconditions: 0 <= off, 0 <= len, off + len <= buffer.byteLength (not checked). hot
   */
  cksum(off: number, len: number): number;
}

/** Host memory for a kernel. */
export interface HyperMemory {
  /** The slab of this process. */
  readonly slab: Slab;

  /**
   * Take `size` bytes whose offset is a multiple of `align` (a power of two). The bytes are not cleared. Meant for page-sized chunks that the
   * kernel divides itself.
   * @returns the offset, owned by the kernel until it is freed; 0 when there is no room, when the kernel's RUMP_MEMLIMIT would be passed, or
   * when size or align make no sense. Source: rumpuser_malloc(3).
   */
  rumpuser_malloc(size: number, align: number): number;

  /**
   * Give back what rumpuser_malloc returned, with the size that was asked for. Anything else is a broken kernel: the host throws rather than
   * let two owners write to one page. Source: rumpuser_free(3).
   */
  rumpuser_free(off: number, size: number): void;
}
