/*
 * The ioctls of bpf(4).
 */
import { EFAULT, EINVAL, ENOBUFS, ENOMEM, ENOTTY, ENXIO, EPERM } from "../../hypercall/api/errno.ts";
import { FIONREAD, IOCPARM_LEN } from "../kern/ioccom.ts";
import type { Lwp } from "../kern/proc.ts";
import { BPF_INSN_LEN, bpf_insns_parse, bpf_program } from "../wire/bpf_insn.ts";
import {
  BIOCFLUSH,
  BIOCGBLEN,
  BIOCGDLT,
  BIOCGDLTLIST,
  BIOCGETIF,
  BIOCGFEEDBACK,
  BIOCGHDRCMPLT,
  BIOCGRTIMEOUT,
  BIOCGSEESENT,
  BIOCGSTATS,
  BIOCIMMEDIATE,
  BIOCLOCK,
  BIOCPROMISC,
  BIOCSBLEN,
  BIOCSDLT,
  BIOCSETF,
  BIOCSETIF,
  BIOCSETWF,
  BIOCSFEEDBACK,
  BIOCSHDRCMPLT,
  BIOCSRTIMEOUT,
  BIOCSSEESENT,
  BIOCVERSION,
  BPF_MAJOR_VERSION,
  BPF_MINOR_VERSION,
  SIZEOF_BPF_DLTLIST,
  SIZEOF_BPF_PROGRAM,
} from "./bpf_abi.ts";
import { type Bpf, bpf_detachd, bpf_reset } from "./bpf_desc.ts";
import { type BpfIf, bpf_update_tap } from "./bpf_if.ts";
import { abi_buffer, abi_get_u64, abi_put_u64, abi_view, ifr_name, ifr_name_put } from "./if_abi.ts";
import { ifunit } from "./if_attach.ts";
import { ifpromisc } from "./if_promisc.ts";

/** Smallest buffer. */
export const BPF_MINBUFSIZE = 32;
/** Largest net.bpf.maxbufsize. */
export const BPF_MAXMAXBUFSIZE: number = 16 * 1024 * 1024;
/** Longest read timeout in seconds. */
const BPF_MAXTIMEOUT_S = 0x7fffffff / 1000;

/** ioctls that a locked descriptor still answers (BIOCLOCK). */
const LOCKED_OK: readonly number[] = [
  BIOCGBLEN,
  BIOCFLUSH,
  BIOCGDLT,
  BIOCGDLTLIST,
  BIOCGETIF,
  BIOCGRTIMEOUT,
  BIOCGSTATS,
  BIOCVERSION,
  BIOCGHDRCMPLT,
  BIOCGSEESENT,
  BIOCGFEEDBACK,
  BIOCSRTIMEOUT,
  BIOCIMMEDIATE,
  BIOCLOCK,
  FIONREAD,
];

/** One ioctl. ENOTTY: not known. */
export function bpf_ioctl(d: Bpf, _l: Lwp, cmd: number, data: Uint8Array): number {
  if (data.length < IOCPARM_LEN(cmd)) return EFAULT;
  if (d.bd_locked && !LOCKED_OK.includes(cmd)) return EPERM;
  const dv = abi_view(data);
  switch (cmd) {
    case FIONREAD:
      dv.setInt32(0, d.bd_hbuf !== null ? d.bd_hlen + d.bd_slen : d.bd_slen, true);
      return 0;
    case BIOCGBLEN:
      dv.setUint32(0, d.bd_bufsize, true);
      return 0;
    case BIOCSBLEN:
      return bpf_setblen(d, dv);
    case BIOCSETF:
    case BIOCSETWF:
      return bpf_setf(d, data, dv, cmd === BIOCSETWF);
    case BIOCFLUSH:
      bpf_reset(d);
      return 0;
    case BIOCPROMISC:
      return bpf_promisc(d);
    case BIOCSETIF:
      return bpf_setif(d, ifr_name(data));
    case BIOCGETIF:
      if (d.bd_bif === null) return EINVAL;
      ifr_name_put(data, 0, d.bd_bif.bif_ifp.if_xname);
      return 0;
    case BIOCVERSION:
      dv.setUint16(0, BPF_MAJOR_VERSION, true);
      dv.setUint16(2, BPF_MINOR_VERSION, true);
      return 0;
    case BIOCLOCK:
      d.bd_locked = true;
      return 0;
    default:
      return bpf_ioctl_more(d, cmd, data, dv);
  }
}

function bpf_ioctl_more(d: Bpf, cmd: number, data: Uint8Array, dv: DataView): number {
  switch (cmd) {
    case BIOCGDLT:
      if (d.bd_bif === null) return EINVAL;
      dv.setUint32(0, d.bd_bif.bif_dlt, true);
      return 0;
    case BIOCGDLTLIST:
      return bpf_getdltlist(d, data, dv);
    case BIOCSDLT:
      return bpf_setdlt(d, dv.getUint32(0, true));
    case BIOCGSTATS:
      data.fill(0, 0, 128);
      abi_put_u64(dv, 0, d.bd_rcount);
      abi_put_u64(dv, 8, d.bd_dcount);
      abi_put_u64(dv, 16, d.bd_ccount);
      return 0;
    case BIOCSRTIMEOUT:
      return bpf_setrtimeout(d, dv);
    case BIOCGRTIMEOUT:
      abi_put_u64(dv, 0, Math.floor(d.bd_rtout_ns / 1e9));
      dv.setInt32(8, Math.floor((d.bd_rtout_ns % 1e9) / 1000), true);
      return 0;
    default:
      return bpf_ioctl_flag(d, cmd, dv);
  }
}

