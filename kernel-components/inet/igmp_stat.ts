/*
 * The counters of IGMP (igmpstat), in NetBSD's order and names, then ours.
 */

/** Messages received. */
export const IGPS_RCV_TOTAL = 0;
/** Shorter than a message. */
export const IGPS_RCV_TOOSHORT = 1;
/** Checksum wrong. */
export const IGPS_RCV_BADSUM = 2;
/** Queries received. */
export const IGPS_RCV_QUERIES = 3;
/** Queries that break a rule. */
export const IGPS_RCV_BADQUERIES = 4;
/** Reports received. */
export const IGPS_RCV_REPORTS = 5;
/** Reports that break a rule. */
export const IGPS_RCV_BADREPORTS = 6;
/** Reports for groups that we are a member of. */
export const IGPS_RCV_OURREPORTS = 7;
/** Reports sent. */
export const IGPS_SND_REPORTS = 8;
/** No memory for a report. */
export const IGPS_SND_NOMEM = 9;
/** Time to live other than 1 (RFC 2236 §2, RFC 3376 §4). */
export const IGPS_RCV_BADTTL = 10;

/** Names by index, as sysctl and netstat show them. */
export const igmpstat_names: readonly string[] = [
  "rcv_total",
  "rcv_tooshort",
  "rcv_badsum",
  "rcv_queries",
  "rcv_badqueries",
  "rcv_reports",
  "rcv_badreports",
  "rcv_ourreports",
  "snd_reports",
  "snd_nomem",
  "rcv_badttl",
];
