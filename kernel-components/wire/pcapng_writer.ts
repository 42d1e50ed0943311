/*
 * Writes pcapng into a buffer that grows; the owner takes it away from time to time and brings it to its file, pipe or test. Little-endian, times in nanoseconds.
 * A stream begins with shb(), then one idb() for each interface, then packets. Times are seconds and nanoseconds since 1970, as
 * nanoseconds alone are too large for a number.
 */
import {
  EPB_DROPCOUNT,
  EPB_FLAGS,
  EPB_PACKETID,
  EPB_VERDICT,
  IF_DESCRIPTION,
  IF_MACADDR,
  IF_NAME,
  IF_TSRESOL,
  ISB_FILTERACCEPT,
  ISB_IFDROP,
  ISB_IFRECV,
  ISB_OSDROP,
  ISB_USRDELIV,
  NRB_RECORD_END,
  NRB_RECORD_IPV4,
  NRB_RECORD_IPV6,
  OPT_COMMENT,
  OPT_ENDOFOPT,
  PCAPNG_BYTE_ORDER_MAGIC,
  PCAPNG_EPB,
  PCAPNG_IDB,
  PCAPNG_ISB,
  PCAPNG_MAJOR,
  PCAPNG_NRB,
  PCAPNG_SHB,
  SHB_HARDWARE,
  SHB_OS,
  SHB_USERAPPL,
} from "./pcapng_format.ts";
import { utf8_encode } from "./utf8.ts";

/** Longest value of an option. */
const OPT_MAX = 65535;
/** if_tsresol: nanoseconds. */
const NANOSECONDS = 9;

/** What a section header says; empty texts are left out. */
export interface PcapngShbOptions {
  /** Hardware. */
  readonly hardware?: string;
  /** Operating system. */
  readonly os?: string;
  /** Program. */
  readonly userappl?: string;
  /** Comment. */
  readonly comment?: string;
}
/** What an interface description says besides link type and snap length. */
export interface PcapngIdbOptions {
  /** Name. */
  readonly name?: string;
  /** Description. */
  readonly description?: string;
  /** Hardware address, six bytes. */
  readonly macaddr?: Uint8Array;
  /** Comment. */
  readonly comment?: string;
}
/** What is said of a packet besides its bytes. */
export interface PcapngEpbOptions {
  /** EPB_FLAGS_*. */
  readonly flags?: number;
  /** Number of the packet, a safe integer. */
  readonly packetid?: number;
  /** Packets lost before this one. */
  readonly dropcount?: number;
  /** Verdict: its kind in the first byte, as EPB_VERDICT_*. See pcapng_verdict. */
  readonly verdict?: Uint8Array;
  /** Comment. */
  readonly comment?: string;
}
/** Counters of an interface; those left out are not written. */
export interface PcapngIsbOptions {
  /** Received. */
  readonly ifrecv?: number;
  /** Dropped by the interface. */
  readonly ifdrop?: number;
  /** Accepted by the filter. */
  readonly filteraccept?: number;
  /** Dropped by the system. */
  readonly osdrop?: number;
  /** Delivered. */
  readonly usrdeliv?: number;
  /** Comment. */
  readonly comment?: string;
}
/** An address of 4 or 16 bytes and its names. */
export interface PcapngName {
  /** Address in network order. */
  readonly addr: Uint8Array;
  /** Names, at least one. */
  readonly names: readonly string[];
}

/** The bytes of an epb_verdict option of one of the 64-bit kinds. */
export function pcapng_verdict(kind: number, code: number): Uint8Array {
  const v = new Uint8Array(9);
  v[0] = kind;
  new DataView(v.buffer).setInt32(1, code, true);
  return v;
}

/** Bytes of an enhanced packet block before the packet. */
const EPB_DATA = 28;

/** A pcapng stream in the making. */
export class PcapngWriter {
  private u8: Uint8Array;
  private dv: DataView;
  private len = 0;
  private block_at = 0;
  private nif = 0;

