/**
 * Domains: a protocol family and its protocols. A component's factory makes its Domain for one kernel and attaches it, so
 * nothing is shared between kernels. Source: NetBSD domain(9).
 */
import { EAFNOSUPPORT, EEXIST, EPROTONOSUPPORT, EPROTOTYPE } from "../../hypercall/api/errno.ts";
import type { IfnetRef, Mbuf } from "../kern/mbuf.ts";
import type { Lwp } from "../kern/proc.ts";
import { SOCK_RAW } from "./socket_abi.ts";
import type { Protosw } from "./protosw.ts";
import type { SocketLayer } from "./socketvar.ts";

/** What a Domain is made of; see the fields of {@link Domain}. */
export interface DomainInit {
  dom_family: number;
  dom_name: string;
  dom_protosw: readonly Protosw[];
  dom_init?: () => void;
  dom_fini?: () => void;
  dom_externalize?: (rights: Mbuf, l: Lwp, flags: number) => number;
  dom_dispose?: (m: Mbuf) => void;
  dom_ifattach?: (ifp: IfnetRef) => void;
  dom_ifdetach?: (ifp: IfnetRef) => void;
  dom_if_up?: (ifp: IfnetRef) => void;
  dom_if_down?: (ifp: IfnetRef) => void;
  dom_if_link_state_change?: (ifp: IfnetRef, state: number) => void;
}

/** A protocol family of one kernel. */
export class Domain {
  /** AF_* = PF_*. */
  readonly dom_family: number;
  /** Name for people: "internet", "local". */
  readonly dom_name: string;
  /** Its protocols; the first match wins. */
  readonly dom_protosw: readonly Protosw[];
  /** Called by domain_attach before the protocols' pr_init. */
  readonly dom_init: (() => void) | null;
  /** Called at shutdown, after the protocols' pr_fini. */
  readonly dom_fini: (() => void) | null;
  /** Turns an SCM_RIGHTS message in place into descriptors of l's process. */
  readonly dom_externalize: ((rights: Mbuf, l: Lwp, flags: number) => number) | null;
  /** Lets go of what control messages in a chain refer to; does not free the chain. */
  readonly dom_dispose: ((m: Mbuf) => void) | null;
  /** An interface appeared. */
  readonly dom_ifattach: ((ifp: IfnetRef) => void) | null;
  /** An interface goes away: forget it. */
  readonly dom_ifdetach: ((ifp: IfnetRef) => void) | null;
  /** An interface was set up. */
  readonly dom_if_up: ((ifp: IfnetRef) => void) | null;
  /** An interface was set down. */
  readonly dom_if_down: ((ifp: IfnetRef) => void) | null;
  /** The link of an interface changed: LINK_STATE_*. */
  readonly dom_if_link_state_change: ((ifp: IfnetRef, state: number) => void) | null;

  constructor(init: DomainInit) {
    this.dom_family = init.dom_family;
    this.dom_name = init.dom_name;
    this.dom_protosw = init.dom_protosw;
    this.dom_init = init.dom_init ?? null;
    this.dom_fini = init.dom_fini ?? null;
    this.dom_externalize = init.dom_externalize ?? null;
    this.dom_dispose = init.dom_dispose ?? null;
    this.dom_ifattach = init.dom_ifattach ?? null;
    this.dom_ifdetach = init.dom_ifdetach ?? null;
    this.dom_if_up = init.dom_if_up ?? null;
    this.dom_if_down = init.dom_if_down ?? null;
    this.dom_if_link_state_change = init.dom_if_link_state_change ?? null;
  }
}

/** Adds a domain and initialises its protocols. EEXIST if the family is already there. */
export function domain_attach(layer: SocketLayer, dom: Domain): number {
  if (pffinddomain(layer, dom.dom_family) !== null) return EEXIST;
  layer.domains.push(dom);
  for (const pr of dom.dom_protosw) pr.pr_domain = dom;
  dom.dom_init?.();
  for (const pr of dom.dom_protosw) pr.pr_init?.();
  return 0;
}

/** Takes a domain away, in the reverse order of {@link domain_attach}. Its sockets must be gone. */
export function domain_detach(layer: SocketLayer, dom: Domain): void {
  const at = layer.domains.indexOf(dom);
  if (at < 0) return;
  for (let i = dom.dom_protosw.length - 1; i >= 0; i--) dom.dom_protosw[i].pr_fini?.();
  dom.dom_fini?.();
  layer.domains.splice(at, 1);
}

/** The domain of a family, or null. */
export function pffinddomain(layer: SocketLayer, family: number): Domain | null {
  for (const dom of layer.domains) if (dom.dom_family === family) return dom;
  return null;
}

/** The first protocol of a family with a socket type, or null. */
export function pffindtype(layer: SocketLayer, family: number, type: number): Protosw | null {
  const dom = pffinddomain(layer, family);
  if (dom === null) return null;
  for (const pr of dom.dom_protosw) if (pr.pr_type === type && pr.pr_type !== 0) return pr;
  return null;
}

/** The protocol of a family by number and type; a raw socket falls back on the family's wildcard (pr_protocol 0). */
export function pffindproto(layer: SocketLayer, family: number, protocol: number, type: number): Protosw | null {
  if (family === 0) return null;
  const dom = pffinddomain(layer, family);
  if (dom === null) return null;
  let maybe: Protosw | null = null;
  for (const pr of dom.dom_protosw) {
    if (pr.pr_protocol === protocol && pr.pr_type === type) return pr;
    if (type === SOCK_RAW && pr.pr_type === SOCK_RAW && pr.pr_protocol === 0 && maybe === null) maybe = pr;
  }
  return maybe;
}

/** Why socket(2) found no protocol: EAFNOSUPPORT, EPROTOTYPE or EPROTONOSUPPORT. */
export function pfwhynot(layer: SocketLayer, family: number, protocol: number, type: number): number {
  const dom = pffinddomain(layer, family);
  if (dom === null) return EAFNOSUPPORT;
  if (protocol === 0) return EPROTOTYPE;
  for (const pr of dom.dom_protosw) if (pr.pr_protocol === protocol && pr.pr_type !== type) return EPROTOTYPE;
  return EPROTONOSUPPORT;
}
