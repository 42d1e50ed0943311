/*
 * The counters of ICMP (icmpstat), in NetBSD's order and names, then ours.
 */

/** Errors asked for (icmp_error calls). */
export const ICPS_ERROR = 0;
/** Errors not sent: the packet was too short. */
export const ICPS_OLDSHORT = 1;
/** Errors not sent: the packet was ICMP. */
export const ICPS_OLDICMP = 2;
/** Messages sent, by type: ICPS_OUTHIST + type. */
export const ICPS_OUTHIST = 3;
/** Types counted: 0..ICMP_MAXTYPE. */
export const ICPS_HISTLEN = 41;
/** Unknown code of a known type. */
export const ICPS_BADCODE: number = ICPS_OUTHIST + ICPS_HISTLEN;
/** Shorter than a message. */
export const ICPS_TOOSHORT: number = ICPS_BADCODE + 1;
/** Checksum wrong. */
export const ICPS_CHECKSUM: number = ICPS_BADCODE + 2;
/** The quoted packet is impossible. */
export const ICPS_BADLEN: number = ICPS_BADCODE + 3;
/** Answers sent. */
export const ICPS_REFLECT: number = ICPS_BADCODE + 4;
/** Messages received, by type: ICPS_INHIST + type. */
export const ICPS_INHIST: number = ICPS_BADCODE + 5;
/** Path MTU changes. */
export const ICPS_PMTUCHG: number = ICPS_INHIST + ICPS_HISTLEN;
/** Echo requests to a broadcast or multicast address, not answered. */
export const ICPS_BMCASTECHO: number = ICPS_PMTUCHG + 1;
/** Timestamp or mask requests to a broadcast or multicast address, not answered. */
export const ICPS_BMCASTTSTAMP: number = ICPS_PMTUCHG + 2;
/** Errors not sent because of net.inet.icmp.errppslimit. */
export const ICPS_THROTTLED: number = ICPS_PMTUCHG + 3;
/** Errors not sent: broadcast, multicast, a later fragment, or a source that is not one host (RFC 1122 §3.2.2). */
export const ICPS_OLDBCAST: number = ICPS_PMTUCHG + 4;
/** Redirects refused: not from our gateway, not on the link, or switched off. */
export const ICPS_BADREDIRECT: number = ICPS_PMTUCHG + 5;
/** Redirects accepted. */
export const ICPS_REDIRECTS: number = ICPS_PMTUCHG + 6;
/** Answers not sent: no address to send them from. */
export const ICPS_NOREFLECT: number = ICPS_PMTUCHG + 7;
/** Path MTU messages below the floor, or that no socket of ours had caused. */
export const ICPS_BADPMTU: number = ICPS_PMTUCHG + 8;
/** No memory for an answer or an error. */
export const ICPS_NOMEM: number = ICPS_PMTUCHG + 9;
/** Address mask requests refused: we are not authoritative, or have no mask to tell. */
export const ICPS_NOMASK: number = ICPS_PMTUCHG + 10;

/** Names by index, as sysctl and netstat show them. */
export const icmpstat_names: readonly string[] = icmpstat_names_make();

function icmpstat_names_make(): string[] {
  const names: string[] = ["error", "oldshort", "oldicmp"];
  for (let t = 0; t < ICPS_HISTLEN; t++) names.push(`outhist_${t}`);
  names.push("badcode", "tooshort", "checksum", "badlen", "reflect");
  for (let t = 0; t < ICPS_HISTLEN; t++) names.push(`inhist_${t}`);
  names.push(
    "pmtuchg",
    "bmcastecho",
    "bmcasttstamp",
    "throttled",
    "oldbcast",
    "badredirect",
    "redirects",
    "noreflect",
    "badpmtu",
    "nomem",
    "nomask",
  );
  return names;
}
