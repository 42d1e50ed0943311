/*
 * /dev/bpf: every open makes a descriptor of its own; read takes a buffer of records, write sends a packet.
 */
import { EINVAL, EMSGSIZE, ENETDOWN, ENOBUFS, ENXIO, EPERM, EWOULDBLOCK } from "../../hypercall/api/errno.ts";
import { callout_destroy, callout_reset, callout_stop } from "../kern/callout.ts";
import { devsw_attach, devsw_detach, type FileOut } from "../kern/devsw.ts";
import { FFLAGS, FNONBLOCK } from "../kern/fcntl.ts";
import type { Mbuf } from "../kern/mbuf.ts";
import { M_COPYALL, M_LOOP } from "../kern/mbuf.ts";
import { m_freem } from "../kern/mbuf_alloc.ts";
import { m_copydata, m_dup } from "../kern/mbuf_copy.ts";
import { m_devget } from "../kern/mbuf_bytes.ts";
import { m_adj } from "../kern/mbuf_ops.ts";
import { DTYPE_MISC, File, type Fileops, is_super, type Lwp, S_IFCHR, type Stat } from "../kern/proc.ts";
import { lwp_wait, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM, selrecord } from "../kern/select.ts";
import type { Uio } from "../kern/uio.ts";
import { uiomove_bytes } from "../kern/uio.ts";
import { EWAIT } from "../kern/wakeup.ts";
import { AF_INET, AF_INET6, AF_UNSPEC } from "../wire/sockaddr.ts";
import { Bpf, BPF_IDLE, BPF_TIMED_OUT, BPF_WAITING, bpf_detachd, bpf_rotate, bpf_wakeup } from "./bpf_desc.ts";
import { DLT_EN10MB, DLT_NULL } from "./bpf_if.ts";
import { bpf_ioctl } from "./bpf_ioctl.ts";
import { bpf_may_write } from "./bpf_tap.ts";
import { pseudo_AF_HDRCMPLT } from "./ether_output.ts";
import type { Ifnet } from "./if.ts";
import { IFF_UP } from "./if_flags.ts";
import type { Net } from "./net.ts";

/** Bytes of a buffer unless BIOCSBLEN says otherwise. */
export const BPF_BUFSIZE = 32768;
/** Room before a packet that is written, for link headers. */
const BPF_HEADROOM = 64;

/** Registers /dev/bpf. */
export function bpf_attach(net: Net): number {
  return devsw_attach(net.k, "/dev/bpf", (l, _path, flags, out) => bpf_open(net, l, flags, out));
}

/** Removes /dev/bpf; open descriptors live on. */
export function bpf_detach(net: Net): void {
  devsw_detach(net.k, "/dev/bpf");
}

/** Only root may: a descriptor sees and sends everything. */
function bpf_open(net: Net, l: Lwp, flags: number, out: FileOut): number {
  if (!is_super(l.l_proc.p_cred)) return EPERM;
  const d = new Bpf(net, l.l_proc.p_pid, BPF_BUFSIZE);
  net.bpf_list.push(d);
  out.fp = new File(DTYPE_MISC, FFLAGS(flags), new BpfFileops(d), d, l.l_proc.p_cred);
  return 0;
}

/** The operations of one descriptor. */
class BpfFileops implements Fileops {
  readonly fo_name = "bpf";
  private readonly d: Bpf;
  constructor(d: Bpf) {
    this.d = d;
  }
  fo_read(l: Lwp, fp: File, uio: Uio): number {
    return bpf_read(this.d, l, (fp.f_flag & FNONBLOCK) !== 0, uio);
  }
  fo_write(_l: Lwp, _fp: File, uio: Uio): number {
    return bpf_write(this.d, uio);
  }
  fo_ioctl(l: Lwp, _fp: File, cmd: number, data: Uint8Array): number {
    return bpf_ioctl(this.d, l, cmd, data);
  }
  fo_poll(l: Lwp, _fp: File, events: number): number {
    return bpf_poll(this.d, l, events);
  }
  fo_close(): number {
    return bpf_close(this.d);
  }
  fo_stat(_l: Lwp, _fp: File, st: Stat): number {
    st.st_mode = S_IFCHR | 0o600;
    st.st_blksize = this.d.bd_bufsize;
    return 0;
  }
  fo_fcntl(): number {
    return 0;
  }
}

function bpf_close(d: Bpf): number {
  bpf_detachd(d);
  callout_stop(d.bd_callout);
  callout_destroy(d.bd_callout);
  const at = d.bd_net.bpf_list.indexOf(d);
  if (at >= 0) d.bd_net.bpf_list.splice(at, 1);
  return 0;
}

/**
 * Takes the hold buffer, waiting until there is one: full, or with BIOCIMMEDIATE anything, or what there is when the timeout passes (nothing: 0 bytes).
 * The buffer given must have exactly the length of bpf's (EINVAL).
 */