/** The switches: each an u_int. */
function bpf_ioctl_flag(d: Bpf, cmd: number, dv: DataView): number {
  const set = dv.byteLength >= 4 && dv.getUint32(0, true) !== 0;
  switch (cmd) {
    case BIOCIMMEDIATE:
      d.bd_immediate = set;
      return 0;
    case BIOCSHDRCMPLT:
      d.bd_hdrcmplt = set;
      return 0;
    case BIOCSSEESENT:
      d.bd_seesent = set;
      return 0;
    case BIOCSFEEDBACK:
      d.bd_feedback = set;
      return 0;
    case BIOCGHDRCMPLT:
      dv.setUint32(0, d.bd_hdrcmplt ? 1 : 0, true);
      return 0;
    case BIOCGSEESENT:
      dv.setUint32(0, d.bd_seesent ? 1 : 0, true);
      return 0;
    case BIOCGFEEDBACK:
      dv.setUint32(0, d.bd_feedback ? 1 : 0, true);
      return 0;
    default:
      return ENOTTY;
  }
}

/** Buffers have their length from BIOCSETIF on (EINVAL); a length out of bounds becomes the nearest one, which the answer says. */
function bpf_setblen(d: Bpf, dv: DataView): number {
  if (d.bd_bif !== null || d.bd_sbuf !== null) return EINVAL;
  const size = Math.min(d.bd_net.bpf_maxbufsize, Math.max(BPF_MINBUFSIZE, dv.getUint32(0, true)));
  dv.setUint32(0, size, true);
  d.bd_bufsize = size;
  return 0;
}

/** Sets a filter; one of no instructions takes it away. EINVAL: the machine would not run it. */
function bpf_setf(d: Bpf, data: Uint8Array, dv: DataView, write: boolean): number {
  const n = dv.getUint32(0, true);
  let prog = null;
  if (n !== 0) {
    const at = abi_buffer(data, dv, 8, SIZEOF_BPF_PROGRAM, n * BPF_INSN_LEN);
    if (n > 512) return EINVAL;
    if (at < 0) return EFAULT;
    const insns = bpf_insns_parse(data.subarray(at), n);
    prog = insns === null ? null : bpf_program(insns);
    if (prog === null) return EINVAL;
  }
  if (write) {
    d.bd_wfilter = prog;
    return 0;
  }
  d.bd_rfilter = prog;
  bpf_reset(d);
  return 0;
}

function bpf_promisc(d: Bpf): number {
  if (d.bd_bif === null) return EINVAL;
  if (d.bd_promisc) return 0;
  const error = ifpromisc(d.bd_bif.bif_ifp, true);
  if (error === 0) d.bd_promisc = true;
  return error;
}

/** Attaches to an interface (its first data link type); the buffers are made or emptied. ENXIO: no such interface. */
function bpf_setif(d: Bpf, name: string): number {
  const ifp = ifunit(d.bd_net, name);
  if (ifp === null || ifp.if_bpflist.length === 0) return ENXIO;
  if (d.bd_sbuf === null) {
    d.bd_sbuf = new Uint8Array(d.bd_bufsize);
    d.bd_fbuf = new Uint8Array(d.bd_bufsize);
  }
  if (d.bd_sbuf.length !== d.bd_bufsize) return ENOBUFS;
  if (d.bd_bif === null || d.bd_bif.bif_ifp !== ifp) {
    bpf_detachd(d);
    bpf_attachd(d, ifp.if_bpflist[0]);
  }
  d.bd_gone = false;
  bpf_reset(d);
  return 0;
}

function bpf_attachd(d: Bpf, bif: BpfIf): void {
  d.bd_bif = bif;
  bif.bif_dlist.push(d);
  bpf_update_tap(bif.bif_ifp);
}

/** A null list asks how many there are; one that is too short is filled and answered with ENOMEM. */
function bpf_getdltlist(d: Bpf, data: Uint8Array, dv: DataView): number {
  if (d.bd_bif === null) return EINVAL;
  const list = d.bd_bif.bif_ifp.if_bpflist;
  const room = dv.getUint32(0, true);
  if (abi_get_u64(dv, 8) === 0) {
    dv.setUint32(0, list.length, true);
    return 0;
  }
  const n = Math.min(room, list.length);
  const at = abi_buffer(data, dv, 8, SIZEOF_BPF_DLTLIST, n * 4);
  if (at < 0) return EFAULT;
  for (let i = 0; i < n; i++) dv.setUint32(at + i * 4, list[i].bif_dlt, true);
  dv.setUint32(0, n, true);
  return n < list.length ? ENOMEM : 0;
}

function bpf_setdlt(d: Bpf, dlt: number): number {
  const bif = d.bd_bif;
  if (bif === null) return EINVAL;
  if (bif.bif_dlt === dlt) return 0;
  const other = bif.bif_ifp.if_bpflist.find((b) => b.bif_dlt === dlt);
  if (other === undefined) return EINVAL;
  bif.bif_dlist.splice(bif.bif_dlist.indexOf(d), 1);
  bpf_attachd(d, other);
  bpf_reset(d);
  return 0;
}

/** A timeout that is not zero is at least a microsecond. EINVAL: negative, or longer than there are milliseconds in an int. */
function bpf_setrtimeout(d: Bpf, dv: DataView): number {
  const sec = abi_get_u64(dv, 0);
  const usec = dv.getInt32(8, true);
  if (sec < 0 || sec > BPF_MAXTIMEOUT_S || usec < 0 || usec >= 1e6) return EINVAL;
  d.bd_rtout_ns = sec * 1e9 + usec * 1000;
  return 0;
}
