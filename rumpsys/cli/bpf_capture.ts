/** A bpf(4) descriptor of a kernel: what an interface sees, as packets. */
import { ifreq } from "../../kernel-components/net/if_abi.ts";
import {
  BIOCGBLEN,
  BIOCGDLT,
  BIOCGSTATS,
  BIOCIMMEDIATE,
  BIOCPROMISC,
  BIOCSETIF,
  BIOCSHDRCMPLT,
  bpf_uint,
  SIZEOF_BPF_STAT,
} from "../../kernel-components/net/bpf_abi.ts";
import { abi_get_u64 } from "../../kernel-components/net/if_abi.ts";
import { O_RDWR } from "../../kernel-components/kern/fcntl.ts";
import { POLLIN } from "../../kernel-components/kern/select.ts";
import type { RumpCalls } from "../client/rump_calls.ts";

/** One packet as bpf gives it. */
export interface BpfPacket {
  readonly sec: number;
  readonly nsec: number;
  /** Length on the wire. */
  readonly datalen: number;
  readonly data: Uint8Array;
}

const HDR_MIN = 26;

/** Takes a buffer read from bpf apart. A broken record ends the list. */
export function bpf_packets(buf: Uint8Array): BpfPacket[] {
  const dv = new DataView(buf.buffer, buf.byteOffset, buf.length);
  const list: BpfPacket[] = [];
  for (let at = 0; at + HDR_MIN <= buf.length; ) {
    const caplen = dv.getUint32(at + 16, true);
    const hdrlen = dv.getUint16(at + 24, true);
    if (hdrlen < HDR_MIN || at + hdrlen + caplen > buf.length) break;
    list.push({
      sec: abi_get_u64(dv, at),
      nsec: abi_get_u64(dv, at + 8) * 1000,
      datalen: dv.getUint32(at + 20, true),
      data: buf.slice(at + hdrlen, at + hdrlen + caplen),
    });
    at += (hdrlen + caplen + 7) & ~7;
  }
  return list;
}

/** An open descriptor. */
export class BpfCapture {
  /** The descriptor. */
  readonly fd: number;
  /** DLT_* of the interface. */
  readonly linktype: number;
  private readonly sys: RumpCalls;
  private readonly buf: Uint8Array;

  private constructor(sys: RumpCalls, fd: number, linktype: number, blen: number) {
    this.sys = sys;
    this.fd = fd;
    this.linktype = linktype;
    this.buf = new Uint8Array(blen);
  }

  /** Opens one on interface `name`. */
  static async open(sys: RumpCalls, name: string, promiscuous: boolean): Promise<BpfCapture> {
    const fd = await sys.open("/dev/bpf", O_RDWR);
    try {
      const word = bpf_uint(0);
      await sys.ioctl(fd, BIOCGBLEN, word);
      const blen = new DataView(word.buffer).getUint32(0, true);
      await sys.ioctl(fd, BIOCSETIF, ifreq(name));
      await sys.ioctl(fd, BIOCIMMEDIATE, bpf_uint(1));
      await sys.ioctl(fd, BIOCSHDRCMPLT, bpf_uint(1));
      if (promiscuous) await sys.ioctl(fd, BIOCPROMISC);
      await sys.ioctl(fd, BIOCGDLT, word);
      return new BpfCapture(sys, fd, new DataView(word.buffer).getUint32(0, true), blen);
    } catch (error) {
      await sys.close(fd);
      throw error;
    }
  }

  /** What came within `ms`. */
  async read(ms: number): Promise<BpfPacket[]> {
    if ((await this.sys.poll([{ fd: this.fd, events: POLLIN }], ms)) === 0) return [];
    const n = await this.sys.read(this.fd, this.buf);
    return bpf_packets(this.buf.subarray(0, n));
  }

  /** Packets seen and packets lost. */
  async stats(): Promise<{ received: number; dropped: number }> {
    const bytes = new Uint8Array(SIZEOF_BPF_STAT);
    await this.sys.ioctl(this.fd, BIOCGSTATS, bytes);
    const dv = new DataView(bytes.buffer);
    return { received: abi_get_u64(dv, 0), dropped: abi_get_u64(dv, 8) };
  }

  /** Sends a frame as it is. */
  async write(frame: Uint8Array): Promise<void> {
    await this.sys.write(this.fd, frame);
  }

  /** Closes it. */
  async close(): Promise<void> {
    await this.sys.close(this.fd);
  }
}
