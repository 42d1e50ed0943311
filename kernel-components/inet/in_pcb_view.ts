/*
 * The list of a protocol's sockets for netstat and sockstat (net.inet.udp.pcblist, net.inet.raw.pcblist): records of PCBLIST_LEN bytes, little endian,
 * addresses as sockaddr_in.
 *
 *      0 u32 record length      4 u32 state (INP_*)     8 u32 receive bytes    12 u32 send bytes
 *     16 u32 receive limit     20 u32 send limit       24 u32 protocol         28 u32 pid of the maker
 *     32 u32 uid               36 u32 IP_TTL           40 sockaddr_in local    56 sockaddr_in peer
 */
import { sin_init } from "../wire/sockaddr.ts";
import type { InpcbTable } from "./in_pcb_table.ts";

/** Bytes of a record. */
export const PCBLIST_LEN = 72;

/** Every control block of a table. NetBSD's struct kinfo_pcb holds kernel pointers; this does not. */
export function in_pcblist(t: InpcbTable, proto: number): Uint8Array {
  const out = new Uint8Array(t.inpt_all.length * PCBLIST_LEN);
  const dv = new DataView(out.buffer);
  let at = 0;
  for (const inp of t.inpt_all) {
    const so = inp.inp_socket;
    const words = [
      PCBLIST_LEN,
      inp.inp_state,
      so.so_rcv.sb_cc,
      so.so_snd.sb_cc,
      so.so_rcv.sb_hiwat,
      so.so_snd.sb_hiwat,
      inp.inp_proto !== 0 ? inp.inp_proto : proto,
      so.so_cpid,
      so.so_cred === null ? 0 : so.so_cred.cr_uid,
      Math.max(0, inp.inp_ttl),
    ];
    words.forEach((w, i) => dv.setUint32(at + 4 * i, w, true));
    sin_init(out, inp.inp_laddr, inp.inp_lport, at + 40);
    sin_init(out, inp.inp_faddr, inp.inp_fport, at + 56);
    at += PCBLIST_LEN;
  }
  return out;
}
