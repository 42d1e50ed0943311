/**
 * The sockets layer and PF_LOCAL as components: "socket" makes the layer and its sysctl nodes, "local" the domain of unix(4).
 */
import { EINVAL } from "../../hypercall/api/errno.ts";
import { RUMP_COMPONENT_KERN, RUMP_COMPONENT_NET } from "../kern/component.ts";
import type { RumpComponent } from "../kern/component.ts";
import { evcnt_attach } from "../kern/evcnt.ts";
import type { Kernel } from "../kern/kernel.ts";
import { Domain, domain_attach, domain_detach } from "./domain.ts";
import { PR_ADDR, PR_ATOMIC, PR_CONNREQUIRED, PR_LISTEN, PR_RIGHTS, PR_WANTRCVD, Protosw } from "./protosw.ts";
import { AF_LOCAL, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM } from "./socket_abi.ts";
import { sb_max_set } from "./sockbuf_reserve.ts";
import { SOCKET_LAYER, SocketLayer, sostat_names } from "./socketvar.ts";
import { uipc_ctloutput, unp_usrreqs } from "./uipc_usrreq.ts";
import { unp_dispose, unp_externalize, unp_gc, unp_rights_close } from "./unp_rights.ts";
import { unp_pcblist } from "./unp_view.ts";
import { UnixDomain } from "./unpcb.ts";

/**
 * Default of kern.somaxkva: what the limits of all socket buffers together may promise. Promises are not memory: what is really used is
 * bounded by kern.mbuf.*, and a million sockets promise 256 GB. NetBSD: an int there, which counts lent pages.
 */
export const SOMAXKVA: number = 2 ** 40;
/** Smallest kern.somaxkva. */
const SOMAXKVA_MIN = 1024 * 1024;

/** The sockets layer: what socket(2) and the protocols build on. Makes `k.softc(SOCKET_LAYER)`. */
export const socketComponent: RumpComponent = {
  name: "socket",
  requires: ["kern"],
  excludes: [],
  init: { [RUMP_COMPONENT_KERN]: soinit },
  fini: { [RUMP_COMPONENT_KERN]: (k) => k.softc_delete(SOCKET_LAYER) },
};

function soinit(k: Kernel): void {
  const layer = new SocketLayer(k);
  layer.somaxkva = SOMAXKVA;
  k.softc_set(SOCKET_LAYER, layer);
  // Out of mbufs: every protocol gives back what it can spare (m_reclaim).
  k.mb.mb_drain = () => {
    for (const dom of layer.domains) for (const pr of dom.dom_protosw) pr.pr_drain?.();
  };
  evcnt_attach(k, "socket", sostat_names, layer.sostat);
  k.sysctl.provide((tree) => {
    tree.addInt("kern.sbmax", {
      desc: "Maximum socket buffer size",
      get: () => layer.sb_max,
      set: (v) => sb_max_set(layer, v),
    });
    tree.addQuad("kern.somaxkva", {
      desc: "Maximum sum of the limits of all socket buffers",
      get: () => layer.somaxkva,
      set: (v) => {
        layer.somaxkva = v;
        return 0;
      },
      min: SOMAXKVA_MIN,
    });
    tree.addInt("kern.somaxconn", {
      desc: "Maximum backlog of listen(2)",
      get: () => layer.somaxconn,
      set: (v) => {
        layer.somaxconn = v;
        return 0;
      },
      min: 1,
      max: 0x7fff,
    });
    tree.addInt("kern.nsockets", { desc: "Sockets in use", get: () => layer.nsockets });
  });
}

/** PF_LOCAL, unix(4). */
export const localComponent: RumpComponent = {
  name: "local",
  requires: ["socket"],
  excludes: [],
  init: { [RUMP_COMPONENT_NET]: unp_init },
  fini: { [RUMP_COMPONENT_NET]: unp_fini },
};

function unp_init(k: Kernel): number {
  const layer = k.softc(SOCKET_LAYER);
  const unix = new UnixDomain(layer);
  const pr_usrreqs = unp_usrreqs(unix);
  const stream = PR_CONNREQUIRED | PR_WANTRCVD | PR_RIGHTS | PR_LISTEN;
  const proto = (pr_type: number, pr_flags: number): Protosw =>
    new Protosw({ pr_type, pr_protocol: 0, pr_flags, pr_usrreqs, pr_ctloutput: uipc_ctloutput });
  unix.dom = new Domain({
    dom_family: AF_LOCAL,
    dom_name: "local",
    dom_protosw: [
      proto(SOCK_STREAM, stream),
      proto(SOCK_DGRAM, PR_ATOMIC | PR_ADDR | PR_RIGHTS),
      proto(SOCK_SEQPACKET, stream | PR_ATOMIC),
    ],
    dom_externalize: (m, l, flags) => unp_externalize(unix, m, l, flags),
    dom_dispose: (m) => unp_dispose(unix, m),
  });
  layer.rights_close = unp_rights_close;
  // Closing a descriptor of a socket that is in flight ends nothing, so that nobody has looked since.
  k.on_shutdown(() => unp_gc(unix));
  k.sysctl.provide((tree) => {
    const space = (name: string, desc: string, get: () => number, set: (v: number) => void): void => {
      tree.addInt(name, {
        desc,
        get,
        set: (v) => {
          if (v > layer.sb_max) return EINVAL;
          set(v);
          return 0;
        },
        min: 1,
      });
    };
    space(
      "net.local.stream.sendspace",
      "Default stream send buffer",
      () => unix.st_sendspace,
      (v) => (unix.st_sendspace = v),
    );
    space(
      "net.local.stream.recvspace",
      "Default stream receive buffer",
      () => unix.st_recvspace,
      (v) => (unix.st_recvspace = v),
    );
    space(
      "net.local.dgram.sendspace",
      "Largest datagram",
      () => unix.dg_sendspace,
      (v) => (unix.dg_sendspace = v),
    );
    space(
      "net.local.dgram.recvspace",
      "Default datagram receive buffer",
      () => unix.dg_recvspace,
      (v) => (unix.dg_recvspace = v),
    );
    for (const [name, type] of [
      ["stream", SOCK_STREAM],
      ["dgram", SOCK_DGRAM],
      ["seqpacket", SOCK_SEQPACKET],
    ] as const) {
      tree.addStruct(`net.local.${name}.pcblist`, {
        desc: `SOCK_${name.toUpperCase()} protocol control block list`,
        get: () => unp_pcblist(unix, type),
      });
    }
    tree.addInt("net.local.inflight", { desc: "Descriptors in flight", get: () => unix.unp_rights });
    tree.addInt("net.local.deferred", { desc: "Files waiting to be closed", get: () => unix.deferred.length });
  });
  return domain_attach(layer, unix.dom);
}

function unp_fini(k: Kernel): void {
  const layer = k.softc(SOCKET_LAYER);
  const dom = layer.domains.find((d) => d.dom_family === AF_LOCAL);
  if (dom !== undefined) domain_detach(layer, dom);
  layer.rights_close = null;
}
