// Counters and the trace of a wire. Each frame that does not arrive is counted once, under the reason that stopped it.

/** The sender's end or the wire was down when it was sent, or went down while it was on the way. */
export const WD_DOWN = 0;
/** The queue before the rate limit was full. */
export const WD_QUEUE = 1;
/** Lost by `loss`. */
export const WD_LOSS = 2;
/** Lost by `gemodel`. */
export const WD_GEMODEL = 3;
/** No other end on the wire. */
export const WD_NOBODY = 4;
/** No room in the slab, or longer than SIM_FRAME_MAX. */
export const WD_NOMEM = 5;
/** The receiver had left too many unread. */
export const WD_RXQUEUE = 6;
/** The receiver's buffers were too short. */
export const WD_NOOVER = 7;
/** The receiver closed its end or died. */
export const WD_CLOSED = 8;
/** The sender named memory outside the slab. */
export const WD_NOBUF = 9;
/** Number of reasons. */
export const WD_COUNT = 10;

/** Name of each reason. */
export const wire_drop_names: readonly string[] = [
  "down",
  "queue full",
  "loss",
  "gemodel",
  "nobody there",
  "no memory",
  "receive queue full",
  "receive buffer too short",
  "receiver gone",
  "bad address",
];

/** WireTrace: a frame was sent by `port`. */
export const WT_SEND = 0;
/** WireTrace: a frame was received by `port`. */
export const WT_DELIVER = 1;
/** WireTrace: a frame was dropped; `port` is the receiver's end, or the sender's if it never left. */
export const WT_DROP = 2;

/** Sees every frame of a wire or world: pcapng writers, printers, tests. The bytes at slab offset `off` are valid during the call only. */
export type WireTrace = (
  kind: number,
  reason: number,
  wire: string,
  port: string,
  off: number,
  len: number,
  now_ns: number,
) => void;
