// A host that says of received frames what is not so: open checksums anywhere, superframes of any kind and size.
import {
  FR_CSUM_OFFSET,
  FR_CSUM_START,
  FR_FLAGS,
  FR_GSO_SIZE,
  FR_GSO_TYPE,
  FR_HDR,
  FR_HDR_LEN,
  FR_STRIDE,
  type FramePort,
} from "../../hypercall/api/frames.ts";
import { VirtSoftc } from "../../drivers/virtif/if_virt.ts";
import type { Ifnet } from "../../kernel-components/net/if.ts";
import type { Rng } from "./rng.ts";

/** Puts lies between an interface and its port. @returns what makes it honest again */
export function lying_port(ifp: Ifnet, r: Rng): () => void {
  const sc = ifp.if_softc;
  if (!(sc instanceof VirtSoftc) || sc.sc_port === null) throw new Error(`${ifp.if_xname} has no port`);
  const port = sc.sc_port;
  const liar: FramePort = {
    rx: (ctl, nbufs) => {
      const n = port.rx(ctl, nbufs);
      for (let i = 0; i < n; i++) if (!r.one_in(4)) lie(ctl, FR_HDR + i * FR_STRIDE, r);
      return n;
    },
    tx: (ctl, nframes) => port.tx(ctl, nframes),
    rx_enable: (on) => port.rx_enable(on),
    close: () => port.close(),
  };
  sc.sc_port = liar;
  return () => (sc.sc_port = port);
}

function lie(ctl: Int32Array, rec: number, r: Rng): void {
  ctl[rec + FR_FLAGS] = r.one_in(8) ? r.wild() : r.below(4);
  ctl[rec + FR_GSO_TYPE] = r.one_in(2) ? 0 : r.one_in(8) ? r.below(256) : r.pick([1, 3, 4, 5, 0x81]);
  ctl[rec + FR_GSO_SIZE] = r.one_in(4) ? r.wild() & 0xffff : r.pick([0, 1, 8, 100, 536, 1448]);
  ctl[rec + FR_HDR_LEN] = r.one_in(4) ? r.wild() & 0xffff : 54;
  ctl[rec + FR_CSUM_START] = r.one_in(4) ? r.wild() & 0xffff : r.pick([0, 13, 14, 33, 34, 34, 34, 38, 60]);
  ctl[rec + FR_CSUM_OFFSET] = r.one_in(4) ? r.wild() & 0xffff : r.pick([0, 6, 6, 16, 16]);
}
