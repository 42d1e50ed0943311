/** The pcap component: captures of a kernel's interfaces. Those still open at shutdown are closed, with their counters written. */
import { EINVAL } from "../../hypercall/api/errno.ts";
import { RUMP_COMPONENT_NET_IF, type RumpComponent } from "../../kernel-components/kern/component.ts";
import { type Kernel, SoftcKey } from "../../kernel-components/kern/kernel.ts";
import { ifunit } from "../../kernel-components/net/if_attach.ts";
import type { Ifnet } from "../../kernel-components/net/if.ts";
import { NET_KEY } from "../../kernel-components/net/net.ts";
import { PCAP_BUFSIZE, PcapCapture, type PcapOptions, type PcapSink } from "./pcap_capture.ts";

/** Smallest buffer: the largest packet fits with room to spare. */
const BUFSIZE_MIN = 131_072;

const PCAP_KEY: SoftcKey<Set<PcapCapture>> = new SoftcKey<Set<PcapCapture>>("pcap");

/** A capture was asked for that cannot be; the message says what was wrong. */
export class PcapError extends Error {
  override readonly name = "PcapError";
  /** NetBSD errno. */
  readonly errno: number;

  constructor(text: string, errno: number) {
    super(text);
    this.errno = errno;
  }
}

/**
 * Begins a capture into `sink`, of the interfaces named; when none is, of all there are, and of those that come later from when they are first up.
 * More are added by PcapCapture.attach, also later.
 * Throws PcapError for a name that does not exist and for options that make no sense; nothing is left behind then.
 */
export function pcap_open(
  k: Kernel,
  sink: PcapSink,
  names: readonly string[] = [],
  options: PcapOptions = {},
): PcapCapture {
  const { snaplen = 0, bufsize = PCAP_BUFSIZE } = options;
  if (!Number.isInteger(snaplen) || snaplen < 0)
    throw new PcapError(`snaplen ${snaplen} is no number of bytes`, EINVAL);
  if (!Number.isInteger(bufsize) || bufsize < BUFSIZE_MIN)
    throw new PcapError(`bufsize ${bufsize} is not at least ${BUFSIZE_MIN}`, EINVAL);
  const net = k.softc(NET_KEY);
  const found = names.map((name) => {
    const ifp = ifunit(net, name);
    if (ifp === null)
      throw new PcapError(
        `no interface ${name}; there are: ${net.ifnet_list.map((i) => i.if_xname).join(", ")}`,
        EINVAL,
      );
    if (ifp.if_capture !== null) throw new PcapError(`${name} is being captured already`, EINVAL);
    return ifp;
  });
  k.enter();
  const capture = new PcapCapture(k, sink, options);
  k.softc(PCAP_KEY).add(capture);
  for (const ifp of names.length === 0 ? net.ifnet_list : found) capture.attach(ifp);
  if (names.length === 0) {
    const come = (ifp: Ifnet): void => void capture.attach(ifp);
    net.if_up_hooks.push(come);
    capture.on_end = () => net.if_up_hooks.splice(net.if_up_hooks.indexOf(come), 1);
  }
  k.leave();
  return capture;
}

/** Captures in pcapng. */
export const pcapComponent: RumpComponent = {
  name: "pcap",
  requires: ["net"],
  excludes: [],
  init: {
    [RUMP_COMPONENT_NET_IF](k) {
      k.softc_set(PCAP_KEY, new Set());
    },
  },
  fini: {
    [RUMP_COMPONENT_NET_IF](k) {
      for (const capture of k.softc(PCAP_KEY)) capture.close();
    },
  },
};
