/*
 * Counters and queue limits of interfaces, and the counters of the layer, where sysctl and netstat find them.
 */
import { evcnt_attach, evcnt_detach } from "../kern/evcnt.ts";
import type { Ifnet } from "./if.ts";
import { IFD_NAMES } from "./if_flags.ts";
import { type Net, NETS_NAMES } from "./net.ts";

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
}
