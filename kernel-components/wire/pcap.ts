/*
 * The classic capture file format (pcap-savefile(5)): one link type, no interfaces, no comments. Written little-endian with nanoseconds;
 * read in either order of bytes and either resolution.
 */
import { WIRE_ELEN, WIRE_ETRUNC, WIRE_ETYPE, WIRE_EVERSION, WIRE_OK } from "./wire_error.ts";

/** First word of a file with microseconds. */
export const PCAP_MAGIC_US: number = 0xa1b2c3d4 | 0;
/** First word of a file with nanoseconds. */
export const PCAP_MAGIC_NS: number = 0xa1b23c4d | 0;
/** Bytes in a file header. */
export const PCAP_FILE_HDRLEN = 24;
/** Bytes in a record header. */
export const PCAP_REC_HDRLEN = 16;
/** Largest record that is believed. */
export const PCAP_MAX_CAPLEN = 262144;

/** The header of a file. */
export function pcap_file_header(linktype: number, snaplen: number = PCAP_MAX_CAPLEN): Uint8Array {
  const dv = new DataView(new ArrayBuffer(PCAP_FILE_HDRLEN));
  dv.setInt32(0, PCAP_MAGIC_NS, true);
  dv.setUint16(4, 2, true);
  dv.setUint16(6, 4, true);
  dv.setInt32(16, snaplen, true);
  dv.setInt32(20, linktype, true);
  return new Uint8Array(dv.buffer);
}

/** A packet with its record header. */
export function pcap_record(sec: number, nsec: number, bytes: Uint8Array, origlen: number): Uint8Array {
  const out = new Uint8Array(PCAP_REC_HDRLEN + bytes.length);
  const dv = new DataView(out.buffer);
  dv.setInt32(0, sec, true);
  dv.setInt32(4, nsec, true);
  dv.setInt32(8, bytes.length, true);
  dv.setInt32(12, origlen, true);
  out.set(bytes, PCAP_REC_HDRLEN);
  return out;
}

/** A packet that was read. */
export interface PcapRecord {
  /** Seconds since 1970. */
  readonly sec: number;
  /** Nanoseconds. */
  readonly nsec: number;
  /** Length on the wire. */
  readonly origlen: number;
  /** Bytes, in the reader's array. */
  readonly data: Uint8Array;
}

/** Walks a file: `for (let p; (p = r.next()) !== null; )`, then look at `err`. */
export class PcapReader {
  /** WIRE_OK, or why the file or a record was refused. */
  err: number = WIRE_OK;
  /** What was wrong, for people. */
  err_text = "";
  /** Link type. */
  linktype = 0;
  /** Snap length. */
  snaplen = 0;
  private readonly u8: Uint8Array;
  private readonly dv: DataView;
  private off = 0;
  private le = true;
  private ns = false;

  /** Reads these bytes. */
  constructor(bytes: Uint8Array) {
    this.u8 = bytes;
    this.dv = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.header();
  }

  private header(): void {
    const dv = this.dv;
    if (this.u8.length < PCAP_FILE_HDRLEN) {
      this.fail(WIRE_ETRUNC, `${this.u8.length} bytes, less than a pcap file header`);
      return;
    }
    const le = dv.getInt32(0, true);
    const magic = le === PCAP_MAGIC_US || le === PCAP_MAGIC_NS ? le : dv.getInt32(0);
    this.le = magic === le;
    this.ns = magic === PCAP_MAGIC_NS;
    if (!this.ns && magic !== PCAP_MAGIC_US) this.fail(WIRE_ETYPE, "not a pcap file: unknown magic");
    else if (dv.getUint16(4, this.le) !== 2) this.fail(WIRE_EVERSION, `pcap version ${dv.getUint16(4, this.le)}`);
    this.snaplen = dv.getUint32(16, this.le);
    this.linktype = dv.getUint16(20, this.le);
    this.off = PCAP_FILE_HDRLEN;
  }

  /** The next packet; null at the end, or when `err` is set. */
  next(): PcapRecord | null {
    const left = this.u8.length - this.off;
    if (this.err !== WIRE_OK || left === 0) return null;
    if (left < PCAP_REC_HDRLEN) return this.fail(WIRE_ETRUNC, `pcap record at byte ${this.off}: header cut off`);
    const caplen = this.dv.getUint32(this.off + 8, this.le);
    if (caplen > PCAP_MAX_CAPLEN) return this.fail(WIRE_ELEN, `pcap record at byte ${this.off}: ${caplen} bytes`);
    if (caplen > left - PCAP_REC_HDRLEN)
      return this.fail(WIRE_ETRUNC, `pcap record at byte ${this.off}: ${caplen} bytes, ${left - PCAP_REC_HDRLEN} left`);
    const frac = this.dv.getUint32(this.off + 4, this.le);
    const at = this.off + PCAP_REC_HDRLEN;
    const rec: PcapRecord = {
      sec: this.dv.getUint32(this.off, this.le),
      nsec: this.ns ? frac : frac * 1000,
      origlen: this.dv.getUint32(this.off + 12, this.le),
      data: this.u8.subarray(at, at + caplen),
    };
    this.off = at + caplen;
    return rec;
  }

  private fail(err: number, text: string): null {
    this.err = err;
    this.err_text = text;
    return null;
  }
}
