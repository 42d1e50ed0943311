/*
 * The counters of UDP (udpstat), in NetBSD's order and names, then ours.
 */

/** Datagrams received. */
export const UDPS_IPACKETS = 0;
/** Shorter than a header. */
export const UDPS_HDROPS = 1;
/** Checksum wrong. */
export const UDPS_BADSUM = 2;
/** Length field impossible. */
export const UDPS_BADLEN = 3;
/** No socket on the port. */
export const UDPS_NOPORT = 4;
/** The same, and the datagram was a broadcast or multicast. */
export const UDPS_NOPORTBCAST = 5;
/** The socket's buffer was full. */
export const UDPS_FULLSOCK = 6;
/** Datagrams sent. */
export const UDPS_OPACKETS = 7;
/** Not found among connected sockets. */
export const UDPS_PCBHASHMISS = 8;
/** Datagrams without a checksum. */
export const UDPS_NOSUM = 9;
/** Port zero, or an address that cannot be a sender's. */
export const UDPS_BADPORT = 10;

/** Names by index, as sysctl and netstat show them. */
export const udpstat_names: readonly string[] = [
  "ipackets",
  "hdrops",
  "badsum",
  "badlen",
  "noport",
  "noportbcast",
  "fullsock",
  "opackets",
  "pcbhashmiss",
  "nosum",
  "badport",
];
