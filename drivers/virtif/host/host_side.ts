/**
 * The host's own end of a tap: up, with an address, so that the machine's programs talk to a kernel behind it. Needs root; no external
 * program is run.
 */
import { isIPv4 } from "node:net";
import { errno_name } from "../../../hypercall/api/errno_names.ts";
import { loadAddon } from "../../../hypercall/native/addon.ts";
import { errtrans } from "../../../hypercall/native/errtrans.ts";

/** What the host's end is to be. */
export interface HostSide {
  /** Name of the tap interface. */
  readonly name: string;
  /** Its IPv4 address on the host, such as "10.0.0.1". */
  readonly address: string;
  /** Bits of the network. */
  readonly prefix: number;
  /** Its MTU; unchanged when absent. */
  readonly mtu?: number;
}

/** Configure the host's end. Throws an Error that names the step, the reason and the cure. */
export function hostSideUp(side: HostSide): void {
  if (!isIPv4(side.address)) throw new Error(`${side.address} is not an IPv4 address`);
  if (!Number.isInteger(side.prefix) || side.prefix < 0 || side.prefix > 32) {
    throw new Error(`${side.prefix} is not a prefix length: give 0 to 32`);
  }
  const addon = loadAddon();
  check(side, "address", addon.hostif_addr(side.name, ipv4(side.address), side.prefix));
  if (side.mtu !== undefined) check(side, "mtu", addon.hostif_mtu(side.name, side.mtu));
  check(side, "up", addon.hostif_up(side.name, true));
}

function ipv4(text: string): number {
  return text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

function check(side: HostSide, step: string, answer: number): void {
  if (answer === 0) return;
  const reason = errno_name(errtrans(answer));
  const cure = reason === "EPERM" || reason === "EACCES" ? "; cure: run as root" : "";
  throw new Error(`host interface ${side.name}: setting ${step} failed with ${reason}${cure}`);
}
