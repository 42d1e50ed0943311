// The slab memory behind the mbuf pools: chunks taken from the host on demand, clusters, and reference counts.
import type { HyperMemory } from "../../hypercall/api/memory.ts";
import { MCLBYTES, MJUMBYTES, MSIZE } from "./mbuf.ts";

/** Bytes taken from the host at a time for mbufs and for clusters. */
export const MB_CHUNK: number = 64 * 1024;
/** Default limit of kern.mbuf.nmbufs: 32 MB of inline areas. */
export const NMBUFS: number = 131_072;
/** Default limit of kern.mbuf.nmbclusters: 64 MB. */
export const NMBCLUSTERS: number = 32_768;
/** Default limit of kern.mbuf.nmbjumbo: 66 MB. */
export const NMBJUMBO: number = 1024;

/** Kind of external storage: a 2 KB cluster of the pool. */
export const EXT_CLUSTER = 1;
/** Kind of external storage: a jumbo cluster of the pool. */
export const EXT_JUMBO = 2;
/** Kind of external storage: owned by somebody else, freed by m_ext_free. */
export const EXT_USER = 3;

/** Alignment of chunks: a cache line. */
const MB_ALIGN = 64;
/** Entries of the first reference count table. */
const EXT_FIRST = 64;

/** A stack of small integers that grows by doubling. */
export class IntStack {
  /** Values, valid below n. */
  v: Int32Array = new Int32Array(EXT_FIRST);
  /** Number of values. */
  n = 0;

  /** Put `x` on top. */
  push(x: number): void {
    if (this.n === this.v.length) {
      const bigger = new Int32Array(this.v.length * 2);
      bigger.set(this.v);
      this.v = bigger;
    }
    this.v[this.n++] = x;
  }
}

/** Chunks, free clusters and the reference count table of one kernel. */
export class MbufMemory {
  /** The slab's bytes. */
  readonly u8: Uint8Array;
  /** The slab as a view for multi-byte access. */
  readonly dv: DataView;
  /** Reference count of each external storage, by its index. */
  ext_refs: Int32Array = new Int32Array(EXT_FIRST);
  /** Slab offset of each external storage. */
  ext_offs: Int32Array = new Int32Array(EXT_FIRST);
  /** EXT_* of each external storage. */
  ext_kind: Uint8Array = new Uint8Array(EXT_FIRST);
  /** Indices handed out so far. */
  ext_n = 0;
  /** Free 2 KB clusters, by index. */
  readonly cl_free: IntStack = new IntStack();
  /** Free jumbo clusters, by index. */
  readonly jcl_free: IntStack = new IntStack();
  /** Indices that once named external storage and are free again. */
  readonly user_free: IntStack = new IntStack();
  /** Most mbufs that may exist (kern.mbuf.nmbufs). */
  nmbufs: number = NMBUFS;
  /** Most clusters that may exist (kern.mbuf.nmbclusters). */
  nmbclusters: number = NMBCLUSTERS;
  /** Most jumbo clusters that may exist (kern.mbuf.nmbjumbo). */
  nmbjumbo: number = NMBJUMBO;
  /** Mbufs that exist, free ones included. */
  mbuf_total = 0;
  /** Clusters that exist, free ones included. */
  cl_total = 0;
  /** Jumbo clusters that exist, free ones included. */
  jcl_total = 0;
  /** Bytes taken from the host. */
  bytes = 0;

  private readonly memory: HyperMemory;
  private readonly chunks: number[] = [];
  private mbuf_next = 0;
  private mbuf_end = 0;
  private cl_next = 0;
  private cl_end = 0;

  constructor(memory: HyperMemory) {
    this.memory = memory;
    this.u8 = memory.slab.u8;
    this.dv = memory.slab.dv;
  }

  /** The inline area of a new mbuf, or 0 when the limit is reached or the host has no memory. */
  mbuf_carve(): number {
    if (this.mbuf_total >= this.nmbufs) return 0;
    if (this.mbuf_next === this.mbuf_end) {
      const off = this.chunk(MB_CHUNK);
      if (off === 0) return 0;
      this.mbuf_next = off;
      this.mbuf_end = off + MB_CHUNK;
    }
    const dat = this.mbuf_next;
    this.mbuf_next += MSIZE;
    this.mbuf_total++;
    return dat;
  }

  /** The index of a new cluster, or -1. */
  cl_carve(): number {
    if (this.cl_total >= this.nmbclusters) return -1;
    if (this.cl_next === this.cl_end) {
      const off = this.chunk(MB_CHUNK);
      if (off === 0) return -1;
      this.cl_next = off;
      this.cl_end = off + MB_CHUNK;
    }
    const id = this.ext_new(EXT_CLUSTER, this.cl_next);
    this.cl_next += MCLBYTES;
    this.cl_total++;
    return id;
  }

  /** The index of a new jumbo cluster, or -1. */
  jcl_carve(): number {
    if (this.jcl_total >= this.nmbjumbo) return -1;
    const off = this.chunk(MJUMBYTES);
    if (off === 0) return -1;
    this.jcl_total++;
    return this.ext_new(EXT_JUMBO, off);
  }

  /** The index for storage that somebody else owns. */
  user_carve(off: number): number {
    const stack = this.user_free;
    if (stack.n === 0) return this.ext_new(EXT_USER, off);
    const id = stack.v[--stack.n];
    this.ext_offs[id] = off;
    return id;
  }

  /** Give every chunk back to the host. The pools are unusable from then on. */
  release_all(): void {
    for (let i = 0; i < this.chunks.length; i += 2) this.memory.rumpuser_free(this.chunks[i], this.chunks[i + 1]);
    this.chunks.length = 0;
    this.bytes = 0;
    this.nmbufs = this.nmbclusters = this.nmbjumbo = 0;
    this.cl_free.n = this.jcl_free.n = 0;
  }

  private chunk(size: number): number {
    const off = this.memory.rumpuser_malloc(size, MB_ALIGN);
    if (off === 0) return 0;
    this.chunks.push(off, size);
    this.bytes += size;
    return off;
  }

  private ext_new(kind: number, off: number): number {
    const id = this.ext_n;
    if (id === this.ext_refs.length) this.ext_grow();
    this.ext_refs[id] = 0;
    this.ext_offs[id] = off;
    this.ext_kind[id] = kind;
    this.ext_n++;
    return id;
  }

  private ext_grow(): void {
    const n = this.ext_refs.length * 2;
    const refs = new Int32Array(n);
    const offs = new Int32Array(n);
    const kind = new Uint8Array(n);
    refs.set(this.ext_refs);
    offs.set(this.ext_offs);
    kind.set(this.ext_kind);
    this.ext_refs = refs;
    this.ext_offs = offs;
    this.ext_kind = kind;
  }
}
