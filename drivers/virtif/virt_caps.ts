/**
 * What a port can do for the kernel, in the interface's words: FR_OFF_* of the host as IFCAP_* and M_CSUM_*.
 */
import { FR_OFF_CSUM, FR_OFF_TSO4, FR_OFF_TSO6, FR_OFF_USO4 } from "../../hypercall/api/frames.ts";
import { M_CSUM_DATA } from "../../kernel-components/kern/mbuf.ts";
import type { Ifnet } from "../../kernel-components/net/if.ts";
import {
  IFCAP_CSUM_TCPv4_Rx,
  IFCAP_CSUM_TCPv4_Tx,
  IFCAP_CSUM_TCPv6_Rx,
  IFCAP_CSUM_TCPv6_Tx,
  IFCAP_CSUM_UDPv4_Rx,
  IFCAP_CSUM_UDPv4_Tx,
  IFCAP_CSUM_UDPv6_Rx,
  IFCAP_CSUM_UDPv6_Tx,
  IFCAP_TSOv4,
  IFCAP_TSOv6,
  IFCAP_USOv4,
} from "../../kernel-components/net/if_flags.ts";
import { if_csum_update } from "../../kernel-components/net/if_ioctl_common.ts";

/** Receive checksums that the host may vouch for. */
export const CSUM_RX: number = IFCAP_CSUM_TCPv4_Rx | IFCAP_CSUM_UDPv4_Rx | IFCAP_CSUM_TCPv6_Rx | IFCAP_CSUM_UDPv6_Rx;
const CSUM_TX: number = IFCAP_CSUM_TCPv4_Tx | IFCAP_CSUM_UDPv4_Tx | IFCAP_CSUM_TCPv6_Tx | IFCAP_CSUM_UDPv6_Tx;

/** The IFCAP_* of a port with these FR_OFF_*. */
export function virt_capabilities(offloads: number): number {
  let caps = 0;
  if ((offloads & FR_OFF_CSUM) !== 0) caps |= CSUM_RX | CSUM_TX;
  if ((offloads & FR_OFF_TSO4) !== 0) caps |= IFCAP_TSOv4;
  if ((offloads & FR_OFF_TSO6) !== 0) caps |= IFCAP_TSOv6;
  if ((offloads & FR_OFF_USO4) !== 0) caps |= IFCAP_USOv4;
  return caps;
}

/** Makes the checksum flags of an interface follow its if_capenable. */
export function virt_apply_caps(ifp: Ifnet): void {
  if_csum_update(ifp);
  // A checksum that another machine's kernel left open can be passed on as it is.
  if ((ifp.if_capenable & CSUM_TX) === CSUM_TX) ifp.if_csum_flags_tx |= M_CSUM_DATA;
}