  /** Begins with room for `size` bytes. */
  constructor(size = 65536) {
    this.u8 = new Uint8Array(size);
    this.dv = new DataView(this.u8.buffer);
  }

  /** Bytes that wait to be taken. */
  get length(): number {
    return this.len;
  }
  /** The bytes that wait, without taking them; valid until the next call. */
  peek(): Uint8Array {
    return this.u8.subarray(0, this.len);
  }
  /** Takes the bytes that wait. Only whole blocks: not to be called between epb_begin and epb_end. */
  take(): Uint8Array {
    const out = this.u8.slice(0, this.len);
    this.len = 0;
    return out;
  }

  /** Section header; interfaces are counted from 0 again. */
  shb(o: PcapngShbOptions = {}): void {
    this.begin(PCAPNG_SHB, 16);
    this.put32(PCAPNG_BYTE_ORDER_MAGIC);
    this.put32(PCAPNG_MAJOR); // major 1, minor 0
    this.put32(-1); // the section's length is not known
    this.put32(-1);
    this.opt_text(OPT_COMMENT, o.comment);
    this.opt_text(SHB_HARDWARE, o.hardware);
    this.opt_text(SHB_OS, o.os);
    this.opt_text(SHB_USERAPPL, o.userappl);
    this.end(true);
    this.nif = 0;
  }

  /** Interface description; returns the interface's number for the packets. `snaplen` 0 is no limit. */
  idb(linktype: number, snaplen: number, o: PcapngIdbOptions = {}): number {
    this.begin(PCAPNG_IDB, 8);
    this.put32(linktype & 0xffff);
    this.put32(snaplen);
    this.opt_text(OPT_COMMENT, o.comment);
    this.opt_text(IF_NAME, o.name);
    this.opt_text(IF_DESCRIPTION, o.description);
    if (o.macaddr !== undefined) this.opt(IF_MACADDR, o.macaddr);
    this.opt(IF_TSRESOL, Uint8Array.of(NANOSECONDS));
    this.end(true);
    return this.nif++;
  }

  /** Begins a packet: `caplen` bytes must follow by data(), then epb_end(). `origlen` is its length on the wire. */
  epb_begin(ifid: number, sec: number, nsec: number, caplen: number, origlen: number): void {
    this.begin(PCAPNG_EPB, 20 + caplen);
    this.put32(ifid);
    this.put_time(sec, nsec);
    this.put32(caplen);
    this.put32(origlen);
  }
  /** Appends `len` bytes of the packet. */
  data(src: Uint8Array, off: number, len: number): void {
    this.room(len);
    if (len < 64) for (let i = 0; i < len; i++) this.u8[this.len + i] = src[off + i];
    else this.u8.set(src.subarray(off, off + len), this.len);
    this.len += len;
  }
  /** Writes over two bytes at `off` of the packet that was begun, if it has been given that far. */
  data16(off: number, value: number): void {
    const at = this.block_at + EPB_DATA + off;
    if (at + 2 > this.len) return;
    this.u8[at] = value >>> 8;
    this.u8[at + 1] = value;
  }
  /** Ends a packet. */
  epb_end(o: PcapngEpbOptions | null = null): void {
    this.pad();
    if (o !== null) {
      this.opt_text(OPT_COMMENT, o.comment);
      if (o.flags !== undefined) this.opt_int(EPB_FLAGS, o.flags, 4);
      if (o.dropcount !== undefined) this.opt_int(EPB_DROPCOUNT, o.dropcount, 8);
      if (o.packetid !== undefined) this.opt_int(EPB_PACKETID, o.packetid, 8);
      if (o.verdict !== undefined) this.opt(EPB_VERDICT, o.verdict);
    }
    this.end(o !== null);
  }
  /** A whole packet that lies in one piece. */
  epb(
    ifid: number,
    sec: number,
    nsec: number,
    bytes: Uint8Array,
    origlen: number,
    o: PcapngEpbOptions | null = null,
  ): void {
    this.epb_begin(ifid, sec, nsec, bytes.length, origlen);
    this.data(bytes, 0, bytes.length);
    this.epb_end(o);
  }

