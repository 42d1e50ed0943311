/*
 * Reads pcapng in either order of bytes, one block at a time, and stops at the first malformed one, saying where and why.
 */
import {
  IF_NAME,
  IF_DESCRIPTION,
  IF_TSOFFSET,
  IF_TSRESOL,
  NRB_RECORD_END,
  NRB_RECORD_IPV4,
  NRB_RECORD_IPV6,
  OPT_COMMENT,
  OPT_ENDOFOPT,
  PCAPNG_BLOCK_OVERHEAD,
  PCAPNG_BYTE_ORDER_MAGIC,
  PCAPNG_EPB,
  PCAPNG_IDB,
  PCAPNG_ISB,
  PCAPNG_MAJOR,
  PCAPNG_NRB,
  PCAPNG_SHB,
  PCAPNG_SPB,
} from "./pcapng_format.ts";
import { utf8_decode } from "./utf8.ts";
import { WIRE_ELEN, WIRE_EOPT, WIRE_ETRUNC, WIRE_ETYPE, WIRE_EVERSION, WIRE_OK } from "./wire_error.ts";

/** Largest block that is believed (as Wireshark). */
const BLOCK_MAX = 16 * 1024 * 1024;
/** if_tsresol of an interface that has none. */
const MICROSECONDS = 6;

/** An option as it stands. */
export interface PcapngOption {
  /** Code; its meaning depends on the block. */
  readonly code: number;
  /** Value. */
  readonly value: Uint8Array;
}

/** A block. What does not apply to its type is zero or empty. */
export class PcapngBlock {
  /** PCAPNG_*, or a type that is not known here and has only `body`. */
  type = 0;
  /** Offset of the block in the bytes. */
  off = 0;
  /** What lies between the two lengths. */
  body: Uint8Array = new Uint8Array(0);
  /** Interface: link type. */
  linktype = 0;
  /** Interface: snap length. */
  snaplen = 0;
  /** Packet, statistics: number of the interface in this section. Interface: its own. */
  ifid = 0;
  /** Packet, statistics: seconds since 1970. */
  sec = 0;
  /** Packet, statistics: nanoseconds. */
  nsec = 0;
  /** Packet: bytes. */
  data: Uint8Array = new Uint8Array(0);
  /** Packet: length on the wire. */
  origlen = 0;
  /** Names. */
  names: { readonly addr: Uint8Array; readonly names: readonly string[] }[] = [];
  /** Options. */
  options: PcapngOption[] = [];

  /** Value of the first option of that code, or null. */
  option(code: number): Uint8Array | null {
    return this.options.find((o) => o.code === code)?.value ?? null;
  }
  /** The same as text; "" if there is none. */
  text(code: number): string {
    return utf8_decode(this.option(code) ?? new Uint8Array(0));
  }
  /** The first comment, or "". */
  get comment(): string {
    return this.text(OPT_COMMENT);
  }
}

/** An interface of the current section. */
export class PcapngInterface {
  /** Link type. */
  linktype = 0;
  /** Snap length. */
  snaplen = 0;
  /** Name. */
  name = "";
  /** Description. */
  description = "";
  /** if_tsresol. */
  tsresol: number = MICROSECONDS;
  /** if_tsoffset. */
  tsoffset = 0;
}

/** Walks the blocks of a capture: `for (let b; (b = r.next()) !== null; )`, then look at `err`. */
export class PcapngReader {
  /** WIRE_OK, or why next() gave up. */
  err: number = WIRE_OK;
  /** Where it gave up. */
  err_off = 0;
  /** What was wrong, for people. */
  err_text = "";
  /** Interfaces of the current section. */
  interfaces: PcapngInterface[] = [];
  private readonly u8: Uint8Array;
  private readonly dv: DataView;
  private off = 0;
  private le = true;
  private section = false;

