/**
 * Reading a bus from outside, without attaching: what dumpbus shows. Takes no lock, disturbs nobody; a frame that is written over while it is
 * copied is left out and counted.
 */
import {
  ARENA_UNIT,
  BUS_ATTACHED,
  BUS_MAGIC,
  BUS_VERSION,
  DESC_CSUM,
  DESC_CSUMPOS,
  DESC_GSO,
  DESC_LEN,
  DESC_NSEC,
  DESC_PKTID,
  DESC_POS,
  DESC_SEC,
  DESC_WORDS,
  SHMIF_CSUM_NEEDED,
  PORT_FLAGS,
  PORT_GEN,
  PORT_HDRSIZE,
  PORT_HEAD,
  PORT_MAC_HI,
  PORT_MAC_LO,
  PORT_OVERRUN,
  PORT_PARKED,
  PORT_PID,
  PORT_TAIL,
  SHMIF_MAGIC,
  SHMIF_MAXFRAME,
  SHMIF_VERSION,
  ShmifGeometry,
} from "./shmif_layout.ts";
import { shmif_complete } from "./shmif_offload.ts";

/** What is known of one port of a bus. */
export interface ShmifPortView {
  readonly port: number;
  readonly attached: boolean;
  readonly generation: number;
  /** Owner's process id as it wrote it; 0 if unknown. */
  readonly pid: number;
  readonly mac_hi: number;
  readonly mac_lo: number;
  readonly flags: number;
  readonly head: number;
  readonly tail: number;
  readonly parked: boolean;
  /** Frames that this port lost because it did not read them in time. */
  readonly overruns: number;
}

/** One frame found on a bus; `data` is a copy, with the transport checksum that was left open on the bus. A superframe is one frame. */
export interface ShmifRecord {
  readonly port: number;
  /** Position in its port's ring, 32 bits. */
  readonly position: number;
  readonly sec: number;
  readonly nsec: number;
  /** The checksum was open on the bus; `data` has it filled in. */
  readonly csum_open: boolean;
  readonly gso_type: number;
  readonly gso_size: number;
  readonly pktid: number;
  readonly data: Uint8Array;
}

/** A bus at one moment. */
export interface ShmifView {
  readonly version: number;
  readonly geometry: ShmifGeometry;
  readonly ports: readonly ShmifPortView[];
  /** All frames still on the bus, oldest first. */
  readonly records: readonly ShmifRecord[];
  /** Frames left out because they were written over or were out of bounds. */
  readonly unreadable: number;
}

/**
 * Looks at the region of `bytes` bytes at `off`.
 * @returns the view, or a text that says why this is no bus
 */
export function shmif_view(u8: Uint8Array, i32: Int32Array, off: number, bytes: number): ShmifView | string {
  const b = off >>> 2;
  if (i32[b + BUS_MAGIC] !== SHMIF_MAGIC)
    return `not a shmif bus: magic is 0x${(i32[b + BUS_MAGIC]! >>> 0).toString(16)}`;
  const version = i32[b + BUS_VERSION]!;
  if (version !== SHMIF_VERSION) return `shmif bus of version ${version}; this program reads version ${SHMIF_VERSION}`;
  const geometry = new ShmifGeometry(bytes);
  const ports: ShmifPortView[] = [];
  const records: ShmifRecord[] = [];
  let unreadable = 0;
  for (let p = 0; p < geometry.nports; p++) {
    const w = (off + geometry.port(p)) >>> 2;
    const attached = ((i32[b + BUS_ATTACHED + (p >> 5)]! >>> (p & 31)) & 1) === 1;
    if (!attached && i32[w + PORT_GEN] === 0) continue;
    ports.push(port_view(i32, w, p, attached));
    unreadable += port_records(u8, i32, off, geometry, p, records);
  }
  records.sort((x, y) => x.sec - y.sec || x.nsec - y.nsec || x.port - y.port || (x.position - y.position) | 0);
  return { version, geometry, ports, records, unreadable };
}

function port_view(i32: Int32Array, w: number, port: number, attached: boolean): ShmifPortView {
  return {
    port,
    attached,
    generation: i32[w + PORT_GEN]!,
    pid: i32[w + PORT_PID]!,
    mac_hi: i32[w + PORT_MAC_HI]!,
    mac_lo: i32[w + PORT_MAC_LO]!,
    flags: i32[w + PORT_FLAGS]!,
    head: i32[w + PORT_HEAD]! >>> 0,
    tail: i32[w + PORT_TAIL]! >>> 0,
    parked: i32[w + PORT_PARKED]! > 0,
    overruns: i32[w + PORT_OVERRUN]! >>> 0,
  };
}

/** Appends the frames of port `p`; returns how many could not be read. */
function port_records(
  u8: Uint8Array,
  i32: Int32Array,
  off: number,
  geo: ShmifGeometry,
  p: number,
  out: ShmifRecord[],
): number {
  const area = off + geo.port(p);
  const w = area >>> 2;
  const head = Atomics.load(i32, w + PORT_HEAD);
  let pos = Atomics.load(i32, w + PORT_TAIL);
  let unreadable = 0;
  if (((head - pos) | 0) < 0 || ((head - pos) | 0) > geo.ndesc) return 1;
  for (; ((head - pos) | 0) > 0; pos = (pos + 1) | 0) {
    const d = w + PORT_HDRSIZE / 4 + (pos & (geo.ndesc - 1)) * DESC_WORDS;
    const len = i32[d + DESC_LEN]!;
    const at = (i32[d + DESC_POS]! & (geo.units - 1)) * ARENA_UNIT;
    const sane = len > 0 && len <= SHMIF_MAXFRAME && at + len <= geo.units * ARENA_UNIT;
    const data = sane ? u8.slice(area + geo.arena + at, area + geo.arena + at + len) : new Uint8Array(0);
    shmif_complete(data, i32[d + DESC_CSUM]!, i32[d + DESC_CSUMPOS]!);
    const record = record_of(i32, d, p, pos, data);
    if (!sane || ((Atomics.load(i32, w + PORT_TAIL) - pos) | 0) > 0) unreadable++;
    else out.push(record);
  }
  return unreadable;
}

function record_of(i32: Int32Array, d: number, port: number, position: number, data: Uint8Array): ShmifRecord {
  return {
    port,
    position: position >>> 0,
    sec: i32[d + DESC_SEC]!,
    nsec: i32[d + DESC_NSEC]!,
    csum_open: (i32[d + DESC_CSUM]! & SHMIF_CSUM_NEEDED) !== 0,
    gso_type: i32[d + DESC_GSO]! >>> 16,
    gso_size: i32[d + DESC_GSO]! & 0xffff,
    pktid: i32[d + DESC_PKTID]!,
    data,
  };
}
