// The mbuf: one buffer of a packet, and the pools of one kernel that mbufs and clusters come from (mbuf(9)).
import type { MbufMemory } from "./mbuf_memory.ts";

/** Bytes of the inline data area of every mbuf. */
export const MSIZE: number = 256;
/** Inline data bytes of a plain mbuf: the header lives in the object, so all of MSIZE is data. */
export const MLEN: number = MSIZE;
/** Inline data bytes of a packet header mbuf, the same as MLEN for the same reason. */
export const MHLEN: number = MSIZE;
/** Bytes of a cluster. */
export const MCLBYTES: number = 2048;
/** Bytes of a jumbo cluster: a 64 KB superframe and 2 KB of headroom for headers. */
export const MJUMBYTES: number = 66 * 1024;
/** A packet shorter than this is kept in mbufs without a cluster. */
export const MINCLSIZE: number = MHLEN + MLEN + 1;
/** Length argument that means "to the end of the chain". */
export const M_COPYALL: number = 1_000_000_000;

/** m_type of an mbuf that lies in the pool. */
export const MT_FREE: number = 0;
/** Data. */
export const MT_DATA: number = 1;
/** Packet header, or a protocol header being built. */
export const MT_HEADER: number = 2;
/** Socket name (address). */
export const MT_SONAME: number = 3;
/** Socket options. */
export const MT_SOOPTS: number = 4;
/** Fragment reassembly. */
export const MT_FTABLE: number = 5;
/** Control messages. */
export const MT_CONTROL: number = 6;
/** Out-of-band data. */
export const MT_OOBDATA: number = 7;
/** Number of mbuf types. */
export const MT_NTYPES: number = 8;

/** m_flags: the data lies outside the inline area. */
export const M_EXT: number = 0x0000_0001;
/** m_flags: first mbuf of a packet, the packet header fields are valid. */
export const M_PKTHDR: number = 0x0000_0002;
/** m_flags: end of a record. */
export const M_EOR: number = 0x0000_0004;
/** m_flags: private to the protocol. */
export const M_PROTO1: number = 0x0000_0008;
/** m_flags: the external storage may not be written, whatever its reference count. */
export const M_RDONLY: number = 0x0000_0010;
/** m_flags: private to the protocol. */
export const M_PROTO2: number = 0x0000_0020;
/** m_flags: private to the protocol. */
export const M_PROTO3: number = 0x0000_0040;
/** m_flags: received or sent as link-level broadcast. */
export const M_BCAST: number = 0x0000_0100;
/** m_flags: received or sent as link-level multicast. */
export const M_MCAST: number = 0x0000_0200;
/** m_flags: this packet may be fragmented by IPv6 only. */
export const M_CANFASTFWD: number = 0x0000_0400;
/** m_flags: received on a member of a bridge in promiscuous mode. */
export const M_PROMISC: number = 0x0000_0800;
/** m_flags: m_vlan holds a VLAN tag. */
export const M_VLANTAG: number = 0x0000_1000;
/** m_flags: private to a link layer. */
export const M_LINK0: number = 0x0000_2000;
/** m_flags: private to a link layer. */
export const M_LINK1: number = 0x0000_4000;
/** m_flags: private to a link layer. */
export const M_LINK2: number = 0x0000_8000;
/** m_flags: the packet came back through the loopback interface. */
export const M_LOOP: number = 0x0001_0000;
/** m_flags that a copy of a packet header inherits. */
export const M_COPYFLAGS: number =
  M_PKTHDR |
  M_EOR |
  M_BCAST |
  M_MCAST |
  M_CANFASTFWD |
  M_PROMISC |
  M_VLANTAG |
  M_LINK0 |
  M_LINK1 |
  M_LINK2 |
  M_LOOP |
  M_PROTO1 |
  M_PROTO2 |
  M_PROTO3;

