/**
 * What a port can do for the kernel, in the interface's words: FR_OFF_* of the host as IFCAP_* and M_CSUM_*.
 */
import { FR_OFF_CSUM, FR_OFF_TSO4, FR_OFF_TSO6, FR_OFF_USO4 } from "../../hypercall/api/frames.ts";
import { M_CSUM_DATA, M_CSUM_TCPv4, M_CSUM_TCPv6, M_CSUM_UDPv4, M_CSUM_UDPv6 } from "../../kernel-components/kern/mbuf.ts";
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

const CSUM_RX: number = IFCAP_CSUM_TCPv4_Rx | IFCAP_CSUM_UDPv4_Rx | IFCAP_CSUM_TCPv6_Rx | IFCAP_CSUM_UDPv6_Rx;
const CSUM_TX: number = IFCAP_CSUM_TCPv4_Tx | IFCAP_CSUM_UDPv4_Tx | IFCAP_CSUM_TCPv6_Tx | IFCAP_CSUM_UDPv6_Tx;

/** Each capability with the flag that the stack sets on a packet to use it. */
const TX_FLAGS: readonly (readonly [number, number])[] = [
  [IFCAP_CSUM_TCPv4_Tx, M_CSUM_TCPv4],
  [IFCAP_CSUM_UDPv4_Tx, M_CSUM_UDPv4],
  [IFCAP_CSUM_TCPv6_Tx, M_CSUM_TCPv6],
  [IFCAP_CSUM_UDPv6_Tx, M_CSUM_UDPv6],
];

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
  const on = ifp.if_capenable;
  let tx = 0;
  for (const [cap, flag] of TX_FLAGS) if ((on & cap) !== 0) tx |= flag;
  // A checksum that another machine's kernel left open can be passed on as it is.
  if ((on & CSUM_TX) === CSUM_TX) tx |= M_CSUM_DATA;
  ifp.if_csum_flags_tx = tx;
  ifp.if_csum_flags_rx = (on & CSUM_RX) === 0 ? 0 : M_CSUM_TCPv4 | M_CSUM_UDPv4 | M_CSUM_TCPv6 | M_CSUM_UDPv6;
}
