/*
 * Numbers of the pcapng capture file format (draft-ietf-opsawg-pcapng), for pcapng_writer.ts and pcapng_reader.ts.
 */

/** Section header block. */
export const PCAPNG_SHB = 0x0a0d0d0a;
/** Interface description block. */
export const PCAPNG_IDB = 1;
/** Simple packet block. */
export const PCAPNG_SPB = 3;
/** Name resolution block. */
export const PCAPNG_NRB = 4;
/** Interface statistics block. */
export const PCAPNG_ISB = 5;
/** Enhanced packet block. */
export const PCAPNG_EPB = 6;
/** What stands in a section header in the order of bytes that the section is written in. */
export const PCAPNG_BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** Major version. */
export const PCAPNG_MAJOR = 1;
/** Bytes of a block around its body: type, length, length again. */
export const PCAPNG_BLOCK_OVERHEAD = 12;

/** Ends the options of a block. */
export const OPT_ENDOFOPT = 0;
/** Any block: a comment. */
export const OPT_COMMENT = 1;
/** Section: hardware. */
export const SHB_HARDWARE = 2;
/** Section: operating system. */
export const SHB_OS = 3;
/** Section: program that wrote it. */
export const SHB_USERAPPL = 4;
/** Interface: name. */
export const IF_NAME = 2;
/** Interface: description. */
export const IF_DESCRIPTION = 3;
/** Interface: hardware address. */
export const IF_MACADDR = 6;
/** Interface: bits per second. */
export const IF_SPEED = 8;
/** Interface: resolution of times: n for 10^-n seconds, 0x80 | n for 2^-n. Microseconds without it. */
export const IF_TSRESOL = 9;
/** Interface: seconds to be added to times. */
export const IF_TSOFFSET = 14;
/** Packet: flags. */
export const EPB_FLAGS = 2;
/** Packet: packets lost between this one and the one before. */
export const EPB_DROPCOUNT = 4;
/** Packet: number that is the same wherever this packet is seen. */
export const EPB_PACKETID = 5;
/** Packet: what was done with it; the first byte says in whose words. */
export const EPB_VERDICT = 7;
/** Statistics: start of the capture. */
export const ISB_STARTTIME = 2;
/** Statistics: end of the capture. */
export const ISB_ENDTIME = 3;
/** Statistics: packets received. */
export const ISB_IFRECV = 4;
/** Statistics: packets dropped by the interface. */
export const ISB_IFDROP = 5;
/** Statistics: packets that the filter accepted. */
export const ISB_FILTERACCEPT = 6;
/** Statistics: packets dropped by the system. */
export const ISB_OSDROP = 7;
/** Statistics: packets delivered. */
export const ISB_USRDELIV = 8;

/** epb_flags: came in. */
export const EPB_FLAGS_INBOUND = 1;
/** epb_flags: went out. */
export const EPB_FLAGS_OUTBOUND = 2;
/** epb_flags: both bits of the direction. */
export const EPB_FLAGS_DIRECTION_MASK = 3;
/** epb_flags: to one host. */
export const EPB_FLAGS_UNICAST: number = 1 << 2;
/** epb_flags: to a group. */
export const EPB_FLAGS_MULTICAST: number = 2 << 2;
/** epb_flags: to all. */
export const EPB_FLAGS_BROADCAST: number = 3 << 2;
/** epb_flags: to somebody else. */
export const EPB_FLAGS_PROMISC: number = 4 << 2;

/** epb_verdict: opaque bytes of the hardware. */
export const EPB_VERDICT_HARDWARE = 0;
/** epb_verdict: 64 bits, a return code of Linux's traffic control. */
export const EPB_VERDICT_TC = 1;
/** epb_verdict: 64 bits, a return code of Linux's XDP. */
export const EPB_VERDICT_XDP = 2;
/** EPB_VERDICT_TC: pass. */
export const TC_ACT_OK = 0;
/** EPB_VERDICT_TC: drop. */
export const TC_ACT_SHOT = 2;

/** Name record: end. */
export const NRB_RECORD_END = 0;
/** Name record: IPv4 address and names. */
export const NRB_RECORD_IPV4 = 1;
/** Name record: IPv6 address and names. */
export const NRB_RECORD_IPV6 = 2;
