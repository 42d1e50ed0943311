/** Flag words as NetBSD prints them: 0x8843<UP,BROADCAST>. */
import * as F from "../../kernel-components/net/if_flags.ts";
import * as R from "../../kernel-components/net/rtentry.ts";
import {
  IN_IFF_DETACHED,
  IN_IFF_DUPLICATED,
  IN_IFF_TENTATIVE,
  IN_IFF_TRYTENTATIVE,
} from "../../kernel-components/inet/in_var.ts";

/** A bit and its name. */
export type BitName = readonly [number, string];

/** IFF_*. */
export const IFFBITS: readonly BitName[] = [
  [F.IFF_UP, "UP"],
  [F.IFF_BROADCAST, "BROADCAST"],
  [F.IFF_DEBUG, "DEBUG"],
  [F.IFF_LOOPBACK, "LOOPBACK"],
  [F.IFF_POINTOPOINT, "POINTOPOINT"],
  [F.IFF_UNNUMBERED, "UNNUMBERED"],
  [F.IFF_RUNNING, "RUNNING"],
  [F.IFF_NOARP, "NOARP"],
  [F.IFF_PROMISC, "PROMISC"],
  [F.IFF_ALLMULTI, "ALLMULTI"],
  [F.IFF_OACTIVE, "OACTIVE"],
  [F.IFF_SIMPLEX, "SIMPLEX"],
  [F.IFF_LINK0, "LINK0"],
  [F.IFF_LINK1, "LINK1"],
  [F.IFF_LINK2, "LINK2"],
  [F.IFF_MULTICAST, "MULTICAST"],
];

/** IN_IFF_*. */
export const IN_IFFBITS: readonly BitName[] = [
  [IN_IFF_TENTATIVE, "TENTATIVE"],
  [IN_IFF_DUPLICATED, "DUPLICATED"],
  [IN_IFF_DETACHED, "DETACHED"],
  [IN_IFF_TRYTENTATIVE, "TRYTENTATIVE"],
];

/** IFCAP_*. */
export const IFCAPBITS: readonly BitName[] = [
  [F.IFCAP_TSOv4, "TSO4"],
  [F.IFCAP_CSUM_IPv4_Rx, "IP4CSUM_Rx"],
  [F.IFCAP_CSUM_IPv4_Tx, "IP4CSUM_Tx"],
  [F.IFCAP_CSUM_TCPv4_Rx, "TCP4CSUM_Rx"],
  [F.IFCAP_CSUM_TCPv4_Tx, "TCP4CSUM_Tx"],
  [F.IFCAP_CSUM_UDPv4_Rx, "UDP4CSUM_Rx"],
  [F.IFCAP_CSUM_UDPv4_Tx, "UDP4CSUM_Tx"],
  [F.IFCAP_CSUM_TCPv6_Rx, "TCP6CSUM_Rx"],
  [F.IFCAP_CSUM_TCPv6_Tx, "TCP6CSUM_Tx"],
  [F.IFCAP_CSUM_UDPv6_Rx, "UDP6CSUM_Rx"],
  [F.IFCAP_CSUM_UDPv6_Tx, "UDP6CSUM_Tx"],
  [F.IFCAP_TSOv6, "TSO6"],
  [F.IFCAP_LRO, "LRO"],
  [F.IFCAP_USOv4, "USO4"],
];

/** RTF_*. */
export const RTFBITS: readonly BitName[] = [
  [R.RTF_UP, "UP"],
  [R.RTF_GATEWAY, "GATEWAY"],
  [R.RTF_HOST, "HOST"],
  [R.RTF_REJECT, "REJECT"],
  [R.RTF_DYNAMIC, "DYNAMIC"],
  [R.RTF_MODIFIED, "MODIFIED"],
  [R.RTF_DONE, "DONE"],
  [R.RTF_MASK, "MASK_PRESENT"],
  [R.RTF_CONNECTED, "CONNECTED"],
  [R.RTF_XRESOLVE, "XRESOLVE"],
  [R.RTF_LLDATA, "LLINFO"],
  [R.RTF_STATIC, "STATIC"],
  [R.RTF_BLACKHOLE, "BLACKHOLE"],
  [R.RTF_CLONED, "CLONED"],
  [R.RTF_PROTO2, "PROTO2"],
  [R.RTF_PROTO1, "PROTO1"],
  [R.RTF_SRC, "SRC"],
  [R.RTF_ANNOUNCE, "ANNOUNCE"],
  [R.RTF_LOCAL, "LOCAL"],
  [R.RTF_BROADCAST, "BROADCAST"],
];

/** The letters of netstat -r. */
const RTLETTERS: readonly BitName[] = [
  [R.RTF_UP, "U"],
  [R.RTF_GATEWAY, "G"],
  [R.RTF_HOST, "H"],
  [R.RTF_REJECT, "R"],
  [R.RTF_BLACKHOLE, "B"],
  [R.RTF_DYNAMIC, "D"],
  [R.RTF_MODIFIED, "M"],
  [R.RTF_CONNECTED, "C"],
  [R.RTF_CLONED, "c"],
  [R.RTF_LLDATA, "L"],
  [R.RTF_STATIC, "S"],
  [R.RTF_PROTO1, "1"],
  [R.RTF_PROTO2, "2"],
  [R.RTF_ANNOUNCE, "p"],
  [R.RTF_LOCAL, "l"],
  [R.RTF_BROADCAST, "b"],
];

/** 0x8843<UP,BROADCAST>; 0 is "0". */
export function snprintb(bits: readonly BitName[], v: number): string {
  if (v === 0) return "0";
  const names = bit_names(bits, v);
  return `0x${(v >>> 0).toString(16)}${names.length === 0 ? "" : `<${names.join(",")}>`}`;
}

/** Names of the bits that are set. */
export function bit_names(bits: readonly BitName[], v: number): string[] {
  return bits.filter(([bit]) => (v & bit) !== 0).map(([, name]) => name);
}

/** UGHS. */
export function rt_letters(flags: number): string {
  return bit_names(RTLETTERS, flags).join("");
}