/** m_csum_flags, out: compute the TCP checksum over an IPv4 pseudo header. In: it was verified. */
export const M_CSUM_TCPv4: number = 0x0000_0001;
/** m_csum_flags, out: compute the UDP checksum over an IPv4 pseudo header. In: it was verified. */
export const M_CSUM_UDPv4: number = 0x0000_0002;
/** m_csum_flags, in: the transport checksum verified above was wrong. */
export const M_CSUM_TCP_UDP_BAD: number = 0x0000_0004;
/** m_csum_flags: the sum from m_csum_start on must be stored at m_csum_start + m_csum_offset (virtio's NEEDS_CSUM). */
export const M_CSUM_DATA: number = 0x0000_0008;
/** m_csum_flags, out: compute the TCP checksum over an IPv6 pseudo header. */
export const M_CSUM_TCPv6: number = 0x0000_0010;
/** m_csum_flags, out: compute the UDP checksum over an IPv6 pseudo header. */
export const M_CSUM_UDPv6: number = 0x0000_0020;
/** m_csum_flags, out: compute the IPv4 header checksum. In: it was verified. */
export const M_CSUM_IPv4: number = 0x0000_0040;
/** m_csum_flags, in: the IPv4 header checksum verified above was wrong. */
export const M_CSUM_IPv4_BAD: number = 0x0000_0080;
/** m_csum_flags, in: every checksum of the packet is known to be right, or never left this machine. */
export const M_CSUM_OK: number = 0x0000_0100;
/** m_csum_flags, out: cut the packet into TCP segments of m_gso_size (IPv4). */
export const M_CSUM_TSOv4: number = 0x0000_0200;
/** m_csum_flags, out: cut the packet into TCP segments of m_gso_size (IPv6). */
export const M_CSUM_TSOv6: number = 0x0000_0400;
/** m_csum_flags, out: cut the packet into UDP datagrams of m_gso_size. */
export const M_CSUM_USO: number = 0x0000_0800;

/** The part of an interface that an mbuf knows: net's Ifnet implements it. */
export interface IfnetRef {
  /** The interface's index. */
  readonly if_index: number;
  /** The interface's name. */
  readonly if_xname: string;
}

/** A tag of a packet: a typed value that travels with the packet header (m_tag(9)). */
export class Mtag {
  /** The next tag of the packet. */
  m_tag_next: Mtag | null;
  /** What the tag means; PACKET_TAG_* constants belong to the layers that use them. */
  readonly m_tag_id: number;
  /** The tag's data. */
  readonly m_tag_data: Uint8Array;

  constructor(id: number, len: number) {
    this.m_tag_next = null;
    this.m_tag_id = id;
    this.m_tag_data = new Uint8Array(len);
  }
}

/** Who holds mbufs: leak reports and kern.mbuf.mowners name it. */
export class Mowner {
  /** The owner's name, such as an interface or "tcp". */
  readonly mo_name: string;
  /** What the owner uses them for, such as "rx". */
  readonly mo_descr: string;
  /** Mbufs claimed since boot. */
  mo_claims = 0;
  /** Mbufs given up since boot. */
  mo_releases = 0;

  constructor(name: string, descr: string) {
    this.mo_name = name;
    this.mo_descr = descr;
  }
}

/**
 * One mbuf. The object holds what C's m_hdr, pkthdr and m_ext hold; the bytes lie in the slab.
 * Every field is set in the constructor and none is ever added: the packet path depends on one hidden class.
 */
