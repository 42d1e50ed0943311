/*
 * bpf(4) ioctls and structures (NetBSD, LP64, little-endian). A buffer that a structure points to lies behind it, see if_abi.ts.
 *
 *   struct bpf_program   16  len u32 @0, insns u64 @8; an instruction is code u16, jt u8, jf u8, k u32
 *   struct bpf_dltlist   16  len u32 @0, list u64 @8 (u32 each)
 *   struct bpf_stat     128  recv u64 @0, drop u64 @8, capt u64 @16
 *   struct bpf_version    4  major u16, minor u16
 *   struct timeval       16  sec i64 @0, usec i32 @8
 *   struct bpf_hdr           tv_sec i64 @0, tv_usec i64 @8, caplen u32 @16, datalen u32 @20, hdrlen u16 @24; the packet begins at hdrlen
 */
import { _IO, _IOR, _IOW, _IOWR } from "../kern/ioccom.ts";
import { BPF_INSN_LEN } from "../wire/bpf_insn.ts";
import { abi_put_u64, abi_view, SIZEOF_IFREQ } from "./if_abi.ts";

/** sizeof(struct bpf_program). */
export const SIZEOF_BPF_PROGRAM = 16;
/** sizeof(struct bpf_dltlist). */
export const SIZEOF_BPF_DLTLIST = 16;
/** sizeof(struct bpf_stat). */
export const SIZEOF_BPF_STAT = 128;
/** sizeof(struct timeval). */
export const SIZEOF_TIMEVAL = 16;
/** bpf_version: major. */
export const BPF_MAJOR_VERSION = 1;
/** bpf_version: minor. */
export const BPF_MINOR_VERSION = 1;

/** Get the buffer length. */
export const BIOCGBLEN: number = _IOR("B", 102, 4);
/** Set the buffer length; the answer is what it became. */
export const BIOCSBLEN: number = _IOWR("B", 102, 4);
/** Set the read filter. */
export const BIOCSETF: number = _IOW("B", 103, SIZEOF_BPF_PROGRAM);
/** Empty the buffers, zero the statistics. */
export const BIOCFLUSH: number = _IO("B", 104);
/** Promiscuous mode. */
export const BIOCPROMISC: number = _IO("B", 105);
/** Get the data link type. */
export const BIOCGDLT: number = _IOR("B", 106, 4);
/** Get the interface. */
export const BIOCGETIF: number = _IOR("B", 107, SIZEOF_IFREQ);
/** Set the interface. */
export const BIOCSETIF: number = _IOW("B", 108, SIZEOF_IFREQ);
/** Get statistics. */
export const BIOCGSTATS: number = _IOR("B", 111, SIZEOF_BPF_STAT);
/** Read returns at once. */
export const BIOCIMMEDIATE: number = _IOW("B", 112, 4);
/** Version of the filter language. */
export const BIOCVERSION: number = _IOR("B", 113, 4);
/** Get "header complete". */
export const BIOCGHDRCMPLT: number = _IOR("B", 116, 4);
/** Set "header complete": the source address is as written. */
export const BIOCSHDRCMPLT: number = _IOW("B", 117, 4);
/** Set the data link type. */
export const BIOCSDLT: number = _IOW("B", 118, 4);
/** List the data link types. */
export const BIOCGDLTLIST: number = _IOWR("B", 119, SIZEOF_BPF_DLTLIST);
/** Get "see sent". */
export const BIOCGSEESENT: number = _IOR("B", 120, 4);
/** Set "see sent". */
export const BIOCSSEESENT: number = _IOW("B", 121, 4);
/** Set the read timeout. */
export const BIOCSRTIMEOUT: number = _IOW("B", 122, SIZEOF_TIMEVAL);
/** Get the read timeout. */
export const BIOCGRTIMEOUT: number = _IOR("B", 123, SIZEOF_TIMEVAL);
/** Get "feedback". */
export const BIOCGFEEDBACK: number = _IOR("B", 124, 4);
/** Set "feedback": what is written comes in again. */
export const BIOCSFEEDBACK: number = _IOW("B", 125, 4);
/** Lock the configuration. */
export const BIOCLOCK: number = _IO("B", 126);
/** Set the write filter. */
export const BIOCSETWF: number = _IOW("B", 127, SIZEOF_BPF_PROGRAM);

/** struct bpf_program for BIOCSETF, from quadruples code, jt, jf, k; the instructions lie behind it. */
export function bpf_program_abi(insns: readonly number[] | Int32Array): Uint8Array {
  const n = insns.length >> 2;
  const data = new Uint8Array(SIZEOF_BPF_PROGRAM + n * BPF_INSN_LEN);
  const dv = abi_view(data);
  dv.setUint32(0, n, true);
  abi_put_u64(dv, 8, SIZEOF_BPF_PROGRAM);
  for (let i = 0; i < n; i++) {
    const at = SIZEOF_BPF_PROGRAM + i * BPF_INSN_LEN;
    dv.setUint16(at, insns[i * 4], true);
    dv.setUint8(at + 2, insns[i * 4 + 1]);
    dv.setUint8(at + 3, insns[i * 4 + 2]);
    dv.setInt32(at + 4, insns[i * 4 + 3], true);
  }
  return data;
}

/** struct bpf_dltlist with room for `count` types behind it; 0: a null pointer, which asks for the count. */
export function bpf_dltlist_abi(count: number): Uint8Array {
  const data = new Uint8Array(SIZEOF_BPF_DLTLIST + count * 4);
  const dv = abi_view(data);
  dv.setUint32(0, count, true);
  abi_put_u64(dv, 8, count === 0 ? 0 : SIZEOF_BPF_DLTLIST);
  return data;
}

/** An int argument. */
export function bpf_uint(v: number): Uint8Array {
  const data = new Uint8Array(4);
  abi_view(data).setUint32(0, v >>> 0, true);
  return data;
}