function bpf_read(d: Bpf, l: Lwp, nonblock: boolean, uio: Uio): number {
  if (uio.uio_resid !== d.bd_bufsize) return EINVAL;
  if (d.bd_hbuf === null) {
    if ((d.bd_immediate || d.bd_state === BPF_TIMED_OUT) && d.bd_slen > 0) {
      bpf_rotate(d);
    } else {
      if (d.bd_bif === null) return ENXIO;
      const error = bpf_wait(d, l, nonblock);
      if (error !== 0) return error;
      if (d.bd_slen === 0) return nonblock ? EWOULDBLOCK : 0;
      bpf_rotate(d);
    }
  }
  const buf = d.bd_hbuf;
  if (buf === null) return EWOULDBLOCK;
  uiomove_bytes(buf, 0, d.bd_hlen, uio);
  if (d.bd_state === BPF_TIMED_OUT) d.bd_state = BPF_IDLE;
  d.bd_fbuf = buf;
  d.bd_hbuf = null;
  d.bd_hlen = 0;
  return 0;
}

/** EWAIT until the hold buffer is there; 0 when it is time to take what there is. */
function bpf_wait(d: Bpf, l: Lwp, nonblock: boolean): number {
  if (nonblock) return 0;
  const error = lwp_wait(d.bd_net.k, l, d.bd_rtout_ns);
  if (error === EWOULDBLOCK) return 0;
  if (error === EWAIT) selrecord(l, d.bd_sel);
  return error;
}

/** Sends what is written as one packet, beginning with the link header. EMSGSIZE: shorter than that header or longer than the MTU. */
function bpf_write(d: Bpf, uio: Uio): number {
  const bif = d.bd_bif;
  if (bif === null) return ENXIO;
  const ifp = bif.bif_ifp;
  if ((ifp.if_flags & IFF_UP) === 0) return ENETDOWN;
  const len = uio.uio_resid;
  if (len === 0) return 0;
  const hlen = bif.bif_dlt === DLT_EN10MB ? 14 : bif.bif_dlt === DLT_NULL ? 4 : 0;
  if (len < hlen || len - hlen > ifp.if_mtu) return EMSGSIZE;
  const bytes = new Uint8Array(len);
  uiomove_bytes(bytes, 0, len, uio);
  const m = m_devget(d.bd_net.k.mb, bytes, BPF_HEADROOM, null);
  if (m === null) return ENOBUFS;
  if (!bpf_may_write(d.bd_wfilter, m)) {
    m_freem(m);
    return EPERM;
  }
  let copy: Mbuf | null = null;
  if (d.bd_feedback) copy = m_dup(m, 0, M_COPYALL);
  const error = bif.bif_dlt === DLT_EN10MB ? bpf_send_ether(d, ifp, m) : bpf_send_raw(ifp, m, bytes, hlen);
  if (copy === null) return error;
  if (error !== 0) {
    m_freem(copy);
    return error;
  }
  copy.m_flags |= M_LOOP;
  if (bif.bif_dlt === DLT_NULL) m_adj(copy, hlen);
  ifp.if_input(ifp, copy);
  return 0;
}

function bpf_send_ether(d: Bpf, ifp: Ifnet, m: Mbuf): number {
  const net = d.bd_net;
  m_copydata(m, 0, 14, net.bpf_hdr, 0);
  m_adj(m, 14);
  return ifp.if_output(ifp, m, d.bd_hdrcmplt ? pseudo_AF_HDRCMPLT : AF_UNSPEC, 0, null);
}

/** A packet without link header: its family is in the first four bytes (DLT_NULL) or follows from its version. */
function bpf_send_raw(ifp: Ifnet, m: Mbuf, bytes: Uint8Array, hlen: number): number {
  const v = bytes.length > hlen ? bytes[hlen] >>> 4 : 0;
  const af = hlen === 4 ? bytes[0] | (bytes[1] << 8) : v === 6 ? AF_INET6 : AF_INET;
  m_adj(m, hlen);
  let dst = 0;
  if (af === AF_INET && bytes.length >= hlen + 20) {
    dst = (bytes[hlen + 16] << 24) | (bytes[hlen + 17] << 16) | (bytes[hlen + 18] << 8) | bytes[hlen + 19];
  } else if (af === AF_INET6 && bytes.length >= hlen + 40) {
    dst = m.m_off + 24;
  } else {
    m_freem(m);
    return EINVAL;
  }
  return ifp.if_output(ifp, m, af, dst, null);
}

function bpf_poll(d: Bpf, l: Lwp, events: number): number {
  let revents = events & (POLLOUT | POLLWRNORM);
  if ((events & (POLLIN | POLLRDNORM)) === 0) return revents;
  if (d.bd_gone || d.bd_hbuf !== null || ((d.bd_immediate || d.bd_state === BPF_TIMED_OUT) && d.bd_slen > 0)) {
    revents |= events & (POLLIN | POLLRDNORM);
    return revents;
  }
  selrecord(l, d.bd_sel);
  if (d.bd_rtout_ns > 0 && d.bd_state === BPF_IDLE) {
    d.bd_state = BPF_WAITING;
    callout_reset(d.bd_callout, d.bd_rtout_ns, bpf_timed_out, d);
  }
  return revents;
}

/** The read timeout of a poller passed: what there is may be read. */
function bpf_timed_out(d: Bpf): void {
  if (d.bd_state !== BPF_WAITING) return;
  d.bd_state = BPF_TIMED_OUT;
  if (d.bd_slen > 0) bpf_wakeup(d);
}
