/*
 * Counters and queue limits of interfaces, and the counters of the layer, where sysctl and netstat find them.
 */
import { evcnt_attach, evcnt_detach } from "../kern/evcnt.ts";
import type { SysctlTree } from "../kern/sysctl.ts";
import { BPF_MAXMAXBUFSIZE, BPF_MINBUFSIZE } from "./bpf_ioctl.ts";
import { abi_put_u64, ifr_name_put } from "./if_abi.ts";
import type { Ifnet } from "./if.ts";
import { IFD_NAMES } from "./if_flags.ts";
import { type Net, NETS_NAMES } from "./net.ts";

/** sizeof(struct bpf_d_ext). */
const SIZEOF_BPF_D_EXT = 64;
/** Largest send queue that net.interfaces.<if>.sndq.maxlen accepts. */
export const IFQ_MAXLEN_MAX = 65536;

/** net.interfaces.<name>.sndq.{len,maxlen,drops} and the interface's counters. */
export function if_sysctl_attach(ifp: Ifnet): void {
  const k = ifp.if_net.k;
  const q = ifp.if_snd;
  const at = `net.interfaces.${ifp.if_xname}.sndq`;
  k.sysctl.addInt(`${at}.len`, { desc: "Current send queue length", get: () => q.ifq_len });
  k.sysctl.addInt(`${at}.maxlen`, {
    desc: "Maximum allowed send queue length",
    min: 1,
    max: IFQ_MAXLEN_MAX,
    get: () => q.ifq_maxlen,
    set: (v) => {
      q.ifq_maxlen = v;
      return 0;
    },
  });
  k.sysctl.addInt(`${at}.drops`, {
    desc: "Packets dropped due to full send queue",
    get: () => Math.min(q.ifq_drops, 0x7fffffff),
  });
  evcnt_attach(k, ifp.if_xname, IFD_NAMES, ifp.if_data);
}

/** Takes them away. */
export function if_sysctl_detach(ifp: Ifnet): void {
  const k = ifp.if_net.k;
  k.sysctl.remove(`net.interfaces.${ifp.if_xname}`);
  evcnt_detach(k, ifp.if_data);
}

/** The counters of the layer, one for each reason to drop a packet. */
export function net_sysctl_attach(net: Net): void {
  evcnt_attach(net.k, "net", NETS_NAMES, net.netstat);
  net.k.sysctl.provide((tree) => bpf_sysctl(net, tree));
}

/** net.bpf.{maxbufsize,stats,peers}. */
function bpf_sysctl(net: Net, tree: SysctlTree): void {
  tree.addInt("net.bpf.maxbufsize", {
    desc: "Maximum size for data capture buffer",
    min: BPF_MINBUFSIZE,
    max: BPF_MAXMAXBUFSIZE,
    get: () => net.bpf_maxbufsize,
    set: (v) => {
      net.bpf_maxbufsize = v;
      return 0;
    },
  });
  tree.addStruct("net.bpf.stats", {
    desc: "BPF stats: received, dropped, captured",
    get: () => {
      const out = new Uint8Array(24);
      const dv = new DataView(out.buffer);
      net.bpf_gstats.forEach((v, i) => abi_put_u64(dv, 8 * i, v));
      return out;
    },
  });
  tree.addStruct("net.bpf.peers", { desc: "BPF peers", get: () => bpf_peers(net) });
}

/** struct bpf_d_ext of every open descriptor that has an interface. */
function bpf_peers(net: Net): Uint8Array {
  const list = net.bpf_list.filter((d) => d.bd_bif !== null);
  const out = new Uint8Array(list.length * SIZEOF_BPF_D_EXT);
  const dv = new DataView(out.buffer);
  list.forEach((d, i) => {
    const at = i * SIZEOF_BPF_D_EXT;
    dv.setInt32(at, d.bd_bufsize, true);
    out[at + 4] = d.bd_promisc ? 1 : 0;
    out[at + 5] = d.bd_state;
    out[at + 6] = d.bd_immediate ? 1 : 0;
    dv.setInt32(at + 8, d.bd_hdrcmplt ? 1 : 0, true);
    dv.setInt32(at + 12, d.bd_seesent ? 1 : 0, true);
    dv.setInt32(at + 16, d.bd_pid, true);
    abi_put_u64(dv, at + 24, d.bd_rcount);
    abi_put_u64(dv, at + 32, d.bd_dcount);
    abi_put_u64(dv, at + 40, d.bd_ccount);
    ifr_name_put(out, at + 48, d.bd_bif?.bif_ifp.if_xname ?? "");
  });
  return out;
}
