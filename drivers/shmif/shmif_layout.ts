/**
 * The shmif bus as bytes: where every word of the shared region stands. Kernel and tools (dumpbus, pcapin) use this one description.
 *
 * NetBSD: its bus (version 3) is one ring under one spin lock; a process that dies holding the lock stops the bus for ever, and a slow
 * reader loses frames without a trace. Version 4 has no lock. Every port (attached interface) owns a ring that it alone writes and all
 * others read, so a writer killed at any instant leaves at worst a frame that was never published. docs/adr/0003-shmif-bus-without-a-lock.md
 *
 * Region: one header page, then equal port areas. A region of zero bytes is a valid empty bus: whoever opens it first needs to
 * write nothing but the magic, so a creator killed half-way leaves nothing to repair. All words are native-endian 32-bit integers.
 */

/** First word of the region; NetBSD's magic number, so that file(1) style tools recognise the bus. */
export const SHMIF_MAGIC: number = 0xca11d054 | 0;
/** Second word. NetBSD's last locked format is 3. */
export const SHMIF_VERSION = 4;
/** Bytes of the region's header page. */
export const SHMIF_HDRSIZE = 4096;
/** Most ports on a bus. */
export const SHMIF_MAXPORTS = 256;
/** Largest frame in bytes: a 64 KB superframe with its Ethernet header. */
export const SHMIF_MAXFRAME = 65_550;

// Header words.
/** Word of the magic number. */
export const BUS_MAGIC = 0;
/** Word of the format version. */
export const BUS_VERSION = 1;
/** Word that grows whenever a port attaches, detaches, or changes address or flags: readers refresh their view of the ports. */
export const BUS_CONFGEN = 16;
/** First of 8 words: bit set of attached ports. */
export const BUS_ATTACHED = 32;

// Port area: words from its start. Words that different processes write stand on different 64-byte lines.
/** 1 while attached. */
export const PORT_STATE = 0;
/** Upper 16 bits of the port's Ethernet address. */
export const PORT_MAC_HI = 1;
/** Lower 32 bits of the port's Ethernet address. */
export const PORT_MAC_LO = 2;
/** PORTF_* flags. */
export const PORT_FLAGS = 3;
/** How often the port was attached; tells two owners of one port apart. */
export const PORT_GEN = 4;
/** Process id of the owner, for people and tools only. Stands after PORT_GEN. */
export const PORT_PID = 5;
/** Frames published so far (position of the next one). */
export const PORT_HEAD = 16;
/** Position of the oldest frame that may still be read; raised before its bytes are written over. */
export const PORT_TAIL = 17;
/** 1 when the owner waits for room in its own ring: a reader that makes room kicks it. */
export const PORT_BLOCKED = 18;
/** The number of the owner's sleep while it sleeps, and minus that while it is awake: whoever publishes for it kicks once for each sleep. */
export const PORT_PARKED = 32;
/** Frames that the owner was to receive and that were written over before it read them. */
export const PORT_OVERRUN = 48;
/** First of SHMIF_MAXPORTS words: as reader, the owner's position in every other port's ring. */
export const PORT_CURSOR = 64;
/** First of SHMIF_MAXPORTS words: as writer, the position up to which (exclusive) port c has frames to read. */
export const PORT_WANT: number = PORT_CURSOR + SHMIF_MAXPORTS;
/** First of SHMIF_MAXPORTS words: as writer, the position from which port c has frames to read; what is before is not for it. */
export const PORT_FROM: number = PORT_WANT + SHMIF_MAXPORTS;

/** The port receives every frame. */
export const PORTF_PROMISC = 1;
/** The port's link is up; nothing is delivered to a port whose link is down. */
export const PORTF_UP = 2;