export class Mbuf {
  /** The next mbuf of this packet; the free list's link while in the pool. */
  m_next: Mbuf | null = null;
  /** The next packet of a queue. */
  m_nextpkt: Mbuf | null = null;
  /** Slab offset of the first byte of data (C's m_data). */
  m_off: number;
  /** Bytes of data in this mbuf. */
  m_len = 0;
  /** MT_*; MT_FREE while in the pool. */
  m_type = 0;
  /** M_* flags. */
  m_flags = 0;
  /** The pools it came from and goes back to. */
  readonly m_pool: MbufPools;
  /** Who is charged for it. */
  m_owner: Mowner;
  /** Slab offset of the inline area of MSIZE bytes. */
  readonly m_dat: number;
  /** M_EXT: slab offset of the external storage. */
  m_ext_off = 0;
  /** M_EXT: its size in bytes. */
  m_ext_size = 0;
  /** M_EXT: index of its reference count, -1 without external storage. */
  m_ext_ref = -1;
  /** M_EXT: frees storage that no pool owns; null for clusters. */
  m_ext_free: ((arg: number) => void) | null = null;
  /** M_EXT: the argument of m_ext_free. */
  m_ext_arg = 0;
  /** Packet header: bytes in the whole packet. */
  m_pkthdr_len = 0;
  /** Packet header: the interface it was received on. */
  m_rcvif: IfnetRef | null = null;
  /** Packet header: M_CSUM_* flags. */
  m_csum_flags = 0;
  /** Packet header: where the checksum of M_CSUM_DATA starts, from the packet's first byte. */
  m_csum_start = 0;
  /** Packet header: where it is stored, from m_csum_start. */
  m_csum_offset = 0;
  /** Packet header: what kind of superframe it is (VIRTIO_NET_HDR_GSO_* numbers), 0 none. */
  m_gso_type = 0;
  /** Packet header: payload bytes of each segment of a superframe. */
  m_gso_size = 0;
  /** Packet header: bytes of the headers that each segment repeats. */
  m_hdr_len = 0;
  /** Packet header: VLAN tag, valid with M_VLANTAG. */
  m_vlan = 0;
  /** Packet header: flow hash, 0 unknown. */
  m_flowid = 0;
  /** Packet header: tags. */
  m_tags: Mtag | null = null;
  /** Packet header: number of the packet for captures and traces, 0 none. */
  m_pktid = 0;
  /** Packet header: time of reception in ns, 0 unknown. Starts as a fraction so that the field is a double for ever. */
  m_ts_ns = 0.5;

  constructor(pool: MbufPools, dat: number, owner: Mowner) {
    this.m_pool = pool;
    this.m_dat = dat;
    this.m_off = dat;
    this.m_owner = owner;
  }
}

/** Index into mbstat: mbufs of type 0 handed out since boot; the type is added. */
export const MBS_GETS = 0;
/** Index into mbstat: mbufs of type 0 given back since boot; the type is added. */
export const MBS_PUTS = 8;
/** Index into mbstat: mbufs refused (limit or memory). */
export const MBS_MBUF_FAIL = 16;
/** Index into mbstat: clusters handed out. */
export const MBS_CL_GETS = 17;
/** Index into mbstat: clusters given back. */
export const MBS_CL_PUTS = 18;
/** Index into mbstat: clusters refused. */
export const MBS_CL_FAIL = 19;
/** Index into mbstat: jumbo clusters handed out. */
export const MBS_JCL_GETS = 20;
/** Index into mbstat: jumbo clusters given back. */
export const MBS_JCL_PUTS = 21;
/** Index into mbstat: jumbo clusters refused. */
export const MBS_JCL_FAIL = 22;
/** Index into mbstat: external storages attached. */
export const MBS_EXT_GETS = 23;
/** Index into mbstat: external storages released. */
export const MBS_EXT_PUTS = 24;
/** Index into mbstat: times the protocols were asked to give memory back. */
export const MBS_DRAIN = 25;
/** Index into mbstat: packets made writable or contiguous by copying. */
export const MBS_COPIES = 26;
/** Index into mbstat: m_pullup and m_copyup calls that had to move bytes. */
export const MBS_PULLUPS = 27;
/** Index into mbstat: m_pullup and m_copyup calls on a packet that was too short. */
export const MBS_PULLUP_FAIL = 28;
/** Number of mbstat counters. */
export const MBS_N = 29;
/** Names of the mbuf types in order of their numbers. */
export const MT_NAMES: readonly string[] = [
  "free",
  "data",
  "header",
  "soname",
  "soopts",
  "ftable",
  "control",
  "oobdata",
];
/** Names of the mbstat counters in index order. */
export const MBSTAT_NAMES: readonly string[] = [
  ...MT_NAMES.map((name) => `${name} mbufs allocated`),
  ...MT_NAMES.map((name) => `${name} mbufs freed`),
  "mbufs denied",
  "clusters allocated",
  "clusters freed",
  "clusters denied",
  "jumbo clusters allocated",
  "jumbo clusters freed",
  "jumbo clusters denied",
  "external storages attached",
  "external storages freed",
  "calls to protocol drain routines",
  "packets copied",
  "pullups",
  "pullups of short packets",
];

