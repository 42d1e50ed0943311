/*
 * The counters of IPv4 (ipstat), in NetBSD's order and names, then ours. A dropped packet is counted under exactly one of them.
 */

/** Packets received. */
export const IPS_TOTAL = 0;
/** Header checksum wrong. */
export const IPS_BADSUM = 1;
/** Shorter than its length field says. */
export const IPS_TOOSHORT = 2;
/** Shorter than a header. */
export const IPS_TOOSMALL = 3;
/** Impossible header length. */
export const IPS_BADHLEN = 4;
/** Total length less than the header length. */
export const IPS_BADLEN = 5;
/** Fragments received. */
export const IPS_FRAGMENTS = 6;
/** Fragments dropped: limits, duplicates, memory. */
export const IPS_FRAGDROPPED = 7;
/** Fragments dropped after their time. */
export const IPS_FRAGTIMEOUT = 8;
/** Packets forwarded. */
export const IPS_FORWARD = 9;
/** Packets forwarded by the flow cache. */
export const IPS_FASTFORWARD = 10;
/** Packets for others that cannot be forwarded. */
export const IPS_CANTFORWARD = 11;
/** Redirects sent. */
export const IPS_REDIRECTSENT = 12;
/** Unknown or unsupported protocol. */
export const IPS_NOPROTO = 13;
/** Packets given to an upper layer. */
export const IPS_DELIVERED = 14;
/** Packets sent by this host. */
export const IPS_LOCALOUT = 15;
/** Output packets dropped for want of memory. */
export const IPS_ODROPPED = 16;
/** Packets reassembled. */
export const IPS_REASSEMBLED = 17;
/** Output packets that were fragmented. */
export const IPS_FRAGMENTED = 18;
/** Output fragments made. */
export const IPS_OFRAGMENTS = 19;
/** Too big, and fragmentation not allowed. */
export const IPS_CANTFRAG = 20;
/** Errors in options. */
export const IPS_BADOPTIONS = 21;
/** Output packets for which there is no route. */
export const IPS_NOROUTE = 22;
/** Version is not 4. */
export const IPS_BADVERS = 23;
/** Raw packets sent. */
export const IPS_RAWOUT = 24;
/** Fragments with an impossible length or place. */
export const IPS_BADFRAGS = 25;
/** Fragments dropped for want of memory. */
export const IPS_RCVMEMDROP = 26;
/** Packets longer than the maximum. */
export const IPS_TOOLONG = 27;
/** IP in IP with no tunnel for it. */
export const IPS_NOGIF = 28;
/** Invalid address in the header. */
export const IPS_BADADDR = 29;
/** L2TP with no session. */
export const IPS_NOL2TP = 30;
/** Dropped by a packet filter on the way in. */
export const IPS_PFILDROP_IN = 31;
/** Dropped by a packet filter on the way out. */
export const IPS_PFILDROP_OUT = 32;
/** Received on an interface without an address or going away. */
export const IPS_NOIF = 33;
/** A time to live that ran out here. */
export const IPS_TTLEXPIRED = 34;
/** Whole datagrams refused because their fragments overlapped. */
export const IPS_OVERLAPFRAGS = 35;
/** Arrived by a link-layer broadcast but is for one host that is not us. */
export const IPS_LLBCAST = 36;
/** Source-routed packets refused. */
export const IPS_SRCROUTE = 37;
/** Output to a broadcast address without permission. */
export const IPS_BCASTDENIED = 38;
/** Directed broadcasts not forwarded. */
export const IPS_DIRBCAST = 39;
/** Multicasts for groups that nobody here is a member of. */
export const IPS_NOTMEMBER = 40;
/** Source routes that cannot be followed. */
export const IPS_BADSRCROUTE = 41;
/** Time to live below what the socket accepts (IP_MINTTL). */
export const IPS_MINTTL = 42;
/** Output packets dropped by a reject route, as NetBSD counts under noroute. */
export const IPS_RTREJECT = 43;
/** Addresses not usable (tentative, duplicated, interface down). */
export const IPS_IADOWN = 44;

/** Names by index, as sysctl and netstat show them. */
export const ipstat_names: readonly string[] = [
  "total",
  "badsum",
  "tooshort",
  "toosmall",
  "badhlen",
  "badlen",
  "fragments",
  "fragdropped",
  "fragtimeout",
  "forward",
  "fastforward",
  "cantforward",
  "redirectsent",
  "noproto",
  "delivered",
  "localout",
  "odropped",
  "reassembled",
  "fragmented",
  "ofragments",
  "cantfrag",
  "badoptions",
  "noroute",
  "badvers",
  "rawout",
  "badfrags",
  "rcvmemdrop",
  "toolong",
  "nogif",
  "badaddr",
  "nol2tp",
  "pfildrop_in",
  "pfildrop_out",
  "noif",
  "ttlexpired",
  "overlapfrags",
  "llbcast",
  "srcroute",
  "bcastdenied",
  "dirbcast",
  "notmember",
  "badsrcroute",
  "minttl",
  "rtreject",
  "iadown",
];