  /** Statistics of an interface. */
  isb(ifid: number, sec: number, nsec: number, o: PcapngIsbOptions): void {
    this.begin(PCAPNG_ISB, 12);
    this.put32(ifid);
    this.put_time(sec, nsec);
    this.opt_text(OPT_COMMENT, o.comment);
    if (o.ifrecv !== undefined) this.opt_int(ISB_IFRECV, o.ifrecv, 8);
    if (o.ifdrop !== undefined) this.opt_int(ISB_IFDROP, o.ifdrop, 8);
    if (o.filteraccept !== undefined) this.opt_int(ISB_FILTERACCEPT, o.filteraccept, 8);
    if (o.osdrop !== undefined) this.opt_int(ISB_OSDROP, o.osdrop, 8);
    if (o.usrdeliv !== undefined) this.opt_int(ISB_USRDELIV, o.usrdeliv, 8);
    this.end(true);
  }

  /** Names of addresses; records with another address length than 4 and 16, or more than 64 KB of names, are left out. */
  nrb(names: readonly PcapngName[]): void {
    this.begin(PCAPNG_NRB, 4);
    for (const n of names) {
      const texts = n.names.map((t) => utf8_encode(t));
      const size = texts.reduce((sum, t) => sum + t.length + 1, n.addr.length);
      if ((n.addr.length !== 4 && n.addr.length !== 16) || texts.length === 0 || size > OPT_MAX) continue;
      this.put16(n.addr.length === 4 ? NRB_RECORD_IPV4 : NRB_RECORD_IPV6);
      this.put16(size);
      this.data(n.addr, 0, n.addr.length);
      for (const t of texts) {
        this.data(t, 0, t.length);
        this.data(Uint8Array.of(0), 0, 1);
      }
      this.pad();
    }
    this.put32(NRB_RECORD_END);
    this.end(false);
  }

  private begin(type: number, body: number): void {
    this.room(body + 16);
    this.block_at = this.len;
    this.put32(type);
    this.put32(0);
  }
  private end(options: boolean): void {
    if (options) this.put32(OPT_ENDOFOPT);
    const total = this.len + 4 - this.block_at;
    this.put32(total);
    this.dv.setInt32(this.block_at + 4, total, true);
  }
  private room(n: number): void {
    if (this.len + n <= this.u8.length) return;
    const bigger = new Uint8Array(Math.max(2 * this.u8.length, this.len + n));
    bigger.set(this.u8);
    this.u8 = bigger;
    this.dv = new DataView(bigger.buffer);
  }
  private put16(v: number): void {
    this.room(2);
    this.dv.setUint16(this.len, v, true);
    this.len += 2;
  }
  private put32(v: number): void {
    this.room(4);
    this.dv.setInt32(this.len, v, true);
    this.len += 4;
  }
  private pad(): void {
    this.room(3);
    while ((this.len & 3) !== 0) this.u8[this.len++] = 0;
  }
  /** sec * 10^9 + nsec in two halves, high first, without leaving the integers that a number holds exactly. */
  private put_time(sec: number, nsec: number): void {
    const p = Math.floor(sec / 65536) * 1e9; // times 2^16
    const r = (p % 65536) * 65536 + (sec % 65536) * 1e9 + nsec;
    this.put32(Math.floor(p / 65536) + Math.floor(r / 2 ** 32));
    this.put32(r % 2 ** 32);
  }
  private opt(code: number, value: Uint8Array): void {
    const n = Math.min(value.length, OPT_MAX);
    this.put16(code);
    this.put16(n);
    this.data(value, 0, n);
    this.pad();
  }
  private opt_text(code: number, text: string | undefined): void {
    if (text !== undefined && text !== "") this.opt(code, utf8_encode(text));
  }
  private opt_int(code: number, v: number, size: number): void {
    this.put16(code);
    this.put16(size);
    this.put32(v % 2 ** 32);
    if (size === 8) this.put32(Math.floor(v / 2 ** 32));
  }
}
