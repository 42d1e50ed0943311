/*
 * The counters of ARP (arpstat), in NetBSD's order and names, then ours.
 */

/** Packets sent. */
export const ARPS_SNDTOTAL = 0;
/** Replies sent. */
export const ARPS_SNDREPLY = 1;
/** Requests sent. */
export const ARPS_SENDREQUEST = 2;
/** Packets received. */
export const ARPS_RCVTOTAL = 3;
/** Valid requests received. */
export const ARPS_RCVREQUEST = 4;
/** Valid replies received. */
export const ARPS_RCVREPLY = 5;
/** Received by link-layer multicast or broadcast. */
export const ARPS_RCVMCAST = 6;
/** Unknown hardware or protocol type. */
export const ARPS_RCVBADPROTO = 7;
/** Impossible lengths. */
export const ARPS_RCVBADLEN = 8;
/** Target address 0.0.0.0. */
export const ARPS_RCVZEROTPA = 9;
/** Sender address 0.0.0.0 (a probe). */
export const ARPS_RCVZEROSPA = 10;
/** For none of our networks. */
export const ARPS_RCVNOINT = 11;
/** Sent by ourselves. */
export const ARPS_RCVLOCALSHA = 12;
/** Sender's hardware address is a group. */
export const ARPS_RCVBCASTSHA = 13;
/** Sender claims an address of ours. */
export const ARPS_RCVLOCALSPA = 14;
/** Attempts to overwrite a static entry. */
export const ARPS_RCVOVERPERM = 15;
/** Attempts to overwrite an entry of another interface. */
export const ARPS_RCVOVERINT = 16;
/** Entries overwritten. */
export const ARPS_RCVOVER = 17;
/** Sender's length differs from the stored one. */
export const ARPS_RCVLENCHG = 18;
/** Packets held for an address. */
export const ARPS_DFRTOTAL = 19;
/** Held packets that were sent. */
export const ARPS_DFRSENT = 20;
/** Held packets that were dropped. */
export const ARPS_DFRDROPPED = 21;
/** No memory for an entry, or the table is full. */
export const ARPS_ALLOCFAIL = 22;
/** Replies, or requests of others, that taught us nothing. */
export const ARPS_RCVIGNORED = 23;
/** Received on an interface without ARP, or without an address. */
export const ARPS_RCVNOIF = 24;
/** Unknown operations. */
export const ARPS_RCVBADOP = 25;
/** Sender or target address cannot be a host's. */
export const ARPS_RCVBADADDR = 26;

/** Names by index, as sysctl and netstat show them. */
export const arpstat_names: readonly string[] = [
  "sndtotal",
  "sndreply",
  "sendrequest",
  "rcvtotal",
  "rcvrequest",
  "rcvreply",
  "rcvmcast",
  "rcvbadproto",
  "rcvbadlen",
  "rcvzerotpa",
  "rcvzerospa",
  "rcvnoint",
  "rcvlocalsha",
  "rcvbcastsha",
  "rcvlocalspa",
  "rcvoverperm",
  "rcvoverint",
  "rcvover",
  "rcvlenchg",
  "dfrtotal",
  "dfrsent",
  "dfrdropped",
  "allocfail",
  "rcvignored",
  "rcvnoif",
  "rcvbadop",
  "rcvbadaddr",
];