/** What of the pools is in use right now. */
export interface MbufInUse {
  /** Mbufs outside the pool. */
  readonly mbufs: number;
  /** 2 KB clusters outside the pool. */
  readonly clusters: number;
  /** Jumbo clusters outside the pool. */
  readonly jumbo: number;
  /** External storages attached. */
  readonly ext: number;
}

/** The mbuf pools of one kernel: limits, statistics, owners; mbuf_alloc.ts takes from them and gives back. */
export class MbufPools {
  /** The slab's bytes. */
  readonly u8: Uint8Array;
  /** The slab as a view for multi-byte access. */
  readonly dv: DataView;
  /** Where chunks, free lists and reference counts are. */
  readonly mem: MbufMemory;
  /** MBS_* counters. */
  readonly mbstat: Float64Array = new Float64Array(MBS_N);
  /** All owners, in the order of their registration. */
  readonly owners: Mowner[] = [];
  /** Who is charged when nobody else is named. */
  readonly mo_default: Mowner;
  /** First mbuf of the free list. */
  m_free_list: Mbuf | null = null;
  /** First of the free mbufs that still have a cluster: the quick way through m_getcl and m_free. */
  m_pkt_list: Mbuf | null = null;
  /** Called when a pool is exhausted, before giving up: protocols give back what they can spare. */
  mb_drain: (() => void) | null = null;
  /** Ends the kernel; for a double free. */
  readonly mb_panic: (msg: string) => never;

  constructor(mem: MbufMemory, panic: (msg: string) => never) {
    this.mem = mem;
    this.u8 = mem.u8;
    this.dv = mem.dv;
    this.mb_panic = panic;
    this.mo_default = this.owner("unknown", "");
  }

  /** Register an owner for accounting. */
  owner(name: string, descr: string): Mowner {
    const mo = new Mowner(name, descr);
    this.owners.push(mo);
    return mo;
  }

  /** What is in use. A test at its end expects zeroes. */
  in_use(): MbufInUse {
    const s = this.mbstat;
    return {
      mbufs: this.mbufs(),
      clusters: s[MBS_CL_GETS] - s[MBS_CL_PUTS],
      jumbo: s[MBS_JCL_GETS] - s[MBS_JCL_PUTS],
      ext: s[MBS_EXT_GETS] - s[MBS_EXT_PUTS],
    };
  }

  /** Mbufs in use of one MT_* type. */
  mtype(type: number): number {
    return this.mbstat[MBS_GETS + type] - this.mbstat[MBS_PUTS + type];
  }

  /** Mbufs in use of all types. */
  mbufs(): number {
    let n = 0;
    for (let type = 0; type < MT_NTYPES; type++) n += this.mtype(type);
    return n;
  }

  /** Give all memory back to the host; from then on every request is refused. */
  close(): void {
    this.m_free_list = null;
    this.m_pkt_list = null;
    this.mb_drain = null;
    this.mem.release_all();
  }

  /** One line for each owner that holds mbufs; the empty string when nobody does. */
  owner_report(): string {
    const lines: string[] = [];
    for (const mo of this.owners) {
      const held = mo.mo_claims - mo.mo_releases;
      if (held !== 0) lines.push(`${held} mbufs held by ${mo.mo_name}${mo.mo_descr === "" ? "" : ` ${mo.mo_descr}`}`);
    }
    return lines.join("\n");
  }
}
