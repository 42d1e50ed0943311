/**
 * The list of PF_LOCAL sockets for sockstat(1) (net.local.{stream,dgram,seqpacket}.pcblist): records of UNPCBLIST_LEN bytes, little endian.
 *
 *      0 u32 record length     4 u32 so_type            8 u32 receive bytes    12 u32 send bytes
 *     16 u32 receive limit    20 u32 send limit        24 u32 number of the socket, 1 and up
 *     28 u32 number of the socket that it is connected to, 0 none             32 u32 pid of the maker
 *     36 u32 uid              40 u32 SO_ACCEPTCONN: 1   44 sockaddr_un of 256 bytes: its name, sun_len 0 if it has none
 */
import { SO_ACCEPTCONN } from "./socket_abi.ts";
import type { UnixDomain, Unpcb } from "./unpcb.ts";

/** Bytes of a record. */
export const UNPCBLIST_LEN = 300;
/** Offset of the name in a record. */
export const UNPCBLIST_NAME = 44;

/** Every control block of sockets of a type, in the order in which they were made. Numbers are the same in the lists of all types at one moment. */
export function unp_pcblist(unix: UnixDomain, type: number): Uint8Array {
  const numbers = new Map<Unpcb, number>();
  for (const unp of unix.unpcbs) numbers.set(unp, numbers.size + 1);
  const list = [...unix.unpcbs].filter((unp) => unp.unp_socket.so_type === type);
  const out = new Uint8Array(list.length * UNPCBLIST_LEN);
  const dv = new DataView(out.buffer);
  list.forEach((unp, i) => {
    const at = i * UNPCBLIST_LEN;
    const so = unp.unp_socket;
    const words = [
      UNPCBLIST_LEN,
      so.so_type,
      so.so_rcv.sb_cc,
      so.so_snd.sb_cc,
      so.so_rcv.sb_hiwat,
      so.so_snd.sb_hiwat,
      numbers.get(unp) ?? 0,
      unp.unp_conn === null ? 0 : (numbers.get(unp.unp_conn) ?? 0),
      so.so_cpid,
      so.so_cred === null ? 0 : so.so_cred.cr_uid,
      (so.so_options & SO_ACCEPTCONN) !== 0 ? 1 : 0,
    ];
    words.forEach((w, j) => dv.setUint32(at + 4 * j, w, true));
    if (unp.unp_addr !== null) out.set(unp.unp_addr, at + UNPCBLIST_NAME);
  });
  return out;
}
