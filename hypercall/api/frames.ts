// Frames in and out of a kernel's network interface. A port is a host tap (native) or one end of a simulated wire (sim). These are driver
// hypercalls: apart from the others as in rump, free to change, and null on a host without them. Batches go through one Int32Array, the
// control array, so that a call costs the same for one frame and for 256.

/** Words of the header of a control array. */
export const FR_HDR = 8;
/** Header, rx, in: slab offset of the overflow buffer. */
export const FRH_OVER_OFF = 0;
/** Header, rx, in: its size in bytes; 0 for none. */
export const FRH_OVER_CAP = 1;
/** Header, tx, in: index of the first word of the iov pairs, which must lie behind the records. */
export const FRH_IOV = 2;
/** Header, out: 0, or the negative errno that ended the batch early. */
export const FRH_STATUS = 4;
/** Header, out: frames that fitted no buffer (rx) or that the host refused for good (tx). */
export const FRH_DROPPED = 5;
/** Header, out: bytes moved. */
export const FRH_BYTES = 6;

/** Words of a record; record i begins at FR_HDR + i * FR_STRIDE. */
export const FR_STRIDE = 12;
/** Record, rx, in: slab offset of the buffer. */
export const FR_OFF = 0;
/** Record, rx, in: its size in bytes. */
export const FR_CAP = 1;
/** Record, out (rx): length of the frame. Greater than FR_CAP: the rest is in the overflow buffer, and the batch ends with this frame. */
export const FR_LEN = 2;
/** Record: FR_F_*. */
export const FR_FLAGS = 3;
/** Record: FR_GSO_NONE and so on. */
export const FR_GSO_TYPE = 4;
/** Record: bytes of payload a segment when FR_GSO_TYPE is not NONE. */
export const FR_GSO_SIZE = 5;
/** Record: bytes of all headers when FR_GSO_TYPE is not NONE. */
export const FR_HDR_LEN = 6;
/** Record: where checksumming starts, in bytes from the start of the frame, with FR_F_NEEDS_CSUM. */
export const FR_CSUM_START = 7;
/** Record: where the checksum goes, in bytes from FR_CSUM_START. The field holds the sum of the pseudo header. */
export const FR_CSUM_OFFSET = 8;
/** Record, tx, in: index in the control array of the frame's first (slab offset, length) pair. */
export const FR_IOV = 9;
/** Record, tx, in: number of pairs. */
export const FR_NIOV = 10;

/** Most frames of one batch. */
export const FR_BATCH = 256;
/** Most pieces of one frame. */
export const FR_MAXIOV = 64;

/** FR_FLAGS: the transport checksum is still to be computed from FR_CSUM_START on. */
export const FR_F_NEEDS_CSUM = 1;
/** FR_FLAGS, rx: the transport checksum has been checked. */
export const FR_F_DATA_VALID = 2;

/** FR_GSO_TYPE: an ordinary frame. */
export const FR_GSO_NONE = 0;
/** FR_GSO_TYPE: TCP over IPv4, to be cut into segments. */
export const FR_GSO_TCPV4 = 1;
/** FR_GSO_TYPE: UDP, to be cut into IP fragments. */
export const FR_GSO_UDP = 3;
/** FR_GSO_TYPE: TCP over IPv6. */
export const FR_GSO_TCPV6 = 4;
/** FR_GSO_TYPE: UDP, to be cut into datagrams. */
export const FR_GSO_UDP_L4 = 5;
/** FR_GSO_TYPE bit: TCP with ECN, CWR on the first segment only. */
export const FR_GSO_ECN = 0x80;

/** FramePortInfo.offloads: frames may have FR_F_NEEDS_CSUM. */
export const FR_OFF_CSUM = 1;
/** FramePortInfo.offloads: FR_GSO_TCPV4. */
export const FR_OFF_TSO4 = 2;
/** FramePortInfo.offloads: FR_GSO_TCPV6. */
export const FR_OFF_TSO6 = 4;
/** FramePortInfo.offloads: FR_GSO_ECN with TCP. */
export const FR_OFF_TSO_ECN = 8;
/** FramePortInfo.offloads: FR_GSO_UDP_L4 over IPv4. */
export const FR_OFF_USO4 = 16;
/** FramePortInfo.offloads: FR_GSO_UDP_L4 over IPv6. */
export const FR_OFF_USO6 = 32;

/** Where frames_open leaves its answer. */
export class FramePortInfo {
  /** 0, or why there is no port. */
  err = 0;
  /** What was wrong and what cures it, for people. */
  text = "";
  /** Address that the host suggests for the interface, or null. */
  mac: Uint8Array | null = null;
  /** FR_OFF_*. */
  offloads = 0;
  /** Whether the link is up now; changes come by frames_link. */
  link_up = true;
}

/** Upcalls of a port, each within the kernel's bracket. */
export interface FrameUp {
  /** Frames wait. Not called again until rx() has drained them; level, not edge, after rx_enable(true). */
  frames_rx_ready(): void;
  /** After a tx() that took fewer frames than it was given: there is room again. */
  frames_tx_ready(): void;
  /** The link has changed. */
  frames_link(up: boolean): void;
}

/** One open port. */
export interface FramePort {
  /**
   * Receive up to `nbufs` (at most FR_BATCH) frames into the buffers named by the records. The buffers stay the caller's. Does not block. hot
   * @returns frames received; fewer than `nbufs` means drained, unless the last one overflowed. Negative: an errno (-ENXIO after close).
   */
  rx(ctl: Int32Array, nbufs: number): number;

  /**
   * Send up to `nframes` frames gathered from the pieces named by the records; they are copied before the call returns. Does not block. hot
   * @returns frames taken, the rest later (frames_tx_ready says when); a frame the host refuses for good counts as taken and as
   * FRH_DROPPED. Negative: an errno.
   */
  tx(ctl: Int32Array, nframes: number): number;

  /** Whether frames_rx_ready is wanted; off at first. Frames that come meanwhile wait, up to the limit of the host's queue. */
  rx_enable(on: boolean): void;

  /** Give the port back; no upcall comes afterwards. Twice is harmless. */
  close(): void;
}

/** Frames. */
export interface HyperFrames {
  /**
   * Open the tap or the end of the wire that `linkstr` names. Does not block.
   * @returns the port, or null with out.err and out.text: EINVAL (bad name), ENOENT (no such wire, no tun device), EACCES or EPERM, EBUSY
   * (taken). Source: the driver's VIRTIF_CREATE hypercall of rump.
   */
  frames_open(linkstr: string, up: FrameUp, out: FramePortInfo): FramePort | null;
}