// Descriptor words (16 words, one line each).
/** Words of a descriptor. */
export const DESC_WORDS = 16;
/** Arena position of the frame, in units of ARENA_UNIT bytes, ever growing. */
export const DESC_POS = 0;
/** Frame length in bytes. */
export const DESC_LEN = 1;
/** SHMIF_CSUM_* flags. */
export const DESC_CSUM = 2;
/** With SHMIF_CSUM_NEEDED: where the sum starts (upper 16 bits), and how far from there its field lies (lower 16 bits). */
export const DESC_CSUMPOS = 3;
/** Of a superframe: GSO type (upper 16 bits, numbers as virtio's) and bytes of payload of a segment (lower 16 bits); else 0. */
export const DESC_GSO = 4;
/** Length of the headers of a superframe; a hint. */
export const DESC_HDRLEN = 5;
/** Destination address, upper 16 bits. */
export const DESC_DST_HI = 6;
/** Destination address, lower 32 bits. */
export const DESC_DST_LO = 7;
/** Wall time of publication: seconds. */
export const DESC_SEC = 8;
/** Wall time of publication: nanoseconds of the second. */
export const DESC_NSEC = 9;
/** Packet identity across hops (m_pktid). */
export const DESC_PKTID = 10;

/** DESC_CSUM: the transport checksum is open; its field holds the pseudo header's sum. */
export const SHMIF_CSUM_NEEDED = 1;

/** Bytes of an arena unit: a cache line. */
export const ARENA_UNIT = 64;

/** Bytes of a port area before its descriptor ring. */
export const PORT_HDRSIZE = 4096;

/** Bytes of a port area with `ndesc` descriptors and `units` arena units (both powers of two: positions wrap at 2^32). */
function area_bytes(ndesc: number, units: number): number {
  return PORT_HDRSIZE + ndesc * DESC_WORDS * 4 + units * ARENA_UNIT;
}

const LARGE_NDESC = 1024;
const LARGE_UNITS = 8192;
const SMALL_NDESC = 256;
const SMALL_UNITS = 2048;
/** Regions from this size on have large port areas (512 KB of frames a port), smaller ones small areas (128 KB). */
export const SHMIF_LARGE_FROM: number = 8 << 20;
/** Region size in bytes when the creator does not say: 32 large ports. All of it is reserved when it is made. Sysctl net.link.shmif.busbytes. */
export const SHMIF_BUSBYTES: number = SHMIF_HDRSIZE + 32 * area_bytes(LARGE_NDESC, LARGE_UNITS);
/** Smallest region in bytes: two small ports. */
export const SHMIF_BUSBYTES_MIN: number = SHMIF_HDRSIZE + 2 * area_bytes(SMALL_NDESC, SMALL_UNITS);
/** Largest region in bytes: SHMIF_MAXPORTS large ports. */
export const SHMIF_BUSBYTES_MAX: number = SHMIF_HDRSIZE + SHMIF_MAXPORTS * area_bytes(LARGE_NDESC, LARGE_UNITS);

/** Geometry of a region, derived from its size alone. */
export class ShmifGeometry {
  readonly bytes: number;
  readonly nports: number;
  /** Bytes of one port area. */
  readonly area: number;
  /** Descriptors of a port's ring, a power of two. */
  readonly ndesc: number;
  /** Arena units of a port, a power of two. */
  readonly units: number;
  /** Byte offset of the arena in a port area. */
  readonly arena: number;

  constructor(bytes: number) {
    const large = bytes >= SHMIF_LARGE_FROM;
    this.bytes = bytes;
    this.ndesc = large ? LARGE_NDESC : SMALL_NDESC;
    this.units = large ? LARGE_UNITS : SMALL_UNITS;
    this.area = area_bytes(this.ndesc, this.units);
    this.nports = Math.min(SHMIF_MAXPORTS, Math.floor((bytes - SHMIF_HDRSIZE) / this.area));
    this.arena = PORT_HDRSIZE + this.ndesc * DESC_WORDS * 4;
  }

  /** Byte offset, from the region's start, of port `i`. */
  port(i: number): number {
    return SHMIF_HDRSIZE + i * this.area;
  }
}

/** Whether `bytes` can be the size of a bus. */
export function shmif_size_ok(bytes: number): boolean {
  return Number.isInteger(bytes) && bytes % 4096 === 0 && bytes >= SHMIF_BUSBYTES_MIN && bytes <= SHMIF_BUSBYTES_MAX;
}
