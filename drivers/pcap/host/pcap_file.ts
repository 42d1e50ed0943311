/** The host's half of a capture: a file (mode 0600), a FIFO, or standard output. */
import { closeSync, openSync, writeSync } from "node:fs";
import { ENXIO } from "../../../hypercall/api/errno.ts";
import { errno_name } from "../../../hypercall/api/errno_names.ts";
import { node_errno } from "../../../hypercall/native/node_errno.ts";
import type { PcapSink } from "../pcap_capture.ts";

const STDOUT = 1;

/** An open capture file. */
export interface PcapFile {
  /** What pcap_open takes. Writes at once; a full pipe is EAGAIN. */
  readonly sink: PcapSink;
  /** Closes the file, after the capture. Twice is harmless. */
  close(): void;
}

/** Open `path`, or standard output for "-". Throws an Error that names the path and the reason. */
export function pcapFile(path: string): PcapFile {
  let fd = path === "-" ? STDOUT : open(path);
  /** What a pipe took of the bytes before it was full: the sink is asked again with the same bytes. */
  let done = 0;
  const sink = (bytes: Uint8Array): number => {
    if (fd === -1) return ENXIO;
    try {
      while (done < bytes.length) done += writeSync(fd, bytes, done);
      done = 0;
      return 0;
    } catch (error) {
      return node_errno(error);
    }
  };
  const close = (): void => {
    if (fd > STDOUT) closeSync(fd);
    fd = -1;
  };
  return { sink, close };
}

function open(path: string): number {
  try {
    return openSync(path, "w", 0o600);
  } catch (cause) {
    throw new Error(`cannot write the capture ${path}: ${errno_name(node_errno(cause))}`, { cause });
  }
}
