/*
 * The tables of reassembly; ip_reass.ts uses them.
 */
import { Callout } from "../kern/callout.ts";
import type { Kernel } from "../kern/kernel.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import type { SipKey } from "./halfsiphash.ts";

/** Chains of the hash table; a power of two. */
export const IPREASS_HASH_SIZE = 64;
/** net.inet.ip.maxfragpackets: datagrams in reassembly at one time. */
export const IP_MAXFRAGPACKETS = 200;
/** Fragments of all datagrams together. */
export const IP_MAXFRAGS = 2048;
/** Fragments of one datagram: 64 KB in pieces of 1024 bytes and some. */
export const IP_MAXFRAGSPERPACKET = 128;
/** Seconds that a datagram waits for its fragments (RFC 1122 §3.3.2 asks for 60 to 120; NetBSD: IPFRAGTTL is 30). */
export const IP_FRAGTTL_S = 30;

/** One fragment held. */
export class IpFragEnt {
  /** The packet, header first. */
  ipfe_m: Mbuf | null = null;
  /** Place of its data in the datagram's data. */
  ipfe_off = 0;
  /** Bytes of data. */
  ipfe_len = 0;
  /** Is it not the last? */
  ipfe_mff = false;
  /** The next by place. */
  ipfe_next: IpFragEnt | null = null;
}

/** A datagram in reassembly. */
export class IpFragQueue {
  /** Source. */
  ipfq_src = 0;
  /** Destination. */
  ipfq_dst = 0;
  /** Identification. */
  ipfq_id = 0;
  /** Protocol. */
  ipfq_p = 0;
  /** Fragments by place. */
  ipfq_fragq: IpFragEnt | null = null;
  /** How many. */
  ipfq_nfrags = 0;
  /** End of the data once the last fragment is here, else -1. */
  ipfq_end = -1;
  /** Bytes of data here. */
  ipfq_have = 0;
  /** Fragments overlapped: nothing more is accepted until the time is over (RFC 5722 §3). */
  ipfq_poisoned = false;
  /** When it is given up, in ns. */
  ipfq_expire_ns = 0.5;
  /** Chain of the hash table. */
  ipfq_hash_next: IpFragQueue | null = null;
  /** Slot of the hash table. */
  ipfq_slot = 0;
  /** The one made before, which expires before. */
  ipfq_older: IpFragQueue | null = null;
  /** The one made after. */
  ipfq_newer: IpFragQueue | null = null;
}

/** Reassembly of one kernel. */
export class IpReass {
  /** Key of the hash, so that nobody can fill one chain. */
  readonly key: SipKey;
  /** First of each chain. */
  readonly hash: (IpFragQueue | null)[] = new Array<IpFragQueue | null>(IPREASS_HASH_SIZE).fill(null);
  /** Oldest datagram. */
  oldest: IpFragQueue | null = null;
  /** Newest datagram. */
  newest: IpFragQueue | null = null;
  /** Datagrams in reassembly. */
  nqueues = 0;
  /** Fragments held. */
  nfrags = 0;
  /** net.inet.ip.maxfragpackets. */
  maxfragpackets: number = IP_MAXFRAGPACKETS;
  /** net.inet.ip.maxfrags. */
  maxfrags: number = IP_MAXFRAGS;
  /** net.inet.ip.maxfragsperpacket. */
  maxfragsperpacket: number = IP_MAXFRAGSPERPACKET;
  /** Free fragment entries. */
  free_ent: IpFragEnt | null = null;
  /** Runs when the oldest expires. */
  readonly ch: Callout;

  constructor(k: Kernel, key: SipKey) {
    this.key = key;
    this.ch = new Callout(k);
  }
}