  /** Reads these bytes. */
  constructor(bytes: Uint8Array) {
    this.u8 = bytes;
    this.dv = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The order of bytes of the current section: is it little-endian? Needed to read numbers in options. */
  get little_endian(): boolean {
    return this.le;
  }

  /** The next block; null at the end, or when `err` is set. */
  next(): PcapngBlock | null {
    const left = this.u8.length - this.off;
    if (this.err !== WIRE_OK || left === 0) return null;
    if (left < PCAPNG_BLOCK_OVERHEAD) return this.fail(WIRE_ETRUNC, `${left} bytes left, less than a block`);
    if (this.dv.getUint32(this.off) === PCAPNG_SHB) {
      const magic = this.dv.getInt32(this.off + 8, true);
      this.le = magic === PCAPNG_BYTE_ORDER_MAGIC;
      if (!this.le && this.dv.getInt32(this.off + 8) !== PCAPNG_BYTE_ORDER_MAGIC)
        return this.fail(WIRE_ETYPE, "section header without its byte-order magic");
      this.section = true;
      this.interfaces = [];
    }
    if (!this.section) return this.fail(WIRE_ETYPE, "no section header at the start: not a pcapng file");
    const total = this.dv.getUint32(this.off + 4, this.le);
    if (total < PCAPNG_BLOCK_OVERHEAD || total % 4 !== 0 || total > BLOCK_MAX)
      return this.fail(WIRE_ELEN, `impossible block length ${total}`);
    if (total > left) return this.fail(WIRE_ETRUNC, `block of ${total} bytes, ${left} left`);
    if (this.dv.getUint32(this.off + total - 4, this.le) !== total)
      return this.fail(WIRE_ELEN, `the two lengths of the block differ (${total})`);
    const b = new PcapngBlock();
    b.type = this.dv.getUint32(this.off, this.le);
    b.off = this.off;
    b.body = this.u8.subarray(this.off + 8, this.off + total - 4);
    if (!this.parse(b)) return null;
    this.off += total;
    return b;
  }

  private fail(err: number, text: string): null {
    this.err = err;
    this.err_off = this.off;
    this.err_text = `pcapng block at byte ${this.off}: ${text}`;
    return null;
  }
  private refuse(err: number, text: string): boolean {
    this.fail(err, text);
    return false;
  }

  /** Takes the body apart by type; false if it is malformed. */
  private parse(b: PcapngBlock): boolean {
    const dv = new DataView(b.body.buffer, b.body.byteOffset, b.body.byteLength);
    switch (b.type) {
      case PCAPNG_SHB:
        if (b.body.length < 16) return this.refuse(WIRE_ETRUNC, "section header too short");
        if (dv.getUint16(4, this.le) !== PCAPNG_MAJOR)
          return this.refuse(WIRE_EVERSION, `version ${dv.getUint16(4, this.le)}`);
        return this.parse_options(b, dv, 16);
      case PCAPNG_IDB:
        return this.parse_idb(b, dv);
      case PCAPNG_SPB: {
        const intf = this.interfaces[0];
        if (b.body.length < 4 || intf === undefined) return this.refuse(WIRE_ETRUNC, "packet without an interface");
        b.origlen = dv.getUint32(0, this.le);
        const caplen = Math.min(b.origlen, intf.snaplen === 0 ? b.origlen : intf.snaplen);
        if (caplen > b.body.length - 4) return this.refuse(WIRE_ELEN, `packet of ${caplen} bytes in a shorter block`);
        b.linktype = intf.linktype;
        b.data = b.body.subarray(4, 4 + caplen);
        return true;
      }
      case PCAPNG_EPB: {
        if (b.body.length < 20) return this.refuse(WIRE_ETRUNC, "packet block too short");
        const caplen = dv.getUint32(12, this.le);
        if (caplen > b.body.length - 20)
          return this.refuse(WIRE_ELEN, `packet of ${caplen} bytes in a block of ${b.body.length}`);
        b.origlen = dv.getUint32(16, this.le);
        b.data = b.body.subarray(20, 20 + caplen);
        return this.parse_time(b, dv) && this.parse_options(b, dv, 20 + ((caplen + 3) & ~3));
      }
      case PCAPNG_ISB:
        if (b.body.length < 12) return this.refuse(WIRE_ETRUNC, "statistics block too short");
        return this.parse_time(b, dv) && this.parse_options(b, dv, 12);
      case PCAPNG_NRB:
        return this.parse_names(b, dv);
      default:
        return true;
    }
  }

  private parse_idb(b: PcapngBlock, dv: DataView): boolean {
    if (b.body.length < 8) return this.refuse(WIRE_ETRUNC, "interface description too short");
    if (!this.parse_options(b, dv, 8)) return false;
    const intf = new PcapngInterface();
    b.ifid = this.interfaces.length;
    b.linktype = intf.linktype = dv.getUint16(0, this.le);
    b.snaplen = intf.snaplen = dv.getUint32(4, this.le);
    intf.name = b.text(IF_NAME);
    intf.description = b.text(IF_DESCRIPTION);
    const resol = b.option(IF_TSRESOL);
    if (resol !== null) {
      if (resol.length !== 1 || (resol[0] & 0x7f) > (resol[0] < 0x80 ? 18 : 63))
        return this.refuse(WIRE_EOPT, "impossible if_tsresol");
      intf.tsresol = resol[0];
    }
    const tsoff = b.option(IF_TSOFFSET);
    if (tsoff !== null) {
      if (tsoff.length !== 8) return this.refuse(WIRE_EOPT, "impossible if_tsoffset");
      intf.tsoffset = Number(new DataView(tsoff.buffer, tsoff.byteOffset, 8).getBigInt64(0, this.le));
    }
    this.interfaces.push(intf);
    return true;
  }

  /** Interface and time, which packets and statistics begin with. */
  private parse_time(b: PcapngBlock, dv: DataView): boolean {
    b.ifid = dv.getUint32(0, this.le);
    const intf = this.interfaces[b.ifid];
    if (intf === undefined) return this.refuse(WIRE_ETYPE, `interface ${b.ifid} has no description`);
    b.linktype = intf.linktype;
    const t = (BigInt(dv.getUint32(4, this.le)) << 32n) | BigInt(dv.getUint32(8, this.le));
    const n = BigInt(intf.tsresol & 0x7f);
    const unit = intf.tsresol < 0x80 ? 10n ** n : 1n << n;
    b.sec = Number(t / unit) + intf.tsoffset;
    b.nsec = Number(((t % unit) * 1_000_000_000n) / unit);
    return true;
  }

  private parse_options(b: PcapngBlock, dv: DataView, off: number): boolean {
    const end = b.body.length;
    while (off < end) {
      if (end - off < 4) return this.refuse(WIRE_EOPT, "option cut off");
      const code = dv.getUint16(off, this.le);
      const len = dv.getUint16(off + 2, this.le);
      if (code === OPT_ENDOFOPT) return len === 0 ? true : this.refuse(WIRE_EOPT, "end of options with a length");
      if (len > end - off - 4) return this.refuse(WIRE_EOPT, `option ${code} of ${len} bytes reaches beyond its block`);
      b.options.push({ code, value: b.body.subarray(off + 4, off + 4 + len) });
      off += 4 + ((len + 3) & ~3);
    }
    return true;
  }

  private parse_names(b: PcapngBlock, dv: DataView): boolean {
    const end = b.body.length;
    for (let off = 0; ; ) {
      if (end - off < 4) return this.refuse(WIRE_ETRUNC, "name records without an end");
      const type = dv.getUint16(off, this.le);
      const len = dv.getUint16(off + 2, this.le);
      if (type === NRB_RECORD_END) return this.parse_options(b, dv, off + 4);
      if (len > end - off - 4) return this.refuse(WIRE_ELEN, "name record reaches beyond its block");
      const n = type === NRB_RECORD_IPV4 ? 4 : type === NRB_RECORD_IPV6 ? 16 : 0;
      const rec = b.body.subarray(off + 4, off + 4 + len);
      if (n > 0) {
        if (len < n + 2 || rec[len - 1] !== 0) return this.refuse(WIRE_ELEN, "name record without a name");
        b.names.push({ addr: rec.subarray(0, n), names: utf8_decode(rec.subarray(n, len - 1)).split("\0") });
      }
      off += 4 + ((len + 3) & ~3);
    }
  }
}
